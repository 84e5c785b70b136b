// A real PostgreSQL 15 in a folder of the test's own: the oracle for answers. Reached over a unix socket only.

import Foundation

package final class PostgresCluster: @unchecked Sendable {
  // unchecked because one test owns it.
  private let folder: TemporaryFolder
  private let child: ChildProcess
  private let socketFolder: String

  /// `nil` when this machine has no PostgreSQL server.
  package static var binaries: String? {
    let path = "/usr/lib/postgresql/15/bin"
    return FileManager.default.isExecutableFile(atPath: "\(path)/postgres") ? path : nil
  }

  package init() throws {
    guard let binaries = Self.binaries else { throw ProgramFailure(description: "PostgreSQL 15 is not installed") }
    folder = try TemporaryFolder("pg")
    socketFolder = folder.path
    let data = folder.file("data")
    // PostgreSQL refuses to run as root: give the folder to its own user then.
    let isRoot = getuid() == 0
    if isRoot { _ = try ChildProcess.run("chown", ["postgres", folder.path]) }
    func asServerUser(_ command: [String]) -> (String, [String]) {
      isRoot ? ("runuser", ["-u", "postgres", "--"] + command) : (command[0], Array(command.dropFirst()))
    }
    let (initProgram, initArguments) = asServerUser([
      "\(binaries)/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
      "--lc-messages=C", "-N",
    ])
    let made = try ChildProcess.run(initProgram, initArguments, currentFolder: folder.path)
    guard made.status == 0 else { throw ProgramFailure(description: "initdb: \(made.errorOutput)") }
    let (program, serverArguments) = asServerUser([
      "\(binaries)/postgres", "-D", data, "-k", socketFolder, "-c", "listen_addresses=", "-c", "fsync=off",
      "-c", "timezone=UTC", "-c", "jit=off",
    ])
    child = try ChildProcess(program, serverArguments, folder: folder, name: "postgres", currentFolder: folder.path)
    try eventually("PostgreSQL accepts connections") {
      if !child.isRunning { throw ProgramFailure(description: "postgres ended: \(child.errorOutput)") }
      return try ChildProcess.run("psql", self.arguments(["-c", "select 1"])).status == 0
    }
  }

  private func arguments(_ more: [String]) -> [String] {
    ["-X", "-q", "-h", socketFolder, "-U", "postgres", "-d", "postgres", "-v", "ON_ERROR_STOP=1"] + more
  }

  /// Unaligned rows of one or more statements.
  package func query(_ sql: String) throws -> String {
    let result = try ChildProcess.run("psql", arguments(["-At", "-c", sql]))
    guard result.status == 0 else { throw ProgramFailure(description: "PostgreSQL: \(result.errorOutput)") }
    return result.output
  }

  /// psql with these further arguments, such as `-f file`.
  package func psql(_ more: [String]) throws -> ChildProcess.Result { try ChildProcess.run("psql", arguments(more)) }

  package func stop() {
    // SIGTERM, because `runuser` passes no other signal on; it waits for sessions, which psql has ended.
    child.signal(SIGTERM)
    child.wait()
  }

  deinit { if child.isRunning { child.signal(SIGTERM) } }
}
