// The state of a table as a classic checkpoint. PROTOCOL.md, "V1 Spec".
//
// Rows: protocol, metaData, txn by application, domainMetadata by domain, add by path, remove by path; so equal states give
// equal files. Tombstones older than the table's retention are left out: nothing needs them any more. Statistics are
// JSON text, as in the commits.

package import Bedrock
import ParquetFormat

package struct DeltaCheckpoint: Sendable {
  package let bytes: [UInt8]
  package let actionCount: Int64
  package let addCount: Int64
}

package enum DeltaCheckpointWriter {
  private static let vector = ParquetRecordNode.group(
    "deletionVector",
    [
      .leaf("storageType", .text), .leaf("pathOrInlineDv", .text), .leaf("offset", .int32),
      .leaf("sizeInBytes", .int32), .leaf("cardinality", .int64),
    ])
  private static let roots: [ParquetRecordNode] = [
    .group("txn", [.leaf("appId", .text), .leaf("version", .int64), .leaf("lastUpdated", .int64)]),
    .group(
      "add",
      [
        .leaf("path", .text), .map("partitionValues"), .leaf("size", .int64), .leaf("modificationTime", .int64),
        .leaf("dataChange", .boolean), .leaf("stats", .text), .map("tags"), vector,
      ]),
    .group(
      "remove",
      [
        .leaf("path", .text), .leaf("deletionTimestamp", .int64), .leaf("dataChange", .boolean), .leaf("size", .int64),
        vector,
      ]),
    .group(
      "metaData",
      [
        .leaf("id", .text), .leaf("name", .text), .leaf("description", .text),
        .group("format", [.leaf("provider", .text), .map("options")]), .leaf("schemaString", .text),
        .list("partitionColumns"), .map("configuration"), .leaf("createdTime", .int64),
      ]),
    .group(
      "protocol",
      [
        .leaf("minReaderVersion", .int32), .leaf("minWriterVersion", .int32), .list("readerFeatures"),
        .list("writerFeatures"),
      ]),
    .group("domainMetadata", [.leaf("domain", .text), .leaf("configuration", .text), .leaf("removed", .boolean)]),
  ]
  private static let txn = 0, addRow = 1, removeRow = 2, metaData = 3, protocolRow = 4, domain = 5

  /// The checkpoint of `state`. Tombstones from before `tombstonesAfter` (ms since 1970) are left out.
  package static func write(_ state: DeltaSnapshot, tombstonesAfter: Int64) throws(Fault) -> DeltaCheckpoint {
    guard let version = state.protocolVersion, let metadata = state.metadata else {
      throw Fault.bug("a checkpoint of a table that does not exist")
    }
    var writer = ParquetRecordWriter(roots)
    func row(_ place: Int, _ values: [ParquetRecordValue]) -> [ParquetRecordValue] {
      var row = [ParquetRecordValue](repeating: .null, count: roots.count)
      row[place] = .group(values)
      return row
    }
    try writer.append(
      row(
        protocolRow,
        [
          .integer(Int64(version.minReaderVersion)), .integer(Int64(version.minWriterVersion)),
          version.readerFeatures.map { .list($0) } ?? .null, version.writerFeatures.map { .list($0) } ?? .null,
        ]))
    try writer.append(
      row(
        metaData,
        [
          .text(metadata.id), text(metadata.name), text(metadata.description),
          .group([.text("parquet"), .map([])]), .text(metadata.schemaString), .list(metadata.partitionColumns),
          map(metadata.configuration), integer(metadata.createdTime),
        ]))
    for transaction in state.transactions.values.sorted(by: { $0.appID < $1.appID }) {
      try writer.append(
        row(txn, [.text(transaction.appID), .integer(transaction.version), integer(transaction.lastUpdated)]))
    }
    for value in state.domains.values.sorted(by: { $0.domain < $1.domain }) {
      try writer.append(row(domain, [.text(value.domain), .text(value.configuration), .boolean(false)]))
    }
    for add in state.files.values.sorted(by: { ($0.path, $0.key.deletionVectorID ?? "") < ($1.path, $1.key.deletionVectorID ?? "") }) {
      try writer.append(
        row(
          addRow,
          [
            .text(DeltaPath.encode(add.path)), map(add.partitionValues), .integer(add.size),
            .integer(add.modificationTime), .boolean(false), text(add.stats),
            add.tags.isEmpty ? .null : map(add.tags), vector(add.deletionVector),
          ]))
    }
    for remove in state.removes(after: tombstonesAfter) {
      try writer.append(
        row(
          removeRow,
          [
            .text(DeltaPath.encode(remove.path)), integer(remove.deletionTimestamp), .boolean(false),
            integer(remove.size), vector(remove.deletionVector),
          ]))
    }
    let count = Int64(writer.rowCount)
    return DeltaCheckpoint(
      bytes: try writer.finish(), actionCount: count, addCount: Int64(state.files.count))
  }

  private static func text(_ value: String?) -> ParquetRecordValue { value.map { .text($0) } ?? .null }
  private static func integer(_ value: Int64?) -> ParquetRecordValue { value.map { .integer($0) } ?? .null }
  private static func map(_ values: [String: String]) -> ParquetRecordValue {
    .map(values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
  }
  private static func map(_ values: [String: String?]) -> ParquetRecordValue {
    .map(values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
  }
  private static func vector(_ value: DeltaDeletionVector?) -> ParquetRecordValue {
    guard let value else { return .null }
    return .group([
      .text(value.storageType), .text(value.pathOrInlineDv), value.offset.map { .integer(Int64($0)) } ?? .null,
      .integer(Int64(value.sizeInBytes)), .integer(value.cardinality),
    ])
  }
}
