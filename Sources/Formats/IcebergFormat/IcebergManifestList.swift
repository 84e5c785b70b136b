// Manifest lists: one Avro file for each snapshot that names its manifests. Iceberg specification, "Manifest Lists".

package import Bedrock

/// A manifest as a list names it.
package struct IcebergManifestFile: Hashable, Sendable {
  /// The full location.
  package let path: String
  package let byteCount: Int64
  package let sequence: Int64
  package let minSequence: Int64
  package let addedSnapshotID: Int64
  package let addedFiles: Int
  package let existingFiles: Int
  package let deletedFiles: Int
  package let addedRows: Int64
  package let existingRows: Int64
  package let deletedRows: Int64

  /// - Parameter entries: what the manifest holds; at least one.
  package init(
    path: String, byteCount: Int64, sequence: Int64, addedSnapshotID: Int64, entries: [IcebergManifestEntry]
  ) {
    precondition(!entries.isEmpty, "a manifest lists something")
    func files(_ status: IcebergManifestEntry.Status) -> [IcebergManifestEntry] { entries.filter { $0.status == status } }
    func rows(_ entries: [IcebergManifestEntry]) -> Int64 { entries.reduce(0) { $0 &+ $1.file.rowCount } }
    self.path = path
    self.byteCount = byteCount
    self.sequence = sequence
    self.addedSnapshotID = addedSnapshotID
    let live = entries.filter { $0.status != .deleted }
    minSequence = live.map { $0.sequence ?? sequence }.min() ?? sequence
    addedFiles = files(.added).count
    existingFiles = files(.existing).count
    deletedFiles = files(.deleted).count
    addedRows = rows(files(.added))
    existingRows = rows(files(.existing))
    deletedRows = rows(files(.deleted))
  }

  package var liveFiles: Int { addedFiles + existingFiles }

  fileprivate var record: AvroValue {
    .record([
      .string(path), .integer(byteCount), .integer(0), .integer(0), .integer(sequence), .integer(minSequence),
      .integer(addedSnapshotID), .integer(Int64(addedFiles)), .integer(Int64(existingFiles)),
      .integer(Int64(deletedFiles)), .integer(addedRows), .integer(existingRows), .integer(deletedRows),
      .optional(nil),
    ])
  }

  fileprivate init(_ row: RecordLayout.Row) throws(Fault) {
    func count(_ id: Int32) -> Int? { row.integer(id).flatMap { Int(exactly: $0) } }
    guard let path = row.value(500)?.string, let byteCount = row.integer(501), let sequence = row.integer(515),
      let minSequence = row.integer(516), let addedSnapshotID = row.integer(503), let addedFiles = count(504),
      let existingFiles = count(505), let deletedFiles = count(506), let addedRows = row.integer(512),
      let existingRows = row.integer(513), let deletedRows = row.integer(514)
    else { throw Fault.corrupt("an entry of an Iceberg manifest list lacks a field") }
    guard row.integer(517) ?? 0 == 0 else { throw Fault.unsupported("an Iceberg manifest of delete files") }
    guard byteCount >= 0, addedFiles >= 0, existingFiles >= 0, addedFiles <= Int(Int32.max),
      existingFiles <= Int(Int32.max)
    else { throw Fault.corrupt("an entry of an Iceberg manifest list has a count out of range") }
    self.path = path
    self.byteCount = byteCount
    self.sequence = sequence
    self.minSequence = minSequence
    self.addedSnapshotID = addedSnapshotID
    self.addedFiles = addedFiles
    self.existingFiles = existingFiles
    self.deletedFiles = deletedFiles
    self.addedRows = addedRows
    self.existingRows = existingRows
    self.deletedRows = deletedRows
  }
}

package struct IcebergManifestList: Hashable, Sendable {
  package var manifests: [IcebergManifestFile]
  package init(manifests: [IcebergManifestFile]) { self.manifests = manifests }

  /// The Avro file of the list of a snapshot.
  package func file(
    snapshotID: Int64, parentID: Int64?, sequence: Int64, codec: AvroCodec, sync: [UInt8]
  ) throws(Fault) -> [UInt8] {
    var writer = AvroFileWriter(
      schema: Self.schema,
      metadata: [
        ("snapshot-id", String(snapshotID)), ("parent-snapshot-id", parentID.map { String($0) } ?? "null"),
        ("sequence-number", String(sequence)), ("format-version", "2"),
      ], codec: codec, sync: sync)
    for manifest in manifests { try writer.append(manifest.record) }
    return try writer.finish()
  }

  /// Reads what `AvroFile` read. Throws XX001 when it is no manifest list.
  package init(_ file: AvroFile) throws(Fault) {
    let layout = try RecordLayout(file.schema)
    manifests = []
    for record in file.records { manifests.append(try IcebergManifestFile(layout.row(record))) }
  }

  static let schema: AvroSchema = {
    let summary = AvroSchema.record(
      name: "r508",
      fields: [
        AvroField("contains_null", .boolean, id: 509), .optional("contains_nan", .boolean, id: 518),
        .optional("lower_bound", .bytes, id: 510), .optional("upper_bound", .bytes, id: 511),
      ])
    return .record(
      name: "manifest_file",
      fields: [
        AvroField("manifest_path", .string, id: 500), AvroField("manifest_length", .long, id: 501),
        AvroField("partition_spec_id", .int, id: 502), AvroField("content", .int, id: 517),
        AvroField("sequence_number", .long, id: 515), AvroField("min_sequence_number", .long, id: 516),
        AvroField("added_snapshot_id", .long, id: 503), AvroField("added_files_count", .int, id: 504),
        AvroField("existing_files_count", .int, id: 505), AvroField("deleted_files_count", .int, id: 506),
        AvroField("added_rows_count", .long, id: 512), AvroField("existing_rows_count", .long, id: 513),
        AvroField("deleted_rows_count", .long, id: 514),
        .optional("partitions", .array(items: summary, elementID: 508, isMap: false), id: 507),
      ])
  }()
}
