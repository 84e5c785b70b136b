// What the statistics job has seen of one table, kept on disk and added to file by file.
//
// Data files never change, so each is read once; `covered` says which were. Sketches and sample take a row again without
// harm, so a crash between reading a file and saving costs a second reading only.
//
//   form 1 | columns: field id 4, registers 4096 | sample rows: hash 8, published 8, values | covered: hash 8 each

import Bedrock
import Columnar
import EventSchema
import Kernels
import StorageContract
import StorageEngine

struct TableAnalysis: Sendable, Equatable {
  /// Field ids, in order.
  private(set) var columns: [Int32]
  private(set) var sketches: [DistinctSketch]
  private(set) var sample: RowSample
  /// Hashes of the paths of files read.
  private(set) var covered: Set<UInt64>

  /// Columns with statistics: ordered scalars that are not personal.
  static func columns(of schema: TableSchema) -> [TableColumn] {
    schema.columns.enumerated().filter { index, column in
      index != SystemColumn.hash && index != SystemColumn.metadata && !column.isPersonal && isAnalysed(column.type)
    }.map(\.element)
  }

  private static func isAnalysed(_ type: DataType) -> Bool {
    switch type {
    case .boolean, .int2, .int4, .int8, .float4, .float8, .numeric, .text, .varchar, .date, .time, .timestamp,
      .timestamptz, .uuid:
      true
    default: false
    }
  }

  init(columns: [Int32]) {
    self.columns = columns
    sketches = [DistinctSketch](repeating: DistinctSketch(), count: columns.count)
    sample = RowSample()
    covered = []
  }

  static func key(path: String) -> UInt64 {
    var text = path
    return text.withUTF8 { KeyHash.bytes(UnsafeRawBufferPointer($0)) }
  }

  func covers(path: String) -> Bool { covered.contains(Self.key(path: path)) }

  /// Rows of a file: `columns` in the order of this analysis. Null values count as no value.
  mutating func add(_ values: [Column], published: Column, position: Column) {
    precondition(values.count == columns.count)
    for (place, column) in values.enumerated() {
      // Of a dictionary each value counts once; what it holds beyond this chunk stands in the same row group.
      let distinct = column.dictionary.map { $0.count < column.count ? $0.values : column } ?? column
      var hashes = ValueHash.words(distinct)
      if distinct.mayHaveNulls {
        hashes = hashes.enumerated().filter { !distinct.isNull(at: $0.offset) }.map(\.element)
      }
      sketches[place].add(hashes)
    }
    sample.add(values, published: published, hashes: ValueHash.words(position))
  }

  mutating func cover(path: String) { covered.insert(Self.key(path: path)) }

  /// Files made of files that were all read hold nothing new.
  mutating func replace(_ removed: [String], with added: [String]) {
    guard removed.allSatisfy({ covers(path: $0) }) else { return }
    for path in added { cover(path: path) }
  }

  /// Forgets files that are not live any more, and rows that have left.
  mutating func prune(live: [String], publishedFrom cutoff: Int64?) {
    covered.formIntersection(live.map { Self.key(path: $0) })
    if let cutoff { sample.remove(publishedBefore: cutoff) }
  }

  // MARK: On disk

  private static let form: UInt8 = 1

  var encoded: [UInt8] {
    var writer = RecordWriter()
    writer.put(Self.form)
    writer.put(varint: UInt64(columns.count))
    for (id, sketch) in zip(columns, sketches) {
      writer.put(id)
      writer.put(raw: sketch.registers)
    }
    writer.put(varint: UInt64(sample.rows.count))
    for row in sample.rows {
      writer.put(row.hash)
      writer.put(row.published)
      for value in row.values { ScalarCoding.put(value, &writer) }
    }
    writer.put(varint: UInt64(covered.count))
    for key in covered.sorted() { writer.put(key) }
    return writer.bytes
  }

  /// Throws XX001.
  init(encoded bytes: [UInt8]) throws(Fault) {
    var reader = RecordReader(bytes)
    guard try reader.integer(UInt8.self) == Self.form else { throw .corrupt("stored statistics have an unknown form") }
    let columnCount = try reader.varint()
    guard columnCount <= UInt64(Limits.tableColumnsMax) else { throw .corrupt("stored statistics have too many columns") }
    columns = []
    sketches = []
    for _ in 0..<columnCount {
      columns.append(try reader.integer())
      sketches.append(try DistinctSketch(registers: try reader.raw(DistinctSketch.registerCount)))
    }
    let rowCount = try reader.varint()
    guard rowCount <= UInt64(RowSample.rowsMax) else { throw .corrupt("stored statistics have too many rows") }
    var rows: [SampledRow] = []
    for _ in 0..<rowCount {
      let hash: UInt64 = try reader.integer()
      let published: Int64 = try reader.integer()
      var values: [Scalar] = []
      for _ in columns { values.append(try ScalarCoding.read(&reader)) }
      rows.append(SampledRow(hash: hash, published: published, values: values))
    }
    sample = try RowSample(rows: rows)
    let coveredCount = try reader.varint()
    covered = []
    for _ in 0..<coveredCount { covered.insert(try reader.integer()) }
    guard reader.isAtEnd else { throw .corrupt("stored statistics are followed by something else") }
  }
}

/// Scalars of analysed types as bytes: a tag, then the value.
enum ScalarCoding {
  static func put(_ value: Scalar, _ writer: inout RecordWriter) {
    switch value {
    case .null, .interval, .list: writer.put(UInt8(0))
    case .boolean(let flag):
      writer.put(UInt8(1))
      writer.put(flag)
    case .integer(let number):
      writer.put(UInt8(2))
      writer.put(number)
    case .float(let number):
      writer.put(UInt8(3))
      writer.put(number.bitPattern)
    case .numeric(let number):
      writer.put(UInt8(4))
      let bits = UInt128(truncatingIfNeeded: number.bits)
      writer.put(UInt64(truncatingIfNeeded: bits))
      writer.put(UInt64(truncatingIfNeeded: bits >> 64))
    case .bytes(let bytes):
      writer.put(UInt8(5))
      writer.put(UInt16(bytes.count))
      writer.put(raw: bytes)
    case .uuid(let uuid):
      writer.put(UInt8(6))
      withUnsafeBytes(of: uuid) { writer.put(raw: Array($0)) }
    }
  }

  static func read(_ reader: inout RecordReader) throws(Fault) -> Scalar {
    switch try reader.integer(UInt8.self) {
    case 0: return .null
    case 1: return .boolean(try reader.boolean())
    case 2: return .integer(try reader.integer())
    case 3: return .float(Double(bitPattern: try reader.integer()))
    case 4:
      let low: UInt64 = try reader.integer()
      let high: UInt64 = try reader.integer()
      return .numeric(Numeric(bits: Int128(truncatingIfNeeded: UInt128(high) << 64 | UInt128(low))))
    case 5:
      let count = Int(try reader.integer(UInt16.self))
      return .bytes(try reader.raw(count))
    case 6:
      let bytes = try reader.raw(16)
      return .uuid(bytes.withUnsafeBytes { $0.loadUnaligned(as: UUIDValue.self) })
    default: throw .corrupt("a stored value has an unknown type")
    }
  }
}
