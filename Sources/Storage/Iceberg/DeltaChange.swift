// What happened to a table between two versions, as the projection needs it: from one commit of the log, or from the
// difference of two states when the log has been cleaned.

import Bedrock
import DeltaFormat
import Lake

struct DeltaChange {
  /// The Delta version after the change.
  let version: Int64
  /// Milliseconds since 1970.
  let timestamp: Int64
  /// Nil when it stays as it was.
  var schema: DeltaSchema?
  /// Nil when it stays as it was.
  var tableID: String?
  var added: [DeltaAdd] = []
  /// Paths relative to the table's folder.
  var removed: Set<String> = []
  /// False when rows were only rearranged.
  var changesData = false

  /// A commit of the log. Throws 0A000 for what format version 2 cannot show.
  init(version: Int64, _ actions: [DeltaAction]) throws(Fault) {
    self.version = version
    var time: Int64?
    for action in actions {
      switch action {
      case .commitInfo(let info): time = info.inCommitTimestamp ?? info.timestamp
      case .metadata(let metadata):
        try Self.check(metadata)
        schema = try DeltaSchema(json: metadata.schemaString)
        tableID = metadata.id
      case .add(let add):
        try Self.check(add)
        added.append(add)
        changesData = changesData || add.dataChange
      case .remove(let remove):
        removed.insert(remove.path)
        changesData = changesData || remove.dataChange
      case .protocolVersion, .transaction, .domainMetadata: break
      }
    }
    timestamp = time ?? added.map(\.modificationTime).max() ?? 0
  }

  /// From the state with the live files `before` to a snapshot.
  init(from before: Set<String>, to snapshot: LakeSnapshot) throws(Fault) {
    guard let metadata = snapshot.delta.metadata else { throw Fault.bug("a Delta table has metadata") }
    try Self.check(metadata)
    version = snapshot.version
    schema = try DeltaSchema(json: metadata.schemaString)
    tableID = metadata.id
    var after: Set<String> = []
    for add in snapshot.delta.files.values {
      try Self.check(add)
      after.insert(add.path)
      if !before.contains(add.path) { added.append(add) }
    }
    // Dictionaries have no order, files of a manifest do.
    added.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    removed = before.subtracting(after)
    changesData = added.contains { $0.dataChange } || added.isEmpty
    timestamp = snapshot.delta.inCommitTimestamp ?? added.map(\.modificationTime).max() ?? 0
  }

  private static func check(_ metadata: DeltaMetadata) throws(Fault) {
    guard metadata.partitionColumns.isEmpty else {
      throw Fault.unsupported("an Iceberg view of a partitioned Delta table")
    }
    guard metadata.configuration["delta.columnMapping.mode"] ?? "none" == "none" else {
      throw Fault.unsupported("an Iceberg view of a Delta table with column mapping")
    }
  }

  private static func check(_ add: DeltaAdd) throws(Fault) {
    guard add.deletionVector == nil else {
      throw Fault.unsupported(
        "an Iceberg view (format version 2) of a Delta table with deletion vectors",
        hint: "Rewrite the files with deleted rows, for example by CALL cramped.compact.")
    }
  }
}
