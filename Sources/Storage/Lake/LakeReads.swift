// Reads of data files: neighbouring ranges in one call, several calls at once, and ahead of time.
//
// Ranges with less than a gap between them become one read; the gap is thrown away. A store where a call is dear says a
// wider gap. The reads of one request are taken by a small pool of threads and by whoever waits for them, so that a
// request never waits for a pool that is busy with other requests, and works without a pool at all.
//
//   begin(path, ranges) ──► PendingReads ── threads claim one read after the other ──► wait() ── pieces or the first fault
//                                └── cancel(): reads that nobody claimed are never made

import Bedrock
import Columnar
import ObjectStore
import ParquetFormat
import Runtime
import Synchronization

final class LakeReads: Sendable {
  let store: any ObjectStore
  private let threadCount: Int
  private let pool = Mutex<WorkerPool?>(nil)

  /// - Parameter threadCount: of the pool, made when it is first needed; 0: none.
  init(store: any ObjectStore, threadCount: Int) {
    precondition(threadCount >= 0)
    self.store = store
    self.threadCount = threadCount
  }

  /// Bytes read at once at most: a longer read is several, so that they overlap.
  static let readBytesMax = 16 << 20

  /// Ranges joined where less than `gapMax` bytes lie between them. `ranges` may overlap and come in any order.
  static func coalesce(_ ranges: [Range<Int>], gapMax: Int) -> [Range<Int>] {
    var joined: [Range<Int>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) where !range.isEmpty {
      if let last = joined.last, range.lowerBound - last.upperBound <= gapMax,
        max(range.upperBound, last.upperBound) - last.lowerBound <= readBytesMax || range.lowerBound < last.upperBound
      {
        joined[joined.count - 1] = last.lowerBound..<max(range.upperBound, last.upperBound)
      } else {
        joined.append(range)
      }
    }
    return joined
  }

  /// Starts reading on the pool. `wait` gives the pieces.
  func begin(_ path: ObjectPath, _ ranges: [Range<Int>]) -> PendingReads {
    let pending = PendingReads(store: store, path: path, ranges: Self.coalesce(ranges, gapMax: store.readGapBytes))
    for _ in 0..<min(threadCount, pending.readCount) { submit { pending.help() } }
    return pending
  }

  /// Reads now; the calling thread makes the only read itself.
  func read(_ path: ObjectPath, _ ranges: [Range<Int>]) throws(Fault) -> [ParquetPiece] {
    let pending = PendingReads(store: store, path: path, ranges: Self.coalesce(ranges, gapMax: store.readGapBytes))
    for _ in 1..<max(1, min(threadCount + 1, pending.readCount)) { submit { pending.help() } }
    return try pending.wait()
  }

  /// Calls `body` with 0..<count, on several threads at once, and returns when all calls have; the first fault is thrown.
  func forEach(_ count: Int, _ body: @escaping @Sendable (Int) throws(Fault) -> Void) throws(Fault) {
    let tasks = SharedTasks(count: count, body)
    for _ in 1..<max(1, min(threadCount + 1, count)) { submit { tasks.help() } }
    try tasks.wait()
  }

  /// Runs a job on the pool; false when there is none.
  @discardableResult
  func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
    if threadCount == 0 { return false }
    let pool = pool.withLock { pool in
      if let pool { return pool }
      let made = WorkerPool(name: "lake reads", threadCount: threadCount, stackBytes: 1 << 20)
      pool = made
      return made
    }
    pool.submit(job)
    return true
  }
}

/// Numbered tasks that any number of threads take one by one. One of them waits for all.
final class SharedTasks: Sendable {
  private let body: @Sendable (Int) throws(Fault) -> Void
  let count: Int
  private let claimed = Atomic<Int>(0)
  private let isCancelled = Atomic<Bool>(false)
  // unchecked because every access holds the gate.
  private final class Progress: @unchecked Sendable {
    let gate = Gate()
    var done = 0
    var fault: Fault?
  }
  private let progress = Progress()

  init(count: Int, _ body: @escaping @Sendable (Int) throws(Fault) -> Void) {
    precondition(count >= 0)
    self.count = count
    self.body = body
  }

  /// Takes tasks until none is left. After a fault or a cancel the rest is claimed but not run.
  func help() {
    while true {
      let task = claimed.add(1, ordering: .relaxed).oldValue
      guard task < count else { return }
      var fault: Fault?
      if !isCancelled.load(ordering: .relaxed) {
        do throws(Fault) { try body(task) } catch {
          fault = error
          isCancelled.store(true, ordering: .relaxed)
        }
      }
      progress.gate.withLock {
        progress.done += 1
        if progress.fault == nil { progress.fault = fault }
        if progress.done == count { progress.gate.wakeAll() }
      }
    }
  }

  /// Takes part, then waits for the others.
  func wait() throws(Fault) {
    help()
    let fault = progress.gate.withLock {
      while progress.done < count { progress.gate.wait() }
      return progress.fault
    }
    if let fault { throw fault }
  }

  func cancel() { isCancelled.store(true, ordering: .relaxed) }
}

/// The reads of one request.
final class PendingReads: Sendable {
  private final class Slots: Sendable {
    let pieces: Mutex<[ParquetPiece?]>
    init(_ count: Int) { pieces = Mutex([ParquetPiece?](repeating: nil, count: count)) }
  }
  private let ranges: [Range<Int>]
  private let slots: Slots
  private let tasks: SharedTasks
  var readCount: Int { ranges.count }
  var byteCount: Int { ranges.reduce(0) { $0 + $1.count } }

  init(store: any ObjectStore, path: ObjectPath, ranges: [Range<Int>]) {
    self.ranges = ranges
    let slots = Slots(ranges.count)
    self.slots = slots
    tasks = SharedTasks(count: ranges.count) { (index) throws(Fault) in
      let range = ranges[index]
      let bytes = try Buffer(uninitializedByteCount: range.count) { (raw) throws(Fault) in
        try store.read(path, at: Int64(range.lowerBound), into: raw)
      }
      slots.pieces.withLock { $0[index] = ParquetPiece(fileOffset: range.lowerBound, bytes: bytes) }
    }
  }

  func help() { tasks.help() }
  func cancel() { tasks.cancel() }

  /// The bytes, in the order of the file; waits for them. The fault of a cancelled request is 57014.
  func wait() throws(Fault) -> [ParquetPiece] {
    try tasks.wait()
    let pieces = slots.pieces.withLock { $0.compactMap { $0 } }
    guard pieces.count == ranges.count else { throw Fault(.queryCanceled, "a read of the lake was cancelled") }
    return pieces
  }
}
