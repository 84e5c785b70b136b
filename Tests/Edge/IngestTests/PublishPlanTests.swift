import Bedrock
import CapnpSchema
import Columnar
import EventSchema
import Foundation
import Ingest
import StorageContract
import Synchronization
import Testing

private func file(_ name: String, _ text: String) throws -> String {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("publish-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  let path = folder.appendingPathComponent(name).path
  try text.write(toFile: path, atomically: true, encoding: .utf8)
  return path
}

@Suite(.serialized, .enabled(if: !NATSServer.binaries.isEmpty, "no nats-server is installed"))
struct PublishPlanTests {
  private func publish(_ world: PublishWorld, _ options: PublishOptions) throws -> PublishReport {
    let publisher = try EventPublisher(broker: world.options.broker, stream: world.options.stream)
    return try PublishPlan(options).run(to: publisher) { _ in }
  }

  @Test func csvWithMappingAndASecondTime() throws {
    let world = try PublishWorld()
    let path = try file(
      "cpu_a.csv",
      "timestamp,value,note\r\n2014-02-14 14:30:00,0.132,\"a, \"\"b\"\"\r\nc\"\r\n2014-02-14 14:35:00,7,\r\nbad,1,\r\n2014-02-14 14:40:00,1\r\n")
    var options = PublishOptions()
    options.files = [path]
    options.event = try EventName("iot.measurement.recorded")
    options.publishedColumn = "timestamp"
    options.literals = [("series", "nab/{file}")]
    options.mappings = [("value", "value"), ("unit", "note")]
    options.eventTypes = try SchemaRegistry.events(in: EmbeddedSchemas.files)
    let first = try publish(world, options)
    #expect(first.events == 2 && first.totals.duplicates == 0 && first.problemCount == 2)
    #expect(first.problems.map(\.line) == [5, 6])
    #expect(first.problems.first.map { "\($0)".contains("cpu_a.csv:5: the time is neither") } == true)
    let second = try publish(world, options)
    #expect(second.events == 2 && second.totals.duplicates == 2)
    let rows = try world.rows(2, "iot.measurement")
    #expect(rows.map { $0.values["series"] } == [.text("nab/cpu_a"), .text("nab/cpu_a")])
    #expect(rows.map { $0.values["value"] } == [.float(0.132), .float(7)])
    #expect(rows.map { $0.values["unit"] } == [.text("a, \"b\"\r\nc"), .null])
    #expect(rows[0].values["published"] == .integer(1_392_388_200_000_000))
  }

  @Test func envelopesAndContentLines() throws {
    let world = try PublishWorld()
    let path = try file(
      "mixed.ndjson",
      """
      {"event":"iot.measurement.recorded","sequence":5,"metadata":{"published":1},"content":{"series":"a","value":1}}

      {"series":"b","value":2.5,"at":"2026-11-23T08:00:00Z","n":7}
      {"series":"c","value":2,"n":8}
      nonsense
      {"event":"x","sequence":1}
      [1]
      """)
    var options = PublishOptions()
    options.files = [path]
    options.event = try EventName("iot.measurement.recorded")
    options.sequence = .column("n")
    options.publishedColumn = "at"
    let report = try publish(world, options)
    #expect(report.events == 2 && report.problems.map(\.line) == [4, 5, 6, 7])
    let rows = try world.rows(2, "iot.measurement")
    #expect(rows.map(\.sequence) == [5, 7] && rows[1].values["value"] == .float(2.5))
    #expect(rows[1].values["published"] == .integer(1_795_420_800_000_000))
  }

  @Test func countedSequencesLimitRateAndMissingFile() throws {
    let world = try PublishWorld()
    let path = try file("n.csv", "value\n" + (0..<100).map { "\($0)\n" }.joined())
    var options = PublishOptions()
    options.files = [path, path]
    options.event = try EventName("iot.measurement.recorded")
    options.sequence = .start(10)
    options.recordsMax = 130
    options.ratePerSecond = 1_000
    let report = try publish(world, options)
    #expect(report.events == 130 && report.seconds >= 0.12)
    #expect(try world.rows(130, "iot.measurement").map(\.sequence) == Array(10..<140))
    // Without message ids the broker keeps every copy, and the storage recognises them.
    options.sendsMessageIDs = false
    options.recordsMax = 5
    #expect(try publish(world, options).totals.duplicates == 0)
    #expect(try publish(world, options).totals.duplicates == 0)
    options.sendsMessageIDs = true
    options.files = ["/nonexistent.csv"]
    #expect(throws: Fault.self) { try publish(world, options) }
    options.files = [path]
    options.publishedColumn = "when"
    let fault = #expect(throws: Fault.self) { try publish(world, options) }
    #expect(fault?.message.contains("no column \"when\"; the columns are value") == true)
  }
}

/// A broker, and what the ingest loop makes of its stream.
final class PublishWorld {
  let server: NATSServer
  var options = IngestOptions()
  private let store: MemoryStore

  init() throws {
    server = try NATSServer()
    store = try MemoryStore()
    options.broker.servers = [server.url]
  }

  func rows(_ count: Int, _ table: String) throws -> [MemoryStore.Row] {
    let loop = RunningIngest(options: options, store: store)
    defer { loop.stop() }
    try waitUntil("\(count) rows are stored") { store.sequences(table).count >= count }
    return store.state.withLock { $0.rows[table] ?? [] }
  }
}
