// All jobs there are and which runs next: a value without clock, threads or disk.
//
// Invariants:
//   1 At most one job of a table runs.
//   2 At most one job of a kind and table is queued or waiting, but for those asked for by SQL.
//   3 Ended jobs are kept up to a number; the oldest leave.

import Bedrock
import Runtime

struct JobLimits: Sendable, Equatable {
  /// Ended jobs kept.
  var historyMax = 1_000
  /// Jobs queued, waiting or running.
  var openMax = 10_000
  /// Attempts of one job.
  var attemptsMax = 10
  /// Wait after the first fault; doubled after each further one.
  var backOffMicros: Int64 = 5_000_000
  var backOffMicrosMax: Int64 = 3_600_000_000
}

/// How a run ended.
enum JobOutcome: Sendable {
  case finished(String?)
  case failed(Fault)
  case cancelled
  /// The server stops; the job goes on after the next start.
  case interrupted
}

struct JobBoard: Sendable {
  let limits: JobLimits
  private(set) var jobs: [Int64: JobRecord] = [:]
  private(set) var runningTables: Set<String> = []
  private var nextID: Int64 = 1
  private var random: SeededGenerator

  init(limits: JobLimits = JobLimits(), stored: [JobRecord] = [], seed: UInt64) {
    self.limits = limits
    random = SeededGenerator(seed: seed)
    for var job in stored {
      if job.state == .running {
        // A crash cut it off. Whoever asked for it by SQL is gone.
        job.state = .queued
        job.isManual = false
        job.lastError = job.lastError ?? "interrupted by the end of the server"
      }
      if job.arguments.isDryRun && !job.state.isEnded { job.state = .cancelled }
      jobs[job.id] = job
      nextID = max(nextID, job.id + 1)
    }
  }

  /// Adds a job unless one of its kind waits for that table already; returns the one that is there. Throws 54000 when
  /// there are too many.
  mutating func add(
    _ kind: JobKind, table: String, arguments: JobArguments = JobArguments(), isManual: Bool = false, now: Int64
  ) throws(Fault) -> (job: JobRecord, isNew: Bool) {
    let open = jobs.values.filter { !$0.state.isEnded }
    if !isManual, let known = open.first(where: { $0.kind == kind && $0.table == table && !$0.isManual }) {
      return (known, false)
    }
    guard open.count < limits.openMax else {
      throw Fault(.programLimitExceeded, "there are \(open.count) jobs waiting", kind: .tryLater)
    }
    let job = JobRecord(
      id: nextID, kind: kind, table: table, arguments: arguments, isManual: isManual, createdMicros: now)
    nextID += 1
    jobs[job.id] = job
    return (job, true)
  }

  /// The best job that may run now, marked as running. Jobs asked for by SQL are started by their callers.
  mutating func start(now: Int64) -> JobRecord? {
    var best: JobRecord?
    for job in jobs.values where isRunnable(job, now: now) && !job.isManual {
      guard let other = best else {
        best = job
        continue
      }
      let isBetter =
        job.kind.priority != other.kind.priority
        ? job.kind.priority > other.kind.priority
        : (job.nextRunMicros, job.id) < (other.nextRunMicros, other.id)
      if isBetter { best = job }
    }
    return best.flatMap { begin($0.id, now: now) }
  }

  /// That very job marked as running; `nil` while its table has another or it has ended.
  mutating func start(id: Int64, now: Int64) -> JobRecord? {
    guard let job = jobs[id], !job.state.isEnded, job.state != .running, !runningTables.contains(job.table) else {
      return nil
    }
    return begin(id, now: now)
  }

  private func isRunnable(_ job: JobRecord, now: Int64) -> Bool {
    (job.state == .queued || job.state == .waiting) && job.nextRunMicros <= now && !runningTables.contains(job.table)
  }

  private mutating func begin(_ id: Int64, now: Int64) -> JobRecord? {
    guard var job = jobs[id] else { return nil }
    precondition(job.state == .queued || job.state == .waiting)
    precondition(runningTables.insert(job.table).inserted, "one job of a table at a time")
    job.state = .running
    job.startedMicros = now
    job.finishedMicros = nil
    job.progress = JobProgress()
    job.attempts += 1
    jobs[id] = job
    return job
  }

  /// When the next job may start, if any waits for time alone.
  func nextDueMicros(now: Int64) -> Int64? {
    jobs.values.filter {
      ($0.state == .queued || $0.state == .waiting) && !$0.isManual && !runningTables.contains($0.table)
    }.map(\.nextRunMicros).min()
  }

  /// Ends a run. Returns the job as it is now.
  mutating func end(_ id: Int64, _ outcome: JobOutcome, progress: JobProgress, now: Int64) -> JobRecord? {
    guard var job = jobs[id] else { return nil }
    precondition(job.state == .running, "only a running job ends a run")
    precondition(runningTables.remove(job.table) != nil, "a running job holds its table")
    job.progress = progress
    job.finishedMicros = now
    switch outcome {
    case .finished(let text):
      job.state = .finished
      job.result = text
      job.lastError = nil
    case .cancelled: job.state = .cancelled
    case .interrupted:
      job.state = job.isManual ? .cancelled : .queued
      job.finishedMicros = nil
      job.attempts -= 1
    case .failed(let fault):
      job.lastError = "\(fault)"
      let again = !job.isManual && job.attempts < limits.attemptsMax && fault.kind != .unsupported
      job.state = again ? .waiting : .failed
      if again { job.nextRunMicros = now + backOff(attempts: job.attempts) }
    }
    jobs[id] = job
    return job
  }

  /// Doubling, up to a maximum, half of it random: jobs that failed together do not come back together.
  private mutating func backOff(attempts: Int) -> Int64 {
    precondition(attempts >= 1)
    let doubled = limits.backOffMicros.multipliedReportingOverflow(by: 1 << Int64(min(attempts - 1, 40)))
    let whole = doubled.overflow ? limits.backOffMicrosMax : min(doubled.partialValue, limits.backOffMicrosMax)
    return whole / 2 + Int64(random.next() % UInt64(max(1, whole / 2) + 1))
  }

  /// Cancels a job that does not run. False when it runs (its control must be told) or has ended.
  mutating func cancelUnstarted(_ id: Int64, now: Int64) -> JobRecord? {
    guard var job = jobs[id], job.state == .queued || job.state == .waiting else { return nil }
    job.state = .cancelled
    job.finishedMicros = now
    jobs[id] = job
    return job
  }

  /// Notes work that another loop has done.
  mutating func note(_ job: JobRecord) { jobs[job.id] = job }
  mutating func takeID() -> Int64 {
    defer { nextID += 1 }
    return nextID
  }

  /// The last end of a kind of job for a table: what the next is counted from.
  func lastEnded(_ kind: JobKind, table: String) -> JobRecord? {
    jobs.values.filter { $0.kind == kind && $0.table == table && $0.state.isEnded }
      .max { ($0.finishedMicros ?? 0, $0.id) < ($1.finishedMicros ?? 0, $1.id) }
  }

  /// Lets the oldest ended jobs go; returns their ids. The newest of each kind and table stays.
  mutating func trim() -> [Int64] {
    let ended = jobs.values.filter(\.state.isEnded)
    guard ended.count > limits.historyMax else { return [] }
    var newest: [String: Int64] = [:]
    for job in ended { newest["\(job.kind) \(job.table)"] = max(newest["\(job.kind) \(job.table)"] ?? 0, job.id) }
    let kept = Set(newest.values)
    let gone = ended.map(\.id).filter { !kept.contains($0) }.sorted().prefix(ended.count - limits.historyMax)
    for id in gone { jobs[id] = nil }
    return Array(gone)
  }
}
