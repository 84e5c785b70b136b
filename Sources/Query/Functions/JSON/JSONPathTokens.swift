// The words of a jsonpath: symbols, names, numbers, strings and variables. Comments are C's.

import Bedrock

struct JSONPathToken {
  enum Kind {
    case symbol(String)
    case word(String)
    case string(String)
    case number(JSONNumber)
    /// Without its dollar sign.
    case variable(String)
  }
  let kind: Kind
  /// As it is written, for errors.
  let source: String
}

enum JSONPathTokens {
  private static let symbols = ["**", "||", "&&", "==", "!=", "<>", "<=", ">="]
  private static let single: Set<Unicode.Scalar> = [
    "$", "@", ".", "*", "[", "]", "(", ")", "{", "}", "?", ",", "+", "-", "/", "%", "<", ">", "!", "|", "&", "=", ":",
  ]

  /// Faults: 42601 for what is no token.
  static func split(_ text: String) throws(Fault) -> [JSONPathToken] {
    var reader = Reader(Array(text.unicodeScalars))
    var tokens: [JSONPathToken] = []
    while let token = try reader.next() { tokens.append(token) }
    return tokens
  }

  private struct Reader {
    let text: [Unicode.Scalar]
    var index = 0
    init(_ text: [Unicode.Scalar]) { self.text = text }

    private func at(_ offset: Int) -> Unicode.Scalar? { index + offset < text.count ? text[index + offset] : nil }
    private func source(from start: Int) -> String {
      var view = String.UnicodeScalarView()
      view.append(contentsOf: text[start..<min(index, text.count)])
      return String(view)
    }

    private func fault(_ why: String, from start: Int) -> Fault {
      index >= text.count
        ? Fault(.syntaxError, "\(why) at end of jsonpath input")
        : Fault(.syntaxError, "\(why) at or near \"\(source(from: start))\" of jsonpath input")
    }

    private func junk(from start: Int) -> Fault {
      Fault(.syntaxError, "trailing junk after numeric literal at or near \"\(source(from: start))\" of jsonpath input")
    }

    private mutating func skip() throws(Fault) {
      while let scalar = at(0) {
        if scalar == " " || (scalar.value >= 9 && scalar.value <= 13) {
          index += 1
        } else if scalar == "/", at(1) == "*" {
          index += 2
          while let inner = at(0), !(inner == "*" && at(1) == "/") { index += 1 }
          guard at(0) != nil else {
            throw Fault(.syntaxError, "unexpected end of comment at end of jsonpath input")
          }
          index += 2
        } else {
          return
        }
      }
    }

    mutating func next() throws(Fault) -> JSONPathToken? {
      try skip()
      guard let first = at(0) else { return nil }
      let start = index
      if first == "\"" {
        let string = try quoted()
        return JSONPathToken(kind: .string(string), source: source(from: start))
      }
      if first == "$", at(1) == "\"" {
        index += 1
        let name = try quoted()
        return JSONPathToken(kind: .variable(name), source: source(from: start))
      }
      if isDigit(first) || (first == "." && at(1).map(isDigit) ?? false) { return try number() }
      if first == "$", let second = at(1), isWord(second) {
        index += 1
        let name = try word()
        return JSONPathToken(kind: .variable(name), source: source(from: start))
      }
      if let second = at(1), symbols.contains("\(first)\(second)") {
        index += 2
        return JSONPathToken(kind: .symbol("\(first)\(second)"), source: "\(first)\(second)")
      }
      if single.contains(first) {
        index += 1
        return JSONPathToken(kind: .symbol("\(first)"), source: "\(first)")
      }
      let name = try word()
      let source = source(from: start)
      // Keywords are of any case, but true, false and null.
      let lower = source.lowercased()
      let isKeyword = keywords.contains(lower) && name == source
      return JSONPathToken(kind: .word(isKeyword ? lower : name), source: source)
    }

    private func isDigit(_ scalar: Unicode.Scalar) -> Bool { scalar.value >= 48 && scalar.value <= 57 }
    private func isWord(_ scalar: Unicode.Scalar) -> Bool {
      !single.contains(scalar) && scalar != "\"" && scalar != " " && !(scalar.value >= 9 && scalar.value <= 13)
    }

    private mutating func word() throws(Fault) -> String {
      var out = String.UnicodeScalarView()
      while let scalar = at(0), isWord(scalar) {
        if scalar == "\\" { try escape(&out) } else {
          out.append(scalar)
          index += 1
        }
      }
      return String(out)
    }

    private mutating func skipDigits() { while let digit = at(0), isDigit(digit) { index += 1 } }

    private mutating func number() throws(Fault) -> JSONPathToken {
      let start = index
            skipDigits()
      let whole = index - start
      if whole > 1, text[start] == "0" { throw junk(from: start) }
      if at(0) == "." {
        index += 1
        skipDigits()
      }
      if at(0) == "e" || at(0) == "E" {
        let mark = index
        index += 1
        if at(0) == "+" || at(0) == "-" { index += 1 }
        if !(at(0).map(isDigit) ?? false) {
          index = min(mark + 1, text.count)
          throw fault("invalid numeric literal", from: start)
        }
        skipDigits()
      }
      if let after = at(0), isWord(after) {
        index += 1
        throw junk(from: start)
      }
      var token = source(from: start)
      if token.hasPrefix(".") { token = "0" + token }
      let bytes = Array(token.replacingDanglingPoint().utf8)
      let number = try bytes.withUnsafeBufferPointer { (raw) throws(Fault) in
        try JSONNumber(token: UnsafeRawBufferPointer(raw))
      }
      return JSONPathToken(kind: .number(number), source: source(from: start))
    }

    private mutating func quoted() throws(Fault) -> String {
      let start = index
      index += 1
      var out = String.UnicodeScalarView()
      while let scalar = at(0) {
        if scalar == "\"" {
          index += 1
          return String(out)
        }
        if scalar == "\\" { try escape(&out) } else {
          out.append(scalar)
          index += 1
        }
      }
      throw fault("unexpected end of quoted string", from: start)
    }

    private mutating func hex(_ count: Int) throws(Fault) -> UInt32 {
      var code: UInt32 = 0
      for _ in 0..<count {
        guard let digit = at(0), digit.isASCII, let value = ValueText.hexDigit(UInt8(digit.value)) else {
          throw Fault(.syntaxError, "invalid Unicode escape sequence at or near \"\\u\" of jsonpath input")
        }
        code = code << 4 | UInt32(value)
        index += 1
      }
      return code
    }

    private mutating func escape(_ out: inout String.UnicodeScalarView) throws(Fault) {
      guard let kind = at(1) else { throw Fault(.syntaxError, "unexpected end after backslash at end of jsonpath input") }
      index += 2
      switch kind {
      case "b": out.append("\u{8}")
      case "f": out.append("\u{C}")
      case "n": out.append("\n")
      case "r": out.append("\r")
      case "t": out.append("\t")
      case "v": out.append("\u{B}")
      case "x": out.append(Unicode.Scalar(UInt8(truncatingIfNeeded: try hex(2))))
      case "u": out.append(try unicode())
      default: out.append(kind)
      }
    }

    private mutating func unicode() throws(Fault) -> Unicode.Scalar {
      var code: UInt32 = 0
      if at(0) == "{" {
        index += 1
        var count = 0
        while let digit = at(0), digit != "}", count < 6 {
          code = code << 4 | (try hex(1))
          _ = digit
          count += 1
        }
        index += 1
      } else {
        code = try hex(4)
        if code & 0xFC00 == 0xD800, at(0) == "\\", at(1) == "u" {
          index += 2
          code = 0x10000 + (code & 0x3FF) << 10 + (try hex(4) & 0x3FF)
        }
      }
      if code == 0 {
        throw Fault(
          .untranslatableCharacter, "unsupported Unicode escape sequence", detail: "\\u0000 cannot be converted to text.")
      }
      guard let scalar = Unicode.Scalar(code) else {
        throw Fault(.invalidTextRepresentation, "invalid input syntax for type jsonpath")
      }
      return scalar
    }
  }

  private static let keywords: Set<String> = [
    "is", "to", "abs", "lax", "flag", "last", "size", "type", "with", "floor", "double", "exists", "starts", "strict",
    "ceiling", "unknown", "datetime", "keyvalue", "like_regex",
  ]
}

extension String {
  /// `1.` and `1.e5` as JSON spells them.
  fileprivate func replacingDanglingPoint() -> String {
    var out = ""
    let scalars = Array(unicodeScalars)
    for (index, scalar) in scalars.enumerated() {
      let isDangling = scalar == "." && (index + 1 == scalars.count || scalars[index + 1].value > 57)
      if !isDangling { out.unicodeScalars.append(scalar) }
    }
    return out
  }
}
