// Every setting by its path and its value, in the order of the reference file.

extension Configuration {
  var listing: [(key: String, value: String)] {
    var out: [(String, String)] = [
      ("server.data", server.data), ("server.log_level", server.logLevel),
      ("server.log_format", server.logFormat.rawValue), ("server.shutdown_seconds", "\(server.shutdownSeconds)"),
      ("postgres.host", postgres.host), ("postgres.port", "\(postgres.port)"),
      ("postgres.connections_max", "\(postgres.connectionsMax)"),
      ("postgres.statement_timeout_ms", "\(postgres.statementTimeoutMs)"),
      ("http.enabled", "\(http.enabled)"), ("http.host", http.host), ("http.port", "\(http.port)"),
      ("http.connections_max", "\(http.connectionsMax)"), ("iceberg.enabled", "\(iceberg.enabled)"),
      ("iceberg.location", iceberg.location), ("iceberg.snapshots_max", "\(iceberg.snapshotsMax)"),
      ("iceberg.lend_credentials", "\(iceberg.lendCredentials)"), ("nats.enabled", "\(nats.enabled)"), ("nats.url", nats.url), ("nats.stream", nats.stream),
      ("nats.subject_prefix", nats.subjectPrefix), ("nats.stream_replicas", "\(nats.streamReplicas)"),
      ("nats.credentials_file", nats.credentialsFile), ("nats.user", nats.user),
      ("nats.password_file", nats.passwordFile), ("nats.tls", "\(nats.tls)"),
      ("nats.batch_events_max", "\(nats.batchEventsMax)"), ("nats.batch_bytes_max", "\(nats.batchBytesMax)"),
      ("nats.stream_max_age_seconds", "\(nats.streamMaxAgeSeconds)"), ("nats.on_hole", nats.onHole),
      ("schemas.folder", schemas.folder),
    ]
    out += Self.listing(lake)
    out += Self.listing(flush, "flush")
    out += Self.listing(retention, "retention")
    out += Self.listing(clustering, "clustering")
    out += [
      ("jobs.threads", "\(jobs.threads)"), ("jobs.check_seconds", "\(jobs.checkSeconds)"),
      ("jobs.bytes_per_second", "\(jobs.bytesPerSecond)"), ("jobs.cpu_percent", "\(jobs.cpuPercent)"),
      ("jobs.history_max", "\(jobs.historyMax)"), ("jobs.file_bytes_target", "\(jobs.fileBytesTarget)"),
      ("jobs.tier_files_min", "\(jobs.tierFilesMin)"), ("jobs.idle_seconds", "\(jobs.idleSeconds)"),
      ("jobs.overlap_max", "\(jobs.overlapMax)"), ("jobs.files_max", "\(jobs.filesMax)"),
      ("jobs.checkpoint_commits", "\(jobs.checkpointCommits)"),
      ("jobs.log_retention_hours", "\(jobs.logRetentionHours)"),
      ("jobs.vacuum_retention_hours", "\(jobs.vacuumRetentionHours)"),
      ("jobs.vacuum_every_hours", "\(jobs.vacuumEveryHours)"),
      ("jobs.statistics_every_seconds", "\(jobs.statisticsEverySeconds)"),
    ]
    out += [
      ("query.threads", "\(query.threads)"), ("query.memory_bytes", "\(query.memoryBytes)"),
      ("query.statement_memory_bytes", "\(query.statementMemoryBytes)"),
      ("query.temporary_table_bytes", "\(query.temporaryTableBytes)"),
      ("query.external_folders", query.externalFolders),
    ]
    for (name, bucket) in foreignS3.sorted(by: { $0.key < $1.key }) {
      out += bucket.listing("foreign.s3.\(name)", isWritten: false)
    }
    for (name, domain) in domains.sorted(by: { $0.key < $1.key }) {
      out += Self.listing(domain.flush, "domains.\(name).flush")
      out += Self.listing(domain.retention, "domains.\(name).retention")
      out += Self.listing(domain.clustering ?? clustering, "domains.\(name).clustering")
      for (table, clustering) in domain.tables.sorted(by: { $0.key < $1.key }) {
        out += Self.listing(clustering, "domains.\(name).tables.\(table).clustering")
      }
    }
    return out
  }

  private static func listing(_ lake: Lake) -> [(String, String)] {
    [("lake.store", lake.store.rawValue)] + lake.s3.listing("lake.s3", isWritten: true) + [
      ("lake.footer_cache_bytes", "\(lake.footerCacheBytes)"), ("lake.page_cache_bytes", "\(lake.pageCacheBytes)"),
      ("lake.read_threads", "\(lake.readThreads)"),
    ]
  }

  private static func listing(_ flush: Flush, _ path: String) -> [(String, String)] {
    [
      ("\(path).age_seconds", "\(flush.ageSeconds)"), ("\(path).rows_max", "\(flush.rowsMax)"),
      ("\(path).bytes_max", "\(flush.bytesMax)"), ("\(path).check_seconds", "\(flush.checkSeconds)"),
    ]
  }

  private static func listing(_ clustering: Clustering, _ path: String) -> [(String, String)] {
    [("\(path).keys", clustering.keys), ("\(path).curve", clustering.curve)]
  }

  private static func listing(_ retention: Retention, _ path: String) -> [(String, String)] {
    [
      ("\(path).hot_seconds", "\(retention.hotSeconds)"), ("\(path).lake_days", "\(retention.lakeDays)"),
      ("\(path).errors_days", "\(retention.errorsDays)"),
    ]
  }
}
