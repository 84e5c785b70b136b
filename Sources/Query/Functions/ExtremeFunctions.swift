// greatest and least: the largest or smallest argument that is not null.

import Bedrock
import Columnar

enum ExtremeFunctions {
  static let all: [ScalarFunction] = [("greatest", Comparison.greater), ("least", Comparison.less)].map {
    name, comparison in
    .make(name, [.anyElement], .computed { $0[0] }, isVariadic: true, isStrict: false) {
      (_, columns, rows) throws(Fault) in
      var best = columns[0].flat()
      for column in columns.dropFirst() {
        let next = column.flat()
        let wins = ComparisonOperators.compare(comparison, next, best, rows: rows).flat()
        let both = Column.concatenate([best, next])
        let picks = Buffer.of(Int32.self, count: rows) { out in
          for row in 0..<rows {
            let takesNext = best.isNull(at: row) || (!next.isNull(at: row) && wins.booleans[row] != 0)
            out[row] = Int32(takesNext ? rows + row : row)
          }
        }
        best = both.gather(picks.span(of: Int32.self))
      }
      return best
    }
  }
}
