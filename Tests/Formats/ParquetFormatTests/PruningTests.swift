// Pages that can hold no wanted row are not decompressed, and leaving them out changes no answer: random conditions over
// values that are hard to bound (microseconds, long texts, NaN, -0.0, decimals), by page headers and by the page index.

import Bedrock
import Columnar
import Synchronization
import TestKit
import Testing

@testable import ParquetFormat

/// Which data pages a decoder decompressed.
private final class SeenPages: ParquetPageKeeper {
  private let offsets = Mutex<Set<Int>>([])
  var count: Int { offsets.withLock { $0.count } }
  func keep(_ page: ParquetPage, at offset: Int) {
    if case .data = page.content { offsets.withLock { _ = $0.insert(offset) } }
  }
}

/// Values that rise from page to page, with all that makes bounds hard within.
private enum Hard {
  static let rows = 6_000
  static let pageRows = 250
  static let types: [DataType] = [
    .timestamptz, .int8, .int4, .date, .text, .bytea, .float8, .float4, .numeric(.init(precision: 7, scale: 2)),
    .numeric(.init(precision: 18, scale: 4)), .numeric(.init(precision: 30, scale: 3)),
  ]

  static func values(_ type: DataType, _ seed: inout Seed) -> [Scalar] {
    (0..<rows).map { row in
      let page = row / pageRows
      // Some pages have only nulls, some have some.
      if page % 9 == 8 || page % 3 == 0 && seed.below(5) == 0 { return .null }
      return value(type, row, page, &seed)
    }
  }

  private static func value(_ type: DataType, _ row: Int, _ page: Int, _ seed: inout Seed) -> Scalar {
    switch type {
    case .timestamptz: return .integer(1_764_000_000_000_000 + Int64(row) * 1_000_003 + Int64(seed.below(999)))
    case .int8: return .integer(Int64(page - 12) << 55 + Int64(seed.below(1_000)))
    case .int4, .date: return .integer(Int64(row / 7 - 400 + seed.below(5)))
    case .text:
      // Bounds are cut to 64 bytes, here in the middle of a character.
      return .text("\(1_000 + page)" + String(repeating: "ä", count: 29 + seed.below(3)) + "€\(seed.below(40))")
    case .bytea: return .bytes([UInt8(page * 10)] + [UInt8](repeating: 0xFF, count: seed.below(80)))
    case .float8, .float4:
      if page % 4 == 1 && seed.below(50) == 0 { return .float(.nan) }
      if page == 10 { return .float([-0.0, 0.0][seed.below(2)]) }
      return page == 20 ? .float(.infinity) : .float(Double(page - 10) * 8 + Double(seed.below(64)) / 8)
    case .numeric(let modifier?):
      let coefficient = Int128(row - 3_000) * (modifier.precision > 18 ? 1_000_000_000_000_000_000 : 10) + Int128(seed.below(9))
      return Numeric(coefficient: coefficient, scale: modifier.scale).map { .numeric($0) } ?? .null
    default: return .null
    }
  }
}

/// A file of one column in one row group, and the ways to read it.
private struct Pruned {
  let bytes: [UInt8]
  let file: ParquetFile
  let values: [Scalar]
  let type: DataType
  let offsets: ParquetOffsetIndex
  let columns: ParquetColumnIndex?

  init(_ type: DataType, _ values: [Scalar]) throws {
    var options = ParquetWriterOptions()
    options.pageRowsMax = Hard.pageRows
    let chunk = Chunk(columns: [ColumnBuilder.column(type, values)], rowCount: values.count)
    bytes = try Files.write(
      [ParquetColumn(name: "c", type: type, isNullable: true, fieldID: 1)], [chunk], options: options
    ).bytes
    file = try Files.parse(bytes)
    self.values = values
    self.type = type
    let chunkOfFile = file.rowGroups[0].columns[0]
    let place = Array(bytes[try #require(chunkOfFile.offsetIndexRange)])
    offsets = try ParquetOffsetIndex.parse(place.span.bytes, chunk: chunkOfFile)
    if let range = chunkOfFile.columnIndexRange {
      let index = Array(bytes[range])
      columns = try ParquetColumnIndex.parse(index.span.bytes)
    } else {
      columns = nil
    }
  }

  func decoder(_ bytes: [UInt8], _ seen: SeenPages, index: ParquetOffsetIndex? = nil) throws -> ColumnChunkDecoder {
    let chunk = file.rowGroups[0].columns[0]
    let piece = ParquetPiece(fileOffset: chunk.byteRange.lowerBound, bytes: .copying(Array(bytes[chunk.byteRange])))
    return try ColumnChunkDecoder(
      leaf: file.leaves[0], chunk: chunk, as: type, pieces: [piece], index: index, keeper: seen)
  }

  /// Rows that pass and their values, by what page headers and the dictionary say.
  func byHeaders(_ filter: ColumnFilter, window: Int, _ seen: SeenPages) throws -> [(Int, Scalar)] {
    let decoder = try decoder(bytes, seen)
    var found: [(Int, Scalar)] = []
    var base = 0
    while decoder.rowsRemaining > 0 {
      let rows = min(window, decoder.rowsRemaining)
      let (picks, kept) = try decoder.filter(rows: rows, by: filter, keepingValues: true)
      let column = try #require(kept)
      for place in 0..<picks.count { found.append((base + Int(picks.rows[place]), column.scalar(at: place))) }
      base += rows
    }
    return found
  }

  /// The same by the page index: pages that it excludes are passed over.
  func byIndex(_ filter: ColumnFilter, _ seen: SeenPages) throws -> [(Int, Scalar)] {
    let decoder = try decoder(bytes, seen, index: offsets)
    var found: [(Int, Scalar)] = []
    for page in offsets.pages.indices {
      let first = offsets.pages[page].firstRow
      let rows = (page + 1 < offsets.pages.count ? offsets.pages[page + 1].firstRow : values.count) - first
      if let columns, filter.excludes(file.leaves[0], columns.pages[page].statistics, rows: rows) {
        try decoder.skip(rows: rows)
        continue
      }
      let (picks, kept) = try decoder.filter(rows: rows, by: filter, keepingValues: true)
      let column = try #require(kept)
      for place in 0..<picks.count { found.append((first + Int(picks.rows[place]), column.scalar(at: place))) }
    }
    return found
  }
}

@Suite struct PruningTests {
  private static let comparisons: [ColumnFilter.Comparison] = [
    .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual,
  ]

  private func passes(_ comparison: ColumnFilter.Comparison, _ order: Int) -> Bool {
    switch comparison {
    case .equal: order == 0
    case .notEqual: order != 0
    case .less: order < 0
    case .lessOrEqual: order <= 0
    case .greater: order > 0
    case .greaterOrEqual: order >= 0
    }
  }

  private func isSame(_ found: [(Int, Scalar)], _ rows: [Int], _ values: [Scalar]) -> Bool {
    guard found.map(\.0) == rows else { return false }
    return found.allSatisfy { row, value in
      if case .float(let a) = value, case .float(let b) = values[row] { return a.bitPattern == b.bitPattern || a.isNaN && b.isNaN }
      return value == values[row]
    }
  }

  @Test(arguments: Hard.types.indices) func randomConditionsFindWhatTheRowsSay(kind: Int) throws {
    let type = Hard.types[kind]
    var seed = Seed(UInt64(100 + kind))
    let file = try Pruned(type, Hard.values(type, &seed))
    let literals = file.values.indices.filter { !file.values[$0].isNull }
    var pagesSkipped = 0
    for round in 0..<60 {
      let literal = file.values[literals[seed.below(literals.count)]]
      let comparison = Self.comparisons[seed.below(6)]
      var filter = try #require(ColumnFilter.compare(comparison, literal, type))
      var wanted = file.values.indices.filter { !file.values[$0].isNull && passes(comparison, file.values[$0].order(literal)) }
      switch round % 6 {
      case 0:
        let set = (0..<3).map { _ in file.values[literals[seed.below(literals.count)]] }
        filter = try #require(ColumnFilter.anyOf(set, type))
        wanted = file.values.indices.filter { row in
          !file.values[row].isNull && set.contains { file.values[row].order($0) == 0 }
        }
      case 1 where round % 12 == 1:
        filter = .isNull(type)
        wanted = file.values.indices.filter { file.values[$0].isNull }
      case 1:
        filter = .isNotNull(type)
        wanted = literals
      default: break
      }
      let headers = SeenPages(), index = SeenPages()
      let read = try file.byHeaders(filter, window: [100, Hard.pageRows, 1_024][round % 3], headers)
      #expect(isSame(read, wanted, file.values), "\(type), \(comparison) \(literal), by page headers")
      #expect(isSame(try file.byIndex(filter, index), wanted, file.values), "\(type), \(comparison) \(literal), by index")
      pagesSkipped += file.offsets.pages.count - index.count
    }
    // A float column with a NaN has no bounds at all, since readers sort NaN differently.
    if type == .float8 || type == .float4 { return #expect(file.columns == nil && pagesSkipped == 0) }
    #expect(pagesSkipped > 5 * file.offsets.pages.count, "\(type): the index excludes pages, here \(pagesSkipped)")
  }

  @Test(arguments: [DataType.timestamptz, .float8, .numeric(.init(precision: 18, scale: 4)), .numeric(.init(precision: 30, scale: 3))])
  func pagesThatHeadersExcludeAreNotDecompressed(type: DataType) throws {
    var seed = Seed(11)
    // Only numbers: a page with NaN has no bounds.
    let values = Hard.values(type, &seed).map { value in
      if case .float(let number) = value, number.isNaN { Scalar.null } else { value }
    }
    let file = try Pruned(type, values)
    let row = 5 * Hard.pageRows + 17
    let wanted = try #require(values[row].isNull ? nil : values[row])
    let filter = try #require(ColumnFilter.compare(.equal, wanted, type))
    // Every other page is damaged in its last byte: who decompresses one gets a fault of its checksum.
    var damaged = file.bytes
    let page = try #require(file.offsets.pages.lastIndex { $0.firstRow <= row })
    for (index, other) in file.offsets.pages.enumerated() where index != page { damaged[other.byteRange.upperBound - 1] ^= 0x55 }
    let seen = SeenPages()
    let decoder = try file.decoder(damaged, seen)
    var found = 0
    while decoder.rowsRemaining > 0 {
      let rows = min(1_000, decoder.rowsRemaining)
      found += try decoder.filter(rows: rows, by: filter, keepingValues: true).picks.count
    }
    #expect(found == values.filter { !$0.isNull && $0.order(wanted) == 0 }.count && found > 0)
    #expect(seen.count == 1)
    let all = try file.decoder(damaged, SeenPages())
    let fault = #expect(throws: Fault.self) { while all.rowsRemaining > 0 { _ = try all.decode(rows: 1_000) } }
    #expect(fault?.state == .dataCorrupted)
  }

  @Test func filtersOfIdsRuleOutOthersAndNeverTheirOwn() throws {
    var seed = Seed(12)
    let rows = 20_000
    let types: [DataType] = [.int8, .timestamptz, .text, .float8, .numeric(.init(precision: 18, scale: 4))]
    for type in types {
      func value(_ number: Int64) -> Scalar {
        switch type {
        case .text: .text(String(repeating: "a long name of ", count: 6) + "\(number)")
        case .float8: .float(number % 100 == 0 ? (number % 200 == 0 ? -0.0 : 0.0) : Double(number) / 16)
        case .numeric: Numeric(coefficient: Int128(number % 1_000_000_000_000), scale: 4).map { .numeric($0) } ?? .null
        default: .integer(number)
        }
      }
      let values = (0..<rows).map { _ in value(Int64(seed.next() >> 12) << 1) }
      let column = ParquetColumn(name: "c", type: type, isNullable: true, fieldID: 1, bloomFilter: .automatic)
      let (bytes, _) = try Files.write([column], [Chunk(columns: [ColumnBuilder.column(type, values)], rowCount: rows)])
      let file = try Files.parse(bytes)
      let range = try #require(ParquetBloomFilter.byteRange(of: file.rowGroups[0].columns[0], fileByteCount: bytes.count))
      guard case .filter(let filter) = try ParquetBloomFilter.parse(Array(bytes[range.lowerBound...]).span.bytes) else {
        throw Fault.bug("the rest of the file was given")
      }
      for value in values {
        // Without a hash there is no answer, and nothing is left out: both zeros are one value.
        if let hash = file.leaves[0].bloomHash(value, as: type) { #expect(filter.mayContain(hash: hash), "\(value)") }
      }
      let isRuledOut = (0..<2_000).count { _ in
        file.leaves[0].bloomHash(value(Int64(seed.next() >> 12) << 1 | 1), as: type).map { !filter.mayContain(hash: $0) } ?? false
      }
      #expect(isRuledOut > 1_900, "\(type): \(isRuledOut) of 2,000 values that are not there")
    }
    let zeros = try Pruned(.float8, [.float(-0.0), .float(0.0)])
    #expect(zeros.file.leaves[0].bloomHash(.float(0)) == nil && zeros.file.leaves[0].bloomHash(.float(.nan)) == nil)
  }
}
