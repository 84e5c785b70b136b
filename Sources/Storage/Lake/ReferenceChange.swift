// The next version of a plain table: copy-on-write.
//
//   append   rows go to new files
//   remove   a bit for each row of the files that are hit; `finish` writes what is left of such a file anew
//
// Only files with a removed row are written again.

import Bedrock
import Columnar
import DeltaFormat
import EventSchema
import ObjectStore
import ParquetFormat
import StorageContract

final class ReferenceChange: ReferenceTableChange {
  /// The removed rows of one file.
  private struct Removed {
    var words: [UInt64]
    var count = 0
  }
  private let before: ReferenceVersion
  private let writer: ReferenceFileWriter
  private var removed: [Int: Removed] = [:]
  private var isEmptied = false
  private var isDone = false
  private var rewriters: [ReferenceFileWriter] = []

  init(_ before: ReferenceVersion) throws(Fault) {
    guard before.base.partitionColumns.isEmpty, before.base.delta.columnMapping == .none else {
      throw Fault.unsupported("writing to a table that another engine gave partitions or a column mapping")
    }
    self.before = before
    writer = ReferenceFileWriter(
      table: before.table, columns: before.definition.columns, schema: before.schema,
      prefix: ReferenceFileWriter.prefix(version: before.base.version + 1, file: before.added.count))
  }

  deinit { abandon() }

  func append(_ chunk: Chunk) throws(Fault) {
    precondition(!isDone)
    try writer.append(chunk)
  }

  func remove(_ addresses: Column) throws(Fault) -> [Int32] {
    precondition(!isDone && addresses.type == .int8)
    let column = addresses.flat()
    precondition(column.nullCount == 0, "every row has an address")
    let values = column.int64s
    var fresh: [Int32] = []
    fresh.reserveCapacity(values.count)
    let mask = Int64(1) << Int64(ReferenceVersion.rowBits) - 1
    var row = 0
    while row < values.count {
      // Rows come file by file, mostly: the bits of a file are looked up once for each run.
      let file = Int(values[row] >> Int64(ReferenceVersion.rowBits))
      guard before.files.indices.contains(file) else { throw Fault.bug("an address of another version") }
      var bits: Removed
      if let known = removed.removeValue(forKey: file) { bits = known } else { bits = try none(of: before.files[file]) }
      while row < values.count, Int(values[row] >> Int64(ReferenceVersion.rowBits)) == file {
        let place = Int(values[row] & mask)
        let word = place >> 6, bit = UInt64(1) << UInt64(place & 63)
        guard word < bits.words.count else { throw Fault.bug("an address behind the end of its file") }
        if bits.words[word] & bit == 0 {
          bits.words[word] |= bit
          bits.count += 1
          fresh.append(Int32(truncatingIfNeeded: row))
        }
        row += 1
      }
      removed[file] = bits
    }
    return fresh
  }

  private func none(of file: LakeDataFile) throws(Fault) -> Removed {
    let rows = try before.table.place.footers.footer(file.path, size: file.add.size).rowCount
    return Removed(words: [UInt64](repeating: 0, count: (rows + 63) / 64))
  }

  func removeAll() throws(Fault) {
    precondition(!isDone)
    isEmptied = true
  }

  func abandon() {
    if isDone { return }
    isDone = true
    writer.abandon()
    for writer in rewriters { writer.abandon() }
  }

  // MARK: The version that comes of it

  func finish() throws(Fault) -> any ReferenceTableVersion {
    precondition(!isDone)
    var written = try writer.finish()
    let hit = isEmptied ? Array(before.files.indices) : removed.keys.sorted()
    if !isEmptied {
      for file in hit { written += try rewrite(before.files[file], without: removed[file]?.words ?? []) }
    }
    isDone = true
    if hit.isEmpty && written.isEmpty { return before }
    let gone = Set(hit.map { before.files[$0].add.key })
    let reader = LakeFileReader(delta: DeltaSnapshot(), schema: before.schema, place: before.table.place)
    var files = before.files.filter { !gone.contains($0.add.key) }
    for file in written { files.append(try reader.file(file.add)) }
    let uncommitted = Set(before.added.map(\.add.key))
    return ReferenceVersion(
      after: before, files: files, added: before.added.filter { !gone.contains($0.add.key) } + written,
      removed: before.removed + hit.map { before.files[$0] }.filter { !uncommitted.contains($0.add.key) })
  }

  private func rewrite(_ file: LakeDataFile, without words: [UInt64]) throws(Fault) -> [LakeFile] {
    let columns = before.definition.columns
    let writer = ReferenceFileWriter(
      table: before.table, columns: columns, schema: before.schema,
      prefix: ReferenceFileWriter.prefix(of: file.path.name)
        ?? ReferenceFileWriter.prefix(version: 0, file: 0))
    rewriters.append(writer)
    let scan = try LakeScan(
      snapshot: before.base, request: ScanRequest(table: before.definition.id, columns: Array(columns.indices)),
      columns: columns, files: [file])
    var first = 0
    for morsel in 0..<scan.morselCount {
      let reader = try scan.open(morsel: morsel)
      while let chunk = try reader.next() {
        var kept: [Int32] = []
        kept.reserveCapacity(chunk.rowCount)
        for row in 0..<chunk.rowCount {
          let place = first + row
          if words[place >> 6] >> UInt64(place & 63) & 1 == 0 { kept.append(Int32(truncatingIfNeeded: row)) }
        }
        first += chunk.rowCount
        try writer.append(kept.count == chunk.rowCount ? chunk : chunk.gather(kept.span))
      }
    }
    return try writer.finish()
  }
}
