// The rows that every query of Tests/SQL runs over, the same on every machine: tables shaped like event tables, with
// repeated texts, nulls, empty strings, non-ASCII letters, extreme numbers and instants.
//
// Floats of column `value` are multiples of 0.25, so that sums are exact in any order.

import Columnar
import EventSchema
import Runtime
import StorageContract

struct SampleTable {
  let description: TableDescription
  /// One value a column of the description, hidden ones too.
  let rows: [[Scalar]]
  var name: String { "\(description.schema).\(description.name)" }
}

enum SampleData {
  static let tables: [SampleTable] = [measurements, orders, identities, empty, awkward]

  private static func column(_ id: Int32, _ name: String, _ type: DataType) -> TableColumn {
    TableColumn(fieldID: 16 + id, name: name, type: type, isNullable: true)
  }

  private static func make(
    _ id: UInt32, _ schema: String, _ name: String, events: [String], columns: [(String, DataType)], count: Int,
    content: (Int, inout SeededGenerator) -> [Scalar]
  ) -> SampleTable {
    let all = SystemColumn.columns + columns.enumerated().map { column(Int32($0), $1.0, $1.1) }
    let visible = all.indices.filter { !all[$0].isHidden }
    let description = TableDescription(
      id: TableID(raw: id), schema: schema, name: name, columns: all,
      views: events.map { EventViewDescription(name: "\(name)_\($0)", eventName: $0, columns: visible) },
      estimatedRows: Int64(count))
    var random = SeededGenerator(seed: UInt64(id) * 7_919)
    // 2026-01-01 00:00 UTC
    var published: Int64 = 1_767_225_600_000_000
    let rows = (0..<count).map { row -> [Scalar] in
      published += Int64.random(in: 1...260_000_000, using: &random)
      let event = events[row % 5 == 4 ? events.count - 1 : 0]
      let source = ["gateway-1", "gateway-2", "batch"][Int.random(in: 0..<3, using: &random)]
      let metadata: Scalar = row % 11 == 0 ? .null : .text("{\"source\": \"\(source)\", \"attempt\": \(row % 4)}")
      let delay = Int64.random(in: 0...5_000_000, using: &random)
      return [
        .integer(Int64(row + 1)), .text(event), .integer(published), .integer(published + delay), metadata,
        .integer(Int64(row + 1)), .integer(Int64(truncatingIfNeeded: random.next())),
      ] + content(row, &random)
    }
    return SampleTable(description: description, rows: rows)
  }

  static let measurements = make(
    1, "iot", "measurement", events: ["recorded", "corrected"],
    columns: [
      ("sensor", .int4), ("series", .text), ("value", .float8), ("quality", .int2), ("amount", .numeric(nil)),
      ("ok", .boolean), ("seen", .timestamp), ("big", .int8), ("wild", .float8), ("day", .date),
    ], count: 2_000
  ) { row, random in
    let seriesNames = ["cpu", "memory", "disk", "taxi", "température", "tweets_per_minute", "x%y", "x_y"]
    let wild: [Double] = [0.1, 1e-7, 1e20, 123456.789, .nan, .infinity, -.infinity, -0.0, 3.3333333333333335, 1e15, 1e16]
    let big: [Int64] = [.max, .min, 1_000_000_000_000, -7, 0, 4_294_967_296]
    let scale = Int.random(in: 0...3, using: &random)
    let amount = Numeric(coefficient: Int128(Int64.random(in: -99_999...99_999, using: &random)), scale: scale)
    return [
      .integer(Int64.random(in: 1...20, using: &random)),
      .text(seriesNames[Int.random(in: 0..<seriesNames.count, using: &random)]),
      row % 9 == 0 ? .null : .float(Double(Int.random(in: -4_000...4_000, using: &random)) * 0.25),
      row % 7 == 0 ? .null : .integer(Int64.random(in: -3...3, using: &random)),
      row % 13 == 0 ? .null : amount.map { .numeric($0) } ?? .null,
      row % 6 == 0 ? .null : .boolean(Bool.random(using: &random)),
      row % 10 == 0
        ? .null : .integer(Int64.random(in: -2_208_988_800...4_102_444_800, using: &random) * 1_000_000 + Int64(row)),
      .integer(big[row % big.count]), .float(wild[row % wild.count]),
      .integer(Int64.random(in: 20_000...21_000, using: &random)),
    ]
  }

  static let orders = make(
    2, "shop", "order", events: ["placed", "cancelled"],
    columns: [
      ("customer", .text), ("sku", .varchar(12)), ("quantity", .int4),
      ("price", .numeric(.init(precision: 10, scale: 2))), ("placed", .date), ("paid", .boolean), ("note", .text),
      ("uid", .uuid), ("shipping", .interval),
    ], count: 900
  ) { row, random in
    let notes = ["", "gift", "O'Brien", "leave at door ", "100% sure", "Zoë", "a\\b", "日本"]
    let price = Numeric(coefficient: Int128(Int64.random(in: 1...50_000, using: &random)), scale: 2)
    return [
      row % 17 == 0 ? .null : .text("c\(Int.random(in: 0..<60, using: &random))"),
      .text("sku-\(Int.random(in: 1...25, using: &random))"), .integer(Int64.random(in: 1...9, using: &random)),
      row % 19 == 0 ? .null : price.map { .numeric($0) } ?? .null,
      .integer(Int64.random(in: 20_400...20_500, using: &random)),
      row % 8 == 0 ? .null : .boolean(row % 3 == 0),
      row % 5 == 0 ? .null : .text(notes[Int.random(in: 0..<notes.count, using: &random)]),
      .uuid(UUIDValue(high: random.next(), low: random.next())),
      row % 4 == 0
        ? .null
        : .interval(
          Interval(months: Int32(row % 3), days: Int32(row % 30), micros: Int64(row % 86_400) * 1_000_000)),
    ]
  }

  static let identities = make(
    3, "user", "identity", events: ["created", "changed"],
    columns: [
      ("customer", .text), ("email", .text), ("age", .int4), ("country", .text), ("born", .date), ("score", .float4),
    ], count: 50
  ) { row, random in
    let countries = ["at", "de", "fr", "jp", "us"]
    return [
      .text("c\(row)"), row % 6 == 0 ? .null : .text("user\(row)@example.org"),
      row % 7 == 0 ? .null : .integer(Int64.random(in: 18...80, using: &random)),
      .text(countries[row % countries.count]), .integer(Int64.random(in: -10_000...15_000, using: &random)),
      row % 5 == 0 ? .null : .float(Double(Int.random(in: 0...400, using: &random)) * 0.25),
    ]
  }

  static let empty = make(
    4, "shop", "nothing", events: ["happened"], columns: [("x", .int4), ("y", .text)], count: 0
  ) { _, _ in [] }

  /// Few rows with all that windows stumble over: nulls, ties, NaN and infinities, numerics of several scales, month
  /// ends, intervals that are equal but not alike.
  static let awkward = make(
    5, "shop", "awkward", events: ["met"],
    columns: [
      ("id", .int4), ("k", .text), ("i", .int4), ("f", .float8), ("n", .numeric(nil)), ("d", .date), ("ts", .timestamp),
      ("iv", .interval), ("b", .boolean),
    ], count: awkwardRows.count
  ) { row, _ in awkwardRows[row] }

  private static func decimal(_ coefficient: Int128, _ scale: Int) -> Scalar {
    Numeric(coefficient: coefficient, scale: scale).map { .numeric($0) } ?? .null
  }

  private static let awkwardRows: [[Scalar]] = [
    [
      .integer(1), .text("a"), .integer(10), .float(1.5), decimal(110, 2), .integer(20484),
      .integer(1_769_853_600_000_000), .interval(Interval(months: 0, days: 1, micros: 0)), .boolean(true),
    ],
    [
      .integer(2), .text("a"), .integer(10), .float(.nan), decimal(25, 1), .integer(20512),
      .integer(1_772_272_800_000_000), .interval(Interval(months: 0, days: 0, micros: 86400000000)), .boolean(false),
    ],
    [
      .integer(3), .text("a"), .integer(20), .float(-.infinity), .null, .integer(20513),
      .integer(1_772_323_200_000_000), .interval(Interval(months: 1, days: 0, micros: 0)), .null,
    ],
    [
      .integer(4), .text("a"), .null, .null, decimal(125, 3), .null,
      .null, .null, .boolean(true),
    ],
    [
      .integer(5), .text("a"), .integer(30), .float(.infinity), .numeric(.nan), .integer(20543),
      .integer(1_775_001_599_500_000), .interval(Interval(months: 0, days: 30, micros: 0)), .boolean(true),
    ],
    [
      .integer(6), .text("b"), .integer(5), .float(0.0), decimal(-70, 1), .integer(20454),
      .integer(1_767_225_600_000_000), .interval(Interval(months: 0, days: -1, micros: 0)), .boolean(false),
    ],
    [
      .integer(7), .text("b"), .integer(5), .float(-0.0), decimal(-7, 0), .integer(20454),
      .integer(1_767_225_600_000_000), .interval(Interval(months: 0, days: 0, micros: 0)), .boolean(false),
    ],
    [
      .integer(8), .text("b"), .integer(-5), .float(2.25), decimal(100, 0), .integer(10956),
      .integer(946_641_600_000_000), .interval(Interval(months: 12, days: 0, micros: 0)), .null,
    ],
    [
      .integer(9), .null, .integer(7), .float(3.5), decimal(350, 2), .integer(20619),
      .integer(1_781_503_200_000_000), .interval(Interval(months: 0, days: 0, micros: 7200000000)), .boolean(true),
    ],
    [
      .integer(10), .null, .integer(7), .float(3.5), decimal(35, 1), .integer(20620),
      .integer(1_781_506_800_000_000), .interval(Interval(months: 0, days: 0, micros: 7200000000)), .boolean(true),
    ],
    [
      .integer(11), .text("c"), .null, .null, .null, .null,
      .null, .null, .null,
    ],
    [
      .integer(12), .text("a"), .integer(20), .float(4.0), decimal(250, 2), .integer(20512),
      .integer(1_772_272_800_000_001), .interval(Interval(months: 0, days: 0, micros: 90000000000)), .boolean(false),
    ],
  ]
}
