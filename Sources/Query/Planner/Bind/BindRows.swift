// Rows in comparisons: `(a, b) < (c, d)`, `ROW(t.*) = ...`, `(a, b) = (SELECT ...)`, `(a, b) <> ALL (SELECT ...)`.
//
// A row is never a value here: it is compared field by field, as PostgreSQL defines it.
//   =   all fields are equal                  <>  some fields differ
//   <   the first pair that is not equal decides; a null before it makes the result null

import Bedrock
import Columnar
import Functions
import Plan
import SQLSyntax

extension ExpressionSyntax {
  var isRow: Bool { if case .row = kind { true } else { false } }
  var isStar: Bool { if case .star = kind { true } else { false } }
}

extension Binder {
  typealias BoundOperand = (value: Expression, location: SourceLocation)

  /// Whether the expression is the bare name of an item of FROM and not of a column.
  func isWholeRow(_ syntax: ExpressionSyntax, in scope: SelectScope) -> Bool {
    switch syntax.kind {
    case .column(let path):
      path.count == 1 && !scope.from.visible.contains { $0.name == path[0] } && entry(path, in: scope.from) != nil
    case .star(let qualifier): !qualifier.isEmpty && entry(qualifier, in: scope.from) != nil
    default: false
    }
  }

  /// The fields of a row constructor or of a whole row; nil for any other expression.
  func rowValues(_ syntax: ExpressionSyntax, in scope: SelectScope) throws(Fault) -> [BoundOperand]? {
    if isWholeRow(syntax, in: scope) { return wholeRow(syntax, in: scope) }
    guard case .row(let fields) = syntax.kind else { return nil }
    var values: [BoundOperand] = []
    for field in fields {
      if field.isStar, isWholeRow(field, in: scope) {
        values += wholeRow(field, in: scope)
      } else {
        values.append((try bind(field, in: scope), field.location))
      }
    }
    return values
  }

  private func wholeRow(_ syntax: ExpressionSyntax, in scope: SelectScope) -> [BoundOperand] {
    let path: [String]
    switch syntax.kind {
    case .column(let names), .star(let names): path = names
    default: path = []
    }
    let columns = entry(path, in: scope.from)?.columns.filter { !$0.isHidden } ?? []
    return columns.map { (value: $0.expression, location: syntax.location) }
  }

  /// An operation whose left side is a row; nil when it is none.
  func bindRowOperation(
    _ name: OperatorSyntax, _ left: ExpressionSyntax, _ right: ExpressionSyntax, in scope: SelectScope,
    at location: SourceLocation
  ) throws(Fault) -> Expression? {
    guard left.isRow || isWholeRow(left, in: scope) else { return nil }
    if case .scalarSubquery(let query) = right.kind, let fields = try rowValues(left, in: scope) {
      return try compareRows(
        name, fields, try rowOf(query, count: fields.count, in: scope, at: location), at: location)
    }
    if isWholeRow(left, in: scope) || isWholeRow(right, in: scope), name.name == "=" || name.name == "<>" {
      // Composite values, unlike row constructors, are equal when the same fields are null.
      return try bindRowDistinct(left, right, negated: name.name == "=", in: scope, at: location)
    }
    guard right.isRow || isWholeRow(right, in: scope), let a = try rowValues(left, in: scope),
      let b = try rowValues(right, in: scope)
    else { return nil }
    return try compareRows(name, a, b, at: location)
  }

  /// `a op b` of two rows. Faults: 42601 when their lengths differ, 0A000 for an operator that compares no rows.
  func compareRows(
    _ name: OperatorSyntax, _ a: [BoundOperand], _ b: [BoundOperand], at location: SourceLocation
  ) throws(Fault) -> Expression {
    guard a.count == b.count else {
      throw Fault(.syntaxError, "unequal number of entries in row expressions", position: location.position)
    }
    guard !a.isEmpty else {
      throw Fault(.featureNotSupported, "cannot compare rows of zero length", position: location.position)
    }
    let symbol = name.name == "!=" ? "<>" : name.name
    switch symbol {
    case "=", "<>":
      var parts: [Expression] = []
      for (x, y) in zip(a, b) { parts.append(try callOperator(name, [x, y], at: location)) }
      return parts.count == 1 ? parts[0] : symbol == "=" ? .and(parts) : .or(parts)
    case "<", "<=", ">", ">=": return try compareRowOrder(name, a[...], b[...], at: location)
    default:
      let single = try callOperator(name, [a[0], b[0]], at: location)
      if a.count == 1 { return single }
      throw Fault(
        .featureNotSupported, "could not determine interpretation of row comparison operator \(name.name)",
        hint: "Row comparison operators must be associated with btree operator families.",
        position: location.position)
    }
  }

  /// `(a, b) < (c, d)` is `a < c OR (a = c AND b < d)`.
  private func compareRowOrder(
    _ name: OperatorSyntax, _ a: ArraySlice<BoundOperand>, _ b: ArraySlice<BoundOperand>, at location: SourceLocation
  ) throws(Fault) -> Expression {
    guard let x = a.first, let y = b.first else { throw Fault.bug("a comparison of empty rows") }
    if a.count == 1 { return try callOperator(name, [x, y], at: location) }
    let strict = OperatorSyntax(schema: name.schema, name: String(name.name.prefix(1)))
    let before = try callOperator(strict, [x, y], at: location)
    let same = try callOperator(OperatorSyntax(schema: name.schema, name: "="), [x, y], at: location)
    let rest = try compareRowOrder(name, a.dropFirst(), b.dropFirst(), at: location)
    return .or([before, .and([same, rest])])
  }

  /// `row IS [NOT] NULL`: all fields are null, or none is. Nil when the operand is no row.
  func bindRowNullTest(
    _ operand: ExpressionSyntax, negated: Bool, in scope: SelectScope
  ) throws(Fault) -> Expression? {
    guard let fields = try rowValues(operand, in: scope) else { return nil }
    var parts: [Expression] = []
    for field in fields {
      let value = try settled(field.value, at: field.location)
      parts.append(negated ? .isNotNull(value) : .isNull(value))
    }
    return .conjunction(parts)
  }

  /// `row IS [NOT] DISTINCT FROM row`; nil when the left side is no row.
  func bindRowDistinct(
    _ a: ExpressionSyntax, _ b: ExpressionSyntax, negated: Bool, in scope: SelectScope, at location: SourceLocation
  ) throws(Fault) -> Expression? {
    guard a.isRow || isWholeRow(a, in: scope), b.isRow || isWholeRow(b, in: scope),
      let left = try rowValues(a, in: scope), let right = try rowValues(b, in: scope)
    else { return nil }
    guard left.count == right.count else {
      throw Fault(.syntaxError, "unequal number of entries in row expressions", position: location.position)
    }
    var parts: [Expression] = []
    for (x, y) in zip(left, right) {
      let (p, q, equals) = try equalityOperands(x, y, at: location)
      parts.append(.isDistinct(p, q, equals: equals, negated: negated))
    }
    return parts.count == 1 ? parts[0] : negated ? .and(parts) : .or(parts)
  }

  // MARK: Subqueries

  private func checked(_ bound: BoundQuery, _ count: Int, at location: SourceLocation) throws(Fault) {
    guard bound.columns.count == count else {
      let few = bound.columns.count < count
      throw Fault(.syntaxError, "subquery has too \(few ? "few" : "many") columns", position: location.position)
    }
  }

  /// The single row of a subquery, nulls without one, as values.
  private func rowOf(
    _ query: SelectStatement, count: Int, in scope: SelectScope, at location: SourceLocation
  ) throws(Fault) -> [BoundOperand] {
    let bound = try bindQuery(query, parent: scope, sight: scope.sight)
    try checked(bound, count, at: location)
    let types = bound.plan.outputTypes
    let isCorrelated = bound.plan.hasOuterColumns
    let rows = isCorrelated ? bound.plan : .subqueryRows(register(bound.plan), types: types)
    return types.indices.map { index in
      let column = PlanNode.project(rows, [.column(index, types[index])])
      if isCorrelated {
        let one = BoundQuery(plan: column, columns: [bound.columns[index]])
        return (postpone(one, as: .value, types[index], in: scope, at: location), location)
      }
      return (.subqueryValue(register(column), types[index]), location)
    }
  }

  /// `row op ANY|ALL (SELECT ...)`: whether some comparison is true, or none is false; null when an unknown one decides.
  func compareRow(
    _ name: OperatorSyntax, _ quantifier: Quantifier, _ fields: [BoundOperand], _ query: SelectStatement,
    in scope: SelectScope, at location: SourceLocation
  ) throws(Fault) -> Expression {
    let bound = try bindQuery(query, parent: scope, sight: scope.sight)
    try checked(bound, fields.count, at: location)
    let types = bound.plan.outputTypes
    let rows =
      bound.plan.hasOuterColumns ? bound.plan : PlanNode.subqueryRows(register(bound.plan), types: types)
    var left: [BoundOperand] = []
    for field in fields {
      let value = try inlined(field.value, since: 0, in: scope)
      left.append((value.mappingColumns { PendingColumn.shifted($0, by: 1) }, field.location))
    }
    let right: [BoundOperand] = types.indices.map { (.column($0, types[$0]), location) }
    let comparison = try compareRows(name, left, right, at: location)
    let plan = try decided(quantifier, comparison, over: rows)
    if plan.hasOuterColumns {
      let value = BoundQuery(plan: plan, columns: [BoundColumn(name: "?column?", type: .boolean)])
      return postpone(value, as: .value, .boolean, in: scope, at: location)
    }
    return .subqueryValue(register(plan), .boolean)
  }

  private func decided(
    _ quantifier: Quantifier, _ comparison: Expression, over rows: PlanNode
  ) throws(Fault) -> PlanNode {
    let name = quantifier == .any ? "bool_or" : "bool_and"
    guard let test = library.aggregates(name).first, let count = library.aggregates("count").first(where: { $0.parameters.isEmpty })
    else { throw Fault.bug("there is no aggregate \(name)") }
    let plan = PlanNode.aggregate(
      rows, groups: [],
      aggregates: [
        AggregateCall(function: test, arguments: [comparison], isDistinct: false, filter: nil, type: .boolean),
        AggregateCall(function: count, arguments: [], isDistinct: false, filter: .isNull(comparison), type: .int8),
      ])
    let isAny = quantifier == .any
    let hasUnknown = try callOperator(
      OperatorSyntax(name: ">"), [(.column(1, .int8), .unknown), (.constant(.integer(0), .int8), .unknown)], at: .unknown)
    let result = Expression.caseWhen(
      [
        (condition: .isTruth(.column(0, .boolean), isAny, negated: false), value: .constant(.boolean(isAny), .boolean)),
        (condition: hasUnknown, value: .constant(.null, .boolean)),
      ], otherwise: .constant(.boolean(!isAny), .boolean), .boolean)
    return .project(plan, [result])
  }
}
