// Everything the reader can do, on bytes from anywhere. The fuzzer runs it, and the tests run it on what the fuzzer found:
// whatever the bytes are, each step gives values or a fault.

import Bedrock
import Columnar
import Compression

/// One input through the whole reader.
package enum ParquetExercise {
  /// Reads `bytes` as a file; bytes without a file's end as a bloom filter, an index and a block of each codec.
  package static func run(_ bytes: [UInt8]) {
    do throws(Fault) {
      guard bytes.count >= ParquetFooter.fileBytesMin, bytes.suffix(4) == ParquetFooter.magic[...] else {
        return readParts(bytes)
      }
      guard case .file(let file) = try ParquetFooter.parse(tail: bytes.span.bytes, fileByteCount: bytes.count) else { return }
      for group in file.rowGroups.indices.prefix(3) {
        for field in file.fields.prefix(60) {
          readIndexes(bytes, file, field, group)
          // One bad column does not hide the next.
          do throws(Fault) { try readField(bytes, file, field, group) } catch { continue }
        }
      }
    } catch {
      // A fault is a right answer.
      return
    }
  }

  private static func readParts(_ bytes: [UInt8]) {
    if case .filter(let filter)? = try? ParquetBloomFilter.parse(bytes.span.bytes) {  // a fault is a right answer
      for hash in [0, 1, UInt64.max, 0x1234_5678_9ABC_DEF0] { _ = filter.mayContain(hash: hash) }
    }
    _ = try? ParquetColumnIndex.parse(bytes.span.bytes)  // a fault is a right answer
    guard let first = bytes.first else { return }
    let codecs: [Codec] = [.snappy, .lz4Raw, .zstd, .gzip, .brotli, .lz4Hadoop]
    let block = Array(bytes.dropFirst())
    var decompressor = Decompressor()
    for size in [0, 64, 4_096] {
      _ = Buffer(byteCount: size) { out in
        // A fault is a right answer; writing past `size` is what the sanitizer watches for.
        try? decompressor.decompress(block.span.bytes, codec: codecs[Int(first) % codecs.count], into: out)
      }
    }
  }

  private static func source(_ bytes: [UInt8], _ chunk: ParquetColumnChunk) -> ParquetPiece {
    ParquetPiece(fileOffset: chunk.byteRange.lowerBound, bytes: .copying(Array(bytes[chunk.byteRange])))
  }

  private static func readIndexes(_ bytes: [UInt8], _ file: ParquetFile, _ field: ParquetField, _ group: Int) {
    for index in field.leaves {
      let leaf = file.leaves[index], chunk = file.rowGroups[group].columns[index]
      if let statistics = chunk.statistics { _ = leaf.bounds(statistics) }
      if let range = chunk.columnIndexRange {
        let part = Array(bytes[range])
        // A damaged index is refused; the pages are still read, without it.
        for page in (try? ParquetColumnIndex.parse(part.span.bytes))?.pages ?? [] { _ = leaf.bounds(page.statistics) }
      }
      if let range = ParquetBloomFilter.byteRange(of: chunk, fileByteCount: bytes.count) {
        let part = Array(bytes[range])
        if case .filter(let filter)? = try? ParquetBloomFilter.parse(part.span.bytes) {  // a damaged one is no filter
          _ = filter.mayContain(hash: leaf.bloomHash(.integer(7)) ?? 7)
        }
      }
      let part = Array(bytes[chunk.byteRange])
      // Headers with their statistics, from the first page on.
      _ = try? PageHeader.read(part.span.bytes, leaf: leaf)
    }
  }

  private static func readField(
    _ bytes: [UInt8], _ file: ParquetFile, _ field: ParquetField, _ group: Int
  ) throws(Fault) {
    let chunks = file.rowGroups[group].columns
    let whole = field.leaves.map { ParquetChunkSource(pieces: [source(bytes, chunks[$0])], index: nil) }
    try drain(file.columnReader(field, rowGroup: group, sources: whole))
    // By the page index, where each leaf has one.
    var paged: [ParquetChunkSource] = []
    for index in field.leaves {
      guard let range = chunks[index].offsetIndexRange else { return }
      let part = Array(bytes[range])
      let offsets = try ParquetOffsetIndex.parse(part.span.bytes, chunk: chunks[index])
      paged.append(ParquetChunkSource(pieces: [source(bytes, chunks[index])], index: offsets))
    }
    let reader = try file.columnReader(field, rowGroup: group, sources: paged)
    try reader.skip(rows: 700)
    try drain(reader)
    // A member of a struct alone.
    for child in field.children where child.isColumn {
      try drain(file.columnReader(child, rowGroup: group, sources: child.leaves.map { whole[$0 - field.leaves.lowerBound] }))
    }
  }

  /// A few runs are enough: a small file can announce billions of rows.
  private static func drain(_ reader: any ParquetColumnReader) throws(Fault) {
    for _ in 0..<6 where reader.rowsRemaining > 0 {
      let column = try reader.decode(rows: 1_000)
      precondition(column.count <= 1_000, "no more rows than asked for")
      _ = column.flat().nullCount
      try reader.skip(rows: 500)
    }
  }
}
