// WITH RECURSIVE: `base UNION [ALL] step`, where the step names the item itself.

import Bedrock
import Columnar
import Plan
import SQLSyntax

extension Binder {
  private static let invalidRecursion = SQLState("42P19")

  /// Refuses what PostgreSQL refuses: references where a round by round evaluation would not mean the same.
  func checkRecursion(_ table: CommonTableSyntax) throws(Fault) {
    let name = table.name
    func invalid(_ message: String, _ location: SourceLocation) -> Fault {
      Fault(Self.invalidRecursion, message, position: location.position)
    }
    guard case .setOperation(.union, _, let base, let step) = table.query.body else {
      throw invalid(
        "recursive query \"\(name)\" does not have the form non-recursive-term UNION [ALL] recursive-term", table.location)
    }
    var places: [(place: ReferenceWalk.Place, location: SourceLocation)] = []
    var inBase: SourceLocation?
    ReferenceWalk(name: name) { _, relation in inBase = inBase ?? relation.location }.walk(base, .plain)
    for item in table.query.with?.tables ?? [] {
      ReferenceWalk(name: name) { _, relation in inBase = inBase ?? relation.location }.walk(item.query, .plain)
    }
    if let inBase {
      throw invalid("recursive reference to query \"\(name)\" must not appear within its non-recursive term", inBase)
    }
    ReferenceWalk(name: name) { place, relation in places.append((place, relation.location)) }.walk(step, .plain)
    for (place, location) in places {
      let within: String
      switch place {
      case .plain: continue
      case .outerJoin: within = "an outer join"
      case .subquery: within = "a subquery"
      case .intersect: within = "INTERSECT"
      case .except: within = "EXCEPT"
      }
      throw invalid("recursive reference to query \"\(name)\" must not appear within \(within)", location)
    }
    guard places.count == 1 else {
      throw invalid(
        "recursive reference to query \"\(name)\" must not appear more than once", places.last?.location ?? .unknown)
    }
    try refuseClauses(table.query)
  }

  private func refuseClauses(_ query: SelectStatement) throws(Fault) {
    func refusal(_ clause: String, _ location: SourceLocation) -> Fault {
      Fault(.featureNotSupported, "\(clause) in a recursive query is not implemented", position: location.position)
    }
    if let item = query.orderBy.first { throw refusal("ORDER BY", item.expression.location) }
    if let offset = query.offset { throw refusal("OFFSET", offset.location) }
    if let limit = query.limit { throw refusal("LIMIT", limit.location) }
    if query.isLocking { throw refusal("FOR UPDATE/SHARE", .unknown) }
  }

  func bindRecursive(_ table: CommonTable) throws(Fault) -> BoundQuery {
    let query = table.syntax.query
    guard case .setOperation(.union, let keepsRepeats, let baseSyntax, let stepSyntax) = query.body else {
      throw Fault.bug("a recursive WITH item that is no union")
    }
    let outer = try sight(of: query.with, parent: table.parent, table.sight)
    let base = try bindQuery(baseSyntax, parent: table.parent, sight: outer)
    let types = base.columns.map(\.type)
    let columns = try renamed(base.columns, by: table.syntax).map { BoundColumn(name: $0.name, type: $0.type) }
    recursionCount += 1
    let id = recursionCount
    let own = CommonTable(syntax: table.syntax, sight: table.sight, parent: table.parent)
    own.working = (id, columns)
    var inner = outer
    inner.tables.append(own)
    let step = try bindQuery(stepSyntax, parent: table.parent, sight: inner, keepsUnknown: true)
    guard step.columns.count == types.count else {
      throw Fault(
        .syntaxError, "each UNION query must have the same number of columns", position: firstTarget(stepSyntax))
    }
    for (index, (a, b)) in zip(types, step.columns.map(\.type)).enumerated() {
      guard let type = library.commonType([a, b]) else {
        throw Fault(
          .datatypeMismatch, "UNION types \(TypeNames.sqlName(a)) and \(TypeNames.sqlName(b)) cannot be matched",
          position: firstTarget(stepSyntax))
      }
      guard type.isSameType(as: a) else {
        throw Fault(
          .datatypeMismatch,
          "recursive query \"\(table.syntax.name)\" column \(index + 1) has type \(TypeNames.sqlName(a)) in "
            + "non-recursive term but type \(TypeNames.sqlName(type)) overall",
          hint: "Cast the output of the non-recursive term to the correct type.", position: firstTarget(baseSyntax))
      }
    }
    let plan = PlanNode.recursion(
      id, base: base.plan, step: try converted(step, to: types), keepsRepeats: keepsRepeats)
    return BoundQuery(plan: plan, columns: columns)
  }
}
