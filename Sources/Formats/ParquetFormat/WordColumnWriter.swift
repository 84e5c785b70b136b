// Column writers for values of a fixed width: 32 and 64 bit words, and booleans.

import Bedrock
import Columnar

/// INT32, INT64, FLOAT and DOUBLE, as bit patterns. The methods of a generic class are reached through its table and would
/// run unspecialised; hence the attributes.
final class WordColumnWriter<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>: ColumnChunkWriter {
  private var pending: [Word] = []
  private var dictionary = WordDictionary<Word>()
  private var hasDictionaryPages = false
  private var entriesMax: Int { options.dictionaryBytesMax / MemoryLayout<Word>.stride }

  @specialized(where Word == UInt32)
  @specialized(where Word == UInt64)
  override func take(_ column: Column, from start: Int, to end: Int) -> Int {
    let end = min(end, start + max(1, pendingRowsMax - pendingRows))
    notePending(column, from: start, to: end)
    let values = column.values(Word.self)
    guard let validity = column.validity else {
      values.extracting(start..<end).withUnsafeBufferPointer { pending.append(contentsOf: $0) }
      return end
    }
    let words = validity.words
    pending.reserveCapacity(pending.count + end - start)
    var taken = pending
    pending = []
    for row in start..<end where words[row >> 6] >> UInt64(row & 63) & 1 == 1 { taken.append(values[row]) }
    pending = taken
    return end
  }

  @specialized(where Word == UInt32)
  @specialized(where Word == UInt64)
  override func choose() {
    let plain = pending.count * MemoryLayout<Word>.stride
    var delta = Int.max
    if layout.isInteger && pending.count > 1 {
      var bytes: [UInt8] = []
      pending.withUnsafeBufferPointer { DeltaEncoder.append($0, to: &bytes) }
      delta = bytes.count
    }
    var codes: [UInt32] = []
    var trial = WordDictionary<Word>()
    let coded = pending.withUnsafeBufferPointer {
      trial.encode($0, entriesMax: min(entriesMax, max(1, pending.count * 4 / 5)), into: &codes)
    }
    var coding = Int.max
    if coded == pending.count {
      let width = HybridEncoder.width(of: trial.values.count)
      coding = trial.values.count * MemoryLayout<Word>.stride + pending.count * width / 8
    }
    if delta < plain / 2 && delta <= coding {
      mode = .delta
    } else if coding < plain * 9 / 10 {
      mode = .dictionary
    } else {
      mode = .plain
    }
  }

  @specialized(where Word == UInt32)
  @specialized(where Word == UInt64)
  override func encode(_ valid: Int) -> (bytes: [UInt8], encoding: ParquetEncoding, bounds: Bounds) {
    let bounds = column.isPersonal ? Bounds() : pageBounds(valid)
    var bytes: [UInt8] = []
    var encoding = ParquetEncoding.plain
    if mode == .dictionary {
      var codes: [UInt32] = []
      codes.reserveCapacity(valid)
      let coded = pending.withUnsafeBufferPointer {
        dictionary.encode(UnsafeBufferPointer(rebasing: $0[..<valid]), entriesMax: entriesMax, into: &codes)
      }
      if coded == valid {
        encoding = .rleDictionary
        hasDictionaryPages = true
        let width = HybridEncoder.width(of: dictionary.values.count)
        bytes.append(UInt8(width))
        codes.withUnsafeBufferPointer { HybridEncoder.append($0, width: width, to: &bytes) }
      } else {
        mode = .plain
      }
    } else if mode == .delta {
      encoding = .deltaBinaryPacked
      pending.withUnsafeBufferPointer { DeltaEncoder.append(UnsafeBufferPointer(rebasing: $0[..<valid]), to: &bytes) }
    }
    if encoding == .plain {
      pending.withUnsafeBytes {
        bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[..<(valid * MemoryLayout<Word>.stride)]))
      }
    }
    pending.removeFirst(valid)
    return (bytes, encoding, bounds)
  }

  private func pageBounds(_ valid: Int) -> Bounds {
    if valid == 0 { return Bounds() }
    return pending.withUnsafeBytes { raw in
      switch layout.physical {
      case .int32: Self.integerBounds(raw.assumingMemoryBound(to: Int32.self), valid)
      case .int64: Self.integerBounds(raw.assumingMemoryBound(to: Int64.self), valid)
      case .float: Self.floatBounds(raw.assumingMemoryBound(to: Float.self), valid)
      default: Self.floatBounds(raw.assumingMemoryBound(to: Double.self), valid)
      }
    }
  }

  private static func integerBounds<T: FixedWidthInteger>(_ values: UnsafeBufferPointer<T>, _ count: Int) -> Bounds {
    var low = values[0], high = values[0]
    for index in 0..<count {
      low = Swift.min(low, values[index])
      high = Swift.max(high, values[index])
    }
    return Bounds(min: .integer(Int64(truncatingIfNeeded: low)), max: .integer(Int64(truncatingIfNeeded: high)))
  }

  private static func floatBounds<T: BinaryFloatingPoint>(_ values: UnsafeBufferPointer<T>, _ count: Int) -> Bounds {
    var low = T.infinity, high = -T.infinity
    var nanCount = 0
    for index in 0..<count {
      let value = values[index]
      if value.isNaN { nanCount += 1 }
      low = value < low ? value : low
      high = value > high ? value : high
    }
    var bounds = nanCount == count ? Bounds() : Bounds(min: .floating(Double(low)), max: .floating(Double(high)))
    bounds.nanCount = nanCount
    return bounds
  }

  override func dictionaryPage() -> (bytes: [UInt8], count: Int)? {
    if !hasDictionaryPages { return nil }
    return (dictionary.values.withUnsafeBytes { Array($0) }, dictionary.values.count)
  }

  override func resetValues() {
    precondition(pending.isEmpty)
    dictionary = WordDictionary()
    hasDictionaryPages = false
  }
}

/// BOOLEAN: one bit a value, always plain.
final class BooleanColumnWriter: ColumnChunkWriter {
  private var pending: [UInt8] = []

  override func take(_ column: Column, from start: Int, to end: Int) -> Int {
    mode = .plain
    let end = min(end, start + max(1, pendingRowsMax - pendingRows))
    notePending(column, from: start, to: end)
    let values = column.booleans
    let validity = column.validity
    for row in start..<end where validity?.isSet(row) ?? true { pending.append(values[row] == 0 ? 0 : 1) }
    return end
  }

  override func choose() { mode = .plain }

  override func encode(_ valid: Int) -> (bytes: [UInt8], encoding: ParquetEncoding, bounds: Bounds) {
    var bytes: [UInt8] = []
    var packer = BitPacker()
    var sum = 0
    for index in 0..<valid {
      packer.append(UInt64(pending[index]), width: 1, to: &bytes)
      sum += Int(pending[index])
    }
    packer.flush(to: &bytes)
    pending.removeFirst(valid)
    if valid == 0 || column.isPersonal { return (bytes, .plain, Bounds()) }
    return (bytes, .plain, Bounds(min: .integer(sum == valid ? 1 : 0), max: .integer(sum == 0 ? 0 : 1)))
  }

  override func resetValues() { precondition(pending.isEmpty) }
}
