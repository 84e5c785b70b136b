// BEGIN, COMMIT, ROLLBACK and savepoints.

import Bedrock
import SQLSyntax

extension Session {
  func runTransaction(_ command: TransactionStatement) throws(Fault) -> Outcome {
    switch command.action {
    case .begin, .start:
      if !transaction.begin() {
        notice(.warning, .activeSQLTransaction, "there is already a transaction in progress")
      }
      try apply(command.modes, prefix: "", isLocal: true)
      return .command(command.action == .begin ? "BEGIN" : "START TRANSACTION")
    case .commit: return try end(commit: true, isChained: command.isChained)
    case .rollback: return try end(commit: false, isChained: command.isChained)
    case .savepoint(let name):
      try transaction.savepoint(name, settings: settings, tables: tables)
      return .command("SAVEPOINT")
    case .release(let name):
      try transaction.release(name)
      return .command("RELEASE")
    case .rollbackTo(let name):
      let saved = try transaction.rollback(to: name)
      settings = saved.settings
      tables = saved.tables
      return .command("ROLLBACK")
    case .prepare, .commitPrepared, .rollbackPrepared: throw .unsupported("two-phase commit")
    }
  }

  private func end(commit: Bool, isChained: Bool) throws(Fault) -> Outcome {
    let state = transaction.state
    if state == .implicit {
      if isChained {
        throw Fault(
          .noActiveTransaction, "\(commit ? "COMMIT" : "ROLLBACK") AND CHAIN can only be used in transaction blocks")
      }
      notice(.warning, .noActiveTransaction, "there is no transaction in progress")
    }
    let succeeded = commit && state != .failed
    if succeeded {
      do throws(Fault) { try commitTables() } catch {
        endTransaction(commit: false)
        throw error
      }
    }
    endTransaction(commit: succeeded)
    if isChained {
      enterTransaction()
      _ = transaction.begin()
    }
    return .command(succeeded ? "COMMIT" : "ROLLBACK")
  }
}
