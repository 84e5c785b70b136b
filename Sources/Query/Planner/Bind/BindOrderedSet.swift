// Aggregates WITHIN GROUP: their direct arguments, of which each group has one value, and the values in order.

import Bedrock
import Columnar
import Functions
import Plan
import SQLSyntax

extension Binder {
  func bindOrderedSet(
    _ call: FunctionCallSyntax, _ name: String, in scope: SelectScope
  ) throws(Fault) -> Expression {
    let position = call.location.position
    let hypothetical = HypotheticalSets.named(name)
    let candidates = library.aggregates(name)
    if hypothetical == nil {
      if candidates.isEmpty {
        guard WindowFunctions.named(name).isEmpty else {
          throw Fault(.wrongObjectType, "window function \(name) requires an OVER clause", position: position)
        }
        let types = try bindAll(call.arguments.map(\.value) + call.orderBy.map(\.expression), in: scope).map(\.value.type)
        throw missing(name, types, at: call.location)
      }
      guard candidates.contains(where: { $0.directCount != nil }) else {
        let all = try bindAll(call.arguments.map(\.value) + call.orderBy.map(\.expression), in: scope)
        _ = try chooseAggregate(name, all, isStar: false, at: call.location)
        throw Fault(
          .wrongObjectType, "\(name) is not an ordered-set aggregate, so it cannot have WITHIN GROUP", position: position)
      }
    }
    try refuseAggregate(in: scope, at: call.location)
    scope.isInsideAggregate = true
    defer { scope.isInsideAggregate = false }
    let pendingBefore = scope.pending.count
    let direct = try bindArguments(call, in: scope)
    let ordered = try bindAll(call.orderBy.map(\.expression), in: scope)
    let filter = try call.filter.map { (syntax) throws(Fault) in
      try condition(try bind(syntax, in: scope), of: "FILTER", at: syntax.location)
    }
    guard scope.pending.count == pendingBefore else {
      throw Fault.unsupported("a correlated subquery inside an aggregate", position: position)
    }
    let found: AggregateCall
    if let hypothetical {
      found = try hypotheticalCall(hypothetical, call, direct, ordered, filter)
    } else {
      let chosen = try chooseAggregate(name, direct + ordered, isStar: false, at: call.location)
      guard chosen.function.directCount == direct.count, ordered.count == 1, let item = call.orderBy.first,
        let value = chosen.values.last
      else { throw missing(name, (direct + ordered).map(\.value.type), at: call.location) }
      found = AggregateCall(
        function: chosen.function, arguments: chosen.values, isDistinct: false, filter: filter,
        orderBy: [sortKey(value, item)], type: chosen.function.result.resolve(chosen.values.map(\.type)))
    }
    scope.aggregates.append(found)
    return .column(PendingColumn.aggregate(scope.aggregates.count - 1), found.type)
  }

  /// Each direct argument and its key take one type.
  private func hypotheticalCall(
    _ function: AggregateFunction, _ call: FunctionCallSyntax,
    _ direct: [(value: Expression, location: SourceLocation)],
    _ ordered: [(value: Expression, location: SourceLocation)], _ filter: Expression?
  ) throws(Fault) -> AggregateCall {
    guard direct.count == ordered.count else {
      let types = (direct + ordered).map { TypeNames.sqlName($0.value.type) }
      throw Fault(
        .undefinedFunction, "function \(function.name)(\(types.joined(separator: ", "))) does not exist",
        hint: "To use the hypothetical-set aggregate \(function.name), the number of hypothetical direct arguments "
          + "(here \(direct.count)) must match the number of ordering columns (here \(ordered.count)).",
        position: call.location.position)
    }
    var arguments: [Expression] = []
    var keys: [SortKey] = []
    for (index, item) in call.orderBy.enumerated() {
      let (values, _) = try unify([direct[index], ordered[index]], for: "WITHIN GROUP")
      arguments.append(values[0])
      keys.append(sortKey(values[1], item))
    }
    return AggregateCall(
      function: function, arguments: arguments, isDistinct: false, filter: filter, orderBy: keys,
      type: function.result.resolve([]))
  }

  func refuseAggregate(in scope: SelectScope, at location: SourceLocation) throws(Fault) {
    if let clause = scope.clauseWithoutAggregates {
      throw Fault(.groupingError, "aggregate functions are not allowed in \(clause)", position: location.position)
    }
    if scope.isInsideAggregate {
      throw Fault(.groupingError, "aggregate function calls cannot be nested", position: location.position)
    }
  }
}

extension GroupRewrite {
  /// Direct arguments of aggregates have one value a group, so they read grouped columns alone.
  func checkDirectArguments() throws(Fault) {
    for call in scope.aggregates {
      let direct = call.function.isHypothetical ? call.arguments.count : call.function.directCount ?? 0
      for argument in call.arguments.prefix(direct) {
        do throws(Fault) { _ = try apply(argument) } catch {
          throw Fault(
            error.state, error.message, detail: "Direct arguments of an ordered-set aggregate must use only grouped columns.",
            position: error.position)
        }
      }
    }
  }
}
