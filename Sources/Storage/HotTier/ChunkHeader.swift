// The header of a stored chunk. All numbers little-endian.
//
//   offset  bytes  what
//   0       4      magic "CHNK"
//   4       2      format version, 1
//   6       2      number of columns
//   8       4      number of rows, 1...Limits.hotChunkRowsMax
//   12      4      schema version
//   16      8+8    smallest, largest sequence
//   32      8+8    smallest, largest _pos
//   48      8+8    earliest, latest published, µs
//   64      8      when it was written, µs (for flush by age; decides no answer)
//   72      4      bytes of the whole value
//   76      4      CRC-32C of the header and directory with these four bytes as zero
//   80      40 a column: the directory
//   ...            bodies of the columns, in order of the directory
//
//   directory entry
//   0       4      field id
//   4       1      physical type
//   5       1      encoding (ColumnEncoding)
//   6       1      flags: 1 = has validity words first, 2 = has smallest and largest value
//   7       1      bit width of the packed part
//   8       4+4    offset and length of the body in the value
//   16      4      number of nulls
//   20      4      CRC-32C of the body
//   24      8+8    smallest, largest value: Int64, or the bits of a Double; never for personal columns
//
// Invariants: bodies lie inside the value behind the directory; a reader of one column touches its body only.

package import Bedrock
package import Columnar
import StorageContract

/// How the body of a column is written; ColumnBody.swift draws each.
package enum ColumnEncoding: UInt8, Sendable {
  /// Values as they lie in memory.
  case plain = 0
  /// One base and the distance of each value from it, packed.
  case packed = 1
  /// First value, smallest step, and the excess of each step, packed.
  case delta = 2
  /// Lengths packed, then the bytes.
  case bytes = 3
  /// Distinct values, then codes packed.
  case dictionary = 4
  /// Lengths packed, then an element column.
  case list = 5
  /// Every row is null; no body.
  case allNull = 6
}

/// The directory entry of one column.
package struct ChunkColumn: Sendable {
  package var fieldID: Int32
  package var physical: PhysicalType
  package var encoding: ColumnEncoding
  package var bitWidth: UInt8
  package var hasValidity: Bool
  package var offset: Int
  package var length: Int
  package var nullCount: Int
  package var checksum: UInt32
  /// Bits of the smallest and largest value: Int64, or Double for float columns. `nil`: unknown.
  package var range: ValueRange?

  package static let byteCount = 40
}

/// Smallest and largest value of a column, in the order of its type.
package enum ValueRange: Sendable, Equatable {
  case integers(Int64, Int64)
  case floats(Double, Double)
}

package struct ChunkHeader: Sendable {
  package var rowCount: Int
  package var schemaVersion: Int
  package var sequences: ClosedRange<Int64>
  package var positions: ClosedRange<Int64>
  package var published: ClosedRange<Int64>
  package var writtenMicros: Int64
  package var byteCount: Int
  package var columns: [ChunkColumn]

  package static let fixedByteCount = 80
  static let magic: UInt32 = 0x4B4E_4843
  static let formatVersion: UInt16 = 1
  static let checksumOffset = 76

  /// The entry of a field, or `nil` when the chunk was written before the field existed.
  package func column(fieldID: Int32) -> ChunkColumn? { columns.first { $0.fieldID == fieldID } }

  /// Reads and checks the header of a whole value. Throws XX001.
  package init(_ value: UnsafeRawBufferPointer) throws(Fault) {
    guard value.count >= Self.fixedByteCount else { throw .corrupt("a stored chunk is shorter than its header") }
    guard value.loadUnaligned(fromByteOffset: 0, as: UInt32.self) == Self.magic else {
      throw .corrupt("a stored chunk has no magic number")
    }
    let version = value.loadUnaligned(fromByteOffset: 4, as: UInt16.self)
    guard version == Self.formatVersion else { throw .corrupt("a stored chunk has the unknown format \(version)") }
    let columnCount = Int(value.loadUnaligned(fromByteOffset: 6, as: UInt16.self))
    guard columnCount <= Limits.tableColumnsMax else { throw .corrupt("a stored chunk has \(columnCount) columns") }
    let headerBytes = Self.fixedByteCount + columnCount * ChunkColumn.byteCount
    guard value.count >= headerBytes else { throw .corrupt("a stored chunk is shorter than its directory") }
    let stored = value.loadUnaligned(fromByteOffset: Self.checksumOffset, as: UInt32.self)
    guard Self.checksum(UnsafeRawBufferPointer(rebasing: value[..<headerBytes])) == stored else {
      throw .corrupt("the header of a stored chunk fails its checksum")
    }
    byteCount = Int(value.loadUnaligned(fromByteOffset: 72, as: UInt32.self))
    guard byteCount == value.count else { throw .corrupt("a stored chunk has \(value.count) bytes, not \(byteCount)") }
    rowCount = Int(value.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
    guard rowCount >= 1 && rowCount <= Limits.hotChunkRowsMax else {
      throw .corrupt("a stored chunk has \(rowCount) rows")
    }
    schemaVersion = Int(value.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
    sequences = try Self.range(value, at: 16)
    positions = try Self.range(value, at: 32)
    published = try Self.range(value, at: 48)
    writtenMicros = value.loadUnaligned(fromByteOffset: 64, as: Int64.self)
    columns = []
    columns.reserveCapacity(columnCount)
    for index in 0..<columnCount {
      let start = Self.fixedByteCount + index * ChunkColumn.byteCount
      let entry = UnsafeRawBufferPointer(rebasing: value[start..<start + ChunkColumn.byteCount])
      columns.append(try ChunkColumn(entry, rowCount: rowCount, bodies: headerBytes..<byteCount))
    }
  }

  private static func range(_ value: UnsafeRawBufferPointer, at offset: Int) throws(Fault) -> ClosedRange<Int64> {
    let low = value.loadUnaligned(fromByteOffset: offset, as: Int64.self)
    let high = value.loadUnaligned(fromByteOffset: offset + 8, as: Int64.self)
    guard low <= high else { throw .corrupt("a stored chunk has an empty range in its header") }
    return low...high
  }

  /// CRC-32C over header and directory, the place of the checksum read as zero.
  static func checksum(_ header: UnsafeRawBufferPointer) -> UInt32 {
    precondition(header.count >= fixedByteCount)
    var crc = CRC32C.checksum(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: header[..<checksumOffset])))
    let zero: UInt32 = 0
    withUnsafeBytes(of: zero) { crc = CRC32C.checksum(RawSpan(_unsafeBytes: $0), seed: crc) }
    return CRC32C.checksum(
      RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: header[fixedByteCount...])), seed: crc)
  }

  /// The header and directory as bytes, checksum included.
  func encoded() -> [UInt8] {
    precondition(rowCount >= 1 && rowCount <= Limits.hotChunkRowsMax)
    precondition(byteCount <= Int(UInt32.max))
    var out: [UInt8] = []
    out.reserveCapacity(Self.fixedByteCount + columns.count * ChunkColumn.byteCount)
    out.append(little: Self.magic)
    out.append(little: Self.formatVersion)
    out.append(little: UInt16(columns.count))
    out.append(little: UInt32(rowCount))
    out.append(little: UInt32(schemaVersion))
    for range in [sequences, positions, published] {
      out.append(little: range.lowerBound)
      out.append(little: range.upperBound)
    }
    out.append(little: writtenMicros)
    out.append(little: UInt32(byteCount))
    out.append(little: UInt32(0))
    for column in columns { column.append(to: &out) }
    let crc = out.withUnsafeBytes { Self.checksum($0) }
    withUnsafeBytes(of: crc) { out.replaceSubrange(Self.checksumOffset..<Self.checksumOffset + 4, with: $0) }
    return out
  }

  init(
    rowCount: Int, schemaVersion: Int, sequences: ClosedRange<Int64>, positions: ClosedRange<Int64>,
    published: ClosedRange<Int64>, writtenMicros: Int64, byteCount: Int, columns: [ChunkColumn]
  ) {
    self.rowCount = rowCount
    self.schemaVersion = schemaVersion
    self.sequences = sequences
    self.positions = positions
    self.published = published
    self.writtenMicros = writtenMicros
    self.byteCount = byteCount
    self.columns = columns
  }
}

extension ChunkColumn {
  private static let validityFlag: UInt8 = 1
  private static let rangeFlag: UInt8 = 2

  /// Reads one directory entry of a chunk whose bodies lie in `bodies`.
  fileprivate init(_ entry: UnsafeRawBufferPointer, rowCount: Int, bodies: Range<Int>) throws(Fault) {
    fieldID = entry.loadUnaligned(fromByteOffset: 0, as: Int32.self)
    guard let physical = PhysicalType(rawValue: entry[4]), let encoding = ColumnEncoding(rawValue: entry[5]) else {
      throw .corrupt("column \(fieldID) of a stored chunk has an unknown form")
    }
    self.physical = physical
    self.encoding = encoding
    let flags = entry[6]
    bitWidth = entry[7]
    hasValidity = flags & Self.validityFlag != 0
    offset = Int(entry.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
    length = Int(entry.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
    nullCount = Int(entry.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
    checksum = entry.loadUnaligned(fromByteOffset: 20, as: UInt32.self)
    guard offset >= bodies.lowerBound && offset <= bodies.upperBound && length <= bodies.upperBound - offset else {
      throw .corrupt("column \(fieldID) of a stored chunk lies outside of it")
    }
    guard nullCount <= rowCount && (encoding != .allNull || nullCount == rowCount) else {
      throw .corrupt("column \(fieldID) of a stored chunk has \(nullCount) nulls in \(rowCount) rows")
    }
    guard flags & Self.rangeFlag != 0 else { return }
    switch physical {
    case .bool8, .int32, .int64:
      range = .integers(
        entry.loadUnaligned(fromByteOffset: 24, as: Int64.self), entry.loadUnaligned(fromByteOffset: 32, as: Int64.self))
    case .float32, .float64:
      range = .floats(
        entry.loadUnaligned(fromByteOffset: 24, as: Double.self),
        entry.loadUnaligned(fromByteOffset: 32, as: Double.self))
    case .numeric, .interval, .uuid, .bytes, .list:
      throw .corrupt("column \(fieldID) of a stored chunk has a range that its type cannot have")
    }
  }

  fileprivate func append(to out: inout [UInt8]) {
    out.append(little: fieldID)
    out.append(physical.rawValue)
    out.append(encoding.rawValue)
    out.append((hasValidity ? Self.validityFlag : 0) | (range == nil ? 0 : Self.rangeFlag))
    out.append(bitWidth)
    out.append(little: UInt32(offset))
    out.append(little: UInt32(length))
    out.append(little: UInt32(nullCount))
    out.append(little: checksum)
    switch range {
    case .integers(let low, let high):
      out.append(little: low)
      out.append(little: high)
    case .floats(let low, let high):
      out.append(little: low.bitPattern)
      out.append(little: high.bitPattern)
    case nil:
      out.append(little: UInt64(0))
      out.append(little: UInt64(0))
    }
  }
}

extension [UInt8] {
  /// Appends the bytes of an integer, least significant first (the machines Cramped runs on are little-endian).
  @inline(__always)
  mutating func append<T: FixedWidthInteger>(little value: T) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }
}
