// Encodings that only files of the "compact" profile have: some readers (Spark up to 4.1) lack them.
//
//   DELTA_LENGTH_BYTE_ARRAY   lengths as DELTA_BINARY_PACKED | all bytes
//   DELTA_BYTE_ARRAY          lengths of the prefixes shared with the value before | suffixes as DELTA_LENGTH_BYTE_ARRAY
//   BYTE_STREAM_SPLIT         the first bytes of all values | all second bytes | ...

enum ByteArrayEncoder {
  /// - Parameter ends: where each value ends in `data`; a length of 4 bytes stands in front of each value.
  static func appendDeltaLength(_ data: UnsafeRawBufferPointer, _ ends: ArraySlice<Int>, start: Int, to output: inout [UInt8]) {
    var lengths: [UInt32] = []
    lengths.reserveCapacity(ends.count)
    var last = start
    for end in ends {
      lengths.append(UInt32(truncatingIfNeeded: end - last - 4))
      last = end
    }
    lengths.withUnsafeBufferPointer { DeltaEncoder.append($0, to: &output) }
    last = start
    for end in ends {
      output.append(contentsOf: UnsafeRawBufferPointer(rebasing: data[(last + 4)..<end]))
      last = end
    }
  }

  /// The same for values that share beginnings with the value before them.
  static func appendDelta(_ data: UnsafeRawBufferPointer, _ ends: ArraySlice<Int>, start: Int, to output: inout [UInt8]) {
    var prefixes: [UInt32] = [], suffixes: [UInt32] = []
    var last = start
    var before = 0..<0
    for end in ends {
      let value = (last + 4)..<end
      let limit = min(before.count, value.count)
      var shared = 0
      while shared < limit && data[before.lowerBound + shared] == data[value.lowerBound + shared] { shared += 1 }
      prefixes.append(UInt32(truncatingIfNeeded: shared))
      suffixes.append(UInt32(truncatingIfNeeded: value.count - shared))
      before = value
      last = end
    }
    prefixes.withUnsafeBufferPointer { DeltaEncoder.append($0, to: &output) }
    suffixes.withUnsafeBufferPointer { DeltaEncoder.append($0, to: &output) }
    last = start
    for (end, prefix) in zip(ends, prefixes) {
      output.append(contentsOf: UnsafeRawBufferPointer(rebasing: data[(last + 4 + Int(prefix))..<end]))
      last = end
    }
  }

  /// Bytes of numbers of `width` bytes each, by place.
  static func appendStreams(_ data: UnsafeRawBufferPointer, width: Int, to output: inout [UInt8]) {
    precondition(data.count % width == 0)
    let count = data.count / width
    output.reserveCapacity(output.count + data.count)
    for place in 0..<width {
      for index in 0..<count { output.append(data[index * width + place]) }
    }
  }
}
