// The order of rows by one 64-bit key: a stable least-significant-digit radix sort of (key, row) by bytes. Bytes that
// are the same in all keys cost one counting pass together, so a flush of some hours (35 bits of microseconds) takes
// five passes of two streams each. Rows that are in order already, the usual case, cost one look.

import Bedrock
import Columnar

enum RadixSort {
  /// Row numbers in ascending, stable order of `keys`; nil when the rows are in order as they are.
  static func order(_ keys: Span<Int64>) -> [Int32]? {
    precondition(keys.count <= Int(Int32.max), "row numbers have 31 bits")
    if isSorted(keys) { return nil }
    var entries = [(key: UInt64, row: Int32)](repeating: (0, 0), count: keys.count)
    var all = UInt64.max
    var any: UInt64 = 0
    for row in 0..<keys.count {
      // Flipping the sign bit makes the unsigned order the signed one.
      let key = UInt64(bitPattern: keys[row]) ^ 1 << 63
      entries[row] = (key, Int32(truncatingIfNeeded: row))
      all &= key
      any |= key
    }
    var other = entries
    for digit in 0..<8 {
      let shift = UInt64(digit * 8)
      if (all ^ any) >> shift & 0xFF == 0 { continue }
      pass(entries, &other, shift)
      swap(&entries, &other)
    }
    return entries.map(\.row)
  }

  private static func isSorted(_ keys: Span<Int64>) -> Bool {
    var row = 1
    while row < keys.count {
      if keys[row] < keys[row - 1] { return false }
      row += 1
    }
    return true
  }

  private static func pass(
    _ source: [(key: UInt64, row: Int32)], _ target: inout [(key: UInt64, row: Int32)], _ shift: UInt64
  ) {
    precondition(source.count == target.count)
    var starts = [Int](repeating: 0, count: 257)
    source.withUnsafeBufferPointer { source in
      target.withUnsafeMutableBufferPointer { target in
        starts.withUnsafeMutableBufferPointer { starts in
          // SAFETY: a digit is under 256; the starts are running sums of counts whose total is the number of entries.
          for entry in source { starts[Int(entry.key >> shift & 0xFF) + 1] += 1 }
          for digit in 1...256 { starts[digit] += starts[digit - 1] }
          for entry in source {
            let digit = Int(entry.key >> shift & 0xFF)
            target[starts[digit]] = entry
            starts[digit] += 1
          }
        }
      }
    }
  }
}
