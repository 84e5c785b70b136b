// The extended protocol's steps: Parse, Bind, Describe, Execute, Close.

package import Bedrock
package import Columnar
package import Plan
import Runtime
import SQLSyntax

/// The running Execute of a portal. Pull `next()` until it gives `complete`, `suspended` or `empty`, or throws.
package final class PortalRun {
  private let session: Session
  private let portal: Portal
  private let rowsMax: Int
  private var sent = 0
  private var isDone = false
  /// CopyOutResponse was sent.
  private var hasBegun = false

  init(session: Session, portal: Portal, rowsMax: Int) {
    self.session = session
    self.portal = portal
    self.rowsMax = rowsMax
  }

  /// The next part of the answer, or `nil` after the last. Never gives `columns`.
  package func next() throws(Fault) -> ResultEvent? {
    if isDone { return nil }
    switch portal.outcome?.copy {
    case .in(let copy) where session.copyIn !== copy:
      session.copyIn = copy
      return .copyIn(copy.format, columnCount: copy.columnCount)
    case .in(let copy):
      session.copyIn = nil
      let tag = try copy.finish()
      portal.outcome = .command("")
      return end(.complete(tag))
    case .out(let format) where !hasBegun:
      hasBegun = true
      return .copyOut(format, portal.outcome?.columns ?? [])
    case .out, nil: break
    }
    guard portal.statement.statement != nil else { return end(.empty) }
    guard let rows = portal.rows else {
      // A command runs wholly whatever the client asks; its second Execute has nothing left to do.
      return end(.complete((portal.outcome?.tag ?? .fixed("")).text(rows: 0)))
    }
    if rowsMax > 0 && sent == rowsMax { return end(.suspended) }
    if let chunk = try rows.next(rowsMax: rowsMax > 0 ? rowsMax - sent : .max) {
      sent += chunk.rowCount
      return .rows(chunk)
    }
    portal.isComplete = true
    return end(.complete((portal.outcome?.tag ?? .fixed("")).text(rows: sent)))
  }

  private func end(_ event: ResultEvent) -> ResultEvent {
    isDone = true
    session.finish()
    return event
  }
}

extension Session {
  /// Parse. `declaredTypes` are oids; 0 and `unknown` leave the choice to the statement.
  package func parse(name: String, sql: String, declaredTypes: [UInt32]) throws(Fault) {
    let text = Array(sql.utf8)
    let statements = try SQLParser.parse(utf8: text)
    guard statements.count <= 1 else {
      throw Fault(.syntaxError, "cannot insert multiple commands into a prepared statement")
    }
    if !name.isEmpty && prepared[name] != nil {
      throw Fault(.duplicatePreparedStatement, "prepared statement \"\(name)\" already exists")
    }
    guard prepared.count < Limits.preparedStatementsMax || prepared[name] != nil else {
      throw Fault(.programLimitExceeded, "more than \(Limits.preparedStatementsMax) prepared statements")
    }
    var types: [DataType?] = []
    for oid in declaredTypes {
      if oid == 0 || oid == DataType.unknown.oid {
        types.append(nil)
      } else if let type = DataType(oid: oid) {
        types.append(type)
      } else {
        throw Fault(.undefinedObject, "type with OID \(oid) does not exist")
      }
    }
    enterTransaction()
    prepared[name] = try prepare(
      name: name, text: sql, statement: statements.first, declaredTypes: types, isFromSQL: false)
  }

  package func describe(statement name: String) throws(Fault) -> StatementDescription {
    let statement = try find(statement: name)
    try refuseInFailedBlock(statement.statement)
    return statement.description
  }

  /// The columns and the result format codes of a portal; no columns when it gives no rows.
  package func describe(portal name: String) throws(Fault) -> (columns: [OutputColumn]?, formats: [Int16]) {
    let portal = try find(portal: name)
    try refuseInFailedBlock(portal.statement.statement)
    // A cursor of DECLARE gives the columns of its query, not those of the DECLARE.
    return (portal.outcome?.columns ?? portal.statement.columns, portal.formats)
  }

  /// Bind. There is one value for each parameter of the statement. The unnamed portal is replaced.
  package func bind(
    portal name: String, statement statementName: String, parameters: [BoundParameter], formats: [Int16]
  ) throws(Fault) {
    let statement = try find(statement: statementName)
    try refuseInFailedBlock(statement.statement)
    precondition(parameters.count == statement.parameterTypes.count, "the server checks the number of parameters")
    if !name.isEmpty && portals[name] != nil {
      throw Fault(.duplicateCursor, "cursor \"\(name)\" already exists")
    }
    guard portals.count < Limits.portalsMax || portals[name] != nil else {
      throw Fault(.programLimitExceeded, "more than \(Limits.portalsMax) portals")
    }
    enterTransaction()
    let columns = statement.columns
    try refresh(statement)
    guard columns?.map(\.type) == statement.columns?.map(\.type) else {
      throw Fault(.featureNotSupported, "cached plan must not change result type")
    }
    let values = try read(parameters, of: statement)
    portals[name] = Portal(
      name: name, statement: statement, parameters: values.map { .value($0) }, formats: formats)
  }

  /// Execute. `rowsMax` 0: all rows.
  package func execute(portal name: String, rowsMax: Int) throws(Fault) -> PortalRun {
    let portal = try find(portal: name)
    try refuseInFailedBlock(portal.statement.statement)
    begin(portal.cancellation)
    if portal.outcome == nil, portal.statement.statement != nil {
      let outcome = try run(
        portal.statement, parameters: portal.parameters, cancellation: portal.cancellation, isAlone: true)
      portal.outcome = outcome
      portal.rows = outcome.source.map { ResultRows($0) }
    }
    return PortalRun(session: self, portal: portal, rowsMax: rowsMax)
  }

  /// Close of a statement; a missing one is fine.
  package func close(statement name: String) {
    prepared[name] = nil
  }

  /// Close of a portal; a missing one is fine.
  package func close(portal name: String) {
    portals[name] = nil
  }

  // MARK: Looking up

  func find(statement name: String) throws(Fault) -> PreparedStatement {
    if let statement = prepared[name] { return statement }
    throw Fault(
      .invalidStatementName,
      name.isEmpty ? "unnamed prepared statement does not exist" : "prepared statement \"\(name)\" does not exist")
  }

  func find(portal name: String) throws(Fault) -> Portal {
    if let portal = portals[name] { return portal }
    throw Fault(.invalidCursorName, name.isEmpty ? "portal \"\" does not exist" : "portal \"\(name)\" does not exist")
  }

  /// The formats that a portal's Bind asked for.
  package func formats(ofPortal name: String) -> [Int16] { portals[name]?.formats ?? [] }

  /// The number of columns that the statement gives: what result format codes are counted against.
  package func columnCount(ofStatement name: String) throws(Fault) -> Int {
    try find(statement: name).columns?.count ?? 0
  }

  /// The types of the parameters: what Bind's values are read by.
  package func parameterTypes(ofStatement name: String) throws(Fault) -> [DataType] {
    try find(statement: name).parameterTypes
  }
}
