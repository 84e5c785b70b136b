// Writes the RLE / bit-packed hybrid (layout: HybridDecoder.swift). Runs of eight equal values or more become RLE runs;
// what lies between is packed in groups of eight, borrowing from the next run so that only the last group is padded.

enum HybridEncoder {
  /// Bits that hold every code below `count`.
  static func width(of count: Int) -> Int { count <= 1 ? 0 : Int.bitWidth - (count - 1).leadingZeroBitCount }

  static func append(_ values: UnsafeBufferPointer<UInt32>, width: Int, to output: inout [UInt8]) {
    let count = values.count
    var index = 0, literal = 0
    while index < count {
      let value = values[index]
      var next = index + 1
      while next < count && values[next] == value { next += 1 }
      let borrowed = (8 - (index - literal) % 8) % 8
      if next - index - borrowed >= 8 {
        pack(values, literal..<(index + borrowed), width: width, to: &output)
        appendRun(value, next - index - borrowed, width: width, to: &output)
        literal = next
      }
      index = next
    }
    pack(values, literal..<count, width: width, to: &output)
  }

  private static func appendRun(_ value: UInt32, _ count: Int, width: Int, to output: inout [UInt8]) {
    output.append(varint: UInt64(count) << 1)
    for byte in 0..<((width + 7) / 8) { output.append(UInt8(truncatingIfNeeded: value >> UInt32(byte * 8))) }
  }

  private static func pack(
    _ values: UnsafeBufferPointer<UInt32>, _ range: Range<Int>, width: Int, to output: inout [UInt8]
  ) {
    if range.isEmpty { return }
    let groups = (range.count + 7) / 8
    output.append(varint: UInt64(groups) << 1 | 1)
    var packer = BitPacker()
    for index in range { packer.append(UInt64(values[index]), width: width, to: &output) }
    for _ in range.count..<(groups * 8) { packer.append(0, width: width, to: &output) }
    packer.flush(to: &output)
  }
}

/// Collects bits, LSB first, into bytes.
struct BitPacker {
  private var pending: UInt64 = 0
  private var used = 0

  /// `value` has no bits above `width` (0...64).
  @inline(__always)
  mutating func append(_ value: UInt64, width: Int, to output: inout [UInt8]) {
    pending |= value << UInt64(used)
    if used + width < 64 {
      used += width
      return
    }
    output.append(littleEndian: pending)
    let consumed = 64 - used
    pending = consumed == 64 ? 0 : value >> UInt64(consumed)
    used = width - consumed
  }

  /// Writes the bits left, padded to a byte.
  mutating func flush(to output: inout [UInt8]) {
    while used > 0 {
      output.append(UInt8(truncatingIfNeeded: pending))
      pending >>= 8
      used -= 8
    }
    pending = 0
    used = 0
  }
}
