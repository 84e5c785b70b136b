// Rows about foreign tables: the two wrappers with one server each, which are always there, and the tables.

import Columnar
import Functions
import Plan
import StorageContract

extension RowProducers {
  private static let standard = "information_schema"

  private struct Server {
    let name: String
    let wrapper: UInt32
    let oid: UInt32
  }

  private static let servers: [Server] = ForeignTableDefinition.Server.allCases.enumerated().map { index, server in
    Server(
      name: server.rawValue, wrapper: CatalogOIDs.firstForeignWrapper + UInt32(index),
      oid: CatalogOIDs.firstForeignServer + UInt32(index))
  }

  private static func foreignTables(_ catalog: DatabaseCatalog) -> [(relation: UserRelation, foreign: ForeignTableDefinition)] {
    catalog.userRelations.all.compactMap { relation in relation.foreign.map { (relation, $0) } }
  }

  private static func options(_ foreign: ForeignTableDefinition) -> Scalar {
    .list(foreign.options.map { .text("\($0.name)=\($0.value)") })
  }

  // MARK: pg_catalog

  static func foreignWrappers() -> [Chunk] {
    var rows = blank("pg_foreign_data_wrapper", count: servers.count)
    rows.set("oid", oids: servers.map(\.wrapper))
    rows.set("fdwname", texts: servers.map(\.name))
    rows.set("fdwowner", integer: CatalogOIDs.owner)
    return rows.chunks()
  }

  static func foreignServers() -> [Chunk] {
    var rows = blank("pg_foreign_server", count: servers.count)
    rows.set("oid", oids: servers.map(\.oid))
    rows.set("srvname", texts: servers.map(\.name))
    rows.set("srvowner", integer: CatalogOIDs.owner)
    rows.set("srvfdw", oids: servers.map(\.wrapper))
    return rows.chunks()
  }

  static func foreignTableRows(_ catalog: DatabaseCatalog) -> [Chunk] {
    let tables = foreignTables(catalog)
    var rows = blank("pg_foreign_table", count: tables.count)
    rows.set("ftrelid", oids: tables.map(\.relation.oid))
    rows.set(
      "ftserver",
      oids: tables.map { table in servers.first { $0.name == table.foreign.server.rawValue }?.oid ?? 0 })
    rows.set("ftoptions", scalars: tables.map { options($0.foreign) })
    return rows.chunks()
  }

  // MARK: information_schema

  static func standardForeignTables(_ catalog: DatabaseCatalog, _ context: FunctionContext) -> [Chunk] {
    let tables = foreignTables(catalog)
    var rows = blank("foreign_tables", count: tables.count, schema: standard)
    for column in ["foreign_table_catalog", "foreign_server_catalog"] {
      rows.set(column, text: context.session.databaseName)
    }
    rows.set("foreign_table_schema", texts: tables.map(\.foreign.schema))
    rows.set("foreign_table_name", texts: tables.map(\.foreign.name))
    rows.set("foreign_server_name", texts: tables.map(\.foreign.server.rawValue))
    return rows.chunks()
  }

  static func standardForeignTableOptions(_ catalog: DatabaseCatalog, _ context: FunctionContext) -> [Chunk] {
    let options = foreignTables(catalog).flatMap { table in table.foreign.options.map { (table.foreign, $0) } }
    var rows = blank("foreign_table_options", count: options.count, schema: standard)
    rows.set("foreign_table_catalog", text: context.session.databaseName)
    rows.set("foreign_table_schema", texts: options.map(\.0.schema))
    rows.set("foreign_table_name", texts: options.map(\.0.name))
    rows.set("option_name", texts: options.map(\.1.name))
    rows.set("option_value", texts: options.map(\.1.value))
    return rows.chunks()
  }

  static func standardForeignServers(_ catalog: DatabaseCatalog, _ context: FunctionContext) -> [Chunk] {
    var rows = blank("foreign_servers", count: servers.count, schema: standard)
    for column in ["foreign_server_catalog", "foreign_data_wrapper_catalog"] {
      rows.set(column, text: context.session.databaseName)
    }
    rows.set("foreign_server_name", texts: servers.map(\.name))
    rows.set("foreign_data_wrapper_name", texts: servers.map(\.name))
    rows.set("authorization_identifier", text: ownerName(catalog, context))
    return rows.chunks()
  }

  static func standardForeignWrappers(_ catalog: DatabaseCatalog, _ context: FunctionContext) -> [Chunk] {
    var rows = blank("foreign_data_wrappers", count: servers.count, schema: standard)
    rows.set("foreign_data_wrapper_catalog", text: context.session.databaseName)
    rows.set("foreign_data_wrapper_name", texts: servers.map(\.name))
    rows.set("authorization_identifier", text: ownerName(catalog, context))
    rows.set("foreign_data_wrapper_language", text: "c")
    return rows.chunks()
  }
}
