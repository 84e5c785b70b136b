// The storage engine: one table over two tiers.
//
//   append ──► writer (one lock): dedupe, encode, ONE synced write ──► new cut ──► readers
//   flush  ──► lake files, lake commit ──► cut with the new lake version ──► S ──► delete hot chunks, D
//   snapshot() takes the newest cut; it waits for a writer only to take over what others have committed to the lake.
//
// Invariants: D <= S <= W for every table (EngineCut). What `append` returned is on disk and in every later snapshot.
// A failed write has an unknown outcome: the writer's memory is thrown away and read again from disk.
//
// Spec: DESIGN.md sections 3 and 4, RELIABILITY.md section 1.

package import Bedrock
import Columnar
package import EventSchema
package import HotTier
package import Logging
package import Runtime
package import StorageContract
import Synchronization

package final class StorageEngine: AppendSink, StorageReader, TableDirectory {
  package struct Options: Sendable {
    package var hot: HotTier.Options
    package var clock: Clock
    package var log: Logger
    package var flush: FlushSettings
    package var retention = RetentionSettings()
    /// How long closing, or opening again after a failed write, waits for readers.
    package var closeTimeoutMicros: Int64 = 30_000_000
    /// Called at every fault point, for tests; what it throws is a failure of that step.
    package var faultHook: (@Sendable (StaticString) throws(Fault) -> Void)?

    package init(hot: HotTier.Options, clock: Clock = .system, log: Logger, flush: FlushSettings = FlushSettings()) {
      self.hot = hot
      self.clock = clock
      self.log = log
      self.flush = flush
    }
  }

  private enum Phase: Sendable {
    case open(WriterState)
    /// A write failed; the state must be read from disk again. The tier is still to be closed.
    case failed(HotTier)
    case closed
  }

  let options: Options
  private let cold: any ColdTier
  private let phase: Mutex<Phase>
  private let published: Mutex<EngineCut?>
  private let generationCount = Atomic<UInt64>(1)
  /// Tables that a flush or a merge is working on.
  let busyTables = Monitor(Set<TableID>())
  private let loop = FlushLoop()
  /// Told of every flush that did something or failed.
  let flushObserver = Mutex<(@Sendable (FlushReport) -> Void)?>(nil)
  /// When cramped.errors was last looked through for expired rows.
  let errorsLookedMicros = Atomic<Int64>(.min / 2)
  /// When a statement last said that it could not look for newer versions of the lake; 0: never.
  let followWarnedNanos = Atomic<UInt64>(0)
  /// What the statistics job found, by table.
  let statistics = Mutex<[TableID: TableStatistics]>([:])

  private init(_ options: Options, cold: any ColdTier, state: WriterState) {
    self.options = options
    self.cold = cold
    phase = Mutex(.open(state))
    published = Mutex(state.cut)
  }

  /// Opens the data folder, recovers, and starts the flush loop. Throws XX001, 58030, 55000.
  package static func open(_ options: Options, cold: any ColdTier) throws(Fault) -> StorageEngine {
    let state = try WriterState.open(options, cold: cold)
    let engine = StorageEngine(options, cold: cold, state: state)
    if options.flush.checkIntervalMicros > 0 { engine.loop.start(engine) }
    return engine
  }

  /// Stops the flush loop, waits for readers and closes the hot tier. Throws 55000 when readers outlast the time.
  package func close() throws(Fault) {
    loop.stop()
    published.withLock { $0 = nil }
    let tier: HotTier? = phase.withLock { phase in
      defer { phase = .closed }
      switch phase {
      case .open(let state): return state.hot
      case .failed(let tier): return tier
      case .closed: return nil
      }
    }
    try tier?.close(timeoutMicros: options.closeTimeoutMicros)
  }

  // MARK: Writer's lock

  /// Runs `body` as the one writer and publishes what it leaves.
  ///
  /// When `body` throws, the state is thrown away and read again from disk before the next writer: a failed write has an
  /// unknown outcome, and memory may be ahead of the disk. With `keepsState`, a body that throws without having tried to
  /// write costs nothing; only for bodies that leave the seen-sets alone, which would have to be copied.
  func withWriter<R: Sendable>(
    keepsState: Bool = false, _ body: (inout WriterState) throws(Fault) -> R
  ) throws(Fault) -> R {
    try phase.withLock { (phase) throws(Fault) -> R in
      var state = try reopened(&phase)
      let before = keepsState ? state : nil
      // The phase must not hold a second reference to the state, or every change would copy it.
      phase = .failed(state.hot)
      do throws(Fault) {
        let result = try body(&state)
        let cut = state.cut
        published.withLock { $0 = cut }
        phase = .open(state)
        return result
      } catch {
        if let before, before.hot.isUnchanged(since: before.view) { phase = .open(before) }
        throw error
      }
    }
  }

  private func reopened(_ phase: inout Phase) throws(Fault) -> WriterState {
    switch phase {
    case .open(let state): return state
    case .closed: throw Fault(.cannotConnectNow, "the storage engine is closed")
    case .failed(let tier):
      options.log.warning("opening the hot tier again after a failed write")
      published.withLock { $0 = nil }
      try tier.close(timeoutMicros: options.closeTimeoutMicros)
      let state = try WriterState.open(options, cold: cold)
      phase = .open(state)
      let cut = state.cut
      published.withLock { $0 = cut }
      return state
    }
  }

  func pass(_ name: StaticString) throws(Fault) {
    FaultPoint.pass(name)
    try options.faultHook?(name)
  }

  func currentCut() -> EngineCut? { published.withLock { $0 } }

  // MARK: AppendSink

  package func written(shard: ShardID) throws(Fault) -> LogMark? {
    try withWriter(keepsState: true) { state in state.marks[shard] }
  }

  package func append(_ batch: AppendBatch) throws(Fault) -> AppendReceipt {
    // Refused before anything changes: a batch that makes no sense leaves the writer as it is.
    guard let cut = currentCut() else { throw Fault(.cannotConnectNow, "the storage engine is not open") }
    try AppendWork.check(batch, cut)
    return try withWriter { (state) throws(Fault) in
      var work = AppendWork(batch, engine: self)
      return try work.run(&state)
    }
  }

  // MARK: StorageReader

  package func tables() -> [TableDescription] {
    guard let cut = currentCut() else { return [] }
    let system = SystemTable.allCases.map { $0.description(hot: cut.hot) }
    let events = cut.tables.values.sorted { $0.entry.newest.name < $1.entry.newest.name }
    let statistics = self.statistics.withLock { $0 }
    return system + events.map { Self.description($0, hot: cut.hot, statistics: statistics[$0.entry.id]) }
  }

  package func snapshot() throws(Fault) -> any StorageSnapshot {
    let faults = try followLake()
    guard let cut = currentCut() else { throw Fault(.cannotConnectNow, "the storage engine is not open") }
    return EngineSnapshot(cut: cut, engine: self, faults: faults)
  }

  private static func description(
    _ table: CutTable, hot: HotView, statistics: TableStatistics?
  ) -> TableDescription {
    let schema = table.entry.newest
    let system = (0..<SystemColumn.count).filter { !schema.columns[$0].isHidden }
    let views = schema.events.map { event in
      let content = event.fields.compactMap { field in
        field.policy == .drop ? nil : schema.column(named: field.column)
      }
      return EventViewDescription(
        name: "\(schema.entity)_\(event.name.name)", eventName: event.name.name, columns: system + content)
    }
    return TableDescription(
      id: table.entry.id, schema: schema.domain, name: schema.entity, columns: schema.columns, views: views,
      estimatedRows: table.hotRows(in: hot) + table.cold.rowCount, statistics: statistics)
  }

  /// The newest columns of an event table.
  func columns(of table: TableID) -> [TableColumn]? { currentCut()?.tables[table]?.entry.newest.columns }

  /// Copies of the seen-sets; they share memory with the writer's until it changes them.
  func seenSets() throws(Fault) -> [TableID: SeenSet] { try withWriter { state in state.seen } }

  // MARK: TableDirectory

  package var generation: UInt64 { generationCount.load(ordering: .acquiring) }

  package func registeredTables() -> [RegisteredTable] {
    guard let cut = currentCut() else { return [] }
    return cut.tables.values.sorted { $0.entry.id.raw < $1.entry.id.raw }
      .map { RegisteredTable(id: $0.entry.id, schema: $0.entry.newest) }
  }

  package func publish(_ events: [EventType]) throws(Fault) -> [RegisteredTable] {
    guard let cut = currentCut() else { throw Fault(.cannotConnectNow, "the storage engine is not open") }
    // Checked outside the lock first, so that a refused schema costs no reopening.
    _ = try PublishWork.plan(events, tables: cut.tables)
    let (tables, changed) = try withWriter(keepsState: true) { (state) throws(Fault) in
      try PublishWork.run(events, state: &state, cold: cold)
    }
    if changed { generationCount.add(1, ordering: .acquiringAndReleasing) }
    return tables
  }
}
