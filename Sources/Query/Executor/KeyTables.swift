// Open addressing from key values to dense ids 0, 1, 2 ... in order of first appearance; null is one more value.
//
// Tables work on whole columns: one call a chunk, the loop inside. The slot of an integer table holds key and id side
// by side, so a lookup costs one cache line. At most half of the slots are taken.

import Bedrock
import Columnar
import Glibc
import Kernels

/// Distinct 64-bit keys.
struct IntegerTable {
  private struct Slot {
    var key: Int64
    /// -1: free.
    var id: Int32
  }
  private static let free = Slot(key: 0, id: -1)
  private var slots = [Slot](repeating: IntegerTable.free, count: 64)
  /// Key by id; 0 stands at the id of null.
  private(set) var keys: [Int64] = []
  private(set) var nullID: Int32 = -1

  var count: Int { keys.count }
  var byteCount: Int { slots.count * MemoryLayout<Slot>.stride + keys.capacity * 8 }

  @inline(__always)
  private static func home(_ key: Int64, _ mask: Int) -> Int {
    let product = UInt64(bitPattern: key) &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: product ^ product &>> 32) & mask
  }

  /// The id of each key, new ones made as needed.
  mutating func insert(_ values: Span<Int64>, into ids: UnsafeMutablePointer<Int32>) {
    var row = 0
    var lastKey: Int64 = 0
    var lastID: Int32 = -1
    while row < values.count {
      // The lists leave `self` for the loop: no exclusivity checks inside. Both have room for `spare` new keys.
      let spare = slots.count / 2 - keys.count
      var keys = self.keys
      self.keys = []
      keys.reserveCapacity(slots.count / 2)
      let keysMax = keys.count + spare
      slots.withUnsafeMutableBufferPointer { slots in
        let mask = slots.count - 1
        while row < values.count {
          let key = values[row]
          // sorted and bucketed data come in runs
          if key != lastKey || lastID < 0 {
            var place = Self.home(key, mask)
            while slots[place].id >= 0 && slots[place].key != key { place = (place &+ 1) & mask }
            if slots[place].id < 0 {
              if keys.count >= keysMax { break }
              slots[place] = Slot(key: key, id: Int32(truncatingIfNeeded: keys.count))
              keys.append(key)
            }
            lastKey = key
            lastID = slots[place].id
          }
          ids[row] = lastID
          row &+= 1
        }
      }
      self.keys = keys
      if row < values.count { enlarge() }
    }
  }

  /// The same where rows that `validity` calls null get the id of null.
  mutating func insert(_ values: Span<Int64>, validity: Bitmap, into ids: UnsafeMutablePointer<Int32>) {
    let words = validity.words
    for row in 0..<values.count {
      ids[row] = words[row >> 6] &>> UInt64(row & 63) & 1 == 1 ? insert(values[row]) : insertNull()
    }
  }

  mutating func insertNull() -> Int32 {
    if nullID < 0 {
      nullID = Int32(keys.count)
      keys.append(0)
    }
    return nullID
  }

  mutating func insert(_ key: Int64) -> Int32 {
    if keys.count * 2 >= slots.count { enlarge() }
    let mask = slots.count - 1
    var place = Self.home(key, mask)
    while slots[place].id >= 0 {
      if slots[place].key == key { return slots[place].id }
      place = (place + 1) & mask
    }
    slots[place] = Slot(key: key, id: Int32(keys.count))
    keys.append(key)
    return Int32(keys.count - 1)
  }

  /// The id of each key, -1 for keys never inserted. Null rows are the caller's.
  func find(_ values: Span<Int64>, into ids: UnsafeMutablePointer<Int32>) {
    slots.withUnsafeBufferPointer { slots in
      let mask = slots.count - 1
      for row in 0..<values.count {
        let key = values[row]
        var place = Self.home(key, mask)
        while slots[place].id >= 0 && slots[place].key != key { place = (place &+ 1) & mask }
        ids[row] = slots[place].id
      }
    }
  }

  private mutating func enlarge() {
    slots = [Slot](repeating: Self.free, count: slots.count * 4)
    let mask = slots.count - 1
    for (id, key) in keys.enumerated() where id != Int(nullID) {
      var place = Self.home(key, mask)
      while slots[place].id >= 0 { place = (place + 1) & mask }
      slots[place] = Slot(key: key, id: Int32(id))
    }
  }
}

/// Distinct byte strings, kept end to end.
struct BytesTable {
  private var slots = [Int32](repeating: -1, count: 64)
  private var hashes: [UInt64] = []
  private var offsets: [Int] = [0]
  private var arena: [UInt8] = []
  private var nullID: Int32 = -1

  var count: Int { hashes.count }
  var byteCount: Int { slots.count * 4 + hashes.capacity * 16 + arena.capacity }

  @inline(__always)
  private static func home(_ hash: UInt64, _ mask: Int) -> Int { Int(truncatingIfNeeded: hash ^ hash &>> 32) & mask }

  /// The id, or -1 minus the free slot where it belongs.
  @inline(__always)
  private func place(_ raw: UnsafeRawBufferPointer, _ hash: UInt64) -> Int {
    let mask = slots.count - 1
    var place = Self.home(hash, mask)
    while true {
      let id = Int(slots[place])
      if id < 0 { return -1 - place }
      if hashes[id] == hash && equals(id, raw) { return id }
      place = (place + 1) & mask
    }
  }

  private func equals(_ id: Int, _ raw: UnsafeRawBufferPointer) -> Bool {
    let start = offsets[id]
    if offsets[id + 1] - start != raw.count { return false }
    if raw.count == 0 { return true }
    return arena.withUnsafeBytes { arena in
      guard let ours = arena.baseAddress, let theirs = raw.baseAddress else { return false }
      return memcmp(ours + start, theirs, raw.count) == 0
    }
  }

  func find(_ raw: UnsafeRawBufferPointer) -> Int32 { Int32(max(place(raw, KeyHash.bytes(raw)), -1)) }

  mutating func insert(_ raw: UnsafeRawBufferPointer) -> Int32 {
    let hash = KeyHash.bytes(raw)
    let found = place(raw, hash)
    if found >= 0 { return Int32(found) }
    let id = add(raw, hash)
    if hashes.count * 2 > slots.count { enlarge() } else { slots[-1 - found] = id }
    return id
  }

  mutating func insertNull() -> Int32 {
    if nullID < 0 {
      // never in a slot, so no bytes ever find it
      nullID = add(UnsafeRawBufferPointer(start: nil, count: 0), 0)
    }
    return nullID
  }

  private mutating func add(_ raw: UnsafeRawBufferPointer, _ hash: UInt64) -> Int32 {
    hashes.append(hash)
    arena.append(contentsOf: raw)
    offsets.append(arena.count)
    return Int32(hashes.count - 1)
  }

  private mutating func enlarge() {
    slots = [Int32](repeating: -1, count: slots.count * 4)
    let mask = slots.count - 1
    for id in hashes.indices where id != Int(nullID) {
      var place = Self.home(hashes[id], mask)
      while slots[place] >= 0 { place = (place + 1) & mask }
      slots[place] = Int32(id)
    }
  }
}
