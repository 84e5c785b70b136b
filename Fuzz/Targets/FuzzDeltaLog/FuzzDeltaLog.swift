// Fuzzes the Delta log: commit files parted by NUL bytes, replayed in order (DeltaLogCheck says what must hold).

import DeltaFormat

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDeltaLog(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  precondition(DeltaLogCheck.check(hostile: UnsafeRawBufferPointer(start: start, count: count)), "no round trip")
  return 0
}
