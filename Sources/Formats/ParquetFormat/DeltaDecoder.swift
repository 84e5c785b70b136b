// DELTA_BINARY_PACKED (Encodings.md).
//
//   header   varint block size | varint miniblocks of a block | varint count of values | zigzag first value
//   block    zigzag smallest delta | one width byte a miniblock | miniblocks of packed (delta - smallest delta)
//
// Sums wrap, as the specification demands. Like HybridDecoder it holds offsets only and decodes as much as is asked.

import Bedrock

struct DeltaDecoder {
  private var offset: Int
  private let end: Int
  private var valuesPerMini = 0
  private var miniCount = 0
  /// Values not yet given out.
  private(set) var remaining = 0
  private var isFirst = true
  private var last: UInt64 = 0
  private var smallestDelta: UInt64 = 0
  private var mini = 0
  private var widthsOffset = 0
  private var miniLeft = 0
  private var miniWidth = 0
  private var bit = 0

  private static func damaged() -> Fault { Fault.corrupt("a delta-coded Parquet page is damaged") }

  /// Reads the header. `valuesMax` bounds the count that the header may claim.
  init(page: UnsafeRawPointer, range: Range<Int>, valuesMax: Int) throws(Fault) {
    offset = range.lowerBound
    end = range.upperBound
    let blockSize = try varint(page), minis = try varint(page), count = try varint(page)
    guard blockSize > 0, blockSize <= 65_536, minis > 0, minis <= 512, blockSize % minis == 0,
      (blockSize / minis) % 8 == 0
    else { throw Self.damaged() }
    guard count <= UInt64(valuesMax) else { throw Self.damaged() }
    valuesPerMini = Int(blockSize / minis)
    miniCount = Int(minis)
    mini = miniCount
    remaining = Int(count)
    last = try zigzag(page)
  }

  private mutating func varint(_ page: UnsafeRawPointer) throws(Fault) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while shift < 64 {
      guard offset < end else { throw Self.damaged() }
      let byte = page.load(fromByteOffset: offset, as: UInt8.self)
      offset += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw Self.damaged()
  }

  private mutating func zigzag(_ page: UnsafeRawPointer) throws(Fault) -> UInt64 {
    let raw = try varint(page)
    return raw >> 1 ^ (0 &- (raw & 1))
  }

  private mutating func nextMini(_ page: UnsafeRawPointer) throws(Fault) {
    if mini == miniCount {
      smallestDelta = try zigzag(page)
      guard end - offset >= miniCount else { throw Self.damaged() }
      widthsOffset = offset
      offset += miniCount
      mini = 0
    }
    miniWidth = Int(page.load(fromByteOffset: widthsOffset + mini, as: UInt8.self))
    let byteCount = valuesPerMini / 8 * miniWidth
    guard miniWidth <= 64, end - offset >= byteCount else { throw Self.damaged() }
    bit = offset * 8
    offset += byteCount
    miniLeft = valuesPerMini
    mini += 1
  }

  /// Writes the next `count` values, truncated to the width of `Word`.
  mutating func decode<Word: FixedWidthInteger & UnsignedInteger>(
    _ count: Int, page: UnsafeRawPointer, into out: UnsafeMutablePointer<Word>
  ) throws(Fault) {
    guard count <= remaining else { throw Self.damaged() }
    remaining -= count
    var written = 0
    if isFirst && count > 0 {
      out[0] = Word(truncatingIfNeeded: last)
      isFirst = false
      written = 1
    }
    while written < count {
      if miniLeft == 0 { try nextMini(page) }
      let take = min(miniLeft, count - written)
      last = sumDeltas(
        page, bit: bit, width: miniWidth, smallest: smallestDelta, from: last, count: take, into: out + written)
      bit += take * miniWidth
      miniLeft -= take
      written += take
    }
  }

  /// Passes over everything that is left and returns where the bytes after this sequence begin.
  mutating func skipToEnd(page: UnsafeRawPointer) throws(Fault) -> Int {
    if isFirst && remaining > 0 {
      isFirst = false
      remaining -= 1
    }
    while remaining > 0 {
      if miniLeft == 0 { try nextMini(page) }
      let take = min(miniLeft, remaining)
      miniLeft -= take
      bit += take * miniWidth
      remaining -= take
    }
    // Miniblocks of the last block that hold no values have no bytes, whatever their width bytes say.
    return offset
  }
}

/// SAFETY: as `unpackBits`. Widths over 56 bits need the ninth byte.
@inline(__always)
private func sumDeltas<Word: FixedWidthInteger & UnsignedInteger>(
  _ bytes: UnsafeRawPointer, bit: Int, width: Int, smallest: UInt64, from start: UInt64, count: Int,
  into out: UnsafeMutablePointer<Word>
) -> UInt64 {
  var value = start
  if width == 0 {
    for index in 0..<count {
      value &+= smallest
      out[index] = Word(truncatingIfNeeded: value)
    }
    return value
  }
  let mask: UInt64 = width == 64 ? .max : (1 << UInt64(width)) - 1
  var position = bit
  if width <= 56 {
    for index in 0..<count {
      let word = bytes.loadUnaligned(fromByteOffset: position >> 3, as: UInt64.self) >> UInt64(position & 7)
      value &+= smallest &+ (word & mask)
      out[index] = Word(truncatingIfNeeded: value)
      position += width
    }
    return value
  }
  for index in 0..<count {
    let shift = UInt64(position & 7)
    var word = bytes.loadUnaligned(fromByteOffset: position >> 3, as: UInt64.self) >> shift
    if shift > 0 { word |= UInt64(bytes.load(fromByteOffset: (position >> 3) + 8, as: UInt8.self)) << (64 - shift) }
    value &+= smallest &+ (word & mask)
    out[index] = Word(truncatingIfNeeded: value)
    position += width
  }
  return value
}
