// The configuration of upkeep as Maintenance and the storage engine take it.

import Lake
import Maintenance
import StorageEngine

enum UpkeepSettings {
  private static let second: Int64 = 1_000_000
  private static let hour = 3_600 * second
  private static let day = 24 * hour

  static func maintenance(_ jobs: Configuration.Jobs) -> MaintenanceSettings {
    var settings = MaintenanceSettings()
    settings.jobs.threads = jobs.threads
    settings.jobs.checkMicros = Int64(jobs.checkSeconds) * second
    settings.jobs.bytesPerSecond = Int64(jobs.bytesPerSecond)
    settings.jobs.cpuPercent = jobs.cpuPercent
    settings.jobs.historyMax = jobs.historyMax
    settings.compaction.fileBytesTarget = Int64(jobs.fileBytesTarget)
    settings.compaction.tierFilesMin = jobs.tierFilesMin
    settings.compaction.idleMicros = Int64(jobs.idleSeconds) * second
    settings.compaction.overlapMax = jobs.overlapMax
    settings.filesMax = jobs.filesMax
    settings.checkpointCommits = Int64(jobs.checkpointCommits)
    settings.logRetentionMicros = Int64(jobs.logRetentionHours) * hour
    settings.vacuumRetentionMicros = Int64(jobs.vacuumRetentionHours) * hour
    settings.vacuumEveryMicros = Int64(jobs.vacuumEveryHours) * hour
    settings.statisticsEveryMicros = Int64(jobs.statisticsEverySeconds) * second
    return settings
  }

  static func retention(_ settings: Configuration) -> RetentionSettings {
    func policy(_ retention: Configuration.Retention) -> RetentionPolicy {
      RetentionPolicy(
        hotMicros: Int64(retention.hotSeconds) * second, lakeMicros: Int64(retention.lakeDays) * day,
        errorsMicros: Int64(retention.errorsDays) * day)
    }
    return RetentionSettings(
      usual: policy(settings.retention), domains: settings.domains.mapValues { policy($0.retention) })
  }
}
