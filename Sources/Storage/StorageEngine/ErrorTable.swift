// cramped.errors: events that could not be applied, stored as chunks like any table. They stay in the hot tier.

import Bedrock
import Columnar
import EventSchema
import HotTier
import StorageContract

enum ErrorTable {
  static let columns: [TableColumn] = {
    let list: [(String, DataType, Bool)] = [
      ("error_id", .int8, false), ("domain", .text, true), ("entity", .text, true), ("name", .text, true),
      ("sequence", .int8, true), ("code", .text, false), ("stage", .text, false), ("path", .text, true),
      ("rule", .text, true), ("message", .text, false), ("schema_version", .int4, true), ("subject", .text, false),
      ("stream", .text, false), ("stream_sequence", .int8, false), ("position", .int8, false),
      ("received", .timestamptz, false), ("state", .text, false), ("payload", .bytea, false),
    ]
    return list.enumerated().map { index, column in
      TableColumn(
        fieldID: Int32(index + 1), name: column.0, type: column.1, isNullable: column.2,
        isPersonal: column.0 == "payload")
    }
  }()

  static let domain = 1
  static let received = 15
  static let layout = ChunkLayout(columns: columns, schemaVersion: 1, sequence: 0, position: 14, published: received)

  /// Rows for `errors`, numbered from `firstID`.
  static func chunk(_ errors: [ErrorRow], firstID: Int64) -> Chunk {
    func text(_ value: String?) -> Scalar { value.map { .text($0) } ?? .null }
    func integer(_ value: Int64?) -> Scalar { value.map { .integer($0) } ?? .null }
    var values = [[Scalar]](repeating: [], count: columns.count)
    for (index, error) in errors.enumerated() {
      let row: [Scalar] = [
        .integer(firstID + Int64(index)), text(error.domain), text(error.entity), text(error.name),
        integer(error.sequence), .text(error.code), .text(error.stage), text(error.path), text(error.rule),
        .text(error.message), integer(error.schemaVersion.map(Int64.init)), .text(error.subject), .text(error.stream),
        .integer(Int64(error.position.sequence)), .integer(error.position.raw), .integer(error.receivedMicros),
        .text("open"), .bytes(error.sealedPayload),
      ]
      for (column, value) in row.enumerated() { values[column].append(value) }
    }
    let built = zip(columns, values).map { column, scalars in ColumnBuilder.column(column.type, scalars) }
    return Chunk(columns: built, rowCount: errors.count)
  }
}
