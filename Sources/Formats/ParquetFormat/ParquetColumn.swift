// What the caller of `ParquetWriter` says about columns and files, and what it learns of a finished file.

package import Bedrock
package import Columnar

/// A column of a file to write.
package struct ParquetColumn: Sendable {
  /// Which statistics a column has in the file.
  package enum Statistics: Sendable {
    case full
    /// Counts of nulls and sizes but no bounds: for values that lie in the file in another order than SQL's.
    case counts
  }
  /// Whether a column chunk gets a bloom filter.
  package enum BloomFilter: Sendable {
    case never
    /// Where most values are distinct and not in order, so that neither bounds nor a dictionary find one of them.
    case automatic
  }

  package let name: String
  package let type: DataType
  package let isNullable: Bool
  package let fieldID: Int32
  /// Personal columns get no statistics of any kind, in the file or in the summary, no dictionary and no bloom filter.
  package let isPersonal: Bool
  package let statistics: Statistics
  package let bloomFilter: BloomFilter

  package init(
    name: String, type: DataType, isNullable: Bool, fieldID: Int32, isPersonal: Bool = false,
    statistics: Statistics = .full, bloomFilter: BloomFilter = .never
  ) {
    self.name = name
    self.type = type
    self.isNullable = isNullable
    self.fieldID = fieldID
    self.isPersonal = isPersonal
    self.statistics = statistics
    self.bloomFilter = bloomFilter
  }

  /// The field id of the elements of an array column.
  package static func elementFieldID(of fieldID: Int32) -> Int32 { WriterSchema.elementFieldIDBase &+ fieldID }
}

/// How a file is laid out.
package struct ParquetWriterOptions: Sendable {
  /// Rows of a row group.
  package var rowGroupRowsMax = 1_048_576
  /// Bytes of finished pages at which a row group ends before it has all its rows.
  package var rowGroupByteCountMax = 256 * 1_048_576
  /// Rows of a page: two chunks of a query, so that most chunks lie in one page.
  package var pageRowsMax = 2 * Limits.chunkRowsMax
  /// Bytes of a page before compression, for strings.
  package var pageByteCountMax = 1_048_576
  /// Bytes of a dictionary; a column with more distinct values goes on plain.
  package var dictionaryBytesMax = 16 * 1_048_576
  package var codec = ParquetCodec.zstd
  package var zstdLevel: Int32 = 3
  /// Also DELTA_LENGTH_BYTE_ARRAY, DELTA_BYTE_ARRAY and BYTE_STREAM_SPLIT where they are smaller. Some readers lack them.
  package var isCompact = false
  /// Times of day lie as whole numbers without annotation, as a Delta table has them.
  package var timesAsIntegers = false
  package var keyValues: [(key: String, value: String)] = []
  /// Columns the rows are sorted by, ascending with nulls last: indices into the leaves.
  package var sortingColumns: [Int] = []

  package init() {}
}

/// What a column of a finished file holds, for the Delta log.
package struct ParquetColumnSummary: Sendable {
  /// `nil`: unknown (personal, no values, NaN). Strings over 64 bytes are cut: min is a lower, max an upper bound.
  package var min: Scalar?
  package var max: Scalar?
  package var isMinExact = true
  package var isMaxExact = true
  /// `nil` for personal columns.
  package var nullCount: Int?
}

/// What a finished file holds.
package struct ParquetFileSummary: Sendable {
  package let rowCount: Int
  package let byteCount: Int
  /// One a leaf.
  package let columns: [ParquetColumnSummary]
}

/// Rows whose columns are made one by one, when the writer comes to them: perhaps on several threads at once.
package protocol ParquetRowSource: Sendable {
  var rowCount: Int { get }
  /// Rows `rows` of column `index` in one or more parts, each of the declared physical type.
  func columns(_ index: Int, rows: Range<Int>) throws(Fault) -> [Column]
}
