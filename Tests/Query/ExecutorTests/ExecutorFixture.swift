// A table in memory, cut into morsels, and short ways to plans over it.

import Bedrock
import Columnar
import Executor
import Functions
import Plan
import Runtime
import StorageContract

struct FixtureSession: SessionValues {
  var userName: String { "tester" }
  var databaseName: String { "lake" }
  var searchPath: [String] { ["public"] }
  var backendPID: Int32 { 7 }
  var serverVersion: String { "PostgreSQL 15" }
  func setting(_ name: String) -> String? { nil }
  func relationOID(_ name: String) -> UInt32? { nil }
  func relationName(oid: UInt32) -> String? { nil }
  func namespaceOID(_ name: String) -> UInt32? { nil }
  func namespaceName(oid: UInt32) -> String? { nil }
  func isRelationVisible(oid: UInt32) -> Bool { true }
}

struct MemoryTable: Sendable {
  let types: [DataType]
  let morsels: [[Chunk]]

  init(_ types: [DataType], rows: [[Scalar]], chunkRows: Int = 100, morselChunks: Int = 3) {
    var chunks: [Chunk] = []
    for start in stride(from: 0, to: rows.count, by: chunkRows) {
      let part = rows[start..<min(start + chunkRows, rows.count)]
      chunks.append(
        Chunk(
          columns: types.indices.map { index in ColumnBuilder.column(types[index], part.map { $0[index] }) },
          rowCount: part.count))
    }
    self.init(types, chunks: chunks, morselChunks: morselChunks)
  }

  init(_ types: [DataType], chunks: [Chunk], morselChunks: Int = 3) {
    self.types = types
    morsels = stride(from: 0, to: chunks.count, by: morselChunks).map {
      Array(chunks[$0..<min($0 + morselChunks, chunks.count)])
    }
  }
}

final class MemoryReader: ChunkReader {
  private var chunks: ArraySlice<Chunk>
  private let columns: [Int]
  init(_ chunks: [Chunk], _ columns: [Int]) {
    self.chunks = chunks[...]
    self.columns = columns
  }
  func next() throws(Fault) -> Chunk? {
    guard let chunk = chunks.popFirst() else { return nil }
    return Chunk(columns: columns.map { chunk.columns[$0] }, rowCount: chunk.rowCount)
  }
}

struct MemoryScan: TableScan {
  let table: MemoryTable
  let columns: [Int]
  var morselCount: Int { table.morsels.count }
  func open(morsel: Int) throws(Fault) -> any ChunkReader { MemoryReader(table.morsels[morsel], columns) }
  var tiers: [TierScanSummary] { [] }
}

final class MemorySnapshot: StorageSnapshot {
  let tables: [MemoryTable]
  init(_ tables: [MemoryTable]) { self.tables = tables }
  func scan(_ request: ScanRequest) throws(Fault) -> any TableScan {
    MemoryScan(table: tables[Int(request.table.raw) - 1], columns: request.columns)
  }
}

/// Plans over tables 1, 2, ... and their rows as scalars.
struct Fixture {
  let tables: [MemoryTable]
  let budget: MemoryBudget
  let executor: Executor
  let context = FunctionContext(transactionMicros: 0, statementMicros: 0, session: FixtureSession())
  let cancellation = Cancellation()

  init(_ tables: [MemoryTable], threads: Int = 3, budgetBytes: Int = 1 << 30) {
    self.tables = tables
    budget = MemoryBudget(name: "queries", bytesMax: budgetBytes)
    executor = Executor(pool: WorkerPool(name: "scan", threadCount: threads), budget: budget)
  }

  func scan(_ table: Int, filter: Expression? = nil) -> PlanNode {
    let types = tables[table - 1].types
    return .scan(
      relation: "t\(table)",
      request: ScanRequest(table: TableID(raw: UInt32(table)), columns: Array(types.indices)), types: types,
      filter: filter)
  }

  func stream(_ root: PlanNode, subqueries: [PlanNode] = [], parameters: [Scalar] = []) throws(Fault) -> ResultStream {
    let query = PlannedQuery(
      columns: root.outputTypes.map { OutputColumn(name: "c", type: $0) }, parameterTypes: [], root: root,
      subqueries: subqueries)
    return try executor.execute(
      query, parameters: parameters, snapshot: MemorySnapshot(tables), context: context, cancellation: cancellation)
  }

  func rows(_ root: PlanNode, subqueries: [PlanNode] = [], parameters: [Scalar] = []) throws(Fault) -> [[Scalar]] {
    let stream = try stream(root, subqueries: subqueries, parameters: parameters)
    var rows: [[Scalar]] = []
    while let chunk = try stream.next() {
      for row in 0..<chunk.rowCount { rows.append(chunk.columns.map { $0.scalar(at: row) }) }
    }
    return rows
  }
}

func op(_ name: String, _ a: Expression, _ b: Expression) -> Expression {
  let types: [ParameterType] = [.exact(a.type), .exact(b.type)]
  guard let function = FunctionCatalog.operators(named: name).first(where: { $0.parameters == types }) else {
    preconditionFailure("no operator \(name)")
  }
  return .call(function, [a, b], function.result.resolve([a.type, b.type]))
}

func aggregate(
  _ name: String, _ arguments: [Expression], distinct: Bool = false, filter: Expression? = nil, orderBy: [SortKey] = []
)
  -> AggregateCall
{
  let types = arguments.map(\.type)
  let function = FunctionCatalog.aggregates(named: name).first { candidate in
    candidate.parameters.count == types.count
      && zip(candidate.parameters, types).allSatisfy { parameter, type in
        if case .exact(let wanted) = parameter { return wanted == type }
        return true
      }
  }
  guard let function else { preconditionFailure("no aggregate \(name)") }
  return AggregateCall(
    function: function, arguments: arguments, isDistinct: distinct, filter: filter, orderBy: orderBy,
    type: function.result.resolve(types))
}

func int(_ value: Int64) -> Expression { .constant(.integer(value), .int4) }

/// Rows without regard to order.
func sorted(_ rows: [[Scalar]]) -> [String] { rows.map { "\($0)" }.sorted() }
