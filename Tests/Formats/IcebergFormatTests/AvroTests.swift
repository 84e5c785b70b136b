import Bedrock
import IcebergFormat
import Testing

/// The fault `body` throws, or nil.
func fault(_ body: () throws(Fault) -> Void) -> Fault? {
  do throws(Fault) {
    try body()
    return nil
  } catch { return error }
}

@Suite("Avro files")
struct AvroTests {
  static let schema = AvroSchema.record(
    name: "row",
    fields: [
      AvroField("id", .long, id: 1), AvroField("name", .string, id: 2), .optional("weight", .double, id: 3),
      AvroField("tags", .array(items: .string, elementID: 5, isMap: false), id: 4),
    ])
  static let sync = [UInt8](0..<16)

  static func row(_ id: Int64) -> AvroValue {
    .record([
      .integer(id), .string("n\(id)"), .optional(id % 2 == 0 ? .double(Double(id).bitPattern) : nil),
      .array((0..<id % 3).map { .string("t\($0)") }),
    ])
  }

  static func file(_ rows: Int64, _ codec: AvroCodec) throws -> [UInt8] {
    var writer = AvroFileWriter(schema: schema, metadata: [("k", "v")], codec: codec, sync: sync)
    for id in 0..<rows { try writer.append(row(id)) }
    return try writer.finish()
  }

  @Test("a file of one record has exactly these bytes")
  func golden() throws {
    let schema = AvroSchema.record(name: "r", fields: [AvroField("a", .long, id: 7), .optional("b", .string, id: 8)])
    var writer = AvroFileWriter(schema: schema, metadata: [], codec: .null, sync: Self.sync)
    try writer.append(.record([.integer(-65), .optional(.string("hi"))]))
    let text =
      #"{"type":"record","name":"r","fields":[{"name":"a","type":"long","field-id":7},"#
      + #"{"name":"b","type":["null","string"],"default":null,"field-id":8}]}"#
    var bytes: [UInt8] = Array("Obj".utf8) + [1, 4, 22] + Array("avro.schema".utf8)
    // 145 bytes, zig-zag 290
    #expect(text.utf8.count == 145)
    bytes += [0xA2, 0x02] + Array(text.utf8) + [20] + Array("avro.codec".utf8) + [8] + Array("null".utf8) + [0]
    // one record of six bytes: -65 is 129 in zig-zag; branch 1; two characters
    bytes += Self.sync + [2, 12, 0x81, 0x01, 2, 4] + Array("hi".utf8) + Self.sync
    #expect(try writer.finish() == bytes)
  }

  @Test(arguments: AvroCodec.allCases, [0, 1, 7, 100_000])
  func roundTrip(_ codec: AvroCodec, _ rows: Int64) throws {
    let bytes = try Self.file(rows, codec)
    let file = try AvroFile(bytes)
    #expect(file.schema == Self.schema && file.codec == codec && file.metadata == ["k": Array("v".utf8)])
    #expect(file.records == (0..<rows).map(Self.row))
  }

  @Test func everyTypeRoundTrips() throws {
    let schema = AvroSchema.record(
      name: "all",
      fields: [
        AvroField("b", .boolean, id: nil), AvroField("i", .int, id: nil), AvroField("f", .float, id: nil),
        AvroField("y", .bytes, id: nil), AvroField("x", .fixed(name: "four", size: 4), id: nil),
        AvroField("x2", .fixed(name: "four", size: 4), id: nil),
        AvroField("e", .enumeration(name: "e", symbols: ["A", "B"]), id: nil),
        AvroField("m", .map(values: .union([.null, .long])), id: nil), AvroField("n", .null, id: nil),
      ])
    let value = AvroValue.record([
      .boolean(true), .integer(Int64(Int32.min)), .float(Float.nan.bitPattern), .bytes([1, 2]), .bytes([9, 8, 7, 6]),
      .bytes([0, 0, 0, 0]), .symbol(1),
      .map([AvroMapEntry(key: "k", value: .union(1, .integer(.max))), AvroMapEntry(key: "l", value: .union(0, .null))]),
      .null,
    ])
    var writer = AvroFileWriter(schema: schema, metadata: [], codec: .deflate, sync: Self.sync)
    try writer.append(value)
    let file = try AvroFile(writer.finish())
    #expect(file.schema == schema)
    #expect(file.records == [value])
  }

  @Test("every cut and every flipped bit is refused or read, never a trap")
  func hostile() throws {
    for codec in AvroCodec.allCases {
      let bytes = try Self.file(5, codec)
      for count in 0..<bytes.count { #expect(fault { () throws(Fault) in _ = try AvroFile(Array(bytes[..<count])) } != nil || count > 200) }
      for bit in 0..<bytes.count * 8 {
        var broken = bytes
        broken[bit / 8] ^= 1 << UInt8(bit % 8)
        #expect(broken.withUnsafeBytes { AvroCheck.check(hostile: $0) })
      }
    }
  }

  @Test func countsAreNotTrusted() throws {
    // 2^40 nulls in six bytes
    let schema = AvroSchema.array(items: .null, elementID: nil, isMap: false)
    var encoder = AvroEncoder()
    encoder.long(1 << 40)
    var decoder = AvroDecoder(encoder.bytes[...], valuesMax: 1_000)
    var refused: Fault?
    do throws(Fault) { _ = try decoder.value(schema) } catch { refused = error }
    #expect(refused?.state == .programLimitExceeded)

    // a schema whose names stand for 2^20 fields
    var fields = #"{"name":"f0","type":{"type":"record","name":"r0","fields":[{"name":"a","type":"null"}]}}"#
    for level in 1...20 {
      fields +=
        #",{"name":"f\#(level)","type":{"type":"record","name":"r\#(level)","fields":["#
        + #"{"name":"a","type":"r\#(level - 1)"},{"name":"b","type":"r\#(level - 1)"}]}}"#
    }
    let json = #"{"type":"record","name":"top","fields":[\#(fields)]}"#
    #expect(fault { () throws(Fault) in _ = try AvroSchema(json: Array(json.utf8)) }?.kind == .corrupt)

    // a type that holds itself
    let loop = #"{"type":"record","name":"r","fields":[{"name":"a","type":["null","r"]}]}"#
    #expect(fault { () throws(Fault) in _ = try AvroSchema(json: Array(loop.utf8)) }?.kind == .corrupt)
  }

  @Test func longsAreZigZag() throws {
    for value in [0, -1, 1, 63, -64, 64, 1_000_000, Int64.max, .min] {
      var encoder = AvroEncoder()
      encoder.long(value)
      var decoder = AvroDecoder(encoder.bytes[...], valuesMax: 0)
      #expect(try decoder.long() == value)
    }
    var tooLong = AvroDecoder([UInt8](repeating: 0xFF, count: 11)[...], valuesMax: 0)
    var refused = false
    do throws(Fault) { _ = try tooLong.long() } catch { refused = true }
    #expect(refused)
  }
}
