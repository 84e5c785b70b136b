// One column of the row group that is being written: pending rows, finished pages, statistics.
//
// The pending rows are cut into pages of `pageRowsMax` rows or about `pageByteCountMax` bytes. The first rows of a row
// group (up to `probeRows`) are held back until the encoding is chosen from them:
//
//   probing ──► dictionary ──(dictionary full)──► plain
//          ├──► delta       whole numbers whose differences are small: sequences, times, positions
//          └──► plain
//
// Subclasses hold the values: words of 32 and 64 bits, booleans, byte strings. Memory: compressed pages of the row group,
// one dictionary, and the pending rows.

import Bedrock
import Columnar
import Compression

/// What the footer and the page index say about a page.
struct PageRecord {
  let rowCount: Int
  let nullCount: Int
  /// Header and body, from the first page of the chunk.
  let byteRange: Range<Int>
  let encoding: ParquetEncoding
  let bounds: Bounds
}

class ColumnChunkWriter {
  enum Mode { case probing, dictionary, delta, plain }

  let column: ParquetColumn
  let layout: ColumnLayout
  let options: ParquetWriterOptions
  final var mode = Mode.probing
  /// One byte a pending row: 1 where it has a value. Unused for required columns.
  private final var present: [UInt8] = []
  final private(set) var pendingRows = 0

  private(set) final var pages: [UInt8] = []
  private(set) final var records: [PageRecord] = []
  private(set) final var uncompressedByteCount = 0
  /// Bytes of string values, for the size statistics.
  final var valueByteCount = 0

  static let probeRows = 65_536

  init(_ column: ParquetColumn, layout: ColumnLayout, options: ParquetWriterOptions) {
    self.column = column
    self.layout = layout
    self.options = options
  }

  // MARK: For subclasses

  /// Takes values of rows of a physical column until a page is full; returns the end of what it took.
  func take(_ column: Column, from start: Int, to end: Int) -> Int { preconditionFailure("abstract") }
  /// Chooses the mode from the pending values.
  func choose() { preconditionFailure("abstract") }
  /// How many of the pending rows make the next page (at least 1).
  func pageRows(limit: Int) -> Int { min(pendingRows, limit) }
  /// Encodes the first `valid` pending values and forgets them.
  func encode(_ valid: Int) -> (bytes: [UInt8], encoding: ParquetEncoding, bounds: Bounds) {
    preconditionFailure("abstract")
  }
  /// The dictionary page's values, if pages refer to one.
  func dictionaryPage() -> (bytes: [UInt8], count: Int)? { nil }
  /// Forgets the dictionary, for the next row group.
  func resetValues() { preconditionFailure("abstract") }

  /// Notes `rows` more pending rows, which `column` has at `start`.
  final func notePending(_ source: Column, from start: Int, to end: Int) {
    pendingRows += end - start
    if !column.isNullable { return }
    guard let validity = source.validity else {
      present.append(contentsOf: repeatElement(1, count: end - start))
      return
    }
    let words = validity.words
    var bits = present
    present = []
    bits.reserveCapacity(bits.count + end - start)
    for row in start..<end { bits.append(UInt8(truncatingIfNeeded: words[row >> 6] >> UInt64(row & 63) & 1)) }
    present = bits
  }

  /// The most rows that may be pending before something must be done.
  final var pendingRowsMax: Int { mode == .probing ? Self.probeRows : options.pageRowsMax }

  // MARK: For ParquetWriter

  /// Appends rows of a column of the declared type.
  final func append(_ source: Column, rows: Range<Int>, _ compressor: inout Compressor) throws(Fault) {
    var source = source
    if !column.isNullable && source.mayHaveNulls {
      guard source.nullCount == 0 else {
        throw Fault(.notNullViolation, "column \"\(column.name)\" of a Parquet file may not be null")
      }
      source = Column(type: source.type, count: source.count, validity: nil, form: source.form)
    }
    let physical = try layout.physicalColumn(source)
    var row = rows.lowerBound
    while row < rows.upperBound {
      row = take(physical, from: row, to: rows.upperBound)
      try settle(&compressor, final: false)
    }
  }

  /// Cuts pages while enough rows are pending, or until none is left.
  private final func settle(_ compressor: inout Compressor, final isFinal: Bool) throws(Fault) {
    if mode == .probing {
      if !isFinal && pendingRows < Self.probeRows && !isPageFull { return }
      if pendingRows > 0 { choose() }
    }
    while pendingRows > 0 && (isFinal || pendingRows >= options.pageRowsMax || isPageFull) { try cutPage(&compressor) }
  }

  /// True when the pending values are enough for a page although the rows are not.
  var isPageFull: Bool { false }

  /// Writes all pending rows into pages under the present mode.
  final func flushPending(_ compressor: inout Compressor) throws(Fault) {
    while pendingRows > 0 { try cutPage(&compressor) }
  }

  private final func cutPage(_ compressor: inout Compressor) throws(Fault) {
    let rows = pageRows(limit: options.pageRowsMax)
    precondition(rows > 0 && rows <= pendingRows)
    var body: [UInt8] = []
    var valid = rows
    if column.isNullable { valid = appendLevels(rows, to: &body) }
    let (bytes, encoding, bounds) = encode(valid)
    body.append(contentsOf: bytes)
    pendingRows -= rows
    let start = pages.count
    // Strings have no header statistics: they would repeat what the page index holds.
    let isFixed = layout.physical != .byteArray
    let statistics = column.isPersonal || !isFixed ? nil : bounds.statistics(layout, nullCount: rows - valid)
    let headerless = try Self.appendPage(
      body, dictionary: false, valueCount: rows, encoding: encoding, statistics: statistics, &compressor, to: &pages)
    uncompressedByteCount += headerless
    records.append(
      PageRecord(
        rowCount: rows, nullCount: rows - valid, byteRange: start..<pages.count, encoding: encoding, bounds: bounds))
  }

  /// Appends header and compressed body; returns the size with an uncompressed body.
  static func appendPage(
    _ body: [UInt8], dictionary: Bool, valueCount: Int, encoding: ParquetEncoding, statistics: ParquetStatistics?,
    _ compressor: inout Compressor, to output: inout [UInt8]
  ) throws(Fault) -> Int {
    guard body.count <= Limits.parquetPageBytesMax else {
      throw Fault(.programLimitExceeded, "a Parquet page of \(body.count) bytes is larger than the limit")
    }
    var compressed: [UInt8] = []
    let size = try compressor.compress(body.span.bytes, appendingTo: &compressed)
    let start = output.count
    PageHeader.write(
      dictionary: dictionary, uncompressedByteCount: body.count, compressedByteCount: size,
      crc: CRC32.checksum(compressed.span.bytes), valueCount: valueCount, encoding: encoding,
      statistics: statistics, to: &output)
    let headerByteCount = output.count - start
    output.append(contentsOf: compressed)
    return headerByteCount + body.count
  }

  /// Appends the definition levels of the first `rows` pending rows; returns how many have a value.
  private final func appendLevels(_ rows: Int, to body: inout [UInt8]) -> Int {
    var valid = 0
    let levels = present[..<rows].map { level -> UInt32 in
      valid += Int(level)
      return UInt32(level)
    }
    present.removeFirst(rows)
    var encoded: [UInt8] = []
    levels.withUnsafeBufferPointer { HybridEncoder.append($0, width: 1, to: &encoded) }
    body.append(littleEndian: UInt32(encoded.count))
    body.append(contentsOf: encoded)
    return valid
  }

  /// True when pending row `row` has a value.
  final func isPresent(_ row: Int) -> Bool { !column.isNullable || present[row] == 1 }

  /// Ends the row group: everything pending is in pages afterwards.
  final func finishRowGroup(_ compressor: inout Compressor) throws(Fault) { try settle(&compressor, final: true) }

  /// Makes room for the next row group.
  final func reset() {
    pages = []
    records = []
    uncompressedByteCount = 0
    valueByteCount = 0
    mode = .probing
    resetValues()
  }
}
