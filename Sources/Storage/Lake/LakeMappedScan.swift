// A scan of a table whose columns are not simply those of its files: partition columns, whose values stand in the log,
// and column mapping, whose files use other names.
//
//   columns asked for      a    day    b
//   read from the files    a'          b'       (physical names or ids)
//   from the log entry          '2026-11-23'    (one value a file)

import Bedrock
import Columnar
import DeltaFormat
import EventSchema
import StorageContract

final class LakeMappedScan: TableScan {
  private enum Source {
    /// Index into the columns that the files are read for.
    case file(Int)
    /// Index into the partition columns, and the SQL type.
    case partition(Int, DataType)
  }
  private let inner: LakeScan
  private let sources: [Source]

  init(snapshot: LakeSnapshot, request: ScanRequest, columns: [TableColumn]) throws(Fault) {
    let mapping = snapshot.delta.columnMapping
    let partitions = snapshot.partitionColumns
    func field(_ column: TableColumn) -> DeltaField? {
      snapshot.schema?.field(id: column.fieldID) ?? snapshot.schema?.field(named: column.name)
    }
    func partition(_ column: TableColumn) -> Int? { field(column).flatMap { partitions.firstIndex(of: $0.name) } }
    let stored = columns.map { column in
      TableColumn(
        fieldID: column.fieldID, name: field(column)?.storedName(mapping) ?? column.name, type: column.type,
        isNullable: column.isNullable)
    }
    var read: [Int] = []
    var sources: [Source] = []
    for index in request.columns {
      precondition(columns.indices.contains(index), "a scan names columns of its table")
      if let place = partition(columns[index]) {
        sources.append(.partition(place, columns[index].type))
      } else {
        sources.append(.file(read.count))
        read.append(index)
      }
    }
    var predicates: [ColumnPredicate] = []
    var files = snapshot.files
    for predicate in request.predicates where columns.indices.contains(predicate.column) {
      guard let place = partition(columns[predicate.column]) else {
        predicates.append(predicate)
        continue
      }
      // A file has one value: as both bounds it decides for all of its rows.
      let type = columns[predicate.column].type
      files = files.filter { file in
        let value = file.partitionScalars[place]
        let bounds = value.isNull
          ? ColumnBounds.absent(rowCount: 1) : ColumnBounds(min: value, max: value, nullCount: 0)
        return !LakePruning.excludes(predicate.test, bounds, rowCount: 1, type: type)
      }
    }
    self.sources = sources
    inner = try LakeScan(
      snapshot: snapshot, request: ScanRequest(table: request.table, columns: read, predicates: predicates),
      columns: stored, files: files)
  }

  var morselCount: Int { inner.morselCount }
  var tiers: [TierScanSummary] { inner.tiers }

  func open(morsel: Int) throws(Fault) -> any ChunkReader {
    let reader = try inner.open(morsel: morsel)
    return Reader(reader, sources, inner.morsels[morsel].file.partitionScalars)
  }

  private final class Reader: ChunkReader {
    private let inner: any ChunkReader
    private let sources: [Source]
    private let values: [Scalar]

    init(_ inner: any ChunkReader, _ sources: [Source], _ values: [Scalar]) {
      self.inner = inner
      self.sources = sources
      self.values = values
    }

    func next() throws(Fault) -> Chunk? {
      guard let chunk = try inner.next() else { return nil }
      let columns = sources.map { source in
        switch source {
        case .file(let index): chunk.columns[index]
        case .partition(let index, let type): Column.constant(values[index], type: type, count: chunk.rowCount)
        }
      }
      return Chunk(columns: columns, rowCount: chunk.rowCount)
    }
  }
}
