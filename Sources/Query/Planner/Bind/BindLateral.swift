// FROM items that name columns of items before them.
//
// Such an item is bound one level further in: the columns of the items before it are those of a query around it. Where
// conditions can be lifted out of it, it becomes a join; otherwise it runs once for each row (`PlanNode.apply`).

import Bedrock
import Columnar
import Plan
import SQLSyntax

extension SelectScope {
  /// The enclosing query as parts of FROM see it that are not lateral: items beside them are out of sight, but levels
  /// count the same.
  var parentWithoutSiblings: SelectScope? {
    guard let parent, parent.isLateralFrame else { return self.parent }
    let frame = SelectScope(parent: parent.parentWithoutSiblings, sight: parent.sight)
    frame.isLateralFrame = true
    return frame
  }
}

extension TableSyntax {
  /// Whether it could name columns of items before it.
  var mayBeLateral: Bool {
    switch self {
    case .relation, .sample: false
    case .subquery(_, _, let isLateral): isLateral
    case .function: true
    case .join(_, let left, let right, _, _): left.mayBeLateral || right.mayBeLateral
    }
  }
}

extension Binder {
  /// An item of FROM beside others. When it is dependent, columns of level 1 in its plan are those of `left`.
  func bindBeside(
    _ item: TableSyntax, _ left: BoundTable, in scope: SelectScope
  ) throws(Fault) -> (table: BoundTable, isDependent: Bool) {
    guard item.mayBeLateral else { return (try bindTable(item, in: scope), false) }
    let frame = SelectScope(parent: scope.parent, sight: scope.sight)
    frame.from = left.from
    frame.isLateralFrame = true
    var table = try bindTable(item, in: SelectScope(parent: frame, sight: scope.sight))
    if table.plan.readsColumns(ofLevel: 1) { return (table, true) }
    table.plan = try table.plan.mappingExpressions { (expression) throws(Fault) in
      expression.mappingColumns { PendingColumn.level($0) == 0 ? $0 : PendingColumn.shifted($0, by: -1) }
    }
    return (table, false)
  }

  /// Only joins that keep no unmatched right rows can have a lateral right side.
  func refuseLateral(_ kind: JoinKindSyntax, _ left: FromScope) throws(Fault) {
    guard kind == .right || kind == .full else { return }
    throw Fault(
      .invalidColumnReference,
      "invalid reference to FROM-clause entry for table \"\(left.entries.first?.alias ?? "")\"",
      detail: "The combining JOIN type must be INNER or LEFT for a LATERAL reference.")
  }

  /// Each row of `left` with the rows that `right`, whose columns of level 1 are those of `left`, has for it.
  func applied(
    _ right: PlanNode, to left: PlanNode, keepsUnmatched: Bool, at location: SourceLocation
  ) throws(Fault) -> PlanNode {
    let width = right.outputTypes.count
    if let lifted = try liftedIfPossible(right, at: location), lifted.rowOverNothing == nil {
      let joined = left.joined(keepsUnmatched ? .left : .inner, to: lifted.plan, on: lifted.conditions)
      let types = joined.outputTypes
      let count = left.outputTypes.count + width
      return types.count == count ? joined : .project(joined, (0..<count).map { .column($0, types[$0]) })
    }
    let (plan, arguments) = try closed(right)
    return .apply(left, LateralPlan(plan: plan, keepsUnmatched: keepsUnmatched), arguments: arguments)
  }
}

extension Expression {
  /// A condition over left and right columns as the right side of a lateral join sees it.
  func insideRight(of leftCount: Int) -> Expression {
    mappingColumns { column in
      PendingColumn.level(column) > 0 || column < leftCount ? PendingColumn.shifted(column, by: 1) : column - leftCount
    }
  }
}

extension PlanNode {
  /// Whether some expression reads a column of the query that many levels further out.
  func readsColumns(ofLevel level: Int) -> Bool {
    expressions.contains { $0.columnsRead.contains { PendingColumn.level($0) == level } }
      || children.contains { $0.readsColumns(ofLevel: level) }
  }
}
