// Aggregates over events in time: how far a visitor came (funnel) and how many sessions there were (session_count).
//
// funnel(window, time, condition 1, ..., condition n) -> integer: the most conditions met one after the other, by rows
// at or after each other in time, all within `window` of the row that met the first one. One row meets one step.
//
// session_count(time, gap) -> bigint: sessions among the rows; a session ends where no row follows within `gap`. Over a
// window, session_count(time, gap) OVER (PARTITION BY visitor ORDER BY time) numbers the session of each row from 1.
//
// A month of an interval counts as 30 days here. Rows without a time are left out. Both do not depend on the order of rows.

import Bedrock
import Columnar
import Kernels

enum EventAggregates {
  /// Conditions that a funnel may have.
  static let stepsMax = 31
  private static let times: [DataType] = [.timestamptz, .timestamp]

  static let all: [AggregateFunction] =
    times.flatMap { time in
      (1...stepsMax).map { steps in
        AggregateFunction(
          name: "funnel",
          parameters: [.exact(.interval), .exact(time)] + [ParameterType](repeating: .exact(.boolean), count: steps),
          result: .fixed(.int4), valueOverNothing: .integer(0)
        ) { _ in FunnelState(steps: steps) }
      }
    }
    + times.map { time in
      AggregateFunction(
        name: "session_count", parameters: [.exact(time), .exact(.interval)], result: .fixed(.int8),
        valueOverNothing: .integer(0)
      ) { _ in SessionState() }
    }

  /// The length of an interval in µs.
  static func micros(_ interval: Interval) -> Int64 {
    Int64(clamping: interval.comparable)
  }
}

final class FunnelState: AggregateState {
  private struct Hit {
    let micros: Int64
    /// Bit i: the row meets condition i.
    let steps: UInt32
  }
  private struct Group {
    var hits: [Hit] = []
    var window = Int64.min
  }
  private var found: [Group] = [Group()]
  private var kept = 0
  private let stepCount: Int
  init(steps: Int) {
    precondition(steps >= 1 && steps <= 32)
    stepCount = steps
  }
  var byteCount: Int { found.capacity * MemoryLayout<Group>.stride + kept * MemoryLayout<Hit>.stride }
  func grow(to count: Int) { Functions.grow(&found, to: count, Group()) }

  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault) {
    var masks = [UInt32](repeating: 0, count: groups.count)
    for step in 0..<stepCount {
      let column = arguments[step + 2].flat()
      let truths = column.booleans
      let bit = UInt32(1) << UInt32(step)
      // A null condition holds zero bytes.
      for row in 0..<groups.count { masks[row] |= UInt32(truths[row]) &* bit }
    }
    let windows = arguments[0].flat(), times = arguments[1].flat()
    let lengths = windows.intervals, instants = times.int64s
    for row in 0..<groups.count where groups[row] >= 0 && masks[row] != 0 {
      if windows.isNull(at: row) || times.isNull(at: row) { continue }
      let slot = Int(groups[row]) + 1
      found[slot].window = max(found[slot].window, EventAggregates.micros(lengths[row]))
      found[slot].hits.append(Hit(micros: instants[row], steps: masks[row]))
      kept += 1
    }
  }
  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault) {
    let other = sibling(other, of: FunnelState.self)
    for group in 0..<mapping.count {
      let slot = Int(mapping[group]) + 1
      found[slot].hits += other.found[group + 1].hits
      found[slot].window = max(found[slot].window, other.found[group + 1].window)
    }
    kept += other.kept
  }

  /// starts[i]: when the latest chain began that has met conditions 0 ... i.
  private func depth(_ group: Group) -> Int32 {
    // Among rows of one instant earlier steps come first.
    let hits = group.hits.sorted { $0.micros != $1.micros ? $0.micros < $1.micros : $0.steps < $1.steps }
    var starts = [Int64?](repeating: nil, count: stepCount)
    var deepest: Int32 = 0
    for hit in hits {
      // From the last step on, so that one row takes a chain one step further only.
      for step in stride(from: stepCount - 1, through: 0, by: -1) where hit.steps >> UInt32(step) & 1 != 0 {
        if step == 0 {
          starts[0] = hit.micros
        } else if let start = starts[step - 1] {
          let (length, overflow) = hit.micros.subtractingReportingOverflow(start)
          if overflow || length > group.window { continue }
          starts[step] = start
        } else {
          continue
        }
        deepest = max(deepest, Int32(step + 1))
      }
    }
    return deepest
  }
  func finish() throws(Fault) -> Column { finished(.int4, found.map(depth)) { _ in true } }
}

final class SessionState: AggregateState {
  private struct Group {
    /// In order of time as long as `isSorted`; then `count` is the answer.
    var times: [Int64] = []
    var gap = Int64.min
    var count: Int64 = 0
    var isSorted = true

    mutating func add(_ micros: Int64) {
      if let last = times.last {
        if micros < last { isSorted = false }
        let (length, overflow) = micros.subtractingReportingOverflow(last)
        if overflow || length > gap { count += 1 }
      } else {
        count = 1
      }
      times.append(micros)
    }

    mutating func settle() {
      if isSorted { return }
      let sorted = times.sorted()
      times = []
      isSorted = true
      for micros in sorted { add(micros) }
    }
  }
  private var found: [Group] = [Group()]
  private var kept = 0
  var byteCount: Int { found.capacity * MemoryLayout<Group>.stride + kept * 8 }
  func grow(to count: Int) { Functions.grow(&found, to: count, Group()) }

  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault) {
    let times = arguments[0].flat(), gaps = arguments[1].flat()
    let instants = times.int64s, lengths = gaps.intervals
    for row in 0..<groups.count where groups[row] >= 0 {
      if times.isNull(at: row) || gaps.isNull(at: row) { continue }
      let slot = Int(groups[row]) + 1
      let gap = EventAggregates.micros(lengths[row])
      if gap > found[slot].gap {
        // Sessions found with a shorter gap are counted anew.
        if !found[slot].times.isEmpty { found[slot].isSorted = false }
        found[slot].gap = gap
      }
      found[slot].add(instants[row])
      kept += 1
    }
  }
  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault) {
    let other = sibling(other, of: SessionState.self)
    for group in 0..<mapping.count where !other.found[group + 1].times.isEmpty {
      let slot = Int(mapping[group]) + 1
      found[slot].times += other.found[group + 1].times
      found[slot].gap = max(found[slot].gap, other.found[group + 1].gap)
      found[slot].isSorted = false
    }
    kept += other.kept
  }
  func finish() throws(Fault) -> Column {
    for index in found.indices { found[index].settle() }
    return finished(.int8, found.map(\.count)) { _ in true }
  }
}
