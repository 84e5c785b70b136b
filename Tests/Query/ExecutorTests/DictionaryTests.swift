// Dictionary-coded text: the same answers as flat text, whatever dictionaries the chunks bring.

import Bedrock
import Columnar
import Executor
import Functions
import Plan
import Runtime
import Testing

extension MemoryTable {
  /// The same table with every text column coded; each dictionary serves two chunks, holds its values in an order of
  /// its own, and has entries that no row uses.
  func coded(seed: UInt64) -> MemoryTable {
    var generator = SeededGenerator(seed: seed)
    var chunks = morsels.flatMap { $0 }
    for column in types.indices where types[column] == .text {
      for start in stride(from: 0, to: chunks.count, by: 2) {
        let pair = Array(start..<min(start + 2, chunks.count))
        var entries = Set(pair.flatMap { index in
          (0..<chunks[index].rowCount).map { chunks[index].columns[column].scalar(at: $0) }
        })
        entries.remove(.null)
        entries.formUnion((0..<3).map { .text("unused\($0)") })
        let values = entries.sorted { $0.text ?? "" < $1.text ?? "" }.shuffled(using: &generator)
        let dictionary = ColumnDictionary(ColumnBuilder.column(.text, values))
        for index in pair {
          var columns = chunks[index].columns
          columns[column] = columns[column].coded(dictionary, values)
          chunks[index] = Chunk(columns: columns, rowCount: chunks[index].rowCount)
        }
      }
    }
    return MemoryTable(types, chunks: chunks)
  }
}

extension Column {
  fileprivate func coded(_ dictionary: ColumnDictionary, _ values: [Scalar]) -> Column {
    let codes = (0..<count).map { row in Int32(values.firstIndex(of: scalar(at: row)) ?? 0) }
    return Column(
      type: type, count: count, validity: Bitmap.make(count: count) { !isNull(at: $0) },
      form: .dictionary(codes: .copying(codes), dictionary: dictionary))
  }
}

/// (text key with nulls, text with few values, int8 row number)
func textTable(seed: UInt64, rows: Int, keys: Int64) -> [[Scalar]] {
  var generator = SeededGenerator(seed: seed)
  return (0..<rows).map { row in
    let key = Int64.random(in: -1..<keys, using: &generator)
    let kind = Int64.random(in: 0..<4, using: &generator)
    return [key < 0 ? .null : .text("key\(key)"), .text("kind\(kind)"), .integer(Int64(row))]
  }
}

@Suite struct DictionaryTests {
  static let types: [DataType] = [.text, .text, .int8]
  let flat: Fixture
  let coded: Fixture

  init() {
    let tables = [
      MemoryTable(Self.types, rows: textTable(seed: 21, rows: 1_300, keys: 30)),
      MemoryTable(Self.types, rows: textTable(seed: 22, rows: 250, keys: 45)),
    ]
    flat = Fixture(tables)
    coded = Fixture([tables[0].coded(seed: 1), tables[1].coded(seed: 2)])
  }

  func key(_ index: Int) -> Expression { .column(index, Self.types[index % 3]) }

  /// Flat and coded tables answer alike; gives the rows.
  @discardableResult
  private func same(_ plan: (Fixture) -> PlanNode, inOrder: Bool = false) throws -> [[Scalar]] {
    let expected = try flat.rows(plan(flat)), actual = try coded.rows(plan(coded))
    if inOrder { #expect(actual == expected) } else { #expect(sorted(actual) == sorted(expected)) }
    return actual
  }

  @Test(arguments: ["=", "<>", "<", ">="]) func filters(_ name: String) throws {
    let rows = try same { $0.scan(1, filter: op(name, key(0), .constant(.text("key17"), .text))) }
    #expect(!rows.isEmpty)
    try same { $0.scan(1, filter: op(name, key(0), key(1))) }
    // a value that no dictionary has, and one that is there but unused
    for value in ["nowhere", "unused1"] {
      #expect(try same { $0.scan(1, filter: op("=", key(0), .constant(.text(value), .text))) }.isEmpty)
    }
  }

  @Test func inListsAndNullTests() throws {
    let equals = try #require(
      FunctionCatalog.operators(named: "=").first { $0.parameters == [.exact(.text), .exact(.text)] })
    for count in [2, 12] {
      let values = (0..<count).map { Scalar.text("key\($0)") }
      for negated in [false, true] {
        try same { $0.scan(1, filter: .inList(key(0), values, equals: equals, negated: negated)) }
      }
    }
    try same { $0.scan(1, filter: .isNull(key(0))) }
    try same { $0.scan(1, filter: .isNotNull(key(0))) }
  }

  @Test func groups() throws {
    let calls = [aggregate("count", []), aggregate("sum", [key(2)]), aggregate("count", [key(0)])]
    for groups in [[key(0)], [key(0), key(1)], [key(1), key(2)], [key(0), key(1), key(2)]] {
      try same { .aggregate($0.scan(1), groups: groups, aggregates: calls) }
    }
    let rows = try same { .aggregate($0.scan(1), groups: [key(0)], aggregates: calls) }
    #expect(rows.count == 31, "thirty keys and null")
  }

  @Test func aggregatesOverText() throws {
    let upper = try #require(FunctionCatalog.scalars(named: "upper").first { $0.parameters == [.exact(.text)] })
    let shouted = Expression.call(upper, [key(0)], .text)
    try same {
      .aggregate(
        $0.scan(1), groups: [shouted],
        aggregates: [
          aggregate("min", [key(1)]), aggregate("max", [key(1)]), aggregate("count", [key(1)], distinct: true),
          aggregate("string_agg", [key(1), .constant(.text(","), .text)], distinct: true),
        ])
    }
  }

  @Test(arguments: [JoinKind.inner, .left, .right, .full, .semi, .anti, .antiNullAware])
  func joins(_ kind: JoinKind) throws {
    try same {
      .join(
        kind, left: $0.scan(1), right: $0.scan(2), leftKeys: [key(0), key(1)], rightKeys: [key(0), key(1)],
        residual: nil)
    }
    try same {
      .join(kind, left: $0.scan(1), right: $0.scan(2), leftKeys: [key(0)], rightKeys: [key(0)], residual: nil)
    }
  }

  @Test func joinOnUniqueKeys() throws {
    // the right side is grouped, so each key is there once
    try same { fixture in
      let right = PlanNode.aggregate(fixture.scan(2), groups: [key(0)], aggregates: [aggregate("count", [])])
      return .join(.left, left: fixture.scan(1), right: right, leftKeys: [key(0)], rightKeys: [key(0)], residual: nil)
    }
  }

  @Test(arguments: [nil, 7, 400]) func sorts(_ limit: Int?) throws {
    for descending in [false, true] {
      let keys = [
        SortKey(expression: key(0), descending: descending, nullsFirst: descending),
        SortKey(expression: key(1), descending: !descending, nullsFirst: false),
        SortKey(expression: key(2), descending: false, nullsFirst: false),
      ]
      try same({ .sort($0.scan(1), keys, limit: limit) }, inOrder: true)
    }
  }

  @Test func distinctOn() throws {
    let keys = [
      SortKey(expression: key(0), descending: false, nullsFirst: true),
      SortKey(expression: key(2), descending: true, nullsFirst: false),
    ]
    let rows = try same({ .distinctOn(.sort($0.scan(1), keys, limit: nil), keys: [key(0)]) }, inOrder: true)
    #expect(rows.count == 31)
  }
}
