// Which versions of a table are being read in this process: what vacuum must leave alone whatever its retention.
//
// A snapshot lives as long as a statement, a cursor or a job holds it; a scan and its readers hold theirs. The references
// here are weak, so nothing has to be given back.

import Synchronization

final class LiveSnapshots: Sendable {
  private struct Reference: Sendable {
    weak let snapshot: LakeSnapshot?
  }
  private struct State: Sendable {
    var references: [Reference] = []
    /// References at which those that ended are taken out.
    var sweepAt = 64
  }
  private let state = Mutex(State())

  func add(_ snapshot: LakeSnapshot) {
    state.withLock { state in
      if state.references.count >= state.sweepAt {
        state.references.removeAll { $0.snapshot == nil }
        state.sweepAt = max(64, 2 * state.references.count)
      }
      state.references.append(Reference(snapshot: snapshot))
    }
  }

  /// Those that are alive.
  var all: [LakeSnapshot] { state.withLock { $0.references.compactMap(\.snapshot) } }
}
