// A plain table at one version: a committed state of its Delta table, and what a transaction put on top of it.
//
//   base      the snapshot that the transaction began from; version -1 for a table that it makes
//   removed   files of the base that are not there any more
//   added     files that no log entry names yet
//   files     the live ones: base - removed + added, in the order of their names
//
// An address is the file's place among `files`, then 40 bits of the row's place in it.

package import Bedrock
import Columnar
import DeltaFormat
import EventSchema
import ObjectStore
import ParquetFormat
package import StorageContract

package final class ReferenceVersion: ReferenceTableVersion {
  static let rowBits = 40
  package let definition: ReferenceTableDefinition
  let table: LakeTable
  let base: LakeSnapshot
  let schema: DeltaSchema
  let removed: [LakeDataFile]
  let added: [LakeFile]
  let files: [LakeDataFile]

  init(_ definition: ReferenceTableDefinition, table: LakeTable, base: LakeSnapshot) throws(Fault) {
    self.definition = definition
    self.table = table
    self.base = base
    schema = try Self.schema(definition)
    removed = []
    added = []
    files = base.files
  }

  /// The version after `before` that has `files`, of which `added` are not in the log.
  init(after before: ReferenceVersion, files: [LakeDataFile], added: [LakeFile], removed: [LakeDataFile]) {
    definition = before.definition
    table = before.table
    base = before.base
    schema = before.schema
    self.files = files.sorted { $0.path < $1.path }
    self.added = added
    self.removed = removed
  }

  static func schema(_ definition: ReferenceTableDefinition) throws(Fault) -> DeltaSchema {
    var fields: [DeltaField] = []
    for column in definition.columns {
      fields.append(
        try DeltaField(
          name: column.name, dataType: column.type, isNullable: column.isNullable, fieldID: column.fieldID))
    }
    return DeltaSchema(fields: fields)
  }

  var isChanged: Bool { base.version < 0 || !added.isEmpty || !removed.isEmpty }

  package var estimatedRows: Int64 { files.reduce(0) { $0 &+ ($1.rowCount ?? 0) } }

  package var label: String {
    base.version < 0 ? "new table \(definition.name)" : "table \(definition.name), version \(base.version)"
  }

  package func change() throws(Fault) -> any ReferenceTableChange { try ReferenceChange(self) }

  // MARK: Scan

  package func scan(_ request: ScanRequest) throws(Fault) -> any TableScan {
    let address = definition.columns.count
    guard request.columns.contains(address) else {
      return try LakeScan(snapshot: base, request: request, columns: definition.columns, files: files)
    }
    return try addressedScan(request, address: address)
  }

  /// Files are passed over by their statistics; inside of a file every row is read, so that its place is known.
  private func addressedScan(_ request: ScanRequest, address: Int) throws(Fault) -> any TableScan {
    let conditions = request.predicates.filter { $0.column < address }.map {
      LakeCondition(definition.columns[$0.column], $0.test)
    }
    let read = files.filter { !LakeScan.excludes($0, schema, conditions) }
    let inner = try LakeScan(
      snapshot: base,
      request: ScanRequest(table: request.table, columns: request.columns.filter { $0 != address }),
      columns: definition.columns, files: read)
    let places = Dictionary(uniqueKeysWithValues: files.enumerated().map { (ObjectIdentifier($1), $0) })
    return AddressedScan(inner, columns: request.columns, address: address, places: places)
  }
}

/// A scan with the addresses of its rows.
struct AddressedScan: TableScan {
  private let inner: LakeScan
  /// Where each column asked for comes from in the inner chunk; nil: the address.
  private let sources: [Int?]
  private let places: [ObjectIdentifier: Int]

  init(_ inner: LakeScan, columns: [Int], address: Int, places: [ObjectIdentifier: Int]) {
    self.inner = inner
    self.places = places
    var next = 0
    sources = columns.map { column in
      if column == address { return nil }
      defer { next += 1 }
      return next
    }
  }

  var morselCount: Int { inner.morselCount }
  var tiers: [TierScanSummary] { inner.tiers }

  func open(morsel: Int) throws(Fault) -> any ChunkReader {
    let part = inner.morsels[morsel]
    guard let place = places[ObjectIdentifier(part.file)] else { throw Fault.bug("a scan read a file of another version") }
    guard part.file.deletionVector == nil else {
      throw Fault.unsupported("changing a table in whose files another engine marked deleted rows")
    }
    let first = part.footer.rowGroups[..<part.rowGroup].reduce(0) { $0 + $1.rowCount } + part.rows.lowerBound
    return Reader(
      try inner.open(morsel: morsel), sources, first: Int64(place) << Int64(ReferenceVersion.rowBits) | Int64(first))
  }

  private final class Reader: ChunkReader {
    private let inner: any ChunkReader
    private let sources: [Int?]
    private var address: Int64

    init(_ inner: any ChunkReader, _ sources: [Int?], first: Int64) {
      self.inner = inner
      self.sources = sources
      address = first
    }

    func next() throws(Fault) -> Chunk? {
      guard let chunk = try inner.next() else { return nil }
      let count = chunk.rowCount
      let first = address
      address += Int64(count)
      let buffer = Buffer.of(Int64.self, count: count) { out in
        for row in 0..<count { out[row] = first + Int64(row) }
      }
      let addresses = Column.fixed(.int8, count: count, buffer)
      return Chunk(columns: sources.map { $0.map { chunk.columns[$0] } ?? addresses }, rowCount: count)
    }
  }
}
