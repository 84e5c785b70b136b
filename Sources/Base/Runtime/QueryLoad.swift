// How many statements run now. The executor raises and lowers it; background work looks at it and steps aside.

import Bedrock
import Synchronization

package final class QueryLoad: Sendable {
  private let running = Monitor(0)

  package init() {}

  /// Statements that run now.
  package var count: Int { running.wait { $0 } }

  /// A statement begins. Each call is paired with one of `end`.
  package func begin() { running.change { $0 += 1 } }

  package func end() {
    running.change { count in
      precondition(count > 0, "a statement ends once")
      count -= 1
    }
  }

  /// Waits until no statement runs or `isDisturbed` says so, at most that long. Returns at once when idle.
  package func waitUntilIdle(timeoutMicros: Int64, orUntil isDisturbed: () -> Bool) {
    _ = running.wait(timeoutMicros: timeoutMicros) { count -> Bool? in count == 0 || isDisturbed() ? true : nil }
  }

  /// Makes those who wait look again at what may disturb them.
  package func poke() { running.change { _ in } }
}

/// Counts as one statement for as long as it lives.
package final class QueryLoadShare: Sendable {
  private let load: QueryLoad
  package init(_ load: QueryLoad) {
    self.load = load
    load.begin()
  }
  deinit { load.end() }
}
