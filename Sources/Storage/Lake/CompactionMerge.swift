// A k-way merge of data files by one key, a window at a time.
//
//   files, each sorted        window: all loaded rows <= the smallest last key of the loaded chunks
//   a  ████████|
//   b    ███|                 b's chunk ends first: everything up to its last key can be given out,
//   c       ▒▒▒▒▒▒            then b loads its next chunk; c is opened when the bound reaches its first key
//
// Memory: one chunk of each open file and the bytes of its row group; a file is opened only when the merge reaches its
// range. The rows of a window are gathered by column and sorted by key as a whole, never compared one by one. A file that
// is not sorted after all costs order, not rows: its chunks are sorted by themselves.

import Bedrock
import Columnar
import StorageContract

/// One file to merge.
struct CompactionSource {
  /// No key of the file is less.
  let firstKey: Int64
  let scan: any TableScan
}

/// The chunks of one open file.
private final class CompactionRun {
  private let scan: any TableScan
  private let keyColumn: Int
  private var morsel = 0
  private var reader: (any ChunkReader)?
  private(set) var chunk: Chunk?
  private var keys = Column.nulls(.int8, count: 0)
  private var row = 0

  init(_ scan: any TableScan, keyColumn: Int) {
    self.scan = scan
    self.keyColumn = keyColumn
  }

  /// Makes sure that rows are loaded. False at the end of the file.
  func load() throws(Fault) -> Bool {
    while true {
      if let chunk, row < chunk.rowCount { return true }
      chunk = nil
      if reader == nil {
        if morsel == scan.morselCount { return false }
        reader = try scan.open(morsel: morsel)
        morsel += 1
      }
      guard let next = try reader?.next() else {
        reader = nil
        continue
      }
      take(next)
    }
  }

  private func take(_ next: Chunk) {
    let keys = next.columns[keyColumn].flat()
    precondition(keys.nullCount == 0, "the key of a merge is never null")
    if let order = RadixSort.order(keys.int64s) {
      chunk = next.gather(order.span)
      self.keys = keys.gather(order.span).flat()
    } else {
      chunk = next
      self.keys = keys
    }
    row = 0
  }

  /// The last key of the loaded chunk.
  var lastKey: Int64 {
    let keys = self.keys
    let values = keys.int64s
    return values[values.count - 1]
  }

  /// Takes the loaded rows with keys up to `bound`; nil when there are none.
  func take(upTo bound: Int64) -> Chunk? {
    guard let chunk else { return nil }
    let keys = self.keys
    let values = keys.int64s
    var low = row
    var high = values.count
    while low < high {
      let middle = low + (high - low) / 2
      if values[middle] <= bound { low = middle + 1 } else { high = middle }
    }
    if low == row { return nil }
    defer { row = low }
    return row == 0 && low == chunk.rowCount ? chunk : chunk.slice(row..<low)
  }
}

/// The rows of several files in the order of their key; equal keys in the order of the files. One thread at a time.
final class CompactionMerge {
  private let keyColumn: Int
  /// Not opened yet; the next is last.
  private var waiting: [CompactionSource]
  private var open: [CompactionRun] = []
  /// The most files that were open at once.
  private(set) var openMax = 0

  /// - Parameter keyColumn: place of the key, a column of 64-bit integers, in the chunks of the scans.
  init(_ sources: [CompactionSource], keyColumn: Int) {
    self.keyColumn = keyColumn
    // Stable: equal first keys keep their order.
    waiting = sources.enumerated().sorted { ($0.element.firstKey, $0.offset) < ($1.element.firstKey, $1.offset) }
      .map(\.element).reversed()
  }

  /// The next rows, any number of them, or nil at the end.
  func next() throws(Fault) -> Chunk? {
    var loaded: [CompactionRun] = []
    for run in open where try run.load() { loaded.append(run) }
    open = loaded
    while open.isEmpty {
      if waiting.isEmpty { return nil }
      try openNext()
    }
    var bound = open.reduce(Int64.max) { min($0, $1.lastKey) }
    while let next = waiting.last, next.firstKey <= bound {
      try openNext()
      bound = open.reduce(Int64.max) { min($0, $1.lastKey) }
    }
    let parts = open.compactMap { $0.take(upTo: bound) }
    precondition(!parts.isEmpty, "the run whose chunk ends first has rows up to the bound")
    if parts.count == 1 { return parts[0] }
    let all = Chunk.concatenate(parts)
    let keys = all.columns[keyColumn].flat()
    guard let order = RadixSort.order(keys.int64s) else { return all }
    return all.gather(order.span)
  }

  private func openNext() throws(Fault) {
    let run = CompactionRun(waiting.removeLast().scan, keyColumn: keyColumn)
    if try run.load() { open.append(run) }
    openMax = max(openMax, open.count)
  }
}
