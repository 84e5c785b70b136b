// LIKE, ILIKE and POSIX regular expressions. A pattern is compiled once per chunk when it is constant; on dictionary
// columns `lifted` runs the match once per distinct value.

import Bedrock
import Columnar
import Glibc

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

/// A compiled POSIX extended regular expression, with PostgreSQL's \d \w \s \y classes translated.
final class RegularExpression {
  private let compiled: UnsafeMutablePointer<regex_t>

  init(_ pattern: String, ignoresCase: Bool) throws(Fault) {
    // Stored last: a fault before that must not run `deinit` over what was never compiled.
    let compiled = UnsafeMutablePointer<regex_t>.allocate(capacity: 1)
    let flags = REG_EXTENDED | (ignoresCase ? REG_ICASE : 0)
    let translated = Self.translated(pattern)
    let status = Self.isModest(translated) ? regcomp(compiled, translated, flags) : _REG_ESPACE.rawValue
    if status != 0 {
      compiled.deallocate()
      throw Fault(.invalidRegularExpression, "invalid regular expression: \(Self.message(status))")
    }
    self.compiled = compiled
  }

  /// PostgreSQL's words for what is wrong.
  private static func message(_ status: Int32) -> String {
    switch status {
    // the second is what glibc says of a bracket at the very end
    case _REG_EBRACK.rawValue, _REG_BADPAT.rawValue: "brackets [] not balanced"
    case _REG_EPAREN.rawValue, _REG_ERPAREN.rawValue: "parentheses () not balanced"
    case _REG_EBRACE.rawValue: "braces {} not balanced"
    case _REG_BADBR.rawValue: "invalid repetition count(s)"
    case _REG_ERANGE.rawValue, _REG_EEND.rawValue: "invalid character range"
    case _REG_ESPACE.rawValue, _REG_ESIZE.rawValue: "out of memory"
    case _REG_BADRPT.rawValue: "quantifier operand invalid"
    case _REG_ECOLLATE.rawValue: "invalid collating element"
    case _REG_ECTYPE.rawValue: "invalid character class"
    case _REG_EESCAPE.rawValue: "invalid escape \\ sequence"
    case _REG_ESUBREG.rawValue: "invalid backreference number"
    default: "invalid pattern"
    }
  }

  deinit {
    regfree(compiled)
    compiled.deallocate()
  }

  /// Counted repetitions multiply what the pattern compiles to: a{999} inside (...){999} must not take the memory.
  private static func isModest(_ pattern: String) -> Bool {
    var copies = 1
    for part in pattern.split(separator: "{").dropFirst() {
      let bounds = part.prefix { $0.isNumber || $0 == "," }.split(separator: ",")
      let most = bounds.compactMap { Int($0) }.max() ?? 1
      let (product, overflow) = copies.multipliedReportingOverflow(by: max(most, 1))
      if overflow || product > 10_000 { return false }
      copies = product
    }
    return true
  }

  /// POSIX has no (?:...): plain groups serve, since only group 0 is read where such a pattern is used.
  private static func translated(_ pattern: String) -> String {
    var text = pattern
    if text.hasPrefix("***:") || text.hasPrefix("***=") { text.removeFirst(4) }
    for (from, to) in [
      ("(?:", "("), ("\\d", "[0-9]"), ("\\D", "[^0-9]"), ("\\y", "\\b"), ("\\m", "\\<"), ("\\M", "\\>"),
    ] {
      text = TextFunctions.replaced(text, from, to)
    }
    return text
  }

  func matches(_ text: String) -> Bool { regexec(compiled, text, 0, nil, 0) == 0 }

  /// Byte ranges of the match and its groups from byte `start`; empty when there is none.
  func groups(_ text: [UInt8], from start: Int = 0) -> [Range<Int>?] {
    var matches = [regmatch_t](repeating: regmatch_t(), count: 10)
    let terminated = text[start...].map { CChar(bitPattern: $0) } + [0]
    guard regexec(compiled, terminated, matches.count, &matches, start > 0 ? REG_NOTBOL : 0) == 0 else { return [] }
    return matches.map { $0.rm_so < 0 ? nil : (start + Int($0.rm_so))..<(start + Int($0.rm_eo)) }
  }

  var groupCount: Int { Int(compiled.pointee.re_nsub) }
}

enum PatternFunctions {
  static let operators: [ScalarFunction] = ([.text, .name] as [DataType]).flatMap { type in
    [
      like("~~", type, ignoresCase: false, negated: false), like("!~~", type, ignoresCase: false, negated: true),
      like("~~*", type, ignoresCase: true, negated: false), like("!~~*", type, ignoresCase: true, negated: true),
      regex("~", type, ignoresCase: false, negated: false), regex("!~", type, ignoresCase: false, negated: true),
      regex("~*", type, ignoresCase: true, negated: false), regex("!~*", type, ignoresCase: true, negated: true),
    ]
  }

  static let functions: [ScalarFunction] = SimilarPattern.functions + [
    .rowwise("like_escape", [.text, .text], .text) { (a, row, out) throws(Fault) in
      try likeEscape(a, row, &out)
    },
    .rowwise("regexp_replace", [.text, .text, .text], .text) { (a, row, out) throws(Fault) in
      out.append(try replace(Array(a.bytes(0, row)), a.string(1, row), a.string(2, row), flags: ""))
    },
    .rowwise("regexp_replace", [.text, .text, .text, .text], .text) { (a, row, out) throws(Fault) in
      out.append(try replace(Array(a.bytes(0, row)), a.string(1, row), a.string(2, row), flags: a.string(3, row)))
    },
    .rowwise("regexp_match", [.text, .text], .array(.text)) { (a, row, out) throws(Fault) in
      let text = Array(a.bytes(0, row))
      let regex = try RegularExpression(a.string(1, row), ignoresCase: false)
      let groups = regex.groups(text)
      guard let whole = groups.first else { return out.appendNull() }
      let wanted = regex.groupCount == 0 ? [whole] : Array(groups[1...min(regex.groupCount, 9)])
      out.append(list: wanted.map { range in range.map { .bytes(Array(text[$0])) } ?? .null })
    },
    .rowwise("substring", [.text, .text], .text) { (a, row, out) throws(Fault) in
      let text = Array(a.bytes(0, row))
      let regex = try RegularExpression(a.string(1, row), ignoresCase: false)
      let groups = regex.groups(text)
      let pick = regex.groupCount > 0 && groups.count > 1 ? groups[1] : groups.first.flatMap { $0 }
      if let pick { out.append(Array(text[pick])) } else { out.appendNull() }
    },
  ]

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

  private static func regex(_ name: String, _ type: DataType, ignoresCase: Bool, negated: Bool) -> ScalarFunction {
    .make(name, [.exact(type), .exact(.text)], .fixed(.boolean)) { (context, columns, rows) throws(Fault) in
      let isConstant = if case .constant = columns[1].form { true } else { false }
      let arguments = Arguments(context: context, columns: columns)
      var pattern: RegularExpression?
      if isConstant { pattern = try RegularExpression(arguments.string(1, 0), ignoresCase: ignoresCase) }
      let validity = combinedValidity(columns)
      var values = [Bool](repeating: false, count: rows)
      for row in 0..<rows where validity?.isSet(row) ?? true {
        let compiled =
          if let pattern { pattern } else { try RegularExpression(arguments.string(1, row), ignoresCase: ignoresCase) }
        values[row] = compiled.matches(arguments.string(0, row)) != negated
      }
      return .fixed(.boolean, count: rows, validity: validity, .copying(values))
    }
  }

  private static func replace(
    _ text: [UInt8], _ pattern: String, _ replacement: String, flags: String
  ) throws(Fault) -> [UInt8] {
    let regex = try RegularExpression(pattern, ignoresCase: flags.contains("i"))
    let template = Array(replacement.utf8)
    var out: [UInt8] = []
    var position = 0
    while position <= text.count {
      let groups = regex.groups(text, from: position)
      guard let first = groups.first, let whole = first else { break }
      out.append(contentsOf: text[position..<whole.lowerBound])
      var index = 0
      while index < template.count {
        if template[index] == 92 && index + 1 < template.count {
          index += 1
          if template[index] == UInt8(ascii: "&") {
            out.append(contentsOf: text[whole])
          } else if template[index] >= 49 && template[index] <= 57 {
            let group = Int(template[index] - 48)
            if group < groups.count, let range = groups[group] { out.append(contentsOf: text[range]) }
          } else {
            out.append(template[index])
          }
        } else {
          out.append(template[index])
        }
        index += 1
      }
      position = whole.upperBound
      if whole.isEmpty {
        if position < text.count { out.append(text[position]) }
        position += 1
      }
      if !flags.contains("g") { break }
    }
    if position < text.count { out.append(contentsOf: text[position...]) }
    return out
  }
}
