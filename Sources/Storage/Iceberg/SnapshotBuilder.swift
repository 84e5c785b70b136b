// The snapshot of one step: its manifests, its manifest list, its summary.

import Bedrock
import DeltaFormat
import IcebergFormat

struct SnapshotBuilder {
  private let step: SnapshotStep
  private let change: DeltaChange
  private let schema: IcebergSchema
  private let uuid: String
  private let id: Int64
  private let sequence: Int64
  private var files: [MetadataFile] = []
  private var removedEntries: [IcebergDataFile] = []
  private var updatedPaths: Set<String> = []

  init(step: SnapshotStep, change: DeltaChange, table: ProjectedTable) {
    guard let schema = table.metadata.currentSchema else { preconditionFailure("a table has its current schema") }
    self.step = step
    self.change = change
    self.schema = schema
    uuid = table.metadata.tableUUID
    id = StableNames.snapshotID(uuid, change.version)
    sequence = change.version + 1
  }

  /// Adds the snapshot to `table` and returns the files it consists of.
  mutating func build(_ table: inout ProjectedTable, time: Int64) throws(Fault) -> [MetadataFile] {
    let added = try dataFiles()
    // Manifests that hold nothing live any more were of use to their own snapshot only.
    var manifests = table.manifests.filter { $0.liveFiles > 0 }
    if !change.removed.isEmpty || change.added.contains(where: { !$0.dataChange }) {
      manifests = try rewritten(manifests, added)
    }
    let new = added.filter { !updatedPaths.contains($0.path) }
    for start in stride(from: 0, to: new.count, by: SnapshotStep.manifestFilesMax) {
      let part = new[start..<min(new.count, start + SnapshotStep.manifestFilesMax)]
      manifests.append(
        try write(
          part.map {
            IcebergManifestEntry(status: .added, snapshotID: id, sequence: nil, fileSequence: nil, file: $0)
          }))
    }
    manifests = try merged(manifests)
    let parent = table.metadata.currentSnapshot
    let list = StableNames.list(change.version, snapshotID: id)
    files.append(
      MetadataFile(
        name: list,
        bytes: try IcebergManifestList(manifests: manifests).file(
          snapshotID: id, parentID: parent?.id, sequence: sequence, codec: .deflate,
          sync: StableNames.sync(uuid, change.version, files.count))))
    table.metadata.snapshots.append(
      IcebergSnapshot(
        id: id, parentID: parent?.id, sequence: sequence, timestamp: time,
        manifestList: "\(step.location)/\(StableNames.folder)/\(list)",
        summary: summary(added: new, parent: parent, manifests: manifests), schemaID: schema.id))
    table.metadata.snapshotLog.append(IcebergLogEntry(timestamp: time, item: id))
    table.manifests = manifests
    return files
  }

  // MARK: Data files

  /// The added files with what the log knows of their values.
  private func dataFiles() throws(Fault) -> [IcebergDataFile] {
    let delta = change.schema ?? SchemaMapping.delta(schema)
    var result: [IcebergDataFile] = []
    result.reserveCapacity(change.added.count)
    for add in change.added {
      guard let json = add.stats else { throw Self.noRowCount(add) }
      let statistics = try DeltaStatistics(json: json, delta)
      guard let rows = statistics.numRecords else { throw Self.noRowCount(add) }
      var file = IcebergDataFile(path: "\(step.location)/\(add.path)", rowCount: rows, byteCount: add.size)
      for field in delta.fields {
        guard let id = field.fieldID, let known = statistics.columns[field.name],
          let type = schema.fields.first(where: { $0.id == id })?.type, type.isPrimitive
        else { continue }
        if let count = known.nullCount {
          file.nullCounts[id] = count
          file.valueCounts[id] = rows
        }
        if let min = known.min { file.lowerBounds[id] = IcebergBound.bytes(min, type, .lower) }
        if let max = known.max { file.upperBounds[id] = IcebergBound.bytes(max, type, .upper) }
      }
      result.append(file)
    }
    return result
  }

  private static func noRowCount(_ add: DeltaAdd) -> Fault {
    Fault.unsupported("an Iceberg view of the file \"\(add.path.prefix(200))\", whose number of rows the log does not state,")
  }

  // MARK: Manifests

  private mutating func write(_ entries: [IcebergManifestEntry]) throws(Fault) -> IcebergManifestFile {
    let index = files.count
    let name = StableNames.manifest(change.version, index)
    let bytes = try IcebergManifest(entries: entries).file(
      schema: schema, codec: .deflate, sync: StableNames.sync(uuid, change.version, index))
    files.append(MetadataFile(name: name, bytes: bytes))
    return IcebergManifestFile(
      path: "\(step.location)/\(StableNames.folder)/\(name)", byteCount: Int64(bytes.count), sequence: sequence,
      addedSnapshotID: id, entries: entries)
  }

  /// An entry of an earlier snapshot's manifest with its inherited numbers written out.
  private static func settled(
    _ entry: IcebergManifestEntry, _ manifest: IcebergManifestFile, _ status: IcebergManifestEntry.Status
  ) -> IcebergManifestEntry {
    IcebergManifestEntry(
      status: status, snapshotID: entry.snapshotID ?? manifest.addedSnapshotID,
      sequence: entry.sequence ?? manifest.sequence, fileSequence: entry.fileSequence ?? manifest.sequence,
      file: entry.file)
  }

  /// The manifests with removed files marked, and with files that were added once more (with other statistics) updated.
  private mutating func rewritten(
    _ manifests: [IcebergManifestFile], _ added: [IcebergDataFile]
  ) throws(Fault) -> [IcebergManifestFile] {
    var open = Set(change.removed.map { "\(step.location)/\($0)" })
    let again = Dictionary(zip(change.added, added).filter { !$0.0.dataChange }.map { ($0.1.path, $0.1) }) { $1 }
    var result: [IcebergManifestFile] = []
    for manifest in manifests {
      if open.isEmpty && again.isEmpty {
        result.append(manifest)
        continue
      }
      var entries: [IcebergManifestEntry] = []
      var isChanged = false
      for entry in try step.readManifest(manifest).entries where entry.status != .deleted {
        if open.remove(entry.file.path) != nil {
          var gone = Self.settled(entry, manifest, .deleted)
          gone.snapshotID = id
          removedEntries.append(gone.file)
          entries.append(gone)
          isChanged = true
        } else {
          var kept = Self.settled(entry, manifest, .existing)
          if let file = again[entry.file.path] {
            kept.file = file
            updatedPaths.insert(file.path)
            isChanged = true
          }
          entries.append(kept)
        }
      }
      result.append(isChanged ? try write(entries) : manifest)
    }
    return result
  }

  private static func tier(_ manifest: IcebergManifestFile) -> Int {
    var tier = 0
    var files = manifest.liveFiles
    while files >= SnapshotStep.tierFiles && tier < SnapshotStep.tierMax {
      files /= SnapshotStep.tierFiles
      tier += 1
    }
    return tier
  }

  /// Tiers with many manifests become one manifest each, at the place of their first.
  private mutating func merged(_ manifests: [IcebergManifestFile]) throws(Fault) -> [IcebergManifestFile] {
    var manifests = manifests
    for tier in 0..<SnapshotStep.tierMax {
      // What this snapshot wrote itself stays: its entries say what the snapshot changed.
      let members = manifests.indices.filter {
        Self.tier(manifests[$0]) == tier && manifests[$0].addedSnapshotID != id
      }
      guard members.count >= SnapshotStep.tierFiles else { continue }
      var entries: [IcebergManifestEntry] = []
      for index in members {
        for entry in try step.readManifest(manifests[index]).entries where entry.status != .deleted {
          entries.append(Self.settled(entry, manifests[index], .existing))
        }
      }
      let one = try write(entries)
      let first = members[0]
      manifests = manifests.enumerated().compactMap { index, manifest in
        if index == first { return one }
        return members.contains(index) ? nil : manifest
      }
    }
    return manifests
  }

  // MARK: Summary

  private var operation: String {
    if change.removed.isEmpty { return updatedPaths.isEmpty ? "append" : "replace" }
    if !change.changesData { return "replace" }
    return change.added.isEmpty ? "delete" : "overwrite"
  }

  private func summary(
    added: [IcebergDataFile], parent: IcebergSnapshot?, manifests: [IcebergManifestFile]
  ) -> [String: String] {
    func rows(_ files: [IcebergDataFile]) -> Int64 { files.reduce(0) { $0 &+ $1.rowCount } }
    func bytes(_ files: [IcebergDataFile]) -> Int64 { files.reduce(0) { $0 &+ $1.byteCount } }
    let bytesBefore = parent?.summary["total-files-size"].flatMap { Int64($0) } ?? 0
    let numbers: [(String, Int64)] = [
      ("added-data-files", Int64(added.count)), ("added-records", rows(added)), ("added-files-size", bytes(added)),
      ("deleted-data-files", Int64(removedEntries.count)), ("deleted-records", rows(removedEntries)),
      ("removed-files-size", bytes(removedEntries)),
      ("total-data-files", manifests.reduce(0) { $0 + Int64($1.liveFiles) }),
      ("total-records", manifests.reduce(0) { $0 &+ $1.addedRows &+ $1.existingRows }),
      ("total-files-size", bytesBefore &+ bytes(added) &- bytes(removedEntries)), ("total-delete-files", 0),
      ("total-position-deletes", 0), ("total-equality-deletes", 0), ("delta.version", change.version),
    ]
    var summary = Dictionary(uniqueKeysWithValues: numbers.map { ($0.0, String($0.1)) })
    summary["operation"] = operation
    summary["engine-name"] = "cramped"
    return summary
  }
}
