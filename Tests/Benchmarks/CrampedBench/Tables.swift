// The built-in schemas as tables, and batches of the workload decoded.

import Bedrock
import CapnpSchema
import Columnar
import EventDecoding
import EventSchema
import StorageContract

enum Tables {
  static func events() throws(Fault) -> [EventType] { try SchemaRegistry.events(in: EmbeddedSchemas.files) }

  /// The measurement table alone.
  static func measurement() throws(Fault) -> RegisteredTable {
    let events = try events().filter { $0.name.domain == "iot" && $0.name.entity == "measurement" }
    return RegisteredTable(
      id: TableID(raw: 1),
      schema: try TableSchema.merging(domain: "iot", entity: "measurement", events: events, previous: nil))
  }

  static func decoder() throws(Fault) -> EventDecoder {
    EventDecoder(stream: "EVENTS", tables: [try measurement()], seal: { _, payload in Array(payload) })
  }

  /// Decodes payloads that lie one after the other in `payloads`, of which the first is event `first`.
  static func decode(_ payloads: [UInt8], first: Int, with decoder: EventDecoder) -> DecodedBatch {
    let subject = Array(Workload.subject.utf8)
    let count = payloads.count / Workload.payloadBytes
    subject.withUnsafeBufferPointer { subject in
      payloads.withUnsafeBytes { bytes in
        for index in 0..<count {
          let start = index * Workload.payloadBytes
          decoder.decode(
            IncomingEvent(
              subject: subject, payload: UnsafeRawBufferPointer(rebasing: bytes[start..<(start + Workload.payloadBytes)]),
              position: Position(epoch: 0, sequence: UInt64(first + index + 1)),
              receivedMicros: 1_795_420_800_000_000 + Int64(first + index)))
        }
      }
    }
    return decoder.finish()
  }

  /// The payloads of events one after the other.
  static func payloads(_ events: Range<Int>) -> [UInt8] {
    var all: [UInt8] = []
    all.reserveCapacity(events.count * Workload.payloadBytes)
    for index in events { all.append(contentsOf: Workload.payload(index)) }
    return all
  }
}
