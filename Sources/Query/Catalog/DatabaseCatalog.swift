// The catalog as one statement sees it: the tables of storage, their event views, the server's computed relations, and
// PostgreSQL's own catalogs.
//
// Made per statement and cheap to make: it keeps the list of tables; names are looked up in it, and rows of pg_catalog
// are built only when a statement scans them.
//
// Search path: `pg_catalog` is searched first unless the path names it; `$user` is the schema of the session's user,
// where there is one; `$domains` stands for every schema of event tables, in order of their names, then `cramped`.

import EventSchema
package import Plan
package import StorageContract
import Synchronization

package final class DatabaseCatalog: CatalogReader, Sendable {
  /// The element of a search path that stands for all domains.
  package static let domainsPathElement = "$domains"

  /// In order of their ids.
  let tables: [TableDescription]
  let server: ServerCatalog
  /// Schemas that CREATE SCHEMA made.
  let schemas: [ReferenceSchema]
  private let userRelationCache = Mutex<UserRelations?>(nil)

  /// - Parameter tables: what `StorageReader.tables()` says now.
  package init(
    tables: [TableDescription], server: ServerCatalog = ServerCatalog(), schemas: [ReferenceSchema] = []
  ) {
    self.schemas = schemas
    self.tables = tables.sorted { $0.id.raw < $1.id.raw }
    self.server = server
  }

  /// The same catalog with more schemas and tables in it, as one session sees it.
  package func adding(schemas: [ReferenceSchema], tables: [TableDescription]) -> DatabaseCatalog {
    DatabaseCatalog(tables: self.tables + tables, server: server, schemas: self.schemas + schemas)
  }

  /// The schema of a session's temporary tables.
  package static let temporarySchema = "pg_temp"

  // MARK: Look-up by name

  package func relation(schema: String?, name: String, searchPath: [String]) -> Relation? {
    if let schema { return relation(in: schema, name) }
    if let found = relation(in: Self.temporarySchema, name) { return found }
    if !searchPath.contains("pg_catalog"), let found = relation(in: "pg_catalog", name) { return found }
    for schema in expanded(searchPath) {
      if let found = relation(in: schema, name) { return found }
    }
    return nil
  }

  package func schemaExists(_ name: String) -> Bool { namespaceOID(name) != nil }

  /// The schemas of a search path that exist, `$domains` and `pg_catalog` resolved.
  package func expanded(_ searchPath: [String], userName: String? = nil) -> [String] {
    var result: [String] = []
    for element in searchPath {
      switch element {
      case "$user":
        if let userName, schemaExists(userName) { result.append(userName) }
      case Self.domainsPathElement:
        for schema in domains where !result.contains(schema) { result.append(schema) }
      default:
        if schemaExists(element) && !result.contains(element) { result.append(element) }
      }
    }
    return result
  }

  /// Schemas of tables by name; `cramped` comes last.
  var domains: [String] {
    let found = Set(tables.filter(\.isEventTable).map(\.schema)).sorted()
    return found + [ServerCatalog.schema]
  }

  private func relation(in schema: String, _ name: String) -> Relation? {
    if schema == "pg_catalog" || schema == "information_schema" {
      return SystemRelation.find(schema: schema, name: name).map { systemRelation($0) }
    }
    for table in tables where table.schema == schema {
      if table.name == name { return Self.relation(of: table) }
      if let index = table.views.firstIndex(where: { $0.name == name }) {
        return Self.viewOIDs(of: table)[index].map { Self.relation(of: table, view: index, oid: $0) }
      }
    }
    if schema == ServerCatalog.schema, let index = server.relations.firstIndex(where: { $0.name == name }) {
      return serverRelation(index)
    }
    return nil
  }

  // MARK: Relations

  private func systemRelation(_ system: SystemRelation) -> Relation {
    let columns = system.columns.enumerated().map { index, column in
      RelationColumn(
        name: column.name, type: column.type, isNullable: column.isNullable, isHidden: false, sourceIndex: index,
        attributeNumber: Int16(index + 1))
    }
    let hidden = RelationColumn(
      name: SystemRelationScan.hiddenColumn.name, type: SystemRelationScan.hiddenColumn.type, isNullable: false,
      isHidden: true, sourceIndex: columns.count, attributeNumber: 0)
    return Relation(
      oid: system.oid, schema: system.schema, name: system.name, columns: columns + [hidden],
      source: .virtual(SystemRelationScan(relation: system, catalog: self)), estimatedRows: 1_000)
  }

  private func serverRelation(_ index: Int) -> Relation? {
    guard let oid = server.oids[index] else { return nil }
    let entry = server.relations[index]
    let columns = entry.relation.columns.enumerated().map { position, column in
      RelationColumn(
        name: column.name, type: column.type, isNullable: true, isHidden: false, sourceIndex: position,
        attributeNumber: Int16(position + 1))
    }
    return Relation(
      oid: oid, schema: ServerCatalog.schema, name: entry.name, columns: columns, source: .virtual(entry.relation),
      estimatedRows: entry.estimatedRows)
  }

  private static func relation(of table: TableDescription) -> Relation {
    Relation(
      oid: CatalogOIDs.block(of: table.id), schema: table.schema, name: table.name,
      columns: columns(table, Array(table.columns.indices)), source: .table(table), estimatedRows: table.estimatedRows)
  }

  private static func relation(of table: TableDescription, view index: Int, oid: UInt32) -> Relation {
    let view = table.views[index]
    return Relation(
      oid: oid, schema: table.schema, name: view.name, columns: columns(table, view.columns),
      source: .eventView(table, view), estimatedRows: max(1, table.estimatedRows / Int64(table.views.count)))
  }

  /// Numbers the visible columns from 1.
  private static func columns(_ table: TableDescription, _ indices: [Int]) -> [RelationColumn] {
    var number: Int16 = 0
    return indices.map { index in
      let column = table.columns[index]
      if !column.isHidden { number += 1 }
      return RelationColumn(
        name: column.name, type: column.type, isNullable: column.isNullable, isHidden: column.isHidden,
        sourceIndex: index, attributeNumber: column.isHidden ? 0 : number)
    }
  }

  private static func viewOIDs(of table: TableDescription) -> [UInt32?] {
    let first = CatalogOIDs.block(of: table.id) + 1
    return CatalogOIDs.slots(for: table.views.map(\.name), slots: CatalogOIDs.rowTypeOffset - 1).map {
      $0.map { first + $0 }
    }
  }

  // MARK: Everything at once, for the rows of the catalogs

  /// Every relation that is not built in; made on first use.
  var userRelations: UserRelations {
    userRelationCache.withLock { cache in
      if let cache { return cache }
      let made = UserRelations(allUserRelations())
      cache = made
      return made
    }
  }

  private func allUserRelations() -> [UserRelation] {
    var found: [UserRelation] = []
    let schemas = schemaOIDs
    for table in tables {
      guard let schema = schemas[table.schema] else { continue }
      let relation = Self.relation(of: table)
      found.append(
        UserRelation(
          relation, kind: table.storedView != nil ? "v" : table.foreign == nil ? "r" : "f", schemaOID: schema,
          definition: table.storedView.map { " \($0.query);" }, foreign: table.foreign))
      for (index, oid) in Self.viewOIDs(of: table).enumerated() {
        guard let oid else { continue }
        let view = Self.relation(of: table, view: index, oid: oid)
        let text = ViewDefinition.text(of: table.views[index], in: table)
        found.append(UserRelation(view, kind: "v", schemaOID: schema, definition: text))
      }
    }
    for index in server.relations.indices {
      guard let relation = serverRelation(index) else { continue }
      found.append(UserRelation(relation, kind: "v", schemaOID: CatalogOIDs.crampedSchema, definition: nil))
    }
    return found
  }

  /// Schemas that may hold relations of ours.
  var schemaOIDs: [String: UInt32] {
    var found = [ServerCatalog.schema: CatalogOIDs.crampedSchema, "public": CatalogOIDs.publicSchema]
    for schema in schemas { found[schema.name] = CatalogOIDs.block(of: schema.id) + CatalogOIDs.schemaOffset }
    for table in tables where found[table.schema] == nil {
      found[table.schema] = CatalogOIDs.block(of: table.id) + CatalogOIDs.schemaOffset
    }
    return found
  }
}

/// A relation that is not built in, with what pg_class says about it.
struct UserRelation: Sendable {
  let oid: UInt32
  let rowTypeOID: UInt32
  let schema: String
  let schemaOID: UInt32
  let name: String
  let kind: String
  /// Without the hidden ones.
  let columns: [RelationColumn]
  let estimatedRows: Int64
  /// Of an event view.
  let definition: String?
  /// Of a foreign table.
  let foreign: ForeignTableDefinition?

  init(
    _ relation: Relation, kind: String, schemaOID: UInt32, definition: String?, foreign: ForeignTableDefinition? = nil
  ) {
    self.foreign = foreign
    oid = relation.oid
    rowTypeOID =
      relation.oid < CatalogOIDs.firstTable
      ? relation.oid + CatalogOIDs.serverRelationsMax : relation.oid + CatalogOIDs.rowTypeOffset
    schema = relation.schema
    self.schemaOID = schemaOID
    name = relation.name
    self.kind = kind
    columns = relation.columns.filter { !$0.isHidden }
    estimatedRows = relation.estimatedRows
    self.definition = definition
  }
}

/// All of them, with the indexes that visibility checks of whole catalogs need.
struct UserRelations: Sendable {
  let all: [UserRelation]
  private let byOID: [UInt32: Int]
  private let schemasByName: [String: [String]]

  init(_ relations: [UserRelation]) {
    all = relations
    byOID = Dictionary(relations.enumerated().map { ($1.oid, $0) }, uniquingKeysWith: { first, _ in first })
    schemasByName = Dictionary(grouping: relations, by: \.name).mapValues { $0.map(\.schema) }
  }

  func find(oid: UInt32) -> UserRelation? { byOID[oid].map { all[$0] } }
  /// The schemas that have a relation of that name.
  func schemas(with name: String) -> [String] { schemasByName[name] ?? [] }
}
