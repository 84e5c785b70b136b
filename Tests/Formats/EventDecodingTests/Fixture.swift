// A decoder over the example schemas and one event of every type, and messages for it.

import Bedrock
import CapnpSchema
import Columnar
import EventDecoding
import EventSchema
import Foundation
import StorageContract

let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent()

let everyTypeSchema = """
  @0xc1c2ffe65411720e;
  using Metadata = import "/cramped/metadata.capnp";
  struct Every $Metadata.event("test.every.made") {
    flag @0 :Bool = true; i8 @1 :Int8; i16 @2 :Int16; i32 @3 :Int32 = -2; i64 @4 :Int64; u8 @5 :UInt8; u16 @6 :UInt16;
    u32 @7 :UInt32; u64 @8 :UInt64; f32 @9 :Float32; f64 @10 :Float64 = 1.5; text @11 :Text; data @12 :Data;
    color @13 :Color; at @14 :Int64 $Metadata.timestamp(micros); day @15 :Int32 $Metadata.date;
    uid @16 :Text $Metadata.uuid; price @17 :Int64 $Metadata.decimal(precision = 6, scale = 2);
    total @18 :Text $Metadata.decimal(precision = 30, scale = 5); lax @19 :Int8 $Metadata.onError(null);
    secret @20 :Int32 $Metadata.hash(sha256); gone @21 :Text $Metadata.drop;
    enum Color { red @0; green @1; }
  }
  struct Other $Metadata.event("test.every.changed") { text @0 :Text; note @1 :Text; }
  """

func registeredTables() throws -> [RegisteredTable] {
  let files = EmbeddedSchemas.files + [SchemaText(path: "test/every.capnp", text: everyTypeSchema)]
  let events = try SchemaRegistry.events(in: files)
  var tables: [RegisteredTable] = []
  for (index, group) in Dictionary(grouping: events, by: { "\($0.name.domain).\($0.name.entity)" })
    .sorted(by: { $0.key < $1.key }).enumerated()
  {
    let name = group.value[0].name
    let schema = try TableSchema.merging(domain: name.domain, entity: name.entity, events: group.value, previous: nil)
    tables.append(RegisteredTable(id: TableID(raw: UInt32(index + 1)), schema: schema))
  }
  return tables
}

/// Messages in, a batch out, with headers by position.
final class Bench {
  var tables: [RegisteredTable]
  let decoder: EventDecoder
  private(set) var sequence: UInt64 = 0
  private final class Headers { var all: [String: String] = [:]; var kept: [UnsafeMutablePointer<CChar>] = [] }
  private let headers: Headers

  init() throws {
    tables = try registeredTables()
    let headers = Headers()
    self.headers = headers
    decoder = EventDecoder(
      stream: "EVENTS", tables: tables,
      headers: { _, name in
        guard let value = headers.all[name.description] else { return nil }
        let copy = strdup(value)!  // a test that runs out of memory may stop
        headers.kept.append(copy)
        return UnsafePointer(copy)
      },
      seal: { domain, payload in Array((domain ?? "?").utf8) + Array(payload) })
  }
  deinit { for pointer in headers.kept { free(pointer) } }

  func send(_ payload: [UInt8], subject: String, headers given: [String: String] = [:]) {
    sequence += 1
    headers.all = given
    let subject = Array(subject.utf8)
    subject.withUnsafeBufferPointer { subject in
      payload.withUnsafeBytes { payload in
        decoder.decode(
          IncomingEvent(
            subject: subject, payload: payload, position: Position(epoch: 0, sequence: sequence),
            receivedMicros: 1_000_000, message: given.isEmpty ? nil : OpaquePointer(bitPattern: 8)))
      }
    }
  }
  func send(_ json: String, subject: String, headers: [String: String] = [:]) {
    send(Array(json.utf8), subject: subject, headers: headers)
  }
  /// An event of `test.every.made` with this content.
  func every(_ content: String, sequence: Int = 1) {
    send(
      "{\"event\":\"test.every.made\",\"sequence\":\(sequence),\"metadata\":{\"published\":1},\"content\":\(content)}",
      subject: "events.test.every.made")
  }
  func table(_ batch: DecodedBatch, _ name: String) -> DecodedTable? {
    batch.tables.first { "\($0.domain).\($0.entity)" == name }
  }
  func column(_ table: DecodedTable, _ name: String) -> Column {
    let schema = tables.first { $0.id == table.table }!.schema  // the decoder was made from these tables
    return table.chunk.columns[schema.column(named: name)!]  // tests name columns that exist
  }
}
