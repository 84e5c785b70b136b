// A wait that a stop ends early.

import Bedrock
import Glibc
import Synchronization

final class StopSignal: Sendable {
  /// A pipe that becomes readable when stopped.
  private let readEnd: Int32
  private let writeEnd: Int32
  private let stopped = Atomic<Bool>(false)

  init() {
    var ends: [Int32] = [-1, -1]
    precondition(pipe(&ends) == 0, "no pipe can be made")
    for end in ends { precondition(fcntl(end, F_SETFD, FD_CLOEXEC) == 0) }
    readEnd = ends[0]
    writeEnd = ends[1]
  }

  deinit {
    close(readEnd)
    close(writeEnd)
  }

  var isStopped: Bool { stopped.load(ordering: .acquiring) }

  func stop() {
    guard !stopped.exchange(true, ordering: .acquiringAndReleasing) else { return }
    var byte: UInt8 = 1
    _ = write(writeEnd, &byte, 1)  // an empty pipe takes one byte
  }

  /// Waits; true when stopped.
  func wait(milliseconds: Int) -> Bool {
    if isStopped { return true }
    var entry = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
    poll(&entry, 1, Int32(clamping: milliseconds))
    return isStopped
  }
}

/// How long to wait before the next try: doubling from 100 ms to 5 s, each shortened by a random half, so that servers
/// do not come back all at once.
struct BackOff {
  private var milliseconds = 100
  private static let millisecondsMax = 5_000

  mutating func next(using generator: inout some RandomNumberGenerator) -> Int {
    let wait = milliseconds / 2 + Int(generator.next(upperBound: UInt(milliseconds / 2 + 1)))
    milliseconds = min(milliseconds * 2, Self.millisecondsMax)
    return wait
  }

  mutating func reset() { milliseconds = 100 }
}
