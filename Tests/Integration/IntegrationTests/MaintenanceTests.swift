// Upkeep of a running server: many small flushes, jobs by CALL and by themselves, other engines reading along, and
// kill -9 in the middle of jobs.

import Foundation
import TestKit
import Testing

@Suite("Maintenance", .serialized)
struct MaintenanceTests {
  let folder: TemporaryFolder
  let nats: NATSServer
  let server: CrampedServer

  init() throws {
    folder = try TemporaryFolder("maintenance")
    nats = try NATSServer(folder: folder)
    server = try CrampedServer(
      folder: folder, natsURL: nats.url,
      settings: [
        // Flushes only when a test asks for them; jobs look every second.
        "CRAMPED_FLUSH_AGE_SECONDS": "3600", "CRAMPED_JOBS_CHECK_SECONDS": "1", "CRAMPED_JOBS_CPU_PERCENT": "0",
      ])
  }

  private var tablePath: String { folder.file("data/lake/iot/measurement") }

  private func publish(_ sequences: ClosedRange<Int>) throws {
    let lines = sequences.map { sequence in
      """
      {"event":"iot.measurement.recorded","sequence":\(sequence),\
      "metadata":{"published":\(1_700_000_000_000_000 + sequence * 1_000)},\
      "content":{"series":"series-\(sequence % 7)","value":\(sequence % 100)}}
      """
    }
    let file = folder.file("events-\(sequences.lowerBound).ndjson")
    try (lines.joined(separator: "\n") + "\n").write(toFile: file, atomically: true, encoding: .utf8)
    let result = try server.command(["publish", "--nats", nats.url, file])
    #expect(result.status == 0, "\(result.errorOutput)")
    try eventually("the events up to \(sequences.upperBound) are in") {
      try server.query("SELECT max(sequence) FROM iot.measurement") == "\(sequences.upperBound)\n"
    }
  }

  /// `flushes` files of 50 rows each, from sequence `first` on; returns the last sequence.
  @discardableResult
  private func feed(flushes: Int, from first: Int = 1) throws -> Int {
    for flush in 0..<flushes {
      try publish(first + flush * 50...first + flush * 50 + 49)
      _ = try server.query("CALL cramped.flush('iot.measurement')")
    }
    return first + flushes * 50 - 1
  }

  private func lakeFiles() throws -> Int {
    let text = try server.query("SELECT lake_files FROM cramped.tables WHERE domain = 'iot' AND entity = 'measurement'")
    return Int(text.dropLast()) ?? -1
  }

  /// Every row once, by SQL and by two other engines.
  private func expectRows(_ count: Int) throws {
    let sequenceSum = count * (count + 1) / 2
    let valueSum = (1...count).reduce(0) { $0 + $1 % 100 }
    #expect(
      try server.query(
        "SELECT count(*), count(DISTINCT sequence), sum(sequence), sum(value)::bigint FROM iot.measurement")
        == "\(count)|\(count)|\(sequenceSum)|\(valueSum)\n")
    let read = try ChildProcess.run(
      "python3", ["\(checkout)/Tests/Integration/IntegrationTests/Oracle/read_delta.py", tablePath])
    #expect(read.status == 0, "\(read.errorOutput)")
    let expected = "\(count) \(count) \(sequenceSum) \(valueSum)"
    #expect(read.output == "deltalake \(expected)\nduckdb \(expected)\n")
  }

  @Test(.timeLimit(.minutes(3)))
  func jobsAreSeenCalledAndDueByThemselves() throws {
    defer { nats.stop() }
    try feed(flushes: 10)
    // Ten files of one size are due without anybody asking.
    try eventually("compaction has run") { try lakeFiles() < 8 }
    try feed(flushes: 3, from: 501)
    _ = try server.query("CALL cramped.compact('iot.measurement')")
    #expect(try lakeFiles() == 1)
    try expectRows(650)
    let jobs = try server.query(
      "SELECT kind, state, by_call, attempts FROM cramped.jobs WHERE kind = 'compact' ORDER BY id DESC LIMIT 1")
    #expect(jobs == "compact|finished|t|1\n")
    #expect(try server.query("SELECT count(*) FROM cramped.jobs WHERE kind = 'flush' AND rows = 50") == "13\n")

    // Statistics: of the lake, without personal values.
    _ = try server.query("CALL cramped.analyze('iot.measurement')")
    #expect(
      try server.query(
        "SELECT lake_rows, distinct_values, null_fraction FROM cramped.statistics WHERE \"column\" = 'series'")
        == "650|7|0\n")

    // Checkpoint, vacuum, clean-up.
    _ = try server.query("CALL cramped.checkpoint('iot.measurement')")
    let dry = try server.psql(["-c", "CALL cramped.vacuum('iot.measurement', retention => '0 hours', dry_run => true)"])
    #expect(dry.errorOutput.contains("would be removed"), "\(dry.errorOutput)")
    func dataFiles() throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: tablePath).filter { $0.hasSuffix(".parquet") }.count
    }
    #expect(try dataFiles() > 10)
    _ = try server.query("CALL cramped.vacuum('iot.measurement', '0 hours')")
    #expect(try dataFiles() == 1)
    _ = try server.query("CALL cramped.cleanup('iot.measurement')")
    try expectRows(650)

    // Mistakes are told in words that help.
    for (call, words) in [
      ("CALL cramped.compact('no.such')", "event table \"no.such\" does not exist"),
      ("CALL cramped.compact(NULL)", "must not be null"), ("CALL cramped.cancel_job(999999)", "there is no job 999999"),
      ("CALL cramped.vacuum('iot.measurement', '-1 hours')", "must not be negative"),
      ("CALL cramped.cancel_job(1)", "has ended"),
    ] {
      let refused = try server.psql(["-c", call])
      #expect(refused.status != 0 && refused.errorOutput.contains(words), "\(call): \(refused.errorOutput)")
    }
    // History is there after a restart, and so are the statistics.
    try server.restart()
    #expect(try server.query("SELECT count(*) > 2 FROM cramped.jobs WHERE state = 'finished'") == "t\n")
    #expect(try server.query("SELECT lake_rows FROM cramped.statistics WHERE \"column\" = 'series'") == "650\n")
    #expect(server.stop() == 0)
  }

  @Test(.timeLimit(.minutes(3)))
  func killsInTheMiddleOfJobsLoseAndDoubleNothing() throws {
    defer { nats.stop() }
    var last = 0
    for (point, call) in [
      ("compact.file_published", "CALL cramped.compact('iot.measurement')"),
      ("compact.files_written", "CALL cramped.compact('iot.measurement')"),
      ("compact.committed", "CALL cramped.compact('iot.measurement')"),
      ("lake.checkpoint_published", "CALL cramped.checkpoint('iot.measurement')"),
      ("lake.vacuuming:3", "CALL cramped.vacuum('iot.measurement', '0 hours')"),
    ] {
      last = try feed(flushes: 3, from: last + 1)
      if call.contains("vacuum") { _ = try server.query("CALL cramped.compact('iot.measurement')") }
      try server.restart(settings: ["CRAMPED_FAULT_POINT": point, "CRAMPED_JOBS_THREADS": "0"])
      _ = try server.psql(["-c", call])
      try eventually("the server has died at \(point)") { !server.isRunning }
      try server.restart()
      #expect(
        try server.query("SELECT count(*), count(DISTINCT sequence), max(sequence) FROM iot.measurement")
          == "\(last)|\(last)|\(last)\n", "after \(point)")
    }
    // What was cut off is done now, and nothing of it is left over.
    _ = try server.query("CALL cramped.compact('iot.measurement')")
    #expect(try lakeFiles() == 1)
    try expectRows(last)
    #expect(try server.query("SELECT count(*) FROM cramped.jobs WHERE state = 'failed'") == "0\n")
    #expect(server.stop() == 0)
  }
}
