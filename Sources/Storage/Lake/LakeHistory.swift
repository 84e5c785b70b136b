// The versions of a table: what each did, when, and the table as it was.
//
// A version's time is the in-commit timestamp, which rises strictly. Tables without it (or from before it was switched on)
// have the time of the commit's file, which may go backwards: a version is then never older than the one before it.

package import Bedrock
import DeltaFormat
import ObjectStore
import Synchronization

/// One version, for `cramped.table_versions`.
package struct LakeVersion: Sendable, Equatable {
  package var version: Int64
  /// Microseconds since 1970; nil when nothing says.
  package var timestampMicros: Int64?
  package var operation: String?
  package var engine: String?
  package var filesAdded: Int
  package var filesRemoved: Int
  /// Of the added files; nil when one does not say.
  package var rowsAdded: Int64?
  package var bytesAdded: Int64
}

/// Old states and entries of the history, kept as long as they are few.
final class LakePast: Sendable {
  private static let snapshotsMax = 4
  private static let versionsMax = 10_000
  private let snapshots = Mutex<[LakeSnapshot]>([])
  private let versions = Mutex<[Int64: LakeVersion]>([:])

  func snapshot(_ version: Int64) -> LakeSnapshot? {
    snapshots.withLock { $0.first { $0.version == version } }
  }
  func keep(_ snapshot: LakeSnapshot) {
    snapshots.withLock { snapshots in
      snapshots.removeAll { $0.version == snapshot.version }
      snapshots.append(snapshot)
      if snapshots.count > Self.snapshotsMax { snapshots.removeFirst() }
    }
  }
  /// Lets the old states go, so that only those that somebody reads are alive.
  func forgetSnapshots() { snapshots.withLock { $0 = [] } }
  func version(_ version: Int64) -> LakeVersion? { versions.withLock { $0[version] } }
  func keep(_ version: LakeVersion) {
    versions.withLock { versions in
      if versions.count >= Self.versionsMax { versions.removeAll() }
      versions[version.version] = version
    }
  }
}

extension LakeTable {
  /// The table at `version`. Throws 42704 for one that was never there, 72000 for one whose log was cleaned up.
  package func snapshot(version: Int64) throws(Fault) -> LakeSnapshot {
    guard version >= 0 else { throw Fault(.invalidParameterValue, "versions of lake tables start at 0") }
    let now = current.version >= version ? current : try refresh()
    if now.version == version { return now }
    if let kept = past.snapshot(version) { return kept }
    guard let delta = try log.load(version) else {
      throw Fault(.undefinedObject, "lake table \(name) does not exist yet")
    }
    precondition(delta.version == version)
    let snapshot = try LakeSnapshot(delta, after: LakeSnapshot(place: place))
    past.keep(snapshot)
    read.add(snapshot)
    return snapshot
  }

  /// The table as it was at a time, in microseconds since 1970: the newest version that is not younger. Throws 72000 for
  /// a time before the oldest version that is left.
  package func snapshot(asOfMicros micros: Int64) throws(Fault) -> LakeSnapshot {
    _ = try refresh()
    let times = try LakeVersionTimes(self)
    guard let version = try times.newest(notAfter: micros) else {
      throw Fault(
        .snapshotTooOld, "lake table \(name) has no version as old as that", kind: .gone,
        hint: "Ask cramped.table_versions for the versions that are left.")
    }
    return try snapshot(version: version)
  }

  /// The newest versions, newest first, as far back as the log goes.
  package func history(limit: Int) throws(Fault) -> [LakeVersion] {
    precondition(limit > 0)
    _ = try refresh()
    var result: [LakeVersion] = []
    for entry in try log.list().reversed() {
      guard let version = DeltaLogName.version(ofCommit: entry.path.name) else { continue }
      if result.count == limit { break }
      if let known = past.version(version) {
        result.append(known)
        continue
      }
      guard let actions = try log.commit(version) else { continue }
      let described = describe(version, actions, fileMicros: entry.modifiedMicros)
      past.keep(described)
      result.append(described)
    }
    return result
  }

  private func describe(_ version: Int64, _ actions: [DeltaAction], fileMicros: Int64?) -> LakeVersion {
    var result = LakeVersion(
      version: version, timestampMicros: nil, operation: nil, engine: nil, filesAdded: 0, filesRemoved: 0, rowsAdded: 0,
      bytesAdded: 0)
    var millis: Int64?
    for action in actions {
      switch action {
      case .commitInfo(let info):
        result.operation = info.operation
        result.engine = info.engineInfo
        millis = info.inCommitTimestamp ?? info.timestamp
      case .add(let add):
        result.filesAdded += 1
        result.bytesAdded = result.bytesAdded &+ add.size
        let rows = add.stats.flatMap { DeltaStatistics.rowCount(json: $0) }
        result.rowsAdded = result.rowsAdded.flatMap { sum in rows.map { sum &+ $0 } }
      case .remove: result.filesRemoved += 1
      default: break
      }
    }
    result.timestampMicros = millis.map { $0.multipliedReportingOverflow(by: 1_000).partialValue } ?? fileMicros
    return result
  }
}

/// The times of a table's versions, read as far as a question needs.
struct LakeVersionTimes {
  private let log: LakeLog
  /// Versions with a commit file, ascending, with the time of the file, made to rise.
  private var commits: [(version: Int64, fileMicros: Int64)] = []
  /// The first version whose time stands in the commit; nil when none has one.
  private let firstTimed: Int64?

  init(_ table: LakeTable) throws(Fault) {
    log = table.log
    let delta = table.current.delta
    var last = Int64.min
    for entry in try log.list() {
      guard let version = DeltaLogName.version(ofCommit: entry.path.name) else { continue }
      last = max(last == .min ? last : last + 1, entry.modifiedMicros ?? .min)
      commits.append((version, last))
    }
    if DeltaFeatures.hasInCommitTimestamps(delta.protocolVersion, delta.metadata) {
      let enabled = delta.metadata?.configuration["delta.inCommitTimestampEnablementVersion"]
      firstTimed = enabled.flatMap { Int64($0) } ?? 0
    } else {
      firstTimed = nil
    }
  }

  var versions: [Int64] { commits.map(\.version) }

  /// The newest version that is not younger than `micros`; nil when all are.
  func newest(notAfter micros: Int64) throws(Fault) -> Int64? {
    let split = firstTimed.map { first in commits.firstIndex { $0.version >= first } ?? commits.count } ?? commits.count
    // Times rise with the versions, so a bisection reads few commits.
    var low = split, high = commits.count
    while low < high {
      let middle = (low + high) / 2
      if try time(middle) <= micros { low = middle + 1 } else { high = middle }
    }
    if low > split { return commits[low - 1].version }
    return commits[..<split].last { $0.fileMicros <= micros }?.version
  }

  private func time(_ index: Int) throws(Fault) -> Int64 {
    let (version, fileMicros) = commits[index]
    for case .commitInfo(let info) in try log.commit(version) ?? [] {
      if let millis = info.inCommitTimestamp { return millis.multipliedReportingOverflow(by: 1_000).partialValue }
    }
    return fileMicros
  }
}
