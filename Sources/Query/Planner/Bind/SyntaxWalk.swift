// What a query names in FROM, at any depth: who refers to a WITH item, and from where.

import SQLSyntax

extension ExpressionSyntax {
  /// The direct operands, those of calls with all their clauses.
  var operands: [ExpressionSyntax] {
    switch kind {
    case .column, .star, .parameter, .constant, .valueFunction, .defaultValue, .scalarSubquery, .exists, .arraySubquery:
      []
    case .operation(_, let left, let right): (left.map { [$0] } ?? []) + [right]
    case .quantified(_, _, let left, let array): [left, array]
    case .quantifiedSubquery(_, _, let left, _): [left]
    case .isDistinct(let a, let b, _), .nullIf(let a, let b): [a, b]
    case .inList(let value, let list, _): [value] + list
    case .between(let value, let low, let high, _, _): [value, low, high]
    case .and(let list), .or(let list), .coalesce(let list), .greatest(let list), .least(let list), .array(let list),
      .row(let list), .grouping(let list):
      list
    case .not(let operand), .isNull(let operand, _), .isBoolean(let operand, _, _), .cast(let operand, _),
      .collate(let operand, _), .field(let operand, _), .allFields(let operand):
      [operand]
    case .conditional(let argument, let branches, let otherwise):
      (argument.map { [$0] } ?? []) + branches.flatMap { [$0.condition, $0.result] } + (otherwise.map { [$0] } ?? [])
    case .function(let call):
      call.arguments.map(\.value) + call.orderBy.map(\.expression) + (call.filter.map { [$0] } ?? [])
        + (call.over.map { $0.partitionBy + $0.orderBy.map(\.expression) } ?? [])
    case .element(let array, let index): [array, index]
    case .slice(let array, let lower, let upper): [array] + [lower, upper].compactMap { $0 }
    }
  }

  /// The query that this expression itself is.
  var query: SelectStatement? {
    switch kind {
    case .scalarSubquery(let query), .exists(let query), .arraySubquery(let query),
      .quantifiedSubquery(_, _, _, let query):
      query
    default: nil
    }
  }
}

/// Finds the places where FROM names a relation without a schema.
struct ReferenceWalk {
  /// Where a reference stands.
  enum Place {
    case plain, outerJoin, subquery, intersect, except
  }
  let name: String
  /// Called for each reference.
  var found: (Place, RelationSyntax) -> Void

  func walk(_ query: SelectStatement, _ place: Place) {
    for table in query.with?.tables ?? [] { walk(table.query, place) }
    // A WITH item of the same name hides the one that is looked for.
    if query.with?.tables.contains(where: { $0.name == name }) ?? false { return }
    switch query.body {
    case .values(let rows): for row in rows { walk(row) }
    case .setOperation(.intersect, _, let left, let right):
      walk(left, .intersect)
      walk(right, .intersect)
    case .setOperation(.except, _, let left, let right):
      walk(left, place)
      walk(right, .except)
    case .setOperation(.union, _, let left, let right):
      walk(left, place)
      walk(right, place)
    case .select(let core):
      for table in core.from { walk(table, place) }
      walk(core.targets.map(\.expression))
      walk([core.filter, core.having].compactMap { $0 })
      for item in core.groupBy { if case .expression(let expression) = item { walk([expression]) } }
    }
    walk(query.orderBy.map(\.expression))
    walk([query.limit, query.offset].compactMap { $0 })
  }

  private func walk(_ expressions: [ExpressionSyntax]) {
    var open = expressions
    while let expression = open.popLast() {
      if let query = expression.query { walk(query, .subquery) }
      open += expression.operands
    }
  }

  private func walk(_ table: TableSyntax, _ place: Place) {
    switch table {
    case .relation(let relation), .sample(let relation, _):
      if relation.schema == nil, relation.name == name { found(place, relation) }
    case .subquery(let query, _, _): walk(query, place)
    case .function(let calls, _, _, _, _): walk(calls)
    case .join(let kind, let left, let right, let condition, _):
      walk(left, kind == .right || kind == .full ? .outerJoin : place)
      walk(right, kind == .left || kind == .full ? .outerJoin : place)
      if case .on(let expression) = condition { walk([expression]) }
    }
  }

  /// Whether a query names it.
  static func contains(_ query: SelectStatement, name: String) -> Bool {
    var count = 0
    ReferenceWalk(name: name) { _, _ in count += 1 }.walk(query, .plain)
    return count > 0
  }
}
