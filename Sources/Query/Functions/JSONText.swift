// JSON kept as text: a scanner that checks it and finds members and elements without building a tree.

import Bedrock
import Columnar

/// Walks one JSON text. Positions are byte offsets.
struct JSONText {
  private let raw: UnsafeRawBufferPointer
  private var position = 0

  static func check(_ raw: UnsafeRawBufferPointer) throws(Fault) {
    var scanner = JSONText(raw: raw)
    guard scanner.skipValue(depth: 0), scanner.atEnd() else {
      throw Fault(.invalidTextRepresentation, "invalid input syntax for type json")
    }
  }

  private init(raw: UnsafeRawBufferPointer) { self.raw = raw }

  private mutating func skipSpace() {
    while position < raw.count, ValueText.isSpace(raw[position]) { position += 1 }
  }
  private mutating func atEnd() -> Bool {
    skipSpace()
    return position == raw.count
  }
  private mutating func take(_ byte: UInt8) -> Bool {
    skipSpace()
    guard position < raw.count, raw[position] == byte else { return false }
    position += 1
    return true
  }

  private mutating func skipString() -> Bool {
    guard take(34) else { return false }
    while position < raw.count {
      let byte = raw[position]
      position += 1
      if byte == 34 { return true }
      if byte == 92 { position += 1 }
      if byte < 32 { return false }
    }
    return false
  }

  private mutating func skipValue(depth: Int) -> Bool {
    skipSpace()
    guard position < raw.count, depth < Limits.jsonDepthMax else { return false }
    switch raw[position] {
    case 34: return skipString()
    case 123:
      position += 1
      if take(125) { return true }
      repeat { guard skipString(), take(58), skipValue(depth: depth + 1) else { return false } } while take(44)
      return take(125)
    case 91:
      position += 1
      if take(93) { return true }
      repeat { guard skipValue(depth: depth + 1) else { return false } } while take(44)
      return take(93)
    case 45, 48...57:
      let start = position
      while position < raw.count, (raw[position] >= 48 && raw[position] <= 57) || "+-.eE".utf8.contains(raw[position]) {
        position += 1
      }
      return position > start && Double(text(start..<position)) != nil
    default:
      for word in ["true", "false", "null"] where raw[position...].starts(with: word.utf8) {
        position += word.utf8.count
        return true
      }
      return false
    }
  }

  private func text(_ range: Range<Int>) -> String {
    String(decoding: UnsafeRawBufferPointer(rebasing: raw[range]), as: UTF8.self)
  }

  /// The range of a member's or an element's value, or `nil`.
  static func find(_ raw: UnsafeRawBufferPointer, key: String) -> Range<Int>? {
    var scanner = JSONText(raw: raw)
    guard scanner.take(123) else { return nil }
    var found: Range<Int>?
    if scanner.take(125) { return nil }
    repeat {
      scanner.skipSpace()
      let start = scanner.position
      guard scanner.skipString() else { return nil }
      let name = unescaped(scanner.text((start + 1)..<(scanner.position - 1)))
      guard scanner.take(58) else { return nil }
      scanner.skipSpace()
      let value = scanner.position
      guard scanner.skipValue(depth: 1) else { return nil }
      // the last of equal keys wins, as in jsonb
      if name == key { found = value..<scanner.position }
    } while scanner.take(44)
    return found
  }

  static func ranges(_ raw: UnsafeRawBufferPointer) -> [Range<Int>]? {
    var scanner = JSONText(raw: raw)
    guard scanner.take(91) else { return nil }
    var list: [Range<Int>] = []
    if scanner.take(93) { return list }
    repeat {
      scanner.skipSpace()
      let value = scanner.position
      guard scanner.skipValue(depth: 1) else { return nil }
      list.append(value..<scanner.position)
    } while scanner.take(44)
    return list
  }

  static func element(_ raw: UnsafeRawBufferPointer, _ index: Int64) -> Range<Int>? {
    guard let list = ranges(raw) else { return nil }
    let place = index < 0 ? Int64(list.count) + index : index
    return place >= 0 && place < Int64(list.count) ? list[Int(place)] : nil
  }

  private static func unescaped(_ body: String) -> String {
    if !body.utf8.contains(92) { return body }
    var out = String.UnicodeScalarView()
    var scalars = body.unicodeScalars.makeIterator()
    var high: UInt32?
    while let scalar = scalars.next() {
      guard scalar == "\\", let kind = scalars.next() else {
        out.append(scalar)
        continue
      }
      switch kind {
      case "n": out.append("\n")
      case "t": out.append("\t")
      case "r": out.append("\r")
      case "b": out.append("\u{08}")
      case "f": out.append("\u{0C}")
      case "u":
        var code: UInt32 = 0
        for _ in 0..<4 {
          guard let digit = scalars.next(), let value = UInt32(String(digit), radix: 16) else { break }
          code = code << 4 | value
        }
        if code >= 0xD800 && code < 0xDC00 {
          high = code
        } else if let first = high, code >= 0xDC00, code < 0xE000 {
          if let joined = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (code - 0xDC00)) { out.append(joined) }
          high = nil
        } else if let single = Unicode.Scalar(code) {
          out.append(single)
        }
      default: out.append(kind)
      }
    }
    return String(out)
  }

  // MARK: The form of jsonb

  /// The text that jsonb prints: members by length of key, then bytewise, the last of equal keys; one space after
  /// commas and colons. Text that is not JSON comes back as it is.
  static func normalized(_ raw: UnsafeRawBufferPointer) -> [UInt8] {
    var scanner = JSONText(raw: raw)
    var out: [UInt8] = []
    out.reserveCapacity(raw.count + raw.count / 4)
    guard scanner.copyValue(depth: 0, to: &out), scanner.atEnd() else { return [UInt8](raw) }
    return out
  }

  private mutating func copyValue(depth: Int, to out: inout [UInt8]) -> Bool {
    skipSpace()
    guard position < raw.count, depth < Limits.jsonDepthMax else { return false }
    switch raw[position] {
    case 123: return copyObject(depth: depth, to: &out)
    case 91:
      position += 1
      out.append(91)
      if take(93) {
        out.append(93)
        return true
      }
      guard copyValue(depth: depth + 1, to: &out) else { return false }
      while take(44) {
        out += [44, 32]
        guard copyValue(depth: depth + 1, to: &out) else { return false }
      }
      out.append(93)
      return take(93)
    default:
      let start = position
      guard skipValue(depth: depth) else { return false }
      out += raw[start..<position]
      return true
    }
  }

  private mutating func copyObject(depth: Int, to out: inout [UInt8]) -> Bool {
    var members: [[UInt8]: [UInt8]] = [:]
    position += 1
    if !take(125) {
      repeat {
        skipSpace()
        let start = position
        guard skipString() else { return false }
        let key = [UInt8](raw[start..<position])
        var value: [UInt8] = []
        guard take(58), copyValue(depth: depth + 1, to: &value) else { return false }
        members[key] = value
      } while take(44)
      guard take(125) else { return false }
    }
    let keys = members.keys.sorted { $0.count != $1.count ? $0.count < $1.count : $0.lexicographicallyPrecedes($1) }
    out.append(123)
    for (index, key) in keys.enumerated() {
      if index > 0 { out += [44, 32] }
      out += key
      out += [58, 32]
      out += members[key] ?? []
    }
    out.append(125)
    return true
  }

  /// A value as ->> gives it: strings without quotes, null as `nil`.
  static func plain(_ raw: UnsafeRawBufferPointer, _ range: Range<Int>) -> String? {
    let body = String(decoding: UnsafeRawBufferPointer(rebasing: raw[range]), as: UTF8.self)
    if body == "null" { return nil }
    if body.utf8.first == 34 { return unescaped(String(body.dropFirst().dropLast())) }
    return body
  }

  static let operators: [ScalarFunction] = ([.json, .jsonb] as [DataType]).flatMap { type -> [ScalarFunction] in
    [
      access("->", type, .text, type), access("->>", type, .text, .text), access("->", type, .int4, type),
      access("->>", type, .int4, .text), path("#>", type, type), path("#>>", type, .text),
    ]
  }

  private static func access(_ name: String, _ type: DataType, _ key: DataType, _ result: DataType) -> ScalarFunction {
    .rowwise(name, [type, key], result) { (a, row, out) throws(Fault) in
      let raw = a.bytes(0, row)
      let range = key == .text ? find(raw, key: a.string(1, row)) : element(raw, a.int(1, row))
      append(raw, range, result, &out)
    }
  }

  private static func path(_ name: String, _ type: DataType, _ result: DataType) -> ScalarFunction {
    .rowwise(name, [type, .array(.text)], result) { (a, row, out) throws(Fault) in
      let raw = a.bytes(0, row)
      guard case .list(let steps) = a.scalar(1, row) else { return out.appendNull() }
      var range = 0..<raw.count
      for step in steps {
        guard let text = step.text else { return out.appendNull() }
        let inner = UnsafeRawBufferPointer(rebasing: raw[range])
        guard let next = find(inner, key: text) ?? Int64(text).flatMap({ element(inner, $0) }) else {
          return out.appendNull()
        }
        range = (range.lowerBound + next.lowerBound)..<(range.lowerBound + next.upperBound)
      }
      append(raw, range, result, &out)
    }
  }

  private static func append(
    _ raw: UnsafeRawBufferPointer, _ range: Range<Int>?, _ result: DataType, _ out: inout ColumnBuilder
  ) {
    guard let range else { return out.appendNull() }
    if result == .text {
      guard let text = plain(raw, range) else { return out.appendNull() }
      out.append(text)
    } else if result == .jsonb {
      out.append(normalized(UnsafeRawBufferPointer(rebasing: raw[range])))
    } else {
      out.append(utf8: UnsafeRawBufferPointer(rebasing: raw[range]))
    }
  }

  static let functions: [ScalarFunction] = lengths + builders

  /// json_build_object and json_build_array.
  private static let builders: [ScalarFunction] = (["json", "jsonb"] as [String]).flatMap { prefix -> [ScalarFunction] in
    let type: DataType = prefix == "json" ? .json : .jsonb
    let (colon, comma) = (prefix == "json" ? " : " : ": ", ", ")
    return [
      .make("\(prefix)_build_object", [.any], .fixed(type), isVariadic: true, isStrict: false, volatility: .stable) {
        (context, columns, rows) throws(Fault) in
        guard columns.count.isMultiple(of: 2) else {
          throw Fault(.invalidParameterValue, "argument list must have even number of elements")
        }
        var builder = ColumnBuilder(type: type, capacity: rows)
        for row in 0..<rows {
          var parts: [String] = []
          for index in stride(from: 0, to: columns.count, by: 2) {
            if columns[index].isNull(at: row) {
              throw Fault(.invalidParameterValue, "argument \(index + 1) cannot be null", hint: "Object keys should be text.")
            }
            let key = ValueText.output(columns[index].scalar(at: row), type: columns[index].type, context: context) ?? ""
            parts.append(quoted(key) + colon + value(columns[index + 1], row, context))
          }
          builder.append("{" + parts.joined(separator: comma) + "}")
        }
        return builder.finish()
      },
      .make("\(prefix)_build_array", [.any], .fixed(type), isVariadic: true, isStrict: false, volatility: .stable) {
        (context, columns, rows) throws(Fault) in
        var builder = ColumnBuilder(type: type, capacity: rows)
        for row in 0..<rows {
          builder.append("[" + columns.map { value($0, row, context) }.joined(separator: comma) + "]")
        }
        return builder.finish()
      },
    ]
  }

  /// A value as JSON: numbers, booleans and JSON as they are, everything else as a string of its text.
  private static func value(_ column: Column, _ row: Int, _ context: FunctionContext) -> String {
    json(column.scalar(at: row), column.type, context)
  }

  private static func json(_ scalar: Scalar, _ type: DataType, _ context: FunctionContext) -> String {
    if scalar.isNull { return "null" }
    if case .list(let elements) = scalar, let element = type.element {
      return "[" + elements.map { json($0, element, context) }.joined(separator: ",") + "]"
    }
    let text = ValueText.output(scalar, type: type, context: context) ?? ""
    switch type {
    case .boolean: return text == "t" ? "true" : "false"
    case .json, .jsonb: return text
    case .int2, .int4, .int8, .float4, .float8, .numeric:
      return ["NaN", "Infinity", "-Infinity"].contains(text) ? "\"\(text)\"" : text
    case .timestamp, .timestamptz: return quoted(text.split(separator: " ", maxSplits: 1).joined(separator: "T"))
    default: return quoted(text)
    }
  }

  private static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case "\u{8}": out += "\\b"
      case "\u{c}": out += "\\f"
      default:
        if scalar.value < 32 {
          let digits = String(scalar.value, radix: 16)
          out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        } else {
          out.unicodeScalars.append(scalar)
        }
      }
    }
    return out + "\""
  }

  private static let lengths: [ScalarFunction] = ["json_array_length", "jsonb_array_length"].map { name in
    .rowwise(name, [name == "json_array_length" ? .json : .jsonb], .int4) { (a, row, out) throws(Fault) in
      guard let list = ranges(a.bytes(0, row)) else {
        throw Fault(.invalidParameterValue, "cannot get array length of a non-array")
      }
      out.append(Int64(list.count))
    }
  }
}
