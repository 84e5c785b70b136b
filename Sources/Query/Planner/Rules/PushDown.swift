// Conditions move towards the scans: through projections (by substitution), into both sides of joins, past group keys,
// into every input of a union. Equalities between the sides of a join become its keys.
//
// A condition may pass an outer join only on the side that keeps all its rows; one on the other side that no null can
// satisfy turns the outer join into an inner one.

import Bedrock
import Columnar
import Functions
import Plan

struct PushDown {
  let ordering: JoinOrder?

  func apply(_ plan: PlanNode) -> PlanNode { push(plan, []) }

  private func push(_ plan: PlanNode, _ conditions: [Expression]) -> PlanNode {
    switch plan {
    case .scan(let name, let request, let types, let filter):
      let all = (filter?.conjuncts ?? []) + conditions
      return .scan(relation: name, request: request, types: types, filter: all.isEmpty ? nil : .conjunction(all))
    case .virtualScan(let name, let relation, let columns, let types, let filter):
      let all = (filter?.conjuncts ?? []) + conditions
      return .virtualScan(
        relation: name, relation, columns: columns, types: types, filter: all.isEmpty ? nil : .conjunction(all))
    case .tableFunction, .values, .subqueryRows, .workingRows: return plan.filtered(by: conditions)
    case .filter(let input, let condition): return push(input, condition.conjuncts + conditions)
    case .project(let input, let expressions): return pushProject(input, expressions, conditions)
    case .aggregate(let input, let groups, let aggregates): return pushAggregate(input, groups, aggregates, conditions)
    case .sort(let input, let keys, nil): return .sort(push(input, conditions), keys, limit: nil)
    case .sort(let input, let keys, let limit?):
      return PlanNode.sort(push(input, []), keys, limit: limit).filtered(by: conditions)
    case .limit(let input, let count, let offset):
      return PlanNode.limit(push(input, []), count: count, offset: offset).filtered(by: conditions)
    case .distinctOn(let input, let keys):
      return PlanNode.distinctOn(push(input, []), keys: keys).filtered(by: conditions)
    case .firstRows(let input, let keys, let order):
      return PlanNode.firstRows(push(input, []), keys: keys, order: order).filtered(by: conditions)
    case .append(let inputs): return .append(inputs.map { push($0, conditions) })
    case .window(let input, let spec): return pushWindow(input, spec, conditions)
    case .groupingSets(let input, let groups, let aggregates, let sets):
      // A key is null in the sets that leave it out: no condition on it may pass.
      return PlanNode.groupingSets(push(input, []), groups: groups, aggregates: aggregates, sets).filtered(by: conditions)
    case .expand(let input, let lists):
      let count = input.outputTypes.count
      let passes = conditions.filter { $0.columnsRead.allSatisfy { $0 < count } && !$0.isVolatile }
      let stays = conditions.filter { !($0.columnsRead.allSatisfy { $0 < count } && !$0.isVolatile) }
      return PlanNode.expand(push(input, passes), lists: lists).filtered(by: stays)
    case .limitWithTies(let input, let keys, let count, let offset):
      return PlanNode.limitWithTies(push(input, []), keys: keys, count: count, offset: offset).filtered(by: conditions)
    case .rowsFrom(let inputs, let hasOrdinality):
      return PlanNode.rowsFrom(inputs.map { push($0, []) }, hasOrdinality: hasOrdinality).filtered(by: conditions)
    case .recursion(let id, let base, let step, let keepsRepeats):
      return PlanNode.recursion(id, base: push(base, []), step: push(step, []), keepsRepeats: keepsRepeats)
        .filtered(by: conditions)
    case .apply(let input, let lateral, let arguments):
      let count = input.outputTypes.count
      func passes(_ condition: Expression) -> Bool {
        !condition.isVolatile && condition.columnsRead.allSatisfy { $0 < count }
      }
      return PlanNode.apply(push(input, conditions.filter(passes)), lateral, arguments: arguments)
        .filtered(by: conditions.filter { !passes($0) })
    case .join(.inner, let left, let right, let leftKeys, let rightKeys, let residual):
      if leftKeys.isEmpty, let ordering { return pushGroup(plan, conditions, ordering) }
      return pushInner(left, right, leftKeys, rightKeys, (residual?.conjuncts ?? []) + conditions)
    case .join(let kind, let left, let right, let leftKeys, let rightKeys, let residual):
      return pushOuter(kind, left, right, leftKeys, rightKeys, residual, conditions)
    }
  }

  private func pushProject(_ input: PlanNode, _ expressions: [Expression], _ conditions: [Expression]) -> PlanNode {
    var passes: [Expression] = []
    var stays: [Expression] = []
    for condition in conditions {
      if condition.columnsRead.contains(where: { expressions[$0].isVolatile }) {
        stays.append(condition)
      } else {
        passes.append(condition.substitutingColumns { column, _ in expressions[column] })
      }
    }
    return PlanNode.project(push(input, passes), expressions).filtered(by: stays)
  }

  private func pushAggregate(
    _ input: PlanNode, _ groups: [Expression], _ aggregates: [AggregateCall], _ conditions: [Expression]
  ) -> PlanNode {
    var passes: [Expression] = []
    var stays: [Expression] = []
    for condition in conditions {
      let reads = condition.columnsRead
      let isOverKeys = !reads.isEmpty && reads.allSatisfy { $0 < groups.count && !groups[$0].isVolatile }
      if isOverKeys {
        passes.append(condition.substitutingColumns { column, _ in groups[column] })
      } else {
        stays.append(condition)
      }
    }
    return PlanNode.aggregate(push(input, passes), groups: groups, aggregates: aggregates).filtered(by: stays)
  }

  /// A condition over partition keys alone keeps or drops whole partitions.
  private func pushWindow(_ input: PlanNode, _ spec: WindowSpec, _ conditions: [Expression]) -> PlanNode {
    let keys = Set(spec.partition.compactMap { key in if case .column(let column, _) = key { column } else { nil } })
    func passes(_ condition: Expression) -> Bool {
      let reads = condition.columnsRead
      return !reads.isEmpty && reads.isSubset(of: keys) && !condition.isVolatile
    }
    return PlanNode.window(push(input, conditions.filter(passes)), spec).filtered(by: conditions.filter { !passes($0) })
  }

  // MARK: Joins

  /// An inner join whose order is settled.
  private func pushInner(
    _ left: PlanNode, _ right: PlanNode, _ leftKeys: [Expression], _ rightKeys: [Expression], _ conditions: [Expression]
  ) -> PlanNode {
    let count = left.outputTypes.count
    var split = JoinConditions(leftCount: count, leftKeys: leftKeys, rightKeys: rightKeys)
    for condition in conditions { split.add(condition) }
    return .join(
      .inner, left: push(left, split.leftOnly), right: push(right, split.rightOnly), leftKeys: split.leftKeys,
      rightKeys: split.rightKeys, residual: split.residual.isEmpty ? nil : .conjunction(split.residual))
  }

  /// A tree of inner joins as written: all inputs and conditions are collected, then put in a good order.
  private func pushGroup(_ plan: PlanNode, _ conditions: [Expression], _ ordering: JoinOrder) -> PlanNode {
    var group = JoinGroup()
    group.collect(plan)
    for condition in conditions { group.conditions.append(condition) }
    var local = [[Expression]](repeating: [], count: group.inputs.count)
    var shared: [Expression] = []
    for condition in group.conditions {
      let owners = Set(condition.columnsRead.map(group.owner(of:)))
      if let owner = owners.first, owners.count == 1 {
        local[owner].append(condition.mappingColumns { $0 - group.offsets[owner] })
      } else {
        shared.append(condition)
      }
    }
    let inputs = group.inputs.indices.map { push(group.inputs[$0], local[$0]) }
    return ordering.joined(inputs, offsets: group.offsets, conditions: shared)
  }

  private func pushOuter(
    _ kind: JoinKind, _ left: PlanNode, _ right: PlanNode, _ leftKeys: [Expression], _ rightKeys: [Expression],
    _ residual: Expression?, _ conditions: [Expression]
  ) -> PlanNode {
    let count = left.outputTypes.count
    let isRight: (Int) -> Bool = { $0 >= count }
    if kind == .left, conditions.contains(where: { $0.rejectsNulls(of: isRight) }) {
      let inner = PlanNode.join(
        .inner, left: left, right: right, leftKeys: leftKeys, rightKeys: rightKeys, residual: residual)
      return push(inner, conditions)
    }
    var split = JoinConditions(leftCount: count, leftKeys: leftKeys, rightKeys: rightKeys)
    for condition in residual?.conjuncts ?? [] { split.add(condition) }
    // The condition of a join decides what matches, not which left rows there are.
    var stays = split.residual + split.leftOnly
    var rightOnly = split.rightOnly
    if kind == .full || kind == .right {
      stays += rightOnly.map { $0.mappingColumns { $0 + count } }
      rightOnly = []
    }
    var leftOnly: [Expression] = []
    var above: [Expression] = []
    for condition in conditions {
      let reads = condition.columnsRead
      let keepsLeft = kind != .full && kind != .right
      if keepsLeft, !reads.isEmpty, !reads.contains(where: isRight) {
        leftOnly.append(condition)
      } else {
        above.append(condition)
      }
    }
    return PlanNode.join(
      kind, left: push(left, leftOnly), right: push(right, rightOnly), leftKeys: split.leftKeys,
      rightKeys: split.rightKeys, residual: stays.isEmpty ? nil : .conjunction(stays)
    ).filtered(by: above)
  }
}

/// The conditions of one join by what they read.
struct JoinConditions {
  let leftCount: Int
  var leftKeys: [Expression]
  var rightKeys: [Expression]
  var leftOnly: [Expression] = []
  /// Over the right side's own columns.
  var rightOnly: [Expression] = []
  var residual: [Expression] = []

  init(leftCount: Int, leftKeys: [Expression] = [], rightKeys: [Expression] = []) {
    self.leftCount = leftCount
    self.leftKeys = leftKeys
    self.rightKeys = rightKeys
  }

  mutating func add(_ condition: Expression) {
    let count = leftCount
    let reads = condition.columnsRead
    if reads.isEmpty || condition.isVolatile {
      residual.append(condition)
    } else if reads.allSatisfy({ $0 < count }) {
      leftOnly.append(condition)
    } else if reads.allSatisfy({ $0 >= count }) {
      rightOnly.append(condition.mappingColumns { $0 - count })
    } else if let pair = condition.equality(isLeft: { $0 < count }) {
      leftKeys.append(pair.left)
      rightKeys.append(pair.right.mappingColumns { $0 - count })
    } else {
      residual.append(condition)
    }
  }
}

extension Expression {
  var isVolatile: Bool {
    var found = false
    forEach { if case .call(let function, _, _) = $0, function.volatility == .volatile { found = true } }
    return found
  }

  /// Whether a row whose columns of one side are all null cannot satisfy the condition.
  func rejectsNulls(of side: (Int) -> Bool) -> Bool {
    switch self {
    case .and(let parts): parts.contains { $0.rejectsNulls(of: side) }
    case .isNotNull(let operand), .isTruth(let operand, _, negated: false): operand.isNullWithNulls(of: side)
    default: isNullWithNulls(of: side)
    }
  }

  /// Whether the value is null when those columns are.
  private func isNullWithNulls(of side: (Int) -> Bool) -> Bool {
    switch self {
    case .column(let column, _): side(column)
    case .call(let function, let arguments, _):
      function.isStrict && arguments.contains { $0.isNullWithNulls(of: side) }
    case .cast(_, let operand, _, _), .not(let operand): operand.isNullWithNulls(of: side)
    case .inList(let operand, let values, _, _): !values.isEmpty && operand.isNullWithNulls(of: side)
    default: false
    }
  }
}
