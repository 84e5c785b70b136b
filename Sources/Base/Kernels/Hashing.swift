// Hashes of key columns: one 64-bit word a row, column after column mixed in. Equal SQL values have equal hashes
// (1.0 and 1.00, -0.0 and 0.0, text in dictionary or flat form). Null hashes to a constant.

import Bedrock
package import Columnar

package enum KeyHash {
  @inline(__always)
  static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
    // wyhash's core: a full product folded
    let (high, low) = (a ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(by: b ^ 0xE703_7ED1_A0B4_28DB)
    return high ^ low
  }

  /// Hash of a run of bytes.
  package static func bytes(_ raw: UnsafeRawBufferPointer) -> UInt64 {
    var hash = UInt64(raw.count) &* 0x9E37_79B9_7F4A_7C15
    var offset = 0
    while offset + 8 <= raw.count {
      hash = mix(hash, raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset += 8
    }
    if offset < raw.count {
      var tail: UInt64 = 0
      var shift: UInt64 = 0
      while offset < raw.count {
        tail |= UInt64(raw[offset]) << shift
        shift += 8
        offset += 1
      }
      hash = mix(hash, tail)
    }
    return hash
  }

  private static let nullWord: UInt64 = 0x5851_F42D_4C95_7F2D

  /// Mixes the values of `column` into `hashes`, one a row.
  package static func combine(_ column: Column, into hashes: inout [UInt64]) {
    precondition(hashes.count == column.count)
    var words = valueHashes(column)
    if column.mayHaveNulls { for row in 0..<column.count where column.isNull(at: row) { words[row] = nullWord } }
    for row in 0..<column.count { hashes[row] = mix(hashes[row], words[row]) }
  }

  private static func valueHashes(_ column: Column) -> [UInt64] {
    let rows = column.count
    var out = [UInt64](repeating: 0, count: rows)
    switch column.form {
    case .constant(let one):
      if rows > 0 { out = [UInt64](repeating: valueHashes(one.flat())[0], count: rows) }
    case .dictionary(_, let dictionary):
      let codes = column.codes
      if dictionary.count == 0 { return out }
      if dictionary.count <= rows * 2 {
        let entries = valueHashes(dictionary.values.flat())
        for row in 0..<rows { out[row] = entries[Int(codes[row])] }
      } else {
        return valueHashes(column.flat())
      }
    case .bytes:
      let offsets = column.offsets, data = column.data
      data.withUnsafeBytes { raw in
        for row in 0..<rows {
          out[row] = bytes(UnsafeRawBufferPointer(rebasing: raw[Int(offsets[row])..<Int(offsets[row + 1])]))
        }
      }
    case .list(_, let elements):
      let offsets = column.offsets
      let inner = valueHashes(elements.flat())
      for row in 0..<rows {
        var hash: UInt64 = 1
        for index in Int(offsets[row])..<Int(offsets[row + 1]) { hash = mix(hash, inner[index]) }
        out[row] = hash
      }
    case .fixed:
      switch column.type.physical {
      case .bool8:
        let values = column.booleans
        for row in 0..<rows { out[row] = UInt64(values[row]) }
      case .int32:
        let values = column.int32s
        for row in 0..<rows { out[row] = UInt64(bitPattern: Int64(values[row])) }
      case .int64:
        let values = column.int64s
        for row in 0..<rows { out[row] = UInt64(bitPattern: values[row]) }
      case .float32:
        let values = column.float32s
        for row in 0..<rows { out[row] = floatWord(Double(values[row])) }
      case .float64:
        let values = column.float64s
        for row in 0..<rows { out[row] = floatWord(values[row]) }
      case .numeric:
        let values = column.numerics
        for row in 0..<rows {
          let bits = values[row].canonical.bits
          out[row] = mix(UInt64(truncatingIfNeeded: bits), UInt64(truncatingIfNeeded: bits >> 64))
        }
      case .interval:
        let values = column.intervals
        for row in 0..<rows {
          let span = values[row].comparable
          out[row] = mix(UInt64(truncatingIfNeeded: span), UInt64(truncatingIfNeeded: span >> 64))
        }
      case .uuid:
        let values = column.values(UUIDValue.self)
        for row in 0..<rows { out[row] = mix(values[row].high, values[row].low) }
      case .bytes, .list: preconditionFailure("a variable-width type in fixed form")
      }
    }
    return out
  }

  @inline(__always)
  private static func floatWord(_ value: Double) -> UInt64 {
    if value.isNaN { return Double.nan.bitPattern }
    return value == 0 ? 0 : value.bitPattern
  }
}

extension Interval {
  /// Microseconds with months of 30 days and days of 24 hours: how intervals compare.
  package var comparable: Int128 {
    (Int128(months) * 30 + Int128(days)) * 86_400_000_000 + Int128(micros)
  }
}
