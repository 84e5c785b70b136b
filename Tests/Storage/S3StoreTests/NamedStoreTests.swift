// Against the store that the environment names, such as a Ceph radosgw (deploy/ceph starts one):
//
//   CRAMPED_S3_ENDPOINT, CRAMPED_S3_BUCKET, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY
//
// The bucket must exist; what is written lies under a random prefix and is removed.

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

private let environment = ProcessInfo.processInfo.environment

@Suite(
  "The store that the environment names", .enabled(if: environment["CRAMPED_S3_ENDPOINT"] != nil, "CRAMPED_S3_ENDPOINT is not set"))
struct NamedStoreTests {
  private let prefix = "cramped-\(String(Entropy.word(), radix: 36))"

  private func connect() throws -> S3ObjectStore {
    var options = S3Options(
      bucket: environment["CRAMPED_S3_BUCKET"] ?? "cramped",
      credentials: .fixed(
        try S3Credentials(
          keyID: environment["AWS_ACCESS_KEY_ID"] ?? "test", secret: environment["AWS_SECRET_ACCESS_KEY"] ?? "test")))
    options.endpoint = environment["CRAMPED_S3_ENDPOINT"] ?? ""
    options.prefix = prefix
    options.partBytes = S3Options.partBytesMin
    options.rangeBytes = 1 << 20
    return try S3ObjectStore(options, clock: .system)
  }

  private func clear(_ store: S3ObjectStore, _ folder: ObjectPath) throws {
    for entry in try store.contents(of: folder, limit: 100_000) {
      let path = try folder.appending(entry.name)
      if entry.isFolder { try clear(store, path) } else { try store.delete(path) }
    }
  }

  @Test("the probe, names with odd characters, parts, ranges, listings, times, deletion")
  func everything() throws {
    let store = try connect()
    try ObjectStoreProbe.run(store, called: store.description)
    let body = bytes(50_000)
    for name in ["a b", "c+d=e", "ü&<>\"'", "p%20q", "x~y_z.-", "[1](2){3}", "a:b;c,d@e!$", "日本"] {
      let path = try path("odd/\(name)")
      try store.put(path, body)
      #expect(try store.get(path, bytesMax: 100_000) == body, "\(name)")
      #expect(try store.read(path, 49_000..<50_000) == Array(body[49_000...]), "\(name)")
      #expect(try store.putIfAbsent(path, [1]) == false, "\(name)")
    }
    let listed = try store.list(path("odd"), startAfter: nil, limit: 100)
    #expect(listed.count == 8 && listed.allSatisfy { $0.size == 50_000 })
    for entry in listed {
      let age = Clock.system.nowMicros() - (entry.modifiedMicros ?? 0)
      #expect(abs(age) < 600_000_000, "\(entry)")
    }
    try store.delete(listed.map(\.path))
    #expect(try store.list(path("odd"), startAfter: nil, limit: 1).isEmpty)
    let large = bytes(S3Options.partBytesMin * 2 + 77)
    let writer = try store.writer(path("large/x"))
    try writer.append(large)
    #expect(try store.size(path("large/x")) == nil)
    try writer.publish()
    #expect(try store.read(path("large/x"), 0..<large.count) == large)
    #expect(try store.entry(at: path("large"))?.isFolder == true)
    #expect(try store.entry(at: path("large/x"))?.size == Int64(large.count))
    try clear(store, path("large"))
  }

  @Test("threads of two clients race for the same names: each has one winner")
  func race() throws {
    let stores = [try connect(), try connect()]
    let wins = Mutex<[Int]>([])
    let failures = Mutex<[Fault]>([])
    let threads = (0..<6).map { (thread: Int) in
      WorkerThread {
        for name in 0..<40 {
          do throws(Fault) {
            if try stores[thread % 2].putIfAbsent(ObjectPath("r/\(name)"), [UInt8(thread)]) { wins.withLock { $0.append(name) } }
          } catch { failures.withLock { $0.append(error) } }
        }
      }
    }
    for thread in threads { thread.join() }
    #expect(failures.withLock { $0.map(\.description) } == [])
    #expect(wins.withLock { $0.sorted() } == Array(0..<40))
    try clear(stores[0], path("r"))
  }

  @Test("two servers over one table: flushes in turn, replacement, checkpoint, cleaning, vacuum; every row is there")
  func lake() throws {
    let (clock, set) = Clock.manual(startMicros: Clock.system.nowMicros())
    let stores = [try connect(), try connect()]
    let tables = try stores.map { try Lake(store: $0, clock: clock).table(domain: "iot", entity: "wide") }
    for flush in 0..<12 { try BucketTable.flush(tables[flush % 2], Int64(flush * 500)..<Int64(flush * 500 + 500)) }
    let base = try tables[0].refresh()
    #expect(base.version == 11 && base.rowCount == 6_000)
    let writer = try tables[0].writer(schema: BucketTable.schema)
    for start in stride(from: Int64(0), to: 6_000, by: 500) { try writer.append(BucketTable.chunk(start..<start + 500)) }
    let version = try tables[0].replace(
      LakeReplacement(base: base, removed: base.files, added: try writer.finish(), dataChange: false, operation: "OPTIMIZE"))
    #expect(version == 12)
    try tables[0].checkpoint()
    try BucketTable.flush(tables[1], 6_000..<6_100)
    try stores[0].put(path("lake/iot/wide/part-of-a-crash.parquet"), [1])
    set(Clock.system.nowMicros() + 2 * 3_600_000_000)
    #expect(try tables[1].vacuum(retentionMicros: 0).deleted.count == base.fileCount + 1)
    #expect(try tables[1].cleanLog(retentionMicros: 0).deleted.count == 12)
    let fresh = try Lake(store: stores[1], clock: clock).table(domain: "iot", entity: "wide").refresh()
    #expect(fresh.version == 13 && fresh.rowCount == 6_100)
    let scan = try fresh.scan(ScanRequest(table: TableID(raw: 1), columns: [0, 1]), columns: BucketTable.schema.columns)
    #expect(try BucketTable.count(scan) == 6_100)
    try clear(stores[0], path("lake"))
  }
}
