// The PostgreSQL port: a listener, its connections, and their orderly end.

import Bedrock
package import Logging
import NIOCore
import NIOPosix
import Runtime
import ServiceLifecycle
package import Session
import Synchronization

/// Serves PostgreSQL clients until it is told to stop. Start it once.
package final class PostgresServer: Service {
  private let settings: PostgresServerSettings
  private let services: SessionServices
  private let logger: Logger
  private let directory: SessionDirectory
  private let pool: WorkerPool
  private let listener = Mutex<(any Channel)?>(nil)

  package init(settings: PostgresServerSettings, services: SessionServices, logger: Logger) {
    self.settings = settings
    self.services = services
    self.logger = logger
    directory = SessionDirectory(sessionsMax: settings.connectionsMax)
    pool = WorkerPool(name: "sessions", threadCount: settings.workerThreads)
  }

  /// The port it listens on, once it has started.
  package var port: Int? { listener.withLock { $0?.localAddress?.port } }

  /// Sessions open now.
  package var sessionCount: Int { directory.sessionCount }

  /// Listens and serves until the graceful shutdown begins; then ends sessions and returns.
  package func run() async throws {
    try await start()
    do { try await gracefulShutdown() } catch is CancellationError {
      logger.info("stopping without a graceful shutdown")
    }
    await stop()
  }

  /// Binds the address. Throws 58030 when it cannot be had.
  package func start() async throws {
    let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(ChannelOptions.backlog, value: 256)
      .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(ChannelOptions.socketOption(.so_keepalive), value: 1)
      .childChannelInitializer { [self] channel in
        channel.eventLoop.makeCompletedFuture { try admit(channel) }
      }
    do {
      let channel = try await bootstrap.bind(host: settings.host, port: settings.port).get()
      listener.withLock { $0 = channel }
      logger.info(
        "listening for PostgreSQL clients",
        metadata: ["host": "\(settings.host)", "port": "\(channel.localAddress?.port ?? settings.port)"])
    } catch {
      throw Fault(
        .ioError, "cannot listen on \(settings.host):\(settings.port)", detail: "\(error)",
        hint: "Is another server using the port?")
    }
  }

  private func admit(_ channel: any Channel) throws {
    let connection = Connection(
      channel: channel, directory: directory, pool: pool, services: services, settings: settings, logger: logger)
    guard directory.admit(connection) else {
      channel.close(promise: nil)
      return
    }
    try channel.pipeline.syncOperations.addHandler(SocketHandler(connection: connection))
  }

  /// Ends idle sessions at once and busy ones when their statement is done, or when the grace is over.
  package func stop() async {
    let channel = listener.withLock { listener in
      defer { listener = nil }
      return listener
    }
    if let channel {
      do { try await channel.close() } catch { logger.debug("the listener was closed already: \(error)") }
    }
    for connection in directory.beginStop() { connection.shutdown() }
    if await !allGone(withinMs: settings.shutdownGraceMs) {
      for connection in directory.connections { connection.shutdownNow() }
      if await !allGone(withinMs: 2_000) {
        // Their threads are in the middle of something that does not look at its cancellation: leave them behind.
        logger.warning("sessions did not end", metadata: ["count": "\(directory.connections.count)"])
        return
      }
    }
    let pool = self.pool
    await withCheckedContinuation { continuation in
      // The join blocks, so it is done on a thread of its own.
      _ = WorkerThread {
        pool.shutdown()
        continuation.resume()
      }
    }
  }

  /// Waits until no connection is left.
  private func allGone(withinMs limit: Int) async -> Bool {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let start = services.clock.monotonicNanos()
    while !directory.connections.isEmpty {
      if services.clock.monotonicNanos() &- start > UInt64(limit) * 1_000_000 { return false }
      do { try await loop.scheduleTask(in: .milliseconds(10)) {}.futureResult.get() } catch { return false }
    }
    return true
  }
}

/// Hands what the socket does to its connection.
private final class SocketHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let connection: Connection

  init(connection: Connection) { self.connection = connection }

  func channelActive(context: ChannelHandlerContext) {
    connection.opened()
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    unwrapInboundIn(data).withUnsafeReadableBytes { connection.received($0) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    connection.closed()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
