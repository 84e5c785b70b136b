// The executor as sessions use it: rows by demand, and EXPLAIN with what each tier reads and skips.
//
//   ->  Scan on iot.measurement
//         Columns: value
//         Pruning: published > '2026-01-01 00:00:00+00'
//         lake: files: 0 of 1, row groups: 0 of 1; at most 0 rows, 0 bytes
//         hot: chunks: 2 of 5; at most 2000 rows, 96000 bytes

package import Bedrock
import Columnar
package import Executor
package import Plan
import Planner
package import Runtime
import StorageContract

extension ResultStream: RowSource {}

package struct PipelineExecutor: PlanExecutor {
  private let executor: Executor
  private let clock: Clock

  package init(executor: Executor, clock: Clock) {
    self.executor = executor
    self.clock = clock
  }

  package func open(_ query: PlannedQuery, context: ExecutionContext) throws(Fault) -> any RowSource {
    try executor.execute(
      query, parameters: [], snapshot: context.snapshot, context: context.functions, cancellation: context.cancellation)
  }

  package func explain(
    _ query: PlannedQuery, options: ExplainOptions, context: ExecutionContext
  ) throws(Fault) -> [String] {
    var summaries = try tierLines(query, context)
    let planner = Planner(catalog: context.catalog, settings: PlannerSettings(context: context.functions))
    // PlanText meets the scans in the same order as `tierLines`.
    var trees = PlanText(planner) { node in
      guard case .scan = node else { return [] }
      return summaries.isEmpty ? [] : summaries.removeFirst()
    }.trees(query)
    var run: (rows: Int, nanos: Int64)?
    if options.isAnalyze {
      let clock = clock
      let measures = trees.map { _ in PlanMeasures { Int64(clock.monotonicNanos()) } }
      run = try measured(query, context, measures)
      trees = trees.map { tree in
        tree.measured { plan, index in
          measures[plan].find(index).map {
            ExplainTree.Actual(rows: $0.rows, bytes: $0.bytes, nanos: $0.nanos, loops: $0.loops)
          }
        }
      }
    }
    if options.isJSON { return [ExplainTree.json(trees, executionNanos: options.hasSummary ? run?.nanos : nil)] }
    var lines = ExplainTree.lines(trees)
    if let run, options.hasSummary {
      lines += ["Rows: \(run.rows)", "Execution Time: \(ExplainTree.milliseconds(run.nanos)) ms"]
    }
    return lines
  }

  /// One entry a scan, in the order in which PlanText meets them.
  private func tierLines(_ query: PlannedQuery, _ context: ExecutionContext) throws(Fault) -> [[String]] {
    var found: [[String]] = []
    for plan in [query.root] + query.subqueries { try collect(plan, context, &found) }
    return found
  }

  private func collect(_ node: PlanNode, _ context: ExecutionContext, _ found: inout [[String]]) throws(Fault) {
    if case .scan(_, let request, _, _) = node {
      found.append(try request.open(in: context.snapshot).tiers.map(Self.line))
    }
    for child in node.children { try collect(child, context, &found) }
    if case .apply(_, let lateral, _) = node { try collect(lateral.plan, context, &found) }
  }

  private static func line(_ tier: TierScanSummary) -> String {
    let units = tier.units.map { "\($0.label): \($0.read) of \($0.total)" }.joined(separator: ", ")
    return "\(tier.tier): \(units.isEmpty ? "" : units + "; ")at most \(tier.rows) rows, \(tier.bytes) bytes"
  }

  /// Runs the statement to its end.
  private func measured(
    _ query: PlannedQuery, _ context: ExecutionContext, _ measures: [PlanMeasures]
  ) throws(Fault) -> (rows: Int, nanos: Int64) {
    let start = clock.monotonicNanos()
    let stream = try executor.execute(
      query, parameters: [], snapshot: context.snapshot, context: context.functions, cancellation: context.cancellation,
      measures: measures)
    var rowCount = 0
    while let chunk = try stream.next() { rowCount += chunk.rowCount }
    return (rowCount, Int64(clock.monotonicNanos() - start))
  }
}
