// What is kept of data files between scans: footers and page indexes, parsed once, and hot pages, decompressed once. Data
// files never change, so an entry never goes stale; what is asked for least leaves when a budget is passed.
//
//   footer cache   footers, page indexes, bloom filters          LakeOptions.footerCacheBytesMax
//   page cache     decompressed pages and decoded dictionaries   LakeOptions.pageCacheBytesMax

import Bedrock
import Columnar
import ObjectStore
import ParquetFormat

final class FooterCache: Sendable {
  /// How much of a file's end is read at first: nearly every footer is smaller.
  private static let tailBytes = 65_536
  private enum Key: Hashable, Sendable {
    case footer(ObjectPath)
    /// By the place of the index in the file.
    case offsetIndex(ObjectPath, Int)
    case columnIndex(ObjectPath, Int)
    case bloomFilter(ObjectPath, Int)
  }
  private enum Entry: Sendable {
    case footer(ParquetFile)
    case offsetIndex(ParquetOffsetIndex)
    case columnIndex(ParquetColumnIndex)
    case bloomFilter(ParquetBloomFilter)
  }
  /// A page, by the place of its header.
  struct PageKey: Hashable, Sendable {
    let path: ObjectPath
    let offset: Int
  }
  let objectStore: any ObjectStore
  let options: LakeOptions
  let reads: LakeReads
  let pages: BudgetedCache<PageKey, ParquetPage>
  private let entries: BudgetedCache<Key, Entry>

  init(store: any ObjectStore, options: LakeOptions) {
    objectStore = store
    self.options = options
    reads = LakeReads(store: store, threadCount: options.readThreadCount)
    pages = BudgetedCache(bytesMax: options.pageCacheBytesMax)
    entries = BudgetedCache(bytesMax: options.footerCacheBytesMax)
  }

  /// Bytes that both caches hold now.
  var bytesUsed: Int { pages.bytesUsed + entries.bytesUsed }

  /// The metadata of the file at `path`, which has `size` bytes.
  func footer(_ path: ObjectPath, size: Int64) throws(Fault) -> ParquetFile {
    if case .footer(let file)? = entries.find(.footer(path)) { return file }
    let (file, bytes) = try read(path, size: size)
    entries.insert(.footer(path), .footer(file), byteCount: bytes)
    return file
  }

  /// The page indexes of some column chunks: offset indexes of all, column indexes of those asked for. Those not in the
  /// cache are read together. `nil` where a file has none.
  func indexes(
    _ path: ObjectPath, _ wanted: [(chunk: ParquetColumnChunk, withBounds: Bool)]
  ) throws(Fault) -> [(offsets: ParquetOffsetIndex?, bounds: ParquetColumnIndex?)] {
    var found: [(offsets: ParquetOffsetIndex?, bounds: ParquetColumnIndex?)] = []
    var missing: [Range<Int>] = []
    for (chunk, withBounds) in wanted {
      var offsets: ParquetOffsetIndex?, bounds: ParquetColumnIndex?
      if let range = chunk.offsetIndexRange {
        if case .offsetIndex(let index)? = entries.find(.offsetIndex(path, range.lowerBound)) { offsets = index }
        if offsets == nil { missing.append(range) }
      }
      if withBounds, let range = chunk.columnIndexRange, chunk.offsetIndexRange != nil {
        if case .columnIndex(let index)? = entries.find(.columnIndex(path, range.lowerBound)) { bounds = index }
        if bounds == nil { missing.append(range) }
      }
      found.append((offsets, bounds))
    }
    if missing.isEmpty { return found }
    let pieces = try reads.read(path, missing)
    for (place, (chunk, withBounds)) in wanted.enumerated() {
      if found[place].offsets == nil, let range = chunk.offsetIndexRange {
        let bytes = try Self.bytes(range, pieces)
        let index = try ParquetOffsetIndex.parse(bytes.bytes, chunk: chunk)
        entries.insert(
          .offsetIndex(path, range.lowerBound), .offsetIndex(index), byteCount: 128 + index.pages.count * 40)
        found[place].offsets = index
      }
      if withBounds, found[place].bounds == nil, let range = chunk.columnIndexRange, chunk.offsetIndexRange != nil {
        let bytes = try Self.bytes(range, pieces)
        let index = try ParquetColumnIndex.parse(bytes.bytes)
        entries.insert(
          .columnIndex(path, range.lowerBound), .columnIndex(index), byteCount: 128 + index.pages.count * 160)
        found[place].bounds = index
      }
    }
    return found
  }

  /// The bloom filter of a column chunk; `nil` where there is none, or none that this reader knows.
  func bloomFilter(
    _ path: ObjectPath, _ chunk: ParquetColumnChunk, fileBytes: Int64
  ) throws(Fault) -> ParquetBloomFilter? {
    guard let range = ParquetBloomFilter.byteRange(of: chunk, fileByteCount: Int(fileBytes)) else { return nil }
    if case .bloomFilter(let filter)? = entries.find(.bloomFilter(path, range.lowerBound)) { return filter }
    guard let filter = try readBloomFilter(path, range, fileBytes: Int(fileBytes)) else { return nil }
    entries.insert(.bloomFilter(path, range.lowerBound), .bloomFilter(filter), byteCount: 128 + filter.byteCount)
    return filter
  }

  private func readBloomFilter(
    _ path: ObjectPath, _ range: Range<Int>, fileBytes: Int
  ) throws(Fault) -> ParquetBloomFilter? {
    var count = range.count
    do throws(Fault) {
      // The header states how long the filter is where the footer does not.
      for _ in 0..<2 {
        let read = try bytes(path, range.lowerBound, count)
        switch try ParquetBloomFilter.parse(read.bytes) {
        case .filter(let filter): return filter
        case .needs(let byteCount) where byteCount <= fileBytes - range.lowerBound: count = byteCount
        case .needs: throw Fault.corrupt("a Parquet bloom filter ends behind its file")
        }
      }
      throw Fault.bug("a Parquet bloom filter asked for more bytes twice")
    } catch {
      // A filter of another kind, or a very large one, only fails to help.
      if error.state == .featureNotSupported || error.state == .programLimitExceeded { return nil }
      throw error
    }
  }

  private func bytes(_ path: ObjectPath, _ offset: Int, _ byteCount: Int) throws(Fault) -> Buffer {
    try Buffer(uninitializedByteCount: byteCount) { (raw) throws(Fault) in
      try objectStore.read(path, at: Int64(offset), into: raw)
    }
  }

  /// The part of what was read that holds `range`.
  private static func bytes(_ range: Range<Int>, _ pieces: [ParquetPiece]) throws(Fault) -> Buffer {
    for piece in pieces {
      let start = range.lowerBound - piece.fileOffset
      guard start >= 0, start + range.count <= piece.bytes.byteCount else { continue }
      return Buffer(uninitializedByteCount: range.count) { out in
        piece.bytes.withUnsafeBytes {
          out.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<(start + range.count)]))
        }
      }
    }
    throw Fault.bug("a range that was asked for was not read")
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

/// Keeps the pages of one file.
struct LakePageKeeper: ParquetPageKeeper {
  let path: ObjectPath
  let pages: BudgetedCache<FooterCache.PageKey, ParquetPage>

  func keep(_ page: ParquetPage, at offset: Int) {
    pages.insert(FooterCache.PageKey(path: path, offset: offset), page, byteCount: page.byteCount)
  }
}
