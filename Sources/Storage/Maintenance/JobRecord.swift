// One job as `cramped.jobs` shows it and as it is kept on disk.
//
//            ┌───────────── retry after a fault, with back-off ─────────────┐
//            ▼                                                              │
//   queued ──► running ──► finished                                         │
//     │           ├──────► failed     no attempts left, or asked for by SQL │
//     │           ├──────────────────────────────────────────────────────► waiting
//     └───────────┴──────► cancelled                                        (also ends in cancelled)
//
// A job found `running` at open was cut off by a crash: it is queued again. Every job may run any number of times.

import Bedrock

package enum JobState: String, Sendable, CaseIterable {
  case queued, running, waiting, finished, failed, cancelled

  package var isEnded: Bool { self == .finished || self == .failed || self == .cancelled }
}

/// What a caller may ask of a job beyond its kind and table.
package struct JobArguments: Hashable, Sendable {
  /// vacuum: how long a file stays after it left the table, µs; `nil`: as configured.
  package var retentionMicros: Int64?
  /// vacuum: only say what would go.
  package var isDryRun: Bool
  /// compact, cluster: all that can be joined, not just what is due.
  package var isFull: Bool
  package init(retentionMicros: Int64? = nil, isDryRun: Bool = false, isFull: Bool = false) {
    self.retentionMicros = retentionMicros
    self.isDryRun = isDryRun
    self.isFull = isFull
  }
}

/// How far a job has come. Totals are `nil` until they are known.
package struct JobProgress: Hashable, Sendable {
  package var rows: Int64 = 0
  package var bytes: Int64 = 0
  package var rowsTotal: Int64?
  package var bytesTotal: Int64?
  /// Files: read and replaced by compaction and clustering, read by statistics, deleted by cleanup and vacuum.
  package var files: Int64 = 0
  package var filesTotal: Int64?
  /// Files that vacuum looked at.
  package var filesListed: Int64 = 0
  /// Actions that a checkpoint has written.
  package var actions: Int64 = 0
  package var actionsTotal: Int64?
  package init() {}
}

package struct JobRecord: Hashable, Sendable {
  package let id: Int64
  package let kind: JobKind
  /// `domain.entity`, or `cramped.errors`.
  package let table: String
  package var arguments: JobArguments
  /// Asked for by SQL: runs before the others, on the caller's thread, once.
  package var isManual: Bool
  package var state = JobState.queued
  package var progress = JobProgress()
  package let createdMicros: Int64
  package var startedMicros: Int64?
  package var finishedMicros: Int64?
  package var attempts = 0
  package var lastError: String?
  /// What the job did, in a sentence.
  package var result: String?
  /// Not before this moment.
  package var nextRunMicros: Int64

  package init(
    id: Int64, kind: JobKind, table: String, arguments: JobArguments = JobArguments(), isManual: Bool = false,
    createdMicros: Int64
  ) {
    self.id = id
    self.kind = kind
    self.table = table
    self.arguments = arguments
    self.isManual = isManual
    self.createdMicros = createdMicros
    nextRunMicros = createdMicros
  }
}
