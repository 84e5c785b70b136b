// The built `cramped` program as a test runs it.

import Foundation

package final class CrampedServer: @unchecked Sendable {
  // unchecked because one test owns it.
  private let folder: TemporaryFolder
  private var child: ChildProcess
  private let environment: [String: String]
  package let port: Int
  package let httpPort: Int

  /// The program in the build folder that this test runs from.
  package static var program: String {
    // .build/debug/crampedPackageTests.xctest is the running executable; the products lie beside it.
    let own = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    let beside = own.appendingPathComponent("cramped").path
    if FileManager.default.isExecutableFile(atPath: beside) { return beside }
    for configuration in ["debug", "release"] {
      let path = "\(checkout)/.build/\(configuration)/cramped"
      if FileManager.default.isExecutableFile(atPath: path) { return path }
    }
    return beside
  }

  /// Starts the server and waits until it accepts connections.
  package init(
    folder: TemporaryFolder, natsURL: String?, settings: [String: String] = [:], waits: Bool = true
  ) throws {
    self.folder = folder
    port = try freePort()
    httpPort = try freePort()
    var environment = [
      "CRAMPED_SERVER_DATA": folder.file("data"), "CRAMPED_POSTGRES_PORT": "\(port)",
      "CRAMPED_NATS_ENABLED": natsURL == nil ? "false" : "true", "CRAMPED_SERVER_LOG_LEVEL": "info",
      "CRAMPED_HTTP_PORT": "\(httpPort)",
    ]
    if let natsURL { environment["CRAMPED_NATS_URL"] = natsURL }
    self.environment = environment.merging(settings) { _, new in new }
    child = try ChildProcess(Self.program, ["serve"], environment: self.environment, folder: folder, name: "cramped")
    if waits { try waitUntilReady() }
  }

  package func waitUntilReady() throws {
    try eventually("cramped accepts connections", seconds: 60) {
      if !child.isRunning { throw ProgramFailure(description: "cramped ended: \(log)") }
      return accepts(port: port)
    }
  }

  package var isRunning: Bool { child.isRunning }
  /// Everything the server has logged.
  package var log: String { child.errorOutput + child.output }

  package func kill9() { child.kill9() }
  @discardableResult
  package func stop() -> Int32 { child.stop() }
  package func wait() -> Int32 { child.wait() }

  /// Starts again over the same data, with further settings.
  package func restart(settings: [String: String] = [:], waits: Bool = true) throws {
    if child.isRunning { child.stop() }
    child = try ChildProcess(
      Self.program, ["serve"], environment: environment.merging(settings) { _, new in new }, folder: folder,
      name: "cramped")
    if waits { try waitUntilReady() }
  }

  package func psqlArguments(_ more: [String]) -> [String] {
    ["-X", "-q", "-h", "127.0.0.1", "-p", "\(port)", "-U", "cramped", "-d", "cramped", "-v", "ON_ERROR_STOP=1"] + more
  }

  /// Unaligned rows of a statement by psql; throws with psql's words when it fails.
  package func query(_ sql: String) throws -> String {
    let result = try psql(["-At", "-c", sql])
    guard result.status == 0 else {
      // A server that has just died may take a moment to be seen as ended.
      let end = accepts(port: port) ? "" : "\nthe server's log has\n\(lastWords)"
      throw ProgramFailure(description: "psql: \(result.errorOutput)\(end)")
    }
    return result.output
  }

  /// What a crashed server left in its log: the part that names the crash, else the end.
  private var lastWords: String {
    let log = self.log
    guard let crash = log.range(of: "crashed:\n") else { return String(log.suffix(2_000)) }
    let sentence = log.split(separator: "\n").first { $0.contains("Fatal error") } ?? ""
    return sentence + "\n" + String(log[crash.upperBound...].prefix(4_000))
  }

  package func psql(_ more: [String]) throws -> ChildProcess.Result {
    try ChildProcess.run("psql", psqlArguments(more), environment: ["PGCONNECT_TIMEOUT": "10"])
  }

  /// Another command of the program, such as `publish`.
  package func command(_ arguments: [String]) throws -> ChildProcess.Result {
    try ChildProcess.run(Self.program, arguments, environment: environment)
  }
}
