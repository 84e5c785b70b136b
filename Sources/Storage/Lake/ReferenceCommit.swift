// Versions of plain tables become commits of their Delta tables.

import Bedrock
import DeltaFormat
import EventSchema
import ObjectStore
import Runtime
import StorageContract

extension LakeTable {
  /// Makes what a version changed the newest state. Throws 40001 when others changed what it was made from.
  func commit(_ version: ReferenceVersion) throws(Fault) {
    if version.base.version < 0 {
      try create(version)
    } else if !version.added.isEmpty || !version.removed.isEmpty {
      let operation = version.removed.isEmpty ? "WRITE" : version.added.isEmpty ? "DELETE" : "UPDATE"
      _ = try replace(
        LakeReplacement(
          base: version.base, removed: version.removed, added: version.added, dataChange: true, operation: operation,
          operationParameters: version.removed.isEmpty ? ["mode": "Append"] : [:]))
    }
    try tidy(version.definition)
  }

  private func create(_ version: ReferenceVersion) throws(Fault) {
    try checkOwn()
    _ = try publish { (base) throws(Fault) in
      guard base.version < 0 else {
        throw Fault(.serializationFailure, "the folder of table \"\(version.definition.name)\" is in use already")
      }
      let hasNTZ = version.schema.fields.contains { $0.type.hasTimestampNTZ }
      var actions = [builder.commitInfo(on: base, "CREATE TABLE", [:])]
      actions.append(.protocolVersion(hasNTZ ? DeltaProtocol.open.withTimestampNTZ : .open))
      actions.append(
        .metadata(
          DeltaMetadata(
            id: DeltaTransactionBuilder.uuid(), name: name, schemaString: version.schema.json,
            configuration: ["delta.enableInCommitTimestamps": "true"],
            createdTime: lake.clock.nowMicros() / 1_000)))
      for file in version.added { actions.append(.add(file.add)) }
      return actions
    }
  }

  /// Commits the columns of an altered definition.
  func alter(_ definition: ReferenceTableDefinition) throws(Fault) {
    let schema = try ReferenceVersion.schema(definition)
    _ = try publish { (base) throws(Fault) in
      guard var metadata = base.delta.metadata else { throw Fault.bug("a table without metadata") }
      if metadata.schemaString == schema.json { return nil }
      var actions = [builder.commitInfo(on: base, "CHANGE COLUMNS", [:])]
      if schema.fields.contains(where: { $0.type.hasTimestampNTZ }), let version = base.delta.protocolVersion,
        version.withTimestampNTZ != version
      {
        actions.append(.protocolVersion(version.withTimestampNTZ))
      }
      metadata.schemaString = schema.json
      actions.append(.metadata(metadata))
      return actions
    }
  }

  // MARK: Upkeep

  /// Files below this are joined once there are many of them: single-row inserts make one each.
  private static let smallBytes: Int64 = 4 * 1_048_576
  private static let smallFilesMax = 24

  /// After a commit: joins small files and writes a checkpoint when it is time. Losing against another writer is no fault:
  /// the next commit tries again.
  private func tidy(_ definition: ReferenceTableDefinition) throws(Fault) {
    do throws(Fault) {
      try joinSmallFiles(definition)
      _ = try checkpointIfDue()
    } catch {
      guard error.state == .serializationFailure else { throw error }
    }
  }

  private func joinSmallFiles(_ definition: ReferenceTableDefinition) throws(Fault) {
    let base = current
    let small = base.files.filter { $0.size < Self.smallBytes && $0.deletionVector == nil }
    guard small.count > Self.smallFilesMax, base.partitionColumns.isEmpty,
      base.delta.columnMapping == .none
    else { return }
    let columns = definition.columns
    let writer = ReferenceFileWriter(
      table: self, columns: columns, schema: try ReferenceVersion.schema(definition),
      prefix: ReferenceFileWriter.prefix(of: small[0].path.name) ?? ReferenceFileWriter.prefix(version: 0, file: 0))
    do throws(Fault) {
      let scan = try LakeScan(
        snapshot: base, request: ScanRequest(table: definition.id, columns: Array(columns.indices)),
        columns: columns, files: small)
      for morsel in 0..<scan.morselCount {
        let reader = try scan.open(morsel: morsel)
        while let chunk = try reader.next() { try writer.append(chunk) }
      }
      _ = try replace(
        LakeReplacement(
          base: base, removed: small, added: try writer.finish(), dataChange: false, operation: "OPTIMIZE"))
    } catch {
      writer.abandon()
      throw error
    }
  }
}
