// Waiting for time itself to pass: rate limits and back-off before another try. Never to wait for a condition: that is
// what `Monitor` is for.

package import Bedrock
import Glibc

package enum Pause {
  /// Blocks the calling thread for that long of real time, signals notwithstanding. Not on event loops.
  package static func micros(_ micros: Int64) {
    precondition(micros >= 0)
    var pause = timespec(tv_sec: Int(micros / 1_000_000), tv_nsec: Int(micros % 1_000_000) * 1_000)
    var left = timespec()
    while nanosleep(&pause, &left) != 0 && errno == EINTR { pause = left }
  }
}

/// Holds a loop back to a rate: event n is due n / rate seconds after the start, so a late one is caught up.
package struct Pace: Sendable {
  private let ratePerSecond: Double
  private let clock: Clock
  private let startNanos: UInt64
  /// How long to sleep at most before a cancellation is looked at again.
  private static let napMicrosMax: Int64 = 50_000

  /// `ratePerSecond` 0: no limit.
  package init(ratePerSecond: Double, clock: Clock) {
    precondition(ratePerSecond >= 0)
    self.ratePerSecond = ratePerSecond
    self.clock = clock
    startNanos = clock.monotonicNanos()
  }

  /// Blocks until event number `count` + 1 is due. Throws 57014 once cancelled.
  package func wait(after count: Int, _ cancellation: Cancellation? = nil) throws(Fault) {
    guard ratePerSecond > 0 else { return }
    // Over 292 years away is as good as never.
    let due = startNanos &+ UInt64(min(Double(count) / ratePerSecond * 1e9, 0x1p62))
    while true {
      let now = clock.monotonicNanos()
      guard due > now else { return }
      try cancellation?.check()
      Pause.micros(min(Int64((due - now) / 1_000) + 1, Self.napMicrosMax))
    }
  }
}
