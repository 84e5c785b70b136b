// The page index (PageIndex.md): per column chunk the place of each page, and the bounds of its values.

package import Bedrock

/// Where the data pages of a column chunk lie.
package struct ParquetOffsetIndex: Sendable {
  package struct Page: Sendable {
    /// In the file; the page header is part of the range.
    package let byteRange: Range<Int>
    package let firstRow: Int
  }
  package let pages: [Page]

  /// - Parameter chunk: the column chunk the index belongs to; its pages lie inside.
  package static func parse(_ bytes: RawSpan, chunk: ParquetColumnChunk) throws(Fault) -> ParquetOffsetIndex {
    var reader = ThriftReader(bytes)
    var pages: [Page] = []
    var last: Int16 = 0
    try reader.enter()
    while let field = try reader.nextField(after: &last) {
      if field.id != 1 {
        try reader.skip(field)
        continue
      }
      for _ in 0..<(try reader.structList(field)) {
        let page = try readPage(&reader)
        let (end, overflow) = page.offset.addingReportingOverflow(page.size)
        guard !overflow, page.offset >= chunk.byteRange.lowerBound, end <= chunk.byteRange.upperBound,
          page.firstRow <= chunk.valueCount, page.firstRow >= (pages.last?.firstRow ?? 0)
        else { throw Fault.corrupt("a Parquet offset index points outside of its column chunk") }
        pages.append(Page(byteRange: page.offset..<end, firstRow: page.firstRow))
      }
    }
    guard pages.first.map({ $0.firstRow == 0 }) ?? (chunk.valueCount == 0) else {
      throw Fault.corrupt("a Parquet offset index does not begin at the first row")
    }
    return ParquetOffsetIndex(pages: pages)
  }

  private static func readPage(
    _ reader: inout ThriftReader
  ) throws(Fault) -> (offset: Int, size: Int, firstRow: Int) {
    var offset = -1, size = -1, firstRow = -1
    var last: Int16 = 0
    try reader.enter()
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 1: offset = try reader.count(field)
      case 2: size = try reader.count(field)
      case 3: firstRow = try reader.count(field)
      default: try reader.skip(field)
      }
    }
    reader.leave()
    guard offset >= 0, size >= 0, firstRow >= 0 else { throw Fault.corrupt("a Parquet offset index is incomplete") }
    return (offset, size, firstRow)
  }

  /// - Parameter valueByteCounts: bytes of the strings of each page, without lengths.
  func write(valueByteCounts: [Int]?) -> [UInt8] {
    var writer = ThriftWriter()
    writer.beginElement()
    writer.list(1, of: ThriftReader.structure, count: pages.count)
    for page in pages {
      writer.beginElement()
      writer.int64(1, page.byteRange.lowerBound)
      writer.int32(2, Int32(page.byteRange.count))
      writer.int64(3, page.firstRow)
      writer.end()
    }
    if let valueByteCounts { FooterWriter.writeHistogram(2, valueByteCounts, to: &writer) }
    writer.end()
    return writer.bytes
  }
}

/// Bounds of each page. Strings may be cut: a minimum is a lower bound, a maximum an upper bound.
package struct ParquetColumnIndex: Sendable {
  package enum Order: Int32, Sendable { case unordered, ascending, descending }
  package struct Page: Sendable {
    package let isAllNull: Bool
    package let statistics: ParquetStatistics
  }
  package let pages: [Page]
  package let order: Order

  package static func parse(_ bytes: RawSpan) throws(Fault) -> ParquetColumnIndex {
    var reader = ThriftReader(bytes)
    var nullPages: [Bool] = [], minima: [[UInt8]] = [], maxima: [[UInt8]] = []
    var nullCounts: [Int64]?, nanCounts: [Int64]?
    var order = Order.unordered
    var last: Int16 = 0
    try reader.enter()
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 1: nullPages = try reader.booleanList(field)
      case 2: minima = try reader.bytesList(field)
      case 3: maxima = try reader.bytesList(field)
      case 4: order = Order(rawValue: try reader.int32(field)) ?? .unordered
      case 5: nullCounts = try reader.integerList(field)
      case 8: nanCounts = try reader.integerList(field)
      default: try reader.skip(field)
      }
    }
    let count = nullPages.count
    guard minima.count == count, maxima.count == count, nullCounts.map({ $0.count == count }) ?? true,
      nanCounts.map({ $0.count == count }) ?? true
    else { throw Fault.corrupt("a Parquet column index has lists of different length") }
    let pages = (0..<count).map { index -> Page in
      var statistics = ParquetStatistics()
      if !nullPages[index] {
        statistics.min = minima[index]
        statistics.max = maxima[index]
      }
      statistics.nullCount = nullCounts.map { Int($0[index]) }
      statistics.nanCount = nanCounts.map { Int($0[index]) }
      return Page(isAllNull: nullPages[index], statistics: statistics)
    }
    return ParquetColumnIndex(pages: pages, order: order)
  }

  /// - Parameters repetitions, definitions: slots by level, page after page; empty where the level is always 0.
  func write(repetitions: [Int], definitions: [Int]) -> [UInt8] {
    var writer = ThriftWriter()
    writer.beginElement()
    writer.list(1, of: ThriftReader.booleanFalse, count: pages.count)
    for page in pages { writer.element(page.isAllNull) }
    writer.list(2, of: ThriftReader.binary, count: pages.count)
    for page in pages { writer.element(page.statistics.min ?? []) }
    writer.list(3, of: ThriftReader.binary, count: pages.count)
    for page in pages { writer.element(page.statistics.max ?? []) }
    writer.int32(4, order.rawValue)
    writer.list(5, of: ThriftReader.int64, count: pages.count)
    for page in pages { writer.element(page.statistics.nullCount ?? 0) }
    FooterWriter.writeHistogram(6, repetitions, to: &writer)
    FooterWriter.writeHistogram(7, definitions, to: &writer)
    writer.end()
    return writer.bytes
  }
}
