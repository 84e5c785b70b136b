// CRC-32C (Castagnoli), RFC 3720 appendix B.4: polynomial 0x1EDC6F41, reflected, initial and final XOR all ones.
// Software slicing-by-8; the table is built once.

package enum CRC32C {
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var crc = UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
      tables[byte] = crc
    }
    for byte in 0..<256 {
      for slice in 1..<8 {
        let previous = tables[(slice - 1) * 256 + byte]
        tables[slice * 256 + byte] = tables[Int(previous & 0xFF)] ^ previous >> 8
      }
    }
    return tables
  }()

  /// The checksum of `bytes`, continuing from `seed` (0 to begin).
  package static func checksum(_ bytes: RawSpan, seed: UInt32 = 0) -> UInt32 {
    let table = tables.span
    var crc = ~seed
    var offset = 0
    let count = bytes.byteCount
    while count - offset >= 8 {
      let word = bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self) ^ UInt64(crc)
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
