// A text of statements, run one after the other while the client takes their results.
//
// The whole text is parsed first: a syntax error means that nothing runs. All statements share one implicit transaction
// unless BEGIN or COMMIT among them says otherwise.

package import Bedrock
import Columnar
import Runtime
import SQLSyntax

/// The running simple query of a session. Pull `next()` until it gives `nil` or throws; then tell the session
/// `synchronize()` or `fail()`.
package final class SimpleQuery {
  private let session: Session
  private let statements: [Statement]
  private let text: [UInt8]
  private var index = 0
  private var toldEmpty = false
  /// The COPY FROM STDIN whose data the client sends.
  private var copyIn: CopyIn?
  private var running: (rows: ResultRows?, tag: CommandTag, sent: Int)?

  init(session: Session, text: [UInt8], statements: [Statement]) {
    self.session = session
    self.text = text
    self.statements = statements
  }

  /// The next part of the answer, or `nil` after the last.
  package func next() throws(Fault) -> ResultEvent? {
    if let (rows, tag, sent) = running {
      if let chunk = try rows?.next() {
        running = (rows, tag, sent + chunk.rowCount)
        return .rows(chunk)
      }
      running = nil
      return try end(tag.text(rows: sent))
    }
    if statements.isEmpty && !toldEmpty {
      toldEmpty = true
      return .empty
    }
    if let copyIn, session.copyIn === copyIn {
      self.copyIn = nil
      session.copyIn = nil
      return try end(try copyIn.finish())
    }
    guard index < statements.count else { return nil }
    defer { index += 1 }
    return try start(statements[index])
  }

  private func start(_ statement: Statement) throws(Fault) -> ResultEvent {
    let cancellation = Cancellation()
    session.begin(cancellation)
    let prepared = try session.prepare(
      name: "", text: String(decoding: text[statement.bytes], as: UTF8.self), statement: statement, declaredTypes: [],
      isFromSQL: false)
    guard prepared.parameterTypes.isEmpty else {
      throw Fault(.undefinedParameter, "there is no parameter $1")
    }
    let outcome = try session.run(
      prepared, parameters: [], cancellation: cancellation, isAlone: statements.count == 1)
    switch outcome.copy {
    case .in(let copy):
      copyIn = copy
      session.copyIn = copy
      return .copyIn(copy.format, columnCount: copy.columnCount)
    case .out(let format):
      running = (outcome.source.map { ResultRows($0) }, outcome.tag, 0)
      return .copyOut(format, outcome.columns ?? [])
    case nil: break
    }
    if let columns = outcome.columns {
      running = (outcome.source.map { ResultRows($0) }, outcome.tag, 0)
      return .columns(columns)
    }
    return try end(outcome.tag.text(rows: 0), after: 1)
  }

  /// The end of a statement. After the last one an implicit transaction is committed before the client is told.
  private func end(_ tag: String, after more: Int = 0) throws(Fault) -> ResultEvent {
    session.finish()
    if index + more >= statements.count { try session.commitImplicit() }
    return .complete(tag)
  }
}

extension Session {
  /// Begins a simple query. Throws when the text does not parse; then call `fail()`.
  package func simpleQuery(_ sql: String) throws(Fault) -> SimpleQuery {
    let text = Array(sql.utf8)
    return SimpleQuery(session: self, text: text, statements: try SQLParser.parse(utf8: text))
  }
}
