// The address of a bucket, and URLs of its objects.
//
//   path style       https://host:port/bucket/prefix/key?name=value
//   virtual style    https://bucket.host:port/prefix/key?name=value
//
// Everything in a path or query but RFC 3986's unreserved characters is percent-encoded here, once: the signature covers
// these very bytes, so nothing behind this point may encode again.

import Bedrock
import ObjectStore

/// Checks a prefix by the rules of object paths, whose type has no place in `S3Options`.
enum ObjectPathText {
  static func check(_ text: String) throws(Fault) -> String { try ObjectPath(text).text }
}

struct S3Endpoint: Sendable {
  let isSecure: Bool
  /// Host with the port when it is not the scheme's own: the value of the Host header.
  let authority: String
  /// `/bucket` in path style, else empty.
  let basePath: String
  /// For messages.
  let bucket: String
  let prefix: String

  init(_ options: S3Options) throws(Fault) {
    try options.check()
    let isAWS = options.endpoint.isEmpty
    let text = isAWS ? "https://s3.\(options.region).amazonaws.com" : options.endpoint
    let (isSecure, host) = try Self.parse(text)
    let isVirtual: Bool
    switch options.addressing {
    case .path: isVirtual = false
    case .virtual: isVirtual = true
    // A dot in the name would need a certificate for two levels of names.
    case .auto: isVirtual = isAWS && !options.bucket.contains(".")
    }
    self.isSecure = isSecure
    authority = isVirtual ? "\(options.bucket).\(host)" : host
    basePath = isVirtual ? "" : "/" + options.bucket
    bucket = options.bucket
    prefix = options.prefix
  }

  /// Scheme, and host with a port that is not the scheme's own.
  private static func parse(_ text: String) throws(Fault) -> (isSecure: Bool, host: String) {
    let refusal = Fault(
      .invalidParameterValue, "\"\(text.prefix(200))\" is not the address of an object store",
      hint: "It is https://host, https://host:port or, for a store on this machine or a trusted network, http://host:port.")
    let isSecure = text.hasPrefix("https://")
    guard isSecure || text.hasPrefix("http://") else { throw refusal }
    var rest = text.dropFirst(isSecure ? 8 : 7)
    if rest.hasSuffix("/") { rest = rest.dropLast() }
    var host = rest
    var port: Int?
    let end = rest.hasPrefix("[") ? rest.firstIndex(of: "]") : nil
    if let colon = rest[(end ?? rest.startIndex)...].firstIndex(of: ":") {
      guard let number = Int(rest[rest.index(after: colon)...]), (1...65_535).contains(number) else { throw refusal }
      port = number
      host = rest[..<colon]
    }
    let isPlain = host.utf8.allSatisfy { byte in
      isUnreserved(byte) || (end != nil && (byte == UInt8(ascii: ":") || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "]")))
    }
    guard !host.isEmpty, host.utf8.count <= 253, isPlain else { throw refusal }
    if let port, port != (isSecure ? 443 : 80) { return (isSecure, "\(host):\(port)") }
    return (isSecure, String(host))
  }

  var scheme: String { isSecure ? "https" : "http" }

  /// For people: which objects this store keeps, and where.
  var description: String {
    "s3://\(bucket)\(prefix.isEmpty ? "" : "/" + prefix) at \(scheme)://\(authority)"
  }

  /// The key of a path under the prefix.
  func key(_ path: String) -> String { prefix.isEmpty ? path : prefix + "/" + path }

  /// The encoded path of a key, or of the bucket itself.
  func path(key: String?) -> String {
    guard let key else { return basePath.isEmpty ? "/" : basePath }
    return basePath + "/" + Self.encoded(key, keepingSlashes: true)
  }

  // MARK: Percent-encoding

  static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x41...0x5A, 0x61...0x7A, 0x30...0x39: true
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
    default: false
    }
  }

  static func encoded(_ text: String, keepingSlashes: Bool = false) -> String {
    let digits: StaticString = "0123456789ABCDEF"
    var out: [UInt8] = []
    out.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
      if isUnreserved(byte) || (keepingSlashes && byte == UInt8(ascii: "/")) {
        out.append(byte)
      } else {
        out.append(UInt8(ascii: "%"))
        out.append(digits.utf8Start[Int(byte >> 4)])
        out.append(digits.utf8Start[Int(byte & 15)])
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// A listed key: `+` is a space, `%41` is a byte. Nil when it is no such text or no UTF-8.
  static func decoded(_ text: String) -> String? {
    var out: [UInt8] = []
    out.reserveCapacity(text.utf8.count)
    var bytes = text.utf8.makeIterator()
    while let byte = bytes.next() {
      switch byte {
      case UInt8(ascii: "+"): out.append(UInt8(ascii: " "))
      case UInt8(ascii: "%"):
        guard let high = bytes.next().flatMap(digit), let low = bytes.next().flatMap(digit) else { return nil }
        out.append(high << 4 | low)
      default: out.append(byte)
      }
    }
    return String(validating: out, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }
}
