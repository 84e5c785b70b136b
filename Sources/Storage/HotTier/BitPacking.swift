// Integers of a fixed number of bits, one after the other, least significant bit first, then eight bytes of padding so
// that every value can be read with one unaligned 64-bit load. Widths 0...56; wider values are written plain.

import Bedrock
import Columnar

enum BitPacking {
  static let widthMax = 56
  private static let padding = 8

  /// How many bytes `count` values of `width` bits take, padding included.
  static func byteCount(count: Int, width: Int) -> Int { (count * width + 7) / 8 + padding }

  /// Bits needed for `value`.
  static func width(of value: UInt64) -> Int { 64 - value.leadingZeroBitCount }

  /// Appends `values` packed; each fits `width` bits.
  static func pack(_ values: [UInt64], width: Int, to out: inout [UInt8]) {
    precondition(width >= 0 && width <= widthMax)
    let start = out.count
    let total = byteCount(count: values.count, width: width)
    out.append(contentsOf: repeatElement(0, count: total))
    if width == 0 { return }
    out.withUnsafeMutableBytes { raw in
      var word: UInt64 = 0
      var filled = 0
      var position = start
      for value in values {
        assert(value >> UInt64(width) == 0)
        word |= value << UInt64(filled)
        filled += width
        if filled >= 64 {
          raw.storeBytes(of: word, toByteOffset: position, as: UInt64.self)
          position += 8
          filled -= 64
          word = filled == 0 ? 0 : value >> UInt64(width - filled)
        }
      }
      // The padding is at least as long as what is left of the last word.
      if filled > 0 { raw.storeBytes(of: word, toByteOffset: position, as: UInt64.self) }
    }
  }

  /// Writes base + value for `out.count` packed values. The caller has checked the length of `source`.
  @inline(__always)
  static func unpack<T: FixedWidthInteger & BitwiseCopyable>(
    _ source: UnsafeRawBufferPointer, width: Int, base: Int64, into out: inout MutableSpan<T>
  ) {
    let count = out.count
    precondition(width >= 0 && width <= widthMax && source.count >= byteCount(count: count, width: width))
    let mask: UInt64 = (1 << UInt64(width)) &- 1
    let origin = UInt64(bitPattern: base)
    for index in 0..<count {
      let bit = index &* width
      let word = source.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self) >> UInt64(bit & 7)
      out[index] = T(truncatingIfNeeded: origin &+ (word & mask))
    }
  }
}
