// MD5 (RFC 1321) and base64 (RFC 2045, 76-character lines as PostgreSQL breaks them).

import Glibc

enum BinaryText {
  static func base64(_ raw: UnsafeRawBufferPointer) -> [UInt8] {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var out: [UInt8] = []
    var index = 0
    var line = 0
    while index < raw.count {
      let left = raw.count - index
      let word =
        UInt32(raw[index]) << 16 | (left > 1 ? UInt32(raw[index + 1]) << 8 : 0)
        | (left > 2 ? UInt32(raw[index + 2]) : 0)
      out.append(alphabet[Int(word >> 18 & 63)])
      out.append(alphabet[Int(word >> 12 & 63)])
      out.append(left > 1 ? alphabet[Int(word >> 6 & 63)] : UInt8(ascii: "="))
      out.append(left > 2 ? alphabet[Int(word & 63)] : UInt8(ascii: "="))
      index += 3
      line += 4
      if line == 76 && index < raw.count {
        out.append(10)
        line = 0
      }
    }
    return out
  }

  private static let shifts: [UInt32] = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]
  private static let sines: [UInt32] = (0..<64).map { UInt32(abs(sin(Double($0 + 1))) * 4_294_967_296) }

  static func md5(_ raw: UnsafeRawBufferPointer) -> [UInt8] {
    var message = [UInt8](raw)
    message.append(0x80)
    while message.count % 64 != 56 { message.append(0) }
    withUnsafeBytes(of: UInt64(raw.count &* 8).littleEndian) { message.append(contentsOf: $0) }
    var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476]
    for block in stride(from: 0, to: message.count, by: 64) {
      var words = [UInt32](repeating: 0, count: 16)
      for index in 0..<64 { words[index >> 2] |= UInt32(message[block + index]) << (UInt32(index & 3) * 8) }
      var (a, b, c, d) = (state[0], state[1], state[2], state[3])
      for step in 0..<64 {
        let mixed: UInt32
        let pick: Int
        switch step >> 4 {
        case 0: (mixed, pick) = (b & c | ~b & d, step)
        case 1: (mixed, pick) = (d & b | ~d & c, (5 * step + 1) & 15)
        case 2: (mixed, pick) = (b ^ c ^ d, (3 * step + 5) & 15)
        default: (mixed, pick) = (c ^ (b | ~d), (7 * step) & 15)
        }
        let sum = a &+ mixed &+ sines[step] &+ words[pick]
        let by = shifts[(step >> 4) * 4 + (step & 3)]
        (a, d, c) = (d, c, b)
        b = b &+ (sum << by | sum >> (32 - by))
      }
      state[0] &+= a
      state[1] &+= b
      state[2] &+= c
      state[3] &+= d
    }
    return state.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32($0 * 8)) } }
  }
}
