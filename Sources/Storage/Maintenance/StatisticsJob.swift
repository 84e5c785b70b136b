// Reads data files that were not read before and keeps what the planner needs of them.

import Bedrock
import Columnar
import EventSchema
import Lake
import Logging
import ObjectStore
import Runtime
import StorageContract
import StorageEngine
import Synchronization

extension LakeUpkeep {
  /// Files read between two savings.
  private static let filesPerSave = 64

  /// What was kept over a restart. A table whose statistics cannot be read any more starts anew.
  func loadStatistics() throws(Fault) {
    let tables = engine.registeredTables()
    for (number, value) in try engine.records(.statistics) {
      guard let table = tables.first(where: { UInt64($0.id.raw) == number }) else { continue }
      do throws(Fault) {
        let analysis = try TableAnalysis(encoded: value)
        analyses.withLock { $0[table.id] = analysis }
        let snapshot = try lakeTable(table).current
        if snapshot.version >= 0 { publish(analysis, table, snapshot) }
      } catch {
        log.warning("statistics start anew", metadata: ["table": "\(table.schema.name)", "fault": "\(error)"])
      }
    }
  }

  func statistics() -> [(table: RegisteredTable, statistics: TableStatistics)] {
    let found = self.found.withLock { $0 }
    return engine.registeredTables().compactMap { table in found[table.id].map { (table, $0) } }
  }

  func hasUnread(_ table: RegisteredTable, _ snapshot: LakeSnapshot) -> Bool {
    let analysis = analyses.withLock { $0[table.id] }
    guard let analysis else { return snapshot.fileCount > 0 }
    return snapshot.files.contains { !analysis.covers(path: $0.path.text) }
  }

  func analyse(_ table: RegisteredTable, _ lakeTable: LakeTable, _ control: JobControl) throws(Fault) -> String {
    let snapshot = lakeTable.current
    let columns = TableAnalysis.columns(of: table.schema)
    var analysis = analyses.withLock { $0[table.id] } ?? TableAnalysis(columns: columns.map(\.fieldID))
    // A column that came later, or has become personal: what was read did not have it in this form.
    if analysis.columns != columns.map(\.fieldID) { analysis = TableAnalysis(columns: columns.map(\.fieldID)) }
    let unread = snapshot.files.filter { !analysis.covers(path: $0.path.text) }
    control.expect(
      rows: unread.reduce(0) { $0 + ($1.rowCount ?? 0) }, bytes: unread.reduce(0) { $0 + $1.size },
      files: unread.count)
    do throws(Fault) {
      for (number, file) in unread.enumerated() {
        try read(file, of: snapshot, table.schema, columns, into: &analysis, control)
        analysis.cover(path: file.path.text)
        control.note(files: 1)
        if number % Self.filesPerSave == Self.filesPerSave - 1 { try save(analysis, table, snapshot) }
      }
    } catch {
      // What was read whole is kept: the next run goes on behind it.
      if error.state == .adminShutdown || error.state == .queryCanceled { try save(analysis, table, snapshot) }
      throw error
    }
    analysis.prune(live: snapshot.files.map(\.path.text), publishedFrom: nil)
    try save(analysis, table, snapshot)
    return "\(unread.count) files read, \(columns.count) columns"
  }

  private func read(
    _ file: LakeDataFile, of snapshot: LakeSnapshot, _ schema: TableSchema, _ columns: [TableColumn],
    into analysis: inout TableAnalysis, _ control: JobControl
  ) throws(Fault) {
    let indices = columns.compactMap { schema.column(named: $0.name) }
    precondition(indices.count == columns.count)
    let request = ScanRequest(
      table: TableID(raw: 0), columns: indices + [SystemColumn.published, SystemColumn.position])
    let scan = try snapshot.scan(request, columns: schema.columns, files: [file])
    let bytesPerRow = Double(file.size) / Double(max(1, file.rowCount ?? 1))
    for morsel in 0..<scan.morselCount {
      let reader = try scan.open(morsel: morsel)
      while let chunk = try reader.next() {
        let values = Array(chunk.columns.dropLast(2))
        analysis.add(
          values, published: chunk.columns[columns.count], position: chunk.columns[columns.count + 1])
        try control.step(rows: Int64(chunk.rowCount), bytes: Int64(Double(chunk.rowCount) * bytesPerRow))
      }
    }
  }

  private func save(_ analysis: TableAnalysis, _ table: RegisteredTable, _ snapshot: LakeSnapshot) throws(Fault) {
    try engine.write(.statistics, [(number: UInt64(table.id.raw), value: analysis.encoded)])
    analyses.withLock { $0[table.id] = analysis }
    publish(analysis, table, snapshot)
  }

  private func publish(_ analysis: TableAnalysis, _ table: RegisteredTable, _ snapshot: LakeSnapshot) {
    let summary = analysis.summary(table.schema, snapshot, now: clock.nowMicros())
    found.withLock { $0[table.id] = summary }
    engine.setStatistics(summary, table: table.id)
  }

  /// Files made of files that were read need not be read.
  func noteRewrite(_ table: RegisteredTable, _ group: RewriteGroup, _ receipt: RewriteReceipt) {
    let removed = group.files.map(\.path.text)
    analyses.withLock { $0[table.id]?.replace(removed, with: receipt.addedPaths) }
  }

  func forget(_ table: RegisteredTable, publishedBefore cutoff: Int64) {
    let live = (try? lakeTable(table).current.files.map(\.path.text)) ?? []  // Throws for bad names only; these are tables.
    analyses.withLock { $0[table.id]?.prune(live: live, publishedFrom: cutoff) }
  }
}
