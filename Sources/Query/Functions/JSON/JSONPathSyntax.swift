// The SQL/JSON path language (PostgreSQL 15, manual section 9.16.2) as a tree, and its reader.
//
//   path        [strict | lax] ( expression | predicate )
//   predicate   ||  &&  !( )  comparisons  starts with  like_regex  exists( )  ( ) is unknown
//   expression  + -  * / %  unary + -  primary accessor...
//   accessor    .key .* .**{n to m} [*] [a, b to c] ?( ) .method()

import Bedrock

/// One step after a primary.
enum JSONPathStep {
  case key([UInt8])
  case anyKey
  /// Levels below the value, 0 for itself; nil: the last ones.
  case anyDepth(from: Int?, to: Int?)
  case anyElement
  case elements([(from: JSONPathExpression, to: JSONPathExpression?)])
  case filter(JSONPathPredicate)
  case method(JSONPathMethod)
}

enum JSONPathMethod: String {
  case type, size, abs, floor, ceiling, double, keyvalue
}

indirect enum JSONPathExpression {
  case root, current, last
  case literal(JSONNode)
  case variable(String)
  case steps(JSONPathExpression, [JSONPathStep])
  case negative(JSONPathExpression, isMinus: Bool)
  case arithmetic(Character, JSONPathExpression, JSONPathExpression)
  case predicate(JSONPathPredicate)
}

indirect enum JSONPathPredicate {
  case and(JSONPathPredicate, JSONPathPredicate)
  case or(JSONPathPredicate, JSONPathPredicate)
  case not(JSONPathPredicate)
  case isUnknown(JSONPathPredicate)
  case exists(JSONPathExpression)
  case compare(String, JSONPathExpression, JSONPathExpression)
  case startsWith(JSONPathExpression, JSONPathExpression)
  case matches(JSONPathExpression, RegularExpression)
}

struct JSONPath {
  let isLax: Bool
  let expression: JSONPathExpression

  /// Faults: 42601 for text that is no path, 2201B for a bad pattern in it.
  init(_ text: String) throws(Fault) {
    var reader = JSONPathReader(try JSONPathTokens.split(text))
    (isLax, expression) = try reader.path(text)
  }
}

/// Reads tokens by precedence; what is read is an expression or a predicate, and each operator takes one of the two.
struct JSONPathReader {
  private enum Piece {
    case expression(JSONPathExpression)
    case predicate(JSONPathPredicate)
  }
  private let tokens: [JSONPathToken]
  private var index = 0
  private var depth = 0
  private var filterDepth = 0
  private var subscriptDepth = 0
  private static let depthMax = 100

  init(_ tokens: [JSONPathToken]) { self.tokens = tokens }

  private var token: JSONPathToken? { index < tokens.count ? tokens[index] : nil }

  private func fault() -> Fault {
    guard let token else { return Fault(.syntaxError, "syntax error at end of jsonpath input") }
    return Fault(.syntaxError, "syntax error at or near \"\(token.source)\" of jsonpath input")
  }

  private func isNext(_ text: String, _ ahead: Int = 0) -> Bool {
    guard index + ahead < tokens.count else { return false }
    switch tokens[index + ahead].kind {
    case .symbol(let symbol): return symbol == text
    case .word(let word): return word == text
    default: return false
    }
  }
  private mutating func take(_ text: String) -> Bool {
    guard isNext(text) else { return false }
    index += 1
    return true
  }
  private mutating func expect(_ text: String) throws(Fault) { if !take(text) { throw fault() } }

  mutating func path(_ text: String) throws(Fault) -> (Bool, JSONPathExpression) {
    if tokens.isEmpty {
      throw Fault(.invalidTextRepresentation, "invalid input syntax for type jsonpath: \"\(text)\"")
    }
    let isStrict = take("strict")
    if !isStrict { _ = take("lax") }
    let piece = try disjunction()
    if token != nil { throw fault() }
    switch piece {
    case .expression(let expression): return (!isStrict, expression)
    case .predicate(let predicate): return (!isStrict, .predicate(predicate))
    }
  }

  private func predicate(_ piece: Piece) throws(Fault) -> JSONPathPredicate {
    guard case .predicate(let predicate) = piece else { throw fault() }
    return predicate
  }
  private func expression(_ piece: Piece) throws(Fault) -> JSONPathExpression {
    guard case .expression(let expression) = piece else { throw fault() }
    return expression
  }

  // MARK: Predicates

  private mutating func disjunction() throws(Fault) -> Piece {
    depth += 1
    defer { depth -= 1 }
    guard depth < Self.depthMax else { throw Fault(.statementTooComplex, "stack depth limit exceeded") }
    var left = try conjunction()
    while isNext("||") {
      let first = try predicate(left)
      index += 1
      left = .predicate(.or(first, try predicate(try conjunction())))
    }
    return left
  }

  private mutating func conjunction() throws(Fault) -> Piece {
    var left = try comparison()
    while isNext("&&") {
      let first = try predicate(left)
      index += 1
      left = .predicate(.and(first, try predicate(try comparison())))
    }
    return left
  }

  private static let comparisons = ["==": "==", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="]

  private mutating func comparison() throws(Fault) -> Piece {
    if take("!") {
      guard isNext("(") || isNext("exists") else { throw fault() }
      return .predicate(.not(try predicate(try primary())))
    }
    let left = try sum()
    if case .symbol(let symbol)? = token?.kind, let name = Self.comparisons[symbol] {
      let first = try expression(left)
      index += 1
      return .predicate(.compare(name, first, try expression(try sum())))
    }
    if isNext("starts"), isNext("with", 1) {
      let first = try expression(left)
      index += 2
      switch token?.kind {
      case .string(let text): return advance(.predicate(.startsWith(first, .literal(.text(text)))))
      case .variable(let name): return advance(.predicate(.startsWith(first, .variable(name))))
      default: throw fault()
      }
    }
    if isNext("like_regex") {
      let first = try expression(left)
      index += 1
      return .predicate(.matches(first, try pattern()))
    }
    return left
  }

  private mutating func advance(_ piece: Piece) -> Piece {
    index += 1
    return piece
  }

  private mutating func pattern() throws(Fault) -> RegularExpression {
    guard case .string(let pattern)? = token?.kind else { throw fault() }
    index += 1
    var flags = ""
    if take("flag") {
      guard case .string(let text)? = token?.kind else { throw fault() }
      index += 1
      flags = text
    }
    for flag in flags where !"ismxq".contains(flag) {
      throw Fault(
        .syntaxError, "invalid input syntax for type jsonpath",
        detail: "Unrecognized flag character \"\(flag)\" in LIKE_REGEX predicate.")
    }
    let isLiteral = flags.contains("q")
    if flags.contains("x"), !isLiteral {
      throw Fault(.featureNotSupported, "XQuery \"x\" flag (expanded regular expressions) is not implemented")
    }
    // In XQuery a dot stops at a line end unless `s` is given, and anchors match at lines with `m`.
    let lines = flags.contains("s") ? (flags.contains("m") ? "w" : "s") : (flags.contains("m") ? "n" : "p")
    return try RegularExpression(pattern, flags: isLiteral ? "q" : lines, ignoresCase: flags.contains("i"))
  }

  // MARK: Expressions

  private mutating func sum() throws(Fault) -> Piece {
    var left = try product()
    while isNext("+") || isNext("-") {
      let first = try expression(left)
      let operation: Character = isNext("+") ? "+" : "-"
      index += 1
      left = .expression(.arithmetic(operation, first, try expression(try product())))
    }
    return left
  }

  private mutating func product() throws(Fault) -> Piece {
    var left = try signed()
    while case .symbol(let symbol)? = token?.kind, ["*", "/", "%"].contains(symbol) {
      let first = try expression(left)
      index += 1
      left = .expression(.arithmetic(Character(symbol), first, try expression(try signed())))
    }
    return left
  }

  private mutating func signed() throws(Fault) -> Piece {
    guard isNext("+") || isNext("-") else { return try primary() }
    depth += 1
    defer { depth -= 1 }
    guard depth < Self.depthMax else { throw Fault(.statementTooComplex, "stack depth limit exceeded") }
    let isMinus = take("-")
    if !isMinus { index += 1 }
    return .expression(.negative(try expression(try signed()), isMinus: isMinus))
  }

  private mutating func primary() throws(Fault) -> Piece {
    guard let token else { throw fault() }
    let value: JSONPathExpression
    switch token.kind {
    case .number(let number): value = .literal(.number(number))
    case .string(let text): value = .literal(.text(text))
    case .variable(let name): value = .variable(name)
    case .symbol("$"): value = .root
    case .symbol("@"):
      if filterDepth == 0 { throw Fault(.syntaxError, "@ is not allowed in root expressions") }
      value = .current
    case .symbol("("):
      index += 1
      let inner = try disjunction()
      try expect(")")
      return try parenthesized(inner)
    case .word("true"): value = .literal(.boolean(true))
    case .word("false"): value = .literal(.boolean(false))
    case .word("null"): value = .literal(.null)
    case .word("last"):
      if subscriptDepth == 0 { throw Fault(.syntaxError, "LAST is allowed only in array subscripts") }
      value = .last
    case .word("exists"):
      index += 1
      try expect("(")
      let inner = try expression(try disjunction())
      try expect(")")
      return .predicate(.exists(inner))
    default: throw fault()
    }
    index += 1
    return .expression(try withSteps(value))
  }

  private mutating func parenthesized(_ inner: Piece) throws(Fault) -> Piece {
    if case .predicate(let predicate) = inner {
      if isNext("is"), isNext("unknown", 1) {
        index += 2
        return .predicate(.isUnknown(predicate))
      }
      let steps = try steps()
      return steps.isEmpty ? inner : .expression(.steps(.predicate(predicate), steps))
    }
    return .expression(try withSteps(try expression(inner)))
  }

  private mutating func withSteps(_ value: JSONPathExpression) throws(Fault) -> JSONPathExpression {
    let steps = try steps()
    return steps.isEmpty ? value : .steps(value, steps)
  }

  // MARK: Accessors

  private mutating func steps() throws(Fault) -> [JSONPathStep] {
    var steps: [JSONPathStep] = []
    while true {
      if take(".") {
        steps.append(try afterDot())
      } else if take("[") {
        if isNext("*"), isNext("]", 1) {
          index += 2
          steps.append(.anyElement)
        } else {
          steps.append(.elements(try subscripts()))
        }
      } else if take("?") {
        try expect("(")
        filterDepth += 1
        defer { filterDepth -= 1 }
        let piece = try disjunction()
        let condition = try predicate(piece)
        try expect(")")
        steps.append(.filter(condition))
      } else {
        return steps
      }
    }
  }

  private mutating func subscripts() throws(Fault) -> [(from: JSONPathExpression, to: JSONPathExpression?)] {
    subscriptDepth += 1
    defer { subscriptDepth -= 1 }
    var list: [(from: JSONPathExpression, to: JSONPathExpression?)] = []
    repeat {
      let first = try expression(try sum())
      list.append((first, take("to") ? try expression(try sum()) : nil))
    } while take(",")
    try expect("]")
    return list
  }

  private mutating func afterDot() throws(Fault) -> JSONPathStep {
    guard let token else { throw fault() }
    switch token.kind {
    case .symbol("*"):
      index += 1
      return .anyKey
    case .symbol("**"):
      index += 1
      return try depths()
    case .string(let name):
      index += 1
      return .key(Array(name.utf8))
    case .word(let name):
      index += 1
      guard isNext("(") else { return .key(Array(name.utf8)) }
      if let method = JSONPathMethod(rawValue: name) {
        index += 1
        try expect(")")
        return .method(method)
      }
      if name == "datetime" { throw Fault.unsupported("jsonpath item method .datetime()", position: nil) }
      throw fault()
    default: throw fault()
    }
  }

  private mutating func depths() throws(Fault) -> JSONPathStep {
    guard take("{") else { return .anyDepth(from: 0, to: nil) }
    let from = try level()
    let to = take("to") ? try level() : from
    try expect("}")
    return .anyDepth(from: from, to: to)
  }

  private mutating func level() throws(Fault) -> Int? {
    if take("last") { return nil }
    guard case .number(let number)? = token?.kind, let value = Int(String(decoding: number.text, as: UTF8.self)) else {
      throw fault()
    }
    index += 1
    return value
  }
}
