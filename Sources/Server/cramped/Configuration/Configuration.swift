// What a server can be told. Every value has a default; `config/cramped.yaml` documents each with unit and reason, and
// a test holds that file and these defaults together.

import Bedrock
import Lake

struct Configuration: Sendable, Equatable {
  struct Server: Sendable, Equatable {
    var data = "data"
    var logLevel = "info"
    var logFormat = LogFormat.text
    var shutdownSeconds = 10
  }
  enum LogFormat: String, Sendable, CaseIterable {
    case text, json
  }
  struct Postgres: Sendable, Equatable {
    var host = "127.0.0.1"
    var port = 5433
    var connectionsMax = 200
    var statementTimeoutMs = 0
  }
  struct HTTP: Sendable, Equatable {
    var enabled = true
    var host = "127.0.0.1"
    var port = 8181
    var connectionsMax = 200
  }
  struct Iceberg: Sendable, Equatable {
    var enabled = true
    var location = ""
    var snapshotsMax = 500
    var lendCredentials = false
  }
  struct NATS: Sendable, Equatable {
    var enabled = true
    var url = "nats://127.0.0.1:4222"
    var stream = "EVENTS"
    var subjectPrefix = "events"
    var streamReplicas = 1
    var credentialsFile = ""
    var user = ""
    var passwordFile = ""
    var tls = false
    var batchEventsMax = 5_000
    var batchBytesMax = 8_388_608
    var streamMaxAgeSeconds = 604_800
    var onHole = "stop"
  }
  struct Schemas: Sendable, Equatable {
    var folder = ""
  }
  struct Flush: Sendable, Equatable {
    var ageSeconds = 180
    var rowsMax = 1_000_000
    var bytesMax = 134_217_728
    var checkSeconds = 5
  }
  /// How long rows stay.
  struct Retention: Sendable, Equatable {
    var hotSeconds = 0
    var lakeDays = 0
    var errorsDays = 90
  }
  /// In which order rows lie in lake files.
  struct Clustering: Sendable, Equatable {
    var keys = "published"
    var curve = "hilbert"
  }
  /// Upkeep of the lake.
  struct Jobs: Sendable, Equatable {
    var threads = 1
    var checkSeconds = 5
    var bytesPerSecond = 67_108_864
    var cpuPercent = 50
    var historyMax = 1_000
    var fileBytesTarget = 134_217_728
    var tierFilesMin = 8
    var idleSeconds = 600
    var overlapMax = 4
    var filesMax = 10_000
    var checkpointCommits = 20
    var logRetentionHours = 720
    var vacuumRetentionHours = 168
    var vacuumEveryHours = 24
    var statisticsEverySeconds = 600
  }
  struct Query: Sendable, Equatable {
    var threads = 0
    var memoryBytes = 0
    var statementMemoryBytes = 0
    var temporaryTableBytes = 268_435_456
    var externalFolders = "lake, external"
  }
  /// Where the lake lies and how it is read.
  struct Lake: Sendable, Equatable {
    var store = LakeStoreKind.file
    var s3 = S3()
    var footerCacheBytes = 67_108_864
    var pageCacheBytes = 268_435_456
    var readThreads = 4
  }
  enum LakeStoreKind: String, Sendable, CaseIterable {
    case file, s3
  }
  /// What one domain does otherwise than the whole.
  struct Domain: Sendable, Equatable {
    var flush: Flush
    var retention: Retention
    var clustering: Clustering?
    /// By the entity's name.
    var tables: [String: Clustering] = [:]
  }

  var server = Server()
  var postgres = Postgres()
  var http = HTTP()
  var iceberg = Iceberg()
  var nats = NATS()
  var schemas = Schemas()
  var flush = Flush()
  var retention = Retention()
  var clustering = Clustering()
  var jobs = Jobs()
  var lake = Lake()
  var query = Query()
  /// Buckets of others that statements may read, by their names in the configuration.
  var foreignS3: [String: S3] = [:]
  var domains: [String: Domain] = [:]

  func flush(domain: String) -> Flush { domains[domain]?.flush ?? flush }

  /// Reads the settings of `source`, which must hold nothing else.
  ///
  /// Throws F0000 with file, line and what would be right.
  init(_ source: inout SettingSource) throws(Fault) {
    server.data = try source.text("server.data", server.data, allowsEmpty: false)
    server.logLevel = try source.choice("server.log_level", server.logLevel, of: Self.logLevels)
    server.logFormat =
      LogFormat(
        rawValue: try source.choice("server.log_format", server.logFormat.rawValue, of: LogFormat.allCases.map(\.rawValue)))
      ?? .text
    server.shutdownSeconds = try source.integer("server.shutdown_seconds", server.shutdownSeconds, in: 0...3_600)

    postgres.host = try source.text("postgres.host", postgres.host, allowsEmpty: false)
    postgres.port = try source.integer("postgres.port", postgres.port, in: 0...65_535)
    postgres.connectionsMax = try source.integer("postgres.connections_max", postgres.connectionsMax, in: 1...10_000)
    postgres.statementTimeoutMs = try source.integer(
      "postgres.statement_timeout_ms", postgres.statementTimeoutMs, in: 0...86_400_000)

    try readHTTP(&source)

    nats.enabled = try source.boolean("nats.enabled", nats.enabled)
    nats.url = try source.text("nats.url", nats.url, allowsEmpty: false)
    nats.stream = try source.text("nats.stream", nats.stream, allowsEmpty: false)
    nats.subjectPrefix = try source.text("nats.subject_prefix", nats.subjectPrefix, allowsEmpty: false)
    nats.streamReplicas = try source.integer("nats.stream_replicas", nats.streamReplicas, in: 1...5)
    nats.credentialsFile = try source.text("nats.credentials_file", nats.credentialsFile)
    nats.user = try source.text("nats.user", nats.user)
    nats.passwordFile = try source.text("nats.password_file", nats.passwordFile)
    nats.tls = try source.boolean("nats.tls", nats.tls)
    nats.batchEventsMax = try source.integer("nats.batch_events_max", nats.batchEventsMax, in: 1...100_000)
    nats.batchBytesMax = try source.integer("nats.batch_bytes_max", nats.batchBytesMax, in: 1_048_576...268_435_456)
    nats.streamMaxAgeSeconds = try source.integer(
      "nats.stream_max_age_seconds", nats.streamMaxAgeSeconds, in: 0...315_360_000)
    nats.onHole = try source.choice("nats.on_hole", nats.onHole, of: ["stop", "continue"])

    schemas.folder = try source.text("schemas.folder", schemas.folder)
    lake = try Self.lake(&source, lake)
    flush = try Self.flush(&source, "flush", defaults: flush)

    retention = try Self.retention(&source, "retention", defaults: retention)
    clustering = try Self.clustering(&source, "clustering", defaults: clustering)
    try readJobs(&source)

    query.threads = try source.integer("query.threads", query.threads, in: 0...1_024)
    query.memoryBytes = try source.integer("query.memory_bytes", query.memoryBytes, in: 0...(1 << 50))
    query.statementMemoryBytes = try source.integer(
      "query.statement_memory_bytes", query.statementMemoryBytes, in: 0...(1 << 50))
    query.temporaryTableBytes = try source.integer(
      "query.temporary_table_bytes", query.temporaryTableBytes, in: 0...(1 << 50))
    query.externalFolders = try source.text("query.external_folders", query.externalFolders)

    for name in source.names(under: "foreign.s3") {
      foreignS3[name] = try S3(&source, "foreign.s3.\(name)", bucket: name, isWritten: false)
    }
    for domain in source.names(under: "domains") { domains[domain] = try readDomain(&source, domain) }
    try source.refuseRest()
  }

  init() {}

  private func readDomain(_ source: inout SettingSource, _ name: String) throws(Fault) -> Domain {
    let path = "domains.\(name)"
    var domain = Domain(
      flush: try Self.flush(&source, "\(path).flush", defaults: flush),
      retention: try Self.retention(&source, "\(path).retention", defaults: retention))
    let usual = try Self.clustering(&source, "\(path).clustering", defaults: clustering)
    if usual != clustering { domain.clustering = usual }
    for table in source.names(under: "\(path).tables") {
      domain.tables[table] = try Self.clustering(&source, "\(path).tables.\(table).clustering", defaults: usual)
    }
    return domain
  }

  private static func clustering(
    _ source: inout SettingSource, _ path: String, defaults: Clustering
  ) throws(Fault) -> Clustering {
    var clustering = defaults
    clustering.keys = try source.text("\(path).keys", clustering.keys, allowsEmpty: false)
    clustering.curve = try source.choice(
      "\(path).curve", clustering.curve, of: LakeClustering.Curve.allCases.map(\.rawValue))
    do throws(Fault) { _ = try LakeClustering(clustering) } catch {
      throw Fault(.configFileError, "\"\(path).keys\": \(error.message)", hint: error.hint)
    }
    return clustering
  }

  private mutating func readHTTP(_ source: inout SettingSource) throws(Fault) {
    http.enabled = try source.boolean("http.enabled", http.enabled)
    http.host = try source.text("http.host", http.host, allowsEmpty: false)
    http.port = try source.integer("http.port", http.port, in: 0...65_535)
    http.connectionsMax = try source.integer("http.connections_max", http.connectionsMax, in: 1...10_000)
    iceberg.enabled = try source.boolean("iceberg.enabled", iceberg.enabled)
    iceberg.location = try source.text("iceberg.location", iceberg.location)
    guard iceberg.location.isEmpty || iceberg.location.contains("://") && !iceberg.location.hasSuffix("/") else {
      throw Fault(
        .configFileError, "\"iceberg.location\" is \"\(iceberg.location)\"",
        hint: "It is empty, or a location such as s3://bucket/prefix without a slash at its end.")
    }
    iceberg.snapshotsMax = try source.integer("iceberg.snapshots_max", iceberg.snapshotsMax, in: 1...100_000)
    iceberg.lendCredentials = try source.boolean("iceberg.lend_credentials", iceberg.lendCredentials)
  }

  static let logLevels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]

  private static func lake(_ source: inout SettingSource, _ defaults: Lake) throws(Fault) -> Lake {
    var lake = defaults
    let kind = try source.choice("lake.store", lake.store.rawValue, of: LakeStoreKind.allCases.map(\.rawValue))
    lake.store = LakeStoreKind(rawValue: kind) ?? .file
    lake.s3 = try S3(&source, "lake.s3", isWritten: true)
    lake.footerCacheBytes = try source.integer("lake.footer_cache_bytes", lake.footerCacheBytes, in: 0...(1 << 40))
    lake.pageCacheBytes = try source.integer("lake.page_cache_bytes", lake.pageCacheBytes, in: 0...(1 << 40))
    lake.readThreads = try source.integer("lake.read_threads", lake.readThreads, in: 0...256)
    guard lake.store == .file || !lake.s3.bucket.isEmpty else {
      throw Fault(.configFileError, "\"lake.store\" is s3, but \"lake.s3.bucket\" names no bucket")
    }
    return lake
  }

  private static func flush(
    _ source: inout SettingSource, _ path: String, defaults: Flush
  ) throws(Fault) -> Flush {
    var flush = defaults
    flush.ageSeconds = try source.integer("\(path).age_seconds", flush.ageSeconds, in: 1...604_800)
    flush.rowsMax = try source.integer("\(path).rows_max", flush.rowsMax, in: 1...1_000_000_000)
    flush.bytesMax = try source.integer("\(path).bytes_max", flush.bytesMax, in: 1_048_576...(1 << 40))
    flush.checkSeconds = try source.integer("\(path).check_seconds", flush.checkSeconds, in: 1...3_600)
    return flush
  }

  private static func retention(
    _ source: inout SettingSource, _ path: String, defaults: Retention
  ) throws(Fault) -> Retention {
    var retention = defaults
    retention.hotSeconds = try source.integer("\(path).hot_seconds", retention.hotSeconds, in: 0...31_536_000)
    retention.lakeDays = try source.integer("\(path).lake_days", retention.lakeDays, in: 0...36_500)
    retention.errorsDays = try source.integer("\(path).errors_days", retention.errorsDays, in: 0...36_500)
    return retention
  }

  private mutating func readJobs(_ source: inout SettingSource) throws(Fault) {
    jobs.threads = try source.integer("jobs.threads", jobs.threads, in: 0...64)
    jobs.checkSeconds = try source.integer("jobs.check_seconds", jobs.checkSeconds, in: 1...3_600)
    jobs.bytesPerSecond = try source.integer("jobs.bytes_per_second", jobs.bytesPerSecond, in: 0...(1 << 40))
    jobs.cpuPercent = try source.integer("jobs.cpu_percent", jobs.cpuPercent, in: 0...6_400)
    jobs.historyMax = try source.integer("jobs.history_max", jobs.historyMax, in: 1...100_000)
    jobs.fileBytesTarget = try source.integer("jobs.file_bytes_target", jobs.fileBytesTarget, in: 65_536...(1 << 32))
    jobs.tierFilesMin = try source.integer("jobs.tier_files_min", jobs.tierFilesMin, in: 2...1_000)
    jobs.idleSeconds = try source.integer("jobs.idle_seconds", jobs.idleSeconds, in: 1...86_400)
    jobs.overlapMax = try source.integer("jobs.overlap_max", jobs.overlapMax, in: 1...1_000)
    jobs.filesMax = try source.integer("jobs.files_max", jobs.filesMax, in: 1...10_000_000)
    jobs.checkpointCommits = try source.integer("jobs.checkpoint_commits", jobs.checkpointCommits, in: 1...100_000)
    jobs.logRetentionHours = try source.integer("jobs.log_retention_hours", jobs.logRetentionHours, in: 0...876_000)
    jobs.vacuumRetentionHours = try source.integer(
      "jobs.vacuum_retention_hours", jobs.vacuumRetentionHours, in: 0...876_000)
    jobs.vacuumEveryHours = try source.integer("jobs.vacuum_every_hours", jobs.vacuumEveryHours, in: 1...8_760)
    jobs.statisticsEverySeconds = try source.integer(
      "jobs.statistics_every_seconds", jobs.statisticsEverySeconds, in: 1...31_536_000)
  }
}
