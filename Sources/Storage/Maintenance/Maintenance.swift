// Upkeep of the tables of one engine: knows what is due, does it, and shows it as jobs.
//
//   Maintenance ── start / stop
//     ├── scheduler: JobScheduler      jobs, runNow(kind, table, ...), cancel(id:)
//     └── LakeUpkeep: JobRunner        compact, cluster, checkpoint, cleanup, vacuum, retention, statistics
//
// Jobs of a table take turns with each other, never with flushes or queries: every step is one commit of the lake that
// flushes rebase on, or one write of the engine.

package import Bedrock
package import Lake
package import Logging
package import Runtime
package import StorageContract
package import StorageEngine

package final class Maintenance: Sendable {
  /// Table name of jobs that work on cramped.errors.
  package static let errorTable = "cramped.errors"

  package let scheduler: JobScheduler
  private let upkeep: LakeUpkeep
  private let engine: StorageEngine

  /// Reads the history of jobs and the statistics. Throws 58030, XX001.
  package init(
    engine: StorageEngine, lake: Lake, settings: MaintenanceSettings, retention: RetentionSettings, load: QueryLoad,
    clock: Clock, log: Logger
  ) throws(Fault) {
    self.engine = engine
    upkeep = LakeUpkeep(
      engine: engine, lake: lake, settings: settings, retention: retention, clock: clock, log: log)
    scheduler = try JobScheduler(
      settings: settings.jobs, runner: upkeep, store: EngineJobStore(engine), load: load, clock: clock, log: log)
    try upkeep.loadStatistics()
  }

  /// Starts the threads, and shows flushes as jobs.
  package func start() {
    engine.observeFlushes { [weak scheduler] report in
      var progress = JobProgress()
      progress.rows = report.receipt.rows
      progress.bytes = report.receipt.bytes
      progress.rowsTotal = report.receipt.rows
      let result = report.receipt.deltaVersion.map {
        "\(report.receipt.rows) rows to \(report.receipt.files) files, Delta version \($0)"
      }
      scheduler?.report(
        .flush, table: report.receipt.table, startedMicros: report.startedMicros, progress: progress, result: result,
        fault: report.fault)
    }
    scheduler.start()
  }

  /// Running jobs stop at their next step; returns when they have. Call before the engine is closed.
  package func stop() {
    scheduler.stop()
    engine.observeFlushes { _ in }
  }

  /// The newest state of a table in the lake.
  func snapshot(_ table: RegisteredTable) throws(Fault) -> LakeSnapshot { try upkeep.lakeTable(table).refresh() }

  /// What is known of each analysed table, with its newest columns.
  package func statistics() -> [(table: RegisteredTable, statistics: TableStatistics)] { upkeep.statistics() }

  /// Runs a job now on this thread and returns it as it ended. Throws 42P01 for a table that is not there.
  package func run(
    _ kind: JobKind, table: String, arguments: JobArguments = JobArguments(), statement: Cancellation
  ) throws(Fault) -> JobRecord {
    if table != Self.errorTable || kind != .retention { _ = try upkeep.registered(table) }
    return try scheduler.runNow(kind, table: table, arguments: arguments, statement: statement)
  }
}
