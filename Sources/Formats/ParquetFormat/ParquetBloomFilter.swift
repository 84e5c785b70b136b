// Split-block bloom filters, reading (BloomFilter.md).
//
//   header (thrift BloomFilterHeader): bytes of the filter, algorithm BLOCK, hash XXHASH, compression UNCOMPRESSED
//   filter: blocks of 32 bytes, 8 words of 32 bits, little-endian
//
// The hash is XXH64 of a value in plain encoding without a length. Its upper half chooses the block, its lower half times
// eight odd constants one bit in each word. A value whose bits are not all set is not in the column chunk.

package import Bedrock
package import Columnar

/// The filter of one column chunk.
package struct ParquetBloomFilter: Sendable {
  private let blocks: Buffer
  private let blockCount: UInt64

  /// What `parse` found.
  package enum Outcome: Sendable {
    case filter(ParquetBloomFilter)
    /// The filter is larger than the bytes given: call again with this many, from the same place.
    case needs(byteCount: Int)
  }

  /// Enough to hold the header, where the footer does not tell the size.
  package static let headerBytesMax = 64

  private static func damaged(_ what: String) -> Fault { Fault.corrupt("a Parquet bloom filter is damaged: \(what)") }

  /// The part of a file to read first: the whole filter where its size is known.
  package static func byteRange(of chunk: ParquetColumnChunk, fileByteCount: Int) -> Range<Int>? {
    guard let (offset, byteCount) = chunk.bloomFilter, offset < fileByteCount else { return nil }
    return offset..<min(fileByteCount, offset + (byteCount ?? headerBytesMax))
  }

  /// - Parameter bytes: begins with the header.
  package static func parse(_ bytes: RawSpan) throws(Fault) -> Outcome {
    var reader = ThriftReader(bytes)
    var byteCount: Int?
    var last: Int16 = 0
    try reader.enter()
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 1: byteCount = try reader.count(field)
      case 2, 3, 4:
        try reader.expectStruct(field)
        guard try readCase(&reader) == 1 else { throw Fault.unsupported("an unknown kind of Parquet bloom filter") }
      default: try reader.skip(field)
      }
    }
    guard let byteCount, byteCount > 0, byteCount % 32 == 0 else { throw damaged("it has no size") }
    guard byteCount <= ParquetLimits.bloomFilterBytesMax else {
      throw Fault(.programLimitExceeded, "a Parquet bloom filter of \(byteCount) bytes is larger than the limit")
    }
    guard bytes.byteCount - reader.offset >= byteCount else { return .needs(byteCount: reader.offset + byteCount) }
    let part = bytes.extracting(reader.offset..<(reader.offset + byteCount))
    let blocks = Buffer(uninitializedByteCount: byteCount) { out in
      part.withUnsafeBytes { out.copyMemory(from: $0) }
    }
    return .filter(ParquetBloomFilter(blocks: blocks, blockCount: UInt64(byteCount / 32)))
  }

  private static func readCase(_ reader: inout ThriftReader) throws(Fault) -> Int16 {
    var last: Int16 = 0
    var found: Int16 = 0
    try reader.enter()
    while let field = try reader.nextField(after: &last) {
      found = field.id
      try reader.skip(field)
    }
    reader.leave()
    return found
  }

  private static let salts: SIMD8<UInt32> = [
    0x47B6_137B, 0x4497_4D91, 0x8824_AD5B, 0xA2B7_289D, 0x7054_95C7, 0x2DF1_424B, 0x9EFC_4947, 0x5C6B_FB31,
  ]

  /// Bytes of the bits.
  package var byteCount: Int { blocks.byteCount }

  /// False: no value with this hash is in the column chunk.
  package func mayContain(hash: UInt64) -> Bool {
    // (a number below 2^32 * count) >> 32 is below the count.
    let block = Int(truncatingIfNeeded: ((hash >> 32) &* blockCount) >> 32)
    let key = SIMD8<UInt32>(repeating: UInt32(truncatingIfNeeded: hash))
    let mask = SIMD8<UInt32>(repeating: 1) &<< ((key &* Self.salts) &>> 27)
    let words = blocks.span(of: UInt32.self)
    for lane in 0..<8 where UInt32(littleEndian: words[block * 8 + lane]) & mask[lane] == 0 { return false }
    return true
  }
}

extension ParquetLeaf {
  /// The hash under which a filter of this leaf knows a value of `type`; `nil` where a filter can not answer.
  package func bloomHash(_ value: Scalar, as type: DataType? = nil) -> UInt64? {
    let target = type ?? Conversion.naturalType(self)
    // Equal documents may be written in several ways.
    if target == .json || target == .jsonb { return nil }
    guard let conversion = try? Conversion.plan(self, target: target) else { return nil }  // no plan, no answer
    switch (value, physical, conversion) {
    case (.integer(let value), .int32, .retype), (.integer(let value), .int32, .narrow(_, true)),
      (.integer(let value), .int32, .widen(times: 1)):
      return Int32(exactly: value).map { XXH64.hash(UInt32(bitPattern: $0)) }
    case (.integer(let value), .int32, .narrow(_, false)), (.integer(let value), .int32, .widenUnsigned):
      return UInt32(exactly: value).map { XXH64.hash($0) }
    case (.integer(let value), .int64, .retype): return XXH64.hash(UInt64(bitPattern: value))
    case (.integer(let value), .int64, .multiply(let factor)) where value % factor == 0:
      return XXH64.hash(UInt64(bitPattern: value / factor))
    case (.float(let value), .double, .retype) where !value.isNaN && value != 0: return XXH64.hash(value.bitPattern)
    case (.float(let value), .float, .retype) where !value.isNaN && value != 0 && Double(Float(value)) == value:
      return XXH64.hash(Float(value).bitPattern)
    case (.numeric(let value), .int32, .numericFromInt32(let scale, 1)):
      return value.coefficient(atScale: scale).flatMap { Int32(exactly: $0) }.map { XXH64.hash(UInt32(bitPattern: $0)) }
    case (.numeric(let value), .int64, .numericFromInt64(let scale, 1)):
      return value.coefficient(atScale: scale).flatMap { Int64(exactly: $0) }.map { XXH64.hash(UInt64(bitPattern: $0)) }
    case (.bytes(let value), .byteArray, .retype), (.bytes(let value), .fixedLenByteArray, .retype):
      return value.withUnsafeBytes { XXH64.hash($0) }
    case (.uuid(let value), .fixedLenByteArray, .uuidFromBytes): return withUnsafeBytes(of: value) { XXH64.hash($0) }
    default: return nil
    }
  }
}

extension Numeric {
  /// The whole number of units of 10^-scale; `nil` when it is none, or NaN.
  fileprivate func coefficient(atScale wanted: Int) -> Int128? {
    if isNaN { return nil }
    var value = coefficient
    for _ in scale..<max(scale, wanted) {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      value = product
    }
    for _ in wanted..<max(scale, wanted) {
      guard value % 10 == 0 else { return nil }
      value /= 10
    }
    return value
  }
}
