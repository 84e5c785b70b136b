// Other engines write to our own event tables while the server runs: the next statement sees it, without a restart.

import Foundation
import TestKit
import Testing

private let script = "\(checkout)/Tests/Support/read_delta.py"
private let writers: [String] = {
  // No Python at all is the same as a Python without the writers.
  guard let result = try? ChildProcess.run("python3", [script, "check"]), result.status == 0 else { return [] }
  return result.output.split(separator: "\n").map(String.init)
}()

@Suite("Foreign writers", .serialized, .enabled(if: writers.contains("DuckDB"), "python3 has no deltalake and duckdb"))
struct ForeignWritersTests {
  let folder: TemporaryFolder
  let nats: NATSServer
  let server: CrampedServer
  var table: String { folder.file("data/lake/iot/measurement") }

  init() throws {
    folder = try TemporaryFolder("writers")
    nats = try NATSServer(folder: folder)
    server = try CrampedServer(
      folder: folder, natsURL: nats.url,
      // Flushes and jobs only when the test asks for them: nothing but the statement itself can notice a change.
      settings: ["CRAMPED_FLUSH_AGE_SECONDS": "3600", "CRAMPED_JOBS_THREADS": "0"])
  }

  private init(folder: TemporaryFolder, nats: NATSServer, server: CrampedServer) {
    self.folder = folder
    self.nats = nats
    self.server = server
  }

  private func publish(_ sequences: ClosedRange<Int>) throws {
    let lines = sequences.map { sequence in
      """
      {"event":"iot.measurement.recorded","sequence":\(sequence),"metadata":{"published":\(1_700_000_000_000_000 + sequence)},\
      "content":{"series":"s-\(sequence % 5)","value":\(sequence)}}
      """
    }
    let file = folder.file("events-\(sequences.lowerBound).ndjson")
    try (lines.joined(separator: "\n") + "\n").write(toFile: file, atomically: true, encoding: .utf8)
    let result = try server.command(["publish", "--nats", nats.url, file])
    try #require(result.status == 0, "\(result.errorOutput)")
    try eventually("the events up to \(sequences.upperBound) are in") {
      try server.query("SELECT count(*) FROM iot.measurement WHERE sequence = \(sequences.upperBound)") == "1\n"
    }
  }

  private func write(_ command: String, _ arguments: String...) throws -> String {
    let result = try ChildProcess.run("python3", [script, command, table] + arguments)
    try #require(result.status == 0, "\(command): \(result.errorOutput)")
    return result.output
  }

  private func counts() throws -> String {
    try server.query("SELECT count(*), count(*) FILTER (WHERE name = 'foreign'), sum(value)::bigint FROM iot.measurement")
  }

  private func flush() throws { _ = try server.query("CALL cramped.flush('iot.measurement')") }

  @Test func whatDuckDBInsertsIsInTheNextStatement() throws {
    defer { nats.stop() }
    try publish(1...100)
    try flush()
    try publish(101...110)
    #expect(try counts() == "110|0|6105\n")
    // Positions far behind ours: the rows are others', not a repetition of events.
    _ = try write("insert", "9000000", "3")
    #expect(try counts() == "113|3|6105\n")
    #expect(try server.query("SELECT count(*) FROM iot.measurement WHERE sequence = 90000010") == "1\n")
    // delta-rs lacks features of our tables: it refuses to write, and what it refuses changes nothing.
    let refused = try ChildProcess.run("python3", [script, "append", table, "9000003", "1"])
    #expect(refused.status != 0 && refused.errorOutput.contains("InCommitTimestamp"), "\(refused.errorOutput)")
    #expect(try counts() == "113|3|6105\n")
    // A session sees it between two of its statements; a pinned snapshot stays what it is.
    let session = try server.psql([
      "-At", "-c", "BEGIN ISOLATION LEVEL REPEATABLE READ", "-c", "SELECT count(*) FROM iot.measurement",
      "-c", "\\! python3 \(script) insert \(table) 9000003 1 > /dev/null",
      "-c", "SELECT count(*) FROM iot.measurement", "-c", "COMMIT", "-c", "SELECT count(*) FROM iot.measurement",
    ])
    #expect(session.output == "113\n113\n114\n", "\(session.output)\(session.errorOutput)")
    try expectFlushesGoOn(rows: 114, foreign: 4, values: 6105)
  }

  @Test func whatDeltaRsAppendsAndDeletesIsInTheNextStatement() throws {
    defer { nats.stop() }
    // A table that delta-rs made, with our columns, has no feature that delta-rs cannot write.
    try publish(1...1)
    try flush()
    let schema = folder.file("schema.json")
    try write("schema").write(toFile: schema, atomically: true, encoding: .utf8)
    let other = try TemporaryFolder("writers")
    let otherNATS = try NATSServer(folder: other)
    defer { otherNATS.stop() }
    let made = other.file("data/lake/iot/measurement")
    let settings = ["CRAMPED_FLUSH_AGE_SECONDS": "3600", "CRAMPED_JOBS_THREADS": "0"]
    let second = try CrampedServer(folder: other, natsURL: otherNATS.url, settings: settings)
    let create = try ChildProcess.run("python3", [script, "create", made, schema])
    try #require(create.status == 0, "\(create.errorOutput)")
    let twin = ForeignWritersTests(folder: other, nats: otherNATS, server: second)
    try twin.publish(1...100)
    try twin.flush()
    try twin.publish(101...110)
    #expect(try twin.counts() == "110|0|6105\n")
    _ = try twin.write("append", "9000000", "2")
    #expect(try twin.counts() == "112|2|6105\n")
    #expect(try twin.write("delete", "value > 90 and value <= 95") == "5\n")
    #expect(try twin.counts() == "107|2|5640\n")
    #expect(try twin.server.query("SELECT count(*) FROM iot.measurement WHERE value BETWEEN 88 AND 97") == "5\n")
    try twin.expectFlushesGoOn(rows: 107, foreign: 2, values: 5640)
  }

  /// Our own flush goes on behind what others committed: nothing is lost or twice.
  private func expectFlushesGoOn(rows: Int, foreign: Int, values: Int) throws {
    try flush()
    #expect(try counts() == "\(rows)|\(foreign)|\(values)\n")
    try publish(111...120)
    let all = "\(rows + 10)|\(foreign)|\(values + 1155)\n"
    #expect(try counts() == all)
    try server.restart()
    #expect(try counts() == all)
    try flush()
    #expect(try counts() == all)
    #expect(try server.query("SELECT lake_rows FROM cramped.tables WHERE domain = 'iot' AND entity = 'measurement'") == "\(rows + 10)\n")
  }

  @Test func aCommitThatCannotBeReadFailsItsOwnTableOnly() throws {
    defer { nats.stop() }
    try publish(1...10)
    _ = try server.query("CALL cramped.flush('iot.measurement')")
    let next = try FileManager.default.contentsOfDirectory(atPath: "\(table)/_delta_log").filter { $0.hasSuffix(".json") }.count
    let entry = "\(table)/_delta_log/" + String(repeating: "0", count: 20 - "\(next)".count) + "\(next).json"
    try #"{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["levitation"],"writerFeatures":["levitation"]}}"#
      .write(toFile: entry, atomically: true, encoding: .utf8)
    let result = try server.psql(["-c", "SELECT count(*) FROM iot.measurement"])
    #expect(result.status != 0 && result.errorOutput.contains("levitation"), "\(result.output)\(result.errorOutput)")
    #expect(try server.query("SELECT count(*) FROM shop.order") == "0\n")
    try FileManager.default.removeItem(atPath: entry)
    #expect(try server.query("SELECT count(*) FROM iot.measurement") == "10\n")
  }
}
