// Writes `FileMetaData` (parquet.thrift) for flat files.

import Bedrock
import Columnar

enum FooterWriter {
  static func write(
    schema: WriterSchema, layouts: [ColumnLayout], groups: [WrittenRowGroup], rowCount: Int,
    options: ParquetWriterOptions
  ) -> [UInt8] {
    var writer = ThriftWriter()
    writer.beginElement()
    // Version 1: the pages are data pages v1.
    writer.int32(1, 1)
    writer.list(2, of: ThriftReader.structure, count: schema.elements.count + 1)
    writer.beginElement()
    writer.string(4, "schema")
    writer.int32(5, Int32(schema.rootCount))
    writer.end()
    for element in schema.elements {
      if let leaf = element.leaf {
        writeLeaf(element, layouts[leaf], to: &writer)
      } else {
        writeGroupElement(element, to: &writer)
      }
    }
    writer.int64(3, rowCount)
    writer.list(4, of: ThriftReader.structure, count: groups.count)
    for (ordinal, group) in groups.enumerated() { writeGroup(group, ordinal, schema, layouts, options, to: &writer) }
    if !options.keyValues.isEmpty {
      writer.list(5, of: ThriftReader.structure, count: options.keyValues.count)
      for (key, value) in options.keyValues {
        writer.beginElement()
        writer.string(1, key)
        writer.string(2, value)
        writer.end()
      }
    }
    writer.string(6, ParquetWriter.createdBy)
    writer.list(7, of: ThriftReader.structure, count: layouts.count)
    for _ in layouts {
      writer.beginElement()
      writer.empty(1)
      writer.end()
    }
    writer.end()
    return writer.bytes
  }

  private static func writeLeaf(_ element: SchemaElement, _ layout: ColumnLayout, to writer: inout ThriftWriter) {
    writer.beginElement()
    writer.int32(1, layout.physical.rawValue)
    if layout.typeLength > 0 { writer.int32(2, Int32(layout.typeLength)) }
    writer.int32(3, element.repetition.rawValue)
    writer.string(4, element.name)
    if let converted = convertedType(layout.logical) { writer.int32(6, converted) }
    if case .decimal(let precision, let scale) = layout.logical {
      writer.int32(7, Int32(scale))
      writer.int32(8, Int32(precision))
    }
    if let fieldID = element.fieldID { writer.int32(9, fieldID) }
    writeLogical(layout.logical, to: &writer)
    writer.end()
  }

  private static func writeGroupElement(_ element: SchemaElement, to writer: inout ThriftWriter) {
    writer.beginElement()
    writer.int32(3, element.repetition.rawValue)
    writer.string(4, element.name)
    writer.int32(5, Int32(element.childCount))
    // Converted types MAP and LIST for readers that are older than logical types.
    if element.annotation != .none { writer.int32(6, element.annotation == .map ? 1 : 3) }
    if let fieldID = element.fieldID { writer.int32(9, fieldID) }
    if element.annotation != .none {
      writer.begin(10)
      writer.empty(element.annotation == .map ? 2 : 3)
      writer.end()
    }
    writer.end()
  }

  private static func convertedType(_ logical: ParquetLogicalType) -> Int32? {
    switch logical {
    case .string: 0
    case .decimal: 5
    case .date: 6
    case .timestamp(.micros, utc: true): 10
    case .integer(bitWidth: 16, signed: true): 16
    default: nil
    }
  }

  private static func writeLogical(_ logical: ParquetLogicalType, to writer: inout ThriftWriter) {
    if logical == .none { return }
    writer.begin(10)
    switch logical {
    case .string: writer.empty(1)
    case .decimal(let precision, let scale):
      writer.begin(5)
      writer.int32(1, Int32(scale))
      writer.int32(2, Int32(precision))
      writer.end()
    case .date: writer.empty(6)
    case .time: writeTime(7, utc: false, to: &writer)
    case .timestamp(_, let utc): writeTime(8, utc: utc, to: &writer)
    case .integer(let bitWidth, let signed):
      writer.begin(10)
      writer.byte(1, Int8(truncatingIfNeeded: bitWidth))
      writer.boolean(2, signed)
      writer.end()
    default: preconditionFailure("a logical type that ColumnLayout does not choose")
    }
    writer.end()
  }

  /// Units are microseconds.
  private static func writeTime(_ id: Int16, utc: Bool, to writer: inout ThriftWriter) {
    writer.begin(id)
    writer.boolean(1, utc)
    writer.begin(2)
    writer.empty(2)
    writer.end()
    writer.end()
  }

  private static func writeGroup(
    _ group: WrittenRowGroup, _ ordinal: Int, _ schema: WriterSchema, _ layouts: [ColumnLayout],
    _ options: ParquetWriterOptions, to writer: inout ThriftWriter
  ) {
    writer.beginElement()
    writer.list(1, of: ThriftReader.structure, count: layouts.count)
    for index in layouts.indices {
      writeChunk(
        group.columns[index], schema.columns[index], schema.shapes[index], layouts[index], options, to: &writer)
    }
    writer.int64(2, group.columns.reduce(0) { $0 + $1.uncompressedByteCount })
    writer.int64(3, group.rowCount)
    if !options.sortingColumns.isEmpty {
      writer.list(4, of: ThriftReader.structure, count: options.sortingColumns.count)
      for column in options.sortingColumns {
        writer.beginElement()
        writer.int32(1, Int32(column))
        writer.boolean(2, false)
        writer.boolean(3, false)
        writer.end()
      }
    }
    writer.int64(5, group.fileOffset)
    writer.int64(6, group.columns.reduce(0) { $0 + $1.compressedByteCount })
    if let ordinal = Int16(exactly: ordinal) { writer.int16(7, ordinal) }
    writer.end()
  }

  private static func writeChunk(
    _ chunk: WrittenColumnChunk, _ column: ParquetColumn, _ shape: LeafShape, _ layout: ColumnLayout,
    _ options: ParquetWriterOptions, to writer: inout ThriftWriter
  ) {
    writer.beginElement()
    writer.int64(2, 0)
    writer.begin(3)
    writer.int32(1, layout.physical.rawValue)
    var encodings: [ParquetEncoding] = chunk.dictionaryOffset == nil ? [] : [.plain]
    for record in chunk.records where !encodings.contains(record.encoding) { encodings.append(record.encoding) }
    if shape.maxDefinition + shape.maxRepetition > 0 && !encodings.contains(.rle) { encodings.append(.rle) }
    writer.list(2, of: ThriftReader.int32, count: encodings.count)
    for encoding in encodings { writer.element(Int(encoding.rawValue)) }
    writer.list(3, of: ThriftReader.binary, count: shape.path.count)
    for name in shape.path { writer.element(Array(name.utf8)) }
    writer.int32(4, options.codec.rawValue)
    writer.int64(5, chunk.slotCount)
    writer.int64(6, chunk.uncompressedByteCount)
    writer.int64(7, chunk.compressedByteCount)
    writer.int64(9, chunk.dataOffset)
    if let offset = chunk.dictionaryOffset { writer.int64(11, offset) }
    if !column.isPersonal {
      writer.begin(12)
      StatisticsCoding.write(
        chunk.bounds.statistics(layout, nullCount: chunk.nullCount), to: &writer, exactness: true)
      writer.end()
    }
    writeEncodingStatistics(chunk, to: &writer)
    if let range = chunk.bloomFilterRange {
      writer.int64(14, range.lowerBound)
      writer.int32(15, Int32(range.count))
    }
    if !column.isPersonal { writeSizes(chunk, layout, to: &writer) }
    writer.end()
    if let range = chunk.offsetIndexRange {
      writer.int64(4, range.lowerBound)
      writer.int32(5, Int32(range.count))
    }
    if let range = chunk.columnIndexRange {
      writer.int64(6, range.lowerBound)
      writer.int32(7, Int32(range.count))
    }
    writer.end()
  }

  private static func writeEncodingStatistics(_ chunk: WrittenColumnChunk, to writer: inout ThriftWriter) {
    var counts: [(page: Int32, encoding: ParquetEncoding, count: Int32)] = []
    if chunk.dictionaryOffset != nil { counts.append((2, .plain, 1)) }
    for record in chunk.records {
      if let index = counts.firstIndex(where: { $0.page == 0 && $0.encoding == record.encoding }) {
        counts[index].count += 1
      } else {
        counts.append((0, record.encoding, 1))
      }
    }
    writer.list(13, of: ThriftReader.structure, count: counts.count)
    for (page, encoding, count) in counts {
      writer.beginElement()
      writer.int32(1, page)
      writer.int32(2, encoding.rawValue)
      writer.int32(3, count)
      writer.end()
    }
  }

  private static func writeSizes(_ chunk: WrittenColumnChunk, _ layout: ColumnLayout, to writer: inout ThriftWriter) {
    let repetitions = chunk.histogram(\.repetitionHistogram), definitions = chunk.histogram(\.definitionHistogram)
    guard layout.physical == .byteArray || !definitions.isEmpty || !repetitions.isEmpty else { return }
    writer.begin(16)
    if layout.physical == .byteArray { writer.int64(1, chunk.valueByteCount) }
    writeHistogram(2, repetitions, to: &writer)
    writeHistogram(3, definitions, to: &writer)
    writer.end()
  }

  static func writeHistogram(_ id: Int16, _ counts: [Int], to writer: inout ThriftWriter) {
    if counts.isEmpty { return }
    writer.list(id, of: ThriftReader.int64, count: counts.count)
    for count in counts { writer.element(count) }
  }
}
