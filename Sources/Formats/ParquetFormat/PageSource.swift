// The pages of one column chunk, one after the other or by the offset index: headers parsed, checksums proved, bodies
// decompressed, the dictionary kept. Used by the nested reader; the flat one (ColumnChunkDecoder) has its own loop, whose
// pages it can skip without loading.

import Bedrock
import Columnar
import Compression

/// One data page, ready to decode. Levels are those of the leaf; `nil` where the maximum is 0.
struct DataPage {
  let valueCount: Int
  let repetition: (bytes: Buffer, range: Range<Int>)?
  let definition: (bytes: Buffer, range: Range<Int>)?
  let encoding: Int32
  let bytes: Buffer
  let values: Range<Int>
}

final class PageSource {
  let leaf: ParquetLeaf
  private let chunk: ParquetColumnChunk
  private let codec: Codec
  private let conversion: Conversion
  private let type: DataType
  private let source: ParquetChunkSource
  private var decompressor = Decompressor()
  private var offset: Int
  private var hasSeenDictionary = false
  /// Index of the page that `next` gives; counts only with an offset index.
  private(set) var nextPage = 0
  /// Levels that pages have not given yet; counts only without an offset index.
  private var valuesRemaining: Int
  /// Values of the dictionary page in the type of the reader; `nil`: no dictionary, or an empty one.
  private(set) var dictionary: Column?

  init(
    leaf: ParquetLeaf, chunk: ParquetColumnChunk, type: DataType, conversion: Conversion, source: ParquetChunkSource
  ) throws(Fault) {
    self.leaf = leaf
    self.chunk = chunk
    self.type = type
    self.conversion = conversion
    self.source = source
    codec = try chunk.readableCodec(leaf)
    offset = chunk.byteRange.lowerBound
    valuesRemaining = chunk.valueCount
  }

  private static func damaged(_ what: String) -> Fault { Fault.corrupt("a Parquet column chunk is damaged: \(what)") }

  /// Passes over the pages before `page` of the offset index.
  func jump(to page: Int) {
    precondition(page >= nextPage)
    nextPage = page
  }

  /// The next page that has values, or `nil` at the end of the chunk.
  func next() throws(Fault) -> DataPage? {
    while true {
      if let index = source.index {
        let firstData = index.pages.first?.byteRange.lowerBound ?? chunk.byteRange.upperBound
        // The dictionary page stands before the first data page.
        if hasSeenDictionary || chunk.byteRange.lowerBound >= firstData {
          guard nextPage < index.pages.count else { return nil }
          offset = index.pages[nextPage].byteRange.lowerBound
          nextPage += 1
        }
      } else if valuesRemaining == 0 {
        return nil
      }
      guard offset < chunk.byteRange.upperBound else { throw Self.damaged("it has fewer values than announced") }
      let (header, body, piece) = try readHeader()
      offset = body.upperBound
      let local = (body.lowerBound - piece.fileOffset)..<(body.upperBound - piece.fileOffset)
      if header.kind != .other { try checkCRC(header, piece.bytes.bytes.extracting(local)) }
      switch header.kind {
      case .other: continue
      case .dictionary:
        guard !hasSeenDictionary else { throw Self.damaged("two dictionaries") }
        hasSeenDictionary = true
        try loadDictionary(header, piece.bytes, local)
      case .data, .dataV2:
        hasSeenDictionary = true
        if source.index == nil {
          guard header.valueCount <= valuesRemaining else { throw Self.damaged("it has more values than announced") }
          valuesRemaining -= header.valueCount
        }
        if header.valueCount == 0 { continue }
        return header.kind == .data ? try open(header, piece.bytes, local) : try openV2(header, piece.bytes, local)
      }
    }
  }

  private func readHeader() throws(Fault) -> (PageHeader, Range<Int>, ParquetPiece) {
    guard let piece = source.pieces.first(where: { $0.range.contains(offset) }) else {
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

  private func loadDictionary(_ header: PageHeader, _ buffer: Buffer, _ range: Range<Int>) throws(Fault) {
    guard header.encoding == ParquetEncoding.plain.rawValue
      || header.encoding == ParquetEncoding.plainDictionary.rawValue, leaf.physical != .boolean
    else { throw Self.damaged("a dictionary in an unknown encoding") }
    guard header.valueCount > 0 else { return }
    let (bytes, values) = try unpack(buffer, range, header.uncompressedByteCount, compressed: true)
    // A value has at least one byte, so that the count is bounded by the page before anything is allocated for it.
    guard header.valueCount <= values.count else { throw Self.damaged("a dictionary has more values than bytes") }
    var decoder = try PageDecoder(
      leaf: leaf, rows: header.valueCount, encoding: ParquetEncoding.plain.rawValue, bytes: bytes, range: values,
      levels: nil)
    dictionary = try conversion.apply(decoder.decodeRaw(header.valueCount), target: type)
  }

  private func open(_ header: PageHeader, _ buffer: Buffer, _ range: Range<Int>) throws(Fault) -> DataPage {
    let (bytes, all) = try unpack(buffer, range, header.uncompressedByteCount, compressed: true)
    var start = all.lowerBound
    var levels: [(bytes: Buffer, range: Range<Int>)?] = [nil, nil]
    for (place, max, encoding) in [
      (0, leaf.maxRepetition, header.repetitionEncoding), (1, leaf.maxDefinition, header.definitionEncoding),
    ] where max > 0 {
      let part = try PageLevels.take(
        bytes, start..<all.upperBound, encoding: encoding, count: header.valueCount, max: max)
      levels[place] = (part.bytes, part.range)
      start = part.end
    }
    return DataPage(
      valueCount: header.valueCount, repetition: levels[0], definition: levels[1], encoding: header.encoding,
      bytes: bytes, values: start..<all.upperBound)
  }

  private func openV2(_ header: PageHeader, _ buffer: Buffer, _ range: Range<Int>) throws(Fault) -> DataPage {
    let (levelBytes, overflow) = header.definitionByteCount.addingReportingOverflow(header.repetitionByteCount)
    guard !overflow, levelBytes <= range.count, levelBytes <= header.uncompressedByteCount else {
      throw Self.damaged("levels are longer than their page")
    }
    let middle = range.lowerBound + header.repetitionByteCount, end = range.lowerBound + levelBytes
    let (bytes, values) = try unpack(
      buffer, end..<range.upperBound, header.uncompressedByteCount - levelBytes, compressed: header.isCompressed)
    return DataPage(
      valueCount: header.valueCount,
      repetition: leaf.maxRepetition > 0 ? (buffer, range.lowerBound..<middle) : nil,
      definition: leaf.maxDefinition > 0 ? (buffer, middle..<end) : nil, encoding: header.encoding, bytes: bytes,
      values: values)
  }
}
