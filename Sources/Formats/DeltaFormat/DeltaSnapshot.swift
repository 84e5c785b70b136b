// The state of a table at one version: what replaying its log gives. PROTOCOL.md, "Action Reconciliation".
//
//   protocol, metaData    the newest
//   txn, domainMetadata   the newest for each appId, domain
//   add, remove           the newest for each (path, deletion vector); a remove leaves a tombstone
//
// Invariants: versions are contiguous. Once a version has been applied there are a protocol and a metaData, and the
// protocol asks for nothing that we do not read. A commit that breaks a rule changes nothing.

package import Bedrock

/// Fed with commits in order. A value: applying to a copy leaves the original as it was.
package struct DeltaSnapshot: Sendable {
  /// -1: nothing has been applied.
  package private(set) var version: Int64 = -1
  package private(set) var protocolVersion: DeltaProtocol?
  package private(set) var metadata: DeltaMetadata?
  package private(set) var files: [DeltaFileKey: DeltaAdd] = [:]
  /// Files removed and perhaps still on disk.
  package private(set) var tombstones: [DeltaFileKey: DeltaRemove] = [:]
  package private(set) var transactions: [String: DeltaTransaction] = [:]
  package private(set) var domains: [String: DeltaDomainMetadata] = [:]
  /// Milliseconds since 1970; of the newest commit that had one.
  package private(set) var inCommitTimestamp: Int64?

  package init() {}

  /// Takes the actions of a checkpoint, in any order and in as many calls as there are files; `finish` ends it.
  package mutating func load(checkpoint actions: [DeltaAction]) throws(Fault) {
    precondition(version == -1, "a checkpoint is the first thing that is read")
    for action in actions {
      if case .remove(let remove) = action, files[remove.key] != nil {
        throw Fault.corrupt("a Delta checkpoint has the file \"\(remove.path.prefix(200))\" as live and as removed")
      }
      reconcile(action)
    }
  }

  /// The checkpoint was that of `version`. Throws XX001 when it lacks a protocol or a metaData, 0A000 for a feature that
  /// we do not read.
  package mutating func finish(checkpoint version: Int64) throws(Fault) {
    precondition(self.version == -1 && version >= 0)
    guard let protocolVersion, let metadata else { throw Fault.corrupt("a Delta checkpoint has no protocol or no metaData") }
    if metadata.schemaString.isEmpty && !files.isEmpty { throw Self.noSchema() }
    try DeltaFeatures.checkReadable(protocolVersion, metadata)
    self.version = version
  }

  /// Replays a compacted log, which holds what is left of several commits.
  package mutating func apply(compacted versions: ClosedRange<Int64>, _ actions: [DeltaAction]) throws(Fault) {
    guard versions.lowerBound == version + 1 else {
      throw Fault.corrupt("the Delta log has version \(versions.lowerBound) after version \(version)")
    }
    try check(versions.upperBound, actions)
    for action in actions { reconcile(action) }
    inCommitTimestamp = nil
    version = versions.upperBound
  }

  /// What a checkpoint or a compacted log does not keep: the time of the version's own commit.
  package mutating func note(commitInfo: DeltaCommitInfo) {
    if let time = commitInfo.inCommitTimestamp { inCommitTimestamp = time }
  }

  /// Replays the commit after `version`. Throws XX001 for a commit that breaks the protocol, 0A000 for a feature that
  /// we do not read; the snapshot is then as before.
  package mutating func apply(version: Int64, _ actions: [DeltaAction]) throws(Fault) {
    guard version >= 0, version == self.version + 1 else {
      throw Fault.corrupt("the Delta log has version \(version) after version \(self.version)")
    }
    try check(version, actions)
    for action in actions { reconcile(action) }
    self.version = version
  }

  /// Tombstones that are younger than `millis` (ms since 1970), by path; one without a time counts as young.
  package func removes(after millis: Int64) -> [DeltaRemove] {
    tombstones.values.filter { $0.deletionTimestamp ?? .max > millis }.sorted {
      ($0.path, $0.key.deletionVectorID ?? "") < ($1.path, $1.key.deletionVectorID ?? "")
    }
  }

  /// True when a checkpoint says the same: live files but for `dataChange`, applications, domains, metadata and protocol,
  /// and at least the tombstones that are younger than `millis`.
  package func isEqual(to other: DeltaSnapshot, tombstonesAfter millis: Int64) -> Bool {
    guard version == other.version, protocolVersion == other.protocolVersion, metadata == other.metadata,
      transactions == other.transactions, domains == other.domains, files.count == other.files.count
    else { return false }
    for (key, add) in files {
      guard var mine = other.files[key] else { return false }
      mine.dataChange = add.dataChange
      if mine != add { return false }
    }
    return other.removes(after: millis).allSatisfy { tombstones[$0.key] != nil }
  }

  /// True when the log has named this path, as a live file or as a removed one.
  package func knows(path: String) -> Bool {
    let key = DeltaFileKey(path: path)
    return files[key] != nil || tombstones[key] != nil
  }

  /// The rules for one commit, and whether the table can still be read after it.
  private func check(_ version: Int64, _ actions: [DeltaAction]) throws(Fault) {
    var seen = Seen()
    var protocolVersion = self.protocolVersion
    var metadata = self.metadata
    for action in actions {
      switch action {
      case .add(let add): try seen.file(add.key, isAdd: true)
      case .remove(let remove): try seen.file(remove.key, isAdd: false)
      case .transaction(let transaction): try seen.once("txn of \(transaction.appID.prefix(100))")
      case .domainMetadata(let domain): try seen.once("domainMetadata of \(domain.domain.prefix(100))")
      case .commitInfo: try seen.once("commitInfo")
      case .metadata(let value):
        try seen.once("metaData")
        metadata = value
      case .protocolVersion(let value):
        try seen.once("protocol")
        protocolVersion = value
      }
    }
    guard let protocolVersion, let metadata else {
      throw Fault.corrupt("the Delta log has no protocol or no metaData at version \(version)")
    }
    if metadata.schemaString.isEmpty && (!files.isEmpty || seen.hasAdds) { throw Self.noSchema() }
    try DeltaFeatures.checkReadable(protocolVersion, metadata)
  }

  private static func noSchema() -> Fault {
    Fault.corrupt("a Delta log has files but no schema", detail: "Its newest metaData has no schemaString.")
  }

  private mutating func reconcile(_ action: DeltaAction) {
    switch action {
    case .add(let add):
      tombstones[add.key] = nil
      files[add.key] = add
    case .remove(let remove):
      files[remove.key] = nil
      tombstones[remove.key] = remove
    case .transaction(let transaction): transactions[transaction.appID] = transaction
    case .domainMetadata(let domain): domains[domain.domain] = domain.removed ? nil : domain
    case .metadata(let metadata): self.metadata = metadata
    case .protocolVersion(let value): protocolVersion = value
    case .commitInfo(let info): if let time = info.inCommitTimestamp { inCommitTimestamp = time }
    }
  }

  /// What one commit has named so far.
  private struct Seen {
    private var names: Set<String> = []
    private var files: [DeltaFileKey: Bool] = [:]
    private(set) var hasAdds = false

    mutating func once(_ name: String) throws(Fault) {
      guard names.insert(name).inserted else { throw Fault.corrupt("a Delta commit has two actions \(name)") }
    }

    mutating func file(_ key: DeltaFileKey, isAdd: Bool) throws(Fault) {
      hasAdds = hasAdds || isAdd
      if let before = files.updateValue(isAdd, forKey: key), before != isAdd {
        throw Fault.corrupt("a Delta commit adds and removes the file \"\(key.path.prefix(200))\"")
      }
    }
  }
}
