// The codec gives back what it was given, refuses what it was not, and never traps.

import Bedrock
import Columnar
import EventSchema
import Glibc
import HotTier
import Runtime
import Testing

@Suite struct ChunkCodecTests {
  private func decoded(_ bytes: [UInt8]) throws(Fault) -> Chunk {
    try bytes.span.bytes.withUnsafeBytes { (raw) throws(Fault) in
      try ChunkCodec.decode(raw, columns: RandomChunks.columns)
    }
  }

  @Test(arguments: [1, 2, 7, 63, 64, 65, 500, 3_000])
  func everyTypeAndFormComesBack(rows: Int) throws {
    for seed in 0..<(rows > 100 ? 4 : 20) as Range<UInt64> {
      let chunk = RandomChunks.chunk(rows: rows, firstSequence: -5, firstPosition: 100, seed: seed)
      let encoded = try ChunkCodec.encode(chunk, layout: RandomChunks.layout, writtenMicros: 77)
      let back = try decoded(encoded.bytes)
      #expect(back.rowCount == rows)
      for (index, column) in chunk.columns.enumerated() {
        for row in 0..<rows where column.scalar(at: row) != back.columns[index].scalar(at: row) {
          Issue.record("seed \(seed), column \(index), row \(row)")
          return
        }
      }
    }
  }

  @Test func headerSummarisesItsRows() throws {
    let chunk = RandomChunks.chunk(rows: 1_000, firstSequence: -5, firstPosition: 100, seed: 1)
    let encoded = try ChunkCodec.encode(chunk, layout: RandomChunks.layout, writtenMicros: 77)
    let header = try encoded.bytes.span.bytes.withUnsafeBytes { (raw) throws(Fault) in try ChunkHeader(raw) }
    #expect(header.rowCount == 1_000)
    #expect(header.sequences == -5...994)
    #expect(header.positions == 100...1_099)
    #expect(header.schemaVersion == 3)
    #expect(header.writtenMicros == 77)
    #expect(header.column(fieldID: 1)?.range == .integers(-5, 994))
    #expect(header.column(fieldID: 99) == nil)
    // Evenly rising numbers cost next to nothing.
    #expect(header.columns[0].length < 64)
    #expect(header.columns[0].encoding == .delta)
  }

  @Test func personalColumnsCarryNoRange() throws {
    for seed in 0..<10 as Range<UInt64> {
      let chunk = RandomChunks.chunk(rows: 50, firstSequence: 0, firstPosition: 0, seed: seed)
      let header = try ChunkCodec.encode(chunk, layout: RandomChunks.layout, writtenMicros: 0).header
      for (column, entry) in zip(RandomChunks.columns, header.columns) where column.isPersonal {
        #expect(entry.range == nil)
      }
    }
  }

  @Test func everyFlippedBitIsNoticed() throws {
    let chunk = RandomChunks.chunk(rows: 20, firstSequence: 0, firstPosition: 0, seed: 5)
    let bytes = try ChunkCodec.encode(chunk, layout: RandomChunks.layout, writtenMicros: 0).bytes
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= 1 << UInt8(index % 8)
      #expect(throws: Fault.self, "byte \(index)") { try decoded(damaged) }
    }
  }

  @Test func everyTruncationIsNoticed() throws {
    let chunk = RandomChunks.chunk(rows: 20, firstSequence: 0, firstPosition: 0, seed: 6)
    let bytes = try ChunkCodec.encode(chunk, layout: RandomChunks.layout, writtenMicros: 0).bytes
    for length in stride(from: 0, to: bytes.count, by: 3) {
      #expect(throws: Fault.self) { try decoded(Array(bytes[..<length])) }
    }
    #expect(throws: Fault.self) { try decoded(bytes + [0]) }
  }

  @Test func hostileBodiesNeverTrap() {
    var random = SeededGenerator(seed: 42)
    for _ in 0..<20_000 {
      let length = Int(random.next() % 120)
      var bytes = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      if length > 6 {
        // Small row counts get further into the decoder.
        bytes[4] = UInt8(random.next() % 20)
        bytes[5] = 0
        bytes[2] %= 40
        for index in 6..<length where random.next() % 2 == 0 { bytes[index] = UInt8(random.next() % 4) }
      }
      let survived = bytes.span.bytes.withUnsafeBytes { ChunkCodec.check(hostile: $0) }
      #expect(survived)
    }
  }

  @Test func earlierFindingsOfTheFuzzerStayFixed() throws {
    let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
    for folder in ["Regressions", "Corpus"] {
      let path = "/\(root)/Fuzz/\(folder)/FuzzChunkCodec"
      guard let directory = opendir(path) else { continue }
      defer { closedir(directory) }
      while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        guard entry.pointee.d_type == UInt8(DT_REG), let file = fopen("\(path)/\(name)", "rb") else { continue }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        #expect(bytes[..<count].withUnsafeBytes { ChunkCodec.check(hostile: $0) }, "\(name)")
      }
    }
  }
}
