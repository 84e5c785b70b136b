// INTERSECT ALL and EXCEPT ALL: each different row as often as both sides, or the left side alone, have it.
//
//   append(left marked, right marked) -> aggregate: rows with their counts -> expand: each row so many times

import Bedrock
import Columnar
import Functions
import Plan
import SQLSyntax

extension Binder {
  /// - Parameter counted: the columns, then how many rows came from the left and from the right.
  func repeated(_ counted: PlanNode, _ types: [DataType], keepsMatched: Bool) -> PlanNode {
    let counts = [0, 1].map { Expression.column(types.count + $0, .int8) }
    let copies = Expression.call(keepsMatched ? Self.copiesInBoth : Self.copiesLeft, counts, .array(.boolean))
    return .project(.expand(counted, lists: [copies]), types.indices.map { .column($0, types[$0]) })
  }

  private static let copiesInBoth = copies("copies in both") { min($0, $1) }
  private static let copiesLeft = copies("copies left") { max($0 - $1, 0) }

  /// A list with so many elements, whose values mean nothing.
  private static func copies(
    _ name: String, _ count: @escaping @Sendable (Int64, Int64) -> Int64
  ) -> ScalarFunction {
    ScalarFunction(
      name: name, parameters: [.exact(.int8), .exact(.int8)], result: .fixed(.array(.boolean)), isStrict: false
    ) { (_, columns, rows) throws(Fault) in
      let (left, right) = (columns[0].flat(), columns[1].flat())
      var total = 0
      let offsets = Buffer.of(Int32.self, count: rows + 1) { out in
        let a = left.values(Int64.self)
        let b = right.values(Int64.self)
        out[0] = 0
        for row in 0..<rows {
          total = min(total + Int(count(a[row], b[row])), Int(Int32.max))
          out[row + 1] = Int32(total)
        }
      }
      guard total < Int(Int32.max) else { throw Fault(.programLimitExceeded, "a row is repeated too often") }
      let elements = Column.constant(.boolean(true), type: .boolean, count: total).flat()
      return Column(
        type: .array(.boolean), count: rows, validity: nil, form: .list(offsets: offsets, elements: elements))
    }
  }
}
