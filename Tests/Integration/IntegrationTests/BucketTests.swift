// The server with its lake in a bucket: flush, query, restart, and kill -9 in the middle of flushes.

import Foundation
import TestKit
import Testing

@Suite(
  "The lake in a bucket", .serialized, .enabled(if: MotoServer.isInstalled, "python3 has no moto[server]"))
struct BucketTests {
  let folder: TemporaryFolder
  let moto: MotoServer

  init() throws {
    folder = try TemporaryFolder("bucket")
    moto = try MotoServer(bucket: "lakes")
  }

  var settings: [String: String] {
    [
      "CRAMPED_LAKE_STORE": "s3", "CRAMPED_LAKE_S3_ENDPOINT": moto.endpoint, "CRAMPED_LAKE_S3_BUCKET": "lakes",
      "CRAMPED_LAKE_S3_PREFIX": "test", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "canary-secret",
      "CRAMPED_FLUSH_AGE_SECONDS": "1", "CRAMPED_FLUSH_ROWS_MAX": "1000", "CRAMPED_FLUSH_CHECK_SECONDS": "1",
      "CRAMPED_NATS_BATCH_EVENTS_MAX": "500",
    ]
  }

  func events(_ range: ClosedRange<Int>) -> String {
    range.map { sequence in
      """
      {"event":"iot.measurement.recorded","sequence":\(sequence),"metadata":{"published":\(1_700_000_000_000_000 + sequence)},\
      "content":{"series":"s-\(sequence % 5)","value":\(sequence % 1_000)}}

      """
    }.joined()
  }

  @Test(.timeLimit(.minutes(10)))
  func everyEventExactlyOnceAfterKillsDuringFlushes() throws {
    let nats = try NATSServer(folder: folder)
    defer { nats.stop() }
    let server = try CrampedServer(folder: folder, natsURL: nats.url, settings: settings)
    let count = 12_000
    let file = folder.file("events.ndjson")
    try events(1...count).write(toFile: file, atomically: true, encoding: .utf8)
    let publisher = try ChildProcess(
      CrampedServer.program, ["publish", "--nats", nats.url, "--rate", "700", file], folder: folder, name: "publish")
    var deaths = 0
    for point in ["flush.files_written:1", "lake.before_commit:2", "lake.committed:1", "flush.committed:2", "flush.deleted:1"] {
      server.kill9()
      try server.restart(settings: ["CRAMPED_FAULT_POINT": point], waits: false)
      let deadline = Date().addingTimeInterval(8)
      while server.isRunning && Date() < deadline { usleep(10_000) }
      if !server.isRunning { deaths += 1 }
    }
    server.kill9()
    try server.restart()
    #expect(deaths >= 3, "only \(deaths) deaths in flushes")
    #expect(publisher.wait() == 0, "\(publisher.errorOutput)")
    try eventually("all events are visible") {
      try server.query("SELECT count(*) FROM iot.measurement") == "\(count)\n"
    }
    let values = (1...count).reduce(0) { $0 + $1 % 1_000 }
    #expect(
      try server.query("SELECT count(*), count(DISTINCT sequence), sum(sequence), sum(value)::bigint FROM iot.measurement")
        == "\(count)|\(count)|\(count * (count + 1) / 2)|\(values)\n")
    _ = try server.query("CALL cramped.flush('iot.measurement')")
    let inLake = "SELECT lake_rows FROM cramped.tables WHERE domain = 'iot' AND entity = 'measurement'"
    #expect(try server.query(inLake) == "\(count)\n")
    // What delta-rs and DuckDB find in the bucket is the same.
    let read = try ChildProcess.run(
      "python3", ["\(checkout)/Tests/Support/s3_delta.py", "read", moto.endpoint, "s3://lakes/test/lake/iot/measurement"])
    #expect(read.status == 0, "\(read.errorOutput)")
    for engine in ["deltalake", "duckdb"] {
      #expect(read.output.contains("\(engine) \(count) \(count) \(count * (count + 1) / 2) \(values)"), "\(read.output)")
    }
    // A restart reads it all back from the bucket; nothing of the lake is on the local disk.
    #expect(server.stop() == 0)
    try server.restart()
    #expect(try server.query("SELECT count(*) FROM iot.measurement WHERE value >= 500") == "6000\n")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("data/lake")).isEmpty)
    #expect(try !moto.admin("keys", "lakes").contains("test/_probe"))
    #expect(server.stop() == 0)
    #expect(!server.log.contains("canary-secret"))
  }

  @Test func aBucketThatIsNotThereAndMissingKeysAreRefusedAtStart() throws {
    let server = try CrampedServer(
      folder: folder, natsURL: nil, settings: settings.merging(["CRAMPED_LAKE_S3_BUCKET": "others"]) { $1 }, waits: false)
    #expect(server.wait() != 0)
    #expect(server.log.contains("NoSuchBucket") && server.log.contains("lake.s3.bucket"), "\(server.log)")
    try server.restart(settings: ["CRAMPED_LAKE_S3_ACCESS_KEY_ENV": "NO_SUCH_VARIABLE"], waits: false)
    #expect(server.wait() != 0)
    #expect(server.log.contains("NO_SUCH_VARIABLE"), "\(server.log)")
    #expect(!server.log.contains("canary-secret"))
  }
}
