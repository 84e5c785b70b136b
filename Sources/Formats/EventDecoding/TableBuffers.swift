// The rows of one table that a batch has so far.
//
//   columns      all columns of the schema version, in order
//   sideColumns  raw values that a hash will replace, with the row each belongs to; they never leave the ingest path
//
// A row is begun by writing content, and ended by `commitRow`, which writes the system columns; `rollBackRow` takes
// back whatever a rejected event wrote.

import Bedrock
import Columnar
import EventSchema
import StorageContract

/// Raw values of one field, waiting to be hashed into a text column.
final class SideColumn {
  let column: Int
  let algorithm: HashAlgorithm
  let values = ColumnBuffer(type: .bytea)
  var rows: [Int32] = []

  init(column: Int, algorithm: HashAlgorithm) {
    self.column = column
    self.algorithm = algorithm
  }

  func append(_ bytes: UnsafeBufferPointer<UInt8>, row: Int) {
    values.append(bytes: bytes, row: rows.count)
    rows.append(Int32(truncatingIfNeeded: row))
  }

  func truncate(to row: Int) {
    while let last = rows.last, Int(last) >= row { rows.removeLast() }
    values.truncate(to: rows.count)
  }
}

final class TableBuffers {
  let id: TableID
  let schema: TableSchema
  let columns: [ColumnBuffer]
  private(set) var sides: [SideColumn] = []
  private(set) var rowCount = 0

  init(table: RegisteredTable) {
    id = table.id
    schema = table.schema
    columns = table.schema.columns.map { ColumnBuffer(type: $0.type) }
  }

  /// Decides where a field's values go; makes the side column of a hashed one.
  func target(of field: EventField) -> FieldTarget {
    guard field.policy != .drop, let column = schema.column(named: field.column) else { return .discarded }
    switch field.policy {
    case .keep, .id: return .column(column)
    case .tokenize, .encrypt, .drop: return .discarded
    case .hash(let algorithm):
      if let known = sides.firstIndex(where: { $0.column == column && $0.algorithm == algorithm }) {
        return .hashed(known)
      }
      sides.append(SideColumn(column: column, algorithm: algorithm))
      return .hashed(sides.count - 1)
    }
  }

  /// True when the current row has a value, or null, in the target already.
  func isWritten(_ target: FieldTarget) -> Bool {
    switch target {
    case .column(let column): columns[column].count > rowCount
    case .hashed(let side): sides[side].rows.last.map { Int($0) == rowCount } ?? false
    case .discarded: false
    }
  }

  func commitRow(
    sequence: Int64, name: UnsafeBufferPointer<UInt8>, published: Int64, received: Int64, position: Position,
    hash: UInt64
  ) {
    columns[SystemColumn.sequence].append(sequence, row: rowCount)
    columns[SystemColumn.name].append(bytes: name, row: rowCount)
    columns[SystemColumn.published].append(published, row: rowCount)
    columns[SystemColumn.received].append(received, row: rowCount)
    columns[SystemColumn.position].append(position.raw, row: rowCount)
    columns[SystemColumn.hash].append(Int64(bitPattern: hash), row: rowCount)
    rowCount += 1
  }

  func rollBackRow() {
    for column in columns { column.truncate(to: rowCount) }
    for side in sides { side.truncate(to: rowCount) }
  }

  func finish() -> DecodedTable {
    let chunk = Chunk(columns: columns.map { $0.finish(rowCount: rowCount) }, rowCount: rowCount)
    let pending = sides.compactMap { side -> PendingHash? in
      guard !side.rows.isEmpty else { return nil }
      let values = side.values.finish(rowCount: side.rows.count)
      defer { side.rows.removeAll(keepingCapacity: true) }
      return PendingHash(column: side.column, algorithm: side.algorithm, rows: side.rows, values: values)
    }
    rowCount = 0
    return DecodedTable(
      table: id, schemaVersion: schema.version, domain: schema.domain, entity: schema.entity, chunk: chunk,
      pendingHashes: pending)
  }
}
