// What EXPLAIN ANALYZE counts: rows, bytes and time of every operator.
//
// Operators are numbered in preorder as the plan's nodes are, so that whoever prints the plan finds its numbers again.
// Time is that of all threads together and includes the operators below, as PostgreSQL prints it.

import Bedrock
import Columnar
import Synchronization

/// The numbers of one plan's operators.
package final class PlanMeasures: Sendable {
  package struct Numbers: Sendable, Hashable {
    package var rows = 0
    package var bytes = 0
    package var nanos: Int64 = 0
    /// Times that the operator was opened; 0: it never ran.
    package var loops = 0
  }
  private let numbers: Mutex<[Numbers]> = Mutex([])
  let nanosNow: @Sendable () -> Int64

  /// - Parameter nanosNow: a clock that never goes back.
  package init(nanosNow: @escaping @Sendable () -> Int64) { self.nanosNow = nanosNow }

  /// What the operator of that number did so far; nil when the plan has no such operator.
  package func find(_ index: Int) -> Numbers? {
    numbers.withLock { $0.indices.contains(index) ? $0[index] : nil }
  }

  /// The number of the next operator.
  func begin() -> Int {
    numbers.withLock { list in
      list.append(Numbers())
      return list.count - 1
    }
  }

  /// Leaves numbers out for operators that are not measured.
  func skip(_ count: Int) { numbers.withLock { list in list += [Numbers](repeating: Numbers(), count: count) } }

  func add(_ index: Int, _ change: (inout Numbers) -> Void) {
    numbers.withLock { change(&$0[index]) }
  }
}

/// A source whose work is counted.
final class MeasuredSource: RowSource, Sendable {
  private let source: any RowSource
  private let measures: PlanMeasures
  private let index: Int

  init(_ source: any RowSource, _ measures: PlanMeasures, _ index: Int) {
    self.source = source
    self.measures = measures
    self.index = index
  }

  func prepare() throws(Fault) {
    let start = measures.nanosNow()
    try source.prepare()
    let nanos = measures.nanosNow() - start
    measures.add(index) { numbers in
      numbers.nanos += nanos
      numbers.loops = 1
    }
  }
  var partCount: Int { source.partCount }
  var isOrdered: Bool { source.isOrdered }

  func open(_ part: Int) throws(Fault) -> any Cursor {
    let cursor = try source.open(part)
    let (measures, index) = (measures, index)
    return ClosureCursor { () throws(Fault) in
      let start = measures.nanosNow()
      let chunk = try cursor.next()
      let nanos = measures.nanosNow() - start
      measures.add(index) { numbers in
        numbers.nanos += nanos
        numbers.rows += chunk?.rowCount ?? 0
        numbers.bytes += chunk?.heldBytes ?? 0
      }
      return chunk
    }
  }
}
