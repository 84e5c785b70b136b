// A scan of one table's hot chunks behind a position: pruned by header, cut into morsels of neighbouring chunks.

package import Bedrock
import Columnar
package import EventSchema
package import StorageContract

package final class HotScan: TableScan {
  /// Rows of one morsel, more or less.
  private static let morselRows = 65_536

  private let view: HotView
  private let columns: [TableColumn]
  private let position: TableColumn?
  private let after: Int64
  private let morsels: [[HotChunk]]
  package let tiers: [TierScanSummary]

  /// - Parameters:
  ///   - columns: all columns of the table, in the order that `request` counts them.
  ///   - position: index of the position column, when rows may have to be left out by it.
  ///   - after: only rows with a larger position are there.
  package init(view: HotView, columns: [TableColumn], request: ScanRequest, position: Int?, after: Int64) {
    self.view = view
    self.columns = request.columns.map { columns[$0] }
    self.position = position.map { columns[$0] }
    self.after = after
    let chunks = view.table(request.table).chunks
    var morsels: [[HotChunk]] = []
    var current: [HotChunk] = []
    var currentRows = 0
    var total = 0
    var read = 0
    var rows: Int64 = 0
    var bytes: Int64 = 0
    for chunk in chunks {
      if position != nil && chunk.header.positions.upperBound <= after { continue }
      total += 1
      if ChunkPruning.excludes(chunk.header, request.predicates, columns: columns) { continue }
      read += 1
      rows += Int64(chunk.rowCount)
      for column in self.columns { bytes += Int64(chunk.header.column(fieldID: column.fieldID)?.length ?? 0) }
      if currentRows > 0 && currentRows + chunk.rowCount > Self.morselRows {
        morsels.append(current)
        current = []
        currentRows = 0
      }
      current.append(chunk)
      currentRows += chunk.rowCount
    }
    if !current.isEmpty { morsels.append(current) }
    self.morsels = morsels
    tiers = [
      TierScanSummary(tier: "hot", units: [(label: "chunks", total: total, read: read)], rows: rows, bytes: bytes)
    ]
  }

  package var morselCount: Int { morsels.count }

  package func open(morsel: Int) throws(Fault) -> any ChunkReader {
    precondition(morsels.indices.contains(morsel))
    return HotReader(view: view, chunks: morsels[morsel], columns: columns, position: position, after: after)
  }
}

/// Reads the chunks of one morsel.
private final class HotReader: ChunkReader {
  private let view: HotView
  private let chunks: [HotChunk]
  private let columns: [TableColumn]
  private let position: TableColumn?
  private let after: Int64
  private var nextChunk = 0
  /// The rest of a chunk that has more rows than may be returned at once.
  private var rest: (chunk: Chunk, row: Int)?

  init(view: HotView, chunks: [HotChunk], columns: [TableColumn], position: TableColumn?, after: Int64) {
    self.view = view
    self.chunks = chunks
    self.columns = columns
    self.position = position
    self.after = after
  }

  func next() throws(Fault) -> Chunk? {
    while true {
      if let (chunk, row) = rest {
        let end = min(row + Limits.chunkRowsMax, chunk.rowCount)
        rest = end < chunk.rowCount ? (chunk, end) : nil
        if row == 0 && end == chunk.rowCount { return chunk }
        return Chunk(columns: chunk.columns.map { $0.slice(row..<end) }, rowCount: end - row)
      }
      guard nextChunk < chunks.count else { return nil }
      let stored = chunks[nextChunk]
      nextChunk += 1
      let chunk = try read(stored)
      if chunk.rowCount > 0 { rest = (chunk, 0) }
    }
  }

  private func read(_ stored: HotChunk) throws(Fault) -> Chunk {
    guard let position, stored.header.positions.lowerBound <= after else {
      return Chunk(columns: try stored.columns(columns, in: view), rowCount: stored.rowCount)
    }
    let all = try stored.columns(columns + [position], in: view)
    let flat = all[columns.count].flat()
    let positions = flat.int64s
    var selected = [Int32](repeating: 0, count: stored.rowCount)
    var count = 0
    for row in 0..<stored.rowCount {
      selected[count] = Int32(row)
      count += Int(unsafeBitCast(positions[row] > after, to: UInt8.self))
    }
    let indices = selected.span.extracting(0..<count)
    return Chunk(columns: all.dropLast().map { $0.gather(indices) }, rowCount: count)
  }
}
