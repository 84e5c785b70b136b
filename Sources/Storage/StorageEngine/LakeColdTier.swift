// The lake as the engine's cold tier.

package import Bedrock
import Columnar
import EventSchema
package import Lake
import StorageContract

package struct LakeColdTier: ColdTier {
  private let lake: Lake
  package init(_ lake: Lake) { self.lake = lake }

  package func table(domain: String, entity: String) throws(Fault) -> any ColdTable {
    LakeColdTable(table: try lake.table(domain: domain, entity: entity))
  }
}

extension LakeSnapshot: ColdSnapshot {}

private struct LakeColdTable: ColdTable {
  let table: LakeTable

  var current: any ColdSnapshot { table.current }

  func hasNewer(than version: Int64) throws(Fault) -> Bool { try table.hasNewer(than: version) }

  func refresh() throws(Fault) -> any ColdSnapshot {
    let snapshot: LakeSnapshot = try table.refresh()
    return snapshot
  }

  func writer(schema: TableSchema) throws(Fault) -> any ColdWriter {
    LakeColdWriter(try table.writer(schema: schema))
  }

  func commit(_ commit: ColdCommit) throws(Fault) -> ColdCommitOutcome {
    guard let files = commit.files.content as? [LakeFile] else { throw .bug("files of another store") }
    let outcome = try table.commit(
      LakeCommit(
        files: files, schema: commit.schema, appID: commit.appID, expectedVersion: commit.expectedVersion,
        version: commit.version, tierMetadata: commit.tierMetadata))
    switch outcome {
    case .committed(let version): return .committed(deltaVersion: version)
    case .alreadyCommitted(let version): return .alreadyCommitted(deltaVersion: version)
    case .fenced(let position): return .fenced(transactionVersion: position)
    }
  }
}

private final class LakeColdWriter: ColdWriter {
  private let writer: LakeWriter
  init(_ writer: LakeWriter) { self.writer = writer }

  var columns: [Int] { writer.columns }

  func append(_ chunk: Chunk) throws(Fault) { try writer.append(chunk) }

  func finish() throws(Fault) -> ColdFiles {
    let files = try writer.finish()
    return ColdFiles(
      fileCount: files.count, rowCount: files.reduce(0) { $0 + $1.rowCount },
      byteCount: files.reduce(0) { $0 + $1.byteCount }, content: files)
  }

  func abandon() { writer.abandon() }
}
