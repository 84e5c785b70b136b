// The operators ~ ~* !~ !~* and the functions regexp_* (manual sections 9.7.3 and 9.4). A pattern is compiled when it
// changes from one row to the next; on dictionary columns `lifted` runs the match once per distinct value.

import Bedrock
import Columnar

/// The pattern of the row before, compiled: most columns of patterns are constants.
private struct LastPattern {
  private var key: (pattern: String, flags: String)?
  private var compiled: RegularExpression?

  mutating func compile(_ pattern: String, flags: String) throws(Fault) -> RegularExpression {
    if let key, let compiled, key.pattern == pattern, key.flags == flags { return compiled }
    let made = try RegularExpression(pattern, flags: flags)
    (key, compiled) = ((pattern, flags), made)
    return made
  }
}

enum RegularExpressionFunctions {
  // MARK: Operators

  static let operators: [ScalarFunction] = ([.text, .name] as [DataType]).flatMap { type in
    [
      comparison("~", type, ignoresCase: false, negated: false), comparison("!~", type, ignoresCase: false, negated: true),
      comparison("~*", type, ignoresCase: true, negated: false), comparison("!~*", type, ignoresCase: true, negated: true),
    ]
  }

  private static func comparison(
    _ name: String, _ type: DataType, ignoresCase: Bool, negated: Bool
  ) -> ScalarFunction {
    .make(name, [.exact(type), .exact(.text)], .fixed(.boolean)) { (context, columns, rows) throws(Fault) in
      let arguments = Arguments(context: context, columns: columns)
      let validity = combinedValidity(columns)
      var values = [Bool](repeating: false, count: rows)
      let isConstant = if case .constant = columns[1].form { true } else { false }
      var last = LastPattern()
      var pattern: RegularExpression?
      for row in 0..<rows where validity?.isSet(row) ?? true {
        if pattern == nil || !isConstant {
          pattern = try last.compile(arguments.string(1, row), flags: ignoresCase ? "i" : "")
        }
        values[row] = (pattern?.matches(arguments.bytes(0, row)) ?? false) != negated
      }
      return .fixed(.boolean, count: rows, validity: validity, .copying(values))
    }
  }

  // MARK: Functions of one row

  /// What a function of this family gets for a row.
  private struct Match {
    let expression: RegularExpression
    let text: [UInt8]
    /// The flags hold `g`.
    let isGlobal: Bool
  }

  /// A function over (text, pattern, ...), whose argument `flags` holds the flags, if it has one.
  private static func matching(
    _ name: String, _ parameters: [DataType], _ result: DataType, flags: Int? = nil, takesGlobal: Bool = false,
    _ body: @escaping @Sendable (Match, Arguments, Int, inout ColumnBuilder) throws(Fault) -> Void
  ) -> ScalarFunction {
    .make(name, parameters.map { .exact($0) }, .fixed(result)) { (context, columns, rows) throws(Fault) in
      var last = LastPattern()
      return try rowLoop(context, columns, rows: rows, type: result, isStrict: true) {
        (a, row, out) throws(Fault) in
        let letters = flags.map { a.string($0, row) } ?? ""
        if letters.contains("g"), !takesGlobal { throw noGlobal(name) }
        let expression = try last.compile(a.string(1, row), flags: letters.filter { $0 != "g" })
        try body(Match(expression: expression, text: Array(a.bytes(0, row)), isGlobal: letters.contains("g")), a, row, &out)
      }
    }
  }

  static func noGlobal(_ name: String) -> Fault {
    Fault(
      .invalidParameterValue, "\(name)() does not support the \"global\" option",
      hint: name == "regexp_match" ? "Use the regexp_matches function instead." : nil)
  }

  static let functions: [ScalarFunction] = matches + counts + places + replacements + splits

  private static let matches: [ScalarFunction] = [
    matching("regexp_like", [.text, .text], .boolean) { (m, _, _, out) throws(Fault) in
      out.append(m.text.withUnsafeBytes { m.expression.matches($0) })
    },
    matching("regexp_like", [.text, .text, .text], .boolean, flags: 2) { (m, _, _, out) throws(Fault) in
      out.append(m.text.withUnsafeBytes { m.expression.matches($0) })
    },
    matching("regexp_match", [.text, .text], .array(.text)) { (m, _, _, out) throws(Fault) in firstMatch(m, &out) },
    matching("regexp_match", [.text, .text, .text], .array(.text), flags: 2) { (m, _, _, out) throws(Fault) in
      firstMatch(m, &out)
    },
    matching("substring", [.text, .text], .text) { (m, _, _, out) throws(Fault) in
      let groups = m.expression.groups(m.text)
      let pick = groups.count > 1 ? groups[1] : groups.first.flatMap { $0 }
      if let pick { out.append(Array(m.text[pick])) } else { out.appendNull() }
    },
  ]

  private static func firstMatch(_ m: Match, _ out: inout ColumnBuilder) {
    let groups = m.expression.groups(m.text)
    if groups.isEmpty { out.appendNull() } else { out.append(list: captured(groups, m.text)) }
  }

  /// The groups of a match, or the whole of it when the pattern has none.
  static func captured(_ groups: [Range<Int>?], _ text: [UInt8]) -> [Scalar] {
    let wanted = groups.count == 1 ? groups : Array(groups.dropFirst())
    return wanted.map { range in range.map { .bytes(Array(text[$0])) } ?? .null }
  }

  // MARK: Counting and finding

  /// Byte offset of a position counted in characters from 1. Faults: 22023 below 1. Past the end: nil.
  private static func start(_ a: Arguments, _ argument: Int?, _ row: Int, _ text: [UInt8]) throws(Fault) -> Int? {
    guard let argument else { return 0 }
    let place = a.scalar(argument, row).integer ?? 1
    if place < 1 { throw invalid("start", place) }
    let characters = text.withUnsafeBytes { Characters.count($0) }
    if place > Int64(characters) + 1 { return nil }
    return text.withUnsafeBytes { Characters.offset(of: Int(place) - 1, in: $0) }
  }

  private static func invalid(_ parameter: String, _ value: Int64) -> Fault {
    Fault(.invalidParameterValue, "invalid value for parameter \"\(parameter)\": \(value)")
  }

  private static func atLeast(
    _ least: Int64, _ name: String, _ a: Arguments, _ argument: Int?, _ row: Int, otherwise: Int64
  ) throws(Fault) -> Int64 {
    guard let argument else { return otherwise }
    let value = a.scalar(argument, row).integer ?? otherwise
    if value < least { throw invalid(name, value) }
    return value
  }

  private static let counts: [ScalarFunction] = (2...4).map { arity in
    let parameters: [DataType] = [.text, .text, .int4, .text]
    return matching("regexp_count", Array(parameters.prefix(arity)), .int4, flags: arity > 3 ? 3 : nil) {
      (m, a, row, out) throws(Fault) in
      var total: Int64 = 0
      if let from = try start(a, arity > 2 ? 2 : nil, row, m.text) {
        try m.expression.forEachMatch(m.text, from: from) { (_) throws(Fault) in
          total += 1
          return true
        }
      }
      out.append(total)
    }
  }

  /// The groups of match number `wanted` (from 1) from a byte on.
  private static func match(_ wanted: Int64, _ m: Match, from: Int?) throws(Fault) -> [Range<Int>?]? {
    guard let from else { return nil }
    var seen: Int64 = 0
    var found: [Range<Int>?]?
    try m.expression.forEachMatch(m.text, from: from) { (groups) throws(Fault) in
      seen += 1
      if seen == wanted { found = groups }
      return seen < wanted
    }
    return found
  }

  private static let places: [ScalarFunction] =
    (2...7).map { arity in
      let parameters: [DataType] = [.text, .text, .int4, .int4, .int4, .text, .int4]
      return matching("regexp_instr", Array(parameters.prefix(arity)), .int4, flags: arity > 5 ? 5 : nil) {
        (m, a, row, out) throws(Fault) in
        let from = try start(a, arity > 2 ? 2 : nil, row, m.text)
        let wanted = try atLeast(1, "n", a, arity > 3 ? 3 : nil, row, otherwise: 1)
        let end = try atLeast(0, "endoption", a, arity > 4 ? 4 : nil, row, otherwise: 0)
        if end > 1 { throw invalid("endoption", end) }
        let group = try atLeast(0, "subexpr", a, arity > 6 ? 6 : nil, row, otherwise: 0)
        guard let groups = try match(wanted, m, from: from), group < groups.count, let range = groups[Int(group)] else {
          return out.append(Int64(0))
        }
        let place = end == 1 ? range.upperBound : range.lowerBound
        out.append(Int64(m.text.withUnsafeBytes { Characters.count(UnsafeRawBufferPointer(rebasing: $0[..<place])) } + 1))
      }
    }
    + (2...6).map { arity in
      let parameters: [DataType] = [.text, .text, .int4, .int4, .text, .int4]
      return matching("regexp_substr", Array(parameters.prefix(arity)), .text, flags: arity > 4 ? 4 : nil) {
        (m, a, row, out) throws(Fault) in
        let from = try start(a, arity > 2 ? 2 : nil, row, m.text)
        let wanted = try atLeast(1, "n", a, arity > 3 ? 3 : nil, row, otherwise: 1)
        let group = try atLeast(0, "subexpr", a, arity > 5 ? 5 : nil, row, otherwise: 0)
        guard let groups = try match(wanted, m, from: from), group < groups.count, let range = groups[Int(group)] else {
          return out.appendNull()
        }
        out.append(Array(m.text[range]))
      }
    }

  // MARK: Replacing

  private static let replacements: [ScalarFunction] =
    [
      matching("regexp_replace", [.text, .text, .text], .text) { (m, a, row, out) throws(Fault) in
        out.append(try replaced(m, a.bytes(2, row), from: 0, number: 1))
      },
      matching("regexp_replace", [.text, .text, .text, .text], .text, flags: 3, takesGlobal: true) {
        (m, a, row, out) throws(Fault) in
        out.append(try replaced(m, a.bytes(2, row), from: 0, number: m.isGlobal ? 0 : 1))
      },
    ]
    + (4...6).map { arity in
      let parameters: [DataType] = [.text, .text, .text, .int4, .int4, .text]
      return matching(
        "regexp_replace", Array(parameters.prefix(arity)), .text, flags: arity > 5 ? 5 : nil, takesGlobal: true
      ) { (m, a, row, out) throws(Fault) in
        guard let from = try start(a, 3, row, m.text) else { return out.append(m.text) }
        // A number says which match; without one, `g` says all of them.
        let number = try atLeast(0, "n", a, arity > 4 ? 4 : nil, row, otherwise: m.isGlobal ? 0 : 1)
        out.append(try replaced(m, a.bytes(2, row), from: from, number: number))
      }
    }

  /// The text with match `number` replaced; 0: with every one.
  private static func replaced(
    _ m: Match, _ template: UnsafeRawBufferPointer, from: Int, number: Int64
  ) throws(Fault) -> [UInt8] {
    var out: [UInt8] = []
    var copied = 0
    var seen: Int64 = 0
    try m.expression.forEachMatch(m.text, from: from) { (groups) throws(Fault) in
      seen += 1
      if number > 0 && seen < number { return true }
      guard let whole = groups[0] else { return false }
      out.append(contentsOf: m.text[copied..<whole.lowerBound])
      append(template, groups, m.text, to: &out)
      copied = whole.upperBound
      return number == 0
    }
    out.append(contentsOf: m.text[copied...])
    return out
  }

  /// The replacement with \1 to \9 and \& filled in.
  private static func append(
    _ template: UnsafeRawBufferPointer, _ groups: [Range<Int>?], _ text: [UInt8], to out: inout [UInt8]
  ) {
    var index = 0
    while index < template.count {
      let byte = template[index]
      index += 1
      guard byte == UInt8(ascii: "\\"), index < template.count else {
        out.append(byte)
        continue
      }
      let letter = template[index]
      index += 1
      switch letter {
      case UInt8(ascii: "&"): if let whole = groups[0] { out.append(contentsOf: text[whole]) }
      case UInt8(ascii: "1")...UInt8(ascii: "9"):
        let group = Int(letter - 48)
        if group < groups.count, let range = groups[group] { out.append(contentsOf: text[range]) }
      case UInt8(ascii: "\\"): out.append(letter)
      default: out.append(contentsOf: [byte, letter])
      }
    }
  }

  // MARK: Splitting

  private static let splits: [ScalarFunction] = [
    matching("regexp_split_to_array", [.text, .text], .array(.text)) { (m, _, _, out) throws(Fault) in
      out.append(list: try pieces(m.expression, m.text))
    },
    matching("regexp_split_to_array", [.text, .text, .text], .array(.text), flags: 2) { (m, _, _, out) throws(Fault) in
      out.append(list: try pieces(m.expression, m.text))
    },
  ]

  /// What lies between the matches. An empty match splits only between two characters.
  static func pieces(_ expression: RegularExpression, _ text: [UInt8]) throws(Fault) -> [Scalar] {
    var pieces: [Scalar] = []
    var begin = 0
    var lastEnd = 0
    try expression.forEachMatch(text) { (groups) throws(Fault) in
      guard let whole = groups[0] else { return false }
      if whole.lowerBound < text.count && whole.upperBound > lastEnd {
        pieces.append(.bytes(Array(text[begin..<whole.lowerBound])))
        begin = whole.upperBound
      }
      lastEnd = whole.upperBound
      return true
    }
    pieces.append(.bytes(Array(text[begin...])))
    return pieces
  }
}

/// The set-returning ones of the family.
enum RegularExpressionTableFunctions {
  static let all: [TableFunction] = [2, 3].flatMap { arity in
    [
      texts("regexp_split_to_table", arity) { (arguments) throws(Fault) in
        let flags = arity > 2 ? arguments[2].text ?? "" : ""
        if flags.contains("g") { throw RegularExpressionFunctions.noGlobal("regexp_split_to_table") }
        let expression = try RegularExpression(arguments[1].text ?? "", flags: flags)
        return try RegularExpressionFunctions.pieces(expression, Array((arguments[0].text ?? "").utf8))
      },
      rows("regexp_matches", arity, .array(.text)) { (arguments) throws(Fault) in
        let flags = arity > 2 ? arguments[2].text ?? "" : ""
        let expression = try RegularExpression(arguments[1].text ?? "", flags: flags.filter { $0 != "g" })
        let text = Array((arguments[0].text ?? "").utf8)
        var found: [Scalar] = []
        try expression.forEachMatch(text) { (groups) throws(Fault) in
          found.append(.list(RegularExpressionFunctions.captured(groups, text)))
          return flags.contains("g")
        }
        return found
      },
    ]
  }

  private static func texts(
    _ name: String, _ arity: Int, _ values: @escaping @Sendable ([Scalar]) throws(Fault) -> [Scalar]
  ) -> TableFunction { rows(name, arity, .text, values) }

  private static func rows(
    _ name: String, _ arity: Int, _ type: DataType, _ values: @escaping @Sendable ([Scalar]) throws(Fault) -> [Scalar]
  ) -> TableFunction {
    TableFunction(
      name: name, parameters: Array(repeating: .exact(.text), count: arity), columns: { _ in [(name: name, type: type)] }
    ) { (_, arguments, _) throws(Fault) in
      if arguments.contains(where: \.isNull) { return { () throws(Fault) in nil } }
      return TableFunctions.chunks(of: try values(arguments), type)
    }
  }
}
