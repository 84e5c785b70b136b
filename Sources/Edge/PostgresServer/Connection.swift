// One client: its socket on an event loop, its protocol and session on a worker.
//
//   event loop: bytes ─ FrontendDecoder ─ Inbox ──────────────► worker: ConnectionState ─ Session ─ RowEncoder
//   event loop: socket ◄──────────────── Outbox ◄──────────────┘
//
// Ownership: `decoder`, `isReading` and the start-up belong to the event loop. From the moment the session opens,
// `state`, `session`, `conversation` and `out` belong to the one worker that serves the connection (Inbox sees to that:
// there is one at a time, and taking its lock orders what they write). Cancel requests never need a worker.

import Bedrock
import Logging
import NIOCore
import PostgresProtocol
import Runtime
import Session
import Synchronization

// unchecked Sendable because of the ownership rules above.
final class Connection: @unchecked Sendable {
  private let channel: any Channel
  private let directory: SessionDirectory
  private let pool: WorkerPool
  private let services: SessionServices
  private let settings: PostgresServerSettings
  private let logger: Logger
  private let outbox: Outbox
  private let inbox = Inbox()
  /// The slot of the session, once there is one; for cancel requests and a vanished client.
  private let slot = Mutex<StatementSlot?>(nil)

  // Event loop only.
  private var decoder = FrontendDecoder()
  private var isReading = true
  private var isHandedOver = false
  private var startupTimer: Scheduled<Void>?

  // The worker's, from the hand-over on; before that the event loop's.
  private var state = ConnectionState()
  private var process: Int32?
  private var conversation: Conversation?

  init(
    channel: any Channel, directory: SessionDirectory, pool: WorkerPool, services: SessionServices,
    settings: PostgresServerSettings, logger: Logger
  ) {
    self.channel = channel
    self.directory = directory
    self.pool = pool
    self.settings = settings
    self.logger = logger
    outbox = Outbox(channel: channel)
    let loop = channel.eventLoop
    var services = services
    services.startTimer = { milliseconds, fire in
      let timer = loop.scheduleTask(in: .milliseconds(Int64(milliseconds))) { fire() }
      return { timer.cancel() }
    }
    self.services = services
  }

  // MARK: Event loop

  func opened() {
    channel.eventLoop.preconditionInEventLoop()
    startupTimer = channel.eventLoop.scheduleTask(in: .milliseconds(Int64(settings.startupTimeoutMs))) { [self] in
      if !isHandedOver { outbox.close() }
    }
  }

  func received(_ bytes: UnsafeRawBufferPointer) {
    channel.eventLoop.preconditionInEventLoop()
    decoder.receive(bytes)
    decode()
  }

  /// Gives whole messages to the worker for as long as the inbox has room.
  private func decode() {
    do throws(Fault) {
      while true {
        if isHandedOver && inbox.isFull { return pauseReading() }
        guard let message = try decoder.next() else { break }
        if isHandedOver {
          arrive(.message(message))
        } else {
          start(message)
        }
      }
      resumeReading()
    } catch {
      pauseReading()
      if isHandedOver { arrive(.broken(error)) } else { perform(state.broken(error)) }
    }
  }

  private func arrive(_ arrival: Arrival) {
    if inbox.put(arrival) { callWorker() }
  }

  private func callWorker() { pool.submit { [self] in serve() } }

  private func pauseReading() {
    guard isReading else { return }
    isReading = false
    channel.setOption(ChannelOptions.autoRead, value: false).whenFailure { _ in }
  }

  private func resumeReading() {
    guard !isReading else { return }
    isReading = true
    channel.setOption(ChannelOptions.autoRead, value: true).whenFailure { _ in }
  }

  /// A message of the start-up.
  private func start(_ message: FrontendMessage) {
    guard state.takesMessages else { return }
    perform(state.received(message))
  }

  /// Actions of the start-up and of its failure, on the event loop.
  private func perform(_ action: ConnectionState.Action) {
    switch action {
    case .refuseEncryption: [UInt8(ascii: "N")].withUnsafeBytes { outbox.send($0) }
    case .cancel(let key):
      directory.cancel(key)
      outbox.close()
    case .open(let startup):
      decoder.startupAccepted()
      decoder.authenticated()
      open(startup)
    case .fatal(let fault): sayFatal(fault)
    case .close: outbox.close()
    case .none: break
    case .perform, .ready, .report, .reportThenReady, .flush, .failCopy:
      preconditionFailure("a session's action during start-up")
    }
  }

  private func sayFatal(_ fault: Fault) {
    var out = WireBuffer(capacity: 256)
    out.errorResponse(fault, severity: .fatal)
    out.withUnsafeBytes { outbox.send($0, thenClose: true) }
  }

  /// Checks the client and hands the connection to the workers.
  private func open(_ startup: FrontendMessage.Startup) {
    if let fault = refusal(of: startup) { return perform(state.refused(fault)) }
    guard let key = directory.openSession(self) else {
      return perform(state.refused(Fault(.tooManyConnections, "sorry, too many clients already")))
    }
    startupTimer?.cancel()
    process = key.process
    isHandedOver = true
    pool.submit { [self] in greet(startup, key) }
  }

  /// Why a client may not have a session, or `nil`.
  private func refusal(of startup: FrontendMessage.Startup) -> Fault? {
    guard let user = startup.value(of: "user"), !user.isEmpty else {
      return Fault(.invalidAuthorization, "no PostgreSQL user name specified in startup packet")
    }
    if let replication = startup.value(of: "replication"), replication != "false", replication != "off" {
      return .unsupported("a replication connection")
    }
    // Without roles there is no way to tell users apart, so only this host is trusted.
    guard Self.isLoopback(channel.remoteAddress) else {
      let host = channel.remoteAddress?.ipAddress ?? "unknown"
      return Fault(
        .invalidAuthorization, "no entry admits host \"\(host)\", user \"\(user)\"",
        hint: "Only connections from the server's own host are admitted.")
    }
    return nil
  }

  static func isLoopback(_ address: SocketAddress?) -> Bool {
    switch address {
    case .unixDomainSocket?: true
    case .v4?, .v6?:
      address?.ipAddress.map { $0.hasPrefix("127.") || $0 == "::1" || $0.hasPrefix("::ffff:127.") } ?? false
    case nil: false
    }
  }

  func closed() {
    channel.eventLoop.preconditionInEventLoop()
    startupTimer?.cancel()
    outbox.channelClosed()
    slot.withLock { $0 }?.end(.clientGone)
    if isHandedOver {
      if inbox.markClientGone() { callWorker() }
    } else {
      state.disconnected()
      directory.remove(self, process: nil)
    }
  }

  // MARK: Any thread

  /// A cancel request with the right key came.
  func cancelStatement() { slot.withLock { $0 }?.cancel(.userRequest) }

  /// The server stops: the session ends once it is idle. Before its start-up the connection just closes.
  func shutdown() {
    channel.eventLoop.execute { [self] in
      if isHandedOver {
        if inbox.markShutdown() { callWorker() }
      } else {
        outbox.close()
      }
    }
  }

  /// The server has waited long enough: running statements end with 57P01.
  func shutdownNow() { slot.withLock { $0 }?.end(.shutdown) }

  // MARK: Worker

  /// Makes the session and greets the client.
  private func greet(_ startup: FrontendMessage.Startup, _ key: CancelKey) {
    do throws(Fault) {
      let user = startup.value(of: "user") ?? ""
      let database = startup.value(of: "database").flatMap { $0.isEmpty ? nil : $0 } ?? user
      let session = try Session(
        services: services, userName: user, databaseName: database, processID: key.process,
        startSettings: try StartupOptions.settings(of: startup))
      slot.withLock { $0 = session.slot }
      let conversation = Conversation(session: session, outbox: outbox)
      conversation.greet(key, negotiating: startup.needsNegotiation ? startup.unknownOptions : nil)
      self.conversation = conversation
      conversation.ready(state.opened())
      logger.debug("session opened", metadata: ["process": "\(key.process)", "user": "\(user)"])
    } catch {
      let action = state.refused(error)
      if case .fatal(let fault) = action { sayFatal(fault) }
      finish()
      return
    }
    // The inbox counts as served from the start, so this is the one worker.
    serve()
  }

  /// Serves the connection until there is nothing to do or the client must catch up.
  private func serve() {
    guard let conversation else { return finish() }
    while true {
      // A result that was interrupted by back-pressure goes first.
      if let result = conversation.proceed(resume: { [self] in callWorker() }) {
        switch result {
        case .resting: return
        case .copying: state.copyBegan()
        case .done(let outcome):
          settle(outcome, conversation)
          continue
        }
      }
      switch inbox.take() {
      case .leave: return readMore()
      case .clientGone: return finish()
      case .shutdown:
        conversation.act(state.broken(Fault(.adminShutdown, "terminating connection due to administrator command")))
        return finish()
      case .arrival(.broken(let fault)):
        conversation.act(state.broken(fault))
        return finish()
      case .arrival(.message(let message)):
        let action = state.received(message)
        if case .perform(let request) = action {
          conversation.begin(request)
        } else if case .failCopy(let fault) = action {
          conversation.failCopy(fault)
        } else {
          conversation.act(action)
          if state.phase == .closed { return finish() }
        }
      }
    }
  }

  private func settle(_ outcome: Conversation.Outcome, _ conversation: Conversation) {
    switch outcome {
    case .completed: conversation.act(state.completed())
    case .failed(let fault): conversation.act(state.failed(fault))
    }
  }

  /// Lets the event loop decode what it held back.
  private func readMore() {
    channel.eventLoop.execute { [self] in decode() }
  }

  /// The end of the connection on the worker's side.
  private func finish() {
    state.disconnected()
    slot.withLock { $0 = nil }
    conversation?.end()
    conversation = nil
    inbox.finish()
    directory.remove(self, process: process)
  }
}
