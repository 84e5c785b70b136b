// Writes the rows of a flush as data files: gathers chunks, lays them out by the clustering of the table, writes one
// Parquet file, publishes it durably, and begins the next.
//
//   append ──► gathered chunks ──(estimated file size reached, or budget)──► order ──► columns, in parallel ──► file
//
// The order of rows with equal keys is the order they came in, so with rows in log order equal inputs give files of equal
// content. Names are random: a file of an attempt that failed is never taken for one of the next.
//
// Memory: `writeBufferBytesMax` for gathered rows and what their order and encoding take (RowGathering), whatever the
// number of rows appended; while a file is written also the compressed pages of a row group. A file that would need more
// than the budget ends early: every file is sorted by itself, and compaction joins them.

package import Bedrock
package import Columnar
import DeltaFormat
import EventSchema
import ObjectStore
import ParquetFormat
import Runtime

/// Writes data files of one table. One thread at a time. Dropped before `finish`, it removes what it wrote.
package final class LakeWriter {
  /// Bytes handed to the store at once.
  private static let outputBytesMin = 4 * 1_048_576
  /// Bytes of a file for each byte of gathered rows, before the first file tells.
  private static let ratioAtFirst = 0.2

  /// The columns a chunk must have, as indices into the columns of the schema: all but `_hash`.
  package let columns: [Int]
  private let table: LakeTable
  private let deltaSchema: DeltaSchema
  private let parquetColumns: [ParquetColumn]
  private let clustering: LakeClustering
  /// Places of the clustering keys among the columns.
  private let keys: [Int]
  private var gathered: RowGathering
  /// The most memory that was accounted for at once.
  private(set) var budgetBytesUsedMax = 0
  private var ratio = LakeWriter.ratioAtFirst
  private var files: [LakeFile] = []
  private var isDone = false

  /// - Parameter clustering: the layout of the files; that of the table if nil. Throws 42703, 42P15 for keys that cannot be.
  init(table: LakeTable, schema: TableSchema, clustering: LakeClustering? = nil) throws(Fault) {
    let lakeColumns = DeltaTransactionBuilder.lakeColumns(schema)
    precondition(lakeColumns[SystemColumn.published].column.type == .timestamptz, "files are sorted by published")
    self.table = table
    columns = lakeColumns.map(\.index)
    deltaSchema = try DeltaTransactionBuilder.schema(nil, adding: schema)
    let clustering = clustering ?? table.layout(of: schema).clustering
    self.clustering = clustering
    keys = try clustering.keys(lakeColumns.map(\.column))
    let sortKey = lakeColumns[keys.count == 1 ? keys[0] : SystemColumn.published].column.name
    parquetColumns = lakeColumns.map { LakeLayout.column($0.column, sortKey: sortKey) }
    gathered = RowGathering(columnCount: lakeColumns.count, threadCount: table.lake.options.writeThreadCount)
  }

  deinit { abandon() }

  /// Rows so far, written or gathered.
  package var rowCount: Int64 { files.reduce(0) { $0 + $1.rowCount } + Int64(gathered.rowCount) }

  /// Adds rows: a chunk with exactly the columns `columns`. Writes a file when the target size, or the budget, is reached.
  package func append(_ chunk: Chunk) throws(Fault) {
    precondition(!isDone, "a finished writer takes no rows")
    precondition(chunk.columns.count == columns.count, "a chunk has the columns of the writer")
    if chunk.rowCount == 0 { return }
    let options = table.lake.options
    let budget = options.writeBufferBytesMax
    for rows in RowGathering.parts(of: chunk, budget: budget, threadCount: options.writeThreadCount) {
      if !gathered.isEmpty && !gathered.hasRoom(for: rows, budget: budget) { try writeFile() }
      gathered.append(rows)
      budgetBytesUsedMax = max(budgetBytesUsedMax, gathered.budgetBytes)
      if Double(gathered.heldBytes) * ratio >= Double(options.fileBytesTarget) { try writeFile() }
    }
  }

  /// Writes what is left. Every file returned is durable under its name, but in no log entry yet. The files are now the
  /// caller's, to commit; the writer is used up.
  package func finish() throws(Fault) -> [LakeFile] {
    precondition(!isDone, "a writer is finished once")
    try writeFile()
    isDone = true
    return files
  }

  /// Removes the files written so far, as well as it can: one that stays is in no log entry and harmless.
  package func abandon() {
    if isDone { return }
    isDone = true
    gathered.removeAll()
    for file in files {
      do throws(Fault) { try table.lake.store.delete(table.place.path(file.add.path)) } catch { continue }
    }
  }

  // MARK: One file

  private func writeFile() throws(Fault) {
    if gathered.isEmpty { return }
    let bytes = gathered.heldBytes
    let rows = laidOut()
    gathered.removeAll()
    let name = "part-\(DeltaTransactionBuilder.uuid()).parquet"
    let path = try table.place.path(name)
    let summary = try write(rows, to: path)
    FaultPoint.pass("lake.file_published")
    // A small file says little about large ones: its footer weighs as much as its rows.
    if summary.byteCount > 1_048_576 { ratio = Double(summary.byteCount) / Double(max(bytes, 1)) }
    let add = DeltaAdd(
      path: name, size: Int64(summary.byteCount), modificationTime: table.lake.clock.nowMicros() / 1_000,
      stats: LakeLayout.statistics(summary, parquetColumns).json(deltaSchema), tags: clustering.tags())
    files.append(LakeFile(add: add, rowCount: Int64(summary.rowCount)))
    // Read back what readers will see before any log entry names it.
    let footer = try table.lake.footers.footer(path, size: add.size)
    guard footer.rowCount == rows.rowCount && footer.leaves.count == columns.count else {
      throw Fault.bug("lake file \"\(path)\" does not read back as it was written")
    }
  }

  /// The gathered rows in the order of the clustering.
  private func laidOut() -> GatheredRows {
    let chunks = gathered.chunks
    let order = clustering.order(keys, published: SystemColumn.published, rowCount: gathered.rowCount) { index in GatheredRows.joined(chunks.map { $0.columns[index] }) }
    return GatheredRows(chunks, order: order)
  }

  private func write(_ rows: GatheredRows, to path: ObjectPath) throws(Fault) -> ParquetFileSummary {
    var options = LakeLayout.options(table.lake.options)
    // Rows along a curve are sorted by nothing that Parquet can name.
    if keys.count < 2 { options.sortingColumns = keys + [SystemColumn.published] }
    var parquet = try ParquetWriter(columns: parquetColumns, options: options)
    if let encoders = table.lake.encoders { parquet.parallel = { count, body in encoders.run(count, body) } }
    let object = try table.lake.store.writer(path)
    do throws(Fault) {
      var output: [UInt8] = []
      // One row group at a time, so that no more than its bytes wait for the store.
      var row = 0
      while row < rows.rowCount {
        let end = min(rows.rowCount, row + options.rowGroupRowsMax)
        try parquet.append(RowRange(rows: rows, range: row..<end), to: &output)
        row = end
        if output.count >= Self.outputBytesMin {
          try object.append(output)
          output.removeAll(keepingCapacity: true)
        }
      }
      let summary = try parquet.finish(to: &output)
      try object.append(output)
      guard object.byteCount == Int64(summary.byteCount), summary.rowCount == rows.rowCount else {
        throw Fault.bug("lake file \"\(path)\" has other bytes or rows than its writer counted")
      }
      try object.publish()
      return summary
    } catch {
      object.abandon()
      throw error
    }
  }
}

/// Some rows of the gathered ones.
struct RowRange: ParquetRowSource {
  let rows: GatheredRows
  let range: Range<Int>
  var rowCount: Int { range.count }

  func columns(_ index: Int, rows part: Range<Int>) throws(Fault) -> [Column] {
    try rows.columns(index, rows: (range.lowerBound + part.lowerBound)..<(range.lowerBound + part.upperBound))
  }
}
