// The whole path as a user meets it: NATS to psql, against a real nats-server.

import Foundation
import TestKit
import Testing

@Suite("First light", .serialized)
struct FirstLightTests {
  let folder: TemporaryFolder
  let nats: NATSServer
  let server: CrampedServer

  init() throws {
    folder = try TemporaryFolder("light")
    nats = try NATSServer(folder: folder)
    server = try CrampedServer(folder: folder, natsURL: nats.url)
  }

  func publish(_ lines: [String], arguments: [String] = []) throws {
    let file = folder.file("events-\(UUID().uuidString).ndjson")
    try (lines.joined(separator: "\n") + "\n").write(toFile: file, atomically: true, encoding: .utf8)
    let result = try server.command(["publish", "--nats", nats.url] + arguments + [file])
    #expect(result.status == 0, "\(result.errorOutput)")
  }

  func measurement(_ sequence: Int, micros: Int, series: String = "s", value: Double = 1) -> String {
    """
    {"event":"iot.measurement.recorded","sequence":\(sequence),"metadata":{"published":\(micros)},\
    "content":{"series":"\(series)","value":\(value)}}
    """
  }

  func waitForCount(_ count: Int, _ table: String = "iot.measurement") throws {
    try eventually("\(count) rows in \(table)") { try server.query("SELECT count(*) FROM \(table)") == "\(count)\n" }
  }

  @Test func identitiesAreHashedAndNamesAreNotStored() throws {
    defer { nats.stop() }
    try publish([
      """
      {"event":"user.identity.created","sequence":1,"metadata":{"published":"2026-11-23T08:00:00.123456Z","domain":"user",\
      "entity":"identity","name":"created","tenant":"acme"},"content":{"userId":"u-1","email":"canary@example.org",\
      "name":"Canary Name"}}
      """
    ])
    try waitForCount(1, "\"user\".identity")
    let row = try server.query(
      "SELECT sequence, name, published, metadata->>'tenant', user_id, length(email) FROM \"user\".identity_created")
    #expect(row == "1|created|2026-11-23 08:00:00.123456+00|acme|u-1|64\n")
    _ = try server.query("CALL cramped.flush('user.identity')")
    server.stop()
    // No raw value of an annotated field is anywhere on disk, in the lake or in the log.
    for canary in ["canary@example.org", "Canary Name"] {
      let found = try ChildProcess.run("grep", ["-r", "-l", "-F", canary, folder.file("data"), folder.file("cramped.err")])
      #expect(found.status == 1, "\(canary) is in \(found.output)")
    }
    #expect(server.log.contains("tokenize"), "the log says that tokenized fields are dropped")
  }

  @Test func aBadEventIsARowOfTheErrorLakeAndStopsNothing() throws {
    defer { nats.stop() }
    let now = 1_700_000_000_000_000
    try publish([
      measurement(1, micros: now),
      #"{"event":"iot.measurement.recorded","sequence":2,"metadata":{"published":1},"content":{"series":"s","value":"high"}}"#,
      #"{"event":"iot.nothing.known","sequence":3,"metadata":{"published":1},"content":{}}"#,
      measurement(4, micros: now),
    ])
    try waitForCount(2)
    try waitForCount(2, "cramped.errors")
    #expect(
      try server.query("SELECT sequence, code FROM cramped.errors ORDER BY sequence")
        == "2|schema_violation\n3|schema_not_found\n")
    #expect(try server.query("SELECT sequence FROM iot.measurement ORDER BY 1") == "1\n4\n")
    #expect(try server.query("SELECT count(*) FROM cramped.errors WHERE message LIKE '%high%'") == "0\n")
    #expect(
      try server.query("SELECT sum(received), sum(stored), sum(failed), sum(duplicate) FROM cramped.ledger") == "4|2|2|0\n")
  }

  @Test func redeliveryAndRestartsStoreOnce() throws {
    defer { nats.stop() }
    let lines = (1...500).map { measurement($0, micros: 1_700_000_000_000_000 + $0) }
    try publish(lines)
    try waitForCount(500)
    try server.restart()
    #expect(try server.query("SELECT count(*), sum(sequence) FROM iot.measurement") == "500|125250\n")
    // The same events again: new messages, known sequences. The broker's own window is sidestepped by a new stream id.
    try publish(lines, arguments: ["--without-message-ids"])
    try eventually("duplicates are counted") {
      try server.query("SELECT sum(duplicate) FROM cramped.ledger") == "500\n"
    }
    #expect(try server.query("SELECT count(*), sum(sequence) FROM iot.measurement") == "500|125250\n")
    // Same sequence, other content.
    try publish([measurement(7, micros: 1_700_000_000_000_007, value: 99)], arguments: ["--without-message-ids"])
    try eventually("the conflict is a row") {
      try server.query("SELECT code, sequence FROM cramped.errors") == "sequence_conflict|7\n"
    }
    // The event itself is kept, sealed.
    #expect(try server.query("SELECT subject, length(payload) > 50 FROM cramped.errors") == "events.iot.measurement.recorded|t\n")
    #expect(try server.query("SELECT value FROM iot.measurement WHERE sequence = 7") == "1\n")
  }

  @Test func anEventIsVisibleWithinASecond() throws {
    defer { nats.stop() }
    for sequence in 1...5 {
      let published = Date()
      try publish([measurement(sequence, micros: Int(published.timeIntervalSince1970 * 1_000_000), value: 2)])
      let after = Date()
      let query = """
        SELECT date_trunc('minute', published), count(*), avg(value) FROM iot.measurement
        WHERE published >= now() - interval '5 minutes' GROUP BY 1
        """
      try eventually("event \(sequence) is in its window") {
        try server.query("SELECT sum(n) FROM (\(query.replacingOccurrences(of: "count(*)", with: "count(*) AS n"))) w")
          == "\(sequence)\n"
      }
      // psql's own start counts too; the bound is the promise of one second after the publish command returned.
      #expect(Date().timeIntervalSince(after) < 1.0)
      #expect(try server.query(query).contains("|2\n"))
    }
  }

  @Test func explainShowsWhatEachTierReads() throws {
    defer { nats.stop() }
    try publish((1...100).map { measurement($0, micros: 1_700_000_000_000_000 + $0) })
    try waitForCount(100)
    _ = try server.query("CALL cramped.flush('iot.measurement')")
    try publish((101...120).map { measurement($0, micros: 1_800_000_000_000_000 + $0) })
    try waitForCount(120)
    let plan = try server.query("EXPLAIN SELECT count(*) FROM iot.measurement WHERE published > '2026-01-01'")
    #expect(plan.contains("lake") && plan.contains("hot"), "\(plan)")
    #expect(plan.contains("files: 0 of 1"), "the lake file is pruned by its statistics: \(plan)")
    #expect(try server.query("SELECT count(*) FROM iot.measurement WHERE published > '2026-01-01'") == "20\n")
  }

  @Test func psqlDescribesTables() throws {
    defer { nats.stop() }
    let list = try server.psql(["-c", "\\dt *.*"])
    #expect(list.status == 0, "\(list.errorOutput)")
    #expect(list.output.contains("measurement") && list.output.contains("identity"), "\(list.output)")
    let table = try server.psql(["-c", "\\d iot.measurement"])
    #expect(table.status == 0, "\(table.errorOutput)")
    for line in ["sequence", "bigint", "published", "timestamp with time zone", "double precision", "not null"] {
      #expect(table.output.contains(line), "\(line) in \(table.output)")
    }
    for command in ["\\d", "\\dn", "\\dv *.*", "\\l", "\\du", "\\df"] {
      let result = try server.psql(["-c", command])
      #expect(result.status == 0, "\(command): \(result.errorOutput)")
    }
  }

  @Test func errorsCarryStateAndPosition() throws {
    defer { nats.stop() }
    let cases = [
      ("SELECT nope FROM iot.measurement", "42703", "LINE 1: SELECT nope FROM iot.measurement\n               ^"),
      ("SELECT * FROM nowhere", "42P01", "LINE 1: SELECT * FROM nowhere\n                      ^"),
      ("SELECT 1 FORM x y", "42601", "LINE 1: SELECT 1 FORM x y"),
      ("SELECT 1/0", "22012", ""),
      ("SELECT 'x'::int", "22P02", "LINE 1: SELECT 'x'::int\n               ^"),
      ("SELECT series, count(*) FROM iot.measurement", "42803", "LINE 1: SELECT series"),
      ("DELETE FROM iot.measurement", "42809", "LINE 1: DELETE FROM iot.measurement"),
    ]
    for (sql, state, place) in cases {
      let result = try server.psql(["-v", "VERBOSITY=verbose", "-c", sql])
      #expect(result.status != 0)
      #expect(result.errorOutput.contains("ERROR:  \(state):"), "\(sql): \(result.errorOutput)")
      if !place.isEmpty { #expect(result.errorOutput.contains(place), "\(sql): \(result.errorOutput)") }
    }
    // The connection survives: bad, then good, in one session.
    let both = try server.psql(["-v", "ON_ERROR_STOP=0", "-At", "-c", "SELECT 1/0", "-c", "SELECT 7"])
    #expect(both.output == "7\n")
  }

  @Test func theDeltaTableIsReadBySomebodyElse() throws {
    defer { nats.stop() }
    try publish((1...2_000).map { measurement($0, micros: 1_700_000_000_000_000 + $0, value: Double($0 % 10)) })
    try waitForCount(2_000)
    _ = try server.query("CALL cramped.flush('iot.measurement')")
    server.stop()
    let read = try ChildProcess.run(
      "python3",
      ["\(checkout)/Tests/Integration/IntegrationTests/Oracle/read_delta.py", folder.file("data/lake/iot/measurement")])
    #expect(read.status == 0, "\(read.errorOutput)")
    #expect(read.output == "deltalake 2000 2000 2001000 9000\nduckdb 2000 2000 2001000 9000\n")
  }

  @Test func cancelStopsAStatement() throws {
    defer { nats.stop() }
    let result = try server.psql([
      "-v", "VERBOSITY=verbose", "-c",
      "SET statement_timeout = 200; SELECT count(*) FROM generate_series(1, 100000000) a, generate_series(1, 1000) b",
    ])
    #expect(result.errorOutput.contains("57014"), "\(result.errorOutput)")
    #expect(try server.query("SELECT 1") == "1\n")
  }
}
