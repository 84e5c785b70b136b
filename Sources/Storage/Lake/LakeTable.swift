// One Delta table: its log followed, its commits made.
//
//   <folder>/part-<uuid>.parquet                 data files
//   <folder>/_delta_log/<version>.json           commits, made by put-if-absent only
//   <folder>/_delta_log/<version>.checkpoint...  states, so that a reader need not replay all commits
//
// The newest state is cached and brought up to date by reading the log entries after it. Commits and refreshes of one
// table take turns; readers of `current` never wait for either.
//
// Invariants: a snapshot is immutable. `current` never goes back. A commit is made on the state it was checked against:
// after every lost race the new state is read and everything is checked again (never a blind append).

package import Bedrock
import Columnar
import DeltaFormat
package import EventSchema
import ObjectStore
import Runtime
import Synchronization

package final class LakeTable: Sendable {
  /// `domain.entity`, or the location of a foreign table.
  package let name: String
  let lake: Lake
  let place: LakePlace
  /// True for a table that Cramped only reads.
  package let isForeign: Bool
  private let latest: Mutex<LakeSnapshot>
  /// Held while the log is read or appended to.
  private let turn = Mutex<Void>(())
  /// When the log was last looked through for a gap, in nanoseconds of the monotonic clock.
  private let lastLook = Atomic<UInt64>(0)
  /// When `hasNewer` last looked at the store, in nanoseconds of the monotonic clock; 0: never.
  private let lastFollowed = Atomic<UInt64>(0)
  let past = LakePast()
  /// Versions that somebody in this process reads.
  let read = LiveSnapshots()

  var folder: ObjectPath { place.folder }
  var log: LakeLog { LakeLog(place: place) }
  var builder: DeltaTransactionBuilder { DeltaTransactionBuilder(table: name, clock: lake.clock) }

  init(lake: Lake, place: LakePlace, isForeign: Bool) {
    self.lake = lake
    self.place = place
    self.isForeign = isForeign
    name = place.name
    latest = Mutex(LakeSnapshot(place: place))
  }

  /// What the last refresh or commit saw; version -1 before the first. No I/O.
  package var current: LakeSnapshot { latest.withLock { $0 } }

  // MARK: Following the log

  /// The newest state of the table. Reads the log entries that came since the last call.
  package func refresh() throws(Fault) -> LakeSnapshot {
    try turn.withLock { (_) throws(Fault) in try follow() }
  }

  /// Whether the log goes on behind `version`: for readers that want to see what others commit. Costs one look at the
  /// store, and none within `LakeOptions.followNanos` of the last.
  package func hasNewer(than version: Int64) throws(Fault) -> Bool {
    if current.version > version { return true }
    let now = lake.clock.monotonicNanos()
    let last = lastFollowed.load(ordering: .relaxed)
    if last != 0 && now &- last < lake.options.followNanos { return false }
    lastFollowed.store(max(now, 1), ordering: .relaxed)
    return try place.store.size(log.path(DeltaLogName.commit(version + 1))) != nil
  }

  /// Called in turn only.
  private func follow() throws(Fault) -> LakeSnapshot {
    let before = current
    if before.version < 0 {
      guard let delta = try log.load() else { return before }
      return try adopt(delta, after: before)
    }
    var delta = before.delta
    while let actions = try log.commit(delta.version + 1) {
      let version = delta.version + 1
      do throws(Fault) {
        try delta.apply(version: version, actions)
      } catch { throw log.located(error, "Version \(version)") }
    }
    if delta.version > before.version { return try adopt(delta, after: before) }
    guard isTimeToLook(), try log.hasPassed(before.version), let newest = try log.load(), newest.version > before.version
    else { return before }
    return try adopt(newest, after: before)
  }

  /// Now and then a missing entry is looked at twice: others may have written a checkpoint behind it and cleaned the log.
  private func isTimeToLook() -> Bool {
    let now = lake.clock.monotonicNanos()
    let last = lastLook.load(ordering: .relaxed)
    guard now &- last >= lake.options.logLookNanos else { return false }
    lastLook.store(now, ordering: .relaxed)
    return true
  }

  private func adopt(_ delta: DeltaSnapshot, after before: LakeSnapshot) throws(Fault) -> LakeSnapshot {
    precondition(delta.version > before.version, "a table's state never goes back")
    let next = try LakeSnapshot(delta, after: before)
    read.add(next)
    latest.withLock { $0 = next }
    return next
  }

  // MARK: Committing

  /// Appends one commit to the log, on top of whatever others committed meanwhile. When it throws, the outcome is
  /// unknown: refresh and look at `transactionVersion`.
  package func commit(_ commit: LakeCommit) throws(Fault) -> LakeCommitOutcome {
    try checkOwn()
    var fence: LakeCommitOutcome?
    let version = try publish { (base) throws(Fault) in
      let seen = base.transactionVersion(appID: commit.appID)
      if seen == commit.expectedVersion { return try builder.actions(commit, on: base) }
      try drop(commit.files, base)
      fence = seen == commit.version ? .alreadyCommitted(deltaVersion: base.version) : .fenced(transactionVersion: seen)
      return nil
    }
    if let fence { return fence }
    return .committed(deltaVersion: version)
  }

  /// Replaces files in one commit, on top of what others appended meanwhile; returns the Delta version. Throws 40001 when
  /// what others committed does not allow it any more: nothing was changed then, and the added files are gone. After any
  /// other fault the outcome is unknown; the same replacement may be tried again.
  package func replace(_ replacement: LakeReplacement) throws(Fault) -> Int64 {
    try checkOwn()
    for file in replacement.removed {
      precondition(replacement.base.file(file.add.key) != nil, "files of the base are replaced")
    }
    return try publish { (base) throws(Fault) in
      if replacement.isDone(in: base) { return nil }
      do throws(Fault) { try replacement.checkConflicts(base, table: name) } catch {
        try drop(replacement.added, base)
        throw error
      }
      return try builder.actions(replacement, on: base)
    }
  }

  /// Commits domain metadata; `edit` gets the text there is and returns the new one, nil to remove it. Returns the
  /// version, which is the present one when nothing changed.
  func setDomain(
    _ domain: String, operation: String, _ edit: (LakeSnapshot) throws(Fault) -> String?
  ) throws(Fault) -> Int64 {
    try checkOwn()
    return try publish { (base) throws(Fault) in
      guard base.version >= 0 else {
        throw Fault(.undefinedObject, "lake table \(name) does not exist yet", hint: "It is made by its first flush.")
      }
      let text = try edit(base)
      if text == base.domainMetadata(domain) { return nil }
      return try builder.actions(operation, domains: [domain: text], on: base)
    }
  }

  /// Makes a commit of what `make` says on the newest state, as often as others are faster. Nil from `make` ends it with
  /// the version there is.
  func publish(_ make: (LakeSnapshot) throws(Fault) -> [DeltaAction]?) throws(Fault) -> Int64 {
    try turn.withLock { (_) throws(Fault) in
      for _ in 0..<lake.options.commitAttemptsMax {
        let base = try follow()
        guard let actions = try make(base) else { return base.version }
        let version = base.version + 1
        // Proof before the write: our own reader takes what we are about to publish.
        var delta = base.delta
        try delta.apply(version: version, actions)
        let bytes = try DeltaCommitEncoder.encode(actions)
        FaultPoint.pass("lake.before_commit")
        guard try place.store.putIfAbsent(log.path(DeltaLogName.commit(version)), bytes) else { continue }
        FaultPoint.pass("lake.committed")
        _ = try adopt(delta, after: base)
        return version
      }
      throw Fault(
        .serializationFailure,
        "lake table \(name) was committed to by others \(lake.options.commitAttemptsMax) times in a row",
        hint: "Too many writers commit to the table at once.")
    }
  }

  func checkOwn() throws(Fault) {
    if isForeign {
      throw Fault(.insufficientPrivilege, "Delta table \(name) is foreign: Cramped only reads it")
    }
  }

  /// Removes the files of a commit that will not happen, but for those that the log names: then an earlier attempt with
  /// an unknown outcome came through, and they are the table's.
  func drop(_ files: [LakeFile], _ base: LakeSnapshot) throws(Fault) {
    for file in files where !base.delta.knows(path: file.add.path) {
      try place.store.delete(place.path(file.add.path))
    }
  }

  /// A writer for files of this table under `schema`.
  package func writer(schema: TableSchema) throws(Fault) -> LakeWriter {
    try checkOwn()
    return try LakeWriter(table: self, schema: schema)
  }
}
