// AWS Signature Version 4 of a request's headers ("Authenticating Requests (AWS Signature Version 4)", Amazon S3 API
// Reference).
//
//   canonical request = method, path, query, headers, names of the headers, hash of the body    one a line
//   text to sign      = AWS4-HMAC-SHA256, time, day/region/service/aws4_request, SHA-256 of the canonical request
//   key               = HMAC(HMAC(HMAC(HMAC("AWS4" + secret, day), region), service), "aws4_request")
//
// Every header that is given is signed: a proxy that drops `If-None-Match` makes the request invalid, not unconditional.

import Crypto

struct RequestSignature {
  static let algorithm = "AWS4-HMAC-SHA256"
  /// SHA-256 of no bytes.
  static let emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

  let method: String
  /// Percent-encoded.
  let path: String
  /// Not encoded.
  let query: [(name: String, value: String)]
  /// All headers to sign, Host included; names in lower case.
  let headers: [(name: String, value: String)]
  /// Hexadecimal SHA-256 of the body.
  let bodyHash: String
  /// `20130524T000000Z`
  let time: String
  let region: String
  var service = "s3"

  private var day: String { String(time.prefix(8)) }
  private var scope: String { "\(day)/\(region)/\(service)/aws4_request" }

  var canonicalQuery: String { Self.queryText(query) }

  /// Encoded, ordered by name and value: the query as it is signed and as it is sent.
  static func queryText(_ query: [(name: String, value: String)]) -> String {
    let encoded = query.map { (S3Endpoint.encoded($0.name), S3Endpoint.encoded($0.value)) }
    return encoded.sorted { $0 < $1 }.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
  }

  /// Headers by name, values of one name joined by commas, blanks within a value reduced to one.
  private var canonicalHeaders: [(name: String, value: String)] {
    var joined: [String: [String]] = [:]
    for header in headers {
      let value = header.value.split(separator: " ").joined(separator: " ")
      joined[header.name.lowercased(), default: []].append(value)
    }
    return joined.sorted { $0.key < $1.key }.map { ($0.key, $0.value.joined(separator: ",")) }
  }

  private var signedNames: String { canonicalHeaders.map(\.name).joined(separator: ";") }

  var canonicalRequest: String {
    var lines = [method, path, canonicalQuery]
    for header in canonicalHeaders { lines.append("\(header.name):\(header.value)") }
    lines += ["", signedNames, bodyHash]
    return lines.joined(separator: "\n")
  }

  var textToSign: String {
    [Self.algorithm, time, scope, Digits.hexadecimal(SHA256.hash(data: Array(canonicalRequest.utf8)))]
      .joined(separator: "\n")
  }

  func signature(_ credentials: S3Credentials) -> String {
    var key = SymmetricKey(data: Array("AWS4\(credentials.secret)".utf8))
    for step in [day, region, service, "aws4_request"] {
      key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(step.utf8), using: key))
    }
    return Digits.hexadecimal(HMAC<SHA256>.authenticationCode(for: Array(textToSign.utf8), using: key))
  }

  /// The value of the Authorization header.
  func authorization(_ credentials: S3Credentials) -> String {
    "\(Self.algorithm) Credential=\(credentials.keyID)/\(scope), SignedHeaders=\(signedNames), "
      + "Signature=\(signature(credentials))"
  }
}

/// Hashes as text.
enum Digits {
  static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits: StaticString = "0123456789abcdef"
    var out: [UInt8] = []
    for byte in bytes {
      out.append(digits.utf8Start[Int(byte >> 4)])
      out.append(digits.utf8Start[Int(byte & 15)])
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// RFC 4648 section 4, with padding.
  static func base64(_ bytes: [UInt8]) -> String {
    let digits: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    var out: [UInt8] = []
    var place = 0
    while place < bytes.count {
      let taken = min(3, bytes.count - place)
      var word = 0
      for index in 0..<3 { word = word << 8 | (index < taken ? Int(bytes[place + index]) : 0) }
      for index in 0..<4 {
        out.append(index <= taken ? digits.utf8Start[word >> (18 - 6 * index) & 63] : UInt8(ascii: "="))
      }
      place += taken
    }
    return String(decoding: out, as: UTF8.self)
  }
}
