// Messages between a socket and the worker that serves its connection.

import Bedrock
import PostgresProtocol
import Synchronization

/// What a worker finds in the inbox.
enum Arrival: Sendable {
  case message(FrontendMessage)
  /// The bytes after the last message cannot be framed.
  case broken(Fault)
}

/// A bounded queue with one producer (the event loop) and one consumer (the worker at hand). It knows whether a worker
/// serves the connection, so that there is never more than one.
final class Inbox: Sendable {
  enum Turn: Sendable {
    case arrival(Arrival)
    case clientGone
    case shutdown
    /// Nothing to do: the worker leaves; the next `put` calls for another.
    case leave
  }

  private struct State: Sendable {
    var arrivals: [Arrival] = []
    var head = 0
    var bytes = 0
    /// The worker that opens the session is the first to serve it.
    var isServed = true
    var isClientGone = false
    var isShutdown = false
    var isFinished = false
  }
  static let messagesMax = 256
  static let bytesMax = 4 << 20

  private let state = Mutex(State())

  /// True when the event loop should stop decoding and reading.
  var isFull: Bool {
    state.withLock { $0.arrivals.count - $0.head >= Self.messagesMax || $0.bytes >= Self.bytesMax }
  }

  /// Gives true when a worker must be called.
  func put(_ arrival: Arrival) -> Bool {
    state.withLock { state in
      state.arrivals.append(arrival)
      if case .message(let message) = arrival { state.bytes += Self.size(message) }
      return Self.claim(&state)
    }
  }

  func markClientGone() -> Bool {
    state.withLock { state in
      state.isClientGone = true
      return Self.claim(&state)
    }
  }

  func markShutdown() -> Bool {
    state.withLock { state in
      state.isShutdown = true
      return Self.claim(&state)
    }
  }

  private static func claim(_ state: inout State) -> Bool {
    if state.isServed || state.isFinished { return false }
    state.isServed = true
    return true
  }

  /// The next thing for the worker that serves the connection.
  func take() -> Turn {
    state.withLock { state in
      precondition(state.isServed)
      if state.isFinished {
        state.isServed = false
        return .leave
      }
      if state.isClientGone { return .clientGone }
      if state.isShutdown { return .shutdown }
      guard state.head < state.arrivals.count else {
        state.arrivals.removeAll(keepingCapacity: state.arrivals.capacity <= 1_024)
        state.head = 0
        state.bytes = 0
        state.isServed = false
        return .leave
      }
      let arrival = state.arrivals[state.head]
      state.head += 1
      if case .message(let message) = arrival { state.bytes -= Self.size(message) }
      return .arrival(arrival)
    }
  }

  /// Nothing more will be taken: the connection is over.
  func finish() {
    state.withLock { state in
      state.isFinished = true
      state.arrivals = []
      state.head = 0
      state.bytes = 0
    }
  }

  /// About how many bytes a queued message holds.
  private static func size(_ message: FrontendMessage) -> Int {
    switch message {
    case .query(let sql): sql.utf8.count
    case .parse(let parse): parse.sql.utf8.count + 4 * parse.parameterTypes.count
    case .bind(let bind): bind.parameters.reduce(0) { $0 + ($1?.count ?? 0) + 16 }
    case .copyData(let bytes), .password(let bytes): bytes.count
    default: 32
    }
  }
}
