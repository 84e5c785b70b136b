// SQL text to statements: PostgreSQL 15's own grammar (libpg_query), read through the shim CPgQuery.
//
// Invariants:
// 1. No text ends the process: bytes are limited before parsing, nesting and size while the tree is flattened, and
//    everything after that recurses no deeper than `Limits.statementDepthMax`.
// 2. Messages and positions of syntax errors are PostgreSQL's, unchanged.
// 3. The parser is a pure function of its text; it may be called from any thread.

package import Bedrock
import CPgQuery

package enum SQLParser {
  /// The statements of a text in order; empty for a text of white space, comments and semicolons.
  ///
  /// Faults: 42601 with the position of a syntax error, 22021 for bytes that are not UTF-8, 54000 and 54001 for a text
  /// that is too long, too deep or too large, 0A000 for constructs that are not offered.
  package static func parse(_ text: String) throws(Fault) -> [Statement] {
    try parse(utf8: Array(text.utf8))
  }

  /// As `parse(_:)`, from bytes that a client sent, without a final NUL.
  package static func parse(utf8 bytes: [UInt8]) throws(Fault) -> [Statement] {
    try check(bytes)
    let tree = try flatten(bytes)
    var reader = TreeReader(tree: tree, locations: LocationMap(bytes))
    let statements = try reader.list { (reader) throws(Fault) in try reader.statement(in: bytes) }
    guard reader.isAtEnd else { throw Fault.bug("statement tree: bytes are left over") }
    return statements
  }

  private static func check(_ bytes: [UInt8]) throws(Fault) {
    guard bytes.count <= Limits.statementBytesMax else {
      throw Fault(
        .programLimitExceeded, "statement of \(bytes.count) bytes is longer than \(Limits.statementBytesMax) bytes")
    }
    if let offset = bytes.firstIndex(of: 0) {
      throw Fault(
        .characterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\": 0x00", position: offset + 1)
    }
    guard bytes.contains(where: { $0 >= 0x80 }) else { return }
    if let invalid = firstInvalidSequence(bytes) {
      let text = bytes[invalid].map { "0x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
      throw Fault(.characterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\": \(text)")
    }
  }

  /// The first bytes that are not UTF-8 (shortest form, no surrogates, at most U+10FFFF).
  private static func firstInvalidSequence(_ bytes: [UInt8]) -> Range<Int>? {
    var offset = 0
    while offset < bytes.count {
      let lead = bytes[offset]
      if lead < 0x80 {
        offset += 1
        continue
      }
      let length: Int
      var second: ClosedRange<UInt8> = 0x80...0xBF
      switch lead {
      case 0xC2...0xDF: length = 2
      case 0xE0: (length, second) = (3, 0xA0...0xBF)
      case 0xED: (length, second) = (3, 0x80...0x9F)
      case 0xE1...0xEF: length = 3
      case 0xF0: (length, second) = (4, 0x90...0xBF)
      case 0xF1...0xF3: length = 4
      case 0xF4: (length, second) = (4, 0x80...0x8F)
      default: return offset..<offset + 1
      }
      let end = min(offset + length, bytes.count)
      guard end - offset == length, second.contains(bytes[offset + 1]),
        bytes[offset + 1..<end].allSatisfy({ $0 & 0xC0 == 0x80 })
      else { return offset..<end }
      offset = end
    }
    return nil
  }

  private static func flatten(_ bytes: [UInt8]) throws(Fault) -> [UInt8] {
    let result = (bytes + [0]).withUnsafeBytes { text in
      // SAFETY: the array is not empty, ends with NUL, and sql_parse keeps no pointer into it.
      sql_parse(
        text.baseAddress?.assumingMemoryBound(to: CChar.self), UInt32(Limits.statementDepthMax),
        UInt32(Limits.statementTokensMax))
    }
    defer { sql_parse_free(result) }
    switch result.status {
    case .parsed: return Array(UnsafeBufferPointer(start: result.bytes, count: result.count))
    case .syntaxError: throw syntaxError(result)
    case .tooDeep:
      throw Fault(
        .statementTooComplex, "statement is nested too deeply",
        hint: "At most \(Limits.statementDepthMax) levels are allowed; a chain of operators counts one level each.")
    case .tooManyNodes:
      throw Fault(
        .statementTooComplex, "statement is too large",
        hint: "At most \(Limits.statementTokensMax) names, constants and operations are allowed.")
    case .outOfMemory: throw Fault(.outOfMemory, "out of memory")
    }
  }

  /// libpg_query gives no SQLSTATE; all its errors but a few are syntax errors of the scanner and the grammar.
  private static func syntaxError(_ result: SQLParseResult) -> Fault {
    let message = result.message.map { String(cString: $0) } ?? "syntax error"
    let position = result.position > 0 ? Int(result.position) : nil
    if message.hasPrefix("memory exhausted") {
      return Fault(.statementTooComplex, "statement is nested too deeply", position: position)
    }
    if message.hasPrefix("frame start") || message.hasPrefix("frame end") {
      return Fault(.windowingError, message, position: position)
    }
    if message == "out of memory" { return Fault(.outOfMemory, message) }
    if message.hasPrefix("invalid Unicode") || message.hasPrefix("invalid byte sequence") {
      return Fault(message.hasPrefix("invalid byte") ? .characterNotInRepertoire : .syntaxError, message, position: position)
    }
    if message.hasSuffix("not implemented") || message.hasSuffix("not supported") {
      return Fault(.featureNotSupported, message, position: position)
    }
    var hint: String?
    if message.uppercased() == "SYNTAX ERROR AT OR NEAR \"SERVER\"" {
      hint = "CREATE FOREIGN TABLE has parentheses after its name; empty ones stand for the columns of the source."
    }
    return Fault(.syntaxError, message, hint: hint, position: position)
  }
}
