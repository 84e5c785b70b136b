// Rows as byte strings that memcmp orders as SQL does: what sorts, groups and joins compare.
//
// Each value is a flag byte (null or not) and then:
//   integers    big-endian with the sign bit flipped
//   floats      bits flipped so that they order; NaN last, -0 = 0
//   numeric     sign byte, decimal exponent, digits plus one, 0 ends; 1.0 and 1.00 encode alike
//   text, bytea 0x00 escaped as 0x00 0xFF, then 0x00 0x00
//   interval    the 128-bit comparable, big-endian
//   list        element after element, each with a flag byte; 0 ends
// A descending key has all its value bytes inverted; the flag byte follows NULLS FIRST or LAST alone.
//
// Encoding goes column after column, twice: first the lengths, which give every row its place, then the bytes.

import Bedrock
package import Columnar

/// Encoded rows: row i is bytes `offsets[i] ..< offsets[i + 1]`.
package struct EncodedRows: Sendable {
  package var offsets: [Int] = [0]
  package var bytes: [UInt8] = []
  package var count: Int { offsets.count - 1 }
  /// No rows.
  package init() {}
}

package struct RowKeyOrder: Sendable {
  package let descending: Bool
  package let nullsFirst: Bool
  package init(descending: Bool, nullsFirst: Bool) {
    self.descending = descending
    self.nullsFirst = nullsFirst
  }
  package static let equality = RowKeyOrder(descending: false, nullsFirst: false)
  fileprivate var nullFlag: UInt8 { nullsFirst ? 0 : 2 }
}

package enum RowKey {
  /// Encodes all rows over `columns`, which have equal length and an order each.
  package static func encode(_ columns: [Column], orders: [RowKeyOrder], rows: Int) -> EncodedRows {
    precondition(columns.count == orders.count)
    let keys = columns.map { EncodableKey($0.flat()) }
    var encoded = EncodedRows()
    encoded.offsets = [Int](repeating: 0, count: rows + 1)
    for key in keys { key.addLengths(to: &encoded.offsets) }
    var total = 0
    for row in 0..<rows {
      total += encoded.offsets[row + 1]
      encoded.offsets[row + 1] = total
    }
    var cursors = encoded.offsets
    encoded.bytes = [UInt8](unsafeUninitializedCapacity: total) { out, count in
      count = total
      guard let base = out.baseAddress else { return }
      for (key, order) in zip(keys, orders) { key.write(order, to: base, at: &cursors) }
    }
    for row in 0..<rows { assert(cursors[row] == encoded.offsets[row + 1]) }
    return encoded
  }

  /// Bits that order as SQL orders floats.
  @inline(__always)
  package static func ordered(_ value: Double) -> UInt64 {
    if value.isNaN { return .max }
    let bits = value == 0 ? 0 : value.bitPattern
    return bits >> 63 == 1 ? ~bits : bits | 1 << 63
  }

  /// The float of bits that `ordered` made.
  package static func double(_ word: UInt64) -> Double {
    if word == .max { return .nan }
    return Double(bitPattern: word >> 63 == 1 ? word ^ 1 << 63 : ~word)
  }

  /// The values of a flat column of at most 64 bits as words that order as SQL does, null rows apart; `nil` for other
  /// types.
  package static func words(_ column: Column, descending: Bool) -> Buffer? {
    let flip: UInt64 = descending ? .max : 0
    switch column.type.physical {
    case .bool8: return words(column, UInt8.self) { UInt64($0) ^ flip }
    case .int32:
      if isUnsigned(column.type) { return words(column, UInt32.self) { UInt64($0) ^ flip } }
      return words(column, Int32.self) { UInt64(bitPattern: Int64($0)) ^ 1 << 63 ^ flip }
    case .int64: return words(column, Int64.self) { UInt64(bitPattern: $0) ^ 1 << 63 ^ flip }
    case .float32: return words(column, Float.self) { ordered(Double($0)) ^ flip }
    case .float64: return words(column, Double.self) { ordered($0) ^ flip }
    case .numeric, .interval, .uuid, .bytes, .list: return nil
    }
  }

  @inline(__always)
  private static func words<T: BitwiseCopyable>(
    _ column: Column, _ type: T.Type, _ word: (T) -> UInt64
  ) -> Buffer {
    let values = column.values(T.self)
    return Buffer.of(UInt64.self, count: column.count) { out in
      for row in 0..<values.count { out[row] = word(values[row]) }
    }
  }

  fileprivate static func isUnsigned(_ type: DataType) -> Bool {
    switch type {
    case .oid, .regclass, .regtype, .regproc, .regnamespace: true
    default: false
    }
  }
}

/// One flat column about to be encoded. Numerics and lists are encoded ahead, because only that gives their lengths.
private struct EncodableKey {
  let column: Column
  let ahead: EncodedRows?

  init(_ column: Column) {
    self.column = column
    switch column.type.physical {
    case .numeric: ahead = Self.numerics(column)
    case .list: ahead = Self.lists(column)
    default: ahead = nil
    }
  }

  /// Bytes of a value of fixed encoded width, without the flag.
  private var width: Int? {
    switch column.type.physical {
    case .bool8: 1
    case .int32: 4
    case .int64, .float32, .float64: 8
    case .interval, .uuid: 16
    case .numeric, .bytes, .list: nil
    }
  }

  /// Adds each row's length, flag included, to the entry after it.
  func addLengths(to lengths: inout [Int]) {
    let validity = column.validity
    if let width {
      for row in 0..<column.count { lengths[row + 1] += 1 + (validity?.isSet(row) ?? true ? width : 0) }
    } else if let ahead {
      for row in 0..<column.count { lengths[row + 1] += 1 + ahead.offsets[row + 1] - ahead.offsets[row] }
    } else {
      let offsets = column.offsets
      let data = column.data
      for row in 0..<column.count {
        lengths[row + 1] += 1
        if let validity, !validity.isSet(row) { continue }
        var zeros = 0
        for index in Int(offsets[row])..<Int(offsets[row + 1]) { zeros += data[index] == 0 ? 1 : 0 }
        lengths[row + 1] += Int(offsets[row + 1] - offsets[row]) + zeros + 2
      }
    }
  }

  /// Writes each row's value at its cursor, which moves behind it.
  func write(_ order: RowKeyOrder, to out: UnsafeMutablePointer<UInt8>, at cursors: inout [Int]) {
    switch column.type.physical {
    case .bool8: writeFixed(order, out, &cursors, UInt8.self) { $0 }
    case .int32:
      if RowKey.isUnsigned(column.type) {
        writeFixed(order, out, &cursors, UInt32.self) { $0 }
      } else {
        writeFixed(order, out, &cursors, Int32.self) { UInt32(bitPattern: $0) ^ 1 << 31 }
      }
    case .int64: writeFixed(order, out, &cursors, Int64.self) { UInt64(bitPattern: $0) ^ 1 << 63 }
    case .float32: writeFixed(order, out, &cursors, Float.self) { RowKey.ordered(Double($0)) }
    case .float64: writeFixed(order, out, &cursors, Double.self) { RowKey.ordered($0) }
    case .interval: writeFixed(order, out, &cursors, Interval.self) { UInt128(bitPattern: $0.comparable) ^ 1 << 127 }
    // stored in network order already, which the writer makes once more
    case .uuid: writeFixed(order, out, &cursors, UInt128.self) { $0.bigEndian }
    case .bytes: writeBytes(order, out, &cursors)
    case .numeric, .list: writeAhead(order, out, &cursors)
    }
  }

  @inline(__always)
  private func writeFixed<T: BitwiseCopyable, W: FixedWidthInteger & BitwiseCopyable>(
    _ order: RowKeyOrder, _ out: UnsafeMutablePointer<UInt8>, _ cursors: inout [Int], _ type: T.Type, _ word: (T) -> W
  ) {
    let values = column.values(T.self)
    let flip: W = order.descending ? ~0 : 0
    let validity = column.validity
    cursors.withUnsafeMutableBufferPointer { cursors in
      for row in 0..<values.count {
        let at = cursors[row]
        if let validity, !validity.isSet(row) {
          out[at] = order.nullFlag
          cursors[row] = at + 1
          continue
        }
        out[at] = 1
        UnsafeMutableRawPointer(out + at + 1).storeBytes(of: (word(values[row]) ^ flip).bigEndian, as: W.self)
        cursors[row] = at + 1 + MemoryLayout<W>.size
      }
    }
  }

  private func writeBytes(_ order: RowKeyOrder, _ out: UnsafeMutablePointer<UInt8>, _ cursors: inout [Int]) {
    let offsets = column.offsets
    let data = column.data
    let validity = column.validity
    let flip: UInt8 = order.descending ? 0xFF : 0
    for row in 0..<column.count {
      var at = cursors[row]
      let isValid = validity?.isSet(row) ?? true
      out[at] = isValid ? 1 : order.nullFlag
      at += 1
      if isValid {
        for index in Int(offsets[row])..<Int(offsets[row + 1]) {
          let byte = data[index]
          out[at] = byte ^ flip
          at += 1
          if byte == 0 {
            out[at] = 0xFF ^ flip
            at += 1
          }
        }
        out[at] = flip
        out[at + 1] = flip
        at += 2
      }
      cursors[row] = at
    }
  }

  private func writeAhead(_ order: RowKeyOrder, _ out: UnsafeMutablePointer<UInt8>, _ cursors: inout [Int]) {
    guard let ahead else { preconditionFailure("numerics and lists are encoded ahead") }
    let validity = column.validity
    let flip: UInt8 = order.descending ? 0xFF : 0
    for row in 0..<column.count {
      var at = cursors[row]
      out[at] = validity?.isSet(row) ?? true ? 1 : order.nullFlag
      at += 1
      for index in ahead.offsets[row]..<ahead.offsets[row + 1] {
        out[at] = ahead.bytes[index] ^ flip
        at += 1
      }
      cursors[row] = at
    }
  }

  /// The elements of each row with their flags, then 0.
  private static func lists(_ column: Column) -> EncodedRows {
    guard case .list(_, let elements) = column.form else { preconditionFailure("a list column is flat here") }
    let inner = RowKey.encode([elements], orders: [.equality], rows: elements.count)
    let offsets = column.offsets
    var encoded = EncodedRows()
    for row in 0..<column.count {
      if column.validity?.isSet(row) ?? true {
        encoded.bytes += inner.bytes[inner.offsets[Int(offsets[row])]..<inner.offsets[Int(offsets[row + 1])]]
        encoded.bytes.append(0)
      }
      encoded.offsets.append(encoded.bytes.count)
    }
    return encoded
  }

  private static func numerics(_ column: Column) -> EncodedRows {
    let values = column.numerics
    var encoded = EncodedRows()
    encoded.offsets.reserveCapacity(column.count + 1)
    for row in 0..<values.count {
      if column.validity?.isSet(row) ?? true { append(values[row], to: &encoded.bytes) }
      encoded.offsets.append(encoded.bytes.count)
    }
    return encoded
  }

  private static func append(_ value: Numeric, to out: inout [UInt8]) {
    if value.isNaN {
      out.append(3)
      return
    }
    let coefficient = value.coefficient
    if coefficient == 0 {
      out.append(1)
      return
    }
    let negative = coefficient < 0
    out.append(negative ? 0 : 2)
    let start = out.count
    // the exponent of the leading digit, -100 ... 36, takes this place once the digits are counted
    out.append(0)
    var rest = coefficient.magnitude
    var digits = 0
    while rest > 0 {
      // 1 ... 10 for digits, 0 ends: a prefix sorts first; trailing zeros are left out
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      if out.count > start + 1 || digit != 0 { out.append(UInt8(digit) + 1) }
      digits += 1
      rest = quotient
    }
    out[start] = UInt8(digits - 1 - value.scale + 128)
    out[(start + 1)...].reverse()
    out.append(0)
    if negative { for index in start..<out.count { out[index] = ~out[index] } }
  }
}
