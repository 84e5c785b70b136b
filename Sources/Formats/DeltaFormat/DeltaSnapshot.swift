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
  /// Files removed and perhaps still on disk, with the time of their removal (ms since 1970).
  package private(set) var tombstones: [DeltaFileKey: Int64?] = [:]
  package private(set) var transactions: [String: DeltaTransaction] = [:]
  package private(set) var domains: [String: DeltaDomainMetadata] = [:]
  /// Milliseconds since 1970; of the newest commit that had one.
  package private(set) var inCommitTimestamp: Int64?

  package init() {}

  /// Reader features whose tables we read. Files with a deletion vector are told apart here and refused by the scan.
  package static let knownReaderFeatures: Set<String> = ["timestampNtz", "deletionVectors", "columnMapping"]

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
    try Self.checkReadable(protocolVersion, metadata)
  }

  private mutating func reconcile(_ action: DeltaAction) {
    switch action {
    case .add(let add):
      tombstones[add.key] = nil
      files[add.key] = add
    case .remove(let remove):
      files[remove.key] = nil
      tombstones.updateValue(remove.deletionTimestamp, forKey: remove.key)
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

    mutating func once(_ name: String) throws(Fault) {
      guard names.insert(name).inserted else { throw Fault.corrupt("a Delta commit has two actions \(name)") }
    }

    mutating func file(_ key: DeltaFileKey, isAdd: Bool) throws(Fault) {
      if let before = files.updateValue(isAdd, forKey: key), before != isAdd {
        throw Fault.corrupt("a Delta commit adds and removes the file \"\(key.path.prefix(200))\"")
      }
    }
  }

  private static func checkReadable(
    _ protocolVersion: DeltaProtocol, _ metadata: DeltaMetadata
  ) throws(Fault) {
    let features = protocolVersion.readerFeatures ?? []
    guard protocolVersion.minReaderVersion >= 1 && protocolVersion.minReaderVersion <= 3 else {
      throw Fault.unsupported("reader version \(protocolVersion.minReaderVersion) of the Delta protocol")
    }
    if protocolVersion.minReaderVersion == 3 {
      for feature in features where !knownReaderFeatures.contains(feature) {
        throw Fault.unsupported("the Delta table feature \"\(feature.prefix(100))\"")
      }
    }
    let mode = metadata.configuration["delta.columnMapping.mode"] ?? "none"
    if protocolVersion.minReaderVersion >= 2 && mode != "none" {
      throw Fault.unsupported("the Delta table feature \"columnMapping\" in mode \"\(mode.prefix(20))\"")
    }
  }

  /// Throws 0A000 unless a writer that knows `features` may commit to this table.
  package func checkWritable(features: Set<String>) throws(Fault) {
    guard let protocolVersion else { return }
    guard protocolVersion.minWriterVersion == 7 else {
      throw Fault.unsupported(
        "writing to a Delta table of writer version \(protocolVersion.minWriterVersion)",
        hint: "Only tables that Cramped made are written.")
    }
    for feature in protocolVersion.writerFeatures ?? [] where !features.contains(feature) {
      throw Fault.unsupported("writing to a Delta table with feature \"\(feature.prefix(100))\"")
    }
  }
}
