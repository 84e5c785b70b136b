// Text of a column is valid UTF-8 without NUL (PostgreSQL's rule). Files of others are checked here, once per dictionary
// and once per decoded run. ASCII goes by in words; anything else is checked value by value, since a value may not end
// inside a character.

import Bedrock

enum TextValidation {
  /// - Parameter offsets: `count + 1` rising offsets into `data`.
  static func check(
    _ data: UnsafePointer<UInt8>, offsets: UnsafePointer<Int32>, count: Int
  ) throws(Fault) {
    if isPlainASCII(data, Int(offsets[count])) { return }
    for row in 0..<count {
      guard isText(data, Int(offsets[row]), Int(offsets[row + 1])) else {
        throw Fault.corrupt("a text value of a Parquet file is not valid UTF-8, or has a NUL")
      }
    }
  }

  private static func isPlainASCII(_ data: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    let raw = UnsafeRawPointer(data)
    var index = 0
    let high: UInt64 = 0x8080_8080_8080_8080, ones: UInt64 = 0x0101_0101_0101_0101
    while index + 64 <= count {
      var bad: UInt64 = 0
      for lane in 0..<8 {
        let word = raw.loadUnaligned(fromByteOffset: index + lane * 8, as: UInt64.self)
        // For ASCII bytes a borrow into the high bit means that some byte is 0.
        bad |= (word | (word &- ones)) & high
      }
      if bad != 0 { return false }
      index += 64
    }
    while index < count {
      let byte = data[index]
      if byte == 0 || byte >= 0x80 { return false }
      index += 1
    }
    return true
  }

  /// Table 3-7 of the Unicode standard.
  private static func isText(_ data: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Bool {
    var index = start
    while index < end {
      let first = data[index]
      if first < 0x80 {
        if first == 0 { return false }
        index += 1
        continue
      }
      let length: Int
      var low: UInt8 = 0x80, high: UInt8 = 0xBF
      switch first {
      case 0xC2...0xDF: length = 2
      case 0xE0: (length, low) = (3, 0xA0)
      case 0xED: (length, high) = (3, 0x9F)
      case 0xE1...0xEF: length = 3
      case 0xF0: (length, low) = (4, 0x90)
      case 0xF1...0xF3: length = 4
      case 0xF4: (length, high) = (4, 0x8F)
      default: return false
      }
      guard end - index >= length else { return false }
      guard data[index + 1] >= low, data[index + 1] <= high else { return false }
      for step in 2..<length where data[index + step] & 0xC0 != 0x80 { return false }
      index += length
    }
    return true
  }
}
