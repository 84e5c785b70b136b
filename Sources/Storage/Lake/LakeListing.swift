// What `cramped.table_versions` and `cramped.files` show of a table: its commits, and its live files.
//
// Both read the log anew, so they cost one small read for each commit that is left. Values of rows are in neither: of
// statistics only the bounds of `published` are shown, which are not personal.

package import Bedrock
import Columnar
import DeltaFormat
import ObjectStore

/// One commit that is still in the log.
package struct LakeCommitSummary: Sendable {
  package var version: Int64
  /// Microseconds since 1970; nil when nothing says.
  package var timestampMicros: Int64?
  package var operation: String?
  package var engine: String?
  package var filesAdded = 0
  package var filesRemoved = 0
  package var bytesAdded: Int64 = 0
  /// Rows; nil when a file does not say. Of removed files it is known as long as the log has the commit that added them.
  package var rowsAdded: Int64? = 0
  package var rowsRemoved: Int64? = 0
  package var bytesRemoved: Int64? = 0
}

/// One live file of the newest version.
package struct LakeFileSummary: Sendable {
  package var path: String
  package var byteCount: Int64
  /// Without the deleted ones; nil when the log does not say.
  package var rowCount: Int64?
  /// Nil when the commit that added the file has left the log.
  package var versionAdded: Int64?
  package var modifiedMicros: Int64
  package var schemaVersion: Int64?
  /// Bounds of `published`, microseconds since 1970.
  package var minPublished: Int64?
  package var maxPublished: Int64?
  package var sortedBy: String?
  /// Rows that a deletion vector hides.
  package var deletedRows: Int64
}

extension LakeTable {
  /// Commits that are read for a listing at most: the newest.
  private static let commitsMax = 10_000

  /// The commits that are left, oldest first.
  package func commitSummaries() throws(Fault) -> [LakeCommitSummary] {
    var sizes: [DeltaFileKey: (rows: Int64?, bytes: Int64)] = [:]
    var summaries: [LakeCommitSummary] = []
    try forEachCommit { (version, fileMicros, actions) throws(Fault) in
      summaries.append(Self.summary(version, fileMicros, actions, &sizes))
    }
    return summaries
  }

  /// The live files, in the order of their paths.
  package func fileSummaries() throws(Fault) -> [LakeFileSummary] {
    let snapshot = try refresh()
    var added: [DeltaFileKey: Int64] = [:]
    try forEachCommit { (version, _, actions) throws(Fault) in
      for case .add(let add) in actions { added[add.key] = version }
    }
    return snapshot.files.map { file in
      let published = file.statistics.columns["published"]
      return LakeFileSummary(
        path: file.add.path, byteCount: file.size, rowCount: file.rowCount, versionAdded: added[file.add.key],
        modifiedMicros: file.modifiedMicros,
        schemaVersion: (file.tags["cramped.schemaVersion"] ?? nil).flatMap { Int64($0) },
        minPublished: published?.min?.integer, maxPublished: published?.max?.integer,
        sortedBy: isForeign && file.tags[LakeDataFile.layoutTag] == nil ? nil : file.layoutText,
        deletedRows: file.deletionVector?.cardinality ?? 0)
    }
  }

  private func forEachCommit(
    _ body: (Int64, Int64?, [DeltaAction]) throws(Fault) -> Void
  ) throws(Fault) {
    _ = try refresh()
    let entries = try log.list().filter { DeltaLogName.version(ofCommit: $0.path.name) != nil }
    for entry in entries.suffix(Self.commitsMax) {
      guard let version = DeltaLogName.version(ofCommit: entry.path.name), let actions = try log.commit(version) else {
        continue
      }
      try body(version, entry.modifiedMicros, actions)
    }
  }

  private static func summary(
    _ version: Int64, _ fileMicros: Int64?, _ actions: [DeltaAction],
    _ sizes: inout [DeltaFileKey: (rows: Int64?, bytes: Int64)]
  ) -> LakeCommitSummary {
    var summary = LakeCommitSummary(version: version)
    var millis: Int64?
    func sum(_ a: Int64?, _ b: Int64?) -> Int64? { a.flatMap { a in b.map { a &+ $0 } } }
    for action in actions {
      switch action {
      case .commitInfo(let info):
        summary.operation = info.operation
        summary.engine = info.engineInfo
        millis = info.inCommitTimestamp ?? info.timestamp
      case .add(let add):
        let deleted = add.deletionVector?.cardinality ?? 0
        let rows = add.stats.flatMap { DeltaStatistics.rowCount(json: $0) }.map { max(0, $0 - deleted) }
        sizes[add.key] = (rows, add.size)
        summary.filesAdded += 1
        summary.bytesAdded = summary.bytesAdded &+ add.size
        summary.rowsAdded = sum(summary.rowsAdded, rows)
      case .remove(let remove):
        let known = sizes[remove.key]
        summary.filesRemoved += 1
        summary.rowsRemoved = sum(summary.rowsRemoved, known?.rows)
        summary.bytesRemoved = sum(summary.bytesRemoved, known?.bytes ?? remove.size)
      case .metadata, .protocolVersion, .transaction, .domainMetadata: break
      }
    }
    summary.timestampMicros = millis.map { $0.multipliedReportingOverflow(by: 1_000).partialValue } ?? fileMicros
    return summary
  }
}
