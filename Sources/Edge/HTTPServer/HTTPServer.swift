// The HTTP port: Hummingbird carries the bytes, our routes answer.
//
//   event loop ─► limits, route ─► worker thread: handler ─► answer ─► event loop
//
// Handlers block (they read files), so they run on threads of their own; only immediate ones, such as the liveness probe,
// answer on the loop. A body is read whole, up to a maximum, before its handler runs.
//
// While the server listens on loopback it answers only requests for a loopback host: a web page elsewhere that has its
// name resolved to 127.0.0.1 cannot read the lake through a browser.

import Bedrock
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
package import Runtime
import ServiceLifecycle
import Synchronization

/// Plain values from the configuration.
package struct HTTPServerSettings: Sendable {
  package var host: String
  /// 0 takes a free port.
  package var port: Int
  /// Connections at once; further ones wait to be accepted.
  package var connectionsMax: Int
  /// Bytes of a request's body.
  package var bodyBytesMax: Int
  /// Time after which a silent connection is closed.
  package var idleSeconds: Int
  package var workerThreads: Int

  package init(
    host: String = "127.0.0.1", port: Int = 8181, connectionsMax: Int = 200, bodyBytesMax: Int = 1_048_576,
    idleSeconds: Int = 60, workerThreads: Int = 4
  ) {
    precondition(connectionsMax > 0 && bodyBytesMax >= 0 && idleSeconds > 0 && workerThreads > 0)
    self.host = host
    self.port = port
    self.connectionsMax = connectionsMax
    self.bodyBytesMax = bodyBytesMax
    self.idleSeconds = idleSeconds
    self.workerThreads = workerThreads
  }
}

/// Serves HTTP until it is told to stop. Run it once.
package final class HTTPServer: Service {
  private let settings: HTTPServerSettings
  private let routes: HTTPRoutes
  private let logger: Logger
  private let clock: Runtime.Clock
  private let pool: WorkerPool
  private let bound = Mutex<Int?>(nil)

  package init(
    settings: HTTPServerSettings, routes: [HTTPRoute], clock: Runtime.Clock = .system, logger: Logger
  ) {
    self.settings = settings
    self.routes = HTTPRoutes(routes)
    self.clock = clock
    self.logger = logger
    pool = WorkerPool(name: "http", threadCount: settings.workerThreads)
  }

  /// The port it listens on, once it does.
  package var port: Int? { bound.withLock { $0 } }

  /// Listens and serves until the graceful shutdown begins, finishes what it is answering, and returns.
  package func run() async throws {
    let application = Application(
      responder: CallbackResponder<BasicRequestContext> { [self] request, _ in await answer(request) },
      server: .http1(configuration: .init(idleTimeout: .seconds(Int64(settings.idleSeconds)))),
      configuration: .init(
        address: .hostname(settings.host, port: settings.port),
        availableConnectionsDelegate: MaximumAvailableConnections(settings.connectionsMax, logger: quiet)),
      onServerRunning: { [self] channel in
        let port = channel.localAddress?.port ?? settings.port
        bound.withLock { $0 = port }
        logger.info("listening for HTTP clients", metadata: ["host": "\(settings.host)", "port": "\(port)"])
      }, logger: quiet)
    do { try await application.run() } catch {
      await stopPool()
      if error is CancellationError || port != nil { throw error }
      throw Fault(
        .ioError, "cannot listen on \(settings.host):\(settings.port)", detail: "\(error)",
        hint: "Is another server using the port? \"http.port\" names it; \"http.enabled: false\" goes without.")
    }
    await stopPool()
  }

  /// Hummingbird tells of its own life at info; ours does already.
  private var quiet: Logger {
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .warning)
    return quiet
  }

  private func stopPool() async {
    let pool = self.pool
    await withCheckedContinuation { continuation in
      // The join blocks, so it is done on a thread of its own.
      _ = WorkerThread {
        pool.shutdown()
        continuation.resume()
      }
    }
  }

  // MARK: One request

  private func answer(_ request: Request) async -> Response {
    let start = clock.monotonicNanos()
    let target = request.head.path ?? "/"
    let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let path = parts.first ?? "/"
    let answer = await answer(request, path, query: parts.count > 1 ? parts[1] : "")
    let micros = (clock.monotonicNanos() &- start) / 1_000
    let level: Logger.Level = answer.status >= 500 ? .error : answer.status >= 400 ? .info : .debug
    logger.log(
      level: level, "http request",
      metadata: [
        "method": "\(request.method.rawValue)", "path": "\(path.prefix(500))", "status": "\(answer.status)",
        "micros": "\(micros)", "bytes": "\(answer.body.count)",
      ])
    return Self.response(answer, isHead: request.method == .head)
  }

  private func answer(_ request: Request, _ path: Substring, query: Substring) async -> HTTPAnswer {
    guard isAllowed(host: request.head.authority) else {
      return .error(403, "ForbiddenException", "this server listens on loopback and answers loopback hosts only")
    }
    let method = request.method.rawValue
    switch routes.match(method, path) {
    case .none: return .error(404, "NotFoundException", "there is nothing at \(path.prefix(500))")
    case .otherMethods(let methods):
      var answer = HTTPAnswer.error(
        405, "MethodNotAllowedException", "\(method.prefix(20)) is not a method of \(path.prefix(500))")
      answer.headers.append((name: "allow", value: methods.joined(separator: ", ")))
      return answer
    case .route(let route, let parameters):
      guard let query = URLText.query(query) else {
        return .error(400, "BadRequestException", "the query has a broken escape")
      }
      let body: [UInt8]
      do {
        let buffer = try await request.body.collect(upTo: settings.bodyBytesMax)
        body = Array(buffer.readableBytesView)
      } catch is NIOTooManyBytesError {
        return .error(413, "PayloadTooLargeException", "a body has at most \(settings.bodyBytesMax) bytes")
      } catch {
        return .error(400, "BadRequestException", "the body did not arrive whole")
      }
      var headers: [String: String] = [:]
      for field in request.headers { headers[field.name.canonicalName] = field.value }
      let call = HTTPCall(method: method, parameters: parameters, query: query, headers: headers, body: body)
      return await run(route, call)
    }
  }

  private func run(_ route: HTTPRoute, _ call: HTTPCall) async -> HTTPAnswer {
    do throws(Fault) {
      if route.isImmediate { return try route.answer(call) }
      return try await pool.run { () throws(Fault) in try route.answer(call) }
    } catch {
      if error.kind == .bug || error.kind == .corrupt { logger.error("http request failed: \(error)") }
      return .fault(error)
    }
  }

  /// - Parameter host: `name:port` as the request has it.
  private func isAllowed(host: String?) -> Bool {
    guard Self.isLoopback(settings.host), let host else { return true }
    return Self.isLoopback(Self.name(ofHost: host))
  }

  static func name(ofHost host: String) -> String {
    if host.hasPrefix("["), let end = host.firstIndex(of: "]") { return String(host[host.index(after: host.startIndex)..<end]) }
    return String(host.prefix { $0 != ":" })
  }

  /// True for names and addresses of this machine itself.
  package static func isLoopback(_ host: String) -> Bool {
    host == "localhost" || host == "::1"
      || host.hasPrefix("127.") && host.utf8.allSatisfy { $0 == UInt8(ascii: ".") || $0 >= 0x30 && $0 <= 0x39 }
  }

  private static func response(_ answer: HTTPAnswer, isHead: Bool) -> Response {
    var headers = HTTPFields()
    for (name, value) in answer.headers {
      if let name = HTTPFields.Element.Name(name) { headers[name] = value }
    }
    let body = isHead || answer.body.isEmpty ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body))
    return Response(status: .init(code: answer.status), headers: headers, body: body)
  }
}
