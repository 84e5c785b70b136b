// Replays the corpora and findings of the fuzzers of SQL; and statements made to exhaust a stack.

import Bedrock
import Foundation
import QueryExercise
import TestKit
import Testing

@Suite struct QueryFuzzReplayTests {
  private func files(_ folder: String) throws -> [[UInt8]] {
    try FileManager.default.contentsOfDirectory(atPath: "\(checkout)/Fuzz/\(folder)").filter { !$0.hasPrefix(".") }
      .sorted().map { Array(try Data(contentsOf: URL(fileURLWithPath: "\(checkout)/Fuzz/\(folder)/\($0)"))) }
  }

  @Test(arguments: ["Corpus", "Regressions"])
  func statements(folder: String) throws {
    let files = try files("\(folder)/FuzzSQL")
    for bytes in files { StatementExercise.run(bytes) }
    #expect(folder == "Regressions" || files.count >= 14)
  }

  @Test(arguments: ["Corpus", "Regressions"])
  func expressions(folder: String) throws {
    let files = try files("\(folder)/FuzzExpression")
    for bytes in files { FunctionExercise.run(bytes) }
    #expect(folder == "Regressions" || files.count >= 10)
  }

  /// Each as the whole of a server meets it: parsed, bound, optimised. Wide ones have answers, deep ones 54001.
  @Test func deepStatementsAreAnsweredOrRefused() throws {
    func fault(_ sql: String) -> Fault? { StatementExercise.run(Array(sql.utf8)) }
    func chain(_ head: String, _ part: String, _ count: Int) -> String { head + String(repeating: part, count: count) }
    #expect(fault(chain("SELECT n FROM m WHERE n = 0", " AND n <> 1", 10_000)) == nil)
    #expect(fault(chain("SELECT n FROM m WHERE n = 0", " OR big = 1", 10_000)) == nil)
    #expect(fault(chain("SELECT n FROM m WHERE n IN (1", ", 2", 10_000) + ")") == nil)
    let refused = [
      chain("SELECT 1", "+1", 10_000), chain("SELECT 1", " UNION ALL SELECT 1", 10_000),
      String(repeating: "(", count: 100_000) + "SELECT 1" + String(repeating: ")", count: 100_000),
      "SELECT " + String(repeating: "(", count: 100_000) + "1" + String(repeating: ")", count: 100_000),
      chain("SELECT ", "NOT ", 100_000) + "true", chain("SELECT series", " || series", 10_000) + " FROM m",
      chain("SELECT * FROM m", " NATURAL JOIN s", 10_000), chain("SELECT n FROM m WHERE n = (", "SELECT (", 50_000),
      chain("SELECT ", "CASE WHEN true THEN ", 10_000) + "1" + String(repeating: " END", count: 10_000),
    ]
    for sql in refused {
      let fault = try #require(fault(sql), "\(sql.prefix(60))")
      #expect(fault.state == .statementTooComplex || fault.state == .syntaxError, "\(sql.prefix(60)): \(fault)")
    }
    // As deep as is allowed, and as wide: stacks of the threads that plan are enough.
    for count in [100, 240, 400, 480] {
      _ = fault(chain("SELECT 1", "+1", count))
      _ = fault(chain("SELECT 1", " UNION ALL SELECT 1", count))
      _ = fault(chain("SELECT n", " + n", count) + " FROM m")
    }
  }
}
