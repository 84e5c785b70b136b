// Hot to lake, one table at a time (RELIABILITY.md section 1.5).
//
//   1. the chunks of a contiguous prefix of positions (S, T] are written to files, synced     flush.files_written
//   2. the files are committed with txn = T, put-if-absent, synced                            flush.committed
//   3. readers get cuts with the new lake version; S = T is recorded                          flush.marked
//   4. chunks at or below T are deleted and D = T is recorded, in one synced write            flush.deleted
//      (with a hot retention: those that are old enough; the others go later, HotRetention.swift)
//
// A crash after 1 leaves files that no log names; after 2 or 3 the next open reads T from the lake's log and does the
// rest. A commit whose outcome is unknown is looked up by its txn, never repeated blindly.

package import Bedrock
import Columnar
import EventSchema
import HotTier
import Logging
import Runtime
package import StorageContract

extension StorageEngine {
  /// Flushes all that a table has in the hot tier now. `table` is `domain.entity`. One flush per table at a time; a
  /// second caller waits. Throws 42P01 for an unknown table, 40001 when another process has flushed it.
  package func flush(table name: String) throws(Fault) -> FlushReceipt {
    guard let cut = currentCut() else { throw Fault(.cannotConnectNow, "the storage engine is not open") }
    guard let table = cut.tables.values.first(where: { $0.entry.newest.name == name }) else {
      throw Fault(
        .undefinedTable, "there is no event table \"\(name.prefix(200))\"", hint: "Write its name as domain.entity.")
    }
    return try flush(table.entry.id)
  }

  func flush(_ id: TableID) throws(Fault) -> FlushReceipt {
    takeBusy(id)
    defer { releaseBusy(id) }
    guard let name = currentCut()?.tables[id]?.entry.newest.name else {
      throw Fault(.cannotConnectNow, "the storage engine is not open")
    }
    var receipt = FlushReceipt(table: name, rows: 0, files: 0, bytes: 0, deltaVersion: nil)
    let started = options.clock.nowMicros()
    do throws(Fault) {
      try finishEarlierFlush(id)
      guard let cut = currentCut() else { throw Fault(.cannotConnectNow, "the storage engine is not open") }
      if let target = cut.hot.table(id).chunks.map(\.header.positions.upperBound).max() {
        while try flushPrefix(id, target: target, receipt: &receipt) {}
      }
    } catch {
      observeFlush(FlushReport(receipt: receipt, startedMicros: started, fault: error))
      throw error
    }
    if receipt.deltaVersion != nil {
      observeFlush(FlushReport(receipt: receipt, startedMicros: started, fault: nil))
    }
    return receipt
  }

  /// Does what a flush that failed behind its commit has left to do, as opening would after a crash.
  private func finishEarlierFlush(_ id: TableID) throws(Fault) {
    guard let table = currentCut()?.tables[id], let owner = table.owner else { return }
    let now = try table.coldTable.refresh()
    let schema = table.entry.newest
    let (appID, written) = try withWriter(keepsState: true) { state in
      (state.appID(schema, owner: owner), state.marks[owner]?.position.raw ?? -1)
    }
    let found = now.transactionVersion(appID: appID) ?? -1
    guard found <= written else {
      throw Fault(
        .serializationFailure, "another process has flushed \(schema.name)", kind: .tryLater,
        detail: "The lake has position \(found), this one has written up to \(written).")
    }
    if found > table.coldPosition || found > table.mark.tiered { try markTiered(id, position: found) }
    if found > table.mark.deleted { try deleteTiered(id) }
  }

  func takeBusy(_ id: TableID) {
    _ = busyTables.wait { busy -> Bool? in busy.insert(id).inserted ? true : nil }
  }
  func releaseBusy(_ id: TableID) { _ = busyTables.change { $0.remove(id) } }

  /// One commit. False when nothing at or below `target` is left.
  private func flushPrefix(_ id: TableID, target: Int64, receipt: inout FlushReceipt) throws(Fault) -> Bool {
    guard let cut = currentCut(), let table = cut.tables[id], let owner = table.owner else { return false }
    let chunks = prefix(cut.hot.table(id).chunks, after: table.coldPosition, target: target)
    guard let end = chunks.map(\.header.positions.upperBound).max() else { return false }
    precondition(end > table.coldPosition)
    let schema = table.entry.newest
    let files = try write(chunks, schema: schema, to: table, view: cut.hot)
    try pass("flush.files_written")
    let appID = try withWriter(keepsState: true) { state in state.appID(schema, owner: owner) }
    let commit = ColdCommit(
      files: files, schema: schema, appID: appID, expectedVersion: table.coldPosition < 0 ? nil : table.coldPosition,
      version: end,
      tierMetadata: "{\"stream\":\"\(owner.name)\",\"tiered\":\(end),\"schemaVersion\":\(schema.version)}")
    let version = try commitOnce(commit, to: table)
    try pass("flush.committed")
    try markTiered(id, position: end)
    try pass("flush.marked")
    try deleteTiered(id)
    try pass("flush.deleted")
    receipt.rows += files.rowCount
    receipt.files += files.fileCount
    receipt.bytes += files.byteCount
    receipt.deltaVersion = version
    return end < target
  }

  /// The chunks from S on, in order of position, up to the row limit of one commit, ending where no later chunk begins
  /// at or before the end.
  private func prefix(_ chunks: [HotChunk], after: Int64, target: Int64) -> [HotChunk] {
    let waiting = chunks.filter {
      $0.header.positions.upperBound > after && $0.header.positions.upperBound <= target
    }
    var rows: Int64 = 0
    var end = Int64.min
    for (index, chunk) in waiting.enumerated() {
      if rows >= options.flush.commitRowsMax && chunk.header.positions.lowerBound > end {
        return Array(waiting[..<index])
      }
      rows += Int64(chunk.rowCount)
      end = max(end, chunk.header.positions.upperBound)
    }
    return waiting
  }

  private func write(
    _ chunks: [HotChunk], schema: TableSchema, to table: CutTable, view: HotView
  ) throws(Fault) -> ColdFiles {
    let writer = try table.coldTable.writer(schema: schema)
    do throws(Fault) {
      let kept = writer.columns.map { schema.columns[$0] }
      for chunk in chunks {
        let columns = try chunk.columns(kept, in: view)
        try writer.append(Chunk(columns: columns, rowCount: chunk.rowCount))
      }
      return try writer.finish()
    } catch {
      writer.abandon()
      throw error
    }
  }

  /// Commits, and when the outcome is unknown looks it up. Returns the Delta version.
  private func commitOnce(_ commit: ColdCommit, to table: CutTable) throws(Fault) -> Int64 {
    let outcome: ColdCommitOutcome
    do throws(Fault) { outcome = try table.coldTable.commit(commit) } catch {
      let now = try table.coldTable.refresh()
      guard now.transactionVersion(appID: commit.appID) == commit.version else { throw error }
      outcome = .alreadyCommitted(deltaVersion: now.version)
    }
    switch outcome {
    case .committed(let version), .alreadyCommitted(let version): return version
    case .fenced(let position):
      throw Fault(
        .serializationFailure, "another process has flushed \(table.entry.newest.name)", kind: .tryLater,
        detail: "The lake has position \(position ?? -1), expected was \(commit.expectedVersion ?? -1).")
    }
  }

  /// Gives readers the lake version that has the rows, and records S.
  private func markTiered(_ id: TableID, position: Int64) throws(Fault) {
    try withWriter(keepsState: true) { (state) throws(Fault) in
      guard var table = state.tables[id], let owner = table.owner else { throw .bug("a flushed table is gone") }
      // A reopening in between has done all of it.
      if table.mark.deleted >= position { return }
      table.cold = table.coldTable.current
      let found = table.cold.transactionVersion(appID: state.appID(table.entry.newest, owner: owner)) ?? -1
      guard found >= position else { throw .bug("the lake does not show what was committed to it") }
      table.coldPosition = found
      table.mark.tiered = position
      var change = HotWrite()
      change.records.append((key: RecordKey.tier(id), value: table.mark.bytes))
      state.tables[id] = table
      state.view = try state.hot.write(change)
    }
  }

  // MARK: Loop

  /// Flushes every table whose policy asks for it and merges small chunks. A table that fails is reported and tried
  /// again at the next round; the others go on.
  package func runDueWork() {
    guard let cut = currentCut() else { return }
    let now = options.clock.nowMicros()
    for table in cut.tables.values {
      let schema = table.entry.newest
      do throws(Fault) {
        if isDue(table, in: cut.hot, policy: options.flush.policy(domain: schema.domain), now: now) {
          let receipt = try flush(table.entry.id)
          options.log.info(
            "flushed",
            metadata: [
              "table": "\(receipt.table)", "rows": "\(receipt.rows)", "files": "\(receipt.files)",
              "bytes": "\(receipt.bytes)",
            ])
        } else {
          try mergeSmallChunks(table.entry.id)
        }
      } catch {
        options.log.error("flush failed", metadata: ["table": "\(schema.name)", "fault": "\(error)"])
      }
    }
    do throws(Fault) { try mergeSmallChunks(SystemTable.errors.id) } catch {
      options.log.error("merge failed", metadata: ["table": "cramped.errors", "fault": "\(error)"])
    }
  }

  private func isDue(_ table: CutTable, in view: HotView, policy: FlushPolicy, now: Int64) -> Bool {
    var rows: Int64 = 0
    var bytes: Int64 = 0
    var oldest = Int64.max
    for chunk in view.table(table.entry.id).chunks where chunk.header.positions.upperBound > table.coldPosition {
      rows += Int64(chunk.rowCount)
      bytes += Int64(chunk.header.byteCount)
      oldest = min(oldest, chunk.header.writtenMicros)
    }
    guard rows > 0 else { return false }
    return rows >= policy.rowsMax || bytes >= policy.bytesMax || now - oldest >= policy.ageMicrosMax
  }

  // MARK: Merge

  /// Joins runs of neighbouring small chunks, so that scans and the index have few large ones. Only Delete is used:
  /// readers' snapshots keep the old chunks.
  func mergeSmallChunks(_ id: TableID) throws(Fault) {
    guard let cut = currentCut() else { return }
    let small = cut.hot.table(id).chunks.filter { $0.rowCount < Limits.chunkRowsMax / 2 }
    if small.count < options.flush.smallChunksMax { return }
    guard let layout = id == SystemTable.errors.id ? ErrorTable.layout : cut.tables[id]?.entry.layouts.last else {
      return
    }
    takeBusy(id)
    defer { releaseBusy(id) }
    guard let cut = currentCut() else { return }
    let view = cut.hot
    var change = HotWrite()
    // What is in the lake already and what is not never end up in one chunk: the next flush takes whole chunks.
    let tiered = cut.tables[id]?.coldPosition ?? -1
    let chunks = view.table(id).chunks
    let runs =
      Self.mergeRuns(chunks.filter { $0.header.positions.upperBound <= tiered })
      + Self.mergeRuns(chunks.filter { $0.header.positions.upperBound > tiered })
    for run in runs {
      var parts = [[Column]](repeating: [], count: layout.columns.count)
      for chunk in run {
        for (index, column) in try chunk.columns(layout.columns, in: view).enumerated() { parts[index].append(column) }
      }
      let merged = Chunk(
        columns: parts.map { Column.concatenate($0) }, rowCount: run.reduce(0) { $0 + $1.rowCount })
      let written = run.map(\.header.writtenMicros).min() ?? options.clock.nowMicros()
      let encoded = try ChunkCodec.encode(merged, layout: layout, writtenMicros: written)
      change.chunks.append(HotWrite.NewChunk(table: id, chunk: encoded, decoded: merged))
      change.deletedChunks += run.map(\.key)
    }
    if change.chunks.isEmpty { return }
    let finished = change
    try withWriter(keepsState: true) { (state) throws(Fault) in
      // No flush and no other merge can have touched the table's chunks meanwhile: it is marked busy.
      state.view = try state.hot.write(finished)
    }
  }

  /// Runs of two or more neighbours with at most Limits.chunkRowsMax rows together.
  static func mergeRuns(_ chunks: [HotChunk]) -> [[HotChunk]] {
    var runs: [[HotChunk]] = []
    var current: [HotChunk] = []
    var rows = 0
    for chunk in chunks {
      if rows + chunk.rowCount > Limits.chunkRowsMax {
        if current.count > 1 { runs.append(current) }
        current = []
        rows = 0
      }
      current.append(chunk)
      rows += chunk.rowCount
    }
    // The last run is still growing; it is merged once it is full, or when it has many parts.
    if current.count > 16 { runs.append(current) }
    return runs
  }
}
