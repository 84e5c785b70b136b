// The engine over the real lake: Parquet files in Delta tables on the local file system.

import Bedrock
import Columnar
import EventSchema
import Foundation
import Glibc
import HotTier
import Lake
import Logging
import ObjectStore
import Runtime
import StorageContract
import Testing

@testable import StorageEngine

@Suite struct LakeUnionTests {
  private final class Folder {
    let path = FileManager.default.temporaryDirectory.path + "/cramped-union-\(getpid())-\(Entropy.word())"
    init() throws {
      for part in ["hot", "cold"] {
        try FileManager.default.createDirectory(atPath: "\(path)/\(part)", withIntermediateDirectories: true)
      }
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }  // Only scratch data.

    func open(hook: (@Sendable (StaticString) throws(Fault) -> Void)? = nil) throws -> StorageEngine {
      try Self.open(path, hook: hook)
    }

    static func open(
      _ path: String, hook: (@Sendable (StaticString) throws(Fault) -> Void)? = nil
    ) throws -> StorageEngine {
      var log = Logger(label: "test")
      log.logLevel = .critical
      var options = StorageEngine.Options(
        hot: HotTier.Options(folder: "\(path)/hot"), log: log, flush: FlushSettings(checkIntervalMicros: 0))
      options.closeTimeoutMicros = 5_000_000
      options.faultHook = hook
      let lake = Lake(store: try LocalObjectStore(path: "\(path)/cold"), clock: .system)
      return try StorageEngine.open(options, cold: LakeColdTier(lake))
    }
  }

  private func batch(_ table: RegisteredTable, _ events: [Fixture.Event]) -> AppendBatch {
    AppendBatch(
      shard: Fixture.shard,
      mark: LogMark(
        position: Position(raw: events.map(\.position).max() ?? 0), messageTimeMicros: 0, checksum: 0,
        streamCreatedMicros: 0),
      tables: [
        TableAppend(
          table: table.id, schemaVersion: table.schema.version,
          chunk: Fixture.chunk(events, columns: table.schema.columns))
      ], errors: [])
  }

  private func run(_ table: RegisteredTable, _ range: Range<Int64>) -> AppendBatch {
    batch(table, range.map { Fixture.Event(sequence: $0, position: $0, value: Double($0)) })
  }

  private func byContent(_ rows: [[Scalar]]) -> [[Scalar]] { rows.sorted { ($0[0].integer ?? 0) < ($1[0].integer ?? 0) } }

  @Test func bothTiersGiveTheSameRows() throws {
    let folder = try Folder()
    var engine = try folder.open()
    let table = try engine.publish(Fixture.events())[0]
    // Every column but `_hash`, which only the hot tier has.
    let columns = table.schema.columns.indices.filter { $0 != SystemColumn.hash }
    _ = try engine.append(run(table, 1..<1_001))
    let hot = try Fixture.rows(of: engine.snapshot(), table.id, columns)
    let first = try engine.flush(table: "iot.measurement")
    #expect(first.rows == 1_000 && first.files >= 1 && first.bytes > 0 && first.deltaVersion == 0)
    #expect(byContent(try Fixture.rows(of: engine.snapshot(), table.id, columns)) == hot)
    _ = try engine.append(run(table, 1_001..<1_501))
    _ = try engine.flush(table: "iot.measurement")
    _ = try engine.append(run(table, 1_501..<1_601))
    let union = byContent(try Fixture.rows(of: engine.snapshot(), table.id, columns))
    #expect(union.map { $0[0].integer } == (1..<1_601).map { Int64($0) })
    try engine.close()
    engine = try folder.open()
    #expect(byContent(try Fixture.rows(of: engine.snapshot(), table.id, columns)) == union)
    let above = ScanRequest(
      table: table.id, columns: [0],
      predicates: [ColumnPredicate(column: 0, test: .compare(.greater, .integer(1_550)))])
    #expect(try engine.snapshot().scan(above).tiers.map(\.tier).sorted() == ["hot", "lake"])
    // count(*)
    #expect(try Fixture.rows(of: engine.snapshot(), table.id, []).count == 1_600)
    try engine.close()
  }

  @Test func newVersionsReadOldFiles() throws {
    let folder = try Folder()
    let engine = try folder.open()
    let table = try engine.publish(Fixture.events())[0]
    _ = try engine.append(run(table, 1..<11))
    _ = try engine.flush(table: "iot.measurement")
    let newer = try engine.publish(Fixture.events(withNote: true))[0]
    _ = try engine.append(run(newer, 11..<21))
    let note = newer.schema.columns.count - 1
    #expect(try Fixture.rows(of: engine.snapshot(), table.id, [0, note]).count == 20)
    _ = try engine.flush(table: "iot.measurement")
    let rows = try Fixture.rows(of: engine.snapshot(), table.id, [0, note])
    #expect(rows.count == 20 && rows.allSatisfy { $0[1] == .null })
    try engine.close()
  }

  @Test(arguments: ["flush.files_written", "flush.committed", "flush.marked", "flush.deleted"])
  func aCrashAtAnyStepIsFinishedAtOpen(step: String) throws {
    let folder = try Folder()
    let image = folder.path + "-image"
    defer { try? FileManager.default.removeItem(atPath: image) }  // Only scratch data.
    let path = folder.path
    let engine = try folder.open { (name: StaticString) throws(Fault) in
      guard name.description == step else { return }
      do { try FileManager.default.copyItem(atPath: path, toPath: image) } catch {
        throw Fault(.ioError, "no image: \(error)")
      }
    }
    let table = try engine.publish(Fixture.events())[0]
    _ = try engine.append(run(table, 1..<301))
    _ = try engine.flush(table: "iot.measurement")
    try engine.close()
    let crashed = try Folder.open(image)
    func sequences() throws -> [Int64] {
      try Fixture.rows(of: crashed.snapshot(), table.id, [0]).compactMap { $0[0].integer }.sorted()
    }
    #expect(try sequences() == Array(1...300))
    _ = try crashed.append(run(table, 301..<401))
    _ = try crashed.flush(table: "iot.measurement")
    #expect(try sequences() == Array(1...400))
    try crashed.close()
  }
}
