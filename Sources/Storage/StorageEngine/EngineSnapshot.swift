// A query's snapshot: a cut, scanned table by table.

import Bedrock
import Columnar
import EventSchema
import HotTier
import StorageContract

final class EngineSnapshot: StorageSnapshot {
  private let cut: EngineCut
  private let engine: StorageEngine

  /// Tables whose newest version in the lake cannot be read, and why.
  private let faults: [TableID: Fault]

  init(cut: EngineCut, engine: StorageEngine, faults: [TableID: Fault]) {
    self.cut = cut
    self.engine = engine
    self.faults = faults
  }

  func scan(_ request: ScanRequest) throws(Fault) -> any TableScan {
    if let system = SystemTable(rawValue: request.table.raw) {
      if system == .errors {
        return HotScan(view: cut.hot, columns: ErrorTable.columns, request: request, position: nil, after: -1)
      }
      return try MaterialisedScan(system.chunk(of: cut, engine: engine), request: request)
    }
    guard let table = cut.tables[request.table] else {
      // Made after this snapshot was taken: it has no rows here.
      guard let columns = engine.columns(of: request.table) else {
        throw Fault(.undefinedTable, "there is no table with the id \(request.table.raw)")
      }
      let none = Chunk(columns: columns.map { .nulls($0.type, count: 0) }, rowCount: 0)
      return try MaterialisedScan(none, request: request)
    }
    if let fault = faults[request.table] { throw fault }
    var columns = table.entry.newest.columns
    let asked = (request.columns + request.predicates.map(\.column)).max() ?? -1
    // Bound against a newer version than the cut's; columns are only ever added, so indices agree.
    if asked >= columns.count, let newer = engine.columns(of: request.table) { columns = newer }
    guard asked < columns.count && (request.columns.min() ?? 0) >= 0 else {
      throw .bug("a scan of \(table.entry.newest.name) asks for a column that is not there")
    }
    let hot = HotScan(
      view: cut.hot, columns: columns, request: request, position: SystemColumn.position, after: table.coldPosition)
    if table.cold.version < 0 { return hot }
    return UnionScan([try table.cold.scan(request, columns: columns), hot])
  }
}

/// The morsels of several scans, one after the other.
final class UnionScan: TableScan {
  private let parts: [any TableScan]
  let morselCount: Int

  init(_ parts: [any TableScan]) {
    self.parts = parts
    morselCount = parts.reduce(0) { $0 + $1.morselCount }
  }

  var tiers: [TierScanSummary] { parts.flatMap(\.tiers) }

  func open(morsel: Int) throws(Fault) -> any ChunkReader {
    var rest = morsel
    for part in parts {
      if rest < part.morselCount { return try part.open(morsel: rest) }
      rest -= part.morselCount
    }
    preconditionFailure("a morsel that the scan does not have")
  }
}

/// A scan over rows that were made for it.
final class MaterialisedScan: TableScan {
  private let chunk: Chunk
  let tiers: [TierScanSummary]

  /// - Parameter chunk: all columns of the table.
  init(_ chunk: Chunk, request: ScanRequest) throws(Fault) {
    guard request.columns.allSatisfy({ chunk.columns.indices.contains($0) }) else {
      throw .bug("a scan of a system table asks for a column that is not there")
    }
    self.chunk = Chunk(columns: request.columns.map { chunk.columns[$0] }, rowCount: chunk.rowCount)
    tiers = [
      TierScanSummary(
        tier: "system", units: [(label: "rows", total: chunk.rowCount, read: chunk.rowCount)],
        rows: Int64(chunk.rowCount), bytes: 0)
    ]
  }

  var morselCount: Int { chunk.rowCount == 0 ? 0 : 1 }

  func open(morsel: Int) throws(Fault) -> any ChunkReader { Reader(chunk) }

  private final class Reader: ChunkReader {
    private let chunk: Chunk
    private var row = 0
    init(_ chunk: Chunk) { self.chunk = chunk }
    func next() throws(Fault) -> Chunk? {
      if row >= chunk.rowCount { return nil }
      let range = row..<min(row + Limits.chunkRowsMax, chunk.rowCount)
      row = range.upperBound
      return Chunk(columns: chunk.columns.map { $0.slice(range) }, rowCount: range.count)
    }
  }
}
