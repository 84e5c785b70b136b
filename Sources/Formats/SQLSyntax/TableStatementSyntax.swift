// Statements that make, change and fill plain tables.

/// `CREATE [TEMPORARY] TABLE [IF NOT EXISTS] name (columns)`.
package struct CreateTableStatement: Sendable {
  /// `name type [NOT NULL] [DEFAULT expression]`.
  package struct ColumnDefinition: Sendable {
    package let name: String
    package let type: TypeNameSyntax
    package let isRequired: Bool
    /// The expression as it was written.
    package let defaultText: String?
    package let location: SourceLocation
  }
  package let table: TableNameSyntax
  package let columns: [ColumnDefinition]
}

/// What a new table is called and how long it lives.
package struct TableNameSyntax: Sendable {
  package enum OnCommit: Hashable, Sendable { case keepRows, deleteRows, drop }
  package let relation: RelationSyntax
  package let isTemporary: Bool
  package let onCommit: OnCommit
  package let ifNotExists: Bool
}

/// `CREATE TABLE name [(columns)] AS query`, `SELECT ... INTO name ...`.
package struct CreateTableAsStatement: Sendable {
  package let table: TableNameSyntax
  package let columns: [String]
  package let query: SelectStatement
  package let hasNoData: Bool
  package let isSelectInto: Bool
}

/// `DROP TABLE`, `DROP SCHEMA`.
package struct DropStatement: Sendable {
  package let ifExists: Bool
  package let isCascade: Bool
  /// One to three names each.
  package let names: [[String]]
}

/// The table to be written to, `name [AS alias]`.
package struct WriteTarget: Sendable {
  package let relation: RelationSyntax
  package var alias: String { relation.alias?.name ?? relation.name }
}

/// `column = value` of UPDATE; of INSERT the column alone.
package struct AssignmentSyntax: Sendable {
  package let column: String
  /// nil in INSERT.
  package let value: ExpressionSyntax?
  package let location: SourceLocation
}

/// INSERT, UPDATE or DELETE.
package struct WriteStatement: Sendable {
  package enum Action: Sendable {
    /// nil: DEFAULT VALUES. `columns` empty: those of the table, in order.
    case insert(columns: [AssignmentSyntax], SelectStatement?)
    case update([AssignmentSyntax], from: [TableSyntax], filter: ExpressionSyntax?)
    case delete(using: [TableSyntax], filter: ExpressionSyntax?)
  }
  package let target: WriteTarget
  package let with: WithSyntax?
  package let action: Action
  package let returning: [TargetSyntax]

  /// `INSERT INTO relation DEFAULT VALUES`.
  package static func defaults(into relation: RelationSyntax) -> WriteStatement {
    WriteStatement(
      target: WriteTarget(relation: relation), with: nil, action: .insert(columns: [], nil), returning: [])
  }

  /// The word of the command tag.
  package var name: String {
    switch action {
    case .insert: "INSERT"
    case .update: "UPDATE"
    case .delete: "DELETE"
    }
  }

  /// The query for `targets` over the target table and what stands beside it in FROM or USING.
  ///
  /// - Parameter schema: where the target table is; no WITH item hides it then.
  package func query(schema: String, targets: [TargetSyntax]) -> SelectStatement {
    let table = RelationSyntax(
      catalog: nil, schema: schema, name: target.relation.name,
      alias: target.relation.alias ?? AliasSyntax(name: target.relation.name, columns: []),
      location: target.relation.location)
    let others: [TableSyntax]
    let filter: ExpressionSyntax?
    switch action {
    case .insert: (others, filter) = ([], nil)
    case .update(_, let from, let condition): (others, filter) = (from, condition)
    case .delete(let using, let condition): (others, filter) = (using, condition)
    }
    return SelectStatement(with: with, targets: targets, from: [.relation(table)] + others, filter: filter)
  }

  /// The query for RETURNING over the written rows of the table alone.
  package func returningQuery(schema: String) -> SelectStatement {
    let table = RelationSyntax(
      catalog: nil, schema: schema, name: target.relation.name,
      alias: target.relation.alias ?? AliasSyntax(name: target.relation.name, columns: []),
      location: target.relation.location)
    return SelectStatement(with: nil, targets: returning, from: [.relation(table)], filter: nil)
  }
}

extension SelectStatement {
  convenience init(with: WithSyntax?, targets: [TargetSyntax], from: [TableSyntax], filter: ExpressionSyntax?) {
    self.init(
      with: with,
      body: .select(
        SelectCore(
          distinct: .none, targets: targets, from: from, filter: filter, groupBy: [], isGroupDistinct: false, having: nil,
          windows: [])),
      orderBy: [], offset: nil, limit: nil, isWithTies: false, isLocking: false)
  }

  /// `SELECT columns FROM schema.table`, as COPY of a table reads it.
  package static func reading(_ columns: [String], of relation: RelationSyntax) -> SelectStatement {
    SelectStatement(
      with: nil,
      targets: columns.map {
        TargetSyntax(name: nil, expression: ExpressionSyntax(.column([$0]), at: relation.location), location: relation.location)
      }, from: [.relation(relation)], filter: nil)
  }

  /// The same query inside another WITH clause, for INSERT.
  package func adding(_ outer: WithSyntax?) -> SelectStatement? {
    guard let outer else { return self }
    guard with == nil else { return nil }
    return SelectStatement(
      with: outer, body: body, orderBy: orderBy, offset: offset, limit: limit, isWithTies: isWithTies,
      isLocking: isLocking)
  }

  /// The rows of a bare VALUES list.
  package var plainValues: [[ExpressionSyntax]]? {
    guard case .values(let rows) = body, with == nil, orderBy.isEmpty, offset == nil, limit == nil else { return nil }
    return rows
  }
}

/// `ALTER TABLE ... RENAME TO`.
package struct RenameTableStatement: Sendable {
  package let relation: RelationSyntax
  package let ifExists: Bool
  package let name: String
}

/// `ALTER TABLE ... ADD COLUMN`.
package struct AddColumnStatement: Sendable {
  package let relation: RelationSyntax
  package let ifExists: Bool
  package let ifNotExists: Bool
  package let column: CreateTableStatement.ColumnDefinition
}

/// Statements about plain tables.
package enum TableStatement: Sendable {
  case create(CreateTableStatement)
  case createAs(CreateTableAsStatement)
  case drop(DropStatement)
  case write(WriteStatement)
  case truncate([RelationSyntax])
  case createSchema(name: String, ifNotExists: Bool)
  case dropSchema(DropStatement)
  case rename(RenameTableStatement)
  case addColumn(AddColumnStatement)
}
