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

  @Test func whatOthersCommitIsInTheNextStatement() throws {
    defer { nats.stop() }
    try publish(1...100)
    _ = try server.query("CALL cramped.flush('iot.measurement')")
    try publish(101...110)
    #expect(try counts() == "110|0|6105\n")
    // Positions far behind ours: the rows are others', not a repetition of events.
    _ = try write("append", "9000000", "2")
    #expect(try counts() == "112|2|6105\n")
    _ = try write("insert", "9000002", "3")
    #expect(try counts() == "115|5|6105\n")
    #expect(try server.query("SELECT count(*) FROM iot.measurement WHERE sequence = 90000010") == "1\n")
    #expect(try write("delete", "value > 90 and value <= 95") == "5\n")
    #expect(try counts() == "110|5|5640\n")
    #expect(try server.query("SELECT count(*) FROM iot.measurement WHERE value BETWEEN 88 AND 97") == "5\n")
    // One session sees it as well, between two of its statements; a pinned snapshot stays what it is.
    let session = try server.psql([
      "-At", "-c", "BEGIN ISOLATION LEVEL REPEATABLE READ", "-c", "SELECT count(*) FROM iot.measurement",
      "-c", "\\! python3 \(script) append \(table) 9000005 1", "-c", "SELECT count(*) FROM iot.measurement",
      "-c", "COMMIT", "-c", "SELECT count(*) FROM iot.measurement",
    ])
    #expect(session.output == "110\n110\n111\n", "\(session.output)\(session.errorOutput)")
    // Our own flush goes on behind what others committed, and nothing is lost or twice.
    _ = try server.query("CALL cramped.flush('iot.measurement')")
    #expect(try counts() == "111|6|5640\n")
    try publish(111...120)
    #expect(try counts() == "121|6|6795\n")
    try server.restart()
    #expect(try counts() == "121|6|6795\n")
    _ = try server.query("CALL cramped.flush('iot.measurement')")
    #expect(try counts() == "121|6|6795\n")
    #expect(try server.query("SELECT lake_rows FROM cramped.tables WHERE domain = 'iot' AND entity = 'measurement'") == "121\n")
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
