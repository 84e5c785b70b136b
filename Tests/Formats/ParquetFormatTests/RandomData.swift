// Seeded columns for round trips.

import Bedrock
import Columnar
import ParquetFormat

/// SplitMix64.
struct Seed {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

enum RandomData {
  enum Shape: CaseIterable { case few, many, rising, constant }

  static let types: [DataType] = [
    .boolean, .int2, .int4, .int8, .float4, .float8, .numeric(.init(precision: 7, scale: 2)),
    .numeric(.init(precision: 18, scale: 4)), .numeric(.init(precision: 34, scale: 6)), .text, .varchar(300), .jsonb,
    .bytea, .date, .time, .timestamp, .timestamptz, .uuid,
  ]

  static func column(
    _ type: DataType, rows: Int, shape: Shape, nullsPerThousand: Int, seed: inout Seed
  ) -> Column {
    var builder = ColumnBuilder(type: type, capacity: rows)
    let start = Int64(seed.below(1_000_000))
    for row in 0..<rows {
      if seed.below(1_000) < nullsPerThousand {
        builder.appendNull()
        continue
      }
      let number: Int64 =
        switch shape {
        case .few: Int64(seed.below(20))
        case .many: Int64(bitPattern: seed.next())
        case .rising: start + Int64(row) * 3 + Int64(seed.below(3))
        case .constant: start
        }
      builder.append(scalar(type, number))
    }
    return builder.finish()
  }

  private static func scalar(_ type: DataType, _ number: Int64) -> Scalar {
    switch type {
    case .boolean: return .boolean(number & 1 == 1)
    case .int2: return .integer(Int64(Int16(truncatingIfNeeded: number)))
    case .int4: return .integer(Int64(Int32(truncatingIfNeeded: number)))
    case .date: return .integer(number % 3_000_000)
    case .time: return .integer(Int64(number.magnitude % 86_400_000_000))
    case .timestamp, .timestamptz: return .integer(number % 100_000_000_000_000_000)
    case .float4: return .float(Double(Float(number) / 8))
    case .float8: return .float(Double(number) / 16)
    case .numeric(let modifier?):
      let digits = min(modifier.precision, 18)
      var limit: Int64 = 1
      for _ in 0..<digits { limit *= 10 }
      return Numeric(coefficient: Int128(number % limit), scale: modifier.scale).map { .numeric($0) } ?? .null
    case .text, .varchar, .jsonb:
      let repeated = Int(truncatingIfNeeded: number & 7)
      return .text("value-\(number)-" + String(repeating: "äb€", count: repeated * repeated))
    case .bytea: return .bytes(withUnsafeBytes(of: number) { Array($0) })
    case .uuid: return .uuid(UUIDValue(high: UInt64(bitPattern: number), low: UInt64(bitPattern: ~number)))
    default: return .integer(number)
    }
  }
}

/// Writes and reads files in memory.
enum Files {
  static func write(
    _ columns: [ParquetColumn], _ chunks: [Chunk], options: ParquetWriterOptions = ParquetWriterOptions()
  ) throws -> (bytes: [UInt8], summary: ParquetFileSummary) {
    var writer = try ParquetWriter(columns: columns, options: options)
    var output: [UInt8] = []
    for chunk in chunks { try writer.append(chunk, to: &output) }
    let summary = try writer.finish(to: &output)
    return (output, summary)
  }

  static func parse(_ bytes: [UInt8]) throws -> ParquetFile {
    switch try ParquetFooter.parse(tail: bytes.span.bytes, fileByteCount: bytes.count) {
    case .file(let file): return file
    case .needs: throw Fault.bug("the whole file was given")
    }
  }

  static func decoder(
    _ bytes: [UInt8], _ file: ParquetFile, group: Int, column: Int, as type: DataType? = nil
  ) throws -> ColumnChunkDecoder {
    let chunk = file.rowGroups[group].columns[column]
    return try ColumnChunkDecoder(
      leaf: file.leaves[column], chunk: chunk, as: type, bytes: .copying(Array(bytes[chunk.byteRange])))
  }

  /// All rows of a column, decoded in runs of `run` rows.
  static func scalars(
    _ bytes: [UInt8], _ file: ParquetFile, column: Int, as type: DataType? = nil, run: Int = Limits.chunkRowsMax
  ) throws -> [Scalar] {
    var result: [Scalar] = []
    for group in file.rowGroups.indices {
      let decoder = try decoder(bytes, file, group: group, column: column, as: type)
      while decoder.rowsRemaining > 0 {
        let part = try decoder.decode(rows: run)
        for row in 0..<part.count { result.append(part.scalar(at: row)) }
      }
    }
    return result
  }
}

extension Column {
  var scalars: [Scalar] { (0..<count).map { scalar(at: $0) } }
}
