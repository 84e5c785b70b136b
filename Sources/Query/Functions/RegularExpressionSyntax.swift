// PostgreSQL's advanced regular expressions (manual section 9.7.3) in RE2's syntax.
//
//   pattern ──► director (***: ***=) ──► options (?i) ──► atoms, quantifiers, brackets, escapes ──► RE2
//
// Differences that the translation evens out: `.` matches a newline and `^ $` only the ends of the text, unless the flags
// say otherwise; \w, \s and the named classes are Unicode's; \m \M and \y are RE2's \b where the neighbour is a character of
// a word, else refused; PostgreSQL prefers the longest match unless a quantifier is non-greedy.

import Bedrock

struct RegularExpressionSyntax {
  private(set) var ignoresCase: Bool
  /// False once a non-greedy quantifier was seen.
  private(set) var isGreedy = true
  private var isLiteral = false
  private var isExpanded = false
  /// `.` and [^...] do not match a newline.
  private var dotStopsAtNewline = false
  /// `^` and `$` match at lines.
  private var anchorsMatchLines = false

  private var input: [Unicode.Scalar] = []
  private var position = 0
  private var output = ""

  /// What the last thing read was, for the quantifier that may follow.
  private enum Before { case nothing, atom, quantifier, constraint }
  private var before = Before.nothing
  private var depth = 0
  private static let depthMax = 200

  init(ignoresCase: Bool) { self.ignoresCase = ignoresCase }

  /// Flags of the functions: i c n m s p w x q, as the manual lists them.
  mutating func apply(flags: String) throws(Fault) {
    for flag in flags { try apply(option: flag, ofFunction: true) }
  }

  private mutating func apply(option: Character, ofFunction: Bool) throws(Fault) {
    switch option {
    case "i": ignoresCase = true
    case "c": ignoresCase = false
    case "n", "m": (dotStopsAtNewline, anchorsMatchLines) = (true, true)
    case "s": (dotStopsAtNewline, anchorsMatchLines) = (false, false)
    case "p": (dotStopsAtNewline, anchorsMatchLines) = (true, false)
    case "w": (dotStopsAtNewline, anchorsMatchLines) = (false, true)
    case "x": isExpanded = true
    case "t": isExpanded = false
    case "q": isLiteral = true
    case "e": break
    case "b":
      throw Fault(.featureNotSupported, "basic regular expressions are not supported", hint: "Leave the option b away.")
    default:
      if ofFunction { throw Fault(.invalidParameterValue, "invalid regular expression option: \"\(option)\"") }
      throw Self.invalid("invalid embedded option")
    }
  }

  static func invalid(_ why: String) -> Fault {
    Fault(.invalidRegularExpression, "invalid regular expression: \(why)")
  }

  /// The pattern as RE2 reads it.
  mutating func translate(_ pattern: String) throws(Fault) -> String {
    input = Array(pattern.unicodeScalars)
    position = 0
    try readDirector()
    output = (dotStopsAtNewline ? "(?-s" : "(?s") + (anchorsMatchLines ? "m)" : ")")
    if isLiteral {
      while position < input.count { quote(next()) }
      return output
    }
    try readAlternatives()
    // What stopped the reading is a parenthesis that nothing opened.
    if position < input.count { throw Self.invalid("parentheses () not balanced") }
    return output
  }

  // MARK: Reading

  private func peek(_ ahead: Int = 0) -> Unicode.Scalar? {
    position + ahead < input.count ? input[position + ahead] : nil
  }

  private mutating func next() -> Unicode.Scalar {
    defer { position += 1 }
    return input[position]
  }

  private mutating func take(_ text: String) -> Bool {
    let wanted = Array(text.unicodeScalars)
    guard input[position...].starts(with: wanted) else { return false }
    position += wanted.count
    return true
  }

  private mutating func readDirector() throws(Fault) {
    if take("***=") {
      isLiteral = true
    } else if take("***:") {
      // the advanced form, which it is anyway
    } else if input.starts(with: "***".unicodeScalars) {
      throw Self.invalid("quantifier operand invalid")
    }
    if !isLiteral, peek() == "(", peek(1) == "?", let letter = peek(2), ("a"..."z").contains(letter) {
      position += 2
      while let letter = peek(), letter != ")" {
        try apply(option: Character(letter), ofFunction: false)
        position += 1
      }
      guard take(")") else { throw Self.invalid("parentheses () not balanced") }
    }
  }

  /// Up to a closing parenthesis or the end.
  private mutating func readAlternatives() throws(Fault) {
    depth += 1
    if depth > Self.depthMax { throw Self.invalid("regular expression is too complex") }
    before = .nothing
    while let scalar = peek(), scalar != ")" {
      position += 1
      switch scalar {
      case "|":
        output += "|"
        before = .nothing
      case "*", "+", "?": try readQuantifier(scalar)
      case "{":
        if let digit = peek(), ("0"..."9").contains(digit) { try readQuantifier(scalar) } else { literal(scalar) }
      case "(": try readGroup()
      case "[": try readBracket()
      case "^", "$":
        output.unicodeScalars.append(scalar)
        before = .constraint
      case ".":
        output += "."
        before = .atom
      case "\\": try readEscape()
      case " ", "\t", "\n", "\r", "\u{0B}", "\u{0C}": if !isExpanded { literal(scalar) }
      case "#":
        if isExpanded { while let other = peek(), other != "\n" { _ = other; position += 1 } } else { literal(scalar) }
      default: literal(scalar)
      }
    }
    depth -= 1
  }

  private mutating func literal(_ scalar: Unicode.Scalar) {
    quote(scalar)
    before = .atom
  }

  private mutating func quote(_ scalar: Unicode.Scalar) {
    if scalar.isASCII, !scalar.properties.isAlphabetic, !("0"..."9").contains(scalar) {
      // RE2 takes any ASCII punctuation after a backslash; control characters by number.
      output += scalar.value >= 32 && scalar.value < 127 && scalar != " " ? "\\\(scalar)" : "\\x{\(hex(scalar.value))}"
    } else {
      output.unicodeScalars.append(scalar)
    }
  }

  private func hex(_ value: UInt32) -> String { String(value, radix: 16) }

  private mutating func readQuantifier(_ first: Unicode.Scalar) throws(Fault) {
    guard before == .atom else { throw Self.invalid("quantifier operand invalid") }
    var text = String(first)
    if first == "{" {
      let least = try readCount()
      text += "\(least)"
      if take(",") {
        text += ","
        if let digit = peek(), ("0"..."9").contains(digit) {
          let most = try readCount()
          if most < least { throw Self.invalid("invalid repetition count(s)") }
          text += "\(most)"
        }
      }
      guard take("}") else { throw Self.invalid(peek() == nil ? "braces {} not balanced" : "invalid repetition count(s)") }
      text += "}"
    }
    output += text
    if take("?") {
      output += "?"
      isGreedy = false
    }
    before = .quantifier
  }

  private mutating func readCount() throws(Fault) -> Int {
    var count = 0
    while let digit = peek(), ("0"..."9").contains(digit) {
      count = count * 10 + Int(digit.value - 48)
      if count > 255 { throw Self.invalid("invalid repetition count(s)") }
      position += 1
    }
    return count
  }

  private mutating func readGroup() throws(Fault) {
    if take("?:") {
      output += "(?:"
    } else if take("?=") || take("?!") || take("?<=") || take("?<!") {
      throw Fault(
        .featureNotSupported, "lookahead and lookbehind of regular expressions are not supported",
        detail: "Patterns are matched in time linear in the text.")
    } else if take("?#") {
      while let scalar = peek(), scalar != ")" { _ = scalar; position += 1 }
      guard take(")") else { throw Self.invalid("parentheses () not balanced") }
      return
    } else if peek() == "?" {
      throw Self.invalid("quantifier operand invalid")
    } else {
      output += "("
    }
    try readAlternatives()
    guard take(")") else { throw Self.invalid("parentheses () not balanced") }
    output += ")"
    before = .atom
  }

  // MARK: Escapes

  /// Unicode's classes as PostgreSQL's \d \w \s stand for them in a UTF-8 database, without the brackets around.
  private static let digit = "0-9"
  private static let word = "\\pL\\pN_"
  private static let space =
    "\\t-\\r\\x{20}\\x{1680}\\x{2000}-\\x{2006}\\x{2008}-\\x{200a}\\x{2028}\\x{2029}\\x{205f}\\x{3000}"

  private mutating func readEscape() throws(Fault) {
    guard let scalar = peek() else { throw Self.invalid("invalid escape \\ sequence") }
    switch scalar {
    case "d": classed("[\(Self.digit)]")
    case "D": classed("[^\(Self.digit)]")
    case "w": classed("[\(Self.word)]")
    case "W": classed("[^\(Self.word)]")
    case "s": classed("[\(Self.space)]")
    case "S": classed("[^\(Self.space)]")
    case "A": constraint("\\A")
    case "Z": constraint("\\z")
    case "y": constraint("\\b")
    case "Y": constraint("\\B")
    case "m":
      position += 1
      guard isWord(peek()) || (peek() == "\\" && peek(1) == "w") else { throw Self.wordEnd("\\m") }
      position -= 1
      constraint("\\b")
    case "M":
      guard position >= 2, before == .atom || before == .quantifier, isWordBefore else { throw Self.wordEnd("\\M") }
      constraint("\\b")
    case "1"..."9":
      throw Self.backReference
    default:
      position += 1
      literal(try escapedCharacter(scalar))
    }
  }

  private static let backReference = Fault(
    .featureNotSupported, "back references of regular expressions are not supported",
    detail: "Patterns are matched in time linear in the text.")

  private static func wordEnd(_ escape: String) -> Fault {
    Fault(
      .featureNotSupported, "\(escape) is supported only beside a letter, a digit or \\w",
      hint: "\\y matches at both ends of a word.")
  }

  private func isWord(_ scalar: Unicode.Scalar?) -> Bool {
    guard let scalar else { return false }
    return scalar == "_" || scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
  }

  /// Whether what stands before an escape ends with a character of a word: `d` of `word\M`, `\w+\M`.
  private var isWordBefore: Bool {
    var place = position - 2
    while place >= 0, ["*", "+", "?"].contains(input[place]) { place -= 1 }
    return place >= 0 && (isWord(input[place]) && (place == 0 || input[place - 1] != "\\" || input[place] == "w"))
  }

  private mutating func classed(_ text: String) {
    position += 1
    output += text
    before = .atom
  }

  private mutating func constraint(_ text: String) {
    position += 1
    output += text
    before = .constraint
  }

  /// The character that an escape stands for; `position` is after `scalar`.
  private mutating func escapedCharacter(_ scalar: Unicode.Scalar) throws(Fault) -> Unicode.Scalar {
    switch scalar {
    case "a": return "\u{07}"
    case "b": return "\u{08}"
    case "B": return "\\"
    case "e": return "\u{1B}"
    case "f": return "\u{0C}"
    case "n": return "\n"
    case "r": return "\r"
    case "t": return "\t"
    case "v": return "\u{0B}"
    case "c":
      guard let letter = peek() else { throw Self.invalid("invalid escape \\ sequence") }
      position += 1
      return Unicode.Scalar(UInt8(truncatingIfNeeded: letter.value & 0x1F))
    case "u": return try readHex(4...4)
    case "U": return try readHex(8...8)
    case "x": return try readHex(1...255)
    case "0":
      var value: UInt32 = 0
      while let digit = peek(), ("0"..."7").contains(digit), value < 32 {
        value = value * 8 + (digit.value - 48)
        position += 1
      }
      return Unicode.Scalar(UInt8(truncatingIfNeeded: value))
    default:
      // A letter or digit that means nothing is an error; anything else means itself.
      if scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)) {
        throw Self.invalid("invalid escape \\ sequence")
      }
      return scalar
    }
  }

  private mutating func readHex(_ digits: ClosedRange<Int>) throws(Fault) -> Unicode.Scalar {
    var value: UInt32 = 0
    var count = 0
    while count < digits.upperBound, let scalar = peek(), let digit = Character(scalar).hexDigitValue, scalar.isASCII {
      value = (value & 0x0FFF_FFFF) << 4 | UInt32(digit)
      count += 1
      position += 1
    }
    guard count >= digits.lowerBound, let scalar = Unicode.Scalar(value) else {
      throw Self.invalid("invalid escape \\ sequence")
    }
    return scalar
  }

  // MARK: Brackets

  private static let namedClasses: [String: String] = [
    "alpha": "\\pL", "digit": digit, "alnum": "\\pL\\pN", "upper": "\\p{Lu}", "lower": "\\p{Ll}", "space": space,
    "blank": "\\t\\x{20}", "punct": "\\pP\\pS", "cntrl": "\\x{00}-\\x{1f}\\x{7f}-\\x{9f}", "xdigit": "0-9A-Fa-f",
    "graph": "\\pL\\pM\\pN\\pP\\pS", "print": "\\pL\\pM\\pN\\pP\\pS\\x{20}", "word": word,
  ]

  private mutating func readBracket() throws(Fault) {
    if take("[:<:]]") || take("[:>:]]") {
      throw Fault(.featureNotSupported, "[[:<:]] and [[:>:]] are not supported", hint: "Use \\y for the ends of words.")
    }
    var text = "["
    if take("^") {
      text += "^"
      if dotStopsAtNewline { text += "\\n" }
    }
    var isFirst = true
    while true {
      guard let scalar = peek() else { throw Self.invalid("brackets [] not balanced") }
      if scalar == "]" && !isFirst { break }
      isFirst = false
      position += 1
      if scalar == "[", peek() == ":" {
        text += try readNamedClass()
        continue
      }
      if scalar == "\\", let letter = peek(), let set = escapedSet(letter) {
        position += 1
        text += set
        continue
      }
      let from = try bracketCharacter(scalar)
      guard peek() == "-", let after = peek(1), after != "]" else {
        text += "\\x{\(hex(from.value))}"
        continue
      }
      position += 2
      let to = try bracketCharacter(after)
      if to.value < from.value { throw Self.invalid("invalid character range") }
      text += "\\x{\(hex(from.value))}-\\x{\(hex(to.value))}"
    }
    position += 1
    output += text + "]"
    before = .atom
  }

  private func escapedSet(_ letter: Unicode.Scalar) -> String? {
    switch letter {
    case "d": Self.digit
    case "w": Self.word
    case "s": Self.space
    default: nil
    }
  }

  /// `position` is after `scalar`.
  private mutating func bracketCharacter(_ scalar: Unicode.Scalar) throws(Fault) -> Unicode.Scalar {
    if scalar == "\\" {
      guard let letter = peek() else { throw Self.invalid("invalid escape \\ sequence") }
      position += 1
      return try escapedCharacter(letter)
    }
    guard scalar == "[", let kind = peek(), kind == "." || kind == "=" else { return scalar }
    // A collating element or an equivalence class of one character.
    guard let character = peek(1), peek(2) == kind, peek(3) == "]" else {
      throw Self.invalid("invalid collating element")
    }
    position += 4
    return character
  }

  private mutating func readNamedClass() throws(Fault) -> String {
    position += 1
    var name = ""
    while let scalar = peek(), scalar != ":" {
      if scalar == "]" { throw Self.invalid("brackets [] not balanced") }
      name.unicodeScalars.append(scalar)
      position += 1
    }
    guard take(":]"), let set = Self.namedClasses[name] else { throw Self.invalid("invalid character class") }
    return set
  }
}
