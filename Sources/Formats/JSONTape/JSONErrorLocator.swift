// Where a document stops being JSON. simdjson's DOM parser says what is wrong but not where; this second look, taken
// only for refused documents, finds the first byte that RFC 8259 does not allow there. It checks structure, literals
// and numbers; a fault inside a string is reported at the opening quote.

enum JSONErrorLocator {
  /// Offset in bytes of the first fault; nil when this scan finds none (then the fault is one of range or depth).
  static func offset(in bytes: UnsafeRawBufferPointer) -> Int? {
    var scanner = Scanner(bytes: bytes)
    return scanner.run() ? nil : min(scanner.fault, bytes.count)
  }

  /// What may come next.
  private enum Expect { case value, valueOrEnd, keyOrEnd, key, colon, commaOrEnd, nothing }

  private struct Scanner {
    let bytes: UnsafeRawBufferPointer
    var at = 0
    var fault = 0
    /// True for an object, false for an array; bounded by the size of the document, which the caller limited.
    var stack: [Bool] = []

    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func run() -> Bool {
      var expect = Expect.value
      while true {
        skipSpace()
        fault = at
        guard at < bytes.count else { return expect == .nothing }
        guard let next = step(expect) else { return false }
        expect = next
      }
    }

    private var afterValue: Expect { stack.isEmpty ? .nothing : .commaOrEnd }

    private mutating func step(_ expect: Expect) -> Expect? {
      let byte = bytes[at]
      switch expect {
      case .nothing: return nil
      case .colon:
        guard byte == UInt8(ascii: ":") else { return nil }
        at += 1
        return .value
      case .key, .keyOrEnd:
        if byte == UInt8(ascii: "}") && expect == .keyOrEnd { return close(object: true) }
        return byte == UInt8(ascii: "\"") && string() ? .colon : nil
      case .commaOrEnd:
        if byte == UInt8(ascii: ",") {
          at += 1
          return stack.last == true ? .key : .value
        }
        if byte == UInt8(ascii: "}") { return close(object: true) }
        return byte == UInt8(ascii: "]") ? close(object: false) : nil
      case .value, .valueOrEnd:
        if byte == UInt8(ascii: "]") && expect == .valueOrEnd { return close(object: false) }
        return value(byte)
      }
    }

    private mutating func close(object: Bool) -> Expect? {
      guard stack.last == object else { return nil }
      stack.removeLast()
      at += 1
      return afterValue
    }

    private mutating func value(_ byte: UInt8) -> Expect? {
      switch byte {
      case UInt8(ascii: "{"):
        stack.append(true)
        at += 1
        return .keyOrEnd
      case UInt8(ascii: "["):
        stack.append(false)
        at += 1
        return .valueOrEnd
      case UInt8(ascii: "\""): return string() ? afterValue : nil
      case UInt8(ascii: "t"): return literal("true") ? afterValue : nil
      case UInt8(ascii: "f"): return literal("false") ? afterValue : nil
      case UInt8(ascii: "n"): return literal("null") ? afterValue : nil
      default: return number() ? afterValue : nil
      }
    }

    private mutating func literal(_ word: StaticString) -> Bool {
      guard bytes.count - at >= word.utf8CodeUnitCount else { return false }
      for offset in 0..<word.utf8CodeUnitCount where bytes[at + offset] != word.utf8Start[offset] { return false }
      at += word.utf8CodeUnitCount
      return true
    }

    private mutating func digits() -> Bool {
      let start = at
      while at < bytes.count, bytes[at] >= 0x30, bytes[at] <= 0x39 { at += 1 }
      return at > start
    }

    private mutating func number() -> Bool {
      if bytes[at] == UInt8(ascii: "-") { at += 1 }
      let start = at
      guard digits() else { return false }
      if bytes[start] == UInt8(ascii: "0") && at - start > 1 { return false }
      if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
        at += 1
        guard digits() else { return false }
      }
      if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
        at += 1
        if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
        guard digits() else { return false }
      }
      return true
    }

    private mutating func string() -> Bool {
      at += 1
      while at < bytes.count {
        let byte = bytes[at]
        if byte == UInt8(ascii: "\"") {
          at += 1
          return true
        }
        if byte < 0x20 { return false }
        if byte == UInt8(ascii: "\\") {
          guard escape() else { return false }
        } else {
          at += 1
        }
      }
      return false
    }

    /// One escape; surrogates must come as a pair.
    private mutating func escape() -> Bool {
      guard at + 1 < bytes.count else { return false }
      switch bytes[at + 1] {
      case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74:
        at += 2
        return true
      case UInt8(ascii: "u"):
        guard let unit = hexadecimal(at + 2), unit & 0xFC00 != 0xDC00 else { return false }
        at += 6
        if unit & 0xFC00 != 0xD800 { return true }
        guard at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u"),
          let low = hexadecimal(at + 2), low & 0xFC00 == 0xDC00
        else { return false }
        at += 6
        return true
      default: return false
      }
    }

    private func hexadecimal(_ start: Int) -> UInt16? {
      guard start + 4 <= bytes.count else { return nil }
      var unit: UInt16 = 0
      for offset in 0..<4 {
        let byte = bytes[start + offset], lower = byte | 0x20
        if byte >= 0x30 && byte <= 0x39 {
          unit = unit << 4 | UInt16(byte - 0x30)
        } else if lower >= 0x61 && lower <= 0x66 {
          unit = unit << 4 | UInt16(lower - 0x57)
        } else {
          return nil
        }
      }
      return unit
    }

    private mutating func skipSpace() {
      while at < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
    }
  }
}
