// From a boolean column to the rows that it keeps.

import Bedrock
package import Columnar

/// Row numbers, rising. Made by filters, used by `Column.gather`.
package struct Selection: Sendable {
  private let buffer: Buffer
  package let count: Int

  /// The rows where `condition` is true; null counts as false.
  package init(condition: Column) {
    precondition(condition.type.physical == .bool8)
    let rows = condition.count
    let flat = condition.flat()
    let values = flat.booleans
    var kept = 0
    buffer = Buffer.of(Int32.self, count: rows) { out in
      if let validity = flat.validity {
        let words = validity.words
        for row in 0..<rows {
          out[kept] = Int32(truncatingIfNeeded: row)
          // values are 0 or 1: adding instead of branching keeps the loop free of mispredictions
          kept &+= Int(values[row]) & Int(truncatingIfNeeded: words[row >> 6] &>> UInt64(row & 63) & 1)
        }
      } else {
        for row in 0..<rows {
          out[kept] = Int32(truncatingIfNeeded: row)
          kept &+= Int(values[row])
        }
      }
    }
    count = kept
  }

  package var rows: Span<Int32> {
    @_lifetime(borrow self)
    get { _overrideLifetime(buffer.span(of: Int32.self).extracting(0..<count), borrowing: self) }
  }
}
