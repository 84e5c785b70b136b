// Real input: all 47 series of the shared NAB data go through NATS, half of them into the lake, and every answer over
// both tiers equals PostgreSQL 15's over the same rows.

import Foundation
import TestKit
import Testing

@Suite("Real series over both tiers", .serialized)
struct RealSeriesTests {
  static let folder: String? = sharedFolder.map { "\($0)/data/nab" }

  static func seriesFiles(_ folder: String) throws -> [String] {
    let walk = try #require(FileManager.default.enumerator(atPath: folder))
    return walk.compactMap { $0 as? String }.filter { $0.hasSuffix(".csv") }.sorted().map { "\(folder)/\($0)" }
  }

  /// `realTweets/Twitter_volume_AAPL.csv` is series `Twitter_volume_AAPL`.
  static func series(_ file: String) -> String {
    URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
  }

  /// The rows as PostgreSQL's COPY reads them, numbered as `cramped publish` numbers them.
  static func writeRows(_ files: [String], to path: String) throws -> Int {
    var out = ""
    var sequence = 0
    for file in files {
      let text = try String(contentsOfFile: file, encoding: .utf8)
      for line in text.split(whereSeparator: \.isNewline).dropFirst() {
        let fields = line.split(separator: ",", maxSplits: 1)
        sequence += 1
        out += "\(sequence),\(fields[0])+00,\(series(file)),\(fields[1])\n"
      }
    }
    try out.write(toFile: path, atomically: true, encoding: .utf8)
    return sequence
  }

  static let queries = [
    "SELECT count(*), min(sequence), max(sequence), sum(sequence), count(DISTINCT series) FROM iot.measurement",
    "SELECT series, count(*) FROM iot.measurement GROUP BY series ORDER BY series",
    """
    SELECT series, date_trunc('day', published) AS day, min(value), max(value), avg(value), count(*)
    FROM iot.measurement GROUP BY 1, 2 ORDER BY 1, 2
    """,
    "SELECT value, published, series FROM iot.measurement ORDER BY value DESC, published, series LIMIT 10",
    """
    SELECT date_trunc('minute', published) AS minute, count(*), min(value), max(value), avg(value)
    FROM iot.measurement WHERE series = 'nyc_taxi' GROUP BY 1 ORDER BY 1
    """,
    """
    SELECT series, extract(hour FROM published) AS hour, avg(value) FROM iot.measurement
    WHERE series LIKE 'Twitter%' AND published < '2015-03-05' GROUP BY 1, 2 HAVING count(*) > 10 ORDER BY 1, 2
    """,
    """
    WITH daily AS (SELECT series, date_trunc('day', published) AS day, max(value) AS top
                   FROM iot.measurement GROUP BY 1, 2)
    SELECT m.series, m.published, m.value FROM iot.measurement m
    JOIN daily d ON d.series = m.series AND d.day = date_trunc('day', m.published) AND d.top = m.value
    WHERE m.series IN ('speed_7578', 'TravelTime_451') ORDER BY 1, 2, 3
    """,
    """
    SELECT CASE WHEN value < 10 THEN 'low' WHEN value < 1000 THEN 'middle' ELSE 'high' END AS band,
           count(*), count(DISTINCT series) FROM iot.measurement GROUP BY 1 ORDER BY 1
    """,
    """
    SELECT series, published, value FROM iot.measurement WHERE series = 'machine_temperature_system_failure'
    AND published >= timestamptz '2014-01-01 00:00:00+00' AND published < timestamptz '2014-01-01' + interval '3 hours'
    ORDER BY published, sequence OFFSET 5 LIMIT 20
    """,
  ]

  @Test(.enabled(if: folder != nil && PostgresCluster.binaries != nil, "the shared NAB data and PostgreSQL 15 are needed"))
  func answersEqualPostgreSQL() throws {
    let files = try Self.seriesFiles(try #require(Self.folder))
    #expect(files.count == 47)
    let folder = try TemporaryFolder("series")
    let nats = try NATSServer(folder: folder)
    defer { nats.stop() }
    let server = try CrampedServer(folder: folder, natsURL: nats.url, settings: ["CRAMPED_FLUSH_AGE_SECONDS": "86400"])

    let total = try Self.writeRows(files, to: folder.file("rows.csv"))
    let half = files.count / 2
    let firstRows = try Self.writeRows(Array(files[..<half]), to: folder.file("first.csv"))
    func publish(_ files: ArraySlice<String>, from sequence: Int) throws {
      let published = try server.command(
        ["publish", "--nats", nats.url, "--event", "iot.measurement.recorded", "--published", "timestamp",
          "--map", "value=value", "--set", "series={file}", "--sequence-start", "\(sequence)"] + files)
      #expect(published.status == 0, "\(published.errorOutput)")
    }
    func waitForRows(_ count: Int) throws {
      try eventually("\(count) rows are visible", seconds: 120) {
        try server.query("SELECT count(*) FROM iot.measurement") == "\(count)\n"
      }
    }
    try publish(files[..<half], from: 1)
    try waitForRows(firstRows)
    _ = try server.query("CALL cramped.flush('iot.measurement')")
    try publish(files[half...], from: firstRows + 1)
    try waitForRows(total)
    #expect(
      try server.query("SELECT lake_rows, hot_rows FROM cramped.tables WHERE domain = 'iot' AND entity = 'measurement'")
        == "\(firstRows)|\(total - firstRows)\n")

    let oracle = try PostgresCluster()
    defer { oracle.stop() }
    _ = try oracle.query(
      """
      CREATE SCHEMA iot; CREATE TABLE iot.measurement (sequence bigint, published timestamptz, series text, value float8)
      """)
    let copied = try oracle.psql(["-c", "\\copy iot.measurement from '\(folder.file("rows.csv"))' with (format csv)"])
    #expect(copied.status == 0, "\(copied.errorOutput)")

    for query in Self.queries {
      let ours = try server.query("SET TimeZone = 'UTC'; " + query)
      let theirs = try oracle.query("SET TimeZone = 'UTC'; " + query)
      let difference = Rows.difference(ours, theirs)
      #expect(difference == nil, "\(query)\n\(difference ?? "")")
    }
    #expect(server.stop() == 0)
  }
}
