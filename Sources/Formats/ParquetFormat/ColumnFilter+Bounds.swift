// What the statistics of a page say against a filter: only "no row can pass" counts. An unknown bound, a NaN that may be
// there, a number of another scale: the page is read.

import Bedrock
import Columnar

extension ColumnFilter {
  /// True when none of `rows` rows with these statistics can pass.
  func excludes(_ leaf: ParquetLeaf, _ statistics: ParquetStatistics, rows: Int) -> Bool {
    switch test {
    case .nothing: return true
    case .isNull: return statistics.nullCount == 0
    case .isNotNull: return statistics.nullCount == rows
    default: break
    }
    if statistics.nullCount == rows { return true }
    let bounds = leaf.bounds(statistics, as: type)
    guard let min = bounds.min, let max = bounds.max else { return false }
    switch (test, min, max) {
    case (.integers(let low, let high, let negated), .integer(let min), .integer(let max)):
      return negated ? min == low && max == high : max < low || min > high
    case (.integerSet(let set), .integer(let min), .integer(let max)):
      return set.allSatisfy { $0 < min || $0 > max }
    case (.floats(let low, let high, let nanPasses, let negated), .float(let min), .float(let max)):
      if negated || nanPasses && statistics.nanCount != 0 { return false }
      return max < low || min > high
    case (.floatSet(let set, let nanPasses), .float(let min), .float(let max)):
      if nanPasses && statistics.nanCount != 0 { return false }
      return set.allSatisfy { $0 < min || $0 > max }
    case (.numerics(let low, let high, let scale, false), .numeric(let min), .numeric(let max)):
      return min.scale == scale && max.scale == scale && (max.bits < low || min.bits > high)
    case (.bytes(let value, let less, let equal, let greater), .bytes(let min), .bytes(let max)):
      // Bounds may be cut: the least value is at or after `min`, the greatest at or before `max`.
      let toMin = Self.order(value, min), toMax = Self.order(value, max)
      let isBefore = toMin < 0, isAfter = toMax > 0
      if less && greater { return false }
      if less { return isBefore || toMin == 0 && !equal }
      if greater { return isAfter || toMax == 0 && !equal }
      return isBefore || isAfter
    case (.bytesSet(let set), .bytes(let min), .bytes(let max)):
      return set.allSatisfy { Self.order($0, min) < 0 || Self.order($0, max) > 0 }
    default: return false
    }
  }

  private static func order(_ a: [UInt8], _ b: [UInt8]) -> Int {
    a.withUnsafeBytes { a in b.withUnsafeBytes { ByteOrder.compare(a, $0) } }
  }
}
