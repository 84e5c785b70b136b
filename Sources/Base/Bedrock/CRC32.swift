// 32-bit cyclic redundancy checks in software, slicing by 8 (M. Kounavis, F. Berry, 2005). Reflected, initial and final
// XOR all ones.

/// The tables of one polynomial; made once.
private struct SlicingTable: Sendable {
  private let entries: [UInt32]

  init(reflectedPolynomial: UInt32) {
    var entries = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var crc = UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ reflectedPolynomial : crc >> 1 }
      entries[byte] = crc
    }
    for byte in 0..<256 {
      for slice in 1..<8 {
        let previous = entries[(slice - 1) * 256 + byte]
        entries[slice * 256 + byte] = entries[Int(previous & 0xFF)] ^ previous >> 8
      }
    }
    self.entries = entries
  }

  func checksum(_ bytes: RawSpan, seed: UInt32) -> UInt32 {
    entries.withUnsafeBufferPointer { table in
      var crc = ~seed
      var offset = 0
      let count = bytes.byteCount
      while count - offset >= 8 {
        let word = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self) ^ UInt64(crc)
        crc = table[7 * 256 + Int(word & 0xFF)] ^ table[6 * 256 + Int(word >> 8 & 0xFF)]
          ^ table[5 * 256 + Int(word >> 16 & 0xFF)] ^ table[4 * 256 + Int(word >> 24 & 0xFF)]
        crc ^= table[3 * 256 + Int(word >> 32 & 0xFF)] ^ table[2 * 256 + Int(word >> 40 & 0xFF)]
          ^ table[256 + Int(word >> 48 & 0xFF)] ^ table[Int(word >> 56)]
        offset += 8
      }
      while offset < count {
        crc = table[Int((crc ^ UInt32(bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self))) & 0xFF)] ^ crc >> 8
        offset += 1
      }
      return ~crc
    }
  }
}

/// CRC-32C (Castagnoli), RFC 3720 appendix B.4: the checksum of Cramped's own formats.
package enum CRC32C {
  private static let table = SlicingTable(reflectedPolynomial: 0x82F6_3B78)

  /// The checksum of `bytes`, continuing from `seed` (0 to begin).
  package static func checksum(_ bytes: RawSpan, seed: UInt32 = 0) -> UInt32 { table.checksum(bytes, seed: seed) }
}

/// CRC-32 of gzip and Parquet pages (RFC 1952 section 8).
package enum CRC32 {
  private static let table = SlicingTable(reflectedPolynomial: 0xEDB8_8320)

  /// The checksum of `bytes`, continuing from `seed` (0 to begin).
  package static func checksum(_ bytes: RawSpan, seed: UInt32 = 0) -> UInt32 { table.checksum(bytes, seed: seed) }
}
