// The ranks of the values of a column: equal values have equal ranks, greater values greater ones, nulls the greatest.

import Bedrock
import Columnar

struct ClusteringRanks {
  /// One a row, below `count`.
  private(set) var ranks: [UInt32]
  /// Distinct values, null counted as one.
  private(set) var count: Int

  /// True for types whose values have an order that bounds follow.
  static func hasOrder(_ type: DataType) -> Bool {
    switch type {
    case .boolean, .int2, .int4, .int8, .float4, .float8, .date, .time, .timestamp, .timestamptz, .text, .varchar, .uuid:
      true
    case .numeric(let modifier): modifier != nil
    default: false
    }
  }

  /// - Parameter column: flat, of a type that has an order.
  init(_ column: Column) {
    ranks = []
    count = 0
    let rows = column.count
    switch column.type.physical {
    case .bytes: rankBytes(column)
    case .uuid:
      let values = column.values(UUIDValue.self)
      rankWide(column) { row in
        (UInt64(bigEndian: values[row].high), UInt64(bigEndian: values[row].low))
      }
    case .numeric:
      let scale = if case .numeric(let modifier?) = column.type { modifier.scale } else { 0 }
      let values = column.numerics
      rankWide(column) { row in
        let value = UInt128(bitPattern: Self.rescaled(values[row], scale)) ^ 1 << 127
        return (UInt64(truncatingIfNeeded: value >> 64), UInt64(truncatingIfNeeded: value))
      }
    default:
      var keys = [Int64](repeating: 0, count: rows)
      Self.fill(&keys, column)
      let order = RadixSort.order(keys.span)
      number(column, order) { keys[$0] == keys[$1] }
    }
  }

  /// The same rows ranked by the distinct values of the first rows alone: how many of those are not greater.
  func among(firstRows known: Int) -> ClusteringRanks {
    precondition(known <= ranks.count)
    var isKnown = [UInt32](repeating: 0, count: count)
    for row in 0..<known { isKnown[Int(ranks[row])] = 1 }
    var sum: UInt32 = 0
    for rank in isKnown.indices {
      sum += isKnown[rank]
      isKnown[rank] = sum
    }
    return ClusteringRanks(ranks: ranks.map { isKnown[Int($0)] }, count: Int(sum) + 1)
  }

  private init(ranks: [UInt32], count: Int) {
    self.ranks = ranks
    self.count = count
  }

  private static func fill(_ keys: inout [Int64], _ column: Column) {
    switch column.type.physical {
    case .bool8:
      let values = column.booleans
      for row in 0..<keys.count { keys[row] = Int64(values[row]) }
    case .int32:
      let values = column.int32s
      for row in 0..<keys.count { keys[row] = Int64(values[row]) }
    case .float32:
      let values = column.float32s
      for row in 0..<keys.count { keys[row] = key(Double(values[row])) }
    case .float64:
      let values = column.float64s
      for row in 0..<keys.count { keys[row] = key(values[row]) }
    default:
      let values = column.int64s
      for row in 0..<keys.count { keys[row] = values[row] }
    }
  }

  /// A number in the order of SQL: both zeros are one, NaN is the greatest.
  private static func key(_ value: Double) -> Int64 {
    let bits = Int64(bitPattern: (value.isNaN ? Double.nan : value == 0 ? 0 : value).bitPattern)
    return bits ^ (bits >> 63 & Int64.max)
  }

  /// The coefficient at the scale of the column; NaN is the greatest. What does not fit is refused when it is written.
  private static func rescaled(_ value: Numeric, _ scale: Int) -> Int128 {
    if value.isNaN { return .max }
    var coefficient = value.coefficient
    for _ in 0..<max(0, scale - value.scale) { coefficient = coefficient.multipliedReportingOverflow(by: 10).partialValue }
    for _ in 0..<max(0, value.scale - scale) { coefficient /= 10 }
    return coefficient
  }

  private mutating func rankWide(_ column: Column, _ words: (Int) -> (high: UInt64, low: UInt64)) {
    var high = [Int64](repeating: 0, count: column.count), low = high
    for row in 0..<column.count {
      let word = words(row)
      high[row] = Int64(bitPattern: word.high ^ 1 << 63)
      low[row] = Int64(bitPattern: word.low ^ 1 << 63)
    }
    var order = RadixSort.order(low.span)
    if let byLow = order {
      let sorted = byLow.map { high[Int($0)] }
      if let byHigh = RadixSort.order(sorted.span) { order = byHigh.map { byLow[Int($0)] } }
    } else {
      order = RadixSort.order(high.span)
    }
    number(column, order) { high[$0] == high[$1] && low[$0] == low[$1] }
  }

  /// Sorts by the first 8 bytes, then what those leave equal by all bytes.
  private mutating func rankBytes(_ column: Column) {
    guard case .bytes(let offsetBuffer, let dataBuffer) = column.form else { preconditionFailure("a flat text column") }
    offsetBuffer.withUnsafeBytes { offsets in
      dataBuffer.withUnsafeBytes { raw in rankBytes(column, offsets.assumingMemoryBound(to: Int32.self), raw) }
    }
  }

  private mutating func rankBytes(
    _ column: Column, _ ends: UnsafeBufferPointer<Int32>, _ raw: UnsafeRawBufferPointer
  ) {
    let value = { (row: Int) in UnsafeRawBufferPointer(rebasing: raw[Int(ends[row])..<Int(ends[row + 1])]) }
    var prefixes = [Int64](repeating: 0, count: column.count)
    for row in 0..<column.count { prefixes[row] = Int64(bitPattern: Self.prefix(value(row)) ^ 1 << 63) }
    var order = RadixSort.order(prefixes.span) ?? (0..<Int32(column.count)).map { $0 }
    var start = 0
    while start < order.count {
      var end = start + 1
      while end < order.count && prefixes[Int(order[end])] == prefixes[Int(order[start])] { end += 1 }
      if end - start > 1 {
        order[start..<end].sort { Self.isLess(value(Int($0)), value(Int($1))) }
      }
      start = end
    }
    number(column, order) { (a, b) in
      prefixes[a] == prefixes[b] && value(a).elementsEqual(value(b))
    }
  }

  private static func prefix(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var prefix: UInt64 = 0
    for index in 0..<8 { prefix = prefix << 8 | (index < bytes.count ? UInt64(bytes[index]) : 0) }
    return prefix
  }

  private static func isLess(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    a.lexicographicallyPrecedes(b)
  }

  /// Numbers the values in their order; nulls come behind.
  private mutating func number(_ column: Column, _ order: [Int32]?, _ isEqual: (Int, Int) -> Bool) {
    ranks = [UInt32](repeating: 0, count: column.count)
    var next: UInt32 = 0
    var last: Int?
    for place in 0..<column.count {
      let row = order.map { Int($0[place]) } ?? place
      if column.isNull(at: row) { continue }
      if let last, !isEqual(last, row) { next += 1 }
      ranks[row] = next
      last = row
    }
    count = last == nil ? 0 : Int(next) + 1
    if column.nullCount == 0 { return }
    for row in 0..<column.count where column.isNull(at: row) { ranks[row] = UInt32(count) }
    count += 1
  }
}
