// The thrift struct `PageHeader`, in front of every page. `compressedByteCount` bytes of page follow it.

import Bedrock

struct PageHeader {
  enum Kind: Equatable { case data, dataV2, dictionary, other }
  var kind: Kind
  var uncompressedByteCount: Int
  var compressedByteCount: Int
  var crc: UInt32?
  /// Nulls count as values in data pages.
  var valueCount = 0
  var encoding: Int32 = -1
  var definitionEncoding: Int32 = ParquetEncoding.rle.rawValue
  var repetitionEncoding: Int32 = ParquetEncoding.rle.rawValue
  /// Of a data page, where the writer put them.
  var statistics: ParquetStatistics?
  // Data pages v2 only:
  var nullCount = 0
  var rowCount = 0
  var definitionByteCount = 0
  var repetitionByteCount = 0
  var isCompressed = true

  private static func damaged(_ what: String) -> Fault { Fault.corrupt("a Parquet page header is damaged: \(what)") }

  /// Parses a header at the beginning of `bytes`; returns it with its length.
  /// With a `leaf` the statistics of data pages are read too.
  static func read(
    _ bytes: RawSpan, leaf: ParquetLeaf? = nil
  ) throws(Fault) -> (header: PageHeader, byteCount: Int) {
    var reader = ThriftReader(bytes)
    var header = PageHeader(kind: .other, uncompressedByteCount: -1, compressedByteCount: -1)
    var type: Int32 = -1
    var detailed: Kind?
    var last: Int16 = 0
    try reader.enter()
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 1: type = try reader.int32(field)
      case 2: header.uncompressedByteCount = try reader.count(field)
      case 3: header.compressedByteCount = try reader.count(field)
      case 4: header.crc = UInt32(bitPattern: try reader.int32(field))
      case 5, 7, 8:
        try reader.expectStruct(field)
        detailed = field.id == 5 ? .data : field.id == 7 ? .dictionary : .dataV2
        try header.readDetails(&reader, kind: detailed ?? .other, leaf: leaf)
      default: try reader.skip(field)
      }
    }
    switch type {
    case 0: header.kind = .data
    case 1: header.kind = .other
    case 2: header.kind = .dictionary
    case 3: header.kind = .dataV2
    default: throw damaged("page type \(type)")
    }
    guard header.kind == .other || detailed == header.kind else { throw damaged("its details are missing") }
    guard header.uncompressedByteCount >= 0, header.compressedByteCount >= 0 else { throw damaged("it has no size") }
    guard header.uncompressedByteCount <= Limits.parquetPageBytesMax else {
      throw Fault(
        .programLimitExceeded, "a Parquet page of \(header.uncompressedByteCount) bytes is larger than the limit")
    }
    let foldMax = max(ParquetLimits.ratioFloorBytes, header.compressedByteCount.multipliedSaturated(by: ParquetLimits.ratioMax))
    guard header.uncompressedByteCount <= foldMax else { throw damaged("an impossible compression ratio") }
    return (header, reader.offset)
  }

  private mutating func readDetails(_ reader: inout ThriftReader, kind: Kind, leaf: ParquetLeaf?) throws(Fault) {
    let version2 = kind == .dataV2
    var last: Int16 = 0
    try reader.enter()
    while let field = try reader.nextField(after: &last) {
      switch (version2, field.id) {
      case (_, 1): valueCount = try reader.count(field)
      case (false, 2), (true, 4): encoding = try reader.int32(field)
      case (false, 3) where field.type == ThriftReader.int32: definitionEncoding = try reader.int32(field)
      case (false, 4) where field.type == ThriftReader.int32: repetitionEncoding = try reader.int32(field)
      case (false, 5) where kind == .data && leaf != nil, (true, 8) where leaf != nil:
        guard let leaf else { break }
        try reader.expectStruct(field)
        statistics = try StatisticsCoding.read(&reader, leaf: leaf)
      case (true, 3): rowCount = try reader.count(field)
      case (true, 2): nullCount = try reader.count(field)
      case (true, 5): definitionByteCount = try reader.count(field)
      case (true, 6): repetitionByteCount = try reader.count(field)
      case (true, 7): isCompressed = try reader.boolean(field)
      default: try reader.skip(field)
      }
    }
    reader.leave()
  }

  /// A data page (version 1) or dictionary page.
  static func write(
    dictionary: Bool, uncompressedByteCount: Int, compressedByteCount: Int, crc: UInt32, valueCount: Int,
    encoding: ParquetEncoding, statistics: ParquetStatistics?, to output: inout [UInt8]
  ) {
    var writer = ThriftWriter()
    writer.beginElement()
    writer.int32(1, dictionary ? 2 : 0)
    writer.int32(2, Int32(uncompressedByteCount))
    writer.int32(3, Int32(compressedByteCount))
    writer.int32(4, Int32(bitPattern: crc))
    writer.begin(dictionary ? 7 : 5)
    writer.int32(1, Int32(valueCount))
    writer.int32(2, encoding.rawValue)
    if !dictionary {
      writer.int32(3, ParquetEncoding.rle.rawValue)
      writer.int32(4, ParquetEncoding.rle.rawValue)
      if let statistics {
        writer.begin(5)
        StatisticsCoding.write(statistics, to: &writer, exactness: true)
        writer.end()
      }
    }
    writer.end()
    writer.end()
    output.append(contentsOf: writer.bytes)
  }
}

extension Int {
  func multipliedSaturated(by factor: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: factor)
    return overflow ? .max : product
  }
}
