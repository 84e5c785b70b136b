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

  func checkpoint(_ table: LakeTable, isManual: Bool, _ control: JobControl) throws(Fault) -> String {
    let version = table.current.version
    control.expect(actions: table.current.checkpointActions)
    let step: LakeCheckpointStep = { (actions, bytes) throws(Fault) in
      control.note(actions: actions)
      try control.step(bytes: bytes)
    }
    let isWritten = try isManual ? table.checkpoint(step: step) != nil : table.checkpointIfDue(step: step)
    checkpoints.withLock { $0[table.name] = version }
    return isWritten ? "checkpoint at version \(version), \(control.progress.actions) actions" : "nothing to do"
  }

  func cleanUp(_ table: LakeTable, _ control: JobControl) throws(Fault) -> String {
    let cleanup = try table.cleanLog(retentionMicros: settings.logRetentionMicros) { (found, deleted) throws(Fault) in
      if found > 0 { control.expect(files: found) }
      control.note(files: deleted)
      try control.step()
    }
    if cleanup.deleted.isEmpty { return "nothing to do" }
    return "\(cleanup.deleted.count) log files removed, the oldest version is \(cleanup.oldestVersion)"
  }

  func vacuum(
    _ registered: RegisteredTable, _ table: LakeTable, _ arguments: JobArguments, _ control: JobControl
  ) throws(Fault) -> String {
    // New statements read the newest version before any file of an older one goes.
    try engine.adoptLake(table: registered.id)
    let retention = arguments.retentionMicros ?? settings.vacuumRetentionMicros
    let report = try table.vacuum(retentionMicros: retention, dryRun: arguments.isDryRun) { (done) throws(Fault) in
      switch done {
      case .listed(let files): control.note(filesListed: files)
      case .found(let files, let bytes): control.expect(bytes: bytes, files: files)
      case .deleted: control.note(files: 1)
      }
      // Deleting reads and writes nothing worth a budget of bytes; a step is where a job is stopped or slowed.
      try control.step()
      if case .deleted(let bytes) = done { control.freed(bytes: bytes) }
    }
    let bytes = report.deleted.reduce(Int64(0)) { $0 + $1.size }
    if report.deleted.isEmpty { return "nothing to do" }
    return "\(report.deleted.count) files of \(bytes) bytes \(arguments.isDryRun ? "would be removed" : "removed")"
  }
}
