// The rows of a running statement, pulled by its session.
//
// The session's thread reads parts itself; guests from the pool read ahead into a short queue. A guest that finds the
// queue full parks its cursor and leaves, so a slow client never holds a pool thread. Dropping the stream stops all.

package import Bedrock
package import Columnar
import Runtime

// unchecked Sendable because every mutable field is used only while `gate` is locked; `next` is called by one thread.
package final class ResultStream: @unchecked Sendable {
  /// What the guests share with the stream, and outlives it for as long as one of them is at work.
  private final class Shared: @unchecked Sendable {
    // unchecked for the same reason.
    let source: any RowSource
    let environment: QueryEnvironment
    let gate = Gate()
    var nextPart = 0
    var parked: [any Cursor] = []
    var ready: [Chunk] = []
    var active = 0
    var isClosed = false
    var fault: Fault?
    let readyMax: Int
    let guestMax: Int

    init(_ source: any RowSource, _ environment: QueryEnvironment) {
      self.source = source
      self.environment = environment
      let isParallel = !source.isOrdered && source.partCount > 1
      guestMax = isParallel ? min(environment.pool.threadCount, source.partCount) - 1 : 0
      readyMax = 4 * max(guestMax, 1)
    }

    /// A cursor to go on with; call while locked.
    func take() -> (cursor: (any Cursor)?, part: Int?) {
      if let cursor = parked.popLast() { return (cursor, nil) }
      if nextPart < source.partCount {
        nextPart += 1
        return (nil, nextPart - 1)
      }
      return (nil, nil)
    }

    func visit() {
      gate.lock()
      var current: (any Cursor)?
      while !isClosed && fault == nil && ready.count < readyMax {
        if current == nil {
          let (cursor, part) = take()
          guard cursor != nil || part != nil else { break }
          current = cursor
          if let part {
            gate.unlock()
            let opened = Result { () throws(Fault) in try source.open(part) }
            gate.lock()
            switch opened {
            case .success(let cursor): current = cursor
            case .failure(let error): fault = fault ?? error
            }
            continue
          }
        }
        guard let cursor = current else { break }
        gate.unlock()
        let step = Result { () throws(Fault) in try cursor.next() }
        gate.lock()
        switch step {
        case .success(.some(let chunk)):
          ready.append(chunk)
          gate.wakeAll()
        case .success(.none): current = nil
        case .failure(let error):
          fault = fault ?? error
          current = nil
        }
      }
      if let current, !isClosed { parked.append(current) }
      active -= 1
      gate.wakeAll()
      gate.unlock()
    }
  }

  /// Names and types are the plan's.
  private let shared: Shared
  private var current: (any Cursor)?

  init(_ source: any RowSource, _ environment: QueryEnvironment) { shared = Shared(source, environment) }

  deinit {
    shared.gate.lock()
    shared.isClosed = true
    shared.parked = []
    shared.ready = []
    shared.gate.unlock()
  }

  /// The next rows; `nil` at the end. Blocks; call it from a thread that may block, never from the scan pool.
  package func next() throws(Fault) -> Chunk? {
    try shared.environment.cancellation.check()
    let load = shared.environment.load
    load.begin()
    defer { load.end() }
    while true {
      shared.gate.lock()
      if let fault = shared.fault {
        shared.gate.unlock()
        throw fault
      }
      if !shared.ready.isEmpty {
        let chunk = shared.ready.removeFirst()
        inviteGuests()
        shared.gate.unlock()
        return chunk
      }
      if current == nil {
        let (cursor, part) = shared.take()
        if cursor == nil && part == nil {
          if shared.active == 0 {
            shared.gate.unlock()
            return nil
          }
          // only guests have rows left
          shared.gate.wait()
          shared.gate.unlock()
          continue
        }
        current = cursor
        inviteGuests()
        shared.gate.unlock()
        if let part { current = try shared.source.open(part) }
      } else {
        shared.gate.unlock()
      }
      if let chunk = try current?.next() { return chunk }
      current = nil
    }
  }

  /// Call while locked.
  private func inviteGuests() {
    guard shared.ready.count * 2 <= shared.readyMax else { return }
    while shared.active < shared.guestMax && (shared.nextPart < shared.source.partCount || !shared.parked.isEmpty) {
      shared.active += 1
      let shared = shared
      shared.environment.pool.submit { [weak shared] in shared?.visit() }
      if shared.active >= shared.source.partCount { break }
    }
  }
}
