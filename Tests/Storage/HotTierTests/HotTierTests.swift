// Views, scans and restarts of the hot tier itself.

import Bedrock
import Columnar
import EventSchema
import HotTier
import Runtime
import StorageContract
import Testing

@Suite struct HotTierTests {
  private let table = TableID(raw: 1_000)

  private func change(_ chunk: Chunk) throws(Fault) -> HotWrite {
    var write = HotWrite()
    write.chunks.append(
      HotWrite.NewChunk(
        table: table, chunk: try ChunkCodec.encode(chunk, layout: RandomChunks.layout, writtenMicros: 0),
        decoded: chunk))
    return write
  }

  private func sequences(
    _ view: HotView, after: Int64 = -1, predicates: [ColumnPredicate] = []
  ) throws(Fault) -> [Int64] {
    let request = ScanRequest(table: table, columns: [0], predicates: predicates)
    let scan = HotScan(view: view, columns: RandomChunks.columns, request: request, position: 1, after: after)
    var out: [Int64] = []
    for morsel in 0..<scan.morselCount {
      let reader = try scan.open(morsel: morsel)
      while let chunk = try reader.next() {
        #expect(chunk.rowCount >= 1 && chunk.rowCount <= Limits.chunkRowsMax)
        for row in 0..<chunk.rowCount { out.append(chunk.columns[0].scalar(at: row).integer ?? -1) }
      }
    }
    return out
  }

  @Test(arguments: [0, 64 << 20])
  func restartGivesEverythingBack(cacheBytes: Int) throws {
    let folder = ScratchFolder("hot")
    let options = HotTier.Options(folder: folder.path, cacheBytes: cacheBytes)
    var tier = try HotTier(options)
    for index in 0..<10 as Range<Int64> {
      let chunk = RandomChunks.chunk(
        rows: 100, firstSequence: index * 100, firstPosition: index * 100, seed: UInt64(index))
      _ = try tier.write(try change(chunk))
    }
    var write = HotWrite()
    write.records.append((key: [1, 2], value: [3]))
    _ = try tier.write(write)
    try tier.close()
    tier = try HotTier(options)
    let view = try tier.view()
    #expect(try sequences(view) == Array(0..<1_000))
    #expect(try view.record([1, 2]) == [3])
    #expect(try view.record([1]) == nil)
    #expect(view.table(table).rowCount == 1_000)
  }

  @Test func largeChunksAreReturnedInParts() throws {
    let folder = ScratchFolder("hot")
    let tier = try HotTier(HotTier.Options(folder: folder.path))
    let rows = Limits.chunkRowsMax * 2 + 17
    let columns = Array(RandomChunks.columns[0..<3])
    let layout = ChunkLayout(columns: columns, schemaVersion: 1, sequence: 0, position: 1, published: 2)
    let values = ColumnBuilder.column(.int8, (0..<rows).map { .integer(Int64($0)) })
    let chunk = Chunk(columns: [values, values, values.retyped(.timestamptz)], rowCount: rows)
    var write = HotWrite()
    write.chunks.append(
      HotWrite.NewChunk(
        table: table, chunk: try ChunkCodec.encode(chunk, layout: layout, writtenMicros: 0), decoded: nil))
    let view = try tier.write(write)
    #expect(try sequences(view) == Array(0..<Int64(rows)))
    #expect(try sequences(view, after: 8_999).first == 9_000)
  }

  @Test func aViewDoesNotChange() throws {
    let folder = ScratchFolder("hot")
    let tier = try HotTier(HotTier.Options(folder: folder.path, cacheBytes: 0))
    let first = try tier.write(
      try change(RandomChunks.chunk(rows: 50, firstSequence: 0, firstPosition: 0, seed: 1)))
    let second = try tier.write(
      try change(RandomChunks.chunk(rows: 50, firstSequence: 50, firstPosition: 50, seed: 2)))
    var deletion = HotWrite()
    deletion.deletedChunks = first.table(table).chunks.map(\.key)
    let third = try tier.write(deletion)
    #expect(try sequences(first) == Array(0..<50))
    #expect(try sequences(second) == Array(0..<100))
    #expect(try sequences(third) == Array(50..<100))
  }

  @Test func positionCutsInsideAChunk() throws {
    let folder = ScratchFolder("hot")
    let tier = try HotTier(HotTier.Options(folder: folder.path))
    let view = try tier.write(
      try change(RandomChunks.chunk(rows: 100, firstSequence: 1_000, firstPosition: 0, seed: 1)))
    #expect(try sequences(view, after: 39) == Array(1_040..<1_100))
    #expect(try sequences(view, after: 99).isEmpty)
  }

  @Test func predicatesSkipChunks() throws {
    let folder = ScratchFolder("hot")
    let tier = try HotTier(HotTier.Options(folder: folder.path))
    for index in 0..<8 as Range<Int64> {
      _ = try tier.write(
        try change(
          RandomChunks.chunk(rows: 10, firstSequence: index * 10, firstPosition: index * 10, seed: UInt64(index))))
    }
    let view = try tier.view()
    let predicates = [ColumnPredicate(column: 0, test: .compare(.greaterOrEqual, .integer(65)))]
    let request = ScanRequest(table: table, columns: [], predicates: predicates)
    let scan = HotScan(view: view, columns: RandomChunks.columns, request: request, position: 1, after: -1)
    #expect(scan.tiers[0].units[0].total == 8)
    #expect(scan.tiers[0].units[0].read == 2)
    #expect(try sequences(view, predicates: predicates) == Array(60..<80))
    let either = [ColumnPredicate(column: 0, test: .anyOf([.integer(5), .integer(79)]))]
    #expect(try sequences(view, predicates: either) == Array(0..<10) + Array(70..<80))
  }

  @Test func closingWaitsForReaders() throws {
    let folder = ScratchFolder("hot")
    let tier = try HotTier(HotTier.Options(folder: folder.path))
    var view: HotView? = try tier.view()
    #expect(throws: Fault.self) { try tier.close(timeoutMicros: 1_000) }
    #expect(view?.tableIDs.isEmpty == true)
    view = nil
    try tier.close(timeoutMicros: 1_000_000)
    #expect(throws: Fault.self) { try tier.view() }
    #expect(throws: Fault.self) { try tier.write(HotWrite()) }
  }

  @Test func onlyOneProcessMayHaveIt() throws {
    let folder = ScratchFolder("hot")
    let tier = try HotTier(HotTier.Options(folder: folder.path))
    #expect(throws: Fault.self) { try HotTier(HotTier.Options(folder: folder.path)) }
    try tier.close()
  }
}
