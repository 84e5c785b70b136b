// Several key columns to one dense id: the heart of grouping, DISTINCT and joins.
//
// Each key column has a `KeyIndex`. The ids of several columns are folded pairwise: (id so far, id of the next column)
// is one 64-bit key of another integer table.

import Bedrock
import Columnar
import Kernels

/// Distinct combinations of several key columns, numbered in order of first appearance.
// unchecked Sendable because a table is filled by one thread, and only read once it is shared.
final class GroupTable: @unchecked Sendable {
  private let indexes: [KeyIndex]
  /// Level i folds key i + 1 into the ids so far.
  private var levels: [IntegerTable]

  init(types: [DataType]) {
    indexes = types.map { KeyIndex(type: $0) }
    levels = [IntegerTable](repeating: IntegerTable(), count: max(types.count - 1, 0))
  }

  var columnCount: Int { indexes.count }
  var count: Int { levels.last?.count ?? indexes.first?.count ?? 1 }
  var byteCount: Int { indexes.reduce(0) { $0 + $1.byteCount } + levels.reduce(0) { $0 + $1.byteCount } }

  /// The group of each row; without keys all rows are of group 0.
  func assign(_ keys: [Column], rows: Int) -> [Int32] {
    guard !indexes.isEmpty else { return [Int32](repeating: 0, count: rows) }
    var ids = indexes[0].assign(keys[0])
    for level in levels.indices {
      let pairs = Self.pairs(ids, indexes[level + 1].assign(keys[level + 1]))
      ids.withUnsafeMutableBufferPointer { out in
        guard let base = out.baseAddress else { return }
        levels[level].insert(pairs.span(of: Int64.self).extracting(0..<rows), into: base)
      }
    }
    return ids
  }

  /// The group of each row; -1 when a key is null or the combination was never assigned.
  func lookup(_ keys: [Column], rows: Int, caches: inout [KeyLookupCache]) -> [Int32] {
    guard !indexes.isEmpty else { return [Int32](repeating: 0, count: rows) }
    if caches.isEmpty { caches = indexes.map { _ in KeyLookupCache() } }
    var ids = indexes[0].lookup(keys[0], cache: &caches[0])
    for level in levels.indices {
      // a pair with -1 in it was never inserted, so it finds nothing
      let pairs = Self.pairs(ids, indexes[level + 1].lookup(keys[level + 1], cache: &caches[level + 1]))
      ids.withUnsafeMutableBufferPointer { out in
        guard let base = out.baseAddress else { return }
        levels[level].find(pairs.span(of: Int64.self).extracting(0..<rows), into: base)
      }
    }
    return ids
  }

  /// The left id in the upper half, the right id in the lower.
  private static func pairs(_ left: [Int32], _ right: [Int32]) -> Buffer {
    precondition(left.count == right.count)
    let a = left.span, b = right.span
    return Buffer.of(Int64.self, count: left.count) { out in
      for row in 0..<a.count { out[row] = Int64(a[row]) &<< 32 | Int64(UInt32(bitPattern: b[row])) }
    }
  }

  /// The key columns, one row a group.
  func keyColumns() -> [Column] {
    guard !indexes.isEmpty else { return [] }
    if levels.isEmpty { return [indexes[0].values()] }
    var ids = (0..<Int32(count)).map { $0 }
    var columns: [Column] = []
    for level in levels.indices.reversed() {
      let pairs = levels[level].keys
      // The array has a name: the span of a temporary makes the compiler (6.3.1) emit invalid code.
      let last = ids.map { Int32(truncatingIfNeeded: pairs[Int($0)]) }
      columns.append(indexes[level + 1].values().gather(last.span))
      ids = ids.map { Int32(truncatingIfNeeded: pairs[Int($0)] >> 32) }
    }
    columns.append(indexes[0].values().gather(ids.span))
    return columns.reversed()
  }
}
