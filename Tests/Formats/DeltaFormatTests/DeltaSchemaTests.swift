import Bedrock
import Columnar
import DeltaFormat
import Testing

@Suite("Delta schemas")
struct DeltaSchemaTests {
  @Test("a schema reads back equal, nested types and metadata included")
  func roundTrip() throws {
    let schema = DeltaSchema(fields: [
      DeltaField(name: "sequence", type: .long, isNullable: false, fieldID: 1),
      DeltaField(name: "amount", type: .decimal(precision: 20, scale: 4), isNullable: true, fieldID: 16),
      DeltaField(
        name: "tags", type: .array(.string, containsNull: true), isNullable: true,
        metadata: ["comment": #""a \"note\"""#, "n": "1", "nested": #"{"a":[1,null]}"#]),
      DeltaField(
        name: "s",
        type: .structure([
          DeltaField(name: "m", type: .map(.string, .double, valueContainsNull: false), isNullable: true)
        ]), isNullable: true),
      DeltaField(name: "v", type: .unknown("variant"), isNullable: true),
    ])
    #expect(try DeltaSchema(json: schema.json) == schema)
    #expect(schema.field(id: 16)?.name == "amount")
    #expect(schema.field(named: "tags")?.fieldID == nil)
  }

  @Test("the golden text of a schema")
  func golden() {
    let schema = DeltaSchema(fields: [
      DeltaField(name: "published", type: .timestamp, isNullable: false, fieldID: 3)
    ])
    #expect(
      schema.json
        == #"{"type":"struct","fields":[{"name":"published","type":"timestamp","nullable":false,"metadata":{"cramped.field.id":3}}]}"#
    )
  }

  @Test("SQL types that the lake holds come back as themselves or as their base type")
  func types() throws {
    let same: [DataType] = [
      .boolean, .int2, .int4, .int8, .float4, .float8, .text, .bytea, .date, .timestamptz, .array(.int8),
      .numeric(DataType.NumericModifier(precision: 20, scale: 0)),
    ]
    for type in same { #expect(try DeltaType(type).dataType == type) }
    for type in [DataType.jsonb, .json, .varchar(3), .bpchar(2), .uuid] { #expect(try DeltaType(type).dataType == .text) }
    // What Delta lacks is kept in a form that loses nothing; `DeltaField.typeKey` names the type.
    for type in [DataType.numeric(nil), .interval] { #expect(try DeltaType(type) == .string) }
    #expect(try DeltaType(.time) == .long && DeltaType(.timestamp) == .timestampNTZ)
    for type in [DataType.oid, .unknown, .void, .array(.array(.int8))] {
      #expect(fault { () throws(Fault) in _ = try DeltaType(type) }?.state == .featureNotSupported)
    }
  }

  @Test(
    "broken schemas are refused",
    arguments: [
      "", "[]", #""long""#, #"{"type":"array","elementType":"long"}"#, #"{"type":"struct"}"#,
      #"{"type":"struct","fields":[{"name":"a"}]}"#, #"{"type":"struct","fields":[{"type":"long"}]}"#,
      #"{"type":"struct","fields":[{"name":"a","type":"decimal(39,0)"}]}"#,
      #"{"type":"struct","fields":[{"name":"a","type":"decimal(99999999999999999999,0)"}]}"#,
      #"{"type":"struct","fields":[{"name":"a","type":"decimal(1,2)"}]}"#,
      #"{"type":"struct","fields":[{"name":"a","type":"long"},{"name":"a","type":"long"}]}"#,
      #"{"type":"struct","fields":[{"name":"a","type":7}]}"#,
    ])
  func broken(text: String) {
    #expect(fault { () throws(Fault) in _ = try DeltaSchema(json: text) }?.kind == .corrupt)
  }

  @Test("a schema nested beyond the limit is refused, not recursed into")
  func deep() {
    let depth = 10_000
    let text =
      #"{"type":"struct","fields":[{"name":"a","type":"# + String(repeating: #"{"type":"array","elementType":"#, count: depth)
      + #""long""# + String(repeating: "}", count: depth) + "}]}"
    #expect(fault { () throws(Fault) in _ = try DeltaSchema(json: text) }?.kind == .corrupt)
  }
}

@Suite("Delta file statistics")
struct DeltaStatisticsTests {
  static func schema(_ type: DeltaType) -> DeltaSchema {
    DeltaSchema(fields: [DeltaField(name: "c", type: type, isNullable: true)])
  }

  /// Bounds as they stand in the JSON, and as they are read again.
  func bounds(_ type: DeltaType, _ min: Scalar, _ max: Scalar) throws -> (String, DeltaColumnStatistics?) {
    let schema = Self.schema(type)
    let stats = DeltaStatistics(
      numRecords: 3, columns: ["c": DeltaColumnStatistics(min: min, max: max, nullCount: 1)])
    let json = stats.json(schema)
    return (json, try DeltaStatistics(json: json, schema).columns["c"])
  }

  @Test("golden text")
  func golden() throws {
    let (json, _) = try bounds(.long, .integer(-5), .integer(7))
    #expect(json == #"{"numRecords":3,"minValues":{"c":-5},"maxValues":{"c":7},"nullCount":{"c":1}}"#)
  }

  @Test("timestamps: min is rounded down, max up, to milliseconds; reading never makes a max too small")
  func timestamps() throws {
    let (json, read) = try bounds(.timestamp, .integer(1_500_001), .integer(1_500_001))
    #expect(json.contains(#""minValues":{"c":"1970-01-01T00:00:01.500Z"}"#))
    #expect(json.contains(#""maxValues":{"c":"1970-01-01T00:00:01.501Z"}"#))
    #expect(read?.min == .integer(1_500_000))
    #expect(read?.max == .integer(1_501_999))
    let (negative, _) = try bounds(.timestamp, .integer(-1), .integer(-1))
    #expect(negative.contains(#""minValues":{"c":"1969-12-31T23:59:59.999Z"}"#))
    #expect(negative.contains(#""maxValues":{"c":"1970-01-01T00:00:00.000Z"}"#))
    let (infinite, none) = try bounds(.timestamp, .integer(.min), .integer(.max))
    #expect(infinite.contains(#""minValues":{},"maxValues":{}"#))
    #expect(none?.min == nil && none?.max == nil && none?.nullCount == 1)
  }

  @Test("forms of timestamps that other writers use")
  func foreignTimestamps() throws {
    func maximum(_ text: String) throws -> Scalar? {
      try DeltaStatistics(json: "{\"maxValues\":{\"c\":\"\(text)\"}}", Self.schema(.timestamp)).columns["c"]?.max
    }
    #expect(try maximum("2026-11-23T08:00:00.123456Z") == .integer(1_795_420_800_123_456))
    #expect(try maximum("2026-11-23T10:00:00.123456+02:00") == .integer(1_795_420_800_123_456))
    #expect(try maximum("2026-11-23 08:00:00") == .integer(1_795_420_800_000_999))
    #expect(try maximum("2026-11-23T08:00:00.1234567Z") == .integer(1_795_420_800_123_456))
    for text in ["", "x", "2026-13-23T08:00:00Z", "2026-11-23T25:00:00Z", "2026-11-23T08:00:00+99:00", "2026-11-23T08:00:00."] {
      #expect(try maximum(text) == nil, "\(text)")
    }
  }

  @Test("dates of every century, there and back")
  func dates() throws {
    for (day, text) in [(0, "1970-01-01"), (-719_162, "0001-01-01"), (2_932_896, "9999-12-31"), (11_016, "2000-02-29")] {
      let (json, read) = try bounds(.date, .integer(Int64(day)), .integer(Int64(day)))
      #expect(json.contains("\"\(text)\""))
      #expect(read?.min == .integer(Int64(day)))
    }
    for day in stride(from: Int64(-719_162), through: 2_932_896, by: 997) {
      let (_, read) = try bounds(.date, .integer(day), .integer(day))
      #expect(read?.max == .integer(day))
    }
    let (outside, _) = try bounds(.date, .integer(-719_163), .integer(2_932_897))
    #expect(outside.contains(#""minValues":{},"maxValues":{}"#))
  }

  @Test("NaN and infinity are left out, finite doubles are exact")
  func doubles() throws {
    let (json, _) = try bounds(.double, .float(-.infinity), .float(.nan))
    #expect(json.contains(#""minValues":{},"maxValues":{}"#))
    let (_, read) = try bounds(.double, .float(0.1), .float(1.7976931348623157e308))
    #expect(read?.min == .float(0.1) && read?.max == .float(1.7976931348623157e308))
  }

  @Test("long text is cut; a cut max is incremented, or left out when it cannot be")
  func text() throws {
    let long = String(repeating: "a", count: 100)
    let (_, read) = try bounds(.string, .text(long), .text(long))
    #expect(read?.min == .text(String(repeating: "a", count: 64)))
    #expect(read?.max == .text(String(repeating: "a", count: 63) + "b"))
    let (_, short) = try bounds(.string, .text("é"), .text("\"\u{1}"))
    #expect(short?.min == .text("é") && short?.max == .text("\"\u{1}"))
    let top = String(repeating: "\u{10FFFF}", count: 20)
    #expect(try bounds(.string, .text(top), .text(top)).1?.max == nil)
    let surrogateEdge = String(repeating: "\u{D7FF}", count: 30)
    let edge = try bounds(.string, .text(surrogateEdge), .text(surrogateEdge)).1
    #expect(edge?.max == .text(String(repeating: "\u{D7FF}", count: 20) + "\u{E000}"))
    let notText: [UInt8] = [0xFF]
    #expect(try bounds(.string, .bytes(notText), .bytes(notText)).1?.max == nil)
  }

  @Test("decimals keep their digits; a bound that a double may have rounded is dropped")
  func decimals() throws {
    let type = DeltaType.decimal(precision: 38, scale: 2)
    let small = try #require(Numeric(coefficient: -1_05, scale: 2))
    let (json, read) = try bounds(type, .numeric(small), .numeric(small))
    #expect(json.contains(#""minValues":{"c":-1.05}"#))
    #expect(read?.min == .numeric(small))
    let big = try #require(Numeric(coefficient: 12_345_678_901_234_567_890, scale: 2))
    #expect(try bounds(type, .numeric(big), .numeric(big)).1?.max == nil)
    #expect(try bounds(type, .numeric(.nan), .numeric(.nan)).0.contains(#""maxValues":{}"#))
  }

  @Test("members of the wrong form are ignored, other text is refused")
  func hostile() throws {
    let schema = Self.schema(.long)
    for text in [
      "{}", #"{"numRecords":-1}"#, #"{"numRecords":"x","minValues":[],"maxValues":{"c":"1"},"nullCount":{"c":-1}}"#,
      #"{"minValues":{"c":1.5,"other":1,"nested":{"a":1}}}"#,
    ] {
      let stats = try DeltaStatistics(json: text, schema)
      #expect(stats.numRecords == nil && stats.columns.isEmpty)
    }
    for text in ["", "[]", "{", "nan"] {
      #expect(fault { () throws(Fault) in _ = try DeltaStatistics(json: text, schema) }?.kind == .corrupt)
    }
  }
}
