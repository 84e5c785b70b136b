// Key values to dense ids: the heart of grouping, DISTINCT and joins.
//
// Each key column has a `KeyIndex` that numbers its distinct values 0, 1, 2 ...; dictionary codes are translated once
// per dictionary, integers hash as they are, everything else as bytes. A `GroupTable` folds the ids of several columns
// pairwise: (id so far, id of the next column) is one 64-bit key of another integer table. No key is ever boxed.

import Bedrock
import Columnar
import Kernels

/// Open addressing over 64-bit keys; ids in order of first appearance.
struct IntegerTable {
  private var slots: [Int32] = [Int32](repeating: -1, count: 64)
  private(set) var keys: [Int64] = []

  @inline(__always)
  private static func hash(_ key: Int64) -> Int {
    let product = UInt64(bitPattern: key) &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: (product ^ product >> 32) & 0x7FFF_FFFF_FFFF_FFFF)
  }

  @inline(__always)
  func find(_ key: Int64) -> Int32 {
    let mask = slots.count - 1
    var slot = Self.hash(key) & mask
    while true {
      let id = slots[slot]
      if id < 0 || keys[Int(id)] == key { return id }
      slot = (slot + 1) & mask
    }
  }

  @inline(__always)
  mutating func insert(_ key: Int64) -> Int32 {
    let mask = slots.count - 1
    var slot = Self.hash(key) & mask
    while true {
      let id = slots[slot]
      if id < 0 { break }
      if keys[Int(id)] == key { return id }
      slot = (slot + 1) & mask
    }
    let id = Int32(keys.count)
    keys.append(key)
    slots[slot] = id
    if keys.count * 2 > slots.count { rehash() }
    return id
  }

  private mutating func rehash() {
    slots = [Int32](repeating: -1, count: slots.count * 4)
    let mask = slots.count - 1
    for (id, key) in keys.enumerated() {
      var slot = Self.hash(key) & mask
      while slots[slot] >= 0 { slot = (slot + 1) & mask }
      slots[slot] = Int32(id)
    }
  }

  var byteCount: Int { slots.count * 4 + keys.capacity * 8 }
}

/// The same over byte strings.
struct BytesTable {
  private var slots: [Int32] = [Int32](repeating: -1, count: 64)
  private var hashes: [UInt64] = []
  private var offsets: [Int] = [0]
  private var arena: [UInt8] = []
  var count: Int { hashes.count }
  var byteCount: Int { slots.count * 4 + hashes.capacity * 16 + arena.capacity }

  private func equals(_ id: Int32, _ raw: UnsafeRawBufferPointer) -> Bool {
    let start = offsets[Int(id)], end = offsets[Int(id) + 1]
    if end - start != raw.count { return false }
    return arena.withUnsafeBytes { bytes in
      for index in 0..<raw.count where bytes[start + index] != raw[index] { return false }
      return true
    }
  }

  func find(_ raw: UnsafeRawBufferPointer) -> Int32 {
    let hash = KeyHash.bytes(raw)
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash ^ hash >> 32) & mask
    while true {
      let id = slots[slot]
      if id < 0 || (hashes[Int(id)] == hash && equals(id, raw)) { return id }
      slot = (slot + 1) & mask
    }
  }

  mutating func insert(_ raw: UnsafeRawBufferPointer) -> Int32 {
    let found = find(raw)
    if found >= 0 { return found }
    let hash = KeyHash.bytes(raw)
    let id = Int32(hashes.count)
    hashes.append(hash)
    arena.append(contentsOf: raw)
    offsets.append(arena.count)
    if hashes.count * 2 > slots.count {
      slots = [Int32](repeating: -1, count: slots.count * 4)
      for place in hashes.indices { settle(Int32(place)) }
    } else {
      settle(id)
    }
    return id
  }

  /// Puts an id into the first free slot of its chain.
  private mutating func settle(_ id: Int32) {
    let hash = hashes[Int(id)]
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash ^ hash >> 32) & mask
    while slots[slot] >= 0 { slot = (slot + 1) & mask }
    slots[slot] = id
  }
}

/// A dictionary's codes as ids, kept by whoever looks up (an index may be read by several threads).
struct KeyLookupCache {
  fileprivate var dictionary: ColumnDictionary?
  fileprivate var ids: [Int32] = []
}

/// Distinct values of one key column.
final class KeyIndex {
  let type: DataType
  private(set) var count = 0
  private var integers = IntegerTable()
  private var strings = BytesTable()
  /// Table id to key id: they differ once null has an id.
  private var tableIDs: [Int32] = []
  private var nullID: Int32 = -1
  private var parts: [Column] = []
  private var cache = KeyLookupCache()

  init(type: DataType) { self.type = type }

  var byteCount: Int { integers.byteCount + strings.byteCount + count * 16 }

  private var isInteger: Bool {
    switch type.physical {
    case .bool8, .int32, .int64: true
    default: false
    }
  }
  private var isPlainBytes: Bool {
    if case .bpchar = type { return false }
    return type.physical == .bytes
  }

  /// The distinct values in order of their ids; null among them at most once.
  func values() -> Column {
    // not a ternary: the compiler (6.3.1) makes invalid code for a noncopyable temporary in one branch
    if parts.isEmpty {
      let none = ColumnBuilder(type: type)
      return none.finish()
    }
    return Column.concatenate(parts.map { $0.retypedIfNeeded(type) })
  }

  /// The id of each row's value, new ones made as needed; null is a value.
  func assign(_ column: Column) -> [Int32] {
    var fresh: [Int32] = []
    var ids = [Int32](repeating: -1, count: column.count)
    switch column.form {
    case .constant(let one):
      if column.count == 0 { return [] }
      let id = assign(one.flat())[0]
      return [Int32](repeating: id, count: column.count)
    case .dictionary(_, let dictionary): assignCodes(column, dictionary, &ids, &fresh)
    default: assignFlat(column, &ids, &fresh)
    }
    if !fresh.isEmpty { parts.append(column.flat().gather(fresh.span)) }
    return ids
  }

  /// Each dictionary entry is looked up once per dictionary; new ones get their id when a row first uses them.
  private func assignCodes(
    _ column: Column, _ dictionary: ColumnDictionary, _ ids: inout [Int32], _ fresh: inout [Int32]
  ) {
    let values = dictionary.values.flat()
    if cache.dictionary !== dictionary {
      cache.dictionary = dictionary
      cache.ids = lookupValues(values)
    }
    let codes = column.codes
    let hasNulls = column.validity != nil
    for row in 0..<column.count {
      if hasNulls && column.isNull(at: row) {
        ids[row] = nullKey(row, &fresh)
        continue
      }
      let code = Int(codes[row])
      if cache.ids[code] < 0 { cache.ids[code] = insert(values.slice(code..<(code + 1)), row, &fresh) }
      ids[row] = cache.ids[code]
    }
  }

  private func nullKey(_ row: Int, _ fresh: inout [Int32]) -> Int32 {
    if nullID < 0 {
      nullID = Int32(count)
      count += 1
      fresh.append(Int32(row))
    }
    return nullID
  }

  @inline(__always)
  private func keyID(_ tableID: Int32, _ row: Int, _ fresh: inout [Int32]) -> Int32 {
    if Int(tableID) == tableIDs.count {
      tableIDs.append(Int32(count))
      count += 1
      fresh.append(Int32(row))
    }
    return tableIDs[Int(tableID)]
  }

  /// Inserts the only value of `one`, met at `row`.
  private func insert(_ one: Column, _ row: Int, _ fresh: inout [Int32]) -> Int32 {
    let tableID: Int32
    if isInteger {
      tableID = integers.insert(one.integerKey(at: 0))
    } else {
      let encoded = encode(one)
      tableID = encoded.bytes.withUnsafeBytes { strings.insert($0) }
    }
    return keyID(tableID, row, &fresh)
  }

  private func assignFlat(_ column: Column, _ ids: inout [Int32], _ fresh: inout [Int32]) {
    let hasNulls = column.validity != nil
    if isInteger {
      if column.type.physical == .int64 && !hasNulls {
        let values = column.int64s
        var lastKey: Int64 = 0
        var lastID: Int32 = -1
        for row in 0..<column.count {
          let key = values[row]
          // sorted and bucketed data come in runs
          if key != lastKey || lastID < 0 {
            lastKey = key
            lastID = keyID(integers.insert(key), row, &fresh)
          }
          ids[row] = lastID
        }
        return
      }
      for row in 0..<column.count {
        ids[row] =
          hasNulls && column.isNull(at: row)
          ? nullKey(row, &fresh) : keyID(integers.insert(column.integerKey(at: row)), row, &fresh)
      }
      return
    }
    eachBytes(column) { row, raw in
      if let raw { ids[row] = keyID(strings.insert(raw), row, &fresh) } else { ids[row] = nullKey(row, &fresh) }
    }
  }

  /// Each row's key bytes; `nil` for null.
  private func eachBytes(_ column: Column, _ body: (Int, UnsafeRawBufferPointer?) -> Void) {
    if isPlainBytes {
      let offsets = column.offsets
      column.data.withUnsafeBytes { raw in
        for row in 0..<column.count {
          if column.validity != nil && column.isNull(at: row) {
            body(row, nil)
          } else {
            body(row, UnsafeRawBufferPointer(rebasing: raw[Int(offsets[row])..<Int(offsets[row + 1])]))
          }
        }
      }
      return
    }
    let encoded = encode(column)
    encoded.bytes.withUnsafeBytes { raw in
      for row in 0..<column.count {
        if column.validity != nil && column.isNull(at: row) {
          body(row, nil)
        } else {
          body(row, UnsafeRawBufferPointer(rebasing: raw[encoded.offsets[row]..<encoded.offsets[row + 1]]))
        }
      }
    }
  }

  private func encode(_ column: Column) -> EncodedRows {
    if isPlainBytes {
      let end = Int(column.offsets[column.count])
      var rows = EncodedRows()
      column.data.withUnsafeBytes { rows.bytes = Array($0[0..<end]) }
      return rows
    }
    if case .bpchar = type {
      // trailing blanks of char(n) do not count
      let trimmed = (0..<column.count).map { row -> Scalar in
        guard case .bytes(var bytes) = column.scalar(at: row) else { return .null }
        while bytes.last == 32 { bytes.removeLast() }
        return .bytes(bytes)
      }
      return RowKey.encode([ColumnBuilder.column(.text, trimmed)], orders: [.equality], rows: column.count)
    }
    return RowKey.encode([column], orders: [.equality], rows: column.count)
  }

  // MARK: Reading

  private func lookupValues(_ column: Column) -> [Int32] {
    var ids = [Int32](repeating: -1, count: column.count)
    if isInteger {
      for row in 0..<column.count where !column.isNull(at: row) {
        let tableID = integers.find(column.integerKey(at: row))
        ids[row] = tableID < 0 ? -1 : tableIDs[Int(tableID)]
      }
    } else {
      eachBytes(column) { row, raw in
        guard let raw else { return }
        let tableID = strings.find(raw)
        ids[row] = tableID < 0 ? -1 : tableIDs[Int(tableID)]
      }
    }
    return ids
  }

  /// The id of each row's value; -1 for null and for values never assigned. Changes nothing but `cache`.
  func lookup(_ column: Column, cache: inout KeyLookupCache) -> [Int32] {
    switch column.form {
    case .constant(let one):
      if column.count == 0 { return [] }
      return [Int32](repeating: lookupValues(one.flat())[0], count: column.count)
    case .dictionary(_, let dictionary):
      if cache.dictionary !== dictionary {
        cache.dictionary = dictionary
        cache.ids = lookupValues(dictionary.values.flat())
      }
      var ids = [Int32](repeating: -1, count: column.count)
      let codes = column.codes
      let hasNulls = column.validity != nil
      for row in 0..<column.count where !(hasNulls && column.isNull(at: row)) { ids[row] = cache.ids[Int(codes[row])] }
      return ids
    default: return lookupValues(column)
    }
  }
}

extension Column {
  /// The value of an integer-like flat column.
  @inline(__always)
  fileprivate func integerKey(at row: Int) -> Int64 {
    switch type.physical {
    case .int64: int64s[row]
    case .int32: Int64(int32s[row])
    default: Int64(booleans[row])
    }
  }
}

/// Distinct combinations of several key columns, numbered in order of first appearance.
// unchecked Sendable because a table is filled by one thread, and only read once it is shared.
final class GroupTable: @unchecked Sendable {
  private let indexes: [KeyIndex]
  /// Level i folds key i + 1 into the ids so far.
  private var levels: [IntegerTable]

  init(types: [DataType]) {
    indexes = types.map { KeyIndex(type: $0) }
    levels = [IntegerTable](repeating: IntegerTable(), count: max(types.count - 1, 0))
  }

  var count: Int { levels.last?.keys.count ?? indexes.first?.count ?? 1 }
  var byteCount: Int { indexes.reduce(0) { $0 + $1.byteCount } + levels.reduce(0) { $0 + $1.byteCount } }

  /// The group of each row; without keys all rows are of group 0.
  func assign(_ keys: [Column], rows: Int) -> [Int32] {
    guard !indexes.isEmpty else { return [Int32](repeating: 0, count: rows) }
    var ids = indexes[0].assign(keys[0])
    for level in levels.indices {
      let next = indexes[level + 1].assign(keys[level + 1])
      for row in 0..<rows { ids[row] = levels[level].insert(Int64(ids[row]) << 32 | Int64(next[row])) }
    }
    return ids
  }

  /// The group of each row; -1 when a key is null or the combination was never assigned.
  func lookup(_ keys: [Column], rows: Int, caches: inout [KeyLookupCache]) -> [Int32] {
    guard !indexes.isEmpty else { return [Int32](repeating: 0, count: rows) }
    if caches.isEmpty { caches = indexes.map { _ in KeyLookupCache() } }
    var ids = indexes[0].lookup(keys[0], cache: &caches[0])
    for level in levels.indices {
      let next = indexes[level + 1].lookup(keys[level + 1], cache: &caches[level + 1])
      for row in 0..<rows {
        ids[row] = ids[row] < 0 || next[row] < 0 ? -1 : levels[level].find(Int64(ids[row]) << 32 | Int64(next[row]))
      }
    }
    return ids
  }

  /// The key columns, one row a group.
  func keyColumns() -> [Column] {
    guard !indexes.isEmpty else { return [] }
    var ids = (0..<Int32(count)).map { $0 }
    var columns: [Column] = []
    for level in levels.indices.reversed() {
      let pairs = levels[level].keys
      columns.append(indexes[level + 1].values().gather(ids.map { Int32(truncatingIfNeeded: pairs[Int($0)] & 0xFFFF_FFFF) }.span))
      ids = ids.map { Int32(truncatingIfNeeded: pairs[Int($0)] >> 32) }
    }
    columns.append(indexes[0].values().gather(ids.span))
    return columns.reversed()
  }
}
