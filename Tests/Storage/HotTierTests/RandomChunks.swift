// Seeded chunks of every type, form and degree of nullness.

import Columnar
import EventSchema
import HotTier
import Runtime

enum RandomChunks {
  static let types: [DataType] = [
    .boolean, .int2, .int4, .int8, .float4, .float8, .numeric, .interval, .uuid, .text, .jsonb, .bytea, .date,
    .timestamptz, .array(.int8), .array(.text), .array(.boolean),
  ]

  /// sequence, _pos and published, then one column of each type.
  static let columns: [TableColumn] =
    [
      TableColumn(fieldID: 1, name: "sequence", type: .int8, isNullable: false),
      TableColumn(fieldID: 2, name: "_pos", type: .int8, isNullable: false),
      TableColumn(fieldID: 3, name: "published", type: .timestamptz, isNullable: false),
    ]
    + types.enumerated().map { index, type in
      TableColumn(
        fieldID: Int32(16 + index), name: "c\(index)", type: type, isNullable: true, isPersonal: index % 7 == 6)
    }

  static let layout = ChunkLayout(columns: columns, schemaVersion: 3, sequence: 0, position: 1, published: 2)

  static func scalar(_ type: DataType, _ random: inout SeededGenerator, narrow: Bool) -> Scalar {
    let word = random.next()
    switch type.physical {
    case .bool8: return .boolean(word & 1 == 1)
    case .int32: return .integer(Int64(narrow ? Int32(word % 100) : Int32(truncatingIfNeeded: word)))
    case .int64: return .integer(narrow ? Int64(word % 1_000) - 500 : Int64(bitPattern: word))
    case .float32: return .float(Double(Float(Int32(truncatingIfNeeded: word)) / 8))
    case .float64: return .float(word % 50 == 0 ? .nan : Double(Int64(bitPattern: word)) / 1_024)
    case .numeric:
      return .numeric(Numeric(coefficient: Int128(Int64(bitPattern: word)), scale: Int(word % 9)) ?? .zero)
    case .interval:
      return .interval(
        Interval(months: Int32(word % 20), days: Int32(word >> 8 % 400 & 0xFF), micros: Int64(bitPattern: word)))
    case .uuid: return .uuid(UUIDValue(high: word, low: random.next()))
    case .bytes:
      if narrow { return .text(["alpha", "beta", "", "gamma-delta-epsilon"][Int(word % 4)]) }
      return .bytes((0..<Int(word % 40)).map { _ in UInt8(random.next() % 26) + 97 })
    case .list:
      guard let element = type.element else { return .null }
      return .list(
        (0..<Int(word % 5)).map { _ in random.next() % 6 == 0 ? .null : scalar(element, &random, narrow: narrow) })
    }
  }

  static func column(_ type: DataType, rows: Int, _ random: inout SeededGenerator) -> Column {
    let kind = random.next() % 6
    if kind == 0 { return .constant(scalar(type, &random, narrow: true), type: type, count: rows) }
    if kind == 1 { return .nulls(type, count: rows) }
    let values = (0..<rows).map { _ in
      kind >= 4 && random.next() % 4 == 0 ? Scalar.null : scalar(type, &random, narrow: kind & 1 == 1)
    }
    return ColumnBuilder.column(type, values)
  }

  static func chunk(rows: Int, firstSequence: Int64, firstPosition: Int64, seed: UInt64) -> Chunk {
    var random = SeededGenerator(seed: seed)
    let range = (0..<Int64(rows)).map { $0 }
    var out = [
      ColumnBuilder.column(.int8, range.map { .integer(firstSequence + $0) }),
      ColumnBuilder.column(.int8, range.map { .integer(firstPosition + $0) }),
      ColumnBuilder.column(.timestamptz, range.map { .integer(1_000_000 * (firstPosition + $0) + Int64(random.next() % 999)) }),
    ]
    for type in types { out.append(column(type, rows: rows, &random)) }
    return Chunk(columns: out, rowCount: rows)
  }
}
