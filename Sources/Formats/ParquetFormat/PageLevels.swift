// Where the levels of a data page lie, and the old form of them.
//
//   v1   [length (4 bytes), repetition levels] [length, definition levels] values      all compressed together
//   v2   repetition levels, definition levels, values       lengths in the header; only the values are compressed
//
// BIT_PACKED (deprecated, Encodings.md) has no length in front: `count` levels, each in the fewest bits that hold the
// maximum, most significant bit first. It is rewritten here as one packed run of the RLE hybrid, so that one decoder
// serves both.

import Bedrock
import Columnar
import Compression

enum PageLevels {
  /// Bits of a level between 0 and `max`.
  static func width(max: Int) -> Int { Int.bitWidth - max.leadingZeroBitCount }

  /// The levels that begin at `range.lowerBound` of a v1 page, as a hybrid, and where the bytes after them begin.
  static func take(
    _ bytes: Buffer, _ range: Range<Int>, encoding: Int32, count: Int, max: Int
  ) throws(Fault) -> (bytes: Buffer, range: Range<Int>, end: Int) {
    precondition(max > 0, "levels that are always 0 are not stored")
    switch ParquetEncoding(rawValue: encoding) {
    case .rle:
      let part = try PageDecoder.lengthPrefixed(bytes, range)
      return (bytes, part, part.upperBound)
    case .bitPacked:
      let width = width(max: max)
      let (bits, overflow) = count.multipliedReportingOverflow(by: width)
      guard !overflow, bits / 8 < range.count || bits == range.count * 8 else {
        throw Fault.corrupt("a Parquet page is damaged: its levels are longer than the page")
      }
      let hybrid = repack(bytes, at: range.lowerBound, count: count, width: width)
      return (hybrid, 0..<hybrid.byteCount, range.lowerBound + (bits + 7) / 8)
    default: throw Fault.unsupported("Parquet encoding \(encoding) of levels")
    }
  }

  /// The header of one packed run, then the same numbers with the least significant bit first.
  private static func repack(_ bytes: Buffer, at start: Int, count: Int, width: Int) -> Buffer {
    let groups = (count + 7) / 8
    var output: [UInt8] = []
    output.append(varint: UInt64(groups) << 1 | 1)
    let header = output.count
    output.append(contentsOf: repeatElement(0, count: groups * width))
    let source = bytes.span(of: UInt8.self)
    for index in 0..<count {
      for bit in 0..<width {
        let from = index * width + bit
        // The first bit of a number is its highest one.
        let value = source[start + from / 8] >> UInt8(7 - from % 8) & 1
        let to = index * width + (width - 1 - bit)
        output[header + to / 8] |= value << UInt8(to % 8)
      }
    }
    return .copying(output)
  }
}

extension ParquetColumnChunk {
  /// The codec of this chunk, or the reason why it can not be read.
  func readableCodec(_ leaf: ParquetLeaf) throws(Fault) -> Codec {
    if isEncrypted { throw Fault.unsupported("the encrypted Parquet column \(leaf.path.joined(separator: "."))") }
    switch codec {
    case .uncompressed: return .uncompressed
    case .snappy: return .snappy
    case .gzip: return .gzip
    case .brotli: return .brotli
    case .lz4Hadoop: return .lz4Hadoop
    case .zstd: return .zstd
    case .lz4Raw: return .lz4Raw
    case nil: throw Fault.unsupported("the Parquet codec \(codecNumber == 3 ? "LZO" : "\(codecNumber)")")
    }
  }
}
