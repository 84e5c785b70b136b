// Our answers are PostgreSQL's: every query of Tests/SQL, over tables of several chunks with and without dictionaries.

import Foundation
import TestKit
import Testing

@Suite("SQL answers")
struct DifferentialTests {
  /// Queries that are known to answer otherwise, by file; each has a reason in Tests/SQL/known-differences.txt.
  private static func knownDifferences() throws -> Set<String> {
    let path = "\(checkout)/Tests/SQL/known-differences.txt"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    return Set(text.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") })
  }

  /// Windows put rows of several threads in order: the answer is that of one thread.
  @Test(arguments: [1, 3, 8]) func windowsAreTheSameForAnyNumberOfThreads(_ threadCount: Int) throws {
    let runner = QueryRunner(threadCount: threadCount)
    for file in try QueryFile.all() {
      let name = URL(fileURLWithPath: file.path).lastPathComponent
      guard ["window.slt", "grouping.slt", "ordered_set.slt"].contains(name) else { continue }
      for query in file.queries where query.sql.contains("FROM measurement") {
        guard let expected = query.answer else { continue }
        let difference = AnswerComparison.difference(
          expected, runner.answer(query.sql), sorted: query.isSorted, approximate: query.isApproximate)
        #expect(difference == nil, "\(name):\(query.line)\n\(query.sql)")
      }
    }
  }

  @Test func equalPostgreSQLs() throws {
    let runner = QueryRunner()
    let known = try Self.knownDifferences()
    var report = ""
    for file in try QueryFile.all() {
      let name = URL(fileURLWithPath: file.path).lastPathComponent
      var failures = 0
      for query in file.queries {
        guard let expected = query.answer else { continue }
        let key = "\(name) \(query.sql.replacing("\n", with: " "))"
        let difference = AnswerComparison.difference(
          expected, runner.answer(query.sql, zone: query.zone), sorted: query.isSorted, approximate: query.isApproximate)
        if let difference {
          failures += 1
          report += "\(key)\n     \(difference)\n"
          if !known.contains(key) { Issue.record("\(name):\(query.line)\n\(query.sql)\n\(difference)") }
        } else if known.contains(key) {
          Issue.record("\(key) is in known-differences.txt but answers as PostgreSQL does")
        }
      }
      if let path = ProcessInfo.processInfo.environment["CRAMPED_SQL_REPORT"] {
        try report.write(toFile: path, atomically: true, encoding: .utf8)
      }
      report += "== \(name): \(file.queries.count - failures) of \(file.queries.count) equal\n"
    }
    if let path = ProcessInfo.processInfo.environment["CRAMPED_SQL_REPORT"] {
      try report.write(toFile: path, atomically: true, encoding: .utf8)
    }
  }
}
