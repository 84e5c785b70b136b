// cramped.ingest: one row a consumer.

import Bedrock
import Columnar
import Functions
import Ingest
import Plan

struct IngestRelation: VirtualRelation {
  let status: @Sendable () -> IngestStatus

  var columns: [(name: String, type: DataType)] {
    [
      ("stream", .text), ("consumer", .text), ("state", .text), ("position", .text), ("lag", .int8),
      ("events_per_second", .float8), ("batches", .int8), ("received", .int8), ("stored", .int8),
      ("duplicates", .int8), ("failed", .int8), ("redelivered", .int8), ("unknown_fields", .int8),
      ("nulled_values", .int8), ("lost_messages", .int8), ("restarts", .int8), ("last_batch", .timestamptz),
      ("last_error", .text), ("last_error_at", .timestamptz),
    ]
  }

  func rows(context: FunctionContext) throws(Fault) -> [Chunk] {
    let now = status()
    func count(_ value: UInt64) -> Scalar { .integer(Int64(clamping: value)) }
    func time(_ micros: Int64?) -> Scalar { micros.map { .integer($0) } ?? .null }
    let row: [Scalar] = [
      .text(now.stream), .text(now.consumer), .text(now.state.rawValue), .text("\(now.written)"), count(now.lag),
      .float((now.eventsPerSecond * 10).rounded() / 10), count(now.batches), count(now.received), count(now.stored), count(now.duplicates),
      count(now.failed), count(now.redelivered), count(now.unknownFields), count(now.nulledValues),
      count(now.lostMessages), count(now.restarts), time(now.lastBatchMicros),
      now.lastError.map { .text($0) } ?? .null, time(now.lastErrorMicros),
    ]
    let values = zip(columns, row).map { ColumnBuilder.column($0.0.type, [$0.1]) }
    return [Chunk(columns: values, rowCount: 1)]
  }
}
