// Upkeep of the Delta log and of the files behind it. Each deletes or adds single files in an order that a crash may cut
// off anywhere; the next run goes on.

import Bedrock
import Lake
import ObjectStore
import StorageContract
import StorageEngine
import Synchronization

extension LakeUpkeep {
  /// True when enough commits came since the last checkpoint that this process knows of. Needs no I/O; a first look after
  /// a start may find one that is there already.
  func isCheckpointDue(_ table: LakeTable) -> Bool {
    let version = table.current.version
    let last = checkpoints.withLock { $0[table.name] } ?? -1
    return version - last >= settings.checkpointCommits
  }

  func checkpoint(_ table: LakeTable, isManual: Bool) throws(Fault) -> String {
    let version = table.current.version
    let isWritten = try isManual ? table.checkpoint() != nil : table.checkpointIfDue()
    checkpoints.withLock { $0[table.name] = version }
    return isWritten ? "checkpoint at version \(version)" : "nothing to do"
  }

  func cleanUp(_ table: LakeTable) throws(Fault) -> String {
    let cleanup = try table.cleanLog(retentionMicros: settings.logRetentionMicros)
    if cleanup.deleted.isEmpty { return "nothing to do" }
    return "\(cleanup.deleted.count) log files removed, the oldest version is \(cleanup.oldestVersion)"
  }

  func vacuum(
    _ registered: RegisteredTable, _ table: LakeTable, _ arguments: JobArguments, _ control: JobControl
  ) throws(Fault) -> String {
    // New statements read the newest version before any file of an older one goes.
    try engine.adoptLake(table: registered.id)
    let retention = arguments.retentionMicros ?? settings.vacuumRetentionMicros
    let report = try table.vacuum(retentionMicros: retention, dryRun: arguments.isDryRun)
    let bytes = report.deleted.reduce(Int64(0)) { $0 + $1.size }
    if report.deleted.isEmpty { return "nothing to do" }
    return "\(report.deleted.count) files of \(bytes) bytes \(arguments.isDryRun ? "would be removed" : "removed")"
  }
}
