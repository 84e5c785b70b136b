// What a running job holds: its progress, whether it shall stop, and the budgets it draws on.
//
// A job calls `step` after each piece of work (a chunk, a row group, a file). There, and only there, it is stopped,
// slowed to the byte and CPU budgets, and held back while statements run. Held back is not stopped: while statements run
// without a pause a job still gets a tenth of the time, so it never starves.

package import Bedrock
package import Runtime
import Synchronization

package final class JobControl: Sendable {
  private enum Stop: Sendable {
    case none, cancelled, shutdown
  }
  private let stop = Monitor(Stop.none)
  private let done = Mutex(JobProgress())
  private let budget: JobBudget
  private let load: QueryLoad
  private let clock: Clock
  /// The statement that waits for the job, if one does.
  private let statement: Cancellation?
  private let steppedNanos: Atomic<UInt64>
  /// Of the time that statements run, how much a job waits for each unit it works.
  private static let pausedShare: UInt64 = 9
  private static let pauseMicrosMax: Int64 = 1_000_000

  package init(budget: JobBudget, load: QueryLoad, clock: Clock, statement: Cancellation? = nil) {
    self.budget = budget
    self.load = load
    self.clock = clock
    self.statement = statement
    steppedNanos = Atomic(clock.monotonicNanos())
  }

  package var progress: JobProgress { done.withLock { $0 } }

  /// Adds to what there is to do; nil: not measured so.
  package func expect(rows: Int64? = nil, bytes: Int64? = nil, files: Int? = nil, actions: Int? = nil) {
    done.withLock {
      if let rows { $0.rowsTotal = ($0.rowsTotal ?? 0) + rows }
      if let bytes { $0.bytesTotal = ($0.bytesTotal ?? 0) + bytes }
      if let files { $0.filesTotal = ($0.filesTotal ?? 0) + Int64(files) }
      if let actions { $0.actionsTotal = ($0.actionsTotal ?? 0) + Int64(actions) }
    }
  }

  /// Counts what costs nothing worth a pause.
  package func note(files: Int = 0, filesListed: Int = 0, actions: Int = 0) {
    precondition(files >= 0 && filesListed >= 0 && actions >= 0)
    done.withLock {
      $0.files += Int64(files)
      $0.filesListed += Int64(filesListed)
      $0.actions += Int64(actions)
    }
  }

  /// Counts bytes that were deleted: progress, but no work of the budget.
  package func freed(bytes: Int64) {
    precondition(bytes >= 0)
    done.withLock { $0.bytes += bytes }
  }

  func cancel() { end(.cancelled) }
  func shutDown() { end(.shutdown) }

  private func end(_ why: Stop) {
    stop.change { if $0 == .none { $0 = why } }
    load.poke()
  }

  private var isStopped: Bool { stop.wait { $0 } != .none || statement?.isCancelled == true }

  /// Throws 57014 once cancelled, 57P01 when the server stops.
  package func check() throws(Fault) {
    switch stop.wait(until: { $0 }) {
    case .none: try statement?.check()
    case .cancelled: throw Fault(.queryCanceled, "the job was cancelled")
    case .shutdown: throw Fault(.adminShutdown, "the server is shutting down")
    }
  }

  /// Counts finished work, waits as budgets and statements ask, and throws when the job shall stop.
  package func step(rows: Int64 = 0, bytes: Int64 = 0) throws(Fault) {
    precondition(rows >= 0 && bytes >= 0)
    done.withLock {
      $0.rows += rows
      $0.bytes += bytes
    }
    try check()
    let now = clock.monotonicNanos()
    let before = steppedNanos.load(ordering: .relaxed)
    let busy = now > before ? now - before : 0
    let wait = budget.take(bytes: bytes, busyNanos: busy, nowNanos: now)
    if wait > 0 { _ = stop.wait(timeoutMicros: wait) { $0 == .none ? nil : true } }
    if load.count > 0 {
      let pause = Int64(clamping: busy / 1_000 * Self.pausedShare)
      load.waitUntilIdle(timeoutMicros: min(max(pause, 100), Self.pauseMicrosMax)) { isStopped }
    }
    steppedNanos.store(clock.monotonicNanos(), ordering: .relaxed)
    try check()
  }
}

/// Bytes and CPU time that all jobs together may use a second.
package final class JobBudget: Sendable {
  private struct Buckets: Sendable {
    var bytes: TokenBucket
    var busyMicros: TokenBucket
  }
  private let buckets: Mutex<Buckets>

  /// 0: no limit. - Parameter cpuPercent: of one core.
  package init(bytesPerSecond: Int64, cpuPercent: Int, clock: Clock) {
    let now = clock.monotonicNanos()
    buckets = Mutex(
      Buckets(
        bytes: TokenBucket(perSecond: Double(bytesPerSecond), nowNanos: now),
        busyMicros: TokenBucket(perSecond: Double(cpuPercent) * 10_000, nowNanos: now)))
  }

  /// How long to wait after that much work, µs.
  func take(bytes: Int64, busyNanos: UInt64, nowNanos: UInt64) -> Int64 {
    buckets.withLock { buckets in
      max(
        buckets.bytes.take(Double(bytes), nowNanos: nowNanos),
        buckets.busyMicros.take(Double(busyNanos) / 1_000, nowNanos: nowNanos))
    }
  }
}
