import Bedrock
import Columnar
import EventSchema
import Foundation
import Ingest
import Privacy
import Runtime
import StorageContract
import Synchronization
import Testing

/// A server, a store, and an ingest loop on a thread.
private final class World {
  let server: NATSServer
  let store: MemoryStore
  var options = IngestOptions()
  private var loop: RunningIngest?
  var service: IngestService? { loop?.service }
  let keyring = Keyring(masterKey: [UInt8](repeating: 9, count: 32))

  init(_ binary: String = NATSServer.binaries[0]) throws {
    server = try NATSServer(binary: binary)
    store = try MemoryStore()
    options.broker.servers = [server.url]
    options.broker.requestTimeoutMs = 2_000
  }

  func start() { loop = RunningIngest(options: options, store: store, keyring: keyring) }

  func stop() {
    loop?.stop()
    loop = nil
  }

  func publish(_ sequences: Range<Int>, table: String = "iot.measurement.recorded") throws {
    let publisher = try EventPublisher(broker: options.broker, stream: options.stream)
    for sequence in sequences {
      let json =
        #"{"event":"\#(table)","sequence":\#(sequence),"metadata":{"published":\#(sequence + 1)},"content":{"series":"s","value":\#(sequence)}}"#
      try publisher.publish(
        OutgoingEvent(
          subject: "events.\(table)", messageID: "\(UUID().uuidString)", payload: Array(json.utf8)))
    }
    let totals = try publisher.finish()
    #expect(totals.acknowledged == UInt64(sequences.count))
  }

  func expectRows(_ count: Int, _ table: String = "iot.measurement") throws {
    try waitUntil("\(count) rows are stored, there are \(store.sequences(table).count): \(String(describing: service?.status))") {
      store.sequences(table).count >= count
    }
    #expect(store.sequences(table) == (0..<count).map { Int64($0) })
  }
}

@Suite(.serialized, .enabled(if: !NATSServer.binaries.isEmpty, "no nats-server is installed"))
struct IngestTests {
  @Test(arguments: NATSServer.binaries)
  func exactlyOnceOverRestarts(binary: String) throws {
    let world = try World(binary)
    world.start()
    try world.publish(0..<2_000)
    try world.expectRows(2_000)
    world.stop()
    try world.publish(2_000..<9_000)
    world.start()
    try world.expectRows(9_000)
    world.server.kill()
    try world.server.start()
    try world.publish(9_000..<9_500)
    try world.expectRows(9_500)
    try waitUntil("the status follows") { world.service?.status.written.sequence == 9_500 }
    let status = try #require(world.service?.status)
    #expect(status.duplicates == 0 && status.failed == 0 && status.written.epoch == 0)
    #expect(status.written.sequence == 9_500)
  }

  @Test(arguments: NATSServer.binaries)
  func aSingleEventIsStoredAtOnce(binary: String) throws {
    let world = try World(binary)
    world.start()
    try world.publish(0..<1)
    try world.expectRows(1)
    for sequence in 1..<6 {
      let publisher = try EventPublisher(broker: world.options.broker, stream: world.options.stream)
      let json = #"{"event":"iot.measurement.recorded","sequence":\#(sequence),"metadata":{"published":1},"content":{}}"#
      let start = Date()
      try publisher.publish(
        OutgoingEvent(subject: "events.iot.measurement.recorded", messageID: "\(sequence)", payload: Array(json.utf8)))
      try waitUntil("it is stored") { world.store.sequences("iot.measurement").count == sequence + 1 }
      #expect(Date().timeIntervalSince(start) < 0.3)
    }
  }

  /// 50 events a second: a batch must not wait for more to come.
  @Test(arguments: NATSServer.binaries)
  func aTrickleIsStoredAsItComes(binary: String) throws {
    let world = try World(binary)
    world.start()
    try world.publish(0..<1)
    try world.expectRows(1)
    let publisher = try EventPublisher(broker: world.options.broker, stream: world.options.stream)
    let clock = Clock.system
    let pace = Pace(ratePerSecond: 50, clock: clock)
    var sent: [Int64] = []
    for sequence in 1...100 {
      let json = #"{"event":"iot.measurement.recorded","sequence":\#(sequence),"metadata":{"published":1},"content":{}}"#
      sent.append(clock.nowMicros())
      try publisher.publish(
        OutgoingEvent(subject: "events.iot.measurement.recorded", messageID: "\(sequence)", payload: Array(json.utf8)))
      try pace.wait(after: sequence)
    }
    try world.expectRows(101)
    let stored = world.store.state.withLock { $0.storedMicros["iot.measurement"] ?? [] }
    let delays = zip(stored.dropFirst(), sent).map { $0 - $1 }.sorted()
    #expect(delays[50] < 100_000 && delays[95] < 300_000, "delays in µs: \(delays)")
    #expect(world.store.state.withLock { $0.appends } > 20)
  }

  @Test func anotherSubjectPrefix() throws {
    let world = try World()
    world.options.stream.subjectPrefix = "acme.facts"
    let publisher = try EventPublisher(broker: world.options.broker, stream: world.options.stream)
    for (sequence, prefix) in [(0, "acme.facts"), (1, "acme.facts.x")] {
      let json = #"{"event":"iot.measurement.recorded","sequence":\#(sequence),"metadata":{"published":1},"content":{}}"#
      try publisher.publish(
        OutgoingEvent(subject: "\(prefix).iot.measurement.recorded", messageID: nil, payload: Array(json.utf8)))
    }
    _ = try publisher.finish()
    world.start()
    try world.expectRows(1)
    try waitUntil("the other is refused") { world.store.state.withLock { $0.errors.count } == 1 }
    #expect(world.store.state.withLock { $0.errors.map(\.code) } == ["envelope_subject_mismatch"])
  }

  @Test func badEventsBecomeSealedErrorRowsAndHashesReplaceValues() throws {
    let world = try World()
    let publisher = try EventPublisher(broker: world.options.broker, stream: world.options.stream)
    func send(_ json: String, _ subject: String) throws {
      try publisher.publish(OutgoingEvent(subject: subject, messageID: UUID().uuidString, payload: Array(json.utf8)))
    }
    for sequence in 0..<20 {
      try send(
        #"{"event":"user.identity.created","sequence":\#(sequence),"metadata":{"published":1},"content":{"userId":"u\#(sequence)","email":"canary@example.org","name":"Canary"}}"#,
        "events.user.identity.created")
      try send("canary nonsense", "events.user.identity.created")
      try send(#"{"event":"a.b.c","sequence":1}"#, "events.a.b.c")
    }
    _ = try publisher.finish()
    world.start()
    try world.expectRows(20, "user.identity")
    try waitUntil("the errors are stored") { world.store.state.withLock { $0.errors.count } == 40 }
    let column = Column.constant(.text("canary@example.org"), type: .bytea, count: 1)
    let hash = FieldHashing.hash(column, .sha256, world.keyring.keys(domain: "user")).scalar(at: 0)
    let (rows, errors) = world.store.state.withLock { ($0.rows["user.identity"] ?? [], $0.errors) }
    for row in rows {
      #expect(row.values["email"] == hash && row.values["content_name"] == .null)
      #expect(row.values["user_id"] == .text("u\(row.sequence)"))
    }
    #expect(Set(errors.map(\.code)) == ["undecodable", "schema_not_found"])
    for error in errors {
      #expect(!error.message.contains("canary"))
      #expect(String(decoding: error.sealedPayload, as: UTF8.self).contains("canary") == false)
      let opened = try PayloadSeal.open(error.sealedPayload, world.keyring.keys(domain: error.domain ?? "_unknown"))
      #expect(!opened.isEmpty)
    }
  }

  @Test(arguments: [true, false])
  func afterAFailedAppendNothingIsLostOrDoubled(afterWrite: Bool) throws {
    let world = try World()
    try world.publish(0..<3_000)
    world.options.batchMessagesMax = 500
    world.store.state.withLock { if afterWrite { $0.failAfter = 3 } else { $0.failBefore = 3 } }
    world.start()
    try world.expectRows(3_000)
    try waitUntil("the status follows") { world.service?.status.written.sequence == 3_000 }
    let status = try #require(world.service?.status)
    #expect(status.restarts == 3 && status.written.epoch == 0)
  }

  @Test(arguments: NATSServer.binaries)
  func aDeletedConsumerIsMadeAnew(binary: String) throws {
    let world = try World(binary)
    world.start()
    try world.publish(0..<100)
    try world.expectRows(100)
    try BrokerAdmin(world.options).deleteConsumer()
    try world.publish(100..<300)
    try world.expectRows(300)
  }

  @Test func aRecreatedStreamBeginsANewEpoch() throws {
    let world = try World()
    world.start()
    try world.publish(0..<100)
    try world.expectRows(100)
    world.stop()
    try BrokerAdmin(world.options).deleteStream()
    try world.publish(50..<150)
    world.start()
    try world.expectRows(150)
    try waitUntil("the status follows") { world.service?.status.duplicates == 50 }
    #expect(world.service?.status.written.epoch == 1)
  }

  @Test func aWipedBrokerUnderARunningLoopBeginsANewEpoch() throws {
    let world = try World()
    world.start()
    try world.publish(0..<100)
    try world.expectRows(100)
    world.server.kill()
    try world.server.wipe()
    try world.server.start()
    try world.publish(100..<120)
    try world.expectRows(120)
    try waitUntil("the status follows") { world.service?.status.written.epoch == 1 }
  }

  @Test func aHoleStopsOrIsCounted() throws {
    let world = try World()
    world.start()
    try world.publish(0..<100)
    try world.expectRows(100)
    world.stop()
    try world.publish(100..<200)
    try BrokerAdmin(world.options).purge(upTo: 151)
    world.start()
    try waitUntil("it stands at the hole") { world.service?.status.state == .stoppedAtHole }
    #expect(world.store.sequences("iot.measurement").count == 100)
    world.stop()
    world.options.onHole = .continue
    world.start()
    try waitUntil("the rest is stored") { world.store.sequences("iot.measurement").count == 150 }
    try waitUntil("the loss is told") { world.service?.status.lostMessages == 50 }
  }

  @Test func deletedMessagesInsideTheStreamAreSkipped() throws {
    let world = try World()
    try world.publish(0..<50)
    try BrokerAdmin(world.options).deleteMessage(10)
    world.start()
    try waitUntil("the rest is stored") { world.store.sequences("iot.measurement").count == 49 }
    try waitUntil("the loss is told") { world.service?.status.lostMessages == 1 }
  }

  @Test func aStreamWhoseAcksDeleteIsRefused() throws {
    let world = try World()
    try BrokerAdmin(world.options).makeWorkQueue()
    world.start()
    try waitUntil("it is refused") { world.service?.status.lastError?.contains("deletes messages") == true }
    #expect(world.service?.status.state == .waiting)
  }

  @Test func withoutABrokerItWaitsAndThenRuns() throws {
    let world = try World()
    world.server.kill()
    world.start()
    try waitUntil("it waits") { world.service?.status.state == .waiting }
    try world.server.start()
    try world.publish(0..<10)
    try world.expectRows(10)
  }
}
