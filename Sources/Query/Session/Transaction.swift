// Where a session stands between BEGIN and COMMIT.
//
//   idle ──statement──► implicit ──end of the message or Sync──► idle
//   idle, implicit ──BEGIN──► block ──error──► failed
//   block ──COMMIT, ROLLBACK──► idle          failed ──COMMIT (= ROLLBACK), ROLLBACK──► idle
//   failed ──ROLLBACK TO──► block
//
// Invariants:
//  1. Settings change back on rollback: `saved` is what they were when the transaction began.
//  2. REPEATABLE READ and SERIALIZABLE see one storage snapshot, taken by their first query; the other levels take a
//     snapshot per statement.

import Bedrock
import StorageContract

struct Transaction {
  enum State: Sendable { case idle, implicit, block, failed }

  struct Savepoint {
    let name: String
    let settings: Settings
    let tables: SessionTables
  }

  private(set) var state = State.idle
  /// now(), µs since 1970.
  private(set) var startMicros: Int64 = 0
  private(set) var savepoints: [Savepoint] = []
  private var saved = Settings()
  var snapshot: (any StorageSnapshot)?
  /// What a transaction with one snapshot has opened besides.
  var opened: OpenedSources?

  /// Makes sure that there is a transaction for a statement.
  mutating func enter(nowMicros: Int64, settings: Settings) {
    guard state == .idle else { return }
    state = .implicit
    startMicros = nowMicros
    saved = settings
  }

  /// BEGIN. Gives false when a block is open already (WARNING 25001).
  mutating func begin() -> Bool {
    precondition(state == .implicit || state == .block, "BEGIN runs inside the transaction that `enter` made")
    defer { state = .block }
    return state == .implicit
  }

  /// A statement failed.
  mutating func fail() {
    if state == .block { state = .failed }
  }

  /// Ends the transaction and gives the settings that hold after it.
  mutating func end(commit: Bool, settings: Settings) -> Settings {
    var after = commit && state != .failed ? settings : saved
    after.endTransaction()
    state = .idle
    savepoints = []
    snapshot = nil
    opened = nil
    return after
  }

  mutating func savepoint(_ name: String, settings: Settings, tables: SessionTables = SessionTables()) throws(Fault) {
    guard state == .block else {
      throw Fault(.noActiveSQLTransaction, "SAVEPOINT can only be used in transaction blocks")
    }
    guard savepoints.count < Limits.portalsMax else {
      throw Fault(.programLimitExceeded, "too many savepoints")
    }
    savepoints.append(Savepoint(name: name, settings: settings, tables: tables))
  }

  mutating func release(_ name: String) throws(Fault) {
    guard state == .block else {
      throw Fault(.noActiveSQLTransaction, "RELEASE SAVEPOINT can only be used in transaction blocks")
    }
    savepoints.removeSubrange(try index(of: name)...)
  }

  /// ROLLBACK TO: gives what was then.
  mutating func rollback(to name: String) throws(Fault) -> Savepoint {
    guard state == .block || state == .failed else {
      throw Fault(.noActiveSQLTransaction, "ROLLBACK TO SAVEPOINT can only be used in transaction blocks")
    }
    let index = try index(of: name)
    savepoints.removeSubrange((index + 1)...)
    state = .block
    return savepoints[index]
  }

  private func index(of name: String) throws(Fault) -> Int {
    guard let index = savepoints.lastIndex(where: { $0.name == name }) else {
      throw Fault(.invalidSavepoint, "savepoint \"\(name)\" does not exist")
    }
    return index
  }
}

extension SQLState {
  static let invalidSavepoint = SQLState("3B001")
  static let noActiveTransaction = SQLState.noActiveSQLTransaction
}
