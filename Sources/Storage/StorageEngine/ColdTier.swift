// What the engine needs of the lake. The engine sees it through these protocols, so that tests can stop a flush between
// any two steps; LakeColdTier is the lake itself.

package import Bedrock
package import Columnar
package import EventSchema
package import StorageContract

package protocol ColdTier: Sendable {
  /// The same object for the same name.
  func table(domain: String, entity: String) throws(Fault) -> any ColdTable
}

package protocol ColdTable: Sendable {
  /// What the last refresh or commit saw; no I/O.
  var current: any ColdSnapshot { get }
  /// Whether somebody has committed behind `version`; cheap enough for every statement.
  func hasNewer(than version: Int64) throws(Fault) -> Bool
  /// Reads new log entries.
  func refresh() throws(Fault) -> any ColdSnapshot
  func writer(schema: TableSchema) throws(Fault) -> any ColdWriter
  func commit(_ commit: ColdCommit) throws(Fault) -> ColdCommitOutcome
}

package protocol ColdWriter: AnyObject {
  /// The columns that the lake keeps, as indices into the columns of the schema.
  var columns: [Int] { get }
  /// Rows with exactly `columns`.
  func append(_ chunk: Chunk) throws(Fault)
  /// Durable files that no log entry names yet.
  func finish() throws(Fault) -> ColdFiles
  func abandon()
}

/// Files on disk, before their commit.
package struct ColdFiles: Sendable {
  package let fileCount: Int
  package let rowCount: Int64
  package let byteCount: Int64
  /// What the lake made of them; only the lake looks inside.
  package let content: any Sendable
  package init(fileCount: Int, rowCount: Int64, byteCount: Int64, content: any Sendable) {
    self.fileCount = fileCount
    self.rowCount = rowCount
    self.byteCount = byteCount
    self.content = content
  }
}

package struct ColdCommit: Sendable {
  package let files: ColdFiles
  package let schema: TableSchema
  package let appID: String
  /// S before, `nil` for the first flush, and S after.
  package let expectedVersion: Int64?
  package let version: Int64
  package let tierMetadata: String
}

package enum ColdCommitOutcome: Sendable, Equatable {
  case committed(deltaVersion: Int64)
  case alreadyCommitted(deltaVersion: Int64)
  /// Somebody else has moved S.
  case fenced(transactionVersion: Int64?)
}

package protocol ColdSnapshot: Sendable {
  /// -1: the table is not there yet.
  var version: Int64 { get }
  var rowCount: Int64 { get }
  var byteCount: Int64 { get }
  var fileCount: Int { get }
  func transactionVersion(appID: String) -> Int64?
  func scan(_ request: ScanRequest, columns: [TableColumn]) throws(Fault) -> any TableScan
}
