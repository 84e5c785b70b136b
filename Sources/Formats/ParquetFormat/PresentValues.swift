// Taking the values of a fixed width that a run of rows has, without the nulls between them.

import Bedrock
import Columnar

extension Array where Element: BitwiseCopyable {
  /// Appends the values of rows `start..<end` that `validity` has.
  @inline(__always)
  mutating func append(_ values: Span<Element>, from start: Int, to end: Int, present validity: Bitmap?) {
    guard let validity else {
      values.extracting(start..<end).withUnsafeBufferPointer { append(contentsOf: $0) }
      return
    }
    if start == end { return }
    let words = validity.words
    var place = count
    append(contentsOf: repeatElement(values[start], count: end - start))
    withUnsafeMutableBufferPointer { taken in
      // Every row is stored and the place moves on behind those that have a value: no branch.
      for row in start..<end {
        taken[place] = values[row]
        place += Int(truncatingIfNeeded: words[row >> 6] >> UInt64(row & 63) & 1)
      }
    }
    removeLast(count - place)
  }
}
