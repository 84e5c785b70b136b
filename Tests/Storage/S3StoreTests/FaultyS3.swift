// An S3 server inside the test that misbehaves on demand: one bucket in memory behind SwiftNIO, path style. It checks
// the signature of every request and can lose, delay, refuse, cut or falsify any answer, before or after acting.

import Bedrock
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

@testable import S3Store

final class FaultyS3: Sendable {
  enum Trouble: Sendable {
    /// Closes the connection; the request is not acted on.
    case closeBefore
    /// Acts, then closes the connection without an answer.
    case closeAfter
    /// Answers with a status and a code; not acted on.
    case refuse(Int, String, headers: [(String, String)] = [])
    /// Acts, then answers with a status and a code.
    case refuseAfter(Int, String)
    /// Acts, tells the right length, sends this many bytes of the body and closes.
    case cut(Int)
    /// Acts and answers after so many milliseconds.
    case delay(Int)
    /// Never answers; not acted on.
    case silence
    /// Answers 200 with this body; not acted on.
    case body(String)
    /// Answers what the request asked for, as if it had no Range header.
    case wholeObject
  }
  struct Request: Sendable {
    let method: String
    let path: String
    let query: [String: String]
    let headers: HTTPHeaders
    let body: [UInt8]
    var key: String { String(path.dropFirst("/bucket/".count)) }
  }
  struct Object: Sendable {
    var body: [UInt8]
    var token: String?
    var tag: String
  }
  struct State: Sendable {
    var objects: [String: Object] = [:]
    var uploads: [String: (key: String, token: String?, parts: [Int: [UInt8]])] = [:]
    var requests: [Request] = []
    var partsInFlightMax = 0
    var tagCount = 0
    /// False: `If-None-Match` is ignored.
    var isAtomic = true
    /// Key pairs that are known.
    var secrets = ["key": "secret"]
    /// Added to the clock that signatures are compared with, microseconds.
    var clockOffsetMicros: Int64 = 0
    var connections = 0
  }
  /// Files in PEM form.
  struct Identity: Sendable {
    let certificate: String
    let key: String
  }
  let state = Mutex(State())
  private let isSecure: Bool
  /// Trouble for a request, asked with its number from 0; nil: none.
  private let trouble: Mutex<@Sendable (Request, Int) -> Trouble?>
  private let channel: any Channel

  /// - Parameter identity: with it the server speaks TLS.
  init(
    identity: Identity? = nil, _ trouble: @escaping @Sendable (Request, Int) -> Trouble? = { _, _ in nil }
  ) throws {
    isSecure = identity != nil
    let tls = try identity.map { identity in
      try NIOSSLContext(
        configuration: .makeServerConfiguration(
          certificateChain: NIOSSLCertificate.fromPEMFile(identity.certificate).map { .certificate($0) },
          privateKey: .privateKey(try NIOSSLPrivateKey(file: identity.key, format: .pem))))
    }
    self.trouble = Mutex(trouble)
    let owner = Owner()
    channel = try ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(Handler(owner))
        }
      }
      .bind(host: "127.0.0.1", port: 0).wait()
    owner.server.withLock { $0 = Weak(self) }
  }

  deinit { _ = channel.close() }

  struct Weak: Sendable {
    weak var value: FaultyS3?
    init(_ value: FaultyS3) { self.value = value }
  }
  final class Owner: Sendable {
    let server = Mutex<Weak?>(nil)
    var value: FaultyS3? { server.withLock { $0?.value } }
  }

  var endpoint: String { "http\(isSecure ? "s" : "")://127.0.0.1:\(channel.localAddress?.port ?? 0)" }
  func set(_ next: @escaping @Sendable (Request, Int) -> Trouble?) { trouble.withLock { $0 = next } }
  var requests: [Request] { state.withLock { $0.requests } }
  func object(_ key: String) -> [UInt8]? { state.withLock { $0.objects[key]?.body } }

  // MARK: Acting

  struct Answer {
    var status: HTTPResponseStatus
    var headers: [(String, String)] = []
    var body: [UInt8] = []

    static func error(_ status: Int, _ code: String) -> Answer {
      let text = "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>it says \(code)</Message></Error>"
      return Answer(status: .init(statusCode: status), headers: [("x-amz-request-id", "R1")], body: Array(text.utf8))
    }
  }

  func take(_ request: Request) -> (trouble: Trouble?, number: Int) {
    let number = state.withLock { state in
      state.requests.append(request)
      return state.requests.count - 1
    }
    return (trouble.withLock { $0 }(request, number), number)
  }

  func act(_ request: Request, wholeObject: Bool = false) -> Answer {
    state.withLock { state in
      if let refusal = Self.checkSignature(request, state) { return refusal }
      switch request.method {
      case "PUT" where request.query["partNumber"] != nil: return Self.part(request, &state)
      case "PUT": return Self.put(request, &state)
      case "GET" where request.query["list-type"] != nil: return Self.list(request, state)
      case "GET", "HEAD": return Self.get(request, state, wholeObject: wholeObject)
      case "DELETE":
        if let id = request.query["uploadId"] { state.uploads[id] = nil } else { state.objects[request.key] = nil }
        return Answer(status: .noContent)
      case "POST" where request.query["uploads"] != nil:
        let id = "upload-\(state.uploads.count + 1)"
        state.uploads[id] = (request.key, request.headers.first(name: S3ObjectStore.tokenHeader), [:])
        return Answer(
          status: .ok,
          body: Array("<InitiateMultipartUploadResult><UploadId>\(id)</UploadId></InitiateMultipartUploadResult>".utf8))
      case "POST" where request.query["uploadId"] != nil: return Self.complete(request, &state)
      case "POST" where request.query["delete"] != nil: return Self.deleteMany(request, &state)
      default: return .error(501, "NotImplemented")
      }
    }
  }

  private static func checkSignature(_ request: Request, _ state: State) -> Answer? {
    let headers = request.headers
    guard let authorization = headers.first(name: "authorization"), let time = headers.first(name: "x-amz-date"),
      let hash = headers.first(name: "x-amz-content-sha256")
    else { return .error(403, "AccessDenied") }
    let keyID = authorization.split(separator: "=")[1].split(separator: "/")[0]
    guard let secret = state.secrets[String(keyID)],
      let credentials = try? S3Credentials(keyID: String(keyID), secret: secret)
    else { return .error(403, "InvalidAccessKeyId") }
    let now = Int64(Date().timeIntervalSince1970 * 1e6) + state.clockOffsetMicros
    let fields = "\(time.prefix(4))-\(time.dropFirst(4).prefix(2))-\(time.dropFirst(6).prefix(2))T"
      + "\(time.dropFirst(9).prefix(2)):\(time.dropFirst(11).prefix(2)):\(time.dropFirst(13).prefix(2))Z"
    guard let signed = S3Time.extended(fields), abs(signed - now) < 900_000_000 else {
      var answer = Answer.error(403, "RequestTimeTooSkewed")
      answer.headers.append(("date", httpDate(now)))
      return answer
    }
    let names = authorization.split(separator: "SignedHeaders=")[1].split(separator: ",")[0].split(separator: ";")
    let expected = RequestSignature(
      method: request.method, path: S3Endpoint.encoded(request.path, keepingSlashes: true),
      query: request.query.map { ($0.key, $0.value) },
      headers: names.map { (String($0), headers[String($0)].joined(separator: ",")) }, bodyHash: hash, time: time,
      region: "us-east-1")
    guard authorization == expected.authorization(credentials) else { return .error(403, "SignatureDoesNotMatch") }
    var body = BodyHash()
    body.update(ByteBuffer(bytes: request.body))
    return body.text == hash ? nil : .error(400, "XAmzContentSHA256Mismatch")
  }

  static func httpDate(_ micros: Int64) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "GMT")
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    return formatter.string(from: Date(timeIntervalSince1970: Double(micros) / 1e6))
  }

  private static func store(_ key: String, _ body: [UInt8], _ token: String?, _ state: inout State) -> Answer {
    state.tagCount += 1
    state.objects[key] = Object(body: body, token: token, tag: "\"tag-\(state.tagCount)\"")
    return Answer(status: .ok, headers: [("etag", "\"tag-\(state.tagCount)\"")])
  }

  private static func put(_ request: Request, _ state: inout State) -> Answer {
    if state.isAtomic && request.headers.contains(name: "if-none-match") && state.objects[request.key] != nil {
      return .error(412, "PreconditionFailed")
    }
    return store(request.key, request.body, request.headers.first(name: S3ObjectStore.tokenHeader), &state)
  }

  private static func part(_ request: Request, _ state: inout State) -> Answer {
    guard let id = request.query["uploadId"], let number = request.query["partNumber"].flatMap({ Int($0) }),
      state.uploads[id] != nil
    else { return .error(404, "NoSuchUpload") }
    state.uploads[id]?.parts[number] = request.body
    return Answer(status: .ok, headers: [("etag", "\"part-\(number)\"")])
  }

  private static func complete(_ request: Request, _ state: inout State) -> Answer {
    guard let id = request.query["uploadId"], let upload = state.uploads.removeValue(forKey: id),
      let list = try? XMLElement(parsing: request.body)
    else { return .error(404, "NoSuchUpload") }
    var body: [UInt8] = []
    for part in list.children("Part") {
      guard let number = part.text("PartNumber").flatMap({ Int($0) }), part.text("ETag") == "\"part-\(number)\"",
        let bytes = upload.parts[number]
      else { return .error(400, "InvalidPart") }
      body += bytes
    }
    var answer = store(upload.key, body, upload.token, &state)
    answer.body = Array("<CompleteMultipartUploadResult/>".utf8)
    return answer
  }

  private static func deleteMany(_ request: Request, _ state: inout State) -> Answer {
    guard let list = try? XMLElement(parsing: request.body), request.headers.contains(name: "content-md5") else {
      return .error(400, "MalformedXML")
    }
    var text = "<DeleteResult>"
    for key in list.children("Object").compactMap({ $0.text("Key") }) {
      if key.hasSuffix("locked") {
        text += "<Error><Key>\(key)</Key><Code>AccessDenied</Code></Error>"
      } else { state.objects[key] = nil }
    }
    return Answer(status: .ok, body: Array((text + "</DeleteResult>").utf8))
  }

  private static func get(_ request: Request, _ state: State, wholeObject: Bool) -> Answer {
    guard let object = state.objects[request.key] else {
      return request.method == "HEAD" ? Answer(status: .notFound) : .error(404, "NoSuchKey")
    }
    var headers = [("etag", object.tag)]
    if let token = object.token { headers.append((S3ObjectStore.tokenHeader, token)) }
    guard let range = request.headers.first(name: "range"), !wholeObject else {
      return Answer(status: .ok, headers: headers, body: object.body)
    }
    let bounds = range.dropFirst(6).split(separator: "-").compactMap { Int($0) }
    guard bounds.count == 2, bounds[0] < object.body.count else { return .error(416, "InvalidRange") }
    let upper = min(bounds[1], object.body.count - 1)
    headers.append(("content-range", "bytes \(bounds[0])-\(upper)/\(object.body.count)"))
    return Answer(status: .partialContent, headers: headers, body: Array(object.body[bounds[0]...upper]))
  }

  private static func list(_ request: Request, _ state: State) -> Answer {
    let prefix = request.query["prefix"] ?? ""
    let after = request.query["continuation-token"] ?? request.query["start-after"] ?? ""
    let most = Int(request.query["max-keys"] ?? "1000") ?? 1_000
    var text = "<ListBucketResult><EncodingType>url</EncodingType>"
    let keys = state.objects.keys.filter { key in
      key.hasPrefix(prefix) && after.utf8.lexicographicallyPrecedes(key.utf8)
        && !key.dropFirst(prefix.count).contains("/")
    }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    for key in keys.prefix(most) {
      text += "<Contents><Key>\(S3Endpoint.encoded(key, keepingSlashes: true))</Key>"
        + "<Size>\(state.objects[key]?.body.count ?? 0)</Size></Contents>"
    }
    if keys.count > most {
      text += "<IsTruncated>true</IsTruncated><NextContinuationToken>\(keys[most - 1])</NextContinuationToken>"
    }
    return Answer(status: .ok, body: Array((text + "</ListBucketResult>").utf8))
  }
}

/// One connection. On its event loop only.
private final class Handler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart
  private let owner: FaultyS3.Owner
  private var head: HTTPRequestHead?
  private var body: [UInt8] = []

  init(_ owner: FaultyS3.Owner) { self.owner = owner }

  func channelActive(context: ChannelHandlerContext) {
    owner.value?.state.withLock { $0.connections += 1 }
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      body = []
    case .body(let part): body += part.readableBytesView
    case .end:
      guard let head, let server = owner.value else { return context.close(promise: nil) }
      answer(Self.request(head, body), server, context)
    }
  }

  private static func request(_ head: HTTPRequestHead, _ body: [UInt8]) -> FaultyS3.Request {
    let parts = head.uri.split(separator: "?", maxSplits: 1)
    var query: [String: String] = [:]
    for pair in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
      let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      query[S3Endpoint.decoded(String(sides[0])) ?? ""] = sides.count > 1 ? S3Endpoint.decoded(String(sides[1])) : ""
    }
    return FaultyS3.Request(
      method: head.method.rawValue, path: S3Endpoint.decoded(String(parts[0])) ?? "", query: query,
      headers: head.headers, body: body)
  }

  private func answer(_ request: FaultyS3.Request, _ server: FaultyS3, _ context: ChannelHandlerContext) {
    let (trouble, _) = server.take(request)
    switch trouble {
    case .closeBefore: context.close(promise: nil)
    case .closeAfter:
      _ = server.act(request)
      context.close(promise: nil)
    case .refuse(let status, let code, let headers):
      var answer = FaultyS3.Answer.error(status, code)
      answer.headers += headers
      write(answer, request, context)
    case .refuseAfter(let status, let code):
      _ = server.act(request)
      write(.error(status, code), request, context)
    case .cut(let count): write(server.act(request), request, context, cut: count)
    case .delay(let milliseconds):
      let loop = NIOLoopBound((self, context), eventLoop: context.eventLoop)
      context.eventLoop.scheduleTask(in: .milliseconds(Int64(milliseconds))) {
        let (handler, context) = loop.value
        handler.write(server.act(request), request, context)
      }
    case .silence: break
    case .body(let text): write(.init(status: .ok, body: Array(text.utf8)), request, context)
    case .wholeObject: write(server.act(request, wholeObject: true), request, context)
    case nil: write(server.act(request), request, context)
    }
  }

  private func write(
    _ answer: FaultyS3.Answer, _ request: FaultyS3.Request, _ context: ChannelHandlerContext, cut: Int? = nil
  ) {
    guard context.channel.isActive else { return }
    var headers = HTTPHeaders(answer.headers)
    headers.replaceOrAdd(name: "content-length", value: "\(answer.body.count)")
    context.write(wrapOutboundOut(.head(.init(version: .http1_1, status: answer.status, headers: headers))), promise: nil)
    if request.method != "HEAD" {
      let body = cut.map { Array(answer.body.prefix($0)) } ?? answer.body
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
    }
    if cut != nil {
      let loop = NIOLoopBound(context, eventLoop: context.eventLoop)
      context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer())))).whenComplete { _ in
        loop.value.close(promise: nil)
      }
    } else {
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
  }
}
