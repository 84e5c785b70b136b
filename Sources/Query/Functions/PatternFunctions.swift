// LIKE and ILIKE. A pattern is compiled once per chunk when it is constant; on dictionary columns `lifted` runs the match once per distinct value.

import Bedrock
import Columnar

/// A compiled LIKE pattern. The common shapes (equals, prefix, suffix, contains) skip the general matcher.
struct LikePattern {
  private enum Token: Equatable {
    case literal([UInt8])
    case one
    case any
  }
  private let tokens: [Token]
  private let ignoresCase: Bool

  init(_ pattern: UnsafeRawBufferPointer, ignoresCase: Bool, escape: UInt8? = UInt8(ascii: "\\")) throws(Fault) {
    self.ignoresCase = ignoresCase
    var list: [Token] = []
    var literal: [UInt8] = []
    func flush() {
      if !literal.isEmpty { list.append(.literal(literal)) }
      literal = []
    }
    let folded = ignoresCase ? Array(ValueText.string(pattern).lowercased().utf8) : Array(pattern)
    var index = 0
    while index < folded.count {
      let byte = folded[index]
      if byte == escape {
        index += 1
        guard index < folded.count else {
          throw Fault(.invalidEscapeSequence, "LIKE pattern must not end with escape character")
        }
        literal.append(folded[index])
      } else if byte == UInt8(ascii: "%") {
        flush()
        if list.last != .any { list.append(.any) }
      } else if byte == UInt8(ascii: "_") {
        flush()
        list.append(.one)
      } else {
        literal.append(byte)
      }
      index += 1
    }
    flush()
    tokens = list
  }

  func matches(_ text: UnsafeRawBufferPointer) -> Bool {
    if !ignoresCase { return match(text) }
    return Array(ValueText.string(text).lowercased().utf8).withUnsafeBytes { match($0) }
  }

  /// Greedy with one point of return: the last % seen is the only one that ever needs to give way.
  private func match(_ text: UnsafeRawBufferPointer) -> Bool {
    var position = 0
    var token = 0
    var returnToken = -1
    var returnPosition = 0
    while true {
      if token == tokens.count {
        if position == text.count { return true }
      } else {
        switch tokens[token] {
        case .any:
          if token == tokens.count - 1 { return true }
          returnToken = token
          returnPosition = position
          token += 1
          continue
        case .one:
          if position < text.count {
            position += Characters.width(text[position])
            token += 1
            continue
          }
        case .literal(let bytes):
          if returnToken == token - 1 && returnToken >= 0 {
            // after a %: jump to where the literal occurs
            let found = bytes.withUnsafeBytes { Characters.find($0, in: text, from: position) }
            if found < 0 { return false }
            if token == tokens.count - 1 {
              let tail = text.count - bytes.count
              return tail >= position && Self.has(bytes, at: tail, in: text)
            }
            returnPosition = found
            position = found + bytes.count
            token += 1
            continue
          }
          if Self.has(bytes, at: position, in: text) {
            position += bytes.count
            token += 1
            continue
          }
        }
      }
      if returnToken < 0 || returnPosition >= text.count { return false }
      returnPosition += Characters.width(text[returnPosition])
      position = returnPosition
      token = returnToken + 1
    }
  }

  private static func has(_ bytes: [UInt8], at position: Int, in text: UnsafeRawBufferPointer) -> Bool {
    if position + bytes.count > text.count { return false }
    for index in 0..<bytes.count where text[position + index] != bytes[index] { return false }
    return true
  }
}

enum PatternFunctions {
  static let operators: [ScalarFunction] = ([.text, .name] as [DataType]).flatMap { type in
    [
      like("~~", type, ignoresCase: false, negated: false), like("!~~", type, ignoresCase: false, negated: true),
      like("~~*", type, ignoresCase: true, negated: false), like("!~~*", type, ignoresCase: true, negated: true),
    ]
  } + RegularExpressionFunctions.operators

  static let functions: [ScalarFunction] = [
    .rowwise("like_escape", [.text, .text], .text) { (a, row, out) throws(Fault) in
      try likeEscape(a, row, &out)
    },
  ] + RegularExpressionFunctions.functions

  /// A pattern with another escape character, rewritten with backslash.
  private static func likeEscape(_ a: Arguments, _ row: Int, _ out: inout ColumnBuilder) throws(Fault) {
    let escape = a.bytes(1, row)
    if Characters.count(escape) > 1 {
      throw Fault(
        .invalidEscapeSequence, "invalid escape string", hint: "Escape string must be empty or one character.")
    }
    var rewritten: [UInt8] = []
    var isEscaped = false
    for byte in a.bytes(0, row) {
      if isEscaped {
        rewritten.append(92)
        rewritten.append(byte)
        isEscaped = false
      } else if byte == escape.first {
        isEscaped = true
      } else if byte == 92 {
        rewritten.append(contentsOf: [92, 92])
      } else {
        rewritten.append(byte)
      }
    }
    if isEscaped { rewritten.append(92) }
    out.append(rewritten)
  }

  private static func like(_ name: String, _ type: DataType, ignoresCase: Bool, negated: Bool) -> ScalarFunction {
    .make(name, [.exact(type), .exact(.text)], .fixed(.boolean)) { (context, columns, rows) throws(Fault) in
      let isConstant = if case .constant = columns[1].form { true } else { false }
      let arguments = Arguments(context: context, columns: columns)
      var pattern: LikePattern?
      if isConstant { pattern = try LikePattern(arguments.bytes(1, 0), ignoresCase: ignoresCase) }
      let validity = combinedValidity(columns)
      var values = [Bool](repeating: false, count: rows)
      for row in 0..<rows where validity?.isSet(row) ?? true {
        let compiled =
          if let pattern { pattern } else { try LikePattern(arguments.bytes(1, row), ignoresCase: ignoresCase) }
        values[row] = compiled.matches(arguments.bytes(0, row)) != negated
      }
      return .fixed(.boolean, count: rows, validity: validity, .copying(values))
    }
  }
}
