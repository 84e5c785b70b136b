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
      let next = try bindBeside(item, left, in: scope)
      try refuseDuplicates(left.from, next.table.from)
      let moved = next.table.from.shifted(by: left.plan.outputTypes.count)
      let from = FromScope(entries: left.from.entries + moved.entries, visible: left.from.visible + moved.visible)
      if next.isDependent {
        result = (try applied(next.table.plan, to: left.plan, keepsUnmatched: false, at: .unknown), from)
      } else {
        result = (
          .join(.inner, left: left.plan, right: next.table.plan, leftKeys: [], rightKeys: [], residual: nil), from
        )
      }
    }
    scope.from = result?.from ?? FromScope()
    return result?.plan ?? .values(rows: [[]], types: [])
  }

  func refuseDuplicates(_ left: FromScope, _ right: FromScope) throws(Fault) {
    for entry in right.entries
    where left.entries.contains(where: { $0.alias == entry.alias && ($0.schema == entry.schema || $0.schema == nil) }) {
      throw Fault(.duplicateAlias, "table name \"\(entry.alias)\" specified more than once")
    }
  }

  func bindTable(_ syntax: TableSyntax, in scope: SelectScope) throws(Fault) -> BoundTable {
    try countRelation()
    switch syntax {
    case .relation(let relation): return try bindRelation(relation, in: scope)
    case .subquery(let query, let alias, let isLateral):
      return try bindDerived(query, alias, isLateral: isLateral, in: scope)
    case .function(let calls, let alias, _, let hasOrdinality, let location):
      return try bindFunctions(calls, alias, hasOrdinality: hasOrdinality, in: scope, at: location)
    case .sample(let relation, let sample): return try bindSample(relation, sample, in: scope)
    case .join(let kind, let left, let right, let condition, let alias):
      let joined = try bindJoin(kind, left, right, condition, in: scope)
      return try alias.map { (alias) throws(Fault) in try titled(joined, alias) } ?? joined
    }
  }

  /// `(a JOIN b ...) AS name (columns)`: only the alias and its columns are in sight.
  private func titled(_ table: BoundTable, _ alias: AliasSyntax) throws(Fault) -> BoundTable {
    let shown = table.from.visible.count { !$0.isHidden }
    guard alias.columns.count <= shown else {
      throw Fault(
        .invalidColumnReference,
        "join expression \"\(alias.name)\" has \(shown) columns available but \(alias.columns.count) columns specified")
    }
    var next = 0
    let columns = table.from.visible.map { column in
      var column = column
      column.alias = alias.name
      if !column.isHidden {
        if next < alias.columns.count { column.name = alias.columns[next] }
        next += 1
      }
      return column
    }
    return (
      table.plan, FromScope(entries: [RangeEntry(alias: alias.name, schema: nil, columns: columns)], visible: columns)
    )
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

  func bindRelation(_ syntax: RelationSyntax, in scope: SelectScope) throws(Fault) -> BoundTable {
    if syntax.schema == nil, let table = scope.sight.find(syntax.name) {
      return try bindCommonTable(table, syntax, in: scope)
    }
    let path = searchPath
    let found: Relation?
    do throws(Fault) {
      found = try catalog.resolve(schema: syntax.schema, name: syntax.name, searchPath: path)
    } catch { throw error.at(position: syntax.location.position) }
    guard let relation = found else {
      let full = (syntax.schema.map { $0 + "." } ?? "") + syntax.name
      throw Fault(
        .undefinedTable, "relation \"\(full)\" does not exist", position: syntax.location.position)
    }
    if case .table(let table) = relation.source, let view = table.storedView {
      return try bindStoredView(view, relation, syntax)
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

  // MARK: Derived tables

  private func bindDerived(
    _ query: SelectStatement, _ alias: AliasSyntax?, isLateral: Bool, in scope: SelectScope
  ) throws(Fault) -> BoundTable {
    let bound = try bindQuery(
      query, parent: isLateral ? scope.parent : scope.parentWithoutSiblings, sight: scope.sight)
    return try offered(bound.plan, bound.columns, alias: alias, name: "", at: .unknown)
  }

  // MARK: Joins

  private func bindJoin(
    _ kind: JoinKindSyntax, _ leftSyntax: TableSyntax, _ rightSyntax: TableSyntax, _ condition: JoinCondition,
    in scope: SelectScope
  ) throws(Fault) -> BoundTable {
    // A right join is a left join of the sides exchanged; the scope puts the columns back in their order.
    let left = try bindTable(leftSyntax, in: scope)
    let (right, isDependent) = try bindBeside(rightSyntax, left, in: scope)
    if isDependent { try refuseLateral(kind, left.from) }
    try refuseDuplicates(left.from, right.from)
    let isExchanged = kind == .right
    let leftFrom = isExchanged ? left.from.shifted(by: right.plan.outputTypes.count) : left.from
    let rightFrom = isExchanged ? right.from : right.from.shifted(by: left.plan.outputTypes.count)
    var from = FromScope(
      entries: leftFrom.entries + rightFrom.entries, visible: leftFrom.visible + rightFrom.visible)
    let inner = SelectScope(parent: scope.parentWithoutSiblings, sight: scope.sight)
    inner.from = from
    inner.clauseWithoutAggregates = "JOIN conditions"
    var residual: Expression?
    switch condition {
    case .none: break
    case .on(let syntax):
      let value = try self.condition(try bind(syntax, in: inner), of: "JOIN/ON", at: syntax.location)
      residual = try inlined(value, since: 0, in: inner)
    case .using(let names, let alias):
      (residual, from) = try merge(names, leftFrom, rightFrom, kind: kind)
      if let alias {
        let columns = from.visible.prefix(names.count).map { column in
          var column = column
          column.alias = alias
          return column
        }
        let entry = RangeEntry(alias: alias, schema: nil, columns: columns)
        try refuseDuplicates(from, FromScope(entries: [entry]))
        from.entries.append(entry)
      }
    case .natural:
      let shared = leftFrom.visible.filter { !$0.isHidden }.map(\.name)
        .filter { name in rightFrom.visible.contains { $0.name == name && !$0.isHidden } }
      (residual, from) = try merge(shared, leftFrom, rightFrom, kind: kind)
    }
    if isDependent {
      let dependent = residual.map { right.plan.filtered(by: [$0.insideRight(of: left.plan.outputTypes.count)]) }
      return (
        try applied(dependent ?? right.plan, to: left.plan, keepsUnmatched: kind == .left, at: .unknown), from
      )
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
      let (values, type) = try unify([(a.expression, .unknown), (b.expression, .unknown)], for: "JOIN/USING")
      if kind == .full {
        column = ScopeColumn(name: name, expression: .coalesce(values, type))
      } else if !column.expression.type.isSameType(as: type) {
        column = ScopeColumn(name: name, expression: kind == .right ? values[1] : values[0])
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
