// One request and its answer, on the event loops of AsyncHTTPClient, and the one place where a thread waits for it.
//
//   start ──► (event loop: head, body parts into the sink, end or error) ──► wait
//
// No Swift task is involved, so a waiting thread can never keep the pool's last thread from the work it waits for.
// `wait` must not be called on an event loop; that is checked. When `wait` has returned, or `cancel` has, nothing
// writes into the memory of a `RangeSink` any more: its lock is closed first.

import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Runtime
import Synchronization

/// What came back: status, headers, and the body unless a `RangeSink` took it.
struct HTTPAnswer: Sendable {
  var status: Int
  var headers: HTTPHeaders
  var body: [UInt8]

  func header(_ name: String) -> String? { headers.first(name: name) }
}

/// No whole answer came. Whether the server has acted on the request is unknown.
struct HTTPLoss: Error {
  /// In the words of a sentence's end, without anything from the request.
  let reason: String
  /// True when trying again cannot help.
  var isFinal = false
  /// True when the answer has more bytes than the caller takes.
  var isTooLong = false
  /// What to do about it, when that is known.
  var hint: String?

  static func tooLong(_ bytesMax: Int) -> HTTPLoss {
    HTTPLoss(reason: "it has over \(bytesMax) bytes", isFinal: true, isTooLong: true)
  }
}

/// Collects one answer. Called on one event loop.
private final class AnswerDelegate: HTTPClientResponseDelegate {
  typealias Response = HTTPAnswer
  private let answer = Mutex(HTTPAnswer(status: 0, headers: [:], body: []))
  private let sink: RangeSink?
  private let bodyBytesMax: Int

  init(sink: RangeSink?, bodyBytesMax: Int) {
    self.sink = sink
    self.bodyBytesMax = bodyBytesMax
  }

  func didReceiveHead(task: HTTPClient.Task<HTTPAnswer>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
    answer.withLock { answer in
      answer.status = Int(head.status.code)
      answer.headers = head.headers
      answer.body = []
    }
    if let sink, (200...299).contains(head.status.code) {
      do { try sink.begin(status: Int(head.status.code), head.headers) } catch {
        return task.eventLoop.makeFailedFuture(error)
      }
    }
    return task.eventLoop.makeSucceededVoidFuture()
  }

  func didReceiveBodyPart(task: HTTPClient.Task<HTTPAnswer>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
    do {
      try answer.withLock { answer throws(HTTPLoss) in
        if let sink, (200...299).contains(answer.status) { return try sink.take(buffer) }
        let room = (200...299).contains(answer.status) ? bodyBytesMax : S3Options.refusalBytesMax
        guard answer.body.count + buffer.readableBytes <= room else {
          throw HTTPLoss.tooLong(room)
        }
        answer.body += buffer.readableBytesView
      }
    } catch { return task.eventLoop.makeFailedFuture(error) }
    return task.eventLoop.makeSucceededVoidFuture()
  }

  func didFinishRequest(task: HTTPClient.Task<HTTPAnswer>) throws -> HTTPAnswer { answer.withLock { $0 } }
}

/// A request under way. One thread starts it and waits for it.
final class HTTPExchange: Sendable {
  private let outcome = Monitor<Result<HTTPAnswer, HTTPLoss>?>(nil)
  private let task: HTTPClient.Task<HTTPAnswer>?
  private let sink: RangeSink?
  private let client: HTTPClient
  private let patienceMicros: Int64

  /// - Parameter timeoutMicros: until the last byte of the answer.
  init(
    _ client: HTTPClient, url: String, method: HTTPMethod, headers: HTTPHeaders, body: ByteBuffer?, sink: RangeSink?,
    bodyBytesMax: Int, timeoutMicros: Int64
  ) {
    self.client = client
    self.sink = sink
    // The client keeps its deadline; this much later we stop waiting for it to do so.
    patienceMicros = timeoutMicros + 5_000_000
    do {
      let request = try HTTPClient.Request(
        url: url, method: method, headers: headers, body: body.map { .byteBuffer($0) })
      let task = client.execute(
        request: request, delegate: AnswerDelegate(sink: sink, bodyBytesMax: bodyBytesMax),
        deadline: .now() + .microseconds(timeoutMicros))
      self.task = task
      let outcome = self.outcome
      task.futureResult.whenComplete { result in
        let known = result.mapError { Self.loss($0) }
        outcome.change { $0 = $0 ?? known }
      }
    } catch {
      task = nil
      let known = Self.loss(error)
      outcome.change { $0 = .failure(known) }
    }
  }

  /// Blocks until the answer is whole or lost.
  func wait() throws(HTTPLoss) -> HTTPAnswer {
    let isLoop = client.eventLoopGroup.makeIterator().contains { $0.inEventLoop }
    precondition(!isLoop, "an object store must not be called on an event loop")
    guard let result = outcome.wait(timeoutMicros: patienceMicros, until: { $0 }) else {
      cancel()
      throw HTTPLoss(reason: "no answer came in time")
    }
    return try result.get()
  }

  /// Gives up the answer. The server may still act on the request.
  func cancel() {
    sink?.close()
    task?.fail(reason: HTTPLoss(reason: "the request was given up"))
  }

  /// Why there is no answer. Texts of errors are not passed on: they may quote addresses and headers.
  private static func loss(_ error: any Error) -> HTTPLoss {
    if let loss = S3TLS.loss(error) { return loss }
    switch error {
    case let error as HTTPLoss: return error
    case let error as HTTPClientError:
      switch error {
      case .deadlineExceeded, .readTimeout, .writeTimeout: return HTTPLoss(reason: "no answer came in time")
      case .connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout:
        return HTTPLoss(reason: "no connection could be made in time")
      case .remoteConnectionClosed: return HTTPLoss(reason: "the connection was closed")
      case .invalidURL, .emptyHost, .emptyScheme, .alreadyShutdown:
        return HTTPLoss(reason: error.shortDescription, isFinal: true)
      default: return HTTPLoss(reason: error.shortDescription)
      }
    case let error as NIOConnectionError:
      if let refusal = error.connectionErrors.first { return loss(refusal.error) }
      if error.dnsAError != nil || error.dnsAAAAError != nil {
        return HTTPLoss(reason: "the address \"\(error.host)\" is not known")
      }
      return HTTPLoss(reason: "no connection could be made")
    case let error as IOError: return HTTPLoss(reason: String(cString: strerror(error.errnoCode)).lowercased())
    case let error as ChannelError where error == .eof || error == .ioOnClosedChannel:
      return HTTPLoss(reason: "the connection was closed")
    default:
      let type = String(describing: Swift.type(of: error))
      return HTTPLoss(reason: "the exchange failed (\(type))")
    }
  }
}
