// min, max, bool_and, bool_or, first(value, time) and last(value, time).

import Bedrock
import Columnar
import Kernels

/// Which of two values an aggregate keeps: a type, not a closure, so that the loop over rows is compiled with it
/// inside. Of equal values (1.0 and 1.00, 30 days and 1 mon) the newer stays, as in PostgreSQL.
protocol Preference {
  associatedtype Value: BitwiseCopyable
  static func prefers(_ new: Value, to old: Value) -> Bool
}

enum Least<Value: BitwiseCopyable & Comparable>: Preference {
  @inline(__always) static func prefers(_ new: Value, to old: Value) -> Bool { new <= old }
}
enum Greatest<Value: BitwiseCopyable & Comparable>: Preference {
  @inline(__always) static func prefers(_ new: Value, to old: Value) -> Bool { new >= old }
}
// NaN is above every other float.
enum LeastFloat<Value: BitwiseCopyable & BinaryFloatingPoint>: Preference {
  @inline(__always) static func prefers(_ new: Value, to old: Value) -> Bool { new <= old || old != old }
}
enum GreatestFloat<Value: BitwiseCopyable & BinaryFloatingPoint>: Preference {
  @inline(__always) static func prefers(_ new: Value, to old: Value) -> Bool { new >= old || new != new }
}
enum LeastNumeric: Preference {
  static func prefers(_ new: Numeric, to old: Numeric) -> Bool { Numeric.compare(new, old) <= 0 }
}
enum GreatestNumeric: Preference {
  static func prefers(_ new: Numeric, to old: Numeric) -> Bool { Numeric.compare(new, old) >= 0 }
}
enum LeastInterval: Preference {
  static func prefers(_ new: Interval, to old: Interval) -> Bool { new.comparable <= old.comparable }
}
enum GreatestInterval: Preference {
  static func prefers(_ new: Interval, to old: Interval) -> Bool { new.comparable >= old.comparable }
}

/// min and max over values of fixed width.
final class FixedExtremeState<P: Preference>: AggregateState {
  typealias T = P.Value
  private var best: [T]
  private var seen: [Bool] = [false]
  private let type: DataType
  private let empty: T
  init(_ type: DataType, empty: T, _ preference: P.Type) {
    self.type = type
    self.empty = empty
    best = [empty]
  }
  var byteCount: Int { best.capacity * (MemoryLayout<T>.stride + 1) }
  func grow(to count: Int) {
    Functions.grow(&best, to: count, empty)
    Functions.grow(&seen, to: count, false)
  }
  // A generic class behind a protocol is not specialised by itself.
  @specialized(where P == Least<Int32>)
  @specialized(where P == Greatest<Int32>)
  @specialized(where P == Least<Int64>)
  @specialized(where P == Greatest<Int64>)
  @specialized(where P == LeastFloat<Double>)
  @specialized(where P == GreatestFloat<Double>)
  @specialized(where P == LeastNumeric)
  @specialized(where P == GreatestNumeric)
  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault) {
    let flat = arguments[0].flat()
    let values = flat.values(T.self)
    best.withUnsafeMutableBufferPointer { best in
      seen.withUnsafeMutableBufferPointer { seen in
        forEachSlot(groups, flat.validity) { slot, row in
          let value = values[row]
          if !seen[slot] || P.prefers(value, to: best[slot]) {
            best[slot] = value
            seen[slot] = true
          }
        }
      }
    }
  }
  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault) {
    let other = sibling(other, of: FixedExtremeState<P>.self)
    for group in 0..<mapping.count where other.seen[group + 1] {
      let slot = Int(mapping[group]) + 1
      if !seen[slot] || P.prefers(other.best[group + 1], to: best[slot]) {
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
