// The queue as a value: order, one job a table, back-off, restarts, bounded history.

import Bedrock
import Runtime
import Testing

@testable import Maintenance

@Suite struct JobBoardTests {
  private func board(_ stored: [JobRecord] = [], _ limits: JobLimits = JobLimits()) -> JobBoard {
    JobBoard(limits: limits, stored: stored, seed: 1)
  }

  @Test func thePriorityOfKindsIsTotal() {
    #expect(Set(JobKind.allCases.map(\.priority)).count == JobKind.allCases.count)
  }

  @Test func theMostUrgentJobOfAFreeTableGoesFirst() throws {
    var board = board()
    let slow = try board.add(.cluster, table: "a.b", now: 1).job
    let compact = try board.add(.compact, table: "a.b", now: 2).job
    let other = try board.add(.statistics, table: "c.d", now: 3).job
    #expect(board.start(now: 10)?.id == compact.id)
    // The table is taken: only the other table's job may run.
    #expect(board.start(now: 10)?.id == other.id)
    #expect(board.start(now: 10) == nil)
    _ = board.end(compact.id, .finished("done"), progress: JobProgress(), now: 11)
    #expect(board.start(now: 12)?.id == slow.id)
    #expect(board.jobs[compact.id]?.result == "done" && board.jobs[compact.id]?.finishedMicros == 11)
  }

  @Test func aJobThatWaitsIsNotQueuedTwice() throws {
    var board = board()
    let first = try board.add(.vacuum, table: "a.b", now: 1)
    let second = try board.add(.vacuum, table: "a.b", now: 2)
    #expect(first.isNew && !second.isNew && first.job.id == second.job.id)
    // SQL gets a job of its own.
    #expect(try board.add(.vacuum, table: "a.b", isManual: true, now: 2).isNew)
    var limits = JobLimits()
    limits.openMax = 1
    var small = self.board([], limits)
    _ = try small.add(.vacuum, table: "a.b", now: 1)
    #expect(throws: Fault.self) { try small.add(.compact, table: "a.b", now: 1) }
  }

  @Test func faultsBackOffWithJitterUpToALimit() throws {
    var limits = JobLimits()
    limits.attemptsMax = 6
    var board = board([], limits)
    let job = try board.add(.compact, table: "a.b", now: 0).job
    var now: Int64 = 0
    var waits: [Int64] = []
    for attempt in 1...6 {
      #expect(board.start(now: now)?.attempts == attempt)
      let failed = board.end(job.id, .failed(Fault(.ioError, "the disk went away")), progress: JobProgress(), now: now)
      let ended = try #require(failed)
      #expect(ended.lastError?.contains("the disk went away") == true)
      if attempt == 6 {
        #expect(ended.state == .failed)
        break
      }
      #expect(ended.state == .waiting && board.start(now: ended.nextRunMicros - 1) == nil)
      waits.append(ended.nextRunMicros - now)
      now = ended.nextRunMicros
    }
    for (index, wait) in waits.enumerated() {
      let whole = limits.backOffMicros << Int64(index)
      #expect(wait >= whole / 2 && wait <= whole)
    }
    // What is not offered will not be offered a minute later.
    let other = try board.add(.compact, table: "c.d", now: 0).job
    _ = board.start(now: 0)
    #expect(board.end(other.id, .failed(.unsupported("this")), progress: JobProgress(), now: 1)?.state == .failed)
  }

  @Test func aRestartQueuesWhatWasRunning() throws {
    var board = board()
    let first = try board.add(.compact, table: "a.b", now: 1).job
    let manual = try board.add(.vacuum, table: "c.d", isManual: true, now: 1).job
    let dry = try board.add(.vacuum, table: "e.f", arguments: JobArguments(isDryRun: true), isManual: true, now: 1).job
    _ = board.start(now: 2)
    _ = board.start(id: manual.id, now: 2)
    _ = board.start(id: dry.id, now: 2)
    let stored = try board.jobs.values.map { (job) throws(Fault) in try JobRecord(encoded: job.encoded) }
    var next = self.board(stored)
    #expect(next.jobs[first.id]?.state == .queued && next.jobs[manual.id]?.state == .queued)
    #expect(next.jobs[dry.id]?.state == .cancelled)
    #expect(next.start(now: 3)?.id == first.id)
    #expect(next.start(now: 3)?.id == manual.id)
    #expect(try next.add(.compact, table: "g.h", now: 3).job.id > dry.id)
  }

  @Test func stoppingTheServerCostsNoAttempt() throws {
    var board = board()
    let job = try board.add(.compact, table: "a.b", now: 1).job
    _ = board.start(now: 1)
    #expect(board.end(job.id, .interrupted, progress: JobProgress(), now: 2)?.state == .queued)
    #expect(board.start(now: 3)?.attempts == 1)
  }

  @Test func historyIsBoundedAndKeepsTheNewestOfEachKind() throws {
    var limits = JobLimits()
    limits.historyMax = 10
    var board = board([], limits)
    let vacuum = try board.add(.vacuum, table: "a.b", now: 0).job
    _ = board.start(now: 0)
    _ = board.end(vacuum.id, .finished(nil), progress: JobProgress(), now: 0)
    var gone: [Int64] = []
    for round in 1...40 {
      let job = try board.add(.compact, table: "a.b", now: Int64(round)).job
      _ = board.start(now: Int64(round))
      _ = board.end(job.id, .finished(nil), progress: JobProgress(), now: Int64(round))
      gone += board.trim()
    }
    #expect(board.jobs.count == 10 && gone.count == 31)
    #expect(board.jobs[vacuum.id] != nil && board.lastEnded(.compact, table: "a.b")?.finishedMicros == 40)
  }

  @Test func recordsComeBackAsTheyWere() throws {
    var job = JobRecord(
      id: 7, kind: .vacuum, table: "shop.order", arguments: JobArguments(retentionMicros: 5, isDryRun: true, isFull: true),
      isManual: true, createdMicros: 99)
    job.state = .waiting
    job.progress.rows = 1
    job.progress.bytes = 2
    job.progress.rowsTotal = 3
    job.startedMicros = 4
    job.attempts = 3
    job.lastError = "ä\n\"x\""
    job.result = nil
    job.nextRunMicros = 1_000
    #expect(try JobRecord(encoded: job.encoded) == job)
    for length in 0..<job.encoded.count {
      #expect(throws: Fault.self) { try JobRecord(encoded: Array(job.encoded.prefix(length))) }
    }
    var wrong = job.encoded
    wrong[0] = 99
    #expect(throws: Fault.self) { try JobRecord(encoded: wrong) }
  }
}
