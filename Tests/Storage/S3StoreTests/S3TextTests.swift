// XML, addresses, moments, credentials: what comes from outside as text.

import Bedrock
import Foundation
import Runtime
import TestKit
import Testing

@testable import S3Store

@Suite("XML of an object store")
struct XMLElementTests {
  static let page = """
    <?xml version="1.0" encoding="UTF-8"?>
    <!-- a comment -->
    <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/" a='b'>
      <Name>bucket</Name><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
      <NextContinuationToken>a&amp;b&#x3D;&#61;</NextContinuationToken>
      <Contents><Key>l/a%2Bb+c%C3%BC</Key><Size>12</Size><LastModified>2009-10-12T17:50:30.000Z</LastModified></Contents>
      <Contents><Key>l/d</Key><Size>0</Size><Owner><ID/></Owner></Contents>
      <CommonPrefixes><Prefix>l/sub/</Prefix></CommonPrefixes>
    </ListBucketResult>

    """

  @Test("a listing: keys decoded, sizes, times, continuation")
  func listing() throws {
    let page = try ListPage(parsing: Array(Self.page.utf8))
    #expect(page.continuation == "a&b==")
    #expect(
      page.objects == [
        .init(key: "l/a+b cü", size: 12, modifiedMicros: 1_255_369_830_000_000),
        .init(key: "l/d", size: 0, modifiedMicros: nil),
      ])
  }

  @Test(
    "what is not well formed, or more than S3 needs, is refused",
    arguments: [
      "", "text", "<a>", "<a></b>", "<a/><b/>", "<a b></a>", "<a b=c></a>", "<a b='<'/>", "<a>&lol;</a>", "<a>&amp</a>",
      "<a>&#0;</a>", "<a>&#xD800;</a>", "<a>\u{1}</a>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<a><![CDATA[x]]></a>",
      "<a/>x", "</a>", "<a", "<a><", "<?xml", "<!-- ", "<-a/>", "< a/>",
      String(repeating: "<a>", count: 17) + String(repeating: "</a>", count: 17),
      "<" + String(repeating: "n", count: 129) + "/>",
    ])
  func refused(text: String) {
    let fault = #expect(throws: Fault.self) { try XMLElement(parsing: Array(text.utf8)) }
    #expect(fault?.kind == .corrupt)
  }

  @Test("bytes that are not UTF-8, and too many elements, are refused")
  func bounds() {
    #expect(throws: Fault.self) { try XMLElement(parsing: Array("<a>".utf8) + [0xFF] + Array("</a>".utf8)) }
    let many = "<a>" + String(repeating: "<b/>", count: XMLElement.elementsMax) + "</a>"
    #expect(throws: Fault.self) { try XMLElement(parsing: Array(many.utf8)) }
  }

  @Test("cut or changed at any byte, a document gives an answer or a fault, never a trap")
  func mutations() throws {
    let bytes = Array(Self.page.utf8)
    for count in 0..<bytes.count - 2 {
      #expect(throws: Fault.self) { try XMLElement(parsing: Array(bytes[..<count])) }
    }
    var generator = SeededGenerator(seed: 11)
    for _ in 0..<20_000 {
      var changed = bytes
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let place = Int.random(in: 0..<changed.count, using: &generator)
        changed[place] = Bool.random(using: &generator)
          ? UInt8.random(in: 0...255, using: &generator) : Array("<>&;/='\"!?-#x".utf8).randomElement(using: &generator) ?? 0
      }
      _ = Result { () throws(Fault) in try ListPage(parsing: changed) }
    }
  }

  @Test("text is escaped so that it comes back")
  func escaping() throws {
    let text = "a<b>&\"'c\r\n\u{FC}"
    #expect(try XMLElement(parsing: Array("<a>\(XMLElement.escaped(text))</a>".utf8)).text == text)
  }

  @Test("documents without what they must have are refused")
  func incomplete() {
    for text in [
      "<Other/>", "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
      "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
      "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
      "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>%G0</Key><Size>1</Size></Contents></ListBucketResult>",
    ] {
      #expect(throws: Fault.self) { try ListPage(parsing: Array(text.utf8)) }
    }
    #expect(throws: Fault.self) { try S3Documents.uploadID(Array("<InitiateMultipartUploadResult/>".utf8)) }
  }
}

@Suite("Moments, ranges and addresses of an object store")
struct S3TextTests {
  @Test func moments() {
    #expect(S3Time.basic(micros: 1_369_353_600_999_999) == "20130524T000000Z")
    #expect(S3Time.basic(micros: 0) == "19700101T000000Z")
    #expect(S3Time.extended("2009-10-12T17:50:30.123Z") == 1_255_369_830_123_000)
    #expect(S3Time.extended("2009-10-12T17:50:30Z") == 1_255_369_830_000_000)
    #expect(S3Time.extended("2009-10-12T17:50:30.123456789Z") == 1_255_369_830_123_456)
    #expect(S3Time.http("Wed, 21 Oct 2015 07:28:00 GMT") == 1_445_412_480_000_000)
    for text in ["", "2009-13-12T17:50:30Z", "2009-02-30T17:50:30Z", "2009-10-12T24:50:30Z", "2009-10-12 17:50:30.000Z"] {
      #expect(S3Time.extended(text) == nil)
    }
    for text in ["", "Wed, 21 Okt 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28 GMT", "Wed, 32 Oct 2015 07:28:00 GMT"] {
      #expect(S3Time.http(text) == nil)
    }
  }

  @Test func contentRanges() {
    let range = RangeSink.parse("bytes 5-9/100")
    #expect(range?.lower == 5 && range?.upper == 9 && range?.total == 100)
    #expect(RangeSink.parse("bytes 5-9/*")?.total == nil)
    for text in ["", "bytes 5-9", "bytes 9-5/100", "bytes */100", "bytes 5-9/9", "bytes -5-9/100", "5-9/100"] {
      #expect(RangeSink.parse(text) == nil)
    }
  }

  private func options(_ endpoint: String, _ addressing: S3Options.Addressing = .auto) throws -> S3Options {
    var options = S3Options(bucket: "my-bucket", credentials: .fixed(try S3Credentials(keyID: "k", secret: "s")))
    options.endpoint = endpoint
    options.addressing = addressing
    options.region = "eu-central-1"
    return options
  }

  @Test("path style, virtual host style, ports and prefixes")
  func addresses() throws {
    var endpoint = try S3Endpoint(options(""))
    #expect(endpoint.authority == "my-bucket.s3.eu-central-1.amazonaws.com")
    #expect(endpoint.path(key: "a/ b") == "/a/%20b" && endpoint.path(key: nil) == "/")
    endpoint = try S3Endpoint(options("", .path))
    #expect(endpoint.authority == "s3.eu-central-1.amazonaws.com" && endpoint.path(key: nil) == "/my-bucket")
    endpoint = try S3Endpoint(options("http://127.0.0.1:9000/"))
    #expect(endpoint.authority == "127.0.0.1:9000" && endpoint.path(key: "a") == "/my-bucket/a" && !endpoint.isSecure)
    endpoint = try S3Endpoint(options("https://store.example:443", .virtual))
    #expect(endpoint.authority == "my-bucket.store.example" && endpoint.isSecure)
    #expect(try S3Endpoint(options("http://[::1]:9000")).authority == "[::1]:9000")
    var dotted = try options("")
    dotted.bucket = "a.b"
    #expect(try S3Endpoint(dotted).path(key: nil) == "/a.b", "a certificate covers one level of names")
    dotted.prefix = "x/y"
    #expect(try S3Endpoint(dotted).key("lake/t") == "x/y/lake/t")
  }

  @Test(
    "addresses that are none are refused",
    arguments: ["store", "ftp://store", "http://", "http://a:0", "http://a:99999", "http://a b", "http://u:p@h", "http://a/b"])
  func wrongAddresses(text: String) throws {
    let options = try options(text)
    #expect(throws: Fault.self) { try S3Endpoint(options) }
  }

  @Test("names of buckets, prefixes and regions are checked")
  func wrongNames() throws {
    for name in ["", "ab", "Bucket", "a_b", "-ab", "ab-", "a..b", "a/b", String(repeating: "a", count: 64)] {
      var options = try options("")
      options.bucket = name
      #expect(throws: Fault.self) { try S3Endpoint(options) }
    }
    for prefix in ["/a", "a/", "a//b", "../a"] {
      var options = try options("")
      options.prefix = prefix
      #expect(throws: Fault.self) { try S3Endpoint(options) }
    }
    var options = try options("")
    options.region = "eu central"
    #expect(throws: Fault.self) { try S3Endpoint(options) }
  }
}

@Suite("Credentials of an object store")
struct S3CredentialsTests {
  static let text = """
    # a comment
    [other]
    aws_access_key_id = OTHER
    aws_secret_access_key = othersecret

    [default]
    aws_access_key_id=KEYID
    AWS_SECRET_ACCESS_KEY = se/cr=et
    aws_session_token = to+ken==
    region = eu-central-1
    """

  @Test("the file of AWS's tools: sections, blanks, comments, values with equals signs")
  func file() throws {
    let folder = try TemporaryFolder("keys")
    let path = folder.file("credentials")
    try Self.text.write(toFile: path, atomically: true, encoding: .utf8)
    let credentials = try S3CredentialsFile.read(path: path, profile: "default")
    #expect(credentials.keyID == "KEYID" && credentials.secret == "se/cr=et" && credentials.sessionToken == "to+ken==")
    #expect(try S3CredentialsFile.read(path: path, profile: "other").sessionToken == nil)
    #expect(throws: Fault.self) { try S3CredentialsFile.read(path: path, profile: "third") }
    #expect(throws: Fault.self) { try S3CredentialsFile.read(path: path + "x", profile: "default") }
    try String(repeating: "#", count: 70_000).write(toFile: path, atomically: true, encoding: .utf8)
    #expect(throws: Fault.self) { try S3CredentialsFile.read(path: path, profile: "default") }
  }

  @Test("no description, dump or fault shows a secret")
  func hidden() throws {
    let credentials = try S3Credentials(keyID: "KEYID", secret: "se/cr=et", sessionToken: "to+ken")
    var dumped = ""
    dump(credentials, to: &dumped)
    dump(S3CredentialSource.fixed(credentials), to: &dumped)
    for text in ["\(credentials)", String(reflecting: credentials), dumped, "\(S3CredentialSource.fixed(credentials))"] {
      #expect(!text.contains("se/cr") && !text.contains("to+ken") && !text.contains("KEYID"), "\(text)")
    }
    #expect(credentials.redacted("key KEYID\nhas se/cr=et, to+ken") == "key *** has ***, ***")
    let wrong = #expect(throws: Fault.self) { try S3Credentials(keyID: "a", secret: "top\nsecret") }
    #expect(wrong?.description.contains("secret\n") == false && wrong?.description.contains("top") == false)
    #expect(throws: Fault.self) { try S3Credentials(keyID: "", secret: "x") }
    #expect(throws: Fault.self) { try S3Credentials(keyID: "a/b", secret: "x") }
  }
}
