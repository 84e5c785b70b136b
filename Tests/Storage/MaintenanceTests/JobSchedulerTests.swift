// Threads, calls from SQL, cancelling, stopping, and the store.

import Bedrock
import Logging
import Runtime
import Synchronization
import Testing

@testable import Maintenance

/// Jobs that do what a test says.
final class ScriptedRunner: JobRunner {
  let body = Mutex<@Sendable (JobRecord, JobControl) throws(Fault) -> String?>({ _, _ in "done" })
  let due = Mutex<[(kind: JobKind, table: String)]>([])
  let ran = Monitor<[Int64]>([])

  func run(_ job: JobRecord, _ control: JobControl) throws(Fault) -> String? {
    ran.change { $0.append(job.id) }
    let body = self.body.withLock { $0 }
    return try body(job, control)
  }
  func dueJobs(
    now: Int64, last: (JobKind, String) -> JobRecord?
  ) throws(Fault) -> [(kind: JobKind, table: String)] {
    due.withLock { due in
      defer { due = [] }
      return due
    }
  }
}

final class MemoryJobStore: JobStore {
  let jobs = Mutex<[Int64: JobRecord]>([:])
  func load() throws(Fault) -> [JobRecord] { jobs.withLock { Array($0.values) } }
  func save(_ jobs: [JobRecord], removing ids: [Int64]) throws(Fault) {
    self.jobs.withLock { known in
      for job in jobs { known[job.id] = job }
      for id in ids { known[id] = nil }
    }
  }
}

@Suite struct JobSchedulerTests {
  static func log() -> Logger {
    var log = Logger(label: "test")
    log.logLevel = .critical
    return log
  }

  private func scheduler(
    _ runner: ScriptedRunner, _ store: MemoryJobStore = MemoryJobStore(), load: QueryLoad = QueryLoad(),
    threads: Int = 1, clock: Clock = .system
  ) throws -> JobScheduler {
    var settings = JobSettings()
    settings.threads = threads
    settings.cpuPercent = 0
    settings.bytesPerSecond = 0
    settings.checkMicros = 50_000
    return try JobScheduler(
      settings: settings, runner: runner, store: store, load: load, clock: clock, log: Self.log(), seed: 1)
  }

  @Test func whatIsDueRunsAndIsKept() throws {
    let runner = ScriptedRunner()
    let store = MemoryJobStore()
    let scheduler = try scheduler(runner, store)
    runner.due.withLock { $0 = [(.compact, "a.b"), (.vacuum, "a.b")] }
    scheduler.start()
    _ = runner.ran.wait { $0.count == 2 ? true : nil }
    scheduler.stop()
    #expect(scheduler.jobs.map(\.kind) == [.compact, .vacuum])
    #expect(scheduler.jobs.allSatisfy { $0.state == .finished && $0.result == "done" && $0.attempts == 1 })
    #expect(store.jobs.withLock { $0.values.filter { $0.state == .finished }.count } == 2)
  }

  @Test func sqlRunsAJobOnItsOwnThreadAndGetsItsFault() throws {
    let runner = ScriptedRunner()
    let scheduler = try scheduler(runner, threads: 0)
    let done = try scheduler.runNow(.compact, table: "a.b", statement: Cancellation())
    #expect(done.state == .finished && done.isManual)
    runner.body.withLock { $0 = { (_, _) throws(Fault) in throw Fault(.ioError, "no disk") } }
    #expect(throws: Fault.self) { try scheduler.runNow(.vacuum, table: "a.b", statement: Cancellation()) }
    #expect(scheduler.jobs.last?.state == .failed)
  }

  @Test func oneTableIsWorkedOnOnceAtATime() throws {
    let runner = ScriptedRunner()
    let scheduler = try scheduler(runner, threads: 3)
    let inside = Atomic<Int>(0)
    let most = Atomic<Int>(0)
    runner.body.withLock {
      $0 = { (_, _) throws(Fault) in
        let now = inside.add(1, ordering: .sequentiallyConsistent).newValue
        most.max(now, ordering: .sequentiallyConsistent)
        for _ in 0..<1_000 { _ = Entropy.word() }
        inside.subtract(1, ordering: .sequentiallyConsistent)
        return nil
      }
    }
    for kind in [JobKind.compact, .vacuum, .cleanup, .checkpoint] { _ = try scheduler.add(kind, table: "a.b") }
    scheduler.start()
    let calls = (0..<3).map { _ in
      WorkerThread { _ = try? scheduler.runNow(.compact, table: "a.b", statement: Cancellation()) }  // Asserted below.
    }
    for call in calls { call.join() }
    _ = runner.ran.wait { $0.count == 7 ? true : nil }
    scheduler.stop()
    #expect(most.load(ordering: .relaxed) == 1)
    #expect(scheduler.jobs.filter { $0.state == .finished }.count == 7)
  }

  @Test func aRunningJobIsCancelledAtItsNextStep() throws {
    let runner = ScriptedRunner()
    let scheduler = try scheduler(runner)
    runner.body.withLock {
      $0 = { (_, control) throws(Fault) in while true { try control.step(rows: 1, bytes: 1) } }
    }
    let job = try scheduler.add(.cluster, table: "a.b")
    let waiting = try scheduler.add(.statistics, table: "a.b")
    scheduler.start()
    _ = runner.ran.wait { $0.isEmpty ? nil : true }
    // The table is busy, so the other waits: which of the two runs depends on priority alone.
    let (running, queued) = runner.ran.wait { $0 }[0] == job.id ? (job, waiting) : (waiting, job)
    try scheduler.cancel(id: queued.id)
    #expect(scheduler.jobs.first { $0.id == queued.id }?.state == .cancelled)
    try scheduler.cancel(id: running.id)
    scheduler.stop()
    #expect(scheduler.jobs.first { $0.id == running.id }?.state == .cancelled)
    #expect(throws: Fault.self) { try scheduler.cancel(id: running.id) }
    #expect(throws: Fault.self) { try scheduler.cancel(id: 4_711) }
  }

  @Test func aCancelledStatementEndsItsJob() throws {
    let runner = ScriptedRunner()
    let scheduler = try scheduler(runner, threads: 0)
    let statement = Cancellation()
    runner.body.withLock {
      $0 = { (_, control) throws(Fault) in
        statement.cancel(.userRequest)
        while true { try control.step() }
      }
    }
    #expect(throws: Fault.self) { try scheduler.runNow(.compact, table: "a.b", statement: statement) }
    #expect(scheduler.jobs.last?.state == .cancelled)
  }

  @Test func stoppingInterruptsAndTheNextStartGoesOn() throws {
    let runner = ScriptedRunner()
    let store = MemoryJobStore()
    let first = try scheduler(runner, store)
    runner.body.withLock { $0 = { (_, control) throws(Fault) in while true { try control.step() } } }
    let job = try first.add(.compact, table: "a.b")
    first.start()
    _ = runner.ran.wait { $0.isEmpty ? nil : true }
    first.stop()
    #expect(store.jobs.withLock { $0[job.id]?.state } == .queued)
    runner.body.withLock { $0 = { _, _ in "resumed" } }
    let second = try scheduler(runner, store, threads: 0)
    // The first turn is a look.
    _ = second.runNext()
    #expect(second.runNext())
    #expect(second.jobs.first { $0.id == job.id }?.result == "resumed")
  }

  @Test func statementsHoldAJobBackButNeverForGood() throws {
    let load = QueryLoad()
    let clock = Clock.system
    let control = JobControl(
      budget: JobBudget(bytesPerSecond: 0, cpuPercent: 0, clock: clock), load: load, clock: clock)
    let share = QueryLoadShare(load)
    let start = clock.monotonicNanos()
    // A statement that never ends: every step waits a bounded time and goes on.
    for _ in 0..<20 { try control.step(rows: 1) }
    #expect(control.progress.rows == 20)
    #expect(clock.monotonicNanos() - start >= 20 * 100_000)
    withExtendedLifetime(share) {}
  }

  @Test func budgetsSlowAJobDown() throws {
    let (clock, set) = Clock.manual(startMicros: 0)
    let budget = JobBudget(bytesPerSecond: 1_000_000, cpuPercent: 50, clock: clock)
    #expect(budget.take(bytes: 1_000_000, busyNanos: 0, nowNanos: 0) == 0)
    #expect(budget.take(bytes: 500_000, busyNanos: 0, nowNanos: 0) == 500_000)
    set(1_000_000)
    // Half a second of work is in the bucket; the next second costs two.
    #expect(budget.take(bytes: 0, busyNanos: 500_000_000, nowNanos: clock.monotonicNanos()) == 0)
    #expect(budget.take(bytes: 0, busyNanos: 1_000_000_000, nowNanos: clock.monotonicNanos()) == 2_000_000)
  }
}
