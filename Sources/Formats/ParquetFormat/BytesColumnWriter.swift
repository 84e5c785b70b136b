// The column writer for BYTE_ARRAY and FIXED_LEN_BYTE_ARRAY.
//
// While probing and in dictionary mode the pending values are codes; a dictionary column that comes in is coded once per
// entry, not once per row. In plain mode they are the bytes themselves. When the dictionary is full in the middle of a
// row group, what is coded stays coded and the rest is plain.

import Bedrock
import Columnar

final class BytesColumnWriter: ColumnChunkWriter {
  private var codes: [UInt32] = []
  private var dictionary = BytesDictionary()
  private var hasDictionaryPages = false
  private var isDictionaryFull = false
  /// Pending plain values, each with its length prefix where the type has one.
  private var data: [UInt8] = []
  private var ends: [Int] = []
  /// Codes of the entries of the dictionary that came in last; -1: not met yet.
  private var incoming: ColumnDictionary?
  private var remap: [Int64] = []
  /// The last page in which a code was seen, so that bounds look at each entry once a page.
  private var seen: [Int32] = []
  private var pageNumber: Int32 = 0
  private var pendingByteCount = 0

  private var hasLengths: Bool { layout.physical == .byteArray }

  override var isPageFull: Bool {
    isDictionaryFull && mode != .plain || mode == .plain && data.count >= options.pageByteCountMax
  }

  // MARK: Taking values

  override func take(_ column: Column, from start: Int, to end: Int) -> Int {
    let room = min(end, start + max(1, pendingRowsMax - pendingRows))
    let stop: Int
    if mode == .plain {
      stop = takePlain(column, from: start, to: room)
    } else if case .dictionary = column.form {
      stop = takeCodes(column, from: start, to: room)
    } else {
      stop = takeBytes(column, from: start, to: room)
    }
    notePending(column, from: start, to: stop)
    return stop
  }

  private func takeBytes(_ column: Column, from start: Int, to end: Int) -> Int {
    let offsets = column.offsets, bytes = column.data
    let validity = column.validity
    return bytes.withUnsafeBytes { raw in
      for row in start..<end {
        if let validity, !validity.isSet(row) { continue }
        let value = UnsafeRawBufferPointer(rebasing: raw[Int(offsets[row])..<Int(offsets[row + 1])])
        guard let code = dictionary.code(of: value, byteCountMax: options.dictionaryBytesMax) else {
          return stopCoding(at: row, column, from: start, to: end)
        }
        codes.append(code)
        note(value.count)
      }
      return end
    }
  }

  private func takeCodes(_ column: Column, from start: Int, to end: Int) -> Int {
    guard case .dictionary(_, let source) = column.form else { preconditionFailure("a dictionary column") }
    if incoming !== source {
      incoming = source
      remap = [Int64](repeating: -1, count: source.count)
    }
    let validity = column.validity
    let values = source.values
    let offsets = values.offsets, bytes = values.data, sourceCodes = column.codes
    return bytes.withUnsafeBytes { raw in
      for row in start..<end {
        if let validity, !validity.isSet(row) { continue }
        let entry = Int(sourceCodes[row])
        let first = Int(offsets[entry]), last = Int(offsets[entry + 1])
        if remap[entry] < 0 {
          let value = UnsafeRawBufferPointer(rebasing: raw[first..<last])
          guard let code = dictionary.code(of: value, byteCountMax: options.dictionaryBytesMax) else {
            return stopCoding(at: row, column, from: start, to: end)
          }
          remap[entry] = Int64(code)
        }
        codes.append(UInt32(truncatingIfNeeded: remap[entry]))
        note(last - first)
      }
      return end
    }
  }

  /// The dictionary can not take the value at `row`. What is coded is settled into pages first; with nothing pending the
  /// column goes on plain at once.
  private func stopCoding(at row: Int, _ column: Column, from start: Int, to end: Int) -> Int {
    isDictionaryFull = true
    if row > start || pendingRows > 0 { return row }
    mode = .plain
    return takePlain(column, from: start, to: end)
  }

  private func takePlain(_ column: Column, from start: Int, to end: Int) -> Int {
    let validity = column.validity
    if case .dictionary(_, let source) = column.form {
      let values = source.values
      let offsets = values.offsets, bytes = values.data, sourceCodes = column.codes
      return bytes.withUnsafeBytes { raw in
        for row in start..<end {
          if data.count >= options.pageByteCountMax && row > start { return row }
          if let validity, !validity.isSet(row) { continue }
          let entry = Int(sourceCodes[row])
          appendPlain(UnsafeRawBufferPointer(rebasing: raw[Int(offsets[entry])..<Int(offsets[entry + 1])]))
        }
        return end
      }
    }
    let offsets = column.offsets, bytes = column.data
    return bytes.withUnsafeBytes { raw in
      for row in start..<end {
        if data.count >= options.pageByteCountMax && row > start { return row }
        if let validity, !validity.isSet(row) { continue }
        appendPlain(UnsafeRawBufferPointer(rebasing: raw[Int(offsets[row])..<Int(offsets[row + 1])]))
      }
      return end
    }
  }

  @inline(__always)
  private func note(_ byteCount: Int) {
    valueByteCount += byteCount
    pendingByteCount += byteCount
  }

  private func appendPlain(_ value: UnsafeRawBufferPointer) {
    if hasLengths { data.append(littleEndian: UInt32(value.count)) }
    data.append(contentsOf: value)
    ends.append(data.count)
    valueByteCount += value.count
  }

  /// Pending codes become pending bytes.
  private func expandCodes() {
    let pending = codes
    codes = []
    valueByteCount -= pendingByteCount
    pendingByteCount = 0
    let (bytes, offsets) = (dictionary.data, dictionary.offsets)
    bytes.withUnsafeBytes { raw in
      for code in pending {
        appendPlain(UnsafeRawBufferPointer(rebasing: raw[offsets[Int(code)]..<offsets[Int(code) + 1]]))
      }
    }
  }

  // MARK: Pages

  override func choose() {
    let plain = pendingByteCount + (hasLengths ? 4 * codes.count : 0)
    let width = HybridEncoder.width(of: dictionary.count)
    let coded = dictionary.pageByteCount + codes.count * width / 8
    if coded < plain * 9 / 10 || plain > 4 * options.dictionaryBytesMax {
      mode = .dictionary
    } else {
      expandCodes()
      mode = .plain
      dictionary = BytesDictionary()
    }
  }

  override func pageRows(limit: Int) -> Int {
    let rows = min(pendingRows, limit)
    if mode != .plain || data.count <= options.pageByteCountMax { return rows }
    var valid = 0
    for row in 0..<rows where isPresent(row) {
      valid += 1
      if ends[valid - 1] >= options.pageByteCountMax { return row + 1 }
    }
    return rows
  }

  override func encode(_ valid: Int) -> (bytes: [UInt8], encoding: ParquetEncoding, bounds: Bounds) {
    mode == .plain ? encodePlain(valid) : encodeCodes(valid)
  }

  private func encodeCodes(_ valid: Int) -> (bytes: [UInt8], encoding: ParquetEncoding, bounds: Bounds) {
    hasDictionaryPages = true
    pageNumber += 1
    let width = HybridEncoder.width(of: dictionary.count)
    var bytes: [UInt8] = [UInt8(width)]
    codes.withUnsafeBufferPointer {
      HybridEncoder.append(UnsafeBufferPointer(rebasing: $0[..<valid]), width: width, to: &bytes)
    }
    let bounds = column.isPersonal ? Bounds() : codedBounds(valid)
    codes.removeFirst(valid)
    if codes.isEmpty {
      pendingByteCount = 0
      if isDictionaryFull { mode = .plain }
    }
    return (bytes, .rleDictionary, bounds)
  }

  private func codedBounds(_ valid: Int) -> Bounds {
    if seen.count < dictionary.count {
      seen.append(contentsOf: repeatElement(0, count: dictionary.count - seen.count))
    }
    var range = ByteRange()
    let offsets = dictionary.offsets
    dictionary.data.withUnsafeBytes { raw in
      for index in 0..<valid {
        let code = Int(codes[index])
        if seen[code] == pageNumber { continue }
        seen[code] = pageNumber
        range.include(raw, offsets[code]..<offsets[code + 1], signed: !hasLengths)
      }
    }
    return dictionary.data.withUnsafeBytes { range.bounds(in: $0, signed: !hasLengths) }
  }

  private func encodePlain(_ valid: Int) -> (bytes: [UInt8], encoding: ParquetEncoding, bounds: Bounds) {
    let end = valid == 0 ? 0 : ends[valid - 1]
    var bounds = Bounds()
    if !column.isPersonal && valid > 0 {
      bounds = data.withUnsafeBytes { raw in
        var range = ByteRange()
        var start = 0
        for index in 0..<valid {
          range.include(raw, (start + (hasLengths ? 4 : 0))..<ends[index], signed: !hasLengths)
          start = ends[index]
        }
        return range.bounds(in: raw, signed: !hasLengths)
      }
    }
    let bytes = Array(data[..<end])
    data.removeFirst(end)
    ends.removeFirst(valid)
    for index in ends.indices { ends[index] -= end }
    return (bytes, .plain, bounds)
  }

  override func dictionaryPage() -> (bytes: [UInt8], count: Int)? {
    if !hasDictionaryPages { return nil }
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
    precondition(codes.isEmpty && data.isEmpty)
    dictionary = BytesDictionary()
    hasDictionaryPages = false
    isDictionaryFull = false
    incoming = nil
    remap = []
    seen = []
    pageNumber = 0
    pendingByteCount = 0
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
