// The actions of one flush commit, on top of a snapshot:
//
//   commitInfo      first, with an in-commit timestamp that rises strictly
//   protocol        with version 0 only
//   metaData        with version 0, and when the schema has a column that the table lacks
//   add ...         the new files
//   txn             S of the shard after the flush
//   domainMetadata  cramped.tier

import Bedrock
import Columnar
import DeltaFormat
import EventSchema
import Runtime

struct DeltaTransactionBuilder {
  static let tierDomain = "cramped.tier"
  static let writerFeatures = Set(DeltaProtocol.open.writerFeatures ?? [])
  let table: String
  let clock: Clock

  func actions(_ commit: LakeCommit, on base: LakeSnapshot) throws(Fault) -> [DeltaAction] {
    try base.delta.checkWritable(features: Self.writerFeatures)
    let now = clock.nowMicros() / 1_000
    let time = max(now, (base.delta.inCommitTimestamp ?? .min) + 1)
    var actions: [DeltaAction] = [.commitInfo(commitInfo(time, commit, isFirst: base.version < 0))]
    let schema = try Self.schema(base.schema, adding: commit.schema)
    if base.version < 0 {
      actions.append(.protocolVersion(.open))
      actions.append(
        .metadata(
          DeltaMetadata(
            id: Self.uuid(), name: table, schemaString: schema.json,
            configuration: ["delta.enableInCommitTimestamps": "true"], createdTime: now)))
    } else if schema != base.schema, var metadata = base.delta.metadata {
      metadata.schemaString = schema.json
      actions.append(.metadata(metadata))
    }
    for file in commit.files { actions.append(.add(file.add)) }
    actions.append(
      .transaction(DeltaTransaction(appID: commit.appID, version: commit.version, lastUpdated: now)))
    if let tier = commit.tierMetadata {
      actions.append(.domainMetadata(DeltaDomainMetadata(domain: Self.tierDomain, configuration: tier)))
    }
    return actions
  }

  private func commitInfo(_ time: Int64, _ commit: LakeCommit, isFirst: Bool) -> DeltaCommitInfo {
    DeltaCommitInfo(
      timestamp: time, inCommitTimestamp: time, operation: "WRITE",
      operationParameters: ["mode": isFirst ? "ErrorIfExists" : "Append"], engineInfo: "Cramped", txnID: Self.uuid())
  }

  /// The columns of a table schema that go to the lake: all but the hash, which only the hot tier needs.
  static func lakeColumns(_ schema: TableSchema) -> [(index: Int, column: TableColumn)] {
    schema.columns.enumerated().filter { $0.offset != SystemColumn.hash }.map { (index: $0.offset, column: $0.element) }
  }

  /// `current` and behind it the columns of `new` that it lacks. Throws 42P15 when a column changed its type or name.
  static func schema(_ current: DeltaSchema?, adding new: TableSchema) throws(Fault) -> DeltaSchema {
    var fields = current?.fields ?? []
    for (_, column) in lakeColumns(new) {
      let type = try DeltaType(column.type)
      guard let field = fields.first(where: { $0.fieldID == column.fieldID }) else {
        // Rows that are there already have no value for a column that comes later.
        let isNullable = column.isNullable || current != nil
        fields.append(DeltaField(name: column.name, type: type, isNullable: isNullable, fieldID: column.fieldID))
        continue
      }
      guard field.name == column.name && field.type == type else {
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
