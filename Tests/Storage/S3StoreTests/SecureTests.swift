// TLS to the store: which authorities are trusted, and what is said when one is not.

import Bedrock
import Foundation
import Logging
import ObjectStore
import Runtime
import Synchronization
import TestKit
import Testing

@testable import S3Store

/// An authority of our own, and what it has signed, made by openssl for one test.
struct TestAuthority {
  private let folder: TemporaryFolder
  static let isPossible = (try? ChildProcess.run("openssl", ["version"]))?.status == 0  // no openssl: the tests are skipped

  var certificate: String { folder.file("ca.pem") }

  init() throws {
    folder = try TemporaryFolder("authority")
    try run(
      "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder.file("ca.key"), "-out", certificate, "-subj",
      "/CN=An authority of this test", "-days", "2")
  }

  private func run(_ arguments: String...) throws {
    let result = try ChildProcess.run("openssl", arguments)
    guard result.status == 0 else { throw Fault.bug("openssl: \(result.errorOutput)") }
  }

  /// A certificate for a name such as `IP:127.0.0.1`, and its key.
  func identity(for name: String) throws -> FaultyS3.Identity {
    let (request, key, signed) = (folder.file("s.csr"), folder.file("s.key"), folder.file("s.pem"))
    try run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=server")
    try Data("subjectAltName=\(name)\n".utf8).write(to: URL(fileURLWithPath: folder.file("s.ext")))
    try run(
      "x509", "-req", "-in", request, "-CA", certificate, "-CAkey", folder.file("ca.key"), "-CAcreateserial", "-out",
      signed, "-days", "2", "-extfile", folder.file("s.ext"))
    return FaultyS3.Identity(certificate: signed, key: key)
  }
}

/// Keeps the messages of a logger.
final class KeptLog: Sendable {
  private let kept = Mutex<[String]>([])
  var messages: [String] { kept.withLock { $0 } }

  private struct Handler: LogHandler {
    let log: KeptLog
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }
    func log(event: LogEvent) { log.kept.withLock { $0.append("\(event.level): \(event.message)") } }
  }

  var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }
}

@Suite("TLS to an object store", .enabled(if: TestAuthority.isPossible, "there is no openssl"))
struct SecureTests {
  private func connect(
    _ server: FaultyS3, _ log: KeptLog = KeptLog(), _ change: (inout S3Options) -> Void
  ) throws(Fault) -> S3ObjectStore {
    var options = S3Options(bucket: "bucket", credentials: .fixed(try S3Credentials(keyID: "key", secret: "secret")))
    options.endpoint = server.endpoint
    change(&options)
    return try S3ObjectStore(options, clock: .system, log: log.logger)
  }

  private func refusal(_ store: S3ObjectStore) -> Fault? {
    do throws(Fault) {
      try store.put(ObjectPath(literal: "a"), [1])
      return nil
    } catch { return error }
  }

  @Test("the authority of the store's certificate must be trusted: our own file is taken, others are refused at once")
  func authorities() throws {
    let authority = try TestAuthority()
    let server = try FaultyS3(identity: try authority.identity(for: "IP:127.0.0.1"))
    let log = KeptLog()
    let store = try connect(server, log) { $0.caFile = authority.certificate }
    try store.put(ObjectPath(literal: "a"), [1, 2])
    #expect(try store.get(ObjectPath(literal: "a"), bytesMax: 10) == [1, 2])
    #expect(!log.messages.contains { $0.contains("verified") })

    let before = server.requests.count
    let other = try TestAuthority()
    for file in ["", other.certificate] {
      let began = Clock.system.monotonicNanos()
      let fault = try #require(refusal(try connect(server) { $0.caFile = file }))
      #expect(fault.message.contains("certificate is not signed by an authority that is trusted"), "\(fault)")
      #expect(fault.hint?.contains("lake.s3.ca_file") == true)
      #expect(Clock.system.monotonicNanos() - began < 5_000_000_000, "it is not tried again")
    }
    #expect(server.requests.count == before, "nothing was sent to a store that is not trusted")
  }

  @Test("a certificate for another name is refused")
  func names() throws {
    let authority = try TestAuthority()
    let server = try FaultyS3(identity: try authority.identity(for: "DNS:elsewhere.example"))
    let fault = try #require(refusal(try connect(server) { $0.caFile = authority.certificate }))
    #expect(fault.message.contains("certificate"), "\(fault)")
    #expect(server.requests.isEmpty)
  }

  @Test("without verification any certificate does, and the log says so")
  func unverified() throws {
    let authority = try TestAuthority()
    let server = try FaultyS3(identity: try authority.identity(for: "DNS:elsewhere.example"))
    let log = KeptLog()
    let store = try connect(server, log) { $0.verifiesCertificate = false }
    try store.put(ObjectPath(literal: "a"), [1])
    #expect(!authority.certificate.isEmpty)
    #expect(log.messages.contains { $0.hasPrefix("warning") && $0.contains("not verified") }, "\(log.messages)")
  }

  @Test("settings that cannot hold are refused at start")
  func settings() throws {
    let authority = try TestAuthority()
    let plain = try FaultyS3()
    func fault(_ change: (inout S3Options) -> Void) -> Fault? {
      do throws(Fault) {
        _ = try connect(plain, KeptLog(), change)
        return nil
      } catch { return error }
    }
    #expect(fault { $0.caFile = authority.certificate }?.state == .configFileError, "there is no TLS to http://")
    #expect(fault { $0.verifiesCertificate = false }?.state == .configFileError)
    for file in ["/no/such/file", "/etc/hostname"] {
      let refused = fault {
        $0.endpoint = "https://127.0.0.1"
        $0.caFile = file
      }
      #expect(refused?.state == .configFileError && refused?.message.contains(file) == true)
    }
    let silent = try connect(plain) { $0.endpoint = plain.endpoint.replacingOccurrences(of: "http:", with: "https:") }
    #expect(refusal(silent)?.message.contains("TLS") == true)
  }
}
