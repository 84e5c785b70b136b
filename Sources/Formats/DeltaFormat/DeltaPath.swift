// The `path` of add and remove actions: a URI reference (RFC 3986), percent-encoded, relative to the table's folder.
//
// Absolute paths and other schemes are valid Delta (shallow clones) but not for us: a log must not make the server open
// files outside the table (RELIABILITY.md section 5).

package import Bedrock

package enum DeltaPath {
  package static let bytesMax = 1_024

  /// The decoded path, checked: relative, no scheme, no `.` or `..` part, no controls.
  package static func decode(_ encoded: String) throws(Fault) -> String {
    guard encoded.utf8.count <= bytesMax * 3 else { throw refused(encoded, "it is longer than \(bytesMax) bytes") }
    var bytes: [UInt8] = []
    var iterator = encoded.utf8.makeIterator()
    while let byte = iterator.next() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = iterator.next().flatMap(hexadecimal), let low = iterator.next().flatMap(hexadecimal) else {
        throw refused(encoded, "it has a broken percent escape")
      }
      bytes.append(high << 4 | low)
    }
    guard let path = String(validating: bytes, as: UTF8.self) else { throw refused(encoded, "it is not UTF-8") }
    try check(path, bytes)
    return path
  }

  /// A path that was never encoded, checked the same way.
  package static func checked(_ path: String) throws(Fault) -> String {
    try check(path, Array(path.utf8))
    return path
  }

  private static func check(_ path: String, _ bytes: [UInt8]) throws(Fault) {
    guard !bytes.isEmpty else { throw refused(path, "it is empty") }
    guard bytes.count <= bytesMax else { throw refused(path, "it is longer than \(bytesMax) bytes") }
    guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") }) else {
      throw refused(path, "it holds a control character or a backslash")
    }
    for part in bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
      if part.isEmpty { throw refused(path, "it is absolute or has an empty part") }
      if part.elementsEqual(".".utf8) || part.elementsEqual("..".utf8) { throw refused(path, "it leaves its folder") }
    }
    // A scheme ends at a colon before the first slash.
    let first = bytes.prefix { $0 != UInt8(ascii: "/") }
    if first.contains(UInt8(ascii: ":")) { throw refused(path, "it has a URI scheme") }
  }

  /// Percent-encodes what RFC 3986 does not allow in a path.
  package static func encode(_ path: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in path.utf8 {
      if isUnreserved(byte) {
        bytes.append(byte)
      } else {
        bytes.append(UInt8(ascii: "%"))
        bytes.append(digits[Int(byte >> 4)])
        bytes.append(digits[Int(byte & 15)])
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "~"), UInt8(ascii: "/"), UInt8(ascii: "="):
      true
    default: false
    }
  }

  private static func hexadecimal(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  private static func refused(_ path: String, _ why: String) -> Fault {
    Fault.corrupt("a Delta log names the file \"\(path.prefix(200))\"", detail: "The path is refused because \(why).")
  }
}
