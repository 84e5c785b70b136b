// What an operator decides about the PostgreSQL port.

/// Plain values from the configuration.
package struct PostgresServerSettings: Sendable {
  /// The address to listen on; loopback unless the operator says otherwise.
  package var host: String
  /// 0 takes a free port.
  package var port: Int
  /// Sessions at once; one more is refused with 53300.
  package var connectionsMax: Int
  /// Time from the connection to the end of the start-up.
  package var startupTimeoutMs: Int
  /// How long running statements may go on when the server stops.
  package var shutdownGraceMs: Int
  /// Threads that plan and run statements: so many statements make progress at once.
  package var workerThreads: Int

  package init(
    host: String = "127.0.0.1", port: Int = 5433, connectionsMax: Int = 200, startupTimeoutMs: Int = 10_000,
    shutdownGraceMs: Int = 10_000, workerThreads: Int = 32
  ) {
    precondition(connectionsMax > 0 && startupTimeoutMs > 0 && shutdownGraceMs >= 0 && workerThreads > 0)
    self.host = host
    self.port = port
    self.connectionsMax = connectionsMax
    self.startupTimeoutMs = startupTimeoutMs
    self.shutdownGraceMs = shutdownGraceMs
    self.workerThreads = workerThreads
  }
}
