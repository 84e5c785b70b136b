// A bucket with folders: what globs, foreign tables and vacuum need of it; and how few requests a scan makes.

import Bedrock
import Columnar
import EventSchema
import Foundation
import Lake
import NIOHTTP1
import ObjectStore
import Runtime
import StorageContract
import TestKit
import Testing

@testable import S3Store

/// A table of six columns in a bucket.
enum BucketTable {
  static let schema: TableSchema = {
    let content = ["a", "b", "c", "d"].enumerated().map { index, name in
      TableColumn(
        fieldID: SystemColumn.firstContentFieldID + Int32(index), name: name, type: .float8, isNullable: true)
    }
    return TableSchema(domain: "iot", entity: "wide", version: 1, events: [], columns: SystemColumn.columns + content)
  }()

  static func chunk(_ positions: Range<Int64>) -> Chunk {
    let columns = schema.columns.enumerated().filter { $0.offset != SystemColumn.hash }.map(\.element)
    return Chunk(
      columns: columns.map { column in
        var generator = SeededGenerator(seed: UInt64(positions.lowerBound) ^ UInt64(column.fieldID) << 32)
        return ColumnBuilder.column(
          column.type,
          positions.map { position in
            switch column.name {
            case "sequence", "_pos": .integer(position)
            case "published", "received": .integer(1_764_000_000_000_000 + position)
            case "name": .text("recorded")
            case "a", "b", "c", "d": .float(Double.random(in: 0..<1, using: &generator))
            default: .null
            }
          })
      }, rowCount: positions.count)
  }

  static func flush(_ table: LakeTable, _ positions: Range<Int64>) throws {
    let writer = try table.writer(schema: schema)
    for start in stride(from: positions.lowerBound, to: positions.upperBound, by: 8_000) {
      try writer.append(chunk(start..<min(start + 8_000, positions.upperBound)))
    }
    let outcome = try table.commit(
      LakeCommit(
        files: try writer.finish(), schema: schema, appID: "lake/test/iot.wide/0",
        expectedVersion: positions.lowerBound == 0 ? nil : positions.lowerBound - 1, version: positions.upperBound - 1))
    guard case .committed = outcome else { throw Fault.bug("\(outcome)") }
  }

  static func count(_ scan: any TableScan) throws -> Int {
    var count = 0
    for morsel in 0..<scan.morselCount {
      let reader = try scan.open(morsel: morsel)
      while let chunk = try reader.next() { count += chunk.rowCount }
    }
    return count
  }
}

@Suite("Folders of a bucket", .enabled(if: MotoServer.isInstalled, "python3 has no moto[server]"))
struct BucketFoldersTests {
  private func connect(_ moto: MotoServer, prefix: String = "") throws -> S3ObjectStore {
    var options = S3Options(bucket: "bucket", credentials: .fixed(try S3Credentials(keyID: "test", secret: "test")))
    options.endpoint = moto.endpoint
    options.prefix = prefix
    return try S3ObjectStore(options, clock: .system)
  }

  @Test("folders, entries and their times")
  func folders() throws {
    let moto = try MotoServer(bucket: "bucket")
    let store = try connect(moto, prefix: "p")
    let before = Clock.system.nowMicros() - 2_000_000
    for name in ["d/b", "d/a/x", "d/a/y", "d/c d/é", "d/c", "d/c/z"] { try store.put(path(name), [1, 2]) }
    let contents = try store.contents(of: path("d"), limit: 10)
    #expect(contents.map { "\($0.name)\($0.isFolder ? "/" : "")" } == ["a/", "b", "c", "c/", "c d/"])
    for entry in contents where !entry.isFolder {
      let modified = try #require(entry.modifiedMicros)
      #expect(entry.size == 2 && modified >= before && modified <= Clock.system.nowMicros() + 2_000_000)
    }
    #expect(try store.contents(of: path("none"), limit: 10).isEmpty)
    let tooMany = #expect(throws: Fault.self) { try store.contents(of: path("d"), limit: 3) }
    #expect(tooMany?.state == .programLimitExceeded)
    let object = try #require(try store.entry(at: path("d/b")))
    #expect(!object.isFolder && object.size == 2 && object.modifiedMicros ?? 0 >= before)
    #expect(try store.entry(at: path("d/a"))?.isFolder == true)
    #expect(try store.entry(at: path("d/c"))?.isFolder == false, "the object hides the folder")
    #expect(try store.entry(at: path("d/nothing")) == nil)
    let listed = try store.list(path("d"), startAfter: nil, limit: 10)
    #expect(listed.map(\.path.name) == ["b", "c"] && listed.allSatisfy { $0.modifiedMicros ?? 0 >= before })
    for number in 0..<1_050 { try store.put(path("many/f\(10_000 + number)/x"), []) }
    #expect(try store.contents(of: path("many"), limit: 2_000).count == 1_050)
  }

  @Test("read_parquet and read_delta of places in a bucket: globs, many files, a foreign table that grows")
  func external() throws {
    let moto = try MotoServer(bucket: "bucket")
    let store = try connect(moto, prefix: "p")
    let lake = Lake(store: store, clock: .system)
    let table = try lake.table(domain: "iot", entity: "wide")
    for flush in 0..<60 { try BucketTable.flush(table, Int64(flush * 10)..<Int64(flush * 10 + 10)) }
    let locations = try ExternalLocations(
      folders: [], base: "/",
      schemes: ["s3": { (location) throws(Fault) in
        let base = "s3://bucket/p/"
        guard location.hasPrefix(base) else { throw Fault(.insufficientPrivilege, "permission denied") }
        return ExternalPlace(store: store, path: String(location.dropFirst(base.count)), prefix: base)
      }])
    let reader = ExternalReader(lake: lake, locations: locations, lakeTables: { _ in nil })
    func count(_ source: ExternalSource) throws -> Int {
      let table = try reader.open(source)
      return try BucketTable.count(
        table.scan(ScanRequest(table: TableID(raw: 0), columns: [0, 1], predicates: [], external: table)))
    }
    for glob in ["iot/wide/*.parquet", "iot/**/part-*.parquet", "i?t/w{ide,est}/*", "**/*.parquet"] {
      #expect(try count(ExternalSource(.parquet(locations: ["s3://bucket/p/lake/\(glob)"]))) == 600, "\(glob)")
    }
    let one = try #require(table.current.files.first)
    #expect(try count(ExternalSource(.parquet(locations: ["s3://bucket/p/\(one.path)"]))) == 10)
    let missing = #expect(throws: Fault.self) {
      try reader.open(ExternalSource(.parquet(locations: ["s3://bucket/p/lake/none/*.parquet"])))
    }
    #expect(missing?.state == .undefinedFile)
    let wrong = #expect(throws: Fault.self) {
      try reader.open(ExternalSource(.parquet(locations: ["s3://bucket/p/lake/iot/wide"])))
    }
    #expect(wrong?.state == .wrongObjectType, "a Delta table is no folder of Parquet files")
    let delta = ExternalSource(.delta(location: "s3a://bucket/p/lake/iot/wide"))
    #expect(try count(delta) == 600)
    try BucketTable.flush(table, 600..<650)
    #expect(try count(delta) == 650)
    #expect(try count(ExternalSource(.delta(location: "s3://bucket/p/lake/iot/wide"), version: .number(3))) == 40)
    let denied = #expect(throws: Fault.self) { try reader.open(ExternalSource(.delta(location: "s3://other/t"))) }
    #expect(denied?.state == .insufficientPrivilege)
    let none = #expect(throws: Fault.self) { try reader.open(ExternalSource(.delta(location: "s3://bucket/p/lake/iot"))) }
    #expect(none?.state == .wrongObjectType)
  }

  @Test("vacuum in a bucket: unnamed files go when the store says that they are old")
  func vacuum() throws {
    let moto = try MotoServer(bucket: "bucket")
    let store = try connect(moto)
    let (clock, set) = Clock.manual(startMicros: Clock.system.nowMicros())
    let table = try Lake(store: store, clock: clock).table(domain: "iot", entity: "wide")
    try BucketTable.flush(table, 0..<100)
    try store.put(path("lake/iot/wide/part-of-a-crash.parquet"), [1])
    #expect(try table.vacuum(retentionMicros: 0).deleted.isEmpty, "it may belong to a flush under way")
    set(Clock.system.nowMicros() + 2 * 3_600_000_000)
    #expect(try table.vacuum(retentionMicros: 0).deleted.map(\.path.name) == ["part-of-a-crash.parquet"])
    #expect(try store.size(path("lake/iot/wide/part-of-a-crash.parquet")) == nil)
    let scan = try table.refresh().scan(ScanRequest(table: TableID(raw: 1), columns: [0]), columns: BucketTable.schema.columns)
    #expect(try BucketTable.count(scan) == 100)
  }
}

@Suite("Requests of a scan")
struct ScanRequestTests {
  @Test("a scan joins its ranges: one footer, few and long reads, hardly a byte twice")
  func coalescing() throws {
    let server = try FaultyS3()
    let rows: Int64 = 120_000
    try BucketTable.flush(try Lake(store: store(server.endpoint), clock: .system).table(domain: "iot", entity: "wide"), 0..<rows)
    // Another server over the same bucket: nothing is cached.
    let table = try Lake(store: store(server.endpoint), clock: .system).table(domain: "iot", entity: "wide")
    let file = try #require(try table.refresh().files.first)
    #expect(file.size > 3_000_000)
    func requests(_ columns: [String]) throws -> (count: Int, bytes: Int) {
      let before = server.requests.count
      let indices = columns.compactMap { BucketTable.schema.column(named: $0) }
      let scan = try table.refresh().scan(
        ScanRequest(table: TableID(raw: 1), columns: indices), columns: BucketTable.schema.columns)
      #expect(try BucketTable.count(scan) == Int(rows))
      let ranges = server.requests.dropFirst(before).filter { $0.key == file.path.text }.map { request in
        (request.headers.first(name: "range") ?? "").dropFirst(6).split(separator: "-").compactMap { Int($0) }
      }
      #expect(ranges.allSatisfy { $0.count == 2 })
      return (ranges.count, ranges.reduce(0) { $0 + $1[1] - $1[0] + 1 })
    }
    let one = try requests(["b"])
    #expect(one.count <= 4 && one.bytes < Int(file.size) / 2, "the footer, the index, one column: \(one)")
    let all = try requests(BucketTable.schema.columns.enumerated().filter { $0.offset != SystemColumn.hash }.map(\.element.name))
    // Morsels are read each for itself, a few megabytes at a time.
    #expect(all.count <= 12 && all.bytes < Int(file.size) * 5 / 4, "\(all) of \(file.size)")
  }
}
