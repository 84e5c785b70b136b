// A mutex with a condition around some state: for threads that wait for a change (Swift's Mutex has no condition).

import Bedrock

// unchecked because every access to `state` holds the gate.
package final class Monitor<State: Sendable>: @unchecked Sendable {
  private var state: State
  private let gate = Gate()

  package init(_ state: State) { self.state = state }

  /// Changes the state and wakes every waiter.
  package func change<R>(_ body: (inout State) -> R) -> R {
    gate.withLock {
      let result = body(&state)
      gate.wakeAll()
      return result
    }
  }

  /// Waits until `body` gives a value.
  package func wait<R>(until body: (inout State) -> R?) -> R {
    gate.withLock {
      while true {
        if let result = body(&state) { return result }
        gate.wait()
      }
    }
  }

  /// Waits until `body` gives a value, at most `timeoutMicros` of real time; `nil` when it did not.
  package func wait<R>(timeoutMicros: Int64, until body: (inout State) -> R?) -> R? {
    let deadline = Gate.deadline(afterMicros: timeoutMicros)
    return gate.withLock {
      while true {
        if let result = body(&state) { return result }
        if !gate.wait(until: deadline) { return body(&state) }
      }
    }
  }
}
