// Stores, flushes and reads for the lake's tests; tables and rows are TestKit's.

import Bedrock
import Columnar
import EventSchema
import Lake
import ObjectStore
import Runtime
import StorageContract
import Synchronization
import TestKit

typealias Fixture = MeasurementTable

/// Notes every call that changes something, in order, and can fail on demand.
final class RecordingObjectStore: ObjectStore {
  let base: LocalObjectStore
  private let notes = Mutex<[String]>([])
  /// Paths of commits after whose write the call throws, as a disk may: the outcome is unknown.
  private let unlucky = Mutex<Set<String>>([])

  init(_ base: LocalObjectStore) { self.base = base }

  var events: [String] { notes.withLock { $0 } }
  func note(_ event: String) { notes.withLock { $0.append(event) } }
  func failAfterWriting(_ path: String) { unlucky.withLock { _ = $0.insert(path) } }

  func put(_ path: ObjectPath, _ bytes: [UInt8]) throws(Fault) {
    try base.put(path, bytes)
    note("put \(path)")
  }
  func putIfAbsent(_ path: ObjectPath, _ bytes: [UInt8]) throws(Fault) -> Bool {
    let won = try base.putIfAbsent(path, bytes)
    note("\(won ? "commit" : "conflict") \(path.name)")
    if unlucky.withLock({ $0.remove(path.text) }) != nil { throw Fault(.ioError, "the disk went away") }
    return won
  }
  func writer(_ path: ObjectPath) throws(Fault) -> any ObjectWriter {
    RecordingWriter(base: try base.writer(path), path: path, store: self)
  }
  func get(_ path: ObjectPath, bytesMax: Int) throws(Fault) -> [UInt8]? { try base.get(path, bytesMax: bytesMax) }
  func read(_ path: ObjectPath, at offset: Int64, into target: UnsafeMutableRawBufferPointer) throws(Fault) {
    try base.read(path, at: offset, into: target)
  }
  func size(_ path: ObjectPath) throws(Fault) -> Int64? { try base.size(path) }
  func list(_ folder: ObjectPath, startAfter: String?, limit: Int) throws(Fault) -> [ObjectEntry] {
    try base.list(folder, startAfter: startAfter, limit: limit)
  }
  func delete(_ path: ObjectPath) throws(Fault) {
    try base.delete(path)
    note("delete \(path.name)")
  }
}

final class RecordingWriter: ObjectWriter {
  let base: any ObjectWriter
  let path: ObjectPath
  let store: RecordingObjectStore
  init(base: any ObjectWriter, path: ObjectPath, store: RecordingObjectStore) {
    self.base = base
    self.path = path
    self.store = store
  }
  var byteCount: Int64 { base.byteCount }
  func append(_ bytes: UnsafeRawBufferPointer) throws(Fault) { try base.append(bytes) }
  func publish() throws(Fault) {
    try base.publish()
    store.note("publish \(path.name)")
  }
  func abandon() { base.abandon() }
}

extension LakeTable {
  /// Writes rows in chunks of 100 and commits them.
  func flush(
    _ rows: [[Scalar]], schema: TableSchema = Fixture.schema, appID: String = Fixture.appID, expected: Int64?,
    version: Int64
  ) throws(Fault) -> LakeCommitOutcome {
    let writer = try writer(schema: schema)
    for start in stride(from: 0, to: rows.count, by: 100) {
      try writer.append(Fixture.chunk(Array(rows[start..<min(rows.count, start + 100)]), schema))
    }
    let files = try writer.finish()
    return try commit(
      LakeCommit(
        files: files, schema: schema, appID: appID, expectedVersion: expected, version: version,
        tierMetadata: "{\"schema\":\(schema.version)}"))
  }
}

extension LakeSnapshot {
  /// All rows of some columns of a schema (all lake columns if none are named), as scalars.
  func rows(
    _ schema: TableSchema = Fixture.schema, _ names: [String]? = nil, _ predicates: [ColumnPredicate] = []
  ) throws(Fault) -> (rows: [[Scalar]], summary: TierScanSummary) {
    let names = names ?? Fixture.lakeColumns(schema).map(\.name)
    let indices = names.compactMap { schema.column(named: $0) }
    let scan = try scan(
      ScanRequest(table: TableID(raw: 1), columns: indices, predicates: predicates), columns: schema.columns)
    var rows: [[Scalar]] = []
    for morsel in 0..<scan.morselCount {
      let reader = try scan.open(morsel: morsel)
      while let chunk = try reader.next() {
        precondition(chunk.rowCount > 0 && chunk.rowCount <= Limits.chunkRowsMax)
        for row in 0..<chunk.rowCount { rows.append(chunk.columns.map { $0.scalar(at: row) }) }
      }
    }
    return (rows, scan.tiers[0])
  }
}
