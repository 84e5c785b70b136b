// Which rows of a row group can pass the conditions of a scan, from the page indexes of the files.
//
// A page index gives bounds for each page of a column. Pages of different columns end at different rows, so the result
// is runs of rows: the runs that no condition excludes. Two small reads for each condition that has an index.

import Bedrock
import Columnar
import EventSchema
import ObjectStore
import ParquetFormat
import StorageContract

enum RowSelection {
  /// Row groups smaller than this are read whole: their index costs as much as their pages.
  private static let rowsMin = 4 * Limits.chunkRowsMax

  /// Runs of rows in ascending order, none empty; nil when all rows are selected.
  static func runs(
    _ morsel: LakeMorsel, _ conditions: [LakeScan.Condition], store: any ObjectStore
  ) throws(Fault) -> [Range<Int>]? {
    let group = morsel.footer.rowGroups[morsel.rowGroup]
    guard group.rowCount >= rowsMin else { return nil }
    var runs = [0..<group.rowCount]
    for condition in conditions {
      guard let index = LakeScan.leafIndex(morsel.footer, condition.column) else { continue }
      let holes = try excludedRuns(
        morsel, leaf: morsel.footer.leaves[index], chunk: group.columns[index], condition, rowCount: group.rowCount,
        store: store)
      for hole in holes { runs = subtract(hole, from: runs) }
    }
    return runs == [0..<group.rowCount] ? nil : runs
  }

  private static func excludedRuns(
    _ morsel: LakeMorsel, leaf: ParquetLeaf, chunk: ParquetColumnChunk, _ condition: LakeScan.Condition, rowCount: Int,
    store: any ObjectStore
  ) throws(Fault) -> [Range<Int>] {
    guard let columnRange = chunk.columnIndexRange, let offsets = try offsetIndex(morsel.file, chunk, store) else {
      return []
    }
    let bytes = try LakeScan.read(morsel.file, columnRange, store)
    let index = try ParquetColumnIndex.parse(bytes.bytes)
    guard index.pages.count == offsets.pages.count else {
      throw Fault.corrupt("lake file \"\(morsel.file.path)\" has a column index that does not fit its offset index")
    }
    var excluded: [Range<Int>] = []
    for page in index.pages.indices {
      let rows = pageRows(page, offsets, rowCount: rowCount)
      let count = Int64(rows.count)
      var bounds = ColumnBounds.absent(rowCount: count)
      if !index.pages[page].isAllNull {
        bounds = LakeScan.bounds(leaf, index.pages[page].statistics, as: condition.column.type)
      }
      if LakePruning.excludes(condition.test, bounds, rowCount: count, type: condition.column.type) {
        excluded.append(rows)
      }
    }
    return excluded
  }

  static func offsetIndex(
    _ file: LakeDataFile, _ chunk: ParquetColumnChunk, _ store: any ObjectStore
  ) throws(Fault) -> ParquetOffsetIndex? {
    guard let range = chunk.offsetIndexRange else { return nil }
    let bytes = try LakeScan.read(file, range, store)
    return try ParquetOffsetIndex.parse(bytes.bytes, chunk: chunk)
  }

  static func pageRows(_ page: Int, _ index: ParquetOffsetIndex, rowCount: Int) -> Range<Int> {
    let end = page + 1 < index.pages.count ? index.pages[page + 1].firstRow : rowCount
    return index.pages[page].firstRow..<end
  }

  private static func subtract(_ hole: Range<Int>, from runs: [Range<Int>]) -> [Range<Int>] {
    var rest: [Range<Int>] = []
    for run in runs {
      let overlap = run.clamped(to: hole)
      if overlap.isEmpty {
        rest.append(run)
        continue
      }
      if run.lowerBound < overlap.lowerBound { rest.append(run.lowerBound..<overlap.lowerBound) }
      if overlap.upperBound < run.upperBound { rest.append(overlap.upperBound..<run.upperBound) }
    }
    return rest
  }

  /// The parts of a column chunk that hold `runs`: what lies before the first data page (a dictionary), then each stretch
  /// of pages with selected rows.
  static func pieces(
    _ runs: [Range<Int>], _ chunk: ParquetColumnChunk, _ index: ParquetOffsetIndex, rowCount: Int
  ) -> [Range<Int>] {
    var pieces: [Range<Int>] = []
    func add(_ range: Range<Int>) {
      if range.isEmpty { return }
      if let last = pieces.last, last.upperBound == range.lowerBound {
        pieces[pieces.count - 1] = last.lowerBound..<range.upperBound
      } else {
        pieces.append(range)
      }
    }
    if let first = index.pages.first { add(chunk.byteRange.lowerBound..<first.byteRange.lowerBound) }
    var run = 0
    for page in index.pages.indices {
      let rows = pageRows(page, index, rowCount: rowCount)
      while run < runs.count && runs[run].upperBound <= rows.lowerBound { run += 1 }
      if run < runs.count && runs[run].overlaps(rows) { add(index.pages[page].byteRange) }
    }
    return pieces
  }
}
