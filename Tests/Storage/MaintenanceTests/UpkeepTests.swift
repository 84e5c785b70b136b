// Jobs over a real engine and a real lake.

import Bedrock
import Columnar
import EventSchema
import Lake
import Runtime
import StorageContract
import StorageEngine
import Synchronization
import Testing

@testable import Maintenance

@Suite struct UpkeepTests {
  /// The promise of the lake: small flushes without end, few files, and no reader that ever sees another number than the
  /// rows there are.
  @Test(.timeLimit(.minutes(5)))
  func aThousandFlushesEndInOneFileWhileReadersNeverWaver() throws {
    let fixture = try MaintenanceFixture("thousand", clock: .system) {
      $0.jobs.threads = 1
      $0.jobs.checkMicros = 20_000
      $0.statisticsEveryMicros = .max
    }
    let flushes: Int64 = 1_000
    let rows: Int64 = 12
    let appended = Atomic<Int64>(0)
    let isDone = Atomic<Bool>(false)
    let reads = Atomic<Int>(0)
    let complaints = Mutex<[String]>([])
    let engine = fixture.engine, id = fixture.table.id
    let readers = (0..<2).map { _ in
      WorkerThread {
        while !isDone.load(ordering: .acquiring) {
          let atLeast = appended.load(ordering: .acquiring)
          do throws(Fault) {
            let (count, sum, distinct) = try MaintenanceFixture.count(engine, id)
            let atMost = appended.load(ordering: .acquiring) + rows
            let isWhole = count == Int64(distinct) && sum == count * (count + 1) / 2 && count % rows == 0
            if count < atLeast || count > atMost || !isWhole {
              complaints.withLock { $0.append("\(atLeast)...\(atMost): \(count) rows, \(distinct) distinct, sum \(sum)") }
            }
          } catch {
            complaints.withLock { $0.append("\(error)") }
          }
          reads.add(1, ordering: .relaxed)
        }
      }
    }
    fixture.maintenance.start()
    for flush in 0..<flushes {
      try fixture.append(1 + flush * rows, rows)
      appended.store((flush + 1) * rows, ordering: .releasing)
      try fixture.flush()
    }
    let whileFed = try fixture.lakeFiles
    #expect(fixture.maintenance.scheduler.jobs.contains { $0.kind == .compact && $0.state == .finished })
    #expect(whileFed < 200, "compaction kept up: \(whileFed) files")
    try fixture.run(.compact)
    isDone.store(true, ordering: .releasing)
    for reader in readers { reader.join() }
    #expect(complaints.withLock { Array($0.prefix(3)) } == [])
    #expect(reads.load(ordering: .relaxed) > 20)
    try fixture.reopen()
    #expect(try fixture.lakeFiles == 1)
    let end = try fixture.count()
    #expect(end.rows == flushes * rows && end.distinct == Int(flushes * rows))
  }

  @Test func compactionByCallIsAJobWithProgress() throws {
    let fixture = try MaintenanceFixture("compact")
    #expect(try fixture.run(.compact).result?.contains("nothing to do") == true)
    try fixture.feed(flushes: 5, rows: 20)
    let job = try fixture.run(.compact)
    #expect(job.state == .finished && job.progress.rows == 100 && job.progress.rowsTotal == 100 && job.attempts == 1)
    #expect(job.result?.hasPrefix("5 files of") == true && job.result?.hasSuffix("in 1 commits") == true)
    #expect(try fixture.lakeFiles == 1 && fixture.count().rows == 100)
    #expect(try fixture.run(.compact).result == "nothing to do")
    #expect(throws: Fault.self) { try fixture.run(.compact, table: "no.such") }
    // The history survives.
    try fixture.reopen()
    #expect(fixture.maintenance.scheduler.jobs.filter { $0.kind == .compact && $0.state == .finished }.count == 3)
  }

  @Test func flushesAreShownAsJobs() throws {
    let fixture = try MaintenanceFixture("flush-rows")
    fixture.maintenance.start()
    try fixture.feed(flushes: 2, rows: 10)
    let rows = fixture.maintenance.scheduler.jobs.filter { $0.kind == .flush }
    #expect(rows.count == 2 && rows.allSatisfy { $0.state == .finished && $0.progress.rows == 10 })
    #expect(rows.last?.result == "10 rows to 1 files, Delta version 1")
  }

  @Test func whatIsDueIsFound() throws {
    let fixture = try MaintenanceFixture("due") {
      $0.statisticsEveryMicros = .max
      $0.vacuumEveryMicros = .max
    }
    try fixture.feed(flushes: 7, rows: 5)
    fixture.maintenance.scheduler.look()
    #expect(!fixture.maintenance.scheduler.jobs.contains { $0.kind == .compact })
    try fixture.append(36, 5)
    try fixture.flush()
    fixture.maintenance.scheduler.look()
    #expect(fixture.maintenance.scheduler.jobs.contains { $0.kind == .compact && $0.state == .queued })
    // The first turn of a scheduler is a look of its own.
    _ = fixture.maintenance.scheduler.runNext()
    #expect(fixture.maintenance.scheduler.runNext())
    #expect(try fixture.lakeFiles == 1)
  }

  @Test func checkpointsCleanupsAndVacuumsTellHowFarTheyAre() throws {
    let fixture = try MaintenanceFixture("progress") {
      $0.vacuumRetentionMicros = 0
      $0.logRetentionMicros = 0
    }
    try fixture.feed(flushes: 6, rows: 20)
    let compaction = try fixture.run(.compact)
    #expect(compaction.progress.files == 6 && compaction.progress.filesTotal == 6)
    fixture.setClock(MaintenanceFixture.start + 60_000_000)
    let checkpoint = try fixture.run(.checkpoint)
    #expect(checkpoint.progress.actions > 8 && checkpoint.progress.actionsTotal ?? 0 > 8)
    #expect(checkpoint.progress.bytes > 0 && checkpoint.result?.contains("\(checkpoint.progress.actions) actions") == true)
    let vacuum = try fixture.run(.vacuum)
    #expect(vacuum.progress.filesListed == 7 && vacuum.progress.files == 6 && vacuum.progress.filesTotal == 6)
    #expect(vacuum.progress.bytes > 0 && vacuum.progress.bytes == vacuum.progress.bytesTotal)
    try fixture.append(121, 5)
    try fixture.flush()
    fixture.setClock(MaintenanceFixture.start + 120_000_000)
    let cleanup = try fixture.run(.cleanup)
    #expect(cleanup.progress.files > 5 && cleanup.progress.files == cleanup.progress.filesTotal ?? 0)
    let statistics = try fixture.run(.statistics)
    #expect(statistics.progress.files == 2 && statistics.progress.filesTotal == 2)
    #expect(try fixture.count().rows == 125)
    // All of it survives a restart.
    let before = fixture.maintenance.scheduler.jobs
    try fixture.reopen()
    #expect(fixture.maintenance.scheduler.jobs.map(\.progress) == before.map(\.progress))
  }

  @Test func vacuumSparesTheStatementThatStillReads() throws {
    let fixture = try MaintenanceFixture("vacuum-reader") { $0.vacuumRetentionMicros = 0 }
    try fixture.feed(flushes: 6, rows: 30)
    do {
      // A statement has read the first of six files when all of them are replaced.
      let snapshot = try fixture.engine.snapshot()
      let scan = try snapshot.scan(ScanRequest(table: fixture.table.id, columns: [SystemColumn.sequence]))
      var rows = 0
      for morsel in 0..<scan.morselCount {
        let reader = try scan.open(morsel: morsel)
        while let chunk = try reader.next() { rows += chunk.rowCount }
        if morsel > 0 { continue }
        try fixture.run(.compact)
        fixture.setClock(MaintenanceFixture.start + 60_000_000)
        #expect(try fixture.run(.vacuum).result == "nothing to do")
        #expect(try fixture.count().rows == 180)
      }
      #expect(rows == 180)
    }
    #expect(try fixture.run(.vacuum).progress.files == 6)
    #expect(try fixture.count().rows == 180)
  }

  @Test func aChangeOfKeysIsAJobInSteps() throws {
    let fixture = try MaintenanceFixture("cluster-keys") {
      $0.compaction.tierFilesMin = 100
      $0.compaction.idleMicros = .max
      $0.statisticsEveryMicros = 1
      $0.vacuumEveryMicros = .max
    }
    try fixture.feed(flushes: 5, rows: 40)
    fixture.clustering.domains["iot"] = LakeClustering(columns: ["series", "value"])
    try fixture.reopen()
    func layouts() throws -> [String] { try fixture.maintenance.snapshot(fixture.table).files.map(\.layoutText) }
    _ = try layouts()
    fixture.maintenance.scheduler.look()
    #expect(fixture.maintenance.scheduler.jobs.contains { $0.kind == .cluster && $0.state == .queued })
    #expect(try fixture.run(.cluster, full: false).progress.files == 5)
    #expect(try Set(layouts()) == ["hilbert(series, value)"] && fixture.count().rows == 200)
    #expect(try fixture.run(.cluster, full: false).result == "nothing to do")
    // New flushes and their compaction lie so too.
    for flush in Int64(0)..<3 {
      try fixture.append(201 + flush * 10, 10)
      try fixture.flush()
    }
    try fixture.run(.compact)
    #expect(try Set(layouts()) == ["hilbert(series, value)"] && fixture.count().rows == 230)
    // A key that the table lacks: by published, and whoever asks is told why.
    fixture.clustering.domains["iot"] = LakeClustering(columns: ["kind"])
    try fixture.reopen()
    let job = try fixture.run(.cluster, full: false)
    #expect(job.result?.contains("by published, because personal column \"kind\"") == true, "\(job.result ?? "")")
    #expect(try Set(layouts()) == ["published"] && fixture.count().rows == 230)
  }

  // MARK: Retention

  @Test func hotRowsStayAsLongAsToldAndAreReadOnce() throws {
    var retention = RetentionSettings()
    retention.usual.hotMicros = 60_000_000
    let fixture = try MaintenanceFixture("hot", retention: retention)
    try fixture.append(1, 100)
    try fixture.flush()
    #expect(try fixture.count().rows == 100)
    // Still there: a second event with a known sequence is compared with the first.
    try fixture.append(101, 50)
    #expect(try fixture.count().rows == 150)
    #expect(!fixture.engine.hasExpiredHot(table: fixture.table.id))
    #expect(try fixture.run(.retention).result == "nothing to do")
    // Chunks of before and after the flush are never merged into one.
    try fixture.reopen()
    #expect(try fixture.count().rows == 150)
    fixture.setClock(MaintenanceFixture.start + 61_000_000)
    #expect(fixture.engine.hasExpiredHot(table: fixture.table.id))
    #expect(try fixture.run(.retention).result == "100 flushed rows left the hot tier")
    // The other rows are as old, but in the lake they are not.
    #expect(try fixture.count().rows == 150)
    try fixture.flush()
    #expect(try fixture.count().rows == 150 && fixture.count().distinct == 150)
  }

  @Test func lakeRowsLeaveByTheirClock() throws {
    var retention = RetentionSettings()
    retention.domains["iot"] = RetentionPolicy(lakeMicros: 1_000_000)
    let fixture = try MaintenanceFixture("lake-clock", retention: retention)
    try fixture.feed(flushes: 4, rows: 500)
    #expect(try fixture.run(.retention).result == "nothing to do")
    // Rows were published 1 ms apart; the slack is a tenth of a second.
    fixture.setClock(MaintenanceFixture.start + 1_000_000 + 750_000)
    let job = try fixture.run(.retention)
    #expect(job.result?.hasPrefix("lake: 2 files") == true, "\(job.result ?? "")")
    let left = try fixture.count()
    #expect(left.rows == 2_000 - 749 && left.distinct == 2_000 - 749)
    // Nothing unflushed is dropped, however old.
    try fixture.append(2_001, 10)
    fixture.setClock(MaintenanceFixture.start + 900_000_000)
    _ = try fixture.run(.retention)
    #expect(try fixture.count().rows == 10)
    try fixture.flush()
    try fixture.reopen()
    #expect(try fixture.count().rows == 10)
    _ = try fixture.run(.retention)
    #expect(try fixture.count().rows == 0)
  }

  @Test func errorRowsLeaveByTheClockOfTheirDomain() throws {
    var retention = RetentionSettings()
    retention.usual.errorsMicros = 100_000_000
    retention.domains["iot"] = RetentionPolicy(errorsMicros: 10_000_000)
    let fixture = try MaintenanceFixture("errors", retention: retention)
    func error(_ position: Int64, _ domain: String?) -> ErrorRow {
      ErrorRow(
        position: Position(raw: position), domain: domain, code: "undecodable", stage: "decode", message: "bad",
        subject: "events.x", stream: "EVENTS", receivedMicros: MaintenanceFixture.start + position, sealedPayload: [1])
    }
    func domains() throws -> [String?] {
      let system = try #require(fixture.engine.tables().first { $0.schema == "cramped" && $0.name == "errors" })
      let scan = try fixture.engine.snapshot().scan(ScanRequest(table: system.id, columns: [1]))
      var found: [String?] = []
      for morsel in 0..<scan.morselCount {
        let reader = try scan.open(morsel: morsel)
        while let chunk = try reader.next() { for row in 0..<chunk.rowCount { found.append(chunk.columns[0].scalar(at: row).text) } }
      }
      return found
    }
    try fixture.append(1, 0, errors: [error(1, "iot"), error(2, nil), error(3, "shop")])
    try fixture.append(4, 0, errors: [error(4, "iot")])
    #expect(!fixture.engine.hasExpiredErrors)
    fixture.setClock(MaintenanceFixture.start + 11_000_000)
    #expect(fixture.engine.hasExpiredErrors)
    #expect(try fixture.run(.retention, table: "cramped.errors").result == "2 error rows left")
    #expect(try domains().count == 2 && !domains().contains("iot"))
    #expect(!fixture.engine.hasExpiredErrors)
    fixture.setClock(MaintenanceFixture.start + 101_000_000)
    _ = try fixture.run(.retention, table: "cramped.errors")
    #expect(try domains().isEmpty)
    try fixture.reopen()
    #expect(try domains().isEmpty)
  }

  // MARK: Statistics

  @Test func statisticsDescribeTheLake() throws {
    let fixture = try MaintenanceFixture("statistics")
    try fixture.feed(flushes: 3, rows: 3_000)
    let job = try fixture.run(.statistics)
    #expect(job.progress.rows == 9_000)
    let known = try #require(fixture.maintenance.statistics().first).statistics
    #expect(known.rowCount == 9_000 && known.sampledRows == 1_000)
    let schema = fixture.table.schema
    func column(_ name: String) throws -> ColumnStatistics {
      let index = try #require(schema.column(named: name))
      return try #require(known.columns[schema.columns[index].fieldID])
    }
    let sequence = try column("sequence")
    #expect(abs(sequence.distinctCount - 9_000) < 900 && sequence.nullFraction == 0)
    #expect(sequence.min == .integer(1) && sequence.max == .integer(9_000))
    #expect(sequence.histogram.count == 33 && sequence.commonValues.isEmpty)
    let middle = try #require(sequence.histogram[16].integer)
    #expect(abs(middle - 4_500) < 900)
    let series = try column("series")
    #expect(series.distinctCount == 10 && series.commonValues.count == 10)
    #expect(series.commonValues.allSatisfy { abs($0.fraction - 0.1) < 0.05 })
    // Personal values are in no statistics.
    let kind = try #require(schema.column(named: "kind"))
    #expect(schema.columns[kind].isPersonal && known.columns[schema.columns[kind].fieldID] == nil)
    // The planner gets them, and so does the next start.
    let described = try #require(fixture.engine.tables().first { $0.name == "measurement" })
    #expect(described.statistics == known && described.estimatedRows == 9_000)
    // Compacted files hold nothing new.
    try fixture.run(.compact)
    #expect(try fixture.run(.statistics).progress.rows == 0)
    try fixture.append(9_001, 100)
    try fixture.flush()
    #expect(try fixture.run(.statistics).progress.rows == 100)
    try fixture.reopen()
    #expect(try fixture.run(.statistics).progress.rows == 0)
    #expect(fixture.maintenance.statistics().first?.statistics.rowCount == 9_100)
  }

  @Test func sketchesCountWithinTheirError() throws {
    var generator = SeededGenerator(seed: 3)
    for count in [1, 10, 1_000, 5_000, 20_000, 300_000] {
      var sketch = DistinctSketch()
      var other = DistinctSketch()
      var hashes = (0..<count).map { _ in generator.next() }
      sketch.add(hashes)
      hashes.shuffle(using: &generator)
      other.add(Array(hashes.prefix(count / 2)))
      sketch.add(hashes)
      let error = abs(Double(sketch.estimate) - Double(count)) / Double(count)
      #expect(error < 0.06, "\(count): \(sketch.estimate)")
      var joined = other
      joined.merge(sketch)
      #expect(joined == sketch)
      #expect(try DistinctSketch(registers: sketch.registers) == sketch)
    }
    #expect(DistinctSketch().estimate == 0)
    #expect(throws: Fault.self) { try DistinctSketch(registers: [1]) }
  }

  @Test func analysesComeBackAsTheyWere() throws {
    var analysis = TableAnalysis(columns: [1, 16])
    let values = [
      ColumnBuilder.column(.int8, (0..<2_000).map { .integer(Int64($0)) }),
      ColumnBuilder.column(
        .text, (0..<2_000).map { $0 % 7 == 0 ? .null : .text(String(repeating: "ä", count: $0 % 90)) }),
    ]
    let times = ColumnBuilder.column(.timestamptz, (0..<2_000).map { .integer(Int64($0)) })
    analysis.add(values, published: times, position: values[0])
    analysis.cover(path: "lake/a.parquet")
    #expect(try TableAnalysis(encoded: analysis.encoded) == analysis)
    let bytes = analysis.encoded
    for length in stride(from: 0, to: bytes.count, by: 997) {
      #expect(throws: Fault.self) { try TableAnalysis(encoded: Array(bytes.prefix(length))) }
    }
    // Rows seen again change nothing.
    var again = analysis
    again.add(values, published: times, position: values[0])
    #expect(again == analysis)
    again.prune(live: [], publishedFrom: 1_000)
    #expect(!again.covers(path: "lake/a.parquet") && again.sample.rows.allSatisfy { $0.published >= 1_000 })
  }
}
