// What each kind of job does, and when it is due.

import Bedrock
import EventSchema
import Lake
import Logging
import Runtime
import StorageContract
import StorageEngine
import Synchronization

final class LakeUpkeep: JobRunner {
  let engine: StorageEngine
  let lake: Lake
  let settings: MaintenanceSettings
  let retention: RetentionSettings
  let clock: Clock
  let log: Logger
  let analyses = Mutex<[TableID: TableAnalysis]>([:])
  let found = Mutex<[TableID: TableStatistics]>([:])
  /// Version of the last checkpoint that was seen, by table.
  let checkpoints = Mutex<[String: Int64]>([:])
  /// Tables that were warned of.
  private let crowded = Mutex<Set<String>>([])
  /// Why tables are not laid out as configured, as far as it was logged.
  private let unclustered = Mutex<[String: String]>([:])

  init(
    engine: StorageEngine, lake: Lake, settings: MaintenanceSettings, retention: RetentionSettings, clock: Clock,
    log: Logger
  ) {
    self.engine = engine
    self.lake = lake
    self.settings = settings
    self.retention = retention
    self.clock = clock
    self.log = log
  }

  func registered(_ name: String) throws(Fault) -> RegisteredTable {
    guard let table = engine.registeredTables().first(where: { $0.schema.name == name }) else {
      throw Fault(
        .undefinedTable, "event table \"\(name.prefix(200))\" does not exist",
        hint: "The name has the form domain.entity; cramped.tables lists them.")
    }
    return table
  }

  func lakeTable(_ table: RegisteredTable) throws(Fault) -> LakeTable {
    try lake.table(domain: table.schema.domain, entity: table.schema.entity)
  }

  // MARK: JobRunner

  func run(_ job: JobRecord, _ control: JobControl) throws(Fault) -> String? {
    if job.table == Maintenance.errorTable { return try trimErrors(control) }
    let table = try registered(job.table)
    let lakeTable = try lakeTable(table)
    if try lakeTable.refresh().version < 0 && job.kind != .retention {
      return "nothing to do: the lake has no such table yet"
    }
    switch job.kind {
    case .flush: throw .bug("flushes are run by the engine")
    case .compact: return try compact(table, lakeTable, job.arguments, control)
    case .cluster: return try cluster(table, lakeTable, job.arguments, control)
    case .checkpoint: return try checkpoint(lakeTable, isManual: job.isManual, control)
    case .cleanup: return try cleanUp(lakeTable, control)
    case .vacuum: return try vacuum(table, lakeTable, job.arguments, control)
    case .retention: return try expire(table, lakeTable, control)
    case .statistics: return try analyse(table, lakeTable, control)
    }
  }

  func dueJobs(
    now: Int64, last: (_ kind: JobKind, _ table: String) -> JobRecord?
  ) throws(Fault) -> [(kind: JobKind, table: String)] {
    var due: [(kind: JobKind, table: String)] = []
    for table in engine.registeredTables() {
      let name = table.schema.name
      /// True when the last job of that kind ended so long ago, or there was none.
      func isPast(_ kind: JobKind, _ micros: Int64) -> Bool {
        guard let ended = last(kind, name)?.finishedMicros else { return true }
        return now - ended >= micros
      }
      let lakeTable = try lakeTable(table)
      let snapshot = lakeTable.current
      if try isRetentionDue(table, snapshot, now: now), isPast(.retention, 1_000_000) { due.append((.retention, name)) }
      if snapshot.version < 0 { continue }
      warnIfCrowded(name, snapshot.fileCount)
      // A table that could not be rewritten at all is left alone for an hour.
      if last(.compact, name)?.state != .failed || isPast(.compact, 3_600_000_000) {
        let layout = lakeTable.layout(of: table.schema, in: snapshot)
        warnOfLayout(name, layout)
        if snapshot.compactionGroup(settings.compaction, layout: layout.clustering, isFull: false, now: now) != nil {
          due.append((.compact, name))
        } else if isPast(.cluster, settings.statisticsEveryMicros),
          snapshot.clusteringGroup(settings.compaction, layout: layout.clustering, isFull: false) != nil
        {
          due.append((.cluster, name))
        }
      }
      if isCheckpointDue(lakeTable) { due.append((.checkpoint, name)) }
      if isPast(.cleanup, settings.vacuumEveryMicros) { due.append((.cleanup, name)) }
      if isPast(.vacuum, settings.vacuumEveryMicros) { due.append((.vacuum, name)) }
      if isPast(.statistics, settings.statisticsEveryMicros), hasUnread(table, snapshot) {
        due.append((.statistics, name))
      }
    }
    if engine.hasExpiredErrors { due.append((.retention, Maintenance.errorTable)) }
    return due
  }

  /// Once for each table and reason.
  private func warnOfLayout(_ name: String, _ layout: LakeTableLayout) {
    let isNew = unclustered.withLock { unclustered in
      defer { unclustered[name] = layout.problem?.message }
      return layout.problem != nil && unclustered[name] != layout.problem?.message
    }
    guard isNew, let problem = layout.problem else { return }
    log.warning(
      "a table is laid out by published, not by its clustering keys",
      metadata: ["table": "\(name)", "reason": "\(problem.message)"])
  }

  private func warnIfCrowded(_ name: String, _ files: Int) {
    let isNew = crowded.withLock { crowded in
      files > settings.filesMax ? crowded.insert(name).inserted : crowded.remove(name) != nil && false
    }
    if !isNew { return }
    log.warning(
      "a table has more files than its budget",
      metadata: ["table": "\(name)", "files": "\(files)", "jobs.files_max": "\(settings.filesMax)"])
  }
}
