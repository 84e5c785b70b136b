// The calls of a window: each gives one column in the window's order.
//
// Ranking functions need the bounds of partitions and peers alone; the others look at rows picked by number, so that
// their values are one gather. Aggregates are in FrameAggregate.swift.

import Bedrock
import Columnar
import Functions
import Kernels
import Plan
import Runtime

struct WindowEvaluation {
  private let rows: WindowRows
  private let spec: WindowSpec
  private let environment: QueryEnvironment
  private let frames: WindowFrames

  init(_ rows: WindowRows, _ spec: WindowSpec, _ environment: QueryEnvironment) throws(Fault) {
    self.rows = rows
    self.spec = spec
    self.environment = environment
    let needsKey = spec.calls.contains { call in
      call.frame.unit == .range && (call.frame.start.offset != nil || call.frame.end.offset != nil)
    }
    let key = needsKey ? spec.order.first : nil
    let values = try key.map { (key) throws(Fault) in try rows.values(key.expression, environment) }
    frames = WindowFrames(rows: rows, rangeKey: values, rangeOrder: key, context: environment.context)
  }

  func columns() throws(Fault) -> [Column] {
    var known: [ResolvedFrame: [FrameRanges]] = [:]
    var columns: [Column] = []
    for call in spec.calls {
      try environment.cancellation.check()
      var ranges: [FrameRanges] = []
      if call.usesFrame {
        let frame = try resolved(call.frame)
        if let same = known[frame] {
          ranges = same
        } else {
          ranges = try frames.ranges(frame)
          try environment.memory.reserve(ranges.reduce(0) { $0 + $1.byteCount })
          known[frame] = ranges
        }
      }
      let column = try evaluate(call, ranges).retypedIfNeeded(call.type)
      try environment.memory.reserve(column.heldBytes)
      columns.append(column)
    }
    return columns
  }

  private func evaluate(_ call: WindowCall, _ ranges: [FrameRanges]) throws(Fault) -> Column {
    var arguments: [Column] = []
    for argument in call.arguments { arguments.append(try rows.values(argument, environment)) }
    switch call.function {
    case .aggregate(let function):
      let filter = try call.filter.map { (filter) throws(Fault) in try rows.values(filter, environment) }
      return try FrameAggregate(
        function: function, arguments: arguments, filter: filter, ranges: ranges, partitions: rows.partitions,
        environment: environment
      ).evaluate()
    case .own(let kind):
      switch kind {
      case .rowNumber, .rank, .denseRank: return ranks(kind)
      case .percentRank, .cumeDist: return fractions(kind)
      case .ntile: return try buckets(arguments[0])
      case .lag: return shifted(arguments, sign: -1)
      case .lead: return shifted(arguments, sign: 1)
      case .firstValue: return picked(arguments[0], ranges, fromEnd: false)
      case .lastValue: return picked(arguments[0], ranges, fromEnd: true)
      case .nthValue: return try nth(arguments, ranges)
      }
    }
  }

  // MARK: Frame offsets

  private func resolved(_ frame: WindowFrame) throws(Fault) -> ResolvedFrame {
    ResolvedFrame(
      unit: frame.unit, start: try resolved(frame.start, frame.unit, "starting"),
      end: try resolved(frame.end, frame.unit, "ending"), exclusion: frame.exclusion)
  }

  private func resolved(
    _ bound: WindowFrame.Bound, _ unit: WindowFrame.Unit, _ which: String
  ) throws(Fault) -> ResolvedFrame.Bound {
    func value(_ expression: Expression) throws(Fault) -> Scalar {
      let one = Chunk(columns: [], rowCount: 1)
      let scalar = try CompiledExpression.compile(expression, environment).evaluate(one).scalar(at: 0)
      if scalar.isNull { throw Fault(.nullValueNotAllowed, "frame \(which) offset must not be null") }
      if unit != .range, let count = scalar.integer, count < 0 {
        throw Fault(.invalidPrecedingOrFollowingSize, "frame \(which) offset must not be negative")
      }
      return scalar
    }
    switch bound {
    case .unboundedPreceding: return .unboundedPreceding
    case .currentRow: return .currentRow
    case .unboundedFollowing: return .unboundedFollowing
    case .preceding(let offset): return .preceding(try value(offset))
    case .following(let offset): return .following(try value(offset))
    }
  }

  // MARK: Ranks

  private func ranks(_ kind: WindowFunctionKind) -> Column {
    let (partitions, groups, count) = (rows.partitions, rows.groups, rows.count)
    let buffer = Buffer.of(Int64.self, count: count) { out in
      var group = 0
      for index in 1..<partitions.count {
        let first = Int(partitions[index - 1]), end = Int(partitions[index])
        if kind == .rowNumber {
          for row in first..<end { out[row] = Int64(row &- first &+ 1) }
          continue
        }
        var dense: Int64 = 0
        while Int(groups[group]) < end {
          dense += 1
          let value = kind == .rank ? Int64(Int(groups[group]) - first + 1) : dense
          for row in Int(groups[group])..<Int(groups[group + 1]) { out[row] = value }
          group += 1
        }
      }
    }
    return .fixed(.int8, count: count, buffer)
  }

  private func fractions(_ kind: WindowFunctionKind) -> Column {
    let (partitions, groups, count) = (rows.partitions, rows.groups, rows.count)
    let buffer = Buffer.of(Double.self, count: count) { out in
      var group = 0
      for index in 1..<partitions.count {
        let first = Int(partitions[index - 1]), end = Int(partitions[index])
        let total = Double(end - first)
        while Int(groups[group]) < end {
          let start = Int(groups[group]), next = Int(groups[group + 1])
          let value =
            kind == .cumeDist
            ? Double(next - first) / total : total > 1 ? Double(start - first) / (total - 1) : 0
          for row in start..<next { out[row] = value }
          group += 1
        }
      }
    }
    return .fixed(.float8, count: count, buffer)
  }

  /// The number of buckets is the argument's first value that is not null; rows before it have none.
  private func buckets(_ argument: Column) throws(Fault) -> Column {
    let flat = argument.flat()
    let wanted = flat.int32s
    let count = rows.count
    var values = [Int32](repeating: -1, count: count)
    for index in 1..<rows.partitions.count {
      let first = Int(rows.partitions[index - 1]), end = Int(rows.partitions[index])
      guard let start = (first..<end).first(where: { !flat.isNull(at: $0) }) else { continue }
      let buckets = Int(wanted[start])
      guard buckets > 0 else {
        throw Fault(.invalidArgumentForNtile, "argument of ntile must be greater than zero")
      }
      // The first `rest` buckets have one row more than the others.
      let size = (end - first) / buckets, rest = (end - first) % buckets
      let large = rest * (size + 1)
      for row in start..<end {
        let place = row - start
        let bucket = place < large ? place / (size + 1) : rest + (place - large) / max(size, 1)
        values[row] = Int32(truncatingIfNeeded: bucket + 1)
      }
    }
    let validity = argument.mayHaveNulls ? Bitmap.make(count: count) { values[$0] >= 0 } : nil
    return .fixed(.int4, count: count, validity: validity, .copying(values))
  }

  // MARK: Rows picked by number

  private func shifted(_ arguments: [Column], sign: Int) -> Column {
    let count = rows.count
    let offsets = arguments.count > 1 ? arguments[1].flat() : nil
    let constant: Int? =
      if arguments.count == 1 { 1 } else if case .constant = arguments[1].form, !arguments[1].isNull(at: 0) {
        Int(arguments[1].scalar(at: 0).integer ?? 0)
      } else { nil }
    var picks = [Int32](repeating: -1, count: count)
    /// Rows whose offset leads out of the partition: they take the default.
    var outside: [Int32] = []
    for index in 1..<rows.partitions.count {
      let first = Int(rows.partitions[index - 1]), end = Int(rows.partitions[index])
      for row in first..<end {
        let distance: Int
        if let constant {
          distance = constant
        } else if let offsets, !offsets.isNull(at: row) {
          distance = Int(offsets.int32s[row])
        } else {
          continue
        }
        let target = row &+ sign &* distance
        if target >= first && target < end {
          picks[row] = Int32(truncatingIfNeeded: target)
        } else {
          outside.append(Int32(truncatingIfNeeded: row))
        }
      }
    }
    guard arguments.count == 3, !outside.isEmpty else { return arguments[0].gather(picks.span) }
    let defaults = arguments[2].retypedIfNeeded(arguments[0].type).gather(outside.span)
    for (index, row) in outside.enumerated() { picks[Int(row)] = Int32(truncatingIfNeeded: count + index) }
    return Column.concatenate([arguments[0], defaults]).gather(picks.span)
  }

  private func picked(_ argument: Column, _ ranges: [FrameRanges], fromEnd: Bool) -> Column {
    var picks = [Int32](repeating: -1, count: rows.count)
    for range in fromEnd ? ranges : ranges.reversed() {
      for row in 0..<rows.count where range.ends[row] > range.starts[row] {
        picks[row] = fromEnd ? range.ends[row] - 1 : range.starts[row]
      }
    }
    return argument.gather(picks.span)
  }

  private func nth(_ arguments: [Column], _ ranges: [FrameRanges]) throws(Fault) -> Column {
    let numbers = arguments[1].flat()
    let values = numbers.int32s
    var picks = [Int32](repeating: -1, count: rows.count)
    for row in 0..<rows.count where !numbers.isNull(at: row) {
      guard values[row] > 0 else {
        throw Fault(.invalidArgumentForNthValue, "argument of nth_value must be greater than zero")
      }
      var rest = values[row] - 1
      for range in ranges {
        let length = range.ends[row] - range.starts[row]
        if rest < length {
          picks[row] = range.starts[row] + rest
          break
        }
        rest -= length
      }
    }
    return arguments[0].gather(picks.span)
  }
}

extension WindowCall {
  /// Whether the frame means anything to the function.
  fileprivate var usesFrame: Bool {
    switch function {
    case .aggregate: true
    case .own(let kind): kind == .firstValue || kind == .lastValue || kind == .nthValue
    }
  }
}
