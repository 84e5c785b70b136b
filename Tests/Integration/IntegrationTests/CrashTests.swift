// kill -9 at random moments of ingest and flush under load. Afterwards every published event is in the table exactly
// once, and the Delta table that other engines read equals what SQL says is flushed.

import Foundation
import TestKit
import Testing

@Suite("Crashes", .serialized)
struct CrashTests {
  static let kills = 50
  static let events = 60_000

  /// Steps of an append and a flush where the server can be told to die.
  static let faultPoints = [
    "append.before_write", "append.written", "flush.files_written", "flush.committed", "flush.marked", "flush.deleted",
  ]

  @Test(.timeLimit(.minutes(20)))
  func everyEventExactlyOnceAfterFiftyKills() throws {
    let seed = UInt64(ProcessInfo.processInfo.environment["CRASH_SEED"] ?? "") ?? UInt64(Date().timeIntervalSince1970)
    var random = SplitMix(state: seed)
    print("crash test seed \(seed) (CRASH_SEED=\(seed) repeats it)")
    let folder = try TemporaryFolder("crash")
    let nats = try NATSServer(folder: folder)
    defer { nats.stop() }
    let settings = [
      "CRAMPED_FLUSH_AGE_SECONDS": "1", "CRAMPED_FLUSH_ROWS_MAX": "3000", "CRAMPED_FLUSH_CHECK_SECONDS": "1",
      "CRAMPED_NATS_BATCH_EVENTS_MAX": "500",
    ]
    let server = try CrampedServer(folder: folder, natsURL: nats.url, settings: settings)

    var lines = ""
    var valueSum = 0
    for sequence in 1...Self.events {
      let value = Int(random.next() % 1_000)
      valueSum += value
      lines += """
        {"event":"iot.measurement.recorded","sequence":\(sequence),"metadata":{"published":\(1_700_000_000_000_000 + sequence * 1_000)},\
        "content":{"series":"series-\(sequence % 7)","value":\(value)}}

        """
    }
    let file = folder.file("events.ndjson")
    try lines.write(toFile: file, atomically: true, encoding: .utf8)
    // The rate spreads the events over most of the kills.
    let publisher = try ChildProcess(
      CrampedServer.program, ["publish", "--nats", nats.url, "--rate", "600", file], folder: folder, name: "publish")

    var deathsAtSteps = 0
    for kill in 0..<Self.kills {
      if kill % 2 == 0 {
        // A random moment within the first one and a half seconds after the server is up.
        try server.waitUntilReady()
        usleep(UInt32(random.next() % 1_500_000))
        server.kill9()
        try server.restart(waits: false)
      } else {
        // Exactly at one step: the server kills itself when it passes there. If the load has ended and it never does,
        // kill it after a while.
        let point = Self.faultPoints[Int(random.next() % UInt64(Self.faultPoints.count))]
        server.kill9()
        try server.restart(settings: ["CRAMPED_FAULT_POINT": "\(point):\(1 + random.next() % 3)"], waits: false)
        let deadline = Date().addingTimeInterval(3)
        while server.isRunning && Date() < deadline { usleep(10_000) }
        if !server.isRunning { deathsAtSteps += 1 }
        server.kill9()
        try server.restart(waits: false)
      }
    }
    #expect(deathsAtSteps >= Self.kills / 4, "only \(deathsAtSteps) deaths at steps: the load does not reach them")
    #expect(publisher.wait() == 0, "\(publisher.errorOutput)")
    try server.waitUntilReady()
    try eventually("all events are visible", seconds: 120) {
      try server.query("SELECT count(*) FROM iot.measurement") == "\(Self.events)\n"
    }
    let sequenceSum = Self.events * (Self.events + 1) / 2
    #expect(
      try server.query(
        "SELECT count(*), count(DISTINCT sequence), sum(sequence), sum(value)::bigint FROM iot.measurement")
        == "\(Self.events)|\(Self.events)|\(sequenceSum)|\(valueSum)\n")
    #expect(try server.query("SELECT count(*) FROM cramped.errors") == "0\n")
    #expect(try server.query("SELECT sum(received - stored - failed - duplicate) FROM cramped.ledger") == "0\n")

    // What other engines see is exactly what SQL says is in the lake.
    _ = try server.query("CALL cramped.flush('iot.measurement')")
    let flushed = try server.query("SELECT lake_rows FROM cramped.tables WHERE domain = 'iot' AND entity = 'measurement'")
    #expect(flushed == "\(Self.events)\n")
    let read = try ChildProcess.run(
      "python3",
      ["\(checkout)/Tests/Integration/IntegrationTests/Oracle/read_delta.py", folder.file("data/lake/iot/measurement")])
    #expect(read.status == 0, "\(read.errorOutput)")
    let expected = "\(Self.events) \(Self.events) \(sequenceSum) \(valueSum)"
    #expect(read.output == "deltalake \(expected)\nduckdb \(expected)\n")
    #expect(server.stop() == 0)
  }
}

/// SplitMix64, so that a seed repeats a run.
struct SplitMix {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }
}
