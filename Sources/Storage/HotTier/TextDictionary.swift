// Finds the distinct values of a bytes column when they are few, so that the column is stored as codes.

import Bedrock
import Columnar

enum TextDictionary {
  private static let sampleRows = 64
  private static let entriesMax = 4_096

  /// Codes and distinct values, or `nil` when there are too many of them to be worth it. Null rows get the code of the
  /// empty value, or 0.
  static func build(_ column: Column) -> (codes: [Int32], entries: Column)? {
    precondition(column.type.physical == .bytes)
    let count = column.count
    guard count >= 8 else { return nil }
    let allowed = min(entriesMax, count / 4)
    var slots = [Int32](repeating: -1, count: 4_096)
    var firstRows: [Int32] = []
    var codes = [Int32](repeating: 0, count: count)
    let offsets = column.offsets
    let data = column.data
    for row in 0..<count {
      let start = Int(offsets[row])
      let length = Int(offsets[row + 1]) - start
      let value = data.extracting(start..<start + length)
      var slot = Int(hash(value)) & (slots.count - 1)
      while slots[slot] >= 0 {
        let first = Int(firstRows[Int(slots[slot])])
        let firstStart = Int(offsets[first])
        if Int(offsets[first + 1]) - firstStart == length && isEqual(data, start, firstStart, length) { break }
        slot = (slot + 1) & (slots.count - 1)
      }
      if slots[slot] < 0 {
        if firstRows.count == allowed { return nil }
        if row == sampleRows && firstRows.count > sampleRows / 2 { return nil }
        slots[slot] = Int32(firstRows.count)
        firstRows.append(Int32(row))
        if firstRows.count * 2 > slots.count { rehash(&slots, firstRows, offsets, data) }
        codes[row] = Int32(firstRows.count - 1)
      } else {
        codes[row] = slots[slot]
      }
    }
    // A null row may have added the empty value; that is harmless.
    let entries = Column(type: column.type, count: count, validity: nil, form: column.form).gather(firstRows.span)
    return (codes, entries)
  }

  private static func rehash(
    _ slots: inout [Int32], _ firstRows: [Int32], _ offsets: Span<Int32>, _ data: Span<UInt8>
  ) {
    slots = [Int32](repeating: -1, count: slots.count * 2)
    for code in 0..<firstRows.count {
      let row = Int(firstRows[code])
      var slot = Int(hash(data.extracting(Int(offsets[row])..<Int(offsets[row + 1])))) & (slots.count - 1)
      while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = Int32(code)
    }
  }

  private static func isEqual(_ data: Span<UInt8>, _ a: Int, _ b: Int, _ length: Int) -> Bool {
    for index in 0..<length where data[a + index] != data[b + index] { return false }
    return true
  }

  /// Multiply and fold, eight bytes a step. Only this process and this column see it.
  private static func hash(_ value: Span<UInt8>) -> UInt32 {
    value.withUnsafeBytes { raw in
      var state: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(raw.count)
      var offset = 0
      while raw.count - offset >= 8 {
        state = (state ^ raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0xBF58_476D_1CE4_E5B9
        state ^= state >> 29
        offset += 8
      }
      while offset < raw.count {
        state = (state ^ UInt64(raw[offset])) &* 0x94D0_49BB_1331_11EB
        state ^= state >> 29
        offset += 1
      }
      return UInt32(truncatingIfNeeded: state ^ state >> 32)
    }
  }
}
