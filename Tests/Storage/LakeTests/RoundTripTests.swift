// Every type that a table may have, through a flush and a compaction: values come back as they were, and other engines read
// the same.

import Bedrock
import Columnar
import EventSchema
import Foundation
import Lake
import ObjectStore
import Runtime
import StorageContract
import TestKit
import Testing

@Suite("Types through the lake")
struct RoundTripTests {
  static let types: [(name: String, type: DataType, isPersonal: Bool)] = [
    ("clock", .time, false), ("local", .timestamp, false), ("span", .interval, false), ("exact", .numeric(nil), false),
    ("document", .jsonb, false), ("text_document", .json, false), ("key", .uuid, false), ("raw", .bytea, false),
    ("short", .varchar(20), false), ("whole", .int8, false), ("numbers", .array(.int4), false),
    ("words", .array(.text), false), ("times", .array(.time), false), ("moments", .array(.timestamptz), false),
    ("locals", .array(.timestamp), false), ("exacts", .array(.numeric(nil)), false),
    ("cents", .array(.numeric(DataType.NumericModifier(precision: 20, scale: 2))), false),
    ("spans", .array(.interval), false), ("keys", .array(.uuid), false), ("blobs", .array(.bytea), false),
    ("flags", .array(.boolean), false), ("singles", .array(.float4), false), ("days", .array(.date), false),
  ]
  static let schema = Fixture.table(types)

  /// Random rows, then rows at the edges of each type.
  static func rows(_ count: Int64) -> [[Scalar]] {
    var rows = Fixture.rows(0..<count, schema)
    let edges: [String: [Scalar]] = [
      "clock": [.integer(0), .integer(86_399_999_999), .integer(86_400_000_000)],
      "local": [.integer(-62_135_596_800_000_000), .integer(253_402_300_799_999_999)],
      "span": [
        .interval(Interval()), .interval(Interval(months: .min, days: .max, micros: .min)),
        .interval(Interval(months: 14, days: -3, micros: 1)),
      ],
      "exact": ["0.000", "-1.50", "123456789012345678901234567890.5", "0.00000000000000000001"].compactMap(numeric),
      "document": [.text("{}"), .text("[1, \"\\u0001\"]"), .text("null")],
      "key": [.uuid(UUIDValue(high: 0, low: 0)), .uuid(UUIDValue(high: .max, low: .max))],
      "raw": [.bytes([]), .bytes((0...255).map { UInt8($0) })],
      "short": [.text(""), .text("ü\u{10348}")],
      "numbers": [.list([]), .list([.null]), .list([.integer(-2_147_483_648), .null, .integer(2_147_483_647)])],
      "words": [.list([.text(""), .null]), .list([])],
      "exacts": [.list([numeric("1.0"), numeric("1.00"), .null].map { $0 ?? .null })],
      "spans": [.list([.interval(Interval(months: -1))])],
    ]
    for (index, column) in Fixture.lakeColumns(schema).enumerated() {
      for (row, value) in (edges[column.name] ?? []).enumerated() { rows[row][index] = value }
    }
    return rows
  }

  private static func numeric(_ text: String) -> Scalar? {
    let digits = text.filter { $0 != "." }
    let scale = text.split(separator: ".").count > 1 ? text.split(separator: ".")[1].count : 0
    return Int128(digits).flatMap { Numeric(coefficient: $0, scale: scale) }.map { .numeric($0) }
  }

  @Test("every type comes back from flushed and from compacted files as it went in, in rows and in filters")
  func types() throws {
    let folder = try TemporaryFolder("types")
    var options = LakeOptions()
    options.rowGroupRowsMax = 60
    let table = try Lake(store: try LocalObjectStore(path: folder.path), clock: .system, options: options)
      .table(domain: "iot", entity: "measurement")
    let rows = Self.rows(300)
    _ = try table.flush(Array(rows[..<200]), schema: Self.schema, expected: nil, version: 199)
    _ = try table.flush(Array(rows[200...]), schema: Self.schema, expected: 199, version: 299)
    for step in ["flushed", "compacted"] {
      let found = ModelTable.sorted(try table.refresh().rows(Self.schema).rows)
      for (row, (got, want)) in zip(found, rows).enumerated() where got != want {
        for (column, (value, wanted)) in zip(Fixture.lakeColumns(Self.schema), zip(got, want)) {
          #expect(value == wanted, "\(step): row \(row), \(column.name)")
        }
      }
      #expect(found.count == rows.count)
      for name in ["clock", "local", "exact", "key", "raw", "short", "whole"] {
        let index = try #require(Self.schema.column(named: name))
        let place = try #require(Fixture.lakeColumns(Self.schema).firstIndex { $0.name == name })
        for value in rows.prefix(12).map({ $0[place] }) where !value.isNull {
          let predicate = ColumnPredicate(column: index, test: .compare(.equal, value))
          let positions = try table.current.rows(Self.schema, ["_pos", name], [predicate]).rows.filter { $0[1] == value }
          #expect(positions.count == rows.count { $0[place] == value }, "\(step): \(name) = \(value)")
        }
      }
      let group = table.current.compactionGroup(CompactionOptions(), isFull: true, now: 0)
      guard let group else { break }
      _ = try table.rewrite(group, schema: Self.schema, options: CompactionOptions()) { (_, _) throws(Fault) in }
    }
    #expect(try table.refresh().fileCount == 1)
  }
}
