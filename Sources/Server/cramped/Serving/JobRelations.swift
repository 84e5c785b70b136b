// cramped.jobs: what upkeep does and did. cramped.statistics: what the planner knows of values.

import Bedrock
import Columnar
import EventSchema
import Functions
import Maintenance
import Plan
import StorageContract

struct JobsRelation: VirtualRelation {
  let jobs: @Sendable () -> [JobRecord]

  var columns: [(name: String, type: DataType)] {
    [
      ("id", .int8), ("kind", .text), ("table", .text), ("state", .text), ("rows", .int8), ("bytes", .int8),
      ("total_rows", .int8), ("total_bytes", .int8), ("created", .timestamptz), ("started", .timestamptz),
      ("finished", .timestamptz), ("attempts", .int4), ("result", .text), ("last_error", .text),
      ("next_run", .timestamptz), ("by_call", .boolean), ("files", .int8), ("total_files", .int8),
      ("files_listed", .int8), ("actions", .int8), ("total_actions", .int8),
    ]
  }

  func rows(context: FunctionContext) throws(Fault) -> [Chunk] {
    func number(_ value: Int64?) -> Scalar { value.map { .integer($0) } ?? .null }
    func text(_ value: String?) -> Scalar { value.map { .text($0) } ?? .null }
    let rows = jobs().map { job -> [Scalar] in
      let isWaiting = job.state == .queued || job.state == .waiting
      return [
        .integer(job.id), .text(job.kind.rawValue), .text(job.table), .text(job.state.rawValue),
        .integer(job.progress.rows), .integer(job.progress.bytes), number(job.progress.rowsTotal),
        number(job.progress.bytesTotal), .integer(job.createdMicros), number(job.startedMicros),
        number(job.finishedMicros), .integer(Int64(job.attempts)), text(job.result), text(job.lastError),
        number(isWaiting ? job.nextRunMicros : nil), .boolean(job.isManual),
        .integer(job.progress.files), number(job.progress.filesTotal), .integer(job.progress.filesListed),
        .integer(job.progress.actions), number(job.progress.actionsTotal),
      ]
    }
    return Self.chunks(columns, rows)
  }

  /// Rows as chunks that a query takes.
  static func chunks(_ columns: [(name: String, type: DataType)], _ rows: [[Scalar]]) -> [Chunk] {
    stride(from: 0, to: rows.count, by: Limits.chunkRowsMax).map { start in
      let part = rows[start..<min(rows.count, start + Limits.chunkRowsMax)]
      let built = columns.enumerated().map { index, column in
        ColumnBuilder.column(column.type, part.map { $0[index] })
      }
      return Chunk(columns: built, rowCount: part.count)
    }
  }
}

struct StatisticsRelation: VirtualRelation {
  let statistics: @Sendable () -> [(table: RegisteredTable, statistics: TableStatistics)]

  var columns: [(name: String, type: DataType)] {
    [
      ("domain", .text), ("entity", .text), ("column", .text), ("lake_rows", .int8), ("sampled_rows", .int4),
      ("distinct_values", .int8), ("null_fraction", .float8), ("min", .text), ("max", .text),
      ("common_values", .array(.text)), ("common_fractions", .array(.float8)), ("histogram", .array(.text)),
      ("analysed", .timestamptz),
    ]
  }

  func rows(context: FunctionContext) throws(Fault) -> [Chunk] {
    var rows: [[Scalar]] = []
    for (table, known) in statistics() {
      for column in table.schema.columns {
        guard let found = known.columns[column.fieldID] else { continue }
        func text(_ value: Scalar?) -> Scalar {
          value.flatMap { ValueText.output($0, type: column.type, context: context) }.map { .text($0) } ?? .null
        }
        rows.append([
          .text(table.schema.domain), .text(table.schema.entity), .text(column.name), .integer(known.rowCount),
          .integer(Int64(known.sampledRows)), .integer(found.distinctCount), .float(found.nullFraction),
          text(found.min), text(found.max), .list(found.commonValues.map { text($0.value) }),
          .list(found.commonValues.map { .float($0.fraction) }), .list(found.histogram.map { text($0) }),
          .integer(known.analysedMicros),
        ])
      }
    }
    return JobsRelation.chunks(columns, rows)
  }
}
