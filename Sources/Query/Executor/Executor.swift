// Runs planned statements.
//
//   subqueries, in order ── root: plan nodes become sources ── prepare (blocking operators) ── ResultStream

package import Bedrock
package import Columnar
package import Functions
package import Plan
package import Runtime
package import StorageContract

package final class Executor: Sendable {
  private let pool: WorkerPool
  private let budget: MemoryBudget
  private let load: QueryLoad

  /// - Parameters:
  ///   - pool: threads that scan and compute, one a core. Statements never wait on it.
  ///   - budget: of all statements together.
  ///   - statementBytesMax: what one statement may hold.
  ///   - load: raised while a statement computes, so that background jobs step aside.
  package init(
    pool: WorkerPool, budget: MemoryBudget, statementBytesMax: Int = .max, load: QueryLoad = QueryLoad()
  ) {
    self.load = load
    self.pool = pool
    self.budget = budget
    self.statementBytesMax = statementBytesMax
  }
  private let statementBytesMax: Int

  static let secondRow = Fault(
    .cardinalityViolation, "more than one row returned by a subquery used as an expression")

  /// Starts a statement: blocking operators run inside this call, rows come from the stream. Blocks; call it from a
  /// thread that may block, never from the scan pool or an event loop.
  package func execute(
    _ query: PlannedQuery, parameters: [Scalar], snapshot: any StorageSnapshot, context: FunctionContext,
    cancellation: Cancellation, measures: [PlanMeasures] = []
  ) throws(Fault) -> ResultStream {
    precondition(measures.isEmpty || measures.count == query.subqueries.count + 1)
    load.begin()
    defer { load.end() }
    let statement =
      statementBytesMax == .max
      ? budget : MemoryBudget(name: "the statement", bytesMax: statementBytesMax, parent: budget)
    var environment = QueryEnvironment(
      context: context, parameters: parameters, snapshot: snapshot, cancellation: cancellation,
      memory: QueryMemory(budget: statement), pool: pool, load: load)
    for (index, subquery) in query.subqueries.enumerated() {
      environment.measures = measures.isEmpty ? nil : measures[index + 1]
      let stream = ResultStream(try Self.prepared(subquery, environment), environment)
      var chunks: [Chunk] = []
      while let chunk = try stream.next() {
        try environment.memory.reserve(chunk.heldBytes)
        chunks.append(chunk)
      }
      environment.subqueries.append(SubqueryResult(chunks: chunks))
    }
    environment.measures = measures.first
    return ResultStream(try Self.prepared(query.root, environment), environment)
  }

  /// A source of the rows of a plan, ready to be read.
  static func prepared(_ node: PlanNode, _ environment: QueryEnvironment) throws(Fault) -> any RowSource {
    let source = try Self.source(node, environment)
    try source.prepare()
    return source
  }

  private static func source(_ node: PlanNode, _ environment: QueryEnvironment) throws(Fault) -> any RowSource {
    guard let measures = environment.measures else { return try plainSource(node, environment) }
    // Numbered before its inputs are: in preorder.
    let index = measures.begin()
    return MeasuredSource(try plainSource(node, environment), measures, index)
  }

  private static func plainSource(_ node: PlanNode, _ environment: QueryEnvironment) throws(Fault) -> any RowSource {
    switch node {
    case .scan(_, let request, _, let filter): return ScanSource(request, filter: filter, environment)
    case .virtualScan(_, let relation, let columns, _, let filter):
      let all = SinglePartSource { () throws(Fault) in
        let chunks = try relation.rows(context: environment.context)
        return ChunkCursor(
          chunks.map { chunk in Chunk(columns: columns.map { chunk.columns[$0] }, rowCount: chunk.rowCount) })
      }
      return filter.map { MappedSource(all, .filter($0), environment) } ?? all
    case .tableFunction(let function, let arguments, _):
      return SinglePartSource { () throws(Fault) in
        let values = try constants(arguments, environment)
        let next = try function.open(environment.context, values, arguments.map(\.type))
        return ClosureCursor { () throws(Fault) in
          try environment.cancellation.check()
          return try next()
        }
      }
    case .values(let rows, let types):
      return SinglePartSource { () throws(Fault) in ChunkCursor(try values(rows, types, environment)) }
    case .filter(let input, let filter):
      return MappedSource(try source(input, environment), .filter(filter), environment)
    case .project(let input, let expressions):
      return MappedSource(try source(input, environment), .project(expressions), environment)
    case .aggregate(let input, let groups, let aggregates):
      return AggregateOperator.source(try source(input, environment), groups: groups, calls: aggregates, environment)
    case .join(let kind, let left, let right, let leftKeys, let rightKeys, let residual):
      return JoinSource(
        kind, left: try source(left, environment), right: try source(right, environment), leftTypes: left.outputTypes,
        rightTypes: right.outputTypes, leftKeys: leftKeys, rightKeys: rightKeys, residual: residual, environment)
    case .sort(let input, let keys, let limit):
      return SortOperator.source(try source(input, environment), keys, limit: limit, environment)
    case .limit(let input, let count, let offset):
      let input = try source(input, environment)
      return SinglePartSource(inputs: [input]) { () throws(Fault) in
        try LimitCursor(
          SerialCursor(input), count: try bound(count, "LIMIT", .invalidRowCountInLimitClause, environment),
          offset: try bound(offset, "OFFSET", .invalidRowCountInOffsetClause, environment) ?? 0)
      }
    case .distinctOn(let input, let keys):
      let input = try source(input, environment)
      return SinglePartSource(inputs: [input]) { () throws(Fault) in
        DistinctOnCursor(SerialCursor(input), try CompiledExpression.compile(keys, environment))
      }
    case .firstRows(let input, let keys, let order):
      return FirstRowsOperator.source(try source(input, environment), keys: keys, order: order, environment)
    case .expand(let input, let lists): return MappedSource(try source(input, environment), .expand(lists), environment)
    case .window(let input, let spec):
      return WindowSource(try source(input, environment), spec, types: input.outputTypes, environment)
    case .groupingSets(let input, let groups, let aggregates, let sets):
      return GroupingSetsOperator.source(
        try source(input, environment), groups: groups, calls: aggregates, sets, environment)
    case .append(let inputs):
      var sources: [any RowSource] = []
      for input in inputs { sources.append(try source(input, environment)) }
      return AppendSource(sources)
    case .limitWithTies(let input, let keys, let count, let offset):
      let input = try source(input, environment)
      return SinglePartSource(inputs: [input]) { () throws(Fault) in
        TiesCursor(
          SerialCursor(input), keys: try CompiledExpression.compile(keys, environment),
          count: try bound(count, "LIMIT", .invalidRowCountInLimitClause, environment),
          offset: try bound(offset, "OFFSET", .invalidRowCountInOffsetClause, environment) ?? 0)
      }
    case .apply(let input, let lateral, let arguments):
      return MappedSource(try source(input, environment), .apply(lateral, arguments), environment)
    case .rowsFrom(let inputs, let hasOrdinality):
      var sources: [any RowSource] = []
      for input in inputs { sources.append(try source(input, environment)) }
      let (all, types) = (sources, inputs.map(\.outputTypes))
      return SinglePartSource(inputs: all) { () throws(Fault) in
        RowsFromCursor(all.map { SerialCursor($0) }, types: types, hasOrdinality: hasOrdinality)
      }
    case .subqueryRows(let index, _):
      let chunks = environment.subqueries[index].chunks
      return SinglePartSource { () throws(Fault) in ChunkCursor(chunks) }
    case .recursion(let id, let base, let step, let keepsRepeats):
      let base = try source(base, environment)
      environment.measures?.skip(step.nodeCount)
      return SinglePartSource(inputs: [base]) { () throws(Fault) in
        RecursionCursor(id, base: SerialCursor(base), step: step, keepsRepeats: keepsRepeats, environment)
      }
    case .workingRows(let id, _):
      guard let chunks = environment.working[id] else { throw Fault.bug("the working rows of no recursion") }
      return SinglePartSource { () throws(Fault) in ChunkCursor(chunks) }
    }
  }

  private static let oneRow = Chunk(columns: [], rowCount: 1)

  private static func constants(_ expressions: [Expression], _ environment: QueryEnvironment) throws(Fault) -> [Scalar]
  {
    var list: [Scalar] = []
    for expression in try CompiledExpression.compile(expressions, environment) {
      list.append(try expression.evaluate(oneRow).scalar(at: 0))
    }
    return list
  }

  private static func values(
    _ rows: [[Expression]], _ types: [DataType], _ environment: QueryEnvironment
  ) throws(Fault) -> [Chunk] {
    if types.isEmpty { return [Chunk(columns: [], rowCount: rows.count)] }
    var scalars: [[Scalar]] = []
    for row in rows { scalars.append(try constants(row, environment)) }
    let columns = types.indices.map { index in ColumnBuilder.column(types[index], scalars.map { $0[index] }) }
    return Chunk(columns: columns, rowCount: rows.count).pieces()
  }

  private static func bound(
    _ expression: Expression?, _ name: String, _ state: SQLState, _ environment: QueryEnvironment
  ) throws(Fault) -> Int? {
    guard let expression, let value = try constants([expression], environment)[0].integer else { return nil }
    if value < 0 { throw Fault(state, "\(name) must not be negative") }
    return Int(value)
  }
}

/// LIMIT and OFFSET.
private final class LimitCursor: Cursor {
  private let input: any Cursor
  private var remaining: Int?
  private var skip: Int
  init(_ input: any Cursor, count: Int?, offset: Int) throws(Fault) {
    self.input = input
    remaining = count
    skip = offset
  }
  func next() throws(Fault) -> Chunk? {
    while true {
      if remaining == 0 { return nil }
      guard var chunk = try input.next() else { return nil }
      if skip >= chunk.rowCount {
        skip -= chunk.rowCount
        continue
      }
      chunk = chunk.slice(skip..<chunk.rowCount)
      skip = 0
      if let left = remaining {
        if chunk.rowCount > left { chunk = chunk.slice(0..<left) }
        remaining = left - chunk.rowCount
      }
      return chunk
    }
  }
}

/// DISTINCT ON: the first row of each run of equal keys.
private final class DistinctOnCursor: Cursor {
  private let input: any Cursor
  private let keys: [CompiledExpression]
  private let table: GroupTable
  private var seen: Int32 = -1
  init(_ input: any Cursor, _ keys: [CompiledExpression]) {
    self.input = input
    self.keys = keys
    table = GroupTable(types: keys.map(\.type))
  }
  func next() throws(Fault) -> Chunk? {
    while let chunk = try input.next() {
      var columns: [Column] = []
      for key in keys { columns.append(try key.evaluate(chunk)) }
      let groups = table.assign(columns, rows: chunk.rowCount)
      var kept: [Int32] = []
      for row in 0..<chunk.rowCount where groups[row] > seen {
        seen = groups[row]
        kept.append(Int32(row))
      }
      if !kept.isEmpty { return chunk.gather(kept.span) }
    }
    return nil
  }
}
