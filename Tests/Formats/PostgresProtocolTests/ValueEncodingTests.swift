// Values against the bytes that PostgreSQL 15.20 writes for them (`x::text` and the *_send functions).

import Bedrock
import Columnar
import PostgresProtocol
import Testing

private func hex(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// The one value of a DataRow with one column; `nil` for null.
func encoded(_ column: Column, _ format: WireFormat, style: TextStyle = TextStyle()) throws -> [[UInt8]?] {
  var encoder = try RowEncoder(Chunk(columns: [column], rowCount: column.count), formats: [format], style: style)
  var out = WireBuffer()
  #expect(try encoder.write(into: &out, rowsMax: .max, bytesMax: .max) == column.count)
  return rows(out.bytes).map { $0[0] }
}

/// DataRow messages back to values.
func rows(_ bytes: [UInt8]) -> [[[UInt8]?]] {
  var rows: [[[UInt8]?]] = []
  var at = 0
  func int(_ size: Int) -> Int {
    defer { at += size }
    let value = bytes[at..<(at + size)].reduce(0) { $0 << 8 | Int($1) }
    return size == 4 && value >= 1 << 31 ? value - 1 << 32 : value
  }
  while at < bytes.count {
    #expect(bytes[at] == UInt8(ascii: "D"))
    at += 1
    let end = at + int(4)
    var row: [[UInt8]?] = []
    for _ in 0..<int(2) {
      let length = int(4)
      if length < 0 {
        row.append(nil)
      } else {
        row.append(Array(bytes[at..<(at + length)]))
        at += length
      }
    }
    #expect(at == end)
    rows.append(row)
  }
  return rows
}

private func number(_ text: String) -> Scalar {
  var digits = text.filter { $0 != "." }
  let negative = digits.hasPrefix("-")
  if negative { digits.removeFirst() }
  let scale = text.split(separator: ".", omittingEmptySubsequences: false).dropFirst().first?.count ?? 0
  let magnitude = Int128(digits)!  // the test's own literals
  return .numeric(Numeric(coefficient: negative ? -magnitude : magnitude, scale: scale)!)
}

/// How many digits a number's text has between its first and last digit that is not zero.
private func significant(_ text: String) -> Int {
  let digits = text.prefix { $0 != "e" }.filter(\.isNumber)
  return digits.drop { $0 == "0" }.reversed().drop { $0 == "0" }.count
}

@Suite struct ValueEncodingTests {
  @Test(arguments: [
    (0.1, "0.1"), (1e15, "1e+15"), (1e14, "100000000000000"), (123_456_789_012_345, "123456789012345"),
    (1_234_567_890_123_456, "1.234567890123456e+15"), (1e-4, "0.0001"), (1e-5, "1e-05"), (1.5e-7, "1.5e-07"),
    (1e100, "1e+100"), (1.7976931348623157e308, "1.7976931348623157e+308"), (.leastNonzeroMagnitude, "5e-324"),
    (0.1 + 0.2, "0.30000000000000004"), (-0.0, "-0"), (0, "0"), (100, "100"), (12.34, "12.34"), (-2.5, "-2.5"),
    (1e22, "1e+22"), (123_456.789, "123456.789"), (0.1234567890123456, "0.1234567890123456"), (4.35, "4.35"),
    (2.2250738585072014e-308, "2.2250738585072014e-308"), (9_007_199_254_740_992, "9.007199254740992e+15"),
    (.nan, "NaN"), (-.infinity, "-Infinity"), (.infinity, "Infinity"), (99_999_999_999_999.9, "99999999999999.9"),
    (0.00012345, "0.00012345"), (-1234.5e-9, "-1.2345e-06"),
  ])
  func float8(value: Double, text: String) throws {
    let column = Column.constant(.float(value), type: .float8, count: 1)
    #expect(try String(decoding: encoded(column, .text)[0] ?? [], as: UTF8.self) == text)
  }

  @Test func float8ReadsBackForRandomBits() throws {
    var state: UInt64 = 7
    var builder = ColumnBuilder(type: .float8, capacity: 4_000)
    var expected: [Double] = []
    for index in 0..<4_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      var value = Double(bitPattern: state)
      if index % 2 == 0 { value = Double(Int64(bitPattern: state) >> 30) / 1_000 }
      if !value.isFinite { value = 1 }
      expected.append(value)
      builder.append(value)
    }
    for (bytes, value) in zip(try encoded(builder.finish(), .text), expected) {
      let text = String(decoding: bytes ?? [], as: UTF8.self)
      #expect(Double(text) == value, "\(text)")
      #expect(significant(text) <= significant(value.description), "\(text)")
    }
  }

  @Test(arguments: [
    (Float(0.1), "0.1"), (1e5, "100000"), (1e6, "1e+06"), (123_456, "123456"), (1_234_567, "1.234567e+06"),
    (1.5e-7, "1.5e-07"), (3.4028235e38, "3.4028235e+38"), (16_777_216, "1.6777216e+07"), (1e-4, "0.0001"),
    (1e-5, "1e-05"), (99_999.9, "99999.9"), (-0.0, "-0"),
  ])
  func float4(value: Float, text: String) throws {
    let column = Column.constant(.float(Double(value)), type: .float4, count: 1)
    #expect(try String(decoding: encoded(column, .text)[0] ?? [], as: UTF8.self) == text)
  }

  @Test func fifteenDigits() throws {
    var style = TextStyle()
    style.extraFloatDigits = 0
    let cases: [(Double, String)] = [(0.1 + 0.2, "0.3"), (1e15, "1e+15"), (1 / 3.0, "0.333333333333333")]
    for (value, text) in cases {
      let column = Column.constant(.float(value), type: .float8, count: 1)
      #expect(try String(decoding: encoded(column, .text, style: style)[0] ?? [], as: UTF8.self) == text)
    }
  }

  @Test(arguments: [
    ("0", "0000000000000000"), ("0.00", "0000000000000002"), ("1", "00010000000000000001"),
    ("-1", "00010000400000000001"), ("12345.678", "0003000100000003000109291a7c"),
    ("10000", "00010001000000000001"), ("0.0001", "0001ffff000000040001"), ("0.00012", "0002ffff00000005000107d0"),
    ("0.00001", "0001fffe0000000503e8"), ("1000000000000000000000000000000", "00010007000000000064"),
    ("123456789012345678901234567890.12345", "000a000700000005000c0d801ed204d2162e23340d801ed204d21388"),
    ("-0.5", "0001ffff400000011388"), ("100000000", "00010002000000000001"), ("9999", "0001000000000000270f"),
    ("99990000.0001", "0003000100000004270f00000001"),
  ])
  func numeric(text: String, binary: String) throws {
    let scalar = number(text)
    let column = Column.constant(scalar, type: .numeric, count: 1)
    #expect(try String(decoding: encoded(column, .text)[0] ?? [], as: UTF8.self) == text)
    let bytes = try encoded(column, .binary)[0] ?? []
    #expect(hex(bytes) == binary)
    #expect(try BinaryForm.decode(bytes, as: .numeric) == scalar)
  }

  @Test func numericSpecials() throws {
    let column = Column.constant(.numeric(.nan), type: .numeric, count: 1)
    #expect(try encoded(column, .text)[0] == Array("NaN".utf8))
    let bytes = try encoded(column, .binary)[0] ?? []
    #expect(hex(bytes) == "00000000c0000000")
    #expect(try BinaryForm.decode(bytes, as: .numeric) == .numeric(.nan))
  }

  @Test(arguments: [
    (Interval(months: 14, days: -3, micros: 14_706_789_000), "1 year 2 mons -3 days +04:05:06.789"),
    (Interval(months: -1, days: 2), "-1 mons +2 days"), (Interval(), "00:00:00"),
    (Interval(days: -1, micros: 3_600_000_000), "-1 days +01:00:00"), (Interval(micros: -1_500_000), "-00:00:01.5"),
    (Interval(days: 1), "1 day"), (Interval(months: -13), "-1 years -1 mons"),
    (Interval(months: 1, days: -1, micros: -3_723_000_000), "1 mon -1 days -01:02:03"),
    (Interval(micros: 360_000_000_000), "100:00:00"), (Interval(months: -14, days: 3), "-1 years -2 mons +3 days"),
    (Interval(months: .min, days: .min, micros: .min), "-178956970 years -8 mons -2147483648 days -2562047788:00:54.775808"),
  ])
  func interval(value: Interval, text: String) throws {
    let column = Column.constant(.interval(value), type: .interval, count: 1)
    #expect(try String(decoding: encoded(column, .text)[0] ?? [], as: UTF8.self) == text)
    let bytes = try encoded(column, .binary)[0] ?? []
    #expect(try BinaryForm.decode(bytes, as: .interval) == .interval(value))
  }

  @Test func intervalBytes() throws {
    let value = Interval(months: 14, days: -3, micros: 14_706_789_000)
    let bytes = try encoded(.constant(.interval(value), type: .interval, count: 1), .binary)[0] ?? []
    #expect(hex(bytes) == "000000036c97ca88fffffffd0000000e")
  }

  @Test(arguments: [
    (Int64(0), "1970-01-01", "ffffd533"), (10_957, "2000-01-01", "00000000"), (-719_162, "0001-01-01", "fff4dbf9"),
    (-735_160, "0044-03-15 BC", "fff49d7b"), (2_145_042_905, "5874897-12-31", "7fda970c"),
    (Int64(Int32.max), "infinity", "7fffffff"), (Int64(Int32.min), "-infinity", "80000000"),
    (-1, "1969-12-31", "ffffd532"), (20_780, "2026-11-23", "0000265f"),
  ])
  func date(days: Int64, text: String, binary: String) throws {
    let column = Column.constant(.integer(days), type: .date, count: 1)
    #expect(try String(decoding: encoded(column, .text)[0] ?? [], as: UTF8.self) == text)
    let bytes = try encoded(column, .binary)[0] ?? []
    #expect(hex(bytes) == binary)
    #expect(try BinaryForm.decode(bytes, as: .date) == .integer(days))
  }

  @Test(arguments: [
    (Int64(0), "1970-01-01 00:00:00", "fffca2fec4c82000"),
    (1_795_420_800_123_456, "2026-11-23 08:00:00.123456", "000303ebbfcba240"),
    (-63_517_780_800_000_000, "0044-03-15 12:00:00 BC", "ff1af9e8fb46d000"),
    (-500_000, "1969-12-31 23:59:59.5", "fffca2fec4c07ee0"), (.max, "infinity", "7fffffffffffffff"),
    (.min, "-infinity", "8000000000000000"),
  ])
  func timestamp(micros: Int64, text: String, binary: String) throws {
    let column = Column.constant(.integer(micros), type: .timestamp, count: 1)
    #expect(try String(decoding: encoded(column, .text)[0] ?? [], as: UTF8.self) == text)
    let bytes = try encoded(column, .binary)[0] ?? []
    #expect(hex(bytes) == binary)
    #expect(try BinaryForm.decode(bytes, as: .timestamptz) == .integer(micros))
  }

  @Test func timestamptzFollowsTheZone() throws {
    let column = Column.constant(.integer(1_795_420_800_500_000), type: .timestamptz, count: 1)
    var style = TextStyle()
    for (seconds, text) in [
      (Int32(0), "2026-11-23 08:00:00.5+00"), (-19_800, "2026-11-23 02:30:00.5-05:30"),
      (12_600, "2026-11-23 11:30:00.5+03:30"), (21_208, "2026-11-23 13:53:28.5+05:53:28"),
    ] {
      style.zone = .fixed(seconds: seconds)
      #expect(try String(decoding: encoded(column, .text, style: style)[0] ?? [], as: UTF8.self) == text)
    }
    style.zone = ZoneOffsets(transitions: [1_795_420_800_500_000], offsets: [0, 3_600])
    #expect(try encoded(column, .text, style: style)[0] == Array("2026-11-23 09:00:00.5+01".utf8))
  }

  @Test func timesAndExtremes() throws {
    let times = ColumnBuilder.column(.time, [.integer(0), .integer(86_399_500_000), .integer(86_400_000_000)])
    #expect(
      try encoded(times, .text).map { String(decoding: $0 ?? [], as: UTF8.self) } == [
        "00:00:00", "23:59:59.5", "24:00:00",
      ])
    // No value of Int64 may trap, whatever it prints.
    let extremes = ColumnBuilder.column(
      .timestamptz, [.integer(.min + 1), .integer(.max - 1), .integer(Int64.min / 2), .integer(Int64.max / 2)])
    var style = TextStyle()
    style.zone = .fixed(seconds: 50_000)
    #expect(try encoded(extremes, .text, style: style).count == 4)
    #expect(try encoded(extremes, .binary).count == 4)
  }

  @Test func integersAndOids() throws {
    let cases: [(DataType, Int64, String, String)] = [
      (.int2, -32_768, "-32768", "8000"), (.int4, -2_147_483_648, "-2147483648", "80000000"),
      (.int8, .min, "-9223372036854775808", "8000000000000000"), (.int8, .max, "9223372036854775807", "7fffffffffffffff"),
      (.oid, 4_294_967_295, "4294967295", "ffffffff"), (.int4, 0, "0", "00000000"), (.int8, 1_000, "1000", "00000000000003e8"),
    ]
    for (type, value, text, binary) in cases {
      let column = Column.constant(.integer(value), type: type, count: 1)
      #expect(try encoded(column, .text)[0] == Array(text.utf8))
      let bytes = try encoded(column, .binary)[0] ?? []
      #expect(hex(bytes) == binary)
      #expect(try BinaryForm.decode(bytes, as: type) == .integer(value))
    }
    var style = TextStyle()
    style.nameOf = { _, oid in oid == 1_259 ? "pg_class" : nil }
    let classes = ColumnBuilder.column(.regclass, [.integer(1_259), .integer(99), .integer(0), .null])
    #expect(
      try encoded(classes, .text, style: style) == [Array("pg_class".utf8), Array("99".utf8), Array("-".utf8), nil])
  }

  @Test func bytesUUIDAndJSON() throws {
    let bytea = Column.constant(.bytes([0, 255, 0x5C, 0x41]), type: .bytea, count: 1)
    #expect(try encoded(bytea, .text)[0] == Array("\\x00ff5c41".utf8))
    #expect(try encoded(bytea, .binary)[0] == [0, 255, 0x5C, 0x41])
    var style = TextStyle()
    style.byteaEscape = true
    #expect(try encoded(bytea, .text, style: style)[0] == Array("\\000\\377\\\\A".utf8))
    let uuid = Scalar.uuid(UUIDValue(high: 0x8f14_e45f_ceea_467f, low: 0xa8f7_0123_4567_89ab))
    let column = Column.constant(uuid, type: .uuid, count: 1)
    #expect(try encoded(column, .text)[0] == Array("8f14e45f-ceea-467f-a8f7-0123456789ab".utf8))
    let bytes = try encoded(column, .binary)[0] ?? []
    #expect(hex(bytes) == "8f14e45fceea467fa8f70123456789ab")
    #expect(try BinaryForm.decode(bytes, as: .uuid) == uuid)
    let json = Column.constant(.text("{\"a\": 1}"), type: .jsonb, count: 1)
    #expect(try encoded(json, .text)[0] == Array("{\"a\": 1}".utf8))
    let jsonBytes = try encoded(json, .binary)[0] ?? []
    #expect(hex(jsonBytes) == "017b2261223a20317d")
    #expect(try BinaryForm.decode(jsonBytes, as: .jsonb) == .text("{\"a\": 1}"))
    let truth = ColumnBuilder.column(.boolean, [.boolean(true), .boolean(false), .null])
    #expect(try encoded(truth, .text) == [[0x74], [0x66], nil])
    #expect(try encoded(truth, .binary) == [[1], [0], nil])
  }

  @Test func arrays() throws {
    let cases: [(DataType, [Scalar], String, String)] = [
      (
        .array(.int4), [.integer(1), .integer(2), .null], "{1,2,NULL}",
        "000000010000000100000017000000030000000100000004000000010000000400000002ffffffff"
      ),
      (.array(.int4), [], "{}", "000000000000000000000017"),
      (
        .array(.text),
        [.text("a"), .text("b c"), .text(""), .text("NULL"), .text("q\"x"), .text("back\\sl"), .text("{"), .text("x,y"), .null],
        "{a,\"b c\",\"\",\"NULL\",\"q\\\"x\",\"back\\\\sl\",\"{\",\"x,y\",NULL}",
        "000000010000000100000019000000090000000100000001610000000362206300000000000000044e554c4c"
          + "00000003712278000000076261636b5c736c000000017b00000003782c79ffffffff"
      ),
      (
        .int2vector, [.integer(1), .integer(2), .integer(3)], "1 2 3",
        "0000000100000000000000150000000300000000000000020001000000020002000000020003"
      ),
      (
        .array(.timestamp), [.integer(1_795_420_800_000_000)], "{\"2026-11-23 08:00:00\"}",
        "00000001000000000000045a000000010000000100000008000303ebbfc9c000"
      ),
      (
        .array(.numeric), [number("1.5"), number("2")], "{1.5,2}",
        "0000000100000000000006a400000002000000010000000c0002000000000001000113880000000a00010000000000000002"
      ),
    ]
    for (type, values, text, binary) in cases {
      let column = ColumnBuilder.column(type, [.list(values), .null])
      #expect(try encoded(column, .text) == [Array(text.utf8), nil])
      let bytes = try encoded(column, .binary)[0] ?? []
      #expect(hex(bytes) == binary)
      #expect(try BinaryForm.decode(bytes, as: type) == .list(values))
    }
  }

  @Test func dictionaryAndConstantForms() throws {
    for type in [DataType.text, .jsonb, .bytea] {
      let words = ColumnBuilder.column(type, [.text("lemon"), .text("fig"), .text("")])
      let codes = Buffer.copying([2, 0, 1, 0, 1] as [Int32])
      let valid = Bitmap.make(count: 5) { $0 != 3 }
      let column = Column(
        type: type, count: 5, validity: valid, form: .dictionary(codes: codes, dictionary: ColumnDictionary(words)))
      for format in [WireFormat.text, .binary] {
        #expect(try encoded(column, format) == encoded(column.flat(), format))
        let constant = Column.constant(.text("same"), type: type, count: 3)
        #expect(try encoded(constant, format) == encoded(constant.flat(), format))
      }
    }
    // A dictionary much larger than the rows at hand, of a type that needs encoding.
    let numbers = ColumnBuilder.column(.int8, (0..<100).map { .integer(Int64($0) * 7) })
    let few = Column(
      type: .int8, count: 2, validity: nil,
      form: .dictionary(codes: .copying([99, 3] as [Int32]), dictionary: ColumnDictionary(numbers)))
    #expect(try encoded(few, .text) == [Array("693".utf8), Array("21".utf8)])
    #expect(try encoded(Column.nulls(.int4, count: 2), .text) == [nil, nil])
  }

  @Test func rowsStopAtTheLimits() throws {
    let numbers = ColumnBuilder.column(.int4, (0..<100).map { .integer($0) })
    let words = ColumnBuilder.column(.text, (0..<100).map { .text("w\($0)") })
    var encoder = try RowEncoder(
      Chunk(columns: [numbers, words], rowCount: 100), formats: [.binary, .text], style: TextStyle())
    var out = WireBuffer()
    #expect(try encoder.write(into: &out, rowsMax: 3, bytesMax: .max) == 3)
    #expect(try encoder.write(into: &out, rowsMax: .max, bytesMax: out.count + 1) == 1)
    #expect(encoder.rowsLeft == 96)
    #expect(try encoder.write(into: &out, rowsMax: .max, bytesMax: .max) == 96)
    #expect(try encoder.write(into: &out, rowsMax: 10, bytesMax: .max) == 0)
    let all = rows(out.bytes)
    #expect(all.count == 100)
    #expect(all[99] == [[0, 0, 0, 99], Array("w99".utf8)])
  }

  @Test func rowsWithoutColumns() throws {
    var encoder = try RowEncoder(Chunk(columns: [], rowCount: 2), formats: [], style: TextStyle())
    var out = WireBuffer()
    #expect(try encoder.write(into: &out, rowsMax: .max, bytesMax: .max) == 2)
    #expect(hex(out.bytes) == "44000000060000" + "44000000060000")
  }
}

@Suite struct BinaryDecodingTests {
  private func state(_ bytes: [UInt8], _ type: DataType) -> String? {
    do {
      _ = try BinaryForm.decode(bytes, as: type)
      return nil
    } catch { return error.state.text }
  }

  @Test func wrongBytesAreRefused() {
    #expect(state([0, 0, 1], .int4) == "08P01")
    #expect(state([0, 0, 0, 1, 5], .int4) == "22P03")
    #expect(state([0xFF], .text) == "22021")
    #expect(state([0x41, 0], .text) == "22021")
    #expect(state([2, 0x7B, 0x7D], .jsonb) == "22P03")
    #expect(state([], .jsonb) == "08P01")
    // numeric: more digits announced than there are, a digit over 9999, an unknown sign, too wide
    #expect(state([0x7F, 0xFF, 0, 0, 0, 0, 0, 0], .numeric) == "08P01")
    #expect(state([0, 1, 0, 0, 0, 0, 0, 0, 0x27, 0x10], .numeric) == "22P03")
    #expect(state([0, 0, 0, 0, 0x12, 0x34, 0, 0], .numeric) == "22P03")
    #expect(state([0, 1, 0x7F, 0xFF, 0, 0, 0, 0, 0, 1], .numeric) == "22003")
    // arrays: count beyond the bytes, too many dimensions, another element type
    #expect(state([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 1], .array(.int4)) == "08P01")
    #expect(state([0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 23], .array(.int4)) == "22P03")
    #expect(state([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25], .array(.int4)) == "42804")
    // dates and timestamps that leave the range when the epoch moves
    #expect(state([0x7F, 0xFF, 0xFF, 0xFE], .date) == "22008")
    #expect(state([0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE], .timestamptz) == "22008")
    #expect(state([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], .time) == "22008")
  }

  @Test func formats() throws {
    #expect(try WireFormat.expand([], count: 3, of: "parameter") == [.text, .text, .text])
    #expect(try WireFormat.expand([1], count: 2, of: "parameter") == [.binary, .binary])
    #expect(try WireFormat.expand([1], count: 1, of: "parameter") == [.binary])
    #expect(try WireFormat.expand([0, 1], count: 2, of: "parameter") == [.text, .binary])
    #expect(throws: Fault.self) { try WireFormat.expand([0, 1], count: 3, of: "parameter") }
    #expect(throws: Fault.self) { try WireFormat.expand([7], count: 1, of: "parameter") }
  }
}
