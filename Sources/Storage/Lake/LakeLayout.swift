// How columns of a table lie in its data files: the open profile of the lake. Flushes and rewrites share it.
//
// Bloom filters go where a value is looked for that bounds and dictionaries do not find: texts, uuids and whole numbers
// that are not personal. The Parquet writer keeps the filter of a column chunk only if its values are mostly distinct and
// not in order; columns that follow the log (`sequence`, `_pos`) and the first key of the sort are out from the start.

import Columnar
import DeltaFormat
import EventSchema
import ParquetFormat

enum LakeLayout {
  /// - Parameter sortKey: the column the files are sorted by first.
  static func column(_ column: TableColumn, sortKey: String) -> ParquetColumn {
    ParquetColumn(
      name: column.name, type: column.type, isNullable: column.isNullable, fieldID: column.fieldID,
      isPersonal: column.isPersonal,
      bloomFilter: column.name != sortKey && isLookedUp(column) ? .automatic : .never)
  }

  private static func isLookedUp(_ column: TableColumn) -> Bool {
    if column.isPersonal || ["sequence", "_pos"].contains(column.name) { return false }
    switch column.type {
    case .text, .varchar, .uuid, .int8: return true
    default: return false
    }
  }

  static func options(_ lake: LakeOptions) -> ParquetWriterOptions {
    var options = ParquetWriterOptions()
    options.rowGroupRowsMax = lake.rowGroupRowsMax
    options.timesAsIntegers = true
    return options
  }

  /// What the log says of a finished file; nothing of personal columns.
  static func statistics(_ summary: ParquetFileSummary, _ columns: [ParquetColumn]) -> DeltaStatistics {
    var statistics = DeltaStatistics(numRecords: Int64(summary.rowCount))
    for (column, known) in zip(columns, summary.columns) where !column.isPersonal {
      // The leaf of an array counts elements, the log would mean rows.
      if case .array = column.type { continue }
      statistics.columns[column.name] = DeltaColumnStatistics(
        min: known.min, max: known.max, nullCount: known.nullCount.map { Int64($0) })
    }
    return statistics
  }
}
