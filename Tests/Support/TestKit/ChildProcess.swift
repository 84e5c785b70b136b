// Programs that tests start: output goes to files, so that nothing blocks on a full pipe.

import Foundation
import Synchronization

package struct ProgramFailure: Error, CustomStringConvertible {
  package let description: String
}

package final class ChildProcess: @unchecked Sendable {
  // unchecked because Process is used from one test at a time; Foundation guards its own state.
  private let process = Process()
  package let outputPath: String
  package let errorPath: String

  /// Starts `program`, looked up on PATH unless it is a path.
  package init(
    _ program: String, _ arguments: [String], environment: [String: String] = [:], folder: TemporaryFolder,
    name: String, currentFolder: String? = nil
  ) throws {
    outputPath = folder.file("\(name).out")
    errorPath = folder.file("\(name).err")
    for path in [outputPath, errorPath] where !FileManager.default.fileExists(atPath: path) {
      guard FileManager.default.createFile(atPath: path, contents: nil) else {
        throw ProgramFailure(description: "cannot make \(path)")
      }
    }
    process.executableURL = URL(fileURLWithPath: try Self.locate(program))
    process.arguments = arguments
    var inherited = ProcessInfo.processInfo.environment
    // A variable of the build, which the server would refuse as an unknown setting.
    inherited["CRAMPED_FOCUS"] = nil
    process.environment = inherited.merging(environment) { _, new in new }
    if let currentFolder { process.currentDirectoryURL = URL(fileURLWithPath: currentFolder) }
    process.standardInput = FileHandle.nullDevice
    let output = try FileHandle(forWritingTo: URL(fileURLWithPath: outputPath))
    let error = try FileHandle(forWritingTo: URL(fileURLWithPath: errorPath))
    try output.seekToEnd()
    try error.seekToEnd()
    process.standardOutput = output
    process.standardError = error
    try process.run()
  }

  package var isRunning: Bool { process.isRunning }
  package var processID: Int32 { process.processIdentifier }
  package var output: String { Self.read(outputPath) }
  package var errorOutput: String { Self.read(errorPath) }

  private static func read(_ path: String) -> String {
    guard let data = FileManager.default.contents(atPath: path) else { return "" }
    return String(decoding: data, as: UTF8.self)
  }

  package func signal(_ number: Int32) { kill(process.processIdentifier, number) }

  /// Waits for the end and gives the exit status; a signal's number counts as 128 + n.
  @discardableResult
  package func wait() -> Int32 {
    process.waitUntilExit()
    return process.terminationReason == .uncaughtSignal ? 128 + process.terminationStatus : process.terminationStatus
  }

  /// SIGTERM, then waits.
  @discardableResult
  package func stop() -> Int32 {
    if process.isRunning { process.terminate() }
    return wait()
  }

  /// SIGKILL, then waits.
  package func kill9() {
    if process.isRunning { signal(SIGKILL) }
    wait()
  }

  deinit { if process.isRunning { signal(SIGKILL) } }

  /// The full path of a program, or a failure that names it.
  package static func locate(_ program: String) throws -> String {
    if program.contains("/") { return program }
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    for folder in path.split(separator: ":").map(String.init) + ["/usr/sbin"] {
      let candidate = "\(folder)/\(program)"
      if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
    }
    throw ProgramFailure(description: "\(program) is not installed")
  }

  package struct Result: Sendable {
    package let status: Int32
    package let output: String
    package let errorOutput: String
  }

  /// Runs a program to its end.
  package static func run(
    _ program: String, _ arguments: [String], environment: [String: String] = [:], currentFolder: String? = nil
  ) throws -> Result {
    let folder = try TemporaryFolder("run")
    let child = try ChildProcess(
      program, arguments, environment: environment, folder: folder, name: "run", currentFolder: currentFolder)
    let status = child.wait()
    return Result(status: status, output: child.output, errorOutput: child.errorOutput)
  }
}

/// Waits until `condition` holds, looking every 10 ms; fails after `seconds`.
package func eventually(
  _ what: String, seconds: Double = 120, _ condition: () throws -> Bool
) throws {
  let deadline = Date().addingTimeInterval(seconds)
  while true {
    if try condition() { return }
    if Date() > deadline { throw ProgramFailure(description: "not within \(seconds) s: \(what)") }
    usleep(10_000)
  }
}

/// A TCP port on loopback that was free a moment ago.
package func freePort() throws -> Int {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  guard descriptor >= 0 else { throw ProgramFailure(description: "no socket: errno \(errno)") }
  defer { close(descriptor) }
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
  var length = socklen_t(MemoryLayout<sockaddr_in>.size)
  let bound = withUnsafePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
  }
  guard bound == 0 else { throw ProgramFailure(description: "no free port: errno \(errno)") }
  _ = withUnsafeMutablePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
  }
  return Int(UInt16(bigEndian: address.sin_port))
}

/// True when a TCP connection to loopback is accepted.
package func accepts(port: Int) -> Bool {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  guard descriptor >= 0 else { return false }
  defer { close(descriptor) }
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = UInt16(port).bigEndian
  address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
  return withUnsafePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
    }
  }
}
