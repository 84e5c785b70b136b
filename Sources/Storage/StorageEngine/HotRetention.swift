// What leaves the hot tier by age: chunks that are in the lake, and rows of cramped.errors.
//
// Nothing above S is ever touched: `deletablePosition` is at most S. D moves only in the write that deletes the chunks.

package import Bedrock
import Columnar
import EventSchema
import HotTier
import Runtime
package import StorageContract
import Synchronization

/// What a round of retention let go.
package struct TrimReceipt: Sendable, Equatable {
  package var chunks = 0
  package var rows: Int64 = 0
  package var bytes: Int64 = 0
  package init() {}
}

extension StorageEngine {
  /// D as far as the hot retention allows: S, or below the first chunk that is still too young.
  static func deletablePosition(_ table: CutTable, in view: HotView, _ options: Options) -> Int64 {
    let retention = options.retention.policy(domain: table.entry.newest.domain).hotMicros
    let tiered = table.coldPosition
    if retention == 0 { return tiered }
    let bound = options.clock.nowMicros() - retention
    var position = tiered
    for chunk in view.table(table.entry.id).chunks where chunk.header.writtenMicros > bound {
      position = min(position, chunk.header.positions.lowerBound - 1)
    }
    return max(position, table.mark.deleted)
  }

  /// Deletes the chunks that are in the lake and past the hot retention, and records D, in one synced write.
  @discardableResult
  func deleteTiered(_ id: TableID) throws(Fault) -> TrimReceipt {
    try withWriter(keepsState: true) { (state) throws(Fault) in
      guard var table = state.tables[id] else { throw .bug("a flushed table is gone") }
      let position = Self.deletablePosition(table, in: state.view, options)
      var receipt = TrimReceipt()
      if table.mark.deleted >= position { return receipt }
      precondition(table.mark.tiered >= position && table.coldPosition >= position, "D <= S")
      table.mark.deleted = position
      var change = HotWrite()
      for chunk in state.view.table(id).chunks where chunk.header.positions.upperBound <= position {
        change.deletedChunks.append(chunk.key)
        receipt.chunks += 1
        receipt.rows += Int64(chunk.rowCount)
        receipt.bytes += Int64(chunk.header.byteCount)
      }
      change.records.append((key: RecordKey.tier(id), value: table.mark.bytes))
      state.tables[id] = table
      state.view = try state.hot.write(change)
      return receipt
    }
  }

  /// Lets rows of a table that are in the lake leave the hot tier once they are past the hot retention.
  package func trimHot(table id: TableID) throws(Fault) -> TrimReceipt {
    takeBusy(id)
    defer { releaseBusy(id) }
    guard let table = currentCut()?.tables[id] else {
      throw Fault(.undefinedTable, "there is no event table with the id \(id.raw)")
    }
    // What a flush has committed but not recorded is the next flush's to finish.
    if table.mark.tiered < table.coldPosition { return TrimReceipt() }
    return try deleteTiered(id)
  }

  /// True when `trimHot` would find something.
  package func hasExpiredHot(table id: TableID) -> Bool {
    guard let cut = currentCut(), let table = cut.tables[id], table.mark.deleted < table.mark.tiered else { return false }
    let position = Self.deletablePosition(table, in: cut.hot, options)
    return position > table.mark.deleted
      && cut.hot.table(id).chunks.contains { $0.header.positions.upperBound <= position }
  }

  /// True when `trimErrors` may find something.
  package var hasExpiredErrors: Bool {
    let clocks = errorClocks
    guard let shortest = clocks.min(), let cut = currentCut() else { return false }
    let now = options.clock.nowMicros()
    if !options.retention.domains.isEmpty {
      // With several clocks an old row may be one that stays: no new look until more rows have grown old.
      let looked = errorsLookedMicros.load(ordering: .relaxed)
      guard now - looked >= min(shortest, 3_600_000_000) else { return false }
    }
    return cut.hot.table(SystemTable.errors.id).chunks.contains { $0.header.published.lowerBound < now - shortest }
  }

  /// The clocks of errors that end, each once.
  private var errorClocks: [Int64] {
    let settings = options.retention
    return Array(Set(([settings.usual] + settings.domains.values).map(\.errorsMicros).filter { $0 > 0 }))
  }

  /// Lets rows of cramped.errors go that are past the clock of their domain. Chunks are worked on one at a time, each
  /// with one write, so that a round may be cut off anywhere.
  package func trimErrors(step: (TrimReceipt) throws(Fault) -> Void) throws(Fault) -> TrimReceipt {
    var total = TrimReceipt()
    let id = SystemTable.errors.id
    guard let youngest = errorClocks.min() else { return total }
    takeBusy(id)
    defer { releaseBusy(id) }
    let now = options.clock.nowMicros()
    errorsLookedMicros.store(now, ordering: .relaxed)
    guard let cut = currentCut() else { throw Fault(.cannotConnectNow, "the storage engine is not open") }
    for chunk in cut.hot.table(id).chunks where chunk.header.published.lowerBound < now - youngest {
      let receipt = try trimErrorChunk(chunk, now: now, view: cut.hot)
      total.chunks += receipt.chunks
      total.rows += receipt.rows
      total.bytes += receipt.bytes
      try step(receipt)
    }
    return total
  }

  private func trimErrorChunk(_ chunk: HotChunk, now: Int64, view: HotView) throws(Fault) -> TrimReceipt {
    let columns = try chunk.columns(ErrorTable.columns, in: view)
    let domains = columns[ErrorTable.domain].flat()
    let received = columns[ErrorTable.received].flat()
    var kept: [Int32] = []
    for row in 0..<chunk.rowCount {
      // Error rows are few: one policy lookup each.
      let clock = options.retention.policy(domain: domains.scalar(at: row).text).errorsMicros
      let isExpired = clock > 0 && received.int64s[row] < now - clock
      if !isExpired { kept.append(Int32(row)) }
    }
    var receipt = TrimReceipt()
    if kept.count == chunk.rowCount { return receipt }
    receipt.rows = Int64(chunk.rowCount - kept.count)
    receipt.chunks = kept.isEmpty ? 1 : 0
    receipt.bytes = Int64(chunk.header.byteCount)
    var change = HotWrite()
    change.deletedChunks.append(chunk.key)
    if !kept.isEmpty {
      let rest = Chunk(columns: columns.map { $0.gather(kept.span) }, rowCount: kept.count)
      let encoded = try ChunkCodec.encode(rest, layout: ErrorTable.layout, writtenMicros: chunk.header.writtenMicros)
      receipt.bytes -= Int64(encoded.header.byteCount)
      change.chunks.append(HotWrite.NewChunk(table: SystemTable.errors.id, chunk: encoded, decoded: rest))
    }
    let finished = change
    try withWriter(keepsState: true) { (state) throws(Fault) in
      // No merge can have touched the chunk meanwhile: the table is marked busy.
      state.view = try state.hot.write(finished)
    }
    return receipt
  }
}
