// The order of inner joins. The largest input is read first and never stored; then, one by one, the input that gives the
// fewest rows of those that an equality ties to those already joined becomes the built side of a hash join; the smallest,
// where that is not known. Inputs tied to nothing come last.

import Bedrock
import Columnar
import Functions
import Plan
import StorageContract

/// The inputs and conditions of a tree of inner joins, over the columns of all inputs side by side.
struct JoinGroup {
  var inputs: [PlanNode] = []
  var offsets: [Int] = []
  var conditions: [Expression] = []
  private var width = 0

  mutating func collect(_ plan: PlanNode) {
    if case .join(.inner, let left, let right, let leftKeys, _, let residual) = plan, leftKeys.isEmpty {
      let base = width
      collect(left)
      collect(right)
      for condition in residual?.conjuncts ?? [] { conditions.append(condition.mappingColumns { $0 + base }) }
      return
    }
    // A filter above a join inside the group belongs to the group.
    if case .filter(let input, let condition) = plan, case .join(.inner, _, _, let keys, _, _) = input, keys.isEmpty {
      let base = width
      collect(input)
      for part in condition.conjuncts { conditions.append(part.mappingColumns { $0 + base }) }
      return
    }
    inputs.append(plan)
    offsets.append(width)
    width += plan.outputTypes.count
  }

  /// The input that a column belongs to.
  func owner(of column: Int) -> Int { (offsets.lastIndex { $0 <= column }) ?? 0 }
}

struct JoinOrder {
  let estimates: [String: Int64]
  let statistics: [String: RelationStatistics]

  /// The inputs joined; output columns are those of the inputs in their given order.
  func joined(_ inputs: [PlanNode], offsets: [Int], conditions: [Expression]) -> PlanNode {
    precondition(!inputs.isEmpty && inputs.count == offsets.count)
    let rows = inputs.map(estimate)
    let widths = inputs.map { $0.outputTypes.count }
    func owner(_ column: Int) -> Int { offsets.lastIndex { $0 <= column } ?? 0 }
    var remaining = Array(inputs.indices)
    var first = 0
    for index in remaining where rows[index] > rows[first] { first = index }
    remaining.removeAll { $0 == first }
    var plan = inputs[first]
    var place: [Int: Int] = [:]
    for column in 0..<widths[first] { place[offsets[first] + column] = column }
    var width = widths[first]
    var open = conditions
    var total = rows[first]
    while !remaining.isEmpty {
      func joined(_ input: Int) -> Double {
        let keys = open.compactMap { $0.equality { place[$0] != nil } }.filter { pair in
          pair.right.columnsRead.allSatisfy { owner($0) == input }
        }
        return joinedRows(
          plan, total, inputs[input], rows[input],
          keys: keys.map { pair in
            (pair.left.mappingColumns { place[$0] ?? $0 }, pair.right.mappingColumns { $0 - offsets[input] })
          })
      }
      let next = choose(remaining, rows, open, isPlaced: { place[$0] != nil }, owner: owner, joined: joined)
      total = joined(next)
      remaining.removeAll { $0 == next }
      for column in 0..<widths[next] { place[offsets[next] + column] = width + column }
      var split = JoinConditions(leftCount: width)
      var later: [Expression] = []
      for condition in open {
        let reads = condition.columnsRead
        if !reads.isEmpty, reads.allSatisfy({ place[$0] != nil }) {
          split.add(condition.mappingColumns { place[$0] ?? $0 })
        } else {
          later.append(condition)
        }
      }
      open = later
      let residual = split.residual + split.leftOnly + split.rightOnly.map { part in part.mappingColumns { $0 + width } }
      plan = .join(
        .inner, left: plan, right: inputs[next], leftKeys: split.leftKeys, rightKeys: split.rightKeys,
        residual: residual.isEmpty ? nil : .conjunction(residual))
      width += widths[next]
    }
    // What is left reads no column at all.
    plan = plan.filtered(by: open.map { $0.mappingColumns { place[$0] ?? $0 } })
    let types = plan.outputTypes
    let order = offsets.indices.flatMap { input in (0..<widths[input]).map { place[offsets[input] + $0] ?? 0 } }
    if order == Array(types.indices) { return plan }
    return .project(plan, order.map { .column($0, types[$0]) })
  }

  private func choose(
    _ remaining: [Int], _ rows: [Double], _ conditions: [Expression], isPlaced: (Int) -> Bool, owner: (Int) -> Int,
    joined: (Int) -> Double
  ) -> Int {
    let tied = remaining.filter { input in
      conditions.contains { condition in
        condition.equality(isLeft: isPlaced).map { pair in
          pair.right.columnsRead.allSatisfy { owner($0) == input }
        } ?? false
      }
    }
    let candidates = tied.isEmpty ? remaining : tied
    let joined = candidates.map(joined)
    let best = candidates.indices.min { a, b in
      (joined[a], rows[candidates[a]], candidates[a]) < (joined[b], rows[candidates[b]], candidates[b])
    }
    return best.map { candidates[$0] } ?? remaining[0]
  }

  /// About how many rows a plan gives.
  func estimate(_ plan: PlanNode) -> Double {
    switch plan {
    case .scan(let name, let request, _, let filter): return scannedRows(name, request.columns, filter)
    case .virtualScan(let name, _, let columns, _, let filter): return scannedRows(name, columns, filter)
    case .tableFunction: return 1_000
    case .values(let rows, _): return Double(rows.count)
    case .filter(let input, let condition):
      return condition.conjuncts.reduce(estimate(input)) { max($0 * share(of: $1) { _ in nil }, 1) }
    case .project(let input, _), .sort(let input, _, nil), .distinctOn(let input, _),
      .firstRows(let input, _, _):
      return estimate(input)
    case .sort(let input, _, let limit?): return min(estimate(input), Double(limit))
    case .aggregate(let input, let groups, _): return groups.isEmpty ? 1 : max(estimate(input) * 0.1, 1)
    case .limit(let input, .constant(.integer(let count), _)?, _): return min(estimate(input), Double(count))
    case .limit(let input, _, _): return estimate(input)
    case .append(let inputs): return inputs.reduce(0) { $0 + estimate($1) }
    case .expand(let input, _), .apply(let input, _, _): return estimate(input) * 4
    case .limitWithTies(let input, _, .constant(.integer(let count), _)?, _): return min(estimate(input), Double(count))
    case .limitWithTies(let input, _, _, _): return estimate(input)
    case .rowsFrom(let inputs, _): return inputs.reduce(1) { max($0, estimate($1)) }
    case .subqueryRows, .workingRows: return 1_000
    case .recursion(_, let base, let step, _): return estimate(base) + estimate(step) * 10
    case .window(let input, _): return estimate(input)
    case .groupingSets(let input, _, _, let sets): return max(estimate(input) * 0.1 * Double(sets.sets.count), 1)
    case .join(.inner, let left, let right, let keys, _, _):
      return keys.isEmpty ? estimate(left) * estimate(right) : max(estimate(left), estimate(right))
    case .join(_, let left, _, _, _, _): return estimate(left)
    }
  }
}
