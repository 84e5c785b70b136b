// CREATE TABLE (AS), DROP TABLE, TRUNCATE, CREATE and DROP SCHEMA, and of ALTER TABLE what renames or adds a column.
//
// All of them belong to their transaction: others see a table when it commits.

import Bedrock
import Catalog
import Columnar
import EventSchema
import Functions
import Plan
import Runtime
import SQLSyntax
import StorageContract
import Synchronization

extension Session {
  /// Ids of temporary tables: unlike those of other tables within one session's catalog.
  private static let temporaryIDs = Atomic<UInt32>(0)
  private static let firstTemporary: UInt32 = 900_000
  private static let temporaryIDCount: UInt32 = 100_000

  /// Plans what a statement about tables needs to be planned.
  func prepare(_ statement: TableStatement, _ prepared: PreparedStatement) throws(Fault) {
    switch statement {
    case .write(let write): try prepare(write, prepared)
    case .createAs(let create):
      let plan = try services.engine.plan(
        create.query, parameterTypes: prepared.declaredTypes, context: planningContext())
      prepared.parameterTypes = plan.parameterTypes
      prepared.plan = plan
    case .create, .drop, .truncate, .createSchema, .dropSchema, .rename, .addColumn: break
    }
  }

  func run(
    _ statement: TableStatement, _ prepared: PreparedStatement, _ parameters: [BoundParameter],
    _ cancellation: Cancellation
  ) throws(Fault) -> Outcome {
    switch statement {
    case .write(let write): return try runWrite(write, prepared, parameters, cancellation)
    case .create(let create): return try runCreate(create)
    case .createAs(let create): return try runCreateAs(create, prepared, parameters, cancellation)
    case .drop(let drop): return try runDropTable(drop)
    case .truncate(let relations): return try runTruncate(relations)
    case .createSchema(let name, let ifNotExists): return try runCreateSchema(name, ifNotExists: ifNotExists)
    case .dropSchema(let drop): return try runDropSchema(drop)
    case .rename(let rename): return try runRename(rename)
    case .addColumn(let add): return try runAddColumn(add)
    }
  }

  func refuseReadOnly(_ command: String) throws(Fault) {
    if settings.find("transaction_read_only") == "on" {
      throw Fault(.readOnlySQLTransaction, "cannot execute \(command) in a read-only transaction")
    }
  }

  // MARK: CREATE TABLE

  private func runCreate(_ create: CreateTableStatement) throws(Fault) -> Outcome {
    try refuseReadOnly("CREATE TABLE")
    guard let (schema, name) = try newName(create.table) else { return .command("CREATE TABLE") }
    let context = planningContext()
    var columns: [TableColumn] = []
    var defaults: [String?] = []
    for definition in create.columns {
      columns.append(try column(definition, after: columns, fieldID: Int32(columns.count + 1), context))
      defaults.append(definition.defaultText)
    }
    let version = try makeTable(schema, name, columns, defaults, create.table)
    if defaults.contains(where: { $0 != nil }) {
      // Binding the defaults tells what is wrong with them now rather than at the first INSERT.
      _ = try services.engine.plan(
        .defaults(into: create.table.relation), into: version.definition, parameterTypes: [], context: context)
    }
    self.create(version, onCommit: create.table.onCommit)
    return .command("CREATE TABLE")
  }

  private func column(
    _ definition: CreateTableStatement.ColumnDefinition, after columns: [TableColumn], fieldID: Int32,
    _ context: PlanningContext
  ) throws(Fault) -> TableColumn {
    let position = definition.location.position
    guard !columns.contains(where: { $0.name == definition.name }) else {
      throw Fault(SQLState("42701"), "column \"\(definition.name)\" specified more than once", position: position)
    }
    guard definition.name != ReferenceTableDefinition.address.name else {
      throw Fault(
        SQLState("42701"), "column name \"\(definition.name)\" conflicts with a system column name", position: position)
    }
    guard columns.count < Limits.tableColumnsMax else {
      throw Fault(.programLimitExceeded, "tables can have at most \(Limits.tableColumnsMax) columns")
    }
    if let name = definition.type.name.last, ["serial", "bigserial", "smallserial", "serial4", "serial8"].contains(name) {
      throw Fault.unsupported(
        "type \(name)", position: position,
        hint: "There are no sequences: use uuid DEFAULT gen_random_uuid(), or number the rows when you insert them.")
    }
    return TableColumn(
      fieldID: fieldID, name: definition.name, type: try services.engine.type(definition.type, context: context),
      isNullable: !definition.isRequired)
  }

  /// Where a new table goes; nil: there is one already and IF NOT EXISTS was said.
  private func newName(_ table: TableNameSyntax) throws(Fault) -> (schema: String, name: String)? {
    let relation = table.relation
    let catalog = self.catalog()
    let position = relation.location.position
    guard !relation.name.contains("@") else {
      throw Fault(
        .invalidParameterValue, "the name \"\(relation.name)\" is not allowed for a table",
        detail: "What follows an \"@\" names a version.", position: position)
    }
    let schema: String
    if table.isTemporary || relation.schema == DatabaseCatalog.temporarySchema {
      guard relation.schema == nil || relation.schema == DatabaseCatalog.temporarySchema else {
        throw Fault(
          .invalidTableDefinition, "cannot create temporary relation in non-temporary schema", position: position)
      }
      schema = DatabaseCatalog.temporarySchema
    } else {
      schema = try creationSchema(relation, catalog)
      guard services.referenceTables != nil else { throw .unsupported("CREATE TABLE") }
    }
    guard catalog.relation(schema: schema, name: relation.name, searchPath: []) != nil else {
      return (schema, relation.name)
    }
    guard table.ifNotExists else {
      throw Fault(.duplicateTable, "relation \"\(relation.name)\" already exists")
    }
    notice(.notice, .duplicateTable, "relation \"\(relation.name)\" already exists, skipping")
    return nil
  }

  private func makeTable(
    _ schema: String, _ name: String, _ columns: [TableColumn], _ defaults: [String?], _ table: TableNameSyntax
  ) throws(Fault) -> any ReferenceTableVersion {
    if schema == DatabaseCatalog.temporarySchema {
      let number = Self.temporaryIDs.add(1, ordering: .relaxed).oldValue % Self.temporaryIDCount
      return MemoryVersion(
        ReferenceTableDefinition(
          id: TableID(raw: Self.firstTemporary + number), schema: schema, name: name, columns: columns,
          defaults: defaults, isTemporary: true), budget: services.temporaryBudget)
    }
    guard let directory = services.referenceTables else { throw .unsupported("CREATE TABLE") }
    return try directory.empty(
      ReferenceTableDefinition(
        id: try directory.newID(), schema: schema, name: name, columns: columns, defaults: defaults,
        folder: directory.folder(schema: schema, name: name)))
  }

  // MARK: CREATE TABLE AS

  private func runCreateAs(
    _ create: CreateTableAsStatement, _ prepared: PreparedStatement, _ parameters: [BoundParameter],
    _ cancellation: Cancellation
  ) throws(Fault) -> Outcome {
    try refuseReadOnly(create.isSelectInto ? "SELECT INTO" : "CREATE TABLE AS")
    guard let (schema, name) = try newName(create.table) else { return .command("CREATE TABLE AS") }
    guard let plan = prepared.plan else { throw .bug("CREATE TABLE AS without a plan") }
    guard create.columns.count <= plan.columns.count else {
      throw Fault(.syntaxError, "too many column names were specified")
    }
    var columns: [TableColumn] = []
    for (index, output) in plan.columns.enumerated() {
      let label = index < create.columns.count ? create.columns[index] : output.name
      guard !columns.contains(where: { $0.name == label }) else {
        throw Fault(SQLState("42701"), "column \"\(label)\" specified more than once")
      }
      columns.append(
        TableColumn(
          fieldID: Int32(index + 1), name: label, type: output.type == .unknown ? .text : output.type, isNullable: true))
    }
    let empty = try makeTable(schema, name, columns, columns.map { _ in nil }, create.table)
    if create.hasNoData {
      self.create(empty, onCommit: create.table.onCommit)
      return .command("CREATE TABLE AS")
    }
    let rows = try services.engine.open(
      plan, parameters: try read(parameters, of: prepared), context: try executionContext(cancellation))
    let change = try empty.change()
    var count = 0
    while let chunk = try rows.next() {
      try change.append(try Self.typed(chunk, empty.definition))
      count += chunk.rowCount
    }
    self.create(try change.finish(), onCommit: create.table.onCommit)
    return .command("SELECT \(count)")
  }

  // MARK: DROP, TRUNCATE

  /// A plain table by its name.
  func plainTable(
    schema: String?, name: String, for command: String, at position: Int? = nil
  ) throws(Fault) -> ReferenceTableDefinition? {
    let catalog = self.catalog()
    guard let relation = catalog.relation(schema: schema, name: name, searchPath: searchPath(in: catalog)) else {
      return nil
    }
    if let definition = relation.reference { return definition }
    try refuseReadOnly(command)
    switch relation.source {
    case .table(let table) where table.isEventTable:
      throw Fault(
        .wrongObjectType, "cannot run \(command) on event table \"\(name)\"",
        hint: "Events come in through the event stream and are kept as they came. CREATE TABLE makes tables that can be written to.",
        position: position)
    case .table(let table) where table.foreign != nil:
      throw Fault(
        .wrongObjectType, "cannot run \(command) on foreign table \"\(name)\"", hint: "Foreign tables are only read.",
        position: position)
    case .eventView, .virtual, .table:
      throw Fault(.wrongObjectType, "\"\(name)\" is not a table", position: position)
    }
  }

  func neededTable(_ relation: RelationSyntax, for command: String) throws(Fault) -> ReferenceTableDefinition {
    let position = relation.location.position
    guard let found = try plainTable(schema: relation.schema, name: relation.name, for: command, at: position) else {
      let full = (relation.schema.map { $0 + "." } ?? "") + relation.name
      throw Fault(.undefinedTable, "relation \"\(full)\" does not exist", position: position)
    }
    return found
  }

  private func runDropTable(_ drop: DropStatement) throws(Fault) -> Outcome {
    try refuseReadOnly("DROP TABLE")
    var found: [ReferenceTableDefinition] = []
    for parts in drop.names {
      guard let name = parts.last else { throw .bug("DROP without a name") }
      let schema = parts.count > 1 ? parts[parts.count - 2] : nil
      guard let table = try plainTable(schema: schema, name: name, for: "DROP TABLE") else {
        guard drop.ifExists else { throw Fault(.undefinedTable, "table \"\(name)\" does not exist") }
        notice(.notice, .successfulCompletion, "table \"\(name)\" does not exist, skipping")
        continue
      }
      found.append(table)
    }
    for table in found { tables.drop(table) }
    return .command("DROP TABLE")
  }

  private func runTruncate(_ relations: [RelationSyntax]) throws(Fault) -> Outcome {
    try refuseReadOnly("TRUNCATE TABLE")
    for relation in relations {
      let change = try currentVersion(of: try neededTable(relation, for: "TRUNCATE TABLE")).change()
      try change.removeAll()
      put(try change.finish())
    }
    return .command("TRUNCATE TABLE")
  }

  // MARK: Schemas

  private func runCreateSchema(_ name: String, ifNotExists: Bool) throws(Fault) -> Outcome {
    try refuseReadOnly("CREATE SCHEMA")
    guard let directory = services.referenceTables else { throw .unsupported("CREATE SCHEMA") }
    guard !name.hasPrefix("pg_") else {
      throw Fault(
        SQLState("42939"), "unacceptable schema name \"\(name)\"", detail: "The prefix \"pg_\" is reserved for system schemas.")
    }
    guard !catalog().schemaExists(name) else {
      guard ifNotExists else { throw Fault(SQLState("42P06"), "schema \"\(name)\" already exists") }
      notice(.notice, SQLState("42P06"), "schema \"\(name)\" already exists, skipping")
      return .command("CREATE SCHEMA")
    }
    tables.change(.createSchema(ReferenceSchema(id: try directory.newID(), name: name)))
    return .command("CREATE SCHEMA")
  }

  private func runDropSchema(_ drop: DropStatement) throws(Fault) -> Outcome {
    try refuseReadOnly("DROP SCHEMA")
    for parts in drop.names {
      guard let name = parts.last else { throw .bug("DROP without a name") }
      let contents = tables.contents(services.referenceTables?.contents() ?? ReferenceContents())
      guard contents.schemas.contains(where: { $0.name == name }) else {
        guard !catalog().schemaExists(name) else {
          throw Fault(
            .insufficientPrivilege, "permission denied for schema \(name)",
            hint: "Only schemas that CREATE SCHEMA made can be dropped.")
        }
        guard drop.ifExists else { throw Fault(.invalidSchemaName, "schema \"\(name)\" does not exist") }
        notice(.notice, .successfulCompletion, "schema \"\(name)\" does not exist, skipping")
        continue
      }
      let inside = contents.tables.filter { $0.definition.schema == name }
      guard inside.isEmpty || drop.isCascade else {
        throw Fault(
          SQLState("2BP01"), "cannot drop schema \(name) because other objects depend on it",
          detail: inside.map { "table \(name).\($0.definition.name) depends on schema \(name)" }.joined(separator: "\n"),
          hint: "Use DROP ... CASCADE to drop the dependent objects too.")
      }
      for table in inside { tables.drop(table.definition) }
      tables.change(.dropSchema(name))
    }
    return .command("DROP SCHEMA")
  }

  // MARK: ALTER TABLE

  private func altered(
    _ relation: RelationSyntax, ifExists: Bool
  ) throws(Fault) -> ReferenceTableDefinition? {
    try refuseReadOnly("ALTER TABLE")
    guard ifExists else { return try neededTable(relation, for: "ALTER TABLE") }
    let found = try plainTable(
      schema: relation.schema, name: relation.name, for: "ALTER TABLE", at: relation.location.position)
    if found == nil {
      notice(.notice, .successfulCompletion, "relation \"\(relation.name)\" does not exist, skipping")
    }
    return found
  }

  private func runRename(_ rename: RenameTableStatement) throws(Fault) -> Outcome {
    guard var definition = try altered(rename.relation, ifExists: rename.ifExists) else { return .command("ALTER TABLE") }
    guard catalog().relation(schema: definition.schema, name: rename.name, searchPath: []) == nil else {
      throw Fault(.duplicateTable, "relation \"\(rename.name)\" already exists")
    }
    guard !rename.name.contains("@") else {
      throw Fault(.invalidParameterValue, "the name \"\(rename.name)\" is not allowed for a table")
    }
    definition.name = rename.name
    guard !definition.isTemporary else {
      guard let version = tables.version(of: definition.id) as? MemoryVersion else { throw .bug("a temporary table elsewhere") }
      put(MemoryVersion(definition, version.chunks, budget: version.budget))
      return .command("ALTER TABLE")
    }
    tables.change(.alter(definition))
    return .command("ALTER TABLE")
  }

  private func runAddColumn(_ add: AddColumnStatement) throws(Fault) -> Outcome {
    guard var definition = try altered(add.relation, ifExists: add.ifExists) else { return .command("ALTER TABLE") }
    if definition.columns.contains(where: { $0.name == add.column.name }) {
      let text = "column \"\(add.column.name)\" of relation \"\(definition.name)\" already exists"
      guard add.ifNotExists else { throw Fault(SQLState("42701"), text) }
      notice(.notice, SQLState("42701"), text + ", skipping")
      return .command("ALTER TABLE")
    }
    guard add.column.defaultText == nil, !add.column.isRequired else {
      throw Fault.unsupported(
        "ADD COLUMN with DEFAULT or NOT NULL", position: add.column.location.position,
        hint: "Add the column, and UPDATE the rows that are there.")
    }
    let next = (definition.columns.map(\.fieldID).max() ?? 0) + 1
    let column = try self.column(add.column, after: definition.columns, fieldID: next, planningContext())
    definition.columns.append(column)
    definition.defaults.append(nil)
    if definition.isTemporary {
      guard let version = tables.version(of: definition.id) as? MemoryVersion else { throw .bug("a temporary table elsewhere") }
      put(try version.adding(definition) { .nulls(column.type, count: $0) })
      return .command("ALTER TABLE")
    }
    guard tables.version(of: definition.id) == nil else {
      throw Fault.unsupported(
        "ADD COLUMN to a table that this transaction has written to", hint: "Commit first, then add the column.")
    }
    guard transaction.state != .block else {
      throw Fault(
        .activeSQLTransaction, "ALTER TABLE ... ADD COLUMN cannot run inside a transaction block",
        hint: "Run it on its own, with autocommit.")
    }
    _ = try services.referenceTables?.empty(definition)
    tables.change(.alter(definition))
    return .command("ALTER TABLE")
  }
}

extension SQLState {
  static let invalidTableDefinition = SQLState("42P16")
}
