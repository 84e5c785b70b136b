import Bedrock
import Columnar
import EventDecoding
import EventSchema
import StorageContract
import Testing

@Suite struct JSONDecodingTests {
  @Test func designExample() throws {
    let bench = try Bench()
    bench.send(
      """
      {"event": "user.identity.created", "sequence": 142,
       "metadata": {"published": "2026-11-23T08:00:00.123456Z", "domain": "user", "entity": "identity",
                    "name": "created", "source": "web", "n": [1, {"a": null}]},
       "content": {"userId": "8f14e45f", "email": "ada@example.org", "name": "Ada"}}
      """, subject: "events.user.identity.created")
    let batch = bench.decoder.finish()
    #expect(batch.errors.isEmpty)
    let table = try #require(bench.table(batch, "user.identity"))
    #expect(table.chunk.rowCount == 1)
    #expect(bench.column(table, "sequence").scalar(at: 0) == .integer(142))
    #expect(bench.column(table, "name").scalar(at: 0) == .text("created"))
    #expect(bench.column(table, "published").scalar(at: 0) == .integer(1_795_420_800_123_456))
    #expect(bench.column(table, "received").scalar(at: 0) == .integer(1_000_000))
    #expect(bench.column(table, "metadata").scalar(at: 0).text == #"{"n": [1, {"a": null}], "source": "web"}"#)
    #expect(bench.column(table, "_pos").scalar(at: 0) == .integer(1))
    #expect(bench.column(table, "user_id").scalar(at: 0) == .text("8f14e45f"))
    #expect(bench.column(table, "email").isNull(at: 0))
    let pending = try #require(table.pendingHashes.first)
    #expect(pending.values.scalar(at: 0) == .text("ada@example.org") && pending.rows == [0])
  }

  @Test func everyTypeFromJSON() throws {
    let bench = try Bench()
    bench.every(
      """
      {"flag":false,"i8":-128,"i16":32767,"i32":-5,"i64":"9223372036854775807","u8":255,"u16":65535,"u32":4294967295,
       "u64":18446744073709551615,"f32":1.5,"f64":-2,"text":"h\\u00e9","data":"AAEC/w==","color":"green",
       "at":"1970-01-01T00:00:01+01:00","day":"2000-03-01","uid":"8F14E45F-ceea-467f-a5e6-0123456789ab",
       "price":12.34,"total":"123456789012345678901234.50000","lax":1,"secret":42,"gone":"x"}
      """)
    let batch = bench.decoder.finish()
    #expect(batch.errors.map(\.message) == [] && batch.unknownFields == 0)
    let table = try #require(bench.table(batch, "test.every"))
    func value(_ name: String) -> Scalar { bench.column(table, name).scalar(at: 0) }
    #expect(value("flag") == .boolean(false) && value("i8") == .integer(-128) && value("i16") == .integer(32_767))
    #expect(value("i32") == .integer(-5) && value("i64") == .integer(.max) && value("u8") == .integer(255))
    #expect(value("u16") == .integer(65_535) && value("u32") == .integer(4_294_967_295))
    #expect(value("u64") == Numeric(coefficient: Int128(UInt64.max), scale: 0).map { .numeric($0) })
    #expect(value("f32") == .float(1.5) && value("f64") == .float(-2) && value("text") == .text("hé"))
    #expect(value("data") == .bytes([0, 1, 2, 255]) && value("color") == .text("green"))
    #expect(value("at") == .integer(-3_599_000_000) && value("day") == .integer(11_017))
    #expect(value("uid") == .uuid(UUIDValue(high: 0x8F14_E45F_CEEA_467F, low: 0xA5E6_0123_4567_89AB)))
    #expect(value("price") == Numeric(coefficient: 1234, scale: 2).map { .numeric($0) })
    #expect(value("total") == Numeric(coefficient: 12_345_678_901_234_567_890_123_450_000, scale: 5).map { .numeric($0) })
    #expect(value("secret") == .null)
    #expect(table.pendingHashes.first?.values.scalar(at: 0) == .text("42"))
  }

  @Test(arguments: [
    ("i8", "128"), ("i8", "1.5"), ("i8", "true"), ("u8", "-1"), ("u64", "-1"), ("u64", "1e30"), ("f32", "1e40"),
    ("f64", "\"1\""), ("text", "5"), ("text", "\"a\\u0000b\""), ("data", "\"A\""), ("data", "\"AA!=\""),
    ("color", "\"blue\""), ("color", "2"), ("at", "\"2026-02-30T00:00:00Z\""), ("at", "\"2026-02-03T00:00:00\""),
    ("at", "1763885000000000000"), ("day", "\"2023-02-29\""), ("uid", "\"8f14e45f\""), ("price", "1.005"),
    ("price", "10000.00"), ("price", "\"1.2.3\""), ("total", "0.1234567"), ("flag", "1"), ("text", "[]"), ("text", "{}"),
    ("secret", "\"x\""), ("gone", "7"),
  ])
  func aBrokenTypeIsAViolation(field: String, value: String) throws {
    let bench = try Bench()
    bench.every(#"{"i64": 1, "\#(field)": \#(value), "text2": 1}"#, sequence: 7)
    bench.every(#"{"i64": 2}"#, sequence: 8)
    let batch = bench.decoder.finish()
    let error = try #require(batch.errors.first)
    #expect(batch.errors.count == 1 && error.code == "schema_violation" && error.stage == "schema")
    #expect(error.path == "content.\(field)" && error.sequence == 7 && error.name == "made" && error.schemaVersion == 1)
    #expect(String(decoding: error.sealedPayload, as: UTF8.self).hasPrefix("test{"))
    let table = try #require(bench.table(batch, "test.every"))
    #expect(table.chunk.rowCount == 1 && bench.column(table, "i64").scalar(at: 0) == .integer(2))
    #expect(table.pendingHashes.isEmpty)
  }

  @Test(arguments: [
    ("", "undecodable"), ("   ", "undecodable"), ("{", "undecodable"), ("[1]", "undecodable"), ("nonsense", "undecodable"),
    (#"{"sequence":1}"#, "envelope_invalid"),
    (#"{"event":"test.every.made"}"#, "envelope_invalid"),
    (#"{"event":"test.every.made","sequence":-1,"metadata":{"published":1},"content":{}}"#, "envelope_invalid"),
    (#"{"event":"test.every.made","sequence":1.5,"metadata":{"published":1},"content":{}}"#, "envelope_invalid"),
    (#"{"event":"test.every.made","sequence":1,"metadata":{},"content":{}}"#, "envelope_invalid"),
    (#"{"event":"test.every.made","sequence":1,"metadata":{"published":"now"},"content":{}}"#, "envelope_invalid"),
    (#"{"event":"test.every.made","sequence":1,"metadata":{"published":1,"domain":"x"},"content":{}}"#, "envelope_invalid"),
    (#"{"event":"test.every.made","sequence":1,"metadata":{"published":1,"a":1,"a":2},"content":{}}"#, "envelope_invalid"),
    (#"{"event":"test.every.made","event":"test.every.made","sequence":1}"#, "envelope_invalid"),
    (#"{"event":"test.every.made","sequence":1,"metadata":{"published":1},"content":[]}"#, "envelope_invalid"),
    (#"{"event":"test.every.made","sequence":1,"metadata":{"published":1}}"#, "envelope_invalid"),
    (#"{"event":"test.every.other","sequence":1}"#, "envelope_subject_mismatch"),
    (#"{"event":"test.every","sequence":1}"#, "envelope_invalid"),
    (#"{"event":"test.every.made","sequence":1,"metadata":{"published":1},"content":{"i8":1,"i8":2}}"#, "schema_violation"),
  ])
  func badEnvelopes(payload: String, code: String) throws {
    let bench = try Bench()
    bench.send(payload, subject: "events.test.every.made")
    let batch = bench.decoder.finish()
    #expect(batch.errors.map(\.code) == [code])
    #expect(batch.tables.isEmpty)
    #expect(batch.errors[0].domain == "test" && batch.errors[0].entity == "every")
  }

  @Test func unknownEventAndOversize() throws {
    let bench = try Bench()
    bench.send(#"{"event":"a.b.c","sequence":1}"#, subject: "events.a.b.c")
    bench.send([UInt8](repeating: 0x20, count: Limits.eventBytesMax + 1), subject: "events.a.b.c")
    bench.send(String(repeating: #"{"a":"#, count: 100) + "1" + String(repeating: "}", count: 100), subject: "other")
    #expect(bench.decoder.finish().errors.map(\.code) == ["schema_not_found", "size_violation", "undecodable"])
  }

  @Test func headersFillWhatTheEnvelopeLacks() throws {
    let bench = try Bench()
    let headers = ["Cramped-Sequence": "17", "Cramped-Published": "2026-11-23T08:00:00Z"]
    bench.send(#"{"event":"test.every.made","content":{"i8":1}}"#, subject: "events.test.every.made.more", headers: headers)
    bench.send(
      #"{"event":"test.every.made","content":{"i8":1}}"#, subject: "events.test.every.made",
      headers: ["Cramped-Sequence": "x", "Cramped-Published": "1"])
    let batch = bench.decoder.finish()
    let table = try #require(bench.table(batch, "test.every"))
    #expect(bench.column(table, "sequence").scalar(at: 0) == .integer(17))
    #expect(bench.column(table, "published").scalar(at: 0) == .integer(1_795_420_800_000_000))
    #expect(batch.errors.map(\.code) == ["envelope_invalid"])
  }

  @Test func onErrorNullAndUnknownFieldsAreCounted() throws {
    let bench = try Bench()
    bench.every(#"{"lax": 1000, "i8": 3, "what": {"x": [1]}}"#)
    let batch = bench.decoder.finish()
    let table = try #require(bench.table(batch, "test.every"))
    #expect(batch.errors.isEmpty && batch.nulledValues == 1 && batch.unknownFields == 1)
    #expect(bench.column(table, "lax").isNull(at: 0) && bench.column(table, "i8").scalar(at: 0) == .integer(3))
  }

  @Test func twoEventsShareATable() throws {
    let bench = try Bench()
    bench.every(#"{"text": "a"}"#)
    bench.send(
      #"{"event":"test.every.changed","sequence":2,"metadata":{"published":1},"content":{"text":"b","note":"n"}}"#,
      subject: "events.test.every.changed")
    let batch = bench.decoder.finish()
    let table = try #require(bench.table(batch, "test.every"))
    #expect(batch.tables.count == 1 && table.chunk.rowCount == 2)
    #expect((0..<2).map { bench.column(table, "text").scalar(at: $0).text } == ["a", "b"])
    #expect((0..<2).map { bench.column(table, "note").scalar(at: $0).text } == [nil, "n"])
    #expect((0..<2).map { bench.column(table, "name").scalar(at: $0).text } == ["made", "changed"])
  }

  /// Random good and bad events: the good ones come out exactly, in order, whatever was rolled back between them.
  @Test(arguments: [1, 2, 3, 4, 5])
  func rollBackLeavesNoTrace(seed: UInt64) throws {
    var random = Random(state: seed)
    let bench = try Bench()
    for _ in 0..<3 {
      var expected: [(Int, String?, Int?, Double?)] = []
      var bad = 0
      for sequence in 0..<2_500 {
        let text: String? = random.below(3) == 0 ? nil : String(repeating: "x", count: random.below(40))
        let number: Int? = random.below(3) == 0 ? nil : random.below(200) - 100
        let real: Double? = random.below(4) == 0 ? nil : Double(random.below(1_000)) / 8
        var members: [String] = []
        if let text { members.append("\"text\":\"\(text)\"") }
        if let number { members.append("\"i8\":\(number)") }
        if let real { members.append("\"f64\":\(real)") }
        if random.below(2) == 0 { members.append("\"secret\":\(sequence)") }
        if random.below(2) == 0 { members.reverse() }
        if random.below(5) == 0 {
          members.insert("\"i16\":\"bad\"", at: random.below(members.count + 1))
          bad += 1
        } else {
          expected.append((sequence, text, number, real))
        }
        bench.every("{" + members.joined(separator: ",") + "}", sequence: sequence)
      }
      let batch = bench.decoder.finish()
      let table = try #require(bench.table(batch, "test.every"))
      #expect(batch.errors.count == bad && table.chunk.rowCount == expected.count)
      let sequences = bench.column(table, "sequence"), texts = bench.column(table, "text")
      let numbers = bench.column(table, "i8"), reals = bench.column(table, "f64")
      for (row, want) in expected.enumerated() {
        #expect(sequences.scalar(at: row) == .integer(Int64(want.0)))
        #expect(texts.scalar(at: row).text == want.1)
        #expect(numbers.scalar(at: row).integer == want.2.map { Int64($0) })
        #expect(reals.scalar(at: row).float == want.3)
      }
      for pending in table.pendingHashes {
        for (index, row) in pending.rows.enumerated() {
          #expect(pending.values.scalar(at: index).text == sequences.scalar(at: Int(row)).integer.map { "\($0)" })
        }
      }
    }
  }
}

struct Random {
  var state: UInt64
  mutating func below(_ limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % limit
  }
}
