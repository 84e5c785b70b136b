// An engine over a folder of its own, and batches to feed it.

import Bedrock
import Columnar
import EventSchema
import Foundation
import Glibc
import HotTier
import Logging
import Runtime
import StorageContract
import StorageEngine
import Synchronization

/// What a test shares with other threads and with hooks.
final class Shared: Sendable {
  let flag = Atomic<Bool>(false)
  let count = Atomic<Int>(0)
  let complaints = Mutex<[String]>([])
  let images = Mutex<[(folder: String, cold: MemoryColdTier)]>([])
}

final class Fixture {
  let folder: String
  var cold: MemoryColdTier
  private(set) var engine: StorageEngine
  private(set) var table: RegisteredTable
  static let shard = ShardID(name: "EVENTS")

  struct Event {
    var sequence: Int64
    var position: Int64
    var hash: Int64? = nil
    var value = 1.5
    var name = "recorded"
  }

  static func events(withNote: Bool = false) throws -> [EventType] {
    let slot = CapnpSlot(kind: .text, offset: 0, defaultBits: 0)
    var fields = [
      EventField(name: "series", column: "series", type: .text, slot: slot, policy: .keep, onError: .reject),
      EventField(name: "value", column: "value", type: .float8, slot: slot, policy: .keep, onError: .reject),
      EventField(name: "kind", column: "kind", type: .text, slot: slot, policy: .hash(.sha256), onError: .null, enumerants: ["a", "b"]),
    ]
    if withNote {
      fields.append(EventField(name: "note", column: "note", type: .text, slot: slot, policy: .keep, onError: .reject))
    }
    return [EventType(name: try EventName("iot.measurement.recorded"), fields: fields, typeID: 7, file: "iot.capnp")]
  }

  init(
    folder: String? = nil, cold: MemoryColdTier = MemoryColdTier(),
    configure: (inout StorageEngine.Options) -> Void = { _ in }
  ) throws {
    if let folder {
      self.folder = folder
    } else {
      self.folder = FileManager.default.temporaryDirectory.path + "/cramped-engine-\(getpid())-\(Entropy.word())"
      try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
    }
    self.cold = cold
    do {
      engine = try Self.open(self.folder, cold, configure)
      table = try engine.publish(Self.events())[0]
    } catch {
      try FileManager.default.removeItem(atPath: self.folder)
      throw error
    }
  }

  deinit {
    try? engine.close()  // A test that closed or lost its engine on purpose has said so itself.
    try? FileManager.default.removeItem(atPath: folder)  // Only scratch data.
  }

  private static func open(
    _ folder: String, _ cold: MemoryColdTier, _ configure: (inout StorageEngine.Options) -> Void
  ) throws(Fault) -> StorageEngine {
    var log = Logger(label: "test")
    log.logLevel = .critical
    var options = StorageEngine.Options(
      hot: HotTier.Options(folder: folder), log: log, flush: FlushSettings(checkIntervalMicros: 0))
    options.closeTimeoutMicros = 5_000_000
    configure(&options)
    return try StorageEngine.open(options, cold: cold)
  }

  func reopen(configure: (inout StorageEngine.Options) -> Void = { _ in }) throws {
    try engine.close()
    engine = try Self.open(folder, cold, configure)
  }

  /// A copy of folder and lake as they are now: what a crash at this moment would leave.
  static func crashImage(folder: String, cold: MemoryColdTier) throws -> (folder: String, cold: MemoryColdTier) {
    let copy = folder + "-image-\(Entropy.word())"
    try FileManager.default.copyItem(atPath: folder, toPath: copy)
    return (copy, cold.copy())
  }

  static func chunk(_ events: [Event], columns: [TableColumn]) -> Chunk {
    func column(_ type: DataType, _ value: (Event) -> Scalar) -> Column {
      ColumnBuilder.column(type, events.map(value))
    }
    var out = [
      column(.int8) { .integer($0.sequence) }, column(.text) { .text($0.name) },
      column(.timestamptz) { .integer(1_700_000_000_000_000 + $0.position * 1_000) },
      column(.timestamptz) { .integer(1_700_000_001_000_000 + $0.position * 1_000_000) },
      column(.jsonb) { .text("{\"p\":\($0.position)}") }, column(.int8) { .integer($0.position) },
      column(.int8) { .integer($0.hash ?? $0.sequence &* 31) },
      column(.text) { .text("series-\($0.sequence % 3)") }, column(.float8) { .float($0.value) },
      column(.text) { _ in .null },
    ]
    for column in columns.dropFirst(out.count) { out.append(.nulls(column.type, count: events.count)) }
    return Chunk(columns: out, rowCount: events.count)
  }

  func batch(_ events: [Event], errors: [ErrorRow] = [], mark: Int64? = nil) -> AppendBatch {
    let last = mark ?? max(events.map(\.position).max() ?? 0, errors.map(\.position.raw).max() ?? 0)
    let tables =
      events.isEmpty
      ? []
      : [
        TableAppend(
          table: table.id, schemaVersion: table.schema.version,
          chunk: Self.chunk(events, columns: table.schema.columns))
      ]
    return AppendBatch(
      shard: Self.shard,
      mark: LogMark(
        position: Position(raw: last), messageTimeMicros: last, checksum: UInt32(truncatingIfNeeded: last),
        streamCreatedMicros: 9), tables: tables, errors: errors)
  }

  /// `count` events whose sequence and position both begin at `first`.
  func run(_ first: Int64, _ count: Int64) -> AppendBatch {
    batch((first..<first + count).map { Event(sequence: $0, position: $0) })
  }

  func rows(_ id: TableID, _ columns: [Int], engine: StorageEngine? = nil) throws -> [[Scalar]] {
    try Self.rows(of: (engine ?? self.engine).snapshot(), id, columns)
  }

  static func rows(of snapshot: any StorageSnapshot, _ id: TableID, _ columns: [Int]) throws(Fault) -> [[Scalar]] {
    let scan = try snapshot.scan(ScanRequest(table: id, columns: columns))
    var out: [[Scalar]] = []
    for morsel in 0..<scan.morselCount {
      let reader = try scan.open(morsel: morsel)
      while let chunk = try reader.next() {
        for row in 0..<chunk.rowCount { out.append(chunk.columns.map { $0.scalar(at: row) }) }
      }
    }
    return out
  }

  func sequences(engine: StorageEngine? = nil) throws -> [Int64] {
    try rows(table.id, [SystemColumn.sequence], engine: engine).compactMap { $0[0].integer }.sorted()
  }

  func systemRows(_ name: String) throws -> [[Scalar]] {
    guard let found = engine.tables().first(where: { $0.schema == "cramped" && $0.name == name }) else {
      throw Fault(.undefinedTable, name)
    }
    return try rows(found.id, Array(found.columns.indices))
  }
}
