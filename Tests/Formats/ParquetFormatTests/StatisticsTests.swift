import Bedrock
import Columnar
import ParquetFormat
import Testing

@Suite struct StatisticsTests {
  private func write(_ type: DataType, _ scalars: [Scalar], personal: Bool = false) throws -> (
    file: ParquetFile, summary: ParquetColumnSummary, bytes: [UInt8]
  ) {
    let column = ColumnBuilder.column(type, scalars)
    let (bytes, summary) = try Files.write(
      [ParquetColumn(name: "c", type: type, isNullable: true, fieldID: 1, isPersonal: personal)],
      [Chunk(columns: [column], rowCount: scalars.count)])
    return (try Files.parse(bytes), summary.columns[0], bytes)
  }

  @Test func boundsAreThoseOfTheValues() throws {
    let cases: [(DataType, [Scalar], Scalar, Scalar)] = [
      (.int4, [.integer(5), .null, .integer(-7)], .integer(-7), .integer(5)),
      (.int8, [.integer(.max), .integer(.min)], .integer(.min), .integer(.max)),
      (.boolean, [.boolean(true), .boolean(false)], .boolean(false), .boolean(true)),
      (.float8, [.float(1.5), .float(-2)], .float(-2), .float(1.5)),
      (.float8, [.float(0), .float(-0.0)], .float(-0.0), .float(0)),
      (.text, [.text("b"), .text("abc"), .text("é")], .text("abc"), .text("é")),
      (.timestamptz, [.integer(10), .integer(3)], .integer(3), .integer(10)),
    ]
    for (type, values, low, high) in cases {
      let (file, summary, _) = try write(type, values)
      #expect(summary.min == low && summary.max == high, "\(type)")
      #expect(summary.isMinExact && summary.isMaxExact)
      #expect(summary.nullCount == values.filter(\.isNull).count)
      let statistics = try #require(file.rowGroups[0].columns[0].statistics)
      let bounds = file.leaves[0].bounds(statistics, as: type)
      #expect(bounds.min == low && bounds.max == high, "\(type)")
      #expect(statistics.nullCount == summary.nullCount)
    }
  }

  @Test func decimalsKeepTheirOrder() throws {
    for precision in [7, 16, 30] {
      let type = DataType.numeric(.init(precision: precision, scale: 2))
      let values = [-300, 5, 299].compactMap { Numeric(coefficient: $0, scale: 2) }.map { Scalar.numeric($0) }
      let (file, summary, _) = try write(type, values)
      #expect(summary.min == values[0] && summary.max == values[2])
      let statistics = try #require(file.rowGroups[0].columns[0].statistics)
      let bounds = file.leaves[0].bounds(statistics)
      #expect(bounds.min == values[0] && bounds.max == values[2])
    }
  }

  @Test func aColumnWithNaNHasNoBounds() throws {
    let (file, summary, _) = try write(.float8, [.float(1), .float(.nan)])
    #expect(summary.min == nil && summary.max == nil)
    let statistics = try #require(file.rowGroups[0].columns[0].statistics)
    #expect(statistics.min == nil && statistics.max == nil && statistics.nanCount == 1)
  }

  @Test func longStringsAreCutAndTheMaximumIsRaised() throws {
    let low = String(repeating: "a", count: 70), high = String(repeating: "z", count: 62) + "éé"
    let (_, summary, _) = try write(.text, [.text(low), .text(high)])
    #expect(summary.min == .text(String(repeating: "a", count: 64)))
    #expect(summary.max == .text(String(repeating: "z", count: 62) + "ê"))
    #expect(!summary.isMinExact && !summary.isMaxExact)
    let top = String(repeating: "\u{10FFFF}", count: 20)
    #expect(try write(.text, [.text(top)]).summary.max == nil)
  }

  @Test func personalColumnsLeaveNoTraceOutsideOfTheirPages() throws {
    let (file, summary, bytes) = try write(.text, [.text("ada@example.org"), .null], personal: true)
    #expect(summary.min == nil && summary.max == nil && summary.nullCount == nil)
    let chunk = file.rowGroups[0].columns[0]
    #expect(chunk.statistics == nil && chunk.columnIndexRange == nil && chunk.offsetIndexRange != nil)
    let rest = String(decoding: bytes[chunk.byteRange.upperBound...], as: UTF8.self)
    #expect(!rest.contains("ada"))
    // Once as a value, never in a page header, an index or the footer.
    let (_, _, number) = try write(.int8, [.integer(0x1122_3344_5566_7788)], personal: true)
    let pattern: [UInt8] = [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11]
    #expect(number.indices.dropLast(7).filter { Array(number[$0..<($0 + 8)]) == pattern }.count == 1)
  }

  @Test func valuesThatDoNotFitAreRefused() throws {
    let type = DataType.numeric(.init(precision: 4, scale: 1))
    let tooFine = try #require(Numeric(coefficient: 1_234, scale: 3))
    let tooBig = try #require(Numeric(coefficient: 10_000, scale: 1))
    let rescaled = try #require(Numeric(coefficient: 1_200, scale: 2))
    for value in [tooFine, tooBig, Numeric.nan] {
      let fault = #expect(throws: Fault.self) { try write(type, [.numeric(value)]) }
      #expect(fault?.state == .numericValueOutOfRange)
    }
    let (_, summary, _) = try write(type, [.numeric(rescaled)])
    #expect(summary.min == .numeric(try #require(Numeric(coefficient: 120, scale: 1))))
    #expect(throws: Fault.self) { try write(.oid, [.null]) }
    let required = ParquetColumn(name: "c", type: .int4, isNullable: false, fieldID: 1)
    let fault = #expect(throws: Fault.self) {
      try Files.write([required], [Chunk(columns: [.nulls(.int4, count: 1)], rowCount: 1)])
    }
    #expect(fault?.state == .notNullViolation)
  }

  @Test func wideningReadsOldFilesAsNewTypes() throws {
    let cases: [(DataType, Scalar, DataType, Scalar)] = [
      (.int2, .integer(-5), .int4, .integer(-5)),
      (.int4, .integer(-5), .int8, .integer(-5)),
      (.float4, .float(1.5), .float8, .float(1.5)),
      (.int4, .integer(7), .numeric(.init(precision: 12, scale: 2)), .numeric(Numeric(bits: 700 << 8 | 2))),
      (.numeric(.init(precision: 5, scale: 1)), .numeric(Numeric(bits: 15 << 8 | 1)),
        .numeric(.init(precision: 20, scale: 3)), .numeric(Numeric(bits: 1_500 << 8 | 3))),
      (.text, .text("{}"), .jsonb, .text("{}")),
    ]
    for (old, value, new, wanted) in cases {
      let (file, _, bytes) = try write(old, [value, .null])
      #expect(try Files.scalars(bytes, file, column: 0, as: new) == [wanted, .null], "\(old) as \(new)")
    }
    let (file, _, bytes) = try write(.int8, [.integer(1)])
    #expect(throws: Fault.self) { try Files.decoder(bytes, file, group: 0, column: 0, as: .int4) }
  }
}
