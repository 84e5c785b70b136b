// An aggregate over the frames of a window.
//
//   every frame is its partition      one group a partition, as GROUP BY does
//   count, sum, avg of integers       differences of running totals: any frame in constant time, exact
//   sum, avg of numeric               the same, where all values have one scale
//   sum, avg of floats                in order from the start of each partition; frames that slide are added up from
//                                     blocks, never by taking away what has left
//   min, max, bool_and, bool_or       a queue of rows that may still win (values as words that order as SQL does)
//   anything else                     running: one state that grows with the frame; sliding: each frame is a group and its
//                                     rows are given to it, many frames at a time
//
// Frames of several ranges (EXCLUDE) go range by range.

import Bedrock
import Columnar
import Functions
import Kernels
import Plan
import Runtime

struct FrameAggregate {
  let function: AggregateFunction
  let arguments: [Column]
  /// Rows where it is not true are not there for the aggregate; arguments are null on them.
  let filter: Column?
  let ranges: [FrameRanges]
  let partitions: [Int32]
  let environment: QueryEnvironment

  private var count: Int { ranges[0].starts.count }

  func evaluate() throws(Fault) -> Column {
    if isWhole { return try perPartition() }
    switch function.name {
    case "count": return counts()
    case "sum", "avg": if let totals = try totals() { return totals }
    case "min", "max": return extremes(isMax: function.name == "max")
    case "bool_and", "every": return extremes(isMax: false)
    case "bool_or": return extremes(isMax: true)
    default: break
    }
    return try byState()
  }

  /// The group of each row for a state: -1 where the filter removes it.
  private func groups(_ group: (Int) -> Int32) -> [Int32] {
    guard let filter else { return (0..<count).map(group) }
    let flat = filter.flat()
    let values = flat.booleans
    return (0..<count).map { row in flat.isNull(at: row) || values[row] == 0 ? -1 : group(row) }
  }

  // MARK: Whole partitions

  private var isWhole: Bool {
    guard ranges.count == 1 else { return false }
    for index in 1..<partitions.count {
      let first = partitions[index - 1], end = partitions[index]
      for row in Int(first)..<Int(end) where ranges[0].starts[row] != first || ranges[0].ends[row] != end {
        return false
      }
    }
    return true
  }

  private func perPartition() throws(Fault) -> Column {
    var partitionOf = [Int32](repeating: 0, count: count)
    for index in 1..<partitions.count {
      for row in Int(partitions[index - 1])..<Int(partitions[index]) { partitionOf[row] = Int32(index - 1) }
    }
    let state = function.makeState(arguments.map(\.type))
    state.grow(to: partitions.count - 1)
    let groups = groups { partitionOf[$0] }
    try state.update(groups: groups.span, arguments: arguments)
    return try state.finish().gather(partitionOf.span)
  }

  // MARK: Counts

  /// How many rows before each place count: those with an argument, if there is one, that the filter keeps.
  private func runningCounts() -> [Int64] {
    let argument = arguments.first
    let validity = argument?.rowValidity
    let flat = filter?.flat()
    var totals = [Int64](repeating: 0, count: count + 1)
    for row in 0..<count {
      var counts = validity?.isSet(row) ?? true
      if let flat { counts = counts && !flat.isNull(at: row) && flat.booleans[row] != 0 }
      totals[row + 1] = totals[row] &+ (Int64(unsafeBitCast(counts, to: UInt8.self)))
    }
    return totals
  }

  /// The sum over all ranges of a row of what `totals` grows by in them.
  private func differences<T: FixedWidthInteger>(_ totals: [T]) -> [T] {
    var values = [T](repeating: 0, count: count)
    for range in ranges {
      for row in 0..<count { values[row] &+= totals[Int(range.ends[row])] &- totals[Int(range.starts[row])] }
    }
    return values
  }

  private func counts() -> Column {
    .fixed(.int8, count: count, .copying(differences(runningCounts())))
  }

  // MARK: Sums and averages

  private func totals() throws(Fault) -> Column? {
    guard let argument = arguments.first else { return nil }
    let flat = argument.flat()
    let isAverage = function.name == "avg"
    switch flat.type.physical {
    case .int32 where flat.type == .int2 || flat.type == .int4:
      let values = flat.int32s
      var totals = [Int128](repeating: 0, count: count + 1)
      for row in 0..<count { totals[row + 1] = totals[row] &+ Int128(values[row]) }
      return try finished(totals, scale: 0, counts: differences(runningCounts()), isAverage, isBigint: !isAverage)
    case .int64 where flat.type == .int8:
      let values = flat.int64s
      var totals = [Int128](repeating: 0, count: count + 1)
      for row in 0..<count { totals[row + 1] = totals[row] &+ Int128(values[row]) }
      return try finished(totals, scale: 0, counts: differences(runningCounts()), isAverage, isBigint: false)
    case .numeric:
      let values = flat.numerics
      guard let first = (0..<count).first(where: { !flat.isNull(at: $0) }) else { return nil }
      let scale = values[first].scale
      var totals = [Int128](repeating: 0, count: count + 1)
      for row in 0..<count {
        totals[row + 1] = totals[row]
        if flat.isNull(at: row) { continue }
        guard !values[row].isNaN, values[row].scale == scale else { return nil }
        let (sum, overflow) = totals[row].addingReportingOverflow(values[row].coefficient)
        if overflow { return nil }
        totals[row + 1] = sum
      }
      return try finished(totals, scale: scale, counts: differences(runningCounts()), isAverage, isBigint: false)
    case .float32, .float64: return floatTotals(flat, isAverage)
    default: return nil
    }
  }

  private func finished(
    _ totals: [Int128], scale: Int, counts: [Int64], _ isAverage: Bool, isBigint: Bool
  ) throws(Fault) -> Column {
    let sums = differences(totals)
    let validity = Bitmap.make(count: count) { counts[$0] > 0 }
    if isBigint {
      let values = sums.map { Int64(truncatingIfNeeded: $0) }
      return .fixed(.int8, count: count, validity: validity, .copying(values))
    }
    var values = [Numeric](repeating: .zero, count: count)
    for row in 0..<count where counts[row] > 0 {
      guard let sum = Numeric(coefficient: sums[row], scale: scale),
        let value = isAverage ? Numeric.divide(sum, Numeric(counts[row])) : sum
      else { throw Fault(.numericValueOutOfRange, "value overflows numeric format") }
      values[row] = value
    }
    return .fixed(.numeric, count: count, validity: validity, .copying(values))
  }

  private func floatTotals(_ flat: Column, _ isAverage: Bool) -> Column {
    let isSingle = flat.type.physical == .float32
    var values = [Double](repeating: 0, count: count)
    for row in 0..<count where !flat.isNull(at: row) {
      values[row] = isSingle ? Double(flat.float32s[row]) : flat.float64s[row]
    }
    let counts = differences(runningCounts())
    var sums = isRunning ? runningSums(values) : BlockSums(values).sums(over: ranges)
    if isAverage { for row in 0..<count where counts[row] > 0 { sums[row] /= Double(counts[row]) } }
    let validity = Bitmap.make(count: count) { counts[$0] > 0 }
    for row in 0..<count where counts[row] == 0 { sums[row] = 0 }
    if isSingle && !isAverage {
      return .fixed(.float4, count: count, validity: validity, .copying(sums.map { Float($0) }))
    }
    return .fixed(.float8, count: count, validity: validity, .copying(sums))
  }

  /// Whether every frame begins where its partition does.
  private var isRunning: Bool {
    guard ranges.count == 1 else { return false }
    for index in 1..<partitions.count {
      let first = partitions[index - 1]
      for row in Int(first)..<Int(partitions[index]) where ranges[0].starts[row] != first { return false }
    }
    return true
  }

  private func runningSums(_ values: [Double]) -> [Double] {
    var sums = [Double](repeating: 0, count: count)
    for index in 1..<partitions.count {
      var next = Int(partitions[index - 1])
      var sum = 0.0
      for row in next..<Int(partitions[index]) {
        while next < Int(ranges[0].ends[row]) {
          sum += values[next]
          next += 1
        }
        sums[row] = sum
      }
    }
    return sums
  }

  // MARK: Extremes

  private func extremes(isMax: Bool) -> Column {
    let flat = arguments[0].flat()
    let words = OrderWords.of(flat, rows: count)
    var picks = [Int32](repeating: -1, count: count)
    for range in ranges {
      let found = SlidingExtreme.rows(words, flat.validity, range, isMax: isMax)
      for row in 0..<count where found[row] >= 0 {
        if picks[row] < 0 {
          picks[row] = found[row]
          continue
        }
        let new = words[Int(found[row])], old = words[Int(picks[row])]
        if isMax ? new >= old : new <= old { picks[row] = found[row] }
      }
    }
    return arguments[0].gather(picks.span)
  }

  // MARK: Any other aggregate

  private func byState() throws(Fault) -> Column {
    // Rows that follow each other often have one frame: peers do.
    var frameOf = [Int32](repeating: 0, count: count)
    var firsts: [Int32] = []
    var total = 0
    for row in 0..<count {
      let isNew = row == 0 || ranges.contains { $0.starts[row] != $0.starts[row - 1] || $0.ends[row] != $0.ends[row - 1] }
      if isNew {
        firsts.append(Int32(row))
        for range in ranges { total += Int(range.ends[row] - range.starts[row]) }
      }
      frameOf[row] = Int32(firsts.count - 1)
    }
    let column = isRunning && total > 32 * count ? try running(firsts) : try expanded(firsts)
    return column.gather(frameOf.span)
  }

  /// One value for each row of `firsts`: a state that takes in what each frame has beyond the one before.
  private func running(_ firsts: [Int32]) throws(Fault) -> Column {
    let groups = groups { _ in 0 }
    var parts: [Column] = []
    var next = 0
    for index in 1..<partitions.count {
      try environment.cancellation.check()
      let state = function.makeState(arguments.map(\.type))
      state.grow(to: 1)
      var taken = Int(partitions[index - 1])
      while next < firsts.count, firsts[next] < partitions[index] {
        let end = Int(ranges[0].ends[Int(firsts[next])])
        if end > taken {
          try state.update(
            groups: groups.span.extracting(taken..<end), arguments: arguments.map { $0.slice(taken..<end) })
          taken = end
        }
        parts.append(try state.finish())
        next += 1
      }
    }
    return .concatenate(parts)
  }

  /// One value for each row of `firsts`: frames are groups, to which their rows are given.
  private func expanded(_ firsts: [Int32]) throws(Fault) -> Column {
    let kept = groups { _ in 0 }
    var parts: [Column] = []
    var next = 0
    while next < firsts.count {
      let state = function.makeState(arguments.map(\.type))
      var groups: [Int32] = []
      var picks: [Int32] = []
      var frames: Int32 = 0
      func flush() throws(Fault) {
        try environment.cancellation.check()
        state.grow(to: Int(frames))
        try state.update(groups: groups.span, arguments: arguments.map { $0.gather(picks.span) })
        groups.removeAll(keepingCapacity: true)
        picks.removeAll(keepingCapacity: true)
      }
      let batch = 1 << 16
      while next < firsts.count, picks.count < batch, frames < batch {
        frames += 1
        for range in ranges {
          for row in range.starts[Int(firsts[next])]..<range.ends[Int(firsts[next])] {
            groups.append(kept[Int(row)] < 0 ? -1 : frames - 1)
            picks.append(row)
            if picks.count == 4 * batch { try flush() }
          }
        }
        next += 1
      }
      try flush()
      parts.append(try state.finish())
    }
    return .concatenate(parts)
  }
}
