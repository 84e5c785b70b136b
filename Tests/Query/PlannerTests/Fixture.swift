// A catalog with three event tables, and statements planned against it.

import Bedrock
import Catalog
import Columnar
import EventSchema
import Functions
import Plan
import Planner
import SQLSyntax
import StorageContract
import Testing

struct PlannerSession: SessionValues {
  let catalog: DatabaseCatalog
  var userName: String { "ada" }
  var databaseName: String { "lake" }
  var searchPath: [String] { ["iot", "shop"] }
  var backendPID: Int32 { 42 }
  var serverVersion: String { "15.20" }
  func setting(_ name: String) -> String? { nil }
  func relationOID(_ name: String) -> UInt32? { catalog.relationOID(name, searchPath: searchPath) }
  func relationName(oid: UInt32) -> String? { catalog.relationName(oid: oid, searchPath: searchPath) }
  func namespaceOID(_ name: String) -> UInt32? { catalog.namespaceOID(name) }
  func namespaceName(oid: UInt32) -> String? { catalog.namespaceName(oid: oid) }
  func isRelationVisible(oid: UInt32) -> Bool { catalog.isRelationVisible(oid: oid, searchPath: searchPath) }
}

enum Fixture {
  private static func column(_ id: Int32, _ name: String, _ type: DataType) -> TableColumn {
    TableColumn(fieldID: id, name: name, type: type, isNullable: true)
  }

  private static func table(
    _ id: UInt32, _ schema: String, _ name: String, _ columns: [TableColumn], rows: Int64,
    views: [EventViewDescription] = []
  ) -> TableDescription {
    TableDescription(
      id: TableID(raw: id), schema: schema, name: name, columns: SystemColumn.columns + columns, views: views,
      estimatedRows: rows)
  }

  static let tables: [TableDescription] = {
    let first = Int(SystemColumn.columns.count)
    return [
      table(
        1, "iot", "m",
        [column(16, "series", .text), column(17, "value", .float8), column(18, "n", .int4), column(19, "ok", .boolean)],
        rows: 1_000_000,
        views: [EventViewDescription(name: "m_recorded", eventName: "recorded", columns: [0, 2, first, first + 1])]),
      table(2, "iot", "s", [column(16, "series", .text), column(17, "city", .text)], rows: 50),
      table(
        3, "shop", "o",
        [column(16, "amount", .numeric), column(17, "n", .int8), column(18, "code", .varchar(8)), column(19, "tags", .array(.text))],
        rows: 10_000),
    ]
  }()

  static let catalog = DatabaseCatalog(tables: tables)

  /// 2020-01-01 00:00:00 UTC.
  static let context = FunctionContext(
    transactionMicros: 1_577_836_800_000_000, statementMicros: 1_577_836_800_000_000,
    session: PlannerSession(catalog: catalog))

  static let planner = Planner(catalog: catalog, settings: PlannerSettings(context: context))

  static func query(_ sql: String) throws -> SelectStatement {
    guard case .select(let query)? = try SQLParser.parse(sql).first?.kind else {
      throw Fault(.syntaxError, "not a query: \(sql)")
    }
    return query
  }

  static func plan(_ sql: String, _ types: [DataType?] = []) throws -> PlannedQuery {
    try planner.plan(try query(sql), parameterTypes: types)
  }

  static func text(_ sql: String) throws -> String {
    PlanText(planner).lines(try plan(sql)).joined(separator: "\n")
  }

  static func fault(_ sql: String) -> Fault? {
    do {
      _ = try plan(sql)
      return nil
    } catch {
      return error as? Fault
    }
  }
}
