import Bedrock
import DeltaFormat
import TestKit
import Testing

private func bytes(_ hexadecimal: String) -> [UInt8] {
  let digits = Array(hexadecimal)
  return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
}

@Suite("Deletion vectors")
struct DeletionVectorTests {
  /// Made by pyroaring (Tests/Golden/delta/roaring.py).
  private static let golden: [(hexadecimal: String, rows: [Int])] = [
    (
      "0000002cd1d339640100000000000000000000003a3000000100000000000500100000000300040007000b0012001d00acd74a79",
      [3, 4, 7, 11, 18, 29]
    ),
    (
      "00000028d0d33964010000001c0000003a3000000100000000000500100000000300040007000b0012001d005fa38e2e",
      [3, 4, 7, 11, 18, 29]
    ),
    (
      "00000029d1d339640100000000000000000000003b300100030000e9010100630001000a00e901010070116300c97eda11",
      Array(10..<500) + Array(70_000..<70_100)
    ),
    (
      "00000025d0d3396401000000190000003b300100030000e9010100630001000a00e901010070116300398b4bb8",
      Array(10..<500) + Array(70_000..<70_100)
    ),
    (
      "00000042d1d339640100000000000000000000003a3000000400000000000100010000000f0000004c000000280000002c0000002e00000030"
        + "0000000100ffff00004042404b1f655e2b", [1, 65_535, 65_536, 1_000_000, 5_000_000]
    ),
    (
      "0000003ed0d3396401000000320000003a3000000400000000000100010000000f0000004c000000280000002c0000002e00000030000000"
        + "0100ffff00004042404b314d1c6e", [1, 65_535, 65_536, 1_000_000, 5_000_000]
    ),
  ]

  private func decode(_ stored: [UInt8], cardinality: Int) throws(Fault) -> DeletedRows {
    try DeletionVectorDecoder.decode(stored: stored, byteCount: stored.count - 8, cardinality: Int64(cardinality))
  }

  @Test("arrays and runs, both magic numbers, as CRoaring writes them")
  func golden() throws {
    for (text, rows) in Self.golden {
      let deleted = try decode(bytes(text), cardinality: rows.count)
      #expect(deleted.rows == rows && deleted.count == rows.count)
      for row in rows.prefix(20) { #expect(deleted.contains(row) && deleted.contains(row + 1) == rows.contains(row + 1)) }
    }
  }

  @Test("a container of bits")
  func bits() throws {
    // Portable, one bitmap, one container of 10,000 even values: 8,192 bytes, as CRoaring does (CRC 1907805720).
    var data = bytes("d1d339640100000000000000000000003a3000000100000000000f2710000000")
    for word in 0..<1_024 {
      let even: UInt64 = 0x5555_5555_5555_5555
      let bits = word < 312 ? even : word == 312 ? even & 0xFFFF_FFFF : 0
      for shift in 0..<8 { data.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift * 8))) }
    }
    #expect(data.count == 8_224)
    let span = data.span.bytes
    #expect(CRC32.checksum(span) == 1_907_805_720)
    let deleted = try DeletionVectorDecoder.decode(data: data, cardinality: 10_000)
    #expect(deleted.rows == Array(stride(from: 0, to: 20_000, by: 2)))
  }

  @Test("survivors of any range are the rows that are not deleted")
  func survivors() throws {
    let rows = Self.golden[2].rows
    let deleted = try decode(bytes(Self.golden[2].hexadecimal), cardinality: rows.count)
    let all = Set(rows)
    var generator = SplitMix(state: 7)
    var ranges = [0..<0, 0..<10, 0..<11, 499..<501, 65_536..<131_072, 200_000..<200_100, 0..<80_000, 70_050..<300_000]
    for _ in 0..<50 {
      let start = Int(generator.next() % 140_000)
      ranges.append(start..<(start + Int(generator.next() % 9_000)))
    }
    for range in ranges {
      let live = range.filter { !all.contains($0) }.map { Int32($0 - range.lowerBound) }
      if live.count == range.count {
        #expect(deleted.survivors(of: range) == nil)
      } else {
        #expect(deleted.survivors(of: range) == live, "\(range)")
      }
    }
  }

  @Test("every damaged byte is refused or means the same rows; nothing traps")
  func damage() throws {
    for (text, rows) in Self.golden {
      let good = bytes(text)
      for index in good.indices {
        var bad = good
        bad[index] ^= 0x41
        let refusal = fault { () throws(Fault) in _ = try decode(bad, cardinality: rows.count) }
        #expect(refusal?.kind == .corrupt, "byte \(index)")
        // Without the checksum the structure itself has to hold.
        let data = Array(bad[4..<(bad.count - 4)])
        _ = fault { () throws(Fault) in _ = try DeletionVectorDecoder.decode(data: data, cardinality: Int64(rows.count)) }
      }
      for count in 4..<(good.count - 4) {
        let cut = Array(good.prefix(count).dropFirst(4))
        #expect(fault { () throws(Fault) in _ = try DeletionVectorDecoder.decode(data: cut, cardinality: nil) } != nil)
      }
      let other = fault { () throws(Fault) in _ = try decode(good, cardinality: rows.count + 1) }
      #expect(other?.message.contains("deletes \(rows.count) rows") == true)
    }
  }

  @Test("places: inline, relative with and without prefix, absolute (PROTOCOL.md, Deletion Vectors)")
  func places() throws {
    func vector(_ type: String, _ text: String) -> DeltaDeletionVector {
      DeltaDeletionVector(storageType: type, pathOrInlineDv: text, offset: nil, sizeInBytes: 1, cardinality: 1)
    }
    #expect(
      try vector("u", "ab^-aqEH.-t@S}K{vb[*k^").place()
        == .relative("ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin"))
    #expect(
      try vector("u", "^-aqEH.-t@S}K{vb[*k^").place()
        == .relative("deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin"))
    #expect(try vector("p", "s3://b/x.bin").place() == .absolute("s3://b/x.bin"))
    let inline = "^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L"
    #expect(try vector("i", inline).place() == .inline(inline))
    let data = try #require(DeletionVectorDecoder.z85(inline))
    #expect(try DeletionVectorDecoder.decode(data: Array(data.prefix(44)), cardinality: 6).rows == [3, 4, 7, 11, 18, 29])
    #expect(fault { () throws(Fault) in _ = try vector("u", "short").place() }?.kind == .corrupt)
    #expect(fault { () throws(Fault) in _ = try vector("u", "../^-aqEH.-t@S}K{vb[*k^").place() }?.kind == .corrupt)
    #expect(DeletionVectorDecoder.z85("~~~~~") == nil && DeletionVectorDecoder.z85("#####") == nil)
  }
}

/// A small generator of numbers.
private struct SplitMix {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}
