// Bytes that a query, a tier or the process may hold. Reserve before allocating, at chunk granularity.

package import Bedrock
import Synchronization

package final class MemoryBudget: Sendable {
  package let name: String
  package let bytesMax: Int
  private let used = Atomic<Int>(0)
  private let parent: MemoryBudget?

  package init(name: String, bytesMax: Int, parent: MemoryBudget? = nil) {
    precondition(bytesMax > 0)
    self.name = name
    self.bytesMax = bytesMax
    self.parent = parent
  }

  package var bytesUsed: Int { used.load(ordering: .relaxed) }

  /// Throws 53200 and reserves nothing when the budget, or a parent's, would be passed.
  package func reserve(_ bytes: Int) throws(Fault) {
    precondition(bytes >= 0)
    let before = used.add(bytes, ordering: .relaxed).oldValue
    guard before + bytes <= bytesMax else {
      used.subtract(bytes, ordering: .relaxed)
      throw Fault(
        .outOfMemory, "out of memory: \(name) may hold \(bytesMax) bytes",
        detail: "\(before) bytes are in use and \(bytes) more are needed.",
        hint: "Reduce the rows that the statement groups, sorts or joins, or raise the budget in the configuration.")
    }
    if let parent {
      do { try parent.reserve(bytes) } catch {
        used.subtract(bytes, ordering: .relaxed)
        throw error
      }
    }
  }

  package func release(_ bytes: Int) {
    precondition(bytes >= 0)
    let after = used.subtract(bytes, ordering: .relaxed).newValue
    precondition(after >= 0, "more released than reserved")
    parent?.release(bytes)
  }
}
