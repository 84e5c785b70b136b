// A nats-server of the benchmark's own: its port, its folder, ended with the benchmark.

import Bedrock
import Foundation
import Ingest
import Runtime

final class BrokerProcess {
  let url: String
  let version: String
  private let process = Process()

  init(binary: String, folder: String, port: Int) throws {
    let tell = Process()
    let pipe = Pipe()
    tell.executableURL = URL(fileURLWithPath: binary)
    tell.arguments = ["--version"]
    tell.standardOutput = pipe
    try tell.run()
    tell.waitUntilExit()
    version = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    url = "nats://127.0.0.1:\(port)"
    process.executableURL = URL(fileURLWithPath: binary)
    process.arguments = ["-js", "-sd", folder, "-a", "127.0.0.1", "-p", "\(port)"]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
  }

  /// A publisher, tried until the server listens.
  func publisher(_ options: IngestOptions) throws(Fault) -> EventPublisher {
    var tries = 0
    while true {
      do throws(Fault) { return try EventPublisher(broker: options.broker, stream: options.stream) } catch {
        tries += 1
        if tries > 100 { throw error }
        Pause.micros(50_000)
      }
    }
  }

  func stop() {
    process.terminate()
    process.waitUntilExit()
  }

  /// The first nats-server of the path, or Debian's.
  static func find() -> String? {
    let search = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
    return (search + ["/usr/sbin"]).map { "\($0)/nats-server" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }
}
