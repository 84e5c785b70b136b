// The connections there are: their number, their cancel keys, and the way to reach each when the server stops.

import PostgresProtocol
import Runtime
import Synchronization

/// Every open connection. Safe to use from any thread.
final class SessionDirectory: Sendable {
  private struct State: Sendable {
    var connections: [ObjectIdentifier: Connection] = [:]
    var sessions: [Int32: (secret: Int32, connection: Connection)] = [:]
    var nextProcess: Int32 = 1
    var isStopping = false
  }
  private let state = Mutex(State())
  private let sessionsMax: Int
  /// Connections that have not finished their start-up, over and above the sessions.
  private static let startingMax = 100

  init(sessionsMax: Int) { self.sessionsMax = sessionsMax }

  /// Counts a connection in; false when there are too many or the server stops.
  func admit(_ connection: Connection) -> Bool {
    state.withLock { state in
      guard !state.isStopping, state.connections.count < sessionsMax + Self.startingMax else { return false }
      state.connections[ObjectIdentifier(connection)] = connection
      return true
    }
  }

  /// A key for a new session; `nil` when there are as many sessions as there may be.
  func openSession(_ connection: Connection) -> CancelKey? {
    let secret = Int32(truncatingIfNeeded: Entropy.word())
    return state.withLock { state in
      guard state.sessions.count < sessionsMax else { return nil }
      while state.sessions[state.nextProcess] != nil { state.nextProcess = Self.after(state.nextProcess) }
      let process = state.nextProcess
      state.nextProcess = Self.after(process)
      state.sessions[process] = (secret, connection)
      return CancelKey(process: process, secret: secret)
    }
  }

  private static func after(_ process: Int32) -> Int32 { process == .max ? 1 : process + 1 }

  /// Cancels the running statement of the session with that key. A wrong key and an idle session are ignored.
  func cancel(_ key: CancelKey) {
    let found = state.withLock { $0.sessions[key.process] }
    guard let found, found.secret == key.secret else { return }
    found.connection.cancelStatement()
  }

  func remove(_ connection: Connection, process: Int32?) {
    state.withLock { state in
      state.connections[ObjectIdentifier(connection)] = nil
      if let process { state.sessions[process] = nil }
    }
  }

  /// Admits nobody from now on and gives everybody who is there.
  func beginStop() -> [Connection] {
    state.withLock { state in
      state.isStopping = true
      return Array(state.connections.values)
    }
  }

  var connections: [Connection] { state.withLock { Array($0.connections.values) } }
  var sessionCount: Int { state.withLock { $0.sessions.count } }
}
