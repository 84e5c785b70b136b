// Text: length, case, slices, search, padding, concatenation, quoting, encoding.

import Bedrock
import Columnar

enum TextFunctions {
  static let operators: [ScalarFunction] =
    [
      .rowwise("||", [.text, .text], .text) { (a, row, out) throws(Fault) in
        out.append(Array(a.bytes(0, row)) + Array(a.bytes(1, row)))
      },
      .rowwise("||", [.bytea, .bytea], .bytea) { (a, row, out) throws(Fault) in
        out.append(Array(a.bytes(0, row)) + Array(a.bytes(1, row)))
      },
    ] + anyConcatenation

  /// text || anynonarray and the reverse: the other side is printed.
  private static let anyConcatenation: [ScalarFunction] = printable.flatMap { type -> [ScalarFunction] in
    [
      .rowwise("||", [.text, type], .text, volatility: .stable) { (a, row, out) throws(Fault) in
        out.append(Array(a.bytes(0, row)) + cast(a, 1, row))
      },
      .rowwise("||", [type, .text], .text, volatility: .stable) { (a, row, out) throws(Fault) in
        out.append(cast(a, 0, row) + Array(a.bytes(1, row)))
      },
    ]
  }

  /// The text that a cast gives, which differs from output for booleans.
  private static func cast(_ a: Arguments, _ argument: Int, _ row: Int) -> [UInt8] {
    if case .boolean(let value) = a.scalar(argument, row) { return Array((value ? "true" : "false").utf8) }
    return printed(a, argument, row)
  }

  private static let printable: [DataType] = [
    .boolean, .int2, .int4, .int8, .float4, .float8, .numeric, .date, .time, .timestamp, .timestamptz, .interval, .uuid,
    .name, .oid, .internalChar, .regclass,
  ]

  static func printed(_ a: Arguments, _ argument: Int, _ row: Int) -> [UInt8] {
    var out: [UInt8] = []
    let scalar = a.scalar(argument, row)
    if case .boolean(let value) = scalar { return Array((value ? "t" : "f").utf8) }
    ValueText.append(scalar, type: a.columns[argument].type, context: a.context, to: &out)
    return out
  }

  static let all: [ScalarFunction] = lengths + cases + slices + trims + searches + concatenations + codes + quoting

  static func replaced(_ text: String, _ from: String, _ to: String) -> String {
    if from.isEmpty { return text }
    var result = text
    Array(text.utf8).withUnsafeBytes { raw in
      Array(from.utf8).withUnsafeBytes { needle in
        result = String(decoding: replaced(raw, needle, Array(to.utf8)), as: UTF8.self)
      }
    }
    return result
  }

  private static func replaced(
    _ raw: UnsafeRawBufferPointer, _ needle: UnsafeRawBufferPointer, _ replacement: [UInt8]
  ) -> [UInt8] {
    if needle.isEmpty { return Array(raw) }
    var out: [UInt8] = []
    var position = 0
    while true {
      let found = Characters.find(needle, in: raw, from: position)
      if found < 0 { break }
      out.append(contentsOf: raw[position..<found])
      out.append(contentsOf: replacement)
      position = found + needle.count
    }
    out.append(contentsOf: raw[position...])
    return out
  }

  // MARK: Lengths and case

  private static let lengths: [ScalarFunction] =
    ["length", "char_length", "character_length"].map { name in
      .rowwise(name, [.text], .int4) { (a, row, out) throws(Fault) in
        out.append(Int64(Characters.count(a.bytes(0, row))))
      }
    }
    + ([.text, .bytea] as [DataType]).map { type in
      .rowwise("octet_length", [type], .int4) { (a, row, out) throws(Fault) in out.append(Int64(a.bytes(0, row).count))
      }
    } + [
      .rowwise("length", [.bytea], .int4) { (a, row, out) throws(Fault) in out.append(Int64(a.bytes(0, row).count)) },
      .rowwise("bit_length", [.text], .int4) { (a, row, out) throws(Fault) in
        out.append(Int64(a.bytes(0, row).count * 8))
      },
    ]

  /// Each character by itself, as PostgreSQL's C.UTF-8 does: one that would become several (ß) stays.
  private static func cased(_ raw: UnsafeRawBufferPointer, upper: Bool) -> [UInt8] {
    var out = [UInt8](raw)
    for index in out.indices {
      let byte = out[index]
      if byte >= 0x80 {
        var text = String.UnicodeScalarView()
        for scalar in ValueText.string(raw).unicodeScalars { text.append(cased(scalar, upper: upper)) }
        return Array(String(text).utf8)
      }
      if upper ? (byte >= 97 && byte <= 122) : (byte >= 65 && byte <= 90) { out[index] = byte ^ 0x20 }
    }
    return out
  }

  private static func cased(_ scalar: Unicode.Scalar, upper: Bool) -> Unicode.Scalar {
    let mapped = (upper ? scalar.properties.uppercaseMapping : scalar.properties.lowercaseMapping).unicodeScalars
    return mapped.count == 1 ? mapped.first ?? scalar : scalar
  }

  private static let cases: [ScalarFunction] = [
    .rowwise("lower", [.text], .text) { (a, row, out) throws(Fault) in out.append(cased(a.bytes(0, row), upper: false))
    },
    .rowwise("upper", [.text], .text) { (a, row, out) throws(Fault) in out.append(cased(a.bytes(0, row), upper: true))
    },
    .rowwise("initcap", [.text], .text) { (a, row, out) throws(Fault) in
      var text = String.UnicodeScalarView()
      var isInside = false
      for scalar in a.string(0, row).unicodeScalars {
        let isWord = scalar.properties.isAlphabetic || scalar.properties.numericType != nil
        text.append(isWord ? cased(scalar, upper: !isInside) : scalar)
        isInside = isWord
      }
      out.append(String(text))
    },
    .rowwise("reverse", [.text], .text) { (a, row, out) throws(Fault) in
      var text = String.UnicodeScalarView()
      text.append(contentsOf: a.string(0, row).unicodeScalars.reversed())
      out.append(String(text))
    },
  ]

  // MARK: Slices

  private static func slice(
    _ raw: UnsafeRawBufferPointer, from: Int64, length: Int64?
  ) throws(Fault) -> UnsafeRawBufferPointer {
    let start = max(from, 1) - 1
    guard let length else { return Characters.slice(raw, Int(clamping: start), raw.count) }
    if length < 0 { throw Fault(.substringError, "negative substring length not allowed") }
    let (end, overflow) = from.addingReportingOverflow(length)
    let stop = overflow ? Int64(raw.count) : min(end - 1, Int64(raw.count))
    return Characters.slice(raw, Int(clamping: start), Int(clamping: stop))
  }

  private static let slices: [ScalarFunction] =
    ["substr", "substring"].flatMap { name -> [ScalarFunction] in
      [
        .rowwise(name, [.text, .int4], .text) { (a, row, out) throws(Fault) in
          out.append(utf8: try slice(a.bytes(0, row), from: a.int(1, row), length: nil))
        },
        .rowwise(name, [.text, .int4, .int4], .text) { (a, row, out) throws(Fault) in
          out.append(utf8: try slice(a.bytes(0, row), from: a.int(1, row), length: a.int(2, row)))
        },
      ]
    } + [
      .rowwise("left", [.text, .int4], .text) { (a, row, out) throws(Fault) in
        let raw = a.bytes(0, row), n = Int(a.int(1, row))
        out.append(utf8: Characters.slice(raw, 0, n >= 0 ? n : max(0, Characters.count(raw) + n)))
      },
      .rowwise("right", [.text, .int4], .text) { (a, row, out) throws(Fault) in
        let raw = a.bytes(0, row), n = Int(a.int(1, row)), count = Characters.count(raw)
        out.append(utf8: Characters.slice(raw, n >= 0 ? max(0, count - n) : min(count, -n), count))
      },
      .rowwise("split_part", [.text, .text, .int4], .text) { (a, row, out) throws(Fault) in
        let field = a.int(2, row)
        if field == 0 { throw Fault(.invalidParameterValue, "field position must not be zero") }
        let parts = split(a.bytes(0, row), by: a.bytes(1, row))
        let index = field > 0 ? field - 1 : Int64(parts.count) + field
        out.append(index >= 0 && index < Int64(parts.count) ? parts[Int(index)] : [])
      },
    ]

  /// overlay(text placing new from start [for count]); without a count, as many characters as the new text has.
  private static let overlays: [ScalarFunction] = [3, 4].map { arity in
    let parameters: [DataType] = [.text, .text, .int4, .int4]
    return .rowwise("overlay", Array(parameters.prefix(arity)), .text) { (a, row, out) throws(Fault) in
      let raw = a.bytes(0, row), new = a.bytes(1, row), from = a.int(2, row)
      let count = arity > 3 ? a.int(3, row) : Int64(Characters.count(new))
      if from <= 0 { throw Fault(.substringError, "negative substring length not allowed") }
      guard from + count <= Int64(Int32.max) else { throw Fault(.numericValueOutOfRange, "integer out of range") }
      let before = Characters.slice(raw, 0, Int(from) - 1)
      out.append(Array(before) + Array(new) + Array(try slice(raw, from: from + count, length: nil)))
    }
  }

  static func split(_ raw: UnsafeRawBufferPointer, by separator: UnsafeRawBufferPointer) -> [[UInt8]] {
    if separator.isEmpty { return [Array(raw)] }
    var parts: [[UInt8]] = []
    var position = 0
    while true {
      let found = Characters.find(separator, in: raw, from: position)
      if found < 0 { break }
      parts.append(Array(raw[position..<found]))
      position = found + separator.count
    }
    parts.append(Array(raw[position...]))
    return parts
  }

  // MARK: Trims

  private static func trimmed(
    _ text: String, _ characters: String, left: Bool, right: Bool
  ) -> String {
    let set = Set(characters.unicodeScalars)
    var scalars = text.unicodeScalars[...]
    if left { scalars = scalars.drop { set.contains($0) } }
    if right { while let last = scalars.last, set.contains(last) { scalars.removeLast() } }
    return String(scalars)
  }

  private static let trims: [ScalarFunction] = [
    ("btrim", true, true), ("ltrim", true, false), ("rtrim", false, true), ("trim", true, true),
  ]
  .flatMap { (name, left, right) -> [ScalarFunction] in
    [
      .rowwise(name, [.text], .text) { (a, row, out) throws(Fault) in
        out.append(trimmed(a.string(0, row), " ", left: left, right: right))
      },
      .rowwise(name, [.text, .text], .text) { (a, row, out) throws(Fault) in
        out.append(trimmed(a.string(0, row), a.string(1, row), left: left, right: right))
      },
    ]
  }

  // MARK: Search and padding

  private static func position(_ needle: UnsafeRawBufferPointer, _ raw: UnsafeRawBufferPointer) -> Int64 {
    let found = Characters.find(needle, in: raw)
    return found < 0 ? 0 : Int64(Characters.count(UnsafeRawBufferPointer(rebasing: raw[0..<found]))) + 1
  }

  private static let searches: [ScalarFunction] = [
    .rowwise("strpos", [.text, .text], .int4) { (a, row, out) throws(Fault) in
      out.append(position(a.bytes(1, row), a.bytes(0, row)))
    },
    // as the grammar calls it: position(needle in text) is position(text, needle)
    .rowwise("position", [.text, .text], .int4) { (a, row, out) throws(Fault) in
      out.append(position(a.bytes(1, row), a.bytes(0, row)))
    },
    .rowwise("starts_with", [.text, .text], .boolean) { (a, row, out) throws(Fault) in
      out.append(a.bytes(0, row).starts(with: a.bytes(1, row)))
    },
    .rowwise("replace", [.text, .text, .text], .text) { (a, row, out) throws(Fault) in
      out.append(replaced(a.bytes(0, row), a.bytes(1, row), Array(a.bytes(2, row))))
    },
    .rowwise("translate", [.text, .text, .text], .text) { (a, row, out) throws(Fault) in
      let from = Array(a.string(1, row).unicodeScalars), to = Array(a.string(2, row).unicodeScalars)
      var text = String.UnicodeScalarView()
      for scalar in a.string(0, row).unicodeScalars {
        guard let index = from.firstIndex(of: scalar) else {
          text.append(scalar)
          continue
        }
        if index < to.count { text.append(to[index]) }
      }
      out.append(String(text))
    },
    .rowwise("repeat", [.text, .int4], .text) { (a, row, out) throws(Fault) in
      let raw = a.bytes(0, row), times = Int(max(0, a.int(1, row)))
      try checkSize(raw.count.multipliedReportingOverflow(by: times).partialValue)
      var bytes: [UInt8] = []
      bytes.reserveCapacity(raw.count * times)
      for _ in 0..<times { bytes.append(contentsOf: raw) }
      out.append(bytes)
    },
    pad("lpad", left: true, hasFill: false), pad("lpad", left: true, hasFill: true),
    pad("rpad", left: false, hasFill: false), pad("rpad", left: false, hasFill: true),
  ]

  private static func checkSize(_ bytes: Int) throws(Fault) {
    if bytes < 0 || bytes > Limits.wireMessageBytesMax {
      throw Fault(.programLimitExceeded, "requested length too large")
    }
  }

  private static func pad(_ name: String, left: Bool, hasFill: Bool) -> ScalarFunction {
    .rowwise(name, hasFill ? [.text, .int4, .text] : [.text, .int4], .text) { (a, row, out) throws(Fault) in
      let raw = a.bytes(0, row)
      let wanted = Int(max(0, a.int(1, row)))
      try checkSize(wanted)
      let fill = hasFill ? Array(a.string(2, row).unicodeScalars) : [" "]
      let count = Characters.count(raw)
      if count >= wanted || fill.isEmpty { return out.append(utf8: Characters.slice(raw, 0, min(count, wanted))) }
      var padding = String.UnicodeScalarView()
      for index in 0..<(wanted - count) { padding.append(fill[index % fill.count]) }
      let text = String(padding)
      out.append(left ? Array(text.utf8) + Array(raw) : Array(raw) + Array(text.utf8))
    }
  }

  // MARK: Concatenation and format

  private static let concatenations: [ScalarFunction] = [
    .rowwise("concat", [.any], result: .fixed(.text), isVariadic: true, isStrict: false, volatility: .stable) {
      (a, row, out) throws(Fault) in
      var bytes: [UInt8] = []
      for index in 0..<a.count where !a.isNull(index, row) { bytes.append(contentsOf: printed(a, index, row)) }
      out.append(bytes)
    },
    .rowwise(
      "concat_ws", [.exact(.text), .any], result: .fixed(.text), isVariadic: true, isStrict: false, volatility: .stable
    ) {
      (a, row, out) throws(Fault) in
      if a.isNull(0, row) { return out.appendNull() }
      var bytes: [UInt8] = []
      var isFirst = true
      for index in 1..<a.count where !a.isNull(index, row) {
        if !isFirst { bytes.append(contentsOf: a.bytes(0, row)) }
        bytes.append(contentsOf: printed(a, index, row))
        isFirst = false
      }
      out.append(bytes)
    },
    .rowwise("format", [.text], .text, isStrict: true, volatility: .stable) { (a, row, out) throws(Fault) in
      out.append(try format(a, row))
    },
    .rowwise(
      "format", [.exact(.text), .any], result: .fixed(.text), isVariadic: true, isStrict: false, volatility: .stable
    ) {
      (a, row, out) throws(Fault) in
      if a.isNull(0, row) { return out.appendNull() }
      out.append(try format(a, row))
    },
  ]

  private static func format(_ a: Arguments, _ row: Int) throws(Fault) -> String {
    var text = ""
    var next = 1
    var characters = a.string(0, row).makeIterator()
    while let character = characters.next() {
      if character != "%" {
        text.append(character)
        continue
      }
      guard var kind = characters.next() else {
        throw Fault(.invalidParameterValue, "unterminated format() type specifier")
      }
      if kind == "%" {
        text.append("%")
        continue
      }
      var digits = ""
      while kind.isNumber {
        digits.append(kind)
        guard let following = characters.next() else {
          throw Fault(.invalidParameterValue, "unterminated format() type specifier")
        }
        kind = following
      }
      if kind == "$", let index = Int(digits), let following = characters.next() {
        next = index
        kind = following
      }
      guard next < a.count, next > 0 else { throw Fault(.invalidParameterValue, "too few arguments for format()") }
      let isNull = a.isNull(next, row)
      let value = isNull ? "" : String(decoding: printed(a, next, row), as: UTF8.self)
      switch kind {
      case "s": text += value
      case "I":
        if isNull { throw Fault(SQLState("22004"), "null values cannot be formatted as an SQL identifier") }
        text += QuotedText.identifier(value)
      case "L": text += isNull ? "NULL" : QuotedText.literal(value)
      default:
        throw Fault(
          .invalidParameterValue, "unrecognized format() type specifier \"\(kind)\"",
          hint: "For a single \"%\" use \"%%\".")
      }
      next += 1
    }
    return text
  }

  // MARK: Codes and hashes

  private static let codes: [ScalarFunction] =
    [
      .rowwise("chr", [.int4], .text) { (a, row, out) throws(Fault) in
        let code = a.int(0, row)
        if code == 0 { throw Fault(.programLimitExceeded, "null character not permitted") }
        guard let scalar = UInt32(exactly: code).flatMap(Unicode.Scalar.init) else {
          throw Fault(.programLimitExceeded, "requested character not valid for encoding: \(code)")
        }
        out.append(String(Character(scalar)))
      },
      .rowwise("ascii", [.text], .int4) { (a, row, out) throws(Fault) in
        out.append(Int64(a.string(0, row).unicodeScalars.first?.value ?? 0))
      },
      .rowwise("to_hex", [.int4], .text) { (a, row, out) throws(Fault) in
        out.append(String(UInt32(truncatingIfNeeded: a.int(0, row)), radix: 16))
      },
      .rowwise("to_hex", [.int8], .text) { (a, row, out) throws(Fault) in
        out.append(String(UInt64(bitPattern: a.int(0, row)), radix: 16))
      },
      .rowwise("encode", [.bytea, .text], .text) { (a, row, out) throws(Fault) in
        switch a.string(1, row) {
        case "hex":
          var bytes: [UInt8] = []
          for byte in a.bytes(0, row) { ValueText.appendHex(byte, to: &bytes) }
          out.append(bytes)
        case "base64": out.append(BinaryText.base64(a.bytes(0, row)))
        case let name: throw Fault(.invalidParameterValue, "unrecognized encoding: \"\(name)\"")
        }
      },
      .rowwise("decode", [.text, .text], .bytea) { (a, row, out) throws(Fault) in
        switch a.string(1, row) {
        case "hex":
          let text = Array("\\x".utf8) + Array(a.bytes(0, row))
          out.append(
            try text.withUnsafeBufferPointer { (raw) throws(Fault) in
              try ValueText.input(UnsafeRawBufferPointer(raw), type: .bytea, context: .none)
            })
        case let name: throw Fault(.invalidParameterValue, "unrecognized encoding: \"\(name)\"")
        }
      },
    ]
    + ([.text, .bytea] as [DataType]).map { type in
      .rowwise("md5", [type], .text) { (a, row, out) throws(Fault) in
        var bytes: [UInt8] = []
        for byte in BinaryText.md5(a.bytes(0, row)) { ValueText.appendHex(byte, to: &bytes) }
        out.append(bytes)
      }
    }

  private static let quoting: [ScalarFunction] = [
    .rowwise("quote_ident", [.text], .text) { (a, row, out) throws(Fault) in
      out.append(QuotedText.identifier(a.string(0, row)))
    },
    .rowwise("quote_literal", [.text], .text) { (a, row, out) throws(Fault) in
      out.append(QuotedText.literal(a.string(0, row)))
    },
    .rowwise("quote_nullable", [.text], .text, isStrict: false) { (a, row, out) throws(Fault) in
      out.append(a.isNull(0, row) ? "NULL" : QuotedText.literal(a.string(0, row)))
    },
  ]
}
