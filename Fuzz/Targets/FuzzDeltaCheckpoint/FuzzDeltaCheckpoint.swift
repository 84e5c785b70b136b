// Fuzzes checkpoints of a Delta log in Parquet (DeltaCheckpointCheck says what must hold).

import DeltaFormat

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDeltaCheckpoint(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = UnsafeRawBufferPointer(start: start, count: count)
  precondition(DeltaCheckpointCheck.check(checkpoint: input), "no round trip")
  return 0
}
