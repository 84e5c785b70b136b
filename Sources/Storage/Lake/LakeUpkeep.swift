// What keeps a log short: checkpoints, compacted logs, and taking old entries away.
//
//   versions   0 ... 19   20   21 ... 37        40        41 42
//   files      json       json json             json      json json
//                         checkpoint (the cut)  checkpoint
//              └ cleaned ┘└ kept: everything a version from the cut on needs ...
//
// Invariant of cleaning: before anything is deleted there is a checkpoint at or before the oldest version to be kept, it
// was read and found whole, and `_last_checkpoint` points to none that goes. Entries go in the order of their versions, so
// that what a crash leaves is a log without a gap.

package import Bedrock
import DeltaFormat
import ObjectStore
import Runtime

/// What cleaning the log did, or would do.
package struct LakeLogCleanup: Sendable, Equatable {
  /// Names of the files that went, in the order of their versions.
  package var deleted: [String]
  /// The oldest version that is left.
  package var oldestVersion: Int64
}

extension LakeTable {
  /// Tombstones are kept in checkpoints this long unless the table says otherwise.
  private static let tombstoneDays: Int64 = 7

  /// Writes a checkpoint of the newest version unless it has one; returns the version, nil when there is no table yet.
  @discardableResult
  package func checkpoint() throws(Fault) -> Int64? {
    try checkOwn()
    let snapshot = try refresh()
    guard snapshot.version >= 0 else { return nil }
    try writeCheckpoint(snapshot.delta)
    return snapshot.version
  }

  /// Writes a checkpoint when `LakeOptions.checkpointCommits` commits came since the last; true when it did.
  package func checkpointIfDue() throws(Fault) -> Bool {
    try checkOwn()
    let snapshot = try refresh()
    guard snapshot.version >= 0 else { return false }
    let last = try log.lastCheckpoint()?.version ?? -1
    guard snapshot.version - last >= lake.options.checkpointCommits else { return false }
    try writeCheckpoint(snapshot.delta)
    return true
  }

  private func writeCheckpoint(_ delta: DeltaSnapshot) throws(Fault) {
    if let version = delta.protocolVersion, let metadata = delta.metadata {
      try DeltaFeatures.checkWritable(version, metadata, metadata.schema())
    }
    let retention = DeltaInterval.micros(delta.metadata?.configuration["delta.deletedFileRetentionDuration"])
      ?? Self.tombstoneDays * 86_400_000_000
    let after = lake.clock.nowMicros().subtractingReportingOverflow(retention).partialValue / 1_000
    try LakeCheckpoints(log: log).write(delta, tombstonesAfter: after)
  }

  /// Puts the commits since the last checkpoint into one compacted log, if there are at least `commitsMin`; returns the
  /// versions, nil when there are too few.
  package func compactLog(commitsMin: Int = 2) throws(Fault) -> ClosedRange<Int64>? {
    precondition(commitsMin >= 2)
    try checkOwn()
    let snapshot = try refresh()
    let listing = DeltaLogListing(names: try log.list().map(\.path.name))
    let first = (listing.checkpoints.first { $0.version <= snapshot.version }?.version ?? -1) + 1
    guard snapshot.version - first + 1 >= Int64(commitsMin) else { return nil }
    var compactor = DeltaLogCompactor()
    for version in first...snapshot.version {
      guard let actions = try log.commit(version) else { return nil }
      compactor.append(actions)
    }
    let path = try log.path(DeltaLogName.compacted(first, snapshot.version))
    _ = try place.store.putIfAbsent(path, compactor.encode())
    return first...snapshot.version
  }

  /// Deletes log entries that no version of the last `retentionMicros`, and no named version, needs. With `dryRun` it only
  /// says which. Versions older than the cut cannot be read any more.
  package func cleanLog(retentionMicros: Int64, dryRun: Bool = false) throws(Fault) -> LakeLogCleanup {
    precondition(retentionMicros >= 0)
    try checkOwn()
    let snapshot = try refresh()
    let times = try LakeVersionTimes(self)
    let oldest = times.versions.first ?? 0
    let nothing = LakeLogCleanup(deleted: [], oldestVersion: oldest)
    let now = lake.clock.nowMicros()
    guard snapshot.version >= 0,
      var cut = try times.newest(notAfter: now.subtractingReportingOverflow(retentionMicros).partialValue)
    else { return nothing }
    if let named = try snapshot.keptVersions(at: now).min() { cut = min(cut, named) }
    guard cut > oldest else { return nothing }
    guard let checkpoint = try wholeCheckpoint(notAfter: cut, after: oldest, dryRun: dryRun) else { return nothing }
    let entries = try log.list()
    var names: [String] = []
    for entry in entries {
      guard let file = DeltaLogFile(name: entry.path.name) else { continue }
      if case .compacted(let first, _) = file {
        if first <= checkpoint { names.append(entry.path.name) }
      } else if file.version < checkpoint {
        names.append(entry.path.name)
      }
    }
    if dryRun || names.isEmpty { return LakeLogCleanup(deleted: names, oldestVersion: checkpoint) }
    try moveHint(to: checkpoint)
    for name in names {
      FaultPoint.pass("lake.log_cleaning")
      try place.store.delete(log.path(name))
    }
    return LakeLogCleanup(deleted: names, oldestVersion: checkpoint)
  }

  /// The version of a checkpoint in `(after, notAfter]` that was read and is whole; written if there is none.
  private func wholeCheckpoint(notAfter cut: Int64, after oldest: Int64, dryRun: Bool) throws(Fault) -> Int64? {
    let listing = DeltaLogListing(names: try log.list().map(\.path.name))
    for files in listing.checkpoints where files.version <= cut && files.version > oldest {
      do throws(Fault) {
        if try LakeCheckpoints(log: log).read(files) != nil { return files.version }
      } catch {
        guard LakeCheckpoints.isBroken(error) else { throw error }
      }
    }
    if dryRun { return cut }
    // A named version holds the cut back: a checkpoint there lets everything before it go.
    try writeCheckpoint(snapshot(version: cut).delta)
    return cut
  }

  /// Other engines may trust the hint: it must name a checkpoint that stays.
  private func moveHint(to version: Int64) throws(Fault) {
    if let hint = try log.lastCheckpoint(), hint.version >= version { return }
    let newest = DeltaLogListing(names: try log.list().map(\.path.name)).checkpoints.first?.version ?? version
    try writeCheckpoint(snapshot(version: newest).delta)
  }
}

extension LakeSnapshot {
  /// Versions with a name that has not run out at `micros` (since 1970).
  func keptVersions(at micros: Int64) throws(Fault) -> [Int64] {
    try namedVersions(at: micros).map(\.version)
  }
}
