// The Iceberg side of one lake table: metadata files under `_iceberg/metadata/`, brought up to the Delta version.
//
// Delta is the truth; this is derived from it. One version after the other is projected by SnapshotStep and written
// before the next one:
//
//   manifests, manifest list ─► v<N>.metadata.json ─► version-hint.text
//
// Invariants: a file is written before another names it. Files of one version have the same names and bytes each time, so
// a crash at any point, or two servers at once, do no harm: the next call writes the same again. What cannot be gone on
// from (broken, of another table, at another place) is made anew from the log.

package import Bedrock
import DeltaFormat
package import IcebergFormat
import Lake
import ObjectStore
import Runtime
import Synchronization

/// A table as a catalog shows it.
package struct IcebergVersion: Sendable {
  /// The Delta version it was made from.
  package let version: Int64
  package let metadata: IcebergTableMetadata
  /// Full location of the metadata file.
  package let metadataLocation: String
}

package final class IcebergTable: Sendable {
  private static let listEntriesMax = 10_000
  private static let hintBytesMax = 64
  /// Versions between two clean-ups of the folder.
  private static let cleanInterval: Int64 = 16

  private let table: LakeTable
  private let store: any ObjectStore
  private let folder: ObjectPath
  private let location: String
  private let options: IcebergOptions
  private let latest = Mutex<ProjectedTable?>(nil)
  /// Held while the projection moves.
  private let turn = Mutex<Void>(())

  init(table: LakeTable, store: any ObjectStore, folder: ObjectPath, options: IcebergOptions) {
    self.table = table
    self.store = store
    self.folder = folder
    self.options = options
    location = "\(options.storeLocation)/\(folder.text)"
  }

  /// The Delta version that the last `follow` projected; nil before the first. No I/O.
  package var version: Int64? { latest.withLock { $0?.version } }

  /// True when the lake has seen a version that is not projected yet. No I/O.
  package var isBehind: Bool { table.current.version > version ?? -1 }

  /// Brings the metadata up to the newest Delta version and gives it; nil when there is no such table.
  package func follow() throws(Fault) -> IcebergVersion? {
    try turn.withLock { (_) throws(Fault) in
      let snapshot = try table.refresh()
      if snapshot.version < 0 { return nil }
      return shown(try catchUp(snapshot))
    }
  }

  private func shown(_ table: ProjectedTable) -> IcebergVersion {
    IcebergVersion(
      version: table.version, metadata: table.metadata,
      metadataLocation: "\(location)/\(StableNames.folder)/\(StableNames.metadata(table.version))")
  }

  private func path(_ name: String) throws(Fault) -> ObjectPath { try folder.appending("\(StableNames.folder)/\(name)") }

  // MARK: Following the log

  /// Called in turn only.
  private func catchUp(_ snapshot: LakeSnapshot) throws(Fault) -> ProjectedTable {
    var current = latest.withLock { $0 }
    if current == nil { current = try stored(snapshot) }
    // A lake that was put back to an older state, or made anew under the same name.
    if let known = current, known.version > snapshot.version || known.metadata.tableUUID != snapshot.delta.metadata?.id {
      current = nil
    }
    if let current, current.version == snapshot.version {
      latest.withLock { $0 = current }
      return current
    }
    let start = current.map { $0.version + 1 } ?? 0
    var next = start
    if current == nil && snapshot.version >= Int64(options.replayVersionsMax) { next = snapshot.version + 1 }
    var decoder = DeltaCommitDecoder()
    while next <= snapshot.version {
      let name = try folder.appending("_delta_log/\(DeltaLogName.commit(next))")
      guard let bytes = try store.get(name, bytesMax: Limits.deltaCommitBytesMax) else { break }
      current = try advance(current, DeltaChange(version: next, decoder.decode(bytes)), target: snapshot.version)
      next += 1
    }
    if let current, current.version == snapshot.version { return current }
    // The log does not reach back: one step over the gap.
    return try advance(
      current, DeltaChange(from: livePaths(current), to: snapshot), target: snapshot.version)
  }

  /// Projects one change and writes it. Metadata files that would be cleaned up at once are not written.
  private func advance(
    _ base: ProjectedTable?, _ change: DeltaChange, target: Int64
  ) throws(Fault) -> ProjectedTable {
    let step = SnapshotStep(options: options, location: location) { [self] (manifest) throws(Fault) in
      try read(manifest)
    }
    let (next, files) = try step.apply(change, to: base)
    let isShown = change.version > target - Int64(options.metadataFilesMax)
    for file in files where isShown || file.name != StableNames.metadata(change.version) {
      try store.put(path(file.name), file.bytes)
      FaultPoint.pass("iceberg.file_written")
    }
    if isShown {
      FaultPoint.pass("iceberg.before_hint")
      try store.put(path(StableNames.hint), Array(String(change.version).utf8))
    }
    latest.withLock { $0 = next }
    let hasExpired = next.metadata.snapshots.first?.id != base?.metadata.snapshots.first?.id && base != nil
    if change.version == target, hasExpired || change.version % Self.cleanInterval == 0 { try clean(next) }
    return next
  }

  // MARK: Reading what is there

  /// What an earlier run wrote; nil when there is nothing to go on from.
  private func stored(_ snapshot: LakeSnapshot) throws(Fault) -> ProjectedTable? {
    do throws(Fault) {
      guard let version = try newestStored(), version <= snapshot.version,
        let bytes = try store.get(path(StableNames.metadata(version)), bytesMax: Limits.icebergMetadataBytesMax)
      else { return nil }
      let metadata = try IcebergTableMetadata(json: bytes)
      guard metadata.location == location, metadata.properties["delta.version"] == String(version) else { return nil }
      var manifests: [IcebergManifestFile] = []
      if let current = metadata.currentSnapshot {
        guard let bytes = try file(current.manifestList) else { return nil }
        manifests = try IcebergManifestList(AvroFile(bytes)).manifests
      }
      return ProjectedTable(version: version, metadata: metadata, manifests: manifests)
    } catch {
      // Derived data that does not read is made anew; a store that does not answer is not the same.
      guard error.kind == .corrupt || error.kind == .unsupported else { throw error }
      return nil
    }
  }

  /// The version that the hint names, or else the newest metadata file.
  private func newestStored() throws(Fault) -> Int64? {
    if let hint = try store.get(path(StableNames.hint), bytesMax: Self.hintBytesMax),
      let version = Int64(String(decoding: hint, as: UTF8.self)), version >= 0,
      try store.size(path(StableNames.metadata(version))) != nil
    {
      return version
    }
    return try names().compactMap { name in
      if case .metadata(let version) = StableNames.kind(name) { return version }
      return nil
    }.max()
  }

  private func names() throws(Fault) -> [String] {
    var names: [String] = []
    while true {
      let page = try store.list(
        folder.appending(StableNames.folder), startAfter: names.last, limit: Self.listEntriesMax)
      names += page.map(\.path.name)
      if page.count < Self.listEntriesMax { return names }
    }
  }

  /// A file of this table by its full location; nil when it is gone. Throws XX001 for a location elsewhere.
  private func file(_ full: String) throws(Fault) -> [UInt8]? {
    let prefix = "\(location)/\(StableNames.folder)/"
    guard full.hasPrefix(prefix) else { throw Fault.corrupt("Iceberg metadata names the file \"\(full.prefix(200))\"") }
    return try store.get(path(String(full.dropFirst(prefix.count))), bytesMax: Limits.avroFileBytesMax)
  }

  private func read(_ manifest: IcebergManifestFile) throws(Fault) -> IcebergManifest {
    guard let bytes = try file(manifest.path) else {
      throw Fault.corrupt("the Iceberg manifest \"\(manifest.path.prefix(200))\" is missing")
    }
    return try IcebergManifest(AvroFile(bytes))
  }

  /// Paths of the live data files, relative to the table's folder.
  private func livePaths(_ table: ProjectedTable?) throws(Fault) -> Set<String> {
    var paths: Set<String> = []
    for manifest in table?.manifests ?? [] where manifest.liveFiles > 0 {
      for entry in try read(manifest).entries where entry.status != .deleted {
        guard entry.file.path.hasPrefix(location + "/") else {
          throw Fault.corrupt("an Iceberg manifest names the file \"\(entry.file.path.prefix(200))\"")
        }
        paths.insert(String(entry.file.path.dropFirst(location.count + 1)))
      }
    }
    return paths
  }

  // MARK: Cleaning

  /// Forgets snapshots that were replaced before `cutoffMicros` (microseconds since 1970), in the metadata and on disk:
  /// their data files may be vacuumed. The current one stays. True when there were any.
  @discardableResult
  package func expire(beforeMicros cutoffMicros: Int64) throws(Fault) -> Bool {
    try turn.withLock { (_) throws(Fault) in
      guard var table = latest.withLock({ $0 }) else { return false }
      guard SnapshotStep.expire(&table.metadata, cutoff: cutoffMicros / 1_000, snapshotsMax: options.snapshotsMax) else {
        return false
      }
      try store.put(path(StableNames.metadata(table.version)), table.metadata.json)
      latest.withLock { $0 = table }
      try clean(table)
      return true
    }
  }

  /// Removes files that no kept snapshot needs. History is a line: a manifest that is older than the oldest kept snapshot
  /// is alive only if that snapshot lists it.
  private func clean(_ table: ProjectedTable) throws(Fault) {
    var alive: Set<String> = []
    var oldest = table.version
    if let snapshot = table.metadata.snapshots.first {
      guard let bytes = try file(snapshot.manifestList) else {
        throw Fault.corrupt("the Iceberg manifest list \"\(snapshot.manifestList.prefix(200))\" is missing")
      }
      for manifest in try IcebergManifestList(AvroFile(bytes)).manifests {
        alive.insert(String(manifest.path.split(separator: "/").last ?? ""))
      }
      oldest = snapshot.sequence - 1
    }
    for name in try names() {
      let isDead =
        switch StableNames.kind(name) {
        case .metadata(let version): version <= table.version - Int64(options.metadataFilesMax)
        case .list(let version): version < oldest
        case .manifest(let version): version <= oldest && !alive.contains(name)
        case .other: false
        }
      if isDead { try store.delete(path(name)) }
    }
  }
}
