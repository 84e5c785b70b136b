// WITH RECURSIVE, by rounds: each round runs the step over the rows that the round before it found.
//
//   base ─► working rows ─► step ─► working rows ─► step ─► ... until a round finds nothing
//
// Rows are given as they are found, so that a LIMIT above ends a recursion that has no end of its own. What one round
// found is held until the next one is over and counts against the statement's memory, as do the keys by which UNION
// knows repeated rows; every round looks for cancellation, so a runaway recursion ends with 53200, 57014 or its LIMIT.

import Bedrock
import Columnar
import Plan
import Runtime

final class RecursionCursor: Cursor {
  private let id: Int
  private let step: PlanNode
  private let environment: QueryEnvironment
  private var current: any Cursor
  /// Rows of the round at hand.
  private var found: [Chunk] = []
  private var foundBytes = 0
  /// Bytes of the rows that the step reads now.
  private var workingBytes = 0
  /// All rows so far; nil when repeats stay.
  private let seen: GroupTable?
  private var seenBytes = 0
  private var isDone = false

  init(
    _ id: Int, base: any Cursor, step: PlanNode, keepsRepeats: Bool, _ environment: QueryEnvironment
  ) {
    self.id = id
    self.step = step
    self.environment = environment
    current = base
    seen = keepsRepeats ? nil : GroupTable(types: step.outputTypes)
  }

  func next() throws(Fault) -> Chunk? {
    while !isDone {
      try environment.cancellation.check()
      guard let chunk = try current.next() else {
        try nextRound()
        continue
      }
      guard let new = try unseen(chunk) else { continue }
      let bytes = new.heldBytes
      try environment.memory.reserve(bytes)
      foundBytes += bytes
      found.append(new)
      return new
    }
    return nil
  }

  private func nextRound() throws(Fault) {
    environment.memory.release(workingBytes)
    workingBytes = foundBytes
    foundBytes = 0
    guard !found.isEmpty else {
      isDone = true
      environment.memory.release(workingBytes)
      return
    }
    var inner = environment
    inner.measures = nil
    inner.working[id] = found
    found = []
    current = SerialCursor(try Executor.prepared(step, inner))
  }

  /// The rows that were not found before, each once.
  private func unseen(_ chunk: Chunk) throws(Fault) -> Chunk? {
    guard let seen else { return chunk }
    var known = seen.columnCount == 0 ? min(rowsWithoutColumns, 1) : seen.count
    let groups = seen.assign(chunk.columns, rows: chunk.rowCount)
    var kept: [Int32] = []
    for row in 0..<chunk.rowCount where Int(groups[row]) >= known {
      known = Int(groups[row]) + 1
      kept.append(Int32(row))
    }
    rowsWithoutColumns += kept.count
    let bytes = seen.byteCount
    if bytes > seenBytes {
      try environment.memory.reserve(bytes - seenBytes)
      seenBytes = bytes
    }
    return kept.isEmpty ? nil : kept.count == chunk.rowCount ? chunk : chunk.gather(kept.span)
  }
  private var rowsWithoutColumns = 0
}
