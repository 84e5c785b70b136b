// The column writer for values of 32 and 64 bits.

import Bedrock
import Columnar

/// INT32, INT64, FLOAT and DOUBLE, as bit patterns. The methods of a generic class are reached through its table and would
/// run unspecialised; hence the attributes.
final class WordColumnWriter<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>: ColumnChunkWriter {
  private var pending: [Word] = []
  private var dictionary = WordDictionary<Word>()
  private var codes: [UInt32] = []
  private var hasDictionaryPages = false
  private var entriesMax: Int { options.dictionaryBytesMax / MemoryLayout<Word>.stride }

  @specialized(where Word == UInt32)
  @specialized(where Word == UInt64)
  override func take(_ column: Column, from start: Int, to end: Int) -> Int {
    let values = column.values(Word.self)
    var taken = pending
    pending = []
    taken.append(values, from: start, to: end, present: column.validity)
    pending = taken
    return end
  }

  @specialized(where Word == UInt32)
  @specialized(where Word == UInt64)
  override func choose(_ trial: inout EncodingTrial, isAll: Bool) {
    let count = pending.count, sample = min(count, EncodingTrial.sampleCount)
    let expected = trial.valuesExpected(count, isAll: isAll)
    var bytes = pending[..<sample].withUnsafeBytes { Array($0) }
    var best = trial.bytesPerValue(bytes, count: sample) * expected
    mode = .plain
    if options.isCompact && layout.isFloating {
      let plain = bytes
      bytes = []
      plain.withUnsafeBytes { ByteArrayEncoder.appendStreams($0, width: MemoryLayout<Word>.stride, to: &bytes) }
      let streams = trial.bytesPerValue(bytes, count: sample) * expected
      if streams < best * 0.95 { (mode, best) = (.streams, streams) }
    }
    if layout.isInteger && count > 1 {
      bytes = []
      pending[..<sample].withUnsafeBufferPointer { DeltaEncoder.append($0, to: &bytes) }
      let delta = trial.bytesPerValue(bytes, count: sample) * expected
      if delta < best * 0.97 { (mode, best) = (.delta, delta) }
    }
    if !column.isPersonal, let coded = dictionarySize(&trial, expected), coded < best { mode = .dictionary }
  }

  /// Bytes of dictionary and codes of the row group; `nil` when the dictionary would not hold it.
  private func dictionarySize(_ trial: inout EncodingTrial, _ expected: Double) -> Double? {
    let count = pending.count, sample = min(count, EncodingTrial.sampleCount)
    var first = WordDictionary<Word>()
    var codes: [UInt32] = []
    codes.reserveCapacity(count)
    let early = pending[..<(count * 3 / 4)].withUnsafeBufferPointer {
      _ = first.encode($0, entriesMax: .max, into: &codes)
      return first.count
    }
    _ = pending[(count * 3 / 4)...].withUnsafeBufferPointer { first.encode($0, entriesMax: .max, into: &codes) }
    let entries = EncodingTrial.distinctExpected(first.count, early: early, seen: count, total: expected)
    if entries > 0.8 * expected && entries > 16 { return nil }
    var bytes: [UInt8] = []
    codes[..<sample].withUnsafeBufferPointer {
      HybridEncoder.append($0, width: HybridEncoder.width(of: first.count), to: &bytes)
    }
    let coding = trial.bytesPerValue(bytes, count: sample) * expected * EncodingTrial.codeGrowth(first.count, entries)
    bytes = first.bytes(min(first.count, EncodingTrial.sampleCount))
    return coding + trial.bytesPerValue(bytes, count: min(first.count, EncodingTrial.sampleCount)) * entries
  }

  @specialized(where Word == UInt32)
  @specialized(where Word == UInt64)
  override func encode(_ values: Range<Int>, to body: inout [UInt8]) -> EncodedPage {
    var page = EncodedPage(encoding: .plain, bounds: hasBounds && !values.isEmpty ? pageBounds(values) : Bounds())
    if mode == .dictionary {
      codes.removeAll(keepingCapacity: true)
      let coded = pending.withUnsafeBufferPointer {
        dictionary.encode(UnsafeBufferPointer(rebasing: $0[values]), entriesMax: entriesMax, into: &codes)
      }
      if coded == values.count {
        page.encoding = .rleDictionary
        hasDictionaryPages = true
        let width = HybridEncoder.width(of: dictionary.count)
        body.append(UInt8(width))
        codes.withUnsafeBufferPointer { HybridEncoder.append($0, width: width, to: &body) }
        return page
      }
      mode = .plain
    }
    pending.withUnsafeBufferPointer { pending in
      let values = UnsafeBufferPointer(rebasing: pending[values])
      switch mode {
      case .delta:
        page.encoding = .deltaBinaryPacked
        DeltaEncoder.append(values, to: &body)
      case .streams:
        page.encoding = .byteStreamSplit
        ByteArrayEncoder.appendStreams(
          UnsafeRawBufferPointer(values), width: MemoryLayout<Word>.stride, to: &body)
      default: body.append(contentsOf: UnsafeRawBufferPointer(values))
      }
    }
    if (mode == .plain || mode == .delta) && column.bloomFilter == .automatic { enterBloom(values) }
    return page
  }

  private func enterBloom(_ values: Range<Int>) {
    let hashes = pending[values].map { value in
      Word.bitWidth == 32
        ? XXH64.hash(UInt32(truncatingIfNeeded: value)) : XXH64.hash(UInt64(truncatingIfNeeded: value))
    }
    if bloom == nil { bloom = BloomFilterBuilder(valueCountMax: options.rowGroupRowsMax) }
    hashes.withUnsafeBufferPointer { bloom?.insert($0) }
  }

  override func enterDictionary(into filter: inout BloomFilterBuilder) {
    if !hasDictionaryPages { return }
    let hashes = (0..<dictionary.count).map { code in
      let value = dictionary.value(code)
      return Word.bitWidth == 32
        ? XXH64.hash(UInt32(truncatingIfNeeded: value)) : XXH64.hash(UInt64(truncatingIfNeeded: value))
    }
    hashes.withUnsafeBufferPointer { filter.insert($0) }
  }

  private func pageBounds(_ values: Range<Int>) -> Bounds {
    pending.withUnsafeBytes { raw in
      switch layout.physical {
      case .int32: Self.integerBounds(raw.assumingMemoryBound(to: Int32.self), values)
      case .int64: Self.integerBounds(raw.assumingMemoryBound(to: Int64.self), values)
      case .float: Self.floatBounds(raw.assumingMemoryBound(to: Float.self), values)
      default: Self.floatBounds(raw.assumingMemoryBound(to: Double.self), values)
      }
    }
  }

  private static func integerBounds<T: FixedWidthInteger>(
    _ values: UnsafeBufferPointer<T>, _ range: Range<Int>
  ) -> Bounds {
    var low = values[range.lowerBound], high = low
    for index in range {
      low = Swift.min(low, values[index])
      high = Swift.max(high, values[index])
    }
    return Bounds(min: .integer(Int64(truncatingIfNeeded: low)), max: .integer(Int64(truncatingIfNeeded: high)))
  }

  private static func floatBounds<T: BinaryFloatingPoint>(
    _ values: UnsafeBufferPointer<T>, _ range: Range<Int>
  ) -> Bounds {
    var low = T.infinity, high = -T.infinity
    var nanCount = 0
    for index in range {
      let value = values[index]
      if value.isNaN { nanCount += 1 }
      low = value < low ? value : low
      high = value > high ? value : high
    }
    var bounds =
      nanCount == range.count ? Bounds() : Bounds(min: .floating(Double(low)), max: .floating(Double(high)))
    bounds.nanCount = nanCount
    return bounds
  }

  override func drop(_ count: Int) { pending.removeFirst(count) }

  override var valuesHeldByteCount: Int {
    pending.capacity * MemoryLayout<Word>.stride + codes.capacity * 4 + dictionary.byteCount
  }

  override func dictionaryPage() -> (bytes: [UInt8], count: Int)? {
    if !hasDictionaryPages { return nil }
    return (dictionary.bytes(dictionary.count), dictionary.count)
  }

  override func resetValues() {
    precondition(pending.isEmpty)
    dictionary = WordDictionary()
    hasDictionaryPages = false
  }
}
