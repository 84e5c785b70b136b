// Writes Parquet files of the "open" profile: what every reader of Parquet and Delta understands.
//
//   "PAR1" | row group: per column [dictionary page] data pages | ... | column indexes | offset indexes | footer
//
// Data pages v1, PLAIN / RLE_DICTIONARY / DELTA_BINARY_PACKED, RLE levels, zstd, a CRC on every page, page index, page
// header statistics for fixed widths. No I/O: bytes are appended to an array that the caller empties into a file.
// Memory: the compressed pages of one row group, one dictionary a column, and up to 64 Ki pending rows.

package import Bedrock
package import Columnar
import Compression

/// A column of a file to write.
package struct ParquetColumn: Sendable {
  package let name: String
  package let type: DataType
  package let isNullable: Bool
  package let fieldID: Int32
  /// Personal columns get no statistics of any kind, in the file or in the summary.
  package let isPersonal: Bool

  package init(name: String, type: DataType, isNullable: Bool, fieldID: Int32, isPersonal: Bool = false) {
    self.name = name
    self.type = type
    self.isNullable = isNullable
    self.fieldID = fieldID
    self.isPersonal = isPersonal
  }
}

/// How a file is laid out.
package struct ParquetWriterOptions: Sendable {
  /// Rows of a row group.
  package var rowGroupRowsMax = 1_048_576
  /// Rows of a page: two chunks of a query, so that most chunks lie in one page.
  package var pageRowsMax = 2 * Limits.chunkRowsMax
  /// Bytes of a page before compression, for strings.
  package var pageByteCountMax = 1_048_576
  /// Bytes of a dictionary; a column with more distinct values goes on plain.
  package var dictionaryBytesMax = 16 * 1_048_576
  package var codec = ParquetCodec.zstd
  package var zstdLevel: Int32 = 3
  package var keyValues: [(key: String, value: String)] = []
  /// Columns the rows are sorted by, ascending with nulls last: indices into the columns.
  package var sortingColumns: [Int] = []

  package init() {}
}

/// What a column of a finished file holds, for the Delta log.
package struct ParquetColumnSummary: Sendable {
  /// `nil`: unknown (personal, no values, NaN). Strings over 64 bytes are cut: min is a lower, max an upper bound.
  package var min: Scalar?
  package var max: Scalar?
  package var isMinExact = true
  package var isMaxExact = true
  /// `nil` for personal columns.
  package var nullCount: Int?
}

/// What a finished file holds.
package struct ParquetFileSummary: Sendable {
  package let rowCount: Int
  package let byteCount: Int
  package let columns: [ParquetColumnSummary]
}

/// Writes one file. `append` chunks, then `finish`; after a fault the file must be thrown away.
package struct ParquetWriter: ~Copyable {
  /// Names and versions this writer in every file, in the form that other readers parse.
  package static let createdBy = "cramped version 1.0.0 (build 0)"

  package let columns: [ParquetColumn]
  package let options: ParquetWriterOptions
  private let layouts: [ColumnLayout]
  private let writers: [ColumnChunkWriter]
  private var compressor: Compressor
  private var rowGroupRows = 0
  private var rowCount = 0
  /// Bytes handed out so far.
  package private(set) var byteCount = 0
  private var groups: [WrittenRowGroup] = []
  private var totals: [ColumnTotals]

  private struct ColumnTotals {
    var bounds = Bounds()
    var nullCount = 0
  }

  /// Refuses columns whose type has no place in a flat Parquet file.
  package init(columns: [ParquetColumn], options: ParquetWriterOptions = ParquetWriterOptions()) throws(Fault) {
    precondition(!columns.isEmpty && columns.count <= Limits.parquetColumnsMax)
    precondition(options.rowGroupRowsMax > 0 && options.pageRowsMax > 0 && options.pageByteCountMax > 0)
    precondition(options.dictionaryBytesMax <= ParquetLimits.dictionaryBytesMax)
    precondition(options.sortingColumns.allSatisfy { columns.indices.contains($0) })
    self.columns = columns
    self.options = options
    var layouts: [ColumnLayout] = []
    var writers: [ColumnChunkWriter] = []
    for column in columns {
      let layout = try ColumnLayout(column)
      layouts.append(layout)
      writers.append(Self.makeWriter(column, layout, options))
    }
    self.layouts = layouts
    self.writers = writers
    totals = columns.map { _ in ColumnTotals() }
    switch options.codec {
    case .uncompressed: compressor = Compressor(.uncompressed)
    case .snappy: compressor = Compressor(.snappy)
    case .lz4Raw: compressor = Compressor(.lz4Raw)
    case .zstd: compressor = Compressor(.zstd, level: options.zstdLevel)
    case .gzip, .brotli, .lz4Hadoop: preconditionFailure("a codec that is only read")
    }
  }

  private static func makeWriter(
    _ column: ParquetColumn, _ layout: ColumnLayout, _ options: ParquetWriterOptions
  ) -> ColumnChunkWriter {
    switch layout.physical {
    case .boolean: BooleanColumnWriter(column, layout: layout, options: options)
    case .int32, .float: WordColumnWriter<UInt32>(column, layout: layout, options: options)
    case .int64, .double: WordColumnWriter<UInt64>(column, layout: layout, options: options)
    case .byteArray, .fixedLenByteArray, .int96: BytesColumnWriter(column, layout: layout, options: options)
    }
  }

  /// Bytes held for the row group in progress, for decisions about file size: about what its pages will add.
  package var pendingByteCount: Int { writers.reduce(0) { $0 + $1.pages.count } }

  /// Adds rows. Bytes appear in `output` when a row group is complete.
  /// - Parameter chunk: columns in the declared order, each of a type with the declared physical form.
  package mutating func append(_ chunk: Chunk, to output: inout [UInt8]) throws(Fault) {
    precondition(chunk.columns.count == columns.count, "a chunk has the columns of the file")
    for (column, declared) in zip(chunk.columns, columns) {
      precondition(column.type.physical == declared.type.physical, "column \(declared.name) has another physical type")
    }
    var row = 0
    while row < chunk.rowCount {
      let end = min(chunk.rowCount, row + options.rowGroupRowsMax - rowGroupRows)
      for index in writers.indices {
        try writers[index].append(chunk.columns[index], rows: row..<end, &compressor)
      }
      rowGroupRows += end - row
      row = end
      if rowGroupRows == options.rowGroupRowsMax { try finishRowGroup(to: &output) }
    }
  }

  /// Ends the row group in progress, if it has rows.
  package mutating func finishRowGroup(to output: inout [UInt8]) throws(Fault) {
    if rowGroupRows == 0 { return }
    let before = output.count
    writeMagic(to: &output)
    var chunks: [WrittenColumnChunk] = []
    for index in writers.indices {
      let position = byteCount + output.count - before
      try chunks.append(finishColumn(index, at: position, to: &output))
      writers[index].reset()
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

  private mutating func finishColumn(
    _ index: Int, at position: Int, to output: inout [UInt8]
  ) throws(Fault) -> WrittenColumnChunk {
    let writer = writers[index]
    try writer.finishRowGroup(&compressor)
    let start = output.count
    var chunk = WrittenColumnChunk(records: writer.records, uncompressedByteCount: writer.uncompressedByteCount)
    if let page = writer.dictionaryPage() {
      chunk.dictionaryOffset = position
      chunk.uncompressedByteCount += try ColumnChunkWriter.appendPage(
        page.bytes, dictionary: true, valueCount: page.count, encoding: .plain, statistics: nil, &compressor,
        to: &output)
    }
    chunk.dataOffset = position + output.count - start
    output.append(contentsOf: writer.pages)
    chunk.compressedByteCount = output.count - start
    chunk.valueByteCount = writer.valueByteCount
    for record in writer.records {
      chunk.bounds.merge(record.bounds)
      chunk.nullCount += record.nullCount
    }
    totals[index].bounds.merge(chunk.bounds)
    totals[index].nullCount += chunk.nullCount
    return chunk
  }

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
        output.append(contentsOf: columnIndex.write())
        groups[group].columns[index].columnIndexRange = (base + start)..<(base + output.count)
      }
    }
    for group in groups.indices {
      for index in columns.indices {
        let start = output.count
        output.append(contentsOf: groups[group].columns[index].offsetIndex.write())
        groups[group].columns[index].offsetIndexRange = (base + start)..<(base + output.count)
      }
    }
    let footer = FooterWriter.write(
      columns: columns, layouts: layouts, groups: groups, rowCount: rowCount, options: options)
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
    let bounds = totals[index].bounds
    summary.nullCount = totals[index].nullCount
    guard bounds.nanCount == 0, let min = bounds.min, let max = bounds.max else { return summary }
    let low = layouts[index].scalar(min, upper: false), high = layouts[index].scalar(max, upper: true)
    summary.min = low?.value
    summary.isMinExact = low?.isExact ?? false
    summary.max = high?.value
    summary.isMaxExact = high?.isExact ?? false
    return summary
  }
}

/// A finished column chunk, with what the page index and the footer say of it.
struct WrittenColumnChunk {
  let records: [PageRecord]
  var uncompressedByteCount: Int
  var compressedByteCount = 0
  var dictionaryOffset: Int?
  var dataOffset = 0
  var bounds = Bounds()
  var nullCount = 0
  var valueByteCount = 0
  var offsetIndexRange: Range<Int>?
  var columnIndexRange: Range<Int>?

  init(records: [PageRecord], uncompressedByteCount: Int) {
    self.records = records
    self.uncompressedByteCount = uncompressedByteCount
  }

  var offsetIndex: ParquetOffsetIndex {
    var row = 0
    var pages: [ParquetOffsetIndex.Page] = []
    for record in records {
      let range = (dataOffset + record.byteRange.lowerBound)..<(dataOffset + record.byteRange.upperBound)
      pages.append(ParquetOffsetIndex.Page(byteRange: range, firstRow: row))
      row += record.rowCount
    }
    return ParquetOffsetIndex(pages: pages)
  }

  /// `nil` when some page with values has no bounds: the index has no way to say so.
  func columnIndex(_ layout: ColumnLayout) -> ParquetColumnIndex? {
    var pages: [ParquetColumnIndex.Page] = []
    for record in records {
      let statistics = record.bounds.statistics(layout, nullCount: record.nullCount)
      let isAllNull = record.nullCount == record.rowCount
      if !isAllNull && (statistics.min == nil || statistics.max == nil) { return nil }
      pages.append(ParquetColumnIndex.Page(isAllNull: isAllNull, statistics: statistics))
    }
    return ParquetColumnIndex(pages: pages, order: order)
  }

  /// Null pages take no part in the order.
  private var order: ParquetColumnIndex.Order {
    var rises = true, falls = true
    var last: (min: Bound, max: Bound)?
    for record in records {
      guard let min = record.bounds.min, let max = record.bounds.max else { continue }
      if let last {
        if min < last.min || max < last.max { rises = false }
        if last.min < min || last.max < max { falls = false }
      }
      last = (min, max)
    }
    return rises ? .ascending : falls ? .descending : .unordered
  }
}

struct WrittenRowGroup {
  let rowCount: Int
  let fileOffset: Int
  var columns: [WrittenColumnChunk]
}
