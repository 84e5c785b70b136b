// The recorded answers are PostgreSQL's. With CRAMPED_RECORD_SQL=1 they are written anew.

import Foundation
import TestKit
import Testing

@Suite("Recorded answers", .enabled(if: PostgresCluster.binaries != nil, "PostgreSQL 15 is not installed"))
struct OracleTests {
  @Test func equalThoseOfPostgreSQL() throws {
    let oracle = try Oracle()
    let isRecording = ProcessInfo.processInfo.environment["CRAMPED_RECORD_SQL"] == "1"
    for var file in try QueryFile.all() {
      let answers = try oracle.answers(to: file.queries)
      if isRecording {
        for index in file.queries.indices {
          var answer = answers[index]
          if file.queries[index].isSorted, case .rows(let columns, let rows) = answer {
            answer = .rows(columns: columns, rows: rows.sorted())
          }
          file.queries[index].answer = answer
        }
        try file.write()
        continue
      }
      let name = URL(fileURLWithPath: file.path).lastPathComponent
      for (query, answer) in zip(file.queries, answers) {
        guard let recorded = query.answer else {
          Issue.record("\(name):\(query.line) has no recorded answer")
          continue
        }
        #expect(
          AnswerComparison.difference(recorded, answer, sorted: query.isSorted, approximate: query.isApproximate) == nil,
          "\(name):\(query.line)\n\(query.sql)")
      }
    }
  }
}
