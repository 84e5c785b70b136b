// The query side of the server: threads, memory, catalog, procedures, put together for sessions.

import Bedrock
import Catalog
import Columnar
import Executor
import Foundation
import Ingest
import Lake
import Maintenance
import Plan
import PostgresServer
import Runtime
import Session
import StorageContract
import StorageEngine

struct QueryServing {
  let sessionServices: SessionServices
  let portSettings: PostgresServerSettings
  private let scanPool: WorkerPool

  init(
    settings: Configuration, engine: StorageEngine, external: ExternalServing, maintenance: Maintenance,
    load: QueryLoad, ingest: IngestService?, clock: Clock
  ) {
    let threads = settings.query.threads == 0 ? WorkerPool.coreCount : settings.query.threads
    scanPool = WorkerPool(name: "scan", threadCount: threads)
    let memory =
      settings.query.memoryBytes == 0
      ? Int(ProcessInfo.processInfo.physicalMemory / 10 * 6) : settings.query.memoryBytes
    let statementMemory =
      settings.query.statementMemoryBytes == 0 ? memory / 4 : min(settings.query.statementMemoryBytes, memory)
    let executor = Executor(
      pool: scanPool, budget: MemoryBudget(name: "all statements together", bytesMax: memory),
      statementBytesMax: statementMemory, load: load)

    var computed: [ServerCatalog.ComputedRelation] = [
      .init(name: "jobs", relation: JobsRelation(jobs: { maintenance.scheduler.jobs })),
      .init(name: "statistics", relation: StatisticsRelation(statistics: { maintenance.statistics() })),
    ]
    computed += external.relations
    if let ingest {
      computed.append(.init(name: "ingest", relation: IngestRelation(status: { ingest.status }), estimatedRows: 1))
    }
    let server = ServerCatalog(relations: computed)
    sessionServices = SessionServices(
      clock: clock, storage: engine,
      engine: PlannerEngine(executor: PipelineExecutor(executor: executor, clock: clock)),
      catalog: { [directory = external.directory, views = external.views] in
        DatabaseCatalog(
          tables: engine.tables() + directory.foreignTables().map(\.description)
            + views.storedViews().map(\.description), server: server)
      },
      procedures: ProcedureTable(
        [FlushProcedure.make(engine)] + JobProcedures.make(maintenance) + external.procedures),
      serverVersion: "15.0 (Cramped \(ServerVersion.text))",
      defaultSettings: [(name: "statement_timeout", value: "\(settings.postgres.statementTimeoutMs)")],
      external: external.reader, foreignTables: external.directory, views: external.views,
      referenceTables: external.reference, temporaryBytesMax: settings.query.temporaryTableBytes)
    portSettings = PostgresServerSettings(
      host: settings.postgres.host, port: settings.postgres.port, connectionsMax: settings.postgres.connectionsMax,
      shutdownGraceMs: settings.server.shutdownSeconds * 1_000)
  }

  func shutdown() { scanPool.shutdown() }
}
