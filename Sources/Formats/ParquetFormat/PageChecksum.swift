// CRC-32 of pages: the polynomial of gzip (0x04C11DB7, reflected 0xEDB88320), over the page's bytes as they lie in the
// file, without the header. Slicing by 8; the table is built once. Not CRC-32C, which the rest of Cramped uses.

import Bedrock

enum PageChecksum {
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var crc = UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
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

  static func checksum(_ bytes: RawSpan) -> UInt32 {
    tables.withUnsafeBufferPointer { table in
      var crc: UInt32 = 0xFFFF_FFFF
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
