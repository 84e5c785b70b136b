// A column under construction that can take back its last rows.
//
//   values     count values of a fixed width; for bytes: count + 1 offsets (Int32), the first 0
//   data       for bytes: the text itself
//   validity   one bit a row, set = valid; bits at and past `count` are zero
//
// Invariants: count <= capacity. A null row has zero bytes, or no bytes. A column may lag behind its table's row count:
// the missing rows are nulls, added by the next append or by `finish`. That makes an absent field cost nothing.
// Memory grows by doubling and is kept from batch to batch.

import Bedrock
import Columnar

final class ColumnBuffer {
  let type: DataType
  /// Bytes of a value; 4 for the offsets of a bytes column.
  private let width: Int
  private let isBytes: Bool
  private(set) var count = 0
  private var capacity: Int
  private var values: UnsafeMutableRawPointer
  private var validity: UnsafeMutablePointer<UInt64>
  private var data: UnsafeMutablePointer<UInt8>
  private var dataCapacity: Int
  private(set) var dataCount = 0
  private var validCount = 0

  init(type: DataType) {
    precondition(type.physical != .list, "lists are no event columns yet")
    self.type = type
    isBytes = type.physical == .bytes
    width = type.physical.width ?? 4
    capacity = 1_024
    values = .allocate(byteCount: (capacity + 1) * width, alignment: 16)
    values.initializeMemory(as: UInt8.self, repeating: 0, count: width)
    validity = .allocate(capacity: capacity / 64)
    validity.initialize(repeating: 0, count: capacity / 64)
    dataCapacity = isBytes ? 16_384 : 0
    data = .allocate(capacity: dataCapacity)
  }

  deinit {
    values.deallocate()
    validity.deallocate()
    data.deallocate()
  }

  // MARK: Append. `row` is the row the value belongs to; rows before it that were left out become null.

  @inline(__always)
  func append<T: BitwiseCopyable>(_ value: T, row: Int) {
    assert(MemoryLayout<T>.size == width && !isBytes)
    begin(row)
    values.storeBytes(of: value, toByteOffset: count * width, as: T.self)
    markValid()
  }

  @inline(__always)
  func append(bytes: UnsafeBufferPointer<UInt8>, row: Int) {
    assert(isBytes)
    begin(row)
    if dataCapacity - dataCount < bytes.count { growData(by: bytes.count) }
    if let base = bytes.baseAddress { (data + dataCount).update(from: base, count: bytes.count) }
    dataCount += bytes.count
    storeOffset()
    markValid()
  }

  func appendNull(row: Int) {
    begin(row)
    advanceNull()
  }

  /// Drops rows at and past `row`, if there are any.
  func truncate(to row: Int) {
    guard count > row else { return }
    for index in row..<count {
      let bit: UInt64 = 1 << UInt64(index & 63)
      if validity[index >> 6] & bit != 0 { validCount -= 1 }
      validity[index >> 6] &= ~bit
    }
    count = row
    if isBytes { dataCount = Int(values.load(fromByteOffset: row * 4, as: Int32.self)) }
  }

  /// The column of `rowCount` rows; the buffer is empty afterwards.
  func finish(rowCount: Int) -> Column {
    padNulls(to: rowCount)
    precondition(count == rowCount, "a column is never longer than its table")
    let validBits = validCount == count ? nil : Bitmap(buffer: copy(validity, Bitmap.wordCount(count) * 8), count: count)
    let column: Column
    if isBytes {
      let form = Column.Form.bytes(offsets: copy(values, (count + 1) * 4), data: copy(data, dataCount))
      column = Column(type: type, count: count, validity: validBits, form: form)
    } else {
      column = .fixed(type, count: count, validity: validBits, copy(values, count * width))
    }
    validity.update(repeating: 0, count: Bitmap.wordCount(count))
    count = 0
    dataCount = 0
    validCount = 0
    return column
  }

  // MARK: Parts

  @inline(__always)
  private func begin(_ row: Int) {
    precondition(row >= count, "a row is written once")
    if row > count { padNulls(to: row) }
    if count == capacity { grow() }
  }

  @inline(__always)
  private func markValid() {
    validity[count >> 6] |= 1 << UInt64(count & 63)
    validCount += 1
    count += 1
  }

  private func padNulls(to row: Int) {
    while count < row {
      if count == capacity { grow() }
      advanceNull()
    }
  }

  private func advanceNull() {
    if isBytes {
      storeOffset()
    } else {
      (values + count * width).initializeMemory(as: UInt8.self, repeating: 0, count: width)
    }
    count += 1
  }

  @inline(__always)
  private func storeOffset() {
    values.storeBytes(of: Int32(truncatingIfNeeded: dataCount), toByteOffset: (count + 1) * 4, as: Int32.self)
  }

  private func grow() {
    let larger = capacity * 2
    let moved = UnsafeMutableRawPointer.allocate(byteCount: (larger + 1) * width, alignment: 16)
    moved.copyMemory(from: values, byteCount: (capacity + 1) * width)
    values.deallocate()
    values = moved
    let words = UnsafeMutablePointer<UInt64>.allocate(capacity: larger / 64)
    words.initialize(from: validity, count: capacity / 64)
    (words + capacity / 64).initialize(repeating: 0, count: larger / 64 - capacity / 64)
    validity.deallocate()
    validity = words
    capacity = larger
  }

  private func growData(by more: Int) {
    precondition(dataCount + more <= Int(Int32.max), "a batch is far smaller than the offsets allow")
    var larger = dataCapacity * 2
    while larger < dataCount + more { larger *= 2 }
    let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
    moved.initialize(from: data, count: dataCount)
    data.deallocate()
    data = moved
    dataCapacity = larger
  }

  private func copy(_ source: UnsafeRawPointer, _ byteCount: Int) -> Buffer {
    Buffer(uninitializedByteCount: byteCount) { $0.copyMemory(from: .init(start: source, count: byteCount)) }
  }
}
