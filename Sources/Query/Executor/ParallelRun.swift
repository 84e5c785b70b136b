// Several threads over the parts of one source.
//
// The statement's own thread always works too, so a busy pool only makes it slower, never stuck; pool threads come as
// guests and go when the parts are out. Nothing here ever waits while it holds a pool thread.

import Bedrock
import Columnar
import Runtime

/// Work on all parts of a source, spread over threads; each thread has its own sink, and all sinks come back.
// unchecked Sendable because every mutable field is used only while `gate` is locked.
final class ParallelRun<Sink: AnyObject>: @unchecked Sendable {
  private let source: any RowSource
  private let makeSink: @Sendable () throws(Fault) -> Sink
  private let consume: @Sendable (Sink, Chunk) throws(Fault) -> Void
  private let gate = Gate()
  private var nextPart = 0
  private var active = 0
  private var isClosed = false
  private var sinks: [Sink] = []
  private var fault: Fault?

  private init(
    _ source: any RowSource, makeSink: @escaping @Sendable () throws(Fault) -> Sink,
    consume: @escaping @Sendable (Sink, Chunk) throws(Fault) -> Void
  ) {
    self.source = source
    self.makeSink = makeSink
    self.consume = consume
  }

  /// Reads every part of the prepared `source`. At least one sink is returned.
  static func run(
    _ source: any RowSource, pool: WorkerPool, isSerial: Bool = false,
    makeSink: @escaping @Sendable () throws(Fault) -> Sink,
    consume: @escaping @Sendable (Sink, Chunk) throws(Fault) -> Void
  ) throws(Fault) -> [Sink] {
    let run = ParallelRun(source, makeSink: makeSink, consume: consume)
    if !isSerial {
      for _ in 1..<max(1, min(pool.threadCount, source.partCount)) {
        // weak: a guest that comes after the end must not keep the run's rows, and its share of the budget, alive
        pool.submit { [weak run] in run?.visit() }
      }
    }
    run.work()
    return try run.close()
  }

  /// A guest from the pool: does nothing when it comes too late.
  private func visit() {
    gate.lock()
    let isLate = isClosed || nextPart >= source.partCount || fault != nil
    if !isLate { active += 1 }
    gate.unlock()
    if isLate { return }
    work()
    gate.lock()
    active -= 1
    gate.wakeAll()
    gate.unlock()
  }

  private func takePart() -> Int? {
    gate.lock()
    defer { gate.unlock() }
    if fault != nil || nextPart >= source.partCount { return nil }
    nextPart += 1
    return nextPart - 1
  }

  private func work() {
    do throws(Fault) {
      let sink = try makeSink()
      while let part = takePart() {
        let cursor = try source.open(part)
        while let chunk = try cursor.next() { try consume(sink, chunk) }
      }
      gate.lock()
      sinks.append(sink)
      gate.unlock()
    } catch {
      gate.lock()
      // the first fault is the statement's; others follow from it
      if fault == nil { fault = error }
      gate.unlock()
    }
  }

  private func close() throws(Fault) -> [Sink] {
    gate.lock()
    defer { gate.unlock() }
    while active > 0 { gate.wait() }
    isClosed = true
    if let fault { throw fault }
    return sinks
  }
}
