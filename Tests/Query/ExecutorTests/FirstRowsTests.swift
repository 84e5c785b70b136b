// DISTINCT ON by keeping first rows: the same rows as sorting everything gives.

import Bedrock
import Columnar
import Functions
import Plan
import Runtime
import Testing

@testable import Executor

@Suite struct FirstRowsTests {
  private static let types: [DataType] = [.int4, .float8, .text, .int8]

  /// (key with nulls, value with nulls, repeats and NaN, text of some length, row number)
  private static func rows(seed: UInt64, count: Int, keys: Int64) -> [[Scalar]] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { row in
      let key = Int64.random(in: -1..<keys, using: &generator)
      let value = Int.random(in: -2..<40, using: &generator)
      let text = String(repeating: "x", count: Int.random(in: 0..<30, using: &generator))
      return [
        key < 0 ? .null : .integer(key), value == -2 ? .null : .float(value == -1 ? .nan : Double(value) / 4),
        .text(text), .integer(Int64(row)),
      ]
    }
  }

  private static func column(_ index: Int) -> Expression { .column(index, types[index]) }

  private static func order(_ columns: [(Int, descending: Bool, nullsFirst: Bool)]) -> [SortKey] {
    columns.map { SortKey(expression: column($0.0), descending: $0.descending, nullsFirst: $0.nullsFirst) }
  }

  private static let orders: [[SortKey]] = [
    order([(1, false, false)]), order([(1, true, true)]), order([(1, true, false)]), order([(2, false, false)]),
    order([(2, true, true), (1, false, true)]), order([(1, false, true), (2, true, false)]), order([(3, true, true)]),
  ]

  /// Enough rows for the first ones to be cut down in between.
  @Test(arguments: [(3_000, Int64(7), 1), (3_000, 2_500, 3), (90_000, 40, 3), (90_000, 30_000, 2)])
  func equalsSorting(rows: Int, keys: Int64, threads: Int) throws {
    let fixture = Fixture(
      [MemoryTable(Self.types, rows: Self.rows(seed: 5, count: rows, keys: keys))], threads: threads)
    for order in Self.orders {
      let all = Self.order([(0, false, false)]) + order
      let found = try fixture.rows(
        .sort(.firstRows(fixture.scan(1), keys: [Self.column(0)], order: order), all, limit: nil))
      // of equal rows the first of the input, whichever thread reads it
      let sorted = try fixture.rows(
        .distinctOn(
          .sort(fixture.scan(1), all + Self.order([(3, false, false)]), limit: nil), keys: [Self.column(0)]))
      #expect("\(found)" == "\(sorted)")
    }
  }

  @Test func overNothing() throws {
    let fixture = Fixture([MemoryTable(Self.types, rows: [])])
    let plan = PlanNode.firstRows(fixture.scan(1), keys: [Self.column(0)], order: Self.orders[0])
    #expect(try fixture.rows(plan).isEmpty)
  }

  @Test func staysWithinTheBudget() throws {
    let table = MemoryTable(Self.types, rows: Self.rows(seed: 6, count: 20_000, keys: 20_000))
    let fixture = Fixture([table], budgetBytes: 100_000)
    let plan = PlanNode.firstRows(fixture.scan(1), keys: [Self.column(0)], order: Self.orders[0])
    #expect(throws: Fault.self) { try fixture.rows(plan) }
  }
}
