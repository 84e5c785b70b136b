// One stored chunk as the index knows it: key, header, and the columns that happen to be decoded in memory.

package import Bedrock
package import Columnar
package import EventSchema
import Synchronization

package final class HotChunk: Sendable {
  package let key: ChunkKey
  package let header: ChunkHeader
  private struct Cached: Sendable {
    /// By place in the header's directory.
    var columns: [Column?]
    var bytes = 0
    var isTouched = true
  }
  private let cached: Mutex<Cached>
  private let cache: ColumnCache

  init(key: ChunkKey, header: ChunkHeader, cache: ColumnCache) {
    self.key = key
    self.header = header
    self.cache = cache
    cached = Mutex(Cached(columns: Array(repeating: nil, count: header.columns.count)))
  }

  deinit { cache.release(cached.withLock { $0.bytes }) }

  package var rowCount: Int { header.rowCount }

  /// Keeps a decoded column when the budget allows.
  func keep(_ column: Column, at place: Int) {
    precondition(column.count == header.rowCount)
    let bytes = column.byteCount
    guard cache.reserve(bytes) else { return }
    let kept = cached.withLock { cached in
      if cached.columns[place] != nil { return false }
      cached.columns[place] = column
      cached.bytes += bytes
      return true
    }
    if !kept { cache.release(bytes) }
  }

  /// Drops the columns unless a scan has touched them since the last call.
  func sweep() {
    let freed = cached.withLock { cached -> Int in
      if cached.isTouched {
        cached.isTouched = false
        return 0
      }
      let bytes = cached.bytes
      for place in cached.columns.indices { cached.columns[place] = nil }
      cached.bytes = 0
      return bytes
    }
    cache.release(freed)
  }

  /// The columns asked for, from memory or from the value under `snapshot`; null where the chunk is older than the field.
  package func columns(_ wanted: [TableColumn], in view: HotView) throws(Fault) -> [Column] {
    let places = wanted.map { column in header.columns.firstIndex { $0.fieldID == column.fieldID } }
    var out: [Column?] = cached.withLock { cached in
      cached.isTouched = true
      return places.map { place in place.flatMap { cached.columns[$0] } }
    }
    var isComplete = true
    for (index, place) in places.enumerated() {
      if place == nil { out[index] = .nulls(wanted[index].type, count: header.rowCount) }
      isComplete = isComplete && out[index] != nil
    }
    if !isComplete {
      let found: Void? = try view.withValue(of: self) { (value) throws(Fault) in
        guard value.count == header.byteCount else { throw .corrupt("a stored chunk has changed its length") }
        for (index, place) in places.enumerated() where out[index] == nil {
          guard let place else { continue }
          let column = try ChunkCodec.decode(
            header.columns[place], header: header, type: wanted[index].type, from: value)
          keep(column, at: place)
          out[index] = column
        }
      }
      if found == nil { throw .corrupt("a chunk of the hot tier is missing", detail: "key \(key)") }
    }
    var columns: [Column] = []
    columns.reserveCapacity(out.count)
    for (index, column) in out.enumerated() {
      guard let column else { throw .bug("a column of a hot chunk was not decoded") }
      // A column whose SQL type was renamed keeps its bytes: text to varchar.
      columns.append(column.type == wanted[index].type ? column : column.retyped(wanted[index].type))
    }
    return columns
  }
}

/// The chunks of one table, in order of position. Immutable.
package struct HotTable: Sendable {
  package private(set) var chunks: [HotChunk] = []
  package private(set) var rowCount: Int64 = 0
  package private(set) var byteCount: Int64 = 0

  package init() {}

  /// Adds a chunk. Position ranges of a table's chunks never overlap.
  mutating func insert(_ chunk: HotChunk) {
    var place = chunks.count
    while place > 0 && chunks[place - 1].header.positions.lowerBound > chunk.header.positions.lowerBound { place -= 1 }
    chunks.insert(chunk, at: place)
    rowCount += Int64(chunk.rowCount)
    byteCount += Int64(chunk.header.byteCount)
  }

  mutating func remove(_ keys: Set<ChunkKey>) {
    for chunk in chunks where keys.contains(chunk.key) {
      rowCount -= Int64(chunk.rowCount)
      byteCount -= Int64(chunk.header.byteCount)
    }
    chunks.removeAll { keys.contains($0.key) }
  }
}
