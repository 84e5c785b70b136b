// Expressions over one chunk, without any cleverness but the laziness that SQL demands of CASE and COALESCE.

import Bedrock
import Columnar
import Functions
import Plan

extension ReferenceExecutor {
  func evaluate(_ expression: Expression, _ chunk: Chunk) throws(Fault) -> Column {
    let rows = chunk.rowCount
    switch expression {
    case .column(let index, _): return chunk.columns[index]
    case .constant(let scalar, let type): return .constant(scalar, type: type, count: rows)
    case .parameter: throw .bug("a parameter without a value")
    case .call(let function, let arguments, let type):
      let column = try function.evaluate(context, try evaluateAll(arguments, chunk), rows)
      return column.type == type ? column : column.retyped(type)
    case .cast(let cast, let operand, let type, let explicit):
      let column = try cast.evaluate(context, try evaluate(operand, chunk), type, explicit)
      return column.type == type ? column : column.retyped(type)
    case .and(let operands): return try connective(operands, chunk, decides: false)
    case .or(let operands): return try connective(operands, chunk, decides: true)
    case .not(let operand): return try truth(operand, chunk) { value in value.map { !$0 } }
    case .isNull(let operand):
      let column = try evaluate(operand, chunk)
      return booleans((0..<rows).map { column.isNull(at: $0) })
    case .isNotNull(let operand):
      let column = try evaluate(operand, chunk)
      return booleans((0..<rows).map { !column.isNull(at: $0) })
    case .isTruth(let operand, let value, let negated):
      return try truth(operand, chunk) { ($0 == value) != negated }
    case .isDistinct(let a, let b, let equals, let negated):
      let (left, right) = (try evaluate(a, chunk), try evaluate(b, chunk))
      let equal = try equals.evaluate(context, [left, right], rows)
      return booleans(
        (0..<rows).map { row in
          let (x, y) = (left.isNull(at: row), right.isNull(at: row))
          let isDistinct = x || y ? x != y : equal.scalar(at: row).boolean != true
          return isDistinct != negated
        })
    case .caseWhen(let branches, let otherwise, let type): return try cases(branches, otherwise, type, chunk)
    case .coalesce(let operands, let type):
      return try cases(
        operands.dropLast().map { (condition: .isNotNull($0), value: $0) }, operands.last, type, chunk)
    case .inList(let operand, let values, let equals, let negated):
      let column = try evaluate(operand, chunk)
      var results: [Column] = []
      for value in values {
        results.append(
          try equals.evaluate(context, [column, .constant(value, type: operand.type, count: rows)], rows))
      }
      return quantified(results, rows, all: false, negated: negated)
    case .arrayComparison(let operand, let function, let array, let all):
      return try arrayComparison(operand, function, array, all, chunk)
    case .array(let elements, let type):
      let columns = try evaluateAll(elements, chunk)
      return ColumnBuilder.column(type, (0..<rows).map { row in .list(columns.map { $0.scalar(at: row) }) })
    case .subqueryValue(let index, let type):
      let result = subqueries[index]
      if result.rowCount > 1 {
        throw Fault(.cardinalityViolation, "more than one row returned by a subquery used as an expression")
      }
      return .constant(result.rowCount == 0 ? .null : result.columns[0].scalar(at: 0), type: type, count: rows)
    case .subqueryExists(let index):
      return .constant(.boolean(subqueries[index].rowCount > 0), type: .boolean, count: rows)
    case .subqueryArray(let index, let type):
      let result = subqueries[index]
      let list = (0..<result.rowCount).map { result.columns[0].scalar(at: $0) }
      return .constant(.list(list), type: type, count: rows)
    }
  }

  private func evaluateAll(_ expressions: [Expression], _ chunk: Chunk) throws(Fault) -> [Column] {
    var columns: [Column] = []
    for expression in expressions { columns.append(try evaluate(expression, chunk)) }
    return columns
  }

  private func booleans(_ values: [Bool?]) -> Column {
    ColumnBuilder.column(.boolean, values.map { $0.map(Scalar.boolean) ?? .null })
  }

  private func truth(_ operand: Expression, _ chunk: Chunk, _ rule: (Bool?) -> Bool?) throws(Fault) -> Column {
    let column = try evaluate(operand, chunk)
    return booleans((0..<chunk.rowCount).map { rule(column.scalar(at: $0).boolean) })
  }

  /// AND is decided by false, OR by true; otherwise a null makes it unknown. Later operands see undecided rows only.
  private func connective(_ operands: [Expression], _ chunk: Chunk, decides: Bool) throws(Fault) -> Column {
    var result: [Bool?] = Array(repeating: !decides, count: chunk.rowCount)
    var open = Array(0..<chunk.rowCount)
    for operand in operands {
      let column = try evaluate(operand, Self.picked(chunk, open))
      for (position, row) in open.enumerated() {
        switch column.scalar(at: position).boolean {
        case decides: result[row] = decides
        case nil: result[row] = Optional<Bool>.none
        default: break
        }
      }
      open = open.filter { result[$0] != decides }
    }
    return booleans(result)
  }

  private func cases(
    _ branches: [(condition: Expression, value: Expression)], _ otherwise: Expression?, _ type: DataType, _ chunk: Chunk
  ) throws(Fault) -> Column {
    var result: [Scalar] = Array(repeating: .null, count: chunk.rowCount)
    var open = Array(0..<chunk.rowCount)
    for branch in branches where !open.isEmpty {
      let condition = try evaluate(branch.condition, Self.picked(chunk, open))
      let taken = open.indices.filter { condition.scalar(at: $0).boolean == true }.map { open[$0] }
      let values = try evaluate(branch.value, Self.picked(chunk, taken))
      for (position, row) in taken.enumerated() { result[row] = values.scalar(at: position) }
      open = open.filter { !Set(taken).contains($0) }
    }
    if let otherwise, !open.isEmpty {
      let values = try evaluate(otherwise, Self.picked(chunk, open))
      for (position, row) in open.enumerated() { result[row] = values.scalar(at: position) }
    }
    return ColumnBuilder.column(type, result)
  }

  private func arrayComparison(
    _ operand: Expression, _ function: ScalarFunction, _ array: Expression, _ all: Bool, _ chunk: Chunk
  ) throws(Fault) -> Column {
    let column = try evaluate(operand, chunk)
    let arrays = try evaluate(array, chunk)
    let element = array.type.element ?? .text
    var result: [Bool?] = []
    for row in 0..<chunk.rowCount {
      guard case .list(let values) = arrays.scalar(at: row) else {
        result.append(nil)
        continue
      }
      let left = Column.constant(column.scalar(at: row), type: operand.type, count: values.count)
      let answers = try function.evaluate(context, [left, ColumnBuilder.column(element, values)], values.count)
      let truths = values.indices.map { answers.scalar(at: $0).boolean }
      result.append(truths.contains(!all) ? !all : truths.contains(nil) ? nil : all)
    }
    return booleans(result)
  }

  private func quantified(_ results: [Column], _ rows: Int, all: Bool, negated: Bool) -> Column {
    booleans(
      (0..<rows).map { row in
        let truths = results.map { $0.scalar(at: row).boolean }
        let answer: Bool? = truths.contains(true) ? true : truths.contains(nil) ? nil : false
        return answer.map { $0 != negated }
      })
  }
}
