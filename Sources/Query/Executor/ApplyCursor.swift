// LATERAL: the rows of a plan that depends on the row beside it.
//
// Only what the planner could not turn into a join comes here. The plan runs once for each input row, or once for a run
// of input rows with equal arguments; its chunks are put beside the row, and small outputs are gathered into full chunks.

import Bedrock
import Columnar
import Plan
import Runtime

final class ApplyCursor: Cursor {
  private let input: any Cursor
  private let lateral: LateralPlan
  private let arguments: [CompiledExpression]
  private let environment: QueryEnvironment
  private let rightTypes: [DataType]
  private var chunk: Chunk?
  private var values: [Column] = []
  private var row = 0
  private var inner: (any Cursor)?
  private var hasMatch = false

  init(
    _ input: any Cursor, _ lateral: LateralPlan, arguments: [CompiledExpression], _ environment: QueryEnvironment
  ) {
    self.input = input
    self.lateral = lateral
    self.arguments = arguments
    self.environment = environment
    rightTypes = lateral.plan.outputTypes
  }

  func next() throws(Fault) -> Chunk? {
    var pieces: [Chunk] = []
    var rows = 0
    while rows < Limits.chunkRowsMax / 2, let piece = try nextPiece() {
      pieces.append(piece)
      rows += piece.rowCount
    }
    return pieces.isEmpty ? nil : Chunk.concatenate(pieces)
  }

  /// The next rows of one input row.
  private func nextPiece() throws(Fault) -> Chunk? {
    while true {
      if let inner, let chunk {
        if let found = try inner.next() {
          hasMatch = true
          return beside(chunk, found)
        }
        self.inner = nil
        defer { row += 1 }
        if !hasMatch && lateral.keepsUnmatched {
          return beside(chunk, Chunk(columns: rightTypes.map { .nulls($0, count: 1) }, rowCount: 1))
        }
        continue
      }
      if let chunk, row < chunk.rowCount {
        try open()
        continue
      }
      guard let following = try input.next() else { return nil }
      chunk = following
      row = 0
      values = []
      for argument in arguments { values.append(try argument.evaluate(following)) }
    }
  }

  private func open() throws(Fault) {
    try environment.cancellation.check()
    var environment = environment
    environment.measures = nil
    environment.arguments = values.map { $0.scalar(at: row) }
    inner = SerialCursor(try Executor.prepared(lateral.plan, environment))
    hasMatch = false
  }

  private func beside(_ chunk: Chunk, _ found: Chunk) -> Chunk {
    let repeated = [Int32](repeating: Int32(row), count: found.rowCount)
    let left = chunk.gather(repeated.span)
    return Chunk(columns: left.columns.map { $0.flat() } + found.columns.map { $0.flat() }, rowCount: found.rowCount)
  }
}
