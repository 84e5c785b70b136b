// Writes DELTA_BINARY_PACKED (layout: DeltaDecoder.swift) in blocks of 128 values with 4 miniblocks, as parquet-mr does.

enum DeltaEncoder {
  private static let blockSize = 128
  private static let miniSize = 32

  /// Values are two's complement numbers of the width of `Word`.
  static func append<Word: FixedWidthInteger & UnsignedInteger>(
    _ values: UnsafeBufferPointer<Word>, to output: inout [UInt8]
  ) {
    output.append(varint: UInt64(blockSize))
    output.append(varint: UInt64(blockSize / miniSize))
    output.append(varint: UInt64(values.count))
    output.append(zigzag: values.isEmpty ? 0 : signed(values[0]))
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: blockSize) { deltas in
      var index = 1
      while index < values.count {
        let count = min(blockSize, values.count - index)
        var smallest = Int64.max
        for step in 0..<count {
          // The difference wraps in the width of the type.
          let delta = signed(values[index + step] &- values[index + step - 1])
          deltas[step] = UInt64(bitPattern: delta)
          smallest = min(smallest, delta)
        }
        for step in 0..<count { deltas[step] &-= UInt64(bitPattern: smallest) }
        appendBlock(UnsafeBufferPointer(rebasing: deltas[..<count]), smallest, to: &output)
        index += count
      }
    }
  }

  @inline(__always)
  private static func signed<Word: FixedWidthInteger & UnsignedInteger>(_ value: Word) -> Int64 {
    Word.bitWidth == 32
      ? Int64(Int32(truncatingIfNeeded: value)) : Int64(truncatingIfNeeded: value)
  }

  private static func appendBlock(_ deltas: UnsafeBufferPointer<UInt64>, _ smallest: Int64, to output: inout [UInt8]) {
    output.append(zigzag: smallest)
    let widthsAt = output.count
    output.append(contentsOf: repeatElement(0, count: blockSize / miniSize))
    for mini in 0..<(blockSize / miniSize) {
      let first = mini * miniSize
      if first >= deltas.count { break }
      let part = UnsafeBufferPointer(rebasing: deltas[first..<min(first + miniSize, deltas.count)])
      var all: UInt64 = 0
      for delta in part { all |= delta }
      let width = 64 - all.leadingZeroBitCount
      output[widthsAt + mini] = UInt8(width)
      BitPacker.append(part, paddedCount: miniSize, width: width, to: &output)
    }
  }
}
