// Distinct values of one column chunk while it is written: open addressing, linear probing, load at most one half. What a
// lookup compares first lies in the slot itself, so that a value that is known costs one miss of the cache, and a byte
// string two.

import Bedrock

/// Distinct words. Codes count up from 0 in order of first sight.
struct WordDictionary<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable> {
  private struct Slot {
    var value: Word
    /// -1: empty.
    var code: Int32
  }
  private var slots: [Slot]
  private var values: [Word] = []
  private static var slotsMin: Int { 1_024 }

  init() { slots = [Slot](repeating: Slot(value: 0, code: -1), count: Self.slotsMin) }

  var count: Int { values.count }
  func value(_ code: Int) -> Word { values[code] }
  /// The plain form of the first `count` values.
  func bytes(_ count: Int) -> [UInt8] { values[..<count].withUnsafeBytes { Array($0) } }

  private mutating func grow() {
    var larger = [Slot](repeating: Slot(value: 0, code: -1), count: slots.count * 2)
    let mask = larger.count - 1
    for slot in slots where slot.code >= 0 {
      var place = Self.hash(slot.value) & mask
      while larger[place].code >= 0 { place = (place + 1) & mask }
      larger[place] = slot
    }
    slots = larger
  }

  @inline(__always)
  private static func hash(_ value: Word) -> Int {
    var h = UInt64(truncatingIfNeeded: value) &* 0x9E37_79B9_7F4A_7C15
    h ^= h >> 32
    return Int(truncatingIfNeeded: h & 0x7FFF_FFFF_FFFF_FFFF)
  }

  /// Codes of `source`, appended to `codes`. Stops before a value that would make more than `entriesMax`; returns how many
  /// values were coded.
  mutating func encode(
    _ source: UnsafeBufferPointer<Word>, entriesMax: Int, into codes: inout [UInt32]
  ) -> Int {
    var index = 0
    while index < source.count {
      index = encodeKnown(source, from: index, into: &codes)
      if index == source.count { break }
      if values.count >= entriesMax { return index }
      add(source[index])
    }
    return source.count
  }

  /// Codes values until one is new; returns its place.
  private func encodeKnown(_ source: UnsafeBufferPointer<Word>, from start: Int, into codes: inout [UInt32]) -> Int {
    let mask = slots.count - 1
    return slots.withUnsafeBufferPointer { slots in
      var index = start
      while index < source.count {
        let value = source[index]
        // SAFETY: the mask keeps a place inside; half of the slots are empty, so the search ends.
        var place = Self.hash(value) & mask
        while slots[place].code >= 0 && slots[place].value != value { place = (place + 1) & mask }
        let code = slots[place].code
        if code < 0 { return index }
        codes.append(UInt32(truncatingIfNeeded: code))
        index += 1
      }
      return index
    }
  }

  private mutating func add(_ value: Word) {
    if (values.count + 1) * 2 > slots.count { grow() }
    let mask = slots.count - 1
    var place = Self.hash(value) & mask
    while slots[place].code >= 0 { place = (place + 1) & mask }
    slots[place] = Slot(value: value, code: Int32(truncatingIfNeeded: values.count))
    values.append(value)
  }
}

/// Distinct byte strings.
struct BytesDictionary {
  private(set) var data: [UInt8] = []
  /// count + 1 offsets into `data`.
  private(set) var offsets: [UInt32] = [0]
  /// Hash in the upper half, code + 1 in the lower; 0: empty.
  private var slots = [UInt64](repeating: 0, count: 1_024)

  var count: Int { offsets.count - 1 }
  /// Bytes of the dictionary page.
  var pageByteCount: Int { data.count + 4 * count }

  func range(of code: Int) -> Range<Int> { Int(offsets[code])..<Int(offsets[code + 1]) }

  private mutating func grow() {
    var larger = [UInt64](repeating: 0, count: slots.count * 2)
    let mask = larger.count - 1
    for slot in slots where slot != 0 {
      var place = Int(slot >> 32) & mask
      while larger[place] != 0 { place = (place + 1) & mask }
      larger[place] = slot
    }
    slots = larger
  }

  /// Mixes 8 bytes at a time. Only speed depends on it, so it needs no secret: a column that defeats it has at most
  /// `dictionaryBytesMax` of distinct values.
  @inline(__always)
  private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var h = UInt64(truncatingIfNeeded: bytes.count) &* 0x9E37_79B9_7F4A_7C15
    var index = 0
    while index + 8 <= bytes.count {
      h = (h ^ bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)) &* 0xFF51_AFD7_ED55_8CCD
      h ^= h >> 32
      index += 8
    }
    var rest: UInt64 = 0
    while index < bytes.count {
      rest = rest << 8 | UInt64(bytes[index])
      index += 1
    }
    h = (h ^ rest) &* 0xC4CE_B9FE_1A85_EC53
    return UInt32(truncatingIfNeeded: h ^ h >> 29)
  }

  /// The code of a value; `nil` when it is new and would make the page larger than `byteCountMax`.
  mutating func code(of bytes: UnsafeRawBufferPointer, byteCountMax: Int) -> UInt32? {
    let hash = Self.hash(bytes)
    if let known = find(hash, bytes) { return known }
    return add(hash, bytes, byteCountMax: byteCountMax)
  }

  private func find(_ hash: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32? {
    let mask = slots.count - 1
    var place = Int(hash) & mask
    while slots[place] != 0 {
      let code = Int(slots[place] & 0xFFFF_FFFF) - 1
      if slots[place] >> 32 == UInt64(hash) && equals(code, bytes) { return UInt32(code) }
      place = (place + 1) & mask
    }
    return nil
  }

  private mutating func add(_ hash: UInt32, _ bytes: UnsafeRawBufferPointer, byteCountMax: Int) -> UInt32? {
    if pageByteCount + bytes.count + 4 > byteCountMax { return nil }
    if (count + 1) * 2 > slots.count { grow() }
    let code = count, mask = slots.count - 1
    var place = Int(hash) & mask
    while slots[place] != 0 { place = (place + 1) & mask }
    slots[place] = UInt64(hash) << 32 | UInt64(code + 1)
    data.append(contentsOf: bytes)
    offsets.append(UInt32(data.count))
    return UInt32(code)
  }

  @inline(__always)
  private func equals(_ code: Int, _ bytes: UnsafeRawBufferPointer) -> Bool {
    let start = Int(offsets[code]), length = Int(offsets[code + 1]) - start
    if length != bytes.count { return false }
    return data.withUnsafeBytes { raw in
      ByteOrder.compare(UnsafeRawBufferPointer(rebasing: raw[start..<(start + length)]), bytes) == 0
    }
  }

  /// Values that are looked up together: their slots come from memory side by side.
  private static let batch = 64

  /// Appends the codes of the values between the offsets of rows `start..<end`, of those that `validity` has; returns the
  /// row that would make the page larger than `byteCountMax`, or `end`.
  mutating func encode(
    _ raw: UnsafeRawBufferPointer, _ ends: UnsafeBufferPointer<Int32>, _ validity: UnsafeBufferPointer<UInt64>?,
    from start: Int, to end: Int, byteCountMax: Int, into codes: inout [UInt32]
  ) -> Int {
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Self.batch) { hints in
      var first = start
      while first < end {
        let last = min(end, first + Self.batch)
        let mask = slots.count - 1
        // First the hashes and the slots they point at, which do not wait for each other; then the comparisons.
        for row in first..<last {
          let value = UnsafeRawBufferPointer(rebasing: raw[Int(ends[row])..<Int(ends[row + 1])])
          let hash = Self.hash(value)
          let slot = slots[Int(hash) & mask]
          hints[row - first] = UInt64(hash) << 32 | (slot >> 32 == UInt64(hash) ? slot & 0xFFFF_FFFF : 0)
        }
        for row in first..<last {
          if let validity, validity[row >> 6] >> UInt64(row & 63) & 1 == 0 { continue }
          let value = UnsafeRawBufferPointer(rebasing: raw[Int(ends[row])..<Int(ends[row + 1])])
          let hash = UInt32(truncatingIfNeeded: hints[row - first] >> 32)
          let hint = Int(hints[row - first] & 0xFFFF_FFFF)
          if hint > 0 && equals(hint - 1, value) {
            codes.append(UInt32(hint - 1))
            continue
          }
          guard let code = find(hash, value) ?? add(hash, value, byteCountMax: byteCountMax) else { return row }
          codes.append(code)
        }
        first = last
      }
      return end
    }
  }

  /// The plain form of the first `count` values.
  func plainBytes(_ count: Int, hasLengths: Bool) -> [UInt8] {
    if !hasLengths { return Array(data[..<Int(offsets[count])]) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(offsets[count]) + 4 * count)
    data.withUnsafeBytes { raw in
      for code in 0..<count {
        let range = range(of: code)
        bytes.append(littleEndian: UInt32(range.count))
        bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: raw[range]))
      }
    }
    return bytes
  }
}

enum ByteOrder {
  /// Unsigned lexicographic order: negative, zero or positive.
  @inline(__always)
  static func compare(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
    let shared = Swift.min(a.count, b.count)
    var index = 0
    while index + 8 <= shared {
      let left = UInt64(bigEndian: a.loadUnaligned(fromByteOffset: index, as: UInt64.self))
      let right = UInt64(bigEndian: b.loadUnaligned(fromByteOffset: index, as: UInt64.self))
      if left != right { return left < right ? -1 : 1 }
      index += 8
    }
    while index < shared {
      if a[index] != b[index] { return a[index] < b[index] ? -1 : 1 }
      index += 1
    }
    return a.count - b.count
  }
}
