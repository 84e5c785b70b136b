// Which encoding a column chunk gets: the one that makes it smallest, judged by its first values.
//
// Up to `sampleCount` values are encoded in every way the column allows and compressed with the codec of the file; sizes
// are carried forward to the whole row group. The dictionary is charged with the entries it will have then: distinct
// values are extrapolated as draws from a fixed set, or, when new values come faster than such draws would bring them
// (ids that follow each other), at the rate at which they come. On a near tie the encoding that is faster to read wins:
// dictionary codes for text, which stay codes until the wire; plain numbers before delta.

import Bedrock
import Glibc

struct EncodingTrial {
  static let sampleCount = 16_384
  let compressor: PageCompressor
  let rowGroupRowsMax: Int
  private(set) var fault: Fault?

  init(compressor: PageCompressor, rowGroupRowsMax: Int) {
    self.compressor = compressor
    self.rowGroupRowsMax = rowGroupRowsMax
  }

  /// Compressed bytes of a value, from a sample of `count` values.
  mutating func bytesPerValue(_ bytes: [UInt8], count: Int) -> Double {
    if count == 0 { return 0 }
    do throws(Fault) { return Double(try compressor.size(bytes)) / Double(count) } catch {
      fault = error
      return 0
    }
  }

  /// Values that the row group will have, of which `seen` in `slots` slots are pending.
  func valuesExpected(_ seen: Int, isAll: Bool) -> Double {
    // A row group seldom has fewer rows than it may have, once it has more than are probed.
    isAll ? Double(seen) : Double(max(seen, rowGroupRowsMax))
  }

  /// Distinct values among `total`, when `seen` values have `distinct` ones, `early` of them in the first three quarters.
  static func distinctExpected(_ distinct: Int, early: Int, seen: Int, total: Double) -> Double {
    if Double(seen) >= total || distinct == 0 { return Double(distinct) }
    let rate = Double(distinct - early) / (Double(seen) / 4)
    let linear = Double(distinct) + rate * (total - Double(seen))
    if Double(distinct) > 0.97 * Double(seen) { return linear }
    // Draws from a set of `size`: size * (1 - exp(-n / size)) distinct values after n draws.
    var low = Double(distinct), high = Double(distinct) * 1_000
    for _ in 0..<40 {
      let size = (low + high) / 2
      if size * (1 - exp(-Double(seen) / size)) < Double(distinct) { low = size } else { high = size }
    }
    let draws = low * (1 - exp(-total / low))
    return rate > 2 * exp(-Double(seen) / low) ? linear : draws
  }

  /// Compressed bytes of codes: their share of entropy grows with the logarithm of the dictionary.
  static func codeGrowth(_ distinct: Int, _ expected: Double) -> Double {
    let now = log2(Double(max(2, distinct)))
    return max(now, log2(max(2, expected))) / now
  }
}
