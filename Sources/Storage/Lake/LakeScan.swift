// A scan of one snapshot: files pruned by the statistics in the log, row groups by those in the footers, pages by the
// page indexes when a morsel is opened. A morsel is one row group; only the columns asked for are read.

package import Bedrock
import Columnar
import DeltaFormat
import EventSchema
import ObjectStore
import ParquetFormat
package import StorageContract

/// A row group that is left to be read.
struct LakeMorsel: Sendable {
  let file: LakeDataFile
  let footer: ParquetFile
  let rowGroup: Int
}

package final class LakeScan: TableScan {
  private let snapshot: LakeSnapshot
  private let columns: [TableColumn]
  private let conditions: [Condition]
  let morsels: [LakeMorsel]
  package let tiers: [TierScanSummary]

  /// - Parameter files: the live files of the snapshot, or those that are left of them.
  init(
    snapshot: LakeSnapshot, request: ScanRequest, columns: [TableColumn], files: [LakeDataFile]
  ) throws(Fault) {
    self.snapshot = snapshot
    for index in request.columns { precondition(columns.indices.contains(index), "a scan names columns of its table") }
    self.columns = request.columns.map { columns[$0] }
    let conditions = request.predicates.filter { columns.indices.contains($0.column) }.map {
      Condition(column: columns[$0.column], test: $0.test)
    }
    var morsels: [LakeMorsel] = []
    var filesRead = 0
    var rowGroups = 0
    for file in files {
      if Self.excludes(file, snapshot.schema, conditions) { continue }
      filesRead += 1
      let footer = try snapshot.footers.footer(file.path, size: file.add.size)
      rowGroups += footer.rowGroups.count
      for group in footer.rowGroups.indices where footer.rowGroups[group].rowCount > 0 {
        if Self.excludes(footer, footer.rowGroups[group], conditions) { continue }
        morsels.append(LakeMorsel(file: file, footer: footer, rowGroup: group))
      }
    }
    self.morsels = morsels
    self.conditions = conditions
    tiers = [
      Self.summary(
        morsels, self.columns, files: (snapshot.files.count, filesRead), rowGroups: (rowGroups, morsels.count))
    ]
  }

  package var morselCount: Int { morsels.count }

  package func open(morsel: Int) throws(Fault) -> any ChunkReader {
    precondition(morsels.indices.contains(morsel), "morsels are numbered from 0")
    return try LakeChunkReader(
      morsels[morsel], columns: columns, conditions: conditions, store: snapshot.footers.objectStore)
  }

  // MARK: Pruning

  struct Condition: Sendable {
    let column: TableColumn
    let test: ColumnPredicate.Test
  }

  private static func excludes(_ file: LakeDataFile, _ schema: DeltaSchema?, _ conditions: [Condition]) -> Bool {
    let statistics = file.statistics
    for condition in conditions {
      guard let field = schema?.field(id: condition.column.fieldID), let known = statistics.columns[field.name]
      else { continue }
      let bounds = ColumnBounds(min: known.min, max: known.max, nullCount: known.nullCount)
      if LakePruning.excludes(condition.test, bounds, rowCount: statistics.numRecords, type: condition.column.type) {
        return true
      }
    }
    return false
  }

  private static func excludes(_ footer: ParquetFile, _ group: ParquetRowGroup, _ conditions: [Condition]) -> Bool {
    for condition in conditions {
      let bounds = bounds(footer, group, condition.column)
      if LakePruning.excludes(condition.test, bounds, rowCount: Int64(group.rowCount), type: condition.column.type) {
        return true
      }
    }
    return false
  }

  static func bounds(_ footer: ParquetFile, _ group: ParquetRowGroup, _ column: TableColumn) -> ColumnBounds {
    guard let index = leafIndex(footer, column) else { return .absent(rowCount: Int64(group.rowCount)) }
    guard let statistics = group.columns[index].statistics else { return ColumnBounds() }
    return bounds(footer.leaves[index], statistics, as: column.type)
  }

  static func bounds(_ leaf: ParquetLeaf, _ statistics: ParquetStatistics, as type: DataType) -> ColumnBounds {
    var (min, max) = leaf.bounds(statistics, as: type)
    // NaN is greater than every number and in no bound.
    if case .float = max ?? .null, statistics.nanCount != 0 { max = nil }
    if case .float(let value) = min ?? .null, value.isNaN { min = nil }
    return ColumnBounds(min: min, max: max, nullCount: statistics.nullCount.map { Int64($0) })
  }

  /// Some bytes of a data file.
  static func read(_ file: LakeDataFile, _ range: Range<Int>, _ store: any ObjectStore) throws(Fault) -> Buffer {
    try Buffer(uninitializedByteCount: range.count) { (raw) throws(Fault) in
      try store.read(file.path, at: Int64(range.lowerBound), into: raw)
    }
  }

  /// The leaf of a column: by field id, and by name in files without ids. A column with a negative id belongs to a table
  /// without ids: its name decides.
  static func leafIndex(_ footer: ParquetFile, _ column: TableColumn) -> Int? {
    if column.fieldID < 0 { return footer.leafIndex(named: column.name) }
    if let index = footer.leafIndex(fieldID: column.fieldID) { return index }
    guard let index = footer.leafIndex(named: column.name), footer.leaves[index].fieldID == nil else { return nil }
    return index
  }

  private static func summary(
    _ morsels: [LakeMorsel], _ columns: [TableColumn], files: (total: Int, read: Int), rowGroups: (total: Int, read: Int)
  ) -> TierScanSummary {
    var rows: Int64 = 0
    var bytes: Int64 = 0
    for morsel in morsels {
      let group = morsel.footer.rowGroups[morsel.rowGroup]
      rows += Int64(group.rowCount)
      for column in columns {
        guard let index = leafIndex(morsel.footer, column) else { continue }
        bytes += Int64(group.columns[index].byteRange.count)
      }
    }
    return TierScanSummary(
      tier: "lake",
      units: [
        (label: "files", total: files.total, read: files.read),
        (label: "row groups", total: rowGroups.total, read: rowGroups.read),
      ], rows: rows, bytes: bytes)
  }
}
