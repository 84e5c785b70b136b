// A short run of the differential test: random queries over hot, flushed, split and moving data against PostgreSQL 15.
// `Tests/SQL/differential/differential.py --count 200000` is the long one.

import Foundation
import TestKit
import Testing

@Suite struct RandomQueriesTests {
  private static let script = "\(checkout)/Tests/SQL/differential/differential.py"

  @Test(.enabled(if: PostgresCluster.binaries != nil && hasDriver, "PostgreSQL 15 and psycopg are needed"))
  func answersEqualPostgreSQL() throws {
    let run = try ChildProcess.run(
      "python3", [Self.script, "--cramped", CrampedServer.program, "--count", "150", "--per-seed", "75", "--rows", "60"])
    #expect(run.status == 0, "\(run.output.suffix(4_000))\(run.errorOutput.suffix(2_000))")
    #expect(run.output.contains("150 queries"))
  }

  private static let hasDriver =
    (try? ChildProcess.run("python3", ["-c", "import psycopg"]).status) == 0  // no python3 is no driver
}
