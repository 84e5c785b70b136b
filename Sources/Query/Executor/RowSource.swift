// Where rows come from: the compiled form of a plan node.
//
// A source has parts that may be read independently, each through a cursor used by one thread at a time. Sources that
// must see all their input first (aggregate, sort, the build side of a join) do so in `prepare`, which is called once,
// on the statement's own thread, inputs first. Nothing in a source changes after `prepare`.

import Bedrock
import Columnar
import Functions
import Kernels
import Plan
import Runtime
import StorageContract

protocol Cursor: AnyObject {
  /// The next rows, never an empty chunk; `nil` at the end, and again after it.
  func next() throws(Fault) -> Chunk?
}

protocol RowSource: AnyObject, Sendable {
  /// Runs what must be run before a part can be read.
  func prepare() throws(Fault)
  /// Known after `prepare`.
  var partCount: Int { get }
  func open(_ part: Int) throws(Fault) -> any Cursor
  /// True when rows must be delivered part by part, in order.
  var isOrdered: Bool { get }
}

/// Chunks already at hand.
final class ChunkCursor: Cursor {
  private var chunks: ArraySlice<Chunk>
  init(_ chunks: [Chunk]) { self.chunks = chunks.filter { $0.rowCount > 0 }[...] }
  func next() throws(Fault) -> Chunk? { chunks.popFirst() }
}

/// A cursor made of a closure.
final class ClosureCursor: Cursor {
  private let body: () throws(Fault) -> Chunk?
  init(_ body: @escaping () throws(Fault) -> Chunk?) { self.body = body }
  func next() throws(Fault) -> Chunk? { try body() }
}

/// All parts one after the other.
final class SerialCursor: Cursor {
  private let source: any RowSource
  private var part = 0
  private var current: (any Cursor)?
  init(_ source: any RowSource) { self.source = source }
  func next() throws(Fault) -> Chunk? {
    while true {
      if let current {
        if let chunk = try current.next() { return chunk }
        self.current = nil
      }
      if part == source.partCount { return nil }
      current = try source.open(part)
      part += 1
    }
  }
}

/// The rows of `chunk` where `filter` is true; `nil` when there is none.
func filtered(_ chunk: Chunk, _ filter: CompiledExpression) throws(Fault) -> Chunk? {
  let selection = Selection(condition: try filter.evaluate(chunk))
  if selection.count == 0 { return nil }
  return selection.count == chunk.rowCount ? chunk : chunk.gather(selection.rows)
}

/// A table scan: one part a morsel.
// unchecked Sendable because `scan` is set once, in `prepare`, before any part is opened.
final class ScanSource: RowSource, @unchecked Sendable {
  private let request: ScanRequest
  private let filter: Expression?
  private let environment: QueryEnvironment
  private var scan: (any TableScan)?
  let isOrdered = false

  init(_ request: ScanRequest, filter: Expression?, _ environment: QueryEnvironment) {
    self.request = request
    self.filter = filter
    self.environment = environment
  }
  func prepare() throws(Fault) { scan = try request.open(in: environment.snapshot) }
  var partCount: Int { scan?.morselCount ?? 0 }

  func open(_ part: Int) throws(Fault) -> any Cursor {
    guard let scan else { throw Fault.bug("a scan opened before it was prepared") }
    let reader = try scan.open(morsel: part)
    let cancellation = environment.cancellation
    let filter = try self.filter.map { (filter) throws(Fault) in try CompiledExpression.compile(filter, environment) }
    return ClosureCursor { () throws(Fault) in
      while true {
        try cancellation.check()
        guard let chunk = try reader.next() else { return nil }
        guard let filter else { return chunk }
        if let kept = try filtered(chunk, filter) { return kept }
      }
    }
  }
}

/// Filter or projection of another source, part by part.
final class MappedSource: RowSource, Sendable {
  enum Change: Sendable {
    case filter(Expression)
    case project([Expression])
    case expand([Expression])
    case apply(LateralPlan, [Expression])
  }
  private let input: any RowSource
  private let change: Change
  private let environment: QueryEnvironment
  init(_ input: any RowSource, _ change: Change, _ environment: QueryEnvironment) {
    self.input = input
    self.change = change
    self.environment = environment
  }
  func prepare() throws(Fault) { try input.prepare() }
  var partCount: Int { input.partCount }
  var isOrdered: Bool { input.isOrdered }

  func open(_ part: Int) throws(Fault) -> any Cursor {
    let cursor = try input.open(part)
    switch change {
    case .filter(let expression):
      let filter = try CompiledExpression.compile(expression, environment)
      return ClosureCursor { () throws(Fault) in
        while let chunk = try cursor.next() { if let kept = try filtered(chunk, filter) { return kept } }
        return nil
      }
    case .project(let expressions):
      let compiled = try CompiledExpression.compile(expressions, environment)
      return ClosureCursor { () throws(Fault) in
        guard let chunk = try cursor.next() else { return nil }
        var columns: [Column] = []
        columns.reserveCapacity(compiled.count)
        for expression in compiled { columns.append(try expression.evaluate(chunk)) }
        return Chunk(columns: columns, rowCount: chunk.rowCount)
      }
    case .expand(let lists): return ExpandCursor(cursor, try CompiledExpression.compile(lists, environment))
    case .apply(let lateral, let arguments):
      return ApplyCursor(
        cursor, lateral, arguments: try CompiledExpression.compile(arguments, environment), environment)
    }
  }
}

/// One part whose cursor is made anew: values, table functions, virtual relations, limits.
final class SinglePartSource: RowSource, Sendable {
  private let inputs: [any RowSource]
  private let make: @Sendable () throws(Fault) -> any Cursor
  let isOrdered = true
  init(inputs: [any RowSource] = [], _ make: @escaping @Sendable () throws(Fault) -> any Cursor) {
    self.inputs = inputs
    self.make = make
  }
  func prepare() throws(Fault) { for input in inputs { try input.prepare() } }
  var partCount: Int { 1 }
  func open(_ part: Int) throws(Fault) -> any Cursor { try make() }
}

/// The parts of all inputs.
final class AppendSource: RowSource, Sendable {
  private let inputs: [any RowSource]
  init(_ inputs: [any RowSource]) { self.inputs = inputs }
  func prepare() throws(Fault) { for input in inputs { try input.prepare() } }
  var partCount: Int { inputs.reduce(0) { $0 + $1.partCount } }
  // In order, as people expect of UNION ALL, though SQL promises none.
  let isOrdered = true
  func open(_ part: Int) throws(Fault) -> any Cursor {
    var rest = part
    for input in inputs {
      if rest < input.partCount { return try input.open(rest) }
      rest -= input.partCount
    }
    throw Fault.bug("part \(part) of an append")
  }
}

/// A source that computes all its rows in `prepare`.
// unchecked Sendable because `chunks` is set once, in `prepare`, before any part is opened.
final class MaterializedSource: RowSource, @unchecked Sendable {
  private let inputs: [any RowSource]
  private let compute: @Sendable () throws(Fault) -> [Chunk]
  private var chunks: [Chunk] = []
  let isOrdered = true
  init(inputs: [any RowSource], _ compute: @escaping @Sendable () throws(Fault) -> [Chunk]) {
    self.inputs = inputs
    self.compute = compute
  }
  func prepare() throws(Fault) {
    for input in inputs { try input.prepare() }
    chunks = try compute()
  }
  var partCount: Int { 1 }
  func open(_ part: Int) throws(Fault) -> any Cursor { ChunkCursor(chunks) }
}

extension Chunk {
  /// The same rows in chunks of at most `Limits.chunkRowsMax`.
  func pieces() -> [Chunk] {
    if rowCount <= Limits.chunkRowsMax { return rowCount == 0 ? [] : [self] }
    return stride(from: 0, to: rowCount, by: Limits.chunkRowsMax).map {
      slice($0..<min($0 + Limits.chunkRowsMax, rowCount))
    }
  }

  /// No rows of these types.
  static func empty(_ types: [DataType]) -> Chunk {
    Chunk(columns: types.map { ColumnBuilder(type: $0).finish() }, rowCount: 0)
  }
}
