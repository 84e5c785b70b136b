// The plan: a tree of operators over chunks. Made and optimised by Planner, turned into pipelines by Executor.

package import Bedrock
package import Columnar
package import Functions
package import StorageContract

package enum JoinKind: String, Sendable {
  case inner = "Inner", left = "Left", right = "Right", full = "Full"
  /// Rows of the left side with, or without, a match. Output: the left columns only.
  case semi = "Semi", anti = "Anti"
  /// NOT IN: like anti, but any null among the keys makes the comparison unknown, so the row is dropped.
  case antiNullAware = "Anti (null aware)"
  /// A correlated scalar subquery: left join where a second match for a row is fault 21000. Output like left.
  case single = "Single"
}

package struct SortKey: Sendable {
  package let expression: Expression
  package let descending: Bool
  package let nullsFirst: Bool
  package init(expression: Expression, descending: Bool, nullsFirst: Bool) {
    self.expression = expression
    self.descending = descending
    self.nullsFirst = nullsFirst
  }
}

package struct AggregateCall: Sendable {
  package let function: AggregateFunction
  /// Over the input of the aggregate node; already cast to the parameter types. Empty for count(*).
  package let arguments: [Expression]
  package let isDistinct: Bool
  package let filter: Expression?
  /// For string_agg and array_agg.
  package let orderBy: [SortKey]
  package let type: DataType
  package init(
    function: AggregateFunction, arguments: [Expression], isDistinct: Bool, filter: Expression?, orderBy: [SortKey] = [],
    type: DataType
  ) {
    self.function = function
    self.arguments = arguments
    self.isDistinct = isDistinct
    self.filter = filter
    self.orderBy = orderBy
    self.type = type
  }
}

extension AggregateCall {
  /// What is read.
  package var expressions: [Expression] { arguments + (filter.map { [$0] } ?? []) + orderBy.map(\.expression) }

  /// The same over changed expressions.
  package func mapping<E: Error>(_ change: (Expression) throws(E) -> Expression) throws(E) -> AggregateCall {
    var arguments: [Expression] = []
    for argument in self.arguments { arguments.append(try change(argument)) }
    var orderBy: [SortKey] = []
    for key in self.orderBy {
      orderBy.append(
        SortKey(expression: try change(key.expression), descending: key.descending, nullsFirst: key.nullsFirst))
    }
    var filter: Expression?
    if let old = self.filter { filter = try change(old) }
    return AggregateCall(
      function: function, arguments: arguments, isDistinct: isDistinct, filter: filter, orderBy: orderBy, type: type)
  }
}

/// Rows that some part of the server makes up: pg_catalog, cramped.jobs ...
package protocol VirtualRelation: Sendable {
  /// All columns; the plan reads some of them by index.
  var columns: [(name: String, type: DataType)] { get }
  /// All rows with all columns, as of now. Chunks of at most `Limits.chunkRowsMax` rows.
  func rows(context: FunctionContext) throws(Fault) -> [Chunk]
}

package indirect enum PlanNode: Sendable {
  /// Output: `request.columns`, minus nothing; rows failing `filter` (over the output columns) are removed.
  case scan(relation: String, request: ScanRequest, types: [DataType], filter: Expression?)
  case virtualScan(relation: String, any VirtualRelation, columns: [Int], types: [DataType], filter: Expression?)
  case tableFunction(TableFunction, arguments: [Expression], types: [DataType])
  /// Constant rows; each expression reads no column. One row and no column for a SELECT without FROM.
  case values(rows: [[Expression]], types: [DataType])
  case filter(PlanNode, Expression)
  case project(PlanNode, [Expression])
  /// Output: the group keys, then the aggregates. No group key: exactly one row. No aggregate: DISTINCT.
  case aggregate(PlanNode, groups: [Expression], aggregates: [AggregateCall])
  /// Hash join on pairwise equal keys (null never matches) with `residual` over left columns then right columns; without
  /// keys a nested loop. The right side is built. Output: left columns, then right columns, but see JoinKind.
  case join(JoinKind, left: PlanNode, right: PlanNode, leftKeys: [Expression], rightKeys: [Expression], residual: Expression?)
  /// `limit`: only the first so many rows are asked for (top-N).
  case sort(PlanNode, [SortKey], limit: Int?)
  /// Both evaluated once: bigint, null means none.
  case limit(PlanNode, count: Expression?, offset: Expression?)
  /// The first row of each group of equal keys in input order; the input is sorted by the keys (DISTINCT ON).
  case distinctOn(PlanNode, keys: [Expression])
  /// Of each group of equal keys the row that comes first by `order`, in no order: DISTINCT ON before its sort.
  case firstRows(PlanNode, keys: [Expression], order: [SortKey])
  /// All rows of all inputs; equal types.
  case append([PlanNode])
  /// Each row once for each element of its lists, which go in step; the shorter ones end in nulls, and a row whose lists
  /// are all null or empty is dropped. Output: the input's columns, then an element of each list.
  case expand(PlanNode, lists: [Expression])
  /// As `limit`, and after the last row also those that the sort keys, given over the input, put beside it.
  case limitWithTies(PlanNode, keys: [Expression], count: Expression?, offset: Expression?)
  /// LATERAL: each input row with each row that the plan gives for it. Output: the input's columns, then the plan's.
  case apply(PlanNode, LateralPlan, arguments: [Expression])
  /// The rows of all inputs side by side, in step; shorter ones end in nulls. With ordinality a number from 1 comes last.
  case rowsFrom([PlanNode], hasOrdinality: Bool)
  /// The rows of the uncorrelated subquery of that number, which ran before.
  case subqueryRows(Int, types: [DataType])
  /// WITH RECURSIVE: the rows of `base`, then those of `step` over the rows found last, until there are none. Without
  /// `keepsRepeats` a row that was found before is dropped.
  case recursion(Int, base: PlanNode, step: PlanNode, keepsRepeats: Bool)
  /// In the step of that recursion: the rows found last.
  case workingRows(Int, types: [DataType])
  /// Output: the input's columns in the window's order, then a value of each call.
  case window(PlanNode, WindowSpec)
  /// Output: the group keys, null where a set leaves them out, the aggregates, then the groupings (int4). The keys of the
  /// sets are columns.
  case groupingSets(PlanNode, groups: [Expression], aggregates: [AggregateCall], GroupingSets)

  package var outputTypes: [DataType] {
    switch self {
    case .scan(_, _, let types, _), .virtualScan(_, _, _, let types, _), .tableFunction(_, _, let types),
      .values(_, let types):
      types
    case .filter(let input, _), .sort(let input, _, _), .limit(let input, _, _), .distinctOn(let input, _),
      .firstRows(let input, _, _):
      input.outputTypes
    case .project(_, let expressions): expressions.map(\.type)
    case .aggregate(_, let groups, let aggregates): groups.map(\.type) + aggregates.map(\.type)
    case .join(let kind, let left, let right, _, _, _):
      switch kind {
      case .semi, .anti, .antiNullAware: left.outputTypes
      case .inner, .left, .right, .full, .single: left.outputTypes + right.outputTypes
      }
    case .append(let inputs): inputs[0].outputTypes
    case .expand(let input, let lists): input.outputTypes + lists.map { $0.type.element ?? $0.type }
    case .limitWithTies(let input, _, _, _): input.outputTypes
    case .apply(let input, let lateral, _): input.outputTypes + lateral.plan.outputTypes
    case .rowsFrom(let inputs, let hasOrdinality): inputs.flatMap(\.outputTypes) + (hasOrdinality ? [.int8] : [])
    case .subqueryRows(_, let types), .workingRows(_, let types): types
    case .recursion(_, let base, _, _): base.outputTypes
    case .window(let input, let spec): input.outputTypes + spec.calls.map(\.type)
    case .groupingSets(_, let groups, let aggregates, let sets):
      groups.map(\.type) + aggregates.map(\.type) + sets.groupings.map { _ in .int4 }
    }
  }

  package var children: [PlanNode] {
    switch self {
    case .scan, .virtualScan, .tableFunction, .values: []
    case .filter(let input, _), .project(let input, _), .aggregate(let input, _, _), .sort(let input, _, _),
      .limit(let input, _, _), .distinctOn(let input, _), .firstRows(let input, _, _), .expand(let input, _), .window(let input, _),
      .groupingSets(let input, _, _, _):
      [input]
    case .join(_, let left, let right, _, _, _): [left, right]
    case .append(let inputs): inputs
    case .limitWithTies(let input, _, _, _), .apply(let input, _, _): [input]
    case .rowsFrom(let inputs, _): inputs
    case .subqueryRows, .workingRows: []
    case .recursion(_, let base, let step, _): [base, step]
    }
  }

  /// Nodes of the tree.
  package var nodeCount: Int { children.reduce(1) { $0 + $1.nodeCount } }
}

/// What stands beside each row of an `apply`; the row's values stand in it as `Expression.argument`.
package struct LateralPlan: Sendable {
  package let plan: PlanNode
  /// An input row for which the plan gives nothing stays, with nulls.
  package let keepsUnmatched: Bool
  package init(plan: PlanNode, keepsUnmatched: Bool) {
    self.plan = plan
    self.keepsUnmatched = keepsUnmatched
  }
}

/// A column of a result.
package struct OutputColumn: Sendable {
  package let name: String
  package let type: DataType
  /// Where a plain column comes from: relation oid and attribute number, else 0.
  package let tableOID: UInt32
  package let attributeNumber: Int16
  package init(name: String, type: DataType, tableOID: UInt32 = 0, attributeNumber: Int16 = 0) {
    self.name = name
    self.type = type
    self.tableOID = tableOID
    self.attributeNumber = attributeNumber
  }
}

/// A statement ready to run.
package struct PlannedQuery: Sendable {
  package let columns: [OutputColumn]
  package let parameterTypes: [DataType]
  package let root: PlanNode
  /// Uncorrelated subqueries, run before the root in this order; a later one may use earlier ones.
  package let subqueries: [PlanNode]
  package init(columns: [OutputColumn], parameterTypes: [DataType], root: PlanNode, subqueries: [PlanNode]) {
    self.columns = columns
    self.parameterTypes = parameterTypes
    self.root = root
    self.subqueries = subqueries
  }
}
