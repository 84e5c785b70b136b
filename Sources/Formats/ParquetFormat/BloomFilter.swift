// Split-block bloom filters, reading (BloomFilter.md; writing: BloomFilterBuilder.swift).
//
//   header   thrift BloomFilterHeader: 1 bytes of the filter, 2 algorithm, 3 hash, 4 compression (each a union; 1 is known)
//   filter   blocks of 8 words of 32 bits, little-endian
//
// The filter says that a value is surely not in a column chunk, or that it may be.

package import Bedrock
package import Columnar

package struct ParquetBloomFilter: Sendable {
  /// Bytes of the header at most, for a first read where the file does not say how long the whole is.
  package static let headerBytesMax = 64
  /// Larger filters are not looked at.
  package static let bytesMax = 32 << 20
  private let blocks: Buffer
  private let blockCount: Int
  package var byteCount: Int { blocks.byteCount }

  private static let salts = SIMD8<UInt32>(
    0x47B6_137B, 0x4497_4D91, 0x8824_AD5B, 0xA2B7_289D, 0x7054_95C7, 0x2DF1_424B, 0x9EFC_4947, 0x5C6B_FB31)

  /// Bytes of header and filter together, from the beginning of the header; `nil` for a kind this reader does not have.
  package static func byteCount(header bytes: RawSpan) throws(Fault) -> Int? {
    try readHeader(bytes).map { $0.length + $0.byteCount }
  }

  /// `bytes` begin with the header. `nil` for a kind this reader does not have.
  package static func parse(_ bytes: RawSpan) throws(Fault) -> ParquetBloomFilter? {
    guard let header = try readHeader(bytes) else { return nil }
    guard header.byteCount <= bytes.byteCount - header.length else {
      throw Fault.corrupt("a Parquet bloom filter is shorter than its header says")
    }
    let part = bytes.extracting(header.length..<(header.length + header.byteCount))
    let blocks = Buffer(uninitializedByteCount: header.byteCount) { out in
      part.withUnsafeBytes { out.copyMemory(from: $0) }
    }
    return ParquetBloomFilter(blocks: blocks, blockCount: header.byteCount / 32)
  }

  private static func readHeader(_ bytes: RawSpan) throws(Fault) -> (length: Int, byteCount: Int)? {
    var reader = ThriftReader(bytes)
    var byteCount = -1
    var known = 0
    var last: Int16 = 0
    try reader.enter()
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 1: byteCount = try reader.count(field)
      case 2, 3, 4:
        try reader.expectStruct(field)
        if try isFirstOfUnion(&reader) { known += 1 }
      default: try reader.skip(field)
      }
    }
    guard byteCount > 0, byteCount % 32 == 0, byteCount <= bytesMax else {
      throw Fault.corrupt("a Parquet bloom filter of \(byteCount) bytes")
    }
    return known == 3 ? (reader.offset, byteCount) : nil
  }

  private static func isFirstOfUnion(_ reader: inout ThriftReader) throws(Fault) -> Bool {
    var isFirst = false
    var last: Int16 = 0
    try reader.enter()
    while let field = try reader.nextField(after: &last) {
      isFirst = field.id == 1
      try reader.skip(field)
    }
    reader.leave()
    return isFirst
  }

  /// False: no value with this hash is in the column chunk.
  package func mayContain(_ hash: UInt64) -> Bool {
    let block = Int(truncatingIfNeeded: (hash >> 32) &* UInt64(blockCount) >> 32)
    precondition(block < blockCount)
    let key = SIMD8<UInt32>(repeating: UInt32(truncatingIfNeeded: hash))
    let mask = SIMD8<UInt32>(repeating: 1) &<< ((key &* Self.salts) &>> 27)
    let words = blocks.span(of: UInt32.self)
    var present = true
    for lane in 0..<8 { present = present && words[block * 8 + lane] & mask[lane] != 0 }
    return present
  }
}

extension ParquetLeaf {
  /// The hash under which a filter of this leaf knows `value`, a value of `type`; `nil` where equal values may be written
  /// in several ways (floats, decimals), or another way than SQL has them.
  package func bloomHash(_ value: Scalar, as type: DataType) -> UInt64? {
    switch (physical, value) {
    case (.int32, .integer(let number)):
      // A column read under a wider type has its values in 32 bits.
      guard isHashedAsIs(type), let small = Int32(exactly: number) else { return nil }
      return XXH64.hash(UInt32(bitPattern: small))
    case (.int64, .integer(let number)):
      return isHashedAsIs(type) ? XXH64.hash(UInt64(bitPattern: number)) : nil
    case (.byteArray, .bytes(let bytes)):
      guard type.physical == .bytes, logical != .json, logical != .bson else { return nil }
      return bytes.withUnsafeBytes { XXH64.hash($0) }
    case (.fixedLenByteArray, .uuid(let value)):
      guard logical == .uuid, typeLength == 16 else { return nil }
      return withUnsafeBytes(of: value) { XXH64.hash($0) }
    default: return nil
    }
  }

  /// True when the stored number is the SQL number.
  private func isHashedAsIs(_ type: DataType) -> Bool {
    switch (logical, type) {
    case (.none, .int4), (.none, .int8), (.date, .date): true
    case (.integer(_, signed: true), .int2), (.integer(_, signed: true), .int4), (.integer(_, signed: true), .int8): true
    case (.timestamp(.micros, _), .timestamp), (.timestamp(.micros, _), .timestamptz), (.time(.micros), .time): true
    default: false
    }
  }
}
