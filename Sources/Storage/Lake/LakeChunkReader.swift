// Reads one morsel in windows of rows, all columns in step.
//
//   window of 8,192 rows ─► filter ─► filter ─► ... ─► the other columns, surviving rows only ─► chunk
//
// Filters run in the order of what they were seen to remove, on encoded data where the file has it. Where a filter leaves
// nothing the columns behind it only note that they owe a skip, so that pages without a surviving row are neither
// decompressed nor, when the page index tells them apart, fetched. Few survivors of several windows become one chunk.

import Bedrock
import Columnar
import DeltaFormat
import EventSchema
import ParquetFormat
import StorageContract

final class LakeChunkReader: ChunkReader {
  /// Survivors gathered into one chunk at least, unless the morsel ends.
  private static let chunkRowsMin = 2_048
  /// Windows after which the order of the filters is looked at again.
  private static let orderWindows = 16
  /// Below this part of surviving rows pages are fetched one window at a time, so many times a morsel.
  private static let sparsePassing = 1.0 / 512
  private static let sparseFetchesMax = 8

  private let work: LakeScanWork
  private let prepared: LakePreparedMorsel
  private var hasReceived = false
  /// Rows still to be read, in ascending runs; the first may have been begun.
  private var runs: ArraySlice<Range<Int>>
  /// Rows of the row group passed so far.
  private var row = 0
  /// Filtering sources in the order in which they are asked.
  private var order: [Int] = []
  private var windows = 0
  private var lateFetches = 0
  private var isLateDone = false
  private var gathered: [Chunk] = []
  private var gatheredRows = 0

  init(_ prepared: LakePreparedMorsel, _ work: LakeScanWork) {
    self.work = work
    self.prepared = prepared
    runs = prepared.runs[...]
    isLateDone = prepared.lateFrom == prepared.sources.count
  }

  func next() throws(Fault) -> Chunk? {
    do throws(Fault) {
      if !hasReceived {
        hasReceived = true
        try prepared.receive()
      }
      while let run = runs.first {
        let gap = max(0, run.lowerBound - row)
        let start = row + gap
        let rows = min(run.upperBound - start, Limits.chunkRowsMax)
        precondition(rows > 0, "a run has rows left")
        if gap > 0 { for source in prepared.sources { try source.skip(gap) } }
        let chunk = try read(start..<(start + rows))
        row = start + rows
        if row == run.upperBound { runs.removeFirst() }
        if let chunk, let full = gather(chunk) { return full }
      }
      return flush()
    } catch {
      let place = "Lake file \"\(prepared.morsel.file.path)\", row group \(prepared.morsel.rowGroup)."
      throw Fault(
        error.state, error.message, kind: error.kind, detail: error.detail.map { "\($0) \(place)" } ?? place)
    }
  }

  // MARK: Gathering survivors

  /// A chunk that is large enough, or nothing until there is one.
  private func gather(_ chunk: Chunk) -> Chunk? {
    if gathered.isEmpty && chunk.rowCount >= Self.chunkRowsMin { return chunk }
    if gatheredRows + chunk.rowCount > Limits.chunkRowsMax {
      let full = flush()
      gathered = [chunk]
      gatheredRows = chunk.rowCount
      return full
    }
    gathered.append(chunk)
    gatheredRows += chunk.rowCount
    return gatheredRows >= Self.chunkRowsMin ? flush() : nil
  }

  private func flush() -> Chunk? {
    if gathered.isEmpty { return nil }
    let chunk = Chunk.concatenate(gathered)
    gathered = []
    gatheredRows = 0
    return chunk
  }

  // MARK: One window

  /// The surviving rows of a window, `nil` when there are none.
  private func read(_ window: Range<Int>) throws(Fault) -> Chunk? {
    let rows = window.count
    var columns = [Column?](repeating: nil, count: prepared.sources.count)
    let picks = try filter(window, &columns)
    let kept = picks?.count ?? rows
    if !prepared.filters.isEmpty { work.note(seen: rows, kept: kept) }
    let rest = prepared.sources.indices.dropFirst(prepared.filters.count)
    if kept == 0 {
      for index in rest { try prepared.sources[index].skip(rows) }
      return nil
    }
    if !isLateDone { try fetchLate(window, picks) }
    for index in rest {
      columns[index] = try prepared.sources[index].decode(rows, picks)
    }
    var out: [Column] = []
    out.reserveCapacity(prepared.outputs.count)
    for (output, column) in zip(prepared.outputs, work.columns) {
      guard let output, let decoded = columns[output] else {
        out.append(.nulls(column.type, count: kept))
        continue
      }
      guard decoded.count == kept else {
        throw Fault.corrupt("column \"\(column.name)\" has fewer rows than its row group")
      }
      out.append(decoded)
    }
    return Chunk(columns: out, rowCount: kept)
  }

  /// The rows of a window that pass all filters (`nil`: all of them), and the values of filtering columns that are asked
  /// for, of these rows.
  private func filter(_ window: Range<Int>, _ columns: inout [Column?]) throws(Fault) -> PickedRows? {
    var picks = survivors(window)
    if prepared.filters.isEmpty { return picks }
    if windows % Self.orderWindows == 0 {
      order = prepared.filters.indices.sorted { rank($0) < rank($1) }
    }
    windows += 1
    for index in order {
      let source = prepared.sources[index]
      if picks?.count == 0 {
        try source.skip(window.count)
        continue
      }
      let seen = picks?.count ?? window.count
      let conditions = prepared.filters[index]
      let isOutput = prepared.outputs.contains(index)
      guard let first = conditions[0].filter else { throw Fault.bug("a condition without a filter was planned") }
      var (left, values) = try source.filter(
        window.count, picks, first, keepingValues: isOutput || conditions.count > 1)
      for condition in conditions.dropFirst() where left.count > 0 {
        guard let filter = condition.filter, let window = values else { continue }
        let places = filter.pick(window)
        if places.count == left.count { continue }
        left = left.picking(places)
        values = window.gather(places.rows)
      }
      for condition in conditions { condition.note(seen: seen, kept: left.count) }
      if left.count < seen, left.count > 0 { try narrow(&columns, from: picks, to: left) }
      columns[index] = isOutput ? values : nil
      picks = left
    }
    if picks?.count == 0 { columns = columns.map { _ in nil } }
    return picks?.count == window.count ? nil : picks
  }

  /// The rows of a window that are not deleted; `nil`: all of them.
  private func survivors(_ window: Range<Int>) -> PickedRows? {
    let start = prepared.firstRow + window.lowerBound
    return prepared.deleted?.survivors(of: start..<(start + window.count)).map { PickedRows($0) }
  }

  /// Columns decoded by earlier filters lose the rows that a later one removed.
  private func narrow(_ columns: inout [Column?], from before: PickedRows?, to after: PickedRows) throws(Fault) {
    for index in columns.indices {
      guard let column = columns[index] else { continue }
      let places = before.map { after.places(in: $0) } ?? after
      columns[index] = column.gather(places.rows)
    }
  }

  private func rank(_ index: Int) -> Double { prepared.filters[index].map(\.rank).min() ?? 0 }

  // MARK: Late columns

  /// Fetches the columns that nobody filters by, now that rows of this window have survived.
  private func fetchLate(_ window: Range<Int>, _ picks: PickedRows?) throws(Fault) {
    let late = prepared.sources[prepared.lateFrom...]
    let isSparse = (work.passing ?? 1) < Self.sparsePassing && lateFetches < Self.sparseFetchesMax
    var wanted = [window]
    if isSparse, let picks, picks.count > 0 {
      let rows = picks.rows
      wanted = [(window.lowerBound + Int(rows[0]))..<(window.lowerBound + Int(rows[rows.count - 1]) + 1)]
    } else {
      wanted = runs.map { max($0.lowerBound, window.lowerBound)..<$0.upperBound }
    }
    isLateDone = !isSparse
    var ranges: [Range<Int>] = []
    for source in late { ranges += source.missing(wanted) }
    if ranges.isEmpty { return }
    lateFetches += 1
    let pieces = try work.cache.reads.read(prepared.morsel.file.path, ranges)
    for source in late { source.give(pieces) }
  }
}
