// Statements as the parser saw them.

/// One statement of a text.
package struct Statement: Sendable {
  package let kind: Kind
  /// Its own bytes in the text that was parsed, without the semicolon and the white space around it.
  package let bytes: Range<Int>

  package indirect enum Kind: Sendable {
    case select(SelectStatement)
    case explain(ExplainStatement)
    case set(SetStatement)
    /// `SHOW name`; `all` for SHOW ALL.
    case show(name: String)
    case transaction(TransactionStatement)
    case prepare(name: String, parameterTypes: [TypeNameSyntax], Statement)
    case execute(name: String, arguments: [ExpressionSyntax])
    /// nil: DEALLOCATE ALL.
    case deallocate(name: String?)
    case declareCursor(DeclareCursorStatement)
    case fetch(FetchStatement)
    /// nil: CLOSE ALL.
    case closeCursor(name: String?)
    case call(FunctionCallSyntax)
    case discard(DiscardTarget)
    case copy(CopyStatement)
    case listen(channel: String)
    /// nil: UNLISTEN *.
    case unlisten(channel: String?)
    case createForeignTable(CreateForeignTableStatement)
    case dropForeignTable(DropForeignTableStatement)
    case createView(CreateViewStatement)
    case dropView(DropViewStatement)
    case comment(CommentStatement)
    /// About plain tables: CREATE TABLE, INSERT, UPDATE, ...
    case table(TableStatement)
    /// A command of PostgreSQL that is parsed but not represented, by its name: `INSERT`, `CREATE TABLE`.
    case other(name: String)
  }
}

/// `name value` of EXPLAIN, COPY and transaction modes.
package struct OptionSyntax: Sendable {
  package let name: String
  package let value: ConstantSyntax?
  /// A list of names, as FORCE_QUOTE of COPY has.
  package var names: [String]?
  package let location: SourceLocation
}

package struct ExplainStatement: Sendable {
  package let options: [OptionSyntax]
  package let statement: Statement
}

/// SET and RESET.
package struct SetStatement: Sendable {
  package enum Action: Sendable {
    /// Each value as text; SET TIME ZONE INTERVAL gives the interval's text.
    case set([ConstantSyntax])
    case setDefault
    case setCurrent
    /// SET TRANSACTION and SET SESSION CHARACTERISTICS: modes.
    case setModes([OptionSyntax])
    case reset
    case resetAll
  }
  /// In lower case unless it was quoted; empty for RESET ALL.
  package let name: String
  package let action: Action
  package let isLocal: Bool
}

package struct TransactionStatement: Sendable {
  package enum Action: Hashable, Sendable {
    case begin, start, commit, rollback
    case savepoint(String), release(String), rollbackTo(String)
    case prepare, commitPrepared, rollbackPrepared
  }
  package let action: Action
  /// `transaction_isolation`, `transaction_read_only`, `transaction_deferrable`.
  package let modes: [OptionSyntax]
  /// `AND CHAIN`.
  package let isChained: Bool
}

package struct DeclareCursorStatement: Sendable {
  package let name: String
  package let isBinary: Bool
  package let isScrollable: Bool
  package let isWithHold: Bool
  package let query: Statement
}

/// FETCH and MOVE.
package struct FetchStatement: Sendable {
  package enum Direction: Hashable, Sendable { case forward, backward, absolute, relative }
  package let cursor: String
  package let direction: Direction
  /// nil: ALL.
  package let count: Int64?
  package let isMove: Bool
}

package enum DiscardTarget: Hashable, Sendable { case all, plans, sequences, temporary }

package struct CopyStatement: Sendable {
  package enum Source: Sendable {
    case relation(RelationSyntax, columns: [String])
    case query(Statement)
  }
  package let source: Source
  package let isFrom: Bool
  package let isProgram: Bool
  /// nil: STDIN or STDOUT.
  package let fileName: String?
  package let options: [OptionSyntax]
  package let filter: ExpressionSyntax?
}

/// `CREATE FOREIGN TABLE [IF NOT EXISTS] name [(columns)] SERVER server OPTIONS (...)`.
package struct CreateForeignTableStatement: Sendable {
  /// `name type [NOT NULL]`.
  package struct ColumnDefinition: Sendable {
    package let name: String
    package let type: TypeNameSyntax
    package let isRequired: Bool
    package let location: SourceLocation
  }
  package let table: RelationSyntax
  package let ifNotExists: Bool
  /// Empty: those of the source.
  package let columns: [ColumnDefinition]
  package let server: String
  package let options: [OptionSyntax]
}

/// `DROP FOREIGN TABLE [IF EXISTS] name, ...`.
package struct DropForeignTableStatement: Sendable {
  package let ifExists: Bool
  /// One to three names each.
  package let names: [[String]]
}

/// `CREATE [OR REPLACE] [TEMP] VIEW name [(columns)] AS query`.
package struct CreateViewStatement: Sendable {
  package let view: RelationSyntax
  package let isTemporary: Bool
  package let columns: [String]
  package let orReplace: Bool
  package let query: SelectStatement
}

/// `DROP VIEW [IF EXISTS] name, ...`.
package struct DropViewStatement: Sendable {
  package let ifExists: Bool
  /// One to three names each.
  package let names: [[String]]
}

/// `COMMENT ON TABLE|FOREIGN TABLE|VIEW|COLUMN name IS 'text'`.
package struct CommentStatement: Sendable {
  package enum Target: String, Hashable, Sendable {
    case table, view, column
    case foreignTable = "foreign table"
  }
  package let target: Target
  /// Of a column, its relation's name and its own at the end.
  package let name: [String]
  /// nil: the comment goes away.
  package let text: String?
}
