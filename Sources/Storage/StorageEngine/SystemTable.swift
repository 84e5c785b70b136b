// The tables of schema `cramped`. `errors` is stored; the others are made from a cut when they are scanned.

import Bedrock
import Columnar
import EventSchema
import HotTier
import StorageContract

/// Table ids below `firstEventTable` are the system's.
enum SystemTable: UInt32, CaseIterable {
  case errors = 1, ledger, tables, gaps, schemas

  static let firstEventTable: UInt32 = 1_000
  static let schema = "cramped"

  var id: TableID { TableID(raw: rawValue) }
  var name: String { String(describing: self) }

  var columns: [TableColumn] {
    let list: [(String, DataType)]
    switch self {
    case .errors: return ErrorTable.columns
    case .ledger:
      list = [
        ("domain", .text), ("minute", .timestamptz), ("received", .int8), ("stored", .int8), ("failed", .int8),
        ("duplicate", .int8),
      ]
    case .tables:
      list = [
        ("domain", .text), ("entity", .text), ("stream", .text), ("hot_rows", .int8), ("hot_chunks", .int8),
        ("hot_bytes", .int8), ("lake_rows", .int8), ("lake_files", .int8), ("lake_bytes", .int8),
        ("lake_version", .int8), ("written_position", .int8), ("tiered_position", .int8), ("deleted_position", .int8),
        ("schema_version", .int4),
      ]
    case .gaps:
      list = [("domain", .text), ("entity", .text), ("first_missing", .int8), ("last_missing", .int8), ("missing", .int8)]
    case .schemas:
      list = [
        ("domain", .text), ("entity", .text), ("version", .int4), ("event", .text), ("field", .text), ("column", .text),
        ("type", .text), ("policy", .text), ("file", .text),
      ]
    }
    return list.enumerated().map { index, column in
      TableColumn(fieldID: Int32(index + 1), name: column.0, type: column.1, isNullable: true)
    }
  }

  func description(hot: HotView) -> TableDescription {
    let rows = self == .errors ? hot.table(id).rowCount : 100
    return TableDescription(id: id, schema: Self.schema, name: name, columns: columns, estimatedRows: rows)
  }

  /// All rows and columns, as of a cut.
  func chunk(of cut: EngineCut, engine: StorageEngine) throws(Fault) -> Chunk {
    let rows: [[Scalar]]
    switch self {
    case .errors: preconditionFailure("cramped.errors is stored")
    case .ledger: rows = try Self.ledgerRows(cut)
    case .tables: rows = Self.tableRows(cut)
    case .gaps: rows = try Self.gapRows(cut, engine)
    case .schemas: rows = Self.schemaRows(cut)
    }
    let columns = self.columns.enumerated().map { index, column in
      ColumnBuilder.column(column.type, rows.map { $0[index] })
    }
    return Chunk(columns: columns, rowCount: rows.count)
  }

  private static func sorted(_ cut: EngineCut) -> [CutTable] {
    cut.tables.values.sorted { $0.entry.newest.name < $1.entry.newest.name }
  }

  private static func ledgerRows(_ cut: EngineCut) throws(Fault) -> [[Scalar]] {
    var rows: [[Scalar]] = []
    try cut.hot.forEachRecord(prefix: RecordKey.ledger) { (key, value) throws(Fault) in
      let (minute, domain) = try RecordKey.minuteAndDomain(of: key)
      let counters = try LedgerCounters(value)
      rows.append([
        domain.isEmpty ? .null : .text(domain), .integer(minute * 60_000_000), .integer(counters.received),
        .integer(counters.stored), .integer(counters.failed), .integer(counters.duplicate),
      ])
    }
    return rows
  }

  private static func tableRows(_ cut: EngineCut) -> [[Scalar]] {
    func position(_ value: Int64) -> Scalar { value < 0 ? .null : .integer(value) }
    return sorted(cut).map { table in
      let hot = cut.hot.table(table.entry.id)
      // Chunks that are flushed but not yet deleted count for the lake.
      var rows: Int64 = 0
      var bytes: Int64 = 0
      var chunks: Int64 = 0
      for chunk in hot.chunks where chunk.header.positions.upperBound > table.coldPosition {
        rows += Int64(chunk.rowCount)
        bytes += Int64(chunk.header.byteCount)
        chunks += 1
      }
      let schema = table.entry.newest
      return [
        .text(schema.domain), .text(schema.entity), table.owner.map { .text($0.name) } ?? .null, .integer(rows),
        .integer(chunks), .integer(bytes), .integer(table.cold.rowCount), .integer(Int64(table.cold.fileCount)),
        .integer(table.cold.byteCount), position(table.cold.version),
        position(table.owner.flatMap { cut.marks[$0]?.position.raw } ?? -1), position(table.coldPosition),
        position(table.mark.deleted), .integer(Int64(schema.version)),
      ]
    }
  }

  /// Rows of cramped.gaps at most; the first ones of each table are shown.
  private static let gapRowsMax = 100_000

  private static func gapRows(_ cut: EngineCut, _ engine: StorageEngine) throws(Fault) -> [[Scalar]] {
    var rows: [[Scalar]] = []
    let seen = try engine.seenSets()
    for table in sorted(cut) {
      guard let set = seen[table.entry.id] else { continue }
      let schema = table.entry.newest
      var previous: Int64?
      set.forEach { interval in
        if let previous, rows.count < gapRowsMax {
          let missing = (interval.lowerBound - 1).subtractingReportingOverflow(previous)
          rows.append([
            .text(schema.domain), .text(schema.entity), .integer(previous + 1), .integer(interval.lowerBound - 1),
            .integer(missing.overflow ? .max : missing.partialValue),
          ])
        }
        previous = interval.upperBound
      }
    }
    return rows
  }

  private static func schemaRows(_ cut: EngineCut) -> [[Scalar]] {
    var rows: [[Scalar]] = []
    for table in sorted(cut) {
      for schema in table.entry.schemas {
        for event in schema.events {
          for field in event.fields {
            rows.append([
              .text(schema.domain), .text(schema.entity), .integer(Int64(schema.version)), .text(event.name.description),
              .text(field.name), .text(field.column), .text(String(describing: TableSchema.storedType(of: field))),
              .text(String(describing: field.policy)), .text(event.file),
            ])
          }
        }
      }
    }
    return rows
  }
}
