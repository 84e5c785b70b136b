// The column writer for BYTE_ARRAY and FIXED_LEN_BYTE_ARRAY.
//
// While probing and in dictionary mode the pending values are codes; a dictionary column that comes in is coded once per
// entry, not once per row. In plain mode they are the bytes themselves. When the dictionary is full in the middle of a
// row group, what is coded stays coded and the rest is plain.

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

  override init(_ column: ParquetColumn, layout: ColumnLayout, options: ParquetWriterOptions) {
    plain = PlainBytes(hasLengths: layout.physical == .byteArray)
    super.init(column, layout: layout, options: options)
  }

  override var isPageFull: Bool {
    mode == .plain ? plain.data.count >= options.pageByteCountMax : isDictionaryFull
  }

  override func take(_ column: Column, from start: Int, to end: Int) -> Int {
    let end = min(end, start + max(1, pendingRowsMax - pendingRows))
    var stop = start
    if mode != .plain {
      stop = coded.append(column, from: start, to: end, byteCountMax: options.dictionaryBytesMax)
      if stop < end { isDictionaryFull = true }
      // What is coded is settled into pages first; with nothing pending the column goes on plain at once.
      if stop == start && pendingRows == 0 { mode = .plain }
    }
    if mode == .plain && stop == start {
      stop = plain.append(column, from: start, to: end, byteCountMax: options.pageByteCountMax)
    }
    notePending(column, from: start, to: stop)
    return stop
  }

  // MARK: Pages

  override func choose() {
    let plainSize = coded.pendingByteCount + (hasLengths ? 4 * coded.codes.count : 0)
    let width = HybridEncoder.width(of: coded.dictionary.count)
    let codedSize = coded.dictionary.pageByteCount + coded.codes.count * width / 8
    if codedSize < plainSize * 9 / 10 || plainSize > 4 * options.dictionaryBytesMax {
      mode = .dictionary
    } else {
      coded.expand(into: &plain)
      mode = .plain
    }
  }

  override func pageRows(limit: Int) -> Int {
    let rows = min(pendingRows, limit)
    if mode != .plain || plain.data.count <= options.pageByteCountMax { return rows }
    var valid = 0
    for row in 0..<rows where isPresent(row) {
      valid += 1
      if plain.ends[valid - 1] >= options.pageByteCountMax { return row + 1 }
    }
    return rows
  }

  override func encode(_ valid: Int) -> (bytes: [UInt8], encoding: ParquetEncoding, bounds: Bounds) {
    mode == .plain ? encodePlain(valid) : encodeCodes(valid)
  }

  private func encodeCodes(_ valid: Int) -> (bytes: [UInt8], encoding: ParquetEncoding, bounds: Bounds) {
    hasDictionaryPages = true
    pageNumber += 1
    let width = HybridEncoder.width(of: coded.dictionary.count)
    var bytes: [UInt8] = [UInt8(width)]
    coded.codes.withUnsafeBufferPointer {
      HybridEncoder.append(UnsafeBufferPointer(rebasing: $0[..<valid]), width: width, to: &bytes)
    }
    let offsets = coded.dictionary.offsets
    for code in coded.codes[..<valid] { valueByteCount += offsets[Int(code) + 1] - offsets[Int(code)] }
    let bounds = column.isPersonal ? Bounds() : codedBounds(valid)
    coded.removeFirst(valid)
    if coded.codes.isEmpty && isDictionaryFull { mode = .plain }
    return (bytes, .rleDictionary, bounds)
  }

  private func codedBounds(_ valid: Int) -> Bounds {
    let dictionary = coded.dictionary, page = pageNumber, signed = !hasLengths
    var seen = self.seen
    self.seen = []
    defer { self.seen = seen }
    if seen.count < dictionary.count {
      seen.append(contentsOf: repeatElement(0, count: dictionary.count - seen.count))
    }
    var range = ByteRange()
    return dictionary.data.withUnsafeBytes { raw in
      for code in coded.codes[..<valid] {
        let code = Int(code)
        if seen[code] == page { continue }
        seen[code] = page
        range.include(raw, dictionary.offsets[code]..<dictionary.offsets[code + 1], signed: signed)
      }
      return range.bounds(in: raw, signed: signed)
    }
  }

  private func encodePlain(_ valid: Int) -> (bytes: [UInt8], encoding: ParquetEncoding, bounds: Bounds) {
    let (bytes, ends) = plain.removeFirst(valid)
    let prefix = hasLengths ? 4 : 0, signed = !hasLengths
    valueByteCount += bytes.count - prefix * valid
    if column.isPersonal || valid == 0 { return (bytes, .plain, Bounds()) }
    let bounds = bytes.withUnsafeBytes { raw in
      var range = ByteRange()
      var start = 0
      for end in ends {
        range.include(raw, (start + prefix)..<end, signed: signed)
        start = end
      }
      return range.bounds(in: raw, signed: signed)
    }
    return (bytes, .plain, bounds)
  }

  override func dictionaryPage() -> (bytes: [UInt8], count: Int)? {
    if !hasDictionaryPages { return nil }
    let dictionary = coded.dictionary
    if !hasLengths { return (dictionary.data, dictionary.count) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(dictionary.pageByteCount)
    for code in 0..<dictionary.count {
      let range = dictionary.offsets[code]..<dictionary.offsets[code + 1]
      bytes.append(littleEndian: UInt32(range.count))
      bytes.append(contentsOf: dictionary.data[range])
    }
    return (bytes, dictionary.count)
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
    if !signed { return Bounds(min: .bytes(Array(raw[min])), max: .bytes(Array(raw[max]))) }
    return Bounds(min: .wide(Self.number(raw[min])), max: .wide(Self.number(raw[max])))
  }

  private static func number(_ bytes: Slice<UnsafeRawBufferPointer>) -> Int128 {
    var value: Int128 = (bytes.first ?? 0) >= 0x80 ? -1 : 0
    for byte in bytes { value = value << 8 | Int128(byte) }
    return value
  }
}
