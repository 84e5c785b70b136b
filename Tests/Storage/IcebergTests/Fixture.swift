// A lake table with a column of each type, its rows, and its projection.

import Bedrock
import Columnar
import EventSchema
import Foundation
import Iceberg
import IcebergFormat
import Lake
import ObjectStore
import Runtime
import StorageContract
import TestKit

/// The fault `body` throws, or nil.
func fault(_ body: () throws(Fault) -> Void) -> Fault? {
  do throws(Fault) {
    try body()
    return nil
  } catch { return error }
}

struct Unexpected: Error {
  let what: String
}

enum Fixture {
  static let appID = "lake/test/iot.measurement/0"
  static let start: Int64 = 1_764_000_000_000_000

  /// `email` is personal.
  static let schema: TableSchema = {
    let content: [(String, DataType, Bool)] = [
      ("series", .text, false), ("value", .float8, false), ("email", .text, true), ("ok", .boolean, false),
      ("small", .int2, false), ("number", .int4, false), ("single", .float4, false),
      ("amount", .numeric(DataType.NumericModifier(precision: 20, scale: 2)), false), ("day", .date, false),
      ("raw", .bytea, false), ("at", .timestamptz, false),
    ]
    var columns = SystemColumn.columns
    for (index, column) in content.enumerated() {
      columns.append(
        TableColumn(
          fieldID: SystemColumn.firstContentFieldID + Int32(index), name: column.0, type: column.1, isNullable: true,
          isPersonal: column.2))
    }
    return TableSchema(domain: "iot", entity: "measurement", version: 1, events: [], columns: columns)
  }()

  /// The same with one more column.
  static let nextSchema = TableSchema(
    domain: "iot", entity: "measurement", version: 2, events: [],
    columns: schema.columns + [TableColumn(fieldID: 40, name: "added", type: .int8, isNullable: true)])

  static func lakeColumns(_ schema: TableSchema) -> [TableColumn] {
    schema.columns.enumerated().filter { $0.offset != SystemColumn.hash }.map(\.element)
  }

  static func rows(_ positions: Range<Int64>, _ schema: TableSchema = schema) -> [[Scalar]] {
    positions.map { position in
      var generator = SeededGenerator(seed: UInt64(position) &* 0x9E37_79B9)
      let published = start + position * 1_000 + Int64.random(in: -20_000...20_000, using: &generator)
      return lakeColumns(schema).map { column in
        switch column.name {
        case "sequence": .integer(position * 10)
        case "name": .text("recorded")
        case "published", "received": .integer(published)
        case "metadata": position % 3 == 0 ? .null : .text("{\"k\":\(position)}")
        case "_pos": .integer(position)
        case "series": .text("series-\(position % 7)" + String(repeating: "é", count: Int(position % 50)))
        case "email": .text("person\(position)@example.org")
        case "value" where position % 101 == 0: .float(-0.0)
        case "value" where position % 103 == 0: .float(.nan)
        default: value(column.type, &generator)
        }
      }
    }
  }

  private static func value(_ type: DataType, _ generator: inout SeededGenerator) -> Scalar {
    if Int.random(in: 0..<10, using: &generator) == 0 { return .null }
    switch type {
    case .boolean: return .boolean(Bool.random(using: &generator))
    case .int2: return .integer(Int64.random(in: -32_768...32_767, using: &generator))
    case .int4: return .integer(Int64(Int32.random(in: .min ... .max, using: &generator)))
    case .int8: return .integer(Int64.random(in: .min ... .max, using: &generator))
    case .float4: return .float(Double(Float.random(in: -1...1, using: &generator)))
    case .float8: return .float(Double.random(in: -1e9...1e9, using: &generator))
    case .numeric:
      let coefficient = Int128(Int64.random(in: -1_000_000_000_000...1_000_000_000_000, using: &generator))
      return Numeric(coefficient: coefficient, scale: 2).map { .numeric($0) } ?? .null
    case .date: return .integer(Int64.random(in: -30_000...30_000, using: &generator))
    case .timestamptz: return .integer(Int64.random(in: 0...start, using: &generator))
    case .bytea: return .bytes((0..<5).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    default: return .text("text")
    }
  }

  static func chunk(_ rows: [[Scalar]], _ schema: TableSchema = schema) -> Chunk {
    let columns = lakeColumns(schema).enumerated().map { index, column in
      ColumnBuilder.column(column.type, rows.map { $0[index] })
    }
    return Chunk(columns: columns, rowCount: rows.count)
  }
}

/// A lake on disk with one table, a clock that the test sets, and the table's Iceberg side.
final class LakeUnderTest {
  let folder: TemporaryFolder
  let setClock: @Sendable (Int64) -> Void
  let lake: Lake
  let table: LakeTable
  let options: IcebergOptions
  private(set) var iceberg: IcebergTable
  private var position: Int64 = 0
  private var expected: Int64?
  private(set) var nowMicros = Fixture.start
  /// Rows that the table has, in the order of their positions.
  var rows: [[Scalar]] = []

  init(_ folder: TemporaryFolder, options change: (inout IcebergOptions) -> Void = { _ in }) throws {
    self.folder = folder
    let (clock, set) = Clock.manual(startMicros: Fixture.start)
    setClock = set
    lake = Lake(store: try LocalObjectStore(path: folder.file("data")), clock: clock)
    table = try lake.table(domain: "iot", entity: "measurement")
    var options = IcebergOptions(storeLocation: "file://\(folder.file("data"))")
    change(&options)
    self.options = options
    iceberg = try Self.open(lake, options)
  }

  static func open(_ lake: Lake, _ options: IcebergOptions) throws -> IcebergTable {
    let catalog = IcebergCatalog(lake: lake, options: options) { [(domain: "iot", entity: "measurement")] }
    guard let table = try catalog.table(domain: "iot", entity: "measurement") else {
      throw Unexpected(what: "the catalog has the table")
    }
    return table
  }

  /// As after a restart of the server: nothing is known from before.
  func reopenIceberg() throws { iceberg = try Self.open(lake, options) }

  var path: String { folder.file("data/lake/iot/measurement") }
  var metadataFolder: String { path + "/_iceberg/metadata" }

  func advance(micros: Int64) {
    nowMicros += micros
    setClock(nowMicros)
  }

  private func files(_ rows: [[Scalar]], _ schema: TableSchema) throws(Fault) -> [LakeFile] {
    let writer = try table.writer(schema: schema)
    if !rows.isEmpty { try writer.append(Fixture.chunk(rows, schema)) }
    return try writer.finish()
  }

  /// A flush of `count` new rows; a second later.
  func flush(_ count: Int64, _ schema: TableSchema = Fixture.schema) throws {
    advance(micros: 1_000_000)
    let new = Fixture.rows(position + 1..<position + 1 + count, schema)
    position += max(count, 1)
    let outcome = try table.commit(
      LakeCommit(
        files: files(new, schema), schema: schema, appID: Fixture.appID, expectedVersion: expected, version: position))
    guard case .committed = outcome else { throw Unexpected(what: "\(outcome)") }
    expected = position
    widen(schema)
    rows += new
  }

  /// Rows from before a column have null in it.
  private func widen(_ schema: TableSchema) {
    let width = Fixture.lakeColumns(schema).count
    rows = rows.map { $0 + [Scalar](repeating: .null, count: width - $0.count) }
  }

  /// All files become one with the same rows, but for those that `keep` refuses.
  func rewrite(
    _ schema: TableSchema = Fixture.schema, dataChange: Bool, keep: ([Scalar]) -> Bool = { _ in true }
  ) throws {
    advance(micros: 1_000_000)
    let base = try table.refresh()
    widen(schema)
    rows = rows.filter(keep)
    _ = try table.replace(
      LakeReplacement(
        base: base, removed: base.files, added: files(rows, schema), dataChange: dataChange,
        operation: dataChange ? "DELETE" : "OPTIMIZE"))
  }

  /// Names and bytes of everything in the metadata folder.
  func metadataFiles() throws -> [String: Data] {
    var files: [String: Data] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: metadataFolder) {
      files[name] = try Data(contentsOf: URL(fileURLWithPath: "\(metadataFolder)/\(name)"))
    }
    return files
  }

  func manifests(_ version: IcebergVersion) throws -> [IcebergManifestFile] {
    guard let snapshot = version.metadata.currentSnapshot else { throw Unexpected(what: "no snapshot") }
    return try manifests(snapshot)
  }

  func manifests(_ snapshot: IcebergSnapshot) throws -> [IcebergManifestFile] {
    try IcebergManifestList(AvroFile(bytes(snapshot.manifestList))).manifests
  }

  func entries(_ manifest: IcebergManifestFile) throws -> [IcebergManifestEntry] {
    try IcebergManifest(AvroFile(bytes(manifest.path))).entries
  }

  private func bytes(_ location: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: String(location.dropFirst("file://".count)))))
  }
}
