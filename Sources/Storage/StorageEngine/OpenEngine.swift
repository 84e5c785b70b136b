// Opening: read every record, then finish what a crash left between a commit of the lake and the deletion of hot chunks.

import Bedrock
import EventSchema
import HotTier
import Runtime
import StorageContract

extension WriterState {
  /// Opens the hot tier and recovers. Throws XX001 when the lake is behind what the hot tier has deleted.
  static func open(_ options: StorageEngine.Options, cold: any ColdTier) throws(Fault) -> WriterState {
    let hot = try HotTier(options.hot)
    do {
      var state = try load(hot, cold: cold)
      try state.recoverFlushes(options)
      return state
    } catch {
      // Nobody else has a view yet but those of this call, which are gone: closing cannot wait for long.
      try hot.close(timeoutMicros: 1_000_000)
      throw error
    }
  }

  private static func load(_ hot: HotTier, cold: any ColdTier) throws(Fault) -> WriterState {
    var view = try hot.view()
    let instance: String
    if let stored = try view.record(RecordKey.instance) {
      instance = String(decoding: stored, as: UTF8.self)
    } else {
      instance = Entropy.bytes(16).map { byte in
        let text = String(byte, radix: 16)
        return text.count == 1 ? "0" + text : text
      }.joined()
      var change = HotWrite()
      change.records.append((key: RecordKey.instance, value: Array(instance.utf8)))
      view = try hot.write(change)
    }
    var state = WriterState(hot: hot, instance: instance, view: view)
    try view.forEachRecord(prefix: RecordKey.marks) { (key, value) throws(Fault) in
      state.marks[RecordKey.shard(of: key)] = try mark(value)
    }
    if let next = try view.record(RecordKey.nextErrorID) {
      var reader = RecordReader(next)
      state.nextErrorID = try reader.integer()
    }
    try state.loadTables(cold)
    for (table, (set, records)) in try SeenRecords.load(view) {
      state.seen[table] = set
      state.seenRecords[table] = records
    }
    return state
  }

  private mutating func loadTables(_ cold: any ColdTier) throws(Fault) {
    var entries: [TableID: TableEntry] = [:]
    try view.forEachRecord(prefix: RecordKey.schemas) { (key, value) throws(Fault) in
      let id = try RecordKey.table(of: key)
      let schema = try SchemaCoding.decode(value)
      // Keys come in order of version.
      if var entry = entries.removeValue(forKey: id) {
        guard schema.version == entry.schemas.count + 1 else { throw .corrupt("a version of \(schema.name) is missing") }
        entry.append(schema)
        entries[id] = entry
      } else {
        guard schema.version == 1 else { throw .corrupt("the first version of \(schema.name) is missing") }
        entries[id] = TableEntry(id: id, first: schema)
      }
    }
    for (id, entry) in entries {
      let coldTable = try cold.table(domain: entry.newest.domain, entity: entry.newest.entity)
      var table = CutTable(
        entry: entry, cold: try coldTable.refresh(), coldTable: coldTable, coldPosition: -1)
      if let owner = try view.record(RecordKey.owner(id)) {
        table.owner = ShardID(name: String(decoding: owner, as: UTF8.self))
      }
      if let mark = try view.record(RecordKey.tier(id)) { table.mark = try TierMark(mark) }
      if let owner = table.owner {
        table.coldPosition = table.cold.transactionVersion(appID: appID(entry.newest, owner: owner)) ?? -1
      }
      tables[id] = table
    }
  }

  /// S := txn of the lake, and chunks at or below it that are past the hot retention go, in one write.
  private mutating func recoverFlushes(_ options: StorageEngine.Options) throws(Fault) {
    var change = HotWrite()
    for (id, table) in tables {
      guard table.coldPosition >= table.mark.deleted else {
        throw Fault.corrupt(
          "the lake table \(table.entry.newest.name) has lost flushed rows",
          detail: "Rows up to position \(table.mark.deleted) left the hot tier; the lake has them up to "
            + "\(table.coldPosition).")
      }
      if let owner = table.owner, let written = marks[owner], table.coldPosition > written.position.raw {
        throw Fault.corrupt(
          "the lake table \(table.entry.newest.name) is ahead of the hot tier",
          detail: "The lake has position \(table.coldPosition), the hot tier \(written.position.raw): it was restored "
            + "from an older copy.")
      }
      let deletable = StorageEngine.deletablePosition(table, in: view, options)
      let done = view.table(id).chunks.filter { $0.header.positions.upperBound <= deletable }
      var mark = table.mark
      mark.tiered = table.coldPosition
      mark.deleted = deletable
      if done.isEmpty && mark == table.mark { continue }
      change.deletedChunks += done.map(\.key)
      change.records.append((key: RecordKey.tier(id), value: mark.bytes))
      tables[id]?.mark = mark
    }
    if !change.records.isEmpty { view = try hot.write(change) }
  }
}
