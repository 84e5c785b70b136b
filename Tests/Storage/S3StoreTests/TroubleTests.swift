// What the store does when the network or the server misbehaves: nothing is lost, doubled or believed wrongly.

import Bedrock
import Foundation
import NIOHTTP1
import ObjectStore
import Runtime
import Synchronization
import TestKit
import Testing

@testable import S3Store

func path(_ text: String) throws -> ObjectPath { try ObjectPath(text) }

func store(_ endpoint: String, _ change: (inout S3Options) throws -> Void = { _ in }) throws -> S3ObjectStore {
  var options = S3Options(
    bucket: "bucket", credentials: .fixed(try S3Credentials(keyID: "key", secret: "secret")))
  options.endpoint = endpoint
  options.backoffMicrosMin = 1_000
  options.backoffMicrosMax = 10_000
  options.seed = 1
  try change(&options)
  return try S3ObjectStore(options, clock: .system)
}

func bytes(_ count: Int, seed: UInt64 = 7) -> [UInt8] {
  var generator = SeededGenerator(seed: seed)
  var out: [UInt8] = []
  out.reserveCapacity(count + 8)
  while out.count < count { withUnsafeBytes(of: generator.next()) { out += $0 } }
  return Array(out.prefix(count))
}

extension S3ObjectStore {
  func read(_ path: ObjectPath, _ range: Range<Int>) throws -> [UInt8] {
    var out = [UInt8](repeating: 0, count: range.count)
    try out.withUnsafeMutableBytes { try read(path, at: Int64(range.lowerBound), into: $0) }
    return out
  }
}

@Suite("An object store in trouble")
struct TroubleTests {
  @Test("answers that can be repeated are: 500, 503, 429, closed connections, before and after acting")
  func repeated() throws {
    let troubles: [FaultyS3.Trouble] = [
      .refuse(500, "InternalError"), .refuse(503, "SlowDown"), .refuse(429, ""), .closeBefore, .closeAfter,
      .refuseAfter(500, "InternalError"), .refuse(409, "OperationAborted"), .cut(3),
    ]
    let server = try FaultyS3()
    let store = try store(server.endpoint)
    let body = bytes(3_000)
    for (index, trouble) in troubles.enumerated() {
      // Each kind of request meets the trouble twice, then none.
      let count = Mutex<[String: Int]>([:])
      server.set { request, _ in
        count.withLock { $0[request.method + (request.query["list-type"] ?? ""), default: 0] += 1
          return $0[request.method + (request.query["list-type"] ?? "")] ?? 0 } <= 2 ? trouble : nil
      }
      let name = try path("t\(index)/a")
      try store.put(name, body)
      #expect(try store.get(name, bytesMax: 10_000) == body, "\(trouble)")
      #expect(try store.size(name) == 3_000, "\(trouble)")
      #expect(try store.list(path("t\(index)"), startAfter: nil, limit: 10).map(\.size) == [3_000], "\(trouble)")
      try store.delete(name)
      #expect(server.object("t\(index)/a") == nil, "\(trouble)")
    }
  }

  @Test("a conditional write whose answer is lost is known by its token, whoever wins the name")
  func ambiguous() throws {
    let server = try FaultyS3()
    let store = try store(server.endpoint)
    // Written, then the connection is lost: the second try is told "taken", and it was us.
    for (index, trouble) in [FaultyS3.Trouble.closeAfter, .refuseAfter(500, "InternalError"), .refuseAfter(503, "SlowDown")]
      .enumerated()
    {
      let isFirst = Mutex(true)
      server.set { request, _ in
        request.method == "PUT" && isFirst.withLock { let was = $0; $0 = false; return was } ? trouble : nil
      }
      #expect(try store.putIfAbsent(path("log/\(index)"), [1, 2]) == true)
      #expect(server.object("log/\(index)") == [1, 2])
      #expect(try store.putIfAbsent(path("log/\(index)"), [3]) == false)
      #expect(server.object("log/\(index)") == [1, 2])
    }
    // Somebody else takes the name while our first try is lost before it acts.
    let isFirst = Mutex(true)
    server.set { [server] request, _ in
      guard request.method == "PUT", isFirst.withLock({ let was = $0; $0 = false; return was }) else { return nil }
      server.state.withLock { $0.objects["log/9"] = .init(body: [9], token: nil, tag: "\"x\"") }
      return .closeBefore
    }
    #expect(try store.putIfAbsent(path("log/9"), [1, 2]) == false)
    #expect(server.object("log/9") == [9])
  }

  @Test("when no try of a conditional write is answered, reading back decides; when that fails too, it throws")
  func unknown() throws {
    let server = try FaultyS3()
    let store = try store(server.endpoint)
    server.set { request, _ in request.method == "PUT" ? .closeAfter : nil }
    #expect(try store.putIfAbsent(path("a"), [1]) == true)
    server.set { request, _ in request.method == "PUT" ? .closeBefore : nil }
    #expect(try store.putIfAbsent(path("a"), [2]) == false, "the name is another write's")
    let absent = #expect(throws: Fault.self) { try store.putIfAbsent(path("b"), [1]) }
    #expect(absent?.kind == .tryLater && absent?.detail?.contains("unknown") == true, "\(String(describing: absent))")
    server.set { _, _ in .closeBefore }
    let unreachable = #expect(throws: Fault.self) { try store.putIfAbsent(path("c"), [1]) }
    #expect(unreachable?.kind == .tryLater && unreachable?.state == .ioError)
    #expect(server.object("c") == nil)
  }

  @Test("many writers, every fourth answer lost: each name has one winner, and its bytes")
  func race() throws {
    let server = try FaultyS3 { request, number in
      switch number % 11 {
      case 1: .closeAfter
      case 4: .closeBefore
      case 8: .refuseAfter(500, "InternalError")
      default: nil
      }
    }
    let stores = [try store(server.endpoint), try store(server.endpoint) { $0.seed = 2 }]
    let wins = Mutex<[Int: [UInt8]]>([:])
    let failures = Mutex<[Fault]>([])
    let threads = (0..<8).map { (thread: Int) in
      WorkerThread {
        for name in 0..<30 {
          do throws(Fault) {
            if try stores[thread % 2].putIfAbsent(ObjectPath("r/\(name)"), [UInt8(thread)]) {
              wins.withLock { $0[name, default: []].append(UInt8(thread)) }
            }
          } catch { failures.withLock { $0.append(error) } }
        }
      }
    }
    for thread in threads { thread.join() }
    #expect(failures.withLock { $0.map(\.description) } == [])
    for name in 0..<30 { #expect(wins.withLock { $0[name] } == server.object("r/\(name)")) }
  }

  @Test("a broken read continues where it broke; a replaced object is read again from its start")
  func brokenReads() throws {
    let server = try FaultyS3()
    let store = try store(server.endpoint) { $0.rangeBytes = 100_000 }
    let body = bytes(1_000_000)
    try store.put(path("a"), body)
    server.set { request, number in request.method == "GET" && number % 2 == 1 ? .cut(30_000) : nil }
    #expect(try store.read(path("a"), 0..<1_000_000) == body)
    #expect(try store.read(path("a"), 333..<900_001) == Array(body[333..<900_001]))
    let resumed = server.requests.compactMap { $0.headers.first(name: "range") }
    #expect(resumed.contains { $0.hasPrefix("bytes=130000-") || $0.hasPrefix("bytes=30000-") }, "\(resumed.prefix(20))")

    let other = bytes(50_000, seed: 8)
    try store.put(path("b"), Array(body[..<50_000]))
    let isFirst = Mutex(true)
    server.set { [server] request, _ in
      guard request.method == "GET" else { return nil }
      if isFirst.withLock({ let was = $0; $0 = false; return was }) { return .cut(20_000) }
      server.state.withLock { $0.objects["b"] = .init(body: other, token: nil, tag: "\"new\"") }
      return nil
    }
    #expect(try store.read(path("b"), 0..<50_000) == other, "never a mixture of two")
  }

  @Test("several ranges of one call, and ranges that are not there")
  func ranges() throws {
    let server = try FaultyS3()
    let store = try store(server.endpoint) { $0.rangeBytes = 65_536 }
    let body = bytes(500_000)
    try store.put(path("a"), body)
    var first = [UInt8](repeating: 0, count: 300_000), second = [UInt8](repeating: 0, count: 10), none: [UInt8] = []
    try first.withUnsafeMutableBytes { first in
      try second.withUnsafeMutableBytes { second in
        try none.withUnsafeMutableBytes { none in
          try store.read(
            path("a"),
            [.init(offset: 200_000, target: first), .init(offset: 7, target: second), .init(offset: 0, target: none)])
        }
      }
    }
    #expect(first == Array(body[200_000...]) && second == Array(body[7..<17]))
    let long = #expect(throws: Fault.self) { try store.read(path("a"), 499_999..<500_001) }
    #expect(long?.kind == .corrupt && long?.state == .dataCorrupted)
    let behind = #expect(throws: Fault.self) { try store.read(path("a"), 500_000..<500_001) }
    #expect(behind?.kind == .corrupt)
    let gone = #expect(throws: Fault.self) { try store.read(path("b"), 0..<1) }
    #expect(gone?.kind == .gone && gone?.state == .undefinedFile)
    #expect(throws: Fault.self) { try store.read(path("b"), 0..<0) }
    server.set { request, _ in request.method == "GET" ? .wholeObject : nil }
    let unranged = #expect(throws: Fault.self) { try store.read(path("a"), 10..<20) }
    #expect(unranged?.message.contains("ranges") == true, "\(String(describing: unranged))")
    let whole = try S3StoreTests.store(server.endpoint)
    #expect(try whole.read(path("a"), 0..<500_000) == body, "the whole object is what was asked for")
  }

  @Test("time-outs: silence and slowness end within the bound of the call")
  func timeouts() throws {
    let server = try FaultyS3 { _, _ in .silence }
    let store = try store(server.endpoint) {
      $0.attemptMicrosMax = 100_000
      $0.callMicrosMax = 500_000
    }
    let start = Clock.system.monotonicNanos()
    let fault = #expect(throws: Fault.self) { try store.size(path("a")) }
    let seconds = Double(Clock.system.monotonicNanos() - start) / 1e9
    #expect(fault?.state == .ioError && fault?.kind == .tryLater && seconds < 5, "\(seconds) s")
    #expect(server.requests.count >= 2)
    // Slow, but not too slow; and too slow once, then as usual.
    let isFirst = Mutex(true)
    server.set { _, _ in .delay(isFirst.withLock { let was = $0; $0 = false; return was } ? 2_000 : 30) }
    try store.put(path("a"), [1])
    #expect(try store.get(path("a"), bytesMax: 1) == [1])
  }

  @Test("nobody listens: a fault that says so, and no endless wait")
  func nobody() throws {
    let port = try freePort()
    let store = try store("http://127.0.0.1:\(port)")
    let fault = #expect(throws: Fault.self) { try store.size(path("a")) }
    #expect(fault?.message == "could not examine \"a\": connection refused", "\(String(describing: fault))")
    let unknown = try self.unknownHost()
    #expect(unknown.kind == .tryLater)
  }

  private func unknownHost() throws -> Fault {
    let store = try store("http://no-such-host.invalid") { $0.callMicrosMax = 200_000 }
    return try #require(#expect(throws: Fault.self) { try store.size(path("a")) })
  }

  @Test("refusals become faults with their SQLSTATE, a hint and the request's number")
  func refusals() throws {
    let server = try FaultyS3()
    let store = try store(server.endpoint)
    let expected: [(Int, String, SQLState, String)] = [
      (403, "AccessDenied", .insufficientPrivilege, "s3:GetObject"),
      (403, "SignatureDoesNotMatch", .insufficientPrivilege, "secret key"),
      (400, "ExpiredToken", .insufficientPrivilege, "token"),
      (404, "NoSuchBucket", .undefinedFile, "lake.s3.bucket"),
      (301, "PermanentRedirect", .invalidParameterValue, "eu-west-7"),
      (400, "AuthorizationHeaderMalformed", .invalidParameterValue, "eu-west-7"),
      (403, "QuotaExceeded", .diskFull, "space"), (501, "NotImplemented", .featureNotSupported, "S3"),
      (400, "InvalidRequest", .ioError, ""), (404, "", .ioError, "lake.s3.endpoint"),
    ]
    for (status, code, state, hint) in expected {
      server.set { _, _ in .refuse(status, code, headers: [("x-amz-bucket-region", "eu-west-7")]) }
      let fault = try #require(#expect(throws: Fault.self) { try store.get(path("a/b"), bytesMax: 10) })
      #expect(fault.state == state, "\(fault)")
      #expect(fault.message.hasPrefix("could not read \"a/b\": \(code.isEmpty ? "status" : code)"), "\(fault)")
      #expect(fault.detail == "Status \(status), request R1." && (hint.isEmpty || (fault.hint ?? "").contains(hint)), "\(fault)")
    }
    server.set { _, _ in .refuse(503, "SlowDown") }
    let busy = #expect(throws: Fault.self) { try store.get(path("a"), bytesMax: 10) }
    #expect(busy?.state == .ioError && busy?.kind == .tryLater)
    server.set { _, _ in .body("<html>a proxy's page</html>") }
    #expect(throws: Fault.self) { try store.list(path("a"), startAfter: nil, limit: 1) }
  }

  @Test("a wrong clock is noticed and corrected by the store's time")
  func clock() throws {
    let server = try FaultyS3()
    server.state.withLock { $0.clockOffsetMicros = 7_200_000_000 }
    let store = try store(server.endpoint)
    try store.put(path("a"), [1])
    #expect(server.object("a") == [1])
    #expect(server.requests.count == 2)
    try store.put(path("b"), [1])
    #expect(server.requests.count == 3, "the correction is kept")
  }

  @Test("credentials in a file are read again when they are refused; secrets are in no fault")
  func rotation() throws {
    let folder = try TemporaryFolder("keys")
    let file = folder.file("credentials")
    func write(_ key: String, _ secret: String) throws {
      try "[default]\naws_access_key_id = \(key)\naws_secret_access_key = \(secret)\n"
        .write(toFile: file, atomically: true, encoding: .utf8)
    }
    try write("key", "secret")
    let server = try FaultyS3()
    let store = try store(server.endpoint) { $0.credentials = .file(path: file, profile: "default") }
    try store.put(path("a"), [1])
    server.state.withLock { $0.secrets = ["nextkey": "nextsecret"] }
    let refused = try #require(#expect(throws: Fault.self) { try store.put(path("a"), [2]) })
    #expect(refused.state == .insufficientPrivilege)
    try write("nextkey", "nextsecret")
    try store.put(path("a"), [3])
    #expect(server.object("a") == [3])
    try write("nextkey", "othersecret")
    server.state.withLock { $0.secrets = ["nextkey": "thirdsecret"] }
    let wrong = try #require(#expect(throws: Fault.self) { try store.put(path("a"), [4]) })
    #expect(!"\(refused) \(wrong)".contains("secret\"") && !"\(wrong)".contains("othersecret"), "\(wrong)")
  }

  @Test("multipart: parts side by side within the bound, in order whatever fails, aborted when dropped")
  func multipart() throws {
    let part = S3Options.partBytesMin
    let body = bytes(part * 4 + 1_234)
    let server = try FaultyS3()
    let store = try store(server.endpoint) {
      $0.partBytes = part
      $0.partsInFlightMax = 2
    }
    let troubles: [FaultyS3.Trouble] = [.closeBefore, .closeAfter, .refuse(503, "SlowDown"), .refuseAfter(500, "InternalError")]
    for (index, trouble) in troubles.enumerated() {
      let seen = Mutex<Set<String>>([])
      server.set { request, _ in
        let name = "\(request.method) \(request.query["partNumber"] ?? "") \(request.query["uploads"] ?? "-")"
        return seen.withLock { $0.insert(name).inserted } ? trouble : nil
      }
      let name = try path("m/\(index)")
      let writer = try store.writer(name)
      for start in stride(from: 0, to: body.count, by: 777_777) {
        try writer.append(Array(body[start..<min(body.count, start + 777_777)]))
      }
      #expect(writer.byteCount == Int64(body.count))
      #expect(server.object("m/\(index)") == nil, "nothing is visible before it is published")
      try writer.publish()
      #expect(server.object("m/\(index)") == body, "\(trouble)")
    }
    server.set { _, _ in nil }
    do {
      let dropped = try store.writer(path("m/x"))
      try dropped.append(body)
    }
    let abandoned = try store.writer(path("m/y"))
    try abandoned.append(Array(body[..<100]))
    abandoned.abandon()
    // Two more may be left by creations whose answer was lost; none of the parts that we know of.
    #expect(server.state.withLock { $0.uploads.values.allSatisfy { $0.parts.isEmpty } })
    #expect(server.object("m/x") == nil && server.object("m/y") == nil)
    let small = try store.writer(path("m/z"))
    try small.append([1, 2, 3])
    try small.publish()
    #expect(server.object("m/z") == [1, 2, 3])
  }

  @Test("an upload that completes with an error in its body is no success")
  func errorInBody() throws {
    let server = try FaultyS3()
    let store = try store(server.endpoint) { $0.partBytes = S3Options.partBytesMin }
    let body = bytes(S3Options.partBytesMin + 1)
    let isFirst = Mutex(true)
    server.set { request, _ in
      guard request.query["uploadId"] != nil, request.method == "POST" else { return nil }
      return isFirst.withLock { let was = $0; $0 = false; return was }
        ? .body("<Error><Code>InternalError</Code></Error>") : nil
    }
    let writer = try store.writer(path("a"))
    try writer.append(body)
    try writer.publish()
    #expect(server.object("a") == body)
    server.set { request, _ in
      request.query["uploadId"] != nil && request.method == "POST" ? .body("<Error><Code>InvalidPart</Code></Error>") : nil
    }
    let second = try store.writer(path("b"))
    try second.append(body)
    #expect(throws: Fault.self) { try second.publish() }
    #expect(server.object("b") == nil)
  }

  @Test("listings go on over pages, start after a name, and hold direct children only")
  func listings() throws {
    let server = try FaultyS3()
    let store = try store(server.endpoint) { $0.prefix = "some/where" }
    server.state.withLock { state in
      for number in 0..<2_500 {
        state.objects["some/where/l/" + String(10_000 + number)] = .init(body: [1], token: nil, tag: "\"t\"")
      }
      for key in ["some/where/l/sub/x", "some/where/l/ü b+c", "some/where/m", "some/where/l/a\\b"] {
        state.objects[key] = .init(body: [1, 2], token: nil, tag: "\"t\"")
      }
    }
    let all = try store.list(path("l"), startAfter: nil, limit: 10_000).map(\.path.name)
    #expect(all == (0..<2_500).map { String(10_000 + $0) } + ["ü b+c"])
    #expect(try store.list(path("l"), startAfter: "12497", limit: 10).map(\.path.name) == ["12498", "12499", "ü b+c"])
    #expect(try store.list(path("l"), startAfter: "10000", limit: 1_500).count == 1_500)
    #expect(try store.get(path("l/ü b+c"), bytesMax: 10) == [1, 2])
    try store.delete(all.map { try ObjectPath("l/\($0)") })
    #expect(try store.list(path("l"), startAfter: nil, limit: 10).isEmpty)
    server.state.withLock { $0.objects["some/where/l/locked"] = .init(body: [], token: nil, tag: "\"t\"") }
    let locked = #expect(throws: Fault.self) { try store.delete([path("l/locked"), path("l/other")]) }
    #expect(locked?.state == .insufficientPrivilege)
  }

  @Test("an object longer than wanted is refused before it is taken into memory")
  func tooLong() throws {
    let server = try FaultyS3()
    let store = try store(server.endpoint)
    try store.put(path("a"), bytes(200_000))
    let fault = #expect(throws: Fault.self) { try store.get(path("a"), bytesMax: 199_999) }
    #expect(fault?.state == .programLimitExceeded && fault?.kind == .corrupt)
    #expect(try store.get(path("a"), bytesMax: 200_000)?.count == 200_000)
  }

  @Test("the probe passes an honest store, and refuses one that ignores the condition")
  func probe() throws {
    let server = try FaultyS3()
    let store = try store(server.endpoint)
    try ObjectStoreProbe.run(store, called: store.description)
    #expect(server.state.withLock { $0.objects.isEmpty }, "it leaves nothing behind")
    server.state.withLock { $0.isAtomic = false }
    let fault = try #require(
      #expect(throws: Fault.self) { try ObjectStoreProbe.run(store, called: store.description) })
    #expect(fault.state == .featureNotSupported && fault.message.contains("overwrites"), "\(fault)")
    #expect(fault.message.contains("s3://bucket at http://127.0.0.1") && fault.hint?.contains("If-None-Match") == true)
    server.state.withLock { $0.isAtomic = true }
    server.set { request, _ in request.headers.contains(name: "if-none-match") ? .refuse(501, "NotImplemented") : nil }
    let unknown = #expect(throws: Fault.self) { try ObjectStoreProbe.run(store, called: "it") }
    #expect(unknown?.state == .featureNotSupported)
  }
}
