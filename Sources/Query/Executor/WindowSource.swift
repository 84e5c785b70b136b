// Windows: all rows are kept, put in order by partition and order keys, and each call gives a column over them.
//
// Rows of equal keys keep the order of the input's parts, so the answer is the same for any number of threads: each
// chunk carries its part and its number in it. An input that a window below has sorted is taken as it comes.

import Bedrock
import Columnar
import Functions
import Kernels
import Plan
import Runtime

/// What one thread has read.
// unchecked Sendable because one thread at a time uses it.
final class WindowSink: @unchecked Sendable {
  private let environment: QueryEnvironment
  private(set) var chunks: [Chunk] = []
  init(_ environment: QueryEnvironment) { self.environment = environment }

  func consume(_ chunk: Chunk) throws(Fault) {
    try environment.memory.reserve(chunk.heldBytes)
    chunks.append(chunk)
  }
}

/// A source whose chunks carry their place as a last column: part, then number within the part.
private final class NumberedSource: RowSource {
  private let input: any RowSource
  init(_ input: any RowSource) { self.input = input }
  func prepare() throws(Fault) { try input.prepare() }
  var partCount: Int { input.partCount }
  var isOrdered: Bool { input.isOrdered }

  func open(_ part: Int) throws(Fault) -> any Cursor {
    let cursor = try input.open(part)
    var place = Int64(part) << 32
    return ClosureCursor { () throws(Fault) in
      guard let chunk = try cursor.next() else { return nil }
      let number = Column.constant(.integer(place), type: .int8, count: chunk.rowCount)
      place += 1
      return Chunk(columns: chunk.columns + [number], rowCount: chunk.rowCount)
    }
  }
}

// unchecked Sendable because rows and results are set once, in `prepare`, before any part is opened.
final class WindowSource: RowSource, @unchecked Sendable {
  /// Rows a part: enough for a thread to work on, few enough to share out.
  private static let partRows = 1 << 16

  private let input: any RowSource
  private let spec: WindowSpec
  private let types: [DataType]
  private let environment: QueryEnvironment
  private var rows: WindowRows?
  private var results: [Column] = []
  let isOrdered = true

  init(_ input: any RowSource, _ spec: WindowSpec, types: [DataType], _ environment: QueryEnvironment) {
    self.input = input
    self.spec = spec
    self.types = types
    self.environment = environment
  }

  func prepare() throws(Fault) {
    try input.prepare()
    let sinks = try ParallelRun<WindowSink>.run(
      NumberedSource(input), pool: environment.pool,
      makeSink: { () throws(Fault) in WindowSink(self.environment) },
      consume: { (sink, chunk) throws(Fault) in try sink.consume(chunk) })
    let numbered = sinks.flatMap(\.chunks).map { chunk in
      (place: chunk.columns[chunk.columns.count - 1].scalar(at: 0).integer ?? 0, chunk: chunk)
    }
    let chunks = numbered.sorted { $0.place < $1.place }.map { entry in
      Chunk(columns: Array(entry.chunk.columns.dropLast()), rowCount: entry.chunk.rowCount)
    }
    guard !chunks.isEmpty else { return }
    let rows = try WindowRows(chunks, spec, environment)
    results = try WindowEvaluation(rows, spec, environment).columns()
    self.rows = rows
  }

  var partCount: Int { ((rows?.count ?? 0) + Self.partRows - 1) / Self.partRows }

  func open(_ part: Int) throws(Fault) -> any Cursor {
    guard let rows else { throw Fault.bug("a window opened before it was prepared") }
    var next = part * Self.partRows
    let end = min(next + Self.partRows, rows.count)
    let (results, environment) = (results, environment)
    return ClosureCursor { () throws(Fault) in
      if next >= end { return nil }
      try environment.cancellation.check()
      let range = next..<min(next + Limits.chunkRowsMax, end)
      next = range.upperBound
      return Chunk(columns: rows.columns(range) + results.map { $0.slice(range) }, rowCount: range.count)
    }
  }
}

/// The input of a window in its order, with the bounds of partitions and of peers.
// unchecked Sendable because only `sorted` changes, and only while the window is evaluated by one thread.
final class WindowRows: @unchecked Sendable {
  private let all: Chunk
  /// Row of `all` at each place; `nil` when they are in order.
  private let order: [Int32]?
  private var sorted: [Int: Column] = [:]
  let count: Int
  /// The first place of each partition, then the number of rows.
  let partitions: [Int32]
  /// The first place of each run of peers, then the number of rows.
  let groups: [Int32]

  init(_ chunks: [Chunk], _ spec: WindowSpec, _ environment: QueryEnvironment) throws(Fault) {
    all = try Chunk.joined(chunks)
    count = all.rowCount
    let isCopied = chunks.count > 1
    if isCopied { try environment.memory.reserve(all.heldBytes) }
    let keys = spec.sortKeys
    var columns: [Column] = []
    for key in try CompiledExpression.compile(keys.map(\.expression), environment) {
      columns.append(try key.evaluate(all))
    }
    if spec.isSorted || keys.isEmpty {
      order = nil
    } else {
      try environment.memory.reserve(count * 4)
      let order = SortedRows.order(columns, keys, rows: count)
      columns = columns.map { $0.gather(order.span) }
      self.order = order
    }
    try environment.cancellation.check()
    var marks = [UInt8](repeating: 0, count: count)
    if count > 0 { marks[0] = 1 }
    for column in columns.prefix(spec.partition.count) { RunBounds.mark(column, &marks) }
    partitions = RunBounds.starts(marks)
    for column in columns.dropFirst(spec.partition.count) { RunBounds.mark(column, &marks) }
    groups = RunBounds.starts(marks)
  }

  /// A column of the input in the window's order.
  func column(_ index: Int) -> Column {
    guard let order else { return all.columns[index] }
    if let known = sorted[index] { return known }
    let column = all.columns[index].gather(order.span)
    sorted[index] = column
    return column
  }

  /// The value of an expression over the input, in the window's order.
  func values(_ expression: Expression, _ environment: QueryEnvironment) throws(Fault) -> Column {
    if case .column(let index, _) = expression { return column(index) }
    let column = try CompiledExpression.compile(expression, environment).evaluate(all)
    guard let order else { return column }
    return column.gather(order.span)
  }

  /// All columns of some places.
  func columns(_ range: Range<Int>) -> [Column] {
    all.columns.indices.map { index in
      guard let order else { return all.columns[index].slice(range) }
      if let known = sorted[index] { return known.slice(range) }
      return all.columns[index].gather(order.span.extracting(range))
    }
  }
}

/// Where runs of equal values begin.
enum RunBounds {
  /// Sets the mark of each row whose value differs from the one before it, as grouping tells values apart.
  static func mark(_ column: Column, _ marks: inout [UInt8]) {
    if case .constant = column.form { return }
    let flat = column.flat()
    marks.withUnsafeMutableBufferPointer { marks in
      if let words = RowKey.words(flat, descending: false) {
        let values = words.span(of: UInt64.self)
        for row in 1..<max(values.count, 1) {
          marks[row] |= unsafeBitCast(values[row] != values[row &- 1], to: UInt8.self)
        }
      } else if case .bytes = flat.form {
        markBytes(flat, marks)
      } else {
        let encoded = RowKey.encode([flat], orders: [.equality], rows: flat.count)
        encoded.bytes.withUnsafeBytes { raw in
          for row in 1..<max(flat.count, 1) {
            let order = SortedRows.compare(
              raw, encoded.offsets[row - 1], encoded.offsets[row], raw, encoded.offsets[row], encoded.offsets[row + 1])
            marks[row] |= unsafeBitCast(order != 0, to: UInt8.self)
          }
        }
      }
      guard let validity = flat.validity else { return }
      for row in 1..<max(flat.count, 1) {
        marks[row] |= unsafeBitCast(validity.isSet(row) != validity.isSet(row &- 1), to: UInt8.self)
      }
    }
  }

  private static func markBytes(_ flat: Column, _ marks: UnsafeMutableBufferPointer<UInt8>) {
    let offsets = flat.offsets
    flat.data.withUnsafeBytes { raw in
      for row in 1..<max(flat.count, 1) {
        let order = SortedRows.compare(
          raw, Int(offsets[row &- 1]), Int(offsets[row]), raw, Int(offsets[row]), Int(offsets[row &+ 1]))
        marks[row] |= unsafeBitCast(order != 0, to: UInt8.self)
      }
    }
  }

  /// The rows that are marked, then the number of rows.
  static func starts(_ marks: [UInt8]) -> [Int32] {
    var count = 0
    for mark in marks { count &+= Int(mark) }
    return [Int32](unsafeUninitializedCapacity: count + 2) { out, filled in
      var next = 0
      for row in marks.indices {
        out[next] = Int32(truncatingIfNeeded: row)
        next &+= Int(marks[row])
      }
      out[next] = Int32(truncatingIfNeeded: marks.count)
      filled = next + 1
    }
  }
}
