// One Delta table: its log followed, its commits made.
//
//   <folder>/part-<uuid>.parquet              data files
//   <folder>/_delta_log/<version>.json        commits, made by put-if-absent only
//
// The newest state is cached and brought up to date by reading the log entries after it. Commits and refreshes of one
// table take turns; readers of `current` never wait for either.
//
// Invariants: a snapshot is immutable. `current` never goes back. A commit is made only while the log's `txn` is the
// expected one, read again after every lost race (never a blind append).

package import Bedrock
import Columnar
import DeltaFormat
package import EventSchema
import ObjectStore
import Runtime
import Synchronization

package final class LakeTable: Sendable {
  /// `domain.entity`.
  package let name: String
  let folder: ObjectPath
  let lake: Lake
  private let latest: Mutex<LakeSnapshot>
  /// Held while the log is read or appended to.
  private let turn = Mutex<Void>(())

  init(lake: Lake, folder: ObjectPath, name: String) {
    self.lake = lake
    self.folder = folder
    self.name = name
    latest = Mutex(LakeSnapshot(folder: folder, footers: lake.footers))
  }

  /// What the last refresh or commit saw; version -1 before the first. No I/O.
  package var current: LakeSnapshot { latest.withLock { $0 } }

  // MARK: Following the log

  /// The newest state of the table. Reads the log entries that came since the last call.
  package func refresh() throws(Fault) -> LakeSnapshot {
    try turn.withLock { (_) throws(Fault) in try follow() }
  }

  private func entry(_ version: Int64) throws(Fault) -> ObjectPath {
    try folder.appending("_delta_log/" + DeltaLogName.commit(version))
  }

  /// Called in turn only.
  private func follow() throws(Fault) -> LakeSnapshot {
    let before = current
    guard let first = try lake.store.get(entry(before.version + 1), bytesMax: Limits.deltaCommitBytesMax) else {
      // Version 0 may have come between the two looks.
      if before.version < 0, try isBorn() { return try follow() }
      return before
    }
    var delta = before.delta
    var decoder = DeltaCommitDecoder()
    var bytes: [UInt8]? = first
    while let file = bytes {
      let version = delta.version + 1
      do throws(Fault) {
        try delta.apply(version: version, decoder.decode(file))
      } catch { throw located(error, version) }
      bytes = try lake.store.get(entry(version + 1), bytesMax: Limits.deltaCommitBytesMax)
    }
    return try adopt(delta, after: before)
  }

  private func adopt(_ delta: DeltaSnapshot, after before: LakeSnapshot) throws(Fault) -> LakeSnapshot {
    precondition(delta.version > before.version, "a table's state never goes back")
    let next = try LakeSnapshot(delta, after: before)
    latest.withLock { $0 = next }
    return next
  }

  /// True when the log has version 0. Throws when it has other entries only: it begins with a checkpoint then, which
  /// this reader does not read yet.
  private func isBorn() throws(Fault) -> Bool {
    let log = try lake.store.list(folder.appending("_delta_log"), startAfter: nil, limit: 1)
    guard let first = log.first else { return false }
    if first.path.name == DeltaLogName.commit(0) { return true }
    throw Fault.unsupported(
      "the Delta log of lake table \(name), which begins with \"\(first.path.name)\" instead of version 0,")
  }

  private func located(_ fault: Fault, _ version: Int64) -> Fault {
    let place = "Version \(version) of the log of lake table \(name)."
    return Fault(
      fault.state, fault.message, kind: fault.kind, detail: fault.detail.map { "\($0) \(place)" } ?? place,
      hint: fault.hint)
  }

  // MARK: Committing

  /// Appends one commit to the log, on top of whatever others committed meanwhile. When it throws, the outcome is
  /// unknown: refresh and look at `transactionVersion`.
  package func commit(_ commit: LakeCommit) throws(Fault) -> LakeCommitOutcome {
    try turn.withLock { (_) throws(Fault) in try commitInTurn(commit) }
  }

  private func commitInTurn(_ commit: LakeCommit) throws(Fault) -> LakeCommitOutcome {
    for _ in 0..<lake.options.commitAttemptsMax {
      let base = try follow()
      let seen = base.transactionVersion(appID: commit.appID)
      guard seen == commit.expectedVersion else {
        try drop(commit.files, base)
        if seen == commit.version { return .alreadyCommitted(deltaVersion: base.version) }
        return .fenced(transactionVersion: seen)
      }
      let actions = try DeltaTransactionBuilder(table: name, clock: lake.clock).actions(commit, on: base)
      let version = base.version + 1
      // Proof before the write: our own reader takes what we are about to publish.
      var delta = base.delta
      try delta.apply(version: version, actions)
      let bytes = try DeltaCommitEncoder.encode(actions)
      FaultPoint.pass("lake.before_commit")
      guard try lake.store.putIfAbsent(entry(version), bytes) else { continue }
      FaultPoint.pass("lake.committed")
      _ = try adopt(delta, after: base)
      return .committed(deltaVersion: version)
    }
    throw Fault(
      .serializationFailure,
      "lake table \(name) was committed to by others \(lake.options.commitAttemptsMax) times in a row",
      hint: "Only one flusher should write a table.")
  }

  /// Removes the files of a commit that will not happen, but for those that the log names: then an earlier attempt with
  /// an unknown outcome came through, and they are the table's.
  private func drop(_ files: [LakeFile], _ base: LakeSnapshot) throws(Fault) {
    for file in files where !base.delta.knows(path: file.add.path) {
      try lake.store.delete(folder.appending(file.add.path))
    }
  }

  /// A writer for files of this table under `schema`.
  package func writer(schema: TableSchema) throws(Fault) -> LakeWriter {
    try LakeWriter(table: self, schema: schema)
  }
}
