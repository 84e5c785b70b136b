// One consistent cut of the hot tier: a RocksDB snapshot and the index of chunk headers that belongs to it.

package import Bedrock
package import StorageContract

package final class HotView: Sendable {
  private let snapshot: RocksSnapshot
  private let tables: [TableID: HotTable]

  init(snapshot: RocksSnapshot, tables: [TableID: HotTable]) {
    self.snapshot = snapshot
    self.tables = tables
  }

  package func table(_ id: TableID) -> HotTable { tables[id] ?? HotTable() }
  package var tableIDs: [TableID] { Array(tables.keys) }
  var index: [TableID: HotTable] { tables }

  /// A record of the engine.
  package func record(_ key: [UInt8]) throws(Fault) -> [UInt8]? { try snapshot.get(key, .records) }

  /// Calls `body` with every record whose key begins with `prefix`, in order.
  package func forEachRecord(
    prefix: [UInt8], _ body: (_ key: [UInt8], _ value: [UInt8]) throws(Fault) -> Void
  ) throws(Fault) {
    try snapshot.forEach(prefix: prefix, .records) { (key, value) throws(Fault) in try body(Array(key), Array(value)) }
  }

  func withValue<R>(
    of chunk: HotChunk, _ body: (UnsafeRawBufferPointer) throws(Fault) -> R
  ) throws(Fault) -> R? {
    try snapshot.withValue(chunk.key.bytes, .chunks, body)
  }
}
