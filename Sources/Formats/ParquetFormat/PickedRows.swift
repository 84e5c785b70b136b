// Which rows of a window a filter kept: rising row numbers, 4 bytes each. A filter that follows sees only these, and
// columns that nobody filtered by are decoded for these only.

import Bedrock
package import Columnar

package struct PickedRows: Sendable {
  private let buffer: Buffer
  package let count: Int

  /// `fill` writes at most `capacity` rising row numbers and returns how many.
  @inline(__always)
  init(capacity: Int, fill: (UnsafeMutablePointer<Int32>) -> Int) {
    let memory = OpenBuffer(byteCount: capacity * 4)
    count = fill(memory.base.assumingMemoryBound(to: Int32.self))
    precondition(count >= 0 && count <= capacity)
    buffer = memory.close()
  }

  /// Rising row numbers.
  package init(_ rows: [Int32]) {
    buffer = .copying(rows)
    count = rows.count
  }

  /// The rows that `bitmap` has set, or those that it has not.
  package init(setIn bitmap: Bitmap, inverted: Bool = false) {
    let words = bitmap.words, flip: UInt64 = inverted ? .max : 0
    self.init(capacity: bitmap.count) { out in
      var kept = 0
      for index in 0..<Bitmap.wordCount(bitmap.count) {
        let rowsLeft = bitmap.count - index << 6
        var word = (words[index] ^ flip) & (rowsLeft < 64 ? (1 << UInt64(rowsLeft)) - 1 : .max)
        while word != 0 {
          out[kept] = Int32(truncatingIfNeeded: index << 6 + word.trailingZeroBitCount)
          kept += 1
          word &= word &- 1
        }
      }
      return kept
    }
  }

  package var rows: Span<Int32> {
    @_lifetime(borrow self)
    get { _overrideLifetime(buffer.span(of: Int32.self).extracting(0..<count), borrowing: self) }
  }

  /// The rows at these places of this list.
  package func picking(_ places: PickedRows) -> PickedRows {
    let mine = rows, wanted = places.rows
    return PickedRows(capacity: places.count) { out in
      for index in 0..<wanted.count { out[index] = mine[Int(wanted[index])] }
      return wanted.count
    }
  }

  /// The rows inside of `range`, counted from its start.
  func within(_ range: Range<Int>) -> PickedRows {
    let mine = rows
    if let last = mine.isEmpty ? nil : mine[mine.count - 1], range.lowerBound == 0, Int(last) < range.upperBound {
      return self
    }
    let first = Self.lowerBound(mine, range.lowerBound), end = Self.lowerBound(mine, range.upperBound)
    return PickedRows(capacity: end - first) { out in
      for index in first..<end { out[index - first] = mine[index] - Int32(range.lowerBound) }
      return end - first
    }
  }

  private static func lowerBound(_ rows: Span<Int32>, _ row: Int) -> Int {
    var low = 0, high = rows.count
    while low < high {
      let middle = (low + high) / 2
      if Int(rows[middle]) < row { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// All of `parts`, each of which counts from its base.
  static func joining(_ parts: [(base: Int, rows: PickedRows)]) -> PickedRows {
    if parts.count == 1, parts[0].base == 0 { return parts[0].rows }
    return PickedRows(capacity: parts.reduce(0) { $0 + $1.rows.count }) { out in
      var written = 0
      for part in parts {
        let rows = part.rows.rows
        for index in 0..<rows.count { out[written + index] = rows[index] + Int32(part.base) }
        written += rows.count
      }
      return written
    }
  }
}

extension PickedRows {
  /// Where these rows stand in a list that has them all.
  package func places(in list: PickedRows) -> PickedRows {
    let mine = rows, all = list.rows
    return PickedRows(capacity: count) { out in
      var place = 0
      for index in 0..<mine.count {
        while all[place] < mine[index] { place += 1 }
        out[index] = Int32(truncatingIfNeeded: place)
      }
      return mine.count
    }
  }
}
