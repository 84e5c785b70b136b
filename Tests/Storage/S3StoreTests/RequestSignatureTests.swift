import Bedrock
import NIOCore
import Testing

@testable import S3Store

@Suite("Signature version 4")
struct RequestSignatureTests {
  /// AWS's published test suite ("aws-sig-v4-test-suite") and its examples for S3 use these two pairs.
  let suite = Result { () throws(Fault) in
    try S3Credentials(keyID: "AKIDEXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
  }
  let s3 = Result { () throws(Fault) in
    try S3Credentials(keyID: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
  }

  static let everyUnreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

  @Test(
    "AWS's test suite",
    arguments: [
      ([], "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
      (
        [("Param2", "value2"), ("Param1", "value1")],
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
      ),
      (
        [(everyUnreserved, everyUnreserved)], "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"
      ),
    ] as [([(String, String)], String)])
  func vanilla(query: [(String, String)], expected: String) throws {
    let signature = RequestSignature(
      method: "GET", path: "/", query: query.map { ($0.0, $0.1) },
      headers: [("Host", "example.amazonaws.com"), ("X-Amz-Date", "20150830T123600Z")],
      bodyHash: RequestSignature.emptyHash, time: "20150830T123600Z", region: "us-east-1", service: "service")
    #expect(signature.signature(try suite.get()) == expected)
    #expect(
      signature.authorization(try suite.get())
        == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        + "SignedHeaders=host;x-amz-date, Signature=\(expected)")
  }

  private func example(
    _ method: String, _ path: String, _ query: [(name: String, value: String)] = [],
    _ headers: [(name: String, value: String)] = [], bodyHash: String = RequestSignature.emptyHash
  ) throws -> String {
    let signature = RequestSignature(
      method: method, path: path, query: query,
      headers: headers + [
        ("host", "examplebucket.s3.amazonaws.com"), ("x-amz-date", "20130524T000000Z"),
        ("x-amz-content-sha256", bodyHash),
      ], bodyHash: bodyHash, time: "20130524T000000Z", region: "us-east-1")
    return signature.signature(try s3.get())
  }

  @Test("the examples of the S3 API reference: a range, a write, a query without a value, a listing")
  func examples() throws {
    #expect(
      try example("GET", "/test.txt", [], [("range", "bytes=0-9")])
        == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    #expect(
      try example(
        "PUT", "/" + S3Endpoint.encoded("test$file.text"), [],
        [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
        bodyHash: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072")
        == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
    #expect(
      try example("GET", "/", [("lifecycle", "")])
        == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
    #expect(
      try example("GET", "/", [("max-keys", "2"), ("prefix", "J")])
        == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
  }

  @Test("a key with odd characters, a token and a condition, as botocore signs them")
  func odd() throws {
    let credentials = try S3Credentials(
      keyID: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", sessionToken: "tok/en==")
    var hash = BodyHash()
    hash.update(.init(string: "{}"))
    let bodyHash = hash.text
    let path = "/bucket/" + S3Endpoint.encoded("a b/ü+='.json", keepingSlashes: true)
    #expect(path == "/bucket/a%20b/%C3%BC%2B%3D%27.json")
    let signature = RequestSignature(
      method: "PUT", path: path, query: [],
      headers: [
        ("host", "store.example:9000"), ("if-none-match", "*"), ("x-amz-content-sha256", bodyHash),
        ("x-amz-date", "20261123T010203Z"), ("x-amz-meta-cramped-put", "abc"), ("x-amz-security-token", "tok/en=="),
      ], bodyHash: bodyHash, time: "20261123T010203Z", region: "eu-central-1")
    #expect(signature.signature(credentials) == "5a77e6598d79e264c2358e5df564cd444537d37a8fb53fc3f314a5909ee5059e")
  }

  @Test("blanks in headers are reduced, equal names joined")
  func headers() {
    let signature = RequestSignature(
      method: "GET", path: "/", query: [], headers: [("B", "  x   y "), ("a", "1"), ("A", "2")],
      bodyHash: "h", time: "20130524T000000Z", region: "r")
    #expect(signature.canonicalRequest == "GET\n/\n\na:1,2\nb:x y\n\na;b\nh")
  }

  @Test("base64", arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")])
  func base64(text: String, expected: String) { #expect(Digits.base64(Array(text.utf8)) == expected) }
}
