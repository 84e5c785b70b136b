// Row numbers in SQL order.
//
// Keys of at most 64 bits, and dictionary-coded keys of any type, are words: a stable radix sort from the last key to
// the first, a byte at a time, skipping bytes that are alike everywhere. Other rows are ordered by encoded keys: one
// memcmp a comparison, with eight bytes of it in a register.

import Bedrock
import Columnar
import Glibc
import Kernels
import Plan

enum SortedRows {
  /// Row numbers in order; equal keys keep their order.
  static func order(_ columns: [Column], _ keys: [SortKey], rows: Int) -> [Int32] {
    let orders = orders(keys)
    if let order = WordSort.order(columns, orders, rows: rows) { return order }
    return order(RowKey.encode(columns, orders: orders, rows: rows))
  }

  static func orders(_ keys: [SortKey]) -> [RowKeyOrder] {
    keys.map { RowKeyOrder(descending: $0.descending, nullsFirst: $0.nullsFirst) }
  }

  private struct Entry {
    let prefix: UInt64
    let row: Int32
  }

  static func order(_ encoded: EncodedRows) -> [Int32] {
    encoded.bytes.withUnsafeBytes { raw in
      encoded.offsets.withUnsafeBufferPointer { offsets in
        var entries: [Entry] = []
        entries.reserveCapacity(encoded.count)
        for row in 0..<encoded.count {
          entries.append(Entry(prefix: prefix(raw, offsets[row], offsets[row + 1]), row: Int32(row)))
        }
        entries.sort { a, b in
          if a.prefix != b.prefix { return a.prefix < b.prefix }
          let order = compare(
            raw, offsets[Int(a.row)], offsets[Int(a.row) + 1], raw, offsets[Int(b.row)], offsets[Int(b.row) + 1])
          return order != 0 ? order < 0 : a.row < b.row
        }
        return entries.map(\.row)
      }
    }
  }

  private static func prefix(_ raw: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> UInt64 {
    if end - start >= 8 { return UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: start, as: UInt64.self)) }
    var value: UInt64 = 0
    for index in 0..<8 { value = value << 8 | (start + index < end ? UInt64(raw[start + index]) : 0) }
    return value
  }

  static func compare(
    _ a: UnsafeRawBufferPointer, _ startA: Int, _ endA: Int, _ b: UnsafeRawBufferPointer, _ startB: Int, _ endB: Int
  ) -> Int {
    let lengthA = endA - startA, lengthB = endB - startB
    let shared = min(lengthA, lengthB)
    if shared > 0, let baseA = a.baseAddress, let baseB = b.baseAddress {
      let order = memcmp(baseA + startA, baseB + startB, shared)
      if order != 0 { return Int(order) }
    }
    return lengthA - lengthB
  }
}

/// Stable radix sort over keys that fit words.
enum WordSort {
  private struct Entry {
    var word: UInt64
    var row: Int32
  }

  /// `nil` when some key does not fit a word.
  static func order(_ columns: [Column], _ orders: [RowKeyOrder], rows: Int) -> [Int32]? {
    var keys: [(words: Buffer, column: Column, nullsFirst: Bool)] = []
    for (column, order) in zip(columns, orders) {
      // a constant key orders nothing
      if case .constant = column.form { continue }
      guard let words = words(column, descending: order.descending) else { return nil }
      keys.append((words, column, order.nullsFirst))
    }
    var order = (0..<Int32(rows)).map { $0 }
    for key in keys.reversed() {
      sort(&order, key.words)
      if let validity = key.column.validity { part(&order, validity, nullsFirst: key.nullsFirst) }
    }
    return order
  }

  private static func words(_ column: Column, descending: Bool) -> Buffer? {
    guard let dictionary = column.dictionary else { return RowKey.words(column, descending: descending) }
    // Rank among the distinct values; worth it unless the dictionary is larger than the column.
    guard dictionary.count <= max(column.count, 16) else { return nil }
    let order = RowKeyOrder(descending: descending, nullsFirst: false)
    let encoded = RowKey.encode([dictionary.values], orders: [order], rows: dictionary.count)
    let sorted = SortedRows.order(encoded)
    var ranks = [UInt64](repeating: 0, count: dictionary.count)
    var rank: UInt64 = 0
    for position in sorted.indices.dropFirst() {
      // distinct entries may be equal to SQL: 1.0 and 1.00
      if !encoded.equal(Int(sorted[position - 1]), Int(sorted[position])) { rank += 1 }
      ranks[Int(sorted[position])] = rank
    }
    let codes = column.codes
    return Buffer.of(UInt64.self, count: column.count) { out in
      for row in 0..<codes.count { out[row] = ranks.isEmpty ? 0 : ranks[Int(codes[row])] }
    }
  }

  private static func sort(_ order: inout [Int32], _ buffer: Buffer) {
    let words = buffer.span(of: UInt64.self)
    var counts = [Int](repeating: 0, count: 8 * 256)
    var isSorted = true
    var last: UInt64 = 0
    var entries = [Entry](unsafeUninitializedCapacity: order.count) { out, count in
      for index in 0..<order.count {
        let word = words[Int(order[index])]
        out.initializeElement(at: index, to: Entry(word: word, row: order[index]))
        isSorted = isSorted && word >= last
        last = word
        for byte in 0..<8 { counts[byte &* 256 &+ Int(word &>> UInt64(byte &* 8) & 0xFF)] &+= 1 }
      }
      count = order.count
    }
    if isSorted { return }
    var spare = entries
    for byte in 0..<8 {
      let range = (byte * 256)..<(byte * 256 + 256)
      // all rows alike in this byte
      if counts[range].contains(order.count) { continue }
      var starts = [Int](repeating: 0, count: 256)
      for digit in 1..<256 { starts[digit] = starts[digit - 1] + counts[byte * 256 + digit - 1] }
      let shift = UInt64(byte * 8)
      entries.withUnsafeBufferPointer { source in
        spare.withUnsafeMutableBufferPointer { target in
          starts.withUnsafeMutableBufferPointer { starts in
            for entry in source {
              let digit = Int(entry.word &>> shift & 0xFF)
              target[starts[digit]] = entry
              starts[digit] &+= 1
            }
          }
        }
      }
      swap(&entries, &spare)
    }
    for index in order.indices { order[index] = entries[index].row }
  }

  /// Null rows to one end, all else in order.
  private static func part(_ order: inout [Int32], _ validity: Bitmap, nullsFirst: Bool) {
    var nulls: [Int32] = []
    var present: [Int32] = []
    present.reserveCapacity(order.count)
    for row in order { if validity.isSet(Int(row)) { present.append(row) } else { nulls.append(row) } }
    order = nullsFirst ? nulls + present : present + nulls
  }
}

extension EncodedRows {
  fileprivate func equal(_ a: Int, _ b: Int) -> Bool {
    bytes[offsets[a]..<offsets[a + 1]].elementsEqual(bytes[offsets[b]..<offsets[b + 1]])
  }
}
