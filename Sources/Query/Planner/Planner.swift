// From a parsed query to a plan: bind (names, types, casts), then optimise.
//
//   SelectStatement -> Binder -> PlanNode -> fold -> push down, join order -> prune -> finish -> PlannedQuery
//
// A plan with parameters or stable functions is completed by `prepareToRun`, which puts their values in and lets the
// rules that need values (pruning of scans, top-N) run again.

package import Bedrock
package import Columnar
package import Functions
package import Plan
package import SQLSyntax

/// What a statement's plan depends on besides its text and the catalog.
package struct PlannerSettings: Sendable {
  /// Reads literals (time zone, now) and resolves names (search_path).
  package var context: FunctionContext
  package var library: FunctionLibrary
  package init(context: FunctionContext, library: FunctionLibrary = .catalog) {
    self.context = context
    self.library = library
  }
}

package struct Planner: Sendable {
  package let catalog: any CatalogReader
  package let settings: PlannerSettings

  package init(catalog: any CatalogReader, settings: PlannerSettings) {
    self.catalog = catalog
    self.settings = settings
  }

  /// The plan of a query.
  ///
  /// Faults are PostgreSQL's, with SQLSTATE and position; 0A000 for what is not offered.
  /// - Parameter parameterTypes: types that the client declared for $1, $2 ...; nil where it did not.
  package func plan(
    _ query: SelectStatement, parameterTypes: [DataType?] = []
  ) throws(Fault) -> PlannedQuery {
    let binder = Binder(
      catalog: catalog, library: settings.library, context: settings.context,
      parameterTypes: parameterTypes.map { $0 == .unknown ? nil : $0 })
    let bound = try binder.bindQuery(query, parent: nil, sight: CommonTableSight())
    let types = try binder.finalParameterTypes()
    let optimizer = Optimizer(
      context: settings.context, foldsStable: false, ordering: binder.ordering)
    var subqueries: [PlanNode] = []
    for plan in binder.subqueries { subqueries.append(try optimizer.optimise(plan)) }
    let root = try optimizer.optimise(bound.plan)
    guard ([root] + subqueries).allSatisfy({ $0.depth <= Limits.statementDepthMax }) else {
      throw Fault(.statementTooComplex, "plan is nested too deeply")
    }
    return PlannedQuery(
      columns: bound.columns.map {
        OutputColumn(name: $0.name, type: $0.type, tableOID: $0.tableOID, attributeNumber: $0.attributeNumber)
      }, parameterTypes: types, root: root, subqueries: subqueries)
  }

  /// A single expression without columns, as the arguments of EXECUTE and CALL are. Its value is the one row.
  package func plan(expressions: [ExpressionSyntax], types: [DataType?]) throws(Fault) -> PlannedQuery {
    let binder = Binder(
      catalog: catalog, library: settings.library, context: settings.context, parameterTypes: [])
    let scope = SelectScope(parent: nil, sight: CommonTableSight())
    scope.clauseWithoutAggregates = "arguments"
    var values: [Expression] = []
    for (index, syntax) in expressions.enumerated() {
      var value = try binder.bind(syntax, in: scope)
      if index < types.count, let type = types[index] {
        value = try binder.coerce(value, to: type, .assignment, at: syntax.location)
      }
      values.append(try binder.settled(value, at: syntax.location))
    }
    let optimizer = Optimizer(context: settings.context, foldsStable: true, ordering: nil)
    var subqueries: [PlanNode] = []
    for plan in binder.subqueries { subqueries.append(try optimizer.optimise(plan)) }
    return PlannedQuery(
      columns: values.enumerated().map { OutputColumn(name: "column\($0 + 1)", type: $1.type) }, parameterTypes: [],
      root: try optimizer.optimise(.values(rows: [values], types: values.map(\.type))), subqueries: subqueries)
  }

  /// The plan with its parameters' values in place and stable functions evaluated, ready for the executor.
  ///
  /// Faults: 08P01 when the number of values is not that of the parameters.
  package static func prepareToRun(
    _ query: PlannedQuery, parameters: [Scalar] = [], context: FunctionContext
  ) throws(Fault) -> PlannedQuery {
    guard parameters.count == query.parameterTypes.count else {
      throw Fault(
        .protocolViolation,
        "bind message supplies \(parameters.count) parameters, but prepared statement requires "
          + "\(query.parameterTypes.count)")
    }
    let optimizer = Optimizer(context: context, foldsStable: true, ordering: nil)
    func filled(_ expression: Expression) throws(Fault) -> Expression {
      var operands: [Expression] = []
      for operand in expression.children { operands.append(try filled(operand)) }
      switch expression {
      case .parameter(let index, let type): return .constant(parameters[index], type)
      case .correlated(let subquery, _, let type):
        let plan = try ready(subquery.plan)
        return .correlated(CorrelatedSubquery(plan: plan, use: subquery.use), arguments: operands, type)
      default: return operands.isEmpty ? expression : expression.replacingChildren(operands)
      }
    }
    func ready(_ plan: PlanNode) throws(Fault) -> PlanNode {
      let complete = try plan.mappingExpressions { (expression) throws(Fault) in try filled(expression) }
      return try optimizer.optimise(try complete.mappingLateralPlans { (inner) throws(Fault) in try ready(inner) })
    }
    var subqueries: [PlanNode] = []
    for plan in query.subqueries { subqueries.append(try ready(plan)) }
    return PlannedQuery(
      columns: query.columns, parameterTypes: query.parameterTypes, root: try ready(query.root), subqueries: subqueries)
  }
}
