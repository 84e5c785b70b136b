// Actions to the bytes of a commit file. Maps are written in the order of their keys, so equal actions give equal bytes.

package import Bedrock
import JSONTape

package enum DeltaCommitEncoder {
  /// The lines of a commit, in the order of `actions`. Throws 54000 when a line or the file would pass its limit.
  package static func encode(_ actions: [DeltaAction]) throws(Fault) -> [UInt8] {
    var bytes: [UInt8] = []
    var writer = JSONWriter(capacity: 1_024)
    for action in actions {
      writer.reset()
      writer.beginObject()
      write(action, &writer)
      writer.endObject()
      writer.newLine()
      guard writer.bytes.count <= Limits.deltaLineBytesMax else {
        throw Fault(.programLimitExceeded, "an action of a Delta commit is over \(Limits.deltaLineBytesMax) bytes")
      }
      bytes += writer.bytes
    }
    guard bytes.count <= Limits.deltaCommitBytesMax else {
      throw Fault(.programLimitExceeded, "a Delta commit is over \(Limits.deltaCommitBytesMax) bytes")
    }
    return bytes
  }

  private static func write(_ action: DeltaAction, _ writer: inout JSONWriter) {
    switch action {
    case .protocolVersion(let value): object("protocol", &writer) { protocolVersion(value, &$0) }
    case .metadata(let value): object("metaData", &writer) { metadata(value, &$0) }
    case .add(let value): object("add", &writer) { add(value, &$0) }
    case .remove(let value): object("remove", &writer) { remove(value, &$0) }
    case .transaction(let value): object("txn", &writer) { transaction(value, &$0) }
    case .commitInfo(let value): object("commitInfo", &writer) { commitInfo(value, &$0) }
    case .domainMetadata(let value): object("domainMetadata", &writer) { domainMetadata(value, &$0) }
    }
  }

  private static func protocolVersion(_ value: DeltaProtocol, _ writer: inout JSONWriter) {
    member("minReaderVersion", Int64(value.minReaderVersion), &writer)
    member("minWriterVersion", Int64(value.minWriterVersion), &writer)
    if let features = value.readerFeatures { member("readerFeatures", features, &writer) }
    if let features = value.writerFeatures { member("writerFeatures", features, &writer) }
  }

  private static func metadata(_ value: DeltaMetadata, _ writer: inout JSONWriter) {
    member("id", value.id, &writer)
    if let name = value.name { member("name", name, &writer) }
    if let description = value.description { member("description", description, &writer) }
    object("format", &writer) { format in
      member("provider", "parquet", &format)
      object("options", &format) { _ in }
    }
    member("schemaString", value.schemaString, &writer)
    member("partitionColumns", value.partitionColumns, &writer)
    member("configuration", value.configuration, &writer)
    if let time = value.createdTime { member("createdTime", time, &writer) }
  }

  private static func add(_ value: DeltaAdd, _ writer: inout JSONWriter) {
    member("path", DeltaPath.encode(value.path), &writer)
    member("partitionValues", value.partitionValues, &writer)
    member("size", value.size, &writer)
    member("modificationTime", value.modificationTime, &writer)
    writer.key("dataChange")
    writer.value(value.dataChange)
    if let stats = value.stats { member("stats", stats, &writer) }
    if !value.tags.isEmpty { member("tags", value.tags, &writer) }
    deletionVector(value.deletionVector, &writer)
  }

  private static func remove(_ value: DeltaRemove, _ writer: inout JSONWriter) {
    member("path", DeltaPath.encode(value.path), &writer)
    if let time = value.deletionTimestamp { member("deletionTimestamp", time, &writer) }
    writer.key("dataChange")
    writer.value(value.dataChange)
    if let size = value.size { member("size", size, &writer) }
    deletionVector(value.deletionVector, &writer)
  }

  private static func deletionVector(_ value: DeltaDeletionVector?, _ writer: inout JSONWriter) {
    guard let value else { return }
    object("deletionVector", &writer) { vector in
      member("storageType", value.storageType, &vector)
      member("pathOrInlineDv", value.pathOrInlineDv, &vector)
      if let offset = value.offset { member("offset", Int64(offset), &vector) }
      member("sizeInBytes", Int64(value.sizeInBytes), &vector)
      member("cardinality", value.cardinality, &vector)
    }
  }

  private static func transaction(_ value: DeltaTransaction, _ writer: inout JSONWriter) {
    member("appId", value.appID, &writer)
    member("version", value.version, &writer)
    if let time = value.lastUpdated { member("lastUpdated", time, &writer) }
  }

  private static func commitInfo(_ value: DeltaCommitInfo, _ writer: inout JSONWriter) {
    if let time = value.inCommitTimestamp { member("inCommitTimestamp", time, &writer) }
    if let time = value.timestamp { member("timestamp", time, &writer) }
    if let operation = value.operation { member("operation", operation, &writer) }
    member("operationParameters", value.operationParameters, &writer)
    if let info = value.engineInfo { member("engineInfo", info, &writer) }
    if let id = value.txnID { member("txnId", id, &writer) }
  }

  private static func domainMetadata(_ value: DeltaDomainMetadata, _ writer: inout JSONWriter) {
    member("domain", value.domain, &writer)
    member("configuration", value.configuration, &writer)
    writer.key("removed")
    writer.value(value.removed)
  }

  // MARK: Members

  private static func object(_ name: String, _ writer: inout JSONWriter, _ body: (inout JSONWriter) -> Void) {
    writer.key(name)
    writer.beginObject()
    body(&writer)
    writer.endObject()
  }

  private static func member(_ name: String, _ value: String, _ writer: inout JSONWriter) {
    writer.key(name)
    writer.value(value)
  }

  private static func member(_ name: String, _ value: Int64, _ writer: inout JSONWriter) {
    writer.key(name)
    writer.value(value)
  }

  private static func member(_ name: String, _ values: [String], _ writer: inout JSONWriter) {
    writer.key(name)
    writer.beginArray()
    for value in values { writer.value(value) }
    writer.endArray()
  }

  private static func member(_ name: String, _ values: [String: String], _ writer: inout JSONWriter) {
    object(name, &writer) { map in
      for (key, value) in values.sorted(by: { $0.key < $1.key }) { member(key, value, &map) }
    }
  }

  private static func member(_ name: String, _ values: [String: String?], _ writer: inout JSONWriter) {
    object(name, &writer) { map in
      for (key, value) in values.sorted(by: { $0.key < $1.key }) {
        map.key(key)
        if let value { map.value(value) } else { map.null() }
      }
    }
  }
}
