// WITH: what its items are, and where FROM names them.
//
// An item is part of the query that names it, as if it stood there, so that conditions reach its scans. It is computed
// once, apart, when the text says MATERIALIZED, when it calls volatile functions, or when it is named more than once
// and ends in a result that is small beside what it reads.

import Bedrock
import Columnar
import Plan
import SQLSyntax

extension Binder {
  /// The sight of a query with a WITH clause. Items never used are bound once for their errors.
  func sight(of with: WithSyntax?, parent: SelectScope?, _ outer: CommonTableSight) throws(Fault) -> CommonTableSight {
    guard let with else { return outer }
    var sight = outer
    for (index, table) in with.tables.enumerated() where with.tables[..<index].contains(where: { $0.name == table.name }) {
      throw Fault(
        .duplicateAlias, "WITH query name \"\(table.name)\" specified more than once",
        position: table.location.position)
    }
    for table in try inOrder(with) {
      let isRecursive = with.isRecursive && ReferenceWalk.contains(table.query, name: table.name)
      if isRecursive { try checkRecursion(table) }
      if let search = table.search { throw Fault.unsupported("SEARCH", position: search.location.position) }
      if let cycle = table.cycle { throw Fault.unsupported("CYCLE", position: cycle.location.position) }
      let item = CommonTable(syntax: table, sight: sight, parent: parent)
      item.isRecursive = isRecursive
      sight.tables.append(item)
    }
    return sight
  }

  /// Items after those that they name: WITH RECURSIVE lets an item name later ones.
  private func inOrder(_ with: WithSyntax) throws(Fault) -> [CommonTableSyntax] {
    guard with.isRecursive else { return with.tables }
    var open = with.tables
    var ordered: [CommonTableSyntax] = []
    while !open.isEmpty {
      let next = open.firstIndex { table in
        !open.contains { $0.name != table.name && ReferenceWalk.contains(table.query, name: $0.name) }
      }
      guard let next else {
        throw Fault(
          .featureNotSupported, "mutual recursion between WITH items is not implemented",
          position: open[0].location.position)
      }
      ordered.append(open.remove(at: next))
    }
    return ordered
  }

  /// Notes how often each of these items is named by the query they belong to.
  func countReferences(to tables: ArraySlice<CommonTable>, in query: SelectStatement) {
    for table in tables {
      var count = 0
      let walk = ReferenceWalk(name: table.syntax.name) { _, _ in count += 1 }
      for other in tables where other !== table { walk.walk(other.syntax.query, .plain) }
      walk.walk(query.withoutWith, .plain)
      table.referenceCount = count
    }
  }

  /// The query of an item, its columns named as the item names them.
  func bindDefinition(of table: CommonTable) throws(Fault) -> BoundQuery {
    if table.isRecursive { return try bindRecursive(table) }
    var bound = try bindQuery(table.syntax.query, parent: table.parent, sight: table.sight)
    bound.columns = try renamed(bound.columns, by: table.syntax)
    return bound
  }

  func bindCommonTable(
    _ table: CommonTable, _ syntax: RelationSyntax, in scope: SelectScope
  ) throws(Fault) -> BoundTable {
    table.isUsed = true
    let title = table.syntax.name
    if let working = table.working {
      let plan = PlanNode.workingRows(working.id, types: working.columns.map(\.type))
      return try offered(plan, working.columns, alias: syntax.alias, name: title, at: syntax.location)
    }
    if let shared = table.shared {
      let plan = PlanNode.subqueryRows(shared.subquery, types: shared.columns.map(\.type))
      return try offered(plan, shared.columns, alias: syntax.alias, name: title, at: syntax.location)
    }
    var bound = try bindDefinition(of: table)
    if bound.plan.hasOuterColumns {
      bound.plan = try moved(bound.plan, from: table, to: scope, at: table.syntax.location)
    } else if isComputedApart(table, bound.plan) {
      let types = bound.columns.map(\.type)
      let subquery = register(bound.plan)
      table.shared = (subquery, bound.columns)
      bound.plan = .subqueryRows(subquery, types: types)
    }
    return try offered(bound.plan, bound.columns, alias: syntax.alias, name: title, at: syntax.location)
  }

  private func isComputedApart(_ table: CommonTable, _ plan: PlanNode) -> Bool {
    if plan.readsWorkingRows || table.isRecursive { return false }
    switch table.syntax.isMaterialized {
    case true?: return true
    case false?: return false
    case nil:
      return table.referenceCount > 1 && (plan.endsSmall || plan.isVolatile) || plan.isVolatile
    }
  }

  /// A plan whose columns of level 1 are those of the query around the WITH clause, for a place further in.
  private func moved(
    _ plan: PlanNode, from table: CommonTable, to scope: SelectScope, at location: SourceLocation
  ) throws(Fault) -> PlanNode {
    var levels = 0
    var current = scope.parent
    while let candidate = current, candidate !== table.parent {
      levels += 1
      current = candidate.parent
    }
    guard current != nil else {
      throw Fault.unsupported("a WITH item that names outer columns here", position: location.position)
    }
    if levels == 0 { return plan }
    return try plan.mappingExpressions { (expression) throws(Fault) in
      expression.mappingColumns { PendingColumn.level($0) == 0 ? $0 : PendingColumn.shifted($0, by: levels) }
    }
  }

  func renamed(_ columns: [BoundColumn], by table: CommonTableSyntax) throws(Fault) -> [BoundColumn] {
    guard table.columns.count <= columns.count else {
      throw Fault(
        .invalidColumnReference,
        "WITH query \"\(table.name)\" has \(columns.count) columns available but \(table.columns.count) columns specified",
        position: table.location.position)
    }
    var columns = columns
    for (index, name) in table.columns.enumerated() { columns[index].name = name }
    return columns
  }
}

extension SelectStatement {
  /// The same without its WITH clause.
  var withoutWith: SelectStatement {
    SelectStatement(
      with: nil, body: body, orderBy: orderBy, offset: offset, limit: limit, isWithTies: isWithTies, isLocking: isLocking)
  }
}

extension PlanNode {
  var isVolatile: Bool { expressions.contains(where: \.isVolatile) || children.contains(where: \.isVolatile) }

  /// Whether it stands inside the step of a recursion that is not part of it.
  var readsWorkingRows: Bool { !workingRowsRead.isEmpty }

  private var workingRowsRead: Set<Int> {
    let read = children.reduce(into: Set<Int>()) { $0.formUnion($1.workingRowsRead) }
    switch self {
    case .workingRows(let id, _): return [id]
    case .recursion(let id, _, _, _): return read.subtracting([id])
    default: return read
    }
  }

  /// Whether its rows are groups, or the first of many.
  fileprivate var endsSmall: Bool {
    switch self {
    case .aggregate, .limit, .limitWithTies, .distinctOn: true
    case .project(let input, _), .filter(let input, _), .sort(let input, _, _): input.endsSmall
    default: false
    }
  }
}
