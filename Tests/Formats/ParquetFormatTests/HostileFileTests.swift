// Damaged files: every flip and every cut must end in rows or in a fault.

import Bedrock
import Columnar
import Foundation
import ParquetFormat
import Testing

private func readEverything(_ bytes: [UInt8]) throws {
  let file = try Files.parse(bytes)
  for group in file.rowGroups.indices {
    for column in file.leaves.indices {
      let chunk = file.rowGroups[group].columns[column]
      if let range = chunk.offsetIndexRange {
        _ = try ParquetOffsetIndex.parse(Array(bytes[range]).span.bytes, chunk: chunk)
      }
      if let range = chunk.columnIndexRange {
        for page in try ParquetColumnIndex.parse(Array(bytes[range]).span.bytes).pages {
          _ = file.leaves[column].bounds(page.statistics)
        }
      }
      let decoder = try Files.decoder(bytes, file, group: group, column: column)
      for _ in 0..<20 where decoder.rowsRemaining > 0 { _ = try decoder.decode(rows: 500).flat() }
    }
  }
}

/// Bytes of a small file with several types and encodings.
private func sample(codec: ParquetCodec) throws -> [UInt8] {
  var seed = Seed(17)
  let declared = RandomData.types.enumerated().map {
    ParquetColumn(name: "c\($0)", type: $1, isNullable: $0 % 2 == 0, fieldID: Int32($0))
  }
  let columns = declared.enumerated().map {
    RandomData.column(
      $1.type, rows: 120, shape: RandomData.Shape.allCases[$0 % 4], nullsPerThousand: $1.isNullable ? 200 : 0,
      seed: &seed)
  }
  var options = ParquetWriterOptions()
  options.codec = codec
  options.pageRowsMax = 50
  options.rowGroupRowsMax = 100
  return try Files.write(declared, [Chunk(columns: columns, rowCount: 120)], options: options).bytes
}

@Suite struct HostileFileTests {
  @Test(arguments: [ParquetCodec.uncompressed, .zstd, .snappy, .lz4Raw])
  func flippedBytesNeverTrap(codec: ParquetCodec) throws {
    let bytes = try sample(codec: codec)
    var seed = Seed(31)
    var faults = 0
    for _ in 0..<300 {
      var damaged = bytes
      for _ in 0...seed.below(3) { damaged[seed.below(bytes.count)] ^= UInt8(1 << seed.below(8)) }
      do { try readEverything(damaged) } catch is Fault { faults += 1 }
    }
    #expect(faults > 100)
  }

  @Test func cutFilesAreRefused() throws {
    let bytes = try sample(codec: .zstd)
    for count in stride(from: 0, to: bytes.count, by: 37) {
      #expect(throws: Fault.self) { try readEverything(Array(bytes[..<count])) }
    }
  }

  @Test func aFlippedPageIsFoundByItsChecksum() throws {
    let bytes = try sample(codec: .uncompressed)
    let file = try Files.parse(bytes)
    var damaged = bytes
    damaged[file.rowGroups[0].columns[3].byteRange.upperBound - 1] ^= 1
    let fault = #expect(throws: Fault.self) { try Files.scalars(damaged, file, column: 3) }
    #expect(fault?.kind == .corrupt)
    #expect(fault?.message.contains("checksum") == true)
  }

  @Test func aFooterLargerThanTheTailIsAskedFor() throws {
    let bytes = try sample(codec: .zstd)
    let tail = Array(bytes.suffix(100))
    guard case .needs(let count) = try ParquetFooter.parse(tail: tail.span.bytes, fileByteCount: bytes.count) else {
      Issue.record("the footer has more than 100 bytes")
      return
    }
    let longer = Array(bytes.suffix(count))
    guard case .file(let file) = try ParquetFooter.parse(tail: longer.span.bytes, fileByteCount: bytes.count) else {
      Issue.record("that was enough")
      return
    }
    #expect(file.rowCount == 120)
  }

  @Test func aHugeFooterLengthIsRefusedBeforeAllocation() throws {
    var bytes = try sample(codec: .zstd)
    let at = bytes.count - 8
    for index in 0..<4 { bytes[at + index] = 0xFF }
    let fault = #expect(throws: Fault.self) { try Files.parse(bytes) }
    #expect(fault?.state == .programLimitExceeded)
  }
}
