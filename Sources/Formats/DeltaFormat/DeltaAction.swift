// The actions of a Delta log, as values. Delta protocol (PROTOCOL.md), section "Actions".
//
// A commit file `_delta_log/<version, 20 digits>.json` is lines of JSON, each an object with one member: the name of
// the action. Actions that carry no state of the table (cdc) or that belong to checkpoints (sidecar,
// checkpointMetadata) are known by name and skipped; names we do not know are skipped too, as the protocol asks: what a
// reader must understand is announced by `protocol`, never by an action's name.

package import Bedrock

package enum DeltaAction: Hashable, Sendable {
  case protocolVersion(DeltaProtocol)
  case metadata(DeltaMetadata)
  case add(DeltaAdd)
  case remove(DeltaRemove)
  case transaction(DeltaTransaction)
  case commitInfo(DeltaCommitInfo)
  case domainMetadata(DeltaDomainMetadata)
}

/// What a reader and a writer must understand.
package struct DeltaProtocol: Hashable, Sendable {
  package var minReaderVersion: Int
  package var minWriterVersion: Int
  /// Present exactly when the reader version is 3.
  package var readerFeatures: [String]?
  /// Present exactly when the writer version is 7.
  package var writerFeatures: [String]?

  package init(
    minReaderVersion: Int, minWriterVersion: Int, readerFeatures: [String]? = nil, writerFeatures: [String]? = nil
  ) {
    self.minReaderVersion = minReaderVersion
    self.minWriterVersion = minWriterVersion
    self.readerFeatures = readerFeatures
    self.writerFeatures = writerFeatures
  }

  /// The open profile: every reader reads it, no other writer may append.
  package static let open = DeltaProtocol(
    minReaderVersion: 1, minWriterVersion: 7,
    writerFeatures: ["appendOnly", "invariants", "inCommitTimestamp", "domainMetadata"])

  /// The same with the feature that timestamps without time zone need, of readers too: only tables that have such a
  /// column ask for readers of version 3.
  package var withTimestampNTZ: DeltaProtocol {
    var result = self
    result.minReaderVersion = 3
    result.minWriterVersion = 7
    let feature = "timestampNtz"
    var reader = readerFeatures ?? [], writer = writerFeatures ?? []
    if !reader.contains(feature) { reader.append(feature) }
    if !writer.contains(feature) { writer.append(feature) }
    result.readerFeatures = reader
    result.writerFeatures = writer
    return result
  }
}

package struct DeltaMetadata: Hashable, Sendable {
  /// A UUID that stays with the table.
  package var id: String
  package var name: String?
  package var description: String?
  /// The schema as JSON text; `schema` reads it. Empty where the log has none.
  package var schemaString: String
  package var partitionColumns: [String]
  package var configuration: [String: String]
  /// Milliseconds since 1970.
  package var createdTime: Int64?

  /// The columns. A pipeline may announce its table before it knows them (PROTOCOL.md requires a schema, but such logs
  /// exist): then there are none, and no files (`DeltaSnapshot`).
  package func schema() throws(Fault) -> DeltaSchema {
    schemaString.isEmpty ? DeltaSchema(fields: []) : try DeltaSchema(json: schemaString)
  }

  package init(
    id: String, name: String? = nil, description: String? = nil, schemaString: String,
    partitionColumns: [String] = [], configuration: [String: String] = [:], createdTime: Int64? = nil
  ) {
    self.id = id
    self.name = name
    self.description = description
    self.schemaString = schemaString
    self.partitionColumns = partitionColumns
    self.configuration = configuration
    self.createdTime = createdTime
  }
}

/// Which rows of a file are deleted; kept as the log has it.
package struct DeltaDeletionVector: Hashable, Sendable {
  package var storageType: String
  package var pathOrInlineDv: String
  package var offset: Int32?
  package var sizeInBytes: Int32
  package var cardinality: Int64

  package init(storageType: String, pathOrInlineDv: String, offset: Int32?, sizeInBytes: Int32, cardinality: Int64) {
    self.storageType = storageType
    self.pathOrInlineDv = pathOrInlineDv
    self.offset = offset
    self.sizeInBytes = sizeInBytes
    self.cardinality = cardinality
  }

  /// What makes (path, deletion vector) pairs distinct (PROTOCOL.md, "Action Reconciliation").
  package var uniqueID: String {
    offset.map { "\(storageType)\(pathOrInlineDv)@\($0)" } ?? storageType + pathOrInlineDv
  }
}

/// Names a logical file: a data file with a deletion vector or none.
package struct DeltaFileKey: Hashable, Sendable {
  package let path: String
  package let deletionVectorID: String?
  package init(path: String, deletionVectorID: String? = nil) {
    self.path = path
    self.deletionVectorID = deletionVectorID
  }
}

package struct DeltaAdd: Hashable, Sendable {
  /// Relative to the table's folder or absolute, percent-decoded, checked by `DeltaPath`.
  package var path: String
  package var partitionValues: [String: String?]
  package var size: Int64
  /// Milliseconds since 1970.
  package var modificationTime: Int64
  package var dataChange: Bool
  /// Statistics as JSON text; `DeltaStatistics` reads it.
  package var stats: String?
  package var tags: [String: String?]
  package var deletionVector: DeltaDeletionVector?

  package init(
    path: String, partitionValues: [String: String?] = [:], size: Int64, modificationTime: Int64,
    dataChange: Bool = true, stats: String? = nil, tags: [String: String?] = [:],
    deletionVector: DeltaDeletionVector? = nil
  ) {
    self.path = path
    self.partitionValues = partitionValues
    self.size = size
    self.modificationTime = modificationTime
    self.dataChange = dataChange
    self.stats = stats
    self.tags = tags
    self.deletionVector = deletionVector
  }

  package var key: DeltaFileKey { DeltaFileKey(path: path, deletionVectorID: deletionVector?.uniqueID) }
}

package struct DeltaRemove: Hashable, Sendable {
  package var path: String
  /// Milliseconds since 1970.
  package var deletionTimestamp: Int64?
  package var dataChange: Bool
  package var size: Int64?
  package var deletionVector: DeltaDeletionVector?

  package init(
    path: String, deletionTimestamp: Int64?, dataChange: Bool, size: Int64? = nil,
    deletionVector: DeltaDeletionVector? = nil
  ) {
    self.path = path
    self.deletionTimestamp = deletionTimestamp
    self.dataChange = dataChange
    self.size = size
    self.deletionVector = deletionVector
  }

  package var key: DeltaFileKey { DeltaFileKey(path: path, deletionVectorID: deletionVector?.uniqueID) }
}

/// How far an application has come: what makes a flush exactly-once.
package struct DeltaTransaction: Hashable, Sendable {
  package var appID: String
  package var version: Int64
  /// Milliseconds since 1970.
  package var lastUpdated: Int64?
  package init(appID: String, version: Int64, lastUpdated: Int64? = nil) {
    self.appID = appID
    self.version = version
    self.lastUpdated = lastUpdated
  }
}

/// Who committed what. Free-form but for the time, which rises strictly from commit to commit.
package struct DeltaCommitInfo: Hashable, Sendable {
  /// Milliseconds since 1970.
  package var timestamp: Int64?
  package var inCommitTimestamp: Int64?
  package var operation: String?
  /// Never holds a value of a row.
  package var operationParameters: [String: String]
  package var engineInfo: String?
  /// Unique to the commit.
  package var txnID: String?

  package init(
    timestamp: Int64? = nil, inCommitTimestamp: Int64? = nil, operation: String? = nil,
    operationParameters: [String: String] = [:], engineInfo: String? = nil, txnID: String? = nil
  ) {
    self.timestamp = timestamp
    self.inCommitTimestamp = inCommitTimestamp
    self.operation = operation
    self.operationParameters = operationParameters
    self.engineInfo = engineInfo
    self.txnID = txnID
  }
}

package struct DeltaDomainMetadata: Hashable, Sendable {
  package var domain: String
  package var configuration: String
  package var removed: Bool
  package init(domain: String, configuration: String, removed: Bool = false) {
    self.domain = domain
    self.configuration = configuration
    self.removed = removed
  }
}
