// Levels in the deprecated BIT_PACKED form, which current writers do not make.

import Bedrock
import Columnar
import Testing

@testable import ParquetFormat

/// Encodings.md, "Bit-packed": the first bit of a level is its highest one, levels follow without gaps.
private func bitPacked(_ levels: [UInt32], width: Int) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: (levels.count * width + 7) / 8)
  for (index, level) in levels.enumerated() {
    for bit in 0..<width where level >> UInt32(width - 1 - bit) & 1 == 1 {
      let place = index * width + bit
      bytes[place / 8] |= 0x80 >> UInt8(place % 8)
    }
  }
  return bytes
}

private func decode(_ bytes: Buffer, _ range: Range<Int>, count: Int, max: Int) throws -> [UInt32] {
  var decoder = HybridDecoder(width: PageLevels.width(max: max), range: range)
  var levels = [UInt32](repeating: 0, count: count)
  try bytes.withUnsafeBytes { raw in
    try levels.withUnsafeMutableBufferPointer { out in
      guard let page = raw.baseAddress, let out = out.baseAddress else { return }
      try decoder.decode(count, page: page, into: out)
    }
  }
  return levels
}

@Suite struct PageLevelsTests {
  @Test(arguments: [1, 2, 3, 5, 7, 8, 63, 64])
  func oldLevelsAreReadAsNewOnes(max: Int) throws {
    var seed = Seed(UInt64(max))
    let width = PageLevels.width(max: max)
    for count in [1, 7, 8, 9, 100, 1_003] {
      let levels = (0..<count).map { _ in UInt32(seed.below(max + 1)) }
      let packed = bitPacked(levels, width: width)
      let page = Buffer.copying([0xAA, 0xBB] + packed + [0xCC])
      let part = try PageLevels.take(
        page, 2..<page.byteCount, encoding: ParquetEncoding.bitPacked.rawValue, count: count, max: max)
      #expect(part.end == 2 + packed.count)
      #expect(try decode(part.bytes, part.range, count: count, max: max) == levels)
    }
  }

  /// The example of Encodings.md: 0 to 7 in three bits each.
  @Test func theExampleOfTheSpecification() throws {
    let page = Buffer.copying([UInt8(0b0000_0101), 0b0011_1001, 0b0111_0111])
    let part = try PageLevels.take(page, 0..<3, encoding: ParquetEncoding.bitPacked.rawValue, count: 8, max: 7)
    #expect(try decode(part.bytes, part.range, count: 8, max: 7) == Array(0...7))
  }

  @Test func levelsLongerThanTheirPageAreRefused() {
    let page = Buffer.copying([UInt8](repeating: 0, count: 10))
    for count in [81, 1_000_000, Int.max] {
      #expect(throws: Fault.self) {
        _ = try PageLevels.take(page, 0..<10, encoding: ParquetEncoding.bitPacked.rawValue, count: count, max: 1)
      }
    }
    #expect(throws: Fault.self) {
      _ = try PageLevels.take(page, 0..<10, encoding: ParquetEncoding.deltaBinaryPacked.rawValue, count: 1, max: 1)
    }
  }
}
