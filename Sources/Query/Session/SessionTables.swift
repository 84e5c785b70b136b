// The plain tables as one session sees them: the committed ones, what its transaction has made of them, and its
// temporary tables. A value, so that a savepoint is a copy of it.
//
// Invariants:
//  1. Nothing here is seen by another session before `commit`.
//  2. A table that the transaction wrote to is seen as of its first write, with the transaction's own writes; the others
//     are seen as of the statement, or of the transaction under REPEATABLE READ.

import Bedrock
import Catalog
import SQLSyntax
import StorageContract

struct SessionTables: Sendable {
  struct Temporary: Sendable {
    var version: any ReferenceTableVersion
    let onCommit: TableNameSyntax.OnCommit
  }
  /// In the order of their creation.
  private(set) var temporary: [Temporary] = []
  /// What the transaction did to the list of tables, in order.
  private(set) var changes: [ReferenceCatalogChange] = []
  /// The newest version of each table that the transaction wrote to, in the order of the first writes.
  private(set) var written: [any ReferenceTableVersion] = []

  var hasWork: Bool { !changes.isEmpty || !written.isEmpty }

  // MARK: What there is

  /// Schemas and tables, those of the transaction in place of the committed ones.
  func contents(_ committed: ReferenceContents) -> ReferenceContents {
    var contents = committed
    for change in changes {
      switch change {
      case .createSchema(let schema): contents.schemas.append(schema)
      case .dropSchema(let name): contents.schemas.removeAll { $0.name == name }
      case .create(let definition): contents.tables.append((definition: definition, rows: 0))
      case .alter(let definition):
        if let index = contents.tables.firstIndex(where: { $0.definition.id == definition.id }) {
          contents.tables[index].definition = definition
        }
      case .drop(let id): contents.tables.removeAll { $0.definition.id == id }
      }
    }
    for version in written {
      if let index = contents.tables.firstIndex(where: { $0.definition.id == version.definition.id }) {
        contents.tables[index].rows = version.estimatedRows
      }
    }
    contents.tables += temporary.map { (definition: $0.version.definition, rows: $0.version.estimatedRows) }
    return contents
  }

  /// The session's own version of a table, if it has one.
  func version(of id: TableID) -> (any ReferenceTableVersion)? {
    temporary.first { $0.version.definition.id == id }?.version ?? written.first { $0.definition.id == id }
  }

  var versions: [TableID: any ReferenceTableVersion] {
    var all: [TableID: any ReferenceTableVersion] = [:]
    for version in written + temporary.map(\.version) { all[version.definition.id] = version }
    return all
  }

  // MARK: Changes

  mutating func change(_ change: ReferenceCatalogChange) { changes.append(change) }

  mutating func create(_ version: any ReferenceTableVersion, onCommit: TableNameSyntax.OnCommit) {
    if version.definition.isTemporary {
      temporary.append(Temporary(version: version, onCommit: onCommit))
    } else {
      changes.append(.create(version.definition))
      written.append(version)
    }
  }

  /// Puts the next version of a table in place.
  mutating func put(_ version: any ReferenceTableVersion) {
    let id = version.definition.id
    if let index = temporary.firstIndex(where: { $0.version.definition.id == id }) {
      temporary[index].version = version
    } else if let index = written.firstIndex(where: { $0.definition.id == id }) {
      written[index] = version
    } else {
      written.append(version)
    }
  }

  mutating func drop(_ definition: ReferenceTableDefinition) {
    written.removeAll { $0.definition.id == definition.id }
    if definition.isTemporary {
      temporary.removeAll { $0.version.definition.id == definition.id }
      return
    }
    let isOwn = changes.contains { if case .create(let made) = $0 { made.id == definition.id } else { false } }
    guard isOwn else { return changes.append(.drop(definition.id)) }
    changes.removeAll { change in
      switch change {
      case .create(let made), .alter(let made): made.id == definition.id
      default: false
      }
    }
  }

  mutating func dropTemporary() { temporary = [] }

  /// The transaction was committed.
  mutating func finishCommit() throws(Fault) {
    changes = []
    written = []
    temporary.removeAll { $0.onCommit == .drop }
    for index in temporary.indices where temporary[index].onCommit == .deleteRows {
      let change = try temporary[index].version.change()
      try change.removeAll()
      temporary[index].version = try change.finish()
    }
  }
}

extension Session {
  /// The catalog as this session sees it now.
  func catalog() -> any SessionCatalog {
    let base = services.catalog()
    let contents = tables.contents(services.referenceTables?.contents() ?? ReferenceContents())
    if contents.schemas.isEmpty && contents.tables.isEmpty { return base }
    return base.adding(
      schemas: contents.schemas,
      tables: contents.tables.map { $0.definition.description(estimatedRows: max(1, $0.rows)) })
  }

  /// The version of a table that a statement reads and writes.
  func currentVersion(of definition: ReferenceTableDefinition) throws(Fault) -> any ReferenceTableVersion {
    if let own = tables.version(of: definition.id) { return own }
    guard let directory = services.referenceTables else { throw .bug("a table without a directory") }
    return try openedSources().open(definition, with: directory)
  }

  /// Notes a version that the transaction made.
  func put(_ version: any ReferenceTableVersion) {
    tables.put(version)
    if !version.definition.isTemporary { madeVersions.append(version) }
  }

  /// Notes a new table.
  func create(_ version: any ReferenceTableVersion, onCommit: TableNameSyntax.OnCommit) {
    tables.create(version, onCommit: onCommit)
    if !version.definition.isTemporary { madeVersions.append(version) }
  }

  // MARK: The end of a transaction

  /// Makes what the transaction wrote durable and visible. Throws 40001 and its like; then the transaction must be
  /// rolled back.
  func commitTables() throws(Fault) {
    guard tables.hasWork else { return try tables.finishCommit() }
    guard let directory = services.referenceTables else { throw .bug("writes without a directory") }
    let written = tables.written
    do throws(Fault) {
      try directory.commit(tables.changes, written)
    } catch {
      // Files of the newest versions stay: they may have been committed, whatever was answered.
      directory.discard(madeVersions, keeping: written)
      madeVersions = []
      throw error
    }
    directory.discard(madeVersions, keeping: written)
    madeVersions = []
    try tables.finishCommit()
  }

  /// As a statement's transaction ends by itself: commits what an implicit transaction wrote.
  func commitImplicit() throws(Fault) {
    if transaction.state == .implicit { try commitTables() }
  }

  /// Drops what the transaction wrote.
  func rollbackTables(to saved: SessionTables) {
    if !madeVersions.isEmpty { services.referenceTables?.discard(madeVersions, keeping: saved.written) }
    madeVersions = []
    tables = saved
  }
}
