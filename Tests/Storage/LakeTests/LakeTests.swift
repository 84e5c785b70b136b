import Bedrock
import Columnar
import EventSchema
import Foundation
import Lake
import ObjectStore
import Runtime
import StorageContract
import Synchronization
import TestKit
import Testing

@Suite("Lake tables")
struct LakeTests {
  let folder: TemporaryFolder
  let store: RecordingObjectStore
  var options = LakeOptions()

  init() throws {
    folder = try TemporaryFolder("lake")
    store = RecordingObjectStore(try LocalObjectStore(path: folder.file("data")))
  }

  func lake() -> Lake { Lake(store: store, clock: .system, options: options) }
  func table(_ lake: Lake? = nil) throws -> LakeTable {
    try (lake ?? self.lake()).table(domain: "iot", entity: "measurement")
  }
  var tableFolder: String { folder.file("data/lake/iot/measurement") }

  private func byPosition(_ rows: [[Scalar]]) -> [[Scalar]] {
    rows.sorted { ($0[SystemColumn.position].integer ?? 0) < ($1[SystemColumn.position].integer ?? 0) }
  }

  @Test("a table that does not exist is empty at version -1")
  func absent() throws {
    let snapshot = try table().refresh()
    #expect(snapshot.version == -1 && snapshot.fileCount == 0 && snapshot.rowCount == 0)
    #expect(snapshot.transactionVersion(appID: Fixture.appID) == nil)
    #expect(try snapshot.rows().rows.isEmpty)
  }

  @Test("what is flushed is read back equal by a fresh lake, sorted by published")
  func roundTrip() throws {
    let rows = Fixture.rows(1..<2_001)
    #expect(try table().flush(rows, expected: nil, version: 2_000) == .committed(deltaVersion: 0))
    let snapshot = try table().refresh()
    #expect(snapshot.version == 0 && snapshot.rowCount == 2_000 && snapshot.fileCount == 1)
    #expect(snapshot.transactionVersion(appID: Fixture.appID) == 2_000)
    #expect(snapshot.domainMetadata("cramped.tier") == "{\"schema\":1}")
    let (read, summary) = try snapshot.rows()
    #expect(byPosition(read) == rows)
    let published = read.map { $0[SystemColumn.published].integer ?? 0 }
    #expect(published == published.sorted())
    #expect(summary.rows == 2_000 && summary.bytes > 0 && summary.bytes < snapshot.byteCount)
    #expect(try snapshot.rows(Fixture.schema, ["_pos", "value"]).rows.count == 2_000)
    #expect(try snapshot.rows(Fixture.schema, []).rows.count == 2_000, "count(*) reads no column")
  }

  @Test("files are durable before the commit that names them, and the commit is the last step")
  func order() throws {
    _ = try table().flush(Fixture.rows(1..<10), expected: nil, version: 9)
    #expect(store.events.count == 2)
    #expect(store.events.first?.hasPrefix("publish part-") == true)
    #expect(store.events.last == "commit 00000000000000000000.json")
  }

  @Test("several files and row groups: pruned by the log's and the footers' statistics, never wrongly")
  func pruning() throws {
    var small = self
    small.options.fileBytesTarget = 20_000
    small.options.rowGroupRowsMax = 200
    let table = try small.table()
    let rows = Fixture.rows(1..<4_001)
    _ = try table.flush(rows, expected: nil, version: 4_000)
    let snapshot = table.current
    #expect(snapshot.fileCount > 3)
    #expect(byPosition(try snapshot.rows().rows) == rows)

    let schema = Fixture.schema
    func check(_ name: String, _ test: ColumnPredicate.Test, _ keep: (Scalar) -> Bool) throws -> TierScanSummary {
      let column = try #require(schema.column(named: name))
      let predicate = ColumnPredicate(column: column, test: test)
      let (read, summary) = try snapshot.rows(schema, nil, [predicate])
      let index = try #require(Fixture.lakeColumns(schema).firstIndex { $0.name == name })
      let wanted = rows.filter { keep($0[index]) }
      #expect(byPosition(read.filter { keep($0[index]) }) == wanted)
      return summary
    }
    let cut = Fixture.start + 3_900_000
    let recent = try check("published", .compare(.greaterOrEqual, .integer(cut))) { ($0.integer ?? 0) >= cut }
    #expect(recent.units[0].read == 1 && recent.units[0].total == snapshot.fileCount)
    #expect(recent.units[1].read < recent.units[1].total)
    let point = try check("_pos", .compare(.equal, .integer(77))) { $0.integer == 77 }
    #expect(point.units[1].read <= 3)
    let none = try check("sequence", .anyOf([.integer(-1), .integer(-5)])) { _ in false }
    #expect(none.rows == 0 && none.units[0].read == 0)
    _ = try check("series", .compare(.equal, .text("series-3"))) { $0.text == "series-3" }
    #expect(try check("series", .compare(.greater, .text("t"))) { _ in false }.rows == 0)
    #expect(try check("series", .isNull) { $0.isNull }.rows == 0)
    _ = try check("value", .compare(.less, .float(0))) { ($0.float ?? 1) < 0 }
    #expect(try check("value", .compare(.greater, .float(1e10))) { _ in false }.rows == 0)
    _ = try check("metadata", .isNotNull) { !$0.isNull }
    let all = try check("email", .compare(.equal, .text("nobody"))) { _ in false }
    #expect(all.rows == 4_000, "personal columns prune nothing")
  }

  @Test("inside a row group the page index leaves out pages, never rows that pass")
  func pages() throws {
    let table = try table()
    let rows = 100_000
    let columns = [
      Fixture.schema.columns[SystemColumn.sequence], Fixture.schema.columns[SystemColumn.published],
      try #require(Fixture.schema.columns.first { $0.name == "series" }),
      try #require(Fixture.schema.columns.first { $0.name == "number" }),
    ]
    let writer = try table.writer(schema: Fixture.schema)
    let lakeColumns = Fixture.lakeColumns(Fixture.schema)
    let chunk = Chunk(
      columns: lakeColumns.map { column in
        ColumnBuilder.column(
          column.type,
          (0..<rows).map { row in
            switch column.name {
            case "sequence", "_pos": .integer(Int64(row))
            case "published", "received": .integer(Int64(row) * 1_000)
            case "series", "name": .text("s\(row % 5)")
            case "number": row % 80_000 < 40_000 ? .integer(Int64(row)) : .null
            default: .null
            }
          })
      }, rowCount: rows)
    try writer.append(chunk)
    let files = try writer.finish()
    _ = try table.commit(
      LakeCommit(files: files, schema: Fixture.schema, appID: Fixture.appID, expectedVersion: nil, version: 1))
    func read(_ name: String, _ test: ColumnPredicate.Test) throws -> [[Scalar]] {
      let column = try #require(Fixture.schema.column(named: name))
      return try table.current.rows(
        Fixture.schema, columns.map(\.name), [ColumnPredicate(column: column, test: test)]
      ).rows
    }
    func check(_ read: [[Scalar]], _ wanted: Range<Int64>) {
      #expect(read.count < rows)
      let sequences = read.map { $0[0].integer ?? -1 }
      #expect(sequences == sequences.sorted() && Set(sequences).isSuperset(of: wanted))
      for row in read {
        let sequence = row[0].integer ?? -1
        let isNull = sequence % 80_000 >= 40_000
        #expect(
          row == [
            .integer(sequence), .integer(sequence * 1_000), .text("s\(sequence % 5)"),
            isNull ? .null : .integer(sequence),
          ])
      }
    }
    check(try read("published", .compare(.greater, .integer(99_000_000))), 99_001..<100_000)
    check(try read("published", .compare(.equal, .integer(50_000_000))), 50_000..<50_001)
    check(try read("published", .anyOf([.integer(1_000), .integer(99_999_000)])), 1..<2)
    check(try read("number", .compare(.less, .integer(5))), 0..<5)
    check(try read("number", .isNotNull), 0..<40_000)
  }

  @Test("a column that comes later is null in older files")
  func evolution() throws {
    let table = try table()
    _ = try table.flush(Fixture.rows(1..<101), expected: nil, version: 100)
    let newer = Fixture.rows(101..<201, Fixture.nextSchema)
    #expect(
      try table.flush(newer, schema: Fixture.nextSchema, expected: 100, version: 200) == .committed(deltaVersion: 1))
    let read = byPosition(try self.table().refresh().rows(Fixture.nextSchema).rows)
    #expect(read.count == 200)
    #expect(read[0..<100].allSatisfy { $0[$0.count - 1].isNull })
    #expect(Array(read[100...]) == newer)
    #expect(read[0..<100].map { Array($0.dropLast()) } == Fixture.rows(1..<101))
    // A writer that still has the old schema does not take the column away.
    _ = try table.flush(Fixture.rows(201..<211), expected: 200, version: 210)
    #expect(try self.table().refresh().rows(Fixture.nextSchema).rows.count == 210)
    let snapshot = try self.table().refresh()
    let column = try #require(Fixture.nextSchema.column(named: "added"))
    let (nulls, summary) = try snapshot.rows(
      Fixture.nextSchema, nil, [ColumnPredicate(column: column, test: .isNotNull)])
    #expect(byPosition(nulls) == newer.filter { $0.last?.isNull == false })
    #expect(summary.rows == 100, "row groups without the column hold only nulls")
  }

  @Test("a column that changed its type is refused")
  func changedType() throws {
    let table = try table()
    _ = try table.flush(Fixture.rows(1..<3), expected: nil, version: 2)
    var columns = Fixture.schema.columns
    columns[columns.count - 1] = TableColumn(
      fieldID: columns[columns.count - 1].fieldID, name: "at", type: .text, isNullable: true)
    let changed = TableSchema(domain: "iot", entity: "measurement", version: 2, events: [], columns: columns)
    let refusal = fault { () throws(Fault) in
      _ = try table.commit(
        LakeCommit(files: [], schema: changed, appID: Fixture.appID, expectedVersion: 2, version: 3))
    }
    #expect(refusal?.state == .invalidSchemaDefinition)
    #expect(try table.refresh().version == 0)
  }

  @Test("an empty range still moves S")
  func emptyCommit() throws {
    let table = try table()
    _ = try table.flush(Fixture.rows(1..<3), expected: nil, version: 2)
    #expect(try table.flush([], expected: 2, version: 50) == .committed(deltaVersion: 1))
    #expect(try self.table().refresh().transactionVersion(appID: Fixture.appID) == 50)
    #expect(try self.table().refresh().rowCount == 2)
  }

  @Test("a zombie flusher is fenced, and its files are dropped")
  func fencing() throws {
    let first = try table(), zombie = try table()
    _ = try first.flush(Fixture.rows(1..<11), expected: nil, version: 10)
    _ = try zombie.refresh()
    _ = try first.flush(Fixture.rows(11..<21), expected: 10, version: 20)
    #expect(try zombie.flush(Fixture.rows(11..<16), expected: 10, version: 15) == .fenced(transactionVersion: 20))
    let again = try zombie.flush(Fixture.rows(11..<21), expected: 10, version: 20)
    #expect(again == .alreadyCommitted(deltaVersion: 1))
    #expect(try table().refresh().rows().rows.count == 20)
    let files = try FileManager.default.contentsOfDirectory(atPath: tableFolder).filter { $0.hasPrefix("part-") }
    #expect(files.count == 2, "the files of the fenced flusher are gone")
  }

  @Test("a commit whose outcome was unknown is found again, and its files are kept")
  func unknownOutcome() throws {
    let table = try table()
    let rows = Fixture.rows(1..<11)
    let writer = try table.writer(schema: Fixture.schema)
    try writer.append(Fixture.chunk(rows))
    let commit = LakeCommit(
      files: try writer.finish(), schema: Fixture.schema, appID: Fixture.appID, expectedVersion: nil, version: 10)
    store.failAfterWriting("lake/iot/measurement/_delta_log/00000000000000000000.json")
    #expect(fault { () throws(Fault) in _ = try table.commit(commit) }?.state == .ioError)
    #expect(try table.commit(commit) == .alreadyCommitted(deltaVersion: 0))
    #expect(byPosition(try self.table().refresh().rows().rows) == rows)
  }

  @Test("blind appenders of one table rebase on each other: all rows, no row twice")
  func concurrentCommits() throws {
    let writers = 4, rounds = 6
    let failures = Mutex<[String]>([])
    let lakes = (0..<writers).map { _ in lake() }
    let threads = (0..<writers).map { writer in
      let lake = lakes[writer]
      return WorkerThread {
        do throws(Fault) {
          let table = try lake.table(domain: "iot", entity: "measurement")
          for round in 0..<rounds {
            let start = Int64(writer * 1_000 + round * 10)
            let outcome = try table.flush(
              Fixture.rows(start..<(start + 10)), appID: "app-\(writer)", expected: round == 0 ? nil : Int64(round - 1),
              version: Int64(round))
            if case .committed = outcome { continue }
            failures.withLock { $0.append("\(outcome)") }
          }
        } catch { failures.withLock { $0.append("\(error)") } }
      }
    }
    for thread in threads { thread.join() }
    #expect(failures.withLock { $0 } == [])
    let snapshot = try table().refresh()
    #expect(snapshot.version == Int64(writers * rounds - 1))
    let positions = try snapshot.rows(Fixture.schema, ["_pos"]).rows.map { $0[0].integer ?? -1 }
    #expect(positions.count == writers * rounds * 10 && Set(positions).count == positions.count)
    for writer in 0..<writers { #expect(snapshot.transactionVersion(appID: "app-\(writer)") == Int64(rounds - 1)) }
  }

  @Test("files of a crashed flush and of an abandoned writer are not seen")
  func orphans() throws {
    let table = try table()
    _ = try table.flush(Fixture.rows(1..<11), expected: nil, version: 10)
    let crashed = try table.writer(schema: Fixture.schema)
    try crashed.append(Fixture.chunk(Fixture.rows(11..<21)))
    #expect(try crashed.finish().count == 1)
    #expect(try self.table().refresh().rows().rows.count == 10)
    do {
      let abandoned = try table.writer(schema: Fixture.schema)
      try abandoned.append(Fixture.chunk(Fixture.rows(21..<31)))
    }
    let files = try FileManager.default.contentsOfDirectory(atPath: tableFolder).filter { $0.hasPrefix("part-") }
    #expect(files.count == 2)
  }

  @Test("no personal value is in the log")
  func personal() throws {
    let table = try table()
    _ = try table.flush(Fixture.rows(1..<101), expected: nil, version: 100)
    let log = try String(contentsOfFile: tableFolder + "/_delta_log/00000000000000000000.json", encoding: .utf8)
    #expect(log.contains("series-0") && !log.contains("example.org") && !log.contains("person1"))
    #expect(!log.contains(#"\"email\":0"#), "not even how many are null")
  }

  @Test("in-commit timestamps rise although the clock falls")
  func timestamps() throws {
    let (clock, set) = Clock.manual(startMicros: 5_000_000_000)
    let lake = Lake(store: store, clock: clock)
    let table = try lake.table(domain: "iot", entity: "measurement")
    _ = try table.flush(Fixture.rows(1..<2), expected: nil, version: 1)
    set(1_000_000_000)
    _ = try table.flush(Fixture.rows(2..<3), expected: 1, version: 2)
    let log = try String(contentsOfFile: tableFolder + "/_delta_log/00000000000000000001.json", encoding: .utf8)
    #expect(log.hasPrefix(#"{"commitInfo":{"inCommitTimestamp":5000001,"#))
  }

  @Test("one lake gives one object for a table; footers are read again when the cache is too small for them")
  func caches() throws {
    var tiny = self
    tiny.options.footerCacheBytesMax = 0
    let lake = tiny.lake()
    let table = try tiny.table(lake)
    #expect(try tiny.table(lake) === table)
    _ = try table.flush(Fixture.rows(1..<11), expected: nil, version: 10)
    #expect(try table.current.rows().rows.count == 10)
    #expect(throws: Fault.self) { try lake.table(domain: "..", entity: "x") }
  }

  @Test("a log without a whole state is refused: what is damaged is named")
  func damaged() throws {
    let folder = "lake/iot/measurement/_delta_log"
    try store.put(path("\(folder)/00000000000000000000.json"), Array("{".utf8))
    let damage = #expect(throws: Fault.self) { try table().refresh() }
    #expect(damage?.kind == .corrupt && damage?.detail?.contains("Version 0") == true)
    try store.put(path("\(folder)/00000000000000000010.checkpoint.parquet"), [1])
    let refusal = #expect(throws: Fault.self) { try table().refresh() }
    #expect(refusal?.kind == .corrupt && refusal?.detail?.contains("Checkpoint 10") == true)
    try store.delete(path("\(folder)/00000000000000000010.checkpoint.parquet"))
    try store.put(path("\(folder)/00000000000000000002.json"), Array("{}".utf8))
    let gap = #expect(throws: Fault.self) { try table().refresh() }
    #expect(gap?.kind == .corrupt && gap?.message.contains("gap") == true)
  }

  @Test("a data file that is not what the log says is a fault with its path, not a trap")
  func damagedFile() throws {
    let table = try table()
    _ = try table.flush(Fixture.rows(1..<101), expected: nil, version: 100)
    let name = try #require(
      try FileManager.default.contentsOfDirectory(atPath: tableFolder).first { $0.hasPrefix("part-") })
    let file = tableFolder + "/" + name
    var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
    for index in stride(from: 10, to: bytes.count / 2, by: 7) { bytes[index] ^= 0x5A }
    try bytes.write(to: URL(fileURLWithPath: file))
    let damage = #expect(throws: Fault.self) { try self.table().refresh().rows() }
    #expect(damage?.detail?.contains(name) == true)
    try FileManager.default.removeItem(atPath: file)
    #expect(throws: Fault.self) { try self.table().refresh().rows() }
  }
}
