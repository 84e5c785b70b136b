// From the broker to disk and on: fetch alone, ingest, latency, scans, flush.

import Bedrock
import Columnar
import EventSchema
import Foundation
import HotTier
import Ingest
import Lake
import Logging
import ObjectStore
import Privacy
import Runtime
import StorageContract
import StorageEngine

struct BrokerBench {
  private let options: BenchOptions
  private let folder: String
  private let clock = Clock.system
  private let broker: BrokerProcess
  private var ingest = IngestOptions()
  private let quiet = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }

  init(_ options: BenchOptions, folder: String) throws {
    guard let binary = options.server else {
      throw Fault(.undefinedFile, "there is no nats-server", hint: "Install it, or name it with --nats-server.")
    }
    self.options = options
    self.folder = folder
    broker = try BrokerProcess(binary: binary, folder: "\(folder)/nats", port: 20_000 + Int(getpid()) % 20_000)
    ingest.broker.servers = [broker.url]
    ingest.batchMessagesMax = options.batch
  }

  func run(_ report: inout Report) throws {
    defer { broker.stop() }
    print("| \(broker.version) |")
    let publisher = try broker.publisher(ingest)
    if options.parts.contains("broker") {
      let start = clock.monotonicNanos()
      for index in 0..<options.events { try publisher.publish(event(index)) }
      _ = try publisher.finish()
      report.add("publish to NATS, acknowledged", options.events, clock.monotonicNanos() - start)
      var fetched = UInt64.max
      var fetchCPU = UInt64.max
      for _ in 0..<options.rounds {
        var probe = ingest
        probe.consumer = "probe"
        let cpu = Self.cpuNanos()
        fetched = min(fetched, try FetchProbe.run(probe, messages: options.events).nanos)
        fetchCPU = min(fetchCPU, (Self.cpuNanos() - cpu) / UInt64(options.events))
      }
      report.add("libnats fetch alone", options.events, fetched, note: "\(fetchCPU) ns of CPU an event")
      for round in 0..<options.rounds { try ingestAll(round, &report) }
    }
    if options.parts.contains("latency") { try latency(publisher, &report) }
  }

  private func event(_ index: Int) -> OutgoingEvent {
    OutgoingEvent(subject: Workload.subject, messageID: nil, payload: Workload.payload(index))
  }

  // MARK: Throughput

  private func open(_ name: String, cacheBytes: Int = 1 << 30) throws(Fault) -> StorageEngine {
    let path = "\(folder)/\(name)"
    mkdir(path, 0o700)  // a failure shows when the engine opens it
    mkdir("\(path)/hot", 0o700)
    let lake = Lake(store: try LocalObjectStore(path: path), clock: clock)
    return try StorageEngine.open(
      .init(
        hot: .init(folder: "\(path)/hot", cacheBytes: cacheBytes), clock: clock, log: quiet,
        flush: FlushSettings(checkIntervalMicros: 0)), cold: LakeColdTier(lake))
  }

  private func ingestAll(_ round: Int, _ report: inout Report) throws {
    var engine = try open("data\(round)")
    _ = try engine.publish(try Tables.events())
    let service = service(engine, consumer: "ingest\(round)")
    let start = clock.monotonicNanos()
    let cpu = Self.cpuNanos()
    let thread = WorkerThread { service.runBlocking() }
    while service.status.written.sequence < UInt64(options.events) { Pause.micros(1_000) }
    let nanos = clock.monotonicNanos() - start
    let used = Self.cpuNanos() - cpu
    let status = service.status
    service.stopLoop()
    thread.join()
    precondition(status.stored == UInt64(options.events), "every event is stored once")
    report.add("ingest, NATS to synced hot tier", options.events, nanos)
    report.note(
      "",
      report.ratio("ingest, NATS to synced hot tier", to: "libnats fetch alone")
        + ", \(used / UInt64(options.events)) ns of CPU an event, \(status.batches) batches")
    guard round == options.rounds - 1 else { return try engine.close() }
    try scans(engine, "hot scan", &report)
    try engine.close()
    engine = try open("data\(round)", cacheBytes: 0)
    try scans(engine, "hot scan from RocksDB", &report)
    let flushStart = clock.monotonicNanos()
    let flushCPU = Self.cpuNanos()
    let receipt = try engine.flush(table: Workload.table)
    let flushNanos = clock.monotonicNanos() - flushStart
    let flushUsed = (Self.cpuNanos() - flushCPU) / UInt64(options.events)
    report.add(
      "flush to Delta", options.events, flushNanos, unit: "rows/s",
      note: "\(receipt.bytes / Int64(options.events)) bytes and \(flushUsed) ns of CPU a row")
    try scans(engine, "lake scan", &report)
    try engine.close()
  }

  /// CPU time of this process so far.
  static func cpuNanos() -> UInt64 {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return UInt64(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1_000_000_000
      + UInt64(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1_000
  }

  private func service(_ engine: StorageEngine, consumer: String) -> IngestService {
    var options = ingest
    options.consumer = consumer
    return IngestService(
      options: options, sink: engine, directory: engine, keyring: Keyring(masterKey: [UInt8](repeating: 7, count: 32)),
      log: quiet)
  }

  // MARK: Scans

  private func scans(_ engine: StorageEngine, _ name: String, _ report: inout Report) throws(Fault) {
    guard let table = engine.tables().first(where: { "\($0.schema).\($0.name)" == Workload.table }) else {
      throw Fault.bug("the table is gone")
    }
    var best = UInt64.max
    var rows = 0
    var sum: Int64 = 0
    for _ in 0..<3 {
      let start = clock.monotonicNanos()
      (rows, sum) = try Self.scan(engine, ScanRequest(table: table.id, columns: [SystemColumn.sequence]))
      best = min(best, clock.monotonicNanos() - start)
    }
    precondition(rows == options.events && sum == Workload.sequenceSum(rows), "every row is there once")
    report.add("\(name), one column", rows, best, unit: "rows/s", note: "rows \(rows), sum of sequence \(sum)")
    let all = table.columns.indices.filter { !table.columns[$0].isHidden }
    var bestAll = UInt64.max
    for _ in 0..<2 {
      let start = clock.monotonicNanos()
      _ = try Self.scan(engine, ScanRequest(table: table.id, columns: Array(all)))
      bestAll = min(bestAll, clock.monotonicNanos() - start)
    }
    report.add("\(name), \(all.count) columns", rows, bestAll, unit: "rows/s")
  }

  /// One thread over all morsels: row count and the sum of the first column.
  private static func scan(_ engine: StorageEngine, _ request: ScanRequest) throws(Fault) -> (Int, Int64) {
    let scan = try engine.snapshot().scan(request)
    var rows = 0
    var sum: Int64 = 0
    for morsel in 0..<scan.morselCount {
      let reader = try scan.open(morsel: morsel)
      while let chunk = try reader.next() {
        rows += chunk.rowCount
        let column = chunk.columns[0].flat()
        let values = column.int64s
        for row in values.indices { sum &+= values[row] }
      }
    }
    return (rows, sum)
  }

  // MARK: Latency

  /// 100 events at 50 a second: from the call of publish to the synced write, as the status shows it.
  private func latency(_ publisher: EventPublisher, _ report: inout Report) throws {
    let engine = try open("latency")
    _ = try engine.publish(try Tables.events())
    let service = service(engine, consumer: "latency")
    let thread = WorkerThread { service.runBlocking() }
    let before = options.parts.contains("broker") ? options.events : 0
    while service.status.state != .running || service.status.written.sequence < UInt64(before) { Pause.micros(1_000) }
    for (name, rate) in [("latency, 2 events/s", 2.0), ("latency, 50 events/s", 50), ("latency, 1,000 events/s", 1_000)] {
      let times = try Self.trickle(publisher, service, rate: rate, count: rate < 10 ? 10 : 200, event)
      report.note(
        name, "p50 \(times[times.count / 2]) ms, p99 \(times[times.count * 99 / 100]) ms, max \(times[times.count - 1]) ms")
    }
    service.stopLoop()
    thread.join()
    try engine.close()
  }

  private static func trickle(
    _ publisher: EventPublisher, _ service: IngestService, rate: Double, count: Int, _ event: (Int) -> OutgoingEvent
  ) throws(Fault) -> [Int] {
    let clock = Clock.system
    let base = service.status.written.sequence
    var sent: [UInt64] = []
    var times: [Int] = []
    func collect() {
      let written = Int(service.status.written.sequence - base)
      let now = clock.monotonicNanos()
      while times.count < written { times.append(Int((now - sent[times.count]) / 1_000_000)) }
    }
    let start = clock.monotonicNanos()
    while times.count < count {
      if sent.count < count, clock.monotonicNanos() - start >= UInt64(Double(sent.count) / rate * 1e9) {
        sent.append(clock.monotonicNanos())
        try publisher.publish(event(Int(base) + sent.count))
      }
      collect()
      Pause.micros(200)
    }
    return times.sorted()
  }
}
