// The vocabulary of the Parquet format (parquet.thrift): physical types, logical types, encodings, and our limits.

import Bedrock

/// How values lie in the pages of a file.
package enum ParquetType: Int32, Sendable {
  case boolean, int32, int64, int96, float, double, byteArray, fixedLenByteArray
}

/// Numbers of `Encoding` in parquet.thrift.
package enum ParquetEncoding: Int32, Sendable {
  case plain = 0
  case plainDictionary = 2
  case rle = 3
  case bitPacked = 4
  case deltaBinaryPacked = 5
  case deltaLengthByteArray = 6
  case deltaByteArray = 7
  case rleDictionary = 8
  case byteStreamSplit = 9
}

/// What the values of a leaf mean.
package enum ParquetLogicalType: Sendable, Equatable {
  package enum Unit: Sendable, Equatable { case millis, micros, nanos }
  case none
  case string, json, bson, enumeration
  case uuid
  case decimal(precision: Int, scale: Int)
  case date
  case time(Unit)
  case timestamp(Unit, utc: Bool)
  case integer(bitWidth: Int, signed: Bool)
  case float16
  /// 12 bytes: months, days, milliseconds.
  case interval
  /// Shapes in well-known binary.
  case geometry, geography
  /// A column that holds only nulls.
  case unknown
  /// An annotation that makes the column unreadable here, named for the message.
  case other(String)
}

/// Limits that only Parquet has; those that a user may meet are in `Bedrock.Limits`.
enum ParquetLimits {
  /// Bytes of a dictionary page of ours.
  static let dictionaryBytesMax = 16 * 1_048_576
  /// Bytes of one column chunk.
  static let columnChunkBytesMax = 1 << 30
  /// A page may unfold to this many times its compressed size, or to `ratioFloorBytes`, whichever is more. The floor lets
  /// a dictionary of long and very similar strings through.
  static let ratioMax = 1_000
  static let ratioFloorBytes = dictionaryBytesMax
  /// Bytes that one `decode(rows:)` may return for a column of variable width.
  static let decodedBytesMax = 1 << 30
  /// Elements of lists that one `decode(rows:)` of a nested column may meet: run-length coded levels can claim billions.
  static let nestedElementsMax = 1 << 24
  /// Bytes of a bloom filter, as the specification of the format allows.
  static let bloomFilterBytesMax = 128 * 1_048_576
  /// Column chunks of all row groups.
  static let columnChunksMax = 1_000_000
  /// Nodes of the schema tree.
  static let schemaElementsMax = 2 * Limits.parquetColumnsMax
  /// Bytes of a string in a statistic; longer ones are cut.
  static let statisticBytesMax = 64
}

extension Array where Element == UInt8 {
  /// Appends an integer in little-endian order.
  @inline(__always)
  mutating func append<T: FixedWidthInteger>(littleEndian value: T) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }

  /// Appends an unsigned LEB128 number.
  mutating func append(varint value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  /// Appends a signed number, zigzag-coded.
  mutating func append(zigzag value: Int64) { append(varint: UInt64(bitPattern: value << 1 ^ value >> 63)) }
}
