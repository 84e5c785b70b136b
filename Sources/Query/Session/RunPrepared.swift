// PREPARE, EXECUTE and DEALLOCATE; DECLARE, FETCH, MOVE and CLOSE.

import Bedrock
import Columnar
import Plan
import Runtime
import SQLSyntax

extension Session {
  // MARK: Prepared statements

  func runPrepare(
    _ name: String, _ types: [TypeNameSyntax], _ inner: Statement, _ text: String
  ) throws(Fault) -> Outcome {
    guard prepared[name] == nil else {
      throw Fault(.duplicatePreparedStatement, "prepared statement \"\(name)\" already exists")
    }
    guard prepared.count < Limits.preparedStatementsMax else {
      throw Fault(.programLimitExceeded, "more than \(Limits.preparedStatementsMax) prepared statements")
    }
    var declared: [DataType?] = []
    let context = planningContext()
    for type in types { declared.append(try services.engine.type(type, context: context)) }
    prepared[name] = try prepare(
      name: name, text: text, statement: inner, declaredTypes: declared, isFromSQL: true)
    return .command("PREPARE")
  }

  func runExecute(
    _ name: String, _ arguments: [ExpressionSyntax], _ cancellation: Cancellation
  ) throws(Fault) -> Outcome {
    let statement = try find(statement: name)
    if let inner = statement.statement, case .execute = inner.kind {
      throw .unsupported("EXECUTE of an EXECUTE")
    }
    let columns = statement.columns
    try refresh(statement)
    guard columns?.map(\.type) == statement.columns?.map(\.type) else {
      throw Fault(.featureNotSupported, "cached plan must not change result type")
    }
    guard arguments.count == statement.parameterTypes.count else {
      throw Fault(
        .syntaxError, "wrong number of parameters for prepared statement \"\(name)\"",
        detail: "Expected \(statement.parameterTypes.count) parameters but got \(arguments.count).")
    }
    let context = planningContext()
    var values: [BoundParameter] = []
    for (argument, type) in zip(arguments, statement.parameterTypes) {
      values.append(.value(try services.engine.value(of: argument, as: type, context: context)))
    }
    return try run(statement, parameters: values, cancellation: cancellation, isAlone: true)
  }

  func runDeallocate(_ name: String?) throws(Fault) -> Outcome {
    guard let name else {
      prepared = [:]
      return .command("DEALLOCATE ALL")
    }
    _ = try find(statement: name)
    prepared[name] = nil
    return .command("DEALLOCATE")
  }

  // MARK: Cursors

  func runDeclare(
    _ declare: DeclareCursorStatement, _ statement: PreparedStatement, _ parameters: [BoundParameter]
  ) throws(Fault) -> Outcome {
    guard declare.isWithHold || transaction.state == .block else {
      throw Fault(.noActiveTransaction, "DECLARE CURSOR can only be used in transaction blocks")
    }
    if declare.isScrollable { throw .unsupported("a SCROLL cursor") }
    if declare.isBinary { throw .unsupported("a BINARY cursor", hint: "Ask for binary results in Bind.") }
    guard portals[declare.name] == nil else {
      throw Fault(.duplicateCursor, "cursor \"\(declare.name)\" already exists")
    }
    guard portals.count < Limits.portalsMax else {
      throw Fault(.programLimitExceeded, "more than \(Limits.portalsMax) portals")
    }
    guard let plan = statement.plan else { throw .bug("DECLARE without a plan") }
    let portal = Portal(
      name: declare.name, statement: statement, parameters: [], isHeld: declare.isWithHold)
    let rows = try services.engine.open(
      plan, parameters: try read(parameters, of: statement), context: try executionContext(portal.cancellation))
    portal.outcome = .rows(plan.columns, rows, tag: .counted("FETCH"))
    portal.rows = ResultRows(rows)
    portals[declare.name] = portal
    return .command("DECLARE CURSOR")
  }

  func runFetch(_ fetch: FetchStatement) throws(Fault) -> Outcome {
    guard let portal = portals[fetch.cursor] else {
      throw Fault(.invalidCursorName, "cursor \"\(fetch.cursor)\" does not exist")
    }
    guard let rows = portal.rows, let columns = portal.statement.plan?.columns else {
      throw Fault(.objectNotInPrerequisiteState, "portal \"\(fetch.cursor)\" cannot be run")
    }
    let count = try forwardCount(fetch)
    // A cancel request now means the cursor's own query; the timeout of this statement watches it too.
    finish()
    begin(portal.cancellation)
    if !fetch.isMove { return .rows(columns, FetchedRows(rows, count: count), tag: .counted("FETCH")) }
    let skipped = FetchedRows(rows, count: count)
    var moved = 0
    while let chunk = try skipped.next() { moved += chunk.rowCount }
    return .command("MOVE \(moved)")
  }

  /// How many rows forward a FETCH goes.
  private func forwardCount(_ fetch: FetchStatement) throws(Fault) -> Int {
    let backward = Fault(
      .objectNotInPrerequisiteState, "cursor can only scan forward",
      hint: "Declare it with SCROLL option to enable backward scan.")
    switch fetch.direction {
    case .forward:
      guard let count = fetch.count else { return .max }
      guard count >= 0 else { throw backward }
      return Int(count)
    case .relative:
      guard let count = fetch.count, count == 1 else { throw backward }
      return 1
    case .backward, .absolute: throw backward
    }
  }

  func runCloseCursor(_ name: String?) throws(Fault) -> Outcome {
    guard let name else {
      portals = [:]
      return .command("CLOSE CURSOR ALL")
    }
    guard portals[name] != nil else {
      throw Fault(.invalidCursorName, "cursor \"\(name)\" does not exist")
    }
    portals[name] = nil
    return .command("CLOSE CURSOR")
  }
}
