// COPY data cut at random places: rows and faults do not depend on the cuts. CopyExercise does the work.

import PostgresProtocol

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCopy(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  CopyExercise.run(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}
