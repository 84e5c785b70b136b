// SELECT, in the order in which its clauses work:
//
//   FROM, WHERE -> aggregate (GROUP BY) -> filter (HAVING) -> windows -> project (targets, then hidden sort keys)
//     -> DISTINCT -> sort (ORDER BY) -> distinctOn -> project (targets)
//
// With grouping, targets, HAVING and ORDER BY are first bound over the columns of FROM, with aggregates as pending columns,
// then rewritten over the aggregate's output; a column left over is PostgreSQL's error 42803.

import Bedrock
import Columnar
import Functions
import Plan
import SQLSyntax

/// A target once it is bound.
struct Target {
  var name: String
  var value: Expression
  let location: SourceLocation
  var tableOID: UInt32 = 0
  var attributeNumber: Int16 = 0
}

extension Binder {
  func bindSelect(
    _ core: SelectCore, orderBy: [SortSyntax], parent: SelectScope?, sight: CommonTableSight, keepsUnknown: Bool
  ) throws(Fault) -> BoundQuery {
    let scope = SelectScope(parent: parent, sight: sight)
    var core = core
    var plan: PlanNode
    if let (rewritten, source) = rowsFromTarget(core) {
      core = rewritten
      plan = try bindFrom([source], in: scope)
    } else {
      plan = try bindFrom(core.from, in: scope)
    }
    plan = try bindWhere(core.filter, plan, in: scope)
    try bindWindows(core.windows, in: scope)
    var targets = try bindTargets(core.targets, in: scope, keepsUnknown: keepsUnknown)
    let groups = try bindGroups(core, targets, in: scope)
    var having = try core.having.map { (syntax) throws(Fault) in
      scope.windows.forbiddenIn = "HAVING"
      defer { scope.windows.forbiddenIn = nil }
      return try condition(try bind(syntax, in: scope), of: "HAVING", at: syntax.location)
    }
    var keys: [SortKey] = []
    for item in orderBy {
      keys.append(sortKey(try bindOutputExpression(item.expression, targets, "ORDER BY", in: scope), item))
    }
    var distinctOn: [Expression] = []
    if case .on(let list) = core.distinct {
      for item in list { distinctOn.append(try bindOutputExpression(item, targets, "DISTINCT ON", in: scope)) }
    }
    let isGrouped =
      !groups.keys.isEmpty || !scope.aggregates.isEmpty || having != nil || !core.groupBy.isEmpty
      || !scope.groupings.isEmpty
    if !scope.aggregates.isEmpty, plan.readsWorkingRows {
      throw Fault(
        SQLState("42P19"), "aggregate functions are not allowed in a recursive query's recursive term")
    }
    if isGrouped {
      let rewrite = GroupRewrite(groups: groups.keys, scope: scope)
      try rewrite.checkDirectArguments()
      let groupings = try groupingPlaces(groups, in: scope)
      if let sets = groups.sets {
        plan = .groupingSets(
          plan, groups: groups.keys, aggregates: scope.aggregates, GroupingSets(sets: sets, groupings: groupings))
      } else {
        plan = .aggregate(plan, groups: groups.keys, aggregates: scope.aggregates)
        // With one set nothing is left out of it.
        if !groupings.isEmpty {
          plan = .project(plan, plan.outputTypes.enumerated().map { .column($0, $1) } + groupings.map { _ in .constant(.integer(0), .int4) })
        }
      }
      for index in targets.indices { targets[index].value = try rewrite.apply(targets[index].value) }
      having = try having.map { (value) throws(Fault) in try rewrite.apply(value) }
      keys = try rewrite.apply(keys)
      distinctOn = try rewrite.apply(distinctOn)
      scope.expansions = try rewrite.apply(scope.expansions)
      try scope.mapWindows { (value) throws(Fault) in try rewrite.apply(value) }
      try rewrite.applyToPending()
    }
    let (attached, values) = try attachPending(of: scope, to: plan)
    plan = attached
    if let having { plan = .filter(plan, having.withSubqueryValues(values)) }
    for index in targets.indices { targets[index].value = targets[index].value.withSubqueryValues(values) }
    keys = keys.map { $0.replacing(expression: $0.expression.withSubqueryValues(values)) }
    distinctOn = distinctOn.map { $0.withSubqueryValues(values) }
    if !scope.windows.calls.isEmpty {
      try scope.mapWindows { (value) throws(Fault) in value.withSubqueryValues(values) }
      let (windowed, columns) = attachWindows(of: scope, to: plan)
      plan = windowed
      func placed(_ value: Expression) -> Expression {
        value.mappingColumns { column in PendingColumn.windowIndex(column).map { columns[$0] } ?? column }
      }
      for index in targets.indices { targets[index].value = placed(targets[index].value) }
      keys = keys.map { $0.replacing(expression: placed($0.expression)) }
      distinctOn = distinctOn.map(placed)
      scope.expansions = scope.expansions.map(placed)
    }
    if !scope.expansions.isEmpty {
      let count = plan.outputTypes.count
      func placed(_ value: Expression) -> Expression {
        value.mappingColumns { column in PendingColumn.expansionIndex(column).map { count + $0 } ?? column }
      }
      plan = .expand(plan, lists: scope.expansions)
      for index in targets.indices { targets[index].value = placed(targets[index].value) }
      keys = keys.map { $0.replacing(expression: placed($0.expression)) }
      distinctOn = distinctOn.map(placed)
    }
    let columns = targets.map {
      BoundColumn(name: $0.name, type: $0.value.type, tableOID: $0.tableOID, attributeNumber: $0.attributeNumber)
    }
    let output = try ordered(
      plan, targets.map(\.value), core.distinct, keys, distinctOn, at: orderBy.first?.expression.location ?? .unknown)
    return BoundQuery(plan: output, columns: columns)
  }

  /// `SELECT f(...)` without FROM, where f gives rows: the same as `SELECT f FROM f(...) AS f`.
  private func rowsFromTarget(_ core: SelectCore) -> (SelectCore, TableSyntax)? {
    guard core.from.isEmpty, core.targets.count == 1, case .function(let call) = core.targets[0].expression.kind,
      let name = call.name.last, !library.tableFunctions(name).isEmpty, library.scalars(name).isEmpty
    else { return nil }
    let target = core.targets[0]
    let source = TableSyntax.function(
      [target.expression], alias: nil, isLateral: false, hasOrdinality: false, call.location)
    let rewritten = TargetSyntax(
      name: target.name ?? name, expression: ExpressionSyntax(.star(qualifier: []), at: call.location),
      location: target.location)
    return (
      SelectCore(
        distinct: core.distinct, targets: [rewritten], from: [], filter: core.filter, groupBy: core.groupBy,
        isGroupDistinct: core.isGroupDistinct, having: core.having, windows: core.windows), source
    )
  }

  // MARK: WHERE

  private func bindWhere(
    _ filter: ExpressionSyntax?, _ input: PlanNode, in scope: SelectScope
  ) throws(Fault) -> PlanNode {
    guard let filter else { return input }
    scope.clauseWithoutAggregates = "WHERE"
    defer { scope.clauseWithoutAggregates = nil }
    let parts: [ExpressionSyntax]
    if case .and(let list) = filter.kind { parts = list } else { parts = [filter] }
    var plan = input
    var conditions: [Expression] = []
    for part in parts {
      if let joined = try joinedForCondition(part, plan, in: scope) {
        plan = joined
        continue
      }
      conditions.append(try condition(try bind(part, in: scope), of: "WHERE", at: part.location))
    }
    let types = plan.outputTypes
    let (attached, values) = try attachPending(of: scope, to: plan)
    let filtered = attached.filtered(by: conditions.map { $0.withSubqueryValues(values) })
    // Columns of attached subqueries are not for the clauses that follow.
    return values.isEmpty ? filtered : .project(filtered, types.indices.map { .column($0, types[$0]) })
  }

  // MARK: Targets

  private func bindTargets(
    _ list: [TargetSyntax], in scope: SelectScope, keepsUnknown: Bool
  ) throws(Fault) -> [Target] {
    scope.isInsideTargets = true
    defer { scope.isInsideTargets = false }
    var targets: [Target] = []
    for syntax in list {
      if case .star(let qualifier) = syntax.expression.kind {
        let columns = try starColumns(qualifier, in: scope, at: syntax.expression.location)
        for column in columns {
          targets.append(
            Target(
              name: columns.count == 1 ? syntax.name ?? column.name : column.name, value: column.expression,
              location: syntax.expression.location, tableOID: column.tableOID,
              attributeNumber: column.attributeNumber))
        }
        continue
      }
      var value = try bind(syntax.expression, in: scope)
      if !keepsUnknown || !value.isConstant && !isOpen(value) { value = try settled(value, at: syntax.expression.location) }
      var target = Target(
        name: syntax.name ?? OutputName.of(syntax.expression), value: value, location: syntax.expression.location)
      if case .column = syntax.expression.kind, let origin = origin(of: value, in: scope) {
        target.tableOID = origin.tableOID
        target.attributeNumber = origin.attributeNumber
      }
      targets.append(target)
    }
    guard targets.count <= Limits.tableColumnsMax else {
      throw Fault(.programLimitExceeded, "target lists can have at most \(Limits.tableColumnsMax) entries")
    }
    return targets
  }

  /// Whether it is a parameter whose type a column decides that it will be assigned to.
  private func isOpen(_ value: Expression) -> Bool {
    if case .parameter(_, .unknown) = value { return keepsParameters }
    return false
  }

  private func origin(of value: Expression, in scope: SelectScope) -> ScopeColumn? {
    guard case .column = value else { return nil }
    return scope.from.entries.lazy.flatMap(\.columns).first { $0.expression.isSame(as: value) }
  }

  private func starColumns(
    _ qualifier: [String], in scope: SelectScope, at location: SourceLocation
  ) throws(Fault) -> [ScopeColumn] {
    let columns: [ScopeColumn]
    if qualifier.isEmpty {
      guard !scope.from.entries.isEmpty else {
        throw Fault(.syntaxError, "SELECT * with no tables specified is not valid", position: location.position)
      }
      columns = scope.from.visible
    } else {
      guard let entry = entry(qualifier, in: scope.from) else { throw missingEntry(qualifier, in: scope, at: location) }
      columns = entry.columns
    }
    let shown = columns.filter { !$0.isHidden }
    for column in shown {
      column.expression.forEach { node in
        if case .column(let index, _) = node, scope.mentions[index] == nil {
          scope.mentions[index] = ((column.alias.map { $0 + "." } ?? "") + column.name, location)
        }
      }
    }
    return shown
  }

  // MARK: GROUP BY, ORDER BY, DISTINCT ON

  /// GROUP BY prefers a column of FROM to an output name.
  func bindGroup(
    _ syntax: ExpressionSyntax, _ targets: [Target], in scope: SelectScope
  ) throws(Fault) -> Expression {
    switch syntax.kind {
    case .constant(.integer(let number)):
      let value = targets[try outputIndex(number, targets.count, "GROUP BY", at: syntax.location)].value
      return try groupable(value, at: syntax.location)
    case .constant:
      throw Fault(.syntaxError, "non-integer constant in GROUP BY", position: syntax.location.position)
    case .column(let path) where path.count == 1 && !scope.from.visible.contains { $0.name == path[0] }:
      if let value = try namedTarget(path[0], targets, "GROUP BY", at: syntax.location) {
        return try groupable(value, at: syntax.location)
      }
    default: break
    }
    return try settled(try bind(syntax, in: scope), at: syntax.location)
  }

  private func groupable(_ value: Expression, at location: SourceLocation) throws(Fault) -> Expression {
    if value.readsAggregate {
      throw Fault(.groupingError, "aggregate functions are not allowed in GROUP BY", position: location.position)
    }
    if value.readsWindow {
      throw Fault(.windowingError, "window functions are not allowed in GROUP BY", position: location.position)
    }
    return value
  }

  /// ORDER BY prefers an output name to a column of FROM.
  private func bindOutputExpression(
    _ syntax: ExpressionSyntax, _ targets: [Target], _ clause: String, in scope: SelectScope
  ) throws(Fault) -> Expression {
    switch syntax.kind {
    case .constant(.integer(let number)):
      return targets[try outputIndex(number, targets.count, clause, at: syntax.location)].value
    case .constant:
      throw Fault(.syntaxError, "non-integer constant in \(clause)", position: syntax.location.position)
    case .column(let path) where path.count == 1:
      if let value = try namedTarget(path[0], targets, clause, at: syntax.location) { return value }
    default: break
    }
    return try settled(try bind(syntax, in: scope), at: syntax.location)
  }

  private func namedTarget(
    _ name: String, _ targets: [Target], _ clause: String, at location: SourceLocation
  ) throws(Fault) -> Expression? {
    let found = targets.filter { $0.name == name }
    guard let first = found.first else { return nil }
    guard found.allSatisfy({ $0.value.isSame(as: first.value) }) else {
      throw Fault(.ambiguousColumn, "\(clause) \"\(name)\" is ambiguous", position: location.position)
    }
    return first.value
  }

  // MARK: Output

  /// Projects the targets, and what DISTINCT and ORDER BY need beside them, and puts the rows in order.
  private func ordered(
    _ input: PlanNode, _ targets: [Expression], _ distinct: DistinctSyntax, _ keys: [SortKey],
    _ distinctOn: [Expression], at location: SourceLocation
  ) throws(Fault) -> PlanNode {
    var outputs = targets
    func place(_ value: Expression) -> Expression {
      let index = outputs.firstIndex { $0.isSame(as: value) } ?? outputs.count
      if index == outputs.count { outputs.append(value) }
      return .column(index, value.type)
    }
    var sortKeys = keys.map { $0.replacing(expression: place($0.expression)) }
    var onKeys: [Expression] = []
    for key in distinctOn.map(place) where !onKeys.contains(where: { $0.isSame(as: key) }) { onKeys.append(key) }
    if case .all = distinct, outputs.count > targets.count {
      throw Fault(
        .invalidColumnReference, "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
        position: location.position)
    }
    var plan = PlanNode.project(input, outputs)
    if case .all = distinct {
      plan = .aggregate(plan, groups: outputs.indices.map { .column($0, outputs[$0].type) }, aggregates: [])
    }
    if !onKeys.isEmpty {
      let leading = sortKeys.prefix(onKeys.count)
      guard leading.allSatisfy({ key in onKeys.contains { $0.isSame(as: key.expression) } }) else {
        throw Fault(
          .invalidColumnReference, "SELECT DISTINCT ON expressions must match initial ORDER BY expressions",
          position: location.position)
      }
      for key in onKeys where !sortKeys.contains(where: { $0.expression.isSame(as: key) }) {
        sortKeys.insert(SortKey(expression: key, descending: false, nullsFirst: false), at: leading.count)
      }
    }
    if !sortKeys.isEmpty { plan = .sort(plan, sortKeys, limit: nil) }
    if !onKeys.isEmpty { plan = .distinctOn(plan, keys: onKeys) }
    if outputs.count == targets.count { return plan }
    return .project(plan, targets.indices.map { .column($0, targets[$0].type) })
  }
}

extension SortKey {
  func replacing(expression: Expression) -> SortKey {
    SortKey(expression: expression, descending: descending, nullsFirst: nullsFirst)
  }
}

extension Expression {
  var readsAggregate: Bool { columnsRead.contains { PendingColumn.aggregateIndex($0) != nil } }
  var readsWindow: Bool { columnsRead.contains { PendingColumn.windowIndex($0) != nil } }
  var readsSubquery: Bool { columnsRead.contains { PendingColumn.subqueryIndex($0) != nil } }
}

/// Expressions over FROM rewritten over the output of the aggregate: group keys, then aggregates.
struct GroupRewrite {
  let groups: [Expression]
  let scope: SelectScope

  func apply(_ value: Expression) throws(Fault) -> Expression {
    if let index = groups.firstIndex(where: { $0.isSame(as: value) }) { return .column(index, value.type) }
    if case .column(let column, let type) = value {
      if let index = PendingColumn.aggregateIndex(column) { return .column(groups.count + index, type) }
      if let index = PendingColumn.groupingIndex(column) {
        return .column(groups.count + scope.aggregates.count + index, type)
      }
      if PendingColumn.subqueryIndex(column) != nil || PendingColumn.windowIndex(column) != nil
        || PendingColumn.expansionIndex(column) != nil
        || PendingColumn.level(column) > 0
      {
        return value
      }
      throw ungrouped(column, inSubquery: false)
    }
    let children = value.children
    if children.isEmpty { return value }
    return value.replacingChildren(try apply(children))
  }

  func apply(_ values: [Expression]) throws(Fault) -> [Expression] {
    var rewritten: [Expression] = []
    for value in values { rewritten.append(try apply(value)) }
    return rewritten
  }

  func apply(_ keys: [SortKey]) throws(Fault) -> [SortKey] {
    var rewritten: [SortKey] = []
    for key in keys { rewritten.append(key.replacing(expression: try apply(key.expression))) }
    return rewritten
  }

  /// The outer columns of correlated subqueries must be group keys too.
  func applyToPending() throws(Fault) {
    for index in scope.pending.indices {
      let pending = scope.pending[index]
      scope.pending[index] = PendingSubquery(
        use: pending.use, plan: try rewrite(pending.plan), location: pending.location)
    }
  }

  private func rewrite(_ plan: PlanNode) throws(Fault) -> PlanNode {
    var children: [PlanNode] = []
    for child in plan.children { children.append(try rewrite(child)) }
    return try plan.replacing(children: children) { (expression) throws(Fault) in
      var keys: [Int: Int] = [:]
      for column in expression.columnsRead where PendingColumn.level(column) == 1 { keys[column] = try key(of: column) }
      return expression.substitutingColumns { column, type in
        guard let index = keys[column] else { return .column(column, type) }
        return .column(PendingColumn.shifted(index, by: 1), type)
      }
    }
  }

  /// The group key that is this column of the outer query.
  private func key(of column: Int) throws(Fault) -> Int {
    let own = PendingColumn.shifted(column, by: -1)
    let index = groups.firstIndex { if case .column(own, _) = $0 { true } else { false } }
    guard let index else { throw ungrouped(own, inSubquery: true) }
    return index
  }

  private func ungrouped(_ column: Int, inSubquery: Bool) -> Fault {
    let mention = scope.mentions[column]
    let name = mention?.text ?? "?column?"
    return Fault(
      .groupingError,
      inSubquery
        ? "subquery uses ungrouped column \"\(name)\" from outer query"
        : "column \"\(name)\" must appear in the GROUP BY clause or be used in an aggregate function",
      position: mention?.location.position)
  }
}
