// Files put into the order of clustering keys, in bounded memory and without a file to spill to.
//
//   first reading    all rows are gathered; if they fit into the budget they are sorted, and that is all
//                    else: a sample of the keys is taken and the bytes of all rows are counted
//   cuts             the sample's places in the order, cut into as many ranges of equally many rows as readings are needed
//   further readings each gathers the rows of one range, which are sorted and given out; range follows range in the order
//
//   order of keys   ├──── reading 2 ────┼──── reading 3 ────┼──── reading 4 ────┤
//
// Reading a file again costs less than writing its rows and reading those, and nothing has to be cleaned up after a crash.
//
// Invariant: every row is given out exactly once: a row's place depends on its values and the sample alone, and the ranges
// are disjoint and cover all places. A range with more rows than fit (many equal keys) is given out in several sorted
// runs: that costs order, not rows.

import Bedrock
import Columnar
import StorageContract

final class ClusteredMerge {
  private let clustering: LakeClustering
  /// Places of the keys among the columns; empty for the order by time.
  private let keys: [Int]
  private let published: Int
  private let columnCount: Int
  private let budgetBytes: Int
  private let threadCount: Int
  /// Scans of all files, made anew for each reading.
  private let open: () throws(Fault) -> [any TableScan]
  /// Rows that stay.
  private let keep: (Chunk) -> Chunk
  /// The most memory that was accounted for at once.
  private(set) var budgetBytesUsedMax = 0
  /// How often the files were read.
  private(set) var readings = 0

  init(
    _ clustering: LakeClustering, keys: [Int], published: Int, columnCount: Int, budgetBytes: Int, threadCount: Int,
    keep: @escaping (Chunk) -> Chunk, open: @escaping () throws(Fault) -> [any TableScan]
  ) {
    precondition(budgetBytes > 0 && columnCount > 0)
    self.clustering = clustering
    self.keys = keys
    self.published = published
    self.columnCount = columnCount
    self.budgetBytes = budgetBytes
    self.threadCount = threadCount
    self.keep = keep
    self.open = open
  }

  /// Gives out all rows in runs, each sorted. `step` is told of rows when they are read for the first time.
  /// Returns the number of rows read, those that do not stay included.
  func run(
    step: (_ rows: Int, _ isAgain: Bool) throws(Fault) -> Void, emit: (GatheredRows) throws(Fault) -> Void
  ) throws(Fault) -> Int64 {
    var all = gathering()
    var sample = ClusteringSample(keys: keys.isEmpty ? [published] : keys)
    var isOver = false
    var rowsRead: Int64 = 0
    try forEachChunk { (chunk) throws(Fault) in
      rowsRead += Int64(chunk.rowCount)
      let rows = keep(chunk)
      if rows.rowCount > 0 {
        sample.add(rows)
        if !isOver && !all.hasRoom(for: rows, budget: budgetBytes) {
          isOver = true
          all.dropRows()
        }
        if isOver {
          all.count(rows)
        } else {
          all.append(rows)
          note(all)
        }
      }
      try step(chunk.rowCount, false)
    }
    if !isOver {
      if !all.isEmpty { try emit(sorted(all)) }
      return rowsRead
    }
    // A quarter of the budget is left for what the sample does not foresee.
    let count = max(2, all.budgetBytes / max(1, budgetBytes / 4 * 3) + 1)
    let cuts = ClusteringCuts(sample, clustering.curve, count: count)
    for part in 0..<cuts.count {
      try emitPart(part, cuts, step: step, emit: emit)
    }
    return rowsRead
  }

  private func emitPart(
    _ part: Int, _ cuts: ClusteringCuts, step: (_ rows: Int, _ isAgain: Bool) throws(Fault) -> Void,
    emit: (GatheredRows) throws(Fault) -> Void
  ) throws(Fault) {
    var gathered = gathering()
    try forEachChunk { (chunk) throws(Fault) in
      let selected = cuts.rows(of: keep(chunk), in: part)
      if selected.rowCount > 0 {
        for rows in RowGathering.parts(of: selected, budget: budgetBytes, threadCount: threadCount) {
          if !gathered.isEmpty && !gathered.hasRoom(for: rows, budget: budgetBytes) {
            try emit(sorted(gathered))
            gathered.removeAll()
          }
          gathered.append(rows)
          note(gathered)
        }
      }
      try step(chunk.rowCount, true)
    }
    if !gathered.isEmpty { try emit(sorted(gathered)) }
  }

  private func gathering() -> RowGathering { RowGathering(columnCount: columnCount, threadCount: threadCount) }

  private func note(_ gathered: RowGathering) { budgetBytesUsedMax = max(budgetBytesUsedMax, gathered.budgetBytes) }

  private func forEachChunk(_ body: (Chunk) throws(Fault) -> Void) throws(Fault) {
    readings += 1
    for scan in try open() {
      for morsel in 0..<scan.morselCount {
        let reader = try scan.open(morsel: morsel)
        while let chunk = try reader.next() { try body(chunk) }
      }
    }
  }

  private func sorted(_ gathered: RowGathering) -> GatheredRows {
    let chunks = gathered.chunks
    let order = clustering.order(keys, published: published, rowCount: gathered.rowCount) { index in
      GatheredRows.joined(chunks.map { $0.columns[index] })
    }
    return GatheredRows(chunks, order: order)
  }
}

/// Some rows' keys, spread evenly over all rows: every n-th, where n doubles whenever there are too many.
struct ClusteringSample {
  static let rowsMax = 4_096
  let keys: [Int]
  private(set) var columns: [Column] = []
  private var step = 1
  /// Rows until the next one is taken.
  private var skip = 0

  init(keys: [Int]) {
    precondition(!keys.isEmpty)
    self.keys = keys
  }

  var rowCount: Int { columns.first?.count ?? 0 }

  mutating func add(_ chunk: Chunk) {
    var rows: [Int32] = []
    var row = skip
    while row < chunk.rowCount {
      rows.append(Int32(truncatingIfNeeded: row))
      row += step
    }
    skip = row - chunk.rowCount
    if rows.isEmpty { return }
    let taken = keys.map { chunk.columns[$0].gather(rows.span).flat() }
    columns = columns.isEmpty ? taken : zip(columns, taken).map { Column.concatenate([$0, $1]).flat() }
    while rowCount > Self.rowsMax {
      let even = stride(from: Int32(0), to: Int32(rowCount), by: 2).map { $0 }
      columns = columns.map { $0.gather(even.span).flat() }
      step *= 2
    }
  }
}

/// Ranges of places along the keys with about equally many rows each.
struct ClusteringCuts {
  private let sample: ClusteringSample
  private let curve: LakeClustering.Curve
  /// First places of the ranges but the first, rising.
  private let firsts: [Int64]
  var count: Int { firsts.count + 1 }

  init(_ sample: ClusteringSample, _ curve: LakeClustering.Curve, count: Int) {
    precondition(sample.rowCount > 0 && count > 0)
    self.sample = sample
    self.curve = curve
    let places = Self.places(sample, curve, []).sorted()
    var firsts: [Int64] = []
    for part in 1..<count {
      let first = places[part * places.count / count]
      if first > firsts.last ?? places[0] { firsts.append(first) }
    }
    self.firsts = firsts
  }

  /// The rows whose place is in range `part`, in their order.
  func rows(of chunk: Chunk, in part: Int) -> Chunk {
    if chunk.rowCount == 0 { return chunk }
    let places = Self.places(sample, curve, sample.keys.map { chunk.columns[$0] })
    let low = part == 0 ? Int64.min : firsts[part - 1]
    let high = part == firsts.count ? Int64.max : firsts[part] - 1
    var selected = [Int32](repeating: 0, count: chunk.rowCount)
    var count = 0
    for row in places.indices {
      selected[count] = Int32(truncatingIfNeeded: row)
      count += Int(unsafeBitCast(places[row] >= low && places[row] <= high, to: UInt8.self))
    }
    if count == chunk.rowCount { return chunk }
    return chunk.gather(selected.span.extracting(0..<count))
  }

  /// Places of rows among the sample's: of the sample itself when there are no others. A key counts by how many distinct
  /// values of the sample are not greater, so that equal rows have equal places whatever chunk they come in.
  private static func places(
    _ sample: ClusteringSample, _ curve: LakeClustering.Curve, _ columns: [Column]
  ) -> [Int64] {
    let known = sample.rowCount
    var axes: [ClusteringRanks] = []
    for (index, own) in sample.columns.enumerated() {
      let both = columns.isEmpty ? own : Column.concatenate([own, columns[index].flat()]).flat()
      axes.append(ClusteringRanks(both).among(firstRows: known))
    }
    var places = axes.count == 1 ? axes[0].ranks.map { Int64($0) } : ClusteringCurve.codes(axes, curve)
    if !columns.isEmpty { places.removeFirst(known) }
    return places
  }
}
