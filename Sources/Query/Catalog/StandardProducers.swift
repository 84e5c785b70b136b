// Rows of information_schema (SQL standard part 11, with PostgreSQL 15's columns).

import Columnar
import Functions
import Plan

extension RowProducers {
  private static let standard = "information_schema"

  static func catalogName(_ context: FunctionContext) -> [Chunk] {
    var rows = blank("information_schema_catalog_name", count: 1, schema: standard)
    rows.set("catalog_name", text: context.session.databaseName)
    return rows.chunks()
  }

  static func schemata(_ catalog: DatabaseCatalog, _ context: FunctionContext) -> [Chunk] {
    let names = catalog.namespaces.map(\.name)
    var rows = blank("schemata", count: names.count, schema: standard)
    rows.set("catalog_name", text: context.session.databaseName)
    rows.set("schema_name", texts: names)
    rows.set("schema_owner", text: ownerName(catalog, context))
    return rows.chunks()
  }

  /// Schema and name of every relation, PostgreSQL's own too, as a superuser sees them.
  private struct RelationName {
    let schema: String
    let name: String
    let kind: String
    let definition: String?
  }

  private static let builtinNames = SystemRelation.all.map {
    RelationName(schema: $0.schema, name: $0.name, kind: $0.kind, definition: nil)
  }

  private static func relationNames(_ catalog: DatabaseCatalog) -> [RelationName] {
    builtinNames
      + catalog.userRelations.all.map {
        RelationName(schema: $0.schema, name: $0.name, kind: $0.kind, definition: $0.definition)
      }
  }

  static func standardTables(_ catalog: DatabaseCatalog, _ context: FunctionContext) -> [Chunk] {
    let names = relationNames(catalog)
    var rows = blank("tables", count: names.count, schema: standard)
    rows.set("table_catalog", text: context.session.databaseName)
    rows.set("table_schema", texts: names.map(\.schema))
    rows.set("table_name", texts: names.map(\.name))
    rows.set("table_type", texts: names.map { $0.kind == "r" ? "BASE TABLE" : $0.kind == "f" ? "FOREIGN" : "VIEW" })
    rows.set("is_insertable_into", text: "NO")
    rows.set("is_typed", text: "NO")
    return rows.chunks()
  }

  static func standardViews(_ catalog: DatabaseCatalog, _ context: FunctionContext) -> [Chunk] {
    let names = relationNames(catalog).filter { $0.kind == "v" }
    var rows = blank("views", count: names.count, schema: standard)
    rows.set("table_catalog", text: context.session.databaseName)
    rows.set("table_schema", texts: names.map(\.schema))
    rows.set("table_name", texts: names.map(\.name))
    rows.set("view_definition", optionalTexts: names.map(\.definition))
    rows.set("check_option", text: "NONE")
    let flags = [
      "is_updatable", "is_insertable_into", "is_trigger_updatable", "is_trigger_deletable", "is_trigger_insertable_into",
    ]
    for flag in flags { rows.set(flag, text: "NO") }
    return rows.chunks()
  }

  // MARK: columns

  private struct StandardColumn {
    let schema: String
    let table: String
    let name: String
    let position: Int64
    let isNullable: Bool
    let type: DataType
    let typeName: String
  }

  private static let builtinColumns = columnRows(
    SystemRelation.all.flatMap { relation in
      relation.columns.enumerated().map { index, column in
        StandardColumn(
          schema: relation.schema, table: relation.name, name: column.name, position: Int64(index + 1),
          isNullable: column.isNullable, type: column.type, typeName: TypeCatalog.typeName(of: column.type))
      }
    })

  static func standardColumns(_ catalog: DatabaseCatalog, _ context: FunctionContext) -> [Chunk] {
    let own = columnRows(
      catalog.userRelations.all.flatMap { relation in
        relation.columns.map { column in
          StandardColumn(
            schema: relation.schema, table: relation.name, name: column.name, position: Int64(column.attributeNumber),
            isNullable: column.isNullable || relation.kind == "v", type: column.type,
            typeName: TypeCatalog.typeName(of: column.type))
        }
      })
    return [builtinColumns, own].flatMap { part in
      var rows = part
      for column in ["table_catalog", "udt_catalog"] { rows.set(column, text: context.session.databaseName) }
      return rows.chunks()
    }
  }

  private static func columnRows(_ columns: [StandardColumn]) -> RelationRows {
    var rows = blank("columns", count: columns.count, schema: standard)
    rows.set("table_schema", texts: columns.map(\.schema))
    rows.set("table_name", texts: columns.map(\.table))
    rows.set("column_name", texts: columns.map(\.name))
    rows.set("ordinal_position", integers: columns.map(\.position))
    rows.set("is_nullable", texts: columns.map { $0.isNullable ? "YES" : "NO" })
    rows.set("data_type", texts: columns.map { TypeCatalog.standardName(of: $0.type) })
    let measures = columns.map { TypeMeasures($0.type) }
    rows.set("character_maximum_length", optionalIntegers: measures.map(\.characters))
    rows.set("character_octet_length", optionalIntegers: measures.map(\.octets))
    rows.set("numeric_precision", optionalIntegers: measures.map(\.precision))
    rows.set("numeric_precision_radix", optionalIntegers: measures.map(\.radix))
    rows.set("numeric_scale", optionalIntegers: measures.map(\.scale))
    rows.set("datetime_precision", optionalIntegers: measures.map(\.datetime))
    rows.set("udt_schema", text: "pg_catalog")
    rows.set("udt_name", texts: columns.map(\.typeName))
    rows.set("dtd_identifier", texts: columns.map { String($0.position) })
    rows.set("is_self_referencing", text: "NO")
    rows.set("is_identity", text: "NO")
    rows.set("identity_cycle", text: "NO")
    rows.set("is_generated", text: "NEVER")
    rows.set("is_updatable", text: "NO")
    return rows
  }

  /// Lengths and precisions as information_schema.columns shows them.
  private struct TypeMeasures {
    var characters: Int64?
    var octets: Int64?
    var precision: Int64?
    var radix: Int64?
    var scale: Int64?
    var datetime: Int64?

    init(_ type: DataType) {
      switch type {
      case .text: octets = 1 << 30
      case .varchar(let length), .bpchar(let length):
        characters = length.map { Int64($0) }
        octets = length.map { Int64($0) * 4 } ?? 1 << 30
      case .int2: (precision, radix, scale) = (16, 2, 0)
      case .int4: (precision, radix, scale) = (32, 2, 0)
      case .int8: (precision, radix, scale) = (64, 2, 0)
      case .float4: (precision, radix) = (24, 2)
      case .float8: (precision, radix) = (53, 2)
      case .numeric(let modifier):
        radix = 10
        precision = modifier.map { Int64($0.precision) }
        scale = modifier.map { Int64($0.scale) }
      case .date: datetime = 0
      case .time, .timestamp, .timestamptz, .interval: datetime = 6
      default: break
      }
    }
  }

  // MARK: Privileges

  static func tablePrivileges(_ catalog: DatabaseCatalog, _ context: FunctionContext, _ name: String) -> [Chunk] {
    let relations = catalog.userRelations.all
    let owner = ownerName(catalog, context)
    var rows = blank(name, count: relations.count, schema: standard)
    rows.set("grantor", text: owner)
    rows.set("grantee", text: owner)
    rows.set("table_catalog", text: context.session.databaseName)
    rows.set("table_schema", texts: relations.map(\.schema))
    rows.set("table_name", texts: relations.map(\.name))
    rows.set("privilege_type", text: "SELECT")
    rows.set("is_grantable", text: "YES")
    rows.set("with_hierarchy", text: "YES")
    return rows.chunks()
  }

  static func columnPrivileges(_ catalog: DatabaseCatalog, _ context: FunctionContext) -> [Chunk] {
    let columns = catalog.userRelations.all.flatMap { relation in
      relation.columns.map { (relation.schema, relation.name, $0.name) }
    }
    let owner = ownerName(catalog, context)
    var rows = blank("column_privileges", count: columns.count, schema: standard)
    rows.set("grantor", text: owner)
    rows.set("grantee", text: owner)
    rows.set("table_catalog", text: context.session.databaseName)
    rows.set("table_schema", texts: columns.map(\.0))
    rows.set("table_name", texts: columns.map(\.1))
    rows.set("column_name", texts: columns.map(\.2))
    rows.set("privilege_type", text: "SELECT")
    rows.set("is_grantable", text: "YES")
    return rows.chunks()
  }

  static func enabledRoles(_ catalog: DatabaseCatalog, _ context: FunctionContext) -> [Chunk] {
    let roles = roleList(catalog, context)
    var rows = blank("enabled_roles", count: roles.count, schema: standard)
    rows.set("role_name", texts: roles.map(\.name))
    return rows.chunks()
  }
}
