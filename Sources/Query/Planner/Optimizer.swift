// The rules in their order.

import Bedrock
import Columnar
import Functions
import Plan

struct Optimizer {
  let context: FunctionContext
  /// True when the plan runs at once: stable functions are constants then.
  let foldsStable: Bool
  /// nil when the order of joins is settled.
  let ordering: JoinOrder?

  func optimise(_ plan: PlanNode) throws(Fault) -> PlanNode {
    let folding = Folding(context: context, foldsStable: foldsStable)
    let folded = try plan.mappingExpressions { folding.fold($0) }
    let pushed = PushDown(ordering: ordering).apply(folded)
    let refolded = try pushed.mappingExpressions { folding.fold($0) }
    return Finishing().apply(Pruning().apply(refolded))
  }
}

extension PlanNode {
  /// The whole tree with every expression changed.
  func mappingExpressions(_ change: (Expression) throws(Fault) -> Expression) throws(Fault) -> PlanNode {
    var children: [PlanNode] = []
    for child in self.children { children.append(try child.mappingExpressions(change)) }
    return try replacing(children: children, expressions: change)
  }

  /// Levels of the tree.
  var depth: Int { 1 + (children.map(\.depth).max() ?? 0) }
}
