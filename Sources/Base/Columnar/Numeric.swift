// Exact decimal numbers in 16 bytes.
//
//   127 ........................... 8   7 ......... 0
//   coefficient (signed, 120 bits)      scale 0...100, or a special code
//
// The value is coefficient / 10^scale. The scale is PostgreSQL's display scale: 1.0 and 1.00 are equal but print
// differently. 35 full digits fit; a result that needs more is refused with 22003 by the arithmetic, never rounded.

import Bedrock

@usableFromInline
package struct Numeric: Sendable, BitwiseCopyable {
  @usableFromInline package var bits: Int128

  package static let scaleMax = 100
  private static let nanCode: Int128 = 0xFF
  private static let coefficientMax: Int128 = (1 << 119) - 1

  package static let nan = Numeric(bits: nanCode)
  package static let zero = Numeric(bits: 0)

  package init(bits: Int128) { self.bits = bits }

  /// `nil` when the coefficient needs more than 120 bits or the scale is over the maximum.
  package init?(coefficient: Int128, scale: Int) {
    guard scale >= 0 && scale <= Self.scaleMax else { return nil }
    guard coefficient <= Self.coefficientMax && coefficient >= -Self.coefficientMax else { return nil }
    bits = coefficient << 8 | Int128(scale)
  }
  package init(_ value: Int64) { bits = Int128(value) << 8 }

  @inlinable package var coefficient: Int128 { bits >> 8 }
  @inlinable package var scale: Int { Int(truncatingIfNeeded: bits & 0xFF) }
  package var isNaN: Bool { bits & 0xFF == Self.nanCode }
}

/// PostgreSQL's interval: months, days and microseconds are kept apart because neither a month nor a day has a fixed length.
package struct Interval: Hashable, Sendable, BitwiseCopyable {
  package var months: Int32
  package var days: Int32
  package var micros: Int64
  package init(months: Int32 = 0, days: Int32 = 0, micros: Int64 = 0) {
    self.months = months
    self.days = days
    self.micros = micros
  }
}

/// The 16 bytes of a uuid in network order.
package struct UUIDValue: Hashable, Sendable, BitwiseCopyable {
  package var high: UInt64
  package var low: UInt64
  /// `high` and `low` hold the first and last 8 bytes as big-endian numbers (in memory: byte-swapped, network order).
  package init(high: UInt64, low: UInt64) {
    self.high = high.bigEndian
    self.low = low.bigEndian
  }
}
