// Publishing schemas: new tables and new versions of known ones, durable before anybody sees them.

import Bedrock
import EventSchema
import HotTier
import StorageContract

enum PublishWork {
  /// The new or unchanged schema of every table that `events` name.
  static func plan(_ events: [EventType], tables: [TableID: CutTable]) throws(Fault) -> [(id: TableID?, schema: TableSchema)] {
    var grouped: [String: [EventType]] = [:]
    for event in events { grouped["\(event.name.domain).\(event.name.entity)", default: []].append(event) }
    var out: [(id: TableID?, schema: TableSchema)] = []
    for name in grouped.keys.sorted() {
      guard let group = grouped[name], let first = group.first else { continue }
      let known = tables.values.first { $0.entry.newest.name == name }
      // Event names published earlier stay, unless they are published again.
      let names = Set(group.map(\.name))
      let kept = (known?.entry.newest.events ?? []).filter { !names.contains($0.name) }
      let schema = try TableSchema.merging(
        domain: first.name.domain, entity: first.name.entity, events: kept + group, previous: known?.entry.newest)
      out.append((known?.entry.id, schema))
    }
    return out
  }

  static func run(
    _ events: [EventType], state: inout WriterState, cold: any ColdTier
  ) throws(Fault) -> (tables: [RegisteredTable], changed: Bool) {
    var out: [RegisteredTable] = []
    var change = HotWrite()
    var nextID = max(SystemTable.firstEventTable, (state.tables.keys.map(\.raw).max() ?? 0) + 1)
    for (known, schema) in try plan(events, tables: state.tables) {
      if let known, var table = state.tables[known] {
        if table.entry.newest != schema {
          table.entry.append(schema)
          state.tables[known] = table
          change.records.append((RecordKey.schema(known, version: schema.version), SchemaCoding.encode(schema)))
        }
        out.append(RegisteredTable(id: known, schema: schema))
        continue
      }
      let id = TableID(raw: nextID)
      nextID += 1
      let coldTable = try cold.table(domain: schema.domain, entity: schema.entity)
      let snapshot = try coldTable.refresh()
      guard snapshot.version < 0 else {
        throw Fault(
          .objectNotInPrerequisiteState, "the lake has a table \(schema.name) that this data folder does not know",
          detail: "Another instance wrote it. Applying the log to it again would store its events twice.",
          hint: "Start with the data folder that belongs to this lake, or give this instance a lake of its own.")
      }
      state.tables[id] = CutTable(
        entry: TableEntry(id: id, first: schema), cold: snapshot, coldTable: coldTable, coldPosition: -1)
      change.records.append((RecordKey.schema(id, version: schema.version), SchemaCoding.encode(schema)))
      out.append(RegisteredTable(id: id, schema: schema))
    }
    if change.records.isEmpty { return (out, false) }
    state.view = try state.hot.write(change)
    return (out, true)
  }
}
