// Measurements of 300 bytes, the same for the same number.

import Bedrock

enum Workload {
  static let subject = "events.iot.measurement.recorded"
  static let table = "iot.measurement"
  static let payloadBytes = 300

  /// Event `index` (from 0) has sequence `index`. Every payload has `payloadBytes` bytes: the site is padded.
  static func payload(_ index: Int) -> [UInt8] {
    let value = Double(index % 10_007) * 0.25 + 0.125
    let head =
      #"{"event":"iot.measurement.recorded","sequence":\#(index),"metadata":{"published":\#(1_795_420_800_000_000 + index * 1_000),"#
      + #""domain":"iot","entity":"measurement","name":"recorded"},"content":{"series":"device-\#(index % 1_000)/temperature","#
      + #""value":\#(value),"unit":"°C","site":"hall-\#(index % 50)"#
    var bytes = Array(head.utf8)
    let padding = payloadBytes - bytes.count - 3
    precondition(padding >= 1, "the head leaves room")
    bytes.append(UInt8(ascii: "/"))
    bytes.append(contentsOf: repeatElement(UInt8(ascii: "x"), count: padding - 1))
    bytes.append(contentsOf: Array("\"}}".utf8))
    precondition(bytes.count == payloadBytes)
    return bytes
  }

  /// What the sequences of `count` events add up to.
  static func sequenceSum(_ count: Int) -> Int64 { Int64(count) * Int64(count - 1) / 2 }
}
