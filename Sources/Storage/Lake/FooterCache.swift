// Footers of data files, parsed once. Data files never change, so an entry never goes stale; the least recently used
// leave when the budget is passed.

import Bedrock
import Columnar
import ObjectStore
import ParquetFormat
import Synchronization

final class FooterCache: Sendable {
  /// How much of a file's end is read at first: nearly every footer is smaller.
  private static let tailBytes = 65_536
  private struct Entry {
    let file: ParquetFile
    let bytes: Int
    var lastUse: UInt64
  }
  private struct State {
    var entries: [ObjectPath: Entry] = [:]
    var bytesUsed = 0
    var uses: UInt64 = 0
  }
  let objectStore: any ObjectStore
  private let bytesMax: Int
  private let state = Mutex(State())

  init(store: any ObjectStore, bytesMax: Int) {
    precondition(bytesMax >= 0)
    objectStore = store
    self.bytesMax = bytesMax
  }

  /// The metadata of the file at `path`, which has `size` bytes.
  func footer(_ path: ObjectPath, size: Int64) throws(Fault) -> ParquetFile {
    let cached = state.withLock { (state) -> ParquetFile? in
      state.uses += 1
      state.entries[path]?.lastUse = state.uses
      return state.entries[path]?.file
    }
    if let cached { return cached }
    let (file, bytes) = try read(path, size: size)
    state.withLock { Self.insert(path, Entry(file: file, bytes: bytes, lastUse: $0.uses), bytesMax, &$0) }
    return file
  }

  private static func insert(_ path: ObjectPath, _ entry: Entry, _ bytesMax: Int, _ state: inout State) {
    if let old = state.entries.updateValue(entry, forKey: path) { state.bytesUsed -= old.bytes }
    state.bytesUsed += entry.bytes
    while state.bytesUsed > bytesMax, let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
      state.entries[oldest.key] = nil
      state.bytesUsed -= oldest.value.bytes
    }
    precondition(state.bytesUsed >= 0)
  }

  private func read(_ path: ObjectPath, size: Int64) throws(Fault) -> (ParquetFile, Int) {
    guard size >= Int64(ParquetFooter.fileBytesMin), size <= Int64(Int.max) else {
      throw Fault.corrupt("lake file \"\(path)\" of \(size) bytes is not a Parquet file")
    }
    var count = min(Int(size), Self.tailBytes)
    // The first tail states how long the footer is; the second holds it whole.
    for _ in 0..<2 {
      let tail = try Buffer(uninitializedByteCount: count) { (raw) throws(Fault) in
        try objectStore.read(path, at: size - Int64(raw.count), into: raw)
      }
      do throws(Fault) {
        switch try ParquetFooter.parse(tail: tail.bytes, fileByteCount: Int(size)) {
        case .file(let file): return (file, Self.cost(file))
        case .needs(let byteCount): count = byteCount
        }
      } catch {
        throw Fault(error.state, error.message, kind: error.kind, detail: "Lake file \"\(path)\". \(error.detail ?? "")")
      }
    }
    throw Fault.bug("a Parquet footer asked for more bytes twice")
  }

  /// About how many bytes a parsed footer holds.
  private static func cost(_ file: ParquetFile) -> Int {
    1_024 + file.leaves.count * 256 + file.rowGroups.reduce(0) { $0 + 128 + $1.columns.count * 512 }
  }
}
