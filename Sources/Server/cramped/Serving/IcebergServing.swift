// The Iceberg side of the server: metadata that follows the lake, and what the REST catalog shows of it.

import Bedrock
import EventSchema
import HTTPServer
import Iceberg
import IcebergFormat
import Lake
import Logging
import Runtime
import StorageContract
import StorageEngine

struct IcebergServing: Sendable {
  private let catalog: IcebergCatalog
  private let follower: IcebergFollower
  let storage: IcebergRestStorage

  /// Nil when the configuration has it off.
  ///
  /// - Parameter storage: how clients reach the store of the lake.
  init?(_ settings: Configuration, engine: StorageEngine, lake: Lake, storage: IcebergRestStorage, clock: Clock) {
    guard settings.iceberg.enabled else { return nil }
    let options = IcebergOptions(
      storeLocation: storage.prefix, historyMicros: Int64(settings.jobs.vacuumRetentionHours) * 3_600_000_000,
      snapshotsMax: settings.iceberg.snapshotsMax)
    let log = Logger(label: "iceberg")
    catalog = IcebergCatalog(lake: lake, options: options) {
      engine.registeredTables().map { (domain: $0.schema.domain, entity: $0.schema.entity) }
    }
    follower = IcebergFollower(catalog, clock: clock) { table, fault in
      // A table that Iceberg has no form for is the operator's choice; anything else is a failure.
      log.log(
        level: fault.kind == .unsupported ? .warning : .error, "iceberg metadata is behind",
        metadata: ["table": "\(table)", "reason": "\(fault)"])
    }
    self.storage = storage
  }

  func start() { follower.start() }
  func stop() { follower.stop() }

  var routes: [HTTPRoute] { IcebergRestRoutes(self).routes }
}

extension IcebergServing: IcebergRestSource {
  func namespaces() throws(Fault) -> [String] { catalog.namespaces() }

  func tables(namespace: String) throws(Fault) -> [String]? { try catalog.entities(domain: namespace) }

  func load(namespace: String, table: String) throws(Fault) -> IcebergRestTable? {
    guard let version = try catalog.table(domain: namespace, entity: table)?.follow() else { return nil }
    return IcebergRestTable(
      uuid: version.metadata.tableUUID, version: version.version, metadataLocation: version.metadataLocation
    ) { onlyReferenced in
      onlyReferenced ? version.metadata.jsonOfReferencedSnapshots : version.metadata.json
    }
  }
}
