// Data files of plain tables: rows in the order in which they come, in the same profile as the files of events.
//
// Names begin with the version that wrote them, so that the order of names is the order in which rows came:
//
//   part-<version, 10 digits>-<file of the transaction, 5 digits>-<uuid>.parquet
//
// A file that takes the place of another keeps the first two parts, and its rows their place.

import Bedrock
import Columnar
import DeltaFormat
import EventSchema
import ObjectStore
import ParquetFormat
import Runtime

/// Writes files of one plain table. One thread at a time.
final class ReferenceFileWriter {
  private static let outputBytesMin = 4 * 1_048_576
  private let table: LakeTable
  private let columns: [ParquetColumn]
  private let schema: DeltaSchema
  private let prefix: String
  private var gathered: [Chunk] = []
  private var gatheredBytes = 0
  /// Dictionaries whose bytes are counted.
  private var met: Set<ObjectIdentifier> = []
  private(set) var files: [LakeFile] = []

  init(table: LakeTable, columns: [TableColumn], schema: DeltaSchema, prefix: String) {
    self.table = table
    self.columns = columns.map { LakeLayout.column($0, sortKey: "") }
    self.schema = schema
    self.prefix = prefix
  }

  /// What the names of files begin with that the transaction's file number `file` after `version` has.
  static func prefix(version: Int64, file: Int) -> String {
    func padded(_ number: Int64, _ count: Int) -> String {
      let digits = String(max(0, number))
      return String(repeating: "0", count: max(0, count - digits.count)) + digits
    }
    return "part-\(padded(version, 10))-\(padded(Int64(file), 5))"
  }

  /// The first two parts of a file's name; nil for a file that somebody else wrote.
  static func prefix(of name: String) -> String? {
    let parts = name.split(separator: "-", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0] == "part", parts[1].count >= 10, parts[2].count >= 5,
      parts[1].allSatisfy(\.isNumber), parts[2].allSatisfy(\.isNumber)
    else { return nil }
    return parts[0..<3].joined(separator: "-")
  }

  func append(_ chunk: Chunk) throws(Fault) {
    precondition(chunk.columns.count == columns.count, "a chunk has the columns of its table")
    if chunk.rowCount == 0 { return }
    let options = table.lake.options
    gathered.append(chunk)
    gatheredBytes += chunk.columns.reduce(0) { $0 + GatheredRows.memoryBytes($1, &met) }
    // Rows are a few times larger than their file.
    if gatheredBytes >= min(options.writeBufferBytesMax, options.fileBytesTarget * 4) { try writeFile() }
  }

  /// Writes what is left; every file is durable under its name, and in no log entry yet.
  func finish() throws(Fault) -> [LakeFile] {
    try writeFile()
    return files
  }

  /// Removes the files, as well as it can: one that stays is in no log entry and left to vacuum.
  func abandon() {
    gathered = []
    for file in files {
      do throws(Fault) { try table.lake.store.delete(table.place.path(file.add.path)) } catch { continue }
    }
    files = []
  }

  private func writeFile() throws(Fault) {
    if gathered.isEmpty { return }
    let rows = GatheredRows(gathered, order: nil)
    gathered = []
    gatheredBytes = 0
    met = []
    let name = "\(prefix)-\(DeltaTransactionBuilder.uuid()).parquet"
    let path = try table.place.path(name)
    let summary = try write(rows, to: path)
    let add = DeltaAdd(
      path: name, size: Int64(summary.byteCount), modificationTime: table.lake.clock.nowMicros() / 1_000,
      stats: LakeLayout.statistics(summary, columns).json(schema))
    files.append(LakeFile(add: add, rowCount: Int64(summary.rowCount)))
    // Read back what readers will see before any log entry names it.
    let footer = try table.place.footers.footer(path, size: add.size)
    guard footer.rowCount == rows.rowCount && footer.leaves.count == columns.count else {
      throw Fault.bug("lake file \"\(path)\" does not read back as it was written")
    }
  }

  private func write(_ rows: GatheredRows, to path: ObjectPath) throws(Fault) -> ParquetFileSummary {
    var parquet = try ParquetWriter(columns: columns, options: LakeLayout.options(table.lake.options))
    if let encoders = table.lake.encoders { parquet.parallel = { count, body in encoders.run(count, body) } }
    let object = try table.lake.store.writer(path)
    do throws(Fault) {
      var output: [UInt8] = []
      try parquet.append(rows, to: &output)
      if output.count >= Self.outputBytesMin {
        try object.append(output)
        output.removeAll(keepingCapacity: true)
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
