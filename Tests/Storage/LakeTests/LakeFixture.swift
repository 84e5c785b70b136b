// Tables, rows and stores for the lake's tests.

import Bedrock
import Columnar
import EventSchema
import Lake
import ObjectStore
import Runtime
import StorageContract
import Synchronization
import TestKit

/// The fault `body` throws, or nil.
func fault(_ body: () throws(Fault) -> Void) -> Fault? {
  do throws(Fault) {
    try body()
    return nil
  } catch { return error }
}

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

enum Fixture {
  static let appID = "lake/test/iot.measurement/0"
  static let start: Int64 = 1_764_000_000_000_000

  /// `iot.measurement` with one column of each type that the lake holds; `email` is personal.
  static let schema: TableSchema = {
    let content: [(String, DataType, Bool)] = [
      ("series", .text, false), ("value", .float8, false), ("email", .text, true), ("ok", .boolean, false),
      ("small", .int2, false), ("number", .int4, false), ("single", .float4, false),
      ("amount", .numeric(DataType.NumericModifier(precision: 20, scale: 2)), false), ("day", .date, false),
      ("raw", .bytea, false), ("at", .timestamptz, false),
    ]
    return table(content, version: 1)
  }()

  /// The same with one more column.
  static let nextSchema: TableSchema = {
    let columns = schema.columns + [
      TableColumn(fieldID: 40, name: "added", type: .int8, isNullable: true)
    ]
    return TableSchema(domain: "iot", entity: "measurement", version: 2, events: [], columns: columns)
  }()

  private static func table(_ content: [(String, DataType, Bool)], version: Int) -> TableSchema {
    var columns = SystemColumn.columns
    for (index, column) in content.enumerated() {
      columns.append(
        TableColumn(
          fieldID: SystemColumn.firstContentFieldID + Int32(index), name: column.0, type: column.1, isNullable: true,
          isPersonal: column.2))
    }
    return TableSchema(domain: "iot", entity: "measurement", version: version, events: [], columns: columns)
  }

  /// Columns of the schema that go to the lake.
  static func lakeColumns(_ schema: TableSchema) -> [TableColumn] {
    schema.columns.enumerated().filter { $0.offset != SystemColumn.hash }.map(\.element)
  }

  /// Rows with positions `positions`; `published` wanders around the position, so that rows must be sorted.
  static func rows(_ positions: Range<Int64>, _ schema: TableSchema = schema, seed: UInt64 = 1) -> [[Scalar]] {
    positions.map { position in
      var generator = SeededGenerator(seed: seed ^ UInt64(position) &* 0x9E37_79B9)
      let published = start + position * 1_000 + Int64.random(in: -20_000...20_000, using: &generator)
      return lakeColumns(schema).map { column in
        switch column.name {
        case "sequence": .integer(position * 10)
        case "name": .text("recorded")
        case "published", "received": .integer(published)
        case "metadata": position % 3 == 0 ? .null : .text("{\"k\":\(position)}")
        case "_pos": .integer(position)
        case "series": .text("series-\(position % 7)")
        case "email": .text("person\(position)@example.org")
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
