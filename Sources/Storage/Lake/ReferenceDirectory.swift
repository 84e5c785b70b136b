// The plain tables and schemas of a data folder, and their Delta tables in the store of the lake.
//
//   data folder: catalog/tables.json                       one small file, replaced whole with each change
//   lake store:  tables/<schema>/<name>-<8 digits>/...     one Delta table each
//
//   {"format": 1, "nextID": 600003, "schemas": [{"id": 600001, "name": "ref"}], "tables": [
//     {"id": 600002, "schema": "ref", "name": "country", "folder": "tables/ref/country-5f0c21aa",
//      "columns": [{"id": 1, "name": "code", "type": 1042, "modifier": 6, "nullable": false, "default": "'DE'"}, ...]}],
//    "dropped": [{"folder": "tables/ref/old-0c5a91d2", "micros": 1795420800000000}]}
//
// Types are PostgreSQL's oids and modifiers. A table's folder keeps its name when the table is renamed. The files of a
// dropped table go an hour later, when nobody reads them any more.
//
// Order of a commit: Delta tables first, then this file. A crash in between leaves new tables that nobody sees.

package import Bedrock
import Columnar
import DeltaFormat
import EventSchema
import JSONTape
package import ObjectStore
import Runtime
package import StorageContract
import Synchronization

package final class ReferenceDirectory: ReferenceTables {
  /// Ids of plain tables and their schemas begin here; those of temporary tables follow.
  package static let firstTable: UInt32 = 600_000
  private static let tablesMax: UInt32 = 300_000
  private static let path = ObjectPath(literal: "catalog/tables.json")
  /// How long the files of a dropped table stay, in microseconds.
  private static let droppedGraceMicros: Int64 = 3_600_000_000
  /// Commits between two cleanings of a table's old files.
  private static let vacuumCommits: Int64 = 50
  /// How long replaced files stay, in microseconds: longer than statements run.
  private static let replacedGraceMicros: Int64 = 24 * 3_600_000_000

  private let store: any ObjectStore
  private let lake: Lake
  private let state: Mutex<ReferenceCatalogFile>
  private let open = Mutex<[TableID: LakeTable]>([:])
  /// Held by the one that commits.
  private let turn = Mutex<Void>(())

  /// Reads the list of tables below the root of `store`, which is the data folder. Throws XX001 when it cannot be read.
  package init(store: any ObjectStore, lake: Lake) throws(Fault) {
    self.store = store
    self.lake = lake
    var file = ReferenceCatalogFile(nextID: Self.firstTable)
    if let bytes = try store.get(Self.path, bytesMax: ReferenceCatalogFile.bytesMax) {
      do throws(Fault) { file = try ReferenceCatalogFile(bytes, firstID: Self.firstTable) } catch {
        throw Fault.corrupt("the list of tables in \"\(Self.path)\" cannot be read", detail: "\(error.message).")
      }
    }
    state = Mutex(file)
  }

  // MARK: Tables

  package func contents() -> ReferenceContents {
    let file = state.withLock { $0 }
    return ReferenceContents(
      schemas: file.schemas,
      tables: file.tables.map { table in
        let rows = open.withLock { $0[table.id]?.current.rowCount }
        return (definition: table, rows: rows ?? 1_000)
      })
  }

  package func newID() throws(Fault) -> TableID {
    try state.withLock { (file) throws(Fault) in
      guard file.nextID < Self.firstTable + Self.tablesMax else {
        throw Fault(.programLimitExceeded, "no more tables can be made in this data folder")
      }
      defer { file.nextID += 1 }
      return TableID(raw: file.nextID)
    }
  }

  package func folder(schema: String, name: String) -> String {
    func part(_ text: String) -> String {
      let plain = text.unicodeScalars.map { scalar -> Character in
        let isPlain = ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
        return isPlain || scalar == "_" ? Character(scalar) : "-"
      }
      return String(plain.prefix(63))
    }
    return "tables/\(part(schema))/\(part(name))-\(DeltaTransactionBuilder.uuid().prefix(8))"
  }

  private func table(_ definition: ReferenceTableDefinition) throws(Fault) -> LakeTable {
    let folder = try ObjectPath(definition.folder)
    return open.withLock { tables in
      if let table = tables[definition.id] { return table }
      let place = LakePlace(
        name: "\(definition.schema).\(definition.name)", folder: folder, store: lake.store, footers: lake.footers,
        location: nil)
      let table = LakeTable(lake: lake, place: place, isForeign: false)
      tables[definition.id] = table
      return table
    }
  }

  package func empty(_ definition: ReferenceTableDefinition) throws(Fault) -> any ReferenceTableVersion {
    let table = try table(definition)
    return try ReferenceVersion(definition, table: table, base: table.current)
  }

  package func open(_ definition: ReferenceTableDefinition) throws(Fault) -> any ReferenceTableVersion {
    let table = try table(definition)
    let base = try table.refresh()
    guard base.version >= 0 else {
      throw Fault(
        .undefinedFile, "the Delta table of \"\(definition.name)\" is not in the store", kind: .gone,
        detail: "It should be in \"\(definition.folder)\".")
    }
    return try ReferenceVersion(definition, table: table, base: base)
  }

  // MARK: Commit

  package func commit(
    _ changes: [ReferenceCatalogChange], _ tables: [any ReferenceTableVersion]
  ) throws(Fault) {
    try turn.withLock { (_) throws(Fault) in
      let file = state.withLock { $0 }
      _ = try file.applying(changes, nowMicros: lake.clock.nowMicros())
      for version in tables {
        guard let version = version as? ReferenceVersion else { throw Fault.bug("a table of another directory") }
        let isNew = version.base.version < 0
        guard isNew || file.tables.contains(where: { $0.id == version.definition.id }) else {
          throw Fault(.undefinedTable, "table \"\(version.definition.name)\" was dropped by another transaction")
        }
        try version.table.commit(version)
        try vacuumIfDue(version.table)
      }
      for case .alter(let definition) in changes where !definition.isTemporary {
        try table(definition).alter(definition)
      }
      if !changes.isEmpty { try publish(changes) }
    }
  }

  private func publish(_ changes: [ReferenceCatalogChange]) throws(Fault) {
    let now = lake.clock.nowMicros()
    try state.withLock { (file) throws(Fault) in
      var next = try file.applying(changes, nowMicros: now)
      let due = next.dropped.filter { now - $0.micros >= Self.droppedGraceMicros }
      next.dropped.removeAll { now - $0.micros >= Self.droppedGraceMicros }
      for folder in due { try deleteFiles(of: folder.folder) }
      try store.put(Self.path, next.encoded())
      file = next
    }
    for case .drop(let id) in changes { open.withLock { $0[id] = nil } }
  }

  private func vacuumIfDue(_ table: LakeTable) throws(Fault) {
    let version = table.current.version
    guard version > 0, version % Self.vacuumCommits == 0 else { return }
    _ = try table.vacuum(retentionMicros: Self.replacedGraceMicros)
    _ = try table.cleanLog(retentionMicros: Self.replacedGraceMicros)
  }

  /// A Delta table has its files in its own folder and in that of its log.
  private func deleteFiles(of folder: String) throws(Fault) {
    for place in [folder + "/_delta_log", folder] {
      let path = try ObjectPath(place)
      while true {
        let page = try lake.store.list(path, startAfter: nil, limit: 1_000)
        if page.isEmpty { break }
        try lake.store.delete(page.map(\.path))
      }
    }
  }

  package func discard(_ made: [any ReferenceTableVersion], keeping committed: [any ReferenceTableVersion]) {
    var kept: Set<ObjectPath> = []
    for case let version as ReferenceVersion in committed { kept.formUnion(version.files.map(\.path)) }
    var gone: Set<ObjectPath> = []
    for case let version as ReferenceVersion in made {
      let added = Set(version.added.map(\.add.path))
      for file in version.files where added.contains(file.add.path) && !kept.contains(file.path) { gone.insert(file.path) }
      if version.base.version < 0, !committed.contains(where: { $0.definition.id == version.definition.id }) {
        open.withLock { $0[version.definition.id] = nil }
      }
    }
    for path in gone {
      // One that stays is in no log entry: vacuum finds it.
      do throws(Fault) { try lake.store.delete(path) } catch { continue }
    }
  }
}
