// Reads one column chunk forward, in runs of rows: decode some, skip some. The decoders of several columns of a row group
// advance in step, each at its own pages.
//
//   bytes of the chunk:   [dictionary page] data page, data page, ...      each with its thrift header and CRC
//
// A skip is owed until rows behind it are wanted; whole pages inside of it are never decompressed, their headers at most
// are read. With an offset index, pages may even be absent from the bytes given: the caller gives only the pages whose
// rows it wants, at any time before it wants them, and skips the others. It does no I/O.

package import Bedrock
package import Columnar
import Compression

/// A forward cursor over the rows of one column chunk. Not for two threads at once.
package final class ColumnChunkDecoder {
  package let leaf: ParquetLeaf
  /// The SQL type of the columns it returns.
  package let type: DataType
  /// Rows not yet decoded or skipped.
  package var rowsRemaining: Int { rowsLeft - owed }

  private let chunk: ParquetColumnChunk
  private let codec: Codec
  let conversion: Conversion
  private var pieces: [ParquetPiece]
  private let index: ParquetOffsetIndex?
  /// Pages that were read before, by the place of their header; and where pages read now are kept.
  private var known: [Int: ParquetPage] = [:]
  private let keeper: (any ParquetPageKeeper)?
  /// Rows from the place of the cursor to the end.
  private(set) var rowsLeft: Int
  /// Rows that were skipped but not yet passed.
  private var owed = 0
  private var decompressor = Decompressor()
  /// File offset of the next page header.
  private var offset: Int
  private var nextIndexPage = 0
  var page: PageDecoder?
  /// A page that was announced but not loaded.
  private var pending: (header: PageHeader, source: PageSource, offset: Int)?
  private enum PageSource {
    case bytes(Range<Int>, ParquetPiece)
    case page(ParquetPage)
  }
  private(set) var dictionary: ColumnDictionary?
  private var longestEntry = 0
  private var hasSeenDictionary = false
  /// What the last filter says of each entry of `dictionary`.
  var mask: DictionaryMask?

  /// The SQL type that a leaf has of itself.
  package static func naturalType(of leaf: ParquetLeaf) -> DataType { Conversion.naturalType(leaf) }

  /// - Parameters:
  ///   - type: what to return; `nil`: the natural type of the leaf. Widening types are converted, others are refused.
  ///   - bytes: the bytes `chunk.byteRange` of the file.
  package convenience init(
    leaf: ParquetLeaf, chunk: ParquetColumnChunk, as type: DataType? = nil, bytes: Buffer
  ) throws(Fault) {
    let piece = ParquetPiece(fileOffset: chunk.byteRange.lowerBound, bytes: bytes)
    try self.init(leaf: leaf, chunk: chunk, as: type, pieces: [piece], index: nil, keeper: nil)
    guard bytes.byteCount == chunk.byteRange.count else {
      throw Fault.bug("a column chunk of \(chunk.byteRange.count) bytes was given as \(bytes.byteCount)")
    }
  }

  /// Reads parts of a chunk: `pieces` hold the dictionary page (everything before the first data page) and those data
  /// pages that will be decoded; rows of the others must be skipped. More can be given later.
  package init(
    leaf: ParquetLeaf, chunk: ParquetColumnChunk, as type: DataType? = nil, pieces: [ParquetPiece],
    index: ParquetOffsetIndex?, keeper: (any ParquetPageKeeper)? = nil
  ) throws(Fault) {
    guard leaf.isPlain else { throw Fault.unsupported("the nested Parquet column \(leaf.path.joined(separator: "."))") }
    codec = try chunk.readableCodec(leaf)
    self.leaf = leaf
    self.chunk = chunk
    self.type = type ?? Conversion.naturalType(leaf)
    conversion = try Conversion.plan(leaf, target: self.type)
    self.pieces = pieces
    self.index = index
    self.keeper = keeper
    offset = chunk.byteRange.lowerBound
    rowsLeft = chunk.valueCount
  }

  /// More bytes of the chunk.
  package func give(_ piece: ParquetPiece) { pieces.append(piece) }

  /// A page that an earlier reader of the same chunk kept; its bytes need not be given.
  package func give(_ page: ParquetPage, at offset: Int) { known[offset] = page }

  private static func damaged(_ what: String) -> Fault { Fault.corrupt("a Parquet column chunk is damaged: \(what)") }

  // MARK: Rows

  /// The next `rows` rows, or all that remain. Strings that the file holds dictionary-coded come in dictionary form, and
  /// all columns of one chunk share the dictionary.
  package func decode(rows: Int) throws(Fault) -> Column {
    precondition(rows >= 0)
    var left = min(rows, rowsRemaining)
    guard left > 0 else { return ColumnBuilder(type: type).finish() }
    try settle()
    var parts: [Column] = []
    while left > 0 {
      let available = try loadPage()
      let take = min(left, available)
      parts.append(try decodeFromPage(take))
      left -= take
      rowsLeft -= take
    }
    return try join(parts)
  }

  /// Passes over the next `rows` rows, or all that remain.
  package func skip(rows: Int) throws(Fault) {
    precondition(rows >= 0)
    owed += min(rows, rowsRemaining)
  }

  /// Drops the whole pages that skips owe. What is owed after it lies inside of the next page.
  private func passPages() throws(Fault) {
    while owed > 0 {
      if page == nil, pending == nil, index != nil {
        owed -= skipByIndex(owed)
        return
      }
      let available: Int
      if let page { available = page.rowsLeft } else { available = try announcePage() }
      if owed < available { return }
      page = nil
      pending = nil
      owed -= available
      rowsLeft -= available
    }
  }

  /// Pays what skips owe: moves the cursor to the next row that is wanted. Inside of a page values must be walked; short
  /// runs keep the memory small.
  func settle() throws(Fault) {
    try passPages()
    while owed > 0 {
      let take = min(owed, try loadPage(), Limits.chunkRowsMax)
      try discard(take)
      owed -= take
      rowsLeft -= take
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
    let row = chunk.valueCount - rowsLeft
    var target = nextIndexPage
    while target < index.pages.count, firstRow(target + 1, index) <= row + rows { target += 1 }
    if target == nextIndexPage { return 0 }
    let skipped = firstRow(target, index) - row
    nextIndexPage = target
    rowsLeft -= skipped
    return skipped
  }

  private func firstRow(_ page: Int, _ index: ParquetOffsetIndex) -> Int {
    page < index.pages.count ? index.pages[page].firstRow : chunk.valueCount
  }

  /// Takes rows that were decoded off the page and off the chunk.
  func advance(_ loaded: PageDecoder, by rows: Int) {
    page = loaded.rowsLeft == 0 ? nil : loaded
    rowsLeft -= rows
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

  func materialise(codes: Buffer, validity: Bitmap?, rows: Int) throws(Fault) -> Column {
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

  func join(_ parts: [Column]) throws(Fault) -> Column {
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
  func loadPage() throws(Fault) -> Int {
    if let page, page.rowsLeft > 0 { return page.rowsLeft }
    page = nil
    let rows = try announcePage()
    guard let (header, source, offset) = pending else { throw Fault.bug("no Parquet page was announced") }
    pending = nil
    switch source {
    case .page(let known): page = try open(known)
    case .bytes(let body, let piece):
      let read = try unpack(header, body: body, piece: piece)
      keeper?.keep(read, at: offset)
      page = try open(read)
    }
    return rows
  }

  /// How many rows come from the next page. An index answers without the bytes of the page.
  func nextPageRows() throws(Fault) -> Int {
    try passPages()
    if let page { return page.rowsLeft - owed }
    if pending == nil, let index {
      _ = skipByIndex(0)
      let rows = firstRow(nextIndexPage + 1, index) - (chunk.valueCount - rowsLeft)
      guard rows > owed else { throw Self.damaged("it has fewer rows than announced") }
      return rows - owed
    }
    return try announcePage() - owed
  }

  /// The encoding of the page that the next rows come from, which is not decompressed for it.
  func nextPageEncoding() throws(Fault) -> Int32 {
    try passPages()
    if let page { return page.encoding }
    _ = try announcePage()
    return pending?.header.encoding ?? -1
  }

  /// What the header of a page that is not loaded says of its values; only where no index has said so before.
  /// They hold for any part of the page: bounds do, a count of nulls does where it is none or all.
  func nextPageStatistics(rows: Int) -> ParquetStatistics? {
    guard page == nil, index == nil, let header = pending?.header, var statistics = header.statistics else { return nil }
    if statistics.nullCount == header.valueCount { statistics.nullCount = rows }
    else if statistics.nullCount != 0 { statistics.nullCount = nil }
    return statistics
  }

  /// Reads headers up to the next data page with rows, and the dictionary on the way; returns that page's rows.
  private func announcePage() throws(Fault) -> Int {
    if let pending { return pending.header.valueCount }
    if index != nil { _ = skipByIndex(0) }
    if index != nil, !hasSeenDictionary, let known = known[chunk.byteRange.lowerBound] { try adopt(known) }
    while true {
      if let index {
        // The dictionary page stands before the first data page.
        let firstData = index.pages.first?.byteRange.lowerBound ?? chunk.byteRange.upperBound
        if hasSeenDictionary || chunk.byteRange.lowerBound >= firstData {
          guard nextIndexPage < index.pages.count else { throw Self.damaged("it has fewer rows than announced") }
          offset = index.pages[nextIndexPage].byteRange.lowerBound
          nextIndexPage += 1
        }
        if nextIndexPage > 0, let page = known[offset], case .data = page.content {
          hasSeenDictionary = true
          offset = index.pages[nextIndexPage - 1].byteRange.upperBound
          try check(page.header, against: index)
          if page.header.valueCount == 0 { continue }
          pending = (page.header, .page(page), offset)
          return page.header.valueCount
        }
      }
      let place = offset
      guard offset < chunk.byteRange.upperBound else { throw Self.damaged("it has fewer rows than announced") }
      let (header, body, piece) = try readHeader()
      offset = body.upperBound
      switch header.kind {
      case .other: continue
      case .dictionary:
        guard !hasSeenDictionary else { throw Self.damaged("two dictionaries") }
        try loadDictionary(header, body: body, piece: piece, at: place)
      case .data, .dataV2:
        hasSeenDictionary = true
        guard header.valueCount <= rowsLeft else { throw Self.damaged("it has more rows than announced") }
        if let index { try check(header, against: index) }
        if header.valueCount == 0 { continue }
        pending = (header, .bytes(body, piece), place)
        return header.valueCount
      }
    }
  }

  /// The page just announced is the one the index describes: rows are counted by both.
  private func check(_ header: PageHeader, against index: ParquetOffsetIndex) throws(Fault) {
    let row = chunk.valueCount - rowsLeft
    guard nextIndexPage > 0, firstRow(nextIndexPage - 1, index) == row, firstRow(nextIndexPage, index) == row + header.valueCount else {
      throw Self.damaged("its pages are not those of the offset index")
    }
  }

  /// The header at `offset` and the file range of the page's bytes, which lie inside of the piece returned.
  private func readHeader() throws(Fault) -> (PageHeader, Range<Int>, ParquetPiece) {
    guard let piece = pieces.first(where: { $0.range.contains(offset) }) else {
      throw Fault.bug("the bytes of a Parquet page were not given")
    }
    let bytes = piece.bytes.bytes
    let (header, length) = try PageHeader.read(
      bytes.extracting((offset - piece.fileOffset)..<bytes.byteCount), leaf: index == nil ? leaf : nil)
    let start = offset + length
    let limit = min(piece.range.upperBound, chunk.byteRange.upperBound)
    guard header.compressedByteCount <= limit - start else { throw Self.damaged("a page is longer than its chunk") }
    return (header, start..<(start + header.compressedByteCount), piece)
  }

  private func checkCRC(_ header: PageHeader, _ bytes: RawSpan) throws(Fault) {
    guard let crc = header.crc else { return }
    guard CRC32.checksum(bytes) == crc else { throw Self.damaged("a page has a wrong checksum") }
  }

  /// Takes over a dictionary that another reader of this chunk made.
  private func adopt(_ page: ParquetPage) throws(Fault) {
    guard case .dictionary(let dictionary, let longest, let type) = page.content, type == self.type else { return }
    hasSeenDictionary = true
    self.dictionary = dictionary
    longestEntry = longest
  }

  private func loadDictionary(
    _ header: PageHeader, body: Range<Int>, piece: ParquetPiece, at place: Int
  ) throws(Fault) {
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
    let dictionary = ColumnDictionary(column)
    self.dictionary = dictionary
    keeper?.keep(ParquetPage(header: header, content: .dictionary(dictionary, longest: longestEntry, type)), at: place)
  }

  /// The bytes of a page or a part of it, decompressed.
  private func unpack(
    _ buffer: Buffer, _ range: Range<Int>, _ byteCount: Int, compressed: Bool
  ) throws(Fault) -> (Buffer, Range<Int>) {
    if codec == .uncompressed || !compressed {
      guard range.count == byteCount else { throw Self.damaged("a page has another size than announced") }
      return keeper == nil ? (buffer, range) : (Self.copy(buffer, range), 0..<range.count)
    }
    if byteCount == 0 { return (Buffer(byteCount: 0), 0..<0) }
    let output = try Buffer(uninitializedByteCount: byteCount) { (out) throws(Fault) in
      try decompressor.decompress(buffer.bytes.extracting(range), codec: codec, into: out)
    }
    return (output, 0..<byteCount)
  }

  /// A page that is kept must not hold on to the bytes of its neighbours.
  private static func copy(_ buffer: Buffer, _ range: Range<Int>) -> Buffer {
    Buffer(uninitializedByteCount: range.count) { out in
      buffer.withUnsafeBytes { out.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
  }

  /// The bytes of a data page, decompressed.
  private func unpack(_ header: PageHeader, body: Range<Int>, piece: ParquetPiece) throws(Fault) -> ParquetPage {
    let local = (body.lowerBound - piece.fileOffset)..<(body.upperBound - piece.fileOffset)
    try checkCRC(header, piece.bytes.bytes.extracting(local))
    if header.kind == .dataV2 { return try unpackV2(header, local, piece.bytes) }
    let (bytes, range) = try unpack(piece.bytes, local, header.uncompressedByteCount, compressed: true)
    var levels: (bytes: Buffer, range: Range<Int>)?
    var values = range
    if leaf.maxDefinition > 0 {
      let part = try PageLevels.take(
        bytes, range, encoding: header.definitionEncoding, count: header.valueCount, max: leaf.maxDefinition)
      levels = (part.bytes, part.range)
      values = part.end..<range.upperBound
    }
    return ParquetPage(header: header, content: .data(bytes, values, levels: levels))
  }

  private func unpackV2(_ header: PageHeader, _ range: Range<Int>, _ buffer: Buffer) throws(Fault) -> ParquetPage {
    let (levelBytes, overflow) = header.definitionByteCount.addingReportingOverflow(header.repetitionByteCount)
    guard !overflow, levelBytes <= range.count, levelBytes <= header.uncompressedByteCount else {
      throw Self.damaged("levels are longer than their page")
    }
    let (bytes, values) = try unpack(
      buffer, (range.lowerBound + levelBytes)..<range.upperBound, header.uncompressedByteCount - levelBytes,
      compressed: header.isCompressed)
    var levels: (bytes: Buffer, range: Range<Int>)?
    if leaf.maxDefinition > 0 {
      // Repetition levels that are always 0 may stand in front.
      let place = (range.lowerBound + header.repetitionByteCount)..<(range.lowerBound + levelBytes)
      levels = keeper == nil ? (buffer, place) : (Self.copy(buffer, place), 0..<place.count)
    }
    return ParquetPage(header: header, content: .data(bytes, values, levels: levels))
  }

  private func open(_ page: ParquetPage) throws(Fault) -> PageDecoder {
    guard case .data(let bytes, let values, let levels) = page.content else {
      throw Self.damaged("a dictionary where data was expected")
    }
    return try PageDecoder(
      leaf: leaf, rows: page.header.valueCount, encoding: page.header.encoding, bytes: bytes, range: values,
      levels: levels)
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
  /// In the file.
  package var range: Range<Int> { fileOffset..<(fileOffset + bytes.byteCount) }
}

/// SAFETY: every code of a valid row was compared with the size of the dictionary, and the code of a null row is 0.
@inline(__always)
private func gather<Word: FixedWidthInteger & BitwiseCopyable>(
  _ type: Word.Type, _ values: Buffer, _ codes: Buffer, _ validity: Bitmap?, _ rows: Int
) -> Buffer {
  precondition(codes.byteCount >= rows * 4 && values.byteCount >= MemoryLayout<Word>.stride)
  return Buffer(uninitializedByteCount: rows * MemoryLayout<Word>.stride) { raw in
    values.withUnsafeBytes { values in
      codes.withUnsafeBytes { codes in
        guard let source = values.baseAddress?.assumingMemoryBound(to: Word.self),
          let codes = codes.baseAddress?.assumingMemoryBound(to: UInt32.self),
          let out = raw.baseAddress?.assumingMemoryBound(to: Word.self)
        else { return }
        guard let validity else {
          for row in 0..<rows { out[row] = source[Int(codes[row])] }
          return
        }
        let words = validity.words
        for row in 0..<rows {
          let bit = Word(truncatingIfNeeded: words[row &>> 6] &>> UInt64(row & 63) & 1)
          out[row] = source[Int(codes[row])] & (0 &- bit)
        }
      }
    }
  }
}
