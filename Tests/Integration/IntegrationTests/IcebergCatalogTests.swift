// The lake through the Iceberg REST catalog of a running server: the same rows as psql, after every flush.

import Foundation
import TestKit
import Testing

private let script = "\(checkout)/Tests/Support/read_iceberg.py"
private let readers: [String] = {
  // No Python at all is the same as a Python without the readers.
  guard let result = try? ChildProcess.run("python3", [script, "check"]), result.status == 0 else { return [] }
  return result.output.split(separator: "\n").map(String.init)
}()

@Suite("Iceberg catalog", .serialized, .enabled(if: readers.contains("pyiceberg") && readers.contains("DuckDB")))
struct IcebergCatalogTests {
  @Test("two flushes, a restart: pyiceberg, DuckDB and Polars attach and see what psql sees")
  func attached() throws {
    let folder = try TemporaryFolder("catalog")
    let nats = try NATSServer(folder: folder)
    let server = try CrampedServer(folder: folder, natsURL: nats.url)
    defer { nats.stop() }
    var count = 0
    func round(_ rows: Int) throws {
      let lines = (count..<count + rows).map { number in
        """
        {"event":"iot.measurement.recorded","sequence":\(number),"metadata":{"published":\(1_700_000_000_000_000 + number)},\
        "content":{"series":"s\(number % 5)","value":\(number % 100)}}
        """
      }
      count += rows
      let file = folder.file("events-\(count).ndjson")
      try (lines.joined(separator: "\n") + "\n").write(toFile: file, atomically: true, encoding: .utf8)
      let published = try server.command(["publish", "--nats", nats.url, file])
      #expect(published.status == 0, "\(published.errorOutput)")
      try eventually("\(count) rows") { try server.query("SELECT count(*) FROM iot.measurement") == "\(count)\n" }
      _ = try server.query("CALL cramped.flush('iot.measurement')")
    }
    func compare() throws {
      let ours = try server.query("SELECT count(*), sum(sequence)::bigint, sum(value)::bigint FROM iot.measurement")
      let result = try ChildProcess.run(
        "python3",
        [
          script, "rest", "http://127.0.0.1:\(server.httpPort)/iceberg", "iot", "measurement",
          "SELECT count(*), sum(sequence)::bigint, sum(value)::bigint FROM t",
        ])
      #expect(result.status == 0, "\(result.output)\(result.errorOutput)")
      let row = ours.split(separator: "\n")[0].split(separator: "|").joined(separator: " ")
      for reader in ["pyiceberg", "DuckDB"] { #expect(result.output.contains("\(reader): \(row)\n"), "\(result.output)") }
    }
    try round(500)
    try compare()
    try round(300)
    try compare()
    // The metadata is there without any request, and is gone on from after a restart.
    let hint = folder.file("data/lake/iot/measurement/_iceberg/metadata/version-hint.text")
    try eventually("metadata of version 1") { (try? String(contentsOfFile: hint, encoding: .utf8)) == "1" }
    try server.restart()
    try compare()
    let ready = try ChildProcess.run("curl", ["-s", "-m", "20", "http://127.0.0.1:\(server.httpPort)/health/ready"])
    #expect(ready.output.contains("ready"))
    #expect(server.stop() == 0)
  }
}
