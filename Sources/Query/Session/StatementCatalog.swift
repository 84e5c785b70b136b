// The catalog as one statement plans against it: names of tables, and what must be opened to scan them.
//
//   shop.order                 event table, both tiers; with cramped.as_of set, its lake as of then
//   shop."order@v12"           its lake at Delta version 12
//   shop."order@2026-11-23"    ... as of that time, in the session's time zone
//   shop."order@closing"       ... at the version that was named so
//   public.prices              a foreign table: opened, at its newest version
//
// A source that a statement names twice is opened once; a transaction that sees one snapshot keeps what it opened.

import Bedrock
import Columnar
import EventSchema
import Functions
import Plan
import Planner
import StorageContract
import Synchronization

/// Sources opened by a statement, or by a REPEATABLE READ transaction.
final class OpenedSources: Sendable {
  private let tables = Mutex<[ExternalSource: any ExternalTable]>([:])
  private let references = Mutex<[TableID: any ReferenceTableVersion]>([:])

  func open(
    _ definition: ReferenceTableDefinition, with directory: any ReferenceTables
  ) throws(Fault) -> any ReferenceTableVersion {
    if let known = references.withLock({ $0[definition.id] }) { return known }
    let version = try directory.open(definition)
    return references.withLock { references in
      if let other = references[definition.id] { return other }
      references[definition.id] = version
      return version
    }
  }

  func open(_ source: ExternalSource, with external: any ExternalTables) throws(Fault) -> any ExternalTable {
    if let known = tables.withLock({ $0[source] }) { return known }
    let table = try external.open(source)
    return tables.withLock { tables in
      if let other = tables[source] { return other }
      tables[source] = table
      return table
    }
  }
}

struct StatementCatalog: CatalogReader {
  let base: any CatalogReader
  let external: (any ExternalTables)?
  let opened: OpenedSources
  /// The value of cramped.as_of.
  let asOf: String?
  /// Reads the times in names.
  let context: FunctionContext
  let directory: (any ReferenceTables)?
  /// The session's own versions of plain tables.
  let versions: [TableID: any ReferenceTableVersion]

  func relation(schema: String?, name: String, searchPath: [String]) -> Relation? {
    base.relation(schema: schema, name: name, searchPath: searchPath)
  }

  func schemaExists(_ name: String) -> Bool { base.schemaExists(name) }

  func open(_ source: ExternalSource) throws(Fault) -> any ExternalTable {
    guard let external else { throw Fault.unsupported("reading external tables here") }
    return try opened.open(source, with: external)
  }

  func resolve(schema: String?, name: String, searchPath: [String]) throws(Fault) -> Relation? {
    if let relation = base.relation(schema: schema, name: name, searchPath: searchPath) {
      if let foreign = relation.foreign { return try openedForeign(relation, foreign) }
      if let reference = relation.reference { return try openedReference(relation, reference) }
      guard let asOf, Self.isEventTable(relation), let version = try AsOf.version(asOf, context) else { return relation }
      return try at(version, relation, named: relation.name)
    }
    guard let mark = name.firstIndex(of: "@"),
      let relation = base.relation(schema: schema, name: String(name[..<mark]), searchPath: searchPath)
    else { return nil }
    let version = try version(String(name[name.index(after: mark)...]))
    if let foreign = relation.foreign { return try openedForeign(relation, foreign, at: version, named: name) }
    guard Self.isEventTable(relation) else {
      throw Fault(
        .wrongObjectType, "\"\(relation.schema).\(relation.name)\" has no versions",
        hint: "Event tables and foreign tables of server delta have.")
    }
    return try at(version, relation, named: name)
  }

  // MARK: Versions

  private static func isEventTable(_ relation: Relation) -> Bool {
    switch relation.source {
    case .table(let table), .eventView(let table, _): table.isEventTable
    case .virtual: false
    }
  }

  /// What stands behind the `@` of a name.
  private func version(_ text: String) throws(Fault) -> TableVersion {
    if let digits = text.first == "v" ? text.dropFirst() : nil, !digits.isEmpty, digits.allSatisfy(\.isNumber) {
      guard let number = Int64(digits) else { throw Fault(.numericValueOutOfRange, "version \"\(text)\" is out of range") }
      return .number(number)
    }
    guard let first = text.first else {
      throw Fault(.invalidParameterValue, "a version must follow the \"@\" of a name", hint: Self.forms)
    }
    if first.isNumber { return .asOf(micros: try AsOf.micros(text, context)) }
    return .named(text)
  }

  private static let forms = "Write \"table@v12\", \"table@2026-11-23 10:00\" or \"table@name\"."

  /// The relation over the lake of its table at a version.
  private func at(_ version: TableVersion, _ relation: Relation, named name: String) throws(Fault) -> Relation {
    switch relation.source {
    case .table(let table):
      let described = try lake(table, at: version)
      return Relation(
        oid: relation.oid, schema: relation.schema, name: name, columns: relation.columns,
        source: .table(described), estimatedRows: described.estimatedRows)
    case .eventView(let table, let view):
      let described = try lake(table, at: version)
      return Relation(
        oid: relation.oid, schema: relation.schema, name: name, columns: relation.columns,
        source: .eventView(described, view),
        estimatedRows: max(1, described.estimatedRows / Int64(max(1, table.views.count))))
    case .virtual: throw Fault.bug("a computed relation has no versions")
    }
  }

  private func lake(_ table: TableDescription, at version: TableVersion) throws(Fault) -> TableDescription {
    let opened = try open(ExternalSource(.lake(table.id), version: version))
    return TableDescription(
      id: table.id, schema: table.schema, name: table.name, columns: table.columns, views: table.views,
      estimatedRows: opened.estimatedRows, external: opened)
  }

  // MARK: Plain tables

  private func openedReference(_ relation: Relation, _ definition: ReferenceTableDefinition) throws(Fault) -> Relation {
    let version: any ReferenceTableVersion
    if let own = versions[definition.id] {
      version = own
    } else if let directory {
      version = try opened.open(definition, with: directory)
    } else {
      throw .bug("a table without a directory")
    }
    return Relation(
      oid: relation.oid, schema: relation.schema, name: relation.name, columns: relation.columns,
      source: .table(definition.description(estimatedRows: version.estimatedRows, version: version)),
      estimatedRows: version.estimatedRows)
  }

  // MARK: Foreign tables

  private func openedForeign(
    _ relation: Relation, _ foreign: ForeignTableDefinition, at version: TableVersion = .newest, named name: String? = nil
  ) throws(Fault) -> Relation {
    var source = foreign.source
    if version != .newest {
      guard case .delta = source.place else {
        throw Fault(.wrongObjectType, "Parquet files have no versions", hint: "Delta tables have.")
      }
      source.version = version
    }
    let table = try open(source)
    let indices = try foreign.declaresColumns ? Self.matched(foreign, table) : Array(table.columns.indices)
    let columns = indices.enumerated().map { position, index in
      let column = table.columns[index]
      return RelationColumn(
        name: column.name, type: column.type, isNullable: column.isNullable, isHidden: column.isHidden,
        sourceIndex: index, attributeNumber: Int16(clamping: position + 1))
    }
    let described = TableDescription(
      id: foreign.id, schema: foreign.schema, name: foreign.name, columns: table.columns,
      estimatedRows: table.estimatedRows, foreign: foreign, external: table)
    return Relation(
      oid: relation.oid, schema: relation.schema, name: name ?? relation.name, columns: columns, source: .table(described),
      estimatedRows: table.estimatedRows)
  }

  /// The columns of the source that the declared ones are, by name.
  static func matched(_ foreign: ForeignTableDefinition, _ table: any ExternalTable) throws(Fault) -> [Int] {
    var indices: [Int] = []
    for declared in foreign.columns {
      guard let index = table.columns.firstIndex(where: { $0.name == declared.name }) else {
        throw Fault(
          .undefinedColumn, "column \"\(declared.name)\" of foreign table \"\(foreign.name)\" is not in its source",
          detail: "\(table.label).")
      }
      let type = table.columns[index].type
      guard type.isSameType(as: declared.type) else {
        throw Fault(
          .datatypeMismatch,
          "column \"\(declared.name)\" of foreign table \"\(foreign.name)\" has type \(TypeNames.sqlName(type)) in its source",
          detail: "It was declared as \(TypeNames.sqlName(declared.type)). \(table.label).",
          hint: "Declare that type and cast in the query.")
      }
      indices.append(index)
    }
    return indices
  }
}

extension Relation {
  var foreign: ForeignTableDefinition? {
    if case .table(let table) = source { table.foreign } else { nil }
  }

  var reference: ReferenceTableDefinition? {
    if case .table(let table) = source { table.reference } else { nil }
  }
}

/// cramped.as_of: a Delta version or a time.
enum AsOf {
  static let settingName = "cramped.as_of"

  /// The version that a value of the setting means; nil for an empty one. Throws 22007 for what is neither.
  static func version(_ value: String, _ context: FunctionContext) throws(Fault) -> TableVersion? {
    let text = value.trimmed
    if text.isEmpty { return nil }
    if text.allSatisfy({ ("0"..."9").contains($0) }), let number = Int64(text) { return .number(number) }
    return .asOf(micros: try micros(text, context))
  }

  /// The value as it is kept: a time is spelled in UTC, so that a later change of the zone does not move it.
  static func canonical(_ value: String, _ context: FunctionContext) throws(Fault) -> String {
    switch try version(value, context) {
    case nil: return ""
    case .number(let number): return String(number)
    case .asOf(let micros):
      guard let cast = FunctionCatalog.cast(from: .timestamptz, to: .text) else { throw .bug("times have no text") }
      var utc = context
      utc.timeZone = .utc
      let column = Column.constant(.integer(micros), type: .timestamptz, count: 1)
      return try cast.evaluate(utc, column, .text, true).scalar(at: 0).text ?? ""
    case .newest, .named: throw .bug("cramped.as_of is a version or a time")
    }
  }

  /// A time as timestamptz reads it, µs since 1970.
  static func micros(_ text: String, _ context: FunctionContext) throws(Fault) -> Int64 {
    guard let cast = FunctionCatalog.cast(from: .unknown, to: .timestamptz) else { throw .bug("times have no input") }
    let column = Column.constant(.text(text), type: .unknown, count: 1)
    guard let micros = try cast.evaluate(context, column, .timestamptz, true).scalar(at: 0).integer else {
      throw Fault(.invalidDatetimeFormat, "\"\(text)\" is not a time")
    }
    return micros
  }
}
