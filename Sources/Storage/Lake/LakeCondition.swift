// One condition of a scan: what prunes by it, the filter that decides it exactly, and what it was seen to let through.

import Bedrock
import Columnar
import EventSchema
import ParquetFormat
import StorageContract
import Synchronization

final class LakeCondition: Sendable {
  let column: TableColumn
  let test: ColumnPredicate.Test
  /// `nil`: only good for pruning.
  let filter: ColumnFilter?
  private let rowsSeen = Atomic<Int>(0)
  private let rowsKept = Atomic<Int>(0)

  init(_ column: TableColumn, _ test: ColumnPredicate.Test) {
    self.column = column
    self.test = test
    switch test {
    case .isNull: filter = .isNull(column.type)
    case .isNotNull: filter = .isNotNull(column.type)
    case .compare(let comparison, let value): filter = .compare(Self.comparison(comparison), value, column.type)
    case .anyOf(let values): filter = .anyOf(values, column.type)
    }
  }

  private static func comparison(_ comparison: ComparisonOperator) -> ColumnFilter.Comparison {
    switch comparison {
    case .equal: .equal
    case .notEqual: .notEqual
    case .less: .less
    case .lessOrEqual: .lessOrEqual
    case .greater: .greater
    case .greaterOrEqual: .greaterOrEqual
    }
  }

  func note(seen: Int, kept: Int) {
    rowsSeen.add(seen, ordering: .relaxed)
    rowsKept.add(kept, ordering: .relaxed)
  }

  /// The part of rows that passed so far; before any was seen a guess by the form of the test.
  var passing: Double {
    let seen = rowsSeen.load(ordering: .relaxed)
    if seen > 0 { return Double(rowsKept.load(ordering: .relaxed)) / Double(seen) }
    switch test {
    case .compare(.equal, _): return 0.05
    case .anyOf(let values): return min(0.5, 0.05 * Double(values.count))
    case .isNull: return 0.1
    case .isNotNull: return 0.9
    case .compare(.notEqual, _): return 0.95
    default: return 0.4
    }
  }

  /// Conditions with a high rank go last: cost over the part of rows they remove.
  var rank: Double { (column.type.physical == .bytes ? 3 : 1) / max(1 - passing, 0.001) }
}
