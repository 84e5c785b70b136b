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

  @Test("after compaction, checkpoints, compacted logs, cleanup and vacuum every reader sees our rows")
  func upkept() throws {
    let folder = try TemporaryFolder("readers")
    let model = try ModelTable(path: folder.file("data"))
    for _ in 0..<4 { try model.append(30) }
    try model.replace(Array(model.files.keys.sorted().prefix(3)), dropping: false)
    try model.table.checkpoint()
    try model.append(20)
    try model.replace(Array(model.files.keys.sorted().prefix(1)), dropping: true)
    func compare() throws {
      let rows = ModelTable.sorted(model.files.values.flatMap { $0 })
      try self.compare(folder.file("data/lake/iot/measurement"), rows, Fixture.schema, folder)
    }
    try compare()
    #expect(try model.table.compactLog() == 5...6)
    try compare()
    model.tick()
    #expect(try !model.table.vacuum(retentionMicros: 0).deleted.isEmpty)
    #expect(try !model.table.cleanLog(retentionMicros: 0).deleted.isEmpty)
    try model.append(5)
    try model.table.checkpoint()
    try compare()
  }

  @Test("delta-rs and we commit to one table at once: nothing is lost, and each sees the other's rows")
  func racing() throws {
    let folder = try TemporaryFolder("readers")
    let ours = try ModelTable(path: folder.file("ours"))
    try ours.append(1)
    let schema = try #require(ours.table.current.delta.metadata?.schemaString)
    try Data(schema.utf8).write(to: URL(fileURLWithPath: folder.file("schema.json")))
    let lake = Lake(store: try LocalObjectStore(path: folder.file("data")), clock: .system)
    let path = folder.file("data/lake/iot/measurement")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let created = try ChildProcess.run("python3", [script, "create", path, folder.file("schema.json")])
    #expect(created.status == 0, "\(created.errorOutput)")
    let table = try lake.table(domain: "iot", entity: "measurement")
    #expect(try table.refresh().version == 0)

    let others = try (0..<2).map { number in
      try ChildProcess(
        "python3", [script, "append", path, "\(10_000 * (number + 1))", "12"], folder: folder, name: "append\(number)")
    }
    var position: Int64 = 0
    var replaced = 0
    var seenForeign = false
    while position < 200 || others.contains(where: \.isRunning) {
      // At first as fast as it goes; then one commit for each of theirs, so that they get through.
      if position >= 200, try table.refresh().rowCount == table.current.rowCount, others.contains(where: \.isRunning) {
        let known = table.current.rowCount
        try eventually("they commit or end") {
          let count = try table.refresh().rowCount
          return count != known || !others.contains(where: \.isRunning)
        }
      }
      let rows = Fixture.rows((position + 1)..<(position + 11))
      let outcome = try table.flush(rows, expected: position == 0 ? nil : position, version: position + 10)
      guard case .committed = outcome else {
        Issue.record("\(outcome)")
        break
      }
      position += 10
      seenForeign = seenForeign || table.current.rowCount > position
      if position % 50 == 0 {
        // Ours are put together while they append.
        let base = try table.refresh()
        let ours = base.files.filter { $0.statistics.columns["name"]?.min == .text("recorded") }
        let writer = try table.writer(schema: Fixture.schema)
        try writer.append(Fixture.chunk(Fixture.rows(1..<(position + 1))))
        _ = try table.replace(
          LakeReplacement(
            base: base, removed: ours, added: try writer.finish(), dataChange: false, operation: "OPTIMIZE"))
        replaced += 1
      }
    }
    for other in others { #expect(other.wait() == 0, "\(other.errorOutput)") }
    let snapshot = try table.refresh()
    let read = try snapshot.rows(Fixture.schema, ["_pos"]).rows.compactMap { $0[0].integer }.sorted()
    let expected = Array(1...position) + (10_000..<10_012).map(Int64.init) + (20_000..<20_012).map(Int64.init)
    #expect(read == expected && replaced > 0 && seenForeign)
    #expect(snapshot.delta.protocolVersion?.minWriterVersion ?? 9 <= 2, "the table's protocol is as it was")
    for reader in ["delta-rs", "DuckDB"] where readers.contains(reader) {
      let counted = try ChildProcess.run("python3", [script, "count", path, reader])
      #expect(counted.output.contains("\(expected.count)"), "\(reader): \(counted.output)\(counted.errorOutput)")
    }
  }

  /// DuckDB 1.5.5 writes to attached Delta tables by blind appends, ours among them: it has the features of our protocol.
  @Test("DuckDB inserts into our table while we append and compact: nothing is lost, each sees the other's rows",
    .enabled(if: readers.contains("DuckDB")))
  func inserting() throws {
    let folder = try TemporaryFolder("inserting")
    let lake = Lake(store: try LocalObjectStore(path: folder.file("data")), clock: .system)
    let path = folder.file("data/lake/iot/measurement")
    let table = try lake.table(domain: "iot", entity: "measurement")
    _ = try table.flush(Fixture.rows(1..<11), expected: nil, version: 10)
    let own = table.current.delta.protocolVersion
    let others = try (0..<2).map { number in
      try ChildProcess(
        "python3", [script, "insert", path, "\(10_000 * (number + 1))", "12"], folder: folder, name: "insert\(number)")
    }
    var position: Int64 = 10
    var replaced = 0
    var seenForeign = false
    while position < 200 || others.contains(where: \.isRunning) {
      if position >= 200 {
        // From now on one commit for each of theirs, so that they get through.
        let known = table.current.rowCount
        try eventually("they commit or end") {
          try table.refresh().rowCount != known || !others.contains(where: \.isRunning)
        }
      }
      let outcome = try table.flush(
        Fixture.rows((position + 1)..<(position + 11)), expected: position, version: position + 10)
      guard case .committed = outcome else {
        Issue.record("\(outcome)")
        break
      }
      position += 10
      seenForeign = seenForeign || table.current.rowCount > position
      guard position % 50 == 0 else { continue }
      let base = try table.refresh()
      let ours = base.files.filter { $0.statistics.columns["name"]?.min == .text("recorded") }
      let writer = try table.writer(schema: Fixture.schema)
      try writer.append(Fixture.chunk(Fixture.rows(1..<(position + 1))))
      _ = try table.replace(
        LakeReplacement(base: base, removed: ours, added: try writer.finish(), dataChange: false, operation: "OPTIMIZE"))
      replaced += 1
    }
    for other in others { #expect(other.wait() == 0, "\(other.errorOutput)") }
    let snapshot = try table.refresh()
    let rows = try snapshot.rows(Fixture.schema, ["_pos", "name"]).rows
    let expected = Array(1...position) + (10_000..<10_012).map(Int64.init) + (20_000..<20_012).map(Int64.init)
    #expect(rows.compactMap { $0[0].integer }.sorted() == expected && replaced > 0 && seenForeign)
    #expect(rows.filter { $0[1] == .text("foreign") }.count == 24, "a column of theirs without field ids is found by name")
    #expect(snapshot.delta.protocolVersion == own)
    let times = try table.history(limit: 1_000).compactMap(\.timestampMicros)
    #expect(times == times.sorted(by: >) && Set(times).count == times.count, "in-commit timestamps rise over all writers")
    for reader in ["delta-rs", "DuckDB", "DataFusion"] where readers.contains(reader) {
      let counted = try ChildProcess.run("python3", [script, "count", path, reader])
      #expect(counted.output.contains("\(expected.count)"), "\(reader): \(counted.output)\(counted.errorOutput)")
    }
  }

  @Test("columns renamed and widened by us: one commit, no feature, every reader sees old rows and new ones")
  func evolved() throws {
    let folder = try TemporaryFolder("evolved")
    var options = LakeOptions()
    options.fileBytesTarget = 30_000
    let lake = Lake(store: try LocalObjectStore(path: folder.file("data")), clock: .system, options: options)
    let table = try lake.table(domain: "iot", entity: "measurement")
    var rows = Fixture.rows(1..<401)
    _ = try table.flush(Array(rows[0..<300]), expected: nil, version: 300)
    _ = try table.flush(Array(rows[300..<400]), expected: 300, version: 400)
    let wide: [String: (String, DataType)] = [
      "small": ("small", .int4), "number": ("count", .int8), "single": ("single", .float8), "series": ("line", .text),
      "amount": ("amount", .numeric(DataType.NumericModifier(precision: 24, scale: 2))),
    ]
    let columns = Fixture.nextSchema.columns.map { column in
      TableColumn(
        fieldID: column.fieldID, name: wide[column.name]?.0 ?? column.name, type: wide[column.name]?.1 ?? column.type,
        isNullable: column.isNullable, isHidden: column.isHidden, isPersonal: column.isPersonal)
    }
    let schema = TableSchema(domain: "iot", entity: "measurement", version: 2, events: [], columns: columns)
    #expect(try table.evolve(to: schema) == 2)
    #expect(try table.evolve(to: schema) == 2, "there is nothing left to do")
    let added = Fixture.rows(401..<411, Fixture.nextSchema)
    _ = try table.flush(added, schema: schema, expected: 400, version: 410)
    rows = rows.map { $0 + [.null] } + added
    let snapshot = try table.refresh()
    #expect(snapshot.delta.protocolVersion == .open && snapshot.columns.map(\.name).contains("line"))
    #expect(snapshot.transactionVersion(appID: Fixture.appID) == 410)
    let file = folder.file("expected.json")
    try Data(expected(rows, Fixture.lakeColumns(schema))).write(to: URL(fileURLWithPath: file))
    let compared = try ChildProcess.run(
      "python3", [script, "compare", folder.file("data/lake/iot/measurement"), file, "published", "sequence", "line"])
    #expect(compared.status == 0, "\(compared.output)\(compared.errorOutput)")
    for reader in readers { #expect(compared.output.contains("\(reader): \(rows.count) rows compared")) }
    // The versions before keep their names and types.
    let old = try table.snapshot(version: 1)
    #expect(old.columns.map(\.name).contains("series") && old.rowCount == 400)
    #expect(try old.rows(Fixture.schema, ["series"]).rows.count == 400)
    let refused = fault { () throws(Fault) in _ = try table.evolve(to: Fixture.nextSchema) }
    #expect(refused?.state == .invalidSchemaDefinition && refused?.message.contains("cannot become") == true)
    #expect(try table.refresh().version == 3)
  }

  @Test("nested columns under column mapping: members renamed, added, dropped", arguments: ["name", "id"])
  func mapped(_ mode: String) throws {
    let folder = try TemporaryFolder("mapped")
    let made = try ChildProcess.run("python3", [script, "mapped", folder.file("data/t"), mode])
    try #require(made.status == 0, "\(made.output)\(made.errorOutput)")
    let lake = Lake(store: try LocalObjectStore(path: folder.file("data")), clock: .system)
    let snapshot = try lake.foreignTable(at: try ObjectPath("t"), location: folder.file("data/t")).refresh()
    #expect(snapshot.columns.map(\.name) == ["id", "s", "l", "m", "e"])
    let scan = try snapshot.scan(
      ScanRequest(table: TableID(raw: 1), columns: Array(snapshot.columns.indices)), columns: snapshot.columns)
    var rows: [[String]] = []
    for morsel in 0..<scan.morselCount {
      let reader = try scan.open(morsel: morsel)
      while let chunk = try reader.next() {
        for row in 0..<chunk.rowCount {
          rows.append(chunk.columns.map { $0.scalar(at: row).text ?? $0.scalar(at: row).integer.map { "\($0)" } ?? "null" })
        }
      }
    }
    #expect(
      rows.sorted { $0[0] < $1[0] } == [
        ["1", #"{"a": 5, "b": null}"#, #"[{"n": 1, "day": "2026-11-23"}, null]"#, #"{"k": {"v": 0.5}}"#, #"{"late": null}"#],
        ["2", "null", "null", "null", "null"], ["3", #"{"a": 6, "b": "b"}"#, "[]", "null", "null"],
      ])
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
