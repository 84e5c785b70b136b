// UTF-8 text counted in characters (code points, as PostgreSQL counts). Input is valid UTF-8.

enum Characters {
  @inline(__always)
  static func isStart(_ byte: UInt8) -> Bool { byte & 0xC0 != 0x80 }

  static func count(_ raw: UnsafeRawBufferPointer) -> Int {
    var total = 0
    for byte in raw { total += isStart(byte) ? 1 : 0 }
    return total
  }

  /// Byte offset of character `index`, or the end.
  static func offset(of index: Int, in raw: UnsafeRawBufferPointer) -> Int {
    var seen = 0
    for position in 0..<raw.count where isStart(raw[position]) {
      if seen == index { return position }
      seen += 1
    }
    return raw.count
  }

  /// Length in bytes of the character at `position`.
  @inline(__always)
  static func width(_ first: UInt8) -> Int {
    if first < 0x80 { return 1 }
    if first < 0xE0 { return 2 }
    return first < 0xF0 ? 3 : 4
  }

  /// Characters `start ..< end` counted from 0, cut to what there is.
  static func slice(_ raw: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
    if end <= start { return UnsafeRawBufferPointer(rebasing: raw[0..<0]) }
    let from = start <= 0 ? 0 : offset(of: start, in: raw)
    let rest = UnsafeRawBufferPointer(rebasing: raw[from...])
    return UnsafeRawBufferPointer(rebasing: rest[0..<offset(of: end - max(start, 0), in: rest)])
  }

  /// Byte offset of `needle` in `raw`, or -1.
  static func find(_ needle: UnsafeRawBufferPointer, in raw: UnsafeRawBufferPointer, from start: Int = 0) -> Int {
    if needle.count == 0 { return start }
    if needle.count > raw.count { return -1 }
    let first = needle[0]
    var position = start
    while position <= raw.count - needle.count {
      if raw[position] == first {
        var matched = 1
        while matched < needle.count && raw[position + matched] == needle[matched] { matched += 1 }
        if matched == needle.count { return position }
      }
      position += 1
    }
    return -1
  }
}
