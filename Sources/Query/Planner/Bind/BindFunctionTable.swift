// Functions in FROM: one call, several of ROWS FROM, and WITH ORDINALITY.

import Bedrock
import Columnar
import Functions
import Plan
import SQLSyntax

extension Binder {
  private typealias FunctionRows = (plan: PlanNode, columns: [BoundColumn], name: String)

  func bindFunctions(
    _ calls: [ExpressionSyntax], _ alias: AliasSyntax?, hasOrdinality: Bool, in scope: SelectScope,
    at location: SourceLocation
  ) throws(Fault) -> BoundTable {
    if calls.count == 1, !hasOrdinality, case .function(let call) = calls[0].kind,
      let function = ExternalFunction(rawValue: try functionName(call))
    {
      return try bindExternal(function, call, alias, in: scope)
    }
    var items: [FunctionRows] = []
    for call in calls { items += try bindFunctionRows(call, in: scope) }
    guard let first = items.first else { throw Fault.bug("a function table without a function") }
    // A single function with a single column gives it its alias.
    if items.count == 1, first.columns.count == 1, let alias { items[0].columns[0].name = alias.name }
    var columns = items.flatMap(\.columns)
    guard columns.count < Limits.tableColumnsMax else {
      throw Fault(.programLimitExceeded, "functions in FROM can return at most \(Limits.tableColumnsMax) columns")
    }
    var plan = items[0].plan
    if items.count > 1 || hasOrdinality {
      plan = .rowsFrom(items.map(\.plan), hasOrdinality: hasOrdinality)
      if hasOrdinality { columns.append(BoundColumn(name: "ordinality", type: .int8)) }
    }
    return try offered(plan, columns, alias: alias, name: first.name, at: location)
  }

  /// The rows of one call; of `unnest(a, b)` those of an unnest each.
  private func bindFunctionRows(_ syntax: ExpressionSyntax, in scope: SelectScope) throws(Fault) -> [FunctionRows] {
    let empty = SelectScope(parent: scope.parent, sight: scope.sight)
    empty.clauseWithoutAggregates = "functions in FROM"
    guard case .function(let call) = syntax.kind else {
      let value = try inlined(try settled(try bind(syntax, in: empty), at: syntax.location), since: 0, in: empty)
      return [single(value, OutputName.of(syntax))]
    }
    let name = try functionName(call)
    let title = call.name.last ?? name
    guard !library.tableFunctions(name).isEmpty else {
      return [single(try inlined(try bind(syntax, in: empty), since: 0, in: empty), title)]
    }
    var arguments: [(value: Expression, location: SourceLocation)] = []
    for (value, location) in try bindArguments(call, in: empty) {
      arguments.append((try inlined(value, since: 0, in: empty), location))
    }
    if name == "unnest", arguments.count > 1 {
      var rows: [FunctionRows] = []
      for argument in arguments { rows.append(try tableRows(name, [argument], title, at: call.location)) }
      return rows
    }
    return [try tableRows(name, arguments, title, at: call.location)]
  }

  /// A scalar function in FROM is a table of one row.
  private func single(_ value: Expression, _ name: String) -> FunctionRows {
    (.project(.values(rows: [[]], types: []), [value]), [BoundColumn(name: name, type: value.type)], name)
  }

  private func tableRows(
    _ name: String, _ arguments: [(value: Expression, location: SourceLocation)], _ title: String,
    at location: SourceLocation
  ) throws(Fault) -> FunctionRows {
    let (function, values) = try chooseTableFunction(name, arguments, at: location)
    let described = function.columns(values.map(\.type))
    return (
      .tableFunction(function, arguments: values, types: described.map(\.type)),
      described.map { BoundColumn(name: $0.name, type: $0.type) }, title
    )
  }
}
