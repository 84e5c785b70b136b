// Distinct values of one column chunk while it is written: open addressing, linear probing, load at most one half. What a
// lookup compares first lies in the slot itself, so that a value that is known costs one miss of the cache, and a byte
// string two.

import Bedrock

/// Both halves of the product: every bit of the value reaches every bit of the result.
@inline(__always)
private func fold(_ value: UInt64, _ factor: UInt64) -> UInt64 {
  let (high, low) = value.multipliedFullWidth(by: factor)
  return high ^ low
}

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
  /// Bytes of memory.
  var byteCount: Int {
    slots.capacity * MemoryLayout<Slot>.stride + values.capacity * MemoryLayout<Word>.stride
  }
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
    Int(truncatingIfNeeded: fold(UInt64(truncatingIfNeeded: value), 0x9E37_79B9_7F4A_7C15) >> 1)
  }

  /// Codes of `source`, appended to `codes`. Stops before a value that would make more than `entriesMax`; returns how many
  /// values were coded.
  mutating func encode(
    _ source: UnsafeBufferPointer<Word>, entriesMax: Int, into codes: inout [UInt32]
  ) -> Int {
    let before = codes.count
    codes.append(contentsOf: repeatElement(0, count: source.count))
    let coded = codes.withUnsafeMutableBufferPointer { codes in
      let target = UnsafeMutableBufferPointer(rebasing: codes[before...])
      var index = 0
      while true {
        index = encodeKnown(source, from: index, into: target)
        if index == source.count || values.count >= entriesMax { return index }
        add(source[index])
      }
    }
    codes.removeLast(source.count - coded)
    return coded
  }

  /// Codes values until one is new; returns its place.
  private func encodeKnown(
    _ source: UnsafeBufferPointer<Word>, from start: Int, into codes: UnsafeMutableBufferPointer<UInt32>
  ) -> Int {
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
        codes[index] = UInt32(truncatingIfNeeded: code)
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
  /// Bytes of memory.
  var byteCount: Int { data.capacity + offsets.capacity * 4 + slots.capacity * 8 }
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

  /// Mixes 8 bytes at a time; the last 8 may overlap those before. Only speed depends on it, so it needs no secret: a
  /// column that defeats it has at most `dictionaryBytesMax` of distinct values.
  @inline(__always)
  private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    let count = bytes.count
    var h = UInt64(truncatingIfNeeded: count) &+ 0x9E37_79B9_7F4A_7C15
    if count >= 8 {
      var index = 0
      while index + 8 < count {
        h = fold(h ^ bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self), 0xFF51_AFD7_ED55_8CCD)
        index += 8
      }
      h ^= bytes.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
    } else {
      h ^= short(bytes)
    }
    return UInt32(truncatingIfNeeded: fold(h, 0xC4CE_B9FE_1A85_EC53))
  }

  /// Up to 7 bytes as a number that differs for different bytes of one length.
  @inline(__always)
  private static func short(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    let count = bytes.count
    if count >= 4 {
      let low = bytes.loadUnaligned(as: UInt32.self), high = bytes.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
      return UInt64(low) | UInt64(high) << 32
    }
    if count == 0 { return 0 }
    return UInt64(bytes[0]) | UInt64(bytes[count / 2]) << 8 | UInt64(bytes[count - 1]) << 16
  }

  /// Whether two byte strings of one length are the same.
  @inline(__always)
  private static func same(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    let count = a.count
    if count < 8 { return short(a) == short(b) }
    var index = 0
    while index + 8 < count {
      if a.loadUnaligned(fromByteOffset: index, as: UInt64.self) != b.loadUnaligned(fromByteOffset: index, as: UInt64.self) {
        return false
      }
      index += 8
    }
    return a.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
      == b.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
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
      Self.same(UnsafeRawBufferPointer(rebasing: raw[start..<(start + length)]), bytes)
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
    var place = codes.count
    codes.append(contentsOf: repeatElement(0, count: end - start))
    let stop = codes.withUnsafeMutableBufferPointer { codes in
      withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Self.batch) { hints in
        var first = start
        while first < end {
          let rows = first..<min(end, first + Self.batch)
          lookUp(raw, ends, rows, into: hints)
          for row in rows {
            if let validity, validity[row >> 6] >> UInt64(row & 63) & 1 == 0 { continue }
            let value = UnsafeRawBufferPointer(rebasing: raw[Int(ends[row])..<Int(ends[row + 1])])
            let hash = UInt32(truncatingIfNeeded: hints[row - first] >> 32)
            let hint = Int(hints[row - first] & 0xFFFF_FFFF)
            if hint > 0 && equals(hint - 1, value) {
              codes[place] = UInt32(truncatingIfNeeded: hint - 1)
            } else {
              guard let code = find(hash, value) ?? add(hash, value, byteCountMax: byteCountMax) else { return row }
              codes[place] = code
            }
            place += 1
          }
          first = rows.upperBound
        }
        return end
      }
    }
    codes.removeLast(codes.count - place)
    return stop
  }

  /// The hashes of values and the codes in the slots they point at, which do not wait for each other.
  private func lookUp(
    _ raw: UnsafeRawBufferPointer, _ ends: UnsafeBufferPointer<Int32>, _ rows: Range<Int>,
    into hints: UnsafeMutableBufferPointer<UInt64>
  ) {
    let mask = slots.count - 1
    slots.withUnsafeBufferPointer { slots in
      for row in rows {
        let value = UnsafeRawBufferPointer(rebasing: raw[Int(ends[row])..<Int(ends[row + 1])])
        let hash = Self.hash(value)
        let slot = slots[Int(hash) & mask]
        hints[row - rows.lowerBound] = UInt64(hash) << 32 | (slot >> 32 == UInt64(hash) ? slot & 0xFFFF_FFFF : 0)
      }
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
