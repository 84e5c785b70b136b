// Byte strings that wait for their page: as codes of a dictionary, or plainly.
//
// Both are structs that a column writer calls once per run of rows: inside of a run no class property is touched, since
// each touch would cost a check of exclusive access.

import Bedrock
import Columnar

/// Values coded by a growing dictionary.
struct CodedBytes {
  private(set) var codes: [UInt32] = []
  private(set) var dictionary = BytesDictionary()
  /// Codes of the entries of the dictionary column that came in last; -1: not met yet.
  private var incoming: ColumnDictionary?
  private var remap: [Int64] = []

  /// Codes rows until the dictionary would be larger than `byteCountMax`; returns the row that stopped it, or `end`.
  mutating func append(_ column: Column, from start: Int, to end: Int, byteCountMax: Int) -> Int {
    codes.reserveCapacity(max(codes.capacity, codes.count + end - start))
    if case .dictionary(_, let source) = column.form {
      return appendCodes(column, source, from: start, to: end, byteCountMax: byteCountMax)
    }
    let offsets = column.offsets, bytes = column.data
    let validity = column.validity
    return bytes.withUnsafeBytes { raw in
      offsets.withUnsafeBufferPointer { offsets in
        guard let validity else {
          return dictionary.encode(
            raw, offsets, nil, from: start, to: end, byteCountMax: byteCountMax, into: &codes)
        }
        let words = validity.words
        return words.withUnsafeBufferPointer {
          dictionary.encode(raw, offsets, $0, from: start, to: end, byteCountMax: byteCountMax, into: &codes)
        }
      }
    }
  }

  private mutating func appendCodes(
    _ column: Column, _ source: ColumnDictionary, from start: Int, to end: Int, byteCountMax: Int
  ) -> Int {
    if incoming !== source {
      incoming = source
      remap = [Int64](repeating: -1, count: source.count)
    }
    let validity = column.validity
    let values = source.values
    let offsets = values.offsets, bytes = values.data, sourceCodes = column.codes
    return bytes.withUnsafeBytes { raw in
      for row in start..<end {
        if let validity, !validity.isSet(row) { continue }
        let entry = Int(sourceCodes[row])
        if remap[entry] < 0 {
          let value = UnsafeRawBufferPointer(rebasing: raw[Int(offsets[entry])..<Int(offsets[entry + 1])])
          guard let code = dictionary.code(of: value, byteCountMax: byteCountMax) else { return row }
          remap[entry] = Int64(code)
        }
        codes.append(UInt32(truncatingIfNeeded: remap[entry]))
      }
      return end
    }
  }

  /// Bytes of memory.
  var byteCount: Int { codes.capacity * 4 + remap.capacity * 8 + dictionary.byteCount }

  /// Forgets the first `count` codes, which are in a page now.
  mutating func removeFirst(_ count: Int) { codes.removeFirst(count) }

  /// Moves the pending values from place `start` on to `plain`.
  mutating func expand(into plain: inout PlainBytes) {
    append(codes[...], to: &plain)
    codes = []
  }

  /// Appends some pending values to `plain`.
  func append(_ codes: ArraySlice<UInt32>, to plain: inout PlainBytes) {
    dictionary.data.withUnsafeBytes { raw in
      for code in codes { plain.append(UnsafeRawBufferPointer(rebasing: raw[dictionary.range(of: Int(code))])) }
    }
  }
}

/// Values as they will lie in a plain page.
struct PlainBytes {
  /// True for BYTE_ARRAY: a length of 4 bytes stands in front of each value.
  let hasLengths: Bool
  private(set) var data: [UInt8] = []
  /// Where each pending value ends in `data`.
  private(set) var ends: [Int] = []

  init(hasLengths: Bool) { self.hasLengths = hasLengths }

  mutating func append(_ value: UnsafeRawBufferPointer) {
    if hasLengths { data.append(littleEndian: UInt32(truncatingIfNeeded: value.count)) }
    data.append(contentsOf: value)
    ends.append(data.count)
  }

  /// Bytes of memory.
  var byteCount: Int { data.capacity + ends.capacity * MemoryLayout<Int>.stride }

  /// Where value `index` begins, its length included.
  func start(of index: Int) -> Int { index == 0 ? 0 : ends[index - 1] }

  /// Takes rows until a page of `byteCountMax` is full, one row at least; returns the row after the last.
  mutating func append(_ column: Column, from start: Int, to end: Int, byteCountMax: Int) -> Int {
    let validity = column.validity
    if case .dictionary(_, let source) = column.form {
      let values = source.values
      let offsets = values.offsets, bytes = values.data, codes = column.codes
      return bytes.withUnsafeBytes { raw in
        for row in start..<end {
          if data.count >= byteCountMax && row > start { return row }
          if let validity, !validity.isSet(row) { continue }
          let entry = Int(codes[row])
          append(UnsafeRawBufferPointer(rebasing: raw[Int(offsets[entry])..<Int(offsets[entry + 1])]))
        }
        return end
      }
    }
    let offsets = column.offsets, bytes = column.data
    let prefix = hasLengths ? 4 : 0
    // First the size, so that the array grows once; then the bytes.
    var stop = start
    let before = data.count
    var position = before
    while stop < end && (position < byteCountMax || stop == start) {
      if validity?.isSet(stop) ?? true {
        position += prefix + Int(offsets[stop + 1] - offsets[stop])
        ends.append(position)
      }
      stop += 1
    }
    data.append(contentsOf: repeatElement(0, count: position - before))
    bytes.withUnsafeBytes { source in
      data.withUnsafeMutableBytes { target in
        var at = before
        for row in start..<stop {
          if let validity, !validity.isSet(row) { continue }
          let value = Int(offsets[row])..<Int(offsets[row + 1])
          if prefix > 0 {
            target.storeBytes(of: UInt32(truncatingIfNeeded: value.count).littleEndian, toByteOffset: at, as: UInt32.self)
            at += 4
          }
          UnsafeMutableRawBufferPointer(rebasing: target[at..<(at + value.count)])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[value]))
          at += value.count
        }
      }
    }
    return stop
  }

  /// Forgets the first `count` values.
  mutating func removeFirst(_ count: Int) {
    if count == ends.count {
      data.removeAll(keepingCapacity: true)
      ends.removeAll(keepingCapacity: true)
      return
    }
    let end = start(of: count)
    data.removeFirst(end)
    ends.removeFirst(count)
    for index in ends.indices { ends[index] -= end }
  }
}
