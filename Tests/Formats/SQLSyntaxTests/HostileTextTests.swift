// Errors of the parser, positions, and texts made to break it.

import Bedrock
import Glibc
import SQLSyntax
import Testing

@Suite struct HostileTextTests {
  private func fault(_ bytes: [UInt8]) -> Fault? {
    do {
      _ = try SQLParser.parse(utf8: bytes)
      return nil
    } catch {
      return error
    }
  }
  private func fault(_ sql: String) -> Fault? { self.fault(Array(sql.utf8)) }

  @Test(arguments: [
    ("SELECT * FORM t", "syntax error at or near \"FORM\"", 10),
    ("SELECT 'é', * FORM t", "syntax error at or near \"FORM\"", 15),
    ("SELECT 1 +", "syntax error at end of input", 11),
    ("SELECT 'abc", "unterminated quoted string at or near \"'abc\"", 8),
    ("SELECT \"abc", "unterminated quoted identifier at or near \"\"abc\"", 8),
    ("SELECT /* x", "unterminated /* comment at or near \"/* x\"", 8),
    ("SELECT 1; SELEC 2", "syntax error at or near \"SELEC\"", 11),
    ("SELECT * FROM (SELECT 1)", "subquery in FROM must have an alias", 15),
    ("SELECT 1a", "trailing junk after numeric literal at or near \"1a\"", 8),
  ])
  func syntaxErrorsAreThoseOfPostgreSQL(_ sql: String, _ message: String, _ position: Int) throws {
    let fault = try #require(self.fault(sql))
    #expect(fault.state == .syntaxError)
    #expect(fault.message == message)
    #expect(fault.position == position)
  }

  @Test func locationsCountCharacters() throws {
    let filler = String(repeating: "é", count: 400)
    let statements = try SQLParser.parse("SELECT '\(filler)', boom FROM t")
    guard case .select(let query)? = statements.first?.kind, case .select(let core) = query.body else {
      Issue.record("not a query")
      return
    }
    #expect(core.targets[0].expression.location.position == 8)
    #expect(core.targets[1].expression.location.position == 412)
  }

  @Test func textsThatAreNotUTF8AreRefused() throws {
    let cases: [[UInt8]] = [
      [0xFF], [0xC0, 0x80], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC3], [0x80], [0xF0, 0x80, 0x80, 0x80],
    ]
    for bytes in cases {
      let fault = try #require(self.fault(Array("SELECT '".utf8) + bytes + Array("'".utf8)))
      #expect(fault.state == .characterNotInRepertoire)
    }
    let zero = try #require(fault(Array("SELECT 1".utf8) + [0] + Array(" FROM t".utf8)))
    #expect(zero.state == .characterNotInRepertoire)
    #expect(zero.message == "invalid byte sequence for encoding \"UTF8\": 0x00")
    #expect(fault("SELECT '\u{10FFFF}\u{7FF}\u{FFFF}'") == nil)
  }

  @Test func tooLongTextsAreRefused() throws {
    let fault = try #require(self.fault(String(repeating: " ", count: Limits.statementBytesMax + 1)))
    #expect(fault.state == .programLimitExceeded)
  }

  /// Each of these ended a process that printed libpg_query's tree, or can exhaust a stack by nesting.
  static let deepTexts: [String] = [
    "SELECT 1" + String(repeating: "+1", count: 600),
    "SELECT 1" + String(repeating: "+1", count: 500_000),
    "SELECT " + String(repeating: "-", count: 0) + String(repeating: "(", count: 200_000),
    "SELECT " + String(repeating: "(", count: 5_000) + "1" + String(repeating: ")", count: 5_000) + "::int"
      + String(repeating: "::int", count: 5_000),
    "SELECT " + String(repeating: "- ", count: 100_000) + "1",
    "SELECT " + String(repeating: "NOT ", count: 5_000) + "true",
    "SELECT 1" + String(repeating: " UNION SELECT 1", count: 30_000),
    String(repeating: "SELECT * FROM (", count: 2_000) + "SELECT 1" + String(repeating: ") x", count: 2_000),
    "SELECT " + String(repeating: "f(", count: 50_000) + "1" + String(repeating: ")", count: 50_000),
    "SELECT a" + String(repeating: "::int", count: 50_000),
    "SELECT " + String(repeating: "ARRAY[", count: 50_000),
    "SELECT " + String(repeating: "CASE WHEN ", count: 50_000),
    "SELECT * FROM a" + String(repeating: " JOIN a ON true", count: 30_000),
    "SELECT 1" + String(repeating: ",1", count: 200_000),
  ]

  @Test(arguments: deepTexts.indices)
  func deepTextsAreRefusedAndNothingCrashes(_ index: Int) throws {
    let fault = try #require(self.fault(Self.deepTexts[index]))
    #expect(fault.state == .statementTooComplex || fault.state == .syntaxError, "\(fault)")
  }

  /// The parser needs no big stack of its caller: the smallest one a runtime hands out is enough for the worst texts.
  @Test func parsesOnASmallStack() throws {
    var attributes = pthread_attr_t()
    #expect(pthread_attr_init(&attributes) == 0)
    #expect(pthread_attr_setstacksize(&attributes, 1 << 20) == 0)
    var thread = pthread_t()
    let started = pthread_create(
      &thread, &attributes,
      { _ in
        var refused = 0
        for text in HostileTextTests.deepTexts where (try? SQLParser.parse(text)) == nil { refused += 1 }
        return UnsafeMutableRawPointer(bitPattern: refused)
      }, nil)
    #expect(started == 0)
    var refused: UnsafeMutableRawPointer?
    #expect(pthread_join(thread, &refused) == 0)
    #expect(Int(bitPattern: refused) == Self.deepTexts.count)
  }

  @Test func wideTextsAreFine() throws {
    #expect(fault("SELECT 1 WHERE " + String(repeating: "a = 1 AND ", count: 5_000) + "true") == nil)
    #expect(fault("SELECT a IN (1" + String(repeating: ",1", count: 20_000) + ")") == nil)
    #expect(fault("SELECT 1" + String(repeating: "+1", count: 400)) == nil)
  }

  @Test func truncatedTextsNeverCrash() throws {
    let sql = Array(
      "WITH a AS (SELECT x, count(*) FILTER (WHERE y > $1) OVER (PARTITION BY z ORDER BY w) FROM s.t é LEFT JOIN u USING (i) GROUP BY ROLLUP (x)) SELECT CASE WHEN a[1] IS NULL THEN 'é' ELSE b::numeric(3,1)::text END FROM a ORDER BY 1 DESC LIMIT 3".utf8)
    for count in 0...sql.count { _ = fault(Array(sql[..<count])) }
    for index in sql.indices {
      var changed = sql
      changed[index] ^= 0x15
      _ = fault(changed)
    }
  }
}
