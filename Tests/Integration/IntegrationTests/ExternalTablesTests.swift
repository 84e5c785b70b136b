// Tables of others, and earlier versions of our own, through psql against a running server.

import Foundation
import TestKit
import Testing

private let canWrite: Bool = {
  guard let result = try? ChildProcess.run("python3", ["-c", "import deltalake, pyarrow"]) else { return false }
  return result.status == 0
}()

@Suite("External tables", .serialized, .enabled(if: canWrite, "python3 has no deltalake and pyarrow"))
struct ExternalTablesTests {
  let folder: TemporaryFolder
  let server: CrampedServer
  var root: String { folder.file("data/external") }

  init() throws {
    folder = try TemporaryFolder("external")
    server = try CrampedServer(folder: folder, natsURL: nil)
  }

  func write(_ what: String) throws {
    let script = "\(checkout)/Tests/Integration/IntegrationTests/Oracle/write_external.py"
    let result = try ChildProcess.run("python3", [script, what, root])
    try #require(result.status == 0, "\(result.errorOutput)")
  }

  /// The SQLSTATE that psql reports.
  func state(_ sql: String) throws -> String {
    let result = try server.psql(["-v", "VERBOSITY=sqlstate", "-c", sql])
    return result.errorOutput.split(separator: " ").last.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) } ?? ""
  }

  @Test func parquetFilesAreQueriedInPlace() throws {
    defer { server.stop() }
    try write("files")
    let sales = "read_parquet('sales/**/*.parquet')"
    #expect(try server.query("SELECT count(*), sum(id), max(amount), min(at) FROM \(sales)")
      == "4000|1998000|9.99|2025-01-01 00:00:00+00\n")
    #expect(try server.query("SELECT year, country, count(note) FROM \(sales) GROUP BY 1, 2 ORDER BY 1, 2")
      == "2025|de|0\n2025|fr|0\n2026|de|1000\n2026|fr|1000\n")
    #expect(try server.query("SELECT who->>'name', (who->>'age')::int, tags, tags[1], m->>'a' FROM \(sales) WHERE id = 5 AND year = 2026 AND country = 'de'")
      == "n5|5|{t2,x}|t2|5\n")
    #expect(try server.query("SELECT count(DISTINCT filename) FROM read_parquet('sales', filename => true)") == "4\n")
    #expect(try server.query("SELECT count(*) FROM read_parquet('\(root)/sales/year=202[56]/country={de,xx}/*')") == "2000\n")
    let plan = try server.query("EXPLAIN SELECT id FROM \(sales) WHERE year = 2026 AND id > 900")
    #expect(plan.contains("Foreign Scan on read_parquet"), "\(plan)")
    #expect(plan.contains("parquet: files: 2 of"), "\(plan)")
    #expect(plan.contains("Pruning: "), "\(plan)")
    #expect(try state("SELECT * FROM read_parquet('nothing.parquet')") == "58P01")
    #expect(try state("SELECT * FROM read_parquet('text.parquet')") == "42809")
    #expect(try state("SELECT * FROM read_parquet('damaged.parquet')") == "XX001")
    #expect(try state("SELECT * FROM read_parquet('/etc/passwd')") == "42501")
    #expect(try state("SELECT * FROM read_parquet('../keys/keyring')") == "42501")
    #expect(try state("SELECT * FROM read_parquet('s3://bucket/key')") == "42501")
  }

  @Test func foreignDeltaTablesFollowTheirWriters() throws {
    defer { server.stop() }
    try write("delta")
    _ = try server.query("CREATE FOREIGN TABLE prices () SERVER delta OPTIONS (location 'dt')")
    #expect(try server.query("SELECT count(*), sum(id) FROM prices") == "4|8\n")
    #expect(try server.query("SELECT id, day, v, s, st->>'a', st->'b'->>0 FROM prices WHERE day = '2026-01-01' LIMIT 1")
      == "1|2026-01-01|1.5|a|1|x\n")
    for (version, count) in [(0, 3), (1, 6), (2, 4)] {
      #expect(try server.query("SELECT count(*) FROM public.\"prices@v\(version)\"") == "\(count)\n")
      #expect(try server.query("SELECT count(*) FROM read_delta('dt', version => \(version))") == "\(count)\n")
    }
    #expect(try server.query("SELECT count(*) FROM read_delta('dt', as_of => now())") == "4\n")
    let plan = try server.query("EXPLAIN SELECT id FROM prices WHERE day = '2026-01-01'")
    #expect(plan.contains("Source: Delta table \(root)/dt, version 2") && plan.contains("delta: files: 2 of"), "\(plan)")
    try write("append")
    #expect(try server.query("SELECT count(*) FROM prices") == "5\n")
    #expect(try state("SELECT * FROM \"prices@v9\"") == "42704")
    #expect(try state("SELECT * FROM read_delta('dt', as_of => '2001-01-01')") == "72000")
    #expect(try state("CREATE FOREIGN TABLE p () SERVER delta OPTIONS (location 'nowhere')") == "58P01")
    #expect(try state("CREATE SERVER s FOREIGN DATA WRAPPER delta") == "0A000")
    // Kept over a restart, shown by psql.
    try server.restart()
    #expect(try server.query("SELECT count(*) FROM prices") == "5\n")
    func squeezed(_ command: String) throws -> String {
      try server.psql(["-P", "pager=off", "-c", command]).output.split(separator: "\n")
        .map { $0.split(separator: " ").joined(separator: " ") }.joined(separator: "\n")
    }
    #expect(try squeezed("\\det+").contains("public | prices | delta | (location 'dt')"))
    #expect(try squeezed("\\d prices").contains("Foreign table \"public.prices\""))
    #expect(try squeezed("\\d prices").contains("day | date | | |"))
    #expect(try squeezed("\\d prices").contains("Server: delta"))
    #expect(try squeezed("\\d").contains("public | prices | foreign table | cramped"))
    _ = try server.query("DROP FOREIGN TABLE prices")
    #expect(try state("SELECT * FROM prices") == "42P01")
  }

  @Test func damageOfDefinitionsIsReported() throws {
    server.stop()
    try FileManager.default.createDirectory(atPath: folder.file("data/catalog"), withIntermediateDirectories: true)
    try "{".write(toFile: folder.file("data/catalog/foreign_tables.json"), atomically: true, encoding: .utf8)
    try server.restart(waits: false)
    #expect(server.wait() != 0)
    #expect(server.log.contains("foreign_tables.json"))
  }
}

@Suite("Time travel", .serialized)
struct TimeTravelTests {
  let folder: TemporaryFolder
  let nats: NATSServer
  let server: CrampedServer

  init() throws {
    folder = try TemporaryFolder("travel")
    nats = try NATSServer(folder: folder)
    server = try CrampedServer(folder: folder, natsURL: nats.url)
  }

  func publish(_ range: ClosedRange<Int>) throws {
    let lines = range.map { sequence in
      """
      {"event":"iot.measurement.recorded","sequence":\(sequence),"metadata":{"published":\(1_700_000_000_000_000 + sequence)},\
      "content":{"series":"s","value":\(sequence)}}
      """
    }
    let file = folder.file("events-\(range.lowerBound).ndjson")
    try (lines.joined(separator: "\n") + "\n").write(toFile: file, atomically: true, encoding: .utf8)
    let result = try server.command(["publish", "--nats", nats.url, file])
    try #require(result.status == 0, "\(result.errorOutput)")
    try eventually("\(range.upperBound) rows") {
      try server.query("SELECT count(*) FROM iot.measurement") == "\(range.upperBound)\n"
    }
  }

  func state(_ sql: String) throws -> String {
    let result = try server.psql(["-v", "VERBOSITY=sqlstate", "-c", sql])
    return result.errorOutput.split(separator: " ").last.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) } ?? ""
  }

  @Test func versionsAnswerAsTheyDid() throws {
    defer { nats.stop() }
    #expect(try state("SELECT * FROM iot.\"measurement@v0\"") == "42704")
    var answers: [String] = []
    for step in 0..<3 {
      try publish((step * 100 + 1)...(step * 100 + 100))
      _ = try server.query("CALL cramped.flush('iot.measurement')")
      answers.append(try server.query("SELECT count(*), sum(value), max(sequence) FROM iot.measurement"))
    }
    try publish(301...310)
    for (version, answer) in answers.enumerated() {
      #expect(try server.query("SELECT count(*), sum(value), max(sequence) FROM iot.\"measurement@v\(version)\"") == answer)
      #expect(try server.query("SET cramped.as_of = \(version); SELECT count(*), sum(value), max(sequence) FROM iot.measurement_recorded") == answer)
    }
    let time = try server.query(
      "SELECT timestamp FROM cramped.table_versions WHERE \"table\" = 'iot.measurement' AND version = 1")
      .trimmingCharacters(in: .newlines)
    #expect(try server.query("SELECT count(*) FROM iot.\"measurement@\(time)\"") == "200\n")
    #expect(try server.query("SET cramped.as_of = '\(time)'; SELECT count(*) FROM iot.measurement") == "200\n")
    #expect(try state("SET cramped.as_of = 99; SELECT count(*) FROM iot.measurement") == "42704")
    #expect(try server.query("SELECT count(*) FROM iot.measurement") == "310\n")
    _ = try server.query("CALL cramped.name_version('iot.measurement', 'closing', 0)")
    #expect(try server.query("SELECT count(*) FROM iot.\"measurement@closing\"") == "100\n")
    #expect(try server.query(
      "SELECT operation, files_added, rows_added, bytes_added > 0, names FROM cramped.table_versions WHERE \"table\" = 'iot.measurement' AND version < 2 ORDER BY version")
      == "WRITE|1|100|t|{closing}\nWRITE|1|100|t|\n")
    #expect(try server.query(
      "SELECT rows, version_added, min_published < max_published, sorted_by, deleted_rows FROM cramped.files WHERE \"table\" = 'iot.measurement' ORDER BY version_added")
      == "100|0|t|published|0\n100|1|t|published|0\n100|2|t|published|0\n")
    _ = try server.query("CALL cramped.drop_version_name('iot.measurement', 'closing')")
    #expect(try state("SELECT * FROM iot.\"measurement@closing\"") == "42704")
    #expect(try state("CALL cramped.name_version('iot.measurement', 'v7')") == "22023")
    #expect(try server.query(
      "SELECT count(*) FROM iot.measurement m JOIN read_delta('\(folder.file("data/lake/iot/measurement"))', version => 0) d USING (sequence)")
      == "100\n")
  }
}
