// Constant folding: what reads only constants is evaluated once. Immutable functions fold when the plan is made, stable
// ones (now) when it is about to run. An evaluation that fails is left in place: it may stand where no row comes.

import Bedrock
import Columnar
import Functions
import Plan

struct Folding {
  let context: FunctionContext
  let foldsStable: Bool

  func fold(_ expression: Expression) -> Expression { expression.rewritten(foldNode) }

  private func canFold(_ volatility: Volatility) -> Bool {
    switch volatility {
    case .immutable: true
    case .stable: foldsStable
    case .volatile: false
    }
  }

  /// Folds one node whose operands are folded.
  private func foldNode(_ node: Expression) -> Expression {
    switch node {
    case .call(let function, let arguments, let type): return foldCall(node, function, arguments, type)
    case .cast(let cast, let operand, let type, let explicit):
      guard case .constant(let scalar, let from) = operand, canFold(cast.volatility) else { return node }
      if scalar.isNull { return .constant(.null, type) }
      return evaluated(node, type) { () throws(Fault) in
        try cast.evaluate(context, Column.constant(scalar, type: from, count: 1), type, explicit)
      }
    case .and(let parts): return foldAnd(parts)
    case .or(let parts): return foldOr(parts)
    case .not(.constant(let scalar, _)): return .constant(scalar.boolean.map { .boolean(!$0) } ?? .null, .boolean)
    case .isNull(.constant(let scalar, _)): return .constant(.boolean(scalar.isNull), .boolean)
    case .isNotNull(.constant(let scalar, _)): return .constant(.boolean(!scalar.isNull), .boolean)
    case .isTruth(.constant(let scalar, _), let value, let negated):
      return .constant(.boolean((scalar.boolean == value) != negated), .boolean)
    case .caseWhen(let branches, let otherwise, let type): return foldCase(branches, otherwise, type)
    case .coalesce(let operands, let type): return foldCoalesce(operands, type)
    case .array(let operands, let type):
      var scalars: [Scalar] = []
      for case .constant(let scalar, _) in operands { scalars.append(scalar) }
      return scalars.count == operands.count ? .constant(.list(scalars), type) : node
    case .arrayComparison(let operand, let function, .constant(.list(let scalars), _), all: let all):
      // `x = ANY ('{...}')` is a list of values, `x <> ALL` its negation.
      guard function.name == (all ? "<>" : "=") else { return node }
      guard !all else { return node }
      return .inList(operand, scalars, equals: function, negated: false)
    default: return node
    }
  }

  private func foldCall(
    _ node: Expression, _ function: ScalarFunction, _ arguments: [Expression], _ type: DataType
  ) -> Expression {
    guard canFold(function.volatility) else { return node }
    var columns: [Column] = []
    for argument in arguments {
      guard case .constant(let scalar, let from) = argument else { continue }
      if scalar.isNull && function.isStrict { return .constant(.null, type) }
      columns.append(Column.constant(scalar, type: from, count: 1))
    }
    guard columns.count == arguments.count else { return node }
    return evaluated(node, type) { () throws(Fault) in try function.evaluate(context, columns, 1) }
  }

  private func evaluated(
    _ node: Expression, _ type: DataType, _ evaluate: () throws(Fault) -> Column
  ) -> Expression {
    do {
      let column = try evaluate()
      guard column.count == 1 else { return node }
      return .constant(column.scalar(at: 0), type)
    } catch {
      return node
    }
  }

  private func foldAnd(_ parts: [Expression]) -> Expression {
    var rest: [Expression] = []
    for part in parts.flatMap(\.conjuncts) {
      if case .constant(.boolean(let value), _) = part {
        if !value { return part }
        continue
      }
      rest.append(part)
    }
    return .conjunction(rest)
  }

  private func foldOr(_ parts: [Expression]) -> Expression {
    var rest: [Expression] = []
    for part in parts {
      if case .constant(.boolean(let value), _) = part {
        if value { return part }
        continue
      }
      rest.append(part)
    }
    return rest.count == 1 ? rest[0] : rest.isEmpty ? .constant(.boolean(false), .boolean) : .or(rest)
  }

  private func foldCase(
    _ branches: [(condition: Expression, value: Expression)], _ otherwise: Expression?, _ type: DataType
  ) -> Expression {
    var kept: [(condition: Expression, value: Expression)] = []
    for branch in branches {
      if case .constant(let scalar, _) = branch.condition {
        if scalar.boolean != true { continue }
        return kept.isEmpty ? branch.value : .caseWhen(kept, otherwise: branch.value, type)
      }
      kept.append(branch)
    }
    return kept.isEmpty ? otherwise ?? .constant(.null, type) : .caseWhen(kept, otherwise: otherwise, type)
  }

  private func foldCoalesce(_ operands: [Expression], _ type: DataType) -> Expression {
    var kept: [Expression] = []
    for operand in operands {
      if case .constant(let scalar, _) = operand {
        if scalar.isNull { continue }
        kept.append(operand)
        break
      }
      kept.append(operand)
    }
    switch kept.count {
    case 0: return .constant(.null, type)
    case 1: return kept[0]
    default: return .coalesce(kept, type)
    }
  }
}
