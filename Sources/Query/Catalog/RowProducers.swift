// Which relations of pg_catalog and information_schema have rows, and who makes them. The others are empty.
//
// What never changes is built once, on first use; what depends on the statement's catalog or session is built per scan.

import Columnar
import Functions

enum RowProducers {
  typealias Producer = @Sendable (DatabaseCatalog, FunctionContext) -> [Chunk]

  static let all: [String: Producer] = [
    // relations and columns
    "pg_catalog.pg_class": { catalog, _ in builtinClasses + classes(catalog) },
    "pg_catalog.pg_attribute": { catalog, _ in builtinAttributes + attributes(catalog) },
    "pg_catalog.pg_namespace": { catalog, _ in namespaces(catalog) },
    "pg_catalog.pg_tables": { catalog, context in tables(catalog, context) },
    "pg_catalog.pg_views": { catalog, context in views(catalog, context) },
    "pg_catalog.pg_stat_user_tables": { catalog, _ in userTableStatistics(catalog, "pg_stat_user_tables") },
    "pg_catalog.pg_stat_all_tables": { catalog, _ in userTableStatistics(catalog, "pg_stat_all_tables") },
    "pg_catalog.pg_foreign_data_wrapper": { _, _ in foreignWrappers() },
    "pg_catalog.pg_foreign_server": { _, _ in foreignServers() },
    "pg_catalog.pg_foreign_table": { catalog, _ in foreignTableRows(catalog) },
    // types, functions, operators
    "pg_catalog.pg_type": { catalog, _ in builtinTypes + rowTypes(catalog) },
    "pg_catalog.pg_range": { _, _ in ranges },
    "pg_catalog.pg_proc": { _, _ in functions },
    "pg_catalog.pg_operator": { _, _ in operators },
    "pg_catalog.pg_cast": { _, _ in casts },
    "pg_catalog.pg_language": { _, _ in languages },
    "pg_catalog.pg_collation": { _, _ in collations },
    "pg_catalog.pg_am": { _, _ in accessMethods },
    // the server and its sessions
    "pg_catalog.pg_database": { _, context in databases(context) },
    "pg_catalog.pg_tablespace": { _, _ in tablespaces },
    "pg_catalog.pg_roles": { catalog, context in roles(catalog, context, "pg_roles", prefix: "rol") },
    "pg_catalog.pg_authid": { catalog, context in roles(catalog, context, "pg_authid", prefix: "rol") },
    "pg_catalog.pg_user": { catalog, context in users(catalog, context, "pg_user") },
    "pg_catalog.pg_shadow": { catalog, context in users(catalog, context, "pg_shadow") },
    "pg_catalog.pg_settings": { _, context in settings(context) },
    "pg_catalog.pg_stat_activity": { catalog, context in activity(catalog, context) },
    "pg_catalog.pg_timezone_names": { _, context in timeZones(context) },
    // information_schema
    "information_schema.information_schema_catalog_name": { _, context in catalogName(context) },
    "information_schema.schemata": { catalog, context in schemata(catalog, context) },
    "information_schema.tables": { catalog, context in standardTables(catalog, context) },
    "information_schema.columns": { catalog, context in standardColumns(catalog, context) },
    "information_schema.views": { catalog, context in standardViews(catalog, context) },
    "information_schema.foreign_tables": { catalog, context in standardForeignTables(catalog, context) },
    "information_schema.foreign_table_options": { catalog, context in standardForeignTableOptions(catalog, context) },
    "information_schema.foreign_servers": { catalog, context in standardForeignServers(catalog, context) },
    "information_schema.foreign_data_wrappers": { catalog, context in standardForeignWrappers(catalog, context) },
    "information_schema.table_privileges": { catalog, context in tablePrivileges(catalog, context, "table_privileges") },
    "information_schema.role_table_grants": { catalog, context in tablePrivileges(catalog, context, "role_table_grants")
    },
    "information_schema.column_privileges": { catalog, context in columnPrivileges(catalog, context) },
    "information_schema.enabled_roles": { catalog, context in enabledRoles(catalog, context) },
  ]

  /// Empty rows of a relation that must exist.
  static func blank(_ name: String, count: Int, schema: String = "pg_catalog") -> RelationRows {
    RelationRows(.required(schema, name), count: count)
  }

  static func staticRows(
    _ text: StaticString, _ name: String, where isKept: ([String?]) -> Bool = { _ in true }
  ) -> RelationRows {
    StaticTable(text).rows(of: .required("pg_catalog", name), where: isKept)
  }
}
