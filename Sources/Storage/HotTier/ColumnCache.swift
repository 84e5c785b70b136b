// The decoded columns of hot chunks that are kept in memory, within a budget of bytes.
//
// A chunk's cached columns live in the chunk itself (HotChunk), so that they go with it. The cache only counts bytes
// and, when the budget is passed, sweeps like a clock: a chunk that no scan has touched since the last sweep loses its
// columns. A scan that holds columns keeps them alive by reference.

import Bedrock
import Columnar
import Synchronization

package final class ColumnCache: Sendable {
  package let bytesMax: Int
  private let used = Atomic<Int>(0)

  package init(bytesMax: Int) {
    precondition(bytesMax >= 0)
    self.bytesMax = bytesMax
  }

  package var bytesUsed: Int { used.load(ordering: .relaxed) }

  /// False, and nothing counted, when the budget would be passed.
  func reserve(_ bytes: Int) -> Bool {
    let before = used.add(bytes, ordering: .relaxed).oldValue
    if before + bytes <= bytesMax { return true }
    used.subtract(bytes, ordering: .relaxed)
    return false
  }

  func release(_ bytes: Int) {
    let left = used.subtract(bytes, ordering: .relaxed).newValue
    precondition(left >= 0, "more released than reserved")
  }

  /// True when little room is left, so that a sweep is worth it.
  var isNearlyFull: Bool { bytesUsed > bytesMax / 8 * 7 }
}

extension Column {
  /// Bytes that the column's buffers hold, a shared dictionary included.
  package var byteCount: Int {
    let bitmap = validity?.buffer.byteCount ?? 0
    switch form {
    case .fixed(let buffer): return bitmap + buffer.byteCount
    case .bytes(let offsets, let data): return bitmap + offsets.byteCount + data.byteCount
    case .list(let offsets, let elements): return bitmap + offsets.byteCount + elements.byteCount
    case .dictionary(let codes, let dictionary): return bitmap + codes.byteCount + dictionary.values.byteCount
    case .constant(let one): return one.byteCount
    }
  }
}
