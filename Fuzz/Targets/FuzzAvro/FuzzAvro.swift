// Fuzzes Avro object container files and Iceberg's metadata in them (AvroCheck says what must hold).

import IcebergFormat

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAvro(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  precondition(AvroCheck.check(hostile: UnsafeRawBufferPointer(start: start, count: count)), "no round trip")
  return 0
}
