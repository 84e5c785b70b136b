// Fuzzes the chunk codec: bytes as a whole stored value, and bytes as a body behind a header with valid checksums, so
// that the fuzzer need not guess a CRC. What decodes must encode and decode to the same values again.

import Bedrock
import Columnar
import HotTier

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzChunkCodec(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  ChunkCodecFuzzing.run(UnsafeRawBufferPointer(start: start, count: count))
  return 0
}
