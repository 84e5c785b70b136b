// Manifests: Avro files that list data files with what is known of their values. Iceberg specification, "Manifests".
//
//   manifest_entry   status, snapshot_id, sequence_number, file_sequence_number, data_file
//   data_file        content, file_path, file_format, partition (no fields), record_count, file_size_in_bytes, maps from
//                    field id to size, counts and bounds, split_offsets, sort_order_id
//
// Written are unpartitioned manifests of data files of format version 2. An entry that is added leaves its numbers to be
// inherited from the manifest list. Maps are in the order of the ids, so equal entries give equal bytes.

package import Bedrock

/// What is known of one data file.
package struct IcebergDataFile: Hashable, Sendable {
  /// The full location.
  package let path: String
  package let rowCount: Int64
  package let byteCount: Int64
  /// By field id.
  package var columnSizes: [Int32: Int64] = [:]
  package var valueCounts: [Int32: Int64] = [:]
  package var nullCounts: [Int32: Int64] = [:]
  package var nanCounts: [Int32: Int64] = [:]
  package var lowerBounds: [Int32: [UInt8]] = [:]
  package var upperBounds: [Int32: [UInt8]] = [:]
  /// Where row groups begin, ascending.
  package var splitOffsets: [Int64] = []
  package init(path: String, rowCount: Int64, byteCount: Int64) {
    self.path = path
    self.rowCount = rowCount
    self.byteCount = byteCount
  }
}

package struct IcebergManifestEntry: Hashable, Sendable {
  package enum Status: Int64, Sendable { case existing = 0, added = 1, deleted = 2 }
  package var status: Status
  /// Nil is inherited, in added entries only.
  package var snapshotID: Int64?
  package var sequence: Int64?
  package var fileSequence: Int64?
  package var file: IcebergDataFile
  package init(
    status: Status, snapshotID: Int64?, sequence: Int64?, fileSequence: Int64?, file: IcebergDataFile
  ) {
    precondition(status == .added || (snapshotID != nil && sequence != nil && fileSequence != nil), "nothing to inherit")
    self.status = status
    self.snapshotID = snapshotID
    self.sequence = sequence
    self.fileSequence = fileSequence
    self.file = file
  }
}

package struct IcebergManifest: Hashable, Sendable {
  package var entries: [IcebergManifestEntry]
  package init(entries: [IcebergManifestEntry]) { self.entries = entries }

  // MARK: Writing

  /// The Avro file of a manifest of an unpartitioned table.
  package func file(schema: IcebergSchema, codec: AvroCodec, sync: [UInt8]) throws(Fault) -> [UInt8] {
    var writer = AvroFileWriter(
      schema: Self.schema,
      metadata: [
        ("schema", schema.json), ("schema-id", String(schema.id)), ("partition-spec", "[]"),
        ("partition-spec-id", "0"), ("format-version", "2"), ("content", "data"),
      ], codec: codec, sync: sync)
    for entry in entries { try writer.append(Self.record(entry)) }
    return try writer.finish()
  }

  private static func record(_ entry: IcebergManifestEntry) -> AvroValue {
    .record([
      .integer(entry.status.rawValue), .optional(entry.snapshotID.map { .integer($0) }),
      .optional(entry.sequence.map { .integer($0) }), .optional(entry.fileSequence.map { .integer($0) }),
      record(entry.file),
    ])
  }

  private static func record(_ file: IcebergDataFile) -> AvroValue {
    .record([
      .integer(0), .string(file.path), .string("PARQUET"), .record([]), .integer(file.rowCount),
      .integer(file.byteCount), map(file.columnSizes) { .integer($0) }, map(file.valueCounts) { .integer($0) },
      map(file.nullCounts) { .integer($0) }, map(file.nanCounts) { .integer($0) },
      map(file.lowerBounds) { .bytes($0) }, map(file.upperBounds) { .bytes($0) },
      .optional(file.splitOffsets.isEmpty ? nil : .array(file.splitOffsets.map { .integer($0) })), .optional(nil),
    ])
  }

  private static func map<T>(_ values: [Int32: T], _ form: (T) -> AvroValue) -> AvroValue {
    if values.isEmpty { return .optional(nil) }
    let pairs = values.sorted { $0.key < $1.key }.map { AvroValue.record([.integer(Int64($0.key)), form($0.value)]) }
    return .optional(.array(pairs))
  }

  // MARK: Reading

  /// Reads what `AvroFile` read. Throws XX001 when it is no manifest, 0A000 for a manifest of delete files.
  package init(_ file: AvroFile) throws(Fault) {
    if let content = file.metadata["content"], content != Array("data".utf8) {
      throw Fault.unsupported("an Iceberg manifest of delete files")
    }
    let layout = try RecordLayout(file.schema)
    let fileLayout = try layout.nested(2)
    entries = []
    for record in file.records {
      let row = layout.row(record)
      guard let status = row.integer(0).flatMap(IcebergManifestEntry.Status.init(rawValue:)),
        let body = row.value(2)
      else { throw Fault.corrupt("an entry of an Iceberg manifest has no status or no file") }
      let snapshotID = row.integer(1), sequence = row.integer(3), fileSequence = row.integer(4)
      guard status == .added || (snapshotID != nil && sequence != nil && fileSequence != nil) else {
        throw Fault.corrupt("an entry of an Iceberg manifest lacks its numbers")
      }
      entries.append(
        IcebergManifestEntry(
          status: status, snapshotID: snapshotID, sequence: sequence, fileSequence: fileSequence,
          file: try Self.dataFile(fileLayout.row(body))))
    }
  }

  private static func dataFile(_ row: RecordLayout.Row) throws(Fault) -> IcebergDataFile {
    guard let path = row.value(100)?.string, let rows = row.integer(103), let bytes = row.integer(104), rows >= 0,
      bytes >= 0
    else { throw Fault.corrupt("a data file of an Iceberg manifest has no path, no row count or no size") }
    guard row.integer(134) ?? 0 == 0 else { throw Fault.unsupported("an Iceberg delete file") }
    var file = IcebergDataFile(path: path, rowCount: rows, byteCount: bytes)
    file.columnSizes = integers(row.value(108))
    file.valueCounts = integers(row.value(109))
    file.nullCounts = integers(row.value(110))
    file.nanCounts = integers(row.value(137))
    file.lowerBounds = bounds(row.value(125))
    file.upperBounds = bounds(row.value(128))
    file.splitOffsets = (row.value(132)?.array ?? []).compactMap(\.integer)
    return file
  }

  private static func pairs(_ value: AvroValue?) -> [(Int32, AvroValue)] {
    (value?.array ?? []).compactMap { pair in
      guard let fields = pair.record, fields.count == 2, let key = fields[0].integer.flatMap({ Int32(exactly: $0) }) else {
        return nil
      }
      return (key, fields[1])
    }
  }

  private static func integers(_ value: AvroValue?) -> [Int32: Int64] {
    Dictionary(pairs(value).compactMap { id, value in value.integer.map { (id, $0) } }) { first, _ in first }
  }

  private static func bounds(_ value: AvroValue?) -> [Int32: [UInt8]] {
    Dictionary(pairs(value).compactMap { id, value in value.bytes.map { (id, $0) } }) { first, _ in first }
  }

  // MARK: Schema

  private static func mapField(_ name: String, _ id: Int32, _ keyID: Int32, _ value: AvroSchema) -> AvroField {
    let pair = AvroSchema.record(
      name: "k\(keyID)_v\(keyID + 1)",
      fields: [AvroField("key", .int, id: keyID), AvroField("value", value, id: keyID + 1)])
    return .optional(name, .array(items: pair, elementID: nil, isMap: true), id: id)
  }

  /// Of manifests of unpartitioned tables.
  static let schema: AvroSchema = {
    let file = AvroSchema.record(
      name: "r2",
      fields: [
        AvroField("content", .int, id: 134), AvroField("file_path", .string, id: 100),
        AvroField("file_format", .string, id: 101),
        AvroField("partition", .record(name: "r102", fields: []), id: 102),
        AvroField("record_count", .long, id: 103), AvroField("file_size_in_bytes", .long, id: 104),
        mapField("column_sizes", 108, 117, .long), mapField("value_counts", 109, 119, .long),
        mapField("null_value_counts", 110, 121, .long), mapField("nan_value_counts", 137, 138, .long),
        mapField("lower_bounds", 125, 126, .bytes), mapField("upper_bounds", 128, 129, .bytes),
        .optional("split_offsets", .array(items: .long, elementID: 133, isMap: false), id: 132),
        .optional("sort_order_id", .int, id: 140),
      ])
    return .record(
      name: "manifest_entry",
      fields: [
        AvroField("status", .int, id: 0), .optional("snapshot_id", .long, id: 1),
        .optional("sequence_number", .long, id: 3), .optional("file_sequence_number", .long, id: 4),
        AvroField("data_file", file, id: 2),
      ])
  }()
}

/// Where the fields of a record lie, by Iceberg's field ids: writers may order and leave out fields as they like.
struct RecordLayout {
  private let places: [Int32: Int]
  private let fields: [AvroField]

  /// Throws XX001 when the schema is no record.
  init(_ schema: AvroSchema) throws(Fault) {
    guard case .record(_, let fields) = schema else { throw Fault.corrupt("an Iceberg metadata file holds no records") }
    self.fields = fields
    places = Dictionary(
      fields.enumerated().compactMap { index, field in field.fieldID.map { ($0, index) } }, uniquingKeysWith: { $1 })
  }

  /// The layout of a field that is a record itself.
  func nested(_ id: Int32) throws(Fault) -> RecordLayout {
    guard let place = places[id] else { throw Fault.corrupt("an Iceberg metadata file lacks field \(id)") }
    return try RecordLayout(fields[place].schema)
  }

  struct Row {
    let values: [AvroValue]
    let places: [Int32: Int]

    /// Nil when the field is missing or null.
    func value(_ id: Int32) -> AvroValue? {
      guard let place = places[id], place < values.count else { return nil }
      return values[place].some
    }
    func integer(_ id: Int32) -> Int64? { value(id)?.integer }
  }

  func row(_ value: AvroValue) -> Row { Row(values: value.record ?? [], places: places) }
}
