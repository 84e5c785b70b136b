// Hostile events: nothing traps, every message is a row or an error row, and a chunk has its shape.
//
// The first byte chooses: even = no header, odd = Content-Type: application/capnp. The rest is the payload. Each input is
// decoded between two good events, so that whatever it leaves behind would show.

import Bedrock
import Columnar
import EventDecoding
import EventSchema
import StorageContract

private let subject = Array("events.test.every.made".utf8)
private let good = Array(
  #"{"event":"test.every.made","sequence":1,"metadata":{"published":1},"content":{"text":"good","i8":1}}"#.utf8)

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzEnvelope(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard count > 0, let start else { return 0 }
  send(good.withUnsafeBytes { $0 }, 1, capnp: false)
  send(UnsafeRawBufferPointer(start: start + 1, count: count - 1), 2, capnp: start[0] & 1 == 1)
  send(good.withUnsafeBytes { $0 }, 3, capnp: false)
  let batch = decoder.finish()
  precondition(batch.tables.count == 1, "the good events are of one table")
  let table = batch.tables[0]
  precondition(table.chunk.rowCount + batch.errors.count == 3, "each message is a row or an error row")
  let texts = table.chunk.columns[textColumn]
  precondition(texts.scalar(at: 0).text == "good" && texts.scalar(at: table.chunk.rowCount - 1).text == "good")
  return 0
}

private let textColumn = registered[0].schema.column(named: "text")!  // `fields` has it

private func send(_ payload: UnsafeRawBufferPointer, _ sequence: UInt64, capnp: Bool) {
  subject.withUnsafeBufferPointer { subject in
    decoder.decode(
      IncomingEvent(
        subject: subject, payload: payload, position: Position(epoch: 0, sequence: sequence), receivedMicros: 1,
        message: capnp ? OpaquePointer(bitPattern: 8) : nil))
  }
}

private let contentType: StaticString = "application/capnp"

// The fuzzer runs one input after the other on one thread.
nonisolated(unsafe) private let decoder = EventDecoder(
  stream: "EVENTS", tables: registered,
  headers: { _, name in
    name.description == "Content-Type"
      ? UnsafeRawPointer(contentType.utf8Start).assumingMemoryBound(to: CChar.self) : nil
  }, seal: { _, payload in Array(payload) })

/// One field of every kind.
private let fields: [EventField] = {
  var fields: [EventField] = []
  func add(
    _ name: String, _ type: DataType, _ kind: CapnpSlot.Kind, _ offset: UInt32, _ policy: FieldPolicy = .keep,
    _ names: [String] = []
  ) {
    fields.append(
      EventField(
        name: name, column: name, type: type, slot: CapnpSlot(kind: kind, offset: offset, defaultBits: 0),
        policy: policy, onError: .reject, enumerants: names))
  }
  add("flag", .boolean, .bool, 0)
  add("i8", .int2, .int8, 1)
  add("i16", .int2, .int16, 1)
  add("i32", .int4, .int32, 1)
  add("i64", .int8, .int64, 1)
  add("u64", .numeric(.init(precision: 20, scale: 0)), .uint64, 2)
  add("f32", .float4, .float32, 6)
  add("f64", .float8, .float64, 4)
  add("text", .text, .text, 0)
  add("data", .bytea, .data, 1)
  add("color", .text, .enumerant, 20, .keep, ["red", "green"])
  add("at", .timestamptz, .int64, 6)
  add("day", .date, .int32, 14)
  add("uid", .uuid, .text, 2)
  add("price", .numeric(.init(precision: 6, scale: 2)), .int64, 8)
  add("total", .numeric(.init(precision: 30, scale: 5)), .text, 3)
  add("secret", .text, .text, 4, .hash(.sha256))
  return fields
}()

private let registered: [RegisteredTable] = {
  do throws(Fault) {
    let event = EventType(name: try EventName("test.every.made"), fields: fields, typeID: 1, file: "fuzz")
    let schema = try TableSchema.merging(domain: "test", entity: "every", events: [event], previous: nil)
    return [RegisteredTable(id: TableID(raw: 1), schema: schema)]
  } catch { fatalError("the fuzzer's own schema: \(error)") }
}()
