// The metadata of an Iceberg table of format version 2, unpartitioned. Iceberg specification, "Table Metadata".
//
//   v<N>.metadata.json ── snapshots ── manifest list (snap-....avro) ── manifests (....avro) ── data files
//
// The JSON text has a fixed order of members and sorted maps: equal metadata gives equal bytes.

import Bedrock

package struct IcebergSnapshot: Hashable, Sendable {
  package let id: Int64
  package var parentID: Int64?
  package let sequence: Int64
  /// Milliseconds since 1970.
  package let timestamp: Int64
  /// The full location of the list.
  package let manifestList: String
  /// `operation` and counts, as text.
  package let summary: [String: String]
  package let schemaID: Int

  package init(
    id: Int64, parentID: Int64?, sequence: Int64, timestamp: Int64, manifestList: String, summary: [String: String],
    schemaID: Int
  ) {
    precondition(id > 0 && sequence > 0, "snapshot ids and sequence numbers are positive")
    self.id = id
    self.parentID = parentID
    self.sequence = sequence
    self.timestamp = timestamp
    self.manifestList = manifestList
    self.summary = summary
    self.schemaID = schemaID
  }
}

/// A sort by fields as they are, ascending, nulls first.
package struct IcebergSortOrder: Hashable, Sendable {
  package let id: Int
  package let fieldIDs: [Int32]
  package init(id: Int, fieldIDs: [Int32]) {
    self.id = id
    self.fieldIDs = fieldIDs
  }
  package static let unsorted = IcebergSortOrder(id: 0, fieldIDs: [])
}

/// When something became current, milliseconds since 1970.
package struct IcebergLogEntry<Item: Hashable & Sendable>: Hashable, Sendable {
  package let timestamp: Int64
  package let item: Item
  package init(timestamp: Int64, item: Item) {
    self.timestamp = timestamp
    self.item = item
  }
}

package struct IcebergTableMetadata: Hashable, Sendable {
  package var tableUUID: String
  /// The table's folder, without a slash at its end.
  package var location: String
  package var lastSequence: Int64
  /// Milliseconds since 1970.
  package var lastUpdated: Int64
  package var lastColumnID: Int32
  package var schemas: [IcebergSchema]
  package var currentSchemaID: Int
  package var sortOrders: [IcebergSortOrder]
  package var defaultSortOrderID: Int
  package var properties: [String: String]
  /// Oldest first; the last one is current.
  package var snapshots: [IcebergSnapshot]
  package var snapshotLog: [IcebergLogEntry<Int64>]
  /// Locations of earlier metadata files, oldest first.
  package var metadataLog: [IcebergLogEntry<String>]

  package init(
    tableUUID: String, location: String, lastSequence: Int64, lastUpdated: Int64, lastColumnID: Int32,
    schemas: [IcebergSchema], currentSchemaID: Int, sortOrders: [IcebergSortOrder], defaultSortOrderID: Int,
    properties: [String: String], snapshots: [IcebergSnapshot], snapshotLog: [IcebergLogEntry<Int64>],
    metadataLog: [IcebergLogEntry<String>]
  ) {
    self.tableUUID = tableUUID
    self.location = location
    self.lastSequence = lastSequence
    self.lastUpdated = lastUpdated
    self.lastColumnID = lastColumnID
    self.schemas = schemas
    self.currentSchemaID = currentSchemaID
    self.sortOrders = sortOrders
    self.defaultSortOrderID = defaultSortOrderID
    self.properties = properties
    self.snapshots = snapshots
    self.snapshotLog = snapshotLog
    self.metadataLog = metadataLog
  }

  package var currentSnapshot: IcebergSnapshot? { snapshots.last }
  package var currentSchema: IcebergSchema? { schemas.first { $0.id == currentSchemaID } }
}
