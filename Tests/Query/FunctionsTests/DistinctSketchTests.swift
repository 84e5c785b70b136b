// approx_count_distinct: exact while few, near when many, alike in one piece and merged.

import Bedrock
import Columnar
import Functions
import Testing

@Suite struct DistinctSketchTests {
  private func state() throws -> any AggregateState {
    try #require(FunctionCatalog.aggregates(named: "approx_count_distinct").first).makeState([.int8])
  }

  private func column(_ values: some Sequence<Int64>) -> Column {
    ColumnBuilder.column(.int8, values.map { .integer($0) })
  }

  @Test func fewValuesAreCountedExactly() throws {
    let state = try state()
    state.grow(to: 2)
    let groups: [Int32] = [0, 1, 1, 1, -1, 1]
    let values = ColumnBuilder.column(
      .int8, [.null, .integer(7), .integer(7), .integer(8), .integer(9), .null])
    try state.update(groups: groups.span, arguments: [values])
    let result = try state.finish()
    #expect(result.scalar(at: 0) == .integer(0))
    #expect(result.scalar(at: 1) == .integer(2))
  }

  @Test(arguments: [1_000, 20_000, 300_000]) func manyValuesAreNear(_ count: Int) throws {
    let whole = try state(), left = try state(), right = try state()
    for state in [whole, left, right] { state.grow(to: 1) }
    let groups = [Int32](repeating: 0, count: count)
    let all = column((0..<Int64(count)).map { $0 &* 1_000_003 })
    try whole.update(groups: groups.span, arguments: [all])
    // the halves overlap
    let middle = count * 2 / 3, start = count / 3
    try left.update(groups: groups.span.extracting(0..<middle), arguments: [all.slice(0..<middle)])
    try right.update(groups: groups.span.extracting(start..<count), arguments: [all.slice(start..<count)])
    let mapping: [Int32] = [0]
    try left.merge(right, mapping: mapping.span)
    let estimate = try #require(try whole.finish().scalar(at: 0).integer)
    #expect(abs(Double(estimate) / Double(count) - 1) < 0.06)
    #expect(try left.finish().scalar(at: 0) == .integer(estimate))
  }
}
