// One message of libnats, read in place.
//
// What the broker says of a message lies in its reply subject (ADR-15 of nats-architecture-and-design):
//
//   $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time ns>.<pending>                       9 tokens
//   $JS.ACK.<domain>.<account>.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time ns>.<pending>...  11 or more
//
// Parsed here, because natsMsg_GetMetaData makes four allocations a message.

import Bedrock
import CNATS
import Glibc

struct DeliveryMark: Equatable {
  var delivered: UInt64
  var streamSequence: UInt64
  var consumerSequence: UInt64
  var timeNanos: Int64
  /// Messages of the stream behind this one.
  var pending: UInt64

  /// `nil` when the subject is no acknowledgement subject.
  init?(replySubject: UnsafePointer<CChar>?) {
    guard let subject = replySubject else { return nil }
    var starts: [16 of Int] = .init(repeating: 0)
    var count = 1, at = 0
    while subject[at] != 0 {
      if subject[at] == 0x2E {
        guard count < 16 else { return nil }
        starts[count] = at + 1
        count += 1
      }
      at += 1
    }
    guard count == 9 || count >= 11, Self.hasPrefix(subject) else { return nil }
    let first = count == 9 ? 4 : 6
    guard let delivered = Self.number(subject, starts[first]), let sequence = Self.number(subject, starts[first + 1]),
      let consumer = Self.number(subject, starts[first + 2]), let time = Self.number(subject, starts[first + 3]),
      let pending = Self.number(subject, starts[first + 4]), let nanos = Int64(exactly: time), sequence < 1 << 48
    else { return nil }
    self.delivered = delivered
    streamSequence = sequence
    consumerSequence = consumer
    timeNanos = nanos
    self.pending = pending
  }

  private static func hasPrefix(_ subject: UnsafePointer<CChar>) -> Bool {
    let prefix: StaticString = "$JS.ACK."
    for index in 0..<prefix.utf8CodeUnitCount where UInt8(bitPattern: subject[index]) != prefix.utf8Start[index] {
      return false
    }
    return true
  }

  private static func number(_ subject: UnsafePointer<CChar>, _ start: Int) -> UInt64? {
    var value: UInt64 = 0
    var at = start
    while subject[at] != 0 && subject[at] != 0x2E {
      let digit = UInt8(bitPattern: subject[at]) &- 0x30
      guard digit <= 9 else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
      guard !overflow && !carry else { return nil }
      value = sum
      at += 1
    }
    return at > start ? value : nil
  }
}

/// Borrowed: valid as long as the message.
struct MessageView {
  let message: OpaquePointer

  init(_ message: OpaquePointer) { self.message = message }

  var subject: UnsafeBufferPointer<UInt8> {
    guard let text = natsMsg_GetSubject(message) else { return UnsafeBufferPointer(start: nil, count: 0) }
    return UnsafeBufferPointer(start: UnsafeRawPointer(text).assumingMemoryBound(to: UInt8.self), count: strlen(text))
  }

  var payload: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: natsMsg_GetData(message), count: Int(natsMsg_GetDataLength(message)))
  }

  var delivery: DeliveryMark? { DeliveryMark(replySubject: natsMsg_GetReply(message)) }

  /// CRC-32C over subject and payload, for `LogMark`.
  var checksum: UInt32 {
    let first = CRC32C.checksum(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(subject)))
    return CRC32C.checksum(RawSpan(_unsafeBytes: payload), seed: first)
  }

  static func header(_ message: OpaquePointer, _ name: StaticString) -> UnsafePointer<CChar>? {
    var value: UnsafePointer<CChar>?
    let key = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)  // a StaticString ends with NUL
    return natsMsgHeader_Get(message, key, &value) == NATS_OK ? value : nil
  }
}
