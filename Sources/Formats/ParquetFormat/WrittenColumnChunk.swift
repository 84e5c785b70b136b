// A finished column chunk, with what the page index and the footer say of it.

import Bedrock

struct WrittenColumnChunk {
  let records: [PageRecord]
  var uncompressedByteCount: Int
  var compressedByteCount = 0
  var dictionaryOffset: Int?
  var dataOffset = 0
  var bounds = Bounds()
  var nullCount = 0
  var offsetIndexRange: Range<Int>?
  var columnIndexRange: Range<Int>?
  var bloomFilterRange: Range<Int>?

  init(records: [PageRecord], uncompressedByteCount: Int) {
    self.records = records
    self.uncompressedByteCount = uncompressedByteCount
    for record in records {
      bounds.merge(record.bounds)
      nullCount += record.nullCount
    }
  }

  var slotCount: Int { records.reduce(0) { $0 + $1.slotCount } }
  var valueByteCount: Int { records.reduce(0) { $0 + $1.valueByteCount } }

  func offsetIndex(hasSizes: Bool) -> [UInt8] {
    var row = 0
    var pages: [ParquetOffsetIndex.Page] = []
    for record in records {
      let range = (dataOffset + record.byteRange.lowerBound)..<(dataOffset + record.byteRange.upperBound)
      pages.append(ParquetOffsetIndex.Page(byteRange: range, firstRow: row))
      row += record.rowCount
    }
    return ParquetOffsetIndex(pages: pages).write(valueByteCounts: hasSizes ? records.map(\.valueByteCount) : nil)
  }

  /// `nil` when some page with values has no bounds: the index has no way to say so.
  func columnIndex(_ layout: ColumnLayout) -> [UInt8]? {
    var pages: [ParquetColumnIndex.Page] = []
    for record in records {
      let statistics = record.bounds.statistics(layout, nullCount: record.nullCount)
      let isAllNull = record.nullCount == record.slotCount
      if !isAllNull && (statistics.min == nil || statistics.max == nil) { return nil }
      pages.append(ParquetColumnIndex.Page(isAllNull: isAllNull, statistics: statistics))
    }
    return ParquetColumnIndex(pages: pages, order: order).write(
      repetitions: records.flatMap(\.repetitionHistogram), definitions: records.flatMap(\.definitionHistogram))
  }

  /// Sums of the histograms of the pages.
  func histogram(_ path: KeyPath<PageRecord, [Int]>) -> [Int] {
    var sums = records.first?[keyPath: path] ?? []
    for record in records.dropFirst() {
      for (level, count) in record[keyPath: path].enumerated() { sums[level] += count }
    }
    return sums
  }

  /// Null pages take no part in the order.
  private var order: ParquetColumnIndex.Order {
    var rises = true, falls = true
    var last: (min: Bound, max: Bound)?
    for record in records {
      guard let min = record.bounds.min, let max = record.bounds.max else { continue }
      if let last {
        if min < last.min || max < last.max { rises = false }
        if last.min < min || last.max < max { falls = false }
      }
      last = (min, max)
    }
    return rises ? .ascending : falls ? .descending : .unordered
  }
}

struct WrittenRowGroup {
  let rowCount: Int
  let fileOffset: Int
  var columns: [WrittenColumnChunk]
}
