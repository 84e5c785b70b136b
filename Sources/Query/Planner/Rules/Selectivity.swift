// What share of rows a condition lets through, and how many rows a join gives, from the statistics of tables. Where
// nothing is known: 2 % for an equality, 30 % for anything else, and a join that gives as many rows as its larger side.
//
//   x = c          share of the common value c, else an even share of what is neither common nor null
//   x < c          common values below c and the buckets of the histogram below it
//   a = b (join)   rows of both sides / the greater number of distinct values, without nulls

import Columnar
import EventSchema
import Functions
import Plan
import StorageContract

/// What is known of the values of a relation.
struct RelationStatistics: Sendable {
  /// Of the table, before conditions.
  let rows: Double
  /// By the place of the column in the table.
  let columns: [Int: ColumnStatistics]

  /// Nil when nothing was analysed yet.
  init?(_ table: TableDescription) {
    guard let known = table.statistics, table.estimatedRows > 0 else { return nil }
    rows = Double(table.estimatedRows)
    var columns: [Int: ColumnStatistics] = [:]
    for (place, column) in table.columns.enumerated() { columns[place] = known.columns[column.fieldID] }
    self.columns = columns
  }

  init?(_ source: RelationSource) {
    switch source {
    case .table(let table), .eventView(let table, _): self.init(table)
    case .virtual: return nil
    }
  }
}

extension ColumnStatistics {
  private var commonFraction: Double { commonValues.reduce(0) { $0 + $1.fraction } }

  /// Share of rows with exactly that value.
  func fraction(equalTo value: Scalar) -> Double {
    if value.isNull { return 0 }
    if let common = commonValues.first(where: { $0.value == value }) { return common.fraction }
    if let min, Self.isLess(value, min) == true { return 0 }
    if let max, Self.isLess(max, value) == true { return 0 }
    let rest = Swift.max(0, 1 - commonFraction - nullFraction)
    return rest / Double(Swift.max(1, distinctCount - Int64(commonValues.count)))
  }

  /// Share of rows below a value; nil when nothing orders them.
  func fraction(below value: Scalar) -> Double? {
    var known = 0.0
    for common in commonValues {
      guard let isLess = Self.isLess(common.value, value) else { return nil }
      if isLess { known += common.fraction }
    }
    let rest = Swift.max(0, 1 - commonFraction - nullFraction)
    guard histogram.count >= 2 else { return commonValues.isEmpty ? nil : known + rest * 0.3 }
    var below = 0
    for bound in histogram {
      guard let isLess = Self.isLess(bound, value) else { return nil }
      below += isLess ? 1 : 0
    }
    // Somewhere inside a bucket: its middle.
    let buckets = Double(histogram.count - 1)
    let share = below == 0 ? 0 : Swift.min(1, (Double(below) - 0.5) / buckets)
    return known + rest * share
  }

  /// Nil for values that are not compared here.
  private static func isLess(_ a: Scalar, _ b: Scalar) -> Bool? {
    switch (a, b) {
    case (.integer(let a), .integer(let b)): a < b
    case (.float(let a), .float(let b)): a < b || (!a.isNaN && b.isNaN)
    case (.boolean(let a), .boolean(let b)): !a && b
    case (.bytes(let a), .bytes(let b)): a.lexicographicallyPrecedes(b)
    case (.numeric(let a), .numeric(let b)) where a.scale == b.scale && !a.isNaN && !b.isNaN:
      a.coefficient < b.coefficient
    default: nil
    }
  }
}

extension JoinOrder {
  private static let equalityShare = 0.02
  private static let otherShare = 0.3

  /// About how many rows a scan of a relation gives. - Parameter columns: their places in the table.
  func scannedRows(_ relation: String, _ columns: [Int], _ filter: Expression?) -> Double {
    let known = statistics[relation]
    let rows = known?.rows ?? Double(max(estimates[relation] ?? 1_000, 1))
    return (filter?.conjuncts ?? []).reduce(rows) { rows, part in
      max(rows * share(of: part) { columns.indices.contains($0) ? known?.columns[columns[$0]] : nil }, 1)
    }
  }

  /// The share of rows for which a condition holds.
  func share(of condition: Expression, _ column: (Int) -> ColumnStatistics?) -> Double {
    switch condition {
    case .and(let parts): return parts.reduce(1) { $0 * share(of: $1, column) }
    case .or(let parts): return 1 - parts.reduce(1) { $0 * (1 - share(of: $1, column)) }
    case .not(let part): return 1 - share(of: part, column)
    case .isNull(.column(let index, _)): return column(index)?.nullFraction ?? Self.otherShare
    case .isNotNull(.column(let index, _)): return column(index).map { 1 - $0.nullFraction } ?? Self.otherShare
    case .inList(.column(let index, _), let values, _, let negated):
      guard let known = column(index) else { return Self.otherShare }
      let share = min(1, values.reduce(0) { $0 + known.fraction(equalTo: $1) })
      return negated ? max(0, 1 - share - known.nullFraction) : share
    case .call(let function, let operands, _) where operands.count == 2:
      let usual = function.name == "=" ? Self.equalityShare : Self.otherShare
      switch (operands[0], operands[1]) {
      case (.column(let index, _), .constant(let value, _)):
        return column(index).flatMap { Self.share($0, function.name, value) } ?? usual
      case (.constant(let value, _), .column(let index, _)):
        return column(index).flatMap { Self.share($0, Self.turned[function.name] ?? function.name, value) } ?? usual
      default: return usual
      }
    default: return Self.otherShare
    }
  }

  private static let turned = ["<": ">", "<=": ">=", ">": "<", ">=": "<="]

  private static func share(_ known: ColumnStatistics, _ name: String, _ value: Scalar) -> Double? {
    switch name {
    case "=": known.fraction(equalTo: value)
    case "<>": max(0, 1 - known.nullFraction - known.fraction(equalTo: value))
    case "<": known.fraction(below: value)
    case "<=": known.fraction(below: value).map { min(1, $0 + known.fraction(equalTo: value)) }
    case ">=": known.fraction(below: value).map { max(0, 1 - known.nullFraction - $0) }
    case ">": known.fraction(below: value).map { max(0, 1 - known.nullFraction - $0 - known.fraction(equalTo: value)) }
    default: nil
    }
  }

  /// About how many rows come of joining on pairs of equal keys.
  func joinedRows(
    _ plan: PlanNode, _ rows: Double, _ input: PlanNode, _ inputRows: Double,
    keys: [(left: Expression, right: Expression)]
  ) -> Double {
    if keys.isEmpty { return rows * inputRows }
    var result = rows * inputRows
    var isKnown = false
    for key in keys {
      let left = keyStatistics(key.left, of: plan), right = keyStatistics(key.right, of: input)
      guard left != nil || right != nil else { continue }
      isKnown = true
      // A side that a condition has thinned out has no more distinct values than rows.
      let distinct = max(
        left.map { min(Double($0.distinctCount), rows) } ?? 1, right.map { min(Double($0.distinctCount), inputRows) } ?? 1)
      result *= (1 - (left?.nullFraction ?? 0)) * (1 - (right?.nullFraction ?? 0)) / max(distinct, 1)
    }
    return isKnown ? max(result, 1) : max(rows, inputRows)
  }

  /// What is known of the values of a column of a plan: those of the table it comes from.
  private func keyStatistics(_ key: Expression, of plan: PlanNode) -> ColumnStatistics? {
    guard case .column(let index, _) = key else { return nil }
    switch plan {
    case .scan(let name, let request, _, _):
      return request.columns.indices.contains(index) ? statistics[name]?.columns[request.columns[index]] : nil
    case .filter(let input, _), .sort(let input, _, _), .limit(let input, _, _):
      return keyStatistics(key, of: input)
    case .project(let input, let expressions): return keyStatistics(expressions[index], of: input)
    case .join(_, let left, let right, _, _, _):
      let count = left.outputTypes.count
      return index < count ? keyStatistics(key, of: left) : keyStatistics(key.mappingColumns { $0 - count }, of: right)
    default: return nil
    }
  }
}
