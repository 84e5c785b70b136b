// Queries: WITH, set operations, VALUES, LIMIT. SELECT itself is in BindSelect.swift.

import Bedrock
import Columnar
import Functions
import Plan
import SQLSyntax

/// An output column of a query.
struct BoundColumn {
  var name: String
  var type: DataType
  var isHidden = false
  var tableOID: UInt32 = 0
  var attributeNumber: Int16 = 0
}

struct BoundQuery {
  var plan: PlanNode
  var columns: [BoundColumn]
}

extension Binder {
  /// - Parameter keepsUnknown: leaves literals without a type for the set operation around the query to decide.
  func bindQuery(
    _ query: SelectStatement, parent: SelectScope?, sight outer: CommonTableSight, keepsUnknown: Bool = false
  ) throws(Fault) -> BoundQuery {
    try countRelation()
    if query.isLocking { throw Fault.unsupported("SELECT FOR UPDATE/SHARE") }
    let sight = try sight(of: query.with, parent: parent, outer)
    countReferences(to: sight.tables[outer.tables.count...], in: query)
    var bound: BoundQuery
    switch query.body {
    case .select(let core):
      bound = try bindSelect(core, orderBy: query.orderBy, parent: parent, sight: sight, keepsUnknown: keepsUnknown)
    case .values(let rows):
      bound = try bindValues(rows, parent: parent, sight: sight)
      bound.plan = try sortedByOutput(bound, query.orderBy)
    case .setOperation(let operation, let isAll, let left, let right):
      bound = try bindSetOperation(operation, isAll: isAll, left, right, parent: parent, sight: sight)
      bound.plan = try sortedByOutput(bound, query.orderBy)
    }
    for table in sight.tables[outer.tables.count...] where !table.isUsed { _ = try bindDefinition(of: table) }
    let offset = try bindCount(query.offset, "OFFSET", parent: parent, sight: sight)
    let count = try bindCount(query.limit, "LIMIT", parent: parent, sight: sight)
    if query.isWithTies, count != nil {
      bound.plan = withTies(bound.plan, count: count, offset: offset)
    } else if offset != nil || count != nil {
      // The hidden columns that a sort needed go away after the limit.
      if case .project(let input, let expressions) = bound.plan, isPlainSelection(expressions) {
        bound.plan = .project(.limit(input, count: count, offset: offset), expressions)
      } else {
        bound.plan = .limit(bound.plan, count: count, offset: offset)
      }
    }
    return bound
  }

  /// The rows that sort like the last one come too.
  private func withTies(_ plan: PlanNode, count: Expression?, offset: Expression?) -> PlanNode {
    switch plan {
    case .project(let input, let expressions) where isPlainSelection(expressions):
      .project(withTies(input, count: count, offset: offset), expressions)
    case .sort(_, let keys, _), .distinctOn(.sort(_, let keys, _), _):
      .limitWithTies(plan, keys: keys.map(\.expression), count: count, offset: offset)
    default: .limit(plan, count: count, offset: offset)
    }
  }

  private func isPlainSelection(_ expressions: [Expression]) -> Bool {
    expressions.allSatisfy { if case .column = $0 { true } else { false } }
  }

  private func bindCount(
    _ syntax: ExpressionSyntax?, _ clause: String, parent: SelectScope?, sight: CommonTableSight
  ) throws(Fault) -> Expression? {
    guard let syntax else { return nil }
    let scope = SelectScope(parent: nil, sight: sight)
    scope.clauseWithoutAggregates = clause
    let value: Expression
    do {
      value = try bind(syntax, in: scope)
    } catch {
      guard error.state == .undefinedColumn else { throw error }
      throw Fault(
        .invalidColumnReference, "argument of \(clause) must not contain variables", position: syntax.location.position)
    }
    guard scope.pending.isEmpty else { throw Fault.bug("a subquery is correlated with nothing") }
    do throws(Fault) {
      let count = folded(try coerce(value, to: .int8, .assignment, at: syntax.location))
      if case .constant(let scalar, _) = count {
        if scalar.isNull { return nil }
        if let number = scalar.integer, number < 0 {
          let isLimit = clause == "LIMIT"
          throw Fault(
            isLimit ? .invalidRowCountInLimitClause : .invalidRowCountInOffsetClause, "\(clause) must not be negative")
        }
      }
      return count
    } catch {
      guard error.state == .cannotCoerce else { throw error }
      throw Fault(
        .datatypeMismatch, "argument of \(clause) must be type bigint, not type \(TypeNames.sqlName(value.type))",
        position: syntax.location.position)
    }
  }

  // MARK: VALUES

  private func bindValues(
    _ rows: [[ExpressionSyntax]], parent: SelectScope?, sight: CommonTableSight
  ) throws(Fault) -> BoundQuery {
    let width = rows.first?.count ?? 0
    let scope = SelectScope(parent: parent, sight: sight)
    scope.clauseWithoutAggregates = "VALUES"
    var columns = [[(value: Expression, location: SourceLocation)]](repeating: [], count: width)
    for row in rows {
      guard row.count == width else {
        throw Fault(
          .syntaxError, "VALUES lists must all be the same length", position: row.first?.location.position)
      }
      for (index, item) in row.enumerated() { columns[index].append((try inlined(try bind(item, in: scope), since: 0, in: scope), item.location)) }
    }
    var unified: [[Expression]] = []
    var types: [DataType] = []
    for column in columns {
      let (values, type) = try unify(column, for: "VALUES")
      unified.append(values)
      types.append(type)
    }
    let bound = rows.indices.map { row in unified.map { $0[row] } }
    return BoundQuery(
      plan: .values(rows: bound, types: types),
      columns: types.enumerated().map { BoundColumn(name: "column\($0 + 1)", type: $1) })
  }

  // MARK: Set operations

  private func bindSetOperation(
    _ operation: SetOperator, isAll: Bool, _ leftSyntax: SelectStatement, _ rightSyntax: SelectStatement,
    parent: SelectScope?, sight: CommonTableSight
  ) throws(Fault) -> BoundQuery {
    let left = try bindQuery(leftSyntax, parent: parent, sight: sight, keepsUnknown: true)
    let right = try bindQuery(rightSyntax, parent: parent, sight: sight, keepsUnknown: true)
    let name = operation.rawValue
    guard left.columns.count == right.columns.count else {
      throw Fault(
        .syntaxError, "each \(name) query must have the same number of columns", position: firstTarget(rightSyntax))
    }
    var types: [DataType] = []
    for (a, b) in zip(left.columns, right.columns) {
      guard let type = library.commonType([a.type, b.type]) else {
        throw Fault(
          .datatypeMismatch,
          "\(name) types \(TypeNames.sqlName(a.type)) and \(TypeNames.sqlName(b.type)) cannot be matched",
          position: firstTarget(rightSyntax))
      }
      types.append(type)
    }
    let inputs = [try converted(left, to: types), try converted(right, to: types)]
    let columns = zip(left.columns, types).map { BoundColumn(name: $0.name, type: $1) }
    let all = types.indices.map { Expression.column($0, types[$0]) }
    switch (operation, isAll) {
    case (.union, true): return BoundQuery(plan: .append(inputs), columns: columns)
    case (.union, false):
      return BoundQuery(plan: .aggregate(.append(inputs), groups: all, aggregates: []), columns: columns)
    case (_, _):
      return BoundQuery(
        plan: try intersection(inputs, types, keepsMatched: operation == .intersect, isAll: isAll), columns: columns)
    }
  }

  func firstTarget(_ query: SelectStatement) -> Int? {
    guard case .select(let core) = query.body else { return nil }
    return core.targets.first?.location.position
  }

  func converted(_ query: BoundQuery, to types: [DataType]) throws(Fault) -> PlanNode {
    if query.columns.map(\.type) == types { return query.plan }
    // Literals become constants of the wanted type where they stand, not casts of text.
    if case .project(let input, let expressions) = query.plan, expressions.count == types.count {
      var values: [Expression] = []
      for (value, type) in zip(expressions, types) {
        values.append(try coerce(value, to: type, .implicit, at: .unknown))
      }
      return .project(input, values)
    }
    var values: [Expression] = []
    for (index, type) in types.enumerated() {
      values.append(try coerce(.column(index, query.columns[index].type), to: type, .implicit, at: .unknown))
    }
    return .project(query.plan, values)
  }

  /// INTERSECT and EXCEPT by counting, for each distinct row, how many came from either side: nulls are equal here,
  /// which no join key offers.
  private func intersection(
    _ inputs: [PlanNode], _ types: [DataType], keepsMatched: Bool, isAll: Bool
  ) throws(Fault) -> PlanNode {
    let count = library.aggregates("count").first { $0.parameters.count == 1 }
    guard let count else { throw Fault.bug("there is no aggregate count") }
    let columns = types.indices.map { Expression.column($0, types[$0]) }
    let marked = inputs.enumerated().map { side, input in
      PlanNode.project(
        input, columns + (0..<2).map { .constant($0 == side ? .boolean(true) : .null, .boolean) })
    }
    let calls = (0..<2).map { side in
      AggregateCall(
        function: count, arguments: [.column(types.count + side, .boolean)], isDistinct: false, filter: nil, type: .int8)
    }
    func test(_ side: Int, _ operation: String) throws(Fault) -> Expression {
      try callOperator(
        OperatorSyntax(name: operation),
        [(.column(types.count + side, .int8), .unknown), (.constant(.integer(0), .int8), .unknown)], at: .unknown)
    }
    let grouped = PlanNode.aggregate(.append(marked), groups: columns, aggregates: calls)
    if isAll { return repeated(grouped, types, keepsMatched: keepsMatched) }
    let condition = Expression.and([try test(0, ">"), try test(1, keepsMatched ? ">" : "=")])
    return .project(.filter(grouped, condition), columns)
  }

  /// ORDER BY of VALUES and set operations: output names and numbers only.
  private func sortedByOutput(_ bound: BoundQuery, _ items: [SortSyntax]) throws(Fault) -> PlanNode {
    guard !items.isEmpty else { return bound.plan }
    var keys: [SortKey] = []
    for item in items {
      let place: Int
      switch item.expression.kind {
      case .constant(.integer(let number)):
        place = try outputIndex(number, bound.columns.count, "ORDER BY", at: item.expression.location)
      case .column(let path) where path.count == 1:
        guard let index = bound.columns.firstIndex(where: { $0.name == path[0] }) else {
          throw Fault(
            .undefinedColumn, "column \"\(path[0])\" does not exist", position: item.expression.location.position)
        }
        place = index
      default:
        throw Fault(
          .featureNotSupported, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause",
          detail: "Only result column names can be used, not expressions or functions.",
          hint: "Add the expression/function to every SELECT, or move the UNION into a FROM clause.",
          position: item.expression.location.position)
      }
      keys.append(sortKey(.column(place, bound.columns[place].type), item))
    }
    return .sort(bound.plan, keys, limit: nil)
  }

  /// `ORDER BY 2`: the output column that the number means, from 0.
  func outputIndex(_ number: Int32, _ count: Int, _ clause: String, at location: SourceLocation) throws(Fault) -> Int {
    guard number >= 1, Int(number) <= count else {
      throw Fault(
        .invalidColumnReference, "\(clause) position \(number) is not in select list", position: location.position)
    }
    return Int(number) - 1
  }
}
