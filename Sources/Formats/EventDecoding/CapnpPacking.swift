// Cap'n Proto's packing (capnproto.org/encoding.html#packing) undone.
//
//   tag byte: bit i set = byte i of the word follows, else it is zero
//   tag 0x00: then a count of further zero words      tag 0xFF: then 8 bytes, a count, and that many plain words

enum CapnpPacking {
  /// The unpacked length; `nil` for malformed input or more than `out` holds.
  static func unpack(_ packed: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer) -> Int? {
    var at = 0, end = 0
    while at < packed.count {
      let tag = packed[at]
      at += 1
      guard out.count - end >= 8 else { return nil }
      for bit in 0..<8 {
        if tag >> UInt8(bit) & 1 == 1 {
          guard at < packed.count else { return nil }
          out[end + bit] = packed[at]
          at += 1
        } else {
          out[end + bit] = 0
        }
      }
      end += 8
      guard tag == 0 || tag == 0xFF else { continue }
      guard at < packed.count else { return nil }
      let run = Int(packed[at]) * 8
      at += 1
      guard out.count - end >= run else { return nil }
      if tag == 0 {
        for index in end..<(end + run) { out[index] = 0 }
      } else {
        guard packed.count - at >= run else { return nil }
        for index in 0..<run { out[end + index] = packed[at + index] }
        at += run
      }
      end += run
    }
    return end
  }
}
