// Fuzzes the Parquet reader: the input is a whole file. Whatever the bytes are, every column is read or a fault is thrown;
// nothing traps, and memory stays within the limits.
//
// Build and run:
//   FUZZ=1 swift build -c release --scratch-path .build-fuzz --product FuzzParquet --sanitize fuzzer --sanitize address \
//     -Xswiftc -sanitize=fuzzer,address -Xlinker -fuse-ld=lld
//   SWIFT_BACKTRACE=enable=no .build-fuzz/release/FuzzParquet -max_total_time=60 -max_len=65536 Fuzz/Corpus/FuzzParquet

import ParquetFormat

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ argc: UnsafeMutablePointer<CInt>, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@_cdecl("FuzzParquet_main")
public func fuzzMain(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
  var argc = argc
  var arguments = argv
  return runDriver(&argc, &arguments, fuzzOne)
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  ParquetExercise.run(Array(UnsafeRawBufferPointer(start: start, count: count)))
  return 0
}
