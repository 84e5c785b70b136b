// From the plan's expressions to compiled ones.

import Bedrock
import Columnar
import Functions
import Kernels
import Plan

extension CompiledExpression {
  /// Operators that never raise a fault, whatever their operands.
  private static let safeOperators: Set<String> = ["=", "<>", "<", "<=", ">", ">="]

  static func compile(_ expression: Expression, _ environment: QueryEnvironment) throws(Fault) -> CompiledExpression {
    func make(_ kind: Kind, _ operands: [CompiledExpression], mayFail: Bool = false) -> CompiledExpression {
      var read: Set<Int> = []
      for operand in operands { read.formUnion(operand.columnsRead) }
      return CompiledExpression(
        kind, expression.type, mayFail: mayFail || operands.contains(where: \.mayFail), columnsRead: read,
        context: environment.context)
    }
    func constant(_ scalar: Scalar) -> CompiledExpression {
      make(.constant(Column.constant(scalar, type: expression.type, count: 1).flat()), [])
    }
    var operands: [CompiledExpression] = []
    for child in expression.children { operands.append(try compile(child, environment)) }

    switch expression {
    case .column(let index, let type):
      return CompiledExpression(
        .column(index), type, mayFail: false, columnsRead: [index], context: environment.context)
    case .constant(let scalar, _): return constant(scalar)
    case .parameter(let index, _):
      guard index < environment.parameters.count else {
        throw Fault(.undefinedParameter, "there is no parameter $\(index + 1)")
      }
      return constant(environment.parameters[index])
    case .call(let function, _, _):
      return make(.call(function, operands), operands, mayFail: !safeOperators.contains(function.name))
    case .cast(let cast, _, _, let explicit):
      return make(.cast(cast, operands[0], explicit: explicit), operands, mayFail: true)
    case .and: return make(.and(operands), operands)
    case .or: return make(.or(operands), operands)
    case .not: return make(.not(operands[0]), operands)
    case .isNull: return make(.isNull(operands[0], negated: false), operands)
    case .isNotNull: return make(.isNull(operands[0], negated: true), operands)
    case .isTruth(_, let value, let negated): return make(.isTruth(operands[0], value, negated: negated), operands)
    case .isDistinct(_, _, let equals, let negated):
      return make(.isDistinct(operands[0], operands[1], equals, negated: negated), operands)
    case .caseWhen(let branches, let otherwise, _):
      let pairs = branches.indices.map { (operands[$0 * 2], operands[$0 * 2 + 1]) }
      return make(.caseWhen(pairs, otherwise == nil ? nil : operands[branches.count * 2]), operands)
    case .coalesce: return make(.coalesce(operands), operands)
    case .inList(let operand, let values, let equals, let negated):
      let set = ValueSet(values, type: operand.type, equals: equals, context: environment.context)
      return make(.inList(operands[0], set, negated: negated), operands)
    case .arrayComparison(_, let function, _, let all):
      return make(.arrayComparison(operands[0], function, operands[1], all: all), operands, mayFail: true)
    case .array: return make(.array(operands), operands)
    case .correlated(let subquery, _, _):
      return make(.correlated(CorrelatedRun(subquery, type: expression.type, environment), operands), operands, mayFail: true)
    case .argument(let index, _): return constant(environment.arguments[index])
    case .subqueryValue(let index, _):
      let result = environment.subqueries[index]
      if result.rowCount > 1 { throw Executor.secondRow }
      return constant(result.chunks.first?.columns.first?.scalar(at: 0) ?? .null)
    case .subqueryExists(let index): return constant(.boolean(environment.subqueries[index].rowCount > 0))
    case .subqueryArray(let index, _):
      var list: [Scalar] = []
      for chunk in environment.subqueries[index].chunks {
        for row in 0..<chunk.rowCount { list.append(chunk.columns[0].scalar(at: row)) }
      }
      return constant(.list(list))
    }
  }

  static func compile(_ expressions: [Expression], _ environment: QueryEnvironment) throws(Fault)
    -> [CompiledExpression]
  {
    var list: [CompiledExpression] = []
    for expression in expressions { list.append(try compile(expression, environment)) }
    return list
  }
}

/// The constants of an IN list: a hash set for many, one comparison each for a few.
struct ValueSet {
  private let constants: [Column]
  private let hasNull: Bool
  private let keys: KeyIndex?
  private let equals: ScalarFunction
  private let context: FunctionContext

  init(_ values: [Scalar], type: DataType, equals: ScalarFunction, context: FunctionContext) {
    self.equals = equals
    self.context = context
    let present = values.filter { !$0.isNull }
    hasNull = present.count < values.count
    if present.count > 4 {
      let index = KeyIndex(type: type)
      _ = index.assign(ColumnBuilder.column(type, present))
      keys = index
      constants = []
    } else {
      keys = nil
      constants = present.map { Column.constant($0, type: type, count: 1).flat() }
    }
  }

  func contains(_ column: Column, _ rows: Int, negated: Bool) throws(Fault) -> Column {
    var found = [Bool](repeating: false, count: rows)
    if let keys {
      var cache = KeyLookupCache()
      let ids = keys.lookup(column, cache: &cache)
      for row in 0..<rows { found[row] = ids[row] >= 0 }
    } else {
      for one in constants {
        let constant = Column(type: one.type, count: rows, validity: nil, form: .constant(one))
        let same = try equals.evaluate(context, [column, constant], rows).flat()
        let values = same.booleans
        if let validity = same.validity {
          for row in 0..<rows where values[row] != 0 && validity.isSet(row) { found[row] = true }
        } else {
          for row in 0..<rows { found[row] = found[row] || values[row] != 0 }
        }
      }
    }
    var validity: Bitmap?
    if hasNull || column.mayHaveNulls {
      let present = column.rowValidity
      validity = Bitmap.make(count: rows) { (present?.isSet($0) ?? true) && (found[$0] || !hasNull) }
    }
    return .boolean(rows, validity: validity) { found[$0] != negated }
  }
}
