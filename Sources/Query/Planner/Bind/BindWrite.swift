// INSERT, UPDATE and DELETE become queries for the rows to be written.
//
//   INSERT   all columns of the table
//   UPDATE   the address of a row, then all columns as they shall be
//   DELETE   the address of a row, then all columns as they are
//
// Values are assigned as PostgreSQL does: literals are read by the column's type, what has a type is cast where an
// assignment cast exists, and 42804 says so where none does.

package import Bedrock
package import Columnar
import EventSchema
import Functions
package import Plan
package import SQLSyntax
package import StorageContract

extension Planner {
  /// The plan of the rows that a statement writes to a table.
  package func plan(
    _ write: WriteStatement, into table: ReferenceTableDefinition, parameterTypes: [DataType?] = []
  ) throws(Fault) -> PlannedQuery {
    let binder = Binder(
      catalog: catalog, library: settings.library, context: settings.context,
      parameterTypes: parameterTypes.map { $0 == .unknown ? nil : $0 })
    let root = try binder.bindWrite(write, into: table)
    let types = try binder.finalParameterTypes()
    let optimizer = Optimizer(
      context: settings.context, foldsStable: false, ordering: binder.ordering)
    var subqueries: [PlanNode] = []
    for plan in binder.subqueries { subqueries.append(try optimizer.optimise(plan)) }
    let optimised = try optimizer.optimise(root)
    guard ([optimised] + subqueries).allSatisfy({ $0.depth <= Limits.statementDepthMax }) else {
      throw Fault(.statementTooComplex, "plan is nested too deeply")
    }
    return PlannedQuery(
      columns: optimised.outputTypes.enumerated().map { OutputColumn(name: "column\($0 + 1)", type: $1) },
      parameterTypes: types, root: optimised, subqueries: subqueries)
  }
}

extension Binder {
  func bindWrite(_ write: WriteStatement, into table: ReferenceTableDefinition) throws(Fault) -> PlanNode {
    keepsParameters = true
    switch write.action {
    case .insert(let columns, let query): return try bindInsert(write, columns, query, table)
    case .update(let assignments, _, _): return try bindUpdate(write, assignments, table)
    case .delete:
      return try bindQuery(
        write.query(schema: table.schema, targets: Self.rowTargets(write, table)), parent: nil,
        sight: CommonTableSight()
      ).plan
    }
  }

  /// The address and all columns of the target table.
  private static func rowTargets(_ write: WriteStatement, _ table: ReferenceTableDefinition) -> [TargetSyntax] {
    table.scanColumns.suffix(1).map { target(write, $0.name) } + table.columns.map { target(write, $0.name) }
  }

  private static func target(_ write: WriteStatement, _ column: String) -> TargetSyntax {
    let location = write.target.relation.location
    return TargetSyntax(
      name: nil, expression: ExpressionSyntax(.column([write.target.alias, column]), at: location), location: location)
  }

  // MARK: INSERT

  private func bindInsert(
    _ write: WriteStatement, _ columns: [AssignmentSyntax], _ query: SelectStatement?, _ table: ReferenceTableDefinition
  ) throws(Fault) -> PlanNode {
    let places = try places(of: columns, in: table)
    let types = table.columns.map(\.type)
    guard let query else {
      var row: [Expression] = []
      for index in table.columns.indices { row.append(try fallback(index, table)) }
      return .values(rows: [row], types: types)
    }
    if write.with == nil, let rows = query.plainValues {
      return .values(rows: try bindRows(rows, places, columns, table), types: types)
    }
    guard let merged = query.adding(write.with) else {
      throw Fault.unsupported("WITH both before INSERT and in its query", hint: "Put all of it in front.")
    }
    let bound = try bindQuery(merged, parent: nil, sight: CommonTableSight(), keepsUnknown: true)
    let count = bound.columns.count
    try checkWidth(count, places, columns, table, at: .unknown)
    let targets = places ?? Array(0..<count)
    let (input, values) = opened(bound)
    var row: [Expression?] = Array(repeating: nil, count: table.columns.count)
    for (value, place) in zip(values, targets) { row[place] = try assigned(value, to: table.columns[place], at: .unknown) }
    return .project(input, try filled(row, table))
  }

  /// Rows of a bare VALUES list: each value is read by the type of its column.
  private func bindRows(
    _ rows: [[ExpressionSyntax]], _ places: [Int]?, _ columns: [AssignmentSyntax], _ table: ReferenceTableDefinition
  ) throws(Fault) -> [[Expression]] {
    let width = rows.first?.count ?? 0
    try checkWidth(width, places, columns, table, at: rows.first?.last?.location ?? .unknown)
    let targets = places ?? Array(0..<width)
    let scope = SelectScope(parent: nil, sight: CommonTableSight())
    scope.clauseWithoutAggregates = "VALUES"
    var bound: [[Expression]] = []
    bound.reserveCapacity(rows.count)
    for row in rows {
      guard row.count == width else {
        throw Fault(.syntaxError, "VALUES lists must all be the same length", position: row.first?.location.position)
      }
      var values: [Expression?] = Array(repeating: nil, count: table.columns.count)
      for (item, place) in zip(row, targets) {
        if case .defaultValue = item.kind { continue }
        values[place] = try assigned(try bind(item, in: scope), to: table.columns[place], at: item.location)
      }
      bound.append(try filled(values, table))
    }
    guard scope.pending.isEmpty else { throw Fault.unsupported("a correlated subquery in VALUES") }
    return bound
  }

  /// The table's columns that INSERT names; nil: the first ones.
  private func places(of columns: [AssignmentSyntax], in table: ReferenceTableDefinition) throws(Fault) -> [Int]? {
    if columns.isEmpty { return nil }
    var places: [Int] = []
    for column in columns {
      let place = try place(of: column, in: table)
      guard !places.contains(place) else {
        throw Fault(
          SQLState("42701"), "column \"\(column.column)\" specified more than once", position: column.location.position)
      }
      places.append(place)
    }
    return places
  }

  private func place(of column: AssignmentSyntax, in table: ReferenceTableDefinition) throws(Fault) -> Int {
    guard let place = table.columns.firstIndex(where: { $0.name == column.column }) else {
      throw Fault(
        .undefinedColumn, "column \"\(column.column)\" of relation \"\(table.name)\" does not exist",
        position: column.location.position)
    }
    return place
  }

  private func checkWidth(
    _ width: Int, _ places: [Int]?, _ columns: [AssignmentSyntax], _ table: ReferenceTableDefinition,
    at location: SourceLocation
  ) throws(Fault) {
    guard width <= places?.count ?? table.columns.count else {
      throw Fault(.syntaxError, "INSERT has more expressions than target columns", position: location.position)
    }
    guard width >= places?.count ?? 0 else {
      throw Fault(
        .syntaxError, "INSERT has more target columns than expressions",
        position: columns.indices.contains(width) ? columns[width].location.position : nil)
    }
  }

  // MARK: UPDATE

  private func bindUpdate(
    _ write: WriteStatement, _ assignments: [AssignmentSyntax], _ table: ReferenceTableDefinition
  ) throws(Fault) -> PlanNode {
    var targets = Self.rowTargets(write, table)
    var locations = targets.map(\.location)
    var isAssigned = Set<Int>()
    for assignment in assignments {
      let place = try place(of: assignment, in: table)
      guard isAssigned.insert(place).inserted else {
        throw Fault(
          .syntaxError, "multiple assignments to same column \"\(assignment.column)\"",
          position: assignment.location.position)
      }
      guard var value = assignment.value else { throw Fault.bug("SET without a value") }
      if case .defaultValue = value.kind {
        value = try Self.defaultSyntax(table.defaults[place]) ?? ExpressionSyntax(.constant(.null), at: value.location)
      }
      locations[place + 1] = value.location
      targets[place + 1] = TargetSyntax(name: nil, expression: value, location: value.location)
    }
    let bound = try bindQuery(
      write.query(schema: table.schema, targets: targets), parent: nil, sight: CommonTableSight(), keepsUnknown: true)
    let (input, values) = opened(bound)
    var row = [values[0]]
    for (index, column) in table.columns.enumerated() {
      row.append(try assigned(values[index + 1], to: column, at: locations[index + 1]))
    }
    return .project(input, row)
  }

  // MARK: Values

  /// The projection on top of a query, if there is one: so that its literals can still be read by another type.
  private func opened(_ bound: BoundQuery) -> (input: PlanNode, values: [Expression]) {
    if case .project(let input, let values) = bound.plan { return (input, values) }
    let types = bound.plan.outputTypes
    return (bound.plan, types.indices.map { .column($0, types[$0]) })
  }

  private func assigned(
    _ value: Expression, to column: TableColumn, at location: SourceLocation
  ) throws(Fault) -> Expression {
    do throws(Fault) {
      return try coerce(value, to: column.type, .assignment, at: location)
    } catch {
      guard error.state == .cannotCoerce else { throw error }
      throw Fault(
        .datatypeMismatch,
        "column \"\(column.name)\" is of type \(TypeNames.sqlName(column.type)) but expression is of type "
          + TypeNames.sqlName(value.type),
        hint: "You will need to rewrite or cast the expression.", position: location.position)
    }
  }

  /// The row with defaults where nothing was assigned.
  private func filled(_ row: [Expression?], _ table: ReferenceTableDefinition) throws(Fault) -> [Expression] {
    var values: [Expression] = []
    values.reserveCapacity(row.count)
    for (index, value) in row.enumerated() {
      if let value { values.append(value) } else { values.append(try fallback(index, table)) }
    }
    return values
  }

  private func fallback(_ index: Int, _ table: ReferenceTableDefinition) throws(Fault) -> Expression {
    let column = table.columns[index]
    guard let syntax = try Self.defaultSyntax(table.defaults[index]) else { return .constant(.null, column.type) }
    let scope = SelectScope(parent: nil, sight: CommonTableSight())
    scope.clauseWithoutAggregates = "DEFAULT expressions"
    let value = try bind(syntax, in: scope)
    guard scope.pending.isEmpty else { throw Fault.unsupported("a subquery in DEFAULT") }
    return try assigned(value, to: column, at: .unknown)
  }

  /// The expression of a DEFAULT. Its places are not those of the statement, so they are dropped with the fault's.
  private static func defaultSyntax(_ text: String?) throws(Fault) -> ExpressionSyntax? {
    guard let text else { return nil }
    guard case .select(let query)? = try SQLParser.parse("SELECT (\(text)\n)").first?.kind,
      case .select(let core) = query.body, let target = core.targets.first
    else { throw Fault.bug("a DEFAULT that is not an expression") }
    return target.expression
  }
}
