// Exact arithmetic on `Numeric` with PostgreSQL's result scales (numeric.c: add_var, mul_var, select_div_scale).
//
//   + -   scale = larger of the two          *   scale = sum of both
//   /     at least 16 significant digits, never fewer than either operand's scale; rounded half away from zero
//   %     scale = larger of the two; sign of the dividend
//
// A result that needs more than 120 bits is refused (`nil`), never rounded.

import Bedrock
package import Columnar

package enum PowerOfTen {
  /// 10^0 ... 10^38, all that fit in Int128.
  package static let table: [Int128] = {
    var list: [Int128] = [1]
    for _ in 0..<38 { list.append(list[list.count - 1] * 10) }
    return list
  }()
}

extension Numeric {
  /// The coefficient at a larger scale; `nil` when it does not fit 128 bits.
  @inline(__always)
  package func coefficient(atScale target: Int) -> Int128? {
    let shift = target - scale
    if shift == 0 { return coefficient }
    if coefficient == 0 { return 0 }
    precondition(shift > 0)
    if shift > 38 { return nil }
    let (product, overflow) = coefficient.multipliedReportingOverflow(by: PowerOfTen.table[shift])
    return overflow ? nil : product
  }

  package static func add(_ a: Numeric, _ b: Numeric) -> Numeric? {
    if a.isNaN || b.isNaN { return .nan }
    let scale = max(a.scale, b.scale)
    guard let x = a.coefficient(atScale: scale), let y = b.coefficient(atScale: scale) else { return nil }
    let (sum, overflow) = x.addingReportingOverflow(y)
    return overflow ? nil : Numeric(coefficient: sum, scale: scale)
  }

  package static func subtract(_ a: Numeric, _ b: Numeric) -> Numeric? { add(a, b.negated) }

  package var negated: Numeric {
    if isNaN { return self }
    // the coefficient's range is symmetric
    return Numeric(bits: -coefficient << 8 | Int128(scale))
  }

  package static func multiply(_ a: Numeric, _ b: Numeric) -> Numeric? {
    if a.isNaN || b.isNaN { return .nan }
    let (product, overflow) = a.coefficient.multipliedReportingOverflow(by: b.coefficient)
    return overflow ? nil : Numeric(coefficient: product, scale: a.scale + b.scale)
  }

  /// Decimal digits of a magnitude; 0 has none.
  private static func digitCount(_ value: UInt128) -> Int {
    var digits = 0
    var rest = value
    while rest >= 10_000_000_000_000_000_000 {
      rest /= 10_000_000_000_000_000_000
      digits += 19
    }
    var low = UInt64(rest)
    while low > 0 {
      low /= 10
      digits += 1
    }
    return digits
  }

  /// Weight and value of the first base-10000 digit, as PostgreSQL stores numbers.
  private var leadingDigit: (weight: Int, digit: Int) {
    let magnitude = coefficient.magnitude
    let digits = Self.digitCount(magnitude)
    if digits == 0 { return (0, 0) }
    // Position of the leading decimal digit relative to the point: 0 for 1 ... 9.
    let position = digits - 1 - scale
    let weight = position >= 0 ? position / 4 : -((-position + 3) / 4)
    // Decimal digits inside the first base-10000 digit.
    let taken = position - weight * 4 + 1
    var value = magnitude
    var drop = digits - taken
    while drop > 0 {
      let step = min(drop, 38)
      value /= UInt128(PowerOfTen.table[step])
      drop -= step
    }
    var digit = Int(value)
    if digits < taken { for _ in 0..<(taken - digits) { digit *= 10 } }
    return (weight, digit)
  }

  /// The scale PostgreSQL gives the quotient.
  package static func divisionScale(_ a: Numeric, _ b: Numeric) -> Int {
    let (weightA, digitA) = a.leadingDigit
    let (weightB, digitB) = b.leadingDigit
    var weight = weightA - weightB
    if digitA <= digitB { weight -= 1 }
    return min(max(16 - weight * 4, a.scale, b.scale, 0), scaleMax)
  }

  /// `b` is not zero.
  package static func divide(_ a: Numeric, _ b: Numeric) -> Numeric? {
    if a.isNaN || b.isNaN { return .nan }
    return divide(a, b, scale: divisionScale(a, b))
  }

  /// The quotient rounded half away from zero at `scale`; `b` is not zero.
  package static func divide(_ a: Numeric, _ b: Numeric, scale: Int) -> Numeric? {
    precondition(b.coefficient != 0)
    var numerator = a.coefficient.magnitude
    var divisor = b.coefficient.magnitude
    let negative = (a.coefficient < 0) != (b.coefficient < 0)
    var shift = scale + b.scale - a.scale
    while shift < 0 {
      let (product, overflow) = divisor.multipliedReportingOverflow(by: 10)
      if overflow { return Numeric(coefficient: 0, scale: scale) }
      divisor = product
      shift += 1
    }
    var quotient: UInt128 = 0
    var remainder: UInt128 = 0
    while shift > 0 {
      let (product, overflow) = numerator.multipliedReportingOverflow(by: 10)
      if overflow { break }
      numerator = product
      shift -= 1
    }
    (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: divisor)
    // What is left goes digit by digit: the remainder stays below the divisor, which has at most 120 bits.
    while shift > 0 {
      let (scaled, tooBig) = remainder.multipliedReportingOverflow(by: 10)
      if tooBig { return nil }
      let (digit, rest) = scaled.quotientAndRemainder(dividingBy: divisor)
      let (shifted, overflow) = quotient.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      quotient = shifted + digit
      remainder = rest
      shift -= 1
    }
    if remainder >= divisor - remainder { quotient += 1 }
    guard quotient <= UInt128(Int128.max) else { return nil }
    let signed = negative ? -Int128(quotient) : Int128(quotient)
    return Numeric(coefficient: signed, scale: scale)
  }

  /// `b` is not zero.
  package static func remainder(_ a: Numeric, _ b: Numeric) -> Numeric? {
    if a.isNaN || b.isNaN { return .nan }
    let scale = max(a.scale, b.scale)
    guard let x = a.coefficient(atScale: scale), let y = b.coefficient(atScale: scale) else { return nil }
    return Numeric(coefficient: x % y, scale: scale)
  }

  /// Rounded half away from zero; a negative scale rounds before the point. `nil`: too many digits.
  package func rounded(toScale target: Int) -> Numeric? {
    if isNaN { return self }
    if target >= scale { return coefficient(atScale: target).flatMap { Numeric(coefficient: $0, scale: target) } }
    let drop = scale - target
    let keptScale = max(target, 0)
    if drop > 38 { return Numeric(coefficient: 0, scale: keptScale) }
    let power = PowerOfTen.table[drop]
    let (quotient, rest) = coefficient.quotientAndRemainder(dividingBy: power)
    var value = quotient
    let magnitude = rest.magnitude
    if magnitude >= power.magnitude - magnitude { value += coefficient < 0 ? -1 : 1 }
    return Numeric(coefficient: value, scale: keptScale, shiftedBy: target < 0 ? -target : 0)
  }

  /// Cut towards zero.
  package func truncated(toScale target: Int) -> Numeric? {
    if isNaN { return self }
    if target >= scale { return coefficient(atScale: target).flatMap { Numeric(coefficient: $0, scale: target) } }
    let drop = scale - target
    let keptScale = max(target, 0)
    if drop > 38 { return Numeric(coefficient: 0, scale: keptScale) }
    return Numeric(
      coefficient: coefficient / PowerOfTen.table[drop], scale: keptScale, shiftedBy: target < 0 ? -target : 0)
  }

  private init?(coefficient: Int128, scale: Int, shiftedBy zeros: Int) {
    if coefficient == 0 || zeros == 0 {
      self.init(coefficient: coefficient, scale: scale)
      return
    }
    guard zeros <= 38 else { return nil }
    let (product, overflow) = coefficient.multipliedReportingOverflow(by: PowerOfTen.table[zeros])
    if overflow { return nil }
    self.init(coefficient: product, scale: scale)
  }

  package var floor: Numeric {
    if isNaN || scale == 0 { return self }
    if scale > 38 { return Numeric(coefficient < 0 ? -1 : 0) }
    let power = PowerOfTen.table[scale]
    let (quotient, rest) = coefficient.quotientAndRemainder(dividingBy: power)
    return Numeric(bits: (quotient - (rest < 0 ? 1 : 0)) << 8)
  }

  package var ceiling: Numeric { negated.floor.negated }

  /// SQL order: -1, 0, 1. NaN equals NaN and is above all others.
  package static func compare(_ a: Numeric, _ b: Numeric) -> Int {
    if a.isNaN || b.isNaN { return a.isNaN ? (b.isNaN ? 0 : 1) : -1 }
    var x = a.coefficient, y = b.coefficient
    if a.scale < b.scale {
      guard let scaled = a.coefficient(atScale: b.scale) else { return x < 0 ? -1 : 1 }
      x = scaled
    } else if b.scale < a.scale {
      guard let scaled = b.coefficient(atScale: a.scale) else { return y < 0 ? 1 : -1 }
      y = scaled
    }
    return x < y ? -1 : (x == y ? 0 : 1)
  }

  /// The same value without trailing zeros: equal numbers have equal bits.
  package var canonical: Numeric {
    if isNaN || scale == 0 { return self }
    var value = coefficient
    var places = scale
    if value == 0 { return .zero }
    while places > 0 {
      let (quotient, rest) = value.quotientAndRemainder(dividingBy: 10)
      if rest != 0 { break }
      value = quotient
      places -= 1
    }
    return Numeric(bits: value << 8 | Int128(places))
  }

  /// The integer nearest to the value (half away from zero); `nil` for NaN and what does not fit.
  package var roundedInt64: Int64? {
    guard !isNaN, let whole = rounded(toScale: 0) else { return nil }
    return Int64(exactly: whole.coefficient)
  }
}
