// Distinct values of one column chunk while it is written: open addressing, linear probing, load at most one half.

import Bedrock

/// Distinct words. Codes count up from 0 in order of first sight.
struct WordDictionary<Word: FixedWidthInteger & UnsignedInteger> {
  private(set) var values: [Word] = []
  private var slots: [Int32] = []
  private var mask = 0

  init() { grow(to: 1_024) }

  private mutating func grow(to capacity: Int) {
    slots = [Int32](repeating: -1, count: capacity)
    mask = capacity - 1
    for code in values.indices {
      var slot = Self.hash(values[code]) & mask
      while slots[slot] >= 0 { slot = (slot + 1) & mask }
      slots[slot] = Int32(code)
    }
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
    for index in 0..<source.count {
      let value = source[index]
      var slot = Self.hash(value) & mask
      while true {
        let code = slots[slot]
        if code < 0 { break }
        if values[Int(code)] == value { break }
        slot = (slot + 1) & mask
      }
      if slots[slot] >= 0 {
        codes.append(UInt32(slots[slot]))
        continue
      }
      if values.count >= entriesMax { return index }
      slots[slot] = Int32(values.count)
      codes.append(UInt32(values.count))
      values.append(value)
      if values.count * 2 > slots.count { grow(to: slots.count * 2) }
    }
    return source.count
  }
}

/// Distinct byte strings.
struct BytesDictionary {
  private(set) var data: [UInt8] = []
  /// count + 1 offsets into `data`.
  private(set) var offsets: [Int] = [0]
  private var hashes: [UInt32] = []
  private var slots: [Int32] = []
  private var mask = 0

  init() { grow(to: 1_024) }

  var count: Int { offsets.count - 1 }
  /// Bytes of the dictionary page.
  var pageByteCount: Int { data.count + 4 * count }

  private mutating func grow(to capacity: Int) {
    slots = [Int32](repeating: -1, count: capacity)
    mask = capacity - 1
    for code in hashes.indices {
      var slot = Int(hashes[code]) & mask
      while slots[slot] >= 0 { slot = (slot + 1) & mask }
      slots[slot] = Int32(code)
    }
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
    var slot = Int(hash) & mask
    while slots[slot] >= 0 {
      let code = Int(slots[slot])
      if hashes[code] == hash && equals(code, bytes) { return UInt32(code) }
      slot = (slot + 1) & mask
    }
    if pageByteCount + bytes.count + 4 > byteCountMax { return nil }
    let code = count
    slots[slot] = Int32(code)
    hashes.append(hash)
    data.append(contentsOf: bytes)
    offsets.append(data.count)
    if count * 2 > slots.count { grow(to: slots.count * 2) }
    return UInt32(code)
  }

  @inline(__always)
  private func equals(_ code: Int, _ bytes: UnsafeRawBufferPointer) -> Bool {
    let start = offsets[code], length = offsets[code + 1] - start
    if length != bytes.count { return false }
    return data.withUnsafeBytes { raw in
      ByteOrder.compare(UnsafeRawBufferPointer(rebasing: raw[start..<(start + length)]), bytes) == 0
    }
  }

  func byteCount(of code: UInt32) -> Int { offsets[Int(code) + 1] - offsets[Int(code)] }
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
