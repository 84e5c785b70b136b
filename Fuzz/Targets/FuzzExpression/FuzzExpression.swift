// Functions over columns made of the bytes: a row's value depends on the row alone. FunctionExercise does the work.

import QueryExercise

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzExpression(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  FunctionExercise.run(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}
