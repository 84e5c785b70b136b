// Statements about plain tables: from the flat tree to `TableStatement`.

import Bedrock
import CPgQuery

extension TreeReader {
  /// nil: `head` is another statement.
  mutating func tableStatement(_ head: Head) throws(Fault) -> TableStatement? {
    switch head.kind {
    case .insert: return .write(try insert())
    case .update: return .write(try update())
    case .delete: return .write(try delete())
    case .truncate:
      return .truncate(try list { (reader) throws(Fault) in try reader.relation(try reader.head(of: .relation)) })
    case .createTable: return .create(try createTable())
    case .createTableAs: return .createAs(try createTableAs())
    case .createSchema:
      let name = try optionalString()
      let ifNotExists = try flag()
      let refused = try optionalString()
      guard let name, refused == nil else { throw Fault.unsupported("CREATE SCHEMA with \(refused ?? "AUTHORIZATION")") }
      return .createSchema(name: name, ifNotExists: ifNotExists)
    case .dropTable: return .drop(try dropStatement())
    case .dropSchema: return .dropSchema(try dropStatement())
    case .renameTable:
      return .rename(
        RenameTableStatement(
          relation: try relation(try self.head(of: .relation)), ifExists: try flag(), name: try string()))
    case .addColumn: return .addColumn(try addColumn())
    default: return nil
    }
  }

  // MARK: Writes

  private mutating func target() throws(Fault) -> WriteTarget {
    WriteTarget(relation: try relation(try head(of: .relation)))
  }

  private mutating func returning() throws(Fault) -> [TargetSyntax] {
    try list { (reader) throws(Fault) in
      let head = try reader.head(of: .target)
      return TargetSyntax(
        name: try reader.optionalString(), expression: try reader.expression(), location: head.location)
    }
  }

  private mutating func insert() throws(Fault) -> WriteStatement {
    let with = try optional { (reader) throws(Fault) in try reader.withClause() }
    let target = try target()
    let columns = try assignments()
    let query = try optional { (reader) throws(Fault) in try reader.select() }
    let returning = try returning()
    if let refused = try optionalString() {
      throw Fault.unsupported(
        refused, hint: "Tables have no unique keys: insert the rows that are not there with WHERE NOT EXISTS.")
    }
    return WriteStatement(
      target: target, with: with, action: .insert(columns: columns, query), returning: returning)
  }

  private mutating func update() throws(Fault) -> WriteStatement {
    let with = try optional { (reader) throws(Fault) in try reader.withClause() }
    let target = try target()
    let assignments = try assignments()
    let from = try list { (reader) throws(Fault) in try reader.table() }
    let filter = try optionalExpression()
    return WriteStatement(
      target: target, with: with, action: .update(assignments, from: from, filter: filter), returning: try returning())
  }

  private mutating func delete() throws(Fault) -> WriteStatement {
    let with = try optional { (reader) throws(Fault) in try reader.withClause() }
    let target = try target()
    let using = try list { (reader) throws(Fault) in try reader.table() }
    let filter = try optionalExpression()
    return WriteStatement(
      target: target, with: with, action: .delete(using: using, filter: filter), returning: try returning())
  }

  private mutating func assignments() throws(Fault) -> [AssignmentSyntax] {
    try list { (reader) throws(Fault) in
      let head = try reader.head(of: .assignment)
      let name = try reader.string()
      if try reader.flag() {
        throw Fault.unsupported("assigning to a part of column \"\(name)\"", position: head.location.position)
      }
      let place = Int(try reader.integer())
      let count = Int(try reader.integer())
      let value = try reader.optionalExpression()
      guard place > 0, let value else {
        return AssignmentSyntax(column: name, value: value, location: head.location)
      }
      guard case .row(let parts) = value.kind else {
        throw Fault.unsupported(
          "assigning a subquery to several columns", position: value.location.position, hint: "Use UPDATE ... FROM.")
      }
      guard parts.count == count else {
        throw Fault(.syntaxError, "number of columns does not match number of values", position: value.location.position)
      }
      return AssignmentSyntax(column: name, value: parts[place - 1], location: head.location)
    }
  }

  // MARK: Tables

  private mutating func tableName() throws(Fault) -> (RelationSyntax, isTemporary: Bool, TableNameSyntax.OnCommit, Bool) {
    let relation = try relation(try head(of: .relation))
    let isTemporary = try flag()
    // Numbered as in PostgreSQL's OnCommitAction.
    let action = try integer()
    let onCommit: TableNameSyntax.OnCommit = action == 2 ? .deleteRows : action == 3 ? .drop : .keepRows
    if action != 0 && !isTemporary {
      throw Fault(.invalidTableDefinition, "ON COMMIT can only be used on temporary tables")
    }
    return (relation, isTemporary, onCommit, try flag())
  }

  private func refuse(_ what: String?, _ statement: String) throws(Fault) {
    if let what { throw Fault.unsupported("\(what) in \(statement)") }
  }

  private mutating func createTable() throws(Fault) -> CreateTableStatement {
    let (relation, isTemporary, onCommit, ifNotExists) = try tableName()
    let columns = try list { (reader) throws(Fault) in try reader.tableColumn() }
    try refuse(try optionalString(), "CREATE TABLE")
    return CreateTableStatement(
      table: TableNameSyntax(
        relation: relation, isTemporary: isTemporary, onCommit: onCommit, ifNotExists: ifNotExists), columns: columns)
  }

  private mutating func createTableAs() throws(Fault) -> CreateTableAsStatement {
    let (relation, isTemporary, onCommit, ifNotExists) = try tableName()
    let columns = try names()
    let hasNoData = try flag()
    try refuse(try optionalString(), "CREATE TABLE AS")
    return CreateTableAsStatement(
      table: TableNameSyntax(
        relation: relation, isTemporary: isTemporary, onCommit: onCommit, ifNotExists: ifNotExists), columns: columns,
      query: try select(), hasNoData: hasNoData, isSelectInto: try flag())
  }

  private mutating func addColumn() throws(Fault) -> AddColumnStatement {
    let relation = try relation(try head(of: .relation))
    let ifExists = try flag()
    let ifNotExists = try flag()
    return AddColumnStatement(relation: relation, ifExists: ifExists, ifNotExists: ifNotExists, column: try tableColumn())
  }

  private mutating func tableColumn() throws(Fault) -> CreateTableStatement.ColumnDefinition {
    let head = try head(of: .tableColumn)
    let name = try string()
    let type = try optional { (reader) throws(Fault) in try reader.typeName() }
    let isRequired = try flag()
    let begin = Int(try integer())
    let end = Int(try integer())
    if let refused = try optionalString() { throw Self.refusal(refused, at: head.location) }
    guard let type else { throw Fault.bug("a column without a type") }
    return CreateTableStatement.ColumnDefinition(
      name: name, type: type, isRequired: isRequired,
      defaultText: begin < 0 ? nil : DefaultText.text(in: locations.bytes, from: begin, before: end),
      location: head.location)
  }

  private static func refusal(_ what: String, at location: SourceLocation) -> Fault {
    let hint: String? =
      switch what {
      case "PRIMARY KEY", "UNIQUE", "EXCLUDE":
        "Tables have no indexes that could keep values unique: leave it out, and check with GROUP BY ... HAVING count(*) > 1."
      case "FOREIGN KEY": "References between tables are not checked: leave it out, and check with an anti join."
      case "CHECK": "Only NOT NULL is checked: leave it out."
      case "GENERATED AS IDENTITY": "Use uuid DEFAULT gen_random_uuid(), or number the rows when you insert them."
      default: nil
      }
    return Fault.unsupported(what, position: location.position, hint: hint)
  }

  private mutating func dropStatement() throws(Fault) -> DropStatement {
    DropStatement(
      ifExists: try flag(), isCascade: try flag(), names: try list { (reader) throws(Fault) in try reader.names() })
  }
}

/// The text of a DEFAULT expression, cut out of its statement.
///
/// The tree tells where `DEFAULT` and the next constraint begin; the expression ends there, or in front of the comma or
/// parenthesis that ends the column.
enum DefaultText {
  static func text(in bytes: [UInt8], from begin: Int, before next: Int) -> String {
    let limit = next >= 0 ? min(next, bytes.count) : bytes.count
    var at = min(begin + "DEFAULT".utf8.count, limit)
    let start = at
    var depth = 0
    scan: while at < limit {
      switch bytes[at] {
      case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: ")"), UInt8(ascii: "]"):
        if depth == 0 { break scan }
        depth -= 1
      case UInt8(ascii: ",") where depth == 0, UInt8(ascii: ";") where depth == 0: break scan
      case UInt8(ascii: "'"), UInt8(ascii: "\""): at = afterQuote(bytes, at, limit) - 1
      case UInt8(ascii: "-") where at + 1 < limit && bytes[at + 1] == UInt8(ascii: "-"):
        while at < limit, bytes[at] != 10 { at += 1 }
        continue
      case UInt8(ascii: "/") where at + 1 < limit && bytes[at + 1] == UInt8(ascii: "*"): at = afterComment(bytes, at, limit) - 1
      case UInt8(ascii: "$"): at = afterDollars(bytes, at, limit) - 1
      default: break
      }
      at += 1
    }
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
    var range = start..<min(at, limit)
    while let first = range.first, isSpace(bytes[first]) { range = (range.lowerBound + 1)..<range.upperBound }
    while let last = range.last, isSpace(bytes[last]) { range = range.lowerBound..<(range.upperBound - 1) }
    return String(decoding: bytes[range], as: UTF8.self)
  }

  /// Behind a quoted string or name. A doubled quote begins another one at once; a backslash counts behind `E'` only.
  private static func afterQuote(_ bytes: [UInt8], _ start: Int, _ limit: Int) -> Int {
    let quote = bytes[start]
    let escapes = quote == UInt8(ascii: "'") && start > 0 && bytes[start - 1] | 0x20 == UInt8(ascii: "e")
    var at = start + 1
    while at < limit, bytes[at] != quote { at += escapes && bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
    return min(at + 1, limit)
  }

  private static func afterComment(_ bytes: [UInt8], _ start: Int, _ limit: Int) -> Int {
    var at = start
    var depth = 0
    while at + 1 < limit {
      let pair = (bytes[at], bytes[at + 1])
      if pair == (UInt8(ascii: "/"), UInt8(ascii: "*")) {
        (depth, at) = (depth + 1, at + 2)
      } else if pair == (UInt8(ascii: "*"), UInt8(ascii: "/")) {
        (depth, at) = (depth - 1, at + 2)
        if depth == 0 { return at }
      } else {
        at += 1
      }
    }
    return limit
  }

  /// Behind a string between `$tag$`, or behind a dollar that begins none.
  private static func afterDollars(_ bytes: [UInt8], _ start: Int, _ limit: Int) -> Int {
    var end = start + 1
    while end < limit, bytes[end] != UInt8(ascii: "$"), bytes[end] != UInt8(ascii: " "), bytes[end] != UInt8(ascii: ",") {
      end += 1
    }
    guard end < limit, bytes[end] == UInt8(ascii: "$") else { return start + 1 }
    let tag = bytes[start...end]
    var at = end + 1
    while at + tag.count <= limit {
      if bytes[at..<(at + tag.count)].elementsEqual(tag) { return at + tag.count }
      at += 1
    }
    return limit
  }
}

extension SQLState {
  static let invalidTableDefinition = SQLState("42P16")
}
