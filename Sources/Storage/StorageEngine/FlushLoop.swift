// The thread that looks for tables to flush and small chunks to merge.

import Bedrock
import Runtime
import Synchronization

final class FlushLoop: Sendable {
  private let stopping = Monitor(false)
  private let thread = Mutex<WorkerThread?>(nil)

  func start(_ engine: StorageEngine) {
    let stopping = self.stopping
    let interval = engine.options.flush.checkIntervalMicros
    thread.withLock { thread in
      precondition(thread == nil, "a flush loop that runs already")
      thread = WorkerThread { [weak engine] in
        while stopping.wait(timeoutMicros: interval, until: { $0 ? true : nil }) == nil {
          guard let engine else { return }
          engine.runDueWork()
        }
      }
    }
  }

  /// Waits for the end of what is being done.
  func stop() {
    stopping.change { $0 = true }
    let taken = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    taken?.join()
  }
}
