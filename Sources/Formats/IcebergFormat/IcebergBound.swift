// One value in Iceberg's binary single-value form: the bounds of a column in a manifest. Iceberg specification,
// appendix D.
//
//   int, date                     4 bytes, little-endian
//   long, time, timestamp(tz)     8 bytes, little-endian
//   float, double                 IEEE 754, little-endian
//   decimal                       the unscaled value, two's complement, big-endian, as few bytes as hold it
//   string, binary                the bytes
//
// NaN is never a bound; a bound of zero has the sign that covers the other zero (-0.0 sorts before 0.0).

package import Columnar

package enum IcebergBound {
  package enum Side: Sendable { case lower, upper }

  /// The bytes of a bound; nil when the value has no form in this type.
  package static func bytes(_ value: Scalar, _ type: IcebergType, _ side: Side) -> [UInt8]? {
    switch (type, value) {
    case (.boolean, .boolean(let value)): return [value ? 1 : 0]
    case (.int, .integer(let value)), (.date, .integer(let value)):
      guard let value = Int32(exactly: value) else { return nil }
      return littleEndian(UInt64(UInt32(bitPattern: value)), count: 4)
    case (.long, .integer(let value)), (.time, .integer(let value)), (.timestamp, .integer(let value)),
      (.timestamptz, .integer(let value)):
      return littleEndian(UInt64(bitPattern: value), count: 8)
    case (.float, .float(let value)):
      let single = Float(value)
      // A bound that rounds would no longer hold.
      guard !value.isNaN, Double(single) == value else { return nil }
      return littleEndian(UInt64(signed(single, side).bitPattern), count: 4)
    case (.double, .float(let value)):
      return value.isNaN ? nil : littleEndian(signed(value, side).bitPattern, count: 8)
    case (.decimal(_, let scale), .numeric(let value)): return unscaled(value, scale).map(bigEndian)
    case (.string, .bytes(let value)), (.binary, .bytes(let value)): return value
    default: return nil
    }
  }

  private static func signed<T: BinaryFloatingPoint>(_ value: T, _ side: Side) -> T {
    if value != 0 { return value }
    return side == .lower ? -0.0 : 0.0
  }

  private static func littleEndian(_ value: UInt64, count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64($0 * 8)) }
  }

  /// The value as an integer of units of 10^-scale.
  private static func unscaled(_ value: Numeric, _ scale: Int) -> Int128? {
    if value.isNaN || value.scale > scale { return nil }
    var result = value.coefficient
    for _ in value.scale..<scale {
      let (next, overflow) = result.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      result = next
    }
    return result
  }

  private static func bigEndian(_ value: Int128) -> [UInt8] {
    var bytes = (0..<16).map { UInt8(truncatingIfNeeded: value >> Int128((15 - $0) * 8)) }
    // A leading byte goes while the next one has the same sign.
    while bytes.count > 1, bytes[0] == (bytes[1] & 0x80 == 0 ? 0x00 : 0xFF) { bytes.removeFirst() }
    return bytes
  }
}
