// Whether a file or a row group can be skipped: what its statistics say against the conditions of a scan.
//
// Only "no row can pass" counts. An unknown bound, a type whose order is not the order of its statistics (jsonb,
// char(n)), a NaN on either side: the unit is read.

import Bedrock
import Columnar
import StorageContract

/// What is known about one column of a file or row group.
struct ColumnBounds {
  var min: Scalar?
  var max: Scalar?
  var nullCount: Int64?

  /// A column that the unit does not have.
  static func absent(rowCount: Int64) -> ColumnBounds { ColumnBounds(min: nil, max: nil, nullCount: rowCount) }
}

enum LakePruning {
  /// True when none of `rowCount` rows (nil: unknown) can pass `test`.
  static func excludes(_ test: ColumnPredicate.Test, _ bounds: ColumnBounds, rowCount: Int64?, type: DataType) -> Bool {
    let isAllNull = rowCount != nil && bounds.nullCount == rowCount
    switch test {
    case .isNull: return bounds.nullCount == 0
    case .isNotNull: return isAllNull
    case .compare(let comparison, let value):
      return isAllNull || isOrdered(type) && excludes(comparison, value, bounds)
    case .anyOf(let values):
      return isAllNull || isOrdered(type) && values.allSatisfy { excludes(.equal, $0, bounds) }
    }
  }

  /// True when SQL orders the type as its statistics are ordered.
  private static func isOrdered(_ type: DataType) -> Bool {
    switch type {
    case .int2, .int4, .int8, .float4, .float8, .numeric, .date, .timestamp, .timestamptz, .text, .varchar, .name: true
    default: false
    }
  }

  private static func excludes(_ comparison: ComparisonOperator, _ value: Scalar, _ bounds: ColumnBounds) -> Bool {
    let toMin = bounds.min.flatMap { order(value, $0) }
    let toMax = bounds.max.flatMap { order(value, $0) }
    switch comparison {
    case .equal: return toMin == .less || toMax == .greater
    case .notEqual: return toMin == .equal && toMax == .equal
    case .less: return toMin == .less || toMin == .equal
    case .lessOrEqual: return toMin == .less
    case .greater: return toMax == .greater || toMax == .equal
    case .greaterOrEqual: return toMax == .greater
    }
  }

  private enum Order { case less, equal, greater }

  /// Nil when the values cannot be compared safely.
  private static func order(_ a: Scalar, _ b: Scalar) -> Order? {
    switch (a, b) {
    case (.integer(let a), .integer(let b)): return order(a, b)
    case (.float(let a), .float(let b)): return a.isNaN || b.isNaN ? nil : order(a, b)
    case (.bytes(let a), .bytes(let b)):
      return a == b ? .equal : a.lexicographicallyPrecedes(b) ? .less : .greater
    case (.numeric(let a), .numeric(let b)): return order(a, b)
    default: return nil
    }
  }

  private static func order<T: Comparable>(_ a: T, _ b: T) -> Order { a < b ? .less : a == b ? .equal : .greater }

  private static func order(_ a: Numeric, _ b: Numeric) -> Order? {
    if a.isNaN || b.isNaN { return nil }
    var left = a.coefficient, right = b.coefficient
    for _ in 0..<abs(a.scale - b.scale) {
      let (scaled, overflow) = (a.scale < b.scale ? left : right).multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      if a.scale < b.scale { left = scaled } else { right = scaled }
    }
    return order(left, right)
  }
}
