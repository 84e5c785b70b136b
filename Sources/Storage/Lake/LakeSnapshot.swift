// The table at one version: its live files with what is known of their values.

package import Bedrock
package import DeltaFormat
package import EventSchema
import ObjectStore
package import StorageContract

/// A live data file.
final class LakeDataFile: Sendable {
  let add: DeltaAdd
  let path: ObjectPath
  let statistics: DeltaStatistics

  init(add: DeltaAdd, path: ObjectPath, statistics: DeltaStatistics) {
    self.add = add
    self.path = path
    self.statistics = statistics
  }
}

/// Immutable; kept alive by its reference.
package final class LakeSnapshot: Sendable {
  package let delta: DeltaSnapshot
  let schema: DeltaSchema?
  /// In the order of their paths.
  let files: [LakeDataFile]
  let footers: FooterCache
  private let folder: ObjectPath
  private let byKey: [DeltaFileKey: LakeDataFile]
  /// Rows of all files that state their number.
  package let rowCount: Int64
  /// Bytes of all files.
  package let byteCount: Int64

  /// The state before the first commit.
  init(folder: ObjectPath, footers: FooterCache) {
    self.folder = folder
    self.footers = footers
    delta = DeltaSnapshot()
    schema = nil
    files = []
    byKey = [:]
    rowCount = 0
    byteCount = 0
  }

  /// The state after `before`; what was parsed for it is kept.
  init(_ delta: DeltaSnapshot, after before: LakeSnapshot) throws(Fault) {
    self.delta = delta
    folder = before.folder
    footers = before.footers
    let text = delta.metadata?.schemaString
    let schema: DeltaSchema?
    if text == before.delta.metadata?.schemaString {
      schema = before.schema
    } else {
      schema = try text.map { (text) throws(Fault) in try DeltaSchema(json: text) }
    }
    var byKey: [DeltaFileKey: LakeDataFile] = [:]
    byKey.reserveCapacity(delta.files.count)
    var rows: Int64 = 0
    var bytes: Int64 = 0
    for (key, add) in delta.files {
      let file: LakeDataFile
      if let known = before.byKey[key], known.add == add {
        file = known
      } else {
        var statistics = DeltaStatistics()
        if let schema, let json = add.stats { statistics = try DeltaStatistics(json: json, schema) }
        file = LakeDataFile(add: add, path: try folder.appending(add.path), statistics: statistics)
      }
      byKey[key] = file
      rows = rows &+ (file.statistics.numRecords ?? 0)
      bytes = bytes &+ add.size
    }
    self.schema = schema
    self.byKey = byKey
    files = byKey.values.sorted { $0.path < $1.path }
    rowCount = rows
    byteCount = bytes
  }

  /// The Delta version; -1 when there is no table yet.
  package var version: Int64 { delta.version }
  package var fileCount: Int { files.count }

  /// How far an application has come: S of a shard as `Position.raw`. Nil when it has never committed.
  package func transactionVersion(appID: String) -> Int64? { delta.transactions[appID]?.version }

  /// The JSON text under a domain such as `cramped.tier`.
  package func domainMetadata(_ domain: String) -> String? { delta.domains[domain]?.configuration }

  /// Plans a scan. `columns` are all columns of the table, as `request` counts them; those that a file lacks, because it
  /// is older than they are, are null.
  package func scan(_ request: ScanRequest, columns: [TableColumn]) throws(Fault) -> LakeScan {
    try LakeScan(snapshot: self, request: request, columns: columns)
  }
}
