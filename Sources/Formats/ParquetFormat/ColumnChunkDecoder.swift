// Reads one column chunk forward, in runs of rows: decode some, skip some. The decoders of several columns of a row group
// advance in step, each at its own pages.
//
//   bytes of the chunk:   [dictionary page] data page, data page, ...      each with its thrift header and CRC
//
// Skipping whole pages reads their headers only. With an offset index, pages may even be absent from the bytes given:
// the caller fetches only the pages whose rows it wants and skips the others.

package import Bedrock
package import Columnar
import Compression

/// A forward cursor over the rows of one column chunk. Not for two threads at once.
package final class ColumnChunkDecoder {
  package let leaf: ParquetLeaf
  /// The SQL type of the columns it returns.
  package let type: DataType
  /// Rows not yet decoded or skipped.
  package private(set) var rowsRemaining: Int

  private let chunk: ParquetColumnChunk
  private let codec: Codec
  private let conversion: Conversion
  private let pieces: [ParquetPiece]
  private let index: ParquetOffsetIndex?
  private var decompressor = Decompressor()
  /// File offset of the next page header.
  private var offset: Int
  private var nextPage = 0
  private var page: PageDecoder?
  /// Rows of a page that was announced but not loaded.
  private var pending: (header: PageHeader, body: Range<Int>, piece: ParquetPiece)?
  private var dictionary: ColumnDictionary?
  private var longestEntry = 0
  private var hasSeenDictionary = false

  /// The SQL type that a leaf has of itself.
  package static func naturalType(of leaf: ParquetLeaf) -> DataType { Conversion.naturalType(leaf) }

  /// - Parameters:
  ///   - type: what to return; `nil`: the natural type of the leaf. Widening types are converted, others are refused.
  ///   - bytes: the bytes `chunk.byteRange` of the file.
  package convenience init(
    leaf: ParquetLeaf, chunk: ParquetColumnChunk, as type: DataType? = nil, bytes: Buffer
  ) throws(Fault) {
    let piece = ParquetPiece(fileOffset: chunk.byteRange.lowerBound, bytes: bytes)
    try self.init(leaf: leaf, chunk: chunk, as: type, pieces: [piece], index: nil)
    guard bytes.byteCount == chunk.byteRange.count else {
      throw Fault.bug("a column chunk of \(chunk.byteRange.count) bytes was given as \(bytes.byteCount)")
    }
  }

  /// Reads parts of a chunk: `pieces` hold the dictionary page (everything before the first data page) and those data
  /// pages that will be decoded; rows of the others must be skipped.
  package init(
    leaf: ParquetLeaf, chunk: ParquetColumnChunk, as type: DataType? = nil, pieces: [ParquetPiece],
    index: ParquetOffsetIndex?
  ) throws(Fault) {
    guard leaf.isPlain else { throw Fault.unsupported("the nested Parquet column \(leaf.path.joined(separator: "."))") }
    codec = try chunk.readableCodec(leaf)
    self.leaf = leaf
    self.chunk = chunk
    self.type = type ?? Conversion.naturalType(leaf)
    conversion = try Conversion.plan(leaf, target: self.type)
    self.pieces = pieces
    self.index = index
    offset = chunk.byteRange.lowerBound
    rowsRemaining = chunk.valueCount
  }

  private static func damaged(_ what: String) -> Fault { Fault.corrupt("a Parquet column chunk is damaged: \(what)") }

  // MARK: Rows

  /// The next `rows` rows, or all that remain. Strings that the file holds dictionary-coded come in dictionary form, and
  /// all columns of one chunk share the dictionary.
  package func decode(rows: Int) throws(Fault) -> Column {
    precondition(rows >= 0)
    var left = min(rows, rowsRemaining)
    guard left > 0 else { return ColumnBuilder(type: type).finish() }
    var parts: [Column] = []
    while left > 0 {
      let available = try loadPage()
      let take = min(left, available)
      parts.append(try decodeFromPage(take))
      left -= take
      rowsRemaining -= take
    }
    return try join(parts)
  }

  /// Passes over the next `rows` rows, or all that remain.
  package func skip(rows: Int) throws(Fault) {
    precondition(rows >= 0)
    var left = min(rows, rowsRemaining)
    if page == nil, pending == nil, left > 0 { left -= skipByIndex(left) }
    while left > 0 {
      if let loaded = page, loaded.rowsLeft > 0 {
        // Inside of a page the values must be walked; runs keep the memory small.
        let take = min(left, loaded.rowsLeft, Limits.chunkRowsMax)
        if take == loaded.rowsLeft { page = nil } else { try discard(take) }
        left -= take
        rowsRemaining -= take
        if page == nil, left > 0 { left -= skipByIndex(left) }
        continue
      }
      let announced = try announcePage()
      if announced <= left {
        pending = nil
        left -= announced
        rowsRemaining -= announced
      } else {
        _ = try loadPage()
      }
    }
  }

  private func discard(_ rows: Int) throws(Fault) {
    guard var loaded = page else { return }
    if loaded.values == .dictionary {
      _ = try loaded.decodeCodes(rows, dictionaryCount: dictionary?.count ?? 0)
    } else {
      _ = try loaded.decodeRaw(rows)
    }
    page = loaded
  }

  /// Jumps over whole pages that the offset index describes; returns how many rows that were.
  private func skipByIndex(_ rows: Int) -> Int {
    guard let index else { return 0 }
    let row = chunk.valueCount - rowsRemaining
    var target = nextPage
    while target < index.pages.count, firstRow(target + 1, index) <= row + rows { target += 1 }
    if target == nextPage { return 0 }
    let skipped = firstRow(target, index) - row
    nextPage = target
    rowsRemaining -= skipped
    return skipped
  }

  private func firstRow(_ page: Int, _ index: ParquetOffsetIndex) -> Int {
    page < index.pages.count ? index.pages[page].firstRow : chunk.valueCount
  }

  private func decodeFromPage(_ rows: Int) throws(Fault) -> Column {
    guard var loaded = page else { throw Fault.bug("no Parquet page is loaded") }
    let column: Column
    if loaded.values == .dictionary {
      let (codes, validity) = try loaded.decodeCodes(rows, dictionaryCount: dictionary?.count ?? 0)
      column = try materialise(codes: codes, validity: validity, rows: rows)
    } else {
      column = try conversion.apply(loaded.decodeRaw(rows), target: type)
    }
    page = loaded.rowsLeft == 0 ? nil : loaded
    return column
  }

  private func materialise(codes: Buffer, validity: Bitmap?, rows: Int) throws(Fault) -> Column {
    guard let dictionary, dictionary.count > 0 else { return Column.nulls(type, count: rows) }
    if type.physical == .bytes {
      try checkFlatSize(codes, dictionary: dictionary, rows: rows)
      return Column(
        type: type, count: rows, validity: validity, form: .dictionary(codes: codes, dictionary: dictionary))
    }
    guard case .fixed(let values) = dictionary.values.form else { throw Fault.bug("a dictionary in a wrong form") }
    let gathered: Buffer
    switch type.physical.width {
    case 4: gathered = gather(UInt32.self, values, codes, validity, rows)
    case 8: gathered = gather(UInt64.self, values, codes, validity, rows)
    case 16: gathered = gather(UInt128.self, values, codes, validity, rows)
    default: gathered = gather(UInt8.self, values, codes, validity, rows)
    }
    return Column.fixed(type, count: rows, validity: validity, gathered)
  }

  /// A dictionary column must be expandable: a small file can otherwise ask for terabytes.
  private func checkFlatSize(_ codes: Buffer, dictionary: ColumnDictionary, rows: Int) throws(Fault) {
    if longestEntry.multipliedSaturated(by: rows) <= ParquetLimits.decodedBytesMax { return }
    let values = dictionary.values
    let offsets = values.offsets, codes = codes.span(of: Int32.self)
    var total = 0
    for row in 0..<rows {
      let code = Int(codes[row])
      total += Int(offsets[code + 1] - offsets[code])
    }
    guard total <= ParquetLimits.decodedBytesMax else {
      throw Fault(.programLimitExceeded, "values of Parquet column \(leaf.name) are too large to read at once")
    }
  }

  private func join(_ parts: [Column]) throws(Fault) -> Column {
    if parts.count == 1 { return parts[0] }
    if type.physical == .bytes {
      var total = 0
      for part in parts {
        switch part.form {
        case .bytes: total += Int(part.offsets[part.count])
        case .dictionary: total += longestEntry.multipliedSaturated(by: part.count)
        default: break
        }
        guard total <= ParquetLimits.decodedBytesMax else {
          throw Fault(.programLimitExceeded, "values of Parquet column \(leaf.name) are too large to read at once")
        }
      }
    }
    return Column.concatenate(parts)
  }

  // MARK: Pages

  /// Makes a page with rows current; returns how many rows it still has.
  private func loadPage() throws(Fault) -> Int {
    if let page, page.rowsLeft > 0 { return page.rowsLeft }
    page = nil
    let rows = try announcePage()
    guard let (header, body, piece) = pending else { throw Fault.bug("no Parquet page was announced") }
    pending = nil
    page = try open(header, body: body, piece: piece)
    return rows
  }

  /// Reads headers up to the next data page with rows, and the dictionary on the way; returns that page's rows.
  private func announcePage() throws(Fault) -> Int {
    if let pending { return pending.header.valueCount }
    while true {
      if let index {
        // The dictionary page stands before the first data page.
        let firstData = index.pages.first?.byteRange.lowerBound ?? chunk.byteRange.upperBound
        if hasSeenDictionary || chunk.byteRange.lowerBound >= firstData {
          guard nextPage < index.pages.count else { throw Self.damaged("it has fewer rows than announced") }
          offset = index.pages[nextPage].byteRange.lowerBound
          nextPage += 1
        }
      }
      guard offset < chunk.byteRange.upperBound else { throw Self.damaged("it has fewer rows than announced") }
      let (header, body, piece) = try readHeader()
      offset = body.upperBound
      switch header.kind {
      case .other: continue
      case .dictionary:
        guard !hasSeenDictionary else { throw Self.damaged("two dictionaries") }
        try loadDictionary(header, body: body, piece: piece)
      case .data, .dataV2:
        hasSeenDictionary = true
        guard header.valueCount <= rowsRemaining else { throw Self.damaged("it has more rows than announced") }
        if let index { try check(header, against: index) }
        if header.valueCount == 0 { continue }
        pending = (header, body, piece)
        return header.valueCount
      }
    }
  }

  /// The page just announced is the one the index describes: rows are counted by both.
  private func check(_ header: PageHeader, against index: ParquetOffsetIndex) throws(Fault) {
    let row = chunk.valueCount - rowsRemaining
    guard nextPage > 0, firstRow(nextPage - 1, index) == row, firstRow(nextPage, index) == row + header.valueCount else {
      throw Self.damaged("its pages are not those of the offset index")
    }
  }

  /// The header at `offset` and the file range of the page's bytes, which lie inside of the piece returned.
  private func readHeader() throws(Fault) -> (PageHeader, Range<Int>, ParquetPiece) {
    guard let piece = pieces.first(where: { $0.range.contains(offset) }) else {
      throw Fault.bug("the bytes of a Parquet page were not given")
    }
    let bytes = piece.bytes.bytes
    let (header, length) = try PageHeader.read(bytes.extracting((offset - piece.fileOffset)..<bytes.byteCount))
    let start = offset + length
    let limit = min(piece.range.upperBound, chunk.byteRange.upperBound)
    guard header.compressedByteCount <= limit - start else { throw Self.damaged("a page is longer than its chunk") }
    return (header, start..<(start + header.compressedByteCount), piece)
  }

  private func checkCRC(_ header: PageHeader, _ bytes: RawSpan) throws(Fault) {
    guard let crc = header.crc else { return }
    guard CRC32.checksum(bytes) == crc else { throw Self.damaged("a page has a wrong checksum") }
  }

  private func loadDictionary(_ header: PageHeader, body: Range<Int>, piece: ParquetPiece) throws(Fault) {
    hasSeenDictionary = true
    guard header.encoding == ParquetEncoding.plain.rawValue
      || header.encoding == ParquetEncoding.plainDictionary.rawValue, leaf.physical != .boolean
    else { throw Self.damaged("a dictionary in an unknown encoding") }
    let local = (body.lowerBound - piece.fileOffset)..<(body.upperBound - piece.fileOffset)
    try checkCRC(header, piece.bytes.bytes.extracting(local))
    guard header.valueCount > 0 else { return }
    let (bytes, range) = try unpack(piece.bytes, local, header.uncompressedByteCount, compressed: true)
    var values = try PageDecoder(
      leaf: leaf, rows: header.valueCount, encoding: ParquetEncoding.plain.rawValue, bytes: bytes, range: range,
      levels: nil)
    // A value has at least one byte, so that the count is bounded by the page before anything is allocated for it.
    guard header.valueCount <= range.count else { throw Self.damaged("a dictionary has more values than bytes") }
    let column = try conversion.apply(values.decodeRaw(header.valueCount), target: type)
    if type.physical == .bytes {
      let offsets = column.offsets
      for index in 0..<column.count { longestEntry = max(longestEntry, Int(offsets[index + 1] - offsets[index])) }
    }
    dictionary = ColumnDictionary(column)
  }

  /// The bytes of a page or a part of it, decompressed.
  private func unpack(
    _ buffer: Buffer, _ range: Range<Int>, _ byteCount: Int, compressed: Bool
  ) throws(Fault) -> (Buffer, Range<Int>) {
    if codec == .uncompressed || !compressed {
      guard range.count == byteCount else { throw Self.damaged("a page has another size than announced") }
      return (buffer, range)
    }
    if byteCount == 0 { return (Buffer(byteCount: 0), 0..<0) }
    let output = try Buffer(uninitializedByteCount: byteCount) { (out) throws(Fault) in
      try decompressor.decompress(buffer.bytes.extracting(range), codec: codec, into: out)
    }
    return (output, 0..<byteCount)
  }

  private func open(_ header: PageHeader, body: Range<Int>, piece: ParquetPiece) throws(Fault) -> PageDecoder {
    let local = (body.lowerBound - piece.fileOffset)..<(body.upperBound - piece.fileOffset)
    try checkCRC(header, piece.bytes.bytes.extracting(local))
    if header.kind == .dataV2 { return try openV2(header, local, piece.bytes) }
    let (bytes, range) = try unpack(piece.bytes, local, header.uncompressedByteCount, compressed: true)
    var levels: (bytes: Buffer, range: Range<Int>)?
    var values = range
    if leaf.maxDefinition > 0 {
      let part = try PageLevels.take(
        bytes, range, encoding: header.definitionEncoding, count: header.valueCount, max: leaf.maxDefinition)
      levels = (part.bytes, part.range)
      values = part.end..<range.upperBound
    }
    return try PageDecoder(
      leaf: leaf, rows: header.valueCount, encoding: header.encoding, bytes: bytes, range: values, levels: levels)
  }

  private func openV2(_ header: PageHeader, _ range: Range<Int>, _ buffer: Buffer) throws(Fault) -> PageDecoder {
    let (levelBytes, overflow) = header.definitionByteCount.addingReportingOverflow(header.repetitionByteCount)
    guard !overflow, levelBytes <= range.count, levelBytes <= header.uncompressedByteCount else {
      throw Self.damaged("levels are longer than their page")
    }
    let (bytes, values) = try unpack(
      buffer, (range.lowerBound + levelBytes)..<range.upperBound, header.uncompressedByteCount - levelBytes,
      compressed: header.isCompressed)
    // Repetition levels that are always 0 may be there all the same.
    let levels = (range.lowerBound + header.repetitionByteCount)..<(range.lowerBound + levelBytes)
    return try PageDecoder(
      leaf: leaf, rows: header.valueCount, encoding: header.encoding, bytes: bytes, range: values,
      levels: leaf.maxDefinition > 0 ? (buffer, levels) : nil)
  }
}

/// Some bytes of a file.
package struct ParquetPiece: Sendable {
  package let fileOffset: Int
  package let bytes: Buffer
  package init(fileOffset: Int, bytes: Buffer) {
    precondition(fileOffset >= 0)
    self.fileOffset = fileOffset
    self.bytes = bytes
  }
  var range: Range<Int> { fileOffset..<(fileOffset + bytes.byteCount) }
}

@inline(__always)
private func gather<Word: FixedWidthInteger & BitwiseCopyable>(
  _ type: Word.Type, _ values: Buffer, _ codes: Buffer, _ validity: Bitmap?, _ rows: Int
) -> Buffer {
  let source = values.span(of: Word.self), codes = codes.span(of: Int32.self)
  return Buffer.of(Word.self, count: rows) { out in
    for row in 0..<rows { out[row] = source[Int(codes[row])] }
    guard let validity else { return }
    let words = validity.words
    for row in 0..<rows where words[row >> 6] >> UInt64(row & 63) & 1 == 0 { out[row] = 0 }
  }
}
