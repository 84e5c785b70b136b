// Threads for blocking and computing work: scans, planning, flushes. Event loops and Swift's own pool never block.

package import Bedrock
import Glibc
import Synchronization

/// A fixed set of threads that run submitted jobs in order of submission.
package final class WorkerPool: Sendable {
  private struct State: Sendable {
    var jobs: [@Sendable () -> Void] = []
    var head = 0
    var stopping = false
  }
  // unchecked because every access to `state` holds the gate.
  private final class Queue: @unchecked Sendable {
    private var state = State()
    private let gate = Gate()

    func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
      gate.withLock {
        if state.stopping { return false }
        state.jobs.append(job)
        gate.wakeOne()
        return true
      }
    }

    /// Waits for a job; `nil` once stopping and empty.
    func take() -> (@Sendable () -> Void)? {
      gate.withLock {
        while state.head == state.jobs.count {
          if state.stopping { return nil }
          gate.wait()
        }
        let job = state.jobs[state.head]
        state.head += 1
        if state.head == state.jobs.count {
          state.jobs.removeAll(keepingCapacity: true)
          state.head = 0
        } else if state.head > 1_024 && state.head * 2 > state.jobs.count {
          state.jobs.removeFirst(state.head)
          state.head = 0
        }
        return job
      }
    }

    func stop() {
      gate.withLock {
        state.stopping = true
        gate.wakeAll()
      }
    }
  }

  package let name: String
  package let threadCount: Int
  private let queue = Queue()
  private let threads: Mutex<[WorkerThread]>

  /// - Parameter stackBytes: deep recursion over plans and trees needs more than the usual 8 MiB.
  package init(name: String, threadCount: Int, stackBytes: Int = 16 << 20) {
    precondition(threadCount >= 1)
    self.name = name
    self.threadCount = threadCount
    let queue = self.queue
    threads = Mutex([])
    threads.withLock { list in
      for _ in 0..<threadCount {
        list.append(
          WorkerThread(stackBytes: stackBytes) {
            while let job = queue.take() { job() }
          })
      }
    }
  }

  /// Threads suited to this machine: one per core.
  package static var coreCount: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  /// Runs `job` on one of the threads. Traps after `shutdown`.
  package func submit(_ job: @escaping @Sendable () -> Void) {
    precondition(queue.submit(job), "worker pool \(name) has been shut down")
  }

  /// Runs `work` on a thread of the pool and awaits its result.
  package func run<T: Sendable>(_ work: @escaping @Sendable () throws(Fault) -> T) async throws(Fault) -> T {
    let result: Result<T, Fault> = await withCheckedContinuation { continuation in
      let accepted = queue.submit {
        do throws(Fault) { continuation.resume(returning: .success(try work())) } catch {
          continuation.resume(returning: .failure(error))
        }
      }
      if !accepted {
        continuation.resume(
          returning: .failure(Fault(.adminShutdown, "the server is shutting down")))
      }
    }
    return try result.get()
  }

  /// Finishes what was submitted, then ends and joins the threads.
  package func shutdown() {
    queue.stop()
    let list = threads.withLock { list in
      let taken = list
      list = []
      return taken
    }
    for thread in list { thread.join() }
  }

  deinit { queue.stop() }
}
