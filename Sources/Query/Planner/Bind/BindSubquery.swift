// Subqueries in expressions. An uncorrelated one runs once, before the query; a correlated one becomes a join.

import Bedrock
import Columnar
import Plan
import SQLSyntax

extension Binder {
  func bindSubqueryExpression(_ syntax: ExpressionSyntax, in scope: SelectScope) throws(Fault) -> Expression {
    switch syntax.kind {
    case .exists(let query):
      let bound = try bindQuery(query, parent: scope, sight: scope.sight)
      if bound.plan.hasOuterColumns { return postpone(bound, as: .exists, .boolean, in: scope, at: syntax.location) }
      return .subqueryExists(register(.limit(bound.plan, count: .constant(.integer(1), .int8), offset: nil)))
    case .scalarSubquery(let query):
      let (bound, type) = try singleColumn(query, in: scope, at: syntax.location)
      if bound.plan.hasOuterColumns { return postpone(bound, as: .value, type, in: scope, at: syntax.location) }
      return .subqueryValue(register(bound.plan), type)
    case .arraySubquery(let query):
      let (bound, type) = try singleColumn(query, in: scope, at: syntax.location)
      if bound.plan.hasOuterColumns {
        return postpone(bound, as: .array(.array(type)), .array(type), in: scope, at: syntax.location)
      }
      return .subqueryArray(register(bound.plan), .array(type))
    case .quantifiedSubquery(let name, let quantifier, let left, let query):
      if let fields = try rowValues(left, in: scope) {
        return try compareRow(name, quantifier, fields, query, in: scope, at: syntax.location)
      }
      let operand = try bind(left, in: scope)
      let (bound, type) = try singleColumn(
        query, in: scope, at: syntax.location, refusal: "subquery has too many columns")
      let values: Expression =
        bound.plan.hasOuterColumns
        ? postpone(bound, as: .array(.array(type)), .array(type), in: scope, at: syntax.location)
        : .subqueryArray(register(bound.plan), .array(type))
      return try compareWithArray(
        name, quantifier, (operand, left.location), values, element: type, at: syntax.location)
    default: throw Fault.bug("not a subquery")
    }
  }

  func register(_ plan: PlanNode) -> Int {
    subqueries.append(plan)
    return subqueries.count - 1
  }

  func postpone(
    _ bound: BoundQuery, as use: PendingSubquery.Use, _ type: DataType, in scope: SelectScope, at location: SourceLocation
  ) -> Expression {
    scope.pending.append(PendingSubquery(use: use, plan: bound.plan, location: location))
    return .column(PendingColumn.subquery(scope.pending.count - 1), type)
  }

  func singleColumn(
    _ query: SelectStatement, in scope: SelectScope, at location: SourceLocation,
    refusal: String = "subquery must return only one column"
  ) throws(Fault) -> (BoundQuery, DataType) {
    let bound = try bindQuery(query, parent: scope, sight: scope.sight)
    guard bound.columns.count == 1 else {
      throw Fault(.syntaxError, refusal, position: location.position)
    }
    return (bound, bound.columns[0].type)
  }

  // MARK: Conditions of WHERE that are subqueries: semi and anti joins.

  /// The plan joined for a condition `[NOT] EXISTS (...)` or `x [NOT] IN (...)`; nil for any other condition, and for a
  /// subquery that no join can stand for.
  func joinedForCondition(
    _ syntax: ExpressionSyntax, _ plan: PlanNode, in scope: SelectScope
  ) throws(Fault) -> PlanNode? {
    var inner = syntax
    var isNegated = false
    while case .not(let operand) = inner.kind {
      inner = operand
      isNegated.toggle()
    }
    switch inner.kind {
    case .exists(let query):
      let bound = try bindQuery(query, parent: scope, sight: scope.sight)
      guard bound.plan.hasOuterColumns else { return nil }
      guard let lifted = try liftedIfPossible(bound.plan.withoutLimit, at: inner.location) else { return nil }
      return plan.joined(isNegated ? .anti : .semi, to: lifted.plan, on: lifted.conditions)
    case .quantifiedSubquery(let name, .any, let left, let query) where name.name == "=":
      return try joinedForMembership(left, query, isNegated: isNegated, plan, in: scope, at: inner.location)
    default: return nil
    }
  }

  func liftedIfPossible(_ plan: PlanNode, at location: SourceLocation) throws(Fault) -> Decorrelation.Lifted? {
    do throws(Fault) { return try Decorrelation(binder: self, location: location).lift(plan) } catch {
      guard error.state == .featureNotSupported else { throw error }
      return nil
    }
  }

  private func joinedForMembership(
    _ left: ExpressionSyntax, _ query: SelectStatement, isNegated: Bool, _ plan: PlanNode, in scope: SelectScope,
    at location: SourceLocation
  ) throws(Fault) -> PlanNode? {
    let operands: [ExpressionSyntax]
    // NOT IN over several columns needs three-valued bookkeeping that a hash join has not.
    if isWholeRow(left, in: scope) || (isNegated && left.isRow) { return nil }
    if case .row(let fields) = left.kind { operands = fields } else { operands = [left] }
    if operands.contains(where: \.isStar) { return nil }
    let bound = try bindQuery(query, parent: scope, sight: scope.sight)
    guard bound.columns.count == operands.count else {
      let few = bound.columns.count < operands.count
      throw Fault(
        .syntaxError, "subquery has too \(few ? "few" : "many") columns", position: location.position)
    }
    let isCorrelated = bound.plan.hasOuterColumns
    if isNegated && isCorrelated && operands.count == 1 { return nil }
    let pendingBefore = scope.pending.count
    guard let lifted = try liftedIfPossible(bound.plan, at: location) else { return nil }
    var conditions = lifted.conditions
    for (index, operand) in operands.enumerated() {
      let value = try inlined(try bind(operand, in: scope), since: pendingBefore, in: scope)
      let (outer, inner, equals) = try equalityOperands(
        (value, operand.location), (.column(index, bound.columns[index].type), location), at: location)
      // Conditions are over the subquery's columns; the operand is one level out.
      conditions.append(
        .call(equals, [outer.mappingColumns { PendingColumn.shifted($0, by: 1) }, inner], .boolean))
    }
    return plan.joined(isNegated ? .antiNullAware : .semi, to: lifted.plan, on: conditions)
  }

  // MARK: Attaching

  /// Joins the correlated subqueries that were found since the last time; gives the value of each.
  func attachPending(of scope: SelectScope, to plan: PlanNode) throws(Fault) -> (PlanNode, [Expression]) {
    var plan = plan
    var values: [Expression] = []
    for pending in scope.pending {
      do throws(Fault) {
        let (joined, value) = try Decorrelation(binder: self, location: pending.location).attach(pending, to: plan)
        plan = joined
        values.append(value)
      } catch {
        guard error.state == .featureNotSupported else { throw error }
        values.append(try perRow(pending))
      }
    }
    scope.pending = []
    return (plan, values)
  }

  /// A subquery that no join can stand for runs for each row. Clients send such subqueries over catalogs, most of which
  /// are empty here.
  private func perRow(_ pending: PendingSubquery) throws(Fault) -> Expression {
    switch pending.use {
    case .value: try perRow(pending.plan, .value, pending.plan.outputTypes[0])
    case .exists: try perRow(pending.plan, .exists, .boolean)
    case .array(let type): try perRow(pending.plan, .array, type)
    }
  }

  /// A plan that names columns of level 1, run for each row of those.
  func perRow(
    _ correlated: PlanNode, _ use: CorrelatedSubquery.Use, _ type: DataType
  ) throws(Fault) -> Expression {
    let (plan, arguments) = try closed(correlated)
    return .correlated(CorrelatedSubquery(plan: plan, use: use), arguments: arguments, type)
  }

  /// A plan with its outer columns replaced by arguments, and what those are one level further out.
  func closed(_ correlated: PlanNode) throws(Fault) -> (plan: PlanNode, arguments: [Expression]) {
    var arguments: [Expression] = []
    let plan = try correlated.mappingExpressions { (expression) throws(Fault) in
      expression.substitutingColumns { column, type in
        guard PendingColumn.level(column) > 0 else { return .column(column, type) }
        let outer = Expression.column(PendingColumn.shifted(column, by: -1), type)
        let index = arguments.firstIndex { $0.isSame(as: outer) } ?? arguments.count
        if index == arguments.count { arguments.append(outer) }
        return .argument(index, type)
      }
    }
    let optimizer = Optimizer(context: context, foldsStable: false, ordering: ordering)
    return (try optimizer.optimise(plan), arguments)
  }

  /// A value with the correlated subqueries that were found since `start` run for each row where they stand.
  func inlined(_ value: Expression, since start: Int, in scope: SelectScope) throws(Fault) -> Expression {
    guard scope.pending.count > start else { return value }
    var values: [Expression] = []
    for pending in scope.pending[start...] { values.append(try perRow(pending)) }
    scope.pending.removeSubrange(start...)
    return value.substitutingColumns { column, type in
      guard let index = PendingColumn.subqueryIndex(column), index >= start else { return .column(column, type) }
      return values[index - start]
    }
  }
}

extension Expression {
  /// With the results of attached subqueries in place.
  func withSubqueryValues(_ values: [Expression]) -> Expression {
    if values.isEmpty { return self }
    return substitutingColumns { column, type in
      PendingColumn.subqueryIndex(column).map { values[$0] } ?? .column(column, type)
    }
  }
}
