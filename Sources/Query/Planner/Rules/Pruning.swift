// Projection pruning: every node keeps the columns that something above it reads, so a scan touches only those.

import Bedrock
import Columnar
import Plan
import StorageContract

struct Pruning {
  /// The plan with the same output columns and no other column that nothing reads.
  func apply(_ plan: PlanNode) -> PlanNode {
    let types = plan.outputTypes
    let (pruned, places) = prune(plan, Set(types.indices))
    return arranged(pruned, Array(types.indices), places)
  }

  /// The wanted columns in their order.
  private func arranged(_ plan: PlanNode, _ wanted: [Int], _ places: [Int: Int]) -> PlanNode {
    let types = plan.outputTypes
    let order = wanted.map { places[$0] ?? 0 }
    if order == Array(types.indices) { return plan }
    return .project(plan, order.map { .column($0, types[$0]) })
  }

  private func moved(_ expression: Expression, _ places: [Int: Int]) -> Expression {
    expression.mappingColumns { column in
      guard let place = places[column] else { preconditionFailure("a column that is read was pruned") }
      return place
    }
  }

  private func moved(_ keys: [SortKey], _ places: [Int: Int]) -> [SortKey] {
    keys.map { $0.replacing(expression: moved($0.expression, places)) }
  }

  private func reads(_ expressions: [Expression]) -> Set<Int> {
    expressions.reduce(into: Set<Int>()) { $0.formUnion($1.columnsRead) }
  }

  /// The plan with at least the needed columns, and where each old column is now.
  private func prune(_ plan: PlanNode, _ needed: Set<Int>) -> (PlanNode, [Int: Int]) {
    switch plan {
    case .scan(let name, let request, let types, let filter):
      let kept = needed.union(filter?.columnsRead ?? []).sorted()
      let places = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1, $0) })
      return (
        .scan(
          relation: name,
          request: request.replacing(columns: kept.map { request.columns[$0] }, predicates: request.predicates),
          types: kept.map { types[$0] }, filter: filter.map { moved($0, places) }), places
      )
    case .virtualScan(let name, let relation, let columns, let types, let filter):
      let kept = needed.union(filter?.columnsRead ?? []).sorted()
      let places = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1, $0) })
      return (
        .virtualScan(
          relation: name, relation, columns: kept.map { columns[$0] }, types: kept.map { types[$0] },
          filter: filter.map { moved($0, places) }), places
      )
    case .tableFunction(_, _, let types), .values(_, let types), .subqueryRows(_, let types), .workingRows(_, let types):
      return (plan, Dictionary(uniqueKeysWithValues: types.indices.map { ($0, $0) }))
    case .filter(let input, let condition):
      let (child, places) = prune(input, needed.union(condition.columnsRead))
      return (.filter(child, moved(condition, places)), places)
    case .project(let input, let expressions):
      let kept = needed.sorted()
      let (child, places) = prune(input, reads(kept.map { expressions[$0] }))
      return (
        .project(child, kept.map { moved(expressions[$0], places) }),
        Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1, $0) })
      )
    case .aggregate(let input, let groups, let aggregates):
      return pruneAggregate(input, groups, aggregates, needed)
    case .join(let kind, let left, let right, let leftKeys, let rightKeys, let residual):
      return pruneJoin(kind, left, right, leftKeys, rightKeys, residual, needed)
    case .sort(let input, let keys, let limit):
      let (child, places) = prune(input, needed.union(reads(keys.map(\.expression))))
      return (.sort(child, moved(keys, places), limit: limit), places)
    case .limit(let input, let count, let offset):
      let (child, places) = prune(input, needed)
      return (.limit(child, count: count, offset: offset), places)
    case .distinctOn(let input, let keys):
      let (child, places) = prune(input, needed.union(reads(keys)))
      return (.distinctOn(child, keys: keys.map { moved($0, places) }), places)
    case .firstRows(let input, let keys, let order):
      let (child, places) = prune(input, needed.union(reads(keys)).union(reads(order.map(\.expression))))
      return (
        .firstRows(
          child, keys: keys.map { moved($0, places) },
          order: order.map { $0.replacing(expression: moved($0.expression, places)) }), places
      )
    case .expand(let input, let lists):
      let count = input.outputTypes.count
      let (child, places) = prune(input, needed.filter { $0 < count }.union(reads(lists)))
      let newCount = child.outputTypes.count
      var result = places
      for index in lists.indices { result[count + index] = newCount + index }
      return (.expand(child, lists: lists.map { moved($0, places) }), result)
    case .limitWithTies(let input, let keys, let count, let offset):
      let (child, places) = prune(input, needed.union(reads(keys)))
      return (.limitWithTies(child, keys: keys.map { moved($0, places) }, count: count, offset: offset), places)
    case .apply(let input, let lateral, let arguments):
      let count = input.outputTypes.count
      let (child, places) = prune(input, needed.filter { $0 < count }.union(reads(arguments)))
      let newCount = child.outputTypes.count
      var result = places
      for index in lateral.plan.outputTypes.indices { result[count + index] = newCount + index }
      return (.apply(child, lateral, arguments: arguments.map { moved($0, places) }), result)
    case .rowsFrom(let inputs, let hasOrdinality):
      let all = plan.outputTypes.indices.map { ($0, $0) }
      return (.rowsFrom(inputs.map(apply), hasOrdinality: hasOrdinality), Dictionary(uniqueKeysWithValues: all))
    case .recursion(let id, let base, let step, let keepsRepeats):
      // Every column may matter to the next round.
      let all = plan.outputTypes.indices.map { ($0, $0) }
      return (
        .recursion(id, base: apply(base), step: apply(step), keepsRepeats: keepsRepeats),
        Dictionary(uniqueKeysWithValues: all)
      )
    case .window(let input, let spec): return pruneWindow(input, spec, needed)
    case .groupingSets(let input, let groups, let aggregates, let sets):
      let kept = aggregates.indices.filter { needed.contains(groups.count + $0) }
      let calls = kept.map { aggregates[$0] }
      let (child, places) = prune(input, reads(groups + calls.flatMap(\.expressions)))
      var result = Dictionary(uniqueKeysWithValues: groups.indices.map { ($0, $0) })
      for (new, old) in kept.enumerated() { result[groups.count + old] = groups.count + new }
      for index in sets.groupings.indices {
        result[groups.count + aggregates.count + index] = groups.count + calls.count + index
      }
      return (
        .groupingSets(
          child, groups: groups.map { moved($0, places) }, aggregates: calls.map { $0.mapping { moved($0, places) } }, sets),
        result
      )
    case .append(let inputs):
      let kept = needed.sorted()
      let children = inputs.map { input in
        let (child, places) = prune(input, needed)
        return arranged(child, kept, places)
      }
      return (.append(children), Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1, $0) }))
    }
  }

  private func pruneAggregate(
    _ input: PlanNode, _ groups: [Expression], _ aggregates: [AggregateCall], _ needed: Set<Int>
  ) -> (PlanNode, [Int: Int]) {
    // Keys decide how many rows there are: all stay.
    let kept = aggregates.indices.filter { needed.contains(groups.count + $0) }
    let calls = kept.map { aggregates[$0] }
    let used = calls.flatMap(\.expressions)
    let (child, places) = prune(input, reads(groups + used))
    let moved = calls.map { call in call.mapping { self.moved($0, places) } }
    var result = Dictionary(uniqueKeysWithValues: groups.indices.map { ($0, $0) })
    for (new, old) in kept.enumerated() { result[groups.count + old] = groups.count + new }
    return (.aggregate(child, groups: groups.map { self.moved($0, places) }, aggregates: moved), result)
  }

  private func pruneWindow(_ input: PlanNode, _ spec: WindowSpec, _ needed: Set<Int>) -> (PlanNode, [Int: Int]) {
    let count = input.outputTypes.count
    let kept = spec.calls.indices.filter { needed.contains(count + $0) }
    let below = needed.filter { $0 < count }
    // Nothing builds on the order of its rows yet: that is found out last.
    if kept.isEmpty { return prune(input, below) }
    let rest = spec.keeping(kept)
    let (child, places) = prune(input, below.union(reads(rest.expressions)))
    let newCount = child.outputTypes.count
    var result = places
    for (new, old) in kept.enumerated() { result[count + old] = newCount + new }
    return (.window(child, rest.mapping { moved($0, places) }), result)
  }

  private func pruneJoin(
    _ kind: JoinKind, _ left: PlanNode, _ right: PlanNode, _ leftKeys: [Expression], _ rightKeys: [Expression],
    _ residual: Expression?, _ needed: Set<Int>
  ) -> (PlanNode, [Int: Int]) {
    let count = left.outputTypes.count
    let inside = needed.union(residual?.columnsRead ?? [])
    let (newLeft, leftPlaces) = prune(left, Set(inside.filter { $0 < count }).union(reads(leftKeys)))
    let (newRight, rightPlaces) = prune(
      right, Set(inside.filter { $0 >= count }.map { $0 - count }).union(reads(rightKeys)))
    let newCount = newLeft.outputTypes.count
    var places = leftPlaces
    for (old, new) in rightPlaces { places[count + old] = newCount + new }
    return (
      .join(
        kind, left: newLeft, right: newRight, leftKeys: leftKeys.map { moved($0, leftPlaces) },
        rightKeys: rightKeys.map { moved($0, rightPlaces) }, residual: residual.map { moved($0, places) }), places
    )
  }
}
