// GROUP BY: plain keys, and the sets of keys that GROUPING SETS, ROLLUP and CUBE stand for.
//
// Each item of the clause gives a list of sets; the sets of the query are their cross product:
//   a            (a)                    ROLLUP (a, b)         (a, b), (a), ()
//   (a, b)       (a, b)                 CUBE (a, b)           (a, b), (a), (b), ()
//   ()           ()                     GROUPING SETS (x, y)  the sets of x, then those of y

import Bedrock
import Columnar
import Plan
import SQLSyntax

/// The keys of a query, and the sets of them when there is more than one.
struct BoundGroups {
  var keys: [Expression] = []
  var sets: [[Int]]?
}

extension Binder {
  private static var groupingSetsMax: Int { 4_096 }
  private static var cubeElementsMax: Int { 12 }

  func bindGroups(_ core: SelectCore, _ targets: [Target], in scope: SelectScope) throws(Fault) -> BoundGroups {
    scope.clauseWithoutAggregates = "GROUP BY"
    defer { scope.clauseWithoutAggregates = nil }
    var bound = BoundGroups()
    var sets: [[Int]] = [[]]
    for item in core.groupBy {
      let own = try bindGrouping(item, targets, &bound.keys, in: scope)
      guard sets.count * own.count <= Self.groupingSetsMax else { throw tooMany(at: item.location) }
      sets = sets.flatMap { set in own.map { Self.union(set, $0) } }
    }
    if core.isGroupDistinct {
      var seen: Set<Set<Int>> = []
      sets = sets.filter { seen.insert(Set($0)).inserted }
    }
    if sets.count > 1 || (sets[0].count < bound.keys.count) { bound.sets = sets }
    return bound
  }

  private func tooMany(at location: SourceLocation) -> Fault {
    Fault(
      .statementTooComplex, "too many grouping sets present (maximum \(Self.groupingSetsMax))",
      position: location.position)
  }

  private static func union(_ a: [Int], _ b: [Int]) -> [Int] { a + b.filter { !a.contains($0) } }

  private func bindGrouping(
    _ item: GroupingSyntax, _ targets: [Target], _ keys: inout [Expression], in scope: SelectScope
  ) throws(Fault) -> [[Int]] {
    switch item {
    case .empty: return [[]]
    case .expression(let syntax): return [try bindKeys(syntax, targets, &keys, in: scope)]
    case .rollup(let list, _):
      var units: [[Int]] = []
      for syntax in list { units.append(try bindKeys(syntax, targets, &keys, in: scope)) }
      return (0...units.count).reversed().map { length in units.prefix(length).reduce([], Self.union) }
    case .cube(let list, let location):
      guard list.count <= Self.cubeElementsMax else {
        throw Fault(
          .tooManyColumns, "CUBE is limited to \(Self.cubeElementsMax) elements", position: location.position)
      }
      var units: [[Int]] = []
      for syntax in list { units.append(try bindKeys(syntax, targets, &keys, in: scope)) }
      // The first element is the most significant: (a, b), (a), (b), ().
      return (0..<(1 << units.count)).reversed().map { bits in
        units.indices.filter { bits >> (units.count - 1 - $0) & 1 == 1 }.map { units[$0] }.reduce([], Self.union)
      }
    case .sets(let items, let location):
      var sets: [[Int]] = []
      for item in items {
        sets += try bindGrouping(item, targets, &keys, in: scope)
        guard sets.count <= Self.groupingSetsMax else { throw tooMany(at: location) }
      }
      return sets
    }
  }

  /// The keys that one element names: several for a row.
  private func bindKeys(
    _ syntax: ExpressionSyntax, _ targets: [Target], _ keys: inout [Expression], in scope: SelectScope
  ) throws(Fault) -> [Int] {
    if case .row(let fields) = syntax.kind {
      var places: [Int] = []
      for field in fields { places = Self.union(places, try bindKeys(field, targets, &keys, in: scope)) }
      return places
    }
    let pendingBefore = scope.pending.count
    let value = try inlined(try bindGroup(syntax, targets, in: scope), since: pendingBefore, in: scope)
    guard !value.readsSubquery else {
      throw Fault.unsupported("a correlated subquery in GROUP BY", position: syntax.location.position)
    }
    if let known = keys.firstIndex(where: { $0.isSame(as: value) }) { return [known] }
    keys.append(value)
    return [keys.count - 1]
  }

  // MARK: GROUPING

  func bindGroupingCall(
    _ list: [ExpressionSyntax], in scope: SelectScope, at location: SourceLocation
  ) throws(Fault) -> Expression {
    if let clause = scope.clauseWithoutAggregates {
      throw Fault(
        .groupingError, "grouping operations are not allowed in \(clause)", position: location.position)
    }
    if scope.isInsideAggregate {
      throw Fault(.groupingError, "aggregate function calls cannot be nested", position: location.position)
    }
    guard list.count < 32 else {
      throw Fault(.tooManyArguments, "GROUPING must have fewer than 32 arguments", position: location.position)
    }
    var keys: [Expression] = []
    for item in list { keys.append(try bind(item, in: scope)) }
    scope.groupings.append((keys, list.first?.location ?? location))
    return .column(PendingColumn.grouping(scope.groupings.count - 1), .int4)
  }

  /// For each GROUPING the places of its arguments among the keys.
  func groupingPlaces(_ groups: BoundGroups, in scope: SelectScope) throws(Fault) -> [[Int]] {
    var places: [[Int]] = []
    for grouping in scope.groupings {
      var own: [Int] = []
      for key in grouping.keys {
        guard let place = groups.keys.firstIndex(where: { $0.isSame(as: key) }) else {
          throw Fault(
            .groupingError, "arguments to GROUPING must be grouping expressions of the associated query level",
            position: grouping.location.position)
        }
        own.append(place)
      }
      places.append(own)
    }
    return places
  }
}
