// From what was seen of a table to what the planner reads.

import Bedrock
import Columnar
import EventSchema
import Glibc
import Lake
import StorageContract

extension TableAnalysis {
  static let commonValuesMax = 32
  static let bucketsMax = 32
  /// A value is common from this share of the sampled rows on.
  private static let commonShareMin = 0.01

  /// Bounds and nulls come from the log, counts of distinct values from the sketches, the rest from the sample.
  func summary(_ schema: TableSchema, _ snapshot: LakeSnapshot, now: Int64) -> TableStatistics {
    let rowCount = snapshot.rowCount
    var found: [Int32: ColumnStatistics] = [:]
    for column in Self.columns(of: schema) {
      guard let place = columns.firstIndex(of: column.fieldID) else { continue }
      let known = snapshot.bounds(of: column.name)
      let values = sample.rows.map { $0.values[place] }
      let nulls = values.reduce(0) { $0 + ($1.isNull ? 1 : 0) }
      var nullFraction = values.isEmpty ? 0 : Double(nulls) / Double(values.count)
      if let count = known.nullCount, rowCount > 0 { nullFraction = min(1, Double(count) / Double(rowCount)) }
      var statistics = ColumnStatistics(
        distinctCount: min(sketches[place].estimate, rowCount), nullFraction: nullFraction, min: known.min,
        max: known.max)
      Self.describe(values, &statistics)
      found[column.fieldID] = statistics
    }
    return TableStatistics(
      rowCount: rowCount, sampledRows: sample.rows.count, columns: found, analysedMicros: now)
  }

  private static func describe(_ values: [Scalar], _ statistics: inout ColumnStatistics) {
    var counts: [Scalar: Int] = [:]
    for value in values where !value.isNull { counts[value, default: 0] += 1 }
    let all = Double(values.count)
    let common = counts.filter { $0.value >= 2 && Double($0.value) / all >= commonShareMin }
      .sorted { $0.value != $1.value ? $0.value > $1.value : ScalarOrder.isLess($0.key, $1.key) }
      .prefix(commonValuesMax)
    statistics.commonValues = common.map {
      ColumnStatistics.CommonValue(value: $0.key, fraction: Double($0.value) / all)
    }
    let isCommon = Set(common.map(\.key))
    let rest = values.filter { !$0.isNull && !isCommon.contains($0) }.sorted { ScalarOrder.isLess($0, $1) }
    guard rest.count >= 2, ScalarOrder.hasOrder(rest[0]) else { return }
    let buckets = min(bucketsMax, rest.count - 1)
    statistics.histogram = (0...buckets).map { rest[$0 * (rest.count - 1) / buckets] }
  }
}

/// An order of values for histograms: numbers by value, text by its bytes.
enum ScalarOrder {
  static func hasOrder(_ value: Scalar) -> Bool {
    switch value {
    case .integer, .float, .bytes, .boolean, .numeric: true
    default: false
    }
  }

  static func isLess(_ a: Scalar, _ b: Scalar) -> Bool {
    switch (a, b) {
    case (.integer(let a), .integer(let b)): a < b
    // NaN is greater than every number.
    case (.float(let a), .float(let b)): a < b || (!a.isNaN && b.isNaN)
    case (.boolean(let a), .boolean(let b)): !a && b
    case (.bytes(let a), .bytes(let b)): a.lexicographicallyPrecedes(b)
    case (.numeric(let a), .numeric(let b)): approximate(a) < approximate(b)
    case (.uuid(let a), .uuid(let b)):
      (UInt64(bigEndian: a.high), UInt64(bigEndian: a.low)) < (UInt64(bigEndian: b.high), UInt64(bigEndian: b.low))
    default: false
    }
  }

  /// Close enough for the bounds of a bucket.
  private static func approximate(_ value: Numeric) -> Double {
    value.isNaN ? .infinity : Double(value.coefficient) / pow(10, Double(value.scale))
  }
}
