// Fuzzes deletion vectors (DeltaCheckpointCheck says what must hold).

import DeltaFormat

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDeletionVector(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = UnsafeRawBufferPointer(start: start, count: count)
  precondition(DeltaCheckpointCheck.check(deletionVector: input), "rows contradict each other")
  return 0
}
