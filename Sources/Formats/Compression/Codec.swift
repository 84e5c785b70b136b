// Block compression: one input, one output, no framing of our own.
//
//   zstd      one frame (RFC 8878), contexts reused
//   snappy    raw block format (no framing), as Parquet wants it
//   lz4Raw    LZ4 block format without the Hadoop header ("LZ4_RAW" of Parquet)
//   gzip, brotli, lz4Hadoop are read only; see ForeignCodecs.swift
//
// The size of the result is always known before decompression: it is written down by the caller's format and checked
// against that format's limit. A block that gives another size is corrupt.

package import Bedrock
import CCodecs

/// A block compression format.
package enum Codec: UInt8, Sendable {
  case uncompressed, snappy, lz4Raw, zstd
  /// What other writers use: `Decompressor` reads them, `Compressor` does not write them.
  case gzip, brotli, lz4Hadoop

  package var isWritable: Bool { self.rawValue <= Codec.zstd.rawValue }
}

/// Compresses blocks with one codec. Owns the codec's context and scratch memory; not for two threads at once.
package struct Compressor: ~Copyable {
  package let codec: Codec
  private let level: Int32
  private let context: OpaquePointer?
  private var scratch: UnsafeMutableRawBufferPointer

  /// - Parameter level: zstd level, 1...19; other codecs ignore it.
  package init(_ codec: Codec, level: Int32 = 3) {
    precondition(codec.isWritable, "a codec that is only read")
    precondition(level >= 1 && level <= 19, "a zstd level that needs no large window")
    self.codec = codec
    self.level = level
    context = codec == .zstd ? ZSTD_createCCtx() : nil
    scratch = .allocate(byteCount: 0, alignment: 16)
  }

  deinit {
    if let context { _ = ZSTD_freeCCtx(context) }
    scratch.deallocate()
  }

  private mutating func reserve(_ byteCount: Int) {
    if scratch.count >= byteCount { return }
    scratch.deallocate()
    scratch = .allocate(byteCount: byteCount, alignment: 16)
  }

  /// Appends the compressed form of `bytes` to `output` and returns how many bytes that is.
  package mutating func compress(_ bytes: RawSpan, appendingTo output: inout [UInt8]) throws(Fault) -> Int {
    let sourceCount = bytes.byteCount
    switch codec {
    case .uncompressed:
      bytes.withUnsafeBytes { output.append(contentsOf: $0) }
      return sourceCount
    case .zstd:
      guard let context else { throw Fault(.outOfMemory, "no memory for a compression context") }
      let bound = ZSTD_compressBound(sourceCount)
      reserve(bound)
      let written = bytes.withUnsafeBytes { source in
        ZSTD_compressCCtx(context, scratch.baseAddress, scratch.count, source.baseAddress, source.count, level)
      }
      guard ZSTD_isError(written) == 0 else { throw Fault.bug("zstd refused to compress a block") }
      output.append(contentsOf: UnsafeRawBufferPointer(rebasing: scratch[..<written]))
      return written
    case .snappy:
      var written = snappy_max_compressed_length(sourceCount)
      reserve(written)
      let status = bytes.withUnsafeBytes { source in
        snappy_compress(
          source.baseAddress?.assumingMemoryBound(to: CChar.self), source.count,
          scratch.baseAddress?.assumingMemoryBound(to: CChar.self), &written)
      }
      guard status == SNAPPY_OK else { throw Fault.bug("snappy refused to compress a block") }
      output.append(contentsOf: UnsafeRawBufferPointer(rebasing: scratch[..<written]))
      return written
    case .lz4Raw:
      guard sourceCount <= Int(LZ4_MAX_INPUT_SIZE) else {
        throw Fault(.programLimitExceeded, "a block of \(sourceCount) bytes is too large for lz4")
      }
      reserve(Int(LZ4_compressBound(Int32(sourceCount))))
      let written = bytes.withUnsafeBytes { source in
        LZ4_compress_default(
          source.baseAddress?.assumingMemoryBound(to: CChar.self),
          scratch.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(source.count), Int32(scratch.count))
      }
      guard written > 0 else { throw Fault.bug("lz4 refused to compress a block") }
      output.append(contentsOf: UnsafeRawBufferPointer(rebasing: scratch[..<Int(written)]))
      return Int(written)
    case .gzip, .brotli, .lz4Hadoop: throw Fault.bug("a codec that is only read")
    }
  }
}

/// Decompresses blocks of any codec. Owns the zstd context; not for two threads at once.
package struct Decompressor: ~Copyable {
  private var context: OpaquePointer?

  package init() {}

  deinit { if let context { _ = ZSTD_freeDCtx(context) } }

  /// Fills `output` wholly from `bytes`; a block of another size is `Fault.corrupt`. The caller has compared the size of
  /// `output` with its limit before it allocated it.
  package mutating func decompress(
    _ bytes: RawSpan, codec: Codec, into output: UnsafeMutableRawBufferPointer
  ) throws(Fault) {
    let produced: Int?
    switch codec {
    case .uncompressed:
      produced = bytes.byteCount
      if bytes.byteCount == output.count { bytes.withUnsafeBytes { output.copyMemory(from: $0) } }
    case .zstd: produced = try decompressZstd(bytes, into: output)
    case .snappy: produced = Self.decompressSnappy(bytes, into: output)
    case .lz4Raw: produced = Self.decompressLZ4(bytes, into: output)
    case .gzip: produced = try decompressGzip(bytes, into: output)
    case .brotli: produced = Self.decompressBrotli(bytes, into: output)
    case .lz4Hadoop: produced = Self.decompressHadoopLZ4(bytes, into: output)
    }
    guard let produced else { throw Fault.corrupt("a compressed block does not decode") }
    guard produced == output.count else {
      throw Fault.corrupt("a compressed block decodes to \(produced) bytes where \(output.count) were announced")
    }
  }

  private mutating func decompressZstd(
    _ bytes: RawSpan, into output: UnsafeMutableRawBufferPointer
  ) throws(Fault) -> Int? {
    if context == nil { context = ZSTD_createDCtx() }
    guard let context else { throw Fault(.outOfMemory, "no memory for a decompression context") }
    let produced = bytes.withUnsafeBytes { source in
      ZSTD_decompressDCtx(context, output.baseAddress, output.count, source.baseAddress, source.count)
    }
    return ZSTD_isError(produced) == 0 ? produced : nil
  }

  private static func decompressSnappy(_ bytes: RawSpan, into output: UnsafeMutableRawBufferPointer) -> Int? {
    bytes.withUnsafeBytes { source -> Int? in
      let input = source.baseAddress?.assumingMemoryBound(to: CChar.self)
      var announced = 0
      guard let input, snappy_uncompressed_length(input, source.count, &announced) == SNAPPY_OK else { return nil }
      guard announced == output.count else { return announced }
      var written = output.count
      let status = snappy_uncompress(
        input, source.count, output.baseAddress?.assumingMemoryBound(to: CChar.self), &written)
      return status == SNAPPY_OK ? written : nil
    }
  }

  static func decompressLZ4(_ bytes: RawSpan, into output: UnsafeMutableRawBufferPointer) -> Int? {
    guard bytes.byteCount <= Int(Int32.max), output.count <= Int(Int32.max) else { return nil }
    let produced = bytes.withUnsafeBytes { source in
      LZ4_decompress_safe(
        source.baseAddress?.assumingMemoryBound(to: CChar.self),
        output.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(source.count), Int32(output.count))
    }
    return produced >= 0 ? Int(produced) : nil
  }
}
