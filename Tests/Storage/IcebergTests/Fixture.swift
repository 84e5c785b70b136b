// A lake table of TestKit's measurements, its rows, and its projection.

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

typealias Fixture = MeasurementTable

struct Unexpected: Error {
  let what: String
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
    let new = Fixture.rows(position + 1..<position + 1 + count, schema, isHard: true)
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
