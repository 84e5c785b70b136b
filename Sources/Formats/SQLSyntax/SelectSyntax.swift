// Queries as the parser saw them.

/// A query: SELECT, VALUES or a set operation, with what may follow each of them.
package final class SelectStatement: Sendable {
  package let with: WithSyntax?
  package let body: SelectBody
  package let orderBy: [SortSyntax]
  package let offset: ExpressionSyntax?
  /// nil also for `LIMIT ALL`, which arrives as a null constant.
  package let limit: ExpressionSyntax?
  package let isWithTies: Bool
  /// `FOR UPDATE` and its like.
  package let isLocking: Bool

  package init(
    with: WithSyntax?, body: SelectBody, orderBy: [SortSyntax], offset: ExpressionSyntax?, limit: ExpressionSyntax?,
    isWithTies: Bool, isLocking: Bool
  ) {
    self.with = with
    self.body = body
    self.orderBy = orderBy
    self.offset = offset
    self.limit = limit
    self.isWithTies = isWithTies
    self.isLocking = isLocking
  }
}

package enum SelectBody: Sendable {
  case select(SelectCore)
  case values([[ExpressionSyntax]])
  case setOperation(SetOperator, isAll: Bool, SelectStatement, SelectStatement)
}

package enum SetOperator: String, Hashable, Sendable {
  case union = "UNION"
  case intersect = "INTERSECT"
  case except = "EXCEPT"
}

/// `SELECT ... FROM ... WHERE ... GROUP BY ... HAVING ... WINDOW ...`.
package struct SelectCore: Sendable {
  package let distinct: DistinctSyntax
  package let targets: [TargetSyntax]
  package let from: [TableSyntax]
  package let filter: ExpressionSyntax?
  package let groupBy: [GroupingSyntax]
  package let isGroupDistinct: Bool
  package let having: ExpressionSyntax?
  package let windows: [WindowSyntax]

  package init(
    distinct: DistinctSyntax, targets: [TargetSyntax], from: [TableSyntax], filter: ExpressionSyntax?,
    groupBy: [GroupingSyntax], isGroupDistinct: Bool, having: ExpressionSyntax?, windows: [WindowSyntax]
  ) {
    self.distinct = distinct
    self.targets = targets
    self.from = from
    self.filter = filter
    self.groupBy = groupBy
    self.isGroupDistinct = isGroupDistinct
    self.having = having
    self.windows = windows
  }
}

package enum DistinctSyntax: Sendable {
  case none
  case all
  case on([ExpressionSyntax])
}

/// An output column: `expression AS name`.
package struct TargetSyntax: Sendable {
  package let name: String?
  package let expression: ExpressionSyntax
  package let location: SourceLocation

  package init(name: String?, expression: ExpressionSyntax, location: SourceLocation) {
    self.name = name
    self.expression = expression
    self.location = location
  }
}

package indirect enum GroupingSyntax: Sendable {
  case expression(ExpressionSyntax)
  /// `()`.
  case empty
  case rollup([ExpressionSyntax], SourceLocation)
  case cube([ExpressionSyntax], SourceLocation)
  case sets([GroupingSyntax], SourceLocation)

  /// Where it stands.
  package var location: SourceLocation {
    switch self {
    case .expression(let expression): expression.location
    case .empty: .unknown
    case .rollup(_, let location), .cube(_, let location), .sets(_, let location): location
    }
  }
}

package struct WithSyntax: Sendable {
  package let isRecursive: Bool
  package let tables: [CommonTableSyntax]
  package let location: SourceLocation
}

/// `name (columns) AS [NOT] MATERIALIZED (query)`.
package struct CommonTableSyntax: Sendable {
  package let name: String
  package let columns: [String]
  /// nil: not said.
  package let isMaterialized: Bool?
  package let search: SearchSyntax?
  package let cycle: CycleSyntax?
  package let query: SelectStatement
  package let location: SourceLocation
}

/// `SEARCH DEPTH|BREADTH FIRST BY columns SET sequence` of a recursive WITH item.
package struct SearchSyntax: Sendable {
  package let columns: [String]
  package let isBreadthFirst: Bool
  package let sequence: String
  package let location: SourceLocation
}

/// `CYCLE columns SET mark TO value DEFAULT other USING path` of a recursive WITH item.
package struct CycleSyntax: Sendable {
  package let columns: [String]
  package let mark: String
  package let value: ExpressionSyntax
  package let otherwise: ExpressionSyntax
  package let path: String
  package let location: SourceLocation
}

/// `AS name (columns)`.
package struct AliasSyntax: Sendable {
  package let name: String
  package let columns: [String]
}

package enum JoinKindSyntax: String, Hashable, Sendable { case inner, left, right, full, cross }

package enum JoinCondition: Sendable {
  case none
  case on(ExpressionSyntax)
  case using([String], alias: String?)
  case natural
}

/// An item of FROM.
package indirect enum TableSyntax: Sendable {
  case relation(RelationSyntax)
  case subquery(SelectStatement, alias: AliasSyntax?, isLateral: Bool)
  /// One call, or several of `ROWS FROM`.
  case function([ExpressionSyntax], alias: AliasSyntax?, isLateral: Bool, hasOrdinality: Bool, SourceLocation)
  /// `table TABLESAMPLE method (arguments) REPEATABLE (seed)`.
  case sample(RelationSyntax, SampleSyntax)
  case join(JoinKindSyntax, TableSyntax, TableSyntax, JoinCondition, alias: AliasSyntax?)
}

/// `TABLESAMPLE method (arguments) REPEATABLE (seed)`.
package struct SampleSyntax: Sendable {
  package let method: [String]
  package let arguments: [ExpressionSyntax]
  package let seed: ExpressionSyntax?
  package let location: SourceLocation
}

/// `database.schema.name AS alias`.
package struct RelationSyntax: Sendable {
  package let catalog: String?
  package let schema: String?
  package let name: String
  package let alias: AliasSyntax?
  package let location: SourceLocation
}
