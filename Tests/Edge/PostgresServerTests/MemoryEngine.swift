// Doubles for the tests of the wire: a table in memory, and an executor that knows three kinds of plan nodes.

import Bedrock
import Catalog
import Columnar
import EventSchema
import Functions
import Glibc
import Logging
import Plan
import PostgresServer
import Runtime
import Session
import StorageContract
import Synchronization

/// Table `lab.numbers (n bigint, word text)` with so many rows, read in chunks of 1,000.
final class MemoryStorage: StorageReader {
  let rowCount: Int
  /// Snapshots taken so far.
  let snapshots = Atomic<Int>(0)
  /// Chunks read so far.
  let chunks = Atomic<Int>(0)

  init(rowCount: Int) { self.rowCount = rowCount }

  func tables() -> [TableDescription] {
    [
      TableDescription(
        id: TableID(raw: 7), schema: "lab", name: "numbers",
        columns: [
          TableColumn(fieldID: 16, name: "n", type: .int8, isNullable: false), TableColumn(fieldID: 17, name: "word", type: .text, isNullable: true),
        ], estimatedRows: Int64(rowCount))
    ]
  }

  func snapshot() throws(Fault) -> any StorageSnapshot {
    snapshots.add(1, ordering: .relaxed)
    return Snapshot(storage: self)
  }

  final class Snapshot: StorageSnapshot {
    let storage: MemoryStorage
    init(storage: MemoryStorage) { self.storage = storage }
    func scan(_ request: ScanRequest) throws(Fault) -> any TableScan { Scan(storage: storage, request: request) }
  }

  struct Scan: TableScan {
    let storage: MemoryStorage
    let request: ScanRequest
    var morselCount: Int { 1 }
    var tiers: [TierScanSummary] { [] }
    func open(morsel: Int) throws(Fault) -> any ChunkReader { Reader(scan: self) }
  }

  final class Reader: ChunkReader {
    let scan: Scan
    var at = 0
    init(scan: Scan) { self.scan = scan }
    func next() throws(Fault) -> Chunk? {
      guard at < scan.storage.rowCount else { return nil }
      let rows = at..<min(at + 1_000, scan.storage.rowCount)
      at = rows.upperBound
      scan.storage.chunks.add(1, ordering: .relaxed)
      let columns = scan.request.columns.map { column in
        column == 0
          ? ColumnBuilder.column(.int8, rows.map { .integer(Int64($0)) })
          : ColumnBuilder.column(.text, rows.map { $0 % 10 == 9 ? .null : .text("word \($0)") })
      }
      return Chunk(columns: columns, rowCount: rows.count)
    }
  }
}

/// Runs scans, projections of columns and constants, and constant rows; looks at its cancellation at each chunk.
struct MemoryExecutor: PlanExecutor {
  func open(_ query: PlannedQuery, context: ExecutionContext) throws(Fault) -> any RowSource {
    try Self.open(query.root, context)
  }

  func explain(_ query: PlannedQuery, options: ExplainOptions, context: ExecutionContext) throws(Fault) -> [String] {
    ["Memory Scan", options.isAnalyze ? "  (actual)" : "  (planned)"]
  }

  final class Rows: RowSource {
    let body: () throws(Fault) -> Chunk?
    init(_ body: @escaping () throws(Fault) -> Chunk?) { self.body = body }
    func next() throws(Fault) -> Chunk? { try body() }
  }

  static func open(_ node: PlanNode, _ context: ExecutionContext) throws(Fault) -> any RowSource {
    switch node {
    case .scan(_, let request, _, _):
      let scan = try request.open(in: context.snapshot)
      guard scan.morselCount > 0 else { return StoredRows([]) }
      let reader = try scan.open(morsel: 0)
      return Rows { () throws(Fault) in
        try context.cancellation.check()
        return try reader.next()
      }
    case .virtualScan(_, let relation, let columns, _, _):
      var chunks = try relation.rows(context: context.functions)[...]
      return Rows { () throws(Fault) in
        guard let chunk = chunks.popFirst() else { return nil }
        return Chunk(columns: columns.map { chunk.columns[$0] }, rowCount: chunk.rowCount)
      }
    case .values(let rows, let types):
      var values: [[Scalar]] = []
      for row in rows { values.append(try row.map { expression throws(Fault) in try constant(expression) }) }
      if types.isEmpty {
        var chunk: Chunk? = Chunk(columns: [], rowCount: rows.count)
        return Rows { () throws(Fault) in
          defer { chunk = nil }
          return chunk
        }
      }
      return StoredRows(types: types, rows: values)
    case .project(let input, let expressions):
      let rows = try open(input, context)
      return Rows { () throws(Fault) in
        guard let chunk = try rows.next() else { return nil }
        let columns = try expressions.map { expression throws(Fault) -> Column in
          if case .column(let index, _) = expression { return chunk.columns[index] }
          return Column.constant(try constant(expression), type: expression.type, count: chunk.rowCount)
        }
        return Chunk(columns: columns, rowCount: chunk.rowCount)
      }
    default: throw .unsupported("this plan in the memory executor")
    }
  }

  static func constant(_ expression: Expression) throws(Fault) -> Scalar {
    guard case .constant(let value, _) = expression else { throw .unsupported("this expression in the memory executor") }
    return value
  }
}

/// A server over the memory table, with procedures of its own.
struct MemoryServer {
  let storage: MemoryStorage
  let server: PostgresServer
  let port: Int

  static func start(
    rows: Int = 10_000, settings: PostgresServerSettings = PostgresServerSettings(port: 0, workerThreads: 4)
  ) async throws -> MemoryServer {
    let storage = MemoryStorage(rowCount: rows)
    let procedures = ProcedureTable([
      Procedure(
        schema: "cramped", name: "greet", parameters: [.init(name: "whom", type: .text, fallback: .text("world"))],
        columns: [OutputColumn(name: "greeting", type: .text)]
      ) { arguments, _ throws(Fault) in
        ProcedureResult(rows: [[.text("hello \(arguments[0].text ?? "")")]], notices: ["greeting"])
      },
      Procedure(schema: "cramped", name: "wait", parameters: []) { _, cancellation throws(Fault) in
        // Ends only by cancellation; each look yields the processor.
        while true {
          try cancellation.check()
          sched_yield()
        }
      },
    ])
    var logger = Logger(label: "test")
    logger.logLevel = .error
    let services = SessionServices(
      clock: .system, storage: storage, engine: PlannerEngine(executor: MemoryExecutor()),
      catalog: { DatabaseCatalog(tables: storage.tables()) }, procedures: procedures,
      serverVersion: "15.0 (Cramped test)")
    let server = PostgresServer(settings: settings, services: services, logger: logger)
    try await server.start()
    guard let port = server.port else { throw Fault.bug("no port") }
    return MemoryServer(storage: storage, server: server, port: port)
  }
}
