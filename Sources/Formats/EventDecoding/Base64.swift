// Base64 with the standard alphabet and padding (RFC 4648 section 4).

enum Base64 {
  /// The decoded length; `nil` for other characters, wrong padding, or more than `out` holds.
  static func decode(_ text: UnsafeBufferPointer<UInt8>, into out: UnsafeMutableBufferPointer<UInt8>) -> Int? {
    guard text.count % 4 == 0, text.count / 4 * 3 <= out.count else { return nil }
    var padding = 0
    while padding < 2, padding < text.count, text[text.count - 1 - padding] == UInt8(ascii: "=") { padding += 1 }
    var end = 0
    var group: UInt32 = 0
    for index in 0..<text.count {
      var six: UInt32 = 0
      if index < text.count - padding {
        guard let value = value(text[index]) else { return nil }
        six = value
      }
      group = group << 6 | six
      if index & 3 == 3 {
        out[end] = UInt8(truncatingIfNeeded: group >> 16)
        out[end + 1] = UInt8(truncatingIfNeeded: group >> 8)
        out[end + 2] = UInt8(truncatingIfNeeded: group)
        end += 3
        group = 0
      }
    }
    return end - padding
  }

  private static func value(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - 0x41)
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - 0x61 + 26)
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - 0x30 + 52)
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
