// Which chunks a scan may skip, from the ranges and null counts in their headers.

import Bedrock
import Columnar
import EventSchema
import StorageContract

enum ChunkPruning {
  /// True when no row of the chunk can pass all predicates.
  static func excludes(_ header: ChunkHeader, _ predicates: [ColumnPredicate], columns: [TableColumn]) -> Bool {
    for predicate in predicates where columns.indices.contains(predicate.column) {
      let column = columns[predicate.column]
      let entry = header.column(fieldID: column.fieldID)
      let nullCount = entry?.nullCount ?? header.rowCount
      if case .isNull = predicate.test {
        if nullCount == 0 { return true }
        continue
      }
      // A comparison with null is never true.
      if nullCount == header.rowCount { return true }
      if case .isNotNull = predicate.test { continue }
      guard !column.isPersonal, let range = entry?.range else { continue }
      switch predicate.test {
      case .compare(let comparison, let value): if excludes(range, comparison, value) { return true }
      case .anyOf(let values): if values.allSatisfy({ excludes(range, .equal, $0) }) { return true }
      case .isNull, .isNotNull: break
      }
    }
    return false
  }

  private static func excludes(_ range: ValueRange, _ comparison: ComparisonOperator, _ value: Scalar) -> Bool {
    switch (range, value) {
    case (.integers(let low, let high), .integer(let value)): excludes(low, high, comparison, value)
    case (.integers(let low, let high), .boolean(let value)): excludes(low, high, comparison, value ? 1 : 0)
    // PostgreSQL puts NaN above every number; a chunk that has one has no range, a bound that is one prunes nothing.
    case (.floats(let low, let high), .float(let value)) where !value.isNaN: excludes(low, high, comparison, value)
    default: false
    }
  }

  private static func excludes<T: Comparable>(
    _ low: T, _ high: T, _ comparison: ComparisonOperator, _ value: T
  ) -> Bool {
    switch comparison {
    case .equal: value < low || value > high
    case .notEqual: low == value && high == value
    case .less: low >= value
    case .lessOrEqual: low > value
    case .greater: high <= value
    case .greaterOrEqual: high < value
    }
  }
}
