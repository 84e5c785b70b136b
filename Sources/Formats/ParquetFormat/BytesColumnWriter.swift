// The column writer for BYTE_ARRAY and FIXED_LEN_BYTE_ARRAY.
//
// While probing and in dictionary mode the pending values are codes; a dictionary column that comes in is coded once per
// entry, not once per row. In the other modes they are the bytes themselves. When the dictionary is full in the middle of
// a row group, what is coded stays coded and the rest is plain.

import Bedrock
import Columnar

final class BytesColumnWriter: ColumnChunkWriter {
  private var coded = CodedBytes()
  private var plain: PlainBytes
  private var hasDictionaryPages = false
  private var isDictionaryFull = false
  /// The last page in which a code was seen, so that bounds look at each entry once a page.
  private var seen: [Int32] = []
  private var pageNumber: Int32 = 0

  private var hasLengths: Bool { plain.hasLengths }
  private var isCoded: Bool { mode == .dictionary || mode == .probing }

  override init(_ column: ParquetColumn, layout: ColumnLayout, shape: LeafShape, options: ParquetWriterOptions) {
    plain = PlainBytes(hasLengths: layout.physical == .byteArray)
    super.init(column, layout: layout, shape: shape, options: options)
  }

  override var isPageFull: Bool {
    isCoded ? isDictionaryFull : plain.data.count >= options.pageByteCountMax
  }

  override func take(_ column: Column, from start: Int, to end: Int) -> Int {
    // A dictionary would list the values of a personal column.
    if mode == .probing && self.column.isPersonal { mode = .plain }
    if isCoded {
      let stop = coded.append(column, from: start, to: end, byteCountMax: options.dictionaryBytesMax)
      if stop < end { isDictionaryFull = true }
      if stop > start || !coded.codes.isEmpty { return stop }
      // Nothing waits for a page of codes, so the column goes on plain at once.
      mode = .plain
    }
    return plain.append(column, from: start, to: end, byteCountMax: options.pageByteCountMax)
  }

  // MARK: Encoding

  override func choose(_ trial: inout EncodingTrial, isAll: Bool) {
    let count = coded.codes.count, sample = min(count, EncodingTrial.sampleCount)
    let expected = trial.valuesExpected(count, isAll: isAll)
    var values = PlainBytes(hasLengths: hasLengths)
    coded.append(coded.codes[..<sample], to: &values)
    var best = trial.bytesPerValue(values.data, count: sample) * expected
    mode = .plain
    if options.isCompact && hasLengths {
      var bytes: [UInt8] = []
      values.data.withUnsafeBytes { ByteArrayEncoder.appendDeltaLength($0, values.ends[...], start: 0, to: &bytes) }
      let lengths = trial.bytesPerValue(bytes, count: sample) * expected
      if lengths < best * 0.95 { (mode, best) = (.deltaLength, lengths) }
      bytes = []
      values.data.withUnsafeBytes { ByteArrayEncoder.appendDelta($0, values.ends[...], start: 0, to: &bytes) }
      let prefixes = trial.bytesPerValue(bytes, count: sample) * expected
      if prefixes < best * 0.95 { (mode, best) = (.deltaBytes, prefixes) }
    }
    if !isDictionaryFull, let size = dictionarySize(&trial, expected), size < best { mode = .dictionary }
    if mode != .dictionary {
      coded.expand(into: &plain)
      coded = CodedBytes()
      isDictionaryFull = false
    }
  }

  /// Bytes of dictionary and codes of the row group; `nil` when the dictionary would not hold most of it.
  private func dictionarySize(_ trial: inout EncodingTrial, _ expected: Double) -> Double? {
    let codes = coded.codes, count = codes.count, entryCount = coded.dictionary.count
    if count == 0 { return 0 }
    let early = codes[..<(count * 3 / 4)].max().map { Int($0) + 1 } ?? 0
    let entries = EncodingTrial.distinctExpected(entryCount, early: early, seen: count, total: expected)
    if entries > 0.8 * expected && entries > 16 { return nil }
    // A dictionary that fills up early leaves most of the row group plain and costs its lookups all the same.
    let entryBytes = Double(coded.dictionary.pageByteCount) / Double(max(1, entryCount))
    if entries * entryBytes > 2 * Double(options.dictionaryBytesMax) { return nil }
    let sample = min(count, EncodingTrial.sampleCount), entrySample = min(entryCount, EncodingTrial.sampleCount)
    var bytes: [UInt8] = []
    codes[..<sample].withUnsafeBufferPointer {
      HybridEncoder.append($0, width: HybridEncoder.width(of: entryCount), to: &bytes)
    }
    let coding = trial.bytesPerValue(bytes, count: sample) * expected * EncodingTrial.codeGrowth(entryCount, entries)
    bytes = coded.dictionary.plainBytes(entrySample, hasLengths: hasLengths)
    let size = coding + trial.bytesPerValue(bytes, count: entrySample) * entries
    // Few entries are worth more than their bytes: filters, groups and joins work on codes without touching the text.
    return entries < 0.1 * expected ? size * 0.8 : size
  }

  override func valuesOfPage(from start: Int) -> Int {
    if isCoded || plain.ends.isEmpty { return .max }
    let limit = plain.start(of: start) + options.pageByteCountMax
    // The first value that reaches the limit is the last of the page.
    var low = start, high = plain.ends.count
    while low < high {
      let middle = (low + high) / 2
      if plain.ends[middle] < limit { low = middle + 1 } else { high = middle }
    }
    return low == plain.ends.count ? .max : low + 1 - start
  }

  override func encode(_ values: Range<Int>, to body: inout [UInt8]) -> EncodedPage {
    isCoded ? encodeCodes(values, to: &body) : encodeBytes(values, to: &body)
  }

  private func encodeCodes(_ values: Range<Int>, to body: inout [UInt8]) -> EncodedPage {
    hasDictionaryPages = true
    pageNumber += 1
    let width = HybridEncoder.width(of: coded.dictionary.count)
    body.append(UInt8(width))
    var byteCount = 0
    coded.codes.withUnsafeBufferPointer { codes in
      let codes = UnsafeBufferPointer(rebasing: codes[values])
      HybridEncoder.append(codes, width: width, to: &body)
      coded.dictionary.offsets.withUnsafeBufferPointer { offsets in
        for code in codes { byteCount += Int(offsets[Int(code) + 1] &- offsets[Int(code)]) }
      }
    }
    return EncodedPage(
      encoding: .rleDictionary, bounds: hasBounds ? codedBounds(values) : Bounds(), valueByteCount: byteCount)
  }

  private func codedBounds(_ values: Range<Int>) -> Bounds {
    let dictionary = coded.dictionary, page = pageNumber, signed = !hasLengths
    var seen = self.seen
    self.seen = []
    defer { self.seen = seen }
    if seen.count < dictionary.count {
      seen.append(contentsOf: repeatElement(0, count: dictionary.count - seen.count))
    }
    var range = ByteRange()
    return dictionary.data.withUnsafeBytes { raw in
      for code in coded.codes[values] {
        let code = Int(code)
        if seen[code] == page { continue }
        seen[code] = page
        range.include(raw, dictionary.range(of: code), signed: signed)
      }
      return range.bounds(in: raw, signed: signed)
    }
  }

  private func encodeBytes(_ values: Range<Int>, to body: inout [UInt8]) -> EncodedPage {
    let prefix = hasLengths ? 4 : 0
    let start = plain.start(of: values.lowerBound), end = plain.start(of: values.upperBound)
    var page = EncodedPage(encoding: .plain, bounds: Bounds())
    page.valueByteCount = end - start - prefix * values.count
    let ends = plain.ends[values]
    plain.data.withUnsafeBytes { raw in
      switch mode {
      case .deltaLength:
        page.encoding = .deltaLengthByteArray
        ByteArrayEncoder.appendDeltaLength(raw, ends, start: start, to: &body)
      case .deltaBytes:
        page.encoding = .deltaByteArray
        ByteArrayEncoder.appendDelta(raw, ends, start: start, to: &body)
      default: body.append(contentsOf: UnsafeRawBufferPointer(rebasing: raw[start..<end]))
      }
      if hasBounds { page.bounds = Self.bounds(raw, ends, start: start, prefix: prefix) }
      if column.bloomFilter == .automatic { enterBloom(raw, ends, start: start, prefix: prefix) }
    }
    return page
  }

  private static func bounds(
    _ raw: UnsafeRawBufferPointer, _ ends: ArraySlice<Int>, start: Int, prefix: Int
  ) -> Bounds {
    var range = ByteRange()
    var start = start
    for end in ends {
      range.include(raw, (start + prefix)..<end, signed: prefix == 0)
      start = end
    }
    return range.bounds(in: raw, signed: prefix == 0)
  }

  // MARK: Bloom filter

  private func enterBloom(_ raw: UnsafeRawBufferPointer, _ ends: ArraySlice<Int>, start: Int, prefix: Int) {
    var hashes: [UInt64] = []
    hashes.reserveCapacity(ends.count)
    var start = start
    for end in ends {
      hashes.append(XXH64.hash(UnsafeRawBufferPointer(rebasing: raw[(start + prefix)..<end])))
      start = end
    }
    if bloom == nil { bloom = BloomFilterBuilder(valueCountMax: options.rowGroupRowsMax) }
    hashes.withUnsafeBufferPointer { bloom?.insert($0) }
  }

  override func enterDictionary(into filter: inout BloomFilterBuilder) {
    if !hasDictionaryPages { return }
    let dictionary = coded.dictionary
    let hashes = dictionary.data.withUnsafeBytes { raw in
      (0..<dictionary.count).map { XXH64.hash(UnsafeRawBufferPointer(rebasing: raw[dictionary.range(of: $0)])) }
    }
    hashes.withUnsafeBufferPointer { filter.insert($0) }
  }

  // MARK: Pages

  override func leaveDictionary() {
    coded.expand(into: &plain)
    mode = .plain
  }

  override func drop(_ count: Int) {
    if isCoded { coded.removeFirst(count) } else { plain.removeFirst(count) }
  }

  override var valuesHeldByteCount: Int { coded.byteCount + plain.byteCount + seen.capacity * 4 }

  override func dictionaryPage() -> (bytes: [UInt8], count: Int)? {
    if !hasDictionaryPages { return nil }
    return (coded.dictionary.plainBytes(coded.dictionary.count, hasLengths: hasLengths), coded.dictionary.count)
  }

  override func resetValues() {
    precondition(coded.codes.isEmpty && plain.data.isEmpty)
    coded = CodedBytes()
    hasDictionaryPages = false
    isDictionaryFull = false
    seen = []
    pageNumber = 0
  }
}

/// Smallest and largest of some byte strings, as places in one block of memory.
private struct ByteRange {
  private var min: Range<Int>?
  private var max: Range<Int>?

  /// - Parameter signed: the values are two's complement numbers of one width, most significant byte first.
  @inline(__always)
  mutating func include(_ raw: UnsafeRawBufferPointer, _ value: Range<Int>, signed: Bool) {
    guard let low = min, let high = max else {
      min = value
      max = value
      return
    }
    if Self.compare(raw, value, low, signed) < 0 { min = value }
    if Self.compare(raw, value, high, signed) > 0 { max = value }
  }

  @inline(__always)
  private static func compare(_ raw: UnsafeRawBufferPointer, _ a: Range<Int>, _ b: Range<Int>, _ signed: Bool) -> Int {
    if signed, !a.isEmpty, !b.isEmpty {
      let left = Int8(bitPattern: raw[a.lowerBound]), right = Int8(bitPattern: raw[b.lowerBound])
      if left != right { return Int(left) - Int(right) }
    }
    return ByteOrder.compare(UnsafeRawBufferPointer(rebasing: raw[a]), UnsafeRawBufferPointer(rebasing: raw[b]))
  }

  func bounds(in raw: UnsafeRawBufferPointer, signed: Bool) -> Bounds {
    guard let min, let max else { return Bounds() }
    if !signed { return Bounds(min: .bytes(Self.head(raw[min])), max: .bytes(Self.head(raw[max]))) }
    return Bounds(min: .wide(Self.number(raw[min])), max: .wide(Self.number(raw[max])))
  }

  /// As much as statistics look at: beginnings are ordered as the values are, and memory stays bounded.
  private static func head(_ value: Slice<UnsafeRawBufferPointer>) -> [UInt8] {
    Array(value.prefix(ParquetLimits.statisticBytesMax + 8))
  }

  private static func number(_ bytes: Slice<UnsafeRawBufferPointer>) -> Int128 {
    var value: Int128 = (bytes.first ?? 0) >= 0x80 ? -1 : 0
    for byte in bytes { value = value << 8 | Int128(byte) }
    return value
  }
}
