// FETCH FIRST n ROWS WITH TIES over sorted rows.

import Bedrock
import Columnar

final class TiesCursor: Cursor {
  private let input: any Cursor
  private let keys: [CompiledExpression]
  private let table: GroupTable
  /// Rows still to give, ties apart; nil: all.
  private var remaining: Int?
  private var skip: Int
  /// The group of the last row that was counted.
  private var lastGroup: Int32?

  init(_ input: any Cursor, keys: [CompiledExpression], count: Int?, offset: Int) {
    self.input = input
    self.keys = keys
    table = GroupTable(types: keys.map(\.type))
    remaining = count
    skip = offset
  }

  func next() throws(Fault) -> Chunk? {
    if remaining == 0 && lastGroup == nil { return nil }
    while let chunk = try input.next() {
      if skip >= chunk.rowCount {
        skip -= chunk.rowCount
        continue
      }
      let rest = chunk.slice(skip..<chunk.rowCount)
      skip = 0
      guard let left = remaining else { return rest }
      let counted = min(left, rest.rowCount)
      remaining = left - counted
      // Rows wholly before the last one need no comparison.
      if counted == rest.rowCount && left > counted { return rest }
      return try withTies(rest, counted)
    }
    return nil
  }

  /// The counted rows and those after them that the keys cannot tell from the last one.
  private func withTies(_ chunk: Chunk, _ counted: Int) throws(Fault) -> Chunk? {
    var columns: [Column] = []
    for key in keys { columns.append(try key.evaluate(chunk)) }
    let groups = table.assign(columns, rows: chunk.rowCount)
    if counted > 0 { lastGroup = groups[counted - 1] }
    var end = counted
    while end < chunk.rowCount, groups[end] == lastGroup { end += 1 }
    if end < chunk.rowCount {
      lastGroup = nil
      remaining = 0
    }
    return end == 0 ? nil : chunk.slice(0..<end)
  }
}
