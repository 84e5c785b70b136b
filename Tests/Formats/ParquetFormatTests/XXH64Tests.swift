// The hash against published values of the reference implementation.

import Testing

@testable import ParquetFormat

@Suite struct XXH64Tests {
  @Test(arguments: [
    ("", 0xEF46_DB37_51D8_E999 as UInt64), ("a", 0xD24E_C4F1_A98C_6E5B), ("abc", 0x44BC_2CF5_AD77_0999),
    ("Nobody inspects the spammish repetition", 0xFBCE_A83C_8A37_8BF1),
  ])
  func knownValues(text: String, expected: UInt64) {
    let bytes = Array(text.utf8)
    #expect(bytes.withUnsafeBytes { XXH64.hash($0) } == expected)
  }

  @Test func wordsHashAsTheirBytes() {
    for value: UInt64 in [0, 1, 0x0123_4567_89AB_CDEF, .max] {
      #expect(XXH64.hash(value) == withUnsafeBytes(of: value.littleEndian) { XXH64.hash($0) })
      let half = UInt32(truncatingIfNeeded: value)
      #expect(XXH64.hash(half) == withUnsafeBytes(of: half.littleEndian) { XXH64.hash($0) })
    }
  }
}
