// Lower-case hexadecimal digits.

enum Hexadecimal {
  private static let digits: StaticString = "0123456789abcdef"

  static func text(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count * 2)
    for byte in bytes {
      out.append(digits.utf8Start[Int(byte >> 4)])
      out.append(digits.utf8Start[Int(byte & 15)])
    }
    return out
  }

  @inline(__always)
  static func write(_ byte: UInt8, at place: Int, to out: inout [UInt8]) {
    out[place] = digits.utf8Start[Int(byte >> 4)]
    out[place + 1] = digits.utf8Start[Int(byte & 15)]
  }
}
