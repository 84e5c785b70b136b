// Bound, typed expressions: every name resolved, every cast explicit. Column numbers point into the chunk at hand.

package import Columnar
package import Functions

package indirect enum Expression: Sendable {
  /// Column of the input chunk.
  case column(Int, DataType)
  case constant(Scalar, DataType)
  /// Parameter $n, counted from 0. Replaced by a constant before execution.
  case parameter(Int, DataType)
  case call(ScalarFunction, [Expression], DataType)
  case cast(CastFunction, Expression, DataType, explicit: Bool)
  case and([Expression])
  case or([Expression])
  case not(Expression)
  case isNull(Expression)
  case isNotNull(Expression)
  /// IS [NOT] TRUE / FALSE; IS UNKNOWN is isNull.
  case isTruth(Expression, Bool, negated: Bool)
  /// IS [NOT] DISTINCT FROM; `equals` is the types' = operator.
  case isDistinct(Expression, Expression, equals: ScalarFunction, negated: Bool)
  /// Searched CASE; a simple CASE is bound into this form.
  case caseWhen([(condition: Expression, value: Expression)], otherwise: Expression?, DataType)
  case coalesce([Expression], DataType)
  /// `operand = ANY (values)` over constants of the operand's type (a null among them is kept as .null); negated: <> ALL.
  case inList(Expression, [Scalar], equals: ScalarFunction, negated: Bool)
  /// `operand op ANY|ALL (array)`; the operator takes the operand and an element.
  case arrayComparison(Expression, ScalarFunction, array: Expression, all: Bool)
  case array([Expression], DataType)
  /// The single value of an uncorrelated subquery of `PlannedQuery.subqueries`, by index; null when it has no row.
  case subqueryValue(Int, DataType)
  /// True when that subquery has a row.
  case subqueryExists(Int)
  /// All first-column values of that subquery as an array.
  case subqueryArray(Int, DataType)
  /// A subquery that runs once for each different row of arguments: what no join can stand for.
  case correlated(CorrelatedSubquery, arguments: [Expression], DataType)
  /// Argument i of the correlated subquery whose plan this stands in.
  case argument(Int, DataType)

  package var type: DataType {
    switch self {
    case .column(_, let type), .constant(_, let type), .parameter(_, let type), .call(_, _, let type),
      .cast(_, _, let type, _), .caseWhen(_, _, let type), .coalesce(_, let type), .array(_, let type),
      .subqueryValue(_, let type), .subqueryArray(_, let type), .correlated(_, _, let type), .argument(_, let type):
      type
    case .and, .or, .not, .isNull, .isNotNull, .isTruth, .isDistinct, .inList, .arrayComparison, .subqueryExists:
      .boolean
    }
  }

  /// The direct operands.
  package var children: [Expression] {
    switch self {
    case .column, .constant, .parameter, .subqueryValue, .subqueryExists, .subqueryArray, .argument: []
    case .call(_, let arguments, _), .correlated(_, let arguments, _): arguments
    case .cast(_, let operand, _, _), .not(let operand), .isNull(let operand), .isNotNull(let operand),
      .isTruth(let operand, _, _), .inList(let operand, _, _, _):
      [operand]
    case .and(let operands), .or(let operands), .coalesce(let operands, _), .array(let operands, _): operands
    case .isDistinct(let a, let b, _, _), .arrayComparison(let a, _, let b, _): [a, b]
    case .caseWhen(let branches, let otherwise, _):
      branches.flatMap { [$0.condition, $0.value] } + (otherwise.map { [$0] } ?? [])
    }
  }

  /// The same expression over other operands, one for each of `children`.
  package func replacingChildren(_ new: [Expression]) -> Expression {
    precondition(new.count == children.count)
    switch self {
    case .column, .constant, .parameter, .subqueryValue, .subqueryExists, .subqueryArray, .argument: return self
    case .correlated(let subquery, _, let type): return .correlated(subquery, arguments: new, type)
    case .call(let function, _, let type): return .call(function, new, type)
    case .cast(let cast, _, let type, let explicit): return .cast(cast, new[0], type, explicit: explicit)
    case .not: return .not(new[0])
    case .isNull: return .isNull(new[0])
    case .isNotNull: return .isNotNull(new[0])
    case .isTruth(_, let value, let negated): return .isTruth(new[0], value, negated: negated)
    case .inList(_, let values, let equals, let negated): return .inList(new[0], values, equals: equals, negated: negated)
    case .and: return .and(new)
    case .or: return .or(new)
    case .coalesce(_, let type): return .coalesce(new, type)
    case .array(_, let type): return .array(new, type)
    case .isDistinct(_, _, let equals, let negated): return .isDistinct(new[0], new[1], equals: equals, negated: negated)
    case .arrayComparison(_, let function, _, let all): return .arrayComparison(new[0], function, array: new[1], all: all)
    case .caseWhen(let branches, let otherwise, let type):
      let pairs = branches.indices.map { (condition: new[$0 * 2], value: new[$0 * 2 + 1]) }
      return .caseWhen(pairs, otherwise: otherwise == nil ? nil : new[branches.count * 2], type)
    }
  }

  /// The expression with every node changed by `change`, operands first.
  package func rewritten(_ change: (Expression) -> Expression) -> Expression {
    let old = children
    if old.isEmpty { return change(self) }
    return change(replacingChildren(old.map { $0.rewritten(change) }))
  }

  /// Calls `visit` for every node.
  package func forEach(_ visit: (Expression) -> Void) {
    visit(self)
    for child in children { child.forEach(visit) }
  }

  /// The columns it reads.
  package var columnsRead: Set<Int> {
    var found: Set<Int> = []
    forEach { if case .column(let index, _) = $0 { found.insert(index) } }
    return found
  }
}

/// The plan of a subquery over the values of outer columns, which stand in it as `Expression.argument`.
package struct CorrelatedSubquery: Sendable {
  package enum Use: Sendable {
    /// The value of the single column, null without a row; a second row is fault 21000.
    case value
    /// Whether there is a row.
    case exists
    /// All values of the first column as an array.
    case array
  }
  package let plan: PlanNode
  package let use: Use
  package init(plan: PlanNode, use: Use) {
    self.plan = plan
    self.use = use
  }
}
