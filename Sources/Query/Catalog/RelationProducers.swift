// Rows about relations and their columns: pg_class, pg_attribute, pg_namespace, pg_tables, pg_views.

import Columnar
import Functions
import Plan

extension RowProducers {
  // MARK: pg_class

  /// pg_catalog and information_schema themselves.
  static let builtinClasses: [Chunk] = {
    let relations = SystemRelation.all
    var rows = blank("pg_class", count: relations.count)
    rows.set("oid", oids: relations.map(\.oid))
    rows.set("relname", texts: relations.map(\.name))
    rows.set("relnamespace", oids: relations.map { builtinNamespace($0.schema) })
    rows.set("reltype", oids: relations.map(\.rowTypeOID))
    rows.set("relam", integers: relations.map { $0.kind == "r" ? 2 : 0 })
    rows.set("relkind", texts: relations.map(\.kind))
    rows.set("relnatts", integers: relations.map { Int64($0.columns.count) })
    rows.set("reltuples", .float(-1))
    setCommonClassColumns(&rows)
    return rows.chunks()
  }()

  static func classes(_ catalog: DatabaseCatalog) -> [Chunk] {
    let relations = catalog.userRelations.all
    var rows = blank("pg_class", count: relations.count)
    rows.set("oid", oids: relations.map(\.oid))
    rows.set("relname", texts: relations.map(\.name))
    rows.set("relnamespace", oids: relations.map(\.schemaOID))
    rows.set("reltype", oids: relations.map(\.rowTypeOID))
    rows.set("relam", integers: relations.map { $0.kind == "r" ? 2 : 0 })
    rows.set("relkind", texts: relations.map(\.kind))
    rows.set("relnatts", integers: relations.map { Int64($0.columns.count) })
    rows.set("reltuples", scalars: relations.map { .float(Double($0.estimatedRows)) })
    rows.set("relpages", integers: relations.map { min(($0.estimatedRows + 99) / 100, Int64(Int32.max)) })
    rows.set("relhasrules", booleans: relations.map { $0.kind == "v" })
    setCommonClassColumns(&rows)
    return rows.chunks()
  }

  private static func setCommonClassColumns(_ rows: inout RelationRows) {
    rows.set("relowner", integer: CatalogOIDs.owner)
    rows.set("relpersistence", text: "p")
    rows.set("relispopulated", boolean: true)
    rows.set("relreplident", text: "d")
  }

  static func builtinNamespace(_ schema: String) -> UInt32 {
    schema == "pg_catalog" ? CatalogOIDs.pgCatalog : DatabaseCatalog.informationSchemaOID
  }

  // MARK: pg_attribute

  /// One column of one relation.
  private struct Attribute {
    let relation: UInt32
    let number: Int64
    let name: String
    let typeOID: UInt32
    let modifier: Int64
    let isNotNull: Bool
    let dimensions: Int64
  }

  static let builtinAttributes: [Chunk] = attributeRows(
    SystemRelation.all.flatMap { relation in
      relation.columns.enumerated().map { index, column in
        Attribute(
          relation: relation.oid, number: Int64(index + 1), name: column.name,
          typeOID: TypeCatalog.oid(named: column.typeName), modifier: -1, isNotNull: !column.isNullable,
          dimensions: column.typeName.hasPrefix("_") && relation.kind == "r" ? 1 : 0)
      }
    })

  static func attributes(_ catalog: DatabaseCatalog) -> [Chunk] {
    attributeRows(
      catalog.userRelations.all.flatMap { relation in
        relation.columns.map { column in
          Attribute(
            relation: relation.oid, number: Int64(column.attributeNumber), name: column.name,
            typeOID: column.type.oid, modifier: Int64(column.type.typeModifier),
            isNotNull: !column.isNullable && relation.kind != "v", dimensions: column.type.element == nil ? 0 : 1)
        }
      })
  }

  private static func attributeRows(_ attributes: [Attribute]) -> [Chunk] {
    var rows = blank("pg_attribute", count: attributes.count)
    let types = attributes.map { TypeCatalog.properties[$0.typeOID] }
    rows.set("attrelid", oids: attributes.map(\.relation))
    rows.set("attname", texts: attributes.map(\.name))
    rows.set("atttypid", oids: attributes.map(\.typeOID))
    rows.set("attstattarget", integer: -1)
    rows.set("attlen", integers: types.map { $0?.length ?? -1 })
    rows.set("attnum", integers: attributes.map(\.number))
    rows.set("attndims", integers: attributes.map(\.dimensions))
    rows.set("attcacheoff", integer: -1)
    rows.set("atttypmod", integers: attributes.map(\.modifier))
    rows.set("attbyval", booleans: types.map { $0?.isByValue ?? false })
    rows.set("attalign", texts: types.map { $0?.alignment ?? "i" })
    rows.set("attstorage", texts: types.map { $0?.storage ?? "x" })
    rows.set("attnotnull", booleans: attributes.map(\.isNotNull))
    rows.set("attislocal", boolean: true)
    rows.set("attcollation", integers: types.map { $0?.collation ?? 0 })
    return rows.chunks()
  }

  // MARK: pg_namespace, pg_tables, pg_views, pg_stat_user_tables

  static func namespaces(_ catalog: DatabaseCatalog) -> [Chunk] {
    let namespaces = catalog.namespaces
    var rows = blank("pg_namespace", count: namespaces.count)
    rows.set("oid", oids: namespaces.map(\.oid))
    rows.set("nspname", texts: namespaces.map(\.name))
    rows.set("nspowner", integer: CatalogOIDs.owner)
    return rows.chunks()
  }

  static func tables(_ catalog: DatabaseCatalog, _ context: FunctionContext) -> [Chunk] {
    let names = relationNames(catalog, kind: "r")
    var rows = blank("pg_tables", count: names.count)
    rows.set("schemaname", texts: names.map(\.schema))
    rows.set("tablename", texts: names.map(\.name))
    rows.set("tableowner", text: ownerName(catalog, context))
    for column in ["hasindexes", "hasrules", "hastriggers", "rowsecurity"] { rows.set(column, boolean: false) }
    return rows.chunks()
  }

  static func views(_ catalog: DatabaseCatalog, _ context: FunctionContext) -> [Chunk] {
    let names = relationNames(catalog, kind: "v")
    var rows = blank("pg_views", count: names.count)
    rows.set("schemaname", texts: names.map(\.schema))
    rows.set("viewname", texts: names.map(\.name))
    rows.set("viewowner", text: ownerName(catalog, context))
    rows.set("definition", optionalTexts: names.map(\.definition))
    return rows.chunks()
  }

  private static func relationNames(
    _ catalog: DatabaseCatalog, kind: String
  ) -> [(schema: String, name: String, definition: String?)] {
    SystemRelation.all.filter { $0.kind == kind }.map { ($0.schema, $0.name, nil) }
      + catalog.userRelations.all.filter { $0.kind == kind }.map { ($0.schema, $0.name, $0.definition) }
  }

  static func userTableStatistics(_ catalog: DatabaseCatalog, _ name: String) -> [Chunk] {
    let relations = catalog.userRelations.all.filter { $0.kind == "r" }
    var rows = blank(name, count: relations.count)
    rows.set("relid", oids: relations.map(\.oid))
    rows.set("schemaname", texts: relations.map(\.schema))
    rows.set("relname", texts: relations.map(\.name))
    rows.set("n_live_tup", integers: relations.map(\.estimatedRows))
    return rows.chunks()
  }
}
