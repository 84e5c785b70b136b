// Compaction, clustering and lake retention: one group of files after the other, one commit each.

import Bedrock
import EventSchema
import Lake
import ObjectStore
import Runtime
import StorageContract
import StorageEngine

/// What the steps of a rewriting job came to.
private struct RewriteTotal {
  var steps = 0
  var filesRemoved = 0
  var filesAdded = 0
  var bytesRemoved: Int64 = 0
  var bytesAdded: Int64 = 0

  var sentence: String {
    if steps == 0 { return "nothing to do" }
    return "\(filesRemoved) files of \(bytesRemoved) bytes became \(filesAdded) of \(bytesAdded) in \(steps) commits"
  }
}

extension LakeUpkeep {
  /// Commits of others that a job gives way to before it fails.
  private static let conflictsMax = 8

  func compact(
    _ table: RegisteredTable, _ lakeTable: LakeTable, _ arguments: JobArguments, _ control: JobControl
  ) throws(Fault) -> String {
    try rewrite(table, lakeTable, control) { snapshot in
      snapshot.compactionGroup(
        settings.compaction, layout: lakeTable.layout(of: table.schema, in: snapshot).clustering,
        isFull: arguments.isFull, now: clock.nowMicros())
    }.sentence
  }

  func cluster(
    _ table: RegisteredTable, _ lakeTable: LakeTable, _ arguments: JobArguments, _ control: JobControl
  ) throws(Fault) -> String {
    let total = try rewrite(table, lakeTable, control) { snapshot in
      snapshot.clusteringGroup(
        settings.compaction, layout: lakeTable.layout(of: table.schema, in: snapshot).clustering,
        isFull: arguments.isFull)
    }
    guard let problem = lakeTable.layout(of: table.schema, in: lakeTable.current).problem else { return total.sentence }
    return "\(total.sentence); by published, because \(problem.message)"
  }

  /// Rewrites what `next` names, as long as it names something.
  private func rewrite(
    _ table: RegisteredTable, _ lakeTable: LakeTable, _ control: JobControl, _ next: (LakeSnapshot) -> RewriteGroup?
  ) throws(Fault) -> RewriteTotal {
    var total = RewriteTotal()
    var conflicts = 0
    while let group = next(try lakeTable.refresh()) {
      try control.check()
      control.expect(rows: group.rows, bytes: group.bytes, files: group.files.count)
      let receipt: RewriteReceipt
      do throws(Fault) {
        receipt = try lakeTable.rewrite(group, schema: table.schema, options: settings.compaction) {
          (rows, bytes) throws(Fault) in
          // Rows that are read again, because they do not all fit into memory.
          if rows == 0 { control.expect(bytes: bytes) }
          try control.step(rows: rows, bytes: bytes)
        }
      } catch {
        // Somebody else's commit made ours impossible: nothing has changed, so plan again.
        guard error.state == .serializationFailure, conflicts < Self.conflictsMax else { throw error }
        conflicts += 1
        continue
      }
      control.note(files: group.files.count)
      noteRewrite(table, group, receipt)
      try engine.adoptLake(table: table.id)
      total.steps += 1
      total.filesRemoved += receipt.filesRemoved
      total.filesAdded += receipt.filesAdded
      total.bytesRemoved += receipt.bytesRemoved
      total.bytesAdded += receipt.bytesAdded
    }
    return total
  }

  // MARK: Retention

  /// Rows of the lake leave by `published`; rows that are in the lake leave the hot tier.
  func expire(_ table: RegisteredTable, _ lakeTable: LakeTable, _ control: JobControl) throws(Fault) -> String {
    var parts: [String] = []
    let hot = try engine.trimHot(table: table.id)
    if hot.rows > 0 { parts.append("\(hot.rows) flushed rows left the hot tier") }
    try control.step(rows: hot.rows, bytes: hot.bytes)
    let policy = retention.policy(domain: table.schema.domain)
    if policy.lakeMicros > 0 {
      let cutoff = clock.nowMicros() - policy.lakeMicros
      let slack = settings.retentionSlackMicros(policy.lakeMicros)
      let total = try rewrite(table, lakeTable, control) { snapshot in
        snapshot.expiredGroup(
          cutoff: cutoff, slack: slack, layout: lakeTable.layout(of: table.schema, in: snapshot).clustering)
      }
      if total.steps > 0 { parts.append("lake: \(total.sentence)") }
      if total.steps > 0 { forget(table, publishedBefore: cutoff) }
    }
    return parts.isEmpty ? "nothing to do" : parts.joined(separator: "; ")
  }

  func isRetentionDue(_ table: RegisteredTable, _ snapshot: LakeSnapshot, now: Int64) throws(Fault) -> Bool {
    if engine.hasExpiredHot(table: table.id) { return true }
    let clock = retention.policy(domain: table.schema.domain).lakeMicros
    guard clock > 0, snapshot.version >= 0 else { return false }
    return snapshot.expiredGroup(cutoff: now - clock, slack: settings.retentionSlackMicros(clock)) != nil
  }

  func trimErrors(_ control: JobControl) throws(Fault) -> String {
    let receipt = try engine.trimErrors { (done) throws(Fault) in
      try control.step(rows: done.rows, bytes: max(0, done.bytes))
    }
    return receipt.rows == 0 ? "nothing to do" : "\(receipt.rows) error rows left"
  }
}
