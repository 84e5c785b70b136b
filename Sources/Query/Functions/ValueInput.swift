// Text to values as PostgreSQL's input functions read it, with their errors.

package import Bedrock
package import Columnar

extension ValueText {
  /// The value that `text` means as `type`; lengths and precisions of `type` are applied by the cast that follows.
  package static func input(_ text: String, type: DataType, context: FunctionContext) throws(Fault) -> Scalar {
    try Array(text.utf8).withUnsafeBufferPointer { (utf8) throws(Fault) in
      try input(UnsafeRawBufferPointer(utf8), type: type, context: context)
    }
  }

  static func input(_ raw: UnsafeRawBufferPointer, type: DataType, context: FunctionContext) throws(Fault) -> Scalar {
    switch type {
    case .boolean: return .boolean(try boolean(raw))
    case .int2, .int4, .int8: return .integer(try integer(raw, type))
    case .float4:
      let value = try float(raw, type)
      let narrow = Float(value)
      if value.isFinite && (narrow.isInfinite || (narrow == 0 && value != 0)) {
        throw Fault(.numericValueOutOfRange, "\"\(string(raw))\" is out of range for type real")
      }
      return .float(Double(narrow))
    case .float8: return .float(try float(raw, type))
    case .numeric: return .numeric(try numeric(raw))
    case .text, .varchar, .bpchar, .unknown, .void: return .bytes(Array(raw))
    case .json:
      try JSONReader.check(raw)
      return .bytes(Array(raw))
    case .jsonb: return .bytes(try JSONReader.jsonb(raw).bytes)
    case .name: return .bytes(Array(raw.prefix(Limits.identifierBytesMax)))
    case .internalChar: return .bytes(Array(raw.prefix(1)))
    case .bytea: return .bytes(try bytea(raw))
    case .date: return .integer(try DateTimeInput.date(string(raw), context: context))
    case .time: return .integer(try DateTimeInput.time(string(raw)))
    case .timestamp: return .integer(try DateTimeInput.timestamp(string(raw), withZone: false, context: context))
    case .timestamptz: return .integer(try DateTimeInput.timestamp(string(raw), withZone: true, context: context))
    case .interval: return .interval(try IntervalInput.parse(string(raw)))
    case .uuid: return .uuid(try uuid(raw))
    case .oid: return .integer(try oid(raw))
    case .regclass, .regtype, .regproc, .regnamespace:
      return .integer(try reg(string(raw), type, context))
    case .int2vector, .oidvector:
      var list: [Scalar] = []
      for part in string(raw).split(separator: " ") {
        list.append(try input(String(part), type: type.element ?? .oid, context: context))
      }
      return .list(list)
    case .array(let element): return try ArrayInput.parse(raw, element: element, context: context)
    }
  }

  static func string(_ raw: UnsafeRawBufferPointer) -> String { String(decoding: raw, as: UTF8.self) }

  static func invalid(_ raw: UnsafeRawBufferPointer, _ type: DataType) -> Fault {
    Fault(
      .invalidTextRepresentation, "invalid input syntax for type \(TypeNames.sqlName(type)): \"\(string(raw))\"")
  }

  @inline(__always)
  static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (byte >= 9 && byte <= 13) }

  static func trimmed(_ raw: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    var start = 0, end = raw.count
    while start < end && isSpace(raw[start]) { start += 1 }
    while end > start && isSpace(raw[end - 1]) { end -= 1 }
    return UnsafeRawBufferPointer(rebasing: raw[start..<end])
  }

  private static func boolean(_ raw: UnsafeRawBufferPointer) throws(Fault) -> Bool {
    let word = string(trimmed(raw)).lowercased()
    if !word.isEmpty {
      if "true".hasPrefix(word) || "yes".hasPrefix(word) || word == "on" || word == "1" { return true }
      if "false".hasPrefix(word) || "no".hasPrefix(word) || word == "off" || word == "of" || word == "0" {
        return false
      }
    }
    throw invalid(raw, .boolean)
  }

  private static func integer(_ raw: UnsafeRawBufferPointer, _ type: DataType) throws(Fault) -> Int64 {
    let text = trimmed(raw)
    var index = 0
    var negative = false
    if index < text.count && (text[index] == 45 || text[index] == 43) {
      negative = text[index] == 45
      index += 1
    }
    if index == text.count { throw invalid(raw, type) }
    var value: Int64 = 0
    var overflow = false
    while index < text.count {
      let digit = text[index] &- 48
      if digit > 9 { throw invalid(raw, type) }
      let (product, tooBig) = value.multipliedReportingOverflow(by: 10)
      let (difference, tooSmall) = product.subtractingReportingOverflow(Int64(digit))
      overflow = overflow || tooBig || tooSmall
      value = difference
      index += 1
    }
    // built as a negative number, whose range is larger by one
    if !negative {
      let (positive, tooBig) = Int64(0).subtractingReportingOverflow(value)
      overflow = overflow || tooBig
      value = positive
    }
    let range: ClosedRange<Int64> =
      switch type {
      case .int2: Int64(Int16.min)...Int64(Int16.max)
      case .int4: Int64(Int32.min)...Int64(Int32.max)
      default: Int64.min...Int64.max
      }
    if overflow || !range.contains(value) {
      throw Fault(
        .numericValueOutOfRange, "value \"\(string(raw))\" is out of range for type \(TypeNames.sqlName(type))")
    }
    return value
  }

  private static func oid(_ raw: UnsafeRawBufferPointer) throws(Fault) -> Int64 {
    let text = string(trimmed(raw))
    guard let value = Int64(text) else { throw invalid(raw, .oid) }
    guard value >= -0x8000_0000 && value <= 0xFFFF_FFFF else {
      throw Fault(.numericValueOutOfRange, "value \"\(text)\" is out of range for type oid")
    }
    return Int64(Int32(truncatingIfNeeded: value))
  }

  private static func float(_ raw: UnsafeRawBufferPointer, _ type: DataType) throws(Fault) -> Double {
    let text = string(trimmed(raw))
    switch text.lowercased() {
    case "nan": return .nan
    case "infinity", "+infinity", "inf", "+inf": return .infinity
    case "-infinity", "-inf": return -.infinity
    default: break
    }
    let isPlain = text.utf8.allSatisfy { ($0 >= 48 && $0 <= 57) || "+-.eE".utf8.contains($0) }
    var body = text
    if body.hasPrefix(".") || body.hasPrefix("-.") || body.hasPrefix("+.") {
      body = body.replacingFirstPoint()
    }
    if body.hasSuffix(".") { body.removeLast() }
    guard isPlain, let value = Double(body.replacing(pointBefore: "e")) else { throw invalid(raw, type) }
    let mantissa = body.lowercased().split(separator: "e").first ?? ""
    if value.isInfinite || (value == 0 && mantissa.utf8.contains { $0 >= 49 && $0 <= 57 }) {
      throw Fault(.numericValueOutOfRange, "\"\(text)\" is out of range for type \(TypeNames.sqlName(type))")
    }
    return value
  }

  static func numeric(_ raw: UnsafeRawBufferPointer) throws(Fault) -> Numeric {
    let text = trimmed(raw)
    var index = 0
    var negative = false
    if string(text).lowercased() == "nan" { return .nan }
    if index < text.count && (text[index] == 45 || text[index] == 43) {
      negative = text[index] == 45
      index += 1
    }
    var magnitude: Int128 = 0
    var scale = 0
    var digits = 0
    var isFraction = false
    var overflow = false
    while index < text.count {
      let byte = text[index]
      if byte == 46 && !isFraction {
        isFraction = true
      } else if byte >= 48 && byte <= 57 {
        digits += 1
        if isFraction { scale += 1 }
        let (product, tooBig) = magnitude.multipliedReportingOverflow(by: 10)
        let (sum, tooBigToo) = product.addingReportingOverflow(Int128(byte - 48))
        overflow = overflow || tooBig || tooBigToo
        magnitude = sum
      } else {
        break
      }
      index += 1
    }
    if digits == 0 { throw invalid(raw, .numeric) }
    var exponent = 0
    if index < text.count {
      guard text[index] == 101 || text[index] == 69 else { throw invalid(raw, .numeric) }
      guard let parsed = Int(string(UnsafeRawBufferPointer(rebasing: text[(index + 1)...]))) else {
        throw invalid(raw, .numeric)
      }
      exponent = parsed
    }
    let tooWide = Fault(.numericValueOutOfRange, "value overflows numeric format")
    if overflow || exponent.magnitude > 1000 { throw tooWide }
    scale -= exponent
    if scale < 0 {
      guard -scale <= 38 || magnitude == 0 else { throw tooWide }
      let (product, tooBig) = magnitude.multipliedReportingOverflow(by: PowerOfTenTable.value(-scale))
      if tooBig { throw tooWide }
      magnitude = product
      scale = 0
    }
    guard let value = Numeric(coefficient: negative ? -magnitude : magnitude, scale: scale) else { throw tooWide }
    return value
  }

  private static func uuid(_ raw: UnsafeRawBufferPointer) throws(Fault) -> UUIDValue {
    var text = raw
    if text.count >= 2 && text[0] == 123 && text[text.count - 1] == 125 {
      text = UnsafeRawBufferPointer(rebasing: text[1..<(text.count - 1)])
    }
    var words: (high: UInt64, low: UInt64) = (0, 0)
    var nibbles = 0
    for (position, byte) in text.enumerated() {
      // a hyphen is allowed after every group of four digits
      if byte == 45 && nibbles % 4 == 0 && nibbles > 0 && position < text.count - 1 && text[position - 1] != 45 {
        continue
      }
      guard let digit = hexDigit(byte), nibbles < 32 else { throw invalid(raw, .uuid) }
      if nibbles < 16 {
        words.high = words.high << 4 | UInt64(digit)
      } else {
        words.low = words.low << 4 | UInt64(digit)
      }
      nibbles += 1
    }
    if nibbles != 32 { throw invalid(raw, .uuid) }
    return UUIDValue(high: words.high, low: words.low)
  }

  static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 48...57: byte - 48
    case 97...102: byte - 87
    case 65...70: byte - 55
    default: nil
    }
  }

  private static func bytea(_ raw: UnsafeRawBufferPointer) throws(Fault) -> [UInt8] {
    var out: [UInt8] = []
    if raw.count >= 2 && raw[0] == 92 && raw[1] == 120 {
      var pending: UInt8?
      for byte in raw.dropFirst(2) where !isSpace(byte) {
        guard let digit = hexDigit(byte) else {
          throw Fault(
            .invalidParameterValue, "invalid hexadecimal digit: \"\(Character(Unicode.Scalar(byte)))\"")
        }
        if let high = pending {
          out.append(high << 4 | digit)
          pending = nil
        } else {
          pending = digit
        }
      }
      if pending != nil { throw Fault(.invalidParameterValue, "invalid hexadecimal data: odd number of digits") }
      return out
    }
    var index = 0
    while index < raw.count {
      if raw[index] != 92 {
        out.append(raw[index])
        index += 1
      } else if index + 1 < raw.count && raw[index + 1] == 92 {
        out.append(92)
        index += 2
      } else if index + 3 < raw.count, (48...51).contains(raw[index + 1]), (48...55).contains(raw[index + 2]),
        (48...55).contains(raw[index + 3])
      {
        out.append((raw[index + 1] - 48) << 6 | (raw[index + 2] - 48) << 3 | (raw[index + 3] - 48))
        index += 4
      } else {
        throw Fault(.invalidTextRepresentation, "invalid input syntax for type bytea")
      }
    }
    return out
  }

  private static func reg(_ text: String, _ type: DataType, _ context: FunctionContext) throws(Fault) -> Int64 {
    if text == "-" { return 0 }
    if let number = UInt32(text) { return Int64(Int32(bitPattern: number)) }
    let found: UInt32?
    let missing: Fault
    switch type {
    case .regclass:
      found = context.session.relationOID(text)
      missing = Fault(.undefinedTable, "relation \"\(text)\" does not exist")
    case .regtype:
      found = TypeNames.oid(named: text)
      missing = Fault(.undefinedObject, "type \"\(text)\" does not exist")
    case .regnamespace:
      found = context.session.namespaceOID(text)
      missing = Fault(.invalidSchemaName, "schema \"\(text)\" does not exist")
    default:
      found = context.session.functionOID(text)
      missing = Fault(.undefinedFunction, "function \"\(text)\" does not exist")
    }
    guard let found else { throw missing }
    return Int64(Int32(bitPattern: found))
  }
}

enum PowerOfTenTable {
  /// 10^exponent, 0 ... 38; larger exponents count as 38 (callers have checked).
  static func value(_ exponent: Int) -> Int128 {
    var value: Int128 = 1
    for _ in 0..<min(exponent, 38) { value *= 10 }
    return value
  }
}

extension String {
  /// ".5" as "0.5": Swift's parser wants a digit before the point.
  fileprivate func replacingFirstPoint() -> String {
    guard let point = firstIndex(of: ".") else { return self }
    return String(self[..<point]) + "0" + String(self[point...])
  }
  /// "1.e5" as "1e5".
  fileprivate func replacing(pointBefore letter: Character) -> String {
    var out = ""
    for (index, character) in zip(indices, self) {
      let next = self.index(after: index)
      if character == ".", next < endIndex, self[next].lowercased() == String(letter) { continue }
      out.append(character)
    }
    return out
  }
}

/// Array literals: {1,2,NULL}, {"a b","c\"d"}, nested braces. Lower bounds are not offered.
enum ArrayInput {
  static func parse(
    _ raw: UnsafeRawBufferPointer, element: DataType, context: FunctionContext
  ) throws(Fault) -> Scalar {
    let text = ValueText.trimmed(raw)
    let malformed = Fault(
      .invalidTextRepresentation, "malformed array literal: \"\(ValueText.string(raw))\"",
      detail: text.first == 123 ? nil : "Array value must start with \"{\" or dimension information.")
    var index = 0
    let value = try list(text, &index, element, context, malformed, depth: 0)
    if index != text.count { throw malformed }
    return value
  }

  private static func list(
    _ text: UnsafeRawBufferPointer, _ index: inout Int, _ element: DataType, _ context: FunctionContext,
    _ malformed: Fault, depth: Int
  ) throws(Fault) -> Scalar {
    guard index < text.count, text[index] == 123, depth < 6 else { throw malformed }
    index += 1
    var values: [Scalar] = []
    skipSpace(text, &index)
    if index < text.count && text[index] == 125 {
      index += 1
      return .list([])
    }
    while true {
      skipSpace(text, &index)
      guard index < text.count else { throw malformed }
      if text[index] == 123 {
        values.append(try list(text, &index, element.element ?? element, context, malformed, depth: depth + 1))
      } else {
        let (bytes, quoted) = try item(text, &index, malformed)
        if !quoted && String(decoding: bytes, as: UTF8.self).lowercased() == "null" {
          values.append(.null)
        } else {
          if !quoted && bytes.isEmpty { throw malformed }
          values.append(
            try bytes.withUnsafeBufferPointer { (raw) throws(Fault) in
              try ValueText.input(UnsafeRawBufferPointer(raw), type: element, context: context)
            })
        }
      }
      skipSpace(text, &index)
      guard index < text.count else { throw malformed }
      index += 1
      if text[index - 1] == 125 { return .list(values) }
      if text[index - 1] != 44 { throw malformed }
    }
  }

  private static func skipSpace(_ text: UnsafeRawBufferPointer, _ index: inout Int) {
    while index < text.count && ValueText.isSpace(text[index]) { index += 1 }
  }

  private static func item(
    _ text: UnsafeRawBufferPointer, _ index: inout Int, _ malformed: Fault
  ) throws(Fault) -> (bytes: [UInt8], quoted: Bool) {
    var out: [UInt8] = []
    if text[index] == 34 {
      index += 1
      while index < text.count && text[index] != 34 {
        if text[index] == 92 { index += 1 }
        guard index < text.count else { throw malformed }
        out.append(text[index])
        index += 1
      }
      guard index < text.count else { throw malformed }
      index += 1
      return (out, true)
    }
    while index < text.count && text[index] != 44 && text[index] != 125 {
      if text[index] == 34 || text[index] == 123 { throw malformed }
      if text[index] == 92 { index += 1 }
      guard index < text.count else { throw malformed }
      out.append(text[index])
      index += 1
    }
    while let last = out.last, ValueText.isSpace(last) { out.removeLast() }
    return (out, false)
  }
}
