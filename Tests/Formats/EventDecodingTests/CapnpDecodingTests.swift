import Bedrock
import CapnpSchema
import Columnar
import EventDecoding
import Foundation
import StorageContract
import Testing

/// `capnp encode`: the text form of a struct to a message.
private func encode(_ text: String, _ schema: String, _ type: String, packed: Bool = false) throws -> [UInt8] {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("capnp-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }  // a leftover folder fails no test
  try schema.write(to: folder.appendingPathComponent("s.capnp"), atomically: true, encoding: .utf8)
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments =
    ["capnp", "encode", "-I", repository.appendingPathComponent("schemas").path] + (packed ? ["--packed"] : [])
    + [folder.appendingPathComponent("s.capnp").path, type]
  let input = Pipe(), output = Pipe()
  process.standardInput = input
  process.standardOutput = output
  try process.run()
  input.fileHandleForWriting.write(Data(text.utf8))
  try input.fileHandleForWriting.close()
  let bytes = [UInt8](output.fileHandleForReading.readDataToEndOfFile())
  process.waitUntilExit()
  try #require(process.terminationStatus == 0, "capnp encode refused: \(text)")
  return bytes
}

/// The envelope with a content type that the text form can write; on the wire it is the same.
private func envelopeSchema(_ content: String) -> String {
  everyTypeSchema
    + """

    struct Envelope {
      event @0 :Text; sequence @1 :Int64 = -1; published @2 :Int64; metadata @3 :List(Entry); content @4 :\(content);
      struct Entry { key @0 :Text; value @1 :Text; }
    }
    """
}

private let content = """
  (flag = false, i8 = -128, i16 = 32767, i32 = -5, i64 = -9, u8 = 255, u16 = 65535, u32 = 4294967295,
   u64 = 18446744073709551615, f32 = 1.5, f64 = -2, text = "hé", data = 0x"00 01 02 ff", color = green, at = -3599000000,
   day = 11017, uid = "8f14e45f-ceea-467f-a5e6-0123456789ab", price = 1234, total = "7.50000", lax = 1, secret = 42,
   gone = "x")
  """
private let header = ["Content-Type": "application/capnp"]
private let subject = "events.test.every.made"

@Suite struct CapnpDecodingTests {
  private func check(_ bench: Bench) throws {
    let batch = bench.decoder.finish()
    #expect(batch.errors.map(\.message) == [])
    let table = try #require(bench.table(batch, "test.every"))
    func value(_ name: String) -> Scalar { bench.column(table, name).scalar(at: 0) }
    #expect(table.chunk.rowCount == 1 && value("sequence") == .integer(3) && value("published") == .integer(77))
    #expect(value("flag") == .boolean(false) && value("i8") == .integer(-128) && value("i16") == .integer(32_767))
    #expect(value("i32") == .integer(-5) && value("i64") == .integer(-9) && value("u8") == .integer(255))
    #expect(value("u16") == .integer(65_535) && value("u32") == .integer(4_294_967_295))
    #expect(value("u64") == Numeric(coefficient: Int128(UInt64.max), scale: 0).map { .numeric($0) })
    #expect(value("f32") == .float(1.5) && value("f64") == .float(-2) && value("text") == .text("hé"))
    #expect(value("data") == .bytes([0, 1, 2, 255]) && value("color") == .text("green"))
    #expect(value("at") == .integer(-3_599_000_000) && value("day") == .integer(11_017))
    #expect(value("price") == Numeric(coefficient: 1_234, scale: 2).map { .numeric($0) })
    #expect(value("total") == Numeric(coefficient: 750_000, scale: 5).map { .numeric($0) })
    #expect(value("metadata").text == #"{"a": "b", "c": null}"#)
    #expect(table.pendingHashes.first?.values.scalar(at: 0) == .text("42"))
  }

  @Test(arguments: [false, true])
  func aTypedContentPointer(packed: Bool) throws {
    let bench = try Bench()
    let text =
      "(event = \"test.every.made\", sequence = 3, published = 77, metadata = [(key = \"a\", value = \"b\"), (key = \"c\")], content = \(content))"
    bench.send(try encode(text, envelopeSchema("Every"), "Envelope", packed: packed), subject: subject, headers: header)
    try check(bench)
  }

  @Test func contentAsData() throws {
    let bench = try Bench()
    let inner = try encode(content, everyTypeSchema, "Every").map { String($0, radix: 16) }
      .map { $0.count == 1 ? "0\($0)" : $0 }.joined(separator: " ")
    let text =
      "(event = \"test.every.made\", sequence = 3, published = 77, metadata = [(key = \"a\", value = \"b\"), (key = \"c\")], content = 0x\"\(inner)\")"
    bench.send(try encode(text, envelopeSchema("Data"), "Envelope"), subject: subject, headers: header)
    try check(bench)
  }

  @Test func defaultsAndAbsentPointers() throws {
    let bench = try Bench()
    let text = "(event = \"test.every.made\", sequence = 0, published = 1, content = ())"
    bench.send(try encode(text, envelopeSchema("Every"), "Envelope"), subject: subject, headers: header)
    let batch = bench.decoder.finish()
    let table = try #require(bench.table(batch, "test.every"))
    #expect(batch.errors.isEmpty)
    #expect(bench.column(table, "flag").scalar(at: 0) == .boolean(true))
    #expect(bench.column(table, "i32").scalar(at: 0) == .integer(-2))
    #expect(bench.column(table, "f64").scalar(at: 0) == .float(1.5))
    #expect(bench.column(table, "color").scalar(at: 0) == .text("red"))
    for name in ["text", "data", "uid", "total", "metadata"] { #expect(bench.column(table, name).isNull(at: 0), "\(name)") }
  }

  @Test func sequenceFromTheHeaderOrRefused() throws {
    let bench = try Bench()
    let message = try encode(
      "(event = \"test.every.made\", published = 1, content = ())", envelopeSchema("Every"), "Envelope")
    bench.send(message, subject: subject, headers: header)
    bench.send(message, subject: subject, headers: header.merging(["Cramped-Sequence": "9"]) { $1 })
    let batch = bench.decoder.finish()
    #expect(batch.errors.map(\.code) == ["envelope_invalid"])
    #expect(bench.table(batch, "test.every").map { bench.column($0, "sequence").scalar(at: 0) } == .integer(9))
  }

  @Test func refusals() throws {
    let bench = try Bench()
    func send(_ text: String, _ content: String = "Every") throws {
      bench.send(try encode(text, envelopeSchema(content), "Envelope"), subject: subject, headers: header)
    }
    try send("(sequence = 1)")
    try send("(event = \"test.every.made\", sequence = 1, published = 1)")
    try send("(event = \"test.every.made\", sequence = 1, content = ())")
    try send("(event = \"test.every.other\", sequence = 1, published = 1, content = ())")
    try send("(event = \"test.every.made\", sequence = 1, published = 1, content = (day = 99999999))")
    try send("(event = \"test.every.made\", sequence = 1, published = 1, content = 0x\"00 01\")", "Data")
    try send("(event = \"test.every.made\", sequence = 1, published = 1, content = [1, 2])", "List(Int32)")
    bench.send([0x10, 0x11], subject: subject, headers: header)
    bench.send([UInt8](repeating: 0, count: 24), subject: subject)
    #expect(
      bench.decoder.finish().errors.map(\.code) == [
        "envelope_invalid", "envelope_invalid", "envelope_invalid", "envelope_subject_mismatch", "schema_violation",
        "undecodable", "envelope_invalid", "undecodable", "undecodable",
      ])
  }

  /// Every single-bit change and every truncation of a message is an event or an error row, never a trap.
  @Test func damagedMessagesNeverTrap() throws {
    let bench = try Bench()
    let text = "(event = \"test.every.made\", sequence = 3, published = 77, metadata = [(key = \"a\", value = \"b\")], content = \(content))"
    for packed in [false, true] {
      let message = try encode(text, envelopeSchema("Every"), "Envelope", packed: packed)
      for index in message.indices {
        for bit in 0..<8 {
          var damaged = message
          damaged[index] ^= 1 << UInt8(bit)
          bench.send(damaged, subject: subject, headers: header)
        }
        bench.send(Array(message[..<index]), subject: subject, headers: header)
      }
      let batch = bench.decoder.finish()
      #expect(batch.errors.count + (batch.tables.first?.chunk.rowCount ?? 0) == message.count * 9)
    }
  }

  /// A hundred thousand entries that all point at one text: the traversal limit ends it.
  @Test func amplificationIsRefused() throws {
    let bench = try Bench()
    // Root: struct with 2 data words and 3 pointers; metadata is a list of 2^29 structs without words.
    var words: [UInt64] = [UInt64(3) << 48 | UInt64(2) << 32, UInt64(bitPattern: ~3), 77]
    words += [UInt64(16) << 35 | UInt64(2) << 32 | 2 << 2 | 1, UInt64(0) << 35 | UInt64(7) << 32 | 3 << 2 | 1, 0]
    for chunk in stride(from: 0, to: 16, by: 8) {
      let bytes = Array("test.every.made\0".utf8)[chunk..<(chunk + 8)]
      words.append(bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }
    words += [UInt64(0x1FFF_FFFF) << 2]
    var message: [UInt8] = []
    for word in [UInt64(words.count) << 32] + words { withUnsafeBytes(of: word.littleEndian) { message += $0 } }
    bench.send(message, subject: subject, headers: header)
    let errors = bench.decoder.finish().errors
    #expect(errors.map(\.code) == ["undecodable"] && errors[0].message.contains("traversal limit"))
  }
}
