// A small catalog with a column of every type, for the fuzzers of SQL.

import Bedrock
import Catalog
import Columnar
import EventSchema
import Functions
import StorageContract

struct ExerciseSession: SessionValues {
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

enum ExerciseCatalog {
  static let types: [(name: String, type: DataType)] = [
    ("flag", .boolean), ("small", .int2), ("n", .int4), ("big", .int8), ("real", .float4), ("value", .float8),
    ("amount", .numeric(nil)), ("series", .text), ("code", .varchar(8)), ("raw", .bytea), ("day", .date), ("at", .time),
    ("seen", .timestamp), ("came", .timestamptz), ("span", .interval), ("id", .uuid), ("doc", .jsonb),
    ("tags", .array(.text)), ("counts", .array(.int4)),
  ]

  static let tables: [TableDescription] = {
    func table(_ id: UInt32, _ schema: String, _ name: String, rows: Int64, views: [EventViewDescription]) -> TableDescription {
      let content = types.enumerated().map { index, column in
        TableColumn(fieldID: 16 + Int32(index), name: column.name, type: column.type, isNullable: true)
      }
      return TableDescription(
        id: TableID(raw: id), schema: schema, name: name, columns: SystemColumn.columns + content, views: views,
        estimatedRows: rows)
    }
    let seen = [0, 2] + Array(SystemColumn.count..<(SystemColumn.count + types.count))
    return [
      table(1, "iot", "m", rows: 1_000_000, views: [EventViewDescription(name: "m_made", eventName: "made", columns: seen)]),
      table(2, "iot", "s", rows: 50, views: []), table(3, "shop", "o", rows: 10_000, views: []),
    ]
  }()

  static let catalog = DatabaseCatalog(tables: tables)

  /// 2020-01-01 00:00 UTC.
  static let context = FunctionContext(
    transactionMicros: 1_577_836_800_000_000, statementMicros: 1_577_836_800_000_000,
    session: ExerciseSession(catalog: catalog))
}
