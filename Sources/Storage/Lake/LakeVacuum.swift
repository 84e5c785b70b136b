// Deleting files that no version needs.
//
// Kept are: the files of the newest version, of every version whose files went in the last `retention`, and of named
// versions, deletion vectors included; the files of every version that somebody in this process is reading; files that
// the log has never named while they are young (a flush under way); and everything under a name that begins with `_` or `.`: the logs of Delta and of others.
//
// The log knows which files were removed, and when; of the rest the store knows when they were written. What neither
// knows stays. Folders looked at: the table's own, and those that a path in the log names.

package import Bedrock
import DeltaFormat
package import ObjectStore
import Runtime

/// What vacuum deleted, or would delete.
package struct LakeVacuumReport: Sendable, Equatable {
  package var deleted: [ObjectEntry]
  package var byteCount: Int64 { deleted.reduce(0) { $0 &+ $1.size } }
}

/// How far a vacuum has come.
package enum LakeVacuumStep: Sendable, Equatable {
  /// So many more files were looked at.
  case listed(files: Int)
  /// What is going to be deleted.
  case found(files: Int, bytes: Int64)
  /// One more file is gone.
  case deleted(bytes: Int64)
}

extension LakeTable {
  /// Deletes files that no version of the last `retentionMicros`, and no named version, needs. With `dryRun` it only says
  /// which. Throws, and deletes nothing, when a named version cannot be read. `step` is told what was done and may throw to
  /// stop: what was deleted by then is gone, the rest is left to the next vacuum.
  package func vacuum(
    retentionMicros: Int64, dryRun: Bool = false, step: (LakeVacuumStep) throws(Fault) -> Void = { _ in }
  ) throws(Fault) -> LakeVacuumReport {
    precondition(retentionMicros >= 0)
    try checkOwn()
    // What is on disk first, then the log: a file committed in between is in neither list of the unneeded.
    let now = lake.clock.nowMicros()
    let early = try refresh()
    guard early.version >= 0 else { return LakeVacuumReport(deleted: []) }
    let folders = Self.folders(early)
    var entries: [ObjectEntry] = []
    for folder in folders.sorted() {
      entries += try files(in: folder) { (count) throws(Fault) in try step(.listed(files: count)) }
    }
    let snapshot = try refresh()
    let horizon = now.subtractingReportingOverflow(retentionMicros).partialValue
    let needed = try needed(snapshot, horizon: horizon, now: now)
    var report = LakeVacuumReport(deleted: [])
    for entry in entries where isUnneeded(entry, needed, snapshot, horizon: horizon, now: now) {
      report.deleted.append(entry)
    }
    if dryRun { return report }
    try step(.found(files: report.deleted.count, bytes: report.byteCount))
    for entry in report.deleted {
      FaultPoint.pass("lake.vacuuming")
      try place.store.delete(entry.path)
      try step(.deleted(bytes: entry.size))
    }
    return report
  }

  private func isUnneeded(
    _ entry: ObjectEntry, _ needed: Set<String>, _ snapshot: LakeSnapshot, horizon: Int64, now: Int64
  ) -> Bool {
    let path = String(entry.path.text.dropFirst(folder.text.utf8.count + 1))
    let parts = path.split(separator: "/")
    if parts.contains(where: { $0.hasPrefix("_") || $0.hasPrefix(".") }) || needed.contains(path) { return false }
    if snapshot.delta.knows(path: path) { return true }
    // Never named, or long forgotten by the log.
    guard let modified = entry.modifiedMicros else { return false }
    return modified < min(horizon, now.subtractingReportingOverflow(lake.options.unnamedFileGraceMicros).partialValue)
  }

  /// Paths of files that must stay, relative to the table's folder.
  private func needed(_ snapshot: LakeSnapshot, horizon: Int64, now: Int64) throws(Fault) -> Set<String> {
    var paths: Set<String> = []
    func keep(_ path: String, _ vector: DeltaDeletionVector?) throws(Fault) {
      paths.insert(path)
      guard let vector else { return }
      switch try vector.place() {
      case .inline: break
      case .relative(let file): paths.insert(file)
      // Only the last part is known to be a name in this folder; what lies outside is not ours.
      case .absolute(let location): paths.insert(String(location.split(separator: "/").last ?? ""))
      }
    }
    for add in snapshot.delta.files.values { try keep(add.path, add.deletionVector) }
    for remove in snapshot.delta.removes(after: horizon / 1_000 - 1) { try keep(remove.path, remove.deletionVector) }
    for version in try snapshot.keptVersions(at: now) {
      let state = try self.snapshot(version: version)
      for add in state.delta.files.values { try keep(add.path, add.deletionVector) }
    }
    past.forgetSnapshots()
    for reader in read.all {
      for add in reader.delta.files.values { try keep(add.path, add.deletionVector) }
    }
    return paths
  }

  /// Folders below the table's that paths of the log name; the empty name is the table's own.
  private static func folders(_ snapshot: LakeSnapshot) -> Set<String> {
    var folders: Set<String> = [""]
    for path in snapshot.delta.files.values.map(\.path) + snapshot.delta.tombstones.values.map(\.path) {
      if let slash = path.lastIndex(of: "/") { folders.insert(String(path[..<slash])) }
    }
    return folders
  }

  private func files(in folder: String, _ listed: (Int) throws(Fault) -> Void) throws(Fault) -> [ObjectEntry] {
    let path = folder.isEmpty ? place.folder : try place.path(folder)
    var entries: [ObjectEntry] = []
    var after: String?
    while true {
      let page = try place.store.list(path, startAfter: after, limit: 10_000)
      entries += page
      try listed(page.count)
      guard page.count == 10_000, let last = page.last else { return entries }
      after = last.path.name
    }
  }
}
