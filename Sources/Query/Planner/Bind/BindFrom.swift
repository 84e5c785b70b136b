// FROM: relations, subqueries, functions and joins become plans with the names they offer.

import Bedrock
import Columnar
import EventSchema
import Functions
import Plan
import SQLSyntax
import StorageContract

extension Binder {
  typealias BoundTable = (plan: PlanNode, from: FromScope)

  /// All items of FROM, joined crosswise; one row without columns when there are none.
  func bindFrom(_ items: [TableSyntax], in scope: SelectScope) throws(Fault) -> PlanNode {
    var result: BoundTable?
    for item in items {
      guard let left = result else {
        result = try bindTable(item, in: scope)
        continue
      }
      if let lateral = try bindLateral(item, beside: left, in: scope) {
        result = lateral
        continue
      }
      let next = try bindTable(item, in: scope)
      try refuseDuplicates(left.from, next.from)
      let moved = next.from.shifted(by: left.plan.outputTypes.count)
      result = (
        .join(.inner, left: left.plan, right: next.plan, leftKeys: [], rightKeys: [], residual: nil),
        FromScope(entries: left.from.entries + moved.entries, visible: left.from.visible + moved.visible)
      )
    }
    scope.from = result?.from ?? FromScope()
    return result?.plan ?? .values(rows: [[]], types: [])
  }

  /// An item that names columns of items before it: each row of those once for each row that the item has for it. Nil
  /// for an item that names none.
  private func bindLateral(
    _ item: TableSyntax, beside left: BoundTable, in scope: SelectScope
  ) throws(Fault) -> BoundTable? {
    switch item {
    case .subquery(_, _, isLateral: true), .function: break
    default: return nil
    }
    let outer = SelectScope(parent: scope.parent, sight: scope.sight)
    outer.from = left.from
    let next = try bindTable(item, in: SelectScope(parent: outer, sight: scope.sight))
    guard next.plan.hasOuterColumns else { return nil }
    try refuseDuplicates(left.from, next.from)
    let types = next.plan.outputTypes
    var lists: [Expression] = []
    for (index, type) in types.enumerated() {
      lists.append(try perRow(.project(next.plan, [.column(index, type)]), .array, .array(type)))
    }
    let moved = next.from.shifted(by: left.plan.outputTypes.count)
    return (
      .expand(left.plan, lists: lists),
      FromScope(entries: left.from.entries + moved.entries, visible: left.from.visible + moved.visible)
    )
  }

  private func refuseDuplicates(_ left: FromScope, _ right: FromScope) throws(Fault) {
    for entry in right.entries
    where left.entries.contains(where: { $0.alias == entry.alias && ($0.schema == entry.schema || $0.schema == nil) }) {
      throw Fault(.duplicateAlias, "table name \"\(entry.alias)\" specified more than once")
    }
  }

  private func bindTable(_ syntax: TableSyntax, in scope: SelectScope) throws(Fault) -> BoundTable {
    try countRelation()
    switch syntax {
    case .relation(let relation): return try bindRelation(relation, in: scope)
    case .subquery(let query, let alias, _): return try bindDerived(query, alias, in: scope)
    case .function(let calls, let alias, _, let hasOrdinality, let location):
      guard calls.count == 1, case .function(let call) = calls[0].kind, !hasOrdinality else {
        let what = hasOrdinality ? "WITH ORDINALITY" : "this function in FROM"
        throw Fault.unsupported(what, position: location.position)
      }
      return try bindFunctionTable(call, alias, in: scope)
    case .join(let kind, let left, let right, let condition, let alias):
      guard alias == nil else { throw Fault.unsupported("an alias of a whole join") }
      return try bindJoin(kind, left, right, condition, in: scope)
    }
  }

  /// The names of a derived table: its alias, with columns renamed from the left.
  func offered(
    _ plan: PlanNode, _ columns: [BoundColumn], alias: AliasSyntax?, name: String, schema: String? = nil,
    at location: SourceLocation
  ) throws(Fault) -> BoundTable {
    let renamed = alias?.columns ?? []
    let title = alias?.name ?? name
    let shown = columns.count { !$0.isHidden }
    guard renamed.count <= shown else {
      throw Fault(
        .invalidColumnReference,
        "table \"\(title)\" has \(shown) columns available but \(renamed.count) columns specified",
        position: location.position)
    }
    var next = 0
    let scoped = columns.enumerated().map { index, column in
      var name = column.name
      if !column.isHidden {
        if next < renamed.count { name = renamed[next] }
        next += 1
      }
      return ScopeColumn(
        name: name, expression: .column(index, column.type), alias: title, isHidden: column.isHidden,
        tableOID: column.tableOID, attributeNumber: column.attributeNumber)
    }
    let entry = RangeEntry(
      alias: title, schema: alias == nil ? schema : nil, hiddenName: alias == nil ? nil : name, columns: scoped)
    return (plan, FromScope(entries: [entry], visible: scoped))
  }

  // MARK: Relations

  private func bindRelation(_ syntax: RelationSyntax, in scope: SelectScope) throws(Fault) -> BoundTable {
    if syntax.schema == nil, let table = scope.sight.find(syntax.name) {
      return try bindCommonTable(table, syntax, in: scope)
    }
    let path = context.session.searchPath
    let found: Relation?
    do throws(Fault) {
      found = try catalog.resolve(schema: syntax.schema, name: syntax.name, searchPath: path)
    } catch { throw error.at(position: syntax.location.position) }
    guard let relation = found else {
      let full = (syntax.schema.map { $0 + "." } ?? "") + syntax.name
      throw Fault(
        .undefinedTable, "relation \"\(full)\" does not exist", position: syntax.location.position)
    }
    let columns = relation.columns.map { column in
      BoundColumn(
        name: column.name, type: column.type, isHidden: column.isHidden,
        tableOID: column.attributeNumber == 0 ? 0 : relation.oid, attributeNumber: column.attributeNumber)
    }
    return try offered(
      try scan(relation), columns, alias: syntax.alias, name: relation.name, schema: relation.schema,
      at: syntax.location)
  }

  /// A scan of all columns; the optimiser leaves those that are read.
  private func scan(_ relation: Relation) throws(Fault) -> PlanNode {
    let name = "\(relation.schema).\(relation.name)"
    estimates[name] = relation.estimatedRows
    statistics[name] = RelationStatistics(relation.source)
    let types = relation.columns.map(\.type)
    let indices = relation.columns.map(\.sourceIndex)
    switch relation.source {
    case .table(let table):
      return .scan(
        relation: name, request: ScanRequest(table: table.id, columns: indices, external: table.external), types: types,
        filter: nil)
    case .virtual(let rows):
      return .virtualScan(relation: name, rows, columns: indices, types: types, filter: nil)
    case .eventView(let table, let view):
      let nameColumn = SystemColumn.name
      let type = table.columns[nameColumn].type
      let place = indices.firstIndex(of: nameColumn) ?? indices.count
      let isAdded = place == indices.count
      let (left, right, equals) = try equalityOperands(
        (.column(place, type), .unknown), (.constant(.text(view.eventName), .unknown), .unknown), at: .unknown)
      let scan = PlanNode.scan(
        relation: name,
        request: ScanRequest(
          table: table.id, columns: isAdded ? indices + [nameColumn] : indices, external: table.external),
        types: isAdded ? types + [type] : types, filter: nil)
      let filtered = PlanNode.filter(scan, .call(equals, [left, right], .boolean))
      return isAdded ? .project(filtered, types.indices.map { .column($0, types[$0]) }) : filtered
    }
  }

  private func bindCommonTable(
    _ table: CommonTable, _ syntax: RelationSyntax, in scope: SelectScope
  ) throws(Fault) -> BoundTable {
    table.isUsed = true
    let bound = try bindQuery(table.syntax.query, parent: table.parent, sight: table.sight)
    guard !bound.plan.hasOuterColumns else {
      throw Fault.unsupported("a WITH item that names outer columns", position: table.syntax.location.position)
    }
    let columns = try renamed(bound.columns, by: table.syntax)
    return try offered(bound.plan, columns, alias: syntax.alias, name: table.syntax.name, at: syntax.location)
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

  /// The sight of a query with a WITH clause. Items never used are bound once for their errors.
  func sight(of with: WithSyntax?, parent: SelectScope?, _ outer: CommonTableSight) throws(Fault) -> CommonTableSight {
    guard let with else { return outer }
    var sight = outer
    for table in with.tables {
      if sight.tables[outer.tables.count...].contains(where: { $0.syntax.name == table.name }) {
        throw Fault(
          .duplicateAlias, "WITH query name \"\(table.name)\" specified more than once",
          position: table.location.position)
      }
      if with.isRecursive, SelfReference.contains(table.query, name: table.name) {
        throw Fault.unsupported("WITH RECURSIVE", position: table.location.position)
      }
      sight.tables.append(CommonTable(syntax: table, sight: sight, parent: parent))
    }
    return sight
  }

  // MARK: Derived tables

  private func bindDerived(
    _ query: SelectStatement, _ alias: AliasSyntax?, in scope: SelectScope
  ) throws(Fault) -> BoundTable {
    let bound = try bindQuery(query, parent: scope.parent, sight: scope.sight)
    return try offered(bound.plan, bound.columns, alias: alias, name: "", at: .unknown)
  }

  private func bindFunctionTable(
    _ call: FunctionCallSyntax, _ alias: AliasSyntax?, in scope: SelectScope
  ) throws(Fault) -> BoundTable {
    let name = try functionName(call)
    if let function = ExternalFunction(rawValue: name) {
      return try bindExternal(function, call, alias, in: scope)
    }
    let empty = SelectScope(parent: scope.parent, sight: scope.sight)
    empty.clauseWithoutAggregates = "functions in FROM"
    let arguments = try bindArguments(call, in: empty)
    guard empty.pending.isEmpty else {
      throw Fault.unsupported("a correlated subquery as an argument in FROM", position: call.location.position)
    }
    if library.tableFunctions(name).isEmpty {
      // A scalar function in FROM is a table of one row.
      let value = try callScalar(name, arguments, at: call.location)
      let title = alias?.columns.first ?? alias?.name ?? call.name.last ?? name
      let plan = PlanNode.project(.values(rows: [[]], types: []), [value])
      return try offered(
        plan, [BoundColumn(name: title, type: value.type)], alias: alias, name: call.name.last ?? name,
        at: call.location)
    }
    let (function, values) = try chooseTableFunction(name, arguments, at: call.location)
    let described = function.columns(values.map(\.type))
    // A function with one column gives the column its alias.
    let columns = described.map { column in
      BoundColumn(name: described.count == 1 ? alias?.name ?? column.name : column.name, type: column.type)
    }
    return try offered(
      .tableFunction(function, arguments: values, types: described.map(\.type)), columns, alias: alias,
      name: call.name.last ?? name, at: call.location)
  }

  // MARK: Joins

  private func joinedLateral(
    _ table: BoundTable, _ kind: JoinKindSyntax, _ condition: JoinCondition, in scope: SelectScope
  ) throws(Fault) -> BoundTable {
    guard kind == .inner || kind == .cross else { throw Fault.unsupported("an outer join with LATERAL") }
    switch condition {
    case .none: return table
    case .on(let syntax):
      let inner = SelectScope(parent: scope.parent, sight: scope.sight)
      inner.from = table.from
      inner.clauseWithoutAggregates = "JOIN conditions"
      let value = try self.condition(try bind(syntax, in: inner), of: "JOIN/ON", at: syntax.location)
      guard inner.pending.isEmpty else {
        throw Fault.unsupported("a correlated subquery in a join condition", position: syntax.location.position)
      }
      return (.filter(table.plan, value), table.from)
    case .using, .natural: throw Fault.unsupported("USING with LATERAL")
    }
  }

  private func bindJoin(
    _ kind: JoinKindSyntax, _ leftSyntax: TableSyntax, _ rightSyntax: TableSyntax, _ condition: JoinCondition,
    in scope: SelectScope
  ) throws(Fault) -> BoundTable {
    // A right join is a left join of the sides exchanged; the scope puts the columns back in their order.
    let left = try bindTable(leftSyntax, in: scope)
    if let lateral = try bindLateral(rightSyntax, beside: left, in: scope) {
      return try joinedLateral(lateral, kind, condition, in: scope)
    }
    let right = try bindTable(rightSyntax, in: scope)
    try refuseDuplicates(left.from, right.from)
    let isExchanged = kind == .right
    let leftFrom = isExchanged ? left.from.shifted(by: right.plan.outputTypes.count) : left.from
    let rightFrom = isExchanged ? right.from : right.from.shifted(by: left.plan.outputTypes.count)
    var from = FromScope(
      entries: leftFrom.entries + rightFrom.entries, visible: leftFrom.visible + rightFrom.visible)
    let inner = SelectScope(parent: scope.parent, sight: scope.sight)
    inner.from = from
    inner.clauseWithoutAggregates = "JOIN conditions"
    var residual: Expression?
    switch condition {
    case .none: break
    case .on(let syntax):
      residual = try self.condition(try bind(syntax, in: inner), of: "JOIN/ON", at: syntax.location)
      guard inner.pending.isEmpty else {
        throw Fault.unsupported("a correlated subquery in a join condition", position: syntax.location.position)
      }
    case .using(let names, _):
      (residual, from) = try merge(names, leftFrom, rightFrom, kind: kind)
    case .natural:
      let shared = leftFrom.visible.filter { !$0.isHidden }.map(\.name)
        .filter { name in rightFrom.visible.contains { $0.name == name && !$0.isHidden } }
      (residual, from) = try merge(shared, leftFrom, rightFrom, kind: kind)
    }
    let planKind: JoinKind =
      switch kind {
      case .inner, .cross: .inner
      case .left, .right: .left
      case .full: .full
      }
    let outer = isExchanged ? right.plan : left.plan
    let other = isExchanged ? left.plan : right.plan
    return (
      .join(planKind, left: outer, right: other, leftKeys: [], rightKeys: [], residual: residual), from
    )
  }

  /// USING: the named columns are equal and appear once, first.
  private func merge(
    _ names: [String], _ left: FromScope, _ right: FromScope, kind: JoinKindSyntax
  ) throws(Fault) -> (Expression?, FromScope) {
    var merged: [ScopeColumn] = []
    var conditions: [Expression] = []
    for name in names {
      let a = try usingColumn(name, in: left, side: "left")
      let b = try usingColumn(name, in: right, side: "right")
      let (x, y, equals) = try equalityOperands((a.expression, .unknown), (b.expression, .unknown), at: .unknown)
      conditions.append(.call(equals, [x, y], .boolean))
      var column = kind == .right ? b : a
      if kind == .full {
        let (values, type) = try unify([(a.expression, .unknown), (b.expression, .unknown)], for: "JOIN/USING")
        column = ScopeColumn(name: name, expression: .coalesce(values, type))
      }
      column.name = name
      merged.append(column)
    }
    let rest = (left.visible + right.visible).filter { !names.contains($0.name) }
    return (
      conditions.isEmpty ? nil : .conjunction(conditions),
      FromScope(entries: left.entries + right.entries, visible: merged + rest)
    )
  }

  private func usingColumn(_ name: String, in from: FromScope, side: String) throws(Fault) -> ScopeColumn {
    let found = from.visible.filter { $0.name == name }
    guard let column = found.first else {
      throw Fault(
        .undefinedColumn, "column \"\(name)\" specified in USING clause does not exist in \(side) table")
    }
    guard found.count == 1 else {
      throw Fault(.ambiguousColumn, "common column name \"\(name)\" appears more than once in \(side) table")
    }
    return column
  }
}

/// Whether a query's FROM names a relation, for telling a recursive WITH item from one that merely could be.
enum SelfReference {
  static func contains(_ query: SelectStatement, name: String) -> Bool {
    if query.with?.tables.contains(where: { $0.name != name && contains($0.query, name: name) }) ?? false { return true }
    switch query.body {
    case .values: return false
    case .setOperation(_, _, let left, let right): return contains(left, name: name) || contains(right, name: name)
    case .select(let core): return core.from.contains { contains($0, name: name) }
    }
  }

  private static func contains(_ table: TableSyntax, name: String) -> Bool {
    switch table {
    case .relation(let relation): relation.schema == nil && relation.name == name
    case .subquery(let query, _, _): contains(query, name: name)
    case .function: false
    case .join(_, let left, let right, _, _): contains(left, name: name) || contains(right, name: name)
    }
  }
}
