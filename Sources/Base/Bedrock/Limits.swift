// Every maximum has its home here, with its unit. A length from the wire or a file is compared with its limit before
// anything is allocated for it.

/// The limits of Cramped. Relations between them are asserted by `Limits.check()` at start and by a test.
package enum Limits {
  /// Rows of a chunk between two operators of a query, and the most a `ChunkReader` may return at once.
  package static let chunkRowsMax = 8_192
  /// Rows of one stored chunk of the hot tier.
  package static let hotChunkRowsMax = 65_536
  /// Bytes of one event payload (NATS `max_payload` has the same default).
  package static let eventBytesMax = 1_048_576
  /// Nesting depth of a JSON event.
  package static let jsonDepthMax = 64
  /// Bytes of one identifier (domain, entity, event name, column), as PostgreSQL's NAMEDATALEN - 1.
  package static let identifierBytesMax = 63
  /// Columns of one table.
  package static let tableColumnsMax = 1_600
  /// Bytes of one SQL text.
  package static let statementBytesMax = 1_048_576
  /// Tokens of one SQL text.
  package static let statementTokensMax = 50_000
  /// Nesting depth of one SQL text, and of every expression and plan made from it.
  package static let statementDepthMax = 500
  /// Bytes of a start-up packet (PostgreSQL's MAX_STARTUP_PACKET_LENGTH).
  package static let startupPacketBytesMax = 10_000
  /// Bytes of a wire message from a client after start-up.
  package static let wireMessageBytesMax = 16 * 1_048_576
  /// Prepared statements, and portals, of one connection.
  package static let preparedStatementsMax = 1_000
  package static let portalsMax = 100
  /// Bytes of a Parquet footer.
  package static let parquetFooterBytesMax = 64 * 1_048_576
  /// Bytes of one Parquet page once decompressed.
  package static let parquetPageBytesMax = 64 * 1_048_576
  /// Columns (leaves) and nesting depth of a Parquet schema.
  package static let parquetColumnsMax = 10_000
  package static let parquetDepthMax = 64
  /// Bytes of one Delta commit file, and of one line in it.
  package static let deltaCommitBytesMax = 256 * 1_048_576
  package static let deltaLineBytesMax = 16 * 1_048_576
  /// Broken checkpoints of a Delta log passed over for an older one.
  package static let deltaCheckpointsTriedMax = 8
  /// Bytes of one Avro file (an Iceberg manifest), of one block in it once decompressed, and of its schema's text.
  package static let avroFileBytesMax = 256 * 1_048_576
  package static let avroBlockBytesMax = 64 * 1_048_576
  package static let avroSchemaBytesMax = 1_048_576
  /// Nesting depth of an Avro schema.
  package static let avroDepthMax = 64
  /// Bytes of one Iceberg table metadata file.
  package static let icebergMetadataBytesMax = 64 * 1_048_576

  /// Asserts the relations between limits.
  package static func check() {
    precondition(chunkRowsMax <= hotChunkRowsMax)
    precondition(hotChunkRowsMax <= Int(Int32.max))
    precondition(eventBytesMax <= wireMessageBytesMax)
    precondition(deltaLineBytesMax <= deltaCommitBytesMax)
    precondition(statementBytesMax <= wireMessageBytesMax)
  }
}
