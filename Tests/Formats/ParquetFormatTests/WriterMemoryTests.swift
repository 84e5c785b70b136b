// What the writer holds, by its own account, against what its options allow.

import Bedrock
import Columnar
import Testing

@testable import ParquetFormat

@Suite struct WriterMemoryTests {
  /// The most bytes that a writer held after any chunk, and the file.
  private func peak(
    _ columns: [ParquetColumn], _ options: ParquetWriterOptions, chunks: Int, rows: Int, _ value: (Int, Int) -> Scalar
  ) throws -> (peak: [Int], file: ParquetFile) {
    var writer = try ParquetWriter(columns: columns, options: options)
    var bytes: [UInt8] = []
    var held: [Int] = []
    for chunk in 0..<chunks {
      let parts = columns.enumerated().map { place, column in
        ColumnBuilder.column(column.type, (0..<rows).map { value(place, chunk * rows + $0) })
      }
      try writer.append(Chunk(columns: parts, rowCount: rows), to: &bytes)
      held.append(writer.heldByteCount)
    }
    _ = try writer.finish(to: &bytes)
    return (held, try Files.parse(bytes))
  }

  @Test func theProfileHasLargeDictionariesAndRowGroups() throws {
    let options = ParquetWriterOptions()
    #expect(options.rowGroupRowsMax == 1_048_576 && options.dictionaryBytesMax == 16 * 1_048_576)
    // 30,000 texts of 100 bytes: three times what others allow a dictionary.
    let rows = 100_000, entries = 30_000
    let texts = (0..<entries).map { Scalar.text("\(10_000_000 + $0)" + String(repeating: "path/", count: 18) + "\($0 % 7)x") }
    let dictionary = ColumnDictionary(ColumnBuilder.column(.text, texts))
    var seed = Seed(3)
    let codes = (0..<rows).map { _ in Int32(seed.below(entries)) }
    let column = Column(
      type: .text, count: rows, validity: nil, form: .dictionary(codes: .copying(codes), dictionary: dictionary))
    let (bytes, _) = try Files.write(
      [ParquetColumn(name: "url", type: .text, isNullable: false, fieldID: 1)], [Chunk(columns: [column], rowCount: rows)])
    let file = try Files.parse(bytes)
    let decoder = try Files.decoder(bytes, file, group: 0, column: 0)
    while decoder.rowsRemaining > 0 {
      let part = try decoder.decode(rows: Limits.chunkRowsMax)
      guard case .dictionary(_, let read) = part.form else {
        Issue.record("a page without codes")
        return
      }
      #expect(read.count > 25_000)
    }
  }

  @Test func memoryIsThatOfOneRowGroupHoweverLongTheFile() throws {
    var options = ParquetWriterOptions()
    options.rowGroupRowsMax = 20_000
    options.dictionaryBytesMax = 131_072
    var seed = Seed(5)
    let columns = [
      ParquetColumn(name: "id", type: .int8, isNullable: false, fieldID: 1, bloomFilter: .automatic),
      ParquetColumn(name: "few", type: .text, isNullable: false, fieldID: 2),
      ParquetColumn(name: "many", type: .text, isNullable: false, fieldID: 3, bloomFilter: .automatic),
    ]
    let (held, file) = try peak(columns, options, chunks: 30, rows: 5_000) { place, row in
      switch place {
      case 0: .integer(Int64(bitPattern: seed.next()))
      case 1: .text("kind-\(row % 30)")
      default: .text("name-\(seed.next())")
      }
    }
    #expect(file.rowGroups.count >= 7)
    let early = held[..<15].max() ?? 0, late = held[15...].max() ?? 0
    #expect(Double(late) <= Double(early) * 1.1, "\(early) bytes, then \(late)")
    // A batch of 65,536 rows waits or is pending as it came (arrays grow by halves), beside pages and a dictionary a leaf.
    let pending = 65_536 * (8 + 16 + 40) * 2, pages = 20_000 * 40 * 3, dictionaries = 3 * 8 * options.dictionaryBytesMax
    #expect(late <= pending + pages + dictionaries + 3 * 65_536)
    #expect(file.rowGroups.allSatisfy { $0.rowCount <= 20_000 })
  }

  @Test func aRowGroupOfLargeValuesEndsByItsBytes() throws {
    var options = ParquetWriterOptions()
    options.rowGroupByteCountMax = 1_048_576
    var seed = Seed(6)
    // 600 random bytes a row: nothing to compress.
    let (held, file) = try peak(
      [ParquetColumn(name: "blob", type: .bytea, isNullable: false, fieldID: 1)], options, chunks: 10, rows: 33_000
    ) { _, _ in
      .bytes((0..<8).flatMap { _ in withUnsafeBytes(of: seed.next()) { Array($0) } })
    }
    #expect(file.rowGroups.count > 2 && file.rowGroups.reduce(0) { $0 + $1.rowCount } == 330_000)
    #expect((held.max() ?? 0) < 24 * 1_048_576)
  }
}
