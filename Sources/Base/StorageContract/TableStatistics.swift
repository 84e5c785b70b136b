// What is known of a table's values: for estimates, never for answers.
//
// Counts are of the lake as of `analysedMicros`; rows that came since are in no number here. Personal columns have no
// entry.

package import Columnar

/// One column.
package struct ColumnStatistics: Sendable, Hashable {
  /// A value and the share of all rows that have it.
  package struct CommonValue: Sendable, Hashable {
    package let value: Scalar
    package let fraction: Double
    package init(value: Scalar, fraction: Double) {
      self.value = value
      self.fraction = fraction
    }
  }

  /// About how many distinct values there are (HyperLogLog: within about 2 %).
  package var distinctCount: Int64
  /// Of all rows.
  package var nullFraction: Double
  /// Bounds, exact or wider; `nil`: unknown, or a type without an order.
  package var min: Scalar?
  package var max: Scalar?
  /// Most frequent first, at most 32.
  package var commonValues: [CommonValue]
  /// Bounds of buckets with about equally many rows each, from the values that are not common; ascending. Empty: unknown.
  package var histogram: [Scalar]

  package init(
    distinctCount: Int64, nullFraction: Double, min: Scalar? = nil, max: Scalar? = nil,
    commonValues: [CommonValue] = [], histogram: [Scalar] = []
  ) {
    precondition(nullFraction >= 0 && nullFraction <= 1)
    self.distinctCount = distinctCount
    self.nullFraction = nullFraction
    self.min = min
    self.max = max
    self.commonValues = commonValues
    self.histogram = histogram
  }
}

package struct TableStatistics: Sendable, Hashable {
  /// Rows of the lake.
  package var rowCount: Int64
  /// Rows that common values and histograms were taken from.
  package var sampledRows: Int
  /// By field id.
  package var columns: [Int32: ColumnStatistics]
  /// µs since 1970.
  package var analysedMicros: Int64

  package init(rowCount: Int64, sampledRows: Int, columns: [Int32: ColumnStatistics], analysedMicros: Int64) {
    self.rowCount = rowCount
    self.sampledRows = sampledRows
    self.columns = columns
    self.analysedMicros = analysedMicros
  }
}
