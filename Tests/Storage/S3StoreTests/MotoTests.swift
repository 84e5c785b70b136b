// Against moto, a real S3 server of others, and with boto3, delta-rs and DuckDB as further clients of the same bucket.

import Bedrock
import Columnar
import EventSchema
import Foundation
import Lake
import ObjectStore
import Runtime
import StorageContract
import Synchronization
import TestKit
import Testing

@testable import S3Store

@Suite("An S3 server of others", .enabled(if: MotoServer.isInstalled, "python3 has no moto[server]"))
struct MotoTests {
  private func connect(
    _ moto: MotoServer, key: String = "test", secret: String = "test", _ change: (inout S3Options) -> Void = { _ in }
  ) throws -> S3ObjectStore {
    var options = S3Options(
      bucket: "bucket", credentials: .fixed(try S3Credentials(keyID: key, secret: secret)))
    options.endpoint = moto.endpoint
    change(&options)
    return try S3ObjectStore(options, clock: .system)
  }

  @Test("a server that checks signatures takes ours, and not those of a wrong secret")
  func signatures() throws {
    // Making the user takes three actions and the bucket one; after them every signature is checked. Only requests
    // without slashes in their query: moto unescapes those before it computes what it compares with.
    let moto = try MotoServer(openActions: 4)
    let pair = try moto.admin("user").split(whereSeparator: \.isWhitespace).map(String.init)
    let environment = ["AWS_ACCESS_KEY_ID": pair[0], "AWS_SECRET_ACCESS_KEY": pair[1]]
    try moto.admin("bucket", "bucket", environment: environment)
    let store = try connect(moto, key: pair[0], secret: pair[1]) { $0.prefix = "pre/fix" }
    let stranger = try connect(moto, key: pair[0], secret: "wrong")
    for call in [{ try stranger.put(path("a"), [1]) }, { _ = try stranger.size(path("a")) }] as [() throws -> Void] {
      let refused = #expect(throws: Fault.self) { try call() }
      #expect(refused?.state == .insufficientPrivilege && refused?.message.contains("SignatureDoesNotMatch") == true)
    }
    #expect(try store.putIfAbsent(path("a"), [1, 2, 3]) && !store.putIfAbsent(path("a"), [4]))
    #expect(try store.read(path("a"), 1..<3) == [2, 3])
    #expect(try store.size(path("a")) == 3)
    let body = bytes(S3Options.partBytesMin + 1)
    let large = try connect(moto, key: pair[0], secret: pair[1]) { $0.partBytes = S3Options.partBytesMin }
    let writer = try large.writer(path("large"))
    try writer.append(body)
    try writer.publish()
    #expect(try large.get(path("large"), bytesMax: body.count) == body)
    try store.delete([path("a"), path("b")])
    #expect(try store.size(path("a")) == nil)
  }

  @Test("every call, names with odd characters, the probe, and what boto3 sees of it")
  func everything() throws {
    let moto = try MotoServer(bucket: "bucket")
    let store = try connect(moto) { $0.prefix = "pre/fix" }
    try ObjectStoreProbe.run(store, called: store.description)
    let body = bytes(100_000)
    for name in ["a b", "c+d=e", "ü&<>\"'", "p%20q", "x~y_z.-", "[1](2){3}", "a:b;c,d@e!$", "日本"] {
      let path = try path("odd/\(name)")
      try store.put(path, body)
      #expect(try store.get(path, bytesMax: 100_000) == body, "\(name)")
      #expect(try store.size(path) == 100_000)
      #expect(try store.read(path, 99_000..<100_000) == Array(body[99_000...]))
      #expect(try store.putIfAbsent(path, [1]) == false)
    }
    let names = try store.list(path("odd"), startAfter: nil, limit: 100).map(\.path.name)
    #expect(names.count == 8 && names == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    #expect(try store.list(path("odd"), startAfter: "c+d=e", limit: 2).map(\.path.name) == ["p%20q", "x~y_z.-"])
    let seen = try moto.admin("keys", "bucket", "pre/fix/odd/")
    #expect(seen.contains("pre/fix/odd/ü&<>\"' 100000\n"), "\(seen)")
    try store.delete(names.map { try ObjectPath("odd/\($0)") })
    #expect(try moto.admin("keys", "bucket") == "", "the probe and we left nothing behind")
    #expect(try store.size(path("odd/a b")) == nil)
    #expect(throws: Fault.self) { try store.read(path("odd/a b"), 0..<1) }
  }

  @Test("a bucket that is not there is named")
  func noBucket() throws {
    let moto = try MotoServer()
    let store = try connect(moto)
    let fault = try #require(
      #expect(throws: Fault.self) { try ObjectStoreProbe.run(store, called: store.description) })
    #expect(fault.message.contains("NoSuchBucket") && fault.hint?.contains("lake.s3.bucket") == true, "\(fault)")
  }

  @Test("large objects by parts, read in ranges; a dropped writer leaves no upload")
  func multipart() throws {
    let moto = try MotoServer(bucket: "bucket")
    let store = try connect(moto) {
      $0.partBytes = S3Options.partBytesMin
      $0.rangeBytes = 1 << 20
    }
    let body = bytes(S3Options.partBytesMin * 3 + 77)
    let writer = try store.writer(path("big"))
    try writer.append(body)
    #expect(try store.size(path("big")) == nil)
    try writer.publish()
    #expect(try store.size(path("big")) == Int64(body.count))
    #expect(try store.read(path("big"), 0..<body.count) == body)
    #expect(try store.read(path("big"), 5_000_000..<11_000_000) == Array(body[5_000_000..<11_000_000]))
    do {
      let dropped = try store.writer(path("dropped"))
      try dropped.append(body)
    }
    #expect(try moto.admin("uploads", "bucket") == "")
    #expect(try moto.admin("keys", "bucket") == "big \(body.count)\n")
  }

  @Test("more objects than one page, in the order of their bytes")
  func pages() throws {
    let moto = try MotoServer(bucket: "bucket")
    let store = try connect(moto)
    let names = (0..<1_103).map { "n\(10_000 + $0)" }
    for name in names { try store.put(path("l/\(name)"), []) }
    try store.put(path("l/sub/x"), [])
    #expect(try store.list(path("l"), startAfter: nil, limit: 5_000).map(\.path.name) == names)
    #expect(try store.list(path("l"), startAfter: "n10050", limit: 1_010).count == 1_010)
    try store.delete(names.map { try ObjectPath("l/\($0)") })
    #expect(try store.list(path("l"), startAfter: nil, limit: 1).isEmpty)
  }

  @Test("threads of ours and processes of boto3 race for the same names: each has one winner")
  func race() throws {
    let moto = try MotoServer(bucket: "bucket")
    let store = try connect(moto)
    let count = 60
    let folder = try TemporaryFolder("race")
    let processes = try (0..<3).map { number in
      try ChildProcess(
        "python3", [MotoServer.script, "race", moto.endpoint, "bucket", "r/", "\(count)"], folder: folder,
        name: "race-\(number)")
    }
    let wins = Mutex<[Int]>([])
    let failures = Mutex<[Fault]>([])
    let threads = (0..<4).map { (thread: Int) in
      WorkerThread {
        for name in 0..<count {
          do throws(Fault) {
            if try store.putIfAbsent(ObjectPath("r/\(name)"), [UInt8(thread)]) { wins.withLock { $0.append(name) } }
            // Keeps pace with interpreters that have yet to start.
            Pause.micros(10_000)
          } catch { failures.withLock { $0.append(error) } }
        }
      }
    }
    for thread in threads { thread.join() }
    var all = wins.withLock { $0 }
    for process in processes {
      #expect(process.wait() == 0, "\(process.errorOutput)")
      all += process.output.split(separator: "\n").compactMap { Int($0) }
    }
    #expect(failures.withLock { $0.map(\.description) } == [])
    #expect(all.sorted() == Array(0..<count), "each name is won once")
  }

  // MARK: A lake in a bucket

  static let script = "\(checkout)/Tests/Support/s3_delta.py"
  static let hasReaders = (try? ChildProcess.run("python3", [script, "check"]))?.status == 0

  private static let schema: TableSchema = {
    let columns = SystemColumn.columns + [
      TableColumn(fieldID: SystemColumn.firstContentFieldID, name: "value", type: .float8, isNullable: true)
    ]
    return TableSchema(domain: "iot", entity: "measurement", version: 1, events: [], columns: columns)
  }()

  private static func chunk(_ positions: Range<Int64>) -> Chunk {
    let columns = schema.columns.enumerated().filter { $0.offset != SystemColumn.hash }.map(\.element)
    return Chunk(
      columns: columns.map { column in
        ColumnBuilder.column(
          column.type,
          positions.map { position in
            switch column.name {
            case "sequence", "_pos": .integer(position)
            case "published", "received": .integer(1_764_000_000_000_000 + position)
            case "name": .text("recorded")
            case "value": .float(Double(position) / 2)
            default: .null
            }
          })
      }, rowCount: positions.count)
  }

  private func flush(_ table: LakeTable, _ positions: Range<Int64>, expected: Int64?) throws -> LakeCommitOutcome {
    let writer = try table.writer(schema: Self.schema)
    try writer.append(Self.chunk(positions))
    return try table.commit(
      LakeCommit(
        files: try writer.finish(), schema: Self.schema, appID: "lake/test/iot.measurement/0",
        expectedVersion: expected, version: positions.upperBound - 1))
  }

  @Test(
    "our table in a bucket: commits raced by other processes, nothing lost; delta-rs and DuckDB read it",
    .enabled(if: hasReaders, "python3 has no deltalake and duckdb"))
  func lake() throws {
    let moto = try MotoServer(bucket: "bucket")
    let lake = Lake(store: try connect(moto), clock: .system)
    let table = try lake.table(domain: "iot", entity: "measurement")
    #expect(try flush(table, 0..<100, expected: nil) == .committed(deltaVersion: 0))
    let folder = try TemporaryFolder("lake")
    let uri = "s3://bucket/lake/iot/measurement"
    // Commits of theirs by conditional put, with no rows: we must see them and go behind them.
    let processes = try (0..<2).map { number in
      try ChildProcess(
        "python3", [Self.script, "commit", moto.endpoint, "bucket", "lake/iot/measurement", "8"], folder: folder,
        name: "commit-\(number)")
    }
    var flushes: Int64 = 1
    // Flushes go on until both have raced us; the bound is for processes that never end.
    repeat {
      guard case .committed = try flush(table, flushes * 100..<flushes * 100 + 100, expected: flushes * 100 - 1) else {
        Issue.record("a flush was not committed")
        break
      }
      flushes += 1
    } while flushes < 200 && (flushes < 10 || processes.contains { $0.isRunning })
    for process in processes { #expect(process.wait() == 0, "\(process.errorOutput)") }
    let snapshot = try table.refresh()
    #expect(snapshot.rowCount == flushes * 100)
    #expect(snapshot.version == flushes + 16 - 1, "every commit of every writer is there")
    let read = try ChildProcess.run("python3", [Self.script, "read", moto.endpoint, uri])
    let rows = flushes * 100
    let expected = "\(rows) \(rows) \(rows * (rows - 1) / 2) \(Double(rows * (rows - 1)) / 4)"
    #expect(read.status == 0, "\(read.errorOutput)")
    for line in read.output.split(separator: "\n") { #expect(line.hasSuffix(expected), "\(line)") }
    #expect(read.output.contains("deltalake") && read.output.contains("duckdb"), "\(read.output)")
    // A second server over the same bucket sees the same.
    let other = try Lake(store: try connect(moto), clock: .system).table(domain: "iot", entity: "measurement").refresh()
    #expect(other.rowCount == rows && other.version == snapshot.version)
  }

  @Test(
    "a table that two processes of delta-rs write at once in a bucket: we read every row",
    .enabled(if: hasReaders, "python3 has no deltalake and duckdb"))
  func theirs() throws {
    let moto = try MotoServer(bucket: "bucket")
    let folder = try TemporaryFolder("theirs")
    let processes = try (0..<2).map { number in
      try ChildProcess(
        "python3", [Self.script, "append", moto.endpoint, "s3://bucket/lake/other/table", "\(number * 1_000)", "4"],
        folder: folder, name: "append-\(number)")
    }
    for process in processes { #expect(process.wait() == 0, "\(process.errorOutput)") }
    let lake = Lake(store: try connect(moto), clock: .system)
    let snapshot = try lake.table(domain: "other", entity: "table").refresh()
    #expect(snapshot.rowCount == 80)
    let column = TableColumn(fieldID: 101, name: "id", type: .int8, isNullable: true)
    let scan = try snapshot.scan(ScanRequest(table: TableID(raw: 1), columns: [0]), columns: [column])
    var ids: [Int64] = []
    for morsel in 0..<scan.morselCount {
      let reader = try scan.open(morsel: morsel)
      while let chunk = try reader.next() {
        for row in 0..<chunk.rowCount { ids.append(chunk.columns[0].scalar(at: row).integer ?? -1) }
      }
    }
    #expect(ids.sorted() == (0..<40).map { $0 } + (1_000..<1_040).map { $0 })
  }
}
