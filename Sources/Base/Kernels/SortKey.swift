// Rows as byte strings that memcmp orders as SQL does: what sorts, groups and joins compare.
//
// Each value is a flag byte (null or not) and then:
//   integers    big-endian with the sign bit flipped
//   floats      bits flipped so that they order; NaN last, -0 = 0
//   numeric     sign byte, decimal exponent, digits two at a time; 1.0 and 1.00 encode alike
//   text, bytea 0x00 escaped as 0x00 0xFF, then 0x00 0x00
//   interval    the 128-bit comparable, big-endian
//   list        element after element, each with a flag byte; 0 ends
// A descending key has all its value bytes inverted; the flag byte follows NULLS FIRST or LAST alone.

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
}

package enum RowKey {
  /// Encodes all rows over `columns`, which have equal length and an order each.
  package static func encode(_ columns: [Column], orders: [RowKeyOrder], rows: Int) -> EncodedRows {
    precondition(columns.count == orders.count)
    var encoded = EncodedRows()
    encoded.offsets.reserveCapacity(rows + 1)
    encoded.bytes.reserveCapacity(rows * columns.count * 9)
    let flats = columns.map { $0.flat() }
    for row in 0..<rows {
      for index in flats.indices { append(flats[index], row, orders[index], to: &encoded.bytes) }
      encoded.offsets.append(encoded.bytes.count)
    }
    return encoded
  }

  private static func append(_ column: Column, _ row: Int, _ order: RowKeyOrder, to out: inout [UInt8]) {
    if column.isNull(at: row) {
      out.append(order.nullsFirst ? 0 : 2)
      return
    }
    out.append(1)
    let start = out.count
    appendValue(column, row, to: &out)
    if order.descending { for index in start..<out.count { out[index] = ~out[index] } }
  }

  @inline(__always)
  private static func append<T: FixedWidthInteger>(_ value: T, to out: inout [UInt8]) {
    withUnsafeBytes(of: value.bigEndian) { out.append(contentsOf: $0) }
  }

  private static func appendValue(_ column: Column, _ row: Int, to out: inout [UInt8]) {
    switch column.form {
    case .bytes:
      let start = Int(column.offsets[row]), end = Int(column.offsets[row + 1])
      let data = column.data
      for index in start..<end {
        let byte = data[index]
        out.append(byte)
        if byte == 0 { out.append(0xFF) }
      }
      out.append(0)
      out.append(0)
    case .list(_, let elements):
      for index in Int(column.offsets[row])..<Int(column.offsets[row + 1]) {
        append(elements.flat(), index, .equality, to: &out)
      }
      out.append(0)
    case .fixed: appendFixed(column, row, to: &out)
    case .dictionary, .constant: preconditionFailure("keys are encoded from flat columns")
    }
  }

  private static func appendFixed(_ column: Column, _ row: Int, to out: inout [UInt8]) {
    switch column.type.physical {
    case .bool8: out.append(column.booleans[row])
    case .int32:
      let value = column.int32s[row]
      switch column.type {
      case .oid, .regclass, .regtype, .regproc, .regnamespace: append(UInt32(bitPattern: value), to: &out)
      default: append(UInt32(bitPattern: value) ^ 0x8000_0000, to: &out)
      }
    case .int64: append(UInt64(bitPattern: column.int64s[row]) ^ 1 << 63, to: &out)
    case .float32: append(ordered(Double(column.float32s[row])), to: &out)
    case .float64: append(ordered(column.float64s[row]), to: &out)
    case .numeric: append(column.numerics[row], to: &out)
    case .interval: append(UInt128(bitPattern: column.intervals[row].comparable) ^ 1 << 127, to: &out)
    case .uuid:
      // stored in network order already
      withUnsafeBytes(of: column.values(UUIDValue.self)[row]) { out.append(contentsOf: $0) }
    case .bytes, .list: preconditionFailure("a variable-width type in fixed form")
    }
  }

  /// Bits that order as SQL orders floats.
  package static func ordered(_ value: Double) -> UInt64 {
    if value.isNaN { return .max }
    let bits = value == 0 ? 0 : value.bitPattern
    return bits >> 63 == 1 ? ~bits : bits | 1 << 63
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
    var digits: [UInt8] = []
    var rest = coefficient.magnitude
    while rest > 0 {
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      digits.append(UInt8(digit))
      rest = quotient
    }
    // exponent of the leading digit, -100 ... 36
    out.append(UInt8(digits.count - 1 - value.scale + 128))
    var last = 0
    while digits[last] == 0 { last += 1 }
    // 1 ... 10 for digits, 0 ends: a prefix sorts first
    for index in stride(from: digits.count - 1, through: last, by: -1) { out.append(digits[index] + 1) }
    out.append(0)
    if negative { for index in start..<out.count { out[index] = ~out[index] } }
  }
}
