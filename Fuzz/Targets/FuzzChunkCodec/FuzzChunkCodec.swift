// Fuzzes the chunk codec: bytes as a whole stored value, and bytes as a body behind a header with valid checksums, so
// that the fuzzer need not guess a CRC. What decodes must encode and decode to the same values again.

import HotTier

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzChunkCodec(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  precondition(ChunkCodec.check(hostile: UnsafeRawBufferPointer(start: start, count: count)), "no round trip")
  return 0
}
