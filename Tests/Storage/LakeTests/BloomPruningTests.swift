// A bloom filter that rules a value out keeps a scan from reading the row group.

import Bedrock
import Columnar
import EventSchema
import Lake
import ObjectStore
import Runtime
import StorageContract
import TestKit
import Testing

@Suite("Lake bloom filters")
struct BloomPruningTests {
  @Test("row groups without the value are not read, the one with it is; answers are those of a full scan")
  func rowGroups() throws {
    let folder = try TemporaryFolder("bloom")
    let store = CountingObjectStore(try LocalObjectStore(path: folder.file("data")))
    var options = LakeOptions()
    options.rowGroupRowsMax = 6_000
    options.pageCacheBytesMax = 0
    options.pageIndexRowsMin = .max
    let table = try Lake(store: store, clock: .system, options: options).table(domain: "iot", entity: "measurement")
    let series = Fixture.lakeColumns(Fixture.schema).firstIndex { $0.name == "series" } ?? 0
    var seed = SeededGenerator(seed: 21)
    // Ids in no order: every row group spans all of their range, so that bounds leave none out.
    let rows = Fixture.rows(0..<24_000).map { row in
      var row = row
      row[series] = .text("id-\(Int64.random(in: 0..<1_000_000_000, using: &seed) * 2)")
      return row
    }
    _ = try table.flush(rows, expected: nil, version: 1)
    let snapshot = try table.refresh()
    let column = try #require(Fixture.schema.column(named: "series"))
    func scan(_ test: ColumnPredicate.Test) throws -> (rows: [[Scalar]], groups: Int, bytes: Int) {
      _ = try snapshot.rows(Fixture.schema, ["sequence"], [ColumnPredicate(column: column, test: test)])
      store.reset()
      let (found, summary) = try snapshot.rows(
        Fixture.schema, ["sequence"], [ColumnPredicate(column: column, test: test)])
      let units = Dictionary(uniqueKeysWithValues: summary.units.map { ($0.label, $0) })
      #expect(units["row groups"]?.total == 4)
      return (found, Int(units["row groups"]?.read ?? -1), store.reads.reduce(0) { $0 + $1.count })
    }
    func answer(_ wanted: Set<String>) -> [[Scalar]] {
      rows.filter { row in row[series].text.map { wanted.contains($0) } ?? false }.map { [$0[SystemColumn.sequence]] }
    }
    var readWithout = 0
    for number in 1...20 {
      let absent = try scan(.compare(.equal, .text("id-\(number * 40_000_000 + 1)")))
      #expect(absent.rows.isEmpty)
      readWithout += absent.groups
      if absent.groups == 0 { #expect(absent.bytes == 0, "filters are cached, nothing else is read") }
    }
    #expect(readWithout <= 5, "1 % of 80 row groups, give or take")
    var readWith = 0
    for place in stride(from: 100, to: 24_000, by: 1_300) {
      let value = rows[place][series]
      let found = try scan(.compare(.equal, value))
      #expect(found.rows == answer([value.text ?? ""]))
      #expect(found.groups >= 1 && found.bytes > 0)
      readWith += found.groups
    }
    #expect(readWith <= 24, "one row group for each of 19 values")
    let pair = try scan(.anyOf([rows[5][series], .text("id-1"), rows[20_005][series]]))
    #expect(pair.rows == answer([rows[5][series].text ?? "", rows[20_005][series].text ?? ""]) && pair.groups <= 3)
    // Not for a filter to answer: nothing is left out.
    #expect(try scan(.compare(.notEqual, .text("id-1"))).rows.count == 24_000)
  }
}
