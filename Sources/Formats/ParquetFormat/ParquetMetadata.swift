// What a footer says: leaves of the schema, row groups, column chunks, statistics. Values only; parsing is FooterReader.

import Bedrock

/// One leaf of the schema. Column chunks of a row group follow the order of the leaves.
package struct ParquetLeaf: Sendable {
  /// The names from the root; a flat column has one.
  package let path: [String]
  package let physical: ParquetType
  /// Bytes of a FIXED_LEN_BYTE_ARRAY value, else 0.
  package let typeLength: Int
  package let logical: ParquetLogicalType
  package let maxDefinition: Int
  package let maxRepetition: Int
  package let fieldID: Int32?

  package var name: String { path[path.count - 1] }
  package var isNullable: Bool { maxDefinition > 0 }
  /// True for a column that is not inside a group.
  package var isFlat: Bool { path.count == 1 && maxRepetition == 0 && maxDefinition <= 1 }
  /// True for a column whose levels say no more than null or not: it may be inside of required groups.
  var isPlain: Bool { maxRepetition == 0 && maxDefinition <= 1 }
}

/// Where a column chunk lies, how it is coded, what is known of its values.
package struct ParquetColumnChunk: Sendable {
  /// `nil`: a codec this reader does not have; `codecNumber` names it.
  package let codec: ParquetCodec?
  package let codecNumber: Int32
  package let valueCount: Int
  /// The pages in the file, dictionary page first.
  package internal(set) var byteRange: Range<Int>
  package let uncompressedByteCount: Int
  package internal(set) var statistics: ParquetStatistics?
  package let offsetIndexRange: Range<Int>?
  package internal(set) var columnIndexRange: Range<Int>?
  /// Numbers of `ParquetEncoding` that the pages use, as the writer lists them.
  package internal(set) var encodings: [Int32] = []
  package internal(set) var dictionaryPageOffset: Int?
  package internal(set) var dataPageOffset = 0
  /// Where the bloom filter begins; its length is `nil` with writers that do not say.
  package internal(set) var bloomFilter: (offset: Int, byteCount: Int?)?
  package internal(set) var sizes: ParquetSizeStatistics?
  /// Nothing of an encrypted chunk is readable without its key.
  package internal(set) var isEncrypted = false

  /// Stands for a chunk whose metadata may be unreadable.
  static let encrypted: ParquetColumnChunk = {
    var chunk = ParquetColumnChunk(
      codec: nil, codecNumber: -1, valueCount: 0, byteRange: 0..<0, uncompressedByteCount: 0, statistics: nil,
      offsetIndexRange: nil, columnIndexRange: nil)
    chunk.isEncrypted = true
    return chunk
  }()
}

/// The struct `SizeStatistics`: how large the values are outside of the file, and how often each level occurs.
package struct ParquetSizeStatistics: Sendable {
  package var unencodedByteCount: Int?
  /// Index: the level.
  package var repetitionHistogram: [Int64] = []
  package var definitionHistogram: [Int64] = []
}

/// Numbers of `CompressionCodec` that this module reads and writes.
package enum ParquetCodec: Int32, Sendable {
  case uncompressed = 0
  case snappy = 1
  case gzip = 2
  case brotli = 4
  /// LZ4 in Hadoop's framing, deprecated; some writers put bare blocks or LZ4 frames.
  case lz4Hadoop = 5
  case zstd = 6
  case lz4Raw = 7
}

/// Raw statistics, plain-encoded as in the file. `ParquetLeaf.bounds` turns them into values.
package struct ParquetStatistics: Sendable {
  package var min: [UInt8]?
  package var max: [UInt8]?
  package var nullCount: Int?
  package var nanCount: Int?
  package var isMinExact = false
  package var isMaxExact = false
  package var distinctCount: Int?
  /// Min and max are of the deprecated pair, whose order is that of signed numbers.
  var isLegacy = false
}

package struct ParquetRowGroup: Sendable {
  package let rowCount: Int
  package let columns: [ParquetColumnChunk]
}

/// The metadata of one file.
package struct ParquetFile: Sendable {
  package let rowCount: Int
  package let leaves: [ParquetLeaf]
  /// The top level of the schema tree.
  package let fields: [ParquetField]
  package let rowGroups: [ParquetRowGroup]
  package let createdBy: String?
  package let keyValues: [(key: String, value: String)]

  /// The place of the leaf with this name among the flat columns.
  package func leafIndex(named name: String) -> Int? { leaves.firstIndex { $0.path.count == 1 && $0.name == name } }

  /// The place of the leaf with this field id.
  package func leafIndex(fieldID: Int32) -> Int? { leaves.firstIndex { $0.fieldID == fieldID } }
}
