// Our tables read by other engines, and their tables by us. Skipped where Python has no deltalake and duckdb.

import Bedrock
import Columnar
import DeltaFormat
import EventSchema
import Foundation
import JSONTape
import Lake
import ObjectStore
import Runtime
import StorageContract
import TestKit
import Testing

private let script = "\(checkout)/Tests/Support/read_delta.py"
private let readers: [String] = {
  // No Python at all is the same as a Python without the readers.
  guard let result = try? ChildProcess.run("python3", [script, "check"]), result.status == 0 else { return [] }
  return result.output.split(separator: "\n").map(String.init)
}()

@Suite("Delta tables and other engines", .enabled(if: !readers.isEmpty, "python3 has no deltalake and duckdb"))
struct OtherReadersTests {
  /// The rows as read_delta.py wants them.
  private func expected(_ rows: [[Scalar]], _ columns: [TableColumn]) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("columns")
    writer.beginArray()
    for column in columns { writer.value(column.name) }
    writer.endArray()
    writer.key("rows")
    writer.beginArray()
    for row in rows {
      writer.beginArray()
      for (value, column) in zip(row, columns) { write(value, column.type, &writer) }
      writer.endArray()
    }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }

  private func write(_ value: Scalar, _ type: DataType, _ writer: inout JSONWriter) {
    switch (value, type) {
    case (.null, _): writer.null()
    case (.boolean(let value), _): writer.value(value)
    case (.integer(let day), .date):
      let date = Date(timeIntervalSince1970: Double(day) * 86_400)
      writer.value(date.formatted(.iso8601.year().month().day()))
    case (.integer(let value), _): writer.value(value)
    case (.float(let value), _):
      if value.isFinite { writer.value(value) } else { writer.value(value.isNaN ? "nan" : value > 0 ? "inf" : "-inf") }
    case (.numeric(let value), _):
      let magnitude = value.coefficient.magnitude
      let cents = String(magnitude % 100)
      let text = "\(magnitude / 100).\(cents.count < 2 ? "0" : "")\(cents)"
      writer.value((value.coefficient < 0 ? "-" : "") + text)
    case (.bytes(let bytes), .bytea):
      writer.value(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
    case (.bytes(let bytes), _): writer.value(String(decoding: bytes, as: UTF8.self))
    default: preconditionFailure("no such value in the fixture")
    }
  }

  private func compare(_ table: String, _ rows: [[Scalar]], _ schema: TableSchema, _ folder: TemporaryFolder) throws {
    let file = folder.file("expected.json")
    try Data(expected(rows, Fixture.lakeColumns(schema))).write(to: URL(fileURLWithPath: file))
    let result = try ChildProcess.run("python3", [script, "compare", table, file])
    #expect(result.status == 0, "\(result.output)\(result.errorOutput)")
    for reader in readers { #expect(result.output.contains("\(reader): \(rows.count) rows compared")) }
  }

  @Test("several flushes, files and row groups, an added column, nulls, NaN and infinity: every reader sees our rows")
  func others() throws {
    let folder = try TemporaryFolder("readers")
    var options = LakeOptions()
    options.fileBytesTarget = 60_000
    options.rowGroupRowsMax = 150
    let lake = Lake(store: try LocalObjectStore(path: folder.file("data")), clock: .system, options: options)
    let table = try lake.table(domain: "iot", entity: "measurement")
    var rows = Fixture.rows(1..<1_501)
    let value = try #require(Fixture.lakeColumns(Fixture.schema).firstIndex { $0.name == "value" })
    rows[3][value] = .float(.nan)
    rows[700][value] = .float(.infinity)
    rows[1_400][value] = .float(-.infinity)
    rows[1_401][value] = .float(-0.0)
    _ = try table.flush(Array(rows[0..<600]), expected: nil, version: 600)
    _ = try table.flush(Array(rows[600..<1_500]), expected: 600, version: 1_500)
    _ = try table.flush([], expected: 1_500, version: 1_600)
    try compare(folder.file("data/lake/iot/measurement"), rows, Fixture.schema, folder)

    let added = Fixture.rows(1_601..<1_701, Fixture.nextSchema)
    _ = try table.flush(added, schema: Fixture.nextSchema, expected: 1_600, version: 1_700)
    try compare(
      folder.file("data/lake/iot/measurement"), rows.map { $0 + [.null] } + added, Fixture.nextSchema, folder)
  }

  @Test("a table that delta-rs wrote: log, rows, deletes and application transactions")
  func theirs() throws {
    let folder = try TemporaryFolder("theirs")
    let data = folder.file("data")
    try FileManager.default.createDirectory(atPath: data + "/lake/other", withIntermediateDirectories: true)
    let result = try ChildProcess.run("python3", [script, "write", data + "/lake/other/table"])
    try #require(result.status == 0, "\(result.errorOutput)")
    let lake = Lake(store: try LocalObjectStore(path: data), clock: .system)
    let table = try lake.table(domain: "other", entity: "table")
    let snapshot = try table.refresh()
    #expect(snapshot.version == 2 && snapshot.rowCount == 5)
    #expect(snapshot.transactionVersion(appID: "app") == 3)
    let columns = [
      TableColumn(fieldID: 101, name: "id", type: .int8, isNullable: true),
      TableColumn(fieldID: 102, name: "name", type: .text, isNullable: true),
      TableColumn(fieldID: 103, name: "at", type: .timestamptz, isNullable: true),
    ]
    let scan = try snapshot.scan(ScanRequest(table: TableID(raw: 1), columns: [0, 1, 2]), columns: columns)
    var rows: [[Scalar]] = []
    for morsel in 0..<scan.morselCount {
      let reader = try scan.open(morsel: morsel)
      while let chunk = try reader.next() {
        for row in 0..<chunk.rowCount { rows.append(chunk.columns.map { $0.scalar(at: row) }) }
      }
    }
    rows.sort { ($0[0].integer ?? 0) < ($1[0].integer ?? 0) }
    #expect(rows.map { $0[0].integer } == [1, 3, 4, 5, 6])
    #expect(rows.map { $0[1].text } == ["a", "c", "a", nil, "c"])
    #expect(rows.map { $0[2].integer } == [1, 3, 1, 2, 3])
    // Its protocol asks nothing that we do not do, so it may be written too.
    let outcome = try table.commit(
      LakeCommit(files: [], schema: Fixture.schema, appID: "app", expectedVersion: 3, version: 4))
    #expect(outcome == .committed(deltaVersion: snapshot.version + 1))
    #expect(try table.refresh().delta.protocolVersion == snapshot.delta.protocolVersion)
  }
}
