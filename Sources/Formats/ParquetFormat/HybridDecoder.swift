// The RLE / bit-packed hybrid (Encodings.md, "RLE"): levels, dictionary codes, booleans.
//
//   run       varint(count << 1)      value in ceil(width / 8) bytes        count times the same value
//   packed    varint(groups << 1 | 1) groups * width bytes                  groups * 8 values, LSB first
//
// A cursor over a part of a page. It holds offsets only; each call gets the page's bytes. A run that claims more values
// than anyone asks for costs nothing: values exist only in the caller's output.

import Bedrock

struct HybridDecoder {
  private let width: Int
  private var offset: Int
  private let end: Int
  private var runLeft = 0
  private var runValue: UInt32 = 0
  private var isPacked = false
  private var bit = 0

  /// - Parameter range: the bytes of the hybrid in the page. Width is 0...32.
  init(width: Int, range: Range<Int>) {
    precondition(width >= 0 && width <= 32)
    self.width = width
    offset = range.lowerBound
    end = range.upperBound
  }

  private static func damaged() -> Fault { Fault.corrupt("a run-length coded Parquet page is damaged") }

  private mutating func nextRun(_ page: UnsafeRawPointer) throws(Fault) {
    var header: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      guard offset < end, shift < 35 else { throw Self.damaged() }
      let byte = page.load(fromByteOffset: offset, as: UInt8.self)
      offset += 1
      header |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { break }
      shift += 7
    }
    isPacked = header & 1 == 1
    let count = Int(header >> 1)
    guard count > 0 else { throw Self.damaged() }
    if isPacked {
      // The last group may be cut short by writers that do not pad.
      let present = width == 0 ? count * 8 : (end - offset) * 8 / width
      runLeft = min(count * 8, present)
      guard runLeft > 0 else { throw Self.damaged() }
      bit = offset * 8
      offset += min(count * width, end - offset)
    } else {
      let byteWidth = (width + 7) / 8
      guard end - offset >= byteWidth else { throw Self.damaged() }
      runValue = 0
      for index in 0..<byteWidth {
        runValue |= UInt32(page.load(fromByteOffset: offset + index, as: UInt8.self)) << UInt32(index * 8)
      }
      offset += byteWidth
      runLeft = count
    }
  }

  /// The value and length of what is left of the current run, at most `max` of it; `nil` when the next values are packed.
  mutating func takeRun(_ max: Int, page: UnsafeRawPointer) throws(Fault) -> (value: UInt32, length: Int)? {
    if runLeft == 0 { try nextRun(page) }
    if isPacked { return nil }
    let length = min(runLeft, max)
    runLeft -= length
    return (runValue, length)
  }

  /// Packed values that follow, after `takeRun` has said `nil`.
  var packedLeft: Int { runLeft }

  /// Writes the next `count` values to `out`. `page` is a `Buffer`, so that 8 bytes may be read past its end.
  mutating func decode(_ count: Int, page: UnsafeRawPointer, into out: UnsafeMutablePointer<UInt32>) throws(Fault) {
    var written = 0
    while written < count {
      if runLeft == 0 { try nextRun(page) }
      let take = min(runLeft, count - written)
      if isPacked {
        unpackBits(page, bit: bit, width: width, count: take, into: out + written)
        bit += take * width
      } else {
        (out + written).update(repeating: runValue, count: take)
      }
      runLeft -= take
      written += take
    }
  }

  /// For width 1: sets bits `0..<count` of the zeroed `words` and returns how many are set.
  mutating func decodeBits(
    _ count: Int, page: UnsafeRawPointer, into words: UnsafeMutablePointer<UInt64>
  ) throws(Fault) -> Int {
    precondition(width == 1)
    var row = 0
    var set = 0
    while row < count {
      if runLeft == 0 { try nextRun(page) }
      if !isPacked && runValue > 1 { throw Self.damaged() }
      // Up to the end of this run, of the output, and of a word; 56 bits are in one load at any bit offset.
      let take = min(runLeft, count - row, 64 - (row & 63), 56)
      var bits: UInt64 = (1 << UInt64(take)) - 1
      if isPacked {
        bits &= page.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self) >> UInt64(bit & 7)
        bit += take
      } else if runValue == 0 {
        bits = 0
      }
      words[row >> 6] |= bits << UInt64(row & 63)
      set += bits.nonzeroBitCount
      runLeft -= take
      row += take
    }
    return set
  }
}

/// Unpacks `count` values of `width` bits (0...32), LSB first. SAFETY: the bytes up to the last bit belong to a `Buffer`,
/// whose padding makes the 8-byte loads past the end valid.
func unpackBits(
  _ bytes: UnsafeRawPointer, bit: Int, width: Int, count: Int, into out: UnsafeMutablePointer<UInt32>
) {
  var position = bit
  var index = 0
  let mask: UInt64 = (1 << UInt64(width)) - 1
  switch width {
  case 0: out.update(repeating: 0, count: count)
  case 1...7:
    // Eight values are in one load at any bit offset.
    let step = UInt64(width)
    while index + 8 <= count {
      var word = bytes.loadUnaligned(fromByteOffset: position >> 3, as: UInt64.self) >> UInt64(position & 7)
      for lane in 0..<8 {
        out[index + lane] = UInt32(truncatingIfNeeded: word & mask)
        word >>= step
      }
      index += 8
      position += 8 * width
    }
    fallthrough
  default:
    while index < count {
      let word = bytes.loadUnaligned(fromByteOffset: position >> 3, as: UInt64.self) >> UInt64(position & 7)
      out[index] = UInt32(truncatingIfNeeded: word & mask)
      index += 1
      position += width
    }
  }
}
