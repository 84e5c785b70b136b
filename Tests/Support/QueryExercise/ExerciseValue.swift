// Values for functions, from bytes: one byte picks null, an extreme, or that the next bytes spell the value.

import Bedrock
import Columnar

/// Bytes one after the other; zeros when they are used up.
struct ByteSource {
  private let bytes: [UInt8]
  private var at = 0
  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { at >= bytes.count }

  mutating func next() -> UInt8 {
    defer { at += 1 }
    return at < bytes.count ? bytes[at] : 0
  }

  mutating func integer() -> Int64 {
    var value: Int64 = 0
    for _ in 0..<Int(next() % 9) { value = value << 8 | Int64(next()) }
    return value
  }

  mutating func take(_ count: Int) -> [UInt8] { (0..<count).map { _ in next() } }
}

enum ExerciseValue {
  private static let integers: [Int64] = [
    0, 1, -1, 2, 7, 10, 100, -100, 1_000_000, .max, .min, .max - 1, 4_294_967_296, 86_400_000_000, 1_577_836_800_000_000,
    -210_866_803_200_000_000, 9_223_371_331_200_000_000, -2_451_545, 2_145_031_948,
  ]
  private static let floats: [Double] = [
    0, -0.0, 1, -1, 0.5, 0.1, 1e-7, 1e15, 1e20, 1e308, .leastNonzeroMagnitude, .infinity, -.infinity, .nan, 9.223372036854775807e18, -2.5, 2.5,
  ]
  private static let texts = [
    "", "a", "abc", "ABC def", "1", "-1.5e3", "NaN", "infinity", "2024-02-29", "23:59:60", "2020-01-01 10:00:00+02", "1 mon -2 days",
    "{1,NULL,\"x\"}", "{}", "true", "\\x00ff", "%a_", "(a|b)+", "[[:alpha:]]", "é", "日本", "😀", "Europe/Berlin", "YYYY-MM-DD HH24:MI",
    "999,999.99", "day", "epoch", "UTF8", "base64", " x ", "g", "00000000-0000-0000-0000-000000000001", "{\"a\":[1,null]}", "\t\n",
  ]
  private static let documents = [
    "null", "1", "\"x\"", "true", "[]", "{}", "[1, 2, [3]]", "{\"a\": 1, \"b\": {\"c\": [null, \"d\"]}}", "1e100", "\"\\u00e9\"",
  ]

  static func of(_ type: DataType, _ source: inout ByteSource) -> Scalar {
    let choice = source.next()
    if choice % 8 == 7 { return .null }
    let index = Int(choice >> 3)
    let isSpelt = choice % 8 >= 5
    switch type {
    case .boolean: return .boolean(choice & 1 == 0)
    case .json: return .text(documents[index % documents.count])
    case .jsonb: return .text(documents[index % documents.count])
    case .bytea: return .bytes(isSpelt ? source.take(index) : Array(texts[index % texts.count].utf8))
    case .array(let element): return .list((0..<(index % 4)).map { _ in of(element, &source) })
    case .int2vector, .oidvector: return .list((0..<(index % 4)).map { .integer(Int64($0)) })
    case .date:
      let days = isSpelt ? Int64(Int16(truncatingIfNeeded: source.integer())) : [0, -719_528, 18_262, 2_134_702_500, -2_451_545][index % 5]
      return .integer(Int64(Int32(truncatingIfNeeded: days)))
    case .time: return .integer(abs((isSpelt ? source.integer() : integers[index % integers.count]) % 86_400_000_001))
    case .timestamp, .timestamptz:
      let span: Int64 = 9_214_646_400_000_000_000
      let value = isSpelt ? source.integer() : integers[index % integers.count]
      return .integer(value > span || value < -210_866_803_200_000_000 ? value % 4_000_000_000_000_000 : value)
    default: return physical(type, index, isSpelt, &source)
    }
  }

  private static func physical(_ type: DataType, _ index: Int, _ isSpelt: Bool, _ source: inout ByteSource) -> Scalar {
    let integer = isSpelt ? source.integer() : integers[index % integers.count]
    switch type.physical {
    case .bool8: return .boolean(integer & 1 == 0)
    case .int32:
      return .integer(type == .int2 ? Int64(Int16(truncatingIfNeeded: integer)) : Int64(Int32(truncatingIfNeeded: integer)))
    case .int64: return .integer(integer)
    case .float32: return .float(Double(Float(floats[index % floats.count])))
    case .float64: return .float(isSpelt ? Double(bitPattern: UInt64(bitPattern: integer)) : floats[index % floats.count])
    case .numeric:
      let wide = isSpelt ? Int128(integer) * Int128(1_000_000_007) : Int128(integer)
      return Numeric(coefficient: wide, scale: index % 20).map { .numeric($0) } ?? .null
    case .interval:
      return .interval(
        Interval(
          months: Int32(truncatingIfNeeded: integer), days: Int32(truncatingIfNeeded: integer >> 8), micros: integer))
    case .uuid: return .uuid(UUIDValue(high: UInt64(bitPattern: integer), low: UInt64(index)))
    case .bytes:
      guard isSpelt else { return .text(texts[index % texts.count]) }
      let spelt = String(decoding: source.take(index).map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self)
      return .text(spelt)
    case .list: return .list([])
    }
  }
}
