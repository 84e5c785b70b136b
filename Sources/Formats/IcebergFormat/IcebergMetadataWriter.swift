// Table metadata as JSON text. Iceberg specification, appendix C, "Table Metadata and Snapshots".

import JSONTape

extension IcebergTableMetadata {
  /// The whole metadata file.
  package var json: [UInt8] {
    var writer = JSONWriter(capacity: 2_048 + snapshots.count * 768)
    write(&writer, snapshots: snapshots)
    return writer.bytes
  }

  /// The same with the current snapshot only, as a catalog gives it to a client that asks for referenced snapshots.
  package var jsonOfReferencedSnapshots: [UInt8] {
    var writer = JSONWriter(capacity: 4_096)
    write(&writer, snapshots: currentSnapshot.map { [$0] } ?? [])
    return writer.bytes
  }

  private func write(_ writer: inout JSONWriter, snapshots: [IcebergSnapshot]) {
    func field(_ name: String, _ value: Int64) {
      writer.key(name)
      writer.value(value)
    }
    writer.beginObject()
    field("format-version", 2)
    writer.key("table-uuid")
    writer.value(tableUUID)
    writer.key("location")
    writer.value(location)
    field("last-sequence-number", lastSequence)
    field("last-updated-ms", lastUpdated)
    field("last-column-id", Int64(lastColumnID))
    field("current-schema-id", Int64(currentSchemaID))
    writer.key("schemas")
    writer.beginArray()
    for schema in schemas { schema.write(&writer) }
    writer.endArray()
    field("default-spec-id", 0)
    writer.key("partition-specs")
    writer.value(json: #"[{"spec-id":0,"fields":[]}]"#)
    // Ids of partition fields start at 1000: none is used.
    field("last-partition-id", 999)
    field("default-sort-order-id", Int64(defaultSortOrderID))
    writer.key("sort-orders")
    writer.beginArray()
    for order in sortOrders { Self.write(order, &writer) }
    writer.endArray()
    writer.key("properties")
    Self.write(properties, &writer)
    if let current = currentSnapshot {
      field("current-snapshot-id", current.id)
      writer.key("refs")
      writer.value(json: #"{"main":{"snapshot-id":\#(current.id),"type":"branch"}}"#)
    } else {
      writer.key("refs")
      writer.value(json: "{}")
    }
    writer.key("snapshots")
    writer.beginArray()
    for snapshot in snapshots { Self.write(snapshot, &writer) }
    writer.endArray()
    writeLogs(&writer)
    writer.endObject()
  }

  private func writeLogs(_ writer: inout JSONWriter) {
    writer.key("snapshot-log")
    writer.beginArray()
    for entry in snapshotLog {
      writer.value(json: #"{"timestamp-ms":\#(entry.timestamp),"snapshot-id":\#(entry.item)}"#)
    }
    writer.endArray()
    writer.key("metadata-log")
    writer.beginArray()
    for entry in metadataLog {
      writer.beginObject()
      writer.key("timestamp-ms")
      writer.value(entry.timestamp)
      writer.key("metadata-file")
      writer.value(entry.item)
      writer.endObject()
    }
    writer.endArray()
  }

  private static func write(_ map: [String: String], _ writer: inout JSONWriter) {
    writer.beginObject()
    for (key, value) in map.sorted(by: { $0.key < $1.key }) {
      writer.key(key)
      writer.value(value)
    }
    writer.endObject()
  }

  private static func write(_ order: IcebergSortOrder, _ writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("order-id")
    writer.value(Int64(order.id))
    writer.key("fields")
    writer.beginArray()
    for id in order.fieldIDs {
      writer.value(json: #"{"transform":"identity","source-id":\#(id),"direction":"asc","null-order":"nulls-first"}"#)
    }
    writer.endArray()
    writer.endObject()
  }

  private static func write(_ snapshot: IcebergSnapshot, _ writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("sequence-number")
    writer.value(snapshot.sequence)
    writer.key("snapshot-id")
    writer.value(snapshot.id)
    if let parent = snapshot.parentID {
      writer.key("parent-snapshot-id")
      writer.value(parent)
    }
    writer.key("timestamp-ms")
    writer.value(snapshot.timestamp)
    writer.key("summary")
    write(snapshot.summary, &writer)
    writer.key("manifest-list")
    writer.value(snapshot.manifestList)
    writer.key("schema-id")
    writer.value(Int64(snapshot.schemaID))
    writer.endObject()
  }
}
