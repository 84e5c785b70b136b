// What the log says of one column over all live files.

import Bedrock
package import Columnar
import DeltaFormat

extension LakeSnapshot {
  /// Bounds and nulls of a column by its name; nil where a file does not say.
  package func bounds(of column: String) -> (min: Scalar?, max: Scalar?, nullCount: Int64?) {
    var low: Scalar?
    var high: Scalar?
    var nulls: Int64? = 0
    var isBounded = true
    for file in files {
      guard let known = file.statistics.columns[column] else { return (nil, nil, nil) }
      nulls = nulls.flatMap { sum in known.nullCount.map { sum &+ $0 } }
      if let count = known.nullCount, count == file.statistics.numRecords { continue }
      guard let min = known.min, let max = known.max else {
        isBounded = false
        continue
      }
      low = low.map { Self.isLess(min, $0) ? min : $0 } ?? min
      high = high.map { Self.isLess($0, max) ? max : $0 } ?? max
    }
    return isBounded ? (low, high, nulls) : (nil, nil, nulls)
  }

  private static func isLess(_ a: Scalar, _ b: Scalar) -> Bool {
    switch (a, b) {
    case (.integer(let a), .integer(let b)): a < b
    case (.float(let a), .float(let b)): a < b
    case (.bytes(let a), .bytes(let b)): a.lexicographicallyPrecedes(b)
    case (.numeric(let a), .numeric(let b)) where a.scale == b.scale: a.coefficient < b.coefficient
    default: false
    }
  }
}
