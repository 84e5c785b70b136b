// Signed requests to one bucket: what each call shares. Any thread.

import AsyncHTTPClient
import Bedrock
import Logging
import NIOCore
import NIOHTTP1
import ObjectStore
import Runtime
import Synchronization

/// One request before it is signed.
struct S3Request: Sendable {
  /// For messages: `read "a/b"`.
  let what: String
  var method: HTTPMethod
  /// Nil: the bucket itself.
  var key: String?
  var query: [(name: String, value: String)] = []
  /// Names in lower case. Host, date, hash and token are added.
  var headers: [(name: String, value: String)] = []
  var body: ByteBuffer?
  var bodyHash = RequestSignature.emptyHash
  /// Takes the body of the answer.
  var sink: RangeSink?
  var answerBytesMax = S3Options.documentBytesMax
  /// Statuses besides 200 to 299 that the caller reads itself.
  var accepted: [Int] = []
  /// The answer 200 may hold an error in its body (CompleteMultipartUpload).
  var mayFailInBody = false
  /// Tries at most; nil: as many as the client's options say.
  var triesMax: Int?

  init(_ what: String, _ method: HTTPMethod, key: String?) {
    self.what = what
    self.method = method
    self.key = key
  }

  mutating func setBody(_ body: ByteBuffer) {
    self.body = body
    var hash = BodyHash()
    hash.update(body)
    bodyHash = hash.text
  }

  /// Bytes that go over the line in either direction, as far as is known.
  var transferBytes: Int { (body?.readableBytes ?? 0) + (sink?.count ?? 0) }
}

final class S3Client: Sendable {
  let endpoint: S3Endpoint
  let options: S3Options
  let credentials: S3CredentialHolder
  let clock: Clock
  let log: Logger
  private let http: HTTPClient
  /// The store's clock minus ours, once it has complained.
  private let clockOffsetMicros = Atomic<Int64>(0)
  private let jitter: Mutex<SeededGenerator>

  static let triesMax = 10

  init(_ options: S3Options, clock: Clock, log: Logger) throws(Fault) {
    endpoint = try S3Endpoint(options)
    credentials = try S3CredentialHolder(options.credentials)
    self.options = options
    self.clock = clock
    self.log = log
    jitter = Mutex(SeededGenerator(seed: options.seed ?? Entropy.word()))
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow,
      timeout: .init(
        connect: .microseconds(options.connectMicrosMax), read: .microseconds(options.idleMicrosMax),
        write: .microseconds(options.idleMicrosMax)))
    configuration.httpVersion = .http1Only
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = options.connectionsMax
    // Repeating is ours alone: with a bound, a pause and a reason.
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.tlsConfiguration = try S3TLS.configuration(options, endpoint, log)
    http = HTTPClient(configuration: configuration)
  }

  deinit {
    // It can only fail when it has been shut down before, which nobody else does.
    try? http.syncShutdown()
  }

  /// Starts one try with what is current: time, credentials, range.
  func exchange(_ request: S3Request, credentials: S3Credentials, timeoutMicros: Int64) -> HTTPExchange {
    let now = clock.nowMicros() + clockOffsetMicros.load(ordering: .relaxed)
    let time = S3Time.basic(micros: now)
    var headers = request.headers
    headers.append(("host", endpoint.authority))
    headers.append(("x-amz-content-sha256", request.bodyHash))
    headers.append(("x-amz-date", time))
    if let token = credentials.sessionToken { headers.append(("x-amz-security-token", token)) }
    if let sink = request.sink { headers.append(("range", sink.rangeHeader())) }
    let path = endpoint.path(key: request.key)
    let signature = RequestSignature(
      method: request.method.rawValue, path: path, query: request.query, headers: headers, bodyHash: request.bodyHash,
      time: time, region: options.region)
    headers.append(("authorization", signature.authorization(credentials)))
    let query = request.query.isEmpty ? "" : "?" + signature.canonicalQuery
    return HTTPExchange(
      http, url: "\(endpoint.scheme)://\(endpoint.authority)\(path)\(query)", method: request.method,
      headers: HTTPHeaders(headers.map { ($0.name, $0.value) }), body: request.body, sink: request.sink,
      bodyBytesMax: request.answerBytesMax, timeoutMicros: timeoutMicros)
  }

  /// Runs a request to its end: success, an accepted status, or a fault.
  func send(_ request: S3Request) throws(Fault) -> HTTPAnswer {
    let call = S3Call(self, request)
    call.start()
    return try call.finish()
  }

  /// The headers of an object, or nil when there is none.
  func head(_ path: ObjectPath, key: String) throws(Fault) -> HTTPAnswer? {
    var request = S3Request("examine \"\(path)\"", .HEAD, key: key)
    request.accepted = [400, 401, 403, 404]
    var answer = try send(request)
    if [400, 401, 403].contains(answer.status) {
      // A refused HEAD does not say why. A GET of one byte does, and gets new credentials and the right time.
      var question = S3Request(request.what, .GET, key: key)
      question.headers = [("range", "bytes=0-0")]
      question.accepted = [404, 416]
      _ = try send(question)
      request.accepted = [404]
      answer = try send(request)
    }
    return answer.status == 404 ? nil : answer
  }

  /// An even draw from zero to a bound that doubles with each try ("full jitter").
  func backoffMicros(afterTry number: Int) -> Int64 {
    let doubled = options.backoffMicrosMin << Int64(min(number - 1, 20))
    let bound = min(options.backoffMicrosMax, max(doubled, options.backoffMicrosMin))
    return jitter.withLock { Int64($0.next() % UInt64(bound + 1)) }
  }

  /// Takes over the store's time; false when it gives none that differs.
  func correctClock(from answer: HTTPAnswer) -> Bool {
    guard let theirs = answer.header("date").flatMap(S3Time.http) else { return false }
    let offset = theirs - clock.nowMicros()
    let before = clockOffsetMicros.exchange(offset, ordering: .relaxed)
    guard abs(offset - before) > 60_000_000 else { return false }
    log.warning(
      "the clock of the object store differs; requests are signed by its time",
      metadata: ["seconds": "\(offset / 1_000_000)"])
    return true
  }
}
