// What other engines commit to the lake's tables, taken over before a snapshot: the next statement sees it.
//
// For each table one look whether its log goes on behind the version that readers have (LakeTable.hasNewer: a system call
// in a folder, a request now and then in a bucket). Only then is the log read and a new cut published, by the rules of
// `adoptLake`. A version that cannot be taken over is a fault of the statements that read the table; while the store
// cannot be asked, statements see what is known, which is a whole version too, and the log says so.

import Bedrock
import EventSchema
import Logging
import Runtime
import StorageContract
import Synchronization

extension StorageEngine {
  /// Tables whose newest version cannot be read, with the reason.
  func followLake() throws(Fault) -> [TableID: Fault] {
    guard let cut = currentCut() else { return [:] }
    var faults: [TableID: Fault] = [:]
    for (id, table) in cut.tables where table.cold.version >= 0 {
      do throws(Fault) {
        if try table.coldTable.hasNewer(than: table.cold.version) { try adoptLake(table: id) }
      } catch {
        guard error.kind == .tryLater || error.state == .ioError else {
          faults[id] = error
          continue
        }
        warn(table.entry.newest.name, error)
      }
    }
    return faults
  }

  /// Once in ten seconds, however many statements meet it.
  private func warn(_ table: String, _ fault: Fault) {
    let now = options.clock.monotonicNanos()
    let last = followWarnedNanos.load(ordering: .relaxed)
    guard last == 0 || now &- last >= 10_000_000_000 else { return }
    followWarnedNanos.store(max(now, 1), ordering: .relaxed)
    options.log.warning("the newest version in the lake is not known", metadata: ["table": "\(table)", "fault": "\(fault)"])
  }
}
