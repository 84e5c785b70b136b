// Correlated subqueries as joins.
//
// A subquery names columns of the query around it (level 1). `lift` moves every condition with such a column up to the
// subquery's root, adding the columns it needs to each output on the way; through an aggregate only `inner = outer` may
// pass, and `inner` becomes a group key. What is left is uncorrelated and is joined:
//
//   SELECT ..., (SELECT max(b.v) FROM b WHERE b.k = a.k AND a.f) FROM a
//   single join: a  with  aggregate(b, group k, max(v))  on a.k = k, residual a.f
//
// A subquery whose outer columns stand anywhere else is refused (0A000).

import Bedrock
import Columnar
import Functions
import Plan
import SQLSyntax

struct Decorrelation {
  let binder: Binder
  let location: SourceLocation

  struct Lifted {
    var plan: PlanNode
    /// Over the plan's columns and, at level 1, the outer ones.
    var conditions: [Expression]
    /// For an aggregate without groups: the row it gives over nothing, for the original columns.
    var rowOverNothing: [Expression]?
  }

  private var refusal: Fault {
    Fault.unsupported("this form of correlated subquery", position: location.position)
  }

  func lift(_ plan: PlanNode) throws(Fault) -> Lifted {
    guard plan.hasOuterColumns else { return Lifted(plan: plan, conditions: [], rowOverNothing: nil) }
    let lifted = try liftNode(plan)
    guard !lifted.plan.hasOuterColumns else { throw refusal }
    return lifted
  }

  private func liftNode(_ plan: PlanNode) throws(Fault) -> Lifted {
    switch plan {
    case .filter(let input, let condition): return try liftFilter(input, condition)
    case .project(let input, let expressions): return try liftProject(input, expressions)
    case .aggregate(let input, let groups, let aggregates): return try liftAggregate(input, groups, aggregates)
    case .join(let kind, let left, let right, let leftKeys, let rightKeys, let residual):
      return try liftJoin(kind, left, right, leftKeys, rightKeys, residual)
    case .sort(let input, let keys, nil):
      var lifted = try liftNode(input)
      lifted.plan = .sort(lifted.plan, keys, limit: nil)
      return lifted
    default:
      guard !plan.hasOuterColumns else { throw refusal }
      return Lifted(plan: plan, conditions: [], rowOverNothing: nil)
    }
  }

  private func liftFilter(_ input: PlanNode, _ condition: Expression) throws(Fault) -> Lifted {
    var lifted = try liftNode(input)
    // A condition over an aggregate without groups (HAVING) could turn its row over nothing into no row.
    guard lifted.rowOverNothing == nil else { throw refusal }
    var stays: [Expression] = []
    for part in condition.conjuncts {
      if part.hasOuterColumns { lifted.conditions.append(part) } else { stays.append(part) }
    }
    lifted.plan = lifted.plan.filtered(by: stays)
    return lifted
  }

  private func liftProject(_ input: PlanNode, _ expressions: [Expression]) throws(Fault) -> Lifted {
    let lifted = try liftNode(input)
    guard !expressions.contains(where: \.hasOuterColumns) else { throw refusal }
    var outputs = expressions
    let types = lifted.plan.outputTypes
    let conditions = lifted.conditions.map { condition in
      condition.mappingColumns { column in
        guard PendingColumn.level(column) == 0 else { return column }
        let value = Expression.column(column, types[column])
        if let place = outputs.firstIndex(where: { $0.isSame(as: value) }) { return place }
        outputs.append(value)
        return outputs.count - 1
      }
    }
    let overNothing = lifted.rowOverNothing.map { row in
      expressions.map { binder.folded($0.substitutingColumns { column, _ in row[column] }) }
    }
    return Lifted(plan: .project(lifted.plan, outputs), conditions: conditions, rowOverNothing: overNothing)
  }

  private func liftAggregate(
    _ input: PlanNode, _ groups: [Expression], _ aggregates: [AggregateCall]
  ) throws(Fault) -> Lifted {
    let lifted = try liftNode(input)
    guard lifted.rowOverNothing == nil || lifted.conditions.isEmpty else { throw refusal }
    var newGroups = groups
    var conditions: [(equals: ScalarFunction, key: Int, outer: Expression)] = []
    for condition in lifted.conditions {
      guard let pair = condition.equality(isLeft: { PendingColumn.level($0) == 1 }) else { throw refusal }
      let place = newGroups.firstIndex { $0.isSame(as: pair.right) } ?? newGroups.count
      if place == newGroups.count { newGroups.append(pair.right) }
      conditions.append((pair.equals, place, pair.left))
    }
    // Original outputs keep their numbers: groups, aggregates, then the added keys.
    let plan = PlanNode.aggregate(lifted.plan, groups: newGroups, aggregates: aggregates)
    let types = plan.outputTypes
    let added = newGroups.count - groups.count
    let order = Array(0..<groups.count) + Array(newGroups.count..<newGroups.count + aggregates.count)
      + Array(groups.count..<newGroups.count)
    let output = PlanNode.project(plan, order.map { .column($0, types[$0]) })
    let raised = conditions.map { condition in
      let place = condition.key < groups.count ? condition.key : condition.key + aggregates.count
      return Expression.call(condition.equals, [condition.outer, .column(place, types[condition.key])], .boolean)
    }
    let overNothing = groups.isEmpty ? aggregates.map { Expression.constant($0.function.valueOverNothing, $0.type) } : nil
    return Lifted(plan: added == 0 ? plan : output, conditions: raised, rowOverNothing: overNothing)
  }

  private func liftJoin(
    _ kind: JoinKind, _ left: PlanNode, _ right: PlanNode, _ leftKeys: [Expression], _ rightKeys: [Expression],
    _ residual: Expression?
  ) throws(Fault) -> Lifted {
    let keysAreOwn = !(leftKeys + rightKeys).contains(where: \.hasOuterColumns)
    guard keysAreOwn, kind == .inner || (!right.hasOuterColumns && !(residual?.hasOuterColumns ?? false)) else {
      throw refusal
    }
    guard kind == .inner || kind == .left || kind == .single || kind == .semi || kind == .anti
      || kind == .antiNullAware
    else { throw refusal }
    let liftedLeft = try liftNode(left)
    let liftedRight = try liftNode(right)
    let before = left.outputTypes.count
    let after = liftedLeft.plan.outputTypes.count
    let rightCount = right.outputTypes.count
    let rightAfter = liftedRight.plan.outputTypes.count
    // Inside the join: all left columns, added ones too, come before the right ones.
    func inside(_ column: Int) -> Int { PendingColumn.level(column) > 0 || column < before ? column : column + after - before }
    var stays: [Expression] = []
    var raised = liftedLeft.conditions
    for part in residual?.conjuncts ?? [] {
      let moved = part.mappingColumns(inside)
      if part.hasOuterColumns { raised.append(moved) } else { stays.append(moved) }
    }
    for condition in liftedRight.conditions {
      raised.append(condition.mappingColumns { PendingColumn.level($0) > 0 ? $0 : $0 + after })
    }
    let joined = PlanNode.join(
      kind, left: liftedLeft.plan, right: liftedRight.plan, leftKeys: leftKeys, rightKeys: rightKeys,
      residual: stays.isEmpty ? nil : .conjunction(stays))
    if after == before { return Lifted(plan: joined, conditions: raised, rowOverNothing: nil) }
    // Outside: the original columns keep their numbers, added left columns go last.
    let types = joined.outputTypes
    let hasRight = types.count == after + rightAfter
    let own = Array(0..<before) + (hasRight ? Array(after..<after + rightCount) : [])
    let extra = Array(before..<after) + (hasRight ? Array(after + rightCount..<after + rightAfter) : [])
    let order = own + extra
    var place = [Int](repeating: 0, count: types.count)
    for (new, old) in order.enumerated() { place[old] = new }
    let conditions = raised.map { $0.mappingColumns { PendingColumn.level($0) > 0 ? $0 : place[$0] } }
    return Lifted(
      plan: .project(joined, order.map { .column($0, types[$0]) }), conditions: conditions, rowOverNothing: nil)
  }

  // MARK: Joining

  /// The outer plan with the subquery's result as added columns, and that result as a value.
  func attach(_ pending: PendingSubquery, to outer: PlanNode) throws(Fault) -> (PlanNode, Expression) {
    let count = outer.outputTypes.count
    switch pending.use {
    case .value:
      var lifted = try lift(pending.plan)
      let type = lifted.plan.outputTypes[0]
      guard let row = lifted.rowOverNothing, case .constant(let scalar, _) = row[0], !scalar.isNull else {
        if let row = lifted.rowOverNothing, !row[0].isConstant { throw refusal }
        return (outer.joined(.single, to: lifted.plan, on: lifted.conditions), .column(count, type))
      }
      let marker = lifted.addColumn(.constant(.boolean(true), .boolean))
      let joined = outer.joined(.single, to: lifted.plan, on: lifted.conditions)
      let found = Expression.isNotNull(.column(count + marker, .boolean))
      return (
        joined, .caseWhen([(condition: found, value: .column(count, type))], otherwise: .constant(scalar, type), type)
      )
    case .exists:
      let lifted = try lift(pending.plan.withoutLimit)
      guard lifted.rowOverNothing == nil else { return (outer, .constant(.boolean(true), .boolean)) }
      var unique = try distinctKeys(lifted, aggregates: [])
      let marker = unique.addColumn(.constant(.boolean(true), .boolean))
      return (
        outer.joined(.left, to: unique.plan, on: unique.conditions), .isNotNull(.column(count + marker, .boolean))
      )
    case .array(let type):
      let lifted = try lift(pending.plan)
      guard let element = type.element, lifted.rowOverNothing == nil else { throw refusal }
      let function = binder.library.aggregates("array_agg").first { $0.parameters.count == 1 }
      guard let function else { throw refusal }
      var order: [SortKey] = []
      if case .sort(_, let keys, _) = lifted.plan { order = keys }
      let call = AggregateCall(
        function: function, arguments: [.column(0, element)], isDistinct: false, filter: nil, orderBy: order, type: type)
      let grouped = try distinctKeys(lifted, aggregates: [call])
      let place = grouped.plan.outputTypes.count - 1
      let value = Expression.column(count + place, type)
      return (
        outer.joined(.left, to: grouped.plan, on: grouped.conditions),
        .coalesce([value, .constant(.list([]), type)], type)
      )
    }
  }

  /// One row for each combination of the keys that the conditions compare with outer values.
  private func distinctKeys(_ lifted: Lifted, aggregates: [AggregateCall]) throws(Fault) -> Lifted {
    var keys: [Expression] = []
    var conditions: [Expression] = []
    for condition in lifted.conditions {
      if !condition.columnsRead.contains(where: { PendingColumn.level($0) == 0 }) {
        conditions.append(condition)
        continue
      }
      guard let pair = condition.equality(isLeft: { PendingColumn.level($0) == 1 }) else { throw refusal }
      conditions.append(.call(pair.equals, [pair.left, .column(keys.count, pair.right.type)], .boolean))
      keys.append(pair.right)
    }
    // Without a key the aggregate would make a row from nothing.
    if keys.isEmpty {
      keys = [.constant(.boolean(true), .boolean)]
    }
    return Lifted(
      plan: .aggregate(lifted.plan, groups: keys, aggregates: aggregates), conditions: conditions, rowOverNothing: nil)
  }
}

extension Decorrelation.Lifted {
  /// Adds an output column; its number is returned.
  mutating func addColumn(_ value: Expression) -> Int {
    let types = plan.outputTypes
    plan = .project(plan, types.indices.map { .column($0, types[$0]) } + [value])
    return types.count
  }
}

extension Expression {
  var isConstant: Bool {
    if case .constant = self { return true }
    return false
  }

  /// The parts of a condition that AND joins.
  var conjuncts: [Expression] {
    guard case .and(let parts) = self else { return [self] }
    return parts.flatMap(\.conjuncts)
  }

  static func conjunction(_ parts: [Expression]) -> Expression {
    parts.count == 1 ? parts[0] : parts.isEmpty ? .constant(.boolean(true), .boolean) : .and(parts)
  }

  /// `left = right`, where one side reads only columns for which `isLeft` holds, and at least one, and the other side
  /// only others, and at least one.
  func equality(isLeft: (Int) -> Bool) -> (equals: ScalarFunction, left: Expression, right: Expression)? {
    guard case .call(let function, let operands, _) = self, function.name == "=", operands.count == 2 else { return nil }
    let reads = operands.map(\.columnsRead)
    guard !reads[0].isEmpty, !reads[1].isEmpty, operands[0].type == operands[1].type else { return nil }
    if reads[0].allSatisfy(isLeft), !reads[1].contains(where: isLeft) { return (function, operands[0], operands[1]) }
    if reads[1].allSatisfy(isLeft), !reads[0].contains(where: isLeft) { return (function, operands[1], operands[0]) }
    return nil
  }
}

extension PlanNode {
  /// Joins a plan whose conditions name its own columns at level 0 and those of `self` at level 1.
  func joined(_ kind: JoinKind, to right: PlanNode, on conditions: [Expression]) -> PlanNode {
    let count = outputTypes.count
    var leftKeys: [Expression] = []
    var rightKeys: [Expression] = []
    var residual: [Expression] = []
    for condition in conditions {
      // A column of a query still further out stays one, one level nearer.
      if let pair = condition.equality(isLeft: { PendingColumn.level($0) >= 1 }) {
        leftKeys.append(pair.left.mappingColumns { PendingColumn.shifted($0, by: -1) })
        rightKeys.append(pair.right)
      } else {
        residual.append(
          condition.mappingColumns { PendingColumn.level($0) == 0 ? $0 + count : PendingColumn.shifted($0, by: -1) })
      }
    }
    return .join(
      kind, left: self, right: right, leftKeys: leftKeys, rightKeys: rightKeys,
      residual: residual.isEmpty ? nil : .conjunction(residual))
  }

  func filtered(by conditions: [Expression]) -> PlanNode {
    conditions.isEmpty ? self : .filter(self, .conjunction(conditions))
  }

  /// EXISTS does not care how many rows there are, as long as LIMIT lets one through.
  var withoutLimit: PlanNode {
    switch self {
    case .limit(let input, .constant(.integer(let count), _)?, nil) where count > 0: input.withoutLimit
    case .sort(let input, _, _): input.withoutLimit
    case .project(let input, let expressions): .project(input.withoutLimit, expressions)
    default: self
    }
  }

  /// All expressions of this node alone.
  var expressions: [Expression] {
    switch self {
    case .scan(_, _, _, let filter), .virtualScan(_, _, _, _, let filter): return filter.map { [$0] } ?? []
    case .tableFunction(_, let arguments, _): return arguments
    case .values(let rows, _): return rows.flatMap { $0 }
    case .filter(_, let condition): return [condition]
    case .project(_, let expressions): return expressions
    case .aggregate(_, let groups, let aggregates):
      return groups + aggregates.flatMap(\.expressions)
    case .join(_, _, _, let leftKeys, let rightKeys, let residual):
      return leftKeys + rightKeys + (residual.map { [$0] } ?? [])
    case .sort(_, let keys, _): return keys.map(\.expression)
    case .limit(_, let count, let offset): return [count, offset].compactMap(\.self)
    case .distinctOn(_, let keys): return keys
    case .firstRows(_, let keys, let order): return keys + order.map(\.expression)
    case .expand(_, let lists): return lists
    case .append, .rowsFrom, .subqueryRows, .workingRows, .recursion: return []
    case .limitWithTies(_, let keys, let count, let offset): return keys + [count, offset].compactMap(\.self)
    case .apply(_, _, let arguments): return arguments
    case .window(_, let spec): return spec.expressions
    case .groupingSets(_, let groups, let aggregates, _): return groups + aggregates.flatMap(\.expressions)
    }
  }

  /// Whether some expression reads a column of an enclosing query.
  var hasOuterColumns: Bool {
    expressions.contains(where: \.hasOuterColumns) || children.contains(where: \.hasOuterColumns)
  }

  /// The same node over other inputs, with every expression changed.
  func replacing(
    children new: [PlanNode], expressions change: (Expression) throws(Fault) -> Expression
  ) throws(Fault) -> PlanNode {
    func all(_ list: [Expression]) throws(Fault) -> [Expression] {
      var changed: [Expression] = []
      for item in list { changed.append(try change(item)) }
      return changed
    }
    func optional(_ item: Expression?) throws(Fault) -> Expression? {
      if let item { try change(item) } else { nil }
    }
    func sortKeys(_ keys: [SortKey]) throws(Fault) -> [SortKey] {
      var changed: [SortKey] = []
      for key in keys {
        changed.append(
          SortKey(expression: try change(key.expression), descending: key.descending, nullsFirst: key.nullsFirst))
      }
      return changed
    }
    switch self {
    case .scan(let name, let request, let types, let filter):
      return .scan(relation: name, request: request, types: types, filter: try optional(filter))
    case .virtualScan(let name, let relation, let columns, let types, let filter):
      return .virtualScan(relation: name, relation, columns: columns, types: types, filter: try optional(filter))
    case .tableFunction(let function, let arguments, let types):
      return .tableFunction(function, arguments: try all(arguments), types: types)
    case .values(let rows, let types):
      var changed: [[Expression]] = []
      for row in rows { changed.append(try all(row)) }
      return .values(rows: changed, types: types)
    case .filter(_, let condition): return .filter(new[0], try change(condition))
    case .project(_, let expressions): return .project(new[0], try all(expressions))
    case .aggregate(_, let groups, let aggregates):
      var calls: [AggregateCall] = []
      for call in aggregates { calls.append(try call.mapping(change)) }
      return .aggregate(new[0], groups: try all(groups), aggregates: calls)
    case .groupingSets(_, let groups, let aggregates, let sets):
      var calls: [AggregateCall] = []
      for call in aggregates { calls.append(try call.mapping(change)) }
      return .groupingSets(new[0], groups: try all(groups), aggregates: calls, sets)
    case .window(_, let spec): return .window(new[0], try spec.mapping(change))
    case .join(let kind, _, _, let leftKeys, let rightKeys, let residual):
      return .join(
        kind, left: new[0], right: new[1], leftKeys: try all(leftKeys), rightKeys: try all(rightKeys),
        residual: try optional(residual))
    case .sort(_, let keys, let limit): return .sort(new[0], try sortKeys(keys), limit: limit)
    case .limit(_, let count, let offset):
      return .limit(new[0], count: try optional(count), offset: try optional(offset))
    case .distinctOn(_, let keys): return .distinctOn(new[0], keys: try all(keys))
    case .firstRows(_, let keys, let order):
      return .firstRows(new[0], keys: try all(keys), order: try sortKeys(order))
    case .append: return .append(new)
    case .expand(_, let lists): return .expand(new[0], lists: try all(lists))
    case .limitWithTies(_, let keys, let count, let offset):
      return .limitWithTies(new[0], keys: try all(keys), count: try optional(count), offset: try optional(offset))
    case .apply(_, let lateral, let arguments): return .apply(new[0], lateral, arguments: try all(arguments))
    case .rowsFrom(_, let hasOrdinality): return .rowsFrom(new, hasOrdinality: hasOrdinality)
    case .subqueryRows, .workingRows: return self
    case .recursion(let id, _, _, let keepsRepeats):
      return .recursion(id, base: new[0], step: new[1], keepsRepeats: keepsRepeats)
    }
  }
}
