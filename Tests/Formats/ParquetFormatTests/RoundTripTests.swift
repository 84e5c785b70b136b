import Bedrock
import Columnar
import ParquetFormat
import Testing

@Suite struct RoundTripTests {
  private func options(pageRows: Int = 1_000, groupRows: Int = 3_500) -> ParquetWriterOptions {
    var options = ParquetWriterOptions()
    options.pageRowsMax = pageRows
    options.rowGroupRowsMax = groupRows
    return options
  }

  @Test(arguments: RandomData.Shape.allCases, [0, 120, 1_000])
  func everyTypeComesBack(shape: RandomData.Shape, nulls: Int) throws {
    var seed = Seed(UInt64(nulls) + 7)
    let rows = 5_000
    let declared = RandomData.types.enumerated().map { index, type in
      ParquetColumn(name: "c\(index)", type: type, isNullable: nulls > 0, fieldID: Int32(index + 1))
    }
    let columns = declared.map {
      RandomData.column($0.type, rows: rows, shape: shape, nullsPerThousand: nulls, seed: &seed)
    }
    let whole = Chunk(columns: columns, rowCount: rows)
    let chunks = [whole.slice(0..<17), whole.slice(17..<4_000), whole.slice(4_000..<rows)]
    let (bytes, summary) = try Files.write(declared, chunks, options: options())
    let file = try Files.parse(bytes)
    #expect(file.rowCount == rows && summary.rowCount == rows && summary.byteCount == bytes.count)
    #expect(file.rowGroups.map(\.rowCount) == [3_500, 1_500])
    for index in declared.indices {
      let back = try Files.scalars(bytes, file, column: index, as: declared[index].type, run: 777)
      let expected = columns[index].scalars
      #expect(back == expected, "column \(declared[index].type)")
      #expect(file.leaves[index].fieldID == Int32(index + 1))
      #expect(summary.columns[index].nullCount == expected.filter(\.isNull).count)
    }
  }

  @Test func skippingGivesTheSameRowsAsDecoding() throws {
    var seed = Seed(99)
    let rows = 9_000
    let types: [DataType] = [.int8, .text, .boolean, .float8, .uuid]
    let declared = types.enumerated().map {
      ParquetColumn(name: "c\($0)", type: $1, isNullable: true, fieldID: Int32($0))
    }
    for shape in RandomData.Shape.allCases {
      let columns = types.map { RandomData.column($0, rows: rows, shape: shape, nullsPerThousand: 50, seed: &seed) }
      let (bytes, _) = try Files.write(
        declared, [Chunk(columns: columns, rowCount: rows)], options: options(groupRows: 1_000_000))
      let file = try Files.parse(bytes)
      for index in types.indices {
        let expected = columns[index].scalars
        let decoder = try Files.decoder(bytes, file, group: 0, column: index, as: types[index])
        var row = 0
        while row < rows {
          let skipped = seed.below(2_500)
          try decoder.skip(rows: skipped)
          row = min(rows, row + skipped)
          let part = try decoder.decode(rows: 1 + seed.below(1_500))
          #expect(part.scalars == Array(expected[row..<(row + part.count)]))
          row += part.count
          #expect(decoder.rowsRemaining == rows - row)
        }
      }
    }
  }

  @Test func onlyThePagesWantedAreNeeded() throws {
    var seed = Seed(5)
    let rows = 10_000
    let column = RandomData.column(.text, rows: rows, shape: .few, nullsPerThousand: 100, seed: &seed)
    let (bytes, _) = try Files.write(
      [ParquetColumn(name: "t", type: .text, isNullable: true, fieldID: 1)],
      [Chunk(columns: [column], rowCount: rows)], options: options(groupRows: rows))
    let file = try Files.parse(bytes)
    let chunk = file.rowGroups[0].columns[0]
    let indexRange = try #require(chunk.offsetIndexRange)
    let index = try ParquetOffsetIndex.parse(Array(bytes[indexRange]).span.bytes, chunk: chunk)
    #expect(index.pages.count == 10)
    let dictionary = chunk.byteRange.lowerBound..<index.pages[0].byteRange.lowerBound
    let wanted = index.pages[4].byteRange
    let pieces = [dictionary, wanted].map {
      ParquetPiece(fileOffset: $0.lowerBound, bytes: .copying(Array(bytes[$0])))
    }
    let decoder = try ColumnChunkDecoder(leaf: file.leaves[0], chunk: chunk, pieces: pieces, index: index)
    try decoder.skip(rows: 4_100)
    #expect(try decoder.decode(rows: 800).scalars == Array(column.scalars[4_100..<4_900]))
    try decoder.skip(rows: 10_000)
    #expect(decoder.rowsRemaining == 0)
  }

  @Test func stringsStayCodedAndShareOneDictionary() throws {
    var seed = Seed(3)
    let column = RandomData.column(.text, rows: 6_000, shape: .few, nullsPerThousand: 10, seed: &seed)
    let (bytes, _) = try Files.write(
      [ParquetColumn(name: "t", type: .text, isNullable: true, fieldID: 1)],
      [Chunk(columns: [column], rowCount: 6_000)], options: options(groupRows: 6_000))
    let decoder = try Files.decoder(bytes, try Files.parse(bytes), group: 0, column: 0)
    let first = try decoder.decode(rows: 1_500), second = try decoder.decode(rows: 1_500)
    let dictionary = try #require(first.dictionary)
    #expect(second.dictionary === dictionary)
    #expect(dictionary.count == 20)
  }

  @Test func dictionaryAndConstantColumnsAreWritten() throws {
    let values = ColumnBuilder.column(.text, ["a", "bb", "", "dddd"].map { Scalar.text($0) })
    let dictionary = ColumnDictionary(values)
    let rows = 5_000
    let codes = (0..<rows).map { Int32($0 * 7 % 4) }
    let validity = Bitmap.make(count: rows) { $0 % 5 != 0 }
    let coded = Column(
      type: .text, count: rows, validity: validity,
      form: .dictionary(
        codes: .copying(codes.enumerated().map { $0 % 5 == 0 ? 0 : $1 }), dictionary: dictionary))
    let columns = [
      coded, .constant(.text("same"), type: .text, count: rows), .nulls(.text, count: rows),
      .constant(.integer(42), type: .int8, count: rows), .nulls(.numeric(.init(precision: 5, scale: 1)), count: rows),
    ]
    let declared = columns.enumerated().map {
      ParquetColumn(name: "c\($0)", type: $1.type, isNullable: true, fieldID: Int32($0))
    }
    let (bytes, _) = try Files.write(
      declared, [Chunk(columns: columns, rowCount: rows)], options: options())
    let file = try Files.parse(bytes)
    for index in columns.indices {
      #expect(try Files.scalars(bytes, file, column: index, as: columns[index].type) == columns[index].scalars)
    }
  }

  @Test func aFullDictionaryGoesOnPlain() throws {
    var seed = Seed(8)
    var options = self.options(pageRows: 500, groupRows: 100_000)
    options.dictionaryBytesMax = 20_000
    options.pageByteCountMax = 10_000
    let rows = 80_000
    // The first rows repeat, so that a dictionary is chosen; later ones do not fit it.
    var builder = ColumnBuilder(type: .text), integers = ColumnBuilder(type: .int8)
    for row in 0..<rows {
      let number = row < 70_000 ? seed.below(100) : row * 1_000_003 % 777_777_777
      builder.append("number \(number)")
      integers.append(Int64(row < 70_000 ? number * 1_000_003 % 10_007 : number))
    }
    let columns = [builder.finish(), integers.finish()]
    let declared = [
      ParquetColumn(name: "s", type: .text, isNullable: true, fieldID: 1),
      ParquetColumn(name: "i", type: .int8, isNullable: false, fieldID: 2),
    ]
    let chunk = Chunk(columns: columns, rowCount: rows)
    let (bytes, _) = try Files.write(declared, [chunk.slice(0..<8_000), chunk.slice(8_000..<rows)], options: options)
    let file = try Files.parse(bytes)
    for index in columns.indices {
      #expect(try Files.scalars(bytes, file, column: index) == columns[index].scalars)
    }
  }

  @Test func longStringsMakeSmallPages() throws {
    var builder = ColumnBuilder(type: .bytea)
    for row in 0..<40 { builder.append([UInt8](repeating: UInt8(row), count: 200_000 + row)) }
    let column = builder.finish()
    let (bytes, summary) = try Files.write(
      [ParquetColumn(name: "b", type: .bytea, isNullable: false, fieldID: 1)],
      [Chunk(columns: [column], rowCount: 40)])
    let file = try Files.parse(bytes)
    #expect(try Files.scalars(bytes, file, column: 0) == column.scalars)
    let chunk = file.rowGroups[0].columns[0]
    let range = try #require(chunk.offsetIndexRange)
    #expect(try ParquetOffsetIndex.parse(Array(bytes[range]).span.bytes, chunk: chunk).pages.count >= 6)
    #expect(summary.columns[0].min == .bytes([UInt8](repeating: 0, count: 64)))
    #expect(summary.columns[0].max == .bytes([UInt8](repeating: 39, count: 63) + [40]))
    #expect(!summary.columns[0].isMaxExact)
  }

  @Test func anEmptyFileIsAFile() throws {
    let (bytes, summary) = try Files.write(
      [ParquetColumn(name: "n", type: .int8, isNullable: true, fieldID: 1)], [])
    #expect(summary.rowCount == 0)
    #expect(try Files.parse(bytes).rowGroups.isEmpty)
  }

  @Test(arguments: [ParquetCodec.uncompressed, .snappy, .lz4Raw, .zstd])
  func everyCodecComesBack(codec: ParquetCodec) throws {
    var seed = Seed(11)
    var options = self.options()
    options.codec = codec
    let column = RandomData.column(.text, rows: 4_000, shape: .many, nullsPerThousand: 30, seed: &seed)
    let (bytes, _) = try Files.write(
      [ParquetColumn(name: "t", type: .text, isNullable: true, fieldID: 1)],
      [Chunk(columns: [column], rowCount: 4_000)], options: options)
    #expect(try Files.scalars(bytes, try Files.parse(bytes), column: 0) == column.scalars)
  }
}
