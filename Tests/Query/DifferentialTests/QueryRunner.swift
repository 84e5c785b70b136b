// Our answer to one query: parse, plan, run, print.

import Bedrock
import Catalog
import Columnar
import Executor
import Functions
import Plan
import Planner
import Runtime
import SQLSyntax
import StorageContract

/// A session of the sample tables.
struct SampleSession: SessionValues {
  let catalog: DatabaseCatalog
  var userName: String { "postgres" }
  var databaseName: String { "postgres" }
  var searchPath: [String] { ["public", "iot", "shop", "user"] }
  var backendPID: Int32 { 1 }
  var serverVersion: String { "15.20" }
  func setting(_ name: String) -> String? { name == "server_version_num" ? "150020" : nil }
  func relationOID(_ name: String) -> UInt32? { catalog.relationOID(name, searchPath: searchPath) }
  func relationName(oid: UInt32) -> String? { catalog.relationName(oid: oid, searchPath: searchPath) }
  func namespaceOID(_ name: String) -> UInt32? { catalog.namespaceOID(name) }
  func namespaceName(oid: UInt32) -> String? { catalog.namespaceName(oid: oid) }
  func isRelationVisible(oid: UInt32) -> Bool { catalog.isRelationVisible(oid: oid, searchPath: searchPath) }
  func viewDefinition(oid: UInt32) -> String? { catalog.viewDefinition(oid: oid) }
}

final class QueryRunner {
  let storage: MemoryStorage
  let catalog: DatabaseCatalog
  let context: FunctionContext
  private let pool: WorkerPool
  private let executor: Executor

  init(threadCount: Int = 2) {
    pool = WorkerPool(name: "scan", threadCount: threadCount)
    storage = MemoryStorage(SampleData.tables)
    catalog = DatabaseCatalog(tables: storage.tables())
    executor = Executor(pool: pool, budget: MemoryBudget(name: "the test", bytesMax: 1 << 30))
    // 2026-06-01 12:00 UTC
    context = FunctionContext(
      transactionMicros: 1_780_315_200_000_000, statementMicros: 1_780_315_200_000_000,
      session: SampleSession(catalog: catalog))
  }

  deinit { pool.shutdown() }

  func answer(_ sql: String, zone: String = "UTC") -> RecordedQuery.Answer {
    var context = context
    context.timeZone = SessionTimeZone(named: zone) ?? .utc
    do throws(Fault) {
      let statements = try SQLParser.parse(sql)
      guard statements.count == 1, case .select(let select) = statements[0].kind else {
        return .error(state: "0A000", message: "not one query")
      }
      let planner = Planner(catalog: catalog, settings: PlannerSettings(context: context))
      let planned = try planner.plan(select)
      // As a session answers a simple query.
      if !planned.parameterTypes.isEmpty { throw Fault(.undefinedParameter, "there is no parameter $1") }
      let plan = try Planner.prepareToRun(planned, context: context)
      let result = try executor.execute(
        plan, parameters: [], snapshot: try storage.snapshot(), context: context, cancellation: Cancellation())
      var found: [String] = []
      while let chunk = try result.next() { found += rows(chunk, plan, context) }
      return .rows(columns: columns(plan), rows: found)
    } catch {
      return .error(state: error.state.text, message: error.message)
    }
  }

  private func columns(_ plan: PlannedQuery) -> String {
    plan.columns.map { "\($0.name) \(TypeNames.sqlName($0.type))" }.joined(separator: "|")
  }

  private func rows(_ chunk: Chunk, _ plan: PlannedQuery, _ context: FunctionContext) -> [String] {
    (0..<chunk.rowCount).flatMap { row -> [String] in
      let values = zip(chunk.columns, plan.columns).map { column, output in
        ValueText.output(column.scalar(at: row), type: output.type, context: context) ?? "NULL"
      }
      // a value may hold line ends, which psql prints as they are
      return values.joined(separator: "|").split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
  }
}
