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
  if width == 0 { return out.update(repeating: 0, count: count) }
  var position = bit
  var index = 0
  let mask: UInt64 = (1 << UInt64(width)) - 1
  // Runs begin at a byte, and 32 values end at one: whole groups are taken while the position allows it.
  while index < count && position & 7 != 0 {
    let word = bytes.loadUnaligned(fromByteOffset: position >> 3, as: UInt64.self) >> UInt64(position & 7)
    out[index] = UInt32(truncatingIfNeeded: word & mask)
    index += 1
    position += width
  }
  let groups = (count - index) / 8
  if groups > 0 {
    unpackGroups(bytes + position >> 3, width: width, groups: groups, into: out + index)
    index += groups * 8
    position += groups * 8 * width
  }
  while index < count {
    let word = bytes.loadUnaligned(fromByteOffset: position >> 3, as: UInt64.self) >> UInt64(position & 7)
    out[index] = UInt32(truncatingIfNeeded: word & mask)
    index += 1
    position += width
  }
}

/// Groups of eight values, each of `width` bytes. One loop a width, so that all shifts are constants.
private func unpackGroups(
  _ bytes: UnsafeRawPointer, width: Int, groups: Int, into out: UnsafeMutablePointer<UInt32>
) {
  switch width {
  case 1: unpackGroups(constant: 1, bytes, groups, out)
  case 2: unpackGroups(constant: 2, bytes, groups, out)
  case 3: unpackGroups(constant: 3, bytes, groups, out)
  case 4: unpackGroups(constant: 4, bytes, groups, out)
  case 5: unpackGroups(constant: 5, bytes, groups, out)
  case 6: unpackGroups(constant: 6, bytes, groups, out)
  case 7: unpackGroups(constant: 7, bytes, groups, out)
  case 8: unpackGroups(constant: 8, bytes, groups, out)
  case 9: unpackGroups(constant: 9, bytes, groups, out)
  case 10: unpackGroups(constant: 10, bytes, groups, out)
  case 11: unpackGroups(constant: 11, bytes, groups, out)
  case 12: unpackGroups(constant: 12, bytes, groups, out)
  case 13: unpackGroups(constant: 13, bytes, groups, out)
  case 14: unpackGroups(constant: 14, bytes, groups, out)
  case 15: unpackGroups(constant: 15, bytes, groups, out)
  case 16: unpackGroups(constant: 16, bytes, groups, out)
  case 17: unpackGroups(constant: 17, bytes, groups, out)
  case 18: unpackGroups(constant: 18, bytes, groups, out)
  case 19: unpackGroups(constant: 19, bytes, groups, out)
  case 20: unpackGroups(constant: 20, bytes, groups, out)
  case 21: unpackGroups(constant: 21, bytes, groups, out)
  case 22: unpackGroups(constant: 22, bytes, groups, out)
  case 23: unpackGroups(constant: 23, bytes, groups, out)
  case 24: unpackGroups(constant: 24, bytes, groups, out)
  case 25: unpackGroups(constant: 25, bytes, groups, out)
  case 26: unpackGroups(constant: 26, bytes, groups, out)
  case 27: unpackGroups(constant: 27, bytes, groups, out)
  case 28: unpackGroups(constant: 28, bytes, groups, out)
  case 29: unpackGroups(constant: 29, bytes, groups, out)
  case 30: unpackGroups(constant: 30, bytes, groups, out)
  case 31: unpackGroups(constant: 31, bytes, groups, out)
  case 32: unpackGroups(constant: 32, bytes, groups, out)
  default: preconditionFailure("a width of 1...32 bits")
  }
}

@inline(__always)
private func unpackGroups(
  constant width: Int, _ bytes: UnsafeRawPointer, _ groups: Int, _ out: UnsafeMutablePointer<UInt32>
) {
  let mask: UInt64 = (1 << UInt64(width)) - 1
  var source = bytes, target = out
  for _ in 0..<groups {
    if width <= 7 {
      // Eight values are in one load.
      let word = source.loadUnaligned(as: UInt64.self)
      target[0] = UInt32(truncatingIfNeeded: word & mask)
      target[1] = UInt32(truncatingIfNeeded: word >> UInt64(width) & mask)
      target[2] = UInt32(truncatingIfNeeded: word >> UInt64(2 * width) & mask)
      target[3] = UInt32(truncatingIfNeeded: word >> UInt64(3 * width) & mask)
      target[4] = UInt32(truncatingIfNeeded: word >> UInt64(4 * width) & mask)
      target[5] = UInt32(truncatingIfNeeded: word >> UInt64(5 * width) & mask)
      target[6] = UInt32(truncatingIfNeeded: word >> UInt64(6 * width) & mask)
      target[7] = UInt32(truncatingIfNeeded: word >> UInt64(7 * width) & mask)
    } else {
      target[0] = unpackOne(source, 0, mask)
      target[1] = unpackOne(source, width, mask)
      target[2] = unpackOne(source, 2 * width, mask)
      target[3] = unpackOne(source, 3 * width, mask)
      target[4] = unpackOne(source, 4 * width, mask)
      target[5] = unpackOne(source, 5 * width, mask)
      target[6] = unpackOne(source, 6 * width, mask)
      target[7] = unpackOne(source, 7 * width, mask)
    }
    source += width
    target += 8
  }
}

@inline(__always)
private func unpackOne(_ bytes: UnsafeRawPointer, _ bit: Int, _ mask: UInt64) -> UInt32 {
  let word = bytes.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self)
  return UInt32(truncatingIfNeeded: word &>> UInt64(bit & 7) & mask)
}
