// One column of a morsel while it is read: its decoder, and which of its pages still lack their bytes.
//
//   flat column     with an offset index a page is fetched only when a row of it is wanted; without one the whole chunk is
//                   fetched at the first row. Pages in the cache are handed over and not fetched at all
//   nested column   all chunks of its leaves are fetched at the first row

import Bedrock
import Columnar
import EventSchema
import ObjectStore
import ParquetFormat

final class LakeColumnSource {
  private enum Reader {
    case flat(ColumnChunkDecoder)
    /// Made when its bytes are there.
    case nested((any ParquetColumnReader)?)
  }
  let column: TableColumn
  private var reader: Reader
  private let footer: ParquetFile
  private let field: ParquetField
  private let shape: ParquetShape?
  private let rowGroup: Int
  private let chunks: [ParquetColumnChunk]
  private let index: ParquetOffsetIndex?
  private let rowCount: Int
  private let path: ObjectPath
  private let pages: BudgetedCache<FooterCache.PageKey, ParquetPage>
  /// Everything in front of the first data page, or the chunks when there is no index, was asked for.
  private var hasFront = false
  /// Pages before this one are fetched or passed.
  private var nextPage = 0
  private var pieces: [ParquetPiece] = []
  /// Rows to be passed by a nested reader once there is one.
  private var owed = 0

  init(
    _ column: TableColumn, _ morsel: LakeMorsel, _ field: ParquetField, _ shape: ParquetShape?,
    _ index: ParquetOffsetIndex?, _ cache: FooterCache
  ) throws(Fault) {
    self.column = column
    self.field = field
    self.shape = shape
    footer = morsel.footer
    rowGroup = morsel.rowGroup
    chunks = field.leaves.map { morsel.group.columns[$0] }
    rowCount = morsel.group.rowCount
    path = morsel.file.path
    pages = cache.pages
    guard let leaf = LakeScan.flatLeaf(morsel.footer, field) else {
      self.index = nil
      reader = .nested(nil)
      return
    }
    self.index = index
    // Without an index pages are not known before their bytes are read: keeping them would save nothing.
    let keeper = index == nil || pages.bytesMax == 0 ? nil : LakePageKeeper(path: path, pages: pages)
    reader = .flat(
      try ColumnChunkDecoder(
        leaf: morsel.footer.leaves[leaf], chunk: chunks[0], as: column.type, pieces: [], index: index, keeper: keeper))
  }

  // MARK: Bytes

  /// Takes what the cache has of the pages with rows in `runs` (ascending, at or after those asked for before) and returns
  /// the ranges of the others, to be read and given.
  func missing(_ runs: some Collection<Range<Int>>) -> [Range<Int>] {
    guard let index else {
      defer { hasFront = true }
      return hasFront ? [] : chunks.map(\.byteRange)
    }
    var ranges: [Range<Int>] = []
    if !hasFront {
      hasFront = true
      let end = index.pages.first?.byteRange.lowerBound ?? chunks[0].byteRange.upperBound
      add(chunks[0].byteRange.lowerBound..<end, &ranges)
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
    if case .flat(let decoder) = reader, let page = pages.find(key), page.serves(column.type) {
      decoder.give(page, at: range.lowerBound)
    } else {
      ranges.append(range)
    }
  }

  /// Hands over those of the bytes read that belong to this column.
  func give(_ read: [ParquetPiece]) {
    for piece in read where chunks.contains(where: { piece.range.overlaps($0.byteRange) }) {
      if case .flat(let decoder) = reader { decoder.give(piece) } else { pieces.append(piece) }
    }
  }

  // MARK: Rows

  private func nested() throws(Fault) -> any ParquetColumnReader {
    if case .nested(let made?) = reader { return made }
    let sources = chunks.map { chunk in
      ParquetChunkSource(pieces: pieces.filter { $0.range.overlaps(chunk.byteRange) }, index: nil)
    }
    let made = try footer.columnReader(field, rowGroup: rowGroup, as: column.type, shape: shape, sources: sources)
    reader = .nested(made)
    pieces = []
    return made
  }

  func skip(_ rows: Int) throws(Fault) {
    if case .flat(let decoder) = reader { try decoder.skip(rows: rows) } else { owed += rows }
  }

  /// The rows that `picks` names (`nil`: all) among the next `rows`.
  func decode(_ rows: Int, _ picks: PickedRows?) throws(Fault) -> Column {
    switch reader {
    case .flat(let decoder):
      guard decoder.rowsRemaining >= rows else { throw short() }
      if let picks { return try decoder.decode(rows: rows, picks: picks) }
      return try decoder.decode(rows: rows)
    case .nested:
      let reader = try nested()
      if owed > 0 { try reader.skip(rows: owed) }
      owed = 0
      let column = try reader.decode(rows: rows)
      guard column.count == rows else { throw short() }
      return picks.map { column.gather($0.rows) } ?? column
    }
  }

  /// As `ColumnChunkDecoder.filter`.
  func filter(
    _ rows: Int, _ picks: PickedRows?, _ filter: ColumnFilter, keepingValues: Bool
  ) throws(Fault) -> (picks: PickedRows, values: Column?) {
    if case .flat(let decoder) = reader {
      guard decoder.rowsRemaining >= rows else { throw short() }
      return try decoder.filter(rows: rows, among: picks, by: filter, keepingValues: keepingValues)
    }
    let window = try decode(rows, picks)
    let places = filter.pick(window)
    return (picks.map { $0.picking(places) } ?? places, keepingValues ? window.gather(places.rows) : nil)
  }

  private func short() -> Fault { Fault.corrupt("column \"\(column.name)\" has fewer rows than its row group") }

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
