// The order of joins from what the statistics job knows of values.

import Bedrock
import Catalog
import Columnar
import EventSchema
import Plan
import Planner
import StorageContract
import Testing

@Suite struct JoinOrderTests {
  private static let first = Int32(SystemColumn.firstContentFieldID)

  private func table(
    _ id: UInt32, _ name: String, _ columns: [(String, DataType, ColumnStatistics)], rows: Int64, isAnalysed: Bool
  ) -> TableDescription {
    var known: [Int32: ColumnStatistics] = [:]
    let described = columns.enumerated().map { index, column in
      known[Self.first + Int32(index)] = column.2
      return TableColumn(fieldID: Self.first + Int32(index), name: column.0, type: column.1, isNullable: true)
    }
    return TableDescription(
      id: TableID(raw: id), schema: "iot", name: name, columns: SystemColumn.columns + described, estimatedRows: rows,
      statistics: isAnalysed
        ? TableStatistics(rowCount: rows, sampledRows: 1_000, columns: known, analysedMicros: 0) : nil)
  }

  /// A large table of facts, one of devices and one of cities; nine of ten devices are of kind 'meter'.
  private func tables(isAnalysed: Bool) -> [TableDescription] {
    let meter = ColumnStatistics(
      distinctCount: 5, nullFraction: 0,
      commonValues: [.init(value: .text("meter"), fraction: 0.9), .init(value: .text("gate"), fraction: 0.01)])
    return [
      table(
        1, "fact",
        [
          ("device", .int8, ColumnStatistics(distinctCount: 1_000, nullFraction: 0)),
          ("city", .int8, ColumnStatistics(distinctCount: 10_000, nullFraction: 0)),
          ("parent", .int8, ColumnStatistics(distinctCount: 1_000, nullFraction: 0.999)),
        ], rows: 1_000_000, isAnalysed: isAnalysed),
      table(
        2, "device",
        [("id", .int8, ColumnStatistics(distinctCount: 1_000, nullFraction: 0)), ("kind", .text, meter)], rows: 1_000,
        isAnalysed: isAnalysed),
      table(
        3, "city",
        [
          ("id", .int8, ColumnStatistics(distinctCount: 10_000, nullFraction: 0)),
          ("code", .text, ColumnStatistics(distinctCount: 10_000, nullFraction: 0)),
          (
            "size", .int8,
            ColumnStatistics(
              distinctCount: 10_000, nullFraction: 0, min: .integer(0), max: .integer(1_000),
              histogram: (0...10).map { .integer($0 * 100) })
          ),
        ], rows: 10_000, isAnalysed: isAnalysed),
    ]
  }

  /// The tables in the order in which the joins of a plan take them: the one read first, then each built side.
  private func order(_ sql: String, isAnalysed: Bool = true) throws -> [String] {
    let planner = Planner(
      catalog: DatabaseCatalog(tables: tables(isAnalysed: isAnalysed)), settings: PlannerSettings(context: Fixture.context))
    var names: [String] = []
    func visit(_ plan: PlanNode) {
      if case .scan(let name, _, _, _) = plan { names.append(name) }
      for child in plan.children { visit(child) }
    }
    visit(try planner.plan(try Fixture.query(sql)).root)
    return names
  }

  private let joins = "SELECT 1 FROM fact JOIN device d ON d.id = fact.device JOIN city c ON c.id = fact.city "

  @Test func aRareValueGoesBeforeACommonOne() throws {
    let sql = joins + "WHERE d.kind = 'meter' AND c.code = 'x'"
    // Every equality looks alike: 20 devices before 200 cities.
    #expect(try order(sql, isAnalysed: false) == ["iot.fact", "iot.device", "iot.city"])
    // 900 devices keep nine of ten facts, one city keeps one of ten thousand.
    #expect(try order(sql) == ["iot.fact", "iot.city", "iot.device"])
    #expect(try order(joins + "WHERE d.kind = 'nothing' AND c.size >= 100") == ["iot.fact", "iot.device", "iot.city"])
  }

  @Test func rangesAreReadFromTheHistogram() throws {
    #expect(try order(joins + "WHERE d.kind = 'gate' AND c.size < 900") == ["iot.fact", "iot.device", "iot.city"])
    #expect(try order(joins + "WHERE d.kind = 'meter' AND c.size < 50") == ["iot.fact", "iot.city", "iot.device"])
    #expect(try order(joins + "WHERE d.kind = 'meter' AND 950 < c.size") == ["iot.fact", "iot.city", "iot.device"])
    #expect(try order(joins + "WHERE d.kind IN ('gate', 'door') AND c.size > 500") == ["iot.fact", "iot.device", "iot.city"])
  }

  @Test func nullsJoinWithNothing() throws {
    let sql = "SELECT 1 FROM fact JOIN device d ON d.id = fact.device JOIN city c ON c.id = fact.parent"
    // Almost no fact has a parent: that join leaves the fewest rows, though its table is the larger one.
    #expect(try order(sql) == ["iot.fact", "iot.city", "iot.device"])
    #expect(try order(sql, isAnalysed: false) == ["iot.fact", "iot.device", "iot.city"])
    #expect(
      try order(joins + "WHERE fact.parent IS NOT NULL AND d.kind = 'gate'") == ["iot.city", "iot.fact", "iot.device"])
  }
}
