// CREATE FOREIGN TABLE and DROP FOREIGN TABLE.
//
// A definition is stored at once and durably; it is not part of a transaction, so inside a block both are refused.

import Bedrock
import Catalog
import Columnar
import EventSchema
import Functions
import Plan
import SQLSyntax
import StorageContract

extension Session {
  private func directory(for command: String) throws(Fault) -> any ForeignTableDirectory {
    guard let directory = services.foreignTables else { throw .unsupported(command) }
    try refuseDefinition(by: command)
    return directory
  }

  /// Definitions take effect at once: not in a transaction block, nor where nothing may be written.
  func refuseDefinition(by command: String) throws(Fault) {
    if settings.find("transaction_read_only") == "on" {
      throw Fault(.readOnlySQLTransaction, "cannot execute \(command) in a read-only transaction")
    }
    guard transaction.state != .block else {
      throw Fault(
        .activeSQLTransaction, "\(command) cannot run inside a transaction block",
        hint: "Its effect is immediate and could not be rolled back: run it on its own, with autocommit.")
    }
  }

  // MARK: CREATE

  func runCreate(_ create: CreateForeignTableStatement) throws(Fault) -> Outcome {
    let directory = try directory(for: "CREATE FOREIGN TABLE")
    let catalog = self.catalog()
    let name = create.table.name
    let position = create.table.location.position
    guard !name.contains("@") else {
      throw Fault(
        .invalidParameterValue, "the name \"\(name)\" is not allowed for a table", detail: "What follows an \"@\" names a version.",
        position: position)
    }
    let schema = try creationSchema(create.table, catalog)
    if let known = catalog.relation(schema: schema, name: name, searchPath: []) {
      return try refuseOrSkip(known, create, name)
    }
    guard let server = ForeignTableDefinition.Server(rawValue: create.server) else {
      throw Fault(
        .undefinedObject, "server \"\(create.server)\" does not exist",
        hint: "The foreign servers are \"delta\" and \"parquet\".")
    }
    let context = planningContext()
    let options = try ForeignOptions(create.options, server: server, context: context.functions)
    let opened = try context.catalog.open(options.source)
    guard opened.columns.count <= Limits.tableColumnsMax else {
      throw Fault(.programLimitExceeded, "tables can have at most \(Limits.tableColumnsMax) columns")
    }
    var definition = ForeignTableDefinition(
      schema: schema, name: name, server: server, options: options.list, source: options.source,
      columns: opened.columns, declaresColumns: false, estimatedRows: opened.estimatedRows)
    if !create.columns.isEmpty {
      definition.columns = try declared(create.columns, context)
      definition.declaresColumns = true
      _ = try StatementCatalog.matched(definition, opened)
    }
    guard try directory.create(definition) else {
      // Somebody else was quicker.
      guard create.ifNotExists else { throw Self.exists(name) }
      notice(.notice, .duplicateTable, "relation \"\(name)\" already exists, skipping")
      return .command("CREATE FOREIGN TABLE")
    }
    return .command("CREATE FOREIGN TABLE")
  }

  private static func exists(_ name: String) -> Fault { Fault(.duplicateTable, "relation \"\(name)\" already exists") }

  private func refuseOrSkip(
    _ known: Relation, _ create: CreateForeignTableStatement, _ name: String
  ) throws(Fault) -> Outcome {
    guard create.ifNotExists else { throw Self.exists(name) }
    notice(.notice, .duplicateTable, "relation \"\(name)\" already exists, skipping")
    return .command("CREATE FOREIGN TABLE")
  }

  func creationSchema(
    _ table: RelationSyntax, _ catalog: any SessionCatalog
  ) throws(Fault) -> String {
    let position = table.location.position
    if let database = table.catalog, database != databaseName {
      throw Fault.unsupported("a cross-database reference", position: position)
    }
    // A user named cramped has the server's own schema as "$user": new tables go to the next one.
    let path = searchPath(in: catalog).filter { $0 != "pg_catalog" && $0 != "cramped" && $0 != DatabaseCatalog.temporarySchema }
    guard let schema = table.schema ?? path.first else {
      throw Fault(.invalidSchemaName, "no schema has been selected to create in", position: position)
    }
    guard catalog.schemaExists(schema) else {
      throw Fault(
        .invalidSchemaName, "schema \"\(schema)\" does not exist",
        hint: "Use \"public\" or the schema of a domain.", position: position)
    }
    if ["pg_catalog", "information_schema", "pg_toast", "cramped", DatabaseCatalog.temporarySchema].contains(schema) {
      throw Fault(
        .insufficientPrivilege, "permission denied for schema \(schema)", hint: "The server keeps it for itself.",
        position: position)
    }
    return schema
  }

  private func declared(
    _ columns: [CreateForeignTableStatement.ColumnDefinition], _ context: PlanningContext
  ) throws(Fault) -> [TableColumn] {
    var declared: [TableColumn] = []
    for (index, column) in columns.enumerated() {
      guard !declared.contains(where: { $0.name == column.name }) else {
        throw Fault(
          SQLState("42701"), "column \"\(column.name)\" specified more than once", position: column.location.position)
      }
      declared.append(
        TableColumn(
          fieldID: -Int32(index + 1), name: column.name, type: try services.engine.type(column.type, context: context),
          isNullable: !column.isRequired))
    }
    return declared
  }

  // MARK: DROP

  func runDrop(_ drop: DropForeignTableStatement) throws(Fault) -> Outcome {
    let directory = try directory(for: "DROP FOREIGN TABLE")
    let catalog = self.catalog()
    var found: [ForeignTableDefinition] = []
    for parts in drop.names {
      guard let name = parts.last else { throw .bug("DROP without a name") }
      let relation = catalog.relation(
        schema: parts.count > 1 ? parts[parts.count - 2] : nil, name: name, searchPath: searchPath(in: catalog))
      guard let relation else {
        guard drop.ifExists else {
          throw Fault(.undefinedTable, "foreign table \"\(name)\" does not exist")
        }
        notice(.notice, .successfulCompletion, "foreign table \"\(name)\" does not exist, skipping")
        continue
      }
      guard let foreign = relation.foreign else {
        throw Fault(.wrongObjectType, "\"\(name)\" is not a foreign table")
      }
      found.append(foreign)
    }
    for foreign in found { _ = try directory.drop(schema: foreign.schema, name: foreign.name) }
    return .command("DROP FOREIGN TABLE")
  }
}

/// The options of a foreign table, and the source that they mean.
struct ForeignOptions {
  let list: [ForeignOption]
  let source: ExternalSource

  init(
    _ options: [OptionSyntax], server: ForeignTableDefinition.Server, context: FunctionContext
  ) throws(Fault) {
    let allowed = server == .delta ? ["location", "version", "as_of"] : ["location", "filename", "hive_partitioning"]
    var values: [String: String] = [:]
    var list: [ForeignOption] = []
    for option in options {
      guard allowed.contains(option.name) else {
        throw Fault(
          .foreignInvalidOptionName, "invalid option \"\(option.name)\"",
          hint: "Valid options in this context are: \(allowed.joined(separator: ", ")).")
      }
      guard values[option.name] == nil else {
        throw Fault(.duplicateObject, "option \"\(option.name)\" provided more than once")
      }
      guard case .string(let value)? = option.value else { throw .bug("an option of a foreign table is a string") }
      values[option.name] = value
      list.append(ForeignOption(name: option.name, value: value))
    }
    guard let location = values["location"], !location.isEmpty else {
      throw Fault(
        .foreignOptionNameNotFound, "option \"location\" is required",
        hint: "OPTIONS (location '...') names the folder of a Delta table, or Parquet files.")
    }
    func truth(_ name: String) throws(Fault) -> Bool? {
      guard let text = values[name] else { return nil }
      guard let value = Setting.boolean(text) else {
        throw Fault(.invalidParameterValue, "option \"\(name)\" requires a Boolean value")
      }
      return value
    }
    self.list = list
    switch server {
    case .parquet:
      source = ExternalSource(
        .parquet(locations: [location]), hasFileName: try truth("filename") ?? false,
        hasHivePartitions: try truth("hive_partitioning"))
    case .delta:
      var version = TableVersion.newest
      if let text = values["version"] {
        guard let number = Int64(text), number >= 0, values["as_of"] == nil else {
          throw Fault(.invalidParameterValue, "option \"version\" requires a Delta version, and no option \"as_of\" beside it")
        }
        version = .number(number)
      }
      if let text = values["as_of"] { version = .asOf(micros: try AsOf.micros(text, context)) }
      source = ExternalSource(.delta(location: location), version: version)
    }
  }
}
