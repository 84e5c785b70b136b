// Reads the metadata files that `IcebergMetadataWriter` wrote, to go on from them. A table of another form than ours
// (partitioned, with delete files, of another format version) is refused by name.

package import Bedrock
import JSONTape

extension IcebergTableMetadata {
  /// Throws XX001 when the text is no table metadata, 0A000 for tables that are not of our form.
  package init(json: [UInt8]) throws(Fault) {
    var parser = JSONParser(bytesMax: Limits.icebergMetadataBytesMax, depthMax: Limits.parquetDepthMax * 3)
    do throws(Fault) {
      self = try parser.parse(json) { (root) throws(Fault) in
        guard let object = root.object else { throw Fault.corrupt("it is no object") }
        return try Self(object)
      }
    } catch {
      if error.kind == .unsupported { throw error }
      throw Fault.corrupt("an Iceberg metadata file is broken: \(error.message)", detail: error.detail)
    }
  }

  private init(_ object: JSONObject) throws(Fault) {
    guard object.value(of: "format-version")?.int64 == 2 else {
      throw Fault.unsupported("an Iceberg table of another format version than 2")
    }
    guard let uuid = object.value(of: "table-uuid")?.text, let location = object.value(of: "location")?.text,
      let sequence = object.value(of: "last-sequence-number")?.int64,
      let updated = object.value(of: "last-updated-ms")?.int64,
      let column = object.value(of: "last-column-id")?.int64.flatMap({ Int32(exactly: $0) }),
      let schemaID = object.value(of: "current-schema-id")?.int64.flatMap({ Int(exactly: $0) }),
      let sortID = object.value(of: "default-sort-order-id")?.int64.flatMap({ Int(exactly: $0) })
    else { throw Fault.corrupt("a member is missing") }
    self.init(
      tableUUID: uuid.string, location: location.string, lastSequence: sequence, lastUpdated: updated,
      lastColumnID: column, schemas: [], currentSchemaID: schemaID, sortOrders: [], defaultSortOrderID: sortID,
      properties: try Self.map(object.value(of: "properties")), snapshots: [], snapshotLog: [], metadataLog: [])
    for value in try Self.list(object.value(of: "schemas")) { schemas.append(try IcebergSchema(value)) }
    for value in try Self.list(object.value(of: "sort-orders")) { sortOrders.append(try Self.sortOrder(value)) }
    for value in try Self.list(object.value(of: "snapshots")) { snapshots.append(try Self.snapshot(value)) }
    for value in try Self.list(object.value(of: "snapshot-log")) {
      let entry = try Self.logEntry(value)
      guard let id = entry.body.value(of: "snapshot-id")?.int64 else { throw Fault.corrupt("the snapshot log is broken") }
      snapshotLog.append(IcebergLogEntry(timestamp: entry.time, item: id))
    }
    for value in try Self.list(object.value(of: "metadata-log")) {
      let entry = try Self.logEntry(value)
      guard let file = entry.body.value(of: "metadata-file")?.text else {
        throw Fault.corrupt("the metadata log is broken")
      }
      metadataLog.append(IcebergLogEntry(timestamp: entry.time, item: file.string))
    }
    guard object.value(of: "current-snapshot-id")?.int64 == currentSnapshot?.id else {
      throw Fault.corrupt("the current snapshot is not the newest one")
    }
    guard currentSchema != nil else { throw Fault.corrupt("the current schema is missing") }
  }

  private static func list(_ value: JSONValue?) throws(Fault) -> [JSONValue] {
    guard let array = value?.array else { throw Fault.corrupt("a list is missing") }
    return Array(array)
  }

  private static func map(_ value: JSONValue?) throws(Fault) -> [String: String] {
    guard let object = value?.object else { throw Fault.corrupt("a map is missing") }
    var map: [String: String] = [:]
    for field in object {
      guard let text = field.value.text else { throw Fault.corrupt("a map holds a value that is no text") }
      map[field.key.string] = text.string
    }
    return map
  }

  private static func logEntry(_ value: JSONValue) throws(Fault) -> (time: Int64, body: JSONObject) {
    guard let object = value.object, let time = object.value(of: "timestamp-ms")?.int64 else {
      throw Fault.corrupt("a log has an entry without a time")
    }
    return (time, object)
  }

  private static func sortOrder(_ value: JSONValue) throws(Fault) -> IcebergSortOrder {
    guard let object = value.object, let id = object.value(of: "order-id")?.int64.flatMap({ Int(exactly: $0) }) else {
      throw Fault.corrupt("a sort order has no id")
    }
    var fields: [Int32] = []
    for field in try list(object.value(of: "fields")) {
      guard let body = field.object, let source = body.value(of: "source-id")?.int64.flatMap({ Int32(exactly: $0) })
      else { throw Fault.corrupt("a sort order has a field without an id") }
      let isOurs =
        body.value(of: "transform")?.text.map { $0 == "identity" } ?? false
        && body.value(of: "direction")?.text.map { $0 == "asc" } ?? false
        && body.value(of: "null-order")?.text.map { $0 == "nulls-first" } ?? false
      guard isOurs else { throw Fault.unsupported("an Iceberg sort order that is not ascending") }
      fields.append(source)
    }
    return IcebergSortOrder(id: id, fieldIDs: fields)
  }

  private static func snapshot(_ value: JSONValue) throws(Fault) -> IcebergSnapshot {
    guard let object = value.object, let id = object.value(of: "snapshot-id")?.int64,
      let sequence = object.value(of: "sequence-number")?.int64, let time = object.value(of: "timestamp-ms")?.int64,
      let list = object.value(of: "manifest-list")?.text,
      let schemaID = object.value(of: "schema-id")?.int64.flatMap({ Int(exactly: $0) }), id > 0, sequence > 0
    else { throw Fault.corrupt("a snapshot lacks a member") }
    return IcebergSnapshot(
      id: id, parentID: object.value(of: "parent-snapshot-id")?.int64, sequence: sequence, timestamp: time,
      manifestList: list.string, summary: try map(object.value(of: "summary")), schemaID: schemaID)
  }
}
