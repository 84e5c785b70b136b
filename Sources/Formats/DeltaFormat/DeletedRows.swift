// Which rows of a data file are deleted: a bitmap, in blocks of 65,536 rows, of which only those with a deleted row exist.

package struct DeletedRows: Sendable, Equatable {
  static let blockRows = 65_536
  static let blockWords = blockRows / 64
  /// Blocks at most: 2^30 rows, 128 MiB.
  static let blocksMax = 16_384

  /// Numbers of the blocks that exist, ascending.
  private var blocks: [Int] = []
  /// `blockWords` for each block.
  private var words: [UInt64] = []

  init() {}

  /// Adds a block behind the others and lends its words to `fill`.
  mutating func append<E: Error>(
    block: Int, _ fill: (UnsafeMutableBufferPointer<UInt64>) throws(E) -> Void
  ) throws(E) {
    precondition(block > blocks.last ?? -1, "blocks are appended in order")
    let start = words.count
    words.append(contentsOf: repeatElement(0, count: Self.blockWords))
    blocks.append(block)
    try words.withUnsafeMutableBufferPointer { (all) throws(E) in
      try fill(UnsafeMutableBufferPointer(rebasing: all[start..<(start + Self.blockWords)]))
    }
  }

  var blockCount: Int { blocks.count }

  /// How many rows are deleted.
  package var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  package func contains(_ row: Int) -> Bool {
    guard row >= 0, let place = place(of: row / Self.blockRows) else { return false }
    let bit = row % Self.blockRows
    return words[place * Self.blockWords + bit >> 6] >> UInt64(bit & 63) & 1 == 1
  }

  private func place(of block: Int) -> Int? {
    let place = firstPlace(from: block)
    return place < blocks.count && blocks[place] == block ? place : nil
  }

  /// The place of the first block that is not before `block`.
  private func firstPlace(from block: Int) -> Int {
    var low = 0, high = blocks.count
    while low < high {
      let middle = (low + high) / 2
      if blocks[middle] < block { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The rows of `range` that are not deleted, counted from its start; nil when none of them is.
  package func survivors(of range: Range<Int>) -> [Int32]? {
    precondition(range.lowerBound >= 0 && range.count <= Int(Int32.max))
    if range.isEmpty { return nil }
    let first = firstPlace(from: range.lowerBound / Self.blockRows)
    guard first < blocks.count, blocks[first] * Self.blockRows < range.upperBound else { return nil }
    var live: [Int32] = []
    live.reserveCapacity(range.count)
    var place = first
    var row = range.lowerBound
    words.withUnsafeBufferPointer { words in
      while row < range.upperBound {
        let block = row / Self.blockRows
        while place < blocks.count && blocks[place] < block { place += 1 }
        let isHit = place < blocks.count && blocks[place] == block
        let end = min(range.upperBound, isHit || place == blocks.count ? (block + 1) * Self.blockRows
          : blocks[place] * Self.blockRows)
        if !isHit {
          let stop = place == blocks.count ? range.upperBound : end
          while row < stop {
            live.append(Int32(truncatingIfNeeded: row - range.lowerBound))
            row += 1
          }
          continue
        }
        let base = place * Self.blockWords
        while row < end {
          let bit = row % Self.blockRows
          // SAFETY: `bit >> 6` is under `blockWords`, and the block's words lie inside of `words`.
          if words[base + bit >> 6] >> UInt64(bit & 63) & 1 == 0 {
            live.append(Int32(truncatingIfNeeded: row - range.lowerBound))
          }
          row += 1
        }
      }
    }
    return live.count == range.count ? nil : live
  }

  /// All deleted rows, ascending; for tests and for writing.
  package var rows: [Int] {
    var rows: [Int] = []
    for (place, block) in blocks.enumerated() {
      for word in 0..<Self.blockWords {
        var bits = words[place * Self.blockWords + word]
        while bits != 0 {
          rows.append(block * Self.blockRows + word * 64 + bits.trailingZeroBitCount)
          bits &= bits - 1
        }
      }
    }
    return rows
  }
}
