// count, sum and avg, with PostgreSQL's result types.

import Bedrock
import Columnar
import Kernels

/// count(*) and count(value).
final class CountState: AggregateState {
  private var counts: [Int64] = [0]
  private let ignoresNulls: Bool
  init(ignoresNulls: Bool) { self.ignoresNulls = ignoresNulls }
  var byteCount: Int { counts.capacity * 8 }
  func grow(to count: Int) { Functions.grow(&counts, to: count, 0) }

  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault) {
    var validity: Bitmap?
    if ignoresNulls {
      if case .constant(let one) = arguments[0].form, one.validity != nil { return }
      validity = arguments[0].validity
    }
    counts.withUnsafeMutableBufferPointer { counts in forEachSlot(groups, validity) { slot, _ in counts[slot] &+= 1 } }
  }
  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault) {
    let other = sibling(other, of: CountState.self)
    for group in 0..<mapping.count { counts[Int(mapping[group]) + 1] &+= other.counts[group + 1] }
  }
  func finish() throws(Fault) -> Column { finished(.int8, counts) { _ in true } }
}

/// How a sum or an average is printed once all is added.
enum SumResult { case sum, average }

/// Integers: exact in 128 bits.
final class IntegerSumState: AggregateState {
  private var sums: [Int128] = [0]
  private var counts: [Int64] = [0]
  private let result: SumResult
  private let type: DataType
  init(_ type: DataType, _ result: SumResult) {
    self.type = type
    self.result = result
  }
  var byteCount: Int { sums.capacity * 24 }
  func grow(to count: Int) {
    Functions.grow(&sums, to: count, 0)
    Functions.grow(&counts, to: count, 0)
  }

  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault) {
    let flat = arguments[0].flat()
    if type.physical == .int64 {
      add(flat.int64s, groups, flat.validity)
    } else {
      add(flat.int32s, groups, flat.validity)
    }
  }
  @inline(__always)
  private func add<T: FixedWidthInteger & BitwiseCopyable>(
    _ values: Span<T>, _ groups: Span<Int32>, _ validity: Bitmap?
  ) {
    sums.withUnsafeMutableBufferPointer { sums in
      counts.withUnsafeMutableBufferPointer { counts in
        forEachSlot(groups, validity) { slot, row in
          sums[slot] &+= Int128(truncatingIfNeeded: values[row])
          counts[slot] &+= 1
        }
      }
    }
  }
  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault) {
    let other = sibling(other, of: IntegerSumState.self)
    for group in 0..<mapping.count {
      sums[Int(mapping[group]) + 1] &+= other.sums[group + 1]
      counts[Int(mapping[group]) + 1] &+= other.counts[group + 1]
    }
  }
  func finish() throws(Fault) -> Column {
    if result == .average || type.physical == .int64 {
      var values = [Numeric](repeating: .zero, count: sums.count)
      for slot in 1..<max(sums.count, 1) where counts[slot] > 0 {
        guard let sum = Numeric(coefficient: sums[slot], scale: 0),
          let value = result == .sum ? sum : Numeric.divide(sum, Numeric(counts[slot]))
        else { throw ArithmeticOperators.numericOverflow }
        values[slot] = value
      }
      return finished(.numeric, values) { counts[$0] > 0 }
    }
    var values = [Int64](repeating: 0, count: sums.count)
    for slot in 1..<max(sums.count, 1) {
      guard let value = Int64(exactly: sums[slot]) else { throw ArithmeticOperators.outOfRange(.int8) }
      values[slot] = value
    }
    return finished(.int8, values) { counts[$0] > 0 }
  }
}

/// float4 and float8.
final class FloatSumState: AggregateState {
  private var sums: [Double] = [0]
  private var counts: [Int64] = [0]
  private let type: DataType
  private let result: SumResult
  init(_ type: DataType, _ result: SumResult) {
    self.type = type
    self.result = result
  }
  var byteCount: Int { sums.capacity * 16 }
  func grow(to count: Int) {
    Functions.grow(&sums, to: count, 0)
    Functions.grow(&counts, to: count, 0)
  }
  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault) {
    let flat = widened(arguments[0].flat(), to: .float8)
    let values = flat.float64s
    sums.withUnsafeMutableBufferPointer { sums in
      counts.withUnsafeMutableBufferPointer { counts in
        forEachSlot(groups, flat.validity) { slot, row in
          sums[slot] += values[row]
          counts[slot] &+= 1
        }
      }
    }
  }
  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault) {
    let other = sibling(other, of: FloatSumState.self)
    for group in 0..<mapping.count {
      sums[Int(mapping[group]) + 1] += other.sums[group + 1]
      counts[Int(mapping[group]) + 1] &+= other.counts[group + 1]
    }
  }
  func finish() throws(Fault) -> Column {
    if result == .average {
      return finished(.float8, sums.indices.map { sums[$0] / Double(max(counts[$0], 1)) }) { counts[$0] > 0 }
    }
    if type == .float4 { return finished(.float4, sums.map { Float($0) }) { counts[$0] > 0 } }
    return finished(.float8, sums) { counts[$0] > 0 }
  }
}

/// numeric: coefficients at the largest scale seen so far, all groups alike.
final class NumericSumState: AggregateState {
  private var sums: [Numeric] = [.zero]
  private var counts: [Int64] = [0]
  private let result: SumResult
  init(_ result: SumResult) { self.result = result }
  var byteCount: Int { sums.capacity * 24 }
  func grow(to count: Int) {
    Functions.grow(&sums, to: count, .zero)
    Functions.grow(&counts, to: count, 0)
  }
  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault) {
    let flat = arguments[0].flat()
    let values = flat.numerics
    var failed = false
    forEachSlot(groups, flat.validity) { slot, row in
      guard slot > 0 else { return }
      let sum = sums[slot], value = values[row]
      let (fast, overflow) = sum.bits.addingReportingOverflow(value.bits & ~0xFF)
      if !overflow && sum.scale == value.scale && !sum.isNaN && !value.isNaN
        && Numeric(coefficient: fast >> 8, scale: sum.scale) != nil
      {
        // equal scales: the coefficients add in place
        sums[slot] = Numeric(bits: fast)
      } else if let slow = Numeric.add(sum, value) {
        sums[slot] = slow
      } else {
        failed = true
      }
      counts[slot] &+= 1
    }
    if failed { throw ArithmeticOperators.numericOverflow }
  }
  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault) {
    let other = sibling(other, of: NumericSumState.self)
    for group in 0..<mapping.count {
      let slot = Int(mapping[group]) + 1
      guard let sum = Numeric.add(sums[slot], other.sums[group + 1]) else { throw ArithmeticOperators.numericOverflow }
      sums[slot] = sum
      counts[slot] &+= other.counts[group + 1]
    }
  }
  func finish() throws(Fault) -> Column {
    if result == .sum { return finished(.numeric, sums) { counts[$0] > 0 } }
    var values = sums
    for slot in 1..<max(sums.count, 1) where counts[slot] > 0 {
      guard let value = Numeric.divide(sums[slot], Numeric(counts[slot])) else {
        throw ArithmeticOperators.numericOverflow
      }
      values[slot] = value
    }
    return finished(.numeric, values) { counts[$0] > 0 }
  }
}

/// interval.
final class IntervalSumState: AggregateState {
  private var sums: [Interval] = [Interval()]
  private var counts: [Int64] = [0]
  private let result: SumResult
  init(_ result: SumResult) { self.result = result }
  var byteCount: Int { sums.capacity * 24 }
  func grow(to count: Int) {
    Functions.grow(&sums, to: count, Interval())
    Functions.grow(&counts, to: count, 0)
  }
  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault) {
    let flat = arguments[0].flat()
    let values = flat.intervals
    for row in 0..<groups.count where groups[row] >= 0 && !flat.isNull(at: row) {
      let slot = Int(groups[row]) + 1
      sums[slot] = try DateArithmetic.sum(sums[slot], values[row])
      counts[slot] &+= 1
    }
  }
  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault) {
    let other = sibling(other, of: IntervalSumState.self)
    for group in 0..<mapping.count {
      let slot = Int(mapping[group]) + 1
      sums[slot] = try DateArithmetic.sum(sums[slot], other.sums[group + 1])
      counts[slot] &+= other.counts[group + 1]
    }
  }
  func finish() throws(Fault) -> Column {
    var values = sums
    if result == .average {
      for slot in values.indices where counts[slot] > 0 {
        values[slot] = try DateArithmetic.scaled(sums[slot], by: 1 / Double(counts[slot]))
      }
    }
    return finished(.interval, values) { counts[$0] > 0 }
  }
}
