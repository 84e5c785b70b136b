// A catalog of two domains, and a session of it.

import Bedrock
import Catalog
import Columnar
import EventSchema
import Functions
import Plan
import StorageContract

struct TestSession: SessionValues {
  let catalog: DatabaseCatalog
  var userName: String { "ada" }
  var databaseName: String { "lake" }
  var searchPath: [String] { ["$user", "public", "$domains"] }
  var backendPID: Int32 { 42 }
  var serverVersion: String { "15.20" }
  func setting(_ name: String) -> String? { name == "DateStyle" ? "ISO, MDY" : name == "work_mem" ? "4MB" : nil }
  func relationOID(_ name: String) -> UInt32? { catalog.relationOID(name, searchPath: searchPath) }
  func relationName(oid: UInt32) -> String? { catalog.relationName(oid: oid, searchPath: searchPath) }
  func namespaceOID(_ name: String) -> UInt32? { catalog.namespaceOID(name) }
  func namespaceName(oid: UInt32) -> String? { catalog.namespaceName(oid: oid) }
  func isRelationVisible(oid: UInt32) -> Bool { catalog.isRelationVisible(oid: oid, searchPath: searchPath) }
}

func column(_ id: Int32, _ name: String, _ type: DataType) -> TableColumn {
  TableColumn(fieldID: id, name: name, type: type, isNullable: true)
}

func table(
  _ id: UInt32, _ schema: String, _ name: String, _ columns: [TableColumn], views: [(String, String, [Int])] = []
) -> TableDescription {
  TableDescription(
    id: TableID(raw: id), schema: schema, name: name, columns: SystemColumn.columns + columns,
    views: views.map { EventViewDescription(name: $0.0, eventName: $0.1, columns: $0.2) }, estimatedRows: 1_000)
}

let identity = table(
  3, "user", "identity", [column(16, "user_id", .text), column(17, "age", .int4)],
  views: [("identity_created", "created", [0, 1, 2, 7]), ("identity_deleted", "deleted", [0, 1, 2, 8])])
let order = table(
  1, "shop", "order", [column(16, "amount", .numeric(.init(precision: 12, scale: 2))), column(17, "code", .varchar(40))])
let userIdentityInShop = table(7, "zoo", "identity", [])

struct JobsRelation: VirtualRelation {
  var columns: [(name: String, type: DataType)] { [("id", .int8), ("state", .text)] }
  func rows(context: FunctionContext) throws(Fault) -> [Chunk] {
    [
      Chunk(
        columns: [ColumnBuilder.column(.int8, [.integer(1)]), ColumnBuilder.column(.text, [.text("running")])], rowCount: 1)
    ]
  }
}

func makeCatalog(_ tables: [TableDescription] = [identity, order, userIdentityInShop]) -> DatabaseCatalog {
  DatabaseCatalog(
    tables: tables, server: ServerCatalog(relations: [.init(name: "jobs", relation: JobsRelation())]))
}

/// Rows of a relation as dictionaries from column names to values.
func rows(_ schema: String, _ name: String, _ catalog: DatabaseCatalog = makeCatalog()) throws -> [[String: Scalar]] {
  guard let relation = catalog.relation(schema: schema, name: name, searchPath: []),
    case .virtual(let virtual) = relation.source
  else { return [] }
  let session = TestSession(catalog: catalog)
  let context = FunctionContext(transactionMicros: 0, statementMicros: 0, session: session)
  let names = virtual.columns.map(\.name)
  return try virtual.rows(context: context).flatMap { chunk in
    (0..<chunk.rowCount).map { row in
      Dictionary(uniqueKeysWithValues: zip(names, chunk.columns.map { $0.scalar(at: row) }))
    }
  }
}
