// The key of a chunk, 20 bytes, so that RocksDB's order is table, then sequence:
//
//   0        4                 12              20
//   table    first sequence    chunk id
//   (big-endian; the sequence with its sign bit flipped, so that negative ones come first)

package import Bedrock
package import StorageContract

package struct ChunkKey: Hashable, Sendable {
  package let table: TableID
  package let firstSequence: Int64
  /// Unique over all chunks that exist at one time.
  package let chunkID: UInt64
  package static let byteCount = 20

  package init(table: TableID, firstSequence: Int64, chunkID: UInt64) {
    self.table = table
    self.firstSequence = firstSequence
    self.chunkID = chunkID
  }

  /// Throws XX001 when `bytes` is no key.
  package init(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
    guard bytes.count == Self.byteCount else { throw .corrupt("a chunk key has \(bytes.count) bytes") }
    table = TableID(raw: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self)))
    let flipped = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt64.self))
    firstSequence = Int64(bitPattern: flipped ^ 1 << 63)
    chunkID = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 12, as: UInt64.self))
  }

  package var bytes: [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(Self.byteCount)
    withUnsafeBytes(of: table.raw.bigEndian) { out.append(contentsOf: $0) }
    withUnsafeBytes(of: (UInt64(bitPattern: firstSequence) ^ 1 << 63).bigEndian) { out.append(contentsOf: $0) }
    withUnsafeBytes(of: chunkID.bigEndian) { out.append(contentsOf: $0) }
    return out
  }
}
