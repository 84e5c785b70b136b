// One column of a morsel while it is read: its decoder, and which of its pages still lack their bytes.
//
// With an offset index a page is fetched only when a row of it is wanted; without one the whole chunk is fetched at the
// first row. Pages in the cache are handed over and not fetched at all.

import Bedrock
import Columnar
import EventSchema
import ObjectStore
import ParquetFormat

final class LakeColumnSource {
  let column: TableColumn
  let decoder: ColumnChunkDecoder
  private let chunk: ParquetColumnChunk
  private let index: ParquetOffsetIndex?
  private let rowCount: Int
  private let path: ObjectPath
  private let pages: BudgetedCache<FooterCache.PageKey, ParquetPage>
  /// Everything in front of the first data page, or the chunk when there is no index, was asked for.
  private var hasFront = false
  /// Pages before this one are fetched or passed.
  private var nextPage = 0

  init(
    _ column: TableColumn, _ morsel: LakeMorsel, leaf: Int, _ index: ParquetOffsetIndex?, _ cache: FooterCache
  ) throws(Fault) {
    self.column = column
    self.index = index
    chunk = morsel.group.columns[leaf]
    rowCount = morsel.group.rowCount
    path = morsel.file.path
    pages = cache.pages
    // Without an index pages are not known before their bytes are read: keeping them would save nothing.
    let keeper = index == nil || pages.bytesMax == 0 ? nil : LakePageKeeper(path: path, pages: pages)
    decoder = try ColumnChunkDecoder(
      leaf: morsel.footer.leaves[leaf], chunk: chunk, as: column.type, pieces: [], index: index, keeper: keeper)
  }

  /// Takes what the cache has of the pages with rows in `runs` (ascending, at or after those asked for before) and returns
  /// the ranges of the others, to be read and given.
  func missing(_ runs: some Collection<Range<Int>>) -> [Range<Int>] {
    guard let index else {
      defer { hasFront = true }
      return hasFront ? [] : [chunk.byteRange]
    }
    var ranges: [Range<Int>] = []
    if !hasFront {
      hasFront = true
      let end = index.pages.first?.byteRange.lowerBound ?? chunk.byteRange.upperBound
      add(chunk.byteRange.lowerBound..<end, &ranges)
    }
    for run in runs {
      while nextPage < index.pages.count {
        let rows = RowSelection.pageRows(nextPage, index, rowCount: rowCount)
        if rows.lowerBound >= run.upperBound { break }
        if rows.upperBound > run.lowerBound { add(index.pages[nextPage].byteRange, &ranges) }
        nextPage += 1
      }
    }
    return ranges
  }

  private func add(_ range: Range<Int>, _ ranges: inout [Range<Int>]) {
    if range.isEmpty { return }
    let key = FooterCache.PageKey(path: path, offset: range.lowerBound)
    if let page = pages.find(key), page.serves(column.type) {
      decoder.give(page, at: range.lowerBound)
    } else {
      ranges.append(range)
    }
  }

  /// Hands over those of the bytes read that belong to this chunk.
  func give(_ pieces: [ParquetPiece]) {
    for piece in pieces where piece.range.overlaps(chunk.byteRange) { decoder.give(piece) }
  }

  /// Pages with rows in `runs`, all pages, and bytes of the former; `nil` without an index.
  static func pages(
    _ runs: [Range<Int>], _ chunk: ParquetColumnChunk, _ index: ParquetOffsetIndex, rowCount: Int
  ) -> (read: Int, total: Int, bytes: Int) {
    var read = 0
    var bytes = (index.pages.first?.byteRange.lowerBound ?? chunk.byteRange.lowerBound) - chunk.byteRange.lowerBound
    var run = 0
    for page in index.pages.indices {
      let rows = RowSelection.pageRows(page, index, rowCount: rowCount)
      while run < runs.count && runs[run].upperBound <= rows.lowerBound { run += 1 }
      if run < runs.count && runs[run].overlaps(rows) {
        read += 1
        bytes += index.pages[page].byteRange.count
      }
    }
    return (read, index.pages.count, read == 0 ? 0 : bytes)
  }
}
