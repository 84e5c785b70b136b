// Fuzzes the wire protocol's decoder, state machine and binary values.
//
// The first byte says what the rest is: bit 7 set: a binary value, its type chosen by the low bits; else the bytes of a
// client, fed in pieces of (byte & 63) + 1. Nothing may trap; what decodes as a value must encode to a value that
// decodes to the same.

import Bedrock
import Columnar
import PostgresProtocol

@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let start, count > 1 else { return 0 }
  let bytes = UnsafeBufferPointer(start: start + 1, count: count - 1)
  if start[0] & 0x80 != 0 {
    WireExercise.value(Array(bytes), selector: start[0] & 0x7F)
  } else {
    WireExercise.client(UnsafeRawBufferPointer(bytes), piece: Int(start[0] & 63) + 1)
  }
  return 0
}

@_cdecl("FuzzWire_main")
public func main(
  _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> CInt {
  var count = count
  var arguments = arguments
  return runDriver(&count, &arguments, { fuzz($0, $1) })
}
