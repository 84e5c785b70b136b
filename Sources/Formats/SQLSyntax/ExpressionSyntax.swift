// Expressions as the parser saw them: names are not resolved, types not known.

/// One expression and where it stands.
package struct ExpressionSyntax: Sendable {
  package let kind: Kind
  package let location: SourceLocation

  package init(_ kind: Kind, at location: SourceLocation) {
    self.kind = kind
    self.location = location
  }

  package indirect enum Kind: Sendable {
    /// `a`, `t.a`, `s.t.a`: one to four names.
    case column([String])
    /// `*`, `t.*`, `s.t.*`.
    case star(qualifier: [String])
    /// `$number`.
    case parameter(Int)
    case constant(ConstantSyntax)
    /// A binary operator, or a prefix operator when `left` is nil. LIKE, ILIKE and SIMILAR TO are the operators
    /// `~~`, `~~*`, `~` and their negations, as in PostgreSQL; `keyword` says how the text wrote them.
    case operation(OperatorSyntax, left: ExpressionSyntax?, right: ExpressionSyntax)
    /// `left op ANY (array)`, `left op ALL (array)`.
    case quantified(OperatorSyntax, Quantifier, left: ExpressionSyntax, array: ExpressionSyntax)
    /// `left op ANY (SELECT ...)`; `left IN (SELECT ...)` is `= ANY`.
    case quantifiedSubquery(OperatorSyntax, Quantifier, left: ExpressionSyntax, SelectStatement)
    case isDistinct(ExpressionSyntax, from: ExpressionSyntax, negated: Bool)
    case nullIf(ExpressionSyntax, ExpressionSyntax)
    case inList(ExpressionSyntax, [ExpressionSyntax], negated: Bool)
    case between(
      ExpressionSyntax, low: ExpressionSyntax, high: ExpressionSyntax, negated: Bool, symmetric: Bool)
    case and([ExpressionSyntax])
    case or([ExpressionSyntax])
    case not(ExpressionSyntax)
    case isNull(ExpressionSyntax, negated: Bool)
    case isBoolean(ExpressionSyntax, BooleanTest, negated: Bool)
    case conditional(argument: ExpressionSyntax?, branches: [WhenSyntax], otherwise: ExpressionSyntax?)
    case coalesce([ExpressionSyntax])
    case greatest([ExpressionSyntax])
    case least([ExpressionSyntax])
    case cast(ExpressionSyntax, TypeNameSyntax)
    case collate(ExpressionSyntax, collation: [String])
    case function(FunctionCallSyntax)
    /// `precision`: of `current_time(n)` and its like.
    case valueFunction(ValueFunction, precision: Int?)
    case array([ExpressionSyntax])
    case row([ExpressionSyntax])
    case scalarSubquery(SelectStatement)
    case exists(SelectStatement)
    case arraySubquery(SelectStatement)
    /// `(expression).name`.
    case field(ExpressionSyntax, name: String)
    /// `(expression).*`.
    case allFields(ExpressionSyntax)
    /// `expression[index]`.
    case element(ExpressionSyntax, index: ExpressionSyntax)
    /// `expression[lower:upper]`.
    case slice(ExpressionSyntax, lower: ExpressionSyntax?, upper: ExpressionSyntax?)
    /// `GROUPING(...)`.
    case grouping([ExpressionSyntax])
    /// `DEFAULT` in a VALUES list.
    case defaultValue
  }
}

package enum ConstantSyntax: Hashable, Sendable {
  case null
  case boolean(Bool)
  /// An integer literal that fits 32 bits.
  case integer(Int32)
  /// Any other number, as it was written.
  case number(String)
  case string(String)
  /// `b'01'` or `x'1F'` with its leading letter.
  case bitString(String)
}

/// An operator's name, perhaps with a schema: `OPERATOR(pg_catalog.~)`.
package struct OperatorSyntax: Hashable, Sendable {
  package let schema: String?
  package let name: String
  package init(schema: String? = nil, name: String) {
    self.schema = schema
    self.name = name
  }
}

package enum Quantifier: Hashable, Sendable { case any, all }
package enum BooleanTest: Hashable, Sendable { case `true`, `false`, unknown }

/// `WHEN condition THEN result`.
package struct WhenSyntax: Sendable {
  package let condition: ExpressionSyntax
  package let result: ExpressionSyntax
}

/// The functions of SQL that are called without parentheses.
package enum ValueFunction: String, Hashable, Sendable {
  case currentDate = "current_date"
  case currentTime = "current_time"
  case currentTimestamp = "current_timestamp"
  case localTime = "localtime"
  case localTimestamp = "localtimestamp"
  case currentRole = "current_role"
  case currentUser = "current_user"
  case user
  case sessionUser = "session_user"
  case currentCatalog = "current_catalog"
  case currentSchema = "current_schema"
}

/// A call of a function or an aggregate.
package struct FunctionCallSyntax: Sendable {
  /// One to three names.
  package let name: [String]
  package let arguments: [ArgumentSyntax]
  /// `ORDER BY` inside the parentheses, or of `WITHIN GROUP`.
  package let orderBy: [SortSyntax]
  package let filter: ExpressionSyntax?
  package let over: WindowSyntax?
  package let isWithinGroup: Bool
  /// `count(*)`.
  package let isStar: Bool
  package let isDistinct: Bool
  /// The last argument is an array of the remaining arguments.
  package let isVariadic: Bool
  /// Written in SQL's own way: EXTRACT, AT TIME ZONE, POSITION, OVERLAY, SUBSTRING, TRIM ...
  package let isSQLSyntax: Bool
  package let location: SourceLocation
}

package struct ArgumentSyntax: Sendable {
  /// Of `name => value`.
  package let name: String?
  package let value: ExpressionSyntax
}

/// A type as written: `numeric(10,2)[]`.
package struct TypeNameSyntax: Sendable {
  /// Perhaps with a schema; the grammar's own types come as `pg_catalog.int4` and so on.
  package let name: [String]
  package let modifiers: [ExpressionSyntax]
  package let arrayDimensions: Int
  package let location: SourceLocation
}

/// `expression ASC|DESC NULLS FIRST|LAST`.
package struct SortSyntax: Sendable {
  package let expression: ExpressionSyntax
  package let isDescending: Bool
  /// nil: PostgreSQL's default, last when ascending, first when descending.
  package let nullsFirst: Bool?
  package let location: SourceLocation
}

/// A window, named or written in place.
package struct WindowSyntax: Sendable {
  /// Its own name, in a WINDOW clause; in `OVER name` the window that is meant.
  package let name: String?
  /// The window that it copies: `OVER (name ...)`.
  package let base: String?
  package let partitionBy: [ExpressionSyntax]
  package let orderBy: [SortSyntax]
  package let frame: WindowFrameSyntax
  package let location: SourceLocation
}

/// A window frame; the default is RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW.
package struct WindowFrameSyntax: Sendable {
  package enum Unit: Hashable, Sendable { case rows, range, groups }
  package enum Bound: Sendable {
    case unboundedPreceding
    case preceding(ExpressionSyntax)
    case currentRow
    case following(ExpressionSyntax)
    case unboundedFollowing
  }
  package enum Exclusion: Hashable, Sendable { case none, currentRow, group, ties }
  /// Whether the text named a frame.
  package let isExplicit: Bool
  package let unit: Unit
  package let start: Bound
  package let end: Bound
  package let exclusion: Exclusion
}
