// Delta tables as others may write them: files named absolutely, columns widened, a log that begins without a schema.

import Bedrock
import Columnar
import DeltaFormat
import EventSchema
import ObjectStore
import ParquetFormat
import Runtime
import StorageContract
import TestKit
import Testing

@testable import Lake

/// A folder with hand-made Delta tables and Parquet files.
struct ForeignLogs {
  typealias Column = (name: String, type: DataType, values: [Scalar])
  let folder: TemporaryFolder
  let root: String
  let store: LocalObjectStore

  init() throws {
    folder = try TemporaryFolder("foreign")
    root = folder.file("root")
    store = try LocalObjectStore(path: root)
  }

  /// Writes a Parquet file and returns its size.
  func parquet(_ path: String, _ columns: [Column]) throws -> Int64 {
    var writer = try ParquetWriter(
      columns: columns.enumerated().map { index, column in
        ParquetColumn(name: column.name, type: column.type, isNullable: true, fieldID: Int32(index + 1), isPersonal: false)
      }, options: ParquetWriterOptions())
    var bytes: [UInt8] = []
    let rows = columns[0].values.count
    try writer.append(
      Chunk(columns: columns.map { ColumnBuilder.column($0.type, $0.values) }, rowCount: rows), to: &bytes)
    _ = try writer.finish(to: &bytes)
    try store.put(ObjectPath(path), bytes)
    return Int64(bytes.count)
  }

  func commit(_ table: String, _ version: Int64, _ actions: [DeltaAction]) throws {
    try store.put(ObjectPath("\(table)/_delta_log/\(DeltaLogName.commit(version))"), DeltaCommitEncoder.encode(actions))
  }

  func create(
    _ table: String, _ fields: [DeltaField], features: [String] = [], _ adds: [DeltaAdd]
  ) throws {
    let version = features.isEmpty
      ? DeltaProtocol(minReaderVersion: 1, minWriterVersion: 2)
      : DeltaProtocol(minReaderVersion: 3, minWriterVersion: 7, readerFeatures: features, writerFeatures: features)
    let metadata = DeltaMetadata(id: table, schemaString: DeltaSchema(fields: fields).json)
    try commit(table, 0, [.protocolVersion(version), .metadata(metadata)] + adds.map { .add($0) })
  }

  func reader(_ folders: [String]) throws -> ExternalReader {
    ExternalReader(
      lake: Lake(store: store, clock: .system), locations: try ExternalLocations(folders: folders, base: root),
      lakeTables: { _ in nil })
  }

  static func rows(
    _ table: any ExternalTable, _ predicates: [ColumnPredicate] = []
  ) throws -> (rows: [[Scalar]], summary: TierScanSummary) {
    let request = ScanRequest(
      table: TableID(raw: 0), columns: Array(table.columns.indices), predicates: predicates, external: table)
    let scan = try table.scan(request)
    var rows: [[Scalar]] = []
    for morsel in 0..<scan.morselCount {
      let reader = try scan.open(morsel: morsel)
      while let chunk = try reader.next() {
        for row in 0..<chunk.rowCount { rows.append(chunk.columns.map { $0.scalar(at: row) }) }
      }
    }
    return (rows, scan.tiers[0])
  }
}

@Suite("Delta logs of others") struct ForeignLogsTests {
  private let id = [DeltaField(name: "id", type: .integer, isNullable: true)]

  private func add(_ path: String, _ size: Int64) -> DeltaAdd { DeltaAdd(path: path, size: size, modificationTime: 1) }

  @Test("files named absolutely are read where statements may read too, and refused by name elsewhere")
  func absolutePaths() throws {
    let logs = try ForeignLogs()
    func file(_ path: String, _ value: Int64) throws -> Int64 {
      try logs.parquet(path, [("id", .int4, [.integer(value)])])
    }
    let own = try file("clone/own.parquet", 1)
    let beside = try file("data/a b.parquet", 2)
    let deep = try file("deep/er/c.parquet", 3)
    let secret = try file("secret/d.parquet", 4)
    let root = logs.root
    try logs.create(
      "clone", id,
      [
        add("own.parquet", own), add("file://\(root)/data/a b.parquet", beside), add("file://\(root)/deep/er/c.parquet", deep),
      ])
    let reader = try logs.reader(["\(root)/clone", "\(root)/data", "\(root)/deep/er"])
    let table = try reader.open(ExternalSource(.delta(location: "\(root)/clone")))
    #expect(try ForeignLogs.rows(table).rows.map { $0[0].integer ?? 0 }.sorted() == [1, 2, 3])

    // What the table's log says is only what a statement might say.
    try logs.create("data/thief", id, [add("file://\(root)/secret/d.parquet", secret)])
    let refused = fault { () throws(Fault) in _ = try reader.open(ExternalSource(.delta(location: "\(root)/data/thief"))) }
    #expect(refused?.state == .insufficientPrivilege && refused?.message.contains("secret/d.parquet") == true)
    try logs.create("data/far", id, [add("s3://bucket/a.parquet", 1)])
    let far = fault { () throws(Fault) in _ = try reader.open(ExternalSource(.delta(location: "\(root)/data/far"))) }
    #expect(far?.state == .featureNotSupported && far?.message.contains("s3") == true)
    try logs.create("data/sly", id, [add("file:///\(root.dropFirst())/data/thief", 1)])
    #expect(throws: Fault.self) {
      try ForeignLogs.rows(reader.open(ExternalSource(.delta(location: "\(root)/data/sly"))))
    }
  }

  @Test("without a place for others' files a table's own may still be named absolutely")
  func absoluteInside() throws {
    let logs = try ForeignLogs()
    let size = try logs.parquet("t/part/a.parquet", [("id", .int4, [.integer(5)])])
    try logs.create("t", id, [add("file://\(logs.root)/t/part/a.parquet", size)])
    let lake = Lake(store: logs.store, clock: .system)
    for location in ["\(logs.root)/t", "file://\(logs.root)/t/", "file:\(logs.root)/t"] {
      let table = lake.foreignTable(at: try ObjectPath("t"), location: location)
      #expect(try table.refresh().files.map(\.path.text) == ["t/part/a.parquet"], "\(location)")
    }
    let other = lake.foreignTable(at: try ObjectPath("t"), location: "\(logs.root)/other")
    let refused = fault { () throws(Fault) in _ = try other.refresh() }
    #expect(refused?.state == .featureNotSupported && refused?.message.contains("/t/part/a.parquet") == true)
    // A table of our own never has such files; somebody else's hand in its log is refused, not followed.
    let ours = fault { () throws(Fault) in
      _ = try Lake(store: logs.store, clock: .system, root: ObjectPath(literal: "x")).table(domain: "d", entity: "e").refresh()
    }
    #expect(ours == nil)
  }

  @Test("columns widened after files were written: each file's values in the table's types, statistics too")
  func widened() throws {
    let logs = try ForeignLogs()
    let changes = #"[{"fromType":"date","toType":"timestamp_ntz","tableVersion":1}]"#
    let fields = [
      DeltaField(name: "at", type: .timestampNTZ, isNullable: true, metadata: ["delta.typeChanges": changes]),
      DeltaField(name: "n", type: .decimal(precision: 12, scale: 2), isNullable: true),
      DeltaField(name: "d", type: .double, isNullable: true),
    ]
    let day: Int64 = 86_400_000_000
    let old = try logs.parquet(
      "t/old.parquet",
      [
        ("at", .date, [.integer(20_000), .null, .integer(Int64(Int32.max))]),
        ("n", .int4, [.integer(-7), .integer(8), .null]), ("d", .int2, [.integer(3), .null, .integer(-4)]),
      ])
    let new = try logs.parquet(
      "t/new.parquet",
      [
        ("at", .timestamp, [.integer(20_500 * day + 5)]),
        ("n", .numeric(DataType.NumericModifier(precision: 12, scale: 2)), [.numeric(Numeric(coefficient: 150, scale: 2) ?? Numeric(0))]),
        ("d", .float8, [.float(0.5)]),
      ])
    var first = add("old.parquet", old)
    first.stats = #"{"numRecords":3,"minValues":{"at":"2024-10-04","n":-7,"d":-4}}"#
    var second = add("new.parquet", new)
    second.stats =
      #"{"numRecords":1,"minValues":{"at":"2026-02-16T00:00:00.000"},"maxValues":{"at":"2026-02-16T00:00:00.001"}}"#
    try logs.create("t", fields, features: ["timestampNtz", "typeWidening"], [first, second])
    let table = try logs.reader([logs.root]).open(ExternalSource(.delta(location: "\(logs.root)/t")))
    let rows = try ForeignLogs.rows(table).rows.map { row in row.map { "\($0)" }.joined(separator: " ") }.sorted()
    func text(_ row: [Scalar]) -> String { row.map { "\($0)" }.joined(separator: " ") }
    func number(_ cents: Int128) -> Scalar { Numeric(coefficient: cents, scale: 2).map { .numeric($0) } ?? .null }
    #expect(
      rows == [
        text([.integer(20_000 * day), number(-700), .float(3)]), text([.null, number(800), .null]),
        text([.integer(.max), .null, .float(-4)]), text([.integer(20_500 * day + 5), number(150), .float(0.5)]),
      ].sorted())
    let (early, summary) = try ForeignLogs.rows(
      table, [ColumnPredicate(column: 0, test: .compare(.less, .integer(20_001 * day)))])
    #expect(early.map { $0[0] } == [.integer(20_000 * day)] && summary.units[0].read == 1, "the new file is pruned")
    let (late, _) = try ForeignLogs.rows(table, [ColumnPredicate(column: 0, test: .compare(.less, .integer(20_000 * day)))])
    #expect(late.isEmpty)
  }

  @Test("a table announced without a schema has no columns until it has one")
  func announced() throws {
    let logs = try ForeignLogs()
    let size = try logs.parquet("t/a.parquet", [("id", .int4, [.integer(5)])])
    try logs.commit(
      "t", 0,
      [
        .protocolVersion(DeltaProtocol(minReaderVersion: 1, minWriterVersion: 2)),
        .metadata(DeltaMetadata(id: "t", schemaString: "")),
      ])
    let reader = try logs.reader([logs.root])
    let source = ExternalSource(.delta(location: "\(logs.root)/t"))
    #expect(try reader.open(source).columns.isEmpty)
    try logs.commit(
      "t", 1,
      [.metadata(DeltaMetadata(id: "t", schemaString: DeltaSchema(fields: id).json)), .add(add("a.parquet", size))])
    #expect(try ForeignLogs.rows(reader.open(source)).rows == [[.integer(5)]])
  }
}

@Suite("Columns that change") struct EvolutionTests {
  @Test("which types hold all values of which", arguments: [
    (DeltaType.short, DeltaType.integer, true), (.integer, .long, true), (.long, .integer, false), (.long, .double, false),
    (.integer, .double, true), (.short, .decimal(precision: 5, scale: 0), true),
    (.integer, .decimal(precision: 11, scale: 2), false), (.integer, .decimal(precision: 12, scale: 2), true),
    (.long, .decimal(precision: 20, scale: 0), true), (.long, .decimal(precision: 19, scale: 0), false),
    (.float, .double, true), (.double, .float, false), (.date, .timestampNTZ, true), (.date, .timestamp, false),
    (.decimal(precision: 10, scale: 2), .decimal(precision: 12, scale: 4), true),
    (.decimal(precision: 10, scale: 2), .decimal(precision: 11, scale: 4), false),
    (.decimal(precision: 10, scale: 2), .decimal(precision: 10, scale: 2), false), (.string, .binary, false),
  ])
  func widening(_ from: DeltaType, _ to: DeltaType, _ expected: Bool) { #expect(from.widens(to: to) == expected) }

  @Test("a date that becomes a timestamp brings the feature of that type; flushes under the old one are refused")
  func dates() throws {
    let folder = try TemporaryFolder("evolution")
    let store = try LocalObjectStore(path: folder.file("data"))
    let table = try Lake(store: store, clock: .system).table(domain: "iot", entity: "measurement")
    let rows = Fixture.rows(1..<101)
    _ = try table.flush(rows, expected: nil, version: 100)
    let columns = Fixture.schema.columns.map { column in
      TableColumn(
        fieldID: column.fieldID, name: column.name, type: column.name == "day" ? .timestamp : column.type,
        isNullable: column.isNullable, isHidden: column.isHidden, isPersonal: column.isPersonal)
    }
    let schema = TableSchema(domain: "iot", entity: "measurement", version: 2, events: [], columns: columns)
    // What this server has not seen yet is written anew too.
    let other = try Lake(store: store, clock: .system).table(domain: "iot", entity: "measurement")
    _ = try other.flush(Fixture.rows(101..<111), expected: 100, version: 110)
    #expect(try table.evolve(to: schema) == 2)
    let snapshot = try table.refresh()
    #expect(snapshot.delta.protocolVersion?.readerFeatures == ["timestampNtz"] && snapshot.rowCount == 110)
    let place = try #require(Fixture.lakeColumns(Fixture.schema).firstIndex { $0.name == "day" })
    let days = (rows + Fixture.rows(101..<111)).map { row -> Scalar in
      row[place].integer.map { .integer($0 * 86_400_000_000) } ?? .null
    }
    let read = try snapshot.rows(schema, ["_pos", "day"]).rows.sorted { ($0[0].integer ?? 0) < ($1[0].integer ?? 0) }
    #expect(read.map { $0[1] } == days)
    let late = fault { () throws(Fault) in _ = try other.flush(Fixture.rows(111..<121), expected: 110, version: 120) }
    #expect(late?.state == .invalidSchemaDefinition, "files of the old types are not taken")
  }
}
