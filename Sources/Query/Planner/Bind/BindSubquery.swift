// Subqueries in expressions. An uncorrelated one runs once, before the query; a correlated one becomes a join.

import Bedrock
import Columnar
import Functions
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
      if case .row = left.kind { throw Fault.unsupported("a row compared with a subquery here", position: syntax.location.position) }
      let operand = try bind(left, in: scope)
      let (bound, type) = try singleColumn(query, in: scope, at: syntax.location)
      guard !bound.plan.hasOuterColumns else {
        throw Fault.unsupported("a correlated IN or ANY inside an expression", position: syntax.location.position)
      }
      return try compareWithArray(
        name, quantifier, (operand, left.location), .subqueryArray(register(bound.plan), .array(type)), element: type,
        at: syntax.location)
    default: throw Fault.bug("not a subquery")
    }
  }

  private func register(_ plan: PlanNode) -> Int {
    subqueries.append(plan)
    return subqueries.count - 1
  }

  private func postpone(
    _ bound: BoundQuery, as use: PendingSubquery.Use, _ type: DataType, in scope: SelectScope, at location: SourceLocation
  ) -> Expression {
    scope.pending.append(PendingSubquery(use: use, plan: bound.plan, location: location))
    return .column(Placeholder.subquery(scope.pending.count - 1), type)
  }

  func singleColumn(
    _ query: SelectStatement, in scope: SelectScope, at location: SourceLocation
  ) throws(Fault) -> (BoundQuery, DataType) {
    let bound = try bindQuery(query, parent: scope, sight: scope.sight)
    guard bound.columns.count == 1 else {
      throw Fault(.syntaxError, "subquery must return only one column", position: location.position)
    }
    return (bound, bound.columns[0].type)
  }

  // MARK: Conditions of WHERE that are subqueries: semi and anti joins.

  /// The plan joined for a condition `[NOT] EXISTS (...)` or `x [NOT] IN (...)`; nil for any other condition.
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
      let lifted = try Decorrelation(binder: self, location: inner.location).lift(bound.plan.withoutLimit)
      return plan.joined(isNegated ? .anti : .semi, to: lifted.plan, on: lifted.conditions)
    case .quantifiedSubquery(let name, .any, let left, let query) where name.name == "=":
      return try joinedForMembership(left, query, isNegated: isNegated, plan, in: scope, at: inner.location)
    default: return nil
    }
  }

  private func joinedForMembership(
    _ left: ExpressionSyntax, _ query: SelectStatement, isNegated: Bool, _ plan: PlanNode, in scope: SelectScope,
    at location: SourceLocation
  ) throws(Fault) -> PlanNode? {
    let operands: [ExpressionSyntax]
    if case .row(let fields) = left.kind { operands = fields } else { operands = [left] }
    let bound = try bindQuery(query, parent: scope, sight: scope.sight)
    guard bound.columns.count == operands.count else {
      let few = bound.columns.count < operands.count
      throw Fault(
        .syntaxError, "subquery has too \(few ? "few" : "many") columns", position: location.position)
    }
    let isCorrelated = bound.plan.hasOuterColumns
    // NOT IN over several columns, or correlated, needs three-valued bookkeeping that a hash join has not.
    if isNegated && (isCorrelated || operands.count > 1) {
      throw Fault.unsupported("NOT IN with a correlated subquery or a row", position: location.position)
    }
    let pendingBefore = scope.pending.count
    let lifted = try Decorrelation(binder: self, location: location).lift(bound.plan)
    var conditions = lifted.conditions
    for (index, operand) in operands.enumerated() {
      let value = try bind(operand, in: scope)
      let (outer, inner, equals) = try equalityOperands(
        (value, operand.location), (.column(index, bound.columns[index].type), location), at: location)
      // Conditions are over the subquery's columns; the operand is one level out.
      conditions.append(
        .call(equals, [outer.mappingColumns { Placeholder.shifted($0, by: 1) }, inner], .boolean))
    }
    guard scope.pending.count == pendingBefore else {
      throw Fault.unsupported("a correlated subquery as an operand of IN", position: location.position)
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
        values.append(deferred(error, pending))
      }
    }
    scope.pending = []
    return (plan, values)
  }

  /// A subquery that no join can stand for fails when, and only when, a row asks for its value. Clients send such
  /// subqueries over catalogs that are empty here (policies, publications), where no row ever does.
  private func deferred(_ fault: Fault, _ pending: PendingSubquery) -> Expression {
    let type: DataType =
      switch pending.use {
      case .value: pending.plan.outputTypes[0]
      case .exists: .boolean
      case .array(let type): type
      }
    let function = ScalarFunction(
      name: "correlated_subquery", parameters: [], result: .fixed(type), isStrict: false, volatility: .volatile
    ) { (_, _, rows) throws(Fault) in
      guard rows == 0 else { throw fault }
      return Column.nulls(type, count: 0)
    }
    return .call(function, [], type)
  }
}

extension Expression {
  /// With the results of attached subqueries in place.
  func withSubqueryValues(_ values: [Expression]) -> Expression {
    if values.isEmpty { return self }
    return substitutingColumns { column, type in
      Placeholder.subqueryIndex(column).map { values[$0] } ?? .column(column, type)
    }
  }
}
