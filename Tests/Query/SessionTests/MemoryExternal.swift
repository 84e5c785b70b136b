// External tables in memory, for sessions: two Delta tables with versions, Parquet places, one event table with its lake.

import Bedrock
import Catalog
import Columnar
import EventSchema
import Executor
import Functions
import Plan
import Runtime
import StorageContract
import Synchronization

@testable import Session

/// Rows under columns, for one morsel.
struct MemoryTable: ExternalTable {
  let columns: [TableColumn]
  let rows: [[Scalar]]
  let label: String
  /// Told of each scan.
  var onScan: @Sendable (ScanRequest) -> Void = { _ in }
  var estimatedRows: Int64 { Int64(rows.count) }

  func scan(_ request: ScanRequest) throws(Fault) -> any TableScan {
    onScan(request)
    let columns = request.columns.map { index in
      ColumnBuilder.column(self.columns[index].type, rows.map { $0[index] })
    }
    return Scan(chunk: Chunk(columns: columns, rowCount: rows.count))
  }

  struct Scan: TableScan {
    let chunk: Chunk
    var morselCount: Int { chunk.rowCount == 0 ? 0 : 1 }
    var tiers: [TierScanSummary] {
      [TierScanSummary(tier: "delta", units: [("files", 1, 1)], rows: Int64(chunk.rowCount), bytes: 0)]
    }
    func open(morsel: Int) throws(Fault) -> any ChunkReader { Reader(chunk) }
  }
  final class Reader: ChunkReader {
    private var chunk: Chunk?
    init(_ chunk: Chunk) { self.chunk = chunk }
    func next() throws(Fault) -> Chunk? {
      defer { chunk = nil }
      return chunk
    }
  }
}

final class MemoryExternal: ExternalTables, ForeignTableDirectory, StoredViewDirectory, StorageReader, StorageSnapshot {
  struct State {
    var versions: [[(Int64, String)]] = [[(1, "a")], [(1, "a"), (2, "b")]]
    var opened: [ExternalSource] = []
    var requests: [ScanRequest] = []
    var definitions: [ForeignTableDefinition] = []
    var nextID: UInt32 = 500_000
    var views: [StoredView] = []
  }
  let state = Mutex(State())
  static let columns = [
    TableColumn(fieldID: -1, name: "id", type: .int8, isNullable: true),
    TableColumn(fieldID: -2, name: "label", type: .text, isNullable: true),
  ]
  static let event = TableDescription(
    id: TableID(raw: 1_000), schema: "shop", name: "order",
    columns: SystemColumn.columns + [TableColumn(fieldID: 16, name: "amount", type: .int8, isNullable: true)],
    views: [EventViewDescription(name: "order_placed", eventName: "placed", columns: [0, 2, 7])], estimatedRows: 3)

  private static func eventRow(_ sequence: Int64, _ name: String, _ amount: Int64) -> [Scalar] {
    [.integer(sequence), .text(name), .integer(0), .integer(0), .null, .integer(sequence), .integer(0), .integer(amount)]
  }

  // MARK: ExternalTables

  func open(_ source: ExternalSource) throws(Fault) -> any ExternalTable {
    state.withLock { $0.opened.append(source) }
    let onScan: @Sendable (ScanRequest) -> Void = { request in self.state.withLock { $0.requests.append(request) } }
    switch source.place {
    case .delta("missing"), .parquet(["missing"]): throw Fault(.undefinedFile, "there is nothing at \"missing\"")
    case .delta(let location):
      let versions = state.withLock { $0.versions }
      var number = versions.count - 1
      if case .number(let wanted) = source.version {
        guard versions.indices.contains(Int(wanted)) else {
          throw Fault(.undefinedObject, "Delta table \(location) has no version \(wanted)")
        }
        number = Int(wanted)
      }
      return MemoryTable(
        columns: Self.columns, rows: versions[number].map { [.integer($0.0), .text($0.1)] },
        label: "Delta table \(location), version \(number)", onScan: onScan)
    case .parquet(let locations):
      var columns = Self.columns
      if source.hasFileName { columns.append(TableColumn(fieldID: -3, name: "filename", type: .text, isNullable: true)) }
      let rows = locations.enumerated().map { index, location -> [Scalar] in
        [.integer(Int64(index)), .text("p")] + (source.hasFileName ? [.text(location)] : [])
      }
      return MemoryTable(columns: columns, rows: rows, label: "Parquet files \(locations.joined(separator: ", "))", onScan: onScan)
    case .lake:
      let rows = [Self.eventRow(1, "placed", 10), Self.eventRow(2, "paid", 20)]
      switch source.version {
      case .number(0): return MemoryTable(columns: Self.event.columns, rows: [rows[0]], label: "lake 0", onScan: onScan)
      case .named("closing"), .asOf, .number(1):
        return MemoryTable(columns: Self.event.columns, rows: rows, label: "lake 1", onScan: onScan)
      default: throw Fault(.undefinedObject, "no such version")
      }
    }
  }

  // MARK: ForeignTableDirectory

  func foreignTables() -> [ForeignTableDefinition] { state.withLock { $0.definitions } }

  func create(_ definition: ForeignTableDefinition) throws(Fault) -> Bool {
    state.withLock { state in
      if state.definitions.contains(where: { $0.schema == definition.schema && $0.name == definition.name }) { return false }
      var definition = definition
      definition.id = TableID(raw: state.nextID)
      state.nextID += 1
      state.definitions.append(definition)
      return true
    }
  }

  func drop(schema: String, name: String) throws(Fault) -> Bool {
    state.withLock { state in
      let before = state.definitions.count
      state.definitions.removeAll { $0.schema == schema && $0.name == name }
      return state.definitions.count < before
    }
  }

  // MARK: StoredViewDirectory

  func storedViews() -> [StoredView] { state.withLock { $0.views } }

  func create(_ view: StoredView, replaces: Bool) throws(Fault) -> Bool {
    state.withLock { state in
      var view = view
      if let place = state.views.firstIndex(where: { $0.schema == view.schema && $0.name == view.name }) {
        guard replaces else { return false }
        view.id = state.views[place].id
        state.views[place] = view
        return true
      }
      view.id = TableID(raw: 600_000 + UInt32(state.views.count))
      state.views.append(view)
      return true
    }
  }

  func dropView(schema: String, name: String) throws(Fault) -> Bool {
    state.withLock { state in
      let before = state.views.count
      state.views.removeAll { $0.schema == schema && $0.name == name }
      return state.views.count < before
    }
  }

  // MARK: Storage: three events, the last one only in the hot tier

  func tables() -> [TableDescription] { [Self.event] }
  func snapshot() throws(Fault) -> any StorageSnapshot { self }
  func scan(_ request: ScanRequest) throws(Fault) -> any TableScan {
    let rows = [Self.eventRow(1, "placed", 10), Self.eventRow(2, "paid", 20), Self.eventRow(3, "placed", 30)]
    return try MemoryTable(columns: Self.event.columns, rows: rows, label: "").scan(request)
  }
}

/// A session over `MemoryExternal`.
struct ExternalSession {
  let external = MemoryExternal()
  let session: Session

  init(bytesMax: Int = 1 << 28) throws {
    let external = external
    let executor = Executor(
      pool: WorkerPool(name: "scan", threadCount: 2), budget: MemoryBudget(name: "all", bytesMax: bytesMax))
    session = try Session(
      services: SessionServices(
        clock: .system, storage: external,
        engine: PlannerEngine(executor: PipelineExecutor(executor: executor, clock: .system)),
        catalog: {
          DatabaseCatalog(
            tables: external.tables() + external.foreignTables().map(\.description)
              + external.storedViews().map(\.description))
        }, external: external, foreignTables: external, views: external),
      userName: "ada", databaseName: "lake", processID: 1)
  }

  /// Runs a text; gives all values as text, rows by newlines, and the command tags when there are no rows.
  func run(_ sql: String) throws -> String {
    var lines: [String] = []
    var tags: [String] = []
    do {
      let query = try session.simpleQuery(sql)
      while let event = try query.next() {
        switch event {
        case .rows(let chunk):
          for row in 0..<chunk.rowCount { lines.append(chunk.columns.map { Self.text($0.scalar(at: row)) }.joined(separator: "|")) }
        case .complete(let tag): tags.append(tag)
        default: break
        }
      }
      try session.synchronize()
    } catch {
      session.fail()
      throw error
    }
    return lines.isEmpty ? tags.joined(separator: ";") : lines.joined(separator: "\n")
  }

  /// The SQLSTATE that a text fails with.
  func state(_ sql: String) -> String {
    do { return try run(sql) } catch let fault as Fault { return fault.state.text } catch { return "\(error)" }
  }

  private static func text(_ scalar: Scalar) -> String {
    switch scalar {
    case .null: "-"
    case .integer(let value): String(value)
    case .boolean(let value): value ? "t" : "f"
    case .list(let values): "{" + values.map(text).joined(separator: ",") + "}"
    default: scalar.text ?? "\(scalar)"
    }
  }
}
