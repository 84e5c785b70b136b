// Plans as text, for EXPLAIN and for tests: PostgreSQL's layout, our operators.
//
//   Limit: 10
//     ->  Sort (top 10): count(*) DESC
//           ->  Aggregate
//                 Group Key: name
//                 Aggregates: count(*)
//                 ->  Scan on iot.measurement
//                       Columns: name
//                       Filter: (value > 3)
//                       Pruning: value > 3

import Bedrock
import Columnar
import EventSchema
import Functions
package import Plan
import StorageContract

package struct PlanText {
  private let planner: Planner
  /// Lines to add under a scan: what each tier reads and skips.
  private let annotate: (PlanNode) -> [String]

  package init(_ planner: Planner, annotate: @escaping (PlanNode) -> [String] = { _ in [] }) {
    self.planner = planner
    self.annotate = annotate
  }

  /// One line each, indented; subqueries that run first come after the root as `SubPlan 1` and so on.
  package func lines(_ query: PlannedQuery) -> [String] { ExplainTree.lines(trees(query)) }

  /// The root and then the subqueries that run first, as EXPLAIN shows them.
  package func trees(_ query: PlannedQuery) -> [ExplainTree] {
    ([query.root] + query.subqueries).enumerated().map { plan, node in
      var next = 0
      return tree(node, plan: plan, &next)
    }
  }

  /// - Parameter next: the number of the node in preorder; nil where nodes are not numbered.
  private func tree(_ node: PlanNode, plan: Int, _ next: inout Int) -> ExplainTree {
    var result = ExplainTree(title: title(node), details: details(node), plan: plan, index: next)
    next += 1
    for child in node.children { result.children.append(tree(child, plan: plan, &next)) }
    if case .apply(_, let lateral, _) = node {
      var unnumbered = Int.min / 2
      result.children.append(tree(lateral.plan, plan: plan, &unnumbered))
    }
    return result
  }

  private func title(_ plan: PlanNode) -> String {
    switch plan {
    case .scan(let name, let request, _, _): return "\(request.external == nil ? "" : "Foreign ")Scan on \(name)"
    case .virtualScan(let name, _, _, _, _): return "Virtual Scan on \(name)"
    case .tableFunction(let function, let arguments, _):
      return "Function Scan on \(function.name)(\(text(arguments, [])))"
    case .values(let rows, _): return rows.count == 1 ? "Result" : "Values Scan (\(rows.count) rows)"
    case .filter: return "Filter"
    case .project: return "Project"
    case .aggregate(_, let groups, let aggregates):
      return aggregates.isEmpty ? "Distinct" : groups.isEmpty ? "Aggregate" : "Hash Aggregate"
    case .join(let kind, _, _, let keys, _, _):
      if keys.isEmpty { return kind == .inner ? "Nested Loop" : "Nested Loop \(kind.rawValue) Join" }
      return kind == .inner ? "Hash Join" : "Hash \(kind.rawValue) Join"
    case .sort(_, _, let limit): return limit.map { "Sort (top \($0))" } ?? "Sort"
    case .limit: return "Limit"
    case .distinctOn: return "Unique"
    case .firstRows: return "First Rows"
    case .append: return "Append"
    case .expand: return "Expand"
    case .limitWithTies: return "Limit (with ties)"
    case .apply(_, let lateral, _): return "Nested Loop \(lateral.keepsUnmatched ? "Left Join " : "")(lateral)"
    case .rowsFrom(_, let hasOrdinality): return "Rows From\(hasOrdinality ? " (with ordinality)" : "")"
    case .subqueryRows(let index, _): return "Subquery Scan on SubPlan \(index + 1)"
    case .recursion(_, _, _, let keepsRepeats): return "Recursive Union\(keepsRepeats ? " All" : "")"
    case .workingRows: return "WorkTable Scan"
    case .window(_, let spec): return spec.isSorted ? "Window (sorted already)" : "Window"
    case .groupingSets(_, _, _, let sets): return "Grouping Sets (\(sets.sets.count))"
    }
  }

  private func details(_ plan: PlanNode) -> [String] {
    let names = plan.children.flatMap(outputNames)
    switch plan {
    case .scan(_, let request, let types, let filter):
      let own = outputNames(plan)
      var lines = ["Columns: " + (own.isEmpty ? "none" : own.joined(separator: ", "))]
      if let external = request.external { lines.insert("Source: " + external.label, at: 0) }
      if let filter { lines.append("Filter: " + text(filter, own)) }
      let pruning = request.predicates.compactMap { predicate in
        request.columns.firstIndex(of: predicate.column).map { text(predicate, column: own[$0], types[$0]) }
      }
      if !pruning.isEmpty { lines.append("Pruning: " + pruning.joined(separator: ", ")) }
      return lines + annotate(plan)
    case .virtualScan(_, _, _, _, let filter): return filter.map { ["Filter: " + text($0, outputNames(plan))] } ?? []
    case .tableFunction, .append, .rowsFrom, .subqueryRows, .recursion, .workingRows: return []
    case .limitWithTies(_, let keys, let count, let offset):
      return (count.map { ["Count: " + text($0, [])] } ?? []) + (offset.map { ["Offset: " + text($0, [])] } ?? [])
        + ["Tie Key: " + text(keys, names)]
    case .apply(_, _, let arguments): return arguments.isEmpty ? [] : ["Arguments: " + text(arguments, names)]
    case .values(let rows, _):
      return rows.count == 1 && !rows[0].isEmpty ? ["Output: " + text(rows[0], [])] : []
    case .filter(_, let condition): return ["Condition: " + text(condition, names)]
    case .project(_, let expressions): return ["Output: " + text(expressions, names)]
    case .aggregate(_, let groups, let aggregates):
      var lines = groups.isEmpty ? [] : ["Group Key: " + text(groups, names)]
      if !aggregates.isEmpty {
        lines.append("Aggregates: " + aggregates.map { text($0, names) }.joined(separator: ", "))
      }
      return lines
    case .join(_, let left, let right, let leftKeys, let rightKeys, let residual):
      let leftNames = outputNames(left)
      let rightNames = outputNames(right)
      var lines: [String] = []
      let pairs = zip(leftKeys, rightKeys).map { "\(text($0, leftNames)) = \(text($1, rightNames))" }
      if !pairs.isEmpty { lines.append("Hash Cond: " + pairs.joined(separator: " AND ")) }
      if let residual { lines.append("Join Filter: " + text(residual, leftNames + rightNames)) }
      return lines
    case .sort(_, let keys, _):
      return ["Sort Key: " + text(keys, names)]
    case .limit(_, let count, let offset):
      return (count.map { ["Count: " + text($0, [])] } ?? []) + (offset.map { ["Offset: " + text($0, [])] } ?? [])
    case .distinctOn(_, let keys): return ["Key: " + text(keys, names)]
    case .firstRows(_, let keys, let order): return ["Key: " + text(keys, names), "Order: " + text(order, names)]
    case .expand(_, let lists): return ["Lists: " + text(lists, names)]
    case .window(_, let spec):
      return (spec.partition.isEmpty ? [] : ["Partition Key: " + text(spec.partition, names)])
        + (spec.order.isEmpty ? [] : ["Order Key: " + text(spec.order, names)])
        + ["Calls: " + spec.calls.map { text($0, names) }.joined(separator: ", ")]
    case .groupingSets(_, let groups, let aggregates, let sets):
      return sets.sets.map { set in "Group Key: " + (set.isEmpty ? "()" : text(set.map { groups[$0] }, names)) }
        + (aggregates.isEmpty ? [] : ["Aggregates: " + aggregates.map { text($0, names) }.joined(separator: ", ")])
    }
  }

  // MARK: Names of columns

  private func outputNames(_ plan: PlanNode) -> [String] {
    switch plan {
    case .scan(let name, let request, _, _):
      if let external = request.external { return request.columns.map { external.columns[$0].name } }
      return relationNames(name, request.columns)
    case .virtualScan(_, let relation, let columns, _, _): return columns.map { relation.columns[$0].name }
    case .tableFunction(let function, let arguments, _): return function.columns(arguments.map(\.type)).map(\.name)
    case .values(_, let types): return types.indices.map { "column\($0 + 1)" }
    case .filter(let input, _), .sort(let input, _, _), .limit(let input, _, _), .distinctOn(let input, _),
      .firstRows(let input, _, _):
      return outputNames(input)
    case .expand(let input, let lists):
      let names = outputNames(input)
      return names + lists.map { text($0, names) }
    case .project(let input, let expressions):
      let names = outputNames(input)
      return expressions.map { text($0, names) }
    case .aggregate(let input, let groups, let aggregates):
      let names = outputNames(input)
      return groups.map { text($0, names) } + aggregates.map { text($0, names) }
    case .groupingSets(let input, let groups, let aggregates, let sets):
      let names = outputNames(input)
      return groups.map { text($0, names) } + aggregates.map { text($0, names) }
        + sets.groupings.map { "GROUPING(" + text($0.map { groups[$0] }, names) + ")" }
    case .window(let input, let spec):
      let names = outputNames(input)
      return names + spec.calls.map { text($0, names) }
    case .join(let kind, let left, let right, _, _, _):
      switch kind {
      case .semi, .anti, .antiNullAware: return outputNames(left)
      case .inner, .left, .right, .full, .single: return outputNames(left) + outputNames(right)
      }
    case .append(let inputs): return inputs.first.map(outputNames) ?? []
    case .limitWithTies(let input, _, _, _): return outputNames(input)
    case .apply(let input, let lateral, _): return outputNames(input) + outputNames(lateral.plan)
    case .rowsFrom(let inputs, let hasOrdinality):
      return inputs.flatMap(outputNames) + (hasOrdinality ? ["ordinality"] : [])
    case .subqueryRows(_, let types), .workingRows(_, let types): return types.indices.map { "column\($0 + 1)" }
    case .recursion(_, let base, _, _): return outputNames(base)
    }
  }

  private func relationNames(_ name: String, _ columns: [Int]) -> [String] {
    let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
    let relation = parts.count == 2
      ? planner.catalog.relation(schema: parts[0], name: parts[1], searchPath: []) : nil
    let known = Dictionary(
      (relation?.columns ?? []).map { ($0.sourceIndex, $0.name) }, uniquingKeysWith: { first, _ in first })
    return columns.map { known[$0] ?? "column \($0)" }
  }

  // MARK: Expressions

  private func text(_ list: [Expression], _ names: [String]) -> String {
    list.map { text($0, names) }.joined(separator: ", ")
  }

  private func text(_ keys: [SortKey], _ names: [String]) -> String {
    keys.map { key in
      text(key.expression, names) + (key.descending ? " DESC" : "")
        + (key.nullsFirst == key.descending ? "" : key.nullsFirst ? " NULLS FIRST" : " NULLS LAST")
    }.joined(separator: ", ")
  }

  private func text(_ call: WindowCall, _ names: [String]) -> String {
    var arguments = text(call.arguments, names)
    if case .aggregate = call.function, call.arguments.isEmpty { arguments = "*" }
    let filter = call.filter.map { " FILTER (WHERE \(text($0, names)))" } ?? ""
    return "\(call.function.name)(\(arguments))\(filter) OVER (\(call.frame.isStandard ? "?" : text(call.frame)))"
  }

  private func text(_ frame: WindowFrame) -> String {
    func bound(_ bound: WindowFrame.Bound) -> String {
      switch bound {
      case .unboundedPreceding: "UNBOUNDED PRECEDING"
      case .preceding(let offset): "\(text(offset, [])) PRECEDING"
      case .currentRow: "CURRENT ROW"
      case .following(let offset): "\(text(offset, [])) FOLLOWING"
      case .unboundedFollowing: "UNBOUNDED FOLLOWING"
      }
    }
    let exclusion = frame.exclusion == .none ? "" : " " + frame.exclusion.rawValue
    return "\(frame.unit.rawValue) BETWEEN \(bound(frame.start)) AND \(bound(frame.end))\(exclusion)"
  }

  private func text(_ call: AggregateCall, _ names: [String]) -> String {
    let arguments = call.arguments.isEmpty ? "*" : text(call.arguments, names)
    let filter = call.filter.map { " FILTER (WHERE \(text($0, names)))" } ?? ""
    return "\(call.function.name)(\(call.isDistinct ? "DISTINCT " : "")\(arguments))\(filter)"
  }

  private func text(_ predicate: ColumnPredicate, column: String, _ type: DataType) -> String {
    switch predicate.test {
    case .compare(let comparison, let scalar): "\(column) \(comparison.rawValue) \(constant(scalar, type))"
    case .anyOf(let scalars): "\(column) in \(scalars.count) values"
    case .isNull: "\(column) is null"
    case .isNotNull: "\(column) is not null"
    }
  }

  private func text(_ expression: Expression, _ names: [String]) -> String {
    switch expression {
    case .column(let column, _): return names.indices.contains(column) ? names[column] : "column \(column)"
    case .constant(let scalar, let type): return constant(scalar, type)
    case .parameter(let index, _): return "$\(index + 1)"
    case .call(let function, let arguments, _):
      let isOperator = !(function.name.unicodeScalars.first?.properties.isAlphabetic ?? false) && !function.name.hasPrefix("_")
      if isOperator, arguments.count == 2 {
        return "(\(text(arguments[0], names)) \(function.name) \(text(arguments[1], names)))"
      }
      if isOperator, arguments.count == 1 { return "(\(function.name) \(text(arguments[0], names)))" }
      return "\(function.name)(\(text(arguments, names)))"
    case .cast(_, let operand, let type, _): return "\(text(operand, names))::\(TypeNames.sqlName(type))"
    case .and(let parts): return "(" + parts.map { text($0, names) }.joined(separator: " AND ") + ")"
    case .or(let parts): return "(" + parts.map { text($0, names) }.joined(separator: " OR ") + ")"
    case .not(let operand): return "(NOT \(text(operand, names)))"
    case .isNull(let operand): return "(\(text(operand, names)) IS NULL)"
    case .isNotNull(let operand): return "(\(text(operand, names)) IS NOT NULL)"
    case .isTruth(let operand, let value, let negated):
      return "(\(text(operand, names)) IS \(negated ? "NOT " : "")\(value ? "TRUE" : "FALSE"))"
    case .isDistinct(let a, let b, _, let negated):
      return "(\(text(a, names)) IS \(negated ? "NOT " : "")DISTINCT FROM \(text(b, names)))"
    case .caseWhen(let branches, let otherwise, _):
      let arms = branches.map { "WHEN \(text($0.condition, names)) THEN \(text($0.value, names))" }
      return "CASE \(arms.joined(separator: " "))\(otherwise.map { " ELSE \(text($0, names))" } ?? "") END"
    case .coalesce(let operands, _): return "COALESCE(\(text(operands, names)))"
    case .inList(let operand, let values, _, let negated):
      let list = values.prefix(5).map { constant($0, operand.type) } + (values.count > 5 ? ["..."] : [])
      return "(\(text(operand, names)) \(negated ? "NOT IN" : "IN") (\(list.joined(separator: ", "))))"
    case .arrayComparison(let operand, let function, let array, let all):
      return "(\(text(operand, names)) \(function.name) \(all ? "ALL" : "ANY") (\(text(array, names))))"
    case .array(let operands, _): return "ARRAY[\(text(operands, names))]"
    case .subqueryValue(let index, _): return "(SubPlan \(index + 1))"
    case .subqueryExists(let index): return "EXISTS(SubPlan \(index + 1))"
    case .subqueryArray(let index, _): return "ARRAY(SubPlan \(index + 1))"
    case .correlated(_, let arguments, _): return "SubPlan(\(text(arguments, names)))"
    case .argument(let index, _): return "argument \(index + 1)"
    }
  }

  /// A constant as its type's own text.
  private func constant(_ scalar: Scalar, _ type: DataType) -> String {
    if scalar.isNull { return "NULL::\(TypeNames.sqlName(type))" }
    switch type {
    case .boolean, .int2, .int4, .int8, .float8, .text, .varchar, .bpchar, .name, .unknown: return plain(scalar)
    default:
      guard let cast = planner.settings.library.cast(type, .text) else { return plain(scalar) }
      do {
        let column = Column.constant(scalar, type: type, count: 1)
        let shown = try cast.evaluate(planner.settings.context, column, .text, true).scalar(at: 0).text ?? ""
        return "'\(shown)'::\(TypeNames.sqlName(type))"
      } catch {
        // A value that has no text is shown raw: EXPLAIN must not fail for its sake.
        return plain(scalar)
      }
    }
  }

  private func plain(_ scalar: Scalar) -> String {
    switch scalar {
    case .null: "NULL"
    case .boolean(let value): value ? "true" : "false"
    case .integer(let value): String(value)
    case .float(let value): String(value)
    case .numeric(let value): "\(value)"
    case .interval(let value): "\(value)"
    case .uuid(let value): "\(value)"
    case .bytes: "'\(scalar.text ?? "")'"
    case .list(let values): "{" + values.map(plain).joined(separator: ",") + "}"
    }
  }
}
