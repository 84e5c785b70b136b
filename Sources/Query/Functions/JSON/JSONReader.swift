// JSON text to a tree, or just checked. PostgreSQL's rules: RFC 8259, with the words of its errors.
//
// For `json` an escape must only be well formed; for `jsonb` it must be a character that text can hold (no NUL, surrogates
// in pairs), and numbers get numeric's form.

import Bedrock

struct JSONReader {
  private let raw: UnsafeRawBufferPointer
  private var position = 0
  /// Normal form: sorted members, canonical numbers.
  private let isBinary: Bool

  private init(_ raw: UnsafeRawBufferPointer, isBinary: Bool) {
    self.raw = raw
    self.isBinary = isBinary
  }

  /// A tree in jsonb's normal form. Faults: 22P02 for text that is no JSON, 22P05 and 22003 for what jsonb cannot hold.
  static func jsonb(_ raw: UnsafeRawBufferPointer) throws(Fault) -> JSONNode {
    var reader = JSONReader(raw, isBinary: true)
    return try reader.whole()
  }

  /// A tree that keeps what is written.
  static func json(_ raw: UnsafeRawBufferPointer) throws(Fault) -> JSONNode {
    var reader = JSONReader(raw, isBinary: false)
    return try reader.whole()
  }

  static func jsonb(_ text: [UInt8]) throws(Fault) -> JSONNode {
    try text.withUnsafeBufferPointer { (raw) throws(Fault) in try jsonb(UnsafeRawBufferPointer(raw)) }
  }

  /// Faults: 22P02 when the text is no JSON.
  static func check(_ raw: UnsafeRawBufferPointer) throws(Fault) {
    var reader = JSONReader(raw, isBinary: false)
    try reader.skip(depth: 0)
    try reader.end()
  }

  private mutating func whole() throws(Fault) -> JSONNode {
    let node = try value(depth: 0)
    try end()
    return node
  }

  private mutating func end() throws(Fault) {
    skipSpace()
    if position < raw.count { throw unexpected("Expected end of input, but found") }
  }

  // MARK: Tokens

  private mutating func skipSpace() {
    while position < raw.count {
      switch raw[position] {
      case 32, 9, 10, 13: position += 1
      default: return
      }
    }
  }

  private func invalid(_ detail: String) -> Fault {
    Fault(.invalidTextRepresentation, "invalid input syntax for type json", detail: detail)
  }

  /// The token at the position, as PostgreSQL cuts it: a word of letters and digits, or one byte.
  private func token() -> String {
    var stop = position
    func isWord(_ byte: UInt8) -> Bool {
      (byte | 32 >= 97 && byte | 32 <= 122) || (byte >= 48 && byte <= 57) || byte == 95 || byte >= 128
    }
    while stop < raw.count, isWord(raw[stop]) || (stop > position && [43, 45, 46].contains(raw[stop])) { stop += 1 }
    if stop == position { stop = min(position + 1, raw.count) }
    return String(decoding: UnsafeRawBufferPointer(rebasing: raw[position..<stop]), as: UTF8.self)
  }

  private func unexpected(_ expectation: String) -> Fault {
    if position >= raw.count { return invalid("The input string ended unexpectedly.") }
    return invalid("\(expectation) \"\(token())\".")
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    skipSpace()
    guard position < raw.count, raw[position] == byte else { return false }
    position += 1
    return true
  }

  private mutating func word(_ text: StaticString) throws(Fault) {
    let count = text.utf8CodeUnitCount
    guard raw.count - position >= count,
      UnsafeRawBufferPointer(rebasing: raw[position..<(position + count)])
        .elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: count)),
      !isWordByte(position + count)
    else { throw invalid("Token \"\(token())\" is invalid.") }
    position += count
  }

  private func isWordByte(_ index: Int) -> Bool {
    guard index < raw.count else { return false }
    let byte = raw[index]
    return (byte | 32 >= 97 && byte | 32 <= 122) || (byte >= 48 && byte <= 57) || byte == 95 || byte >= 128
  }

  private mutating func number() throws(Fault) -> Range<Int> {
    let start = position
    var index = position
    func digits() -> Bool {
      let first = index
      while index < raw.count, raw[index] >= 48, raw[index] <= 57 { index += 1 }
      return index > first
    }
    if raw[index] == 45 { index += 1 }
    var isGood = true
    if index < raw.count, raw[index] == 48 { index += 1 } else { isGood = digits() }
    if isGood, index < raw.count, raw[index] == 46 {
      index += 1
      isGood = digits()
    }
    if isGood, index < raw.count, raw[index] | 32 == 101 {
      index += 1
      if index < raw.count, raw[index] == 43 || raw[index] == 45 { index += 1 }
      isGood = digits()
    }
    guard isGood, !isWordByte(index) else { throw invalid("Token \"\(token())\" is invalid.") }
    position = index
    return start..<index
  }

  /// Passes a string; its bytes without escapes when `text` is asked for.
  private mutating func string(_ wantsText: Bool) throws(Fault) -> [UInt8] {
    position += 1
    var out: [UInt8] = []
    var start = position
    while position < raw.count {
      let byte = raw[position]
      if byte == 34 {
        if wantsText { out += raw[start..<position] }
        position += 1
        return out
      }
      if byte < 32 { throw invalid("Character with value 0x\(hex(byte)) must be escaped.") }
      if byte != 92 {
        position += 1
        continue
      }
      if wantsText { out += raw[start..<position] }
      try escape(wantsText, &out)
      start = position
    }
    throw invalid("Token \"\(token())\" is invalid.")
  }

  private func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

  private mutating func escape(_ wantsText: Bool, _ out: inout [UInt8]) throws(Fault) {
    guard position + 1 < raw.count else { throw invalid("The input string ended unexpectedly.") }
    let kind = raw[position + 1]
    position += 2
    switch kind {
    case 34, 92, 47: out.append(kind)
    case 98: out.append(8)
    case 102: out.append(12)
    case 110: out.append(10)
    case 114: out.append(13)
    case 116: out.append(9)
    case 117: try unicode(wantsText, &out)
    default: throw invalid("Escape sequence \"\\\(String(decoding: [kind], as: UTF8.self))\" is invalid.")
    }
  }

  private mutating func fourDigits() throws(Fault) -> UInt32 {
    var code: UInt32 = 0
    guard position + 4 <= raw.count else { throw invalid("\"\\u\" must be followed by four hexadecimal digits.") }
    for _ in 0..<4 {
      guard let digit = ValueText.hexDigit(raw[position]) else {
        throw invalid("\"\\u\" must be followed by four hexadecimal digits.")
      }
      code = code << 4 | UInt32(digit)
      position += 1
    }
    return code
  }

  private mutating func unicode(_ wantsText: Bool, _ out: inout [UInt8]) throws(Fault) {
    var code = try fourDigits()
    if !wantsText { return }
    if code == 0 {
      throw Fault(
        .untranslatableCharacter, "unsupported Unicode escape sequence", detail: "\\u0000 cannot be converted to text.")
    }
    if code & 0xFC00 == 0xD800 {
      guard position + 1 < raw.count, raw[position] == 92, raw[position + 1] == 117 else {
        throw invalid("Unicode low surrogate must follow a high surrogate.")
      }
      position += 2
      let low = try fourDigits()
      if low & 0xFC00 == 0xD800 { throw invalid("Unicode high surrogate must not follow a high surrogate.") }
      guard low & 0xFC00 == 0xDC00 else { throw invalid("Unicode low surrogate must follow a high surrogate.") }
      code = 0x10000 + (code & 0x3FF) << 10 + (low & 0x3FF)
    } else if code & 0xFC00 == 0xDC00 {
      throw invalid("Unicode low surrogate must follow a high surrogate.")
    }
    // Surrogates are gone, so this is a scalar.
    out += Array(String(Character(Unicode.Scalar(code)!)).utf8)
  }

  // MARK: Values

  private func checkDepth(_ depth: Int) throws(Fault) {
    guard depth < Limits.jsonDepthMax * 8 else {
      throw Fault(.statementTooComplex, "stack depth limit exceeded", detail: "JSON nests too deep.")
    }
  }

  private mutating func value(depth: Int) throws(Fault) -> JSONNode {
    try checkDepth(depth)
    skipSpace()
    guard position < raw.count else { throw unexpected("") }
    switch raw[position] {
    case 34: return .string(try string(true))
    case 123:
      position += 1
      var members: [JSONMember] = []
      if take(125) { return .object(members) }
      repeat {
        skipSpace()
        guard position < raw.count, raw[position] == 34 else { throw unexpected("Expected string, but found") }
        let key = try string(true)
        guard take(58) else { throw unexpected("Expected \":\", but found") }
        members.append(JSONMember(key: key, value: try value(depth: depth + 1)))
      } while take(44)
      guard take(125) else { throw unexpected("Expected \",\" or \"}\", but found") }
      return .object(isBinary ? JSONNode.sorted(members) : members)
    case 91:
      position += 1
      var list: [JSONNode] = []
      if take(93) { return .array(list) }
      repeat { list.append(try value(depth: depth + 1)) } while take(44)
      guard take(93) else { throw unexpected("Expected \",\" or \"]\", but found") }
      return .array(list)
    case 45, 48...57:
      let token = UnsafeRawBufferPointer(rebasing: raw[try number()])
      return .number(isBinary ? try JSONNumber(token: token) : JSONNumber(spelled: token))
    case 116:
      try word("true")
      return .boolean(true)
    case 102:
      try word("false")
      return .boolean(false)
    case 110:
      try word("null")
      return .null
    default: throw stray()
    }
  }

  /// What starts no value: punctuation is out of place, anything else is no token at all.
  private func stray() -> Fault {
    ",:]}".utf8.contains(raw[position])
      ? unexpected("Expected JSON value, but found") : invalid("Token \"\(token())\" is invalid.")
  }

  private mutating func skip(depth: Int) throws(Fault) {
    try checkDepth(depth)
    skipSpace()
    guard position < raw.count else { throw unexpected("") }
    switch raw[position] {
    case 34: _ = try string(false)
    case 123:
      position += 1
      if take(125) { return }
      repeat {
        skipSpace()
        guard position < raw.count, raw[position] == 34 else { throw unexpected("Expected string, but found") }
        _ = try string(false)
        guard take(58) else { throw unexpected("Expected \":\", but found") }
        try skip(depth: depth + 1)
      } while take(44)
      guard take(125) else { throw unexpected("Expected \",\" or \"}\", but found") }
    case 91:
      position += 1
      if take(93) { return }
      repeat { try skip(depth: depth + 1) } while take(44)
      guard take(93) else { throw unexpected("Expected \",\" or \"]\", but found") }
    case 45, 48...57: _ = try number()
    case 116: try word("true")
    case 102: try word("false")
    case 110: try word("null")
    default: throw stray()
    }
  }

  // MARK: Parts of a text without a tree

  /// The members of an object with the range of each value, or nil when the text is no object.
  static func members(_ raw: UnsafeRawBufferPointer) throws(Fault) -> [(key: [UInt8], value: Range<Int>)]? {
    var reader = JSONReader(raw, isBinary: false)
    guard reader.take(123) else { return nil }
    var found: [(key: [UInt8], value: Range<Int>)] = []
    if reader.take(125) { return found }
    repeat {
      reader.skipSpace()
      guard reader.position < raw.count, raw[reader.position] == 34 else {
        throw reader.unexpected("Expected string, but found")
      }
      let key = try reader.string(true)
      guard reader.take(58) else { throw reader.unexpected("Expected \":\", but found") }
      found.append((key, try reader.range()))
    } while reader.take(44)
    return found
  }

  /// The ranges of an array's elements, or nil when the text is no array.
  static func elements(_ raw: UnsafeRawBufferPointer) throws(Fault) -> [Range<Int>]? {
    var reader = JSONReader(raw, isBinary: false)
    guard reader.take(91) else { return nil }
    var found: [Range<Int>] = []
    if reader.take(93) { return found }
    repeat { found.append(try reader.range()) } while reader.take(44)
    return found
  }

  /// The range of the value of a key, the last of equal ones; nil when there is none.
  static func find(_ raw: UnsafeRawBufferPointer, _ key: UnsafeRawBufferPointer) throws(Fault) -> Range<Int>? {
    var reader = JSONReader(raw, isBinary: false)
    guard reader.take(123) else { return nil }
    var found: Range<Int>?
    if reader.take(125) { return nil }
    repeat {
      reader.skipSpace()
      guard reader.position < raw.count, raw[reader.position] == 34 else {
        throw reader.unexpected("Expected string, but found")
      }
      let isSame = try reader.isKey(key)
      guard reader.take(58) else { throw reader.unexpected("Expected \":\", but found") }
      let range = try reader.range()
      if isSame { found = range }
    } while reader.take(44)
    return found
  }

  /// Passes a string and compares it; only one with escapes is copied.
  private mutating func isKey(_ key: UnsafeRawBufferPointer) throws(Fault) -> Bool {
    let start = position
    var stop = position + 1
    while stop < raw.count, raw[stop] != 34, raw[stop] != 92 { stop += 1 }
    if stop < raw.count, raw[stop] == 34 {
      position = stop + 1
      return stop - start - 1 == key.count && UnsafeRawBufferPointer(rebasing: raw[(start + 1)..<stop]).elementsEqual(key)
    }
    return try string(true).elementsEqual(key)
  }

  private mutating func range() throws(Fault) -> Range<Int> {
    skipSpace()
    let start = position
    try skip(depth: 1)
    return start..<position
  }

  /// A value's text as ->> gives it; nil for null.
  static func plain(_ raw: UnsafeRawBufferPointer) throws(Fault) -> [UInt8]? {
    switch raw.first {
    case 110: return nil
    case 34:
      var reader = JSONReader(raw, isBinary: false)
      return try reader.string(true)
    default: return Array(raw)
    }
  }
}
