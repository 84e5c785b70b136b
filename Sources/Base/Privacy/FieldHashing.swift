// `hash(...)` of a whole column (DESIGN.md section 5).
//
//   sha256        HMAC-SHA-256 under the domain's hash key, 64 digits
//   sha256Plain   SHA-256 of the value alone, 64 digits
//   sha512        HMAC-SHA-512 under the domain's hash key, 128 digits
//
// Input: a bytes column (text as UTF-8, Data as it is, integers as decimal digits). Nulls stay null. Equal values of a
// domain give equal hashes on every replica and for ever.

package import Columnar
import Crypto
package import EventSchema

package enum FieldHashing {
  /// A text column with the hash of each value.
  package static func hash(_ column: Column, _ algorithm: HashAlgorithm, _ keys: DomainKeys) -> Column {
    precondition(column.type.physical == .bytes, "bytes are hashed")
    let flat = column.flat()
    guard case .bytes(let offsets, let data) = flat.form else { preconditionFailure("flat bytes have offsets") }
    let bounds = offsets.span(of: Int32.self)
    var builder = ColumnBuilder(type: .text, capacity: flat.count)
    var digits = [UInt8](repeating: 0, count: SHA512.byteCount * 2)
    for row in 0..<flat.count {
      if flat.isNull(at: row) {
        builder.appendNull()
        continue
      }
      let count = data.withUnsafeBytes { bytes in
        digest(
          UnsafeRawBufferPointer(rebasing: bytes[Int(bounds[row])..<Int(bounds[row + 1])]), algorithm, keys, into: &digits)
      }
      builder.append(bytes: digits.span.extracting(0..<count))
    }
    return builder.finish()
  }

  /// The column that `hashed` makes of text column `column`: `hashed[i]` in row `rows[i]`, the rest as it was.
  package static func place(_ hashed: Column, rows: [Int32], in column: Column) -> Column {
    precondition(hashed.count == rows.count && column.type.physical == .bytes)
    if rows.count == column.count { return hashed.retyped(column.type) }
    let base = column.flat(), new = hashed.flat()
    var builder = ColumnBuilder(type: column.type, capacity: column.count)
    var next = 0
    for row in 0..<column.count {
      if next < rows.count && Int(rows[next]) == row {
        append(new, next, to: &builder)
        next += 1
      } else {
        append(base, row, to: &builder)
      }
    }
    precondition(next == rows.count, "rows rise and lie in the column")
    return builder.finish()
  }

  private static func append(_ column: Column, _ row: Int, to builder: inout ColumnBuilder) {
    if column.isNull(at: row) { return builder.appendNull() }
    let offsets = column.offsets
    builder.append(bytes: column.data.extracting(Int(offsets[row])..<Int(offsets[row + 1])))
  }

  /// Writes the digits of one hash; returns how many.
  private static func digest(
    _ value: UnsafeRawBufferPointer, _ algorithm: HashAlgorithm, _ keys: DomainKeys, into digits: inout [UInt8]
  ) -> Int {
    var place = 0
    func put(_ byte: UInt8) {
      Hexadecimal.write(byte, at: place, to: &digits)
      place += 2
    }
    switch algorithm {
    case .sha256: for byte in HMAC<SHA256>.authenticationCode(for: value, using: keys.hash) { put(byte) }
    case .sha256Plain: for byte in SHA256.hash(data: value) { put(byte) }
    case .sha512: for byte in HMAC<SHA512>.authenticationCode(for: value, using: keys.hash) { put(byte) }
    }
    return place
  }
}
