// The cold tier: one Delta table of zstd Parquet files for each domain and entity, at lake/<domain>/<entity>/.
//
//   Lake ── table(domain:entity:) ── LakeTable ── refresh() ── LakeSnapshot ── scan(...) ── TableScan
//                                        │
//                                        ├── writer(schema:) ── LakeWriter ── append(chunk)..., finish() ── [LakeFile]
//                                        └── commit(LakeCommit) ── LakeCommitOutcome
//
// How a flush goes (RELIABILITY.md section 1.5): writer, append, finish (files and folder are synced), commit (one
// synced put-if-absent of the next log entry, carrying `txn`), and only then may the hot rows go. A crash in between
// leaves files that no log entry names: invisible, and left to vacuum.
//
// Public surface:
//
//   Lake.init(store: any ObjectStore, clock: Clock, options: LakeOptions = LakeOptions(), root: ObjectPath = "lake")
//   Lake.table(domain: String, entity: String) throws(Fault) -> LakeTable        // the same object for the same name
//   Lake.foreignTable(at: ObjectPath, in: any ObjectStore, location: String) throws(Fault) -> LakeTable   // only read
//
//   LakeTable.refresh() throws(Fault) -> LakeSnapshot            // reads new log entries; O(new entries)
//   LakeTable.current: LakeSnapshot                              // what the last refresh or commit saw; no I/O
//   LakeTable.snapshot(version: Int64) throws(Fault) -> LakeSnapshot
//   LakeTable.snapshot(asOfMicros: Int64) throws(Fault) -> LakeSnapshot
//   LakeTable.history(limit: Int) throws(Fault) -> [LakeVersion]
//   LakeTable.writer(schema: TableSchema) throws(Fault) -> LakeWriter
//   LakeTable.commit(_: LakeCommit) throws(Fault) -> LakeCommitOutcome
//   LakeTable.replace(_: LakeReplacement) throws(Fault) -> Int64 // removes and adds in one commit
//   LakeTable.evolve(to: TableSchema) throws(Fault) -> Int64     // other names, wider types, in one commit
//   LakeTable.checkpoint(), cleanLog(...), vacuum(...), nameVersion(...)          // upkeep: LakeUpkeep, LakeVacuum
//
//   LakeWriter.columns: [Int]                                    // indices into schema.columns: all but `_hash`
//   LakeWriter.append(_: Chunk) throws(Fault)                    // a chunk of exactly these columns
//   LakeWriter.finish() throws(Fault) -> [LakeFile]              // durable files, each in the order of its table's clustering
//   LakeWriter.abandon()                                         // deletes what it wrote
//
//   LakeSnapshot.version: Int64 (-1: no table yet), rowCount, byteCount, fileCount, files: [LakeDataFile]
//   LakeSnapshot.columns: [TableColumn]                          // the table's own schema: for foreign tables
//   LakeSnapshot.transactionVersion(appID: String) -> Int64?     // S of a shard: Position(raw:)
//   LakeSnapshot.domainMetadata(_ domain: String) -> String?
//   LakeSnapshot.scan(_: ScanRequest, columns: [TableColumn]) throws(Fault) -> any TableScan   // columns: all of them
//
// A throw of `commit` means that the outcome is unknown: refresh and read `transactionVersion` again.

package import Bedrock
package import DeltaFormat
package import EventSchema
package import ObjectStore
package import Runtime
import Synchronization

/// All tables of one store.
package final class Lake: Sendable {
  package let store: any ObjectStore
  package let options: LakeOptions
  let root: ObjectPath
  let clock: Clock
  let footers: FooterCache
  /// Helpers of the threads that write files; nil: each encodes alone.
  let encoders: WorkTeam?
  private let tables = Mutex<[String: LakeTable]>([:])

  /// - Parameter root: the folder that holds the folders of the domains.
  package init(
    store: any ObjectStore, clock: Clock, options: LakeOptions = LakeOptions(),
    root: ObjectPath = ObjectPath(literal: "lake")
  ) {
    self.store = store
    self.clock = clock
    self.options = options
    self.root = root
    footers = FooterCache(store: store, options: options)
    encoders =
      options.writeThreadCount > 1
      ? WorkTeam(name: "lake encoding", threadCount: options.writeThreadCount - 1) : nil
  }

  /// Bytes of pages that are kept in memory now.
  package var pageCacheBytesUsed: Int { footers.pages.bytesUsed }
  /// Bytes of footers, page indexes and bloom filters that are kept in memory now.
  package var footerCacheBytesUsed: Int { footers.bytesUsed - footers.pages.bytesUsed }

  /// The table of one entity, whether it exists yet or not: the same object for the same name. No I/O.
  package func table(domain: String, entity: String) throws(Fault) -> LakeTable {
    let folder = try root.appending(domain).appending(entity)
    return tables.withLock { tables in
      if let table = tables[folder.text] { return table }
      let place = LakePlace(name: "\(domain).\(entity)", folder: folder, store: store, footers: footers)
      let table = LakeTable(lake: self, place: place, isForeign: false)
      tables[folder.text] = table
      return table
    }
  }

  /// A Delta table that others write, anywhere in a store: it is only read. `location` names it to people, and to logs
  /// that name files absolutely. The caller keeps the table as long as it is used. No I/O.
  package func foreignTable(
    at folder: ObjectPath, in store: (any ObjectStore)? = nil, location: String
  ) -> LakeTable {
    var share = options
    share.footerCacheBytesMax /= 4
    share.pageCacheBytesMax /= 4
    let footers = store.map { FooterCache(store: $0, options: share) } ?? self.footers
    let place = LakePlace(
      name: location, folder: folder, store: store ?? self.store, footers: footers, location: location)
    return LakeTable(lake: self, place: place, isForeign: true)
  }
}

/// Sizes of what the lake writes and keeps in memory.
package struct LakeOptions: Sendable {
  /// Bytes of a data file, about: a flush begins the next file when the rows gathered are estimated to take so many.
  package var fileBytesTarget = 128 * 1_048_576
  /// Bytes that a flush, or a rewrite along clustering keys, takes in memory for rows until they are written: the rows
  /// gathered, and what putting them in order and encoding them takes. A file ends early when it would need more.
  package var writeBufferBytesMax = 256 * 1_048_576
  /// Threads that encode the columns of a file together, the one that writes it included.
  package var writeThreadCount = WorkerPool.coreCount
  /// How files of each table are laid out.
  package var clustering = LakeClusteringPolicy()
  /// Rows of a row group at most.
  package var rowGroupRowsMax = 1_000_000
  /// Bytes of Parquet footers and page indexes kept in memory.
  package var footerCacheBytesMax = 64 * 1_048_576
  /// Bytes of decompressed pages and dictionaries kept in memory; 0: none.
  package var pageCacheBytesMax = 256 * 1_048_576
  /// Rows of a row group whose page indexes are worth reading: those of smaller ones cost as much as their pages.
  package var pageIndexRowsMin = 4 * Limits.chunkRowsMax
  /// Rows of a part of a row group at least, where row groups are split to keep all cores busy.
  package var morselRowsMin = 131_072
  /// Threads that read ahead and in parallel; 0: every read is made by the thread that needs it.
  package var readThreadCount = 4
  /// How often a commit is rebased on a concurrent one before it gives up with 40001.
  package var commitAttemptsMax = 32
  /// How long a missing log entry is taken for the end of the log before the log is listed for a gap, in nanoseconds.
  package var logLookNanos: UInt64 = 30_000_000_000
  /// How long `LakeTable.hasNewer` takes what it last found for the truth, in nanoseconds; 0: it looks each time.
  package var followNanos: UInt64 = 0
  /// Commits after which `checkpointIfDue` writes a checkpoint.
  package var checkpointCommits: Int64 = 20
  /// How long a file that no log entry has ever named is taken for one of a flush under way, in microseconds.
  package var unnamedFileGraceMicros: Int64 = 3_600_000_000
  package init() {}
}

/// One commit of a flush.
package struct LakeCommit: Sendable {
  /// From `LakeWriter.finish()`; may be empty, then only `txn` advances.
  package var files: [LakeFile]
  /// The schema the files were written under. A column that the table lacks is added to it in this commit.
  package var schema: TableSchema
  /// `lake/<cluster>/<domain>.<entity>/<shard>`.
  package var appID: String
  /// S before this flush; nil for the first.
  package var expectedVersion: Int64?
  /// S after it: the highest `_pos` of the flushed range.
  package var version: Int64
  /// JSON text kept as domain metadata `cramped.tier`; nil leaves what is there.
  package var tierMetadata: String?
  package init(
    files: [LakeFile], schema: TableSchema, appID: String, expectedVersion: Int64?, version: Int64,
    tierMetadata: String? = nil
  ) {
    precondition(version >= 0 && version > expectedVersion ?? -1, "a flush moves S forward")
    self.files = files
    self.schema = schema
    self.appID = appID
    self.expectedVersion = expectedVersion
    self.version = version
    self.tierMetadata = tierMetadata
  }
}

/// What became of a commit. In the last two cases the files of the commit were dropped, unless the log names them.
package enum LakeCommitOutcome: Sendable, Equatable {
  case committed(deltaVersion: Int64)
  /// The log already has this very `txn`: an earlier attempt came through.
  case alreadyCommitted(deltaVersion: Int64)
  /// The log has another `txn` than expected: somebody else flushes this shard.
  case fenced(transactionVersion: Int64?)
}

/// A data file that is on disk but not yet in the log.
package struct LakeFile: Sendable {
  package let add: DeltaAdd
  package let rowCount: Int64
  package var byteCount: Int64 { add.size }
}
