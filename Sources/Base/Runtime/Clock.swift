// The only maker of time. Everything else takes a `Clock`.

import Bedrock
import Glibc
import Synchronization

package struct Clock: Sendable {
  private let wall: @Sendable () -> Int64
  private let steady: @Sendable () -> UInt64

  /// Microseconds since 1970-01-01 UTC.
  package func nowMicros() -> Int64 { wall() }
  /// Nanoseconds from an arbitrary start; never falls.
  package func monotonicNanos() -> UInt64 { steady() }

  package static let system = Clock(
    wall: {
      var now = timespec()
      clock_gettime(CLOCK_REALTIME, &now)
      return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1_000
    },
    steady: {
      var now = timespec()
      clock_gettime(CLOCK_MONOTONIC, &now)
      return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    })

  /// A clock that stands still until it is set, for tests.
  package static func manual(startMicros: Int64) -> (clock: Clock, set: @Sendable (Int64) -> Void) {
    final class Hand: Sendable {
      let micros: Atomic<Int64>
      init(_ micros: Int64) { self.micros = Atomic(micros) }
    }
    let hand = Hand(startMicros)
    let clock = Clock(
      wall: { hand.micros.load(ordering: .acquiring) },
      steady: { UInt64(clamping: hand.micros.load(ordering: .acquiring)) &* 1_000 })
    return (clock, { hand.micros.store($0, ordering: .releasing) })
  }
}
