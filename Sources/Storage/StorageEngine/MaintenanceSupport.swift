// What the engine offers to background jobs: durable records of their own, newer lake versions for readers, reports of
// flushes, a place for statistics.

package import Bedrock
import EventSchema
import HotTier
package import StorageContract
import Synchronization

/// Kinds of records that jobs keep; the raw value is the first byte of the key.
package enum MaintenanceRecord: UInt8, Sendable {
  case job = 0x4A  // 'J'
  case statistics = 0x41  // 'A'
}

/// A flush that has ended.
package struct FlushReport: Sendable {
  package let receipt: FlushReceipt
  package let startedMicros: Int64
  package let fault: Fault?
}

extension StorageEngine {
  /// All records of a kind, by number.
  package func records(_ kind: MaintenanceRecord) throws(Fault) -> [(number: UInt64, value: [UInt8])] {
    guard let cut = currentCut() else { throw Fault(.cannotConnectNow, "the storage engine is not open") }
    var found: [(number: UInt64, value: [UInt8])] = []
    try cut.hot.forEachRecord(prefix: [kind.rawValue]) { (key, value) throws(Fault) in
      found.append((try RecordKey.maintenanceNumber(of: key), value))
    }
    return found
  }

  /// Writes and removes records with one synced write.
  package func write(
    _ kind: MaintenanceRecord, _ records: [(number: UInt64, value: [UInt8])], removing numbers: [UInt64] = []
  ) throws(Fault) {
    var change = HotWrite()
    for (number, value) in records {
      change.records.append((key: RecordKey.maintenance(kind, number: number), value: value))
    }
    change.deletedRecords = numbers.map { RecordKey.maintenance(kind, number: $0) }
    if change.records.isEmpty && change.deletedRecords.isEmpty { return }
    let finished = change
    try withWriter(keepsState: true) { (state) throws(Fault) in state.view = try state.hot.write(finished) }
  }

  /// Gives new snapshots the newest version of a table in the lake: after a job, or somebody else, committed to it. The
  /// rows they see change only as far as that commit changed rows. Throws 40001 when the lake has positions that this
  /// process never wrote.
  package func adoptLake(table id: TableID) throws(Fault) {
    guard let table = currentCut()?.tables[id] else {
      throw Fault(.undefinedTable, "there is no event table with the id \(id.raw)")
    }
    _ = try table.coldTable.refresh()
    try withWriter(keepsState: true) { (state) throws(Fault) in
      guard var table = state.tables[id] else { throw .bug("a table is gone") }
      let cold = table.coldTable.current
      if cold.version <= table.cold.version { return }
      if let owner = table.owner {
        let found = cold.transactionVersion(appID: state.appID(table.entry.newest, owner: owner)) ?? -1
        guard found >= table.coldPosition, found <= state.marks[owner]?.position.raw ?? -1 else {
          throw Fault(
            .serializationFailure, "another process has flushed \(table.entry.newest.name)", kind: .tryLater,
            detail: "The lake has position \(found), this process had flushed up to \(table.coldPosition).")
        }
        table.coldPosition = found
      }
      table.cold = cold
      state.tables[id] = table
    }
  }

  /// Calls `observer` after every flush that did something or failed, on the flushing thread.
  package func observeFlushes(_ observer: @escaping @Sendable (FlushReport) -> Void) {
    flushObserver.withLock { $0 = observer }
  }

  func observeFlush(_ report: FlushReport) {
    let observer = flushObserver.withLock { $0 }
    observer?(report)
  }

  /// What `tables()` tells the planner about a table from now on; `nil`: nothing.
  package func setStatistics(_ found: TableStatistics?, table: TableID) { statistics.withLock { $0[table] = found } }
}
