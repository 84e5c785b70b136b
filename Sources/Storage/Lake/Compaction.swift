// Rewriting files of a table: fewer, larger, side by side in the table's order, without deleted rows, under the newest
// schema.
//
//   1 plan         which files (CompactionPlan)
//   2 merge        CompactionMerge (files by time) or ClusteredMerge (along keys, or files of another layout)
//                  ─► CompactionWriter: files on disk, synced                         compact.files_written
//   3 replace      one commit, dataChange false, no `txn`: flushes never wait for it  compact.committed
//
// A crash after 2 leaves files that no log names, for vacuum; after 3 the step is done. A commit that somebody else made
// impossible (a file was removed) costs the step: it is planned again from the newest version.
//
// Old files stay until vacuum, so snapshots and other engines go on reading them.

package import Bedrock
import Columnar
import DeltaFormat
package import EventSchema
import ObjectStore
import Runtime
package import StorageContract

/// Why files are rewritten.
package enum RewriteReason: Sendable, Equatable {
  case compaction, clustering
  /// Rows published before `cutoff` (µs) leave.
  case retention(cutoff: Int64)

  var operation: String {
    switch self {
    case .compaction, .clustering: "OPTIMIZE"
    case .retention: "DELETE"
    }
  }
}

/// Files of one commit, as of a snapshot.
package struct RewriteGroup: Sendable {
  package let base: LakeSnapshot
  package let files: [LakeDataFile]
  package let reason: RewriteReason
  /// How the files written lie.
  package let layout: LakeClustering
  /// Nothing of the files stays.
  package let isDropped: Bool
  package var bytes: Int64 { files.reduce(0) { $0 + $1.add.size } }
  package var rows: Int64 { files.reduce(0) { $0 + ($1.rowCount ?? 0) } }
}

/// What one step did.
package struct RewriteReceipt: Sendable, Equatable {
  package var filesRemoved: Int
  package var filesAdded: Int
  package var bytesRemoved: Int64
  package var bytesAdded: Int64
  /// Rows of the added files.
  package var rows: Int64
  package var deltaVersion: Int64
  /// Paths of the added files.
  package var addedPaths: [String]
}

extension LakeSnapshot {
  /// What planning knows of each file, as a table laid out by `layout` has it.
  func candidates(_ layout: LakeClustering) -> [CompactionCandidate] {
    files.enumerated().map { index, file in
      var candidate = CompactionCandidate(index: index, bytes: file.add.size, keys: Self.publishedRange(file))
      candidate.modifiedMicros = file.modifiedMicros
      if let deleted = file.add.deletionVector?.cardinality, let all = file.statistics.numRecords, all > 0 {
        candidate.deletedShare = Double(deleted) / Double(all)
      }
      candidate.isStale = file.layoutText != layout.text
      candidate.isClustered = !layout.isByTime && !candidate.isStale && file.cluster != nil
      return candidate
    }
  }

  private static func publishedRange(_ file: LakeDataFile) -> ClosedRange<Int64>? {
    let known = file.statistics.columns[SystemColumn.columns[SystemColumn.published].name]
    guard let low = known?.min?.integer, let high = known?.max?.integer, low <= high else { return nil }
    return low...high
  }

  private func group(
    _ indices: [Int], _ reason: RewriteReason, _ layout: LakeClustering, isDropped: Bool = false
  ) -> RewriteGroup {
    RewriteGroup(base: self, files: indices.map { files[$0] }, reason: reason, layout: layout, isDropped: isDropped)
  }

  /// The next files to compact; nil when nothing is due. `isFull`: whatever can be joined is due.
  package func compactionGroup(
    _ options: CompactionOptions, layout: LakeClustering = .published, isFull: Bool, now: Int64
  ) -> RewriteGroup? {
    CompactionPlan(options: options).compaction(candidates(layout), isFull: isFull, now: now)
      .map { group($0, .compaction, layout) }
  }

  /// The next files to cluster; nil when none lie in another way than `layout` says, and, by time, no point of
  /// `published` is covered by too many files, along keys, not too many full files have come since the last time.
  package func clusteringGroup(
    _ options: CompactionOptions, layout: LakeClustering = .published, isFull: Bool
  ) -> RewriteGroup? {
    let plan = CompactionPlan(options: options)
    let candidates = candidates(layout)
    return (plan.stale(candidates)
      ?? (layout.isByTime
        ? plan.clustering(candidates, isFull: isFull) : plan.unclustered(candidates, isFull: isFull)))
      .map { group($0, .clustering, layout) }
  }

  /// Files that lie in another way than `layout` says: what a change of the clustering keys leaves to do.
  package func staleFileCount(_ layout: LakeClustering) -> Int {
    files.reduce(0) { $0 + ($1.layoutText == layout.text ? 0 : 1) }
  }

  /// The next files with rows published before `cutoff`. Files that have no others go as a whole, a thousand a commit.
  /// One that has both is rewritten once its oldest row is older by `slack`: rows leave at most that much late, and a
  /// file is not rewritten for each row.
  package func expiredGroup(cutoff: Int64, slack: Int64, layout: LakeClustering = .published) -> RewriteGroup? {
    let (whole, partly) = CompactionPlan.expired(candidates(layout), cutoff: cutoff, slack: slack)
    if !whole.isEmpty { return group(Array(whole.prefix(1_000)), .retention(cutoff: cutoff), layout, isDropped: true) }
    return partly.first.map { group([$0], .retention(cutoff: cutoff), layout) }
  }

  /// The most files that cover one point of `published`.
  package var overlapDepth: Int { CompactionPlan.depth(candidates(.published)).files }
}

extension LakeSnapshot {
  /// Plans a scan of some live files only.
  package func scan(
    _ request: ScanRequest, columns: [TableColumn], files: [LakeDataFile]
  ) throws(Fault) -> any TableScan {
    try LakeScan(snapshot: self, request: request, columns: columns, files: files)
  }
}

extension LakeTable {
  /// Rewrites the files of `group` and commits. `step` is told of rows and bytes read as it goes and may throw to stop:
  /// then nothing has changed. Throws 40001 when another commit made this one impossible, 0A000 for a table whose
  /// columns others changed.
  package func rewrite(
    _ group: RewriteGroup, schema: TableSchema, options: CompactionOptions,
    step: (_ rows: Int64, _ bytes: Int64) throws(Fault) -> Void
  ) throws(Fault) -> RewriteReceipt {
    precondition(!group.files.isEmpty, "a step has files")
    var added: [LakeFile] = []
    if !group.isDropped { added = try merge(group, schema: schema, options: options, step: step) }
    FaultPoint.pass("compact.files_written")
    var dataChange = false
    if case .retention = group.reason { dataChange = true }
    let version = try replace(
      LakeReplacement(
        base: group.base, removed: group.files, added: added, dataChange: dataChange,
        operation: group.reason.operation,
        operationParameters: group.reason == .clustering ? ["clusterBy": group.layout.text] : [:]))
    FaultPoint.pass("compact.committed")
    return RewriteReceipt(
      filesRemoved: group.files.count, filesAdded: added.count, bytesRemoved: group.bytes,
      bytesAdded: added.reduce(0) { $0 + $1.byteCount }, rows: added.reduce(0) { $0 + $1.rowCount },
      deltaVersion: version, addedPaths: try added.map { (file) throws(Fault) in try place.path(file.add.path).text })
  }

  private func merge(
    _ group: RewriteGroup, schema: TableSchema, options: CompactionOptions,
    step: (_ rows: Int64, _ bytes: Int64) throws(Fault) -> Void
  ) throws(Fault) -> [LakeFile] {
    let columns = try Self.rewritableColumns(group.base, schema, table: name)
    guard let deltaSchema = group.base.schema, let key = columns.firstIndex(where: { $0.index == SystemColumn.published })
    else { throw Fault.bug("lake table \(name) has files but no column \"published\"") }
    let keys = try group.layout.keys(columns.map(\.column))
    let rowsIn = group.rows, bytesIn = group.bytes
    let bytesPerRow = rowsIn > 0 ? Double(bytesIn) / Double(rowsIn) : 0
    // What a compaction merges fits into one file: never two again, whatever the new pages take. Files of one step of
    // clustering are of one size.
    var fileBytesMax = Int64.max
    if group.reason != .compaction {
      let count = max(1, (bytesIn + options.fileBytesTarget - 1) / options.fileBytesTarget)
      fileBytesMax = group.layout.isByTime ? options.fileBytesTarget : bytesIn / count + 1
    }
    let cluster = group.reason == .clustering ? DeltaTransactionBuilder.uuid() : Self.commonCluster(group)
    let writer = CompactionWriter(
      table: self, columns: columns.map(\.column), deltaSchema: deltaSchema,
      sortingColumns: keys.count > 1 ? [] : keys + [key], fileBytesMax: fileBytesMax, bytesPerRow: bytesPerRow,
      tags: group.layout.tags(cluster: cluster))
    let request = ScanRequest(table: TableID(raw: 0), columns: columns.map(\.index))
    func scan(_ file: LakeDataFile) throws(Fault) -> any TableScan {
      try LakeScan(snapshot: group.base, request: request, columns: schema.columns, files: [file])
    }
    func kept(_ chunk: Chunk) -> Chunk {
      guard case .retention(let cutoff) = group.reason else { return chunk }
      return Self.rows(of: chunk, key: key, from: cutoff)
    }
    do throws(Fault) {
      var rows: Int64 = 0
      if group.layout.isByTime && group.files.allSatisfy({ $0.layoutText == group.layout.text }) {
        var sources: [CompactionSource] = []
        for file in group.files {
          let known = file.statistics.columns[columns[key].column.name]?.min?.integer
          sources.append(CompactionSource(firstKey: known ?? .min, scan: try scan(file)))
        }
        let merge = CompactionMerge(sources, keyColumn: key)
        while let chunk = try merge.next() {
          try writer.append(kept(chunk))
          rows += Int64(chunk.rowCount)
          try step(Int64(chunk.rowCount), Int64(Double(chunk.rowCount) * bytesPerRow))
        }
      } else {
        let merge = ClusteredMerge(
          group.layout, keys: keys, published: key, columnCount: columns.count,
          budgetBytes: lake.options.writeBufferBytesMax, threadCount: lake.options.writeThreadCount, keep: kept
        ) { () throws(Fault) in
          var scans: [any TableScan] = []
          for file in group.files { scans.append(try scan(file)) }
          return scans
        }
        rows = try merge.run { (rows, isAgain) throws(Fault) in
          try step(isAgain ? 0 : Int64(rows), Int64(Double(rows) * bytesPerRow))
        } emit: { (run) throws(Fault) in
          try writer.append(run)
        }
      }
      guard !group.files.allSatisfy({ $0.rowCount != nil }) || rows == rowsIn else {
        throw Fault.corrupt("files of lake table \(name) have \(rows) rows, their log entries state \(rowsIn)")
      }
      return try writer.finish()
    } catch {
      writer.abandon()
      throw error
    }
  }

  /// The step of clustering that all files of a group come from: those made of them still lie where they did.
  private static func commonCluster(_ group: RewriteGroup) -> String? {
    guard let cluster = group.files.first?.cluster, group.files.allSatisfy({ $0.cluster == cluster }) else { return nil }
    return cluster
  }

  private static func rows(of chunk: Chunk, key: Int, from cutoff: Int64) -> Chunk {
    let keys = chunk.columns[key].flat()
    let values = keys.int64s
    var selected = [Int32](repeating: 0, count: chunk.rowCount)
    var count = 0
    for row in 0..<values.count {
      selected[count] = Int32(truncatingIfNeeded: row)
      count += Int(unsafeBitCast(values[row] >= cutoff, to: UInt8.self))
    }
    if count == chunk.rowCount { return chunk }
    return chunk.gather(selected.span.extracting(0..<count))
  }

  /// The columns to read and write: those that the lake has. Throws 0A000 when it has one that `schema` does not, which
  /// a rewrite would lose, or lies in a form that Cramped does not write.
  static func rewritableColumns(
    _ base: LakeSnapshot, _ schema: TableSchema, table: String
  ) throws(Fault) -> [(index: Int, column: TableColumn)] {
    guard base.partitionColumns.isEmpty, base.delta.columnMapping == .none else {
      throw Fault.unsupported(
        "rewriting files of lake table \(table), which has partition columns or a column mapping,",
        hint: "Another writer changed the table; leave its upkeep to that writer.")
    }
    let columns = DeltaTransactionBuilder.lakeColumns(schema)
    for field in base.schema?.fields ?? [] {
      let own = columns.first { $0.column.fieldID == field.fieldID && $0.column.name == field.name }
      guard let own, try DeltaType(own.column.type) == field.type else {
        throw Fault.unsupported(
          "rewriting files of lake table \(table), whose column \"\(field.name)\" is not of Cramped's making,",
          hint: "Another writer changed the table; leave its upkeep to that writer.")
      }
    }
    return columns.filter { own in base.schema?.fields.contains { $0.fieldID == own.column.fieldID } == true }
  }
}
