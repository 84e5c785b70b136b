// One client's session: SQL text in, results out.
//
//   text ─ SQLParser ─ Statement ─ run(_:) ┬─ query engine ─ rows by demand
//                                          ├─ settings, transaction, prepared statements, cursors
//                                          └─ procedures
//
// Invariants:
//  1. A session is used by one thread at a time; its connection sees to that. Only `slot` may be used from elsewhere.
//  2. Every statement runs inside a transaction, made by `enter` when there is none.
//  3. In a failed block nothing runs but COMMIT, ROLLBACK and ROLLBACK TO (25P02).
//  4. Prepared statements survive errors and rollbacks; portals end with their transaction unless they are held.

package import Bedrock
package import Catalog
package import Columnar
import Functions
package import Plan
package import Runtime
import SQLSyntax
package import StorageContract

/// A message to the client beside the result.
package struct Notice: Sendable {
  package enum Level: Int, Sendable { case info, notice, warning }
  package let level: Level
  package let state: SQLState
  package let message: String
}

/// The catalog of one statement with the names and oids that session functions ask for.
package protocol SessionCatalog: CatalogReader {
  func relationOID(_ name: String, searchPath: [String]) -> UInt32?
  func relationName(oid: UInt32, searchPath: [String]) -> String?
  func isRelationVisible(oid: UInt32, searchPath: [String]) -> Bool
  func namespaceOID(_ name: String) -> UInt32?
  func namespaceName(oid: UInt32) -> String?
  func viewDefinition(oid: UInt32) -> String?
  func functionOID(_ name: String) -> UInt32?
  func functionName(oid: UInt32) -> String?
  func functionSignature(oid: UInt32) -> (arguments: String, result: String)?
  /// The schemas of a search path that exist, those of event tables in place of `$domains`.
  func expanded(_ searchPath: [String], userName: String?) -> [String]
  /// The same with the plain tables of a session in it.
  func adding(schemas: [ReferenceSchema], tables: [TableDescription]) -> any SessionCatalog
}

extension DatabaseCatalog: SessionCatalog {
  package func adding(schemas: [ReferenceSchema], tables: [TableDescription]) -> any SessionCatalog {
    let catalog: DatabaseCatalog = adding(schemas: schemas, tables: tables)
    return catalog
  }
}

/// What sessions share: made once by the server.
package struct SessionServices: Sendable {
  package var clock: Clock
  package var storage: any StorageReader
  /// Opens foreign tables and earlier versions; nil: there are none.
  package var external: (any ExternalTables)?
  package var foreignTables: (any ForeignTableDirectory)?
  package var views: (any StoredViewDirectory)?
  /// Plain tables; nil: none can be made but temporary ones.
  package var referenceTables: (any ReferenceTables)?
  /// What temporary tables of all sessions hold together.
  package let temporaryBudget: MemoryBudget
  package var engine: any QueryEngine
  /// The catalog as of now.
  package var catalog: @Sendable () -> any SessionCatalog
  package var procedures: ProcedureTable
  /// `15.0 (Cramped 0.1)`.
  package var serverVersion: String
  /// Settings that sessions begin with where their client names none.
  package var defaultSettings: [(name: String, value: String)]
  /// When these services were made: the start of the server, µs since 1970.
  package let startMicros: Int64
  /// Calls `fire` after so many milliseconds unless the closure that it gives is called before.
  package var startTimer: @Sendable (_ milliseconds: Int, _ fire: @escaping @Sendable () -> Void) -> @Sendable () -> Void

  package init(
    clock: Clock, storage: any StorageReader, engine: any QueryEngine,
    catalog: @escaping @Sendable () -> any SessionCatalog, procedures: ProcedureTable = ProcedureTable(),
    serverVersion: String = "15.0 (Cramped)", defaultSettings: [(name: String, value: String)] = [],
    startTimer: @escaping @Sendable (Int, @escaping @Sendable () -> Void) -> @Sendable () -> Void = { _, _ in {} },
    external: (any ExternalTables)? = nil, foreignTables: (any ForeignTableDirectory)? = nil,
    views: (any StoredViewDirectory)? = nil, referenceTables: (any ReferenceTables)? = nil,
    temporaryBytesMax: Int = 256 << 20
  ) {
    self.views = views
    self.referenceTables = referenceTables
    temporaryBudget = MemoryBudget(name: "all temporary tables together", bytesMax: temporaryBytesMax)
    self.external = external
    self.foreignTables = foreignTables
    self.clock = clock
    startMicros = clock.nowMicros()
    self.storage = storage
    self.engine = engine
    self.catalog = catalog
    self.procedures = procedures
    self.serverVersion = serverVersion
    self.defaultSettings = defaultSettings
    self.startTimer = startTimer
  }
}

// unchecked Sendable because of invariant 1: the connection hands the session from worker to worker, one at a time.
package final class Session: @unchecked Sendable {
  /// What ReadyForQuery tells.
  package enum BlockStatus: Sendable { case idle, inBlock, failed }

  let services: SessionServices
  package let userName: String
  package let databaseName: String
  package let processID: Int32
  /// For cancel requests, timeouts and a vanished client.
  package let slot = StatementSlot()

  var settings = Settings()
  var transaction = Transaction()
  var prepared: [String: PreparedStatement] = [:]
  var portals: [String: Portal] = [:]
  var tables = SessionTables()
  /// What the transaction began from.
  private var savedTables = SessionTables()
  /// Versions that the transaction made, also those that later ones took the places of.
  var madeVersions: [any ReferenceTableVersion] = []
  /// The running COPY FROM STDIN.
  var copyIn: CopyIn?
  private var notices: [Notice] = []
  private var told: [String: String] = [:]
  private var disarmTimer: (@Sendable () -> Void)?

  /// - Parameter startSettings: settings of the startup packet in their order; unknown ones throw 42704.
  package init(
    services: SessionServices, userName: String, databaseName: String, processID: Int32,
    startSettings: [(name: String, value: String)] = []
  ) throws(Fault) {
    self.services = services
    self.userName = userName
    self.databaseName = databaseName
    self.processID = processID
    settings.fix("server_version", services.serverVersion)
    settings.fix("server_version_num", Self.versionNumber(services.serverVersion))
    settings.fix("session_authorization", userName)
    settings.fix("cramped.start_micros", String(services.startMicros))
    for (name, value) in services.defaultSettings { try settings.setAtStart(name, value) }
    for (name, value) in startSettings {
      if name.lowercased() == "timezone", !Self.isKnownZone(value) {
        // A driver sends its host's zone unasked; refusing it would refuse the driver.
        notice(.warning, .warning, "time zone \"\(value)\" is not known, UTC is used")
        continue
      }
      try settings.setAtStart(name, value)
    }
  }

  private static func isKnownZone(_ name: String) -> Bool {
    do throws(Fault) {
      _ = try TimeZoneName.parse(name)
      return true
    } catch { return false }
  }

  /// `15.2 (...)` is 150002.
  private static func versionNumber(_ version: String) -> String {
    let parts = version.prefix { $0.isNumber || $0 == "." }.split(separator: ".").map { Int($0) ?? 0 }
    return String((parts.first ?? 15) * 10_000 + (parts.count > 1 ? parts[1] : 0))
  }

  // MARK: What the connection tells the client

  package var blockStatus: BlockStatus {
    switch transaction.state {
    case .idle, .implicit: .idle
    case .block: .inBlock
    case .failed: .failed
    }
  }

  /// Notices since the last call that client_min_messages lets through.
  package func takeNotices() -> [Notice] {
    defer { notices = [] }
    let least: Notice.Level =
      switch settings.find("client_min_messages") {
      case "warning": .warning
      case "error": .warning
      default: .info
      }
    if settings.find("client_min_messages") == "error" { return [] }
    return notices.filter { $0.level.rawValue >= least.rawValue || $0.level == .info }
  }

  /// Reported settings whose value is not the one last told; all of them at the first call.
  package func takeChangedSettings() -> [(name: String, value: String)] {
    let changed = settings.reported.filter { told[$0.name] != $0.value }
    for (name, value) in changed { told[name] = value }
    return changed
  }

  /// The session's zone: moments of change (µs since 1970), and the seconds east of UTC before the first and from each on.
  package var zoneOffsets: (transitions: [Int64], offsets: [Int32]) { settings.timeZone.table }
  package var extraFloatDigits: Int { settings.extraFloatDigits }
  package var isByteaEscaped: Bool { settings.isByteaEscaped }
  package var applicationName: String { settings.find("application_name") ?? "" }

  /// The name behind the oid of a regclass or regnamespace, for showing it.
  package func nameOfOID() -> @Sendable (DataType, UInt32) -> String? {
    let catalog = self.catalog()
    let path = searchPath(in: catalog)
    return { type, oid in
      switch type {
      case .regclass: catalog.relationName(oid: oid, searchPath: path)
      case .regnamespace: catalog.namespaceName(oid: oid)
      case .regproc: catalog.functionName(oid: oid)
      case .regtype: DataType(oid: oid).map { TypeNames.sqlName($0) }
      default: nil
      }
    }
  }

  func notice(_ level: Notice.Level, _ state: SQLState, _ message: String) {
    guard notices.count < 1_000 else { return }
    notices.append(Notice(level: level, state: state, message: message))
  }

  // MARK: Contexts of a statement

  /// The schemas that search_path means now.
  func searchPath(in catalog: any SessionCatalog) -> [String] {
    catalog.expanded(settings.searchPath, userName: userName)
  }

  func functionContext(catalog: any SessionCatalog) -> FunctionContext {
    FunctionContext(
      transactionMicros: transaction.startMicros, statementMicros: services.clock.nowMicros(),
      timeZone: settings.timeZone,
      session: StatementSession(
        userName: userName, databaseName: databaseName, searchPath: searchPath(in: catalog), backendPID: processID,
        serverVersion: services.serverVersion, settings: settings, catalog: catalog))
  }

  /// - Parameter replaced: versions that the statement sees in place of the newest.
  func planningContext(replacing replaced: [TableID: any ReferenceTableVersion] = [:]) -> PlanningContext {
    let catalog = self.catalog()
    let functions = functionContext(catalog: catalog)
    let statement = StatementCatalog(
      base: catalog, external: services.external, opened: openedSources(), asOf: settings.find(AsOf.settingName),
      context: functions, directory: services.referenceTables,
      versions: tables.versions.merging(replaced) { _, new in new })
    return PlanningContext(catalog: statement, searchPath: searchPath(in: catalog), functions: functions)
  }

  /// What a statement opens, it opens once; in a transaction that sees one snapshot the transaction does.
  func openedSources() -> OpenedSources {
    guard isPinned else { return OpenedSources() }
    let sources = transaction.opened ?? OpenedSources()
    transaction.opened = sources
    return sources
  }

  func executionContext(_ cancellation: Cancellation) throws(Fault) -> ExecutionContext {
    let catalog = self.catalog()
    return ExecutionContext(
      catalog: catalog, functions: functionContext(catalog: catalog), snapshot: try snapshot(),
      cancellation: cancellation)
  }

  private func snapshot() throws(Fault) -> any StorageSnapshot {
    if isPinned, let snapshot = transaction.snapshot { return snapshot }
    let snapshot = try services.storage.snapshot()
    if isPinned { transaction.snapshot = snapshot }
    return snapshot
  }

  /// Whether all statements of the transaction see one snapshot.
  private var isPinned: Bool {
    switch isolation {
    case "repeatable read", "serializable": transaction.state == .block
    default: false
    }
  }

  private var isolation: String { settings.find("transaction_isolation") ?? "read committed" }

  // MARK: Beginning and end of statements

  /// A statement begins: makes a transaction if there is none, lets it be cancelled, starts its timeout.
  func begin(_ cancellation: Cancellation) {
    enterTransaction()
    slot.begin(cancellation)
    let timeout = settings.statementTimeoutMs
    if timeout > 0 { disarmTimer = services.startTimer(timeout) { cancellation.cancel(.statementTimeout) } }
  }

  func enterTransaction() {
    guard transaction.state == .idle else { return }
    transaction.enter(nowMicros: services.clock.nowMicros(), settings: settings)
    savedTables = tables
    // SET does not reach into a transaction that follows; its default does.
    if let level = settings.find("default_transaction_isolation"), level != "read committed" {
      do throws(Fault) { try settings.set("transaction_isolation", level, isLocal: true) } catch {
        notice(.warning, error.state, error.message)
      }
    }
  }

  /// The statement ended, well or not.
  func finish() {
    slot.finish()
    disarmTimer?()
    disarmTimer = nil
  }

  /// Ends the transaction; gives what COMMIT has to say.
  func endTransaction(commit: Bool) {
    if !commit || tables.hasWork { rollbackTables(to: savedTables) }
    settings = transaction.end(commit: commit, settings: settings)
    portals = portals.filter { $0.value.isHeld && commit }
  }

  /// A statement failed: the block is failed; an implicit transaction is rolled back.
  package func fail() {
    finish()
    copyIn = nil
    switch transaction.state {
    case .implicit: endTransaction(commit: false)
    case .block: transaction.fail()
    case .idle, .failed: break
    }
  }

  /// The client is gone: what its transaction wrote is dropped, and its temporary tables are.
  package func close() {
    fail()
    endTransaction(commit: false)
    tables = SessionTables()
  }

  /// Sync, or the end of a simple query: an implicit transaction commits. Throws when it cannot; then `fail` is due.
  package func synchronize() throws(Fault) {
    finish()
    guard transaction.state == .implicit else { return }
    try commitTables()
    endTransaction(commit: true)
  }
}

/// What functions may ask, as of one statement.
struct StatementSession: SessionValues {
  let userName: String
  let databaseName: String
  let searchPath: [String]
  let backendPID: Int32
  let serverVersion: String
  let settings: Settings
  let catalog: any SessionCatalog

  func setting(_ name: String) -> String? { settings.find(name) }
  func relationOID(_ name: String) -> UInt32? { catalog.relationOID(name, searchPath: searchPath) }
  func relationName(oid: UInt32) -> String? { catalog.relationName(oid: oid, searchPath: searchPath) }
  func namespaceOID(_ name: String) -> UInt32? { catalog.namespaceOID(name) }
  func namespaceName(oid: UInt32) -> String? { catalog.namespaceName(oid: oid) }
  func isRelationVisible(oid: UInt32) -> Bool { catalog.isRelationVisible(oid: oid, searchPath: searchPath) }
  func viewDefinition(oid: UInt32) -> String? { catalog.viewDefinition(oid: oid) }
  func functionOID(_ name: String) -> UInt32? { catalog.functionOID(name) }
  func functionName(oid: UInt32) -> String? { catalog.functionName(oid: oid) }
  func functionSignature(oid: UInt32) -> (arguments: String, result: String)? { catalog.functionSignature(oid: oid) }
}
