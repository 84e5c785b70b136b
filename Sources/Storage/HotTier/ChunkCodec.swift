// Chunks to stored values and back. Layout: ChunkHeader.swift and ColumnBody.swift.

package import Bedrock
package import Columnar
package import EventSchema

/// What the codec must know of a table: its columns, and which of them the header summarises.
package struct ChunkLayout: Sendable {
  package let columns: [TableColumn]
  package let schemaVersion: Int
  /// Indices of bigint or timestamptz columns without nulls.
  package let sequence: Int
  package let position: Int
  package let published: Int

  package init(columns: [TableColumn], schemaVersion: Int, sequence: Int, position: Int, published: Int) {
    precondition(columns.count <= Limits.tableColumnsMax)
    for index in [sequence, position, published] { precondition(columns[index].type.physical == .int64) }
    self.columns = columns
    self.schemaVersion = schemaVersion
    self.sequence = sequence
    self.position = position
    self.published = published
  }

  /// The layout of an event table.
  package init(_ schema: TableSchema) {
    self.init(
      columns: schema.columns, schemaVersion: schema.version, sequence: SystemColumn.sequence,
      position: SystemColumn.position, published: SystemColumn.published)
  }
}

/// A stored value in the making.
package struct EncodedChunk: Sendable {
  package let header: ChunkHeader
  package let bytes: [UInt8]
}

package enum ChunkCodec {
  /// Bytes of one stored value.
  package static let byteCountMax = 1 << 30

  /// Encodes a chunk of 1...Limits.hotChunkRowsMax rows with the columns of `layout`. Throws 54000 when it is too large.
  package static func encode(
    _ chunk: Chunk, layout: ChunkLayout, writtenMicros: Int64
  ) throws(Fault) -> EncodedChunk {
    precondition(chunk.rowCount >= 1 && chunk.rowCount <= Limits.hotChunkRowsMax)
    precondition(chunk.columns.count == layout.columns.count)
    var entries: [ChunkColumn] = []
    entries.reserveCapacity(chunk.columns.count)
    var bodies: [[UInt8]] = []
    var offset = ChunkHeader.fixedByteCount + chunk.columns.count * ChunkColumn.byteCount
    for (index, column) in chunk.columns.enumerated() {
      let declared = layout.columns[index]
      precondition(column.type.physical == declared.type.physical, "a column of another type than its table's")
      let body = try ColumnBody.encode(column)
      guard body.bytes.count <= byteCountMax - offset else {
        throw Fault(.programLimitExceeded, "a chunk would have more than \(byteCountMax) bytes")
      }
      entries.append(
        ChunkColumn(
          fieldID: declared.fieldID, physical: declared.type.physical, encoding: body.encoding,
          bitWidth: UInt8(body.bitWidth), hasValidity: body.hasValidity, offset: offset, length: body.bytes.count,
          nullCount: body.nullCount, checksum: CRC32C.checksum(body.bytes.span.bytes),
          range: declared.isPersonal ? nil : body.range))
      offset += body.bytes.count
      bodies.append(body.bytes)
    }
    let header = ChunkHeader(
      rowCount: chunk.rowCount, schemaVersion: layout.schemaVersion,
      sequences: try bounds(chunk.columns[layout.sequence]), positions: try bounds(chunk.columns[layout.position]),
      published: try bounds(chunk.columns[layout.published]), writtenMicros: writtenMicros, byteCount: offset,
      columns: entries)
    var bytes = header.encoded()
    bytes.reserveCapacity(offset)
    for body in bodies { bytes.append(contentsOf: body) }
    assert(bytes.count == offset)
    return EncodedChunk(header: header, bytes: bytes)
  }

  private static func bounds(_ column: Column) throws(Fault) -> ClosedRange<Int64> {
    guard !column.mayHaveNulls || column.nullCount == 0 else { throw .bug("a system column has a null") }
    let flat = column.flat()
    let values = flat.int64s
    var low = values[0]
    var high = values[0]
    for row in 1..<max(values.count, 1) {
      low = min(low, values[row])
      high = max(high, values[row])
    }
    return low...high
  }

  /// Decodes one column of a stored value whose header is `header`. Throws XX001.
  package static func decode(
    _ entry: ChunkColumn, header: ChunkHeader, type: DataType, from value: UnsafeRawBufferPointer
  ) throws(Fault) -> Column {
    guard entry.physical == type.physical else {
      throw .corrupt("column \(entry.fieldID) of a stored chunk is no \(type)")
    }
    guard entry.offset >= 0 && entry.offset <= value.count && entry.length <= value.count - entry.offset else {
      throw .corrupt("column \(entry.fieldID) lies outside of its chunk")
    }
    let body = UnsafeRawBufferPointer(rebasing: value[entry.offset..<entry.offset + entry.length])
    guard CRC32C.checksum(RawSpan(_unsafeBytes: body)) == entry.checksum else {
      throw .corrupt("column \(entry.fieldID) of a stored chunk fails its checksum")
    }
    let column = try ColumnBody.decode(
      body, encoding: entry.encoding, bitWidth: Int(entry.bitWidth), hasValidity: entry.hasValidity,
      rowCount: header.rowCount, type: type)
    guard column.nullCount == entry.nullCount else {
      throw .corrupt("column \(entry.fieldID) of a stored chunk has another number of nulls than its directory says")
    }
    return column
  }

  /// Every column of a stored value, by field id; absent ones are null. For flushes, merges, tests and the fuzzer.
  package static func decode(
    _ value: UnsafeRawBufferPointer, columns: [TableColumn]
  ) throws(Fault) -> Chunk {
    let header = try ChunkHeader(value)
    var out: [Column] = []
    out.reserveCapacity(columns.count)
    for column in columns {
      if let entry = header.column(fieldID: column.fieldID) {
        out.append(try decode(entry, header: header, type: column.type, from: value))
      } else {
        out.append(.nulls(column.type, count: header.rowCount))
      }
    }
    return Chunk(columns: out, rowCount: header.rowCount)
  }
}
