// Rows repeated for the elements of their lists: set-returning functions among the targets of a SELECT.

import Bedrock
import Columnar

/// The elements of several lists go in step; shorter lists end in nulls.
final class ExpandCursor: Cursor {
  private let input: any Cursor
  private let lists: [CompiledExpression]
  private var pieces: ArraySlice<Chunk> = []

  init(_ input: any Cursor, _ lists: [CompiledExpression]) {
    self.input = input
    self.lists = lists
  }

  func next() throws(Fault) -> Chunk? {
    while true {
      if let piece = pieces.popFirst() { return piece }
      guard let chunk = try input.next() else { return nil }
      pieces = try expanded(chunk).pieces()[...]
    }
  }

  private func expanded(_ chunk: Chunk) throws(Fault) -> Chunk {
    var columns: [Column] = []
    for list in lists { columns.append(try list.evaluate(chunk).flat()) }
    var repeated: [Int32] = []
    // For each list the element of each output row; -1 is null.
    var picks = [[Int32]](repeating: [], count: lists.count)
    for row in 0..<chunk.rowCount {
      let ranges = columns.map { column in
        column.isNull(at: row) ? 0..<0 : Int(column.offsets[row])..<Int(column.offsets[row + 1])
      }
      let length = ranges.map(\.count).max() ?? 0
      for index in 0..<length {
        repeated.append(Int32(row))
        for (list, range) in ranges.enumerated() {
          picks[list].append(index < range.count ? Int32(range.lowerBound + index) : -1)
        }
      }
    }
    var output = chunk.columns.map { $0.gather(repeated.span) }
    for (list, column) in columns.enumerated() {
      guard case .list(_, let elements) = column.form else { throw Fault.bug("an expansion of something that is no list") }
      let picked = picks[list]
      output.append(elements.gather(picked.span))
    }
    return Chunk(columns: output, rowCount: repeated.count)
  }
}
