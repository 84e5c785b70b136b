// A real nats-server with JetStream in a folder of the test's own.

import Foundation

package final class NATSServer: @unchecked Sendable {
  // unchecked because one test owns it.
  package let port: Int
  private let folder: TemporaryFolder
  private var child: ChildProcess
  private let program: String
  private let configuration: String

  package var url: String { "nats://127.0.0.1:\(port)" }

  package init(folder: TemporaryFolder, program: String = "nats-server") throws {
    self.folder = folder
    self.program = program
    port = try freePort()
    configuration = folder.file("nats.conf")
    try """
    listen: 127.0.0.1:\(port)
    jetstream { store_dir: "\(folder.file("nats"))" }
    """.write(toFile: configuration, atomically: true, encoding: .utf8)
    child = try ChildProcess(program, ["-c", configuration], folder: folder, name: "nats")
    try waitUntilReady()
  }

  private func waitUntilReady() throws {
    try eventually("nats-server accepts connections") {
      if !child.isRunning { throw ProgramFailure(description: "nats-server ended: \(child.errorOutput)") }
      return accepts(port: port)
    }
  }

  /// Kills the server and starts it again over the same store.
  package func restart() throws {
    child.kill9()
    child = try ChildProcess(program, ["-c", configuration], folder: folder, name: "nats")
    try waitUntilReady()
  }

  package func stop() { child.stop() }
}
