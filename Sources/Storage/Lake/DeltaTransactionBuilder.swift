// The actions of one commit, on top of a snapshot:
//
//   commitInfo      first, with an in-commit timestamp that rises strictly (where the table has that feature)
//   protocol        with version 0, and when the first timestamp without time zone comes
//   metaData        with version 0, and when the schema or the properties change
//   remove ...      files replaced
//   add ...         new files
//   txn             S of the shard after a flush
//   domainMetadata  cramped.tier, cramped.versions (where the table has that feature)

import Bedrock
import Columnar
import DeltaFormat
import EventSchema
import Runtime

struct DeltaTransactionBuilder {
  static let tierDomain = "cramped.tier"
  let table: String
  let clock: Clock

  /// A flush.
  func actions(_ commit: LakeCommit, on base: LakeSnapshot) throws(Fault) -> [DeltaAction] {
    try checkWritable(base)
    let isFirst = base.version < 0
    let now = clock.nowMicros() / 1_000
    var actions = [
      commitInfo(on: base, "WRITE", ["mode": isFirst ? "ErrorIfExists" : "Append"])
    ]
    let before = isFirst ? nil : try Self.ownSchema(base)
    let schema = try Self.schema(before, adding: commit.schema)
    let hasNTZ = schema.fields.contains { $0.type.hasTimestampNTZ }
    if isFirst {
      actions.append(.protocolVersion(hasNTZ ? DeltaProtocol.open.withTimestampNTZ : .open))
      actions.append(
        .metadata(
          DeltaMetadata(
            id: Self.uuid(), name: table, schemaString: schema.json,
            configuration: ["delta.enableInCommitTimestamps": "true"], createdTime: now)))
    } else if schema != before, var metadata = base.delta.metadata {
      if hasNTZ, let version = base.delta.protocolVersion, version.withTimestampNTZ != version {
        actions.append(.protocolVersion(try upgraded(version)))
      }
      metadata.schemaString = schema.json
      actions.append(.metadata(metadata))
    }
    for file in commit.files { actions.append(.add(file.add)) }
    actions.append(
      .transaction(DeltaTransaction(appID: commit.appID, version: commit.version, lastUpdated: now)))
    if let tier = commit.tierMetadata, isFirst || DeltaFeatures.hasDomainMetadata(base.delta.protocolVersion) {
      actions.append(.domainMetadata(DeltaDomainMetadata(domain: Self.tierDomain, configuration: tier)))
    }
    return actions
  }

  /// The protocol with timestamps without time zone. Versions that imply features do not become lists here: nobody but
  /// another writer can have made such a table.
  private func upgraded(_ version: DeltaProtocol) throws(Fault) -> DeltaProtocol {
    guard version.minWriterVersion == 7, version.minReaderVersion == 1 || version.minReaderVersion == 3 else {
      throw Fault.unsupported(
        "a timestamp without time zone in lake table \(table), whose protocol is of versions "
          + "\(version.minReaderVersion) and \(version.minWriterVersion),")
    }
    return version.withTimestampNTZ
  }

  /// Files replaced by others.
  func actions(_ replacement: LakeReplacement, on base: LakeSnapshot) throws(Fault) -> [DeltaAction] {
    try checkWritable(base)
    if replacement.dataChange, !replacement.removed.isEmpty,
      DeltaFeatures.isAppendOnly(base.delta.protocolVersion, base.delta.metadata)
    {
      throw Fault(.objectNotInPrerequisiteState, "lake table \(table) is append-only: \(replacement.operation) is refused")
    }
    let now = clock.nowMicros() / 1_000
    var actions = [commitInfo(on: base, replacement.operation, replacement.operationParameters)]
    if let metadata = replacement.metadata {
      let hasNTZ = try metadata.schema().fields.contains { $0.type.hasTimestampNTZ }
      if hasNTZ, let version = base.delta.protocolVersion, version.withTimestampNTZ != version {
        actions.append(.protocolVersion(try upgraded(version)))
      }
      actions.append(.metadata(metadata))
    }
    for file in replacement.removed {
      actions.append(
        .remove(
          DeltaRemove(
            path: file.add.path, deletionTimestamp: now, dataChange: replacement.dataChange, size: file.add.size,
            deletionVector: file.add.deletionVector)))
    }
    for file in replacement.added {
      var add = file.add
      add.dataChange = replacement.dataChange
      actions.append(.add(add))
    }
    try appendDomains(replacement.domains, on: base, to: &actions)
    return actions
  }

  /// Domain metadata alone.
  func actions(_ operation: String, domains: [String: String?], on base: LakeSnapshot) throws(Fault) -> [DeltaAction] {
    try checkWritable(base)
    var actions = [commitInfo(on: base, operation, [:])]
    try appendDomains(domains, on: base, to: &actions)
    return actions
  }

  private func appendDomains(
    _ domains: [String: String?], on base: LakeSnapshot, to actions: inout [DeltaAction]
  ) throws(Fault) {
    if domains.isEmpty { return }
    guard DeltaFeatures.hasDomainMetadata(base.delta.protocolVersion) else {
      throw Fault.unsupported("domain metadata in lake table \(table), whose protocol lacks that feature,")
    }
    for (domain, text) in domains.sorted(by: { $0.key < $1.key }) {
      let removed = text == nil
      actions.append(
        .domainMetadata(DeltaDomainMetadata(domain: domain, configuration: text ?? "", removed: removed)))
    }
  }

  private func checkWritable(_ base: LakeSnapshot) throws(Fault) {
    guard let version = base.delta.protocolVersion, let metadata = base.delta.metadata, let schema = base.schema else {
      return
    }
    try DeltaFeatures.checkWritable(version, metadata, schema)
  }

  private func commitInfo(
    on base: LakeSnapshot, _ operation: String, _ parameters: [String: String]
  ) -> DeltaAction {
    let now = clock.nowMicros() / 1_000
    let hasTimestamps = base.version < 0
      || DeltaFeatures.hasInCommitTimestamps(base.delta.protocolVersion, base.delta.metadata)
    let time = hasTimestamps ? max(now, (base.delta.inCommitTimestamp ?? .min) + 1) : now
    return .commitInfo(
      DeltaCommitInfo(
        timestamp: time, inCommitTimestamp: hasTimestamps ? time : nil, operation: operation,
        operationParameters: parameters, engineInfo: "Cramped", txnID: Self.uuid()))
  }

  /// The columns of a table schema that go to the lake: all but the hash, which only the hot tier needs.
  static func lakeColumns(_ schema: TableSchema) -> [(index: Int, column: TableColumn)] {
    schema.columns.enumerated().filter { $0.offset != SystemColumn.hash }.map { (index: $0.offset, column: $0.element) }
  }

  /// The schema as the log has it, without the ids that a snapshot gives to fields that have none.
  private static func ownSchema(_ base: LakeSnapshot) throws(Fault) -> DeltaSchema {
    try base.delta.metadata?.schema() ?? DeltaSchema(fields: [])
  }

  /// `current` and behind it the columns of `new` that it lacks. Throws 42P15 when a column changed its type or name.
  static func schema(_ current: DeltaSchema?, adding new: TableSchema) throws(Fault) -> DeltaSchema {
    var fields = current?.fields ?? []
    for (_, column) in lakeColumns(new) {
      let type = try DeltaType(column.type)
      let known = fields.first { $0.fieldID == column.fieldID || $0.fieldID == nil && $0.name == column.name }
      guard let field = known else {
        // Rows that are there already have no value for a column that comes later.
        let isNullable = column.isNullable || current != nil
        fields.append(
          try DeltaField(name: column.name, dataType: column.type, isNullable: isNullable, fieldID: column.fieldID))
        continue
      }
      guard field.name == column.name && field.type == type
        && field.metadata[DeltaField.typeKey] == DeltaField.typeTag(column.type)
      else {
        throw Fault(
          .invalidSchemaDefinition, "column \"\(column.name)\" of lake table \(new.name) cannot be changed in place",
          detail: "Field \(column.fieldID) is \"\(field.name)\" of type \(field.type) in the lake.")
      }
    }
    return DeltaSchema(fields: fields)
  }

  /// A random UUID (RFC 9562, version 4).
  static func uuid() -> String {
    var bytes = Entropy.bytes(16)
    bytes[6] = bytes[6] & 0x0F | 0x40
    bytes[8] = bytes[8] & 0x3F | 0x80
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for (index, byte) in bytes.enumerated() {
      if [4, 6, 8, 10].contains(index) { text.append(UInt8(ascii: "-")) }
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }
}
