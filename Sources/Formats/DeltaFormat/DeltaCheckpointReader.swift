// Checkpoints in Parquet: classic ones, parts, v2 ones and their sidecars. PROTOCOL.md, "Checkpoint Schema".
//
// A row is one action: the one of its columns add, remove, metaData ... that is not null. Columns that we do not need are
// not read. Statistics are text (`stats`); where a writer left only the struct `stats_parsed`, it becomes that text.

package import Bedrock
package import Columnar
import JSONTape
package import ParquetFormat

/// A file with actions that a v2 checkpoint names; it lies in `_delta_log/_sidecars/`.
package struct DeltaSidecar: Hashable, Sendable {
  package var path: String
  package var byteCount: Int64
}

/// What one file of a checkpoint holds.
package struct DeltaCheckpointPart: Sendable {
  package var actions: [DeltaAction] = []
  package var sidecars: [DeltaSidecar] = []
  package init() {}
}

package enum DeltaCheckpointReader {
  /// Bytes of one checkpoint file.
  package static let fileBytesMax = 2 << 30
  private static let actionsMax = DeltaCommitDecoder.actionsMax

  /// The actions of a Parquet file. `fetch` gives bytes of it.
  package static func read(
    _ file: ParquetFile, fetch: (Range<Int>) throws(Fault) -> Buffer
  ) throws(Fault) -> DeltaCheckpointPart {
    guard file.rowCount <= actionsMax else {
      throw Fault.corrupt("a Delta checkpoint has \(file.rowCount) actions, over \(actionsMax)")
    }
    var part = DeltaCheckpointPart()
    for group in file.rowGroups.indices {
      var rows = try CheckpointRows(file, rowGroup: group, fetch: fetch)
      while try rows.nextBatch() {
        for row in 0..<rows.count { try rows.action(at: row, into: &part) }
      }
    }
    return part
  }

  /// The actions of a v2 checkpoint in JSON.
  package static func read(json bytes: [UInt8]) throws(Fault) -> DeltaCheckpointPart {
    var decoder = DeltaCommitDecoder()
    return try decoder.decode(checkpoint: bytes)
  }
}

/// The rows of one row group, a batch at a time.
private struct CheckpointRows {
  private static let batchRows = Limits.chunkRowsMax
  private static let vector = ["storageType", "pathOrInlineDv", "offset", "sizeInBytes", "cardinality"]
  private static let paths: [[String]] = [
    ["add", "path"], ["add", "partitionValues"], ["add", "size"], ["add", "modificationTime"], ["add", "dataChange"],
    ["add", "stats"], ["add", "tags"], ["remove", "path"], ["remove", "deletionTimestamp"], ["remove", "dataChange"],
    ["remove", "size"], ["metaData", "id"], ["metaData", "name"], ["metaData", "description"],
    ["metaData", "format", "provider"], ["metaData", "schemaString"], ["metaData", "partitionColumns"],
    ["metaData", "configuration"], ["metaData", "createdTime"], ["protocol", "minReaderVersion"],
    ["protocol", "minWriterVersion"], ["protocol", "readerFeatures"], ["protocol", "writerFeatures"],
    ["txn", "appId"], ["txn", "version"], ["txn", "lastUpdated"], ["domainMetadata", "domain"],
    ["domainMetadata", "configuration"], ["domainMetadata", "removed"], ["sidecar", "path"], ["sidecar", "sizeInBytes"],
  ] + vector.map { ["add", "deletionVector", $0] } + vector.map { ["remove", "deletionVector", $0] }

  private var readers: [String: any ParquetColumnReader] = [:]
  private var parsedStats: (any ParquetColumnReader)?
  private var columns: [String: Column] = [:]
  private var stats: Column?
  private var parser = JSONTexts()
  private var left: Int
  private(set) var count = 0

  init(_ file: ParquetFile, rowGroup: Int, fetch: (Range<Int>) throws(Fault) -> Buffer) throws(Fault) {
    let group = file.rowGroups[rowGroup]
    left = group.rowCount
    func reader(_ path: [String]) throws(Fault) -> (any ParquetColumnReader)? {
      guard let field = file.field(path: path) else { return nil }
      var sources: [ParquetChunkSource] = []
      for leaf in field.leaves {
        let chunk = group.columns[leaf]
        sources.append(ParquetChunkSource(chunk: chunk, bytes: try fetch(chunk.byteRange)))
      }
      return try file.columnReader(field, rowGroup: rowGroup, sources: sources)
    }
    for path in Self.paths { readers[path.joined(separator: ".")] = try reader(path) }
    parsedStats = try reader(["add", "stats_parsed"])
  }

  /// Moves on; false at the end.
  mutating func nextBatch() throws(Fault) -> Bool {
    count = min(left, Self.batchRows)
    if count == 0 { return false }
    left -= count
    columns = [:]
    for (name, reader) in readers {
      let column = try reader.decode(rows: count)
      guard column.count == count else { throw Fault.corrupt("a Delta checkpoint has columns of different lengths") }
      columns[name] = column
    }
    stats = nil
    if let parsedStats {
      // The struct is costly to read: only where the text is missing.
      if needsParsedStats {
        let column = try parsedStats.decode(rows: count)
        guard column.count == count else { throw Fault.corrupt("a Delta checkpoint has columns of different lengths") }
        stats = column
      } else {
        try parsedStats.skip(rows: count)
      }
    }
    return true
  }

  private var needsParsedStats: Bool {
    guard let path = columns["add.path"] else { return false }
    guard let text = columns["add.stats"] else { return true }
    for row in 0..<count where !path.isNull(at: row) && text.isNull(at: row) { return true }
    return false
  }

  // MARK: Actions

  mutating func action(at row: Int, into part: inout DeltaCheckpointPart) throws(Fault) {
    if let path = text("add.path", row) {
      part.actions.append(.add(try add(path, row)))
    } else if let path = text("remove.path", row) {
      var remove = DeltaRemove(
        path: try DeltaPath.decode(path), deletionTimestamp: integer("remove.deletionTimestamp", row),
        dataChange: boolean("remove.dataChange", row) ?? false, size: integer("remove.size", row))
      remove.deletionVector = try vector("remove", row)
      part.actions.append(.remove(remove))
    } else if let app = text("txn.appId", row) {
      guard let version = integer("txn.version", row) else { throw Self.wrong("a txn without version") }
      part.actions.append(
        .transaction(DeltaTransaction(appID: app, version: version, lastUpdated: integer("txn.lastUpdated", row))))
    } else if let id = text("metaData.id", row) {
      part.actions.append(.metadata(try metadata(id, row)))
    } else if let reader = integer("protocol.minReaderVersion", row) {
      part.actions.append(.protocolVersion(try version(reader, row)))
    } else if let domain = text("domainMetadata.domain", row) {
      part.actions.append(
        .domainMetadata(
          DeltaDomainMetadata(
            domain: domain, configuration: text("domainMetadata.configuration", row) ?? "",
            removed: boolean("domainMetadata.removed", row) ?? false)))
    } else if let path = text("sidecar.path", row) {
      let size = integer("sidecar.sizeInBytes", row) ?? 0
      part.sidecars.append(DeltaSidecar(path: DeltaPath.name(try DeltaPath.decode(path)), byteCount: size))
    }
  }

  private mutating func add(_ path: String, _ row: Int) throws(Fault) -> DeltaAdd {
    guard let size = integer("add.size", row), size >= 0 else { throw Self.wrong("an add without size") }
    var add = DeltaAdd(
      path: try DeltaPath.decode(path), size: size, modificationTime: integer("add.modificationTime", row) ?? 0,
      dataChange: boolean("add.dataChange", row) ?? false)
    add.partitionValues = try map("add.partitionValues", row)
    add.tags = try map("add.tags", row)
    add.stats = text("add.stats", row)
    if add.stats == nil, let stats, !stats.isNull(at: row) { add.stats = stats.scalar(at: row).text }
    add.deletionVector = try vector("add", row)
    return add
  }

  private func vector(_ action: String, _ row: Int) throws(Fault) -> DeltaDeletionVector? {
    guard let type = text(action + ".deletionVector.storageType", row) else { return nil }
    guard ["u", "i", "p"].contains(type), let path = text(action + ".deletionVector.pathOrInlineDv", row),
      let size = integer(action + ".deletionVector.sizeInBytes", row).flatMap({ Int32(exactly: $0) }), size >= 0
    else { throw Self.wrong("a deletion vector that is not whole") }
    let offset = integer(action + ".deletionVector.offset", row)
    let narrow = offset.flatMap { Int32(exactly: $0) }
    guard (narrow == nil) == (offset == nil), narrow ?? 0 >= 0 else { throw Self.wrong("a deletion vector far away") }
    return DeltaDeletionVector(
      storageType: type, pathOrInlineDv: path, offset: narrow, sizeInBytes: size,
      cardinality: max(0, integer(action + ".deletionVector.cardinality", row) ?? 0))
  }

  private mutating func metadata(_ id: String, _ row: Int) throws(Fault) -> DeltaMetadata {
    if let format = text("metaData.format.provider", row), format != "parquet" {
      throw Fault.unsupported("a Delta table whose files are not Parquet")
    }
    var metadata = DeltaMetadata(id: id, schemaString: text("metaData.schemaString", row) ?? "")
    metadata.name = text("metaData.name", row)
    metadata.description = text("metaData.description", row)
    metadata.partitionColumns = list("metaData.partitionColumns", row) ?? []
    for (key, value) in try map("metaData.configuration", row) { metadata.configuration[key] = value }
    metadata.createdTime = integer("metaData.createdTime", row)
    return metadata
  }

  private func version(_ reader: Int64, _ row: Int) throws(Fault) -> DeltaProtocol {
    guard let writer = integer("protocol.minWriterVersion", row), let readers = Int(exactly: reader),
      let writers = Int(exactly: writer), readers >= 0, writers >= 0
    else { throw Self.wrong("a protocol without versions") }
    return DeltaProtocol(
      minReaderVersion: readers, minWriterVersion: writers,
      readerFeatures: readers == 3 ? list("protocol.readerFeatures", row) ?? [] : nil,
      writerFeatures: writers == 7 ? list("protocol.writerFeatures", row) ?? [] : nil)
  }

  // MARK: Values

  private static func wrong(_ what: String) -> Fault { Fault.corrupt("a Delta checkpoint has \(what)") }

  private func value(_ name: String, _ row: Int) -> Scalar {
    guard let column = columns[name], !column.isNull(at: row) else { return .null }
    return column.scalar(at: row)
  }
  private func text(_ name: String, _ row: Int) -> String? { value(name, row).text }
  private func integer(_ name: String, _ row: Int) -> Int64? { value(name, row).integer }
  private func boolean(_ name: String, _ row: Int) -> Bool? {
    if case .boolean(let value) = value(name, row) { return value }
    return nil
  }
  private func list(_ name: String, _ row: Int) -> [String]? {
    guard case .list(let elements) = value(name, row) else { return nil }
    return elements.compactMap(\.text)
  }
  /// Maps are read as JSON.
  private mutating func map(_ name: String, _ row: Int) throws(Fault) -> [String: String?] {
    guard let json = text(name, row), json != "{}" else { return [:] }
    return try parser.map(json)
  }
}

/// JSON objects of text, as the nested reader makes them of maps. A class, since a parser cannot be copied.
private final class JSONTexts {
  private var parser = JSONParser(bytesMax: Limits.deltaLineBytesMax, depthMax: Limits.jsonDepthMax)

  func map(_ json: String) throws(Fault) -> [String: String?] {
    try parser.parse(Array(json.utf8)) { (root) throws(Fault) in
      guard let object = root.object else { throw Fault.corrupt("a Delta checkpoint has a map that is none") }
      var result: [String: String?] = [:]
      for field in object { result.updateValue(field.value.text?.string, forKey: field.key.string) }
      return result
    }
  }
}
