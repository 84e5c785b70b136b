// Which rows of a row group can pass a condition, from the page index of its column.
//
// A page index gives bounds for each page of a column. Pages of different columns end at different rows, so the result
// is runs of rows: the runs that no condition excludes.

import Bedrock
import Columnar
import EventSchema
import ParquetFormat

enum RowSelection {
  /// Rows of the pages of one column that cannot pass, page by page.
  static func excluded(
    _ morsel: LakeMorsel, leaf: ParquetLeaf, _ condition: LakeCondition, _ offsets: ParquetOffsetIndex,
    _ index: ParquetColumnIndex
  ) throws(Fault) -> [Range<Int>] {
    guard index.pages.count == offsets.pages.count else {
      throw Fault.corrupt("lake file \"\(morsel.file.path)\" has a column index that does not fit its offset index")
    }
    var excluded: [Range<Int>] = []
    for page in index.pages.indices {
      let rows = pageRows(page, offsets, rowCount: morsel.group.rowCount)
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

  static func pageRows(_ page: Int, _ index: ParquetOffsetIndex, rowCount: Int) -> Range<Int> {
    let end = page + 1 < index.pages.count ? index.pages[page + 1].firstRow : rowCount
    return index.pages[page].firstRow..<end
  }

  static func subtract(_ hole: Range<Int>, from runs: [Range<Int>]) -> [Range<Int>] {
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
}
