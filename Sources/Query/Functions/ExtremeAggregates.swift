// min, max, bool_and, bool_or, first(value, time) and last(value, time).

import Bedrock
import Columnar
import Kernels

/// min and max over values of fixed width that order as `T` does.
final class FixedExtremeState<T: BitwiseCopyable>: AggregateState {
  private var best: [T]
  private var seen: [Bool] = [false]
  private let type: DataType
  private let isBetter: (T, T) -> Bool
  private let empty: T
  init(_ type: DataType, empty: T, isBetter: @escaping (T, T) -> Bool) {
    self.type = type
    self.isBetter = isBetter
    self.empty = empty
    best = [empty]
  }
  var byteCount: Int { best.capacity * (MemoryLayout<T>.stride + 1) }
  func grow(to count: Int) {
    Functions.grow(&best, to: count, empty)
    Functions.grow(&seen, to: count, false)
  }
  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault) {
    let flat = arguments[0].flat()
    let values = flat.values(T.self)
    best.withUnsafeMutableBufferPointer { best in
      seen.withUnsafeMutableBufferPointer { seen in
        forEachSlot(groups, flat.validity) { slot, row in
          let value = values[row]
          if !seen[slot] || isBetter(value, best[slot]) {
            best[slot] = value
            seen[slot] = true
          }
        }
      }
    }
  }
  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault) {
    let other = sibling(other, of: FixedExtremeState<T>.self)
    for group in 0..<mapping.count where other.seen[group + 1] {
      let slot = Int(mapping[group]) + 1
      if !seen[slot] || isBetter(other.best[group + 1], best[slot]) {
        best[slot] = other.best[group + 1]
        seen[slot] = true
      }
    }
  }
  func finish() throws(Fault) -> Column { finished(type, best) { seen[$0] } }
}

/// min and max over text and other bytes.
final class BytesExtremeState: AggregateState {
  private var best: [[UInt8]?] = [nil]
  private var bytes = 0
  private let type: DataType
  private let isMax: Bool
  init(_ type: DataType, isMax: Bool) {
    self.type = type
    self.isMax = isMax
  }
  var byteCount: Int { best.capacity * 8 + bytes }
  func grow(to count: Int) { Functions.grow(&best, to: count, nil) }

  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault) {
    let flat = arguments[0].flat()
    let reader = Arguments(context: .none, columns: [flat])
    for row in 0..<groups.count where groups[row] >= 0 && !flat.isNull(at: row) {
      take(reader.bytes(0, row), Int(groups[row]) + 1)
    }
  }
  private func take(_ value: UnsafeRawBufferPointer, _ slot: Int) {
    if let current = best[slot] {
      let order = current.withUnsafeBytes { ComparisonOperators.order(value, $0) }
      if isMax ? order <= 0 : order >= 0 { return }
      bytes -= current.count
    }
    best[slot] = Array(value)
    bytes += value.count
  }
  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault) {
    let other = sibling(other, of: BytesExtremeState.self)
    for group in 0..<mapping.count {
      guard let value = other.best[group + 1] else { continue }
      value.withUnsafeBytes { take($0, Int(mapping[group]) + 1) }
    }
  }
  func finish() throws(Fault) -> Column {
    var builder = ColumnBuilder(type: type, capacity: best.count)
    for value in best.dropFirst() { if let value { builder.append(value) } else { builder.appendNull() } }
    return builder.finish()
  }
}

/// first and last by a time: the value at the smallest or largest time; the first seen among equal times.
final class ByTimeState: AggregateState {
  private var values: [Scalar] = [.null]
  private var times: [Int64?] = [nil]
  private let type: DataType
  private let isLast: Bool
  init(_ type: DataType, isLast: Bool) {
    self.type = type
    self.isLast = isLast
  }
  var byteCount: Int { values.capacity * 48 }
  func grow(to count: Int) {
    Functions.grow(&values, to: count, .null)
    Functions.grow(&times, to: count, nil)
  }
  private func wins(_ time: Int64, _ slot: Int) -> Bool {
    guard let current = times[slot] else { return true }
    return isLast ? time > current : time < current
  }
  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault) {
    let stamps = arguments[1].flat()
    let times = Arguments(context: .none, columns: [stamps])
    for row in 0..<groups.count where groups[row] >= 0 && !stamps.isNull(at: row) {
      let slot = Int(groups[row]) + 1
      let time = times.int(0, row)
      if wins(time, slot) {
        self.times[slot] = time
        values[slot] = arguments[0].scalar(at: row)
      }
    }
  }
  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault) {
    let other = sibling(other, of: ByTimeState.self)
    for group in 0..<mapping.count {
      let slot = Int(mapping[group]) + 1
      if let time = other.times[group + 1], wins(time, slot) {
        times[slot] = time
        values[slot] = other.values[group + 1]
      }
    }
  }
  func finish() throws(Fault) -> Column { ColumnBuilder.column(type, Array(values.dropFirst())) }
}
