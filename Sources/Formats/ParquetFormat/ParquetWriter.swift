// Writes Parquet files of the "open" profile: what every reader of Parquet and Delta understands.
//
//   "PAR1" | row group | its bloom filters | row group ... | column indexes | offset indexes | footer
//   row group: per leaf [dictionary page] data pages
//
// Data pages v1, PLAIN / RLE_DICTIONARY / DELTA_BINARY_PACKED, RLE levels, zstd, a CRC on every page, page index, page
// header statistics for fixed widths, size statistics, split-block bloom filters. No I/O: bytes are appended to an array
// that the caller empties into a file.
//
// Rows that are appended wait by reference until `batchRows` are there; then every leaf takes its part, several at a time
// when `parallel` is set. The bytes of a file do not depend on that. Memory: the compressed pages of one row group, one
// dictionary a leaf, and about `batchRows` pending rows (`heldByteCount`).

package import Bedrock
package import Columnar
import Compression

/// Writes one file. `append` rows, then `finish`; after a fault the file must be thrown away.
package struct ParquetWriter: ~Copyable {
  /// Names and versions this writer in every file, in the form that other readers parse.
  package static let createdBy = "cramped version 1.0.0 (build 0)"
  /// Rows that wait for their columns to be written together.
  private static let batchRows = 65_536

  /// Calls its second argument once with each number below the first, on any threads, and returns when all calls ended.
  package typealias Parallel = (Int, @escaping @Sendable (Int) -> Void) -> Void

  /// The leaves of the schema, in depth-first order.
  package let columns: [ParquetColumn]
  package let options: ParquetWriterOptions
  /// How the leaves of a batch are shared out; one after the other if nil.
  package var parallel: Parallel?
  private let schema: WriterSchema
  private let layouts: [ColumnLayout]
  private let leaves: Leaves
  private var waiting: [Chunk] = []
  private var waitingRows = 0
  private var rowGroupRows = 0
  private var rowCount = 0
  /// Bytes handed out so far.
  package private(set) var byteCount = 0
  private var groups: [WrittenRowGroup] = []

  /// A file of columns; arrays become lists.
  package init(columns: [ParquetColumn], options: ParquetWriterOptions = ParquetWriterOptions()) throws(Fault) {
    try self.init(schema: columns.map { .value($0) }, options: options)
  }

  /// A file of nested columns. Refuses leaves whose type has no place in a Parquet file.
  package init(schema nodes: [ParquetNode], options: ParquetWriterOptions = ParquetWriterOptions()) throws(Fault) {
    precondition(options.rowGroupRowsMax > 0 && options.pageRowsMax > 0 && options.pageByteCountMax > 0)
    precondition(options.dictionaryBytesMax <= ParquetLimits.dictionaryBytesMax)
    let schema = try WriterSchema(nodes)
    precondition(options.sortingColumns.allSatisfy { schema.columns.indices.contains($0) })
    var layouts: [ColumnLayout] = []
    var writers: [ColumnChunkWriter] = []
    for (column, shape) in zip(schema.columns, schema.shapes) {
      let layout = try ColumnLayout(column, timesAsIntegers: options.timesAsIntegers)
      layouts.append(layout)
      writers.append(Self.makeWriter(column, layout, shape, options))
    }
    self.schema = schema
    self.options = options
    columns = schema.columns
    self.layouts = layouts
    leaves = Leaves(writers, CompressorPool(options.codec, level: options.zstdLevel))
  }

  private static func makeWriter(
    _ column: ParquetColumn, _ layout: ColumnLayout, _ shape: LeafShape, _ options: ParquetWriterOptions
  ) -> ColumnChunkWriter {
    switch layout.physical {
    case .boolean: BooleanColumnWriter(column, layout: layout, shape: shape, options: options)
    case .int32, .float: WordColumnWriter<UInt32>(column, layout: layout, shape: shape, options: options)
    case .int64, .double: WordColumnWriter<UInt64>(column, layout: layout, shape: shape, options: options)
    case .byteArray, .fixedLenByteArray, .int96:
      BytesColumnWriter(column, layout: layout, shape: shape, options: options)
    }
  }

  /// Bytes held for the row group in progress, for decisions about file size: about what its pages will add.
  package var pendingByteCount: Int { leaves.writers.reduce(0) { $0 + $1.pages.count } }

  /// Bytes of memory held for the row group in progress: finished pages, pending values, dictionaries and bloom filters.
  /// Rows that wait by reference are their owner's.
  package var heldByteCount: Int { leaves.writers.reduce(0) { $0 + $1.heldByteCount } }

  // MARK: Rows

  /// Adds rows. Bytes appear in `output` when a row group is complete.
  /// - Parameter chunk: columns in the declared order, each of a type with the declared physical form.
  package mutating func append(_ chunk: Chunk, to output: inout [UInt8]) throws(Fault) {
    precondition(chunk.columns.count == columns.count, "a chunk has the columns of the file")
    if chunk.rowCount == 0 { return }
    waiting.append(chunk)
    waitingRows += chunk.rowCount
    if waitingRows >= Self.batchRows { try takeWaiting(to: &output) }
  }

  private mutating func takeWaiting(to output: inout [UInt8]) throws(Fault) {
    if waitingRows == 0 { return }
    let source = ChunkRows(waiting, rowCount: waitingRows)
    waiting = []
    waitingRows = 0
    try take(source, to: &output)
    if pendingByteCount >= options.rowGroupByteCountMax { try endRowGroup(to: &output) }
  }

  /// Adds the rows of a source, whose columns are asked for by row groups.
  package mutating func append(_ source: some ParquetRowSource, to output: inout [UInt8]) throws(Fault) {
    try takeWaiting(to: &output)
    try take(source, to: &output)
  }

  private mutating func take(_ source: some ParquetRowSource, to output: inout [UInt8]) throws(Fault) {
    var row = 0
    while row < source.rowCount {
      let rows = row..<min(source.rowCount, row + options.rowGroupRowsMax - rowGroupRows)
      let isFull = rowGroupRows + rows.count == options.rowGroupRowsMax
      let leaves = leaves
      try eachLeaf { (index) throws(Fault) in
        for part in try source.columns(index, rows: rows) { try leaves.append(part, to: index) }
        if isFull { try leaves.writers[index].finishRowGroup(leaves.compressors) }
      }
      rowGroupRows += rows.count
      row = rows.upperBound
      if isFull { try assembleRowGroup(to: &output) }
    }
  }

  /// Adds rows of a nested schema: every leaf with its levels.
  package mutating func append(
    leaves parts: [ParquetLeafRows], rowCount: Int, to output: inout [UInt8]
  ) throws(Fault) {
    precondition(parts.count == columns.count && rowGroupRows + rowCount <= options.rowGroupRowsMax)
    try takeWaiting(to: &output)
    let leaves = leaves
    try eachLeaf { (index) throws(Fault) in try leaves.writers[index].append(parts[index], leaves.compressors) }
    rowGroupRows += rowCount
    if rowGroupRows == options.rowGroupRowsMax { try finishRowGroup(to: &output) }
  }

  /// Does something with each leaf, several at a time; throws the first fault in the order of the leaves.
  private func eachLeaf(_ body: @escaping @Sendable (Int) throws(Fault) -> Void) throws(Fault) {
    let leaves = leaves
    let run: @Sendable (Int) -> Void = { place in
      let index = leaves.order[place]
      do throws(Fault) { try body(index) } catch { leaves.writers[index].fault = error }
    }
    if let parallel, columns.count > 1 {
      parallel(columns.count, run)
    } else {
      for place in columns.indices { run(place) }
    }
    for writer in leaves.writers {
      if let fault = writer.fault { throw fault }
    }
  }

  // MARK: Row groups

  /// Ends the row group in progress, if it has rows.
  package mutating func finishRowGroup(to output: inout [UInt8]) throws(Fault) {
    try takeWaiting(to: &output)
    try endRowGroup(to: &output)
  }

  private mutating func endRowGroup(to output: inout [UInt8]) throws(Fault) {
    if rowGroupRows == 0 { return }
    let leaves = leaves
    try eachLeaf { (index) throws(Fault) in try leaves.writers[index].finishRowGroup(leaves.compressors) }
    try assembleRowGroup(to: &output)
  }

  private mutating func assembleRowGroup(to output: inout [UInt8]) throws(Fault) {
    let before = output.count
    writeMagic(to: &output)
    let base = byteCount - before
    var chunks: [WrittenColumnChunk] = []
    for writer in leaves.writers {
      var chunk = WrittenColumnChunk(records: writer.records, uncompressedByteCount: writer.uncompressedByteCount)
      precondition(chunk.records.reduce(0) { $0 + $1.rowCount } == rowGroupRows, "every leaf has every row")
      let start = output.count
      if !writer.dictionaryBytes.isEmpty { chunk.dictionaryOffset = base + start }
      output.append(contentsOf: writer.dictionaryBytes)
      chunk.dataOffset = base + output.count
      output.append(contentsOf: writer.pages)
      chunk.compressedByteCount = output.count - start
      chunks.append(chunk)
    }
    for (index, writer) in leaves.writers.enumerated() {
      if !writer.bloomFilterBytes.isEmpty {
        let start = base + output.count
        output.append(contentsOf: writer.bloomFilterBytes)
        chunks[index].bloomFilterRange = start..<(base + output.count)
      }
      writer.reset()
    }
    let first = chunks[0].dictionaryOffset ?? chunks[0].dataOffset
    groups.append(WrittenRowGroup(rowCount: rowGroupRows, fileOffset: first, columns: chunks))
    byteCount += output.count - before
    rowCount += rowGroupRows
    rowGroupRows = 0
  }

  private mutating func writeMagic(to output: inout [UInt8]) {
    if byteCount == 0 { output.append(contentsOf: ParquetFooter.magic) }
  }

  // MARK: The end

  /// Ends the file: the rest of the rows, the page index and the footer. The writer is used up.
  package mutating func finish(to output: inout [UInt8]) throws(Fault) -> ParquetFileSummary {
    try finishRowGroup(to: &output)
    let before = output.count
    writeMagic(to: &output)
    let base = byteCount - before
    for group in groups.indices {
      for index in columns.indices where !columns[index].isPersonal {
        guard let columnIndex = groups[group].columns[index].columnIndex(layouts[index]) else { continue }
        let start = output.count
        output.append(contentsOf: columnIndex)
        groups[group].columns[index].columnIndexRange = (base + start)..<(base + output.count)
      }
    }
    for group in groups.indices {
      for index in columns.indices {
        let start = output.count
        let hasSizes = layouts[index].physical == .byteArray && !columns[index].isPersonal
        output.append(contentsOf: groups[group].columns[index].offsetIndex(hasSizes: hasSizes))
        groups[group].columns[index].offsetIndexRange = (base + start)..<(base + output.count)
      }
    }
    let footer = FooterWriter.write(
      schema: schema, layouts: layouts, groups: groups, rowCount: rowCount, options: options)
    output.append(contentsOf: footer)
    output.append(littleEndian: UInt32(footer.count))
    output.append(contentsOf: ParquetFooter.magic)
    byteCount += output.count - before
    var summaries: [ParquetColumnSummary] = []
    for index in columns.indices { summaries.append(summary(index)) }
    return ParquetFileSummary(rowCount: rowCount, byteCount: byteCount, columns: summaries)
  }

  private func summary(_ index: Int) -> ParquetColumnSummary {
    var summary = ParquetColumnSummary()
    if columns[index].isPersonal { return summary }
    var bounds = Bounds(), nullCount = 0
    for group in groups {
      bounds.merge(group.columns[index].bounds)
      nullCount += group.columns[index].nullCount
    }
    summary.nullCount = nullCount
    guard bounds.nanCount == 0, let min = bounds.min, let max = bounds.max else { return summary }
    let low = layouts[index].scalar(min, upper: false), high = layouts[index].scalar(max, upper: true)
    summary.min = low?.value
    summary.isMinExact = low?.isExact ?? false
    summary.max = high?.value
    summary.isMaxExact = high?.isExact ?? false
    return summary
  }
}

/// The column writers of a file.
// unchecked Sendable because each writer is with one thread at a time: `eachLeaf` hands out an index once and waits.
private final class Leaves: @unchecked Sendable {
  let writers: [ColumnChunkWriter]
  let compressors: CompressorPool
  /// Indices with the leaves that take long in front, so that no thread begins one when the others are done.
  let order: [Int]

  init(_ writers: [ColumnChunkWriter], _ compressors: CompressorPool) {
    self.writers = writers
    self.compressors = compressors
    let byWork = writers.indices.sorted { Self.work(writers[$0]) > Self.work(writers[$1]) }
    order = byWork
  }

  private static func work(_ writer: ColumnChunkWriter) -> Int {
    switch writer.layout.physical {
    case .byteArray, .fixedLenByteArray, .int96: 3
    case .int64, .double: 2
    case .int32, .float: 1
    case .boolean: 0
    }
  }

  /// Appends a column of a flat schema, or of one with arrays.
  func append(_ column: Column, to index: Int) throws(Fault) {
    let writer = writers[index]
    if writer.shape.isFlat {
      precondition(
        column.type.physical == writer.column.type.physical, "column \(writer.column.name) has another physical type")
      return try writer.append(column, compressors)
    }
    precondition(writer.shape.maxRepetition == 1 && column.type.physical == .list, "a column of a nested schema")
    let isNullable = writer.shape.maxDefinition == 3
    guard isNullable || column.nullCount == 0 else {
      throw Fault(.notNullViolation, "column \"\(writer.shape.path[0])\" of a Parquet file may not be null")
    }
    try writer.append(ParquetLeafRows(array: column, isNullable: isNullable), compressors)
  }
}

/// Chunks that wait for their columns to be written.
private struct ChunkRows: ParquetRowSource {
  let chunks: [Chunk]
  let rowCount: Int

  init(_ chunks: [Chunk], rowCount: Int) {
    self.chunks = chunks
    self.rowCount = rowCount
  }

  func columns(_ index: Int, rows: Range<Int>) throws(Fault) -> [Column] {
    var parts: [Column] = []
    var first = 0
    for chunk in chunks {
      let overlap = rows.clamped(to: first..<(first + chunk.rowCount))
      if !overlap.isEmpty {
        parts.append(chunk.columns[index].slice((overlap.lowerBound - first)..<(overlap.upperBound - first)))
      }
      first += chunk.rowCount
    }
    return parts
  }
}
