// From a parsed statement to its outcome.

import Bedrock
import Columnar
import Functions
import Plan
import Runtime
import SQLSyntax
import StorageContract

extension Session {
  /// Makes a statement ready: plans what is a query, learns parameters and columns of the rest.
  func prepare(
    name: String, text: String, statement: Statement?, declaredTypes: [DataType?], isFromSQL: Bool
  ) throws(Fault) -> PreparedStatement {
    try refuseInFailedBlock(statement)
    let prepared = PreparedStatement(
      name: name, text: text, statement: statement, declaredTypes: declaredTypes, isFromSQL: isFromSQL)
    try refresh(prepared)
    return prepared
  }

  /// Plans again what depends on the catalog.
  func refresh(_ prepared: PreparedStatement) throws(Fault) {
    guard let statement = prepared.statement else { return }
    prepared.plan = nil
    prepared.columns = nil
    switch statement.kind {
    case .select(let query):
      let plan = try plan(query, prepared)
      prepared.plan = plan
      prepared.columns = plan.columns
    case .explain(let explain):
      guard case .select(let query) = explain.statement.kind else {
        throw .unsupported("EXPLAIN of anything but a query")
      }
      prepared.plan = try plan(query, prepared)
      let type: DataType = try Self.explainOptions(explain).isJSON ? .json : .text
      prepared.columns = [OutputColumn(name: "QUERY PLAN", type: type)]
    case .declareCursor(let declare):
      guard case .select(let query) = declare.query.kind else {
        throw .unsupported("a cursor over anything but a query")
      }
      prepared.plan = try plan(query, prepared)
    case .show(let name): prepared.columns = try showColumns(name)
    case .fetch(let fetch):
      if !fetch.isMove { prepared.columns = try find(portal: fetch.cursor).statement.plan?.columns }
    case .execute(let name, _): prepared.columns = try find(statement: name).columns
    case .call(let call):
      let columns = try procedure(call).columns
      if !columns.isEmpty { prepared.columns = columns }
    case .table(let command): try prepare(command, prepared)
    case .copy(let copy): try prepare(copy, prepared)
    case .set, .transaction, .prepare, .deallocate, .closeCursor, .discard, .listen, .unlisten,
      .createForeignTable, .dropForeignTable, .createView, .dropView, .comment, .other:
      break
    }
  }

  private func plan(_ query: SelectStatement, _ prepared: PreparedStatement) throws(Fault) -> PlannedQuery {
    let plan = try services.engine.plan(query, parameterTypes: prepared.declaredTypes, context: planningContext())
    prepared.parameterTypes = plan.parameterTypes
    return plan
  }

  /// Reads the texts of parameters by the types that the statement wants.
  func read(_ parameters: [BoundParameter], of statement: PreparedStatement) throws(Fault) -> [Scalar] {
    precondition(parameters.count == statement.parameterTypes.count)
    var values: [Scalar] = []
    values.reserveCapacity(parameters.count)
    let context = functionContext(catalog: catalog())
    for (parameter, type) in zip(parameters, statement.parameterTypes) {
      switch parameter {
      case .value(let value): values.append(value)
      case .text(let bytes): values.append(try Self.read(bytes, as: type, context))
      }
    }
    return values
  }

  private static func read(
    _ bytes: [UInt8], as type: DataType, _ context: FunctionContext
  ) throws(Fault) -> Scalar {
    guard !bytes.contains(0), String(validating: bytes, as: UTF8.self) != nil else {
      throw Fault(.characterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\"")
    }
    switch type {
    case .text, .varchar(nil), .unknown, .name: return .bytes(bytes)
    default: break
    }
    for source in [DataType.unknown, .text] {
      guard let cast = FunctionCatalog.cast(from: source, to: type) else { continue }
      let column = Column.constant(.bytes(bytes), type: source, count: 1)
      let result = try cast.evaluate(context, column, type, true)
      guard result.count == 1 else { throw .bug("a cast of one value gave \(result.count)") }
      return result.scalar(at: 0)
    }
    throw Fault(.cannotCoerce, "a parameter of type \(TypeNames.sqlName(type)) cannot be given as text")
  }

  /// In a failed block only the end of it may run.
  func refuseInFailedBlock(_ statement: Statement?) throws(Fault) {
    guard transaction.state == .failed, let statement else { return }
    if case .transaction(let command) = statement.kind {
      switch command.action {
      case .commit, .rollback, .rollbackTo: return
      default: break
      }
    }
    throw Fault(
      .inFailedSQLTransaction, "current transaction is aborted, commands ignored until end of transaction block")
  }

  /// Runs a statement. Rows come by demand after it returns; `begin` was called before.
  ///
  /// - Parameter isAlone: it is not one of several statements of one text.
  func run(
    _ prepared: PreparedStatement, parameters: [BoundParameter], cancellation: Cancellation, isAlone: Bool
  ) throws(Fault) -> Outcome {
    guard let statement = prepared.statement else { return .command("") }
    try refuseInFailedBlock(statement)
    switch statement.kind {
    case .select: return try runQuery(prepared, parameters, cancellation)
    case .explain(let explain): return try runExplain(explain, prepared, parameters, cancellation)
    case .set(let set): return try runSet(set)
    case .show(let name): return try runShow(name)
    case .transaction(let command): return try runTransaction(command)
    case .prepare(let name, let types, let inner): return try runPrepare(name, types, inner, prepared.text)
    case .execute(let name, let arguments): return try runExecute(name, arguments, cancellation)
    case .deallocate(let name): return try runDeallocate(name)
    case .declareCursor(let declare): return try runDeclare(declare, prepared, parameters)
    case .fetch(let fetch): return try runFetch(fetch)
    case .closeCursor(let name): return try runCloseCursor(name)
    case .call(let call): return try runCall(call, cancellation)
    case .discard(let target): return try runDiscard(target, isAlone: isAlone)
    case .listen: return .command("LISTEN")
    case .unlisten: return .command("UNLISTEN")
    case .copy(let copy): return try runCopy(copy, prepared, cancellation)
    case .table(let command): return try run(command, prepared, parameters, cancellation)
    case .createForeignTable(let create): return try runCreate(create)
    case .dropForeignTable(let drop): return try runDrop(drop)
    case .createView(let create): return try runCreate(create, text: prepared.text)
    case .dropView(let drop): return try runDrop(drop)
    case .comment: return try refuse(command: "COMMENT")
    case .other(let name): return try refuse(command: name)
    }
  }

  private func runQuery(
    _ prepared: PreparedStatement, _ parameters: [BoundParameter], _ cancellation: Cancellation
  ) throws(Fault) -> Outcome {
    guard let plan = prepared.plan else { throw .bug("a query without a plan") }
    let rows = try services.engine.open(
      plan, parameters: try read(parameters, of: prepared), context: try executionContext(cancellation))
    return .rows(plan.columns, rows, tag: .counted("SELECT"))
  }

  private func runExplain(
    _ explain: ExplainStatement, _ prepared: PreparedStatement, _ parameters: [BoundParameter],
    _ cancellation: Cancellation
  ) throws(Fault) -> Outcome {
    guard let plan = prepared.plan else { throw .bug("EXPLAIN without a plan") }
    let options = try Self.explainOptions(explain)
    let lines = try services.engine.explain(
      plan, options: options, parameters: try read(parameters, of: prepared),
      context: try executionContext(cancellation))
    let type: DataType = options.isJSON ? .json : .text
    let rows = StoredRows(types: [type], rows: lines.map { [.text($0)] })
    return .rows([OutputColumn(name: "QUERY PLAN", type: type)], rows, tag: .fixed("EXPLAIN"))
  }

  private static func explainOptions(_ explain: ExplainStatement) throws(Fault) -> ExplainOptions {
    var options = ExplainOptions()
    for option in explain.options {
      switch option.name.lowercased() {
      case "analyze": options.isAnalyze = isOn(option)
      case "summary": options.hasSummary = isOn(option)
      case "verbose", "costs", "buffers", "timing", "settings", "wal": break
      case "format":
        guard case .string(let format)? = option.value, ["text", "json"].contains(format.lowercased()) else {
          throw .unsupported("this EXPLAIN format", position: option.location.position, hint: "Use FORMAT TEXT or JSON.")
        }
        options.isJSON = format.lowercased() == "json"
      default:
        throw Fault(
          .syntaxError, "unrecognized EXPLAIN option \"\(option.name)\"", position: option.location.position)
      }
    }
    return options
  }

  /// An option without a value is on.
  static func isOn(_ option: OptionSyntax) -> Bool {
    switch option.value {
    case nil: true
    case .boolean(let value): value
    case .integer(let value): value != 0
    case .string(let value), .number(let value): Setting.boolean(value) ?? false
    case .null, .bitString: false
    }
  }

  /// Commands that PostgreSQL has and Cramped has not.
  private func refuse(command name: String) throws(Fault) -> Outcome {
    let writes = ["INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE"].contains { name.uppercased().hasPrefix($0) }
    if writes && settings.find("transaction_read_only") == "on" {
      throw Fault(.readOnlySQLTransaction, "cannot execute \(name) in a read-only transaction")
    }
    let hint =
      switch name {
      case "CREATE SERVER": "The foreign servers \"delta\" and \"parquet\" are built in: CREATE FOREIGN TABLE uses them."
      case "IMPORT FOREIGN SCHEMA": "CREATE FOREIGN TABLE without columns takes them from the source."
      default: writes ? "Events come in through the event stream." : nil as String?
      }
    throw .unsupported(name, hint: hint)
  }

  // MARK: Procedures

  func procedure(_ call: FunctionCallSyntax) throws(Fault) -> Procedure {
    guard let procedure = services.procedures.find(call.name) else {
      throw Fault(
        .undefinedFunction, "procedure \(call.name.joined(separator: ".")) does not exist",
        hint: "No procedure matches the given name and argument types.", position: call.location.position)
    }
    return procedure
  }

  private func runCall(_ call: FunctionCallSyntax, _ cancellation: Cancellation) throws(Fault) -> Outcome {
    let procedure = try procedure(call)
    let context = planningContext()
    var given: [Int: Scalar] = [:]
    for (index, argument) in call.arguments.enumerated() {
      let slot: Int?
      if let name = argument.name {
        slot = procedure.parameters.firstIndex { $0.name == name }
      } else {
        slot = index < procedure.parameters.count ? index : nil
      }
      guard let slot, given[slot] == nil else { throw Self.wrongArguments(call, procedure) }
      given[slot] = try services.engine.value(
        of: argument.value, as: procedure.parameters[slot].type, context: context)
    }
    var arguments: [Scalar] = []
    for (index, parameter) in procedure.parameters.enumerated() {
      guard let value = given[index] ?? parameter.fallback else { throw Self.wrongArguments(call, procedure) }
      arguments.append(value)
    }
    let result = try procedure.run(arguments, cancellation)
    for text in result.notices { notice(.notice, .successfulCompletion, text) }
    guard !procedure.columns.isEmpty else { return .command("CALL") }
    let rows = StoredRows(types: procedure.columns.map(\.type), rows: result.rows)
    return .rows(procedure.columns, rows, tag: .fixed("CALL"))
  }

  private static func wrongArguments(_ call: FunctionCallSyntax, _ procedure: Procedure) -> Fault {
    let wanted = procedure.parameters.map { "\($0.name) \(TypeNames.sqlName($0.type))" }.joined(separator: ", ")
    return Fault(
      .undefinedFunction, "procedure \(procedure.schema).\(procedure.name) cannot be called with these arguments",
      hint: "Its arguments are: \(wanted).", position: call.location.position)
  }
}
