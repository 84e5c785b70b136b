// The table that tests of the lake and of what stands on it write: its schema, its rows, and those as chunks.

package import Bedrock
package import Columnar
package import EventSchema
package import Runtime

/// The fault `body` throws, or nil.
package func fault(_ body: () throws(Fault) -> Void) -> Fault? {
  do throws(Fault) {
    try body()
    return nil
  } catch { return error }
}

package enum MeasurementTable {
  package static let appID = "lake/test/iot.measurement/0"
  /// When row 0 was published.
  package static let start: Int64 = 1_764_000_000_000_000

  /// `iot.measurement` with one column of each usual type; `email` is personal.
  package static let schema: TableSchema = table([
    ("series", .text, false), ("value", .float8, false), ("email", .text, true), ("ok", .boolean, false),
    ("small", .int2, false), ("number", .int4, false), ("single", .float4, false),
    ("amount", .numeric(DataType.NumericModifier(precision: 20, scale: 2)), false), ("day", .date, false),
    ("raw", .bytea, false), ("at", .timestamptz, false),
  ])

  /// The same with one more column.
  package static let nextSchema = TableSchema(
    domain: "iot", entity: "measurement", version: 2, events: [],
    columns: schema.columns + [TableColumn(fieldID: 40, name: "added", type: .int8, isNullable: true)])

  /// The system columns and these.
  package static func table(_ content: [(name: String, type: DataType, isPersonal: Bool)]) -> TableSchema {
    var columns = SystemColumn.columns
    for (index, column) in content.enumerated() {
      columns.append(
        TableColumn(
          fieldID: SystemColumn.firstContentFieldID + Int32(index), name: column.name, type: column.type,
          isNullable: true, isPersonal: column.isPersonal))
    }
    return TableSchema(domain: "iot", entity: "measurement", version: 1, events: [], columns: columns)
  }

  /// Columns of the schema that go to the lake.
  package static func lakeColumns(_ schema: TableSchema) -> [TableColumn] {
    schema.columns.enumerated().filter { $0.offset != SystemColumn.hash }.map(\.element)
  }

  /// Rows with positions `positions`; `published` wanders around the position, so that rows must be sorted.
  /// - Parameter isHard: with texts beyond the length of statistics, NaN and -0.0.
  package static func rows(
    _ positions: Range<Int64>, _ schema: TableSchema = schema, seed: UInt64 = 1, isHard: Bool = false
  ) -> [[Scalar]] {
    positions.map { position in
      var generator = SeededGenerator(seed: seed ^ UInt64(position) &* 0x9E37_79B9)
      let published = start + position * 1_000 + Int64.random(in: -20_000...20_000, using: &generator)
      return lakeColumns(schema).map { column in
        switch column.name {
        case "sequence": .integer(position * 10)
        case "name": .text("recorded")
        case "published", "received": .integer(published)
        case "metadata": position % 3 == 0 ? .null : .text("{\"k\":\(position)}")
        case "_pos": .integer(position)
        case "series":
          .text("series-\(position % 7)" + String(repeating: "é", count: isHard ? Int(position % 50) : 0))
        case "email": .text("person\(position)@example.org")
        case "value" where isHard && position % 101 == 0: .float(-0.0)
        case "value" where isHard && position % 103 == 0: .float(.nan)
        default: value(column.type, &generator)
        }
      }
    }
  }

  /// A value of a type, or null for one in ten.
  package static func value(_ type: DataType, _ generator: inout SeededGenerator) -> Scalar {
    if Int.random(in: 0..<10, using: &generator) == 0 { return .null }
    switch type {
    case .boolean: return .boolean(Bool.random(using: &generator))
    case .int2: return .integer(Int64.random(in: -32_768...32_767, using: &generator))
    case .int4: return .integer(Int64(Int32.random(in: .min ... .max, using: &generator)))
    case .int8: return .integer(Int64.random(in: .min ... .max, using: &generator))
    case .float4: return .float(Double(Float.random(in: -1...1, using: &generator)))
    case .float8: return .float(Double.random(in: -1e9...1e9, using: &generator))
    case .numeric(let modifier):
      let coefficient = Int128(Int64.random(in: -1_000_000_000_000...1_000_000_000_000, using: &generator))
      let scale = modifier?.scale ?? Int.random(in: 0...12, using: &generator)
      return Numeric(coefficient: coefficient, scale: scale).map { .numeric($0) } ?? .null
    case .date: return .integer(Int64.random(in: -30_000...30_000, using: &generator))
    case .time: return .integer(Int64.random(in: 0..<86_400_000_000, using: &generator))
    case .timestamp, .timestamptz: return .integer(Int64.random(in: 0...start, using: &generator))
    case .interval:
      return .interval(
        Interval(
          months: Int32.random(in: -40...40, using: &generator), days: Int32.random(in: -40...40, using: &generator),
          micros: Int64.random(in: -90_000_000_000...90_000_000_000, using: &generator)))
    case .uuid: return .uuid(UUIDValue(high: generator.next(), low: generator.next()))
    case .bytea: return .bytes((0..<5).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    case .json, .jsonb: return .text("{\"a\":[\(Int.random(in: 0..<100, using: &generator)),null,\"ä\"]}")
    case .array(let element):
      let count = Int.random(in: 0...4, using: &generator)
      return .list((0..<count).map { _ in value(element, &generator) })
    default: return .text("text-\(Int.random(in: 0..<1_000, using: &generator))")
    }
  }

  package static func chunk(_ rows: [[Scalar]], _ schema: TableSchema = schema) -> Chunk {
    let columns = lakeColumns(schema).enumerated().map { index, column in
      ColumnBuilder.column(column.type, rows.map { $0[index] })
    }
    return Chunk(columns: columns, rowCount: rows.count)
  }
}
