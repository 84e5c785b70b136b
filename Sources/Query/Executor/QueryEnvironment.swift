// What all operators of one running statement share.

import Bedrock
import Columnar
import Functions
import Runtime
import StorageContract
import Synchronization

/// Rows of a finished subquery.
struct SubqueryResult: Sendable {
  let chunks: [Chunk]
  var rowCount: Int { chunks.reduce(0) { $0 + $1.rowCount } }
}

/// Immutable but for the memory account.
struct QueryEnvironment: Sendable {
  let context: FunctionContext
  let parameters: [Scalar]
  let snapshot: any StorageSnapshot
  let cancellation: Cancellation
  let memory: QueryMemory
  let pool: WorkerPool
  let load: QueryLoad
  var subqueries: [SubqueryResult] = []
  /// Of the correlated subquery that runs, if one does.
  var arguments: [Scalar] = []
  /// Of the plan that is made ready, when it is to be measured.
  var measures: PlanMeasures?
  /// The rows that each running recursion found last, by its number.
  var working: [Int: [Chunk]] = [:]
}

/// Bytes one statement holds of a budget; all go back when the last reference is dropped.
final class QueryMemory: Sendable {
  private let budget: MemoryBudget
  private let held = Atomic<Int>(0)
  init(budget: MemoryBudget) { self.budget = budget }

  func reserve(_ bytes: Int) throws(Fault) {
    if bytes <= 0 { return }
    try budget.reserve(bytes)
    held.add(bytes, ordering: .relaxed)
  }

  /// Gives back what was reserved and is not held any more.
  func release(_ bytes: Int) {
    if bytes <= 0 { return }
    budget.release(bytes)
    held.subtract(bytes, ordering: .relaxed)
  }

  deinit { budget.release(held.load(ordering: .relaxed)) }
}

extension Column {
  /// About how many bytes this column alone holds; shared dictionaries are not counted.
  var heldBytes: Int {
    switch form {
    case .fixed: count * (type.physical.width ?? 8)
    case .bytes: count * 4 + (count == 0 ? 0 : Int(offsets[count]))
    case .list(_, let elements): count * 4 + elements.heldBytes
    case .dictionary: count * 4
    case .constant: 64
    }
  }
}

extension Chunk {
  var heldBytes: Int { columns.reduce(64) { $0 + $1.heldBytes } }
}
