import Bedrock
import JSONTape
import Testing

@Suite("Reading JSON from simdjson's tape")
struct JSONTapeTests {
  private func read<R>(_ text: String, _ body: (JSONValue) throws(Fault) -> R) throws(Fault) -> R {
    var parser = JSONParser(bytesMax: 1 << 20, depthMax: 64)
    return try parser.parse(Array(text.utf8), body)
  }

  @Test("every kind of value, in order")
  func kinds() throws {
    let text = #"{"a":1,"b":-9223372036854775808,"c":18446744073709551615,"d":1.5,"e":"x\"y\u00e9","f":true,"g":false,"h":null,"i":[1,[2],{"k":3}],"j":{}}"#
    let kinds = try read(text) { (root) throws(Fault) in
      guard let object = root.object else { return [JSONKind]() }
      return object.map { $0.value.kind }
    }
    #expect(kinds == [.int64, .int64, .uint64, .double, .string, .bool, .bool, .null, .array, .object])
    try read(text) { (root) throws(Fault) in
      let object = root.object
      #expect(object?.value(of: "a")?.int64 == 1)
      #expect(object?.value(of: "b")?.int64 == .min)
      #expect(object?.value(of: "b")?.uint64 == nil)
      #expect(object?.value(of: "c")?.uint64 == .max)
      #expect(object?.value(of: "c")?.int64 == nil)
      #expect(object?.value(of: "d")?.double == 1.5)
      #expect(object?.value(of: "a")?.double == 1)
      #expect(object?.value(of: "e")?.text?.string == "x\"yé")
      #expect(object?.value(of: "f")?.bool == true)
      #expect(object?.value(of: "g")?.bool == false)
      #expect(object?.value(of: "h")?.isNull == true)
      #expect(object?.value(of: "i")?.array?.map { $0.kind } == [.int64, .array, .object])
      #expect(object?.value(of: "j")?.object?.map { _ in 1 }.isEmpty == true)
      #expect(object?.value(of: "missing") == nil)
      #expect(object?.value(of: "a")?.text == nil)
    }
  }

  @Test("a value after a skipped container is found")
  func skips() throws {
    let last = try read(#"{"big":{"x":[{"y":[1.5,2,18446744073709551615]}]},"last":7}"#) { (root) throws(Fault) in
      root.object?.value(of: "last")?.int64
    }
    #expect(last == 7)
  }

  @Test(
    "documents that are not JSON are refused with the place of the fault",
    arguments: [
      ("{\"a\":1,}", "at byte 7"), ("{\"a\" 1}", "at byte 5"), ("[1,2", "at byte 4"), ("[1 2]", "at byte 3"),
      ("tru", "at byte 0"), ("01", "at byte 0"), ("{\"a\":\"\\ud800\"}", "at byte 5"), ("1 2", "at byte 2"),
      ("[}", "at byte 1"), ("\"a\u{1}\"", "at byte 0"), ("[1.]", "at byte 1"), ("nulls", "at byte 4"),
    ])
  func refused(text: String, place: String) {
    let fault = #expect(throws: Fault.self) { try read(text) { (_) throws(Fault) in } }
    #expect(fault?.state == .invalidTextRepresentation)
    #expect(fault?.message.hasSuffix(place) == true, "\(String(describing: fault?.message))")
  }

  @Test("limits: empty, too long, too deep, too large a number, not UTF-8")
  func limits() throws {
    var parser = JSONParser(bytesMax: 100, depthMax: 8)
    func state(_ bytes: [UInt8]) -> SQLState? {
      do throws(Fault) {
        try parser.parse(bytes) { (_) throws(Fault) in }
        return nil
      } catch { return error.state }
    }
    #expect(state([]) == .invalidTextRepresentation)
    #expect(state([UInt8](repeating: 0x20, count: 101)) == .programLimitExceeded)
    #expect(state(Array(String(repeating: "[", count: 9).utf8)) == .invalidTextRepresentation)
    #expect(state(Array((String(repeating: "[", count: 9) + String(repeating: "]", count: 9)).utf8)) != nil)
    #expect(state(Array((String(repeating: "[", count: 6) + String(repeating: "]", count: 6)).utf8)) == nil)
    #expect(state(Array("123456789012345678901234567890".utf8)) == .invalidTextRepresentation)
    #expect(state([0x22, 0xFF, 0x22]) == .characterNotInRepertoire)
    #expect(state(Array("{}".utf8)) == nil, "the parser works on after a fault")
  }

  @Test("NUL inside text is visible to the caller")
  func nul() throws {
    #expect(try read("\"a\\u0000b\"") { (root) throws(Fault) in root.text?.containsNUL } == true)
    #expect(try read("\"ab\"") { (root) throws(Fault) in root.text?.containsNUL } == false)
  }

  @Test("duplicate keys are found among few and many")
  func duplicates() throws {
    func duplicate(_ text: String) throws -> String? {
      try read(text) { (root) throws(Fault) in root.object?.duplicateKey()?.string }
    }
    #expect(try duplicate(#"{"a":1,"b":2,"a":3}"#) == "a")
    #expect(try duplicate(#"{"a":1,"b":2,"c":3}"#) == nil)
    #expect(try duplicate("{}") == nil)
    let many = (0..<500).map { "\"k\($0)\":\($0)" }
    #expect(try duplicate("{" + many.joined(separator: ",") + "}") == nil)
    #expect(try duplicate("{" + (many + ["\"k250\":0"]).joined(separator: ",") + "}") == "k250")
  }

  @Test("documents of growing size reuse one parser")
  func growing() throws {
    var parser = JSONParser(bytesMax: 1 << 20, depthMax: 64)
    for size in stride(from: 0, through: 60_000, by: 7_777) {
      let text = "[\"" + String(repeating: "x", count: size) + "\"]"
      let count = try parser.parse(Array(text.utf8)) { (root) throws(Fault) in
        root.array?.map { $0.text?.count ?? -1 }.first
      }
      #expect(count == size)
    }
  }

  @Test("the writer's text is what was asked, and reads back equal")
  func writes() throws {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("s")
    writer.value("a\"\\\n\u{1}é")
    writer.key("n")
    writer.beginArray()
    writer.value(Int64.min)
    writer.value(UInt64.max)
    writer.value(Int64(0))
    writer.value(0.1)
    writer.value(1e300)
    writer.value(Double.nan)
    writer.null()
    writer.value(true)
    writer.endArray()
    writer.key("o")
    writer.beginObject()
    writer.endObject()
    writer.endObject()
    let expected =
      #"{"s":"a\"\\\n\u0001é","n":[-9223372036854775808,18446744073709551615,0,0.1,1e+300,null,null,true],"o":{}}"#
    #expect(writer.text == expected)
    let copy = try read(writer.text) { (root) throws(Fault) in
      var copy = JSONWriter()
      copy.value(root)
      return copy.text
    }
    #expect(copy == expected)
  }

  @Test("keys compare with literals and with bytes")
  func keys() throws {
    try read(#"["published"]"#) { (root) throws(Fault) in
      guard let array = root.array, let text = array.first(where: { _ in true })?.text else {
        Issue.record("no text")
        return
      }
      #expect(text == "published")
      #expect(!(text == "publishes"))
      #expect(!(text == "publish"))
      let same: Bool = Array("published".utf8).withUnsafeBytes { text.equals($0) }
      #expect(same)
    }
  }
}
