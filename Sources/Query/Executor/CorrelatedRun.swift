// A correlated subquery that no join can stand for: its plan runs once for each different row of arguments.
//
// Slow by nature, and only what the planner could not turn into a join comes here. It runs on the thread that asks, and
// stops with the statement.

import Bedrock
import Columnar
import Plan
import Runtime

/// Used by one thread: it belongs to one compiled expression.
final class CorrelatedRun {
  private let subquery: CorrelatedSubquery
  private let type: DataType
  private let environment: QueryEnvironment
  /// Values by arguments; forgotten when there are too many.
  private var known: [[Scalar]: Scalar] = [:]
  private static let knownMax = 10_000

  init(_ subquery: CorrelatedSubquery, type: DataType, _ environment: QueryEnvironment) {
    self.subquery = subquery
    self.type = type
    self.environment = environment
  }

  /// The subquery's value for each row of its arguments.
  func evaluate(_ arguments: [Column], _ rows: Int) throws(Fault) -> Column {
    var builder = ColumnBuilder(type: type, capacity: rows)
    for row in 0..<rows {
      let key = arguments.map { $0.scalar(at: row) }
      if let value = known[key] {
        builder.append(value)
        continue
      }
      let value = try self.value(key)
      if known.count == Self.knownMax { known = [:] }
      known[key] = value
      builder.append(value)
    }
    return builder.finish()
  }

  private func value(_ arguments: [Scalar]) throws(Fault) -> Scalar {
    try environment.cancellation.check()
    var inner = environment
    inner.measures = nil
    inner.arguments = arguments
    let cursor = SerialCursor(try Executor.prepared(subquery.plan, inner))
    switch subquery.use {
    case .exists:
      return .boolean(try cursor.next() != nil)
    case .value:
      var found: Scalar?
      while let chunk = try cursor.next() {
        guard found == nil, chunk.rowCount == 1 else { throw Executor.secondRow }
        found = chunk.columns[0].scalar(at: 0)
      }
      return found ?? .null
    case .array:
      var list: [Scalar] = []
      while let chunk = try cursor.next() {
        for row in 0..<chunk.rowCount { list.append(chunk.columns[0].scalar(at: row)) }
      }
      return .list(list)
    }
  }
}
