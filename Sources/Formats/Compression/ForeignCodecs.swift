// Codecs that only others write.
//
//   gzip       RFC 1952, several members one after the other; zlib streams (RFC 1950) too, as some writers put them
//   brotli     RFC 7932, one stream
//   lz4Hadoop  blocks of [size of the output, size of the block] (4 bytes each, big-endian) and an LZ4 block. Writers
//              disagreed about this codec: what is not framed so is tried as one bare LZ4 block, then as an LZ4 frame.
//
// None writes more than the output that the caller sized: a bomb ends at its last byte.

import Bedrock
import CCodecs

extension Decompressor {
  /// The bytes produced; `nil` when the input is damaged or gives more than `output` holds.
  mutating func decompressGzip(
    _ bytes: RawSpan, into output: UnsafeMutableRawBufferPointer
  ) throws(Fault) -> Int? {
    guard bytes.byteCount <= Int(UInt32.max), output.count <= Int(UInt32.max) else { return nil }
    var stream = z_stream()
    // 15 bits of window, +32: gzip or zlib by their header.
    guard inflateInit2_(&stream, 15 + 32, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw Fault(.outOfMemory, "no memory for a decompression context")
    }
    defer { inflateEnd(&stream) }
    return bytes.withUnsafeBytes { source -> Int? in
      guard let input = source.baseAddress, source.count > 0 else { return nil }
      stream.next_in = UnsafeMutablePointer(mutating: input.assumingMemoryBound(to: UInt8.self))
      stream.avail_in = UInt32(source.count)
      // zlib wants a place to write to even for an empty result.
      var nothing: UInt8 = 0
      return withUnsafeMutablePointer(to: &nothing) { spare -> Int? in
        stream.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? spare
        stream.avail_out = UInt32(output.count)
        while true {
          guard inflate(&stream, Z_FINISH) == Z_STREAM_END else { return nil }
          if stream.avail_in == 0 { return output.count - Int(stream.avail_out) }
          guard inflateReset(&stream) == Z_OK else { return nil }
        }
      }
    }
  }

  static func decompressBrotli(_ bytes: RawSpan, into output: UnsafeMutableRawBufferPointer) -> Int? {
    bytes.withUnsafeBytes { source -> Int? in
      guard let input = source.baseAddress else { return nil }
      var written = output.count
      var nothing: UInt8 = 0
      let result = withUnsafeMutablePointer(to: &nothing) { spare in
        BrotliDecoderDecompress(
          source.count, input.assumingMemoryBound(to: UInt8.self), &written,
          output.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? spare)
      }
      return result == BROTLI_DECODER_RESULT_SUCCESS ? written : nil
    }
  }

  static func decompressHadoopLZ4(_ bytes: RawSpan, into output: UnsafeMutableRawBufferPointer) -> Int? {
    if let produced = decompressHadoopBlocks(bytes, into: output), produced == output.count { return produced }
    if let produced = decompressLZ4(bytes, into: output), produced == output.count { return produced }
    return decompressLZ4Frame(bytes, into: output)
  }

  private static func decompressHadoopBlocks(_ bytes: RawSpan, into output: UnsafeMutableRawBufferPointer) -> Int? {
    var offset = 0, produced = 0
    while offset < bytes.byteCount {
      guard bytes.byteCount - offset >= 8 else { return nil }
      let outputCount = Int(UInt32(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)))
      let blockCount = Int(UInt32(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)))
      offset += 8
      guard blockCount <= bytes.byteCount - offset, outputCount <= output.count - produced else { return nil }
      let part = UnsafeMutableRawBufferPointer(rebasing: output[produced..<(produced + outputCount)])
      guard decompressLZ4(bytes.extracting(offset..<(offset + blockCount)), into: part) == outputCount else { return nil }
      offset += blockCount
      produced += outputCount
    }
    return produced
  }

  private static func decompressLZ4Frame(_ bytes: RawSpan, into output: UnsafeMutableRawBufferPointer) -> Int? {
    var created: OpaquePointer?
    guard LZ4F_isError(LZ4F_createDecompressionContext(&created, UInt32(LZ4F_VERSION))) == 0, let context = created else {
      return nil
    }
    defer { LZ4F_freeDecompressionContext(context) }
    return bytes.withUnsafeBytes { source -> Int? in
      guard let input = source.baseAddress else { return nil }
      var read = 0, produced = 0
      while read < source.count {
        var step = source.count - read, room = output.count - produced
        let out = output.baseAddress.map { $0 + produced }
        let hint = LZ4F_decompress(context, out, &room, input + read, &step, nil)
        if LZ4F_isError(hint) != 0 { return nil }
        read += step
        produced += room
        if hint == 0 { return read == source.count ? produced : nil }
        if step == 0 && room == 0 { return nil }
      }
      return nil
    }
  }
}
