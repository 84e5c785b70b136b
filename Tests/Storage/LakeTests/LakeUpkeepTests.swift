// Checkpoints, compacted logs, cleanup, vacuum, replacements and time travel, against a model of what the table holds.

import Bedrock
import Columnar
import DeltaFormat
import EventSchema
import Foundation
import Glibc
import Lake
import ObjectStore
import Runtime
import StorageContract
import TestKit
import Testing

/// A table and what it should hold.
final class ModelTable {
  static let micros: Int64 = 1_000_000
  let store: LocalObjectStore
  let clock: (clock: Clock, set: @Sendable (Int64) -> Void)
  var now: Int64
  var table: LakeTable
  /// Rows of each live file, by path.
  var files: [String: [[Scalar]]] = [:]
  /// What each version holds, and the file paths of it.
  var versions: [Int64: [String: [[Scalar]]]] = [:]
  var names: [String: Int64] = [:]
  var nextPosition: Int64 = 1
  var oldest: Int64 = 0

  init(path: String) throws {
    store = try LocalObjectStore(path: path)
    now = Clock.system.nowMicros() + 3_600 * Self.micros
    clock = Clock.manual(startMicros: now)
    table = try Self.open(store, clock.clock)
  }

  static func open(_ store: LocalObjectStore, _ clock: Clock) throws -> LakeTable {
    var options = LakeOptions()
    options.unnamedFileGraceMicros = 0
    options.logLookNanos = 0
    return try Lake(store: store, clock: clock, options: options).table(domain: "iot", entity: "measurement")
  }

  func reopen() throws { table = try Self.open(store, clock.clock) }

  func tick() {
    now += Self.micros
    clock.set(now)
  }

  private func write(_ rows: [[Scalar]]) throws -> [LakeFile] {
    let writer = try table.writer(schema: Fixture.schema)
    if !rows.isEmpty { try writer.append(Fixture.chunk(rows)) }
    return try writer.finish()
  }

  func note() { versions[table.current.version] = files }

  func append(_ count: Int64) throws {
    tick()
    let rows = Fixture.rows(nextPosition..<(nextPosition + count))
    let before = try table.refresh().transactionVersion(appID: Fixture.appID)
    let written = try write(rows)
    nextPosition += count
    let outcome = try table.commit(
      LakeCommit(
        files: written, schema: Fixture.schema, appID: Fixture.appID, expectedVersion: before,
        version: nextPosition - 1, tierMetadata: "{}"))
    guard case .committed = outcome else { throw Fault.bug("\(outcome)") }
    for file in written { files[file.add.path] = rows }
    note()
  }

  /// Rewrites some files as one; `dropping` leaves out every third row.
  func replace(_ paths: [String], dropping: Bool) throws {
    tick()
    let base = try table.refresh()
    var rows = paths.flatMap { files[$0] ?? [] }
    if dropping { rows = rows.filter { ($0[SystemColumn.position].integer ?? 0) % 3 != 0 } }
    let written = try write(rows)
    _ = try table.replace(
      LakeReplacement(
        base: base, removed: base.files.filter { paths.contains($0.add.path) }, added: written, dataChange: dropping,
        operation: dropping ? "DELETE" : "OPTIMIZE"))
    for path in paths { files[path] = nil }
    for file in written { files[file.add.path] = rows }
    note()
  }

  static func sorted(_ rows: [[Scalar]]) -> [[Scalar]] {
    rows.sorted { ($0[SystemColumn.position].integer ?? 0) < ($1[SystemColumn.position].integer ?? 0) }
  }

  func check(_ snapshot: LakeSnapshot, _ expected: [String: [[Scalar]]], _ what: String) throws {
    let rows = Self.sorted(expected.values.flatMap { $0 })
    let read = Self.sorted(try snapshot.rows().rows)
    #expect(read == rows, "\(what): \(read.count) rows, expected \(rows.count)")
    #expect(Set(snapshot.files.map(\.add.path)) == Set(expected.keys), "\(what)")
    #expect(snapshot.rowCount == Int64(rows.count), "\(what)")
  }

  /// The newest version and the named ones, by this object and by a new one.
  func check(_ what: String) throws {
    for table in [table, try Self.open(store, clock.clock)] {
      try check(try table.refresh(), files, what)
      for (name, version) in names {
        try check(try table.snapshot(version: version), versions[version] ?? [:], "\(what), version \(name)")
      }
    }
  }
}

@Suite("Upkeep of lake tables")
struct LakeUpkeepTests {
  @Test("random appends, replacements, checkpoints, compacted logs, cleanups, vacuums and names agree with a model", arguments: [1, 2, 3, 4])
  func model(seed: UInt64) throws {
    let folder = try TemporaryFolder("lake")
    let model = try ModelTable(path: folder.file("data"))
    var generator = SeededGenerator(seed: seed)
    try model.append(5)
    for step in 0..<60 {
      let what = "seed \(seed), step \(step)"
      switch Int.random(in: 0..<14, using: &generator) {
      case 0...4: try model.append(Int64.random(in: 1...20, using: &generator))
      case 5, 6:
        let paths = model.files.keys.sorted().filter { _ in Bool.random(using: &generator) }
        if !paths.isEmpty { try model.replace(paths, dropping: Bool.random(using: &generator)) }
      case 7: #expect(try model.table.checkpoint() == model.table.current.version)
      case 8: _ = try model.table.compactLog()
      case 9:
        model.tick()
        let would = try model.table.cleanLog(retentionMicros: 3 * ModelTable.micros, dryRun: true)
        let did = try model.table.cleanLog(retentionMicros: 3 * ModelTable.micros)
        #expect(did == would || would.deleted.isEmpty == did.deleted.isEmpty, "\(what)")
        model.oldest = did.oldestVersion
      case 10, 11:
        model.tick()
        let retention = Int64.random(in: 0...5, using: &generator) * ModelTable.micros
        let would = try model.table.vacuum(retentionMicros: retention, dryRun: true)
        let did = try model.table.vacuum(retentionMicros: retention)
        #expect(would == did, "\(what)")
        #expect(try model.table.vacuum(retentionMicros: retention).deleted.isEmpty, "\(what)")
      case 12:
        if model.names.isEmpty {
          let newest = try model.table.refresh().version
          try model.table.nameVersion("kept", newest)
          model.names["kept"] = newest
        } else {
          try model.table.dropVersionName("kept")
          model.names = [:]
        }
        model.note()
      default: try model.reopen()
      }
      try model.check(what)
    }
    let history = try model.table.history(limit: 1_000)
    #expect(history.first?.version == model.table.current.version)
    #expect(zip(history, history.dropFirst()).allSatisfy { $0.version == $1.version + 1 })
    #expect(zip(history, history.dropFirst()).allSatisfy { ($0.timestampMicros ?? 0) > ($1.timestampMicros ?? 0) })
  }

  @Test("a version by its number and by a time; one that was cleaned away says so")
  func timeTravel() throws {
    let folder = try TemporaryFolder("lake")
    let model = try ModelTable(path: folder.file("data"))
    var times: [Int64] = []
    for _ in 0..<12 {
      try model.append(3)
      times.append(model.now)
    }
    for version in 0..<12 {
      let snapshot = try model.table.snapshot(version: Int64(version))
      try model.check(snapshot, model.versions[Int64(version)] ?? [:], "version \(version)")
      #expect(try model.table.snapshot(asOfMicros: times[version] + 500_000).version == Int64(version))
    }
    #expect(try model.table.snapshot(asOfMicros: .max).version == 11)
    #expect(fault { () throws(Fault) in _ = try model.table.snapshot(asOfMicros: times[0] - 1_000_000) }?.state == .snapshotTooOld)
    #expect(fault { () throws(Fault) in _ = try model.table.snapshot(version: 12) }?.state == .undefinedObject)
    let cleaned = try model.table.cleanLog(retentionMicros: 4 * ModelTable.micros)
    #expect(cleaned.oldestVersion == 7 && cleaned.deleted.count == 7)
    try model.reopen()
    #expect(fault { () throws(Fault) in _ = try model.table.snapshot(version: 6) }?.state == .snapshotTooOld)
    #expect(try model.table.snapshot(version: 7).version == 7)
    try model.check("cleaned")
    let history = try model.table.history(limit: 3)
    #expect(history.map(\.version) == [11, 10, 9] && history[0].operation == "WRITE" && history[0].rowsAdded == 3)
  }

  @Test("vacuum with no retention spares what a scan that began before still reads, however old its version")
  func vacuumSparesReaders() throws {
    let folder = try TemporaryFolder("lake")
    let model = try ModelTable(path: folder.file("data"))
    for _ in 0..<4 { try model.append(50) }
    let expected = model.files.values.flatMap { $0 }.map { $0[SystemColumn.position] }
    func position(_ schema: TableSchema) -> [Int] { [SystemColumn.position] }
    do {
      // Nothing but the reader of the second of four files holds the version.
      var scan: (any TableScan)? = try model.table.refresh().scan(
        ScanRequest(table: TableID(raw: 1), columns: position(Fixture.schema)), columns: Fixture.schema.columns)
      let count = try #require(scan).morselCount
      #expect(count == 4)
      var found: [Scalar] = []
      func read(_ reader: any ChunkReader) throws {
        while let chunk = try reader.next() { for row in 0..<chunk.rowCount { found.append(chunk.columns[0].scalar(at: row)) } }
      }
      try read(try #require(scan).open(morsel: 0))
      try model.replace(model.files.keys.sorted(), dropping: true)
      model.tick()
      #expect(try model.table.vacuum(retentionMicros: 0).deleted.isEmpty)
      try read(try #require(scan).open(morsel: 1))
      let half = try #require(scan).open(morsel: 2)
      let last = try #require(scan).open(morsel: 3)
      scan = nil
      #expect(try model.table.vacuum(retentionMicros: 0).deleted.isEmpty)
      try read(half)
      try read(last)
      #expect(Set(found) == Set(expected) && found.count == expected.count)
    }
    var steps: [LakeVacuumStep] = []
    let report = try model.table.vacuum(retentionMicros: 0) { (step) throws(Fault) in steps.append(step) }
    #expect(report.deleted.count == 4)
    #expect(steps.first == .listed(files: 5) && steps.contains(.found(files: 4, bytes: report.byteCount)))
    #expect(steps.count == 6)
    try model.check("vacuumed")
    // A version that time travel reads is one of those, as long as somebody holds it.
    try model.append(5)
    var old: LakeSnapshot? = try model.table.snapshot(version: model.table.current.version - 1)
    try model.replace(model.files.keys.sorted(), dropping: false)
    model.tick()
    #expect(try model.table.vacuum(retentionMicros: 0).deleted.count == 1)
    #expect(try #require(old).rows().rows.count > 0)
    old = nil
    #expect(try model.table.vacuum(retentionMicros: 0).deleted.count == 1)
  }

  @Test("a vacuum that is stopped between two files has deleted some of them; the next deletes the rest")
  func vacuumStops() throws {
    let folder = try TemporaryFolder("lake")
    let model = try ModelTable(path: folder.file("data"))
    for _ in 0..<5 { try model.append(3) }
    try model.replace(model.files.keys.sorted(), dropping: false)
    model.tick()
    var deleted = 0
    let stopped = fault { () throws(Fault) in
      _ = try model.table.vacuum(retentionMicros: 0) { (step) throws(Fault) in
        if case .deleted = step { deleted += 1 }
        if deleted == 2 { throw Fault(.queryCanceled, "stop") }
      }
    }
    #expect(stopped?.state == .queryCanceled)
    #expect(try model.table.vacuum(retentionMicros: 0).deleted.count == 3)
    try model.check("stopped")
  }

  @Test("vacuum leaves hidden folders, young files and files of others alone")
  func vacuumKeeps() throws {
    let folder = try TemporaryFolder("lake")
    let model = try ModelTable(path: folder.file("data"))
    try model.append(5)
    try model.append(5)
    try model.replace(model.files.keys.sorted(), dropping: false)
    model.tick()
    let root = "lake/iot/measurement"
    for name in ["_iceberg/metadata/v1.metadata.json", "_hidden", ".x", "part-lost.parquet"] {
      try model.store.put(ObjectPath("\(root)/\(name)"), [1])
    }
    var careful = LakeOptions()
    careful.unnamedFileGraceMicros = 86_400 * ModelTable.micros
    let other = try Lake(store: model.store, clock: model.clock.clock, options: careful)
      .table(domain: "iot", entity: "measurement")
    #expect(try other.vacuum(retentionMicros: 60 * ModelTable.micros).deleted.isEmpty, "too young")
    #expect(try other.vacuum(retentionMicros: 0, dryRun: true).deleted.count == 2, "the lost file may be a flush under way")
    let report = try model.table.vacuum(retentionMicros: 0)
    #expect(report.deleted.count == 3 && report.byteCount > 0)
    #expect(report.deleted.contains { $0.path.name == "part-lost.parquet" })
    for name in ["_iceberg/metadata/v1.metadata.json", "_hidden", ".x"] {
      #expect(try model.store.size(ObjectPath("\(root)/\(name)")) == 1)
    }
    try model.check("vacuumed")
  }

  @Test("a broken or lost checkpoint or hint costs nothing as long as the log is whole")
  func brokenCheckpoint() throws {
    let folder = try TemporaryFolder("lake")
    let model = try ModelTable(path: folder.file("data"))
    for _ in 0..<6 { try model.append(2) }
    try model.table.checkpoint()
    try model.append(2)
    let log = "lake/iot/measurement/_delta_log"
    let hint = try ObjectPath("\(log)/_last_checkpoint")
    for text in ["", "{\"version\":99}", "{\"version\":2}", "nonsense"] {
      try model.store.put(hint, Array(text.utf8))
      try model.check("hint \(text)")
    }
    try model.store.delete(hint)
    try model.check("no hint")
    let checkpoint = try ObjectPath("\(log)/\(DeltaLogName.checkpoint(5))")
    try model.store.put(checkpoint, Array("PAR1 nonsense PAR1".utf8))
    try model.check("broken checkpoint")
    try model.store.delete(ObjectPath("\(log)/\(DeltaLogName.commit(2))"))
    let reopened = try ModelTable.open(model.store, model.clock.clock)
    let found = fault { () throws(Fault) in _ = try reopened.refresh() }
    #expect(found?.kind == .corrupt)
  }

  @Test("multi-part and v2 checkpoints, in JSON and Parquet, with sidecars")
  func checkpointForms() throws {
    let folder = try TemporaryFolder("lake")
    let model = try ModelTable(path: folder.file("data"))
    for _ in 0..<5 { try model.append(2) }
    let log = "lake/iot/measurement/_delta_log"
    let state = model.table.current.delta
    let adds = state.files.values.sorted { $0.path < $1.path }
    var rest: [DeltaAction] = [.protocolVersion(.open)]
    if let metadata = state.metadata { rest.append(.metadata(metadata)) }
    rest += state.transactions.values.map { .transaction($0) } + state.domains.values.map { .domainMetadata($0) }
    // A state with these files only, as one Parquet file.
    func parquet(_ adds: [DeltaAdd]) throws -> [UInt8] {
      var part = DeltaSnapshot()
      try part.load(checkpoint: rest + adds.map { .add($0) })
      try part.finish(checkpoint: 4)
      return try DeltaCheckpointWriter.write(part, tombstonesAfter: 0).bytes
    }
    let version = DeltaLogName.digits(4)
    let forms: [[(String, [UInt8])]] = [
      [
        ("\(version).checkpoint.0000000001.0000000002.parquet", try parquet(Array(adds.prefix(3)))),
        ("\(version).checkpoint.0000000002.0000000002.parquet", try parquet(Array(adds.dropFirst(3)))),
      ],
      [("\(version).checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.parquet", try parquet(adds))],
      [
        ("_sidecars/one.parquet", try parquet(Array(adds.prefix(3)))),
        ("_sidecars/two.parquet", try parquet(Array(adds.dropFirst(3)))),
        (
          "\(version).checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json",
          try DeltaCommitEncoder.encode(rest)
            + Array("{\"checkpointMetadata\":{\"version\":4}}\n{\"sidecar\":{\"path\":\"one.parquet\",\"sizeInBytes\":9}}\n".utf8)
            + Array("{\"sidecar\":{\"path\":\"two.parquet\",\"sizeInBytes\":9,\"modificationTime\":1}}\n".utf8)
        ),
      ],
    ]
    // Only the checkpoint can give the versions up to 4.
    for number in 0..<4 { try model.store.delete(ObjectPath("\(log)/\(DeltaLogName.commit(Int64(number)))")) }
    for form in forms {
      for (name, bytes) in form { try model.store.put(ObjectPath("\(log)/\(name)"), bytes) }
      try model.check("\(form.map(\.0))")
      for (name, _) in form { try model.store.delete(ObjectPath("\(log)/\(name)")) }
    }
  }

  @Test("replacements: rebased over appends, refused when a file or the schema changed, repeated without harm")
  func conflicts() throws {
    let folder = try TemporaryFolder("lake")
    let model = try ModelTable(path: folder.file("data"))
    for _ in 0..<3 { try model.append(4) }
    let base = try model.table.refresh()
    func written(_ table: LakeTable) throws -> [LakeFile] {
      let writer = try table.writer(schema: Fixture.schema)
      try writer.append(Fixture.chunk(Fixture.rows(1..<9)))
      return try writer.finish()
    }
    // Another process appends meanwhile.
    let other = try ModelTable.open(model.store, model.clock.clock)
    let outcome = try other.flush(Fixture.rows(100..<105), expected: 12, version: 104)
    #expect(outcome == .committed(deltaVersion: 3))
    let erasure = LakeReplacement(
      base: base, removed: Array(base.files.prefix(2)), added: try written(model.table), dataChange: true,
      operation: "DELETE", refusesConcurrentAppends: true)
    let refusal = fault { () throws(Fault) in _ = try model.table.replace(erasure) }
    #expect(refusal?.state == .serializationFailure && refusal?.message.contains("was added") == true)
    #expect(try model.store.size(ObjectPath("lake/iot/measurement/\(erasure.added[0].add.path)")) == nil, "dropped")
    let compaction = LakeReplacement(
      base: base, removed: Array(base.files.prefix(2)), added: try written(model.table), dataChange: false,
      operation: "OPTIMIZE")
    #expect(try model.table.replace(compaction) == 4)
    #expect(try model.table.refresh().fileCount == 3)
    #expect(try model.table.replace(compaction) == 4, "done already")
    let late = LakeReplacement(
      base: base, removed: [base.files[0]], added: try written(model.table), dataChange: false, operation: "OPTIMIZE")
    let gone = fault { () throws(Fault) in _ = try other.replace(late) }
    #expect(gone?.state == .serializationFailure && gone?.message.contains("was removed") == true)
    // A schema change by a third.
    let now = try model.table.refresh()
    #expect(try other.flush([], schema: Fixture.nextSchema, expected: 104, version: 105) == .committed(deltaVersion: 5))
    let changed = LakeReplacement(
      base: now, removed: [now.files[0]], added: [], dataChange: true, operation: "DELETE")
    #expect(fault { () throws(Fault) in _ = try model.table.replace(changed) }?.message.contains("schema") == true)
    #expect(try model.table.refresh().version == 5)
    #expect(try model.table.refresh().fileCount == 3)
  }

  @Test("a table whose log was checkpointed and cleaned by another process is followed over the gap")
  func gap() throws {
    let folder = try TemporaryFolder("lake")
    let model = try ModelTable(path: folder.file("data"))
    try model.append(2)
    let sleeper = try ModelTable.open(model.store, model.clock.clock)
    #expect(try sleeper.refresh().version == 0)
    for _ in 0..<8 { try model.append(2) }
    #expect(try model.table.cleanLog(retentionMicros: 0).oldestVersion == 8)
    try model.check(try sleeper.refresh(), model.files, "followed")
  }
}

/// The process dies between two steps of upkeep; what is left is a whole table.
@Suite("Crashes during upkeep", .serialized)
struct LakeUpkeepCrashTests {
  @Test(
    "death at any step of checkpoint, replacement, cleanup and vacuum leaves every row",
    arguments: [
      "lake.checkpoint_encoded", "lake.checkpoint_published", "lake.checkpoint_hinted", "lake.before_commit",
      "lake.committed", "lake.file_published", "lake.log_cleaning", "lake.log_cleaning:4", "lake.vacuuming",
      "lake.vacuuming:2",
    ])
  func crash(point: String) async throws {
    let folder = try TemporaryFolder("lake")
    let path = folder.file("data")
    let model = try ModelTable(path: path)
    for _ in 0..<6 { try model.append(4) }
    setenv("CRAMPED_TEST_FOLDER", path, 1)
    setenv("CRAMPED_TEST_POINT", point, 1)
    await #expect(processExitsWith: .signal(SIGKILL)) {
      setenv("CRAMPED_FAULT_POINT", String(cString: getenv("CRAMPED_TEST_POINT")), 1)
      let store = try LocalObjectStore(path: String(cString: getenv("CRAMPED_TEST_FOLDER")))
      let hand = Clock.manual(startMicros: Clock.system.nowMicros() + 7_200 * ModelTable.micros)
      let table = try ModelTable.open(store, hand.clock)
      // What reads a version keeps vacuum from its files: the replaced one must be let go.
      do {
        let base = try table.refresh()
        try table.checkpoint()
        let writer = try table.writer(schema: Fixture.schema)
        try writer.append(Fixture.chunk(Fixture.rows(1..<25)))
        _ = try table.replace(
          LakeReplacement(
            base: base, removed: base.files, added: try writer.finish(), dataChange: false, operation: "OPTIMIZE"))
      }
      hand.set(Clock.system.nowMicros() + 7_300 * ModelTable.micros)
      _ = try table.cleanLog(retentionMicros: 0)
      _ = try table.vacuum(retentionMicros: 0)
    }
    model.now += 10_000 * ModelTable.micros
    model.clock.set(model.now)
    try model.reopen()
    let rows = Fixture.rows(1..<25)
    #expect(ModelTable.sorted(try model.table.refresh().rows().rows) == rows, "\(point)")
    // Everything can be done again.
    try model.table.checkpoint()
    _ = try model.table.cleanLog(retentionMicros: 0)
    _ = try model.table.vacuum(retentionMicros: 0)
    try model.reopen()
    #expect(ModelTable.sorted(try model.table.refresh().rows().rows) == rows, "\(point), afterwards")
  }
}
