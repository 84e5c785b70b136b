// An engine over the real lake, with upkeep whose jobs a test calls.

import Bedrock
import Columnar
import EventSchema
import HotTier
import Lake
import Logging
import ObjectStore
import Runtime
import StorageContract
import StorageEngine
import TestKit

@testable import Maintenance

final class MaintenanceFixture {
  static let shard = ShardID(name: "EVENTS")
  static let start: Int64 = 1_764_000_000_000_000

  let folder: TemporaryFolder
  let clock: Clock
  let setClock: @Sendable (Int64) -> Void
  private(set) var engine: StorageEngine
  private(set) var maintenance: Maintenance
  private(set) var table: RegisteredTable
  let load = QueryLoad()
  let settings: MaintenanceSettings
  let retention: RetentionSettings

  static func events() throws -> [EventType] {
    let slot = CapnpSlot(kind: .text, offset: 0, defaultBits: 0)
    let fields = [
      EventField(name: "series", column: "series", type: .text, slot: slot, policy: .keep, onError: .reject),
      EventField(name: "value", column: "value", type: .float8, slot: slot, policy: .keep, onError: .reject),
      EventField(name: "kind", column: "kind", type: .text, slot: slot, policy: .hash(.sha256), onError: .null),
    ]
    return [EventType(name: try EventName("iot.measurement.recorded"), fields: fields, typeID: 7, file: "iot.capnp")]
  }

  /// How the next engine lays out its files.
  var clustering = LakeClusteringPolicy()

  init(
    _ name: String, retention: RetentionSettings = RetentionSettings(), clock given: Clock? = nil,
    clustering: LakeClusteringPolicy = LakeClusteringPolicy(), configure: (inout MaintenanceSettings) -> Void = { _ in }
  ) throws {
    folder = try TemporaryFolder(name)
    let manual = Clock.manual(startMicros: Self.start)
    clock = given ?? manual.clock
    setClock = manual.set
    self.retention = retention
    var settings = MaintenanceSettings()
    settings.jobs.threads = 0
    settings.jobs.bytesPerSecond = 0
    settings.jobs.cpuPercent = 0
    configure(&settings)
    self.settings = settings
    self.clustering = clustering
    (engine, maintenance) = try Self.open(folder.path, clock, settings, retention, load, clustering)
    table = try engine.publish(Self.events())[0]
  }

  deinit {
    maintenance.stop()
    try? engine.close()  // A test that lost its engine on purpose has said so itself.
  }

  private static func open(
    _ path: String, _ clock: Clock, _ settings: MaintenanceSettings, _ retention: RetentionSettings, _ load: QueryLoad,
    _ clustering: LakeClusteringPolicy
  ) throws(Fault) -> (StorageEngine, Maintenance) {
    var log = Logger(label: "test")
    log.logLevel = .critical
    var options = StorageEngine.Options(
      hot: HotTier.Options(folder: "\(path)/hot"), clock: clock, log: log, flush: FlushSettings(checkIntervalMicros: 0))
    options.closeTimeoutMicros = 5_000_000
    options.retention = retention
    var lakeOptions = LakeOptions()
    lakeOptions.clustering = clustering
    let lake = Lake(store: try LocalObjectStore(path: path), clock: clock, options: lakeOptions)
    let engine = try StorageEngine.open(options, cold: LakeColdTier(lake))
    let maintenance = try Maintenance(
      engine: engine, lake: lake, settings: settings, retention: retention, load: load, clock: clock, log: log)
    return (engine, maintenance)
  }

  func reopen() throws {
    maintenance.stop()
    try engine.close()
    (engine, maintenance) = try Self.open(folder.path, clock, settings, retention, load, clustering)
  }

  /// `count` events whose sequence and position both begin at `first`, published a millisecond apart.
  func append(_ first: Int64, _ count: Int64, errors: [ErrorRow] = []) throws {
    let numbers = Array(first..<first + count)
    func column(_ type: DataType, _ value: (Int64) -> Scalar) -> Column { ColumnBuilder.column(type, numbers.map(value)) }
    let columns = [
      column(.int8) { .integer($0) }, column(.text) { _ in .text("recorded") },
      column(.timestamptz) { .integer(Self.start + $0 * 1_000) },
      column(.timestamptz) { .integer(Self.start + $0 * 1_000) }, column(.jsonb) { .text("{\"p\":\($0)}") },
      column(.int8) { .integer($0) }, column(.int8) { .integer($0 &* 31) },
      column(.text) { .text("series-\($0 % 10)") }, column(.float8) { .float(Double($0)) },
      column(.text) { .text("token-\($0 % 3)") },
    ]
    let appends =
      count == 0
      ? []
      : [TableAppend(table: table.id, schemaVersion: 1, chunk: Chunk(columns: columns, rowCount: numbers.count))]
    let last = max(first + count - 1, errors.map(\.position.raw).max() ?? 0)
    _ = try engine.append(
      AppendBatch(
        shard: Self.shard,
        mark: LogMark(position: Position(raw: last), messageTimeMicros: last, checksum: 0, streamCreatedMicros: 9),
        tables: appends, errors: errors))
  }

  func flush() throws(Fault) { _ = try engine.flush(table: "iot.measurement") }

  func feed(flushes: Int, rows: Int64) throws {
    for flush in 0..<Int64(flushes) {
      try append(1 + flush * rows, rows)
      try self.flush()
    }
  }

  @discardableResult
  func run(_ kind: JobKind, full: Bool = true, table: String = "iot.measurement") throws(Fault) -> JobRecord {
    try maintenance.run(
      kind, table: table, arguments: JobArguments(isFull: full), statement: Cancellation())
  }

  /// Row count, sum of the sequences and number of distinct ones, as a query would read them.
  static func count(
    _ engine: StorageEngine, _ id: TableID
  ) throws(Fault) -> (rows: Int64, sum: Int64, distinct: Int) {
    let scan = try engine.snapshot().scan(ScanRequest(table: id, columns: [SystemColumn.sequence]))
    var rows: Int64 = 0
    var sum: Int64 = 0
    var seen: Set<Int64> = []
    for morsel in 0..<scan.morselCount {
      let reader = try scan.open(morsel: morsel)
      while let chunk = try reader.next() {
        let flat = chunk.columns[0].flat()
        let values = flat.int64s
        rows += Int64(values.count)
        for row in 0..<values.count {
          sum += values[row]
          seen.insert(values[row])
        }
      }
    }
    return (rows, sum, seen.count)
  }

  func count() throws(Fault) -> (rows: Int64, sum: Int64, distinct: Int) { try Self.count(engine, table.id) }

  var lakeFiles: Int {
    get throws { try maintenance.snapshot(table).fileCount }
  }
}
