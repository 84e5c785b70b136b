// The server: opens what it stores, wires the parts, runs the services until a signal, closes in reverse.
//
//   configuration ─► keyring, schemas ─► storage ─► query engine ─► PostgreSQL port
//                                           └─────► ingest from NATS

import Bedrock
import Catalog
import EventSchema
import Foundation
import HTTPServer
import HotTier
import Ingest
import Lake
import Logging
import Maintenance
import ObjectStore
import PostgresServer
import Privacy
import Runtime
import ServiceLifecycle
import Session
import StorageContract
import StorageEngine
import UnixSignals

struct Server {
  private let settings: Configuration
  private let log: Logger
  private let clock = Clock.system

  init(_ settings: Configuration, log: Logger) {
    self.settings = settings
    self.log = log
  }

  /// Serves until SIGTERM or SIGINT. Throws what keeps it from starting.
  func run() async throws {
    try refuseOpenAddress()
    let data = try dataFolder()
    log.info("starting", metadata: ["version": "\(ServerVersion.text)", "data": "\(data)"])
    let keyring = try Keyring.open(path: "\(data)/keys/keyring")
    let events = try SchemaSource.events(folder: settings.schemas.folder)
    let store = try LakeStore.open(settings.lake, data: data, clock: clock)
    log.info("lake", metadata: ["store": "\(store.description)"])
    let lake = Lake(store: store.store, clock: clock, options: try lakeOptions())
    let engine = try openStorage(data, lake)
    do {
      try publish(events, to: engine)
      try ClusteringSettings.check(lake.options.clustering, engine, lake, log)
      let load = QueryLoad()
      let maintenance = try Maintenance(
        engine: engine, lake: lake, settings: UpkeepSettings.maintenance(settings.jobs),
        retention: UpkeepSettings.retention(settings), load: load, clock: clock, log: Logger(label: "jobs"))
      maintenance.start()
      defer { maintenance.stop() }
      let external = try ExternalServing(settings: settings, engine: engine, lake: lake, data: data, clock: clock)
      let iceberg = IcebergServing(
        settings, engine: engine, lake: lake, storage: try IcebergStorage.of(settings, data: data), clock: clock)
      iceberg?.start()
      defer { iceberg?.stop() }
      try await serve(engine, external, maintenance, load, iceberg, keyring: keyring)
    } catch {
      // What stopped the server is thrown below; a failure of closing after it is only logged.
      do throws(Fault) { try engine.close() } catch { log.error("closing: \(error)") }
      throw error
    }
    try engine.close()
    log.info("stopped")
  }

  private func serve(
    _ engine: StorageEngine, _ external: ExternalServing, _ maintenance: Maintenance, _ load: QueryLoad,
    _ iceberg: IcebergServing?, keyring: Keyring
  ) async throws {
    var services: [ServiceGroupConfiguration.ServiceConfiguration] = []
    var ingest: IngestService?
    if settings.nats.enabled {
      ingest = IngestService(
        options: try ingestOptions(), sink: engine, directory: engine, keyring: keyring, clock: clock,
        log: Logger(label: "ingest"))
    }
    let query = QueryServing(
      settings: settings, engine: engine, external: external, maintenance: maintenance, load: load, ingest: ingest,
      clock: clock)
    services.append(
      .init(
        service: PostgresServer(
          settings: query.portSettings, services: query.sessionServices, logger: Logger(label: "postgres"))))
    if let ingest { services.append(.init(service: ingest)) }
    if settings.http.enabled { services.append(.init(service: httpServer(iceberg))) }
    let group = ServiceGroup(
      configuration: .init(
        services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: Logger(label: "services")))
    try await group.run()
    query.shutdown()
  }

  private func httpServer(_ iceberg: IcebergServing?) -> HTTPServer {
    // The port opens when the storage is open and the events are published: nothing is left to wait for.
    let routes = HealthRoutes.routes { nil } + (iceberg?.routes ?? [])
    return HTTPServer(
      settings: HTTPServerSettings(
        host: settings.http.host, port: settings.http.port, connectionsMax: settings.http.connectionsMax),
      routes: routes, clock: clock, logger: Logger(label: "http"))
  }

  /// There is no password check yet: whoever reaches a port reads everything.
  private func refuseOpenAddress() throws(Fault) {
    var addresses = [(key: "postgres.host", host: settings.postgres.host)]
    if settings.http.enabled { addresses.append((key: "http.host", host: settings.http.host)) }
    for (key, host) in addresses where !HTTPServer.isLoopback(host) {
      throw Fault(
        .configFileError, "\"\(key)\" is \"\(host)\", which is not a loopback address",
        hint: "There is no password check yet. Use 127.0.0.1, and a tunnel for other hosts.")
    }
  }

  /// The data folder, made for this user alone when it is missing.
  private func dataFolder() throws(Fault) -> String {
    umask(0o077)
    let path = URL(fileURLWithPath: settings.server.data).path
    do {
      for folder in ["hot", "lake", "keys", "external"] {
        try FileManager.default.createDirectory(atPath: "\(path)/\(folder)", withIntermediateDirectories: true)
      }
    } catch {
      throw Fault(
        .ioError, "cannot make the data folder \(path)", detail: error.localizedDescription,
        hint: "\"server.data\" names it.")
    }
    return path
  }

  private func lakeOptions() throws(Fault) -> LakeOptions {
    var options = LakeOptions()
    options.clustering = try ClusteringSettings.policy(settings)
    options.checkpointCommits = Int64(settings.jobs.checkpointCommits)
    options.footerCacheBytesMax = settings.lake.footerCacheBytes
    options.pageCacheBytesMax = settings.lake.pageCacheBytes
    options.readThreadCount = settings.lake.readThreads
    // In a folder a look is a system call, in a bucket a request.
    if settings.lake.store == .s3 { options.followNanos = UInt64(settings.lake.s3.followMs) * 1_000_000 }
    return options
  }

  private func openStorage(_ data: String, _ lake: Lake) throws(Fault) -> StorageEngine {
    func policy(_ flush: Configuration.Flush) -> FlushPolicy {
      FlushPolicy(
        ageMicrosMax: Int64(flush.ageSeconds) * 1_000_000, rowsMax: Int64(flush.rowsMax), bytesMax: Int64(flush.bytesMax))
    }
    let flush = FlushSettings(
      usual: policy(settings.flush), domains: settings.domains.mapValues { policy($0.flush) },
      checkIntervalMicros: Int64(settings.flush.checkSeconds) * 1_000_000)
    var options = StorageEngine.Options(
      hot: .init(folder: "\(data)/hot"), clock: clock, log: Logger(label: "storage"), flush: flush)
    options.retention = UpkeepSettings.retention(settings)
    return try StorageEngine.open(options, cold: LakeColdTier(lake))
  }

  private func publish(_ events: [EventType], to engine: StorageEngine) throws(Fault) {
    for table in try engine.publish(events) {
      log.info("table", metadata: ["name": "\(table.schema.name)", "schema_version": "\(table.schema.version)"])
    }
    for (event, field, policy) in SchemaSource.unstoredFields(of: events) {
      log.warning(
        "a field annotated \(policy) is dropped: its values are not stored in any form yet",
        metadata: ["event": "\(event)", "field": "\(field)"])
    }
  }

  private func ingestOptions() throws(Fault) -> IngestOptions {
    var options = IngestOptions()
    options.broker = try BrokerSettings.options(settings.nats)
    options.stream = BrokerSettings.stream(settings.nats)
    options.batchMessagesMax = settings.nats.batchEventsMax
    options.batchBytesMax = Int64(settings.nats.batchBytesMax)
    options.onHole = settings.nats.onHole == "continue" ? .continue : .stop
    return options
  }
}
