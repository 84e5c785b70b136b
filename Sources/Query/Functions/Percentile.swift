// percentile_cont over double precision in any order of rows: values are kept as words that order as SQL does, dealt out
// to their groups at the end, and the one or two that a fraction asks for are selected, not sorted out.
//
// Several percentiles of one value (p50, p95, p99) keep it once.

import Bedrock
import Columnar
import Kernels

/// A state that can read what an earlier one of the same input has kept.
package protocol SharedInputState: AggregateState {
  /// Leaves the rows to `other`, a state over the same value and filter; false when it cannot.
  func share(_ other: any AggregateState) -> Bool
}

/// The values of all groups.
// A class: the states that share it see the same rows.
private final class GroupedWords {
  private var groups: [Int32] = []
  private var words: [UInt64] = []
  /// Words of group g, once dealt out: `dealt[starts[g] ..< starts[g + 1]]`.
  private var dealt: [UInt64] = []
  private var starts: [Int] = []

  var byteCount: Int { groups.capacity * 4 + (words.capacity + dealt.capacity) * 8 }

  func add(_ rows: Span<Int32>, _ column: Column) {
    let flat = column.flat()
    let values = flat.float64s
    starts = []
    for row in 0..<rows.count where rows[row] >= 0 && !flat.isNull(at: row) {
      groups.append(rows[row])
      words.append(RowKey.ordered(values[row]))
    }
  }

  func add(_ other: GroupedWords, mapping: Span<Int32>) {
    starts = []
    words += other.words
    groups.reserveCapacity(words.count)
    for group in other.groups { groups.append(mapping[Int(group)]) }
  }

  /// Puts the words of each group side by side.
  func deal(count: Int) {
    if starts.count == count + 1 { return }
    starts = [Int](repeating: 0, count: count + 1)
    for group in groups { starts[Int(group) + 1] += 1 }
    for group in 0..<count { starts[group + 1] += starts[group] }
    var next = starts
    dealt = [UInt64](unsafeUninitializedCapacity: words.count) { out, filled in
      for row in words.indices {
        let group = Int(groups[row])
        out.initializeElement(at: next[group], to: words[row])
        next[group] &+= 1
      }
      filled = words.count
    }
  }

  func count(of group: Int) -> Int { starts[group + 1] - starts[group] }

  /// The word at place `rank` of its group's order, and the one after it (itself at the end).
  func select(_ rank: Int, of group: Int) -> (UInt64, UInt64) {
    let range = starts[group]..<starts[group + 1]
    return dealt.withUnsafeMutableBufferPointer { all in
      var words = UnsafeMutableBufferPointer(rebasing: all[range])
      Selecting.place(rank, in: &words)
      if rank + 1 == words.count { return (words[rank], words[rank]) }
      var next = UInt64.max
      for index in (rank + 1)..<words.count { next = min(next, words[index]) }
      return (words[rank], next)
    }
  }
}

/// Selection by partitioning (Hoare's FIND), with sorting where partitions stay lopsided.
private enum Selecting {
  /// Reorders so that the word of `rank` is in its place, none greater before it and none less after it.
  static func place(_ rank: Int, in words: inout UnsafeMutableBufferPointer<UInt64>) {
    precondition(words.indices.contains(rank))
    var low = 0, high = words.count - 1
    var steps = 2 * (Int.bitWidth - words.count.leadingZeroBitCount)
    while high - low > 32 {
      steps -= 1
      if steps < 0 { break }
      let pivot = median(words[low], words[(low + high) / 2], words[high])
      var left = low, right = high
      while left <= right {
        while words[left] < pivot { left &+= 1 }
        while words[right] > pivot { right &-= 1 }
        if left <= right {
          words.swapAt(left, right)
          left &+= 1
          right &-= 1
        }
      }
      if rank <= right { high = right } else if rank >= left { low = left } else { return }
    }
    var rest = UnsafeMutableBufferPointer(rebasing: words[low...high])
    rest.sort()
  }

  private static func median(_ a: UInt64, _ b: UInt64, _ c: UInt64) -> UInt64 {
    max(min(a, b), min(max(a, b), c))
  }
}

final class PercentileState: SharedInputState {
  private var words = GroupedWords()
  private var ownsRows = true
  private let isList: Bool
  private let descending: Bool
  /// The fraction, or list of fractions, of each group: the first that came.
  private var fractions: [Scalar?] = []
  private var constant: Scalar?
  private let result: DataType

  init(types: [DataType], descending: Bool, result: DataType) {
    isList = types[0] != .float8
    self.descending = descending
    self.result = result
  }

  func share(_ other: any AggregateState) -> Bool {
    guard let other = other as? PercentileState, other.ownsRows else { return false }
    words = other.words
    ownsRows = false
    return true
  }

  var byteCount: Int { (ownsRows ? words.byteCount : 0) + fractions.count * 40 }

  func grow(to count: Int) {
    if count > fractions.count { fractions += [Scalar?](repeating: nil, count: count - fractions.count) }
  }

  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault) {
    if groups.isEmpty { return }
    if case .constant(let one) = arguments[0].form {
      constant = one.scalar(at: 0)
    } else {
      for row in 0..<groups.count where groups[row] >= 0 && fractions[Int(groups[row])] == nil {
        fractions[Int(groups[row])] = arguments[0].scalar(at: row)
      }
    }
    if ownsRows { words.add(groups, arguments[1]) }
  }

  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault) {
    let other = sibling(other, of: PercentileState.self)
    constant = constant ?? other.constant
    for group in other.fractions.indices {
      guard let fraction = other.fractions[group] else { continue }
      let own = Int(mapping[group])
      if fractions[own] == nil { fractions[own] = fraction }
    }
    if ownsRows { words.add(other.words, mapping: mapping) }
  }

  func finish() throws(Fault) -> Column {
    let count = fractions.count
    // A constant fraction is checked even when no row came.
    if !isList, let constant { _ = try OrderedSetState.fraction(constant) }
    words.deal(count: count)
    var builder = ColumnBuilder(type: result, capacity: count)
    for group in 0..<count {
      let asked = constant ?? fractions[group] ?? .null
      if words.count(of: group) == 0 {
        builder.appendNull()
      } else if isList {
        guard case .list(let list) = asked else {
          builder.appendNull()
          continue
        }
        var values: [Scalar] = []
        for one in list { values.append(try value(one, group) ?? .null) }
        builder.append(list: values)
      } else {
        builder.append(try value(asked, group) ?? .null)
      }
    }
    return builder.finish()
  }

  /// The value at a fraction of the way through the group, between two values in proportion.
  private func value(_ asked: Scalar, _ group: Int) throws(Fault) -> Scalar? {
    guard let fraction = try OrderedSetState.fraction(asked) else { return nil }
    let last = words.count(of: group) - 1
    let place = fraction * Double(last)
    let first = Int(place.rounded(.down)), second = Int(place.rounded(.up))
    let low: Double, high: Double
    if descending {
      let pair = words.select(last - second, of: group)
      (low, high) = (RowKey.double(first == second ? pair.0 : pair.1), RowKey.double(pair.0))
    } else {
      let pair = words.select(first, of: group)
      (low, high) = (RowKey.double(pair.0), RowKey.double(first == second ? pair.0 : pair.1))
    }
    if first == second { return .float(low) }
    return .float(low + (place - Double(first)) * (high - low))
  }
}
