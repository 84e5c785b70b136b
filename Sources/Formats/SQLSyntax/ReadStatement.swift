// Statements: from the flat tree to `Statement`.

import Bedrock
import CPgQuery

extension TreeReader {
  /// A statement with its own bytes of a text.
  mutating func statement(in text: [UInt8]) throws(Fault) -> Statement {
    let head = try head(of: .statement)
    let count = Int(try integer())
    var start = max(head.byteOffset, 0)
    var end = count == 0 ? text.count : min(start + count, text.count)
    guard start <= end else { throw Fault.bug("a statement ends before it begins") }
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
    while start < end, isSpace(text[start]) { start += 1 }
    while start < end, isSpace(text[end - 1]) { end -= 1 }
    return Statement(kind: try statementKind(), bytes: start..<end)
  }

  /// A statement inside another one.
  private mutating func innerStatement() throws(Fault) -> Statement { Statement(kind: try statementKind(), bytes: 0..<0) }

  private mutating func statementKind() throws(Fault) -> Statement.Kind {
    let head = try head()
    switch head.kind {
    case .select: return .select(try selectFields())
    case .explain: return .explain(ExplainStatement(options: try options(), statement: try innerStatement()))
    case .setVariable: return .set(try setVariable())
    case .showVariable: return .show(name: try string())
    case .transaction: return .transaction(try transaction())
    case .prepare:
      return .prepare(
        name: try string(), parameterTypes: try list { (reader) throws(Fault) in try reader.typeName() },
        try innerStatement())
    case .execute: return .execute(name: try string(), arguments: try expressions())
    case .deallocate: return .deallocate(name: try optionalString())
    case .declareCursor:
      return .declareCursor(
        DeclareCursorStatement(
          name: try string(), isBinary: try flag(), isScrollable: try flag(), isWithHold: try flag(),
          query: try innerStatement()))
    case .fetch: return .fetch(try fetch())
    case .closeCursor: return .closeCursor(name: try optionalString())
    case .call: return .call(try functionCall(try self.head(of: .function)))
    case .discard:
      let targets: [DiscardTarget] = [.all, .plans, .sequences, .temporary]
      let index = Int(try integer())
      guard targets.indices.contains(index) else { throw Fault.bug("discard target \(index) is not known") }
      return .discard(targets[index])
    case .copy: return .copy(try copy())
    case .listen: return .listen(channel: try string())
    case .unlisten: return .unlisten(channel: try optionalString())
    case .createForeignTable: return .createForeignTable(try createForeignTable())
    case .dropForeignTable:
      return .dropForeignTable(
        DropForeignTableStatement(
          ifExists: try flag(), names: try list { (reader) throws(Fault) in try reader.names() }))
    case .createView: return .createView(try createView())
    case .dropView:
      return .dropView(
        DropViewStatement(ifExists: try flag(), names: try list { (reader) throws(Fault) in try reader.names() }))
    case .comment:
      guard let target = CommentStatement.Target(rawValue: try string()) else {
        throw Fault.bug("a comment on something unknown")
      }
      return .comment(CommentStatement(target: target, name: try names(), text: try optionalString()))
    case .other: return .other(name: try string())
    default:
      if let statement = try tableStatement(head) { return .table(statement) }
      throw Fault.bug("node \(head.kind) is not a statement")
    }
  }

  private mutating func options() throws(Fault) -> [OptionSyntax] {
    try list { (reader) throws(Fault) in
      let head = try reader.head(of: .option)
      let name = try reader.string()
      if reader.skipNull() { return OptionSyntax(name: name, value: nil, location: head.location) }
      if reader.nextIsList {
        return OptionSyntax(name: name, value: nil, names: try reader.names(), location: head.location)
      }
      guard let value = try reader.literal() else {
        throw Fault.unsupported("this value of option \"\(name)\"", position: head.location.position)
      }
      return OptionSyntax(name: name, value: value, location: head.location)
    }
  }

  /// A constant, or the constant under a cast; nil if it is something else.
  private mutating func literal() throws(Fault) -> ConstantSyntax? {
    let head = try head()
    switch head.kind {
    case .constant: return try constantValue()
    case .cast:
      let inner = try literal()
      _ = try typeName()
      return inner
    default: return nil
    }
  }

  private mutating func setVariable() throws(Fault) -> SetStatement {
    let kind = try integer()
    let name = try optionalString() ?? ""
    let action: SetStatement.Action
    // Numbered as in PostgreSQL's VariableSetKind.
    switch kind {
    case 0:
      action = .set(
        try list { (reader) throws(Fault) in
          guard let value = try reader.literal() else {
            throw Fault.unsupported("this value of parameter \"\(name)\"")
          }
          return value
        })
    case 3: action = .setModes(try options())
    default:
      _ = try listCount()
      action = kind == 1 ? .setDefault : kind == 2 ? .setCurrent : kind == 4 ? .reset : .resetAll
    }
    return SetStatement(name: name, action: action, isLocal: try flag())
  }

  private mutating func transaction() throws(Fault) -> TransactionStatement {
    let kind = try integer()
    let modes = try options()
    let savepoint = try optionalString() ?? ""
    let isChained = try flag()
    let actions: [TransactionStatement.Action] = [
      .begin, .start, .commit, .rollback, .savepoint(savepoint), .release(savepoint), .rollbackTo(savepoint), .prepare,
      .commitPrepared, .rollbackPrepared,
    ]
    guard actions.indices.contains(Int(kind)) else { throw Fault.bug("transaction statement \(kind) is not known") }
    return TransactionStatement(action: actions[Int(kind)], modes: modes, isChained: isChained)
  }

  private mutating func fetch() throws(Fault) -> FetchStatement {
    let cursor = try string()
    let directions: [FetchStatement.Direction] = [.forward, .backward, .absolute, .relative]
    let index = Int(try integer())
    let count = try integer()
    let isAll = try flag()
    guard directions.indices.contains(index) else { throw Fault.bug("fetch direction \(index) is not known") }
    return FetchStatement(
      cursor: cursor, direction: directions[index], count: isAll ? nil : count, isMove: try flag())
  }

  private mutating func copy() throws(Fault) -> CopyStatement {
    let table = try optional { (reader) throws(Fault) in try reader.relation(try reader.head(of: .relation)) }
    let query = try optional { (reader) throws(Fault) in try reader.innerStatement() }
    let columns = try names()
    let source: CopyStatement.Source
    if let table {
      source = .relation(table, columns: columns)
    } else if let query {
      source = .query(query)
    } else {
      throw Fault.bug("COPY has neither a table nor a query")
    }
    return CopyStatement(
      source: source, isFrom: try flag(), isProgram: try flag(), fileName: try optionalString(),
      options: try options(), filter: try optionalExpression())
  }

  private mutating func createView() throws(Fault) -> CreateViewStatement {
    let view = try relation(try head(of: .relation))
    let isTemporary = try flag()
    let columns = try names()
    let orReplace = try flag()
    if try flag() { throw Fault.unsupported("WITH CHECK OPTION", position: view.location.position) }
    guard try options().isEmpty else { throw Fault.unsupported("options of a view", position: view.location.position) }
    return CreateViewStatement(
      view: view, isTemporary: isTemporary, columns: columns, orReplace: orReplace, query: try select())
  }

  private mutating func createForeignTable() throws(Fault) -> CreateForeignTableStatement {
    let table = try relation(try head(of: .relation))
    let ifNotExists = try flag()
    if try flag() { throw Fault.unsupported("INHERITS or PARTITION OF of a foreign table") }
    let columns = try list { (reader) throws(Fault) in
      let head = try reader.head(of: .columnDefinition)
      return CreateForeignTableStatement.ColumnDefinition(
        name: try reader.string(), type: try reader.typeName(), isRequired: try reader.flag(), location: head.location)
    }
    return CreateForeignTableStatement(
      table: table, ifNotExists: ifNotExists, columns: columns, server: try string(), options: try options())
  }
}
