// The last rules: projections that do nothing go, a sort below a limit becomes a top-N, and conditions of scans that
// storage can prune by are handed to it (the query still filters exactly).

import Bedrock
import Columnar
import Functions
import Plan
import StorageContract

struct Finishing {
  func apply(_ plan: PlanNode) -> PlanNode {
    switch plan {
    case .scan(let name, let request, let types, let filter):
      return .scan(
        relation: name,
        request: request.replacing(
          columns: request.columns,
          predicates: (filter?.conjuncts ?? []).compactMap { ScanPredicate.of($0, request.columns) }),
        types: types, filter: filter)
    case .virtualScan, .tableFunction, .values, .subqueryRows, .workingRows: return plan
    case .filter(let input, let condition): return .filter(apply(input), condition)
    case .project(let input, let expressions): return project(apply(input), expressions)
    case .aggregate(let input, let groups, let aggregates):
      return .aggregate(apply(input), groups: groups, aggregates: aggregates)
    case .join(let kind, let left, let right, let leftKeys, let rightKeys, let residual):
      return .join(
        kind, left: apply(left), right: apply(right), leftKeys: leftKeys, rightKeys: rightKeys, residual: residual)
    case .sort(let input, let keys, let limit):
      let child = apply(input)
      return child.isSorted(by: keys) ? child : .sort(child, keys, limit: limit)
    case .limit(let input, let count, let offset):
      return .limit(topRows(apply(input), count, offset), count: count, offset: offset)
    case .distinctOn(let input, let keys): return firstRows(apply(input), keys)
    case .firstRows(let input, let keys, let order): return .firstRows(apply(input), keys: keys, order: order)
    case .append(let inputs): return .append(inputs.map(apply))
    case .expand(let input, let lists): return .expand(apply(input), lists: lists)
    case .limitWithTies(let input, let keys, let count, let offset):
      return .limitWithTies(apply(input), keys: keys, count: count, offset: offset)
    case .apply(let input, let lateral, let arguments): return .apply(apply(input), lateral, arguments: arguments)
    case .rowsFrom(let inputs, let hasOrdinality): return .rowsFrom(inputs.map(apply), hasOrdinality: hasOrdinality)
    case .recursion(let id, let base, let step, let keepsRepeats):
      return .recursion(id, base: apply(base), step: apply(step), keepsRepeats: keepsRepeats)
    case .window(let input, let spec):
      let child = apply(input)
      return .window(child, spec.sorted(child.isSorted(by: spec.sortKeys)))
    case .groupingSets(let input, let groups, let aggregates, let sets):
      return .groupingSets(apply(input), groups: groups, aggregates: aggregates, sets)
    }
  }

  private func project(_ input: PlanNode, _ expressions: [Expression]) -> PlanNode {
    let isPlain = expressions.allSatisfy { if case .column = $0 { true } else { false } }
    guard isPlain else { return .project(input, expressions) }
    if case .project(let inner, let values) = input {
      return project(inner, expressions.map { $0.substitutingColumns { column, _ in values[column] } })
    }
    let order = expressions.map { if case .column(let column, _) = $0 { column } else { -1 } }
    return order == Array(input.outputTypes.indices) ? input : .project(input, expressions)
  }

  /// The first row of each group is picked without sorting all rows, when the order says more than which group.
  private func firstRows(_ input: PlanNode, _ keys: [Expression]) -> PlanNode {
    guard case .sort(let inner, let order, nil) = input else { return .distinctOn(input, keys: keys) }
    let within = order.filter { key in !keys.contains { $0.isSame(as: key.expression) } }
    if within.isEmpty || (keys + order.map(\.expression)).contains(where: \.isVolatile) {
      return .distinctOn(input, keys: keys)
    }
    return .sort(.firstRows(inner, keys: keys, order: within), order, limit: nil)
  }

  private func topRows(_ input: PlanNode, _ count: Expression?, _ offset: Expression?) -> PlanNode {
    guard case .constant(.integer(let rows), _)? = count, rows >= 0 else { return input }
    var skipped: Int64 = 0
    if let offset {
      guard case .constant(let scalar, _) = offset else { return input }
      skipped = max(scalar.integer ?? 0, 0)
    }
    let (limit, overflow) = rows.addingReportingOverflow(skipped)
    guard !overflow else { return input }
    switch input {
    case .sort(let inner, let keys, nil): return .sort(inner, keys, limit: Int(limit))
    case .project(let inner, let expressions): return .project(topRows(inner, count, offset), expressions)
    default: return input
    }
  }
}

extension PlanNode {
  /// Whether its rows come in the order of these keys because a window put them so.
  fileprivate func isSorted(by keys: [SortKey]) -> Bool {
    switch self {
    case .window(let input, let spec):
      let own = spec.sortKeys
      let isOwn = keys.count <= own.count && zip(keys, own).allSatisfy { key, own in
        key.expression.isSame(as: own.expression) && key.descending == own.descending
          && key.nullsFirst == own.nullsFirst
      }
      // A window over a sorted input leaves its rows as they are.
      return isOwn || (spec.isSorted && input.isSorted(by: keys))
    case .filter(let input, _): return input.isSorted(by: keys)
    case .project(let input, let expressions):
      let below = keys.compactMap { key -> SortKey? in
        guard case .column(let column, _) = key.expression else { return nil }
        return key.replacing(expression: expressions[column])
      }
      return below.count == keys.count && input.isSorted(by: below)
    default: return false
    }
  }
}

/// Conditions of the form column-compared-with-constant.
enum ScanPredicate {
  /// - Parameter columns: the table's column of each column of the scan.
  static func of(_ condition: Expression, _ columns: [Int]) -> ColumnPredicate? {
    switch condition {
    case .isNull(.column(let column, _)): return ColumnPredicate(column: columns[column], test: .isNull)
    case .isNotNull(.column(let column, _)): return ColumnPredicate(column: columns[column], test: .isNotNull)
    case .call(let function, let operands, _):
      guard operands.count == 2, let comparison = ComparisonOperator(rawValue: function.name) else { return nil }
      if let (column, scalar) = match(operands[0], operands[1]) {
        return ColumnPredicate(column: columns[column], test: .compare(comparison, scalar))
      }
      if let (column, scalar) = match(operands[1], operands[0]) {
        return ColumnPredicate(column: columns[column], test: .compare(mirrored(comparison), scalar))
      }
      return nil
    case .inList(let operand, let values, _, negated: false):
      var found: [Scalar] = []
      var place: Int?
      for value in values {
        // A null in the list is never equal to anything.
        if value.isNull { continue }
        guard let (column, scalar) = match(operand, .constant(value, operand.type)) else { return nil }
        place = column
        found.append(scalar)
      }
      return place.map { ColumnPredicate(column: columns[$0], test: .anyOf(found)) }
    default: return nil
    }
  }

  private static func mirrored(_ comparison: ComparisonOperator) -> ComparisonOperator {
    switch comparison {
    case .equal: .equal
    case .notEqual: .notEqual
    case .less: .greater
    case .lessOrEqual: .greaterOrEqual
    case .greater: .less
    case .greaterOrEqual: .lessOrEqual
    }
  }

  /// A column, perhaps under a widening cast, and a constant as that column's type.
  private static func match(_ side: Expression, _ other: Expression) -> (Int, Scalar)? {
    guard case .constant(let scalar, let type) = other, !scalar.isNull else { return nil }
    switch side {
    case .column(let column, let columnType) where columnType.isSameType(as: type): return (column, scalar)
    case .column(let column, let columnType) where isInteger(columnType) && isInteger(type):
      // int8 = int4 and the like compare values; a value that the column cannot have is left to the filter.
      guard let value = scalar.integer, columnType == .int8 || fits(value, columnType) else { return nil }
      return (column, scalar)
    case .cast(_, .column(let column, let columnType), let castType, _) where castType.isSameType(as: type):
      switch (columnType, type) {
      case (.int2, .int4), (.int2, .int8), (.int4, .int8):
        guard let value = scalar.integer, fits(value, columnType) else { return nil }
        return (column, scalar)
      case (.varchar, .text), (.name, .text): return (column, scalar)
      default: return nil
      }
    default: return nil
    }
  }

  private static func isInteger(_ type: DataType) -> Bool {
    switch type {
    case .int2, .int4, .int8: true
    default: false
    }
  }

  private static func fits(_ value: Int64, _ type: DataType) -> Bool {
    type == .int2 ? Int16(exactly: value) != nil : Int32(exactly: value) != nil
  }
}
