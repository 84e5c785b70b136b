// A real nats-server for a test: its own port, its own folder, stopped by the test.

import Foundation

final class NATSServer {
  let port: Int
  let folder: URL
  private var process: Process?
  private let binary: String

  /// Every server installed here: Debian's, and a newer one where the path has it.
  static let binaries: [String] = {
    var found: [String] = []
    for path in ["/usr/sbin/nats-server", "/usr/bin/nats-server"] where FileManager.default.isExecutableFile(atPath: path) {
      found.append(path)
    }
    let search = ProcessInfo.processInfo.environment["PATH"] ?? ""
    for folder in search.split(separator: ":") {
      let path = "\(folder)/nats-server"
      if FileManager.default.isExecutableFile(atPath: path) && !found.contains(path) {
        found.append(path)
        break
      }
    }
    return found
  }()

  init(binary: String = NATSServer.binaries[0]) throws {
    self.binary = binary
    port = Self.freePort()
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("nats-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try start()
  }

  var url: String { "nats://127.0.0.1:\(port)" }

  func start() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: binary)
    process.arguments = ["-js", "-sd", folder.path, "-a", "127.0.0.1", "-p", "\(port)"]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    self.process = process
    try waitUntil("the server listens") { Self.canConnect(self.port) }
  }

  func kill() {
    guard let process else { return }
    Glibc.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    self.process = nil
  }

  /// Throws away everything that the server stored; only while it is down.
  func wipe() throws {
    try FileManager.default.removeItem(at: folder)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit {
    kill()
    try? FileManager.default.removeItem(at: folder)  // a leftover folder fails no test
  }

  private static func freePort() -> Int {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
        _ = bind(socket, raw, length)
        _ = getsockname(socket, raw, &length)
      }
    }
    return Int(UInt16(bigEndian: address.sin_port))
  }

  private static func canConnect(_ port: Int) -> Bool {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
    }
  }
}

struct TimedOut: Error, CustomStringConvertible {
  let description: String
}

/// Polls a condition for up to 120 s: long, because a loaded machine is no failure.
func waitUntil(_ what: String, _ condition: () throws -> Bool) throws {
  let end = Date().addingTimeInterval(120)
  while !(try condition()) {
    if Date() > end { throw TimedOut(description: "waited in vain until \(what)") }
    usleep(5_000)
  }
}
