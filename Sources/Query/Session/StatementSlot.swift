// What another connection may know of a session: the statement that runs, so that it can be cancelled.
//
// A cancel request between two statements finds the slot empty and does nothing; it never hits the next statement.

import Bedrock
package import Runtime
import Synchronization

/// The running statement of one session. Safe to use from any thread.
package final class StatementSlot: Sendable {
  private struct State: Sendable {
    var running: Cancellation?
    var ended: Cancellation.Reason?
  }
  private let state = Mutex(State())

  package init() {}

  /// Cancels the running statement, if there is one.
  package func cancel(_ reason: Cancellation.Reason) {
    let running = state.withLock { $0.running }
    running?.cancel(reason)
  }

  /// Cancels the running statement and every one after it: the client or the server goes away.
  package func end(_ reason: Cancellation.Reason) {
    let running = state.withLock { state in
      state.ended = state.ended ?? reason
      return state.running
    }
    running?.cancel(reason)
  }

  func begin(_ cancellation: Cancellation) {
    let ended = state.withLock { state in
      state.running = cancellation
      return state.ended
    }
    if let ended { cancellation.cancel(ended) }
  }

  func finish() { state.withLock { $0.running = nil } }

  /// True while a statement runs.
  package var isBusy: Bool { state.withLock { $0.running != nil } }
}
