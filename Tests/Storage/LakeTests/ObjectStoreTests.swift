import Bedrock
import Foundation
import ObjectStore
import Runtime
import Synchronization
import TestKit
import Testing

func path(_ text: String) throws -> ObjectPath { try ObjectPath(text) }

@Suite("The local object store")
struct ObjectStoreTests {
  let folder: TemporaryFolder
  let store: LocalObjectStore

  init() throws {
    folder = try TemporaryFolder("store")
    store = try LocalObjectStore(path: folder.file("root"))
  }

  private func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: store.rootPath + "/" + folder).sorted()
  }

  @Test("objects are written, replaced, read whole and in part, listed in order and removed")
  func basics() throws {
    let a = try path("lake/t/b.parquet")
    #expect(try store.get(a, bytesMax: 100) == nil)
    #expect(try store.size(a) == nil)
    #expect(try store.list(path("lake/t"), startAfter: nil, limit: 10).isEmpty)
    try store.put(a, [1, 2, 3])
    try store.put(a, [4, 5, 6, 7])
    #expect(try store.get(a, bytesMax: 100) == [4, 5, 6, 7])
    #expect(try store.size(a) == 4)
    var part: [UInt8] = [0, 0]
    try part.withUnsafeMutableBytes { try store.read(a, at: 1, into: $0) }
    #expect(part == [5, 6])
    try store.put(path("lake/t/a"), [])
    try store.put(path("lake/t/sub/x"), [])
    #expect(try store.get(path("lake/t/a"), bytesMax: 0) == [])
    #expect(try store.list(path("lake/t"), startAfter: nil, limit: 10).map(\.path.name) == ["a", "b.parquet"])
    #expect(try store.list(path("lake/t"), startAfter: "a", limit: 10).map(\.size) == [4])
    #expect(try store.list(path("lake/t"), startAfter: nil, limit: 1).map(\.path.name) == ["a"])
    try store.delete(a)
    try store.delete(a)
    #expect(try store.get(a, bytesMax: 100) == nil)
  }

  @Test("faults: too long, shorter than asked, not there")
  func faults() throws {
    let a = try path("a")
    try store.put(a, [1, 2, 3])
    #expect(throws: Fault.self) { try store.get(a, bytesMax: 2) }
    var part = [UInt8](repeating: 0, count: 8)
    let short = #expect(throws: Fault.self) { try part.withUnsafeMutableBytes { try store.read(a, at: 0, into: $0) } }
    #expect(short?.kind == .corrupt)
    let gone = #expect(throws: Fault.self) {
      try part.withUnsafeMutableBytes { try store.read(path("b"), at: 0, into: $0) }
    }
    #expect(gone?.kind == .gone)
  }

  @Test("put-if-absent: of many threads over two stores exactly one wins each name")
  func race() throws {
    let second = try LocalObjectStore(path: store.rootPath)
    let names = 40
    let threads = 8
    let wins = Mutex<[String: [Int]]>([:])
    let failures = Mutex<[Fault]>([])
    let workers = (0..<threads).map { thread in
      let store = thread % 2 == 0 ? self.store : second
      return WorkerThread {
        for index in 0..<names {
          do throws(Fault) {
            let won = try store.putIfAbsent(ObjectPath("log/\(index)"), [UInt8](repeating: UInt8(thread), count: 5_000))
            if won { wins.withLock { $0["\(index)", default: []].append(thread) } }
          } catch { failures.withLock { $0.append(error) } }
        }
      }
    }
    for worker in workers { worker.join() }
    #expect(failures.withLock { $0.map(\.description) } == [])
    let won = wins.withLock { $0 }
    for index in 0..<names {
      let winners = won["\(index)"] ?? []
      #expect(winners.count == 1)
      let bytes = try store.get(path("log/\(index)"), bytesMax: 10_000)
      #expect(bytes == [UInt8](repeating: UInt8(winners.first ?? 255), count: 5_000))
    }
    #expect(try self.names(in: "log").count == names, "no temp file stays")
  }

  @Test("a writer publishes whole or leaves nothing; unpublished bytes are invisible")
  func writers() throws {
    let a = try path("d/a")
    let writer = try store.writer(a)
    for _ in 0..<100 { try writer.append([UInt8](repeating: 7, count: 10_000)) }
    #expect(writer.byteCount == 1_000_000)
    #expect(try store.get(a, bytesMax: 2_000_000) == nil)
    #expect(try store.list(path("d"), startAfter: nil, limit: 10).isEmpty)
    try writer.publish()
    #expect(try store.size(a) == 1_000_000)
    let abandoned = try store.writer(path("d/b"))
    try abandoned.append([1])
    abandoned.abandon()
    do {
      let dropped = try store.writer(path("d/c"))
      try dropped.append([1])
    }
    #expect(try names(in: "d") == ["a"])
    #expect(throws: Fault.self) { try store.put(path("d/.tmp-x"), []) }
  }

  @Test("nobody but the owner may read files and folders")
  func permissions() throws {
    try store.put(path("secret/a"), [1])
    for (name, mode) in [("secret", 0o700), ("secret/a", 0o600)] {
      let attributes = try FileManager.default.attributesOfItem(atPath: store.rootPath + "/" + name)
      #expect(attributes[.posixPermissions] as? Int == mode)
    }
  }

  @Test("a symbolic link inside the root is refused, not followed")
  func links() throws {
    let outside = folder.file("outside")
    try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: true)
    #expect(FileManager.default.createFile(atPath: outside + "/a", contents: Data([1])))
    try FileManager.default.createSymbolicLink(atPath: store.rootPath + "/link", withDestinationPath: outside)
    try FileManager.default.createSymbolicLink(atPath: store.rootPath + "/file", withDestinationPath: outside + "/a")
    #expect(throws: Fault.self) { try store.get(path("link/a"), bytesMax: 10) }
    #expect(throws: Fault.self) { try store.get(path("file"), bytesMax: 10) }
    #expect(throws: Fault.self) { try store.put(path("link/b"), [1]) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == ["a"])
  }

  @Test(
    "paths that leave the root or mean two things are refused",
    arguments: ["", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\\b", "a\u{0}", "a\nb", String(repeating: "x", count: 256)])
  func paths(text: String) {
    #expect(throws: Fault.self) { try ObjectPath(text) }
  }

  @Test("parts and order of paths")
  func order() throws {
    #expect(try path("a/b/c").name == "c")
    #expect(try path("a").appending("b/c") == path("a/b/c"))
    #expect(try path("a/b") < path("a/c"))
    #expect(throws: Fault.self) { try path("a").appending("../b") }
  }
}
