// A real S3 server for tests: moto's, in memory, in a process of its own (PyPI `moto[server]`).

import Foundation

package final class MotoServer: Sendable {
  package let port: Int
  private let child: ChildProcess
  private let folder: TemporaryFolder

  package var endpoint: String { "http://127.0.0.1:\(port)" }

  /// False when this machine's Python has no moto.
  package static let isInstalled: Bool = {
    // No Python at all is the same as a Python without moto.
    (try? ChildProcess.run("python3", [script, "check"]))?.status == 0
  }()

  /// The boto3 client beside the tests.
  package static var script: String { "\(checkout)/Tests/Support/s3_admin.py" }

  /// - Parameter openActions: requests that are answered to anybody; after them signatures are checked. Nil: never.
  package init(openActions: Int? = nil, bucket: String? = nil) throws {
    folder = try TemporaryFolder("moto")
    port = try freePort()
    var environment = ["MOTO_S3_DEFAULT_KEY_BUFFER_SIZE": "\(64 << 20)"]
    if let openActions { environment["INITIAL_NO_AUTH_ACTION_COUNT"] = "\(openActions)" }
    child = try ChildProcess(
      "python3", ["-m", "moto.server", "-H", "127.0.0.1", "-p", "\(port)"], environment: environment, folder: folder,
      name: "moto")
    let (child, port) = (child, port)
    try eventually("moto accepts connections") {
      if !child.isRunning { throw ProgramFailure(description: "moto ended: \(child.errorOutput)") }
      return accepts(port: port)
    }
    if let bucket { _ = try admin("bucket", bucket) }
  }

  deinit { child.kill9() }

  /// Runs a command of the boto3 client; gives what it printed.
  @discardableResult
  package func admin(
    _ command: String, _ arguments: String..., environment: [String: String] = [:]
  ) throws -> String {
    let result = try ChildProcess.run(
      "python3", [Self.script, command, endpoint] + arguments, environment: environment)
    guard result.status == 0 else { throw ProgramFailure(description: "s3_admin \(command): \(result.errorOutput)") }
    return result.output
  }
}
