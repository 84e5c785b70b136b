// Writes merged rows straight into data files: rows come in the order they shall lie in, as chunks or as sorted runs, so
// nothing is gathered. What is held is what ParquetWriter holds: the pages of one row group.

import Bedrock
import Columnar
import DeltaFormat
import EventSchema
import ObjectStore
import ParquetFormat
import Runtime

/// One thread at a time. Dropped before `finish`, it removes what it wrote.
final class CompactionWriter {
  /// Bytes handed to the store at once.
  private static let outputBytesMin = 4 * 1_048_576

  private let table: LakeTable
  private let deltaSchema: DeltaSchema
  private let columns: [ParquetColumn]
  private let options: ParquetWriterOptions
  /// Bytes at which the next file begins.
  private let fileBytesMax: Int64
  /// What a row takes as stored, as far as the source files tell.
  private let bytesPerRow: Double
  private let tags: [String: String?]
  private var current: CompactionFile?
  private var files: [LakeFile] = []
  private var isDone = false

  /// - Parameters:
  ///   - sortingColumns: by which rows are sorted; none for rows along a curve.
  ///   - tags: of each file's log entry.
  init(
    table: LakeTable, columns: [TableColumn], deltaSchema: DeltaSchema, sortingColumns: [Int], fileBytesMax: Int64,
    bytesPerRow: Double, tags: [String: String?]
  ) {
    precondition(fileBytesMax > 0 && bytesPerRow >= 0)
    self.table = table
    self.deltaSchema = deltaSchema
    let sortKey = sortingColumns.first.map { columns[$0].name } ?? ""
    self.columns = columns.map { LakeLayout.column($0, sortKey: sortKey) }
    var options = LakeLayout.options(table.lake.options)
    options.sortingColumns = sortingColumns
    self.options = options
    self.tags = tags
    self.fileBytesMax = fileBytesMax
    self.bytesPerRow = bytesPerRow
  }

  deinit { abandon() }

  func append(_ chunk: Chunk) throws(Fault) {
    precondition(!isDone, "a finished writer takes no rows")
    if chunk.rowCount == 0 { return }
    let file = try openFile()
    try file.append(chunk, outputBytesMin: Self.outputBytesMin)
    if file.estimatedBytes(bytesPerRow: bytesPerRow) >= Double(fileBytesMax) { try endFile() }
  }

  /// A sorted run, which is cut where a file is full.
  func append(_ rows: GatheredRows) throws(Fault) {
    precondition(!isDone, "a finished writer takes no rows")
    let fileRowsMax = bytesPerRow > 0 ? max(1, Double(fileBytesMax) / bytesPerRow) : Double(Int32.max)
    var row = 0
    while row < rows.rowCount {
      let file = try openFile()
      let room = max(1, Int(min(fileRowsMax, Double(Int32.max))) - file.rowCount)
      let end = min(rows.rowCount, row + min(room, options.rowGroupRowsMax))
      try file.append(RowRange(rows: rows, range: row..<end), outputBytesMin: Self.outputBytesMin)
      row = end
      if file.estimatedBytes(bytesPerRow: bytesPerRow) >= Double(fileBytesMax) { try endFile() }
    }
  }

  private func openFile() throws(Fault) -> CompactionFile {
    if let current { return current }
    let name = "part-\(DeltaTransactionBuilder.uuid()).parquet"
    let file = try CompactionFile(
      name: name, path: table.place.path(name), columns, options, table.lake.store, table.lake.encoders)
    current = file
    return file
  }

  /// Every file returned is durable under its name, but in no log entry yet.
  func finish() throws(Fault) -> [LakeFile] {
    precondition(!isDone, "a writer is finished once")
    try endFile()
    isDone = true
    return files
  }

  /// Removes what was written, as well as it can: a file that stays is in no log entry and left to vacuum.
  func abandon() {
    if isDone { return }
    isDone = true
    current?.abandon()
    current = nil
    for file in files {
      do throws(Fault) { try table.lake.store.delete(table.place.path(file.add.path)) } catch { continue }
    }
  }

  private func endFile() throws(Fault) {
    guard let file = current else { return }
    current = nil
    let summary = try file.finish()
    FaultPoint.pass("compact.file_published")
    let add = DeltaAdd(
      path: file.name, size: Int64(summary.byteCount), modificationTime: table.lake.clock.nowMicros() / 1_000,
      dataChange: false, stats: LakeLayout.statistics(summary, columns).json(deltaSchema), tags: tags)
    files.append(LakeFile(add: add, rowCount: Int64(summary.rowCount)))
    // Read back what readers will see before any log entry names it.
    let footer = try table.lake.footers.footer(file.path, size: add.size)
    guard footer.rowCount == summary.rowCount && footer.leaves.count == columns.count else {
      throw Fault.bug("lake file \"\(file.path)\" does not read back as it was written")
    }
  }
}

/// One file being written.
private final class CompactionFile {
  let name: String
  let path: ObjectPath
  private var parquet: ParquetWriter
  private let object: any ObjectWriter
  private var output: [UInt8] = []
  private(set) var rowCount = 0
  /// Bytes of rows that the Parquet writer may not have encoded yet.
  private var waitingBytes = 0
  private var isOpen = true

  init(
    name: String, path: ObjectPath, _ columns: [ParquetColumn], _ options: ParquetWriterOptions,
    _ store: any ObjectStore, _ encoders: WorkTeam?
  ) throws(Fault) {
    self.name = name
    self.path = path
    parquet = try ParquetWriter(columns: columns, options: options)
    if let encoders { parquet.parallel = { count, body in encoders.run(count, body) } }
    object = try store.writer(path)
  }

  deinit { abandon() }

  func append(_ chunk: Chunk, outputBytesMin: Int) throws(Fault) {
    try parquet.append(chunk, to: &output)
    rowCount += chunk.rowCount
    // The Parquet writer collects rows before it encodes them, by their number: wide ones must not pile up.
    var met: Set<ObjectIdentifier> = []
    waitingBytes += chunk.columns.reduce(0) { $0 + GatheredRows.memoryBytes($1, &met) }
    if waitingBytes >= outputBytesMin {
      try parquet.append(GatheredRows([], order: nil), to: &output)
      waitingBytes = 0
    }
    try send(outputBytesMin)
  }

  func append(_ rows: RowRange, outputBytesMin: Int) throws(Fault) {
    try parquet.append(rows, to: &output)
    rowCount += rows.rowCount
    try send(outputBytesMin)
  }

  private func send(_ outputBytesMin: Int) throws(Fault) {
    if output.count >= outputBytesMin {
      try object.append(output)
      output.removeAll(keepingCapacity: true)
    }
  }

  /// Bytes written and, for rows whose pages are still open, what such rows took in the files they come from.
  func estimatedBytes(bytesPerRow: Double) -> Double {
    max(Double(parquet.byteCount), Double(rowCount) * bytesPerRow)
  }

  func finish() throws(Fault) -> ParquetFileSummary {
    let summary = try parquet.finish(to: &output)
    try object.append(output)
    guard object.byteCount == Int64(summary.byteCount), summary.rowCount == rowCount else {
      throw Fault.bug("lake file \"\(path)\" has other bytes or rows than its writer counted")
    }
    try object.publish()
    isOpen = false
    return summary
  }

  func abandon() {
    if isOpen { object.abandon() }
    isOpen = false
  }
}
