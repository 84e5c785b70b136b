// Writes the RLE / bit-packed hybrid (layout: HybridDecoder.swift). Runs of eight equal values or more become RLE runs;
// what lies between is packed in groups of eight, borrowing from the next run so that only the last group is padded.

enum HybridEncoder {
  /// Bits that hold every code below `count`.
  static func width(of count: Int) -> Int { count <= 1 ? 0 : Int.bitWidth - (count - 1).leadingZeroBitCount }

  static func append<T: FixedWidthInteger & UnsignedInteger>(
    _ values: UnsafeBufferPointer<T>, width: Int, to output: inout [UInt8]
  ) {
    let count = values.count
    var index = 0, literal = 0
    while index < count {
      let value = values[index]
      var next = index + 1
      while next < count && values[next] == value { next += 1 }
      if next - index >= 8 {
        let borrowed = (8 - (index - literal) % 8) % 8
        if next - index - borrowed >= 8 {
          pack(values, literal..<(index + borrowed), width: width, to: &output)
          appendRun(value, next - index - borrowed, width: width, to: &output)
          literal = next
        }
      }
      index = next
    }
    pack(values, literal..<count, width: width, to: &output)
  }

  private static func appendRun<T: FixedWidthInteger & UnsignedInteger>(
    _ value: T, _ count: Int, width: Int, to output: inout [UInt8]
  ) {
    output.append(varint: UInt64(count) << 1)
    let value = UInt64(truncatingIfNeeded: value)
    for byte in 0..<((width + 7) / 8) { output.append(UInt8(truncatingIfNeeded: value >> UInt64(byte * 8))) }
  }

  private static func pack<T: FixedWidthInteger & UnsignedInteger>(
    _ values: UnsafeBufferPointer<T>, _ range: Range<Int>, width: Int, to output: inout [UInt8]
  ) {
    if range.isEmpty { return }
    let groups = (range.count + 7) / 8
    output.append(varint: UInt64(groups) << 1 | 1)
    BitPacker.append(
      UnsafeBufferPointer(rebasing: values[range]), paddedCount: groups * 8, width: width, to: &output)
  }
}
