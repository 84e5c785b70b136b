// The thread that keeps the Iceberg metadata of all tables up to date: it looks at versions in memory each second and
// projects what is new. What a crash left undone is done at the first look.

package import Bedrock
package import Runtime
import Synchronization

package final class IcebergFollower: Sendable {
  private static let intervalMicros: Int64 = 1_000_000
  private static let expiryIntervalMicros: Int64 = 600_000_000
  private let stopping = Monitor(false)
  private let thread = Mutex<WorkerThread?>(nil)
  private let catalog: IcebergCatalog
  private let clock: Clock
  private let report: @Sendable (_ table: String, _ fault: Fault) -> Void

  /// - Parameter report: told of a failure when it begins or changes; the work is tried again each second.
  package init(
    _ catalog: IcebergCatalog, clock: Clock, report: @escaping @Sendable (_ table: String, _ fault: Fault) -> Void
  ) {
    self.catalog = catalog
    self.clock = clock
    self.report = report
  }

  package func start() {
    thread.withLock { thread in
      precondition(thread == nil, "it runs already")
      thread = WorkerThread { [self] in run() }
    }
  }

  private func run() {
    var known: [String: String] = [:]
    var nextExpiry = clock.nowMicros()
    repeat {
      var failures = catalog.followAll()
      let now = clock.nowMicros()
      if now >= nextExpiry {
        failures += catalog.expireAll(nowMicros: now)
        nextExpiry = now + Self.expiryIntervalMicros
      }
      var current: [String: String] = [:]
      for (name, fault) in failures {
        current[name] = fault.message
        if known[name] != fault.message { report(name, fault) }
      }
      known = current
    } while stopping.wait(timeoutMicros: Self.intervalMicros, until: { $0 ? true : nil }) == nil
  }

  /// Waits for the end of what is being done.
  package func stop() {
    stopping.change { $0 = true }
    let taken = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    taken?.join()
  }
}
