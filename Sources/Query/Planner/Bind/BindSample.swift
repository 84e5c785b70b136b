// TABLESAMPLE: a condition on the scan, over the number that each event has in its table.
//
// BERNOULLI decides for each row, SYSTEM for each run of 2,048 sequence numbers. The decision is a hash of the number
// and the seed, so REPEATABLE gives the same rows for any number of threads, and in either tier.

import Bedrock
import Columnar
import EventSchema
import Functions
import Plan
import SQLSyntax
import StorageContract

extension Binder {
  func bindSample(
    _ relation: RelationSyntax, _ sample: SampleSyntax, in scope: SelectScope
  ) throws(Fault) -> BoundTable {
    let table = try bindRelation(relation, in: scope)
    guard case .scan(_, let request, let types, nil) = table.plan else {
      throw Fault(
        .featureNotSupported, "TABLESAMPLE clause can only be applied to tables and materialized views",
        position: relation.location.position)
    }
    let method = sample.method.last ?? ""
    guard ["bernoulli", "system"].contains(method) else {
      throw Fault(
        .undefinedObject, "tablesample method \(method) does not exist", position: sample.location.position)
    }
    guard sample.arguments.count == 1 else {
      throw Fault(
        SQLState("2202H"), "tablesample method \(method) requires 1 argument, not \(sample.arguments.count)",
        position: sample.location.position)
    }
    let percentage = try sampleArgument(sample.arguments[0], .float4, in: scope)
    let seed = try sample.seed.map { (syntax) throws(Fault) in try sampleArgument(syntax, .float8, in: scope) }
    let key: Expression
    if request.external == nil, let place = request.columns.firstIndex(of: SystemColumn.sequence) {
      key = .column(place, types[place])
    } else {
      let columns = types.indices.map { Expression.column($0, types[$0]) }
      key = .call(SampleFunctions.rowHash, columns, .int8)
    }
    let isSystem = Expression.constant(.boolean(method == "system"), .boolean)
    let function = seed == nil ? SampleFunctions.sample : SampleFunctions.repeatableSample
    let condition = Expression.call(
      function, [key, percentage, seed ?? .constant(.float(0), .float8), isSystem], .boolean)
    return (.filter(table.plan, condition), table.from)
  }

  private func sampleArgument(
    _ syntax: ExpressionSyntax, _ type: DataType, in scope: SelectScope
  ) throws(Fault) -> Expression {
    let empty = SelectScope(parent: scope.parent, sight: scope.sight)
    empty.clauseWithoutAggregates = "TABLESAMPLE"
    return try inlined(
      try coerce(try bind(syntax, in: empty), to: type, .assignment, at: syntax.location), since: 0, in: empty)
  }
}
