// The `path` of add and remove actions: a URI reference (RFC 3986), percent-encoded.
//
//   in the log                        here
//   part%201.parquet                  part 1.parquet                 relative to the table's folder
//   /data/t/a.parquet                 file:///data/t/a.parquet       absolute: shallow clones have them
//   file:/data/t/a%25.parquet         file:///data/t/a%.parquet
//   s3://bucket/t/a.parquet           s3://bucket/t/a.parquet
//
// Only an absolute path has `://` in it: a relative one has no empty part. Whether an absolute one may be opened is for
// whoever opens it to decide; a log must not make the server read files outside of what it may (RELIABILITY.md section 5).

package import Bedrock

package enum DeltaPath {
  package static let bytesMax = 1_024
  private static let schemeBytesMax = 16

  /// The decoded path, checked: no `.` or `..` part, no empty part, no controls.
  package static func decode(_ encoded: String) throws(Fault) -> String {
    guard encoded.utf8.count <= bytesMax * 3 else { throw refused(encoded, "it is longer than \(bytesMax) bytes") }
    guard let (prefix, rest) = try split(encoded) else {
      let (path, bytes) = try percentDecoded(encoded[...], encoded)
      try check(path, bytes[...])
      return path
    }
    let (path, bytes) = try percentDecoded(rest, encoded)
    try check(path, bytes[...])
    return prefix + path
  }

  /// A relative path that was never encoded, checked the same way.
  package static func checked(_ path: String) throws(Fault) -> String {
    try check(path, Array(path.utf8)[...])
    return path
  }

  /// True for a path that `decode` found to be absolute: `scheme://...`.
  package static func isAbsolute(_ path: String) -> Bool {
    guard let colon = path.utf8.firstIndex(of: UInt8(ascii: ":")) else { return false }
    return path.utf8[colon...].starts(with: "://".utf8)
  }

  /// The last part.
  package static func name(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

  /// What stands before an absolute path (`file:///`, `s3://`), and the rest; nil for a relative path.
  private static func split(_ encoded: String) throws(Fault) -> (prefix: String, rest: Substring)? {
    if encoded.hasPrefix("/") { return ("file:///", encoded.dropFirst()) }
    // A scheme ends at a colon before the first slash.
    let first = encoded.prefix { $0 != "/" }
    guard let colon = first.firstIndex(of: ":") else { return nil }
    let scheme = first[..<colon].lowercased()
    let isScheme = scheme.utf8.count <= schemeBytesMax && scheme.utf8.first.map { (0x61...0x7A).contains($0) } == true
      && scheme.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || "+-.".utf8.contains($0) }
    var rest = encoded[encoded.index(after: colon)...]
    guard isScheme, rest.hasPrefix("/") else { throw refused(encoded, "it has a colon but no URI scheme") }
    guard scheme == "file" else {
      guard rest.hasPrefix("//") else { throw refused(encoded, "its URI names no host") }
      return (scheme + "://", rest.dropFirst(2))
    }
    if rest.hasPrefix("//localhost/") { rest = rest.dropFirst(11) }
    // file:/x and file:///x are the same place.
    if rest.hasPrefix("///") { rest = rest.dropFirst(2) }
    guard !rest.hasPrefix("//") else { throw refused(encoded, "it is on another host") }
    return ("file:///", rest.dropFirst())
  }

  private static func percentDecoded(
    _ text: Substring, _ encoded: String
  ) throws(Fault) -> (path: String, bytes: [UInt8]) {
    var bytes: [UInt8] = []
    var iterator = text.utf8.makeIterator()
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
    return (path, bytes)
  }

  private static func check(_ path: String, _ bytes: ArraySlice<UInt8>) throws(Fault) {
    guard !bytes.isEmpty else { throw refused(path, "it is empty") }
    guard bytes.count <= bytesMax else { throw refused(path, "it is longer than \(bytesMax) bytes") }
    guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") }) else {
      throw refused(path, "it holds a control character or a backslash")
    }
    for part in bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
      if part.isEmpty { throw refused(path, "it has an empty part") }
      if part.elementsEqual(".".utf8) || part.elementsEqual("..".utf8) { throw refused(path, "it leaves its folder") }
    }
  }

  /// Percent-encodes what RFC 3986 does not allow in a path.
  package static func encode(_ path: String) -> String {
    guard isAbsolute(path), let colon = path.firstIndex(of: ":") else { return encoded(path[...]) }
    let rest = path.index(colon, offsetBy: 3)
    return path[..<rest] + encoded(path[rest...])
  }

  private static func encoded(_ path: Substring) -> String {
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
