// Runs jobs: on its own threads when they are due, on the caller's when SQL asks.
//
//   look ──► JobBoard ──► run (JobRunner, JobControl) ──► JobBoard ──► JobStore
//
// Every change of a job's state is written to the store before the next one. A store that fails costs history, never
// work: it is logged.

package import Bedrock
package import Logging
package import Runtime

/// Does the work of jobs.
package protocol JobRunner: Sendable {
  /// Runs one job to its end and says in a sentence what it did. Must be safe to run again after a crash at any point.
  func run(_ job: JobRecord, _ control: JobControl) throws(Fault) -> String?
  /// The jobs that are due now. `last` gives the last ended job of a kind and table.
  func dueJobs(
    now: Int64, last: (_ kind: JobKind, _ table: String) -> JobRecord?
  ) throws(Fault) -> [(kind: JobKind, table: String)]
}

/// Keeps jobs over restarts.
package protocol JobStore: Sendable {
  func load() throws(Fault) -> [JobRecord]
  func save(_ jobs: [JobRecord], removing ids: [Int64]) throws(Fault)
}

package struct JobSettings: Sendable, Equatable {
  /// Threads; 0: nothing runs but what SQL asks for.
  package var threads = 1
  package var checkMicros: Int64 = 5_000_000
  /// Bytes read and written by all jobs a second; 0: no limit.
  package var bytesPerSecond: Int64 = 67_108_864
  /// Of one core; 0: no limit.
  package var cpuPercent = 50
  package var historyMax = 1_000
  package init() {}
}

package final class JobScheduler: Sendable {
  private struct State: Sendable {
    var board: JobBoard
    var controls: [Int64: JobControl] = [:]
    var nextLookMicros: Int64 = 0
    var isStopping = false
    var threads: [WorkerThread] = []
  }
  private enum Turn: Sendable {
    case run(JobRecord, JobControl)
    case look
    case stop
  }

  private let state: Monitor<State>
  private let settings: JobSettings
  private let runner: any JobRunner
  private let store: any JobStore
  private let load: QueryLoad
  private let budget: JobBudget
  private let clock: Clock
  private let log: Logger
  /// How often a caller that waits for a table looks whether its statement was cancelled.
  private static let patienceMicros: Int64 = 50_000

  /// Reads what the store has. Throws its faults.
  package init(
    settings: JobSettings, runner: any JobRunner, store: any JobStore, load: QueryLoad, clock: Clock, log: Logger,
    seed: UInt64 = Entropy.word()
  ) throws(Fault) {
    self.settings = settings
    self.runner = runner
    self.store = store
    self.load = load
    self.clock = clock
    self.log = log
    budget = JobBudget(bytesPerSecond: settings.bytesPerSecond, cpuPercent: settings.cpuPercent, clock: clock)
    var limits = JobLimits()
    limits.historyMax = settings.historyMax
    state = Monitor(State(board: JobBoard(limits: limits, stored: try store.load(), seed: seed)))
  }

  /// Starts the threads.
  package func start() {
    let threads = (0..<settings.threads).map { _ in
      WorkerThread { [weak self] in
        while let self, self.turn() {}
      }
    }
    state.change { $0.threads = threads }
  }

  /// Tells running jobs to stop at their next step and waits for them.
  package func stop() {
    let threads = state.change { state -> [WorkerThread] in
      state.isStopping = true
      for control in state.controls.values { control.shutDown() }
      defer { state.threads = [] }
      return state.threads
    }
    for thread in threads { thread.join() }
  }

  /// All jobs, oldest first, with the progress of those that run.
  package var jobs: [JobRecord] {
    state.wait { state in
      state.board.jobs.values.map { job in
        var job = job
        if let control = state.controls[job.id] { job.progress = control.progress }
        return job
      }
    }.sorted { $0.id < $1.id }
  }

  // MARK: Threads

  /// One turn of a thread: waits for something to do and does it. False when stopping.
  private func turn() -> Bool {
    let wait = state.wait { state -> Int64 in
      let now = clock.nowMicros()
      let due = min(state.board.nextDueMicros(now: now) ?? .max, state.nextLookMicros)
      return min(max(0, due - now), settings.checkMicros)
    }
    switch state.wait(timeoutMicros: wait, until: { next(&$0) }) {
    case .stop: return false
    case .look: look()
    case .run(let job, let control): _ = run(job, control)
    case nil: break
    }
    return true
  }

  private func next(_ state: inout State) -> Turn? {
    if state.isStopping { return .stop }
    let now = clock.nowMicros()
    if now >= state.nextLookMicros {
      state.nextLookMicros = now + settings.checkMicros
      return .look
    }
    guard let job = state.board.start(now: now) else { return nil }
    let control = JobControl(budget: budget, load: load, clock: clock)
    state.controls[job.id] = control
    return .run(job, control)
  }

  /// Queues what is due.
  package func look() {
    let now = clock.nowMicros()
    let board = state.wait { $0.board }
    do throws(Fault) {
      for (kind, table) in try runner.dueJobs(now: now, last: { board.lastEnded($0, table: $1) }) {
        _ = try add(kind, table: table)
      }
    } catch {
      log.error("looking for jobs failed", metadata: ["fault": "\(error)"])
    }
  }

  /// Runs the best job that is due, on this thread. False when there is none.
  package func runNext() -> Bool {
    guard case .run(let job, let control) = state.change({ next(&$0) }) else { return false }
    _ = run(job, control)
    return true
  }

  // MARK: Jobs

  /// Queues a job to be run when its turn comes; returns the one already queued, if there is one.
  package func add(_ kind: JobKind, table: String, arguments: JobArguments = JobArguments()) throws(Fault) -> JobRecord {
    let now = clock.nowMicros()
    let (job, isNew) = try changed { (board) throws(Fault) in
      try board.add(kind, table: table, arguments: arguments, now: now)
    }
    if isNew { save([job]) }
    return job
  }

  /// Runs a job now, on this thread, once no other job of its table runs. Throws what the job throws.
  package func runNow(
    _ kind: JobKind, table: String, arguments: JobArguments = JobArguments(), statement: Cancellation
  ) throws(Fault) -> JobRecord {
    let now = clock.nowMicros()
    let (added, _) = try changed { (board) throws(Fault) in
      try board.add(kind, table: table, arguments: arguments, isManual: true, now: now)
    }
    save([added])
    let control = JobControl(budget: budget, load: load, clock: clock, statement: statement)
    while true {
      let found: JobRecord?? = state.wait(timeoutMicros: Self.patienceMicros) { state in
        if state.isStopping { return .some(nil) }
        guard let known = state.board.jobs[added.id], !known.state.isEnded else { return .some(nil) }
        guard let started = state.board.start(id: added.id, now: clock.nowMicros()) else { return nil }
        state.controls[added.id] = control
        return .some(started)
      }
      if let started = found ?? nil {
        let (ended, fault) = run(started, control)
        if let fault { throw fault }
        return ended
      }
      let isGone = found != nil
      if isGone || statement.isCancelled {
        _ = try? cancel(id: added.id)  // Throws only when it has ended already, which is as good.
        try statement.check()
        throw Fault(.queryCanceled, "job \(added.id) was cancelled")
      }
    }
  }

  /// Cancels a job: at once when it waits, at its next step when it runs. Throws 42704, and 55000 when it has ended.
  package func cancel(id: Int64) throws(Fault) {
    let now = clock.nowMicros()
    let (ended, known) = state.change { state -> (JobRecord?, JobRecord?) in
      if let control = state.controls[id] { control.cancel() }
      let ended = state.board.cancelUnstarted(id, now: now)
      return (ended, state.board.jobs[id])
    }
    guard let known else {
      throw Fault(.undefinedObject, "there is no job \(id)", hint: "cramped.jobs lists the jobs.")
    }
    if let ended { return save([ended]) }
    guard known.state == .running else {
      throw Fault(.objectNotInPrerequisiteState, "job \(id) has ended: it is \(known.state.rawValue)")
    }
  }

  /// Shows work that another loop does as a job. Not kept over restarts.
  package func report(
    _ kind: JobKind, table: String, startedMicros: Int64, progress: JobProgress, result: String?, fault: Fault?
  ) {
    let now = clock.nowMicros()
    state.change { state in
      var job = JobRecord(id: state.board.takeID(), kind: kind, table: table, createdMicros: startedMicros)
      job.state = fault == nil ? .finished : .failed
      job.startedMicros = startedMicros
      job.finishedMicros = now
      job.attempts = 1
      job.progress = progress
      job.result = result
      job.lastError = fault.map { "\($0)" }
      state.board.note(job)
    }
  }

  /// Runs a job that the board has started.
  private func run(_ job: JobRecord, _ control: JobControl) -> (JobRecord, Fault?) {
    save([job])
    var outcome = JobOutcome.cancelled
    var thrown: Fault?
    do throws(Fault) {
      outcome = .finished(try runner.run(job, control))
    } catch {
      thrown = error
      switch error.state {
      case .queryCanceled: outcome = .cancelled
      case .adminShutdown: outcome = .interrupted
      default: outcome = .failed(error)
      }
    }
    let ended = outcome
    let (record, gone) = state.change { state -> (JobRecord, [Int64]) in
      state.controls[job.id] = nil
      let record = state.board.end(job.id, ended, progress: control.progress, now: clock.nowMicros())
      return (record ?? job, state.board.trim())
    }
    save([record], removing: gone)
    describe(record, thrown)
    return (record, thrown)
  }

  private func describe(_ job: JobRecord, _ fault: Fault?) {
    var metadata: Logger.Metadata = ["job": "\(job.id)", "table": "\(job.table)", "state": "\(job.state.rawValue)"]
    if let result = job.result { metadata["result"] = "\(result)" }
    guard let fault, job.state == .failed || job.state == .waiting else {
      log.info("\(job.kind.rawValue)", metadata: metadata)
      return
    }
    metadata["fault"] = "\(fault)"
    log.error("\(job.kind.rawValue) failed", metadata: metadata)
  }

  // MARK: State

  private func changed<R>(_ body: (inout JobBoard) throws(Fault) -> R) throws(Fault) -> R {
    let result: Result<R, Fault> = state.change { state in
      do throws(Fault) { return .success(try body(&state.board)) } catch { return .failure(error) }
    }
    return try result.get()
  }

  private func save(_ jobs: [JobRecord], removing ids: [Int64] = []) {
    let kept = jobs.filter { $0.kind != .flush }
    do throws(Fault) { try store.save(kept, removing: ids) } catch {
      log.error("the history of jobs was not written", metadata: ["fault": "\(error)"])
    }
  }
}
