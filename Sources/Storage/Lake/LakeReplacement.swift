// Commits that take files away: compaction, erasure, rebuilding.

import Bedrock
package import DeltaFormat

/// Files of a table replaced by others in one commit.
package struct LakeReplacement: Sendable {
  /// The state the files were read from. Others may have appended since; a change of metadata or protocol, or of one of
  /// the removed files, refuses the commit.
  package let base: LakeSnapshot
  /// Live files of `base`.
  package var removed: [LakeDataFile]
  /// Files on disk, from a `LakeWriter` of the same table.
  package var added: [LakeFile]
  /// False when the rows stay the same and only lie differently.
  package var dataChange: Bool
  /// Such as `OPTIMIZE` or `DELETE`; shown in the history.
  package var operation: String
  /// Never a value of a row.
  package var operationParameters: [String: String]
  /// The table's new metadata, or nil to leave it.
  package var metadata: DeltaMetadata?
  /// Domain metadata to set; nil removes one.
  package var domains: [String: String?]
  /// True when rows that were appended since `base` must not be missed, as by an erasure.
  package var refusesConcurrentAppends: Bool

  package init(
    base: LakeSnapshot, removed: [LakeDataFile], added: [LakeFile], dataChange: Bool, operation: String,
    operationParameters: [String: String] = [:], metadata: DeltaMetadata? = nil, domains: [String: String?] = [:],
    refusesConcurrentAppends: Bool = false
  ) {
    precondition(base.version >= 0, "files of a table that exists are replaced")
    self.base = base
    self.removed = removed
    self.added = added
    self.dataChange = dataChange
    self.operation = operation
    self.operationParameters = operationParameters
    self.metadata = metadata
    self.domains = domains
    self.refusesConcurrentAppends = refusesConcurrentAppends
  }

  /// Throws 40001 when what was committed since `base` does not allow the commit any more.
  func checkConflicts(_ now: LakeSnapshot, table: String) throws(Fault) {
    guard now.delta.protocolVersion == base.delta.protocolVersion else {
      throw conflict(table, "its protocol was changed", now)
    }
    guard now.delta.metadata == base.delta.metadata else {
      throw conflict(table, "its schema or properties were changed", now)
    }
    for file in removed where now.delta.files[file.add.key] == nil {
      throw conflict(table, "the file \"\(file.add.path)\" was removed", now)
    }
    for (domain, _) in domains where now.delta.domains[domain] != base.delta.domains[domain] {
      throw conflict(table, "domain metadata \"\(domain)\" was changed", now)
    }
    if refusesConcurrentAppends, now.version != base.version {
      for key in now.delta.files.keys where base.delta.files[key] == nil {
        throw conflict(table, "the file \"\(key.path)\" was added", now)
      }
    }
  }

  private func conflict(_ table: String, _ what: String, _ now: LakeSnapshot) -> Fault {
    Fault(
      .serializationFailure, "\(operation) of lake table \(table) conflicts with another commit: \(what)",
      detail: "It was prepared at version \(base.version); the table is at version \(now.version).",
      hint: "Nothing was changed. Try again from the newest version.")
  }

  /// True when an earlier attempt with an unknown outcome came through.
  func isDone(in now: LakeSnapshot) -> Bool {
    guard now.version > base.version, !added.isEmpty || !removed.isEmpty else { return false }
    return added.allSatisfy { now.delta.files[$0.add.key] != nil }
      && removed.allSatisfy { now.delta.files[$0.add.key] == nil } && !added.isEmpty
  }
}
