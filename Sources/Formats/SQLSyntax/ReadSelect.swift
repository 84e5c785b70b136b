// Queries: from the flat tree to `SelectStatement`.

import Bedrock
import CPgQuery

extension TreeReader {
  /// A query; anything else in its place (a data-modifying WITH item) is refused.
  mutating func select() throws(Fault) -> SelectStatement {
    let head = try head()
    guard head.kind == .select else {
      let written: [SQLNodeKind: String] = [.insert: "INSERT", .update: "UPDATE", .delete: "DELETE"]
      let name = head.kind == .other ? try string() : written[head.kind] ?? "\(head.kind)"
      throw Fault.unsupported("\(name) inside a query", position: head.location.position)
    }
    return try selectFields()
  }

  /// The fields of a select node whose head is read.
  mutating func selectFields() throws(Fault) -> SelectStatement {
    if try flag() { throw Fault.unsupported("SELECT INTO") }
    let with = try optional { (reader) throws(Fault) in try reader.withClause() }
    let body = try selectBody()
    let orderBy = try sorts()
    let offset = try optionalExpression()
    let limit = try optionalExpression()
    return SelectStatement(
      with: with, body: body, orderBy: orderBy, offset: offset, limit: limit, isWithTies: try flag(),
      isLocking: try flag())
  }

  private mutating func selectBody() throws(Fault) -> SelectBody {
    let operation = try integer()
    let isAll = try flag()
    let left = try optional { (reader) throws(Fault) in try reader.select() }
    let right = try optional { (reader) throws(Fault) in try reader.select() }
    let values = try list { (reader) throws(Fault) in try reader.expressions() }
    let core = try selectCore()
    if let left, let right {
      let operators: [SetOperator] = [.union, .intersect, .except]
      guard (1...3).contains(operation) else { throw Fault.bug("set operation \(operation) is not known") }
      return .setOperation(operators[Int(operation) - 1], isAll: isAll, left, right)
    }
    return values.isEmpty ? .select(core) : .values(values)
  }

  private mutating func selectCore() throws(Fault) -> SelectCore {
    let isDistinct = try flag()
    let distinctOn = try expressions()
    return SelectCore(
      distinct: isDistinct ? (distinctOn.isEmpty ? .all : .on(distinctOn)) : .none,
      targets: try list { (reader) throws(Fault) in
        let head = try reader.head(of: .target)
        return TargetSyntax(
          name: try reader.optionalString(), expression: try reader.expression(), location: head.location)
      },
      from: try list { (reader) throws(Fault) in try reader.table() },
      filter: try optionalExpression(),
      groupBy: try groupings(),
      isGroupDistinct: try flag(),
      having: try optionalExpression(),
      windows: try list { (reader) throws(Fault) in try reader.window() })
  }

  private mutating func groupings() throws(Fault) -> [GroupingSyntax] {
    try list { (reader) throws(Fault) in try reader.grouping() }
  }

  private mutating func grouping() throws(Fault) -> GroupingSyntax {
    var ahead = self
    let next = try ahead.head()
    guard next.kind == .groupingSet else { return .expression(try expression()) }
    self = ahead
    // Numbered as in PostgreSQL's GroupingSetKind.
    switch try integer() {
    case 0:
      _ = try listCount()
      return .empty
    case 2: return .rollup(try expressions(), next.location)
    case 3: return .cube(try expressions(), next.location)
    default: return .sets(try groupings(), next.location)
    }
  }

  mutating func withClause() throws(Fault) -> WithSyntax {
    let head = try head(of: .with)
    return WithSyntax(
      isRecursive: try flag(), tables: try list { (reader) throws(Fault) in try reader.commonTable() },
      location: head.location)
  }

  private mutating func commonTable() throws(Fault) -> CommonTableSyntax {
    let head = try head(of: .commonTable)
    let name = try string()
    let columns = try names()
    let materialized = try integer()
    let search = try optional { (reader) throws(Fault) in
      let head = try reader.head(of: .search)
      return SearchSyntax(
        columns: try reader.names(), isBreadthFirst: try reader.flag(), sequence: try reader.string(),
        location: head.location)
    }
    let cycle = try optional { (reader) throws(Fault) in
      let head = try reader.head(of: .cycle)
      return CycleSyntax(
        columns: try reader.names(), mark: try reader.string(), value: try reader.expression(),
        otherwise: try reader.expression(), path: try reader.string(), location: head.location)
    }
    return CommonTableSyntax(
      name: name, columns: columns, isMaterialized: materialized == 0 ? nil : materialized == 1, search: search,
      cycle: cycle, query: try select(), location: head.location)
  }

  mutating func alias() throws(Fault) -> AliasSyntax {
    _ = try head(of: .alias)
    return AliasSyntax(name: try string(), columns: try names())
  }

  private mutating func optionalAlias() throws(Fault) -> AliasSyntax? {
    try optional { (reader) throws(Fault) in try reader.alias() }
  }

  mutating func relation(_ head: Head) throws(Fault) -> RelationSyntax {
    RelationSyntax(
      catalog: try optionalString(), schema: try optionalString(), name: try string(), alias: try optionalAlias(),
      location: head.location)
  }

  mutating func table() throws(Fault) -> TableSyntax {
    let head = try head()
    switch head.kind {
    case .relation: return .relation(try relation(head))
    case .subselect:
      let isLateral = try flag()
      return .subquery(try select(), alias: try optionalAlias(), isLateral: isLateral)
    case .functionTable:
      let isLateral = try flag()
      let hasOrdinality = try flag()
      if try flag() {
        throw Fault.unsupported("a column definition list for a function", position: head.location.position)
      }
      return .function(
        try expressions(), alias: try optionalAlias(), isLateral: isLateral, hasOrdinality: hasOrdinality,
        head.location)
    case .join: return try join()
    case .sample:
      let inner = try self.head()
      guard inner.kind == .relation else {
        throw Fault.unsupported("TABLESAMPLE of this item of FROM", position: head.location.position)
      }
      return .sample(
        try relation(inner),
        SampleSyntax(
          method: try names(), arguments: try expressions(), seed: try optionalExpression(), location: head.location))
    default: throw Fault.unsupported("this item of FROM (\(head.kind))", position: head.location.position)
    }
  }

  private mutating func join() throws(Fault) -> TableSyntax {
    let type = try integer()
    let isNatural = try flag()
    let left = try table()
    let right = try table()
    let hasUsing = try flag()
    let using = try names()
    let usingAlias = try optionalAlias()
    let on = try optionalExpression()
    let alias = try optionalAlias()
    let condition: JoinCondition =
      isNatural ? .natural : hasUsing ? .using(using, alias: usingAlias?.name) : on.map { .on($0) } ?? .none
    // Numbered as in PostgreSQL's JoinType; CROSS JOIN is an inner join without a condition.
    let kinds: [JoinKindSyntax] = [.inner, .left, .full, .right]
    guard kinds.indices.contains(Int(type)) else { throw Fault.bug("join type \(type) is not known") }
    var kind = kinds[Int(type)]
    if case (.inner, .none) = (kind, condition) { kind = .cross }
    return .join(kind, left, right, condition, alias: alias)
  }
}
