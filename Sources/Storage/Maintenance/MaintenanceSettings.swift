// What upkeep is told. `config/cramped.yaml` documents the keys.

package import Lake

package struct MaintenanceSettings: Sendable, Equatable {
  package var jobs = JobSettings()
  package var compaction = CompactionOptions()
  /// Commits after which a checkpoint is due.
  package var checkpointCommits: Int64 = 20
  /// How long log entries stay, µs.
  package var logRetentionMicros: Int64 = 30 * 86_400_000_000
  /// How long files stay after they left their table, µs.
  package var vacuumRetentionMicros: Int64 = 7 * 86_400_000_000
  /// Time between two rounds of cleanup and vacuum, µs.
  package var vacuumEveryMicros: Int64 = 86_400_000_000
  /// Time between two rounds of statistics and clustering, µs.
  package var statisticsEveryMicros: Int64 = 600_000_000
  /// Live files of a table above which a warning is logged.
  package var filesMax = 10_000
  package init() {}

  /// How much later than its clock says a row of the lake may leave, µs: so that a file is not rewritten for each row.
  func retentionSlackMicros(_ clock: Int64) -> Int64 { min(max(clock / 10, 1), 86_400_000_000) }
}
