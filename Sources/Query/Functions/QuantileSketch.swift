// approx_percentile: quantiles from counts in buckets whose bounds grow by a constant factor (DDSketch, Masson et al.,
// VLDB 2019).
//
//   bucket i of a sign holds the values v with  gamma^(i-1) < |v| <= gamma^i,  gamma = 1.01 / 0.99
//
// Error bound: the answer is within 1 per cent of the value that percentile_disc would give (of its size, not of its
// rank). A group keeps at most 4,096 buckets a sign; when values spread wider, over more than 35 powers of ten, the
// smallest in size share one bucket and lose the bound. Counts add, so the answer is the same for any order of rows and
// any number of threads.

import Bedrock
import Columnar
import Glibc

final class QuantileSketchState: AggregateState {
  private static let gamma = 1.01 / 0.99
  private static let logGamma = Glibc.log(gamma)
  private static let bucketsMax = 4_096

  /// Counts of the values of one sign by bucket.
  private struct Buckets {
    var counts: [Int32: Int64] = [:]
    /// Buckets below this one are kept in it.
    var lowest = Int32.min

    @inline(__always)
    mutating func add(_ bucket: Int32, _ count: Int64) {
      counts[max(bucket, lowest), default: 0] += count
      if counts.count > bucketsMax { collapse() }
    }

    /// What stays depends on the highest bucket alone, so the order of values does not matter.
    private mutating func collapse() {
      let floor = (counts.keys.max() ?? 0) - Int32(bucketsMax) + 1
      if floor <= lowest { return }
      lowest = floor
      var sum: Int64 = 0
      for bucket in counts.keys where bucket < floor { sum += counts.removeValue(forKey: bucket) ?? 0 }
      if sum > 0 { counts[floor, default: 0] += sum }
    }

    mutating func add(_ other: Buckets) {
      for (bucket, count) in other.counts { add(bucket, count) }
    }
  }

  private struct Sketch {
    var negative = Buckets()
    var positive = Buckets()
    var zeroCount: Int64 = 0
    var lowInfinityCount: Int64 = 0
    var highInfinityCount: Int64 = 0
    var nanCount: Int64 = 0
    var count: Int64 = 0
    var least = Double.infinity
    var greatest = -Double.infinity
    /// The fraction asked for; the greatest when rows differ.
    var fraction = -1.0

    mutating func add(_ value: Double) {
      count += 1
      if value.isNaN {
        nanCount += 1
      } else if value.isInfinite {
        if value < 0 { lowInfinityCount += 1 } else { highInfinityCount += 1 }
      } else {
        least = min(least, value)
        greatest = max(greatest, value)
        if value == 0 {
          zeroCount += 1
        } else if value < 0 {
          negative.add(bucket(-value), 1)
        } else {
          positive.add(bucket(value), 1)
        }
      }
    }

    mutating func add(_ other: Sketch) {
      negative.add(other.negative)
      positive.add(other.positive)
      zeroCount += other.zeroCount
      lowInfinityCount += other.lowInfinityCount
      highInfinityCount += other.highInfinityCount
      nanCount += other.nanCount
      count += other.count
      least = min(least, other.least)
      greatest = max(greatest, other.greatest)
      fraction = max(fraction, other.fraction)
    }

    private func bucket(_ size: Double) -> Int32 { Int32((Glibc.log(size) / logGamma).rounded(.up)) }

    /// The middle of a bucket in the sense of the relative error.
    private func size(_ bucket: Int32) -> Double { 2 * Glibc.exp(Double(bucket) * logGamma) / (gamma + 1) }

    /// The value at the rank of the fraction, as percentile_disc counts ranks.
    var quantile: Double {
      var rank = max(Int64((fraction * Double(count)).rounded(.up)), 1)
      func passes(_ count: Int64) -> Bool {
        rank -= count
        return rank <= 0
      }
      func clamped(_ value: Double) -> Double { min(max(value, least), greatest) }
      if passes(lowInfinityCount) { return -.infinity }
      for bucket in negative.counts.keys.sorted(by: >) where passes(negative.counts[bucket] ?? 0) {
        return clamped(-size(bucket))
      }
      if passes(zeroCount) { return 0 }
      for bucket in positive.counts.keys.sorted() where passes(positive.counts[bucket] ?? 0) {
        return clamped(size(bucket))
      }
      return passes(highInfinityCount) ? .infinity : .nan
    }

    var bucketCount: Int { negative.counts.count + positive.counts.count }
  }

  private var sketches: [Sketch] = [Sketch()]
  private var buckets = 0
  var byteCount: Int { sketches.capacity * MemoryLayout<Sketch>.stride + buckets * 32 }
  func grow(to count: Int) { Functions.grow(&sketches, to: count, Sketch()) }

  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault) {
    let values = arguments[0].flat(), fractions = arguments[1].flat()
    let numbers = values.float64s, parts = fractions.float64s
    for row in 0..<groups.count where groups[row] >= 0 {
      if values.isNull(at: row) || fractions.isNull(at: row) { continue }
      let fraction = parts[row]
      guard fraction >= 0 && fraction <= 1 else {
        var text: [UInt8] = []
        ValueText.appendFloat(fraction, to: &text)
        throw Fault(
          .numericValueOutOfRange, "percentile value \(String(decoding: text, as: UTF8.self)) is not between 0 and 1")
      }
      let slot = Int(groups[row]) + 1
      let before = sketches[slot].bucketCount
      sketches[slot].fraction = max(sketches[slot].fraction, fraction)
      sketches[slot].add(numbers[row])
      buckets += sketches[slot].bucketCount - before
    }
  }
  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault) {
    let other = sibling(other, of: QuantileSketchState.self)
    for group in 0..<mapping.count { sketches[Int(mapping[group]) + 1].add(other.sketches[group + 1]) }
    buckets += other.buckets
  }
  func finish() throws(Fault) -> Column {
    finished(.float8, sketches.map { $0.count == 0 ? 0 : $0.quantile }) { sketches[$0].count > 0 }
  }
}
