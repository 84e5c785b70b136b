// ROWS FROM and WITH ORDINALITY: several inputs side by side, in step.

import Bedrock
import Columnar

final class RowsFromCursor: Cursor {
  private struct Input {
    let cursor: any Cursor
    let types: [DataType]
    /// Rows read and not given yet.
    var rest: Chunk?
    var isAtEnd = false
  }
  private var inputs: [Input]
  private let hasOrdinality: Bool
  private var rowsGiven: Int64 = 0

  init(_ cursors: [any Cursor], types: [[DataType]], hasOrdinality: Bool) {
    inputs = zip(cursors, types).map { Input(cursor: $0, types: $1) }
    self.hasOrdinality = hasOrdinality
  }

  func next() throws(Fault) -> Chunk? {
    var count = Limits.chunkRowsMax
    for index in inputs.indices {
      if inputs[index].rest == nil, !inputs[index].isAtEnd {
        inputs[index].rest = try inputs[index].cursor.next()
        inputs[index].isAtEnd = inputs[index].rest == nil
      }
      if let rest = inputs[index].rest { count = min(count, rest.rowCount) }
    }
    guard inputs.contains(where: { $0.rest != nil }) else { return nil }
    var columns: [Column] = []
    for index in inputs.indices {
      guard let rest = inputs[index].rest else {
        columns += inputs[index].types.map { Column.nulls($0, count: count) }
        continue
      }
      columns += rest.slice(0..<count).columns
      inputs[index].rest = count == rest.rowCount ? nil : rest.slice(count..<rest.rowCount)
    }
    if hasOrdinality {
      let first = rowsGiven + 1
      let numbers = Buffer.of(Int64.self, count: count) { out in for row in 0..<count { out[row] = first + Int64(row) } }
      columns.append(.fixed(.int8, count: count, numbers))
    }
    rowsGiven += Int64(count)
    return Chunk(columns: columns, rowCount: count)
  }
}
