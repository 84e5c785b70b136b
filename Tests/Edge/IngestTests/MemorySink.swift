// A storage in memory that keeps the contract of AppendSink: W, no event twice, and failures on demand.

import Bedrock
import CapnpSchema
import Columnar
import EventSchema
import Privacy
import Runtime
import StorageContract
import Synchronization

final class MemoryStore: AppendSink, TableDirectory, Sendable {
  struct Row: Equatable { var sequence: Int64; var position: Int64; var values: [String: Scalar] }
  struct State {
    var mark: LogMark?
    var tables: [RegisteredTable] = []
    var generation: UInt64 = 1
    var rows: [String: [Row]] = [:]
    /// When each row of a table was stored, µs since 1970.
    var storedMicros: [String: [Int64]] = [:]
    var known: [String: Set<Int64>] = [:]
    var errors: [ErrorRow] = []
    /// The next appends fail: before the write, or after it (outcome unknown).
    var failBefore = 0
    var failAfter = 0
    var appends = 0
  }
  let state = Mutex(State())

  init() throws {
    let events = try SchemaRegistry.events(in: EmbeddedSchemas.files)
    _ = try publish(events)
  }

  var generation: UInt64 { state.withLock { $0.generation } }
  func registeredTables() -> [RegisteredTable] { state.withLock { $0.tables } }

  func publish(_ events: [EventType]) throws(Fault) -> [RegisteredTable] {
    var tables: [RegisteredTable] = []
    let groups = Dictionary(grouping: events) { "\($0.name.domain).\($0.name.entity)" }
    for (index, group) in groups.sorted(by: { $0.key < $1.key }).enumerated() {
      let name = group.value[0].name
      let schema = try TableSchema.merging(domain: name.domain, entity: name.entity, events: group.value, previous: nil)
      tables.append(RegisteredTable(id: TableID(raw: UInt32(index + 1)), schema: schema))
    }
    state.withLock {
      $0.tables = tables
      $0.generation += 1
    }
    return tables
  }

  func written(shard: ShardID) throws(Fault) -> LogMark? { state.withLock { $0.mark } }

  func append(_ batch: AppendBatch) throws(Fault) -> AppendReceipt {
    let result: Result<AppendReceipt, Fault> = state.withLock { state in
      state.appends += 1
      if state.failBefore > 0 {
        state.failBefore -= 1
        return .failure(Fault(.ioError, "planned failure before the write"))
      }
      precondition(state.mark.map { $0.position < batch.mark.position } ?? true, "W rises")
      var receipt = AppendReceipt(stored: 0, duplicates: 0, failed: batch.errors.count)
      for append in batch.tables { Self.store(append, &state, &receipt) }
      state.errors += batch.errors
      state.mark = batch.mark
      if state.failAfter > 0 {
        state.failAfter -= 1
        return .failure(Fault(.ioError, "planned failure after the write"))
      }
      return .success(receipt)
    }
    return try result.get()
  }

  private static func store(_ append: TableAppend, _ state: inout State, _ receipt: inout AppendReceipt) {
    let schema = state.tables.first { $0.id == append.table }!.schema  // the directory made this id
    precondition(append.chunk.columns.count == schema.columns.count)
    var last: Int64 = -1
    for row in 0..<append.chunk.rowCount {
      var values: [String: Scalar] = [:]
      for (column, description) in zip(append.chunk.columns, schema.columns) {
        precondition(description.isNullable || !column.isNull(at: row), "\(description.name) is not null")
        values[description.name] = column.scalar(at: row)
      }
      let sequence = values["sequence"]!.integer!, position = values["_pos"]!.integer!  // not null, as checked
      precondition(position > last && position <= state.mark.map { _ in Int64.max } ?? Int64.max)
      last = position
      if let mark = state.mark, position <= mark.position.raw {
        receipt.duplicates += 1
      } else if state.known[schema.name, default: []].insert(sequence).inserted {
        state.rows[schema.name, default: []].append(Row(sequence: sequence, position: position, values: values))
        state.storedMicros[schema.name, default: []].append(Clock.system.nowMicros())
        receipt.stored += 1
      } else {
        receipt.duplicates += 1
      }
    }
  }

  func sequences(_ table: String) -> [Int64] { state.withLock { $0.rows[table, default: []].map(\.sequence) } }
}
