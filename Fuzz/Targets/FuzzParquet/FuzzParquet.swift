// Fuzzes the Parquet reader: the input is a whole file. Whatever the bytes are, every column is read or a fault is thrown;
// nothing traps, and memory stays within the limits.
//
// Build and run:
//   FUZZ=1 swift build -c release --scratch-path .build-fuzz --product FuzzParquet --sanitize fuzzer --sanitize address \
//     -Xswiftc -sanitize=fuzzer,address -Xlinker -fuse-ld=lld
//   SWIFT_BACKTRACE=enable=no .build-fuzz/release/FuzzParquet -max_total_time=60 -max_len=65536 Fuzz/Corpus/FuzzParquet

import Bedrock
import Columnar
import ParquetFormat

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ argc: UnsafeMutablePointer<CInt>, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@_cdecl("FuzzParquet_main")
public func fuzzMain(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
  var argc = argc
  var arguments = argv
  return runDriver(&argc, &arguments, fuzzOne)
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = UnsafeRawBufferPointer(start: start, count: count)
  // A fault is a right answer.
  _ = try? readEverything(Array(input))
  return 0
}

private func readEverything(_ bytes: [UInt8]) throws(Fault) {
  guard bytes.count >= 8 else { return }
  guard case .file(let file) = try ParquetFooter.parse(tail: bytes.span.bytes, fileByteCount: bytes.count) else { return }
  for group in file.rowGroups.prefix(4) {
    for (leaf, chunk) in zip(file.leaves, group.columns).prefix(40) {
      // One bad column does not hide the next.
      do throws(Fault) { try readColumn(leaf, chunk, bytes) } catch { continue }
    }
  }
}

private func readColumn(_ leaf: ParquetLeaf, _ chunk: ParquetColumnChunk, _ bytes: [UInt8]) throws(Fault) {
  if let statistics = chunk.statistics { _ = leaf.bounds(statistics) }
  var index: ParquetOffsetIndex?
  if let range = chunk.columnIndexRange {
    // A damaged index is refused; the pages are still read, without it.
    let parsed = try? ParquetColumnIndex.parse(Array(bytes[range]).span.bytes)
    for page in parsed?.pages ?? [] { _ = leaf.bounds(page.statistics) }
  }
  if let range = chunk.offsetIndexRange {
    index = try? ParquetOffsetIndex.parse(Array(bytes[range]).span.bytes, chunk: chunk)
  }
  let data = Buffer.copying(Array(bytes[chunk.byteRange]))
  let whole = try ColumnChunkDecoder(leaf: leaf, chunk: chunk, bytes: data)
  // A few runs are enough: a small file can announce billions of rows.
  for _ in 0..<8 where whole.rowsRemaining > 0 {
    let column = try whole.decode(rows: 1_000)
    precondition(column.count <= 1_000)
    _ = column.flat().nullCount
    try whole.skip(rows: 500)
  }
  let piece = ParquetPiece(fileOffset: chunk.byteRange.lowerBound, bytes: data)
  let paged = try ColumnChunkDecoder(leaf: leaf, chunk: chunk, pieces: [piece], index: index)
  for _ in 0..<4 where paged.rowsRemaining > 0 {
    try paged.skip(rows: 700)
    _ = try paged.decode(rows: 300)
  }
}
