// Frames: which rows each row sees, as ranges of places in the window's order.
//
// Within a partition the starts of frames never fall, nor do their ends; every kernel builds on that. A frame from which
// rows are excluded is up to three such ranges, in order: what comes before the excluded rows, the row itself (EXCLUDE
// TIES), what comes after them.

import Bedrock
import Columnar
import Functions
import Kernels
import Plan

/// A frame whose offsets are known.
struct ResolvedFrame: Hashable {
  enum Bound: Hashable {
    case unboundedPreceding
    case preceding(Scalar)
    case currentRow
    case following(Scalar)
    case unboundedFollowing
  }
  let unit: WindowFrame.Unit
  let start: Bound
  let end: Bound
  let exclusion: WindowFrame.Exclusion
}

/// Ranges `starts[i] ..< ends[i]`, one for each row.
struct FrameRanges {
  var starts: [Int32]
  var ends: [Int32]
  var byteCount: Int { (starts.count + ends.count) * 4 }
}

struct WindowFrames {
  let rows: WindowRows
  /// The order key, of which a RANGE frame with offsets has exactly one, in the window's order.
  let rangeKey: Column?
  let rangeOrder: SortKey?
  let context: FunctionContext

  /// The frames of all rows: one range each, or three when rows are excluded.
  func ranges(_ frame: ResolvedFrame) throws(Fault) -> [FrameRanges] {
    let starts = try bounds(frame.start, frame.unit, isEnd: false)
    var ends = try bounds(frame.end, frame.unit, isEnd: true)
    for row in 0..<rows.count { ends[row] = max(ends[row], starts[row]) }
    let whole = FrameRanges(starts: starts, ends: ends)
    return frame.exclusion == .none ? [whole] : excluding(frame.exclusion, from: whole)
  }

  private func excluding(_ exclusion: WindowFrame.Exclusion, from whole: FrameRanges) -> [FrameRanges] {
    var before = whole, itself = whole, after = whole
    let groups = rows.groups
    for group in 0..<(groups.count - 1) {
      for row in groups[group]..<groups[group + 1] {
        let place = Int(row)
        let first = exclusion == .currentRow ? row : groups[group]
        let last = exclusion == .currentRow ? row + 1 : groups[group + 1]
        let (start, end) = (whole.starts[place], whole.ends[place])
        before.ends[place] = max(start, min(end, first))
        after.starts[place] = max(start, last)
        after.ends[place] = max(after.starts[place], end)
        let isKept = exclusion == .ties && row >= start && row < end
        itself.starts[place] = row
        itself.ends[place] = isKept ? row + 1 : row
      }
    }
    return exclusion == .ties ? [before, itself, after] : [before, after]
  }

  // MARK: Bounds

  private func bounds(
    _ bound: ResolvedFrame.Bound, _ unit: WindowFrame.Unit, isEnd: Bool
  ) throws(Fault) -> [Int32] {
    switch (bound, unit) {
    case (.unboundedPreceding, _): return perPartition { start, _ in start }
    case (.unboundedFollowing, _): return perPartition { _, end in end }
    case (.currentRow, .rows):
      let step: Int32 = isEnd ? 1 : 0
      return (0..<Int32(rows.count)).map { $0 + step }
    case (.currentRow, _): return perGroup { group, _, _ in isEnd ? group + 1 : group }
    case (.preceding(let offset), .range): return try byKey(offset, isPreceding: true, isEnd: isEnd)
    case (.following(let offset), .range): return try byKey(offset, isPreceding: false, isEnd: isEnd)
    case (.preceding(let offset), .rows): return byRow(-count(offset), isEnd: isEnd)
    case (.following(let offset), .rows): return byRow(count(offset), isEnd: isEnd)
    case (.preceding(let offset), .groups): return byGroup(-count(offset), isEnd: isEnd)
    case (.following(let offset), .groups): return byGroup(count(offset), isEnd: isEnd)
    }
  }

  /// An offset in rows or groups; none reaches farther than there are rows.
  private func count(_ offset: Scalar) -> Int { Int(min(offset.integer ?? 0, Int64(Int32.max))) }

  private func perPartition(_ bound: (Int32, Int32) -> Int32) -> [Int32] {
    var values = [Int32](repeating: 0, count: rows.count)
    for index in 0..<(rows.partitions.count - 1) {
      let start = rows.partitions[index], end = rows.partitions[index + 1]
      let value = bound(start, end)
      for row in Int(start)..<Int(end) { values[row] = value }
    }
    return values
  }

  /// `place` gives the group at whose start the bound lies, from the row's group and the partition's first group and
  /// the one after its last.
  private func perGroup(_ place: (_ group: Int, _ first: Int, _ end: Int) -> Int) -> [Int32] {
    var values = [Int32](repeating: 0, count: rows.count)
    forEachPartition { first, end in
      for group in first..<end {
        let value = rows.groups[place(group, first, end)]
        for row in Int(rows.groups[group])..<Int(rows.groups[group + 1]) { values[row] = value }
      }
    }
    return values
  }

  /// Calls `body` with the groups of each partition.
  private func forEachPartition(_ body: (_ first: Int, _ end: Int) -> Void) {
    var group = 0
    for index in 1..<rows.partitions.count {
      let first = group
      while rows.groups[group] < rows.partitions[index] { group += 1 }
      body(first, group)
    }
  }

  private func byRow(_ offset: Int, isEnd: Bool) -> [Int32] {
    var values = [Int32](repeating: 0, count: rows.count)
    let step = offset + (isEnd ? 1 : 0)
    for index in 0..<(rows.partitions.count - 1) {
      let start = Int(rows.partitions[index]), end = Int(rows.partitions[index + 1])
      for row in start..<end { values[row] = Int32(truncatingIfNeeded: min(max(row &+ step, start), end)) }
    }
    return values
  }

  private func byGroup(_ offset: Int, isEnd: Bool) -> [Int32] {
    let step = offset + (isEnd ? 1 : 0)
    return perGroup { group, first, end in min(max(group + step, first), end) }
  }

  // MARK: RANGE with offsets

  private func byKey(_ offset: Scalar, isPreceding: Bool, isEnd: Bool) throws(Fault) -> [Int32] {
    guard let rangeKey, let rangeOrder else { throw Fault.bug("a range frame without its key") }
    // A group has one key: that of its first row.
    let firsts = Array(rows.groups.dropLast())
    let column = rangeKey.gather(firsts.span).flat()
    let range = try RangeKeys(
      column, offset: offset, isSubtracted: isPreceding != rangeOrder.descending, isEnd: isEnd != rangeOrder.descending,
      isDescending: rangeOrder.descending, context)
    var values = [Int32](repeating: 0, count: rows.count)
    forEachPartition { first, end in
      // Null keys are at one end, and see and are seen by each other alone.
      var low = first, high = end
      while low < high, column.isNull(at: low) { low += 1 }
      while high > low, column.isNull(at: high - 1) { high -= 1 }
      var place = low
      for group in first..<end {
        let at: Int32
        if group < low || group >= high {
          at = rows.groups[isEnd ? group + 1 : group]
        } else {
          let bound = range.bounds[group]
          if isEnd {
            while place < high, range.keys[place] <= bound { place += 1 }
          } else {
            while place < high, range.keys[place] < bound { place += 1 }
          }
          at = rows.groups[place]
        }
        for row in Int(rows.groups[group])..<Int(rows.groups[group + 1]) { values[row] = at }
      }
    }
    return values
  }
}

/// The keys of a RANGE frame as integers that order like them, and where each key's bound lies among them. Follows
/// PostgreSQL's in_range functions.
struct RangeKeys {
  var keys: [Int128]
  var bounds: [Int128]

  private static let invalidSize = Fault(
    .invalidPrecedingOrFollowingSize, "invalid preceding or following size in window function")

  /// - Parameters:
  ///   - isSubtracted: whether the bound is key - offset; otherwise it is key + offset.
  ///   - isEnd: whether what is at most the bound is asked for, in ascending order.
  ///   - isDescending: the result is negated, so that it ascends.
  init(
    _ column: Column, offset: Scalar, isSubtracted: Bool, isEnd: Bool, isDescending: Bool, _ context: FunctionContext
  ) throws(Fault) {
    keys = [Int128](repeating: 0, count: column.count)
    bounds = keys
    // Without a key there is nothing that an offset could be wrong for.
    guard column.nullCount < column.count else { return }
    switch column.type.withoutModifier {
    case .float4, .float8: try fill(floats: column, offset.float ?? 0, isSubtracted, isEnd)
    case .numeric: try fill(numerics: column, offset, isSubtracted)
    case .date, .timestamp, .timestamptz: try fill(instants: column, offset, isSubtracted, context)
    case .interval, .time: try fill(spans: column, offset, isSubtracted)
    default:
      let distance = Int128(offset.integer ?? 0)
      if distance < 0 { throw Self.invalidSize }
      for row in keys.indices {
        keys[row] = Int128(column.scalar(at: row).integer ?? 0)
        bounds[row] = isSubtracted ? keys[row] - distance : keys[row] + distance
      }
    }
    if isDescending {
      for row in keys.indices {
        keys[row] = -keys[row]
        bounds[row] = -bounds[row]
      }
    }
  }

  private mutating func fill(
    floats column: Column, _ offset: Double, _ isSubtracted: Bool, _ isEnd: Bool
  ) throws(Fault) {
    if offset.isNaN || offset < 0 { throw Self.invalidSize }
    for row in keys.indices {
      let value = column.scalar(at: row).float ?? 0
      keys[row] = Int128(RowKey.ordered(value))
      if offset.isInfinite && value.isInfinite && isSubtracted == (value > 0) {
        bounds[row] = Int128(RowKey.ordered(isEnd ? .infinity : -.infinity))
      } else {
        bounds[row] = Int128(RowKey.ordered(isSubtracted ? value - offset : value + offset))
      }
    }
  }

  private mutating func fill(numerics column: Column, _ offset: Scalar, _ isSubtracted: Bool) throws(Fault) {
    guard case .numeric(let distance) = offset, !distance.isNaN, Numeric.compare(distance, .zero) >= 0 else {
      throw Self.invalidSize
    }
    let values = column.numerics
    var scale = distance.scale
    for row in keys.indices where !values[row].isNaN { scale = max(scale, values[row].scale) }
    func coefficient(_ value: Numeric) throws(Fault) -> Int128 {
      guard let coefficient = value.coefficient(atScale: scale) else {
        throw Fault(.numericValueOutOfRange, "value overflows numeric format")
      }
      return coefficient
    }
    let step = try coefficient(distance)
    for row in keys.indices {
      if values[row].isNaN {
        (keys[row], bounds[row]) = (.max, .max)
        continue
      }
      keys[row] = try coefficient(values[row])
      bounds[row] = isSubtracted ? keys[row] - step : keys[row] + step
    }
  }

  private mutating func fill(spans column: Column, _ offset: Scalar, _ isSubtracted: Bool) throws(Fault) {
    guard case .interval(let interval) = offset else { throw Fault.bug("a range offset that is no interval") }
    let isTime = column.type == .time
    // A time of day has no use for days and months.
    let distance = isTime ? Int128(interval.micros) : interval.comparable
    if distance < 0 { throw Self.invalidSize }
    for row in keys.indices {
      switch column.scalar(at: row) {
      case .integer(let micros): keys[row] = Int128(micros)
      case .interval(let value): keys[row] = value.comparable
      default: continue
      }
      bounds[row] = isSubtracted ? keys[row] - distance : keys[row] + distance
    }
  }

  /// Dates are instants at midnight; months are added by the calendar.
  private mutating func fill(
    instants column: Column, _ offset: Scalar, _ isSubtracted: Bool, _ context: FunctionContext
  ) throws(Fault) {
    guard case .interval(let interval) = offset else { throw Fault.bug("a range offset that is no interval") }
    if interval.comparable < 0 { throw Self.invalidSize }
    let name = isSubtracted ? "-" : "+"
    let type = column.type.withoutModifier
    let move = FunctionCatalog.operators(named: name).first { $0.parameters == [.exact(type), .exact(.interval)] }
    guard let move else { throw Fault.bug("there is no operator \(name) for a range frame") }
    let moved = try move.evaluate(
      context, [column, .constant(offset, type: .interval, count: column.count)], column.count)
    let day: Int128 = type == .date ? 86_400_000_000 : 1
    for row in keys.indices {
      keys[row] = Int128(column.scalar(at: row).integer ?? 0) * day
      bounds[row] = Int128(moved.scalar(at: row).integer ?? 0)
    }
  }
}
