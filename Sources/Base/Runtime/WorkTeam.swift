// Work that falls into independent parts, done by the calling thread together with the threads of a pool.
//
// The caller takes parts itself, so a team never waits for a thread: on a busy machine the caller does it all. Parts are
// taken from one counter; a helper that comes late finds none left and touches nothing of the work.

import Bedrock
import Synchronization

/// Threads that help whoever calls `run`. Several callers may share a team.
package final class WorkTeam: Sendable {
  private let pool: WorkerPool

  // unchecked because `left` is only touched with the gate held, and the rest never changes.
  private final class Work: @unchecked Sendable {
    let count: Int
    let body: @Sendable (Int) -> Void
    private let next = Atomic<Int>(0)
    private let gate = Gate()
    private var left: Int

    init(count: Int, body: @escaping @Sendable (Int) -> Void) {
      self.count = count
      self.body = body
      left = count
    }

    /// Does parts until none is left to take.
    func help() {
      while true {
        let index = next.add(1, ordering: .relaxed).oldValue
        if index >= count { return }
        body(index)
        gate.withLock {
          left -= 1
          if left == 0 { gate.wakeAll() }
        }
      }
    }

    func wait() {
      gate.withLock {
        while left > 0 { gate.wait() }
      }
    }
  }

  /// - Parameter threadCount: helpers beside the calling thread.
  package init(name: String, threadCount: Int) { pool = WorkerPool(name: name, threadCount: threadCount) }

  /// Calls `body` once with each number below `count`, on several threads, and returns when all calls have ended.
  package func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    precondition(count >= 0)
    if count == 0 { return }
    let work = Work(count: count, body: body)
    for _ in 0..<min(pool.threadCount, count - 1) { pool.submit { work.help() } }
    work.help()
    work.wait()
  }

  /// Ends the threads; nobody may be in `run`.
  package func shutdown() { pool.shutdown() }
}
