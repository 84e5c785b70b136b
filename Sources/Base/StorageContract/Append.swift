// The writing side of the waist: one batch of the log becomes one synced write.
//
// Everything a batch changes lies in it: rows, error rows, and W. After `append` returns, all of it is on disk and
// visible to the next snapshot; when it throws, the outcome is unknown: ask `written(shard:)` again and refetch from there.

package import Bedrock
package import Columnar

/// A log partition: the name of its JetStream stream, or `local` for events that come by SQL.
package struct ShardID: Hashable, Sendable {
  package let name: String
  package init(name: String) { self.name = name }
}

/// How far a shard's log has been applied, and what tells that the log is still the same one (RELIABILITY.md section 1.2).
package struct LogMark: Hashable, Sendable {
  package var position: Position
  /// Time of that message, µs since 1970.
  package var messageTimeMicros: Int64
  /// CRC-32C over subject and payload of that message.
  package var checksum: UInt32
  /// When the stream was created, µs since 1970.
  package var streamCreatedMicros: Int64
  package init(position: Position, messageTimeMicros: Int64, checksum: UInt32, streamCreatedMicros: Int64) {
    self.position = position
    self.messageTimeMicros = messageTimeMicros
    self.checksum = checksum
    self.streamCreatedMicros = streamCreatedMicros
  }
}

/// Decoded rows of one table.
package struct TableAppend: Sendable {
  package let table: TableID
  package let schemaVersion: Int
  /// All columns of that schema version, in order, in log order of rows. `_pos` rises strictly.
  package let chunk: Chunk
  package init(table: TableID, schemaVersion: Int, chunk: Chunk) {
    self.table = table
    self.schemaVersion = schemaVersion
    self.chunk = chunk
  }
}

/// An event that could not be applied. Becomes a row of cramped.errors.
package struct ErrorRow: Sendable {
  package var position: Position
  package var domain: String?
  package var entity: String?
  package var name: String?
  package var sequence: Int64?
  /// `undecodable`, `envelope_invalid`, `envelope_subject_mismatch`, `schema_not_found`, `schema_violation`,
  /// `size_violation`, `sequence_conflict`, `component_failed`.
  package var code: String
  /// `decode`, `envelope`, `schema`, `identity`, `write`.
  package var stage: String
  /// Path of the offending field: `content.amount`.
  package var path: String?
  package var rule: String?
  /// Never contains a value of the event.
  package var message: String
  package var schemaVersion: Int?
  package var subject: String
  package var stream: String
  package var receivedMicros: Int64
  /// The payload, sealed under the domain's key.
  package var sealedPayload: [UInt8]

  package init(
    position: Position, domain: String? = nil, entity: String? = nil, name: String? = nil, sequence: Int64? = nil,
    code: String, stage: String, path: String? = nil, rule: String? = nil, message: String,
    schemaVersion: Int? = nil, subject: String, stream: String, receivedMicros: Int64, sealedPayload: [UInt8]
  ) {
    self.position = position
    self.domain = domain
    self.entity = entity
    self.name = name
    self.sequence = sequence
    self.code = code
    self.stage = stage
    self.path = path
    self.rule = rule
    self.message = message
    self.schemaVersion = schemaVersion
    self.subject = subject
    self.stream = stream
    self.receivedMicros = receivedMicros
    self.sealedPayload = sealedPayload
  }
}

/// What a position of the log holds, for an event that only storage finds unusable (a sequence conflict): its error row
/// keeps the payload. Asked during `append` only, on its thread.
package protocol AppendOriginals: Sendable {
  /// The payload is sealed under the domain's key; `nil` when the position is not of this batch.
  func original(at position: Position, domain: String) -> (subject: String, sealedPayload: [UInt8])?
}

package struct AppendBatch: Sendable {
  package let shard: ShardID
  /// W after this batch.
  package let mark: LogMark
  package let tables: [TableAppend]
  package let errors: [ErrorRow]
  package let originals: (any AppendOriginals)?
  package init(
    shard: ShardID, mark: LogMark, tables: [TableAppend], errors: [ErrorRow], originals: (any AppendOriginals)? = nil
  ) {
    self.shard = shard
    self.mark = mark
    self.tables = tables
    self.errors = errors
    self.originals = originals
  }
}

/// What became of a batch.
package struct AppendReceipt: Sendable {
  package var stored: Int
  package var duplicates: Int
  package var failed: Int
  package init(stored: Int, duplicates: Int, failed: Int) {
    self.stored = stored
    self.duplicates = duplicates
    self.failed = failed
  }
}

package protocol AppendSink: Sendable {
  /// W of a shard as it is on disk, or `nil` when the shard has no data.
  func written(shard: ShardID) throws(Fault) -> LogMark?
  /// Applies a batch with one synced write. Rows at or below W, and rows whose identity is known, are counted as
  /// duplicates and not stored. Blocks; one caller per shard.
  func append(_ batch: AppendBatch) throws(Fault) -> AppendReceipt
}

/// What the flush procedure reports.
package struct FlushReceipt: Sendable {
  package var table: String
  package var rows: Int64
  package var files: Int
  package var bytes: Int64
  /// The Delta version, or `nil` when there was nothing to flush.
  package var deltaVersion: Int64?
  package init(table: String, rows: Int64, files: Int, bytes: Int64, deltaVersion: Int64?) {
    self.table = table
    self.rows = rows
    self.files = files
    self.bytes = bytes
    self.deltaVersion = deltaVersion
  }
}
