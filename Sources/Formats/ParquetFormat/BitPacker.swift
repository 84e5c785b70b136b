// Packs numbers of some bits each, least significant bit first, as RLE_DICTIONARY codes, levels and delta miniblocks lie.

enum BitPacker {
  /// Bytes of `count` numbers of `width` bits.
  @inline(__always)
  static func byteCount(_ count: Int, width: Int) -> Int { (count * width + 7) / 8 }

  /// Appends `values`, padded with zeros to `paddedCount` numbers, which must fill whole bytes. No value has bits above
  /// `width` (0...64).
  static func append<T: FixedWidthInteger & UnsignedInteger>(
    _ values: UnsafeBufferPointer<T>, paddedCount: Int, width: Int, to output: inout [UInt8]
  ) {
    precondition(paddedCount >= values.count && paddedCount * width % 8 == 0 && width <= 64)
    if width == 0 { return }
    let start = output.count
    let size = byteCount(paddedCount, width: width)
    // Whole words are stored; what reaches past the end is cut off again.
    output.append(contentsOf: repeatElement(0, count: size + 8))
    output.withUnsafeMutableBytes { raw in
      var at = start
      var pending: UInt64 = 0
      var used = 0
      for value in values {
        let value = UInt64(truncatingIfNeeded: value)
        pending |= value << UInt64(used)
        used += width
        if used >= 64 {
          // SAFETY: `at` rises by 8 for every 64 bits of values, so it stays within `size` bytes.
          raw.storeBytes(of: pending.littleEndian, toByteOffset: at, as: UInt64.self)
          at += 8
          used -= 64
          pending = used == 0 ? 0 : value >> UInt64(width - used)
        }
      }
      if used > 0 { raw.storeBytes(of: pending.littleEndian, toByteOffset: at, as: UInt64.self) }
    }
    output.removeLast(8)
  }
}
