// Every operator against a brute-force oracle over the same rows.

import Bedrock
import Columnar
import Executor
import Functions
import Glibc
import Plan
import Runtime
import Testing

/// (int4 key with nulls, text, int8 value)
func randomTable(seed: UInt64, rows: Int, keys: Int64) -> [[Scalar]] {
  var generator = SeededGenerator(seed: seed)
  return (0..<rows).map { row in
    let key = Int64.random(in: -1..<keys, using: &generator)
    return [
      key < 0 ? .null : .integer(key), .text("n\(Int64.random(in: 0..<7, using: &generator))"), .integer(Int64(row)),
    ]
  }
}
let types: [DataType] = [.int4, .text, .int8]
func column(_ index: Int, _ type: DataType? = nil) -> Expression { .column(index, type ?? types[index % 3]) }

@Suite struct ExecutorTests {
  let left = randomTable(seed: 1, rows: 1_500, keys: 40)
  let right = randomTable(seed: 2, rows: 300, keys: 60)
  var fixture: Fixture { Fixture([MemoryTable(types, rows: left), MemoryTable(types, rows: right)]) }

  @Test func filterKeepsTrueRowsOnly() throws {
    let rows = try fixture.rows(fixture.scan(1, filter: op("<", column(0), int(5))))
    #expect(sorted(rows) == sorted(left.filter { ($0[0].integer ?? 99) < 5 }))
  }

  @Test(arguments: [JoinKind.inner, .left, .right, .full, .semi, .anti], [false, true])
  func joinsMatchTheOracle(_ kind: JoinKind, _ hasResidual: Bool) throws {
    let residual: Expression? = hasResidual ? op("<", column(2), .column(5, .int8)) : nil
    let plan = PlanNode.join(
      kind, left: fixture.scan(1), right: fixture.scan(2), leftKeys: [column(0)], rightKeys: [column(0)],
      residual: residual)
    var expected: [[Scalar]] = []
    var rightMatched = Set<Int>()
    let nulls = [Scalar](repeating: .null, count: 3)
    for l in left {
      var matched = false
      for (index, r) in right.enumerated() {
        guard let a = l[0].integer, a == r[0].integer else { continue }
        if hasResidual, l[2].integer! >= r[2].integer! { continue }  // the third column is never null
        matched = true
        rightMatched.insert(index)
        if kind != .semi && kind != .anti { expected.append(l + r) }
      }
      if kind == .semi && matched || kind == .anti && !matched { expected.append(l) }
      if (kind == .left || kind == .full) && !matched { expected.append(l + nulls) }
    }
    if kind == .right || kind == .full {
      for (index, r) in right.enumerated() where !rightMatched.contains(index) { expected.append(nulls + r) }
    }
    #expect(sorted(try fixture.rows(plan)) == sorted(expected))
  }

  @Test func notInDropsUnknown() throws {
    func rows(_ right: [[Scalar]]) throws -> [[Scalar]] {
      let fixture = Fixture([MemoryTable(types, rows: left), MemoryTable(types, rows: right)])
      return try fixture.rows(
        .join(
          .antiNullAware, left: fixture.scan(1), right: fixture.scan(2), leftKeys: [column(0)], rightKeys: [column(0)],
          residual: nil))
    }
    #expect(try rows(right).isEmpty)
    #expect(try rows([]).count == left.count)
    let one: [[Scalar]] = [[.integer(3), .text("a"), .integer(0)]]
    #expect(try rows(one).count == left.filter { $0[0].integer != nil && $0[0].integer != 3 }.count)
  }

  @Test func nestedLoopAndSingle() throws {
    let loop = PlanNode.join(
      .inner, left: fixture.scan(1), right: fixture.scan(2), leftKeys: [], rightKeys: [],
      residual: op("=", column(2), .column(5, .int8)))
    #expect(try fixture.rows(loop).count == 300)
    let single = PlanNode.join(
      .single, left: fixture.scan(1), right: fixture.scan(2), leftKeys: [column(0)], rightKeys: [column(0)],
      residual: nil)
    let fault = #expect(throws: Fault.self) { try fixture.rows(single) }
    #expect(fault?.state == .cardinalityViolation)
  }

  @Test(arguments: [1, 3]) func aggregatesMatchTheOracle(_ threads: Int) throws {
    let fixture = Fixture([MemoryTable(types, rows: left)], threads: threads)
    let plan = PlanNode.aggregate(
      fixture.scan(1), groups: [column(0), column(1)],
      aggregates: [
        aggregate("count", []), aggregate("sum", [column(2)]), aggregate("min", [column(2)]),
        aggregate("count", [column(0)]),
        aggregate("count", [], filter: op("<", column(2), .constant(.integer(700), .int8))),
      ])
    var groups: [[Scalar]: [Int64]] = [:]
    for row in left { groups[[row[0], row[1]], default: []].append(row[2].integer ?? 0) }
    let expected = groups.map { key, values -> [Scalar] in
      key + [
        .integer(Int64(values.count)), .numeric(Numeric(values.reduce(0, +))), .integer(values.min() ?? 0),
        .integer(key[0].isNull ? 0 : Int64(values.count)), .integer(Int64(values.filter { $0 < 700 }.count)),
      ]
    }
    #expect(sorted(try fixture.rows(plan)) == sorted(expected))
  }

  @Test func distinctAggregates() throws {
    let plan = PlanNode.aggregate(
      fixture.scan(1), groups: [column(1)],
      aggregates: [
        aggregate("count", [column(0)], distinct: true),
        aggregate(
          "string_agg", [column(1), .constant(.text(","), .text)], distinct: true,
          orderBy: [SortKey(expression: column(1), descending: false, nullsFirst: false)]),
      ])
    var keys: [String: Set<Int64>] = [:]
    for row in left { if let key = row[0].integer { keys[row[1].text ?? "", default: []].insert(key) } }
    let expected = keys.map { name, values -> [Scalar] in [.text(name), .integer(Int64(values.count)), .text(name)] }
    #expect(sorted(try fixture.rows(plan)) == sorted(expected))
  }

  @Test func nothingToAggregate() throws {
    let fixture = Fixture([MemoryTable(types, rows: [])])
    let plan = PlanNode.aggregate(
      fixture.scan(1), groups: [], aggregates: [aggregate("count", []), aggregate("sum", [column(2)])])
    #expect(try fixture.rows(plan) == [[.integer(0), .null]])
    #expect(try fixture.rows(.aggregate(fixture.scan(1), groups: [column(0)], aggregates: [])).isEmpty)
  }

  @Test(arguments: [nil, 10, 1_000]) func sortsWithNullsAndLimit(_ limit: Int?) throws {
    let keys = [
      SortKey(expression: column(0), descending: true, nullsFirst: true),
      SortKey(expression: column(2), descending: false, nullsFirst: false),
    ]
    let expected = left.sorted { a, b in
      let x = a[0].integer ?? .max, y = b[0].integer ?? .max
      return x != y ? x > y : (a[2].integer ?? 0) < (b[2].integer ?? 0)
    }
    let rows = try fixture.rows(.sort(fixture.scan(1), keys, limit: limit))
    #expect(rows == Array(expected.prefix(limit ?? left.count)))
  }

  @Test func topRowsOfManyMorsels() throws {
    let many = randomTable(seed: 3, rows: 60_000, keys: 1_000_000)
    let fixture = Fixture([MemoryTable(types, rows: many, chunkRows: 2_000)])
    let keys = [
      SortKey(expression: column(0), descending: false, nullsFirst: false),
      SortKey(expression: column(2), descending: false, nullsFirst: false),
    ]
    let all = try fixture.rows(.sort(fixture.scan(1), keys, limit: nil))
    #expect(try fixture.rows(.sort(fixture.scan(1), keys, limit: 25)) == Array(all.prefix(25)))
    #expect(all.count == 60_000)
  }

  @Test(arguments: [0, Int(Int32.max), Int.max]) func sortsWithExtremeLimits(_ limit: Int) throws {
    let keys = [SortKey(expression: column(2), descending: true, nullsFirst: false)]
    #expect(try fixture.rows(.sort(fixture.scan(1), keys, limit: limit)).count == min(limit, left.count))
  }

  @Test func topRowsKeepNullsAndTies() throws {
    // more rows than a thread keeps before it cuts, nulls first, many equal keys
    let many = randomTable(seed: 4, rows: 60_000, keys: 5)
    let fixture = Fixture([MemoryTable(types, rows: many, chunkRows: 3_000)])
    for (descending, nullsFirst) in [(false, false), (false, true), (true, false), (true, true)] {
      let keys = [
        SortKey(expression: column(0), descending: descending, nullsFirst: nullsFirst),
        SortKey(expression: column(1), descending: !descending, nullsFirst: nullsFirst),
        SortKey(expression: column(2), descending: descending, nullsFirst: nullsFirst),
      ]
      let all = try fixture.rows(.sort(fixture.scan(1), keys, limit: nil))
      #expect(try fixture.rows(.sort(fixture.scan(1), keys, limit: 40)) == Array(all.prefix(40)))
      let nulls = all.prefix { $0[0].isNull }.count
      #expect((nulls > 0) == nullsFirst)
    }
  }

  @Test func limitOffsetAndDistinctOn() throws {
    let ordered = PlanNode.sort(
      fixture.scan(1), [SortKey(expression: column(2), descending: false, nullsFirst: false)], limit: nil)
    let page = PlanNode.limit(ordered, count: .constant(.integer(5), .int8), offset: .constant(.integer(98), .int8))
    #expect(try fixture.rows(page).map { $0[2].integer } == [98, 99, 100, 101, 102])
    let fault = #expect(throws: Fault.self) {
      try fixture.rows(.limit(ordered, count: .constant(.integer(-1), .int8), offset: nil))
    }
    #expect(fault?.message == "LIMIT must not be negative")
    let byName = PlanNode.sort(
      fixture.scan(1),
      [
        SortKey(expression: column(1), descending: false, nullsFirst: false),
        SortKey(expression: column(2), descending: true, nullsFirst: false),
      ], limit: nil)
    let firsts = try fixture.rows(.distinctOn(byName, keys: [column(1)]))
    let expected = (0..<7).compactMap { name in left.last { $0[1].text == "n\(name)" } }
    #expect(firsts == expected)
  }

  @Test func unreachedBranchesDoNotFail() throws {
    let division = op("/", int(1), column(0))
    let guarded = Expression.caseWhen(
      [(condition: op("=", column(0), int(0)), value: int(-1))], otherwise: division, .int4)
    #expect(try fixture.rows(.project(fixture.scan(1), [guarded])).count == left.count)
    let and = Expression.and([op("<>", column(0), int(0)), op(">", division, int(0))])
    #expect(try fixture.rows(fixture.scan(1, filter: and)).count == left.filter { $0[0].integer == 1 }.count)
    let fault = #expect(throws: Fault.self) { try fixture.rows(.project(fixture.scan(1), [division])) }
    #expect(fault?.state == .divisionByZero)
  }

  @Test func inListsAndSubqueries() throws {
    let pair: [ParameterType] = [.exact(.int4), .exact(.int4)]
    let equals = try #require(FunctionCatalog.operators(named: "=").first { $0.parameters == pair })
    for values: [Int64] in [[1, 2], [1, 2, 3, 5, 8, 13, 21]] {
      let list = Expression.inList(column(0), values.map { .integer($0) }, equals: equals, negated: false)
      let expected = left.filter { row in row[0].integer.map(values.contains) ?? false }
      #expect(try fixture.rows(fixture.scan(1, filter: list)).count == expected.count)
      let not = Expression.inList(column(0), values.map { .integer($0) } + [.null], equals: equals, negated: true)
      #expect(try fixture.rows(fixture.scan(1, filter: not)).isEmpty)
    }
    let most = PlanNode.aggregate(fixture.scan(2), groups: [], aggregates: [aggregate("max", [column(2)])])
    let filter = op("=", column(2), .subqueryValue(0, .int8))
    #expect(try fixture.rows(fixture.scan(1, filter: filter), subqueries: [most]).count == 1)
    #expect(throws: Fault.self) { try fixture.rows(fixture.scan(1, filter: filter), subqueries: [fixture.scan(2)]) }
  }

  @Test func cancellationStops() throws {
    let fixture = self.fixture
    let stream = try fixture.stream(fixture.scan(1))
    #expect(try stream.next() != nil)
    fixture.cancellation.cancel(.userRequest)
    let fault = #expect(throws: Fault.self) { while try stream.next() != nil {} }
    #expect(fault?.state == .queryCanceled)
  }

  @Test func memoryIsBoundedAndGivenBack() throws {
    let small = Fixture([MemoryTable(types, rows: left)], budgetBytes: 10_000)
    let keys = [SortKey(expression: column(2), descending: true, nullsFirst: false)]
    let fault = #expect(throws: Fault.self) { try small.rows(.sort(small.scan(1), keys, limit: nil)) }
    #expect(fault?.state == .outOfMemory)
    let fixture = self.fixture
    #expect(try fixture.rows(.sort(fixture.scan(1), keys, limit: nil)).count == left.count)
    // a pool thread on its way out may hold the statement a moment longer
    for _ in 0..<1_000_000 where fixture.budget.bytesUsed != 0 { sched_yield() }
    #expect(fixture.budget.bytesUsed == 0)
  }

  @Test func abandonedStreamReleasesItsThreads() throws {
    let fixture = Fixture([MemoryTable(types, rows: left)], threads: 2)
    for _ in 0..<50 {
      let stream = try fixture.stream(fixture.scan(1))
      _ = try stream.next()
    }
    #expect(try fixture.rows(fixture.scan(1)).count == left.count)
  }
}
