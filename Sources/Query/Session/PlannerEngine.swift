// The query engine of the server: Planner makes the plan, an executor of plans runs it.

package import Bedrock
package import Columnar
package import Plan
import Planner
package import SQLSyntax
package import StorageContract

/// Runs plans that are ready: parameters in place, stable functions evaluated.
package protocol PlanExecutor: Sendable {
  func open(_ query: PlannedQuery, context: ExecutionContext) throws(Fault) -> any RowSource
  /// The rows of EXPLAIN; runs the plan first when its options say so.
  func explain(_ query: PlannedQuery, options: ExplainOptions, context: ExecutionContext) throws(Fault) -> [String]
}

package struct PlannerEngine: QueryEngine {
  private let executor: any PlanExecutor

  package init(executor: any PlanExecutor) { self.executor = executor }

  private func planner(_ context: PlanningContext) -> Planner {
    Planner(catalog: context.catalog, settings: PlannerSettings(context: context.functions))
  }

  package func plan(
    _ query: SelectStatement, parameterTypes: [DataType?], context: PlanningContext
  ) throws(Fault) -> PlannedQuery {
    try planner(context).plan(query, parameterTypes: parameterTypes)
  }

  package func plan(
    _ write: WriteStatement, into table: ReferenceTableDefinition, parameterTypes: [DataType?], context: PlanningContext
  ) throws(Fault) -> PlannedQuery {
    try planner(context).plan(write, into: table, parameterTypes: parameterTypes)
  }

  package func open(
    _ query: PlannedQuery, parameters: [Scalar], context: ExecutionContext
  ) throws(Fault) -> any RowSource {
    let ready = try Planner.prepareToRun(query, parameters: parameters, context: context.functions)
    return try executor.open(ready, context: context)
  }

  package func explain(
    _ query: PlannedQuery, options: ExplainOptions, parameters: [Scalar], context: ExecutionContext
  ) throws(Fault) -> [String] {
    let ready = try Planner.prepareToRun(query, parameters: parameters, context: context.functions)
    return try executor.explain(ready, options: options, context: context)
  }

  package func type(_ name: TypeNameSyntax, context: PlanningContext) throws(Fault) -> DataType {
    // A null of that type: binding it resolves the name as everywhere else.
    let null = ExpressionSyntax(.cast(ExpressionSyntax(.constant(.null), at: name.location), name), at: name.location)
    let plan = try planner(context).plan(expressions: [null], types: [])
    guard let column = plan.columns.first else { throw .bug("an expression without a column") }
    return column.type
  }

  package func value(
    of expression: ExpressionSyntax, as type: DataType, context: PlanningContext
  ) throws(Fault) -> Scalar {
    let plan = try planner(context).plan(expressions: [expression], types: [type])
    guard plan.subqueries.isEmpty, case .values(let rows, _) = plan.root, rows.count == 1,
      case .constant(let value, _)? = rows[0].first
    else { throw .unsupported("an argument that is not a constant", position: expression.location.position) }
    return value
  }
}
