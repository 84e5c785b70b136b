// The end of a file:   ... | FileMetaData (thrift) | its length (4 bytes, little-endian) | "PAR1"
//
// Every offset and length is checked against the size of the file here, once, so that the rest of the reader may trust
// `byteRange` and the index ranges.

package import Bedrock

/// Finds and parses the footer of a file.
package enum ParquetFooter {
  /// The fewest bytes a file has: two magic words and a length.
  package static let fileBytesMin = 12
  static let magic: [UInt8] = Array("PAR1".utf8)

  /// What `parse` found.
  package enum Outcome {
    case file(ParquetFile)
    /// The footer is larger than the tail given: call again with the last `byteCount` bytes of the file.
    case needs(byteCount: Int)
  }

  /// Parses the footer from the last bytes of a file.
  /// - Parameter tail: the end of the file, 8 bytes at least; 64 KiB usually hold the whole footer.
  package static func parse(tail: RawSpan, fileByteCount: Int) throws(Fault) -> Outcome {
    guard fileByteCount >= fileBytesMin, tail.byteCount >= 8, tail.byteCount <= fileByteCount else {
      throw Fault.corrupt("a file of \(fileByteCount) bytes is not a Parquet file")
    }
    let count = tail.byteCount
    let mark = tail.unsafeLoadUnaligned(fromByteOffset: count - 4, as: UInt32.self).littleEndian
    if mark == 0x4552_4150 { throw Fault.unsupported("an encrypted Parquet footer") }
    guard mark == 0x3152_4150 else { throw Fault.corrupt("the file does not end as a Parquet file") }
    let length = Int(tail.unsafeLoadUnaligned(fromByteOffset: count - 8, as: UInt32.self).littleEndian)
    guard length <= Limits.parquetFooterBytesMax else {
      throw Fault(.programLimitExceeded, "a Parquet footer of \(length) bytes is larger than the limit")
    }
    guard length > 0, length + fileBytesMin <= fileByteCount else {
      throw Fault.corrupt("a Parquet footer of \(length) bytes does not fit the file")
    }
    guard length + 8 <= count else { return .needs(byteCount: length + 8) }
    let footer = tail.extracting((count - 8 - length)..<(count - 8))
    return .file(try FooterReader.read(footer, dataByteCount: fileByteCount - 8 - length))
  }
}

enum FooterReader {
  private static func damaged(_ what: String) -> Fault { Fault.corrupt("a Parquet footer is damaged: \(what)") }

  static func read(_ bytes: RawSpan, dataByteCount: Int) throws(Fault) -> ParquetFile {
    var reader = ThriftReader(bytes)
    var last: Int16 = 0
    var rowCount: Int?
    var schema: (leaves: [ParquetLeaf], fields: [ParquetField])?
    var rowGroups: [ParquetRowGroup]?
    var createdBy: String?
    var keyValues: [(key: String, value: String)] = []
    var orders: [Int16] = []
    try reader.enter()
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 2: schema = try SchemaReader.read(&reader, field)
      case 3: rowCount = try reader.count(field)
      case 4:
        guard let schema else { throw damaged("row groups before the schema") }
        rowGroups = try readRowGroups(&reader, field, leaves: schema.leaves, dataByteCount: dataByteCount)
      case 5:
        for _ in 0..<(try reader.structList(field)) { keyValues.append(try readKeyValue(&reader)) }
      case 6: createdBy = try reader.string(field)
      case 7:
        for _ in 0..<(try reader.structList(field)) { orders.append(try readUnionCase(&reader)) }
      default: try reader.skip(field)
      }
    }
    guard let rowCount, let (leaves, fields) = schema, let rowGroups else { throw damaged("a required field is missing") }
    var sum = 0
    for group in rowGroups {
      let (total, overflow) = sum.addingReportingOverflow(group.rowCount)
      guard !overflow else { throw damaged("too many rows") }
      sum = total
    }
    // Some writers of repeated fields left the count of the file at 0; those of the row groups are what is read.
    guard sum == rowCount || rowCount == 0 else { throw damaged("its row groups have \(sum) rows, not \(rowCount)") }
    var groups = trust(rowGroups, leaves: leaves, orders: orders)
    if forgetsDictionaryHeader(createdBy) { groups = groups.map { widen($0, dataByteCount) } }
    return ParquetFile(
      rowCount: sum, leaves: leaves, fields: fields, rowGroups: groups,
      createdBy: createdBy, keyValues: keyValues)
  }

  /// Drops min and max of columns whose order is not known: they say nothing then. The deprecated pair needs no declared
  /// order, but it is right for signed numbers only.
  private static func trust(
    _ groups: [ParquetRowGroup], leaves: [ParquetLeaf], orders: [Int16]
  ) -> [ParquetRowGroup] {
    let known = leaves.indices.map { index in
      index < orders.count && (orders[index] == 1 || orders[index] == 2) && leaves[index].physical != .int96
    }
    if !known.contains(false) { return groups }
    return groups.map { group in
      var columns = group.columns
      for index in columns.indices where !known[index] {
        columns[index].columnIndexRange = nil
        if columns[index].statistics?.isLegacy ?? false { continue }
        columns[index].statistics?.min = nil
        columns[index].statistics?.max = nil
      }
      return ParquetRowGroup(rowCount: group.rowCount, columns: columns)
    }
  }

  /// parquet-mr before 1.2.9 left the header of the dictionary page out of the size of the chunk (PARQUET-816).
  private static func forgetsDictionaryHeader(_ createdBy: String?) -> Bool {
    guard let createdBy, createdBy.hasPrefix("parquet-mr") else { return false }
    let words = createdBy.split(separator: " ")
    guard words.count >= 3, words[1] == "version" else { return true }
    let numbers = words[2].split(whereSeparator: { !$0.isNumber }).prefix(3).map { Int($0) ?? 0 }
    return numbers.count == 3 && numbers.lexicographicallyPrecedes([1, 2, 9])
  }

  private static func widen(_ group: ParquetRowGroup, _ dataByteCount: Int) -> ParquetRowGroup {
    let headerBytesMax = 100
    var columns = group.columns
    for index in columns.indices {
      let range = columns[index].byteRange
      columns[index].byteRange = range.lowerBound..<min(range.upperBound + headerBytesMax, dataByteCount)
    }
    return ParquetRowGroup(rowCount: group.rowCount, columns: columns)
  }

  private static func readKeyValue(_ reader: inout ThriftReader) throws(Fault) -> (key: String, value: String) {
    var last: Int16 = 0
    var key = "", value = ""
    try reader.enter()
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 1: key = try reader.string(field)
      case 2: value = String(decoding: try reader.bytes(field), as: UTF8.self)
      default: try reader.skip(field)
      }
    }
    reader.leave()
    return (key, value)
  }

  /// The field number of the case a union holds; 0 for none.
  private static func readUnionCase(_ reader: inout ThriftReader) throws(Fault) -> Int16 {
    var last: Int16 = 0
    var found: Int16 = 0
    try reader.enter()
    while let field = try reader.nextField(after: &last) {
      found = field.id
      try reader.skip(field)
    }
    reader.leave()
    return found
  }

  private static func readRowGroups(
    _ reader: inout ThriftReader, _ field: ThriftField, leaves: [ParquetLeaf], dataByteCount: Int
  ) throws(Fault) -> [ParquetRowGroup] {
    let count = try reader.structList(field)
    guard count <= ParquetLimits.columnChunksMax / max(1, leaves.count) else { throw damaged("too many row groups") }
    var groups: [ParquetRowGroup] = []
    for _ in 0..<count {
      var last: Int16 = 0
      var columns: [ParquetColumnChunk] = []
      var rowCount: Int?
      try reader.enter()
      while let field = try reader.nextField(after: &last) {
        switch field.id {
        case 1:
          let columnCount = try reader.structList(field)
          guard columnCount == leaves.count else { throw damaged("a row group has \(columnCount) columns") }
          columns.reserveCapacity(columnCount)
          for index in 0..<columnCount {
            columns.append(try readColumnChunk(&reader, leaf: leaves[index], dataByteCount: dataByteCount))
          }
        case 3: rowCount = try reader.count(field)
        default: try reader.skip(field)
        }
      }
      reader.leave()
      guard let rowCount, columns.count == leaves.count else { throw damaged("a row group is incomplete") }
      for (column, leaf) in zip(columns, leaves) where leaf.maxRepetition == 0 && !column.isEncrypted {
        guard column.valueCount == rowCount else { throw damaged("a column chunk has another row count") }
      }
      groups.append(ParquetRowGroup(rowCount: rowCount, columns: columns))
    }
    return groups
  }

  private static func readColumnChunk(
    _ reader: inout ThriftReader, leaf: ParquetLeaf, dataByteCount: Int
  ) throws(Fault) -> ParquetColumnChunk {
    var last: Int16 = 0
    var meta: ColumnMetadata?
    var isEncrypted = false
    var offsetIndex: (offset: Int?, length: Int?), columnIndex: (offset: Int?, length: Int?)
    try reader.enter()
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 1:
        let path = try reader.string(field)
        guard path.isEmpty else { throw Fault.unsupported("a Parquet column in another file") }
      case 3:
        try reader.expectStruct(field)
        meta = try readColumnMetadata(&reader, leaf: leaf)
      case 4: offsetIndex.offset = try reader.count(field)
      case 5: offsetIndex.length = try reader.count(field)
      case 6: columnIndex.offset = try reader.count(field)
      case 7: columnIndex.length = try reader.count(field)
      case 8, 9:
        isEncrypted = true
        try reader.skip(field)
      default: try reader.skip(field)
      }
    }
    reader.leave()
    if isEncrypted { return ParquetColumnChunk.encrypted }
    guard let meta, let dataOffset = meta.dataPageOffset, let size = meta.compressedByteCount,
      let valueCount = meta.valueCount
    else { throw damaged("a column chunk is incomplete") }
    var start = dataOffset
    // Some old writers put 0 for "no dictionary".
    if let dictionary = meta.dictionaryPageOffset, dictionary > 0, dictionary < start { start = dictionary }
    guard size <= ParquetLimits.columnChunkBytesMax else {
      throw Fault(.programLimitExceeded, "a Parquet column chunk of \(size) bytes is larger than the limit")
    }
    guard let range = try range(start, size, dataByteCount) else { throw damaged("a column chunk has no place") }
    var chunk = ParquetColumnChunk(
      codec: ParquetCodec(rawValue: meta.codec), codecNumber: meta.codec, valueCount: valueCount, byteRange: range,
      uncompressedByteCount: meta.uncompressedByteCount ?? size, statistics: meta.statistics,
      offsetIndexRange: try self.range(offsetIndex.offset, offsetIndex.length, dataByteCount),
      columnIndexRange: try self.range(columnIndex.offset, columnIndex.length, dataByteCount))
    chunk.encodings = meta.encodings
    chunk.dictionaryPageOffset = start < dataOffset ? start : nil
    chunk.dataPageOffset = dataOffset
    chunk.sizes = meta.sizes
    if let offset = meta.bloomFilterOffset, offset < dataByteCount {
      chunk.bloomFilter = (offset, try self.range(offset, meta.bloomFilterByteCount, dataByteCount)?.count)
    }
    return chunk
  }

  private static func range(_ offset: Int?, _ length: Int?, _ dataByteCount: Int) throws(Fault) -> Range<Int>? {
    guard let offset, let length else { return nil }
    guard length <= dataByteCount, offset <= dataByteCount - length else {
      throw damaged("a part lies outside of the file")
    }
    return offset..<(offset + length)
  }

  private struct ColumnMetadata {
    var codec: Int32 = -1
    var valueCount: Int?
    var compressedByteCount: Int?
    var uncompressedByteCount: Int?
    var dataPageOffset: Int?
    var dictionaryPageOffset: Int?
    var statistics: ParquetStatistics?
    var encodings: [Int32] = []
    var sizes: ParquetSizeStatistics?
    var bloomFilterOffset: Int?
    var bloomFilterByteCount: Int?
  }

  private static func readColumnMetadata(
    _ reader: inout ThriftReader, leaf: ParquetLeaf
  ) throws(Fault) -> ColumnMetadata {
    var meta = ColumnMetadata()
    var last: Int16 = 0
    try reader.enter()
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 1:
        guard try reader.int32(field) == leaf.physical.rawValue else { throw damaged("a column chunk of another type") }
      case 2: meta.encodings = try reader.integerList(field).map { Int32(truncatingIfNeeded: $0) }
      case 4: meta.codec = try reader.int32(field)
      case 5: meta.valueCount = try reader.count(field)
      case 6: meta.uncompressedByteCount = try reader.count(field)
      case 7: meta.compressedByteCount = try reader.count(field)
      case 9: meta.dataPageOffset = try reader.count(field)
      case 11: meta.dictionaryPageOffset = try reader.count(field)
      case 12:
        try reader.expectStruct(field)
        meta.statistics = try StatisticsCoding.read(&reader, leaf: leaf)
      // Writers older than these fields used their numbers for something else.
      case 14 where field.type == ThriftReader.int64: meta.bloomFilterOffset = try reader.count(field)
      case 15 where field.type == ThriftReader.int32: meta.bloomFilterByteCount = try reader.count(field)
      case 16 where field.type == ThriftReader.structure:
        meta.sizes = try readSizes(&reader)
      default: try reader.skip(field)
      }
    }
    reader.leave()
    return meta
  }

  private static func readSizes(_ reader: inout ThriftReader) throws(Fault) -> ParquetSizeStatistics {
    var sizes = ParquetSizeStatistics()
    var last: Int16 = 0
    try reader.enter()
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 1: sizes.unencodedByteCount = try reader.count(field)
      case 2: sizes.repetitionHistogram = try reader.integerList(field)
      case 3: sizes.definitionHistogram = try reader.integerList(field)
      default: try reader.skip(field)
      }
    }
    reader.leave()
    return sizes
  }
}

/// The struct `Statistics`.
enum StatisticsCoding {
  static func read(_ reader: inout ThriftReader, leaf: ParquetLeaf) throws(Fault) -> ParquetStatistics {
    var statistics = ParquetStatistics()
    var oldMin: [UInt8]?, oldMax: [UInt8]?
    var last: Int16 = 0
    try reader.enter()
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 1: oldMax = try reader.bytes(field)
      case 2: oldMin = try reader.bytes(field)
      case 3: statistics.nullCount = try reader.count(field)
      case 4: statistics.distinctCount = try reader.count(field)
      case 5: statistics.max = try reader.bytes(field)
      case 6: statistics.min = try reader.bytes(field)
      case 7: statistics.isMaxExact = try reader.boolean(field)
      case 8: statistics.isMinExact = try reader.boolean(field)
      case 9: statistics.nanCount = try reader.count(field)
      default: try reader.skip(field)
      }
    }
    reader.leave()
    // The deprecated pair has a defined order for signed numbers only; float columns may hide a NaN or a zero's sign in it.
    if statistics.min == nil, statistics.max == nil, hasSignedOrder(leaf), oldMin != nil || oldMax != nil {
      statistics.min = oldMin
      statistics.max = oldMax
      statistics.isLegacy = true
    }
    return statistics
  }

  private static func hasSignedOrder(_ leaf: ParquetLeaf) -> Bool {
    if case .integer(_, signed: false) = leaf.logical { return false }
    return leaf.physical == .int32 || leaf.physical == .int64
  }

  static func write(_ statistics: ParquetStatistics, to writer: inout ThriftWriter, exactness: Bool) {
    if let nullCount = statistics.nullCount { writer.int64(3, nullCount) }
    if let max = statistics.max { writer.binary(5, max) }
    if let min = statistics.min { writer.binary(6, min) }
    if exactness {
      if statistics.max != nil { writer.boolean(7, statistics.isMaxExact) }
      if statistics.min != nil { writer.boolean(8, statistics.isMinExact) }
    }
    if let nanCount = statistics.nanCount { writer.int64(9, nanCount) }
  }
}
