// Split-block bloom filters, writing (BloomFilter.md).
//
//   block     8 words of 32 bits; a value sets one bit in each word of one block
//   filter    2^k blocks; the upper half of the hash chooses the block, the lower half times 8 salts the bits
//
// The filter is filled at the size that every value of a row group may need. Then neighbouring blocks are merged, which
// halves it and keeps every answer right, for as long as the share of false positives that the set bits give stays
// below 1 %: its size follows the distinct values without counting them.

import Bedrock
import Glibc

struct BloomFilterBuilder {
  /// Words of each block.
  private var blocks: [SIMD8<UInt32>]
  private static let salts = SIMD8<UInt32>(
    0x47B6_137B, 0x4497_4D91, 0x8824_AD5B, 0xA2B7_289D, 0x7054_95C7, 0x2DF1_424B, 0x9EFC_4947, 0x5C6B_FB31)
  /// Bits for one of many values at 1 % false positives.
  private static let bitsPerValue = 10.5
  private static let falsePositivesMax = 0.01
  /// The least filter: 32 blocks, 1 KiB.
  private static let blocksMin = 32

  /// A filter for as many distinct values as may come.
  init(valueCountMax: Int) {
    let bits = Double(max(valueCountMax, 1)) * Self.bitsPerValue
    var count = Self.blocksMin
    while Double(count) * 256 < bits { count *= 2 }
    blocks = [SIMD8<UInt32>](repeating: .zero, count: count)
  }

  /// Bytes of memory.
  var byteCount: Int { blocks.count * MemoryLayout<SIMD8<UInt32>>.stride }

  /// Enters hashes of values.
  mutating func insert(_ hashes: UnsafeBufferPointer<UInt64>) {
    let count = UInt64(blocks.count)
    blocks.withUnsafeMutableBufferPointer { blocks in
      for hash in hashes {
        // SAFETY: (32 bits * count) >> 32 is less than count.
        blocks[Int(truncatingIfNeeded: ((hash >> 32) &* count) >> 32)] |= Self.mask(UInt32(truncatingIfNeeded: hash))
      }
    }
  }

  @inline(__always)
  private static func mask(_ key: UInt32) -> SIMD8<UInt32> {
    SIMD8<UInt32>(repeating: 1) &<< ((SIMD8<UInt32>(repeating: key) &* salts) &>> 27)
  }

  /// About how many distinct values were entered (linear counting over the words).
  var distinctCount: Double {
    var set = 0
    for block in blocks { for lane in 0..<8 { set += block[lane].nonzeroBitCount } }
    let bits = Double(blocks.count * 256)
    return set == blocks.count * 256 ? .infinity : -bits / 8 * log(1 - Double(set) / bits)
  }

  private static func falsePositives(_ blocks: [SIMD8<UInt32>]) -> Double {
    var sum = 0.0
    for block in blocks {
      var product = 1.0
      for lane in 0..<8 { product *= Double(block[lane].nonzeroBitCount) / 32 }
      sum += product
    }
    return sum / Double(blocks.count)
  }

  /// Header and bits, as small as the values allow.
  func write() -> [UInt8] {
    var blocks = self.blocks
    while blocks.count > Self.blocksMin {
      let half = (0..<(blocks.count / 2)).map { blocks[2 * $0] | blocks[2 * $0 + 1] }
      if Self.falsePositives(half) > Self.falsePositivesMax { break }
      blocks = half
    }
    var writer = ThriftWriter()
    writer.beginElement()
    writer.int32(1, Int32(blocks.count * 32))
    for field: Int16 in 2...4 {
      // Unions with one case each: BLOCK, XXHASH, UNCOMPRESSED.
      writer.begin(field)
      writer.empty(1)
      writer.end()
    }
    writer.end()
    var bytes = writer.bytes
    bytes.reserveCapacity(bytes.count + blocks.count * 32)
    for block in blocks { for lane in 0..<8 { bytes.append(littleEndian: block[lane]) } }
    return bytes
  }
}
