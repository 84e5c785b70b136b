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

  /// The whole tree with the plan of every LATERAL changed.
  func mappingLateralPlans(_ change: (PlanNode) throws(Fault) -> PlanNode) throws(Fault) -> PlanNode {
    var children: [PlanNode] = []
    for child in self.children { children.append(try child.mappingLateralPlans(change)) }
    let node = try replacing(children: children) { (expression) throws(Fault) in expression }
    guard case .apply(let input, let lateral, let arguments) = node else { return node }
    let plan = LateralPlan(plan: try change(lateral.plan), keepsUnmatched: lateral.keepsUnmatched)
    return .apply(input, plan, arguments: arguments)
  }

  /// Levels of the tree.
  var depth: Int { 1 + (children.map(\.depth).max() ?? 0) }
}
