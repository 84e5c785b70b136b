// A lake in memory for tests that stop a flush between two steps. It can be copied, as a crash image of a lake would be,
// and can be told to fail or to lie about a commit.

import Bedrock
import Columnar
import EventSchema
import StorageContract
import StorageEngine
import Synchronization

final class MemoryColdTier: ColdTier {
  struct Version: Sendable {
    var chunks: [Chunk] = []
    var transactions: [String: Int64] = [:]
    var number: Int64 = -1
  }
  enum Misbehaviour: Sendable { case none, failBeforeCommit, failAfterCommit }

  private let versions: Mutex<[String: Version]>
  let misbehaviour = Mutex(Misbehaviour.none)

  init() { versions = Mutex([:]) }
  private init(_ versions: [String: Version]) { self.versions = Mutex(versions) }

  func copy() -> MemoryColdTier { MemoryColdTier(versions.withLock { $0 }) }
  func removeAll() { versions.withLock { $0 = [:] } }

  func table(domain: String, entity: String) throws(Fault) -> any ColdTable {
    Table(tier: self, name: "\(domain).\(entity)")
  }

  fileprivate func version(_ name: String) -> Version { versions.withLock { $0[name] ?? Version() } }

  fileprivate func commit(_ name: String, _ commit: ColdCommit, _ chunks: [Chunk]) throws(Fault) -> ColdCommitOutcome {
    let mode = misbehaviour.withLock { $0 }
    if mode == .failBeforeCommit { throw Fault(.ioError, "the store is away") }
    let outcome = versions.withLock { versions -> ColdCommitOutcome in
      var version = versions[name] ?? Version()
      let found = version.transactions[commit.appID]
      guard found == commit.expectedVersion else {
        return found == commit.version
          ? .alreadyCommitted(deltaVersion: version.number) : .fenced(transactionVersion: found)
      }
      version.chunks += chunks
      version.transactions[commit.appID] = commit.version
      version.number += 1
      versions[name] = version
      return .committed(deltaVersion: version.number)
    }
    if mode == .failAfterCommit { throw Fault(.ioError, "no answer came") }
    return outcome
  }

  private struct Table: ColdTable {
    let tier: MemoryColdTier
    let name: String
    var current: any ColdSnapshot { Snapshot(content: tier.version(name)) }
    func hasNewer(than version: Int64) throws(Fault) -> Bool { tier.version(name).number > version }
    func refresh() throws(Fault) -> any ColdSnapshot { current }
    func writer(schema: TableSchema) throws(Fault) -> any ColdWriter {
      Writer(columns: Array(schema.columns.indices))
    }
    func commit(_ commit: ColdCommit) throws(Fault) -> ColdCommitOutcome {
      guard let chunks = commit.files.content as? [Chunk] else { throw .bug("files of another lake") }
      return try tier.commit(name, commit, chunks)
    }
  }

  private final class Writer: ColdWriter {
    let columns: [Int]
    private var chunks: [Chunk] = []
    init(columns: [Int]) { self.columns = columns }
    func append(_ chunk: Chunk) throws(Fault) { chunks.append(chunk) }
    func finish() throws(Fault) -> ColdFiles {
      ColdFiles(
        fileCount: 1, rowCount: chunks.reduce(0) { $0 + Int64($1.rowCount) }, byteCount: 1, content: chunks)
    }
    func abandon() { chunks = [] }
  }

  private struct Snapshot: ColdSnapshot {
    let content: Version
    var version: Int64 { content.number }
    var rowCount: Int64 { content.chunks.reduce(0) { $0 + Int64($1.rowCount) } }
    var byteCount: Int64 { 0 }
    var fileCount: Int { Int(content.number) + 1 }
    func transactionVersion(appID: String) -> Int64? { content.transactions[appID] }
    func scan(_ request: ScanRequest, columns: [TableColumn]) throws(Fault) -> any TableScan {
      let chunks = content.chunks.map { chunk in
        Chunk(
          columns: request.columns.map { index in
            chunk.columns.indices.contains(index)
              ? chunk.columns[index] : .nulls(columns[index].type, count: chunk.rowCount)
          }, rowCount: chunk.rowCount)
      }
      return Scan(chunks: chunks)
    }
  }

  private struct Scan: TableScan {
    let chunks: [Chunk]
    var morselCount: Int { chunks.count }
    var tiers: [TierScanSummary] { [TierScanSummary(tier: "lake", units: [], rows: 0, bytes: 0)] }
    func open(morsel: Int) throws(Fault) -> any ChunkReader { Reader(chunks[morsel]) }
  }

  private final class Reader: ChunkReader {
    private var chunk: Chunk?
    init(_ chunk: Chunk) { self.chunk = chunk }
    func next() throws(Fault) -> Chunk? {
      defer { chunk = nil }
      return chunk
    }
  }
}
