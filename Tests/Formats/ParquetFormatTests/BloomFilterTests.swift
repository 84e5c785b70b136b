// Bloom filters that parquet-mr and parquet-cpp wrote, and damaged ones.

import Bedrock
import Columnar
import Testing

@testable import ParquetFormat

private func filter(_ bytes: [UInt8], _ file: ParquetFile, column: Int) throws -> ParquetBloomFilter {
  let range = try #require(ParquetBloomFilter.byteRange(of: file.rowGroups[0].columns[column], fileByteCount: bytes.count))
  switch try ParquetBloomFilter.parse(Array(bytes[range]).span.bytes) {
  case .filter(let filter): return filter
  case .needs(let byteCount):
    let more = Array(bytes[range.lowerBound..<(range.lowerBound + byteCount)])
    guard case .filter(let filter) = try ParquetBloomFilter.parse(more.span.bytes) else { throw Fault.bug("asked twice") }
    return filter
  }
}

@Suite struct BloomFilterTests {
  @Test(.enabled(if: GoldenFiles.areThere, GoldenFiles.absent), arguments: ["data_index_bloom_encoding_stats", "data_index_bloom_encoding_with_length"])
  func filtersOfOthersAreRead(name: String) throws {
    let bytes = try GoldenFiles.bytes("data/\(name).parquet")
    let file = try Files.parse(bytes)
    let filter = try filter(bytes, file, column: 0)
    for value in try Files.scalars(bytes, file, column: 0) {
      let hash = try #require(file.leaves[0].bloomHash(value))
      #expect(filter.mayContain(hash: hash))
    }
    var hits = 0
    for number in 0..<1_000 {
      let hash = try #require(file.leaves[0].bloomHash(.text("absent-\(number)")))
      if filter.mayContain(hash: hash) { hits += 1 }
    }
    #expect(hits < 30)
  }

  @Test(.enabled(if: GoldenFiles.areThere, GoldenFiles.absent))
  func theFilterOfParquetCppIsRead() throws {
    let bytes = try GoldenFiles.bytes("data/bloom_filter.xxhash.bin")
    guard case .filter(let filter) = try ParquetBloomFilter.parse(bytes.span.bytes) else {
      throw Fault.bug("the whole filter was given")
    }
    let leaf = try Files.parse(GoldenFiles.bytes("data/data_index_bloom_encoding_stats.parquet")).leaves[0]
    for word in ["hello", "parquet", "bloom", "filter"] {
      #expect(filter.mayContain(hash: try #require(leaf.bloomHash(.text(word)))))
    }
    #expect(!filter.mayContain(hash: try #require(leaf.bloomHash(.text("absent")))))
  }

  @Test func ourFilterKnowsItsValuesAndFewOthers() throws {
    var builder = BloomFilterBuilder(valueCountMax: 5_000)
    let hashes = (0..<5_000).map { XXH64.hash(UInt64($0)) }
    hashes.withUnsafeBufferPointer { builder.insert($0) }
    let bytes = builder.write()
    guard case .filter(let filter) = try ParquetBloomFilter.parse(bytes.span.bytes) else {
      throw Fault.bug("the whole filter was given")
    }
    for hash in hashes { #expect(filter.mayContain(hash: hash)) }
    let hits = (5_000..<15_000).count { filter.mayContain(hash: XXH64.hash(UInt64($0))) }
    #expect(hits < 300, "1 % of 10,000 wrong answers are wanted")
  }

  @Test(.enabled(if: GoldenFiles.areThere, GoldenFiles.absent))
  func damagedFiltersGiveFaultsOrAskForMore() throws {
    let bytes = try GoldenFiles.bytes("data/bloom_filter.xxhash.bin")
    for count in 0..<40 {
      let part = Array(bytes[..<count])
      do {
        if case .needs(let byteCount) = try ParquetBloomFilter.parse(part.span.bytes) { #expect(byteCount == bytes.count) }
      } catch { #expect(error.state == .dataCorrupted) }
    }
    for place in 0..<16 {
      for bit in 0..<8 {
        var damaged = bytes
        damaged[place] ^= 1 << UInt8(bit)
        // A fault, a request for more, or a filter of another size; never a trap.
        if case .filter(let filter)? = try? ParquetBloomFilter.parse(damaged.span.bytes) {
          _ = filter.mayContain(hash: .max)
        }
      }
    }
  }
}
