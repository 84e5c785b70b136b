// SQL text through parse, bind, plan: nothing traps, no fault is a bug of ours. StatementExercise does the work.

import QueryExercise

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSQL(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  StatementExercise.run(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}
