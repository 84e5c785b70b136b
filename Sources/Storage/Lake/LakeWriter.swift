// Writes the rows of a flush as data files: gathers chunks up to the target size, sorts them by `published`, writes one
// Parquet file, publishes it durably, and begins the next.
//
// The order of rows with equal `published` is the order they came in, so with rows in log order equal inputs give files
// of equal content. Names are random: a file of an attempt that failed is never taken for one of the next.

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
  /// Bytes of gathered rows before compression at most, so that offsets stay far inside 31 bits.
  private static let gatheredBytesMax = 512 * 1_048_576

  /// The columns a chunk must have, as indices into the columns of the schema: all but `_hash`.
  package let columns: [Int]
  private let table: LakeTable
  private let deltaSchema: DeltaSchema
  private let parquetColumns: [ParquetColumn]
  private var gathered: [Chunk] = []
  private var gatheredBytes = 0
  private var files: [LakeFile] = []
  private var isDone = false

  init(table: LakeTable, schema: TableSchema) throws(Fault) {
    let lakeColumns = DeltaTransactionBuilder.lakeColumns(schema)
    precondition(lakeColumns[SystemColumn.published].column.type == .timestamptz, "files are sorted by published")
    self.table = table
    columns = lakeColumns.map(\.index)
    deltaSchema = try DeltaTransactionBuilder.schema(nil, adding: schema)
    parquetColumns = lakeColumns.map { _, column in
      ParquetColumn(
        name: column.name, type: column.type, isNullable: column.isNullable, fieldID: column.fieldID,
        isPersonal: column.isPersonal)
    }
  }

  deinit { abandon() }

  /// Rows so far, written or gathered.
  package var rowCount: Int64 {
    files.reduce(0) { $0 + $1.rowCount } + gathered.reduce(0) { $0 + Int64($1.rowCount) }
  }

  /// Adds rows: a chunk with exactly the columns `columns`. Writes a file when the target size is reached.
  package func append(_ chunk: Chunk) throws(Fault) {
    precondition(!isDone, "a finished writer takes no rows")
    precondition(chunk.columns.count == columns.count, "a chunk has the columns of the writer")
    if chunk.rowCount == 0 { return }
    let bytes = chunk.columns.reduce(0) { $0 + Self.flatBytes($1) }
    if gatheredBytes + bytes > Self.gatheredBytesMax { try writeFile() }
    gathered.append(chunk)
    gatheredBytes += bytes
    if gatheredBytes >= table.lake.options.fileBytesTarget { try writeFile() }
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
    gathered = []
    for file in files {
      do throws(Fault) { try table.lake.store.delete(table.folder.appending(file.add.path)) } catch { continue }
    }
  }

  // MARK: One file

  private func writeFile() throws(Fault) {
    if gathered.isEmpty { return }
    let rows = Self.sorted(Chunk.concatenate(gathered))
    gathered = []
    gatheredBytes = 0
    let name = "part-\(DeltaTransactionBuilder.uuid()).parquet"
    let path = try table.folder.appending(name)
    let summary = try write(rows, to: path)
    FaultPoint.pass("lake.file_published")
    let add = DeltaAdd(
      path: name, size: Int64(summary.byteCount), modificationTime: table.lake.clock.nowMicros() / 1_000,
      stats: statistics(summary).json(deltaSchema))
    files.append(LakeFile(add: add, rowCount: Int64(summary.rowCount)))
    // Read back what readers will see before any log entry names it.
    let footer = try table.lake.footers.footer(path, size: add.size)
    guard footer.rowCount == rows.rowCount && footer.leaves.count == columns.count else {
      throw Fault.bug("lake file \"\(path)\" does not read back as it was written")
    }
  }

  private func write(_ rows: Chunk, to path: ObjectPath) throws(Fault) -> ParquetFileSummary {
    var options = ParquetWriterOptions()
    options.rowGroupRowsMax = table.lake.options.rowGroupRowsMax
    options.sortingColumns = [SystemColumn.published]
    var parquet = try ParquetWriter(columns: parquetColumns, options: options)
    let object = try table.lake.store.writer(path)
    do throws(Fault) {
      var output: [UInt8] = []
      var row = 0
      while row < rows.rowCount {
        let end = min(rows.rowCount, row + options.rowGroupRowsMax)
        try parquet.append(rows.slice(row..<end), to: &output)
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

  /// The rows in the order of `published`.
  private static func sorted(_ rows: Chunk) -> Chunk {
    let published = rows.columns[SystemColumn.published].flat()
    guard let order = RadixSort.order(published.int64s) else { return rows }
    return rows.gather(order.span)
  }

  private func statistics(_ summary: ParquetFileSummary) -> DeltaStatistics {
    var statistics = DeltaStatistics(numRecords: Int64(summary.rowCount))
    for (column, known) in zip(parquetColumns, summary.columns) where !column.isPersonal {
      statistics.columns[column.name] = DeltaColumnStatistics(
        min: known.min, max: known.max, nullCount: known.nullCount.map { Int64($0) })
    }
    return statistics
  }

  /// Bytes of the column once it is flat.
  private static func flatBytes(_ column: Column) -> Int {
    switch column.form {
    case .fixed, .list: return column.count * (column.type.physical.width ?? 16)
    case .bytes: return column.count * 4 + Int(column.offsets[column.count])
    case .constant(let one): return flatBytes(one) * column.count
    case .dictionary(_, let dictionary):
      let values = dictionary.values
      guard case .bytes = values.form else { return column.count * (column.type.physical.width ?? 16) }
      let codes = column.codes, offsets = values.offsets
      var bytes = column.count * 4
      if dictionary.count == 0 { return bytes }
      for row in 0..<codes.count {
        let code = Int(codes[row])
        bytes += Int(offsets[code + 1] - offsets[code])
      }
      return bytes
    }
  }
}
