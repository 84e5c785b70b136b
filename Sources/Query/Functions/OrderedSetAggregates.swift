// percentile_cont, percentile_disc, mode: aggregates over values in order (WITHIN GROUP).
//
// Arguments are the direct ones, then the ordered value. Rows come to `update` in the order that the call asks for; the
// result needs all of them, so they are kept as they come and dealt out to their groups at the end. Null values do not
// count.

import Bedrock
import Columnar
import Glibc
import Kernels

enum OrderedSets {
  private static func make(
    _ name: String, _ parameters: [ParameterType], direct: Int, _ result: ResultType, _ kind: OrderedSetState.Kind
  ) -> AggregateFunction {
    // values that fit words are selected from, in any order of rows
    let unordered: @Sendable ([DataType], Bool) -> any AggregateState = { types, descending in
      PercentileState(types: types, descending: descending, result: result.resolve(types))
    }
    return AggregateFunction(
      name: name, parameters: parameters, result: result, directCount: direct,
      makeUnorderedState: kind == .continuous && parameters.last == .exact(.float8) ? unordered : nil,
      makeState: { types in OrderedSetState(kind, types: types, result: result.resolve(types)) })
  }

  static let all: [AggregateFunction] = [
    make("percentile_cont", [.exact(.float8), .exact(.float8)], direct: 1, .fixed(.float8), .continuous),
    make("percentile_cont", [.exact(.float8), .exact(.interval)], direct: 1, .fixed(.interval), .continuous),
    make(
      "percentile_cont", [.exact(.array(.float8)), .exact(.float8)], direct: 1, .fixed(.array(.float8)), .continuous),
    make(
      "percentile_cont", [.exact(.array(.float8)), .exact(.interval)], direct: 1, .fixed(.array(.interval)), .continuous),
    make("percentile_disc", [.exact(.float8), .anyElement], direct: 1, .computed { $0[1].withoutModifier }, .discrete),
    make(
      "percentile_disc", [.exact(.array(.float8)), .anyElement], direct: 1, .computed { .array($0[1].withoutModifier) },
      .discrete),
    make("mode", [.anyElement], direct: 0, .computed { $0[0].withoutModifier }, .mode),
  ]
}

final class OrderedSetState: AggregateState {
  enum Kind: Sendable { case continuous, discrete, mode }
  private let kind: Kind
  private let types: [DataType]
  private let result: DataType
  private var groups: [Int32] = []
  private var parts: [[Column]] = []
  private var count = 0
  private var bytes = 0

  init(_ kind: Kind, types: [DataType], result: DataType) {
    self.kind = kind
    self.types = types
    self.result = result
  }

  var byteCount: Int { groups.capacity * 4 + bytes }
  func grow(to count: Int) { self.count = max(self.count, count) }

  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault) {
    if groups.isEmpty { return }
    for row in 0..<groups.count { self.groups.append(groups[row]) }
    parts.append(arguments)
    bytes += arguments.reduce(0) { $0 + $1.count * 16 }
  }

  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault) {
    let other = sibling(other, of: OrderedSetState.self)
    for group in other.groups { groups.append(group < 0 ? -1 : mapping[Int(group)]) }
    parts += other.parts
    bytes += other.bytes
  }

  func finish() throws(Fault) -> Column {
    // A constant fraction is checked even when no row came.
    if kind != .mode, types[0] == .float8, let first = parts.first?.first, case .constant(let one) = first.form {
      _ = try Self.fraction(one.scalar(at: 0))
    }
    guard !parts.isEmpty else { return .nulls(result, count: count) }
    let columns = types.indices.map { index in Column.concatenate(parts.map { $0[index] }) }
    let values = columns[columns.count - 1].flat()
    let rows = GroupedRows(groups, values, count: count)
    if kind == .mode { return mode(values, rows) }
    let direct = columns[0]
    if case .array = types[0] { return try lists(direct, values, rows) }
    if kind == .discrete {
      var picks = [Int32](repeating: -1, count: count)
      for group in 0..<count where rows.count(of: group) > 0 {
        guard let fraction = try Self.fraction(direct.scalar(at: Int(rows[group, 0]))) else { continue }
        picks[group] = rows[group, discretePlace(fraction, rows.count(of: group))]
      }
      return values.gather(picks.span)
    }
    var builder = ColumnBuilder(type: result, capacity: count)
    for group in 0..<count {
      if rows.count(of: group) > 0, let fraction = try Self.fraction(direct.scalar(at: Int(rows[group, 0]))) {
        builder.append(try interpolated(fraction, values, rows, group))
      } else {
        builder.appendNull()
      }
    }
    return builder.finish()
  }

  // MARK: Percentiles

  static func fraction(_ scalar: Scalar) throws(Fault) -> Double? {
    guard let value = scalar.float else { return nil }
    guard value >= 0 && value <= 1 else {
      let text = value == value.rounded() && value.magnitude < 1e15 ? "\(Int64(value))" : "\(value)"
      throw Fault(.numericValueOutOfRange, "percentile value \(text) is not between 0 and 1")
    }
    return value
  }

  private func discretePlace(_ fraction: Double, _ count: Int) -> Int {
    min(max(Int((fraction * Double(count)).rounded(.up)), 1), count) - 1
  }

  /// The value at a fraction of the way, between two rows in proportion.
  private func interpolated(
    _ fraction: Double, _ values: Column, _ rows: GroupedRows, _ group: Int
  ) throws(Fault) -> Scalar {
    let place = fraction * Double(rows.count(of: group) - 1)
    let first = Int(place.rounded(.down)), second = Int(place.rounded(.up))
    let low = Int(rows[group, first]), high = Int(rows[group, second])
    if first == second { return values.scalar(at: low) }
    let share = place - Double(first)
    if values.type == .interval {
      let (a, b) = (values.intervals[low], values.intervals[high])
      let difference = try DateArithmetic.sum(b, a, sign: -1)
      return .interval(try DateArithmetic.sum(try DateArithmetic.scaled(difference, by: share), a))
    }
    let (a, b) = (values.float64s[low], values.float64s[high])
    return .float(a + share * (b - a))
  }

  private func lists(_ direct: Column, _ values: Column, _ rows: GroupedRows) throws(Fault) -> Column {
    var builder = ColumnBuilder(type: result, capacity: count)
    for group in 0..<count {
      guard rows.count(of: group) > 0, case .list(let fractions) = direct.scalar(at: Int(rows[group, 0])) else {
        builder.appendNull()
        continue
      }
      var list: [Scalar] = []
      for scalar in fractions {
        guard let fraction = try Self.fraction(scalar) else {
          list.append(.null)
          continue
        }
        if kind == .discrete {
          list.append(values.scalar(at: Int(rows[group, discretePlace(fraction, rows.count(of: group))])))
        } else {
          list.append(try interpolated(fraction, values, rows, group))
        }
      }
      builder.append(list: list)
    }
    return builder.finish()
  }

  // MARK: mode

  /// The first value of those that come most often.
  private func mode(_ values: Column, _ rows: GroupedRows) -> Column {
    let encoded = RowKey.encode([values], orders: [.equality], rows: values.count)
    func isSame(_ a: Int, _ b: Int) -> Bool {
      let x = encoded.offsets[a]..<encoded.offsets[a + 1], y = encoded.offsets[b]..<encoded.offsets[b + 1]
      return x.count == y.count && encoded.bytes.withUnsafeBufferPointer { bytes in
        guard let base = bytes.baseAddress else { return true }
        return memcmp(base + x.lowerBound, base + y.lowerBound, x.count) == 0
      }
    }
    var picks = [Int32](repeating: -1, count: count)
    for group in 0..<count {
      var best = 0, start = 0
      for place in 0..<rows.count(of: group) {
        if !isSame(Int(rows[group, start]), Int(rows[group, place])) { start = place }
        if place - start + 1 > best {
          best = place - start + 1
          picks[group] = rows[group, start]
        }
      }
    }
    return values.gather(picks.span)
  }
}

/// The rows of each group that have a value, in their order.
private struct GroupedRows {
  private var starts: [Int]
  private var rows: [Int32]

  init(_ groups: [Int32], _ values: Column, count: Int) {
    starts = [Int](repeating: 0, count: count + 1)
    for row in groups.indices where groups[row] >= 0 && !values.isNull(at: row) { starts[Int(groups[row]) + 1] += 1 }
    for group in 0..<count { starts[group + 1] += starts[group] }
    rows = [Int32](repeating: 0, count: starts[count])
    var next = starts
    for row in groups.indices where groups[row] >= 0 && !values.isNull(at: row) {
      let group = Int(groups[row])
      rows[next[group]] = Int32(truncatingIfNeeded: row)
      next[group] += 1
    }
  }

  func count(of group: Int) -> Int { starts[group + 1] - starts[group] }
  subscript(_ group: Int, _ place: Int) -> Int32 { rows[starts[group] + place] }
}
