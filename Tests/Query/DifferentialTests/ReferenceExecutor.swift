// Runs a plan the plain way: one chunk at a time, row by row, on one thread. Slow and obvious on purpose: it tests the
// planner and the functions by themselves, and is the model that the vectorised executor must agree with.

import Bedrock
import Columnar
import Functions
import Plan
import StorageContract

final class ReferenceExecutor {
  private let storage: any StorageSnapshot
  let context: FunctionContext
  private(set) var subqueries: [Chunk] = []

  init(storage: any StorageSnapshot, context: FunctionContext) {
    self.storage = storage
    self.context = context
  }

  func run(_ query: PlannedQuery) throws(Fault) -> Chunk {
    for subquery in query.subqueries {
      let result = try run(subquery)
      subqueries.append(result)
    }
    return try run(query.root)
  }

  private func run(_ node: PlanNode) throws(Fault) -> Chunk {
    switch node {
    case .scan(_, let request, let types, let filter):
      let scan = try storage.scan(request)
      var chunks: [Chunk] = []
      for morsel in 0..<scan.morselCount {
        let reader = try scan.open(morsel: morsel)
        while let chunk = try reader.next() { chunks.append(try filtered(chunk, filter)) }
      }
      return Self.concatenated(chunks, types)
    case .virtualScan(_, let relation, let columns, let types, let filter):
      var chunks: [Chunk] = []
      for chunk in try relation.rows(context: context) {
        let picked = Chunk(columns: columns.map { chunk.columns[$0] }, rowCount: chunk.rowCount)
        chunks.append(try filtered(picked, filter))
      }
      return Self.concatenated(chunks, types)
    case .tableFunction(let function, let arguments, let types):
      let one = Chunk(columns: [], rowCount: 1)
      var values: [Scalar] = []
      for argument in arguments { values.append(try evaluate(argument, one).scalar(at: 0)) }
      let next = try function.open(context, values, arguments.map(\.type))
      var chunks: [Chunk] = []
      while let chunk = try next() { chunks.append(chunk) }
      return Self.concatenated(chunks, types)
    case .values(let rows, let types):
      let one = Chunk(columns: [], rowCount: 1)
      var chunks: [Chunk] = []
      for row in rows {
        var columns: [Column] = []
        for expression in row { columns.append(try evaluate(expression, one)) }
        chunks.append(Chunk(columns: columns, rowCount: 1))
      }
      return Self.concatenated(chunks, types)
    case .filter(let input, let condition): return try filtered(try run(input), condition)
    case .project(let input, let expressions):
      let chunk = try run(input)
      var columns: [Column] = []
      for expression in expressions { columns.append(try evaluate(expression, chunk)) }
      return Chunk(columns: columns, rowCount: chunk.rowCount)
    case .aggregate(let input, let groups, let aggregates):
      return try aggregate(try run(input), groups, aggregates)
    case .join(let kind, let left, let right, let leftKeys, let rightKeys, let residual):
      return try join(kind, try run(left), try run(right), leftKeys, rightKeys, residual)
    case .sort(let input, let keys, let limit):
      let chunk = try run(input)
      var order = try sorted(chunk, keys, Array(0..<chunk.rowCount))
      if let limit { order = Array(order.prefix(limit)) }
      return Self.picked(chunk, order)
    case .limit(let input, let count, let offset):
      let chunk = try run(input)
      let one = Chunk(columns: [], rowCount: 1)
      var skip = 0
      var take = chunk.rowCount
      if let offset, let value = try evaluate(offset, one).scalar(at: 0).integer {
        if value < 0 { throw Fault(.invalidRowCountInOffsetClause, "OFFSET must not be negative") }
        skip = Int(value)
      }
      if let count, let value = try evaluate(count, one).scalar(at: 0).integer {
        if value < 0 { throw Fault(.invalidRowCountInLimitClause, "LIMIT must not be negative") }
        take = Int(min(value, Int64(chunk.rowCount)))
      }
      return Self.picked(chunk, Array((0..<chunk.rowCount).dropFirst(skip).prefix(take)))
    case .distinctOn(let input, let keys):
      let chunk = try run(input)
      let rows = try keyRows(keys, chunk)
      return Self.picked(chunk, (0..<chunk.rowCount).filter { $0 == 0 || rows[$0] != rows[$0 - 1] })
    case .append(let inputs):
      var chunks: [Chunk] = []
      for input in inputs { chunks.append(try run(input)) }
      return Self.concatenated(chunks, node.outputTypes)
    }
  }

  // MARK: Rows

  static func picked(_ chunk: Chunk, _ rows: [Int]) -> Chunk {
    let indices = rows.map { Int32($0) }
    return Chunk(columns: chunk.columns.map { $0.gather(indices.span) }, rowCount: rows.count)
  }

  private static func concatenated(_ chunks: [Chunk], _ types: [DataType]) -> Chunk {
    if chunks.count == 1 { return chunks[0] }
    let rows = chunks.reduce(0) { $0 + $1.rowCount }
    let columns = types.indices.map { index in
      ColumnBuilder.column(
        types[index], chunks.flatMap { chunk in (0..<chunk.rowCount).map { chunk.columns[index].scalar(at: $0) } })
    }
    return Chunk(columns: columns, rowCount: rows)
  }

  private func filtered(_ chunk: Chunk, _ condition: Expression?) throws(Fault) -> Chunk {
    guard let condition else { return chunk }
    let truth = try evaluate(condition, chunk)
    return Self.picked(chunk, (0..<chunk.rowCount).filter { truth.scalar(at: $0).boolean == true })
  }

  /// The values of some expressions in every row, so that equal SQL values are equal scalars.
  private func keyRows(_ expressions: [Expression], _ chunk: Chunk) throws(Fault) -> [[Scalar]] {
    var columns: [[Scalar]] = []
    for expression in expressions {
      let column = try evaluate(expression, chunk)
      columns.append((0..<chunk.rowCount).map { ScalarOrder.canonical(column.scalar(at: $0), expression.type) })
    }
    return (0..<chunk.rowCount).map { row in columns.map { $0[row] } }
  }

  private func sorted(_ chunk: Chunk, _ keys: [SortKey], _ rows: [Int]) throws(Fault) -> [Int] {
    let values = try keyRows(keys.map(\.expression), chunk)
    return rows.sorted { a, b in
      for (index, key) in keys.enumerated() {
        let (x, y) = (values[a][index], values[b][index])
        if x.isNull || y.isNull {
          if x.isNull && y.isNull { continue }
          return x.isNull == key.nullsFirst
        }
        let order = ScalarOrder.compare(x, y)
        if order != 0 { return (order < 0) != key.descending }
      }
      return a < b
    }
  }

  // MARK: Aggregation

  private func aggregate(
    _ chunk: Chunk, _ groups: [Expression], _ aggregates: [AggregateCall]
  ) throws(Fault) -> Chunk {
    let keys = try keyRows(groups, chunk)
    var numbers: [[Scalar]: Int32] = [:]
    var firsts: [Int] = []
    var rowGroups: [Int32] = []
    for row in 0..<chunk.rowCount {
      let number = numbers[keys[row]] ?? Int32(firsts.count)
      if number == firsts.count {
        numbers[keys[row]] = number
        firsts.append(row)
      }
      rowGroups.append(number)
    }
    let groupCount = groups.isEmpty ? 1 : firsts.count
    var columns: [Column] = []
    for group in groups { columns.append(try evaluate(group, Self.picked(chunk, firsts))) }
    for call in aggregates { columns.append(try value(of: call, chunk, rowGroups, groupCount)) }
    return Chunk(columns: columns, rowCount: groupCount)
  }

  private func value(
    of call: AggregateCall, _ chunk: Chunk, _ rowGroups: [Int32], _ groupCount: Int
  ) throws(Fault) -> Column {
    var rows = Array(0..<chunk.rowCount)
    if let filter = call.filter {
      let truth = try evaluate(filter, chunk)
      rows = rows.filter { truth.scalar(at: $0).boolean == true }
    }
    if call.isDistinct {
      let keys = try keyRows(call.arguments, chunk)
      var seen: Set<[Scalar]> = []
      rows = rows.filter { seen.insert([.integer(Int64(rowGroups[$0]))] + keys[$0]).inserted }
    }
    if !call.orderBy.isEmpty { rows = try sorted(chunk, call.orderBy, rows) }
    let input = Self.picked(chunk, rows)
    var arguments: [Column] = []
    for argument in call.arguments { arguments.append(try evaluate(argument, input)) }
    let state = call.function.makeState(call.arguments.map(\.type))
    state.grow(to: groupCount)
    let groups = rows.map { rowGroups[$0] }
    try state.update(groups: groups.span, arguments: arguments)
    return try state.finish()
  }

  // MARK: Joins

  private func join(
    _ kind: JoinKind, _ left: Chunk, _ right: Chunk, _ leftKeys: [Expression], _ rightKeys: [Expression],
    _ residual: Expression?
  ) throws(Fault) -> Chunk {
    let leftRows = try keyRows(leftKeys, left)
    let rightRows = try keyRows(rightKeys, right)
    var table: [[Scalar]: [Int]] = [:]
    for row in 0..<right.rowCount where !rightRows[row].contains(where: \.isNull) {
      table[rightRows[row], default: []].append(row)
    }
    var pairs: [(Int, Int)] = []
    for row in 0..<left.rowCount where !leftRows[row].contains(where: \.isNull) {
      for match in table[leftRows[row]] ?? [] { pairs.append((row, match)) }
    }
    if let residual {
      let joined = Self.joined(left, right, pairs.map { Int32($0.0) }, pairs.map { Int32($0.1) })
      let truth = try evaluate(residual, joined)
      pairs = pairs.indices.filter { truth.scalar(at: $0).boolean == true }.map { pairs[$0] }
    }
    let matchedLeft = Set(pairs.map(\.0))
    let matchedRight = Set(pairs.map(\.1))
    let unmatchedLeft = (0..<left.rowCount).filter { !matchedLeft.contains($0) }
    let unmatchedRight = (0..<right.rowCount).filter { !matchedRight.contains($0) }
    switch kind {
    case .semi: return Self.picked(left, (0..<left.rowCount).filter { matchedLeft.contains($0) })
    case .anti: return Self.picked(left, unmatchedLeft)
    case .antiNullAware:
      let rightHasNull = rightRows.contains { $0.contains(where: \.isNull) }
      if rightHasNull { return Self.picked(left, []) }
      if right.rowCount == 0 { return left }
      return Self.picked(left, unmatchedLeft.filter { !leftRows[$0].contains(where: \.isNull) })
    case .single where Set(pairs.map(\.0)).count != pairs.count:
      throw Fault(.cardinalityViolation, "more than one row returned by a subquery used as an expression")
    case .inner, .left, .right, .full, .single: break
    }
    var leftOut = pairs.map { Int32($0.0) }
    var rightOut = pairs.map { Int32($0.1) }
    if kind == .left || kind == .full || kind == .single {
      leftOut += unmatchedLeft.map { Int32($0) }
      rightOut += unmatchedLeft.map { _ in -1 }
    }
    if kind == .right || kind == .full {
      leftOut += unmatchedRight.map { _ in -1 }
      rightOut += unmatchedRight.map { Int32($0) }
    }
    return Self.joined(left, right, leftOut, rightOut)
  }

  private static func joined(_ left: Chunk, _ right: Chunk, _ leftRows: [Int32], _ rightRows: [Int32]) -> Chunk {
    Chunk(
      columns: left.columns.map { $0.gather(leftRows.span) } + right.columns.map { $0.gather(rightRows.span) },
      rowCount: leftRows.count)
  }
}

/// Equality and order of scalars as SQL has them.
enum ScalarOrder {
  static func canonical(_ scalar: Scalar, _ type: DataType) -> Scalar {
    switch scalar {
    case .float(let value): return .float(value == 0 ? 0 : value.isNaN ? .nan : value)
    case .numeric(let value):
      var coefficient = value.coefficient
      var scale = value.scale
      while scale > 0 && coefficient % 10 == 0 { (coefficient, scale) = (coefficient / 10, scale - 1) }
      return Numeric(coefficient: coefficient, scale: scale).map { .numeric($0) } ?? scalar
    case .interval(let value): return .interval(Interval(months: 0, days: 0, micros: span(value)))
    case .bytes(let bytes):
      guard case .bpchar = type else { return scalar }
      return .bytes(Array(bytes.reversed().drop { $0 == UInt8(ascii: " ") }.reversed()))
    default: return scalar
    }
  }

  private static func span(_ value: Interval) -> Int64 {
    (Int64(value.months) * 30 + Int64(value.days)) * 86_400_000_000 + value.micros
  }

  /// Negative, zero or positive; both canonical and not null.
  static func compare(_ a: Scalar, _ b: Scalar) -> Int {
    switch (a, b) {
    case (.boolean(let a), .boolean(let b)): return (a ? 1 : 0) - (b ? 1 : 0)
    case (.integer(let a), .integer(let b)): return a < b ? -1 : a > b ? 1 : 0
    case (.float(let a), .float(let b)):
      if a.isNaN || b.isNaN { return (a.isNaN ? 1 : 0) - (b.isNaN ? 1 : 0) }
      return a < b ? -1 : a > b ? 1 : 0
    case (.numeric(let a), .numeric(let b)):
      let scale = max(a.scale, b.scale)
      let (x, y) = (scaled(a, to: scale), scaled(b, to: scale))
      return x < y ? -1 : x > y ? 1 : 0
    case (.interval(let a), .interval(let b)): return a.micros < b.micros ? -1 : a.micros > b.micros ? 1 : 0
    case (.uuid(let a), .uuid(let b)):
      return (a.high, a.low) < (b.high, b.low) ? -1 : (a.high, a.low) > (b.high, b.low) ? 1 : 0
    case (.bytes(let a), .bytes(let b)):
      return a.lexicographicallyPrecedes(b) ? -1 : b.lexicographicallyPrecedes(a) ? 1 : 0
    case (.list(let a), .list(let b)):
      for (x, y) in zip(a, b) {
        let order = x.isNull || y.isNull ? (x.isNull ? 1 : 0) - (y.isNull ? 1 : 0) : compare(x, y)
        if order != 0 { return order }
      }
      return a.count - b.count
    default: return 0
    }
  }

  private static func scaled(_ value: Numeric, to scale: Int) -> Int128 {
    var coefficient = value.coefficient
    for _ in value.scale..<scale { coefficient = coefficient &* 10 }
    return coefficient
  }
}
