// One step of the projection: the table at a version and a change give the table at the next one and the files to write.
//
//   manifests before ──► those with removed files rewritten ──► new files in a new manifest ──► full tiers merged
//
// A step is a function of its input: no clock, no randomness, and files only through `readManifest`.
//
// Tiers keep the list short: a manifest of fewer than 32 live files is of tier 0, of fewer than 32^2 of tier 1, and so on.
// When 32 manifests of a tier are there they become one. A file's entry is so rewritten about once for each tier.
//
// Invariants: a live file stands in exactly one manifest. Entries that are not added in this very snapshot carry their
// numbers; sequence numbers rise by version.

import Bedrock
import DeltaFormat
import IcebergFormat

/// The projection of one version.
struct ProjectedTable {
  var version: Int64
  var metadata: IcebergTableMetadata
  /// Of the current snapshot.
  var manifests: [IcebergManifestFile]
}

/// A file to write into the metadata folder.
struct MetadataFile {
  let name: String
  let bytes: [UInt8]
}

struct SnapshotStep {
  static let tierFiles = 32
  static let tierMax = 3
  /// Files of one manifest at most.
  static let manifestFilesMax = 32_768

  let options: IcebergOptions
  /// The table's folder as a full location.
  let location: String
  let readManifest: (IcebergManifestFile) throws(Fault) -> IcebergManifest

  private func path(_ name: String) -> String { "\(location)/\(StableNames.folder)/\(name)" }

  /// The table after `change`. `base` is nil for the first version that is projected.
  func apply(
    _ change: DeltaChange, to base: ProjectedTable?
  ) throws(Fault) -> (table: ProjectedTable, files: [MetadataFile]) {
    precondition(base.map { $0.version < change.version } ?? true, "versions rise")
    var table: ProjectedTable
    if let base { table = base } else { table = try empty(change) }
    let before = table
    table.version = change.version
    table.metadata.lastSequence = change.version + 1
    let time = max(change.timestamp, before.metadata.lastUpdated)
    table.metadata.lastUpdated = time
    table.metadata.properties["delta.version"] = String(change.version)
    if let schema = change.schema { try Self.adopt(schema, &table.metadata) }
    var files: [MetadataFile] = []
    if !change.added.isEmpty || !change.removed.isEmpty {
      var snapshot = SnapshotBuilder(step: self, change: change, table: table)
      files = try snapshot.build(&table, time: time)
    }
    Self.expire(&table.metadata, cutoff: time - options.historyMicros / 1_000, snapshotsMax: options.snapshotsMax)
    if base != nil {
      table.metadata.metadataLog.append(
        IcebergLogEntry(timestamp: before.metadata.lastUpdated, item: path(StableNames.metadata(before.version))))
      let excess = table.metadata.metadataLog.count - (options.metadataFilesMax - 1)
      if excess > 0 { table.metadata.metadataLog.removeFirst(excess) }
    }
    files.append(MetadataFile(name: StableNames.metadata(change.version), bytes: table.metadata.json))
    return (table, files)
  }

  /// A table before its first version.
  private func empty(_ change: DeltaChange) throws(Fault) -> ProjectedTable {
    guard let delta = change.schema, let uuid = change.tableID else {
      throw Fault.corrupt("the first version of a Delta table has no metaData")
    }
    let schema = try SchemaMapping.schema(delta, id: 0)
    var orders = [IcebergSortOrder.unsorted]
    // Flushed files are sorted by `published`, the third system column.
    if let published = schema.fields.first(where: { $0.name == "published" }) {
      orders.append(IcebergSortOrder(id: 1, fieldIDs: [published.id]))
    }
    let metadata = IcebergTableMetadata(
      tableUUID: uuid, location: location, lastSequence: 0, lastUpdated: change.timestamp,
      lastColumnID: schema.lastColumnID, schemas: [schema], currentSchemaID: 0, sortOrders: orders,
      defaultSortOrderID: orders.count - 1,
      properties: [
        "write.format.default": "parquet", "write.parquet.compression-codec": "zstd",
        "write.metadata.path": "\(location)/\(StableNames.folder)",
      ], snapshots: [], snapshotLog: [], metadataLog: [])
    return ProjectedTable(version: change.version - 1, metadata: metadata, manifests: [])
  }

  /// Makes `delta` the current schema, under a new id unless the table has had it before.
  private static func adopt(_ delta: DeltaSchema, _ metadata: inout IcebergTableMetadata) throws(Fault) {
    metadata.properties[SchemaMapping.nameMappingKey] = SchemaMapping.nameMapping(delta)
    let nextID = (metadata.schemas.map(\.id).max() ?? -1) + 1
    let schema = try SchemaMapping.schema(delta, id: nextID)
    metadata.lastColumnID = max(metadata.lastColumnID, schema.lastColumnID)
    if let known = metadata.schemas.first(where: { $0.fields == schema.fields }) {
      metadata.currentSchemaID = known.id
      return
    }
    metadata.schemas.append(schema)
    metadata.currentSchemaID = nextID
  }

  /// Drops snapshots whose successor became current before `cutoff` (milliseconds since 1970), and those over the
  /// maximum; the current one stays. True when there were any.
  @discardableResult
  static func expire(_ metadata: inout IcebergTableMetadata, cutoff: Int64, snapshotsMax: Int) -> Bool {
    var count = max(0, metadata.snapshots.count - snapshotsMax)
    while count + 1 < metadata.snapshots.count, metadata.snapshots[count + 1].timestamp < cutoff { count += 1 }
    if count == 0 { return false }
    metadata.snapshots.removeFirst(count)
    let kept = Set(metadata.snapshots.map(\.id))
    metadata.snapshotLog.removeAll { !kept.contains($0.item) }
    return true
  }
}
