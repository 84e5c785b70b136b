// Hash join and nested loop: the right side is built, the left side streams.
//
// For each left row there are up to two runs of candidates among the right rows: those with equal keys, and (NOT IN
// only) those with a null key, which compare as unknown. Without keys every right row is a candidate.

import Bedrock
import Columnar
import Functions
import Kernels
import Plan
import Runtime

/// The right side, read-only once built.
// unchecked Sendable because it is filled before it is shared, but for `matched`, which only a serial join writes.
final class JoinBuild: @unchecked Sendable {
  let rows: Chunk
  let table: GroupTable
  /// Rows of group g: `order[starts[g] ..< starts[g + 1]]`.
  let starts: [Int32]
  let order: [Int32]
  let nullRows: [Int32]
  /// No two rows have the same keys.
  let isUnique: Bool
  var matched: [Bool]

  init(_ rows: Chunk, keys: [Column], types: [DataType]) {
    self.rows = rows
    table = GroupTable(types: types)
    var groups = table.assign(keys, rows: rows.rowCount)
    var nulls: [Int32] = []
    for key in keys {
      guard let validity = key.rowValidity else { continue }
      for row in 0..<rows.rowCount where !validity.isSet(row) && groups[row] >= 0 {
        groups[row] = -1
        nulls.append(Int32(row))
      }
    }
    nullRows = nulls
    var counts = [Int32](repeating: 0, count: table.count + 1)
    for group in groups where group >= 0 { counts[Int(group) + 1] += 1 }
    isUnique = counts.allSatisfy { $0 <= 1 }
    for index in 1..<max(counts.count, 1) { counts[index] += counts[index - 1] }
    starts = counts
    var next = counts
    var order = [Int32](repeating: 0, count: groups.count)
    for (row, group) in groups.enumerated() where group >= 0 {
      order[Int(next[Int(group)])] = Int32(row)
      next[Int(group)] += 1
    }
    self.order = order
    matched = [Bool](repeating: false, count: rows.rowCount)
  }
}

// unchecked Sendable because `build` is set once, in `prepare`, before any part is opened.
final class JoinSource: RowSource, @unchecked Sendable {
  private let kind: JoinKind
  private let left: any RowSource
  private let right: any RowSource
  private let leftTypes: [DataType]
  private let rightTypes: [DataType]
  private let leftKeys: [Expression]
  private let rightKeys: [Expression]
  private let residual: Expression?
  private let environment: QueryEnvironment
  private var build: JoinBuild?

  init(
    _ kind: JoinKind, left: any RowSource, right: any RowSource, leftTypes: [DataType], rightTypes: [DataType],
    leftKeys: [Expression], rightKeys: [Expression], residual: Expression?, _ environment: QueryEnvironment
  ) {
    self.kind = kind
    self.left = left
    self.right = right
    self.leftTypes = leftTypes
    self.rightTypes = rightTypes
    self.leftKeys = leftKeys
    self.rightKeys = rightKeys
    self.residual = residual
    self.environment = environment
  }

  /// Collected right rows of one thread.
  private final class Collector: @unchecked Sendable {
    // unchecked because one thread at a time uses it.
    var chunks: [Chunk] = []
  }

  func prepare() throws(Fault) {
    try right.prepare()
    let memory = environment.memory
    let collectors = try ParallelRun<Collector>.run(
      right, pool: environment.pool, makeSink: { () throws(Fault) in Collector() },
      consume: { (collector, chunk) throws(Fault) in
        try memory.reserve(chunk.heldBytes)
        collector.chunks.append(chunk)
      })
    let chunks = collectors.flatMap(\.chunks)
    let rows = chunks.isEmpty ? Chunk.empty(rightTypes) : try Chunk.joined(chunks)
    try memory.reserve(rows.rowCount * 16)
    var keys: [Column] = []
    for key in try CompiledExpression.compile(rightKeys, environment) { keys.append(try key.evaluate(rows)) }
    build = JoinBuild(rows, keys: keys, types: leftKeys.map(\.type))
    try left.prepare()
  }

  private var keepsRight: Bool { kind == .right || kind == .full }
  var partCount: Int { keepsRight ? 1 : left.partCount }
  var isOrdered: Bool { left.isOrdered }

  func open(_ part: Int) throws(Fault) -> any Cursor {
    guard let build else { throw Fault.bug("a join opened before it was prepared") }
    let input: any Cursor = keepsRight ? SerialCursor(left) : try left.open(part)
    return JoinCursor(
      kind, input, build, leftTypes: leftTypes,
      keys: try CompiledExpression.compile(leftKeys, environment),
      residual: try residual.map { (residual) throws(Fault) in try CompiledExpression.compile(residual, environment) },
      environment.cancellation)
  }
}

private final class JoinCursor: Cursor {
  private let kind: JoinKind
  private let input: any Cursor
  private let build: JoinBuild
  private let leftTypes: [DataType]
  private let keys: [CompiledExpression]
  private let residual: CompiledExpression?
  private let cancellation: Cancellation
  private var caches: [KeyLookupCache] = []
  // The left chunk at hand, its candidates, and how far they are tried.
  private var chunk: Chunk?
  private var groups: [Int32] = []
  private var matched: [Bool] = []
  private var row = 0
  private var offset = 0
  private var rightPosition = 0
  private let all: [Int32]

  init(
    _ kind: JoinKind, _ input: any Cursor, _ build: JoinBuild, leftTypes: [DataType], keys: [CompiledExpression],
    residual: CompiledExpression?, _ cancellation: Cancellation
  ) {
    self.kind = kind
    self.input = input
    self.build = build
    self.leftTypes = leftTypes
    self.keys = keys
    self.residual = residual
    self.cancellation = cancellation
    all = kind == .antiNullAware ? (0..<Int32(build.rows.rowCount)).map { $0 } : []
  }

  func next() throws(Fault) -> Chunk? {
    while true {
      try cancellation.check()
      if let chunk {
        if row < chunk.rowCount {
          if let pairs = hasPlainPairs ? plainPairs(chunk) : try tryPairs(chunk) { return pairs }
          continue
        }
        self.chunk = nil
        if let rest = leftover(chunk) { return rest }
        continue
      }
      guard let next = try input.next() else { return unmatchedRight() }
      try start(next)
    }
  }

  private func start(_ next: Chunk) throws(Fault) {
    chunk = next
    row = 0
    offset = 0
    matched = [Bool](repeating: false, count: next.rowCount)
    var columns: [Column] = []
    for key in keys { columns.append(try key.evaluate(next)) }
    groups = build.table.lookup(columns, rows: next.rowCount, caches: &caches)
    if kind == .antiNullAware {
      // -2: a null among the row's keys, so every right row is a candidate
      for key in columns {
        guard let validity = key.rowValidity else { continue }
        for index in 0..<next.rowCount where !validity.isSet(index) { groups[index] = -2 }
      }
    }
    let isExistence = kind == .semi || kind == .anti || kind == .antiNullAware
    if isExistence && residual == nil {
      for index in 0..<next.rowCount { matched[index] = candidateCount(index) > 0 }
      row = next.rowCount
    }
  }

  private func candidateCount(_ index: Int) -> Int {
    let group = Int(groups[index])
    if group == -2 { return build.rows.rowCount }
    let equal = group < 0 ? 0 : Int(build.starts[group + 1] - build.starts[group])
    return kind == .antiNullAware ? equal + build.nullRows.count : equal
  }

  private func candidate(_ index: Int, _ position: Int) -> Int32 {
    let group = Int(groups[index])
    if group == -2 { return all[position] }
    let equal = group < 0 ? 0 : Int(build.starts[group + 1] - build.starts[group])
    if position < equal { return build.order[Int(build.starts[group]) + position] }
    return build.nullRows[position - equal]
  }

  /// True for the common join: at most one candidate a row, and every candidate is a match.
  private var hasPlainPairs: Bool { build.isUnique && residual == nil && (kind == .inner || kind == .left) }

  /// All pairs of the chunk at once.
  private func plainPairs(_ chunk: Chunk) -> Chunk? {
    row = chunk.rowCount
    var leftRows: [Int32] = []
    var rightRows: [Int32] = []
    leftRows.reserveCapacity(chunk.rowCount)
    rightRows.reserveCapacity(chunk.rowCount)
    build.starts.withUnsafeBufferPointer { starts in
      build.order.withUnsafeBufferPointer { order in
        for index in 0..<chunk.rowCount {
          let group = Int(groups[index])
          // a group may be empty: its only row had a null among its keys
          if group < 0 || starts[group] == starts[group + 1] { continue }
          leftRows.append(Int32(truncatingIfNeeded: index))
          rightRows.append(order[Int(starts[group])])
        }
      }
    }
    if kind == .left { for index in leftRows { matched[Int(index)] = true } }
    if leftRows.isEmpty { return nil }
    let left = leftRows.count == chunk.rowCount ? chunk : chunk.gather(leftRows.span)
    return Chunk(columns: left.columns + build.rows.gather(rightRows.span).columns, rowCount: leftRows.count)
  }

  /// The next batch of candidate pairs that pass; `nil` when none of the batch does or nothing is to be given out.
  private func tryPairs(_ chunk: Chunk) throws(Fault) -> Chunk? {
    var leftRows: [Int32] = []
    var rightRows: [Int32] = []
    while row < chunk.rowCount && leftRows.count < Limits.chunkRowsMax {
      let count = candidateCount(row)
      let take = min(count - offset, Limits.chunkRowsMax - leftRows.count)
      for position in offset..<(offset + take) {
        leftRows.append(Int32(row))
        rightRows.append(candidate(row, position))
      }
      offset += take
      if offset == count {
        row += 1
        offset = 0
      }
    }
    if leftRows.isEmpty { return nil }
    var pairs = Chunk(
      columns: chunk.gather(leftRows.span).columns + build.rows.gather(rightRows.span).columns, rowCount: leftRows.count
    )
    if let residual {
      let kept = Selection(condition: try residual.evaluate(pairs))
      if kept.count == 0 { return nil }
      if kept.count < pairs.rowCount {
        let selected = kept.rows
        leftRows = (0..<kept.count).map { leftRows[Int(selected[$0])] }
        rightRows = (0..<kept.count).map { rightRows[Int(selected[$0])] }
        pairs = pairs.gather(kept.rows)
      }
    }
    for index in leftRows {
      if kind == .single && matched[Int(index)] { throw Executor.secondRow }
      matched[Int(index)] = true
    }
    switch kind {
    case .semi, .anti, .antiNullAware: return nil
    case .right, .full:
      for index in rightRows { build.matched[Int(index)] = true }
      return pairs
    case .inner, .left, .single: return pairs
    }
  }

  /// Rows of a finished left chunk that are given out once all their candidates are known.
  private func leftover(_ chunk: Chunk) -> Chunk? {
    let wanted: Bool
    switch kind {
    case .inner, .right: return nil
    case .semi: wanted = true
    case .anti, .antiNullAware, .left, .full, .single: wanted = false
    }
    let rows = (0..<Int32(chunk.rowCount)).filter { matched[Int($0)] == wanted }
    if rows.isEmpty { return nil }
    let kept = chunk.gather(rows.span)
    switch kind {
    case .semi, .anti, .antiNullAware: return kept
    default:
      let nulls = build.rows.columns.map { Column.nulls($0.type, count: rows.count) }
      return Chunk(columns: kept.columns + nulls, rowCount: rows.count)
    }
  }

  private func unmatchedRight() -> Chunk? {
    guard kind == .right || kind == .full else { return nil }
    var rows: [Int32] = []
    while rightPosition < build.rows.rowCount && rows.count < Limits.chunkRowsMax {
      if !build.matched[rightPosition] { rows.append(Int32(rightPosition)) }
      rightPosition += 1
    }
    if rows.isEmpty { return nil }
    let nulls = leftTypes.map { Column.nulls($0, count: rows.count) }
    return Chunk(columns: nulls + build.rows.gather(rows.span).columns, rowCount: rows.count)
  }
}
