// Exact decimals under a declared precision and scale. Nothing is rounded: a value with more places than the scale, or
// more digits than the precision, is refused.

import Columnar

enum DecimalText {
  /// 10^0 ... 10^36.
  private static let powers: [Int128] = (0...36).reduce(into: []) { powers, _ in
    powers.append(powers.last.map { $0 * 10 } ?? 1)
  }

  /// `[-+]digits[.digits]`; `nil` when the text has another form or does not fit.
  static func parse(_ text: UnsafeBufferPointer<UInt8>, _ modifier: DataType.NumericModifier) -> Numeric? {
    var at = 0
    var isNegative = false
    if let first = text.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
      isNegative = first == UInt8(ascii: "-")
      at = 1
    }
    var coefficient: Int128 = 0
    var digits = 0, places = 0
    var inFraction = false
    while at < text.count {
      let byte = text[at]
      at += 1
      if byte == UInt8(ascii: ".") && !inFraction {
        inFraction = true
        continue
      }
      guard byte >= 0x30 && byte <= 0x39 else { return nil }
      digits += 1
      if inFraction && places == modifier.scale {
        if byte != 0x30 { return nil }
        continue
      }
      if inFraction { places += 1 }
      coefficient = coefficient * 10 + Int128(byte - 0x30)
      if coefficient >= powers[modifier.precision] { return nil }
    }
    guard digits > 0 else { return nil }
    coefficient *= powers[modifier.scale - places]
    return scaled(isNegative ? -coefficient : coefficient, modifier)
  }

  /// A double that came from decimal text of at most 15 significant digits is that decimal; past that the text form is
  /// needed, since digits are lost already.
  static func exactly(_ value: Double, _ modifier: DataType.NumericModifier) -> Numeric? {
    guard value.isFinite, modifier.scale <= 22 else { return nil }
    let power = Double(powers[modifier.scale])
    let scaledValue = (value * power).rounded()
    guard scaledValue.magnitude < 1e15, scaledValue / power == value else { return nil }
    return scaled(Int128(scaledValue), modifier)
  }

  static func integer(_ value: Int128, _ modifier: DataType.NumericModifier) -> Numeric? {
    guard value.magnitude < powers[modifier.precision].magnitude else { return nil }
    return scaled(value * powers[modifier.scale], modifier)
  }

  /// A coefficient that has the scale already.
  static func scaled(_ coefficient: Int128, _ modifier: DataType.NumericModifier) -> Numeric? {
    guard coefficient.magnitude < powers[modifier.precision].magnitude else { return nil }
    return Numeric(coefficient: coefficient, scale: modifier.scale)
  }
}
