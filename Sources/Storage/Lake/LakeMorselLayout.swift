// Which rows and pages of a morsel are wanted, before any data are read.

import Bedrock
import EventSchema
import ParquetFormat

struct LakeMorselLayout {
  /// Rows of the row group that can pass, in ascending runs, none empty.
  var runs: [Range<Int>]
  /// Offset indexes by leaf, of the columns that are read.
  var offsets: [Int: ParquetOffsetIndex] = [:]

  /// Everything, unread.
  init(whole morsel: LakeMorsel) { runs = [morsel.rows] }

  init(_ morsel: LakeMorsel, _ work: LakeScanWork) throws(Fault) {
    runs = [morsel.rows]
    guard morsel.group.rowCount >= work.cache.options.pageIndexRowsMin else { return }
    var leaves: [Int] = []
    for column in work.conditions.map(\.column) + work.columns {
      guard let leaf = LakeScan.leafIndex(morsel.footer, column), !leaves.contains(leaf) else { continue }
      leaves.append(leaf)
    }
    let filtering = Set(work.conditions.compactMap { LakeScan.leafIndex(morsel.footer, $0.column) })
    let indexes = try work.cache.indexes(
      morsel.file.path, leaves.map { (morsel.group.columns[$0], filtering.contains($0)) })
    for (leaf, index) in zip(leaves, indexes) {
      offsets[leaf] = index.offsets
      guard let pages = index.offsets, let bounds = index.bounds else { continue }
      for condition in work.conditions where LakeScan.leafIndex(morsel.footer, condition.column) == leaf {
        let holes = try RowSelection.excluded(morsel, leaf: morsel.footer.leaves[leaf], condition, pages, bounds)
        for hole in holes { runs = RowSelection.subtract(hole, from: runs) }
      }
    }
  }
}
