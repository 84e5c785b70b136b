// Variance and standard deviation: Youngs and Cramer's updates on floats, exact sums of squares on integers and
// numeric.

import Bedrock
import Columnar
import Kernels

enum VarianceKind: String, CaseIterable, Sendable {
  case sampleVariance = "var_samp", populationVariance = "var_pop"
  case sampleDeviation = "stddev_samp", populationDeviation = "stddev_pop"

  var isSample: Bool { self == .sampleVariance || self == .sampleDeviation }
  var isDeviation: Bool { self == .sampleDeviation || self == .populationDeviation }
}

final class FloatVarianceState: AggregateState {
  private struct Moments {
    var count = 0.0, sum = 0.0, squares = 0.0
  }
  private var moments: [Moments] = [Moments()]
  private let kind: VarianceKind
  init(_ kind: VarianceKind) { self.kind = kind }
  var byteCount: Int { moments.capacity * 24 }
  func grow(to count: Int) { Functions.grow(&moments, to: count, Moments()) }

  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault) {
    let flat = widened(arguments[0].flat(), to: .float8)
    let values = flat.float64s
    moments.withUnsafeMutableBufferPointer { moments in
      forEachSlot(groups, flat.validity) { slot, row in
        let value = values[row]
        moments[slot].count += 1
        moments[slot].sum += value
        let n = moments[slot].count
        if n > 1 {
          let difference = value * n - moments[slot].sum
          moments[slot].squares += difference * difference / (n * (n - 1))
        }
        // the deviation from an infinite mean is no number
        if !value.isFinite { moments[slot].squares = .nan }
      }
    }
  }
  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault) {
    let other = sibling(other, of: FloatVarianceState.self)
    for group in 0..<mapping.count {
      let slot = Int(mapping[group]) + 1
      let a = moments[slot], b = other.moments[group + 1]
      if b.count == 0 { continue }
      if a.count == 0 {
        moments[slot] = b
        continue
      }
      let n = a.count + b.count
      let difference = a.sum / a.count - b.sum / b.count
      moments[slot] = Moments(
        count: n, sum: a.sum + b.sum, squares: a.squares + b.squares + a.count * b.count * difference * difference / n)
    }
  }
  func finish() throws(Fault) -> Column {
    let least = kind.isSample ? 2.0 : 1.0
    let values = moments.map { moment -> Double in
      let variance = moment.squares / max(moment.count - (kind.isSample ? 1 : 0), 1)
      return kind.isDeviation ? variance.squareRoot() : variance
    }
    return finished(.float8, values) { moments[$0].count >= least }
  }
}

final class NumericVarianceState: AggregateState {
  private var counts: [Int64] = [0]
  private var sums: [Numeric] = [.zero]
  private var squares: [Numeric] = [.zero]
  private let kind: VarianceKind
  init(_ kind: VarianceKind) { self.kind = kind }
  var byteCount: Int { counts.capacity * 40 }
  func grow(to count: Int) {
    Functions.grow(&counts, to: count, 0)
    Functions.grow(&sums, to: count, .zero)
    Functions.grow(&squares, to: count, .zero)
  }
  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault) {
    let flat = arguments[0].flat()
    let isNumeric = flat.type.physical == .numeric
    let reader = Arguments(context: .none, columns: [flat])
    for row in 0..<groups.count where groups[row] >= 0 && !flat.isNull(at: row) {
      let slot = Int(groups[row]) + 1
      let value = isNumeric ? reader.numeric(0, row) : Numeric(reader.int(0, row))
      guard let sum = Numeric.add(sums[slot], value), let square = Numeric.multiply(value, value),
        let total = Numeric.add(squares[slot], square)
      else { throw ArithmeticOperators.numericOverflow }
      (sums[slot], squares[slot]) = (sum, total)
      counts[slot] += 1
    }
  }
  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault) {
    let other = sibling(other, of: NumericVarianceState.self)
    for group in 0..<mapping.count {
      let slot = Int(mapping[group]) + 1
      guard let sum = Numeric.add(sums[slot], other.sums[group + 1]),
        let total = Numeric.add(squares[slot], other.squares[group + 1])
      else { throw ArithmeticOperators.numericOverflow }
      (sums[slot], squares[slot]) = (sum, total)
      counts[slot] += other.counts[group + 1]
    }
  }
  func finish() throws(Fault) -> Column {
    var values = sums
    let least: Int64 = kind.isSample ? 2 : 1
    for slot in 1..<max(sums.count, 1) where counts[slot] >= least {
      if sums[slot].isNaN {
        values[slot] = .nan
        continue
      }
      let n = Numeric(counts[slot])
      guard let scaled = Numeric.multiply(squares[slot], n), let square = Numeric.multiply(sums[slot], sums[slot]),
        let numerator = Numeric.subtract(scaled, square),
        let divisor = Numeric.multiply(n, Numeric(counts[slot] - (kind.isSample ? 1 : 0)))
      else { throw ArithmeticOperators.numericOverflow }
      guard numerator.coefficient > 0 else {
        values[slot] = .zero
        continue
      }
      guard let variance = Numeric.divide(numerator, divisor),
        let value = kind.isDeviation ? MathFunctions.squareRoot(variance, scale: variance.scale) : variance
      else { throw ArithmeticOperators.numericOverflow }
      values[slot] = value
    }
    return finished(.numeric, values) { counts[$0] >= least }
  }
}
