// Named places where a test may make the process die, to prove that a crash between any two steps loses nothing.
//
// CRAMPED_FAULT_POINT=flush.committed:3 kills the process (SIGKILL, as a power cut would) the third time it passes
// the point. Unset, a point costs one load.

import Glibc
import Synchronization

package enum FaultPoint {
  private final class Armed: Sendable {
    let name: String
    let remaining: Atomic<Int>
    init(name: String, remaining: Int) {
      self.name = name
      self.remaining = Atomic(remaining)
    }
  }
  private static let armed: Armed? = {
    guard let raw = getenv("CRAMPED_FAULT_POINT") else { return nil }
    let parts = String(cString: raw).split(separator: ":")
    guard let name = parts.first else { return nil }
    return Armed(name: String(name), remaining: parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
  }()

  /// Dies here when armed for `name` and the count is reached.
  package static func pass(_ name: StaticString) {
    guard let armed, armed.name == name.description else { return }
    if armed.remaining.subtract(1, ordering: .sequentiallyConsistent).newValue == 0 { kill(getpid(), SIGKILL) }
  }
}
