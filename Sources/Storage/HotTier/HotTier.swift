// The hot tier: chunks of event rows and the engine's small records in one RocksDB.
//
// One writer at a time calls `write`; it returns a new immutable view, which readers take. A view is one consistent
// cut: the RocksDB snapshot is taken after the write and before the next one can start, under the same lock. A write
// that fails has an unknown outcome: the tier then refuses further writes until it is opened again.

package import Bedrock
package import Columnar
package import StorageContract
import Runtime
import Synchronization

/// What one synced write changes.
package struct HotWrite: Sendable {
  /// A new chunk; `decoded` are its columns in the order of its directory, to be kept in memory.
  package struct NewChunk: Sendable {
    package let table: TableID
    package let chunk: EncodedChunk
    package let decoded: Chunk?
    package init(table: TableID, chunk: EncodedChunk, decoded: Chunk?) {
      self.table = table
      self.chunk = chunk
      self.decoded = decoded
    }
  }
  package var chunks: [NewChunk] = []
  package var deletedChunks: [ChunkKey] = []
  package var records: [(key: [UInt8], value: [UInt8])] = []
  package var deletedRecords: [[UInt8]] = []
  package init() {}
}

package final class HotTier: Sendable {
  package struct Options: Sendable {
    package var folder: String
    package var memtableBytes: Int
    /// Decoded columns kept in memory.
    package var cacheBytes: Int
    package init(folder: String, memtableBytes: Int = 64 << 20, cacheBytes: Int = 256 << 20) {
      self.folder = folder
      self.memtableBytes = memtableBytes
      self.cacheBytes = cacheBytes
    }
  }

  private struct State: Sendable {
    var nextChunkID: UInt64
    var hasFailed = false
    var view: HotView?
  }
  private let database: RocksDatabase
  private let state: Mutex<State>
  package let cache: ColumnCache

  /// Opens the tier and reads the header of every chunk. Throws 58030, XX001, or 55000 when another process has it.
  package init(_ options: Options) throws(Fault) {
    database = try RocksDatabase(folder: options.folder, memtableBytes: options.memtableBytes)
    let cache = ColumnCache(bytesMax: options.cacheBytes)
    self.cache = cache
    let snapshot = try RocksSnapshot(database)
    var tables: [TableID: HotTable] = [:]
    var largest: UInt64 = 0
    var found: [HotChunk] = []
    try snapshot.forEach(prefix: [], .chunks) { (keyBytes, value) throws(Fault) in
      let key = try ChunkKey(keyBytes)
      found.append(HotChunk(key: key, header: try ChunkHeader(value), cache: cache))
      largest = max(largest, key.chunkID)
    }
    found.sort { $0.header.positions.lowerBound < $1.header.positions.lowerBound }
    for chunk in found { tables[chunk.key.table, default: HotTable()].insert(chunk) }
    state = Mutex(State(nextChunkID: largest + 1, view: HotView(snapshot: snapshot, tables: tables)))
  }

  /// The newest view. Throws 57P03 once closed.
  package func view() throws(Fault) -> HotView {
    guard let view = state.withLock({ $0.view }) else { throw Fault(.cannotConnectNow, "the hot tier is closed") }
    return view
  }

  /// Applies `change` with one synced write and returns the view that has it. After a fault the outcome is unknown.
  package func write(_ change: HotWrite) throws(Fault) -> HotView {
    let (first, before) = try begin(chunkCount: change.chunks.count)
    let batch = RocksBatch(database)
    var added: [HotChunk] = []
    added.reserveCapacity(change.chunks.count)
    for (offset, new) in change.chunks.enumerated() {
      let key = ChunkKey(
        table: new.table, firstSequence: new.chunk.header.sequences.lowerBound, chunkID: first + UInt64(offset))
      batch.put(key.bytes, new.chunk.bytes, .chunks)
      added.append(HotChunk(key: key, header: new.chunk.header, cache: cache))
    }
    for key in change.deletedChunks { batch.delete(key.bytes, .chunks) }
    for (key, value) in change.records { batch.put(key, value, .records) }
    for key in change.deletedRecords { batch.delete(key, .records) }
    let snapshot: RocksSnapshot
    do throws(Fault) {
      try database.write(batch)
      snapshot = try RocksSnapshot(database)
    } catch {
      state.withLock { $0.hasFailed = true }
      throw error
    }
    if cache.isNearlyFull {
      for table in before.index.values { for chunk in table.chunks { chunk.sweep() } }
    }
    var tables = before.index
    for (chunk, new) in zip(added, change.chunks) {
      if let decoded = new.decoded {
        for (place, column) in decoded.columns.enumerated() { chunk.keep(column, at: place) }
      }
      tables[new.table, default: HotTable()].insert(chunk)
    }
    let deleted = Set(change.deletedChunks)
    for id in Set(change.deletedChunks.map(\.table)) { tables[id]?.remove(deleted) }
    let view = HotView(snapshot: snapshot, tables: tables)
    state.withLock { $0.view = view }
    return view
  }

  /// True when nothing was written, or tried, after `view`.
  package func isUnchanged(since view: HotView) -> Bool { state.withLock { !$0.hasFailed && $0.view === view } }

  /// Takes chunk ids and the view to build upon.
  private func begin(chunkCount: Int) throws(Fault) -> (UInt64, HotView) {
    let start: (UInt64, HotView)? = state.withLock { state in
      guard !state.hasFailed, let view = state.view else { return nil }
      defer { state.nextChunkID += UInt64(chunkCount) }
      return (state.nextChunkID, view)
    }
    guard let start else {
      throw Fault(.cannotConnectNow, "the hot tier takes no writes: it is closed or an earlier write failed")
    }
    return start
  }

  /// Lets no new view out, waits for the readers of old ones, and closes. Throws 55000 when they outlast the time.
  package func close(timeoutMicros: Int64 = 30_000_000) throws(Fault) {
    state.withLock { $0.view = nil }
    try database.close(timeoutMicros: timeoutMicros)
  }
}
