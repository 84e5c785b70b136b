// Compression contexts that the columns of a file share: one for each thread that is at work, whatever the columns.

import Bedrock
import Compression
import Synchronization

/// One context. One thread at a time.
// unchecked Sendable because whoever has taken it from the pool is alone with it.
final class PageCompressor: @unchecked Sendable {
  private var compressor: Compressor
  private var scratch: [UInt8] = []

  init(_ codec: ParquetCodec, level: Int32) {
    switch codec {
    case .uncompressed: compressor = Compressor(.uncompressed)
    case .snappy: compressor = Compressor(.snappy)
    case .lz4Raw: compressor = Compressor(.lz4Raw)
    case .zstd: compressor = Compressor(.zstd, level: level)
    case .gzip, .brotli, .lz4Hadoop: preconditionFailure("codecs that are only read")
    }
  }

  func compress(_ bytes: [UInt8], appendingTo output: inout [UInt8]) throws(Fault) -> Int {
    try compressor.compress(bytes.span.bytes, appendingTo: &output)
  }

  /// How many bytes `bytes` have when compressed.
  func size(_ bytes: [UInt8]) throws(Fault) -> Int {
    scratch.removeAll(keepingCapacity: true)
    return try compressor.compress(bytes.span.bytes, appendingTo: &scratch)
  }
}

final class CompressorPool: Sendable {
  private let codec: ParquetCodec
  private let level: Int32
  private let idle = Mutex<[PageCompressor]>([])

  init(_ codec: ParquetCodec, level: Int32) {
    self.codec = codec
    self.level = level
  }

  func take() -> PageCompressor { idle.withLock { $0.popLast() } ?? PageCompressor(codec, level: level) }
  func give(_ compressor: PageCompressor) { idle.withLock { $0.append(compressor) } }
}
