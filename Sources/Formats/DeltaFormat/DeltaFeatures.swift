// What a table asks of its readers and writers, and whether we have it. PROTOCOL.md, "Table Features", "Reader Version
// Requirements", "Writer Version Requirements".
//
// Versions 1 and 2 of readers, 1 to 6 of writers stand for fixed sets of features; 3 and 7 name theirs. A feature that a
// table supports but does not use (no check constraint, no generated column) asks nothing of a writer.

package import Bedrock

package enum DeltaFeatures {
  /// Reader features whose tables we read.
  package static let readable: Set<String> = [
    "timestampNtz", "deletionVectors", "columnMapping", "typeWidening", "typeWidening-preview", "v2Checkpoint",
    "vacuumProtocolCheck",
  ]

  /// Writer features that ask nothing of us, or that `checkInactive` finds at rest.
  private static let writable: Set<String> = [
    "appendOnly", "invariants", "inCommitTimestamp", "domainMetadata", "checkConstraints", "changeDataFeed",
    "generatedColumns", "columnMapping", "allowColumnDefaults", "timestampNtz", "deletionVectors", "clustering",
    "vacuumProtocolCheck", "typeWidening", "typeWidening-preview",
  ]

  /// Throws 0A000 naming what we do not read.
  package static func checkReadable(_ version: DeltaProtocol, _ metadata: DeltaMetadata) throws(Fault) {
    guard (1...3).contains(version.minReaderVersion) else {
      throw Fault.unsupported("reader version \(version.minReaderVersion) of the Delta protocol")
    }
    if version.minReaderVersion == 3 {
      for feature in (version.readerFeatures ?? []).sorted() where !readable.contains(feature) {
        throw Fault.unsupported("the Delta table feature \"\(feature.prefix(100))\"")
      }
    }
    let mode = metadata.configuration["delta.columnMapping.mode"] ?? "none"
    if version.minReaderVersion >= 2, DeltaColumnMapping(mode) == nil {
      throw Fault.unsupported("the Delta table feature \"columnMapping\" in mode \"\(mode.prefix(20))\"")
    }
  }

  /// Throws 0A000 naming what keeps us from committing to the table.
  package static func checkWritable(
    _ version: DeltaProtocol, _ metadata: DeltaMetadata, _ schema: DeltaSchema
  ) throws(Fault) {
    guard (1...7).contains(version.minWriterVersion) else {
      throw refused("writer version \(version.minWriterVersion)")
    }
    if version.minWriterVersion == 7 {
      for feature in (version.writerFeatures ?? []).sorted() where !writable.contains(feature) {
        throw refused("feature \"\(feature.prefix(100))\"")
      }
    }
    try checkInactive(metadata, schema)
  }

  /// Throws when the table uses what we would have to enforce or to produce.
  private static func checkInactive(_ metadata: DeltaMetadata, _ schema: DeltaSchema) throws(Fault) {
    let configuration = metadata.configuration
    if configuration.keys.contains(where: { $0.hasPrefix("delta.constraints.") }) { throw refused("check constraints") }
    for (key, name) in [
      ("delta.enableChangeDataFeed", "a change data feed"), ("delta.enableRowTracking", "row tracking"),
      ("delta.enableIcebergCompatV1", "Iceberg compatibility"), ("delta.enableIcebergCompatV2", "Iceberg compatibility"),
    ] where configuration[key]?.lowercased() == "true" { throw refused(name) }
    guard metadata.partitionColumns.isEmpty else { throw refused("partition columns") }
    guard configuration["delta.columnMapping.mode"] ?? "none" == "none" else { throw refused("column mapping") }
    for field in schema.fields {
      for (key, name) in [
        ("delta.invariants", "invariants"), ("delta.generationExpression", "generated columns"),
        ("delta.identity.start", "identity columns"),
      ] where field.metadata[key] != nil { throw refused(name) }
    }
  }

  private static func refused(_ what: String) -> Fault {
    Fault.unsupported("writing to a Delta table with \(what)", hint: "Such a table can be read.")
  }

  /// True when commits carry their time: the feature is there and switched on.
  package static func hasInCommitTimestamps(_ version: DeltaProtocol?, _ metadata: DeltaMetadata?) -> Bool {
    guard let version, let metadata, version.minWriterVersion == 7,
      version.writerFeatures?.contains("inCommitTimestamp") == true
    else { return false }
    return metadata.configuration["delta.enableInCommitTimestamps"]?.lowercased() == "true"
  }

  /// True when domain metadata may be written.
  package static func hasDomainMetadata(_ version: DeltaProtocol?) -> Bool {
    version?.minWriterVersion == 7 && version?.writerFeatures?.contains("domainMetadata") == true
  }

  /// True when rows may be added but never taken away.
  package static func isAppendOnly(_ version: DeltaProtocol?, _ metadata: DeltaMetadata?) -> Bool {
    guard let version, let metadata, version.minWriterVersion >= 2 else { return false }
    if version.minWriterVersion == 7 && version.writerFeatures?.contains("appendOnly") != true { return false }
    return metadata.configuration["delta.appendOnly"]?.lowercased() == "true"
  }
}

/// How columns of the schema are found in data files. PROTOCOL.md, "Column Mapping".
package enum DeltaColumnMapping: String, Sendable {
  /// By the name in the schema.
  case none
  /// By the physical name that stands in the column's metadata.
  case name
  /// By the Parquet field id that stands in the column's metadata.
  case id

  /// Nil for a mode we do not know.
  package init?(_ mode: String) { self.init(rawValue: mode) }
}

extension DeltaSnapshot {
  /// The table's mapping; `none` for versions of the protocol that have no other.
  package var columnMapping: DeltaColumnMapping {
    guard let version = protocolVersion, version.minReaderVersion >= 2 else { return .none }
    return DeltaColumnMapping(metadata?.configuration["delta.columnMapping.mode"] ?? "none") ?? .none
  }
}
