// A flag that stops a statement. Set once by a cancel request, a timeout or a vanished client; read at every chunk.

package import Bedrock
import Synchronization

package final class Cancellation: Sendable {
  package enum Reason: UInt8, Sendable {
    case none = 0, userRequest, statementTimeout, clientGone, shutdown
  }
  private let reason = Atomic<UInt8>(0)

  package init() {}

  /// The first reason stays.
  package func cancel(_ why: Reason) {
    _ = reason.compareExchange(expected: 0, desired: why.rawValue, ordering: .acquiringAndReleasing)
  }

  package var isCancelled: Bool { reason.load(ordering: .relaxed) != 0 }

  /// Throws 57014 (57P01 on shutdown) once cancelled. Costs one relaxed load.
  package func check() throws(Fault) {
    let why = reason.load(ordering: .relaxed)
    if why == 0 { return }
    switch Reason(rawValue: why) ?? .none {
    case .statementTimeout: throw Fault(.queryCanceled, "canceling statement due to statement timeout")
    case .shutdown: throw Fault(.adminShutdown, "terminating connection due to administrator command")
    case .none, .userRequest, .clientGone: throw Fault(.queryCanceled, "canceling statement due to user request")
    }
  }
}
