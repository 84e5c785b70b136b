import Bedrock
import Foundation
import HTTPServer
import Logging
import Runtime
import Synchronization
import TestKit
import Testing

/// A catalog in memory with one table, `shop.order`.
struct OneTable: IcebergRestSource {
  var storage = IcebergRestStorage(prefix: "file:///lake")
  func namespaces() throws(Fault) -> [String] { ["crm", "shop"] }
  func tables(namespace: String) throws(Fault) -> [String]? {
    switch namespace {
    case "shop": ["order"]
    case "crm": []
    default: nil
    }
  }
  func load(namespace: String, table: String) throws(Fault) -> IcebergRestTable? {
    if table == "broken" { throw Fault.corrupt("a page does not decode") }
    guard namespace == "shop" && table == "order" else { return nil }
    return IcebergRestTable(uuid: "u", version: 7, metadataLocation: "file:///lake/v7.metadata.json") { onlyReferenced in
      Array((onlyReferenced ? #"{"snapshots":1}"# : #"{"snapshots":2}"#).utf8)
    }
  }
}

/// Runs blocking work on a thread of its own: the server's tasks need the few threads of Swift's pool.
func onThread(_ body: @escaping @Sendable () throws -> Void) async throws {
  try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
    _ = WorkerThread { continuation.resume(with: Result { try body() }) }
  }
}

/// A server on a port of its own, in a task, until the test is done.
func withServer(
  _ routes: [HTTPRoute], settings: HTTPServerSettings = HTTPServerSettings(),
  _ body: @escaping @Sendable (Int) throws -> Void
) async throws {
  var settings = settings
  settings.port = 0
  let server = HTTPServer(settings: settings, routes: routes, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  let running = Task { try await server.run() }
  let result: Result<Void, any Error>
  do {
    try await onThread {
      try eventually("the server listens", seconds: 60) { server.port != nil }
      try body(try #require(server.port))
    }
    result = .success(())
  } catch { result = .failure(error) }
  running.cancel()
  _ = await running.result
  try result.get()
}

struct Reply {
  let status: Int
  let headers: [String: String]
  let body: String
  var json: [String: Any] {
    (try? JSONSerialization.jsonObject(with: Data(body.utf8))) as? [String: Any] ?? [:]
  }
  var errorType: String { (json["error"] as? [String: Any])?["type"] as? String ?? "" }
}

/// One request by curl.
func request(_ port: Int, _ method: String, _ path: String, _ more: [String] = []) throws -> Reply {
  let verb = method == "HEAD" ? ["--head"] : ["-X", method]
  let result = try ChildProcess.run(
    "curl", ["-s", "-i", "--path-as-is", "-m", "20"] + verb + more + ["http://127.0.0.1:\(port)\(path)"])
  guard result.status == 0 else { throw ProgramEnd(text: "curl: \(result.status) \(result.errorOutput)") }
  var text = result.output.replacingOccurrences(of: "\r\n", with: "\n")
  if text.hasPrefix("HTTP/1.1 100"), let end = text.range(of: "\n\n") { text = String(text[end.upperBound...]) }
  let parts = text.split(separator: "\n\n", maxSplits: 1, omittingEmptySubsequences: false)
  let lines = parts[0].split(separator: "\n")
  var headers: [String: String] = [:]
  for line in lines.dropFirst() {
    let pair = line.split(separator: ":", maxSplits: 1)
    if pair.count == 2 { headers[pair[0].lowercased()] = pair[1].trimmingCharacters(in: .whitespaces) }
  }
  return Reply(
    status: Int(lines[0].split(separator: " ")[1]) ?? 0, headers: headers, body: parts.count > 1 ? String(parts[1]) : "")
}

struct ProgramEnd: Error {
  let text: String
}

@Suite("HTTP server", .serialized)
struct HTTPServerTests {
  @Test func routesMethodsAndErrors() async throws {
    let routes = [
      HTTPRoute("GET", "/echo/{a}/{b}") { call in
        .json(200, Array("\(call.parameter("a"))|\(call.parameter("b"))|\(call.query["q"] ?? "-")".utf8))
      },
      HTTPRoute("POST", "/length") { call in .json(200, Array("\(call.body.count)".utf8)) },
      HTTPRoute("GET", "/fails") { (_) throws(Fault) in throw Fault(.tooManyConnections, "later", kind: .tryLater) },
    ]
    var settings = HTTPServerSettings()
    settings.bodyBytesMax = 1_000
    try await withServer(routes + HealthRoutes.routes { nil }, settings: settings) { port in
      let echo = try request(port, "GET", "/echo/x%2Fy/%C3%A9?q=a+b%26c&r=1")
      #expect(echo.status == 200 && echo.body == "x/y|é|a b&c")
      #expect(echo.headers["content-type"] == "application/json")
      #expect(try request(port, "GET", "/echo/x/%zz").status == 404)
      #expect(try request(port, "GET", "/echo/x/y?q=%zz").status == 400)
      let missing = try request(port, "GET", "/nothing")
      #expect(missing.status == 404 && missing.errorType == "NotFoundException")
      let wrong = try request(port, "DELETE", "/length")
      #expect(wrong.status == 405 && wrong.headers["allow"] == "POST" && wrong.errorType == "MethodNotAllowedException")
      #expect(try request(port, "POST", "/length", ["-d", String(repeating: "x", count: 1_000)]).body == "1000")
      #expect(try request(port, "POST", "/length", ["-d", String(repeating: "x", count: 1_001)]).status == 413)
      #expect(try request(port, "GET", "/fails").errorType == "ServiceUnavailableException")
      #expect(try request(port, "GET", "/health/live").json["status"] as? String == "live")
      #expect(try request(port, "GET", "/health/ready").status == 200)
      #expect(try request(port, "HEAD", "/health/ready").status == 200)
      // Another name for loopback: a page in a browser could be behind it.
      #expect(try request(port, "GET", "/health/live", ["-H", "Host: evil.example"]).status == 403)
      #expect(try request(port, "GET", "/health/live", ["-H", "Host: localhost:1"]).status == 200)
      #expect(try request(port, "GET", "/health/live", ["-H", "Host: [::1]:80"]).status == 200)
    }
  }

  @Test func readinessTellsTheReason() async throws {
    let gate = ReadyGate()
    try await withServer(HealthRoutes.routes { gate.isReady ? nil : "still recovering" }) { port in
      let before = try request(port, "GET", "/health/ready")
      #expect(before.status == 503 && before.body.contains("still recovering"))
      gate.open()
      #expect(try request(port, "GET", "/health/ready").status == 200)
    }
  }

  @Test("a taken port is refused with the words of the configuration")
  func takenPort() async throws {
    try await withServer(HealthRoutes.routes { nil }) { port in
      let second = HTTPServer(
        settings: HTTPServerSettings(port: port), routes: [],
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      let box = Monitor<String?>(nil)
      Task {
        do {
          try await second.run()
          box.change { $0 = "it ran" }
        } catch { box.change { $0 = "\(error)" } }
      }
      let words = box.wait(timeoutMicros: 60_000_000) { $0 } ?? "nothing"
      #expect(words.contains("cannot listen on 127.0.0.1:\(port)"), "\(words)")
    }
  }
}

final class ReadyGate: Sendable {
  private let state = Mutex(false)
  var isReady: Bool { state.withLock { $0 } }
  func open() { state.withLock { $0 = true } }
}

@Suite("Iceberg REST catalog", .serialized)
struct IcebergRestTests {
  private let root = "/iceberg/v1"

  @Test func readsAnswerInTheWordsOfTheSpecification() async throws {
    try await withServer(IcebergRestRoutes(OneTable()).routes) { [root] port in
      let config = try request(port, "GET", "\(root)/config?warehouse=lake")
      #expect(config.json["overrides"] != nil && config.json["defaults"] != nil)
      #expect((config.json["endpoints"] as? [String])?.contains("GET /v1/{prefix}/namespaces") == true)
      let token = try request(port, "POST", "\(root)/oauth/tokens", ["-d", "grant_type=client_credentials"])
      #expect(token.json["token_type"] as? String == "bearer")
      #expect(try request(port, "GET", "\(root)/namespaces").json["namespaces"] as? [[String]] == [["crm"], ["shop"]])
      #expect(try request(port, "GET", "\(root)/namespaces?parent=shop").json["namespaces"] as? [[String]] == [])
      let orphan = try request(port, "GET", "\(root)/namespaces?parent=none")
      #expect(orphan.status == 404 && orphan.errorType == "NoSuchNamespaceException")
      #expect(try request(port, "GET", "\(root)/namespaces/shop").json["namespace"] as? [String] == ["shop"])
      #expect(try request(port, "HEAD", "\(root)/namespaces/shop").status == 204)
      #expect(try request(port, "HEAD", "\(root)/namespaces/none").status == 404)
      let tables = try request(port, "GET", "\(root)/namespaces/shop/tables")
      #expect((tables.json["identifiers"] as? [[String: Any]])?.first?["name"] as? String == "order")
      #expect(try request(port, "GET", "\(root)/namespaces/none/tables").errorType == "NoSuchNamespaceException")
      #expect(try request(port, "GET", "\(root)/namespaces/shop/views").json["identifiers"] as? [String] == [])
      #expect(try request(port, "HEAD", "\(root)/namespaces/shop/tables/order").status == 204)
      #expect(try request(port, "HEAD", "\(root)/namespaces/shop/tables/none").status == 404)
      #expect(try request(port, "POST", "\(root)/namespaces/shop/tables/order/metrics", ["-d", "{}"]).status == 204)
      #expect(try request(port, "GET", "\(root)/namespaces/shop/tables/none").errorType == "NoSuchTableException")
      #expect(try request(port, "GET", "\(root)/namespaces/shop/tables/broken").status == 500)
    }
  }

  @Test func aTableComesWithItsTag() async throws {
    try await withServer(IcebergRestRoutes(OneTable()).routes) { [root] port in
      let path = "\(root)/namespaces/shop/tables/order"
      let table = try request(port, "GET", path, ["-H", "X-Iceberg-Access-Delegation: vended-credentials"])
      #expect(table.status == 200 && table.json["metadata-location"] as? String == "file:///lake/v7.metadata.json")
      #expect((table.json["metadata"] as? [String: Int])?["snapshots"] == 2)
      #expect(table.json["storage-credentials"] == nil)
      let tag = try #require(table.headers["etag"])
      let same = try request(port, "GET", path, ["-H", "If-None-Match: \(tag)"])
      #expect(same.status == 304 && same.body.isEmpty)
      let short = try request(port, "GET", "\(path)?snapshots=refs", ["-H", "If-None-Match: \(tag)"])
      #expect((short.json["metadata"] as? [String: Int])?["snapshots"] == 1)
      #expect((try request(port, "GET", "\(path)/credentials").json["storage-credentials"] as? [Any])?.isEmpty == true)
    }
  }

  @Test func credentialsAreLentOnlyWhenConfigured() async throws {
    let storage = IcebergRestStorage(
      prefix: "s3://lake/", properties: ["s3.endpoint": "http://127.0.0.1:9"], credentials: ["s3.access-key-id": "K"])
    try await withServer(IcebergRestRoutes(OneTable(storage: storage)).routes) { [root] port in
      let table = try request(port, "GET", "\(root)/namespaces/shop/tables/order")
      #expect(table.json["config"] as? [String: String] == ["s3.endpoint": "http://127.0.0.1:9", "s3.access-key-id": "K"])
      let lent = try request(port, "GET", "\(root)/namespaces/shop/tables/order/credentials")
      let one = (lent.json["storage-credentials"] as? [[String: Any]])?.first
      #expect(one?["prefix"] as? String == "s3://lake/")
      #expect((one?["config"] as? [String: String])?["s3.access-key-id"] == "K")
    }
  }

  @Test("everything that writes is refused, and the refusal says why", arguments: [
    ("POST", "/namespaces"), ("DELETE", "/namespaces/shop"), ("POST", "/namespaces/shop/properties"),
    ("POST", "/namespaces/shop/tables"), ("POST", "/namespaces/shop/register"), ("POST", "/namespaces/shop/tables/order"),
    ("DELETE", "/namespaces/shop/tables/order"), ("POST", "/namespaces/shop/tables/order/plan"),
    ("POST", "/tables/rename"), ("POST", "/transactions/commit"), ("POST", "/namespaces/shop/views"),
  ])
  func writes(_ method: String, _ path: String) async throws {
    try await withServer(IcebergRestRoutes(OneTable()).routes) { [root] port in
      let reply = try request(port, method, root + path, ["-d", "{}"])
      #expect(reply.status == 406 && reply.errorType == "UnsupportedOperationException")
      #expect(reply.body.contains("read-only"))
    }
  }
}
