// One consistent cut over all tables and both tiers, published after every change and taken by readers.
//
// A cut pairs a hot view R with, for each table, a lake snapshot V. Invariants, which make the union exact without a
// lock (RELIABILITY.md section 1.5):
//   1. txn(V) >= D(R): a hot chunk is deleted only in a write that follows a cut with the V that has its rows.
//   2. txn(V) <= W(R): only what is written is flushed, and the writer's lock orders both.
// The answer is V plus the rows of R behind txn(V).

import Bedrock
import Columnar
import EventSchema
import HotTier
import StorageContract

/// One event table with all its schema versions.
struct TableEntry: Sendable {
  let id: TableID
  /// Version n at n - 1.
  private(set) var schemas: [TableSchema]
  private(set) var layouts: [ChunkLayout]

  init(id: TableID, first schema: TableSchema) {
    precondition(schema.version == 1)
    self.id = id
    schemas = [schema]
    layouts = [ChunkLayout(schema)]
  }

  mutating func append(_ schema: TableSchema) {
    precondition(schema.version == schemas.count + 1)
    schemas.append(schema)
    layouts.append(ChunkLayout(schema))
  }

  var newest: TableSchema { schemas[schemas.count - 1] }

  func layout(version: Int) -> ChunkLayout? {
    layouts.indices.contains(version - 1) ? layouts[version - 1] : nil
  }
}

/// S and D of a table; -1: nothing yet.
struct TierMark: Sendable, Equatable {
  var tiered: Int64 = -1
  var deleted: Int64 = -1

  init() {}
  init(_ bytes: [UInt8]) throws(Fault) {
    var reader = RecordReader(bytes)
    tiered = try reader.integer()
    deleted = try reader.integer()
    guard deleted <= tiered else { throw .corrupt("a table has more deleted than tiered") }
  }
  var bytes: [UInt8] {
    var writer = RecordWriter()
    writer.put(tiered)
    writer.put(deleted)
    return writer.bytes
  }
}

/// What a cut knows of one event table.
struct CutTable: Sendable {
  var entry: TableEntry
  /// The shard that feeds the table; `nil` before its first event.
  var owner: ShardID?
  var mark = TierMark()
  var cold: any ColdSnapshot
  var coldTable: any ColdTable
  /// txn(V), or -1.
  var coldPosition: Int64

  /// Rows of the hot tier that are not in the lake.
  func hotRows(in view: HotView) -> Int64 {
    let hot = view.table(entry.id)
    if mark.deleted >= coldPosition { return hot.rowCount }
    return hot.chunks.reduce(0) { $0 + ($1.header.positions.upperBound > coldPosition ? Int64($1.rowCount) : 0) }
  }
}

final class EngineCut: Sendable {
  let hot: HotView
  let tables: [TableID: CutTable]
  let marks: [ShardID: LogMark]

  init(hot: HotView, tables: [TableID: CutTable], marks: [ShardID: LogMark]) {
    self.hot = hot
    self.tables = tables
    self.marks = marks
    #if DEBUG
      for table in tables.values {
        precondition(table.coldPosition >= table.mark.deleted, "D <= S")
        guard let owner = table.owner, let written = marks[owner] else { continue }
        precondition(table.coldPosition <= written.position.raw, "S <= W")
      }
    #endif
  }
}
