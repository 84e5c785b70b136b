// Planning, merging and rewriting of data files.

import Bedrock
import Columnar
import DeltaFormat
import EventSchema
import Foundation
import ObjectStore
import Runtime
import StorageContract
import TestKit
import Testing

@testable import Lake

@Suite struct CompactionTests {
  private func candidate(
    _ index: Int, _ bytes: Int64, _ keys: ClosedRange<Int64>? = nil, deletedShare: Double = 0
  ) -> CompactionCandidate {
    var candidate = CompactionCandidate(index: index, bytes: bytes, keys: keys ?? Int64(index) * 10...Int64(index) * 10 + 9)
    candidate.deletedShare = deletedShare
    return candidate
  }

  private var options: CompactionOptions {
    var options = CompactionOptions()
    options.fileBytesTarget = 1_000_000
    options.tierFilesMin = 4
    return options
  }

  // MARK: Planning

  @Test func tiersGrowByFour() {
    #expect(CompactionPlan.tier(0) == 0 && CompactionPlan.tier(262_143) == 0)
    #expect(CompactionPlan.tier(262_144) == 1 && CompactionPlan.tier(1_048_575) == 1)
    #expect(CompactionPlan.tier(1_048_576) == 2 && CompactionPlan.tier(4 << 20) == 3 && CompactionPlan.tier(.max) > 20)
    for bytes in stride(from: Int64(0), to: 1 << 30, by: 999_983) {
      #expect(CompactionPlan.tier(bytes) <= CompactionPlan.tier(bytes + 999_983))
    }
  }

  @Test func aTierIsMergedOnceItHasEnoughFiles() {
    let plan = CompactionPlan(options: options)
    let three = (0..<3).map { candidate($0, 1_000) }
    #expect(plan.compaction(three, isFull: false, now: 0) == nil)
    #expect(plan.compaction(three, isFull: true, now: 0) == [0, 1, 2])
    #expect(plan.compaction(three, isFull: false, now: 600_000_000) == [0, 1, 2])
    #expect(plan.compaction(three + [candidate(3, 300_000)], isFull: false, now: 0) == nil)
    #expect(plan.compaction(three + [candidate(3, 2_000)], isFull: false, now: 0) == [0, 1, 2, 3])
    // Full files are left alone, a single file as well.
    #expect(plan.compaction((0..<9).map { candidate($0, 700_000) }, isFull: true, now: 0) == nil)
    #expect(plan.compaction([candidate(0, 1)], isFull: true, now: 0) == nil)
    // But for one with many deleted rows.
    #expect(plan.compaction([candidate(0, 900_000, deletedShare: 0.2)], isFull: false, now: 0) == [0])
  }

  @Test func everyPlanEndsWithFewFiles() {
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<50 {
      let plan = CompactionPlan(options: options)
      var files = (0..<Int.random(in: 1...300, using: &generator)).map {
        candidate($0, Int64.random(in: 1...300_000, using: &generator))
      }
      let total = files.reduce(0) { $0 + $1.bytes }
      var steps = 0
      while let group = plan.compaction(files, isFull: true, now: 0) {
        steps += 1
        let merged = files.filter { group.contains($0.index) }
        #expect(merged.count == group.count && merged.count >= 2)
        let keys = (merged.compactMap { $0.keys?.lowerBound }.min() ?? 0)...(merged.compactMap { $0.keys?.upperBound }.max() ?? 0)
        let bytes = merged.reduce(0) { $0 + $1.bytes }
        #expect(bytes <= options.fileBytesTarget)
        files.removeAll { group.contains($0.index) }
        files.append(CompactionCandidate(index: 1_000 + steps, bytes: bytes, keys: keys))
      }
      // No two neighbours that fit together are left: at most about twice the ideal number.
      #expect(Int64(files.count) <= 2 * (total / options.fileBytesTarget) + 1)
    }
  }

  @Test func feedingATableRewritesEachRowAFewTimes() {
    var options = CompactionOptions()
    options.idleMicros = .max
    let plan = CompactionPlan(options: options)
    var files: [CompactionCandidate] = []
    var written: Int64 = 0
    var next = 0
    for _ in 0..<4_000 {
      files.append(CompactionCandidate(index: next, bytes: 200_000, keys: Int64(next)...Int64(next)))
      next += 1
      while let group = plan.compaction(files, isFull: false, now: 0) {
        let merged = files.filter { group.contains($0.index) }
        let bytes = merged.reduce(0) { $0 + $1.bytes }
        written += bytes
        files.removeAll { group.contains($0.index) }
        files.append(CompactionCandidate(index: next, bytes: bytes, keys: merged[0].keys))
        next += 1
      }
    }
    let total: Int64 = 4_000 * 200_000
    #expect(files.count < 60, "\(files.count) files")
    #expect(Double(written) / Double(total) < 5, "each row is written \(Double(written) / Double(total)) times")
  }

  @Test func clusteringTakesTheFilesOverTheMostCoveredPoint() {
    let plan = CompactionPlan(options: options)
    var files = (0..<4).map { candidate($0, 900_000, 0...100) }
    #expect(plan.clustering(files, isFull: false) == nil)
    files.append(candidate(4, 900_000, 50...60))
    files.append(candidate(5, 900_000, 200...300))
    #expect(CompactionPlan.depth(files).files == 5)
    let group = plan.clustering(files, isFull: false)
    #expect(group.map(Set.init) == Set([0, 1, 2, 3, 4]))
    #expect(plan.clustering([candidate(0, 1, 0...10), candidate(1, 1, 11...20)], isFull: true) == nil)
    #expect(CompactionPlan.depth([candidate(0, 1, 0...10), candidate(1, 1, 10...20)]).files == 2)
  }

  @Test func rowsPastTheirClockAreFoundByFile() {
    let files = [candidate(0, 1, 0...9), candidate(1, 1, 5...15), candidate(2, 1, 9...30), candidate(3, 1, 20...30)]
    let (whole, partly) = CompactionPlan.expired(files, cutoff: 10, slack: 2)
    #expect(whole == [0] && partly == [1])
  }

  // MARK: Merging

  private final class ListScan: TableScan {
    let chunks: [Chunk]
    init(_ chunks: [Chunk]) { self.chunks = chunks }
    var morselCount: Int { chunks.count }
    var tiers: [TierScanSummary] { [] }
    func open(morsel: Int) throws(Fault) -> any ChunkReader { One(chunks[morsel]) }
    final class One: ChunkReader {
      var chunk: Chunk?
      init(_ chunk: Chunk) { self.chunk = chunk }
      func next() throws(Fault) -> Chunk? {
        defer { chunk = nil }
        return chunk
      }
    }
  }

  /// Keys beside their source, so that both order and content can be checked.
  private func source(_ keys: [Int64], tag: Int64, chunkRows: Int) -> CompactionSource {
    var chunks: [Chunk] = []
    for start in stride(from: 0, to: keys.count, by: chunkRows) {
      let part = Array(keys[start..<min(keys.count, start + chunkRows)])
      chunks.append(
        Chunk(
          columns: [
            ColumnBuilder.column(.timestamptz, part.map { .integer($0) }),
            ColumnBuilder.column(.int8, part.indices.map { .integer(tag << 32 | Int64(start + $0)) }),
          ], rowCount: part.count))
    }
    return CompactionSource(firstKey: keys.min() ?? .min, scan: ListScan(chunks))
  }

  @Test func aMergeGivesAllRowsInOrder() throws {
    var generator = SeededGenerator(seed: 11)
    for round in 0..<60 {
      var sources: [CompactionSource] = []
      var expected: [[Int64]] = []
      for tag in 0..<Int.random(in: 1...12, using: &generator) {
        let low = Int64.random(in: -500...500, using: &generator)
        var keys = (0..<Int.random(in: 0...200, using: &generator)).map { _ in
          low + Int64.random(in: 0...Int64(round + 1) * 10, using: &generator)
        }
        keys.sort()
        expected += keys.enumerated().map { [$0.element, Int64(tag), Int64($0.offset)] }
        sources.append(source(keys, tag: Int64(tag), chunkRows: Int.random(in: 1...50, using: &generator)))
      }
      let merge = CompactionMerge(sources, keyColumn: 0)
      var found: [[Int64]] = []
      while let chunk = try merge.next() {
        #expect(chunk.rowCount > 0)
        for row in 0..<chunk.rowCount {
          let tagged = chunk.columns[1].scalar(at: row).integer ?? -1
          found.append([chunk.columns[0].scalar(at: row).integer ?? -1, tagged >> 32, tagged & 0xFFFF_FFFF])
        }
      }
      #expect(found.map { $0[0] } == expected.map { $0[0] }.sorted())
      #expect(Set(found) == Set(expected) && found.count == expected.count)
    }
  }

  @Test func filesSideBySideAreOpenOneAtATime() throws {
    let sources = (0..<100).map { file in
      source((0..<50).map { Int64(file * 100 + $0) }, tag: Int64(file), chunkRows: 20)
    }
    let merge = CompactionMerge(sources.shuffled(), keyColumn: 0)
    var rows = 0
    while let chunk = try merge.next() { rows += chunk.rowCount }
    #expect(rows == 5_000 && merge.openMax == 1)
  }

  @Test func unsortedFilesLoseNoRows() throws {
    let merge = CompactionMerge(
      [source([5, 1, 9, 2, 8], tag: 0, chunkRows: 2), source([3, 3, 3], tag: 1, chunkRows: 1)], keyColumn: 0)
    var keys: [Int64] = []
    while let chunk = try merge.next() {
      for row in 0..<chunk.rowCount { keys.append(chunk.columns[0].scalar(at: row).integer ?? -1) }
    }
    #expect(keys.sorted() == [1, 2, 3, 3, 3, 5, 8, 9])
  }

  // MARK: Rewriting

  private struct Table {
    let folder: TemporaryFolder
    let table: LakeTable
    init(_ name: String, options: LakeOptions = LakeOptions()) throws {
      folder = try TemporaryFolder(name)
      let lake = Lake(store: try LocalObjectStore(path: folder.path), clock: .system, options: options)
      table = try lake.table(domain: "iot", entity: "measurement")
    }
  }

  private func compactAll(_ table: LakeTable, _ schema: TableSchema, _ options: CompactionOptions) throws -> Int {
    var steps = 0
    while let group = try table.refresh().compactionGroup(options, isFull: true, now: 0) {
      var rows: Int64 = 0
      let receipt = try table.rewrite(group, schema: schema, options: options) { (more, _) throws(Fault) in rows += more }
      #expect(rows == group.rows && receipt.rows == rows && receipt.filesAdded == 1)
      steps += 1
    }
    return steps
  }

  @Test func smallFilesBecomeOneWithTheSameRows() throws {
    let lake = try Table("compact")
    let table = lake.table
    for flush in 0..<30 {
      _ = try table.flush(
        Fixture.rows(Int64(flush * 40)..<Int64(flush * 40 + 40)), expected: flush == 0 ? nil : Int64(flush * 40 - 1),
        version: Int64(flush * 40 + 39))
    }
    let before = try table.refresh()
    let rows = try before.rows().rows
    #expect(before.fileCount == 30)
    #expect(try compactAll(table, Fixture.schema, CompactionOptions()) == 1)
    let after = try table.refresh()
    #expect(after.fileCount == 1 && after.rowCount == 1_200)
    #expect(after.transactionVersion(appID: Fixture.appID) == 1_199)
    let merged = try after.rows().rows
    #expect(Set(merged) == Set(rows) && merged.count == rows.count)
    let published = merged.map { $0[2].integer ?? 0 }
    #expect(published == published.sorted())
    // The old state is still readable, and the next flush lands on top.
    #expect(try before.rows().rows.count == 1_200)
    _ = try table.flush(Fixture.rows(1_200..<1_240), expected: 1_199, version: 1_239)
    #expect(try table.refresh().rowCount == 1_240)
    // The log says that no data changed, and names no person.
    let log = try #require(
      String(data: Data(contentsOf: URL(fileURLWithPath: "\(lake.folder.path)/lake/iot/measurement/_delta_log/00000000000000000030.json")), encoding: .utf8))
    #expect(log.contains("\"OPTIMIZE\"") && log.contains("\"dataChange\":false") && !log.contains("\"dataChange\":true"))
    #expect(!log.contains("example.org"))
  }

  @Test func targetsAreKept() throws {
    let lake = try Table("compact-target")
    let table = lake.table
    defer { withExtendedLifetime(lake.folder) {} }
    var options = CompactionOptions()
    for flush in 0..<40 {
      _ = try table.flush(
        Fixture.rows(Int64(flush * 300)..<Int64(flush * 300 + 300)), expected: flush == 0 ? nil : Int64(flush * 300 - 1),
        version: Int64(flush * 300 + 299))
    }
    let one = try #require(table.current.files.first).size
    options.fileBytesTarget = one * 8
    _ = try compactAll(table, Fixture.schema, options)
    let after = try table.refresh()
    #expect(after.rowCount == 12_000)
    #expect(after.fileCount >= 3 && after.fileCount <= 6, "\(after.fileCount) files")
    #expect(after.files.allSatisfy { $0.size <= options.fileBytesTarget * 11 / 10 })
    #expect(after.overlapDepth <= 2)
  }

  @Test func oldFilesGetTheNewestColumns() throws {
    let lake = try Table("compact-schema")
    let table = lake.table
    defer { withExtendedLifetime(lake.folder) {} }
    _ = try table.flush(Fixture.rows(0..<50), expected: nil, version: 49)
    _ = try table.flush(
      Fixture.rows(50..<80, Fixture.nextSchema), schema: Fixture.nextSchema, expected: 49, version: 79)
    let rows = try table.refresh().rows(Fixture.nextSchema).rows
    _ = try compactAll(table, Fixture.nextSchema, CompactionOptions())
    let after = try table.refresh()
    #expect(after.fileCount == 1)
    #expect(try Set(after.rows(Fixture.nextSchema).rows) == Set(rows))
    // A rewrite under a schema without the column would lose it.
    _ = try table.flush(Fixture.rows(80..<90, Fixture.nextSchema), schema: Fixture.nextSchema, expected: 79, version: 89)
    let group = try #require(try table.refresh().compactionGroup(CompactionOptions(), isFull: true, now: 0))
    let refused = fault { () throws(Fault) in
      _ = try table.rewrite(group, schema: Fixture.schema, options: CompactionOptions()) { (_, _) throws(Fault) in }
    }
    #expect(refused?.state == .featureNotSupported)
  }

  @Test func aLostRaceChangesNothing() throws {
    let lake = try Table("compact-race")
    let table = lake.table
    for flush in 0..<4 {
      _ = try table.flush(
        Fixture.rows(Int64(flush * 10)..<Int64(flush * 10 + 10)), expected: flush == 0 ? nil : Int64(flush * 10 - 1),
        version: Int64(flush * 10 + 9))
    }
    let group = try #require(try table.refresh().compactionGroup(CompactionOptions(), isFull: true, now: 0))
    // A flush in between is no conflict.
    _ = try table.flush(Fixture.rows(40..<50), expected: 39, version: 49)
    _ = try table.rewrite(group, schema: Fixture.schema, options: CompactionOptions()) { (_, _) throws(Fault) in }
    #expect(try table.refresh().rowCount == 50 && table.current.fileCount == 2)
    // The same group again: its files are gone.
    let lost = fault { () throws(Fault) in
      _ = try table.rewrite(group, schema: Fixture.schema, options: CompactionOptions()) { (_, _) throws(Fault) in }
    }
    #expect(lost?.state == .serializationFailure)
    #expect(try table.refresh().rowCount == 50 && table.current.fileCount == 2)
    // A step that is stopped leaves no file behind.
    let names = { try FileManager.default.contentsOfDirectory(atPath: "\(lake.folder.path)/lake/iot/measurement").count }
    let count = try names()
    let next = try #require(try table.refresh().compactionGroup(CompactionOptions(), isFull: true, now: 0))
    let stopped = fault { () throws(Fault) in
      _ = try table.rewrite(next, schema: Fixture.schema, options: CompactionOptions()) { (_, _) throws(Fault) in
        throw Fault(.queryCanceled, "stop")
      }
    }
    #expect(stopped?.state == .queryCanceled)
    #expect(try names() == count)
  }

  @Test func clusteringSeparatesRanges() throws {
    let lake = try Table("cluster")
    let table = lake.table
    defer { withExtendedLifetime(lake.folder) {} }
    // Six flushes of the same hour: their ranges cover each other.
    for flush in 0..<6 {
      let rows = Fixture.rows(Int64(flush)..<Int64(flush + 1)) + Fixture.rows(Int64(1_000 * flush + 100)..<Int64(1_000 * flush + 400))
      var spread = rows
      for row in spread.indices {
        spread[row][2] = .integer(Fixture.start + Int64(row) * 1_000_000 + Int64(flush))
        spread[row][5] = .integer(Int64(flush * 10_000 + row))
      }
      _ = try table.flush(
        spread, expected: flush == 0 ? nil : Int64(flush * 10_000 - 1), version: Int64(flush * 10_000 + 9_999))
    }
    #expect(try table.refresh().overlapDepth == 6)
    let before = try table.current.rows().rows
    var options = CompactionOptions()
    options.fileBytesTarget = 8_192
    let group = try #require(table.current.clusteringGroup(options, isFull: false))
    _ = try table.rewrite(group, schema: Fixture.schema, options: options) { (_, _) throws(Fault) in }
    let after = try table.refresh()
    #expect(after.fileCount > 1 && after.overlapDepth <= 2)
    #expect(try Set(after.rows().rows) == Set(before))
  }

  @Test func retentionDropsFilesAndRewritesTheBoundary() throws {
    let lake = try Table("retention")
    let table = lake.table
    defer { withExtendedLifetime(lake.folder) {} }
    for flush in 0..<3 {
      _ = try table.flush(
        Fixture.rows(Int64(flush * 100)..<Int64(flush * 100 + 100)), expected: flush == 0 ? nil : Int64(flush * 100 - 1),
        version: Int64(flush * 100 + 99))
    }
    let all = try table.refresh().rows().rows
    let cutoff = Fixture.start + 150_000
    var steps = 0
    while let group = try table.refresh().expiredGroup(cutoff: cutoff, slack: 1_000) {
      _ = try table.rewrite(group, schema: Fixture.schema, options: CompactionOptions()) { (_, _) throws(Fault) in }
      steps += 1
    }
    #expect(steps >= 2 && steps <= 3)
    let left = try table.refresh().rows().rows
    #expect(Set(left) == Set(all.filter { ($0[2].integer ?? 0) >= cutoff }))
    #expect(table.current.transactionVersion(appID: Fixture.appID) == 299)
  }

  // MARK: Tables that others have changed

  /// Appends a commit of the given lines, as another writer does.
  private func commitForeign(_ lake: Table, _ lines: [String]) throws {
    let version = try lake.table.refresh().version + 1
    let digits = String(version)
    let name = String(repeating: "0", count: 20 - digits.count) + digits + ".json"
    let path = "\(lake.folder.path)/lake/iot/measurement/_delta_log/\(name)"
    let info = #"{"commitInfo":{"timestamp":\#(Int64.max / 4_000 + version),"inCommitTimestamp":\#(Int64.max / 4_000 + version),"operation":"DELETE"}}"#
    try Data(([info] + lines).joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path))
  }

  /// A deletion vector of some rows below 2^16 as it stands in the log: one array container of a 64-bit Roaring bitmap,
  /// in the base 85 of ZeroMQ.
  private func inlineVector(_ rows: [UInt16]) -> (text: String, byteCount: Int) {
    var bytes: [UInt8] = []
    func put<T: FixedWidthInteger>(_ value: T) { withUnsafeBytes(of: value.littleEndian) { bytes += Array($0) } }
    put(UInt32(1_681_511_377))
    put(UInt64(1))
    put(UInt32(0))
    put(UInt32(12_346))
    put(UInt32(1))
    put(UInt16(0))
    put(UInt16(rows.count - 1))
    put(UInt32(16))
    for row in rows { put(row) }
    let count = bytes.count
    while bytes.count % 4 != 0 { bytes.append(0) }
    let digits = Array("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#")
    var text = ""
    for start in stride(from: 0, to: bytes.count, by: 4) {
      var word = bytes[start..<start + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      var part: [Character] = []
      for _ in 0..<5 {
        part.append(digits[Int(word % 85)])
        word /= 85
      }
      text += String(part.reversed())
    }
    return (text, count)
  }

  @Test func deletedRowsLeaveWithTheRewrite() throws {
    let lake = try Table("compact-vectors")
    let table = lake.table
    for flush in Int64(0)..<3 {
      _ = try table.flush(
        Fixture.rows(flush * 100..<flush * 100 + 100), expected: flush == 0 ? nil : flush * 100 - 1,
        version: flush * 100 + 99)
    }
    let victim = try #require(table.refresh().files.first)
    let victims = try table.current.scanned(victim)
    let (text, byteCount) = inlineVector([0, 7, 50, 99])
    let stats = try #require(String(data: JSONSerialization.data(withJSONObject: victim.stats ?? "", options: .fragmentsAllowed), encoding: .utf8))
    let protocolVersion = #"{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"],"writerFeatures":["appendOnly","invariants","inCommitTimestamp","domainMetadata","deletionVectors"]}}"#
    let remove = #"{"remove":{"path":"\#(victim.add.path)","deletionTimestamp":1,"dataChange":true}}"#
    let add = #"{"add":{"path":"\#(victim.add.path)","partitionValues":{},"size":\#(victim.size),"modificationTime":1,"dataChange":true,"stats":\#(stats),"deletionVector":{"storageType":"i","pathOrInlineDv":"\#(text)","sizeInBytes":\#(byteCount),"cardinality":4}}}"#
    try commitForeign(lake, [protocolVersion, remove, add])
    let before = try table.refresh().rows().rows
    let expected = Set(before)
    #expect(before.count == 296 && table.current.rowCount == 296)
    #expect(!expected.contains(victims[0]) && !expected.contains(victims[7]) && expected.contains(victims[1]))
    var options = CompactionOptions()
    options.deletedShareMin = 0.03
    // A worn file is rewritten alone, then all become one; no vector is left.
    let worn = try #require(table.current.compactionGroup(options, isFull: false, now: 0))
    #expect(worn.files.count == 1 && worn.rows == 96)
    _ = try table.rewrite(worn, schema: Fixture.schema, options: options) { (_, _) throws(Fault) in }
    #expect(try table.refresh().files.allSatisfy { $0.deletionVector == nil } && table.current.rowCount == 296)
    #expect(try compactAll(table, Fixture.schema, options) == 1)
    let after = try table.refresh()
    #expect(after.fileCount == 1 && after.rowCount == 296)
    #expect(try Set(after.rows().rows) == expected)
  }

  @Test func filesWithoutStatisticsAreMerged() throws {
    let lake = try Table("compact-plain")
    let table = lake.table
    for flush in Int64(0)..<4 {
      _ = try table.flush(
        Fixture.rows(flush * 50..<flush * 50 + 50), expected: flush == 0 ? nil : flush * 50 - 1, version: flush * 50 + 49)
    }
    let rows = try Set(table.refresh().rows().rows)
    let files = table.current.files.prefix(2).map(\.add)
    try commitForeign(
      lake,
      files.map { add in
        #"{"add":{"path":"\#(add.path)","partitionValues":{},"size":\#(add.size),"modificationTime":1,"dataChange":false}}"#
      })
    #expect(try table.refresh().files.count { $0.rowCount == nil } == 2)
    let group = try #require(table.current.compactionGroup(CompactionOptions(), isFull: true, now: 0))
    #expect(group.files.count == 4)
    _ = try table.rewrite(group, schema: Fixture.schema, options: CompactionOptions()) { (_, _) throws(Fault) in }
    let after = try table.refresh()
    #expect(after.fileCount == 1 && after.rowCount == 200)
    #expect(try Set(after.rows().rows) == rows)
  }

  @Test func aTableWhoseColumnsOthersRenamedIsLeftToThem() throws {
    let lake = try Table("compact-mapped")
    let table = lake.table
    for flush in Int64(0)..<3 {
      _ = try table.flush(
        Fixture.rows(flush * 50..<flush * 50 + 50), expected: flush == 0 ? nil : flush * 50 - 1, version: flush * 50 + 49)
    }
    let rows = try Set(table.refresh().rows().rows)
    let metadata = try #require(table.current.delta.metadata)
    // Every column keeps its name in the files; `series` gets another one in the table.
    var schema = try #require(JSONSerialization.jsonObject(with: Data(metadata.schemaString.utf8)) as? [String: Any])
    var fields = try #require(schema["fields"] as? [[String: Any]])
    for index in fields.indices {
      let name = fields[index]["name"] as? String ?? ""
      fields[index]["metadata"] = ["delta.columnMapping.id": index + 1, "delta.columnMapping.physicalName": name]
      if name == "series" { fields[index]["name"] = "line" }
    }
    schema["fields"] = fields
    let text = try #require(String(data: JSONSerialization.data(withJSONObject: schema), encoding: .utf8))
    let own: [String: Any] = [
      "id": metadata.id, "format": ["provider": "parquet", "options": [:] as [String: String]], "schemaString": text,
      "partitionColumns": [] as [String],
      "configuration": ["delta.columnMapping.mode": "name", "delta.enableInCommitTimestamps": "true"],
    ]
    let line = try #require(
      String(data: JSONSerialization.data(withJSONObject: ["metaData": own], options: .withoutEscapingSlashes), encoding: .utf8))
    let protocolVersion = #"{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["columnMapping"],"writerFeatures":["appendOnly","invariants","inCommitTimestamp","domainMetadata","columnMapping"]}}"#
    try commitForeign(lake, [protocolVersion, line])
    let snapshot = try table.refresh()
    #expect(snapshot.columns.contains { $0.name == "line" })
    let group = try #require(snapshot.compactionGroup(CompactionOptions(), isFull: true, now: 0))
    let refused = fault { () throws(Fault) in
      _ = try table.rewrite(group, schema: Fixture.schema, options: CompactionOptions()) { (_, _) throws(Fault) in }
    }
    #expect(refused?.state == .featureNotSupported && refused?.hint?.contains("leave its upkeep to that writer") == true)
    // Nothing was written, and the rows are still read under their new name.
    #expect(try table.refresh().version == snapshot.version && table.current.fileCount == 3)
    let index = try #require(snapshot.columns.firstIndex { $0.name == "line" })
    let place = try #require(snapshot.columns.firstIndex { $0.name == "_pos" })
    let scan = try snapshot.scan(
      ScanRequest(table: TableID(raw: 1), columns: [place, index]), columns: snapshot.columns)
    var found: Set<[Scalar]> = []
    for morsel in 0..<scan.morselCount {
      let reader = try scan.open(morsel: morsel)
      while let chunk = try reader.next() {
        for row in 0..<chunk.rowCount { found.insert(chunk.columns.map { $0.scalar(at: row) }) }
      }
    }
    let names = Fixture.lakeColumns(Fixture.schema).map(\.name)
    let series = try #require(names.firstIndex(of: "series")), position = try #require(names.firstIndex(of: "_pos"))
    #expect(found == Set(rows.map { [$0[position], $0[series]] }))
  }
}

extension LakeSnapshot {
  /// The rows of one file in their order, deleted ones left out.
  fileprivate func scanned(_ file: LakeDataFile) throws -> [[Scalar]] {
    let columns = Fixture.lakeColumns(Fixture.schema).compactMap { Fixture.schema.column(named: $0.name) }
    let scan = try scan(ScanRequest(table: TableID(raw: 1), columns: columns), columns: Fixture.schema.columns, files: [file])
    var rows: [[Scalar]] = []
    for morsel in 0..<scan.morselCount {
      let reader = try scan.open(morsel: morsel)
      while let chunk = try reader.next() {
        for row in 0..<chunk.rowCount { rows.append(chunk.columns.map { $0.scalar(at: row) }) }
      }
    }
    return rows
  }
}
