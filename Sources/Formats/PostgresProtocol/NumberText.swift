// Numbers as PostgreSQL writes them. Each writer fills memory that the caller reserved and says how many bytes it used;
// the largest it can use is the constant beside it.
//
// float8: shortest digits that read back as the same value. Numbers that have at most 15 significant digits are found
// by one multiplication and one division (a decimal of 15 digits is the only one near its double, so it is the
// shortest); the others take the digits of Swift's description, which are shortest too. Layout as PostgreSQL's:
// fixed when -4 <= exponent < 15 (float4: < 6), else d.ddde+XX.

import Bedrock
import Columnar
import Glibc

enum NumberText {
  static let integerMax = 20
  static let floatMax = 48
  /// Sign, 36 digits, point, 100 decimals.
  static let numericMax = 144

  // MARK: Integers

  @inline(__always)
  static func digitCount(_ value: UInt64) -> Int {
    var count = 1
    var bound: UInt64 = 10
    while count < 20 && value >= bound {
      count += 1
      let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
      if overflow { break }
      bound = next
    }
    return count
  }

  @inline(__always)
  static func write(unsigned value: UInt64, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    let count = digitCount(value)
    write(digits: value, count: count, out)
    return count
  }

  /// Exactly `count` digits, with leading zeros.
  @inline(__always)
  static func write(digits value: UInt64, count: Int, _ out: UnsafeMutablePointer<UInt8>) {
    var rest = value
    var at = count
    while at > 0 {
      at -= 1
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      out[at] = UInt8(truncatingIfNeeded: digit) &+ 0x30
      rest = quotient
    }
  }

  @inline(__always)
  static func write(_ value: Int64, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    if value < 0 {
      out[0] = UInt8(ascii: "-")
      return 1 + write(unsigned: value.magnitude, out + 1)
    }
    return write(unsigned: UInt64(bitPattern: value), out)
  }

  @inline(__always)
  static func write(ascii text: StaticString, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    out.update(from: text.utf8Start, count: text.utf8CodeUnitCount)
    return text.utf8CodeUnitCount
  }

  // MARK: Floats

  private static let powers: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
  ]

  /// A float8. `extraDigits` is extra_float_digits.
  static func write(_ value: Double, extraDigits: Int, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    if let special = writeSpecial(value, out) { return special }
    if extraDigits <= 0 { return write(value, significant: 15 + extraDigits, out) }
    let magnitude = value.magnitude
    if magnitude >= 1e-4 && magnitude < 1e15, let count = writeShort(magnitude, negative: value < 0, out) {
      return count
    }
    return write(description: value.description, fixedBelow: 15, out)
  }

  /// A float4.
  static func write(_ value: Float, extraDigits: Int, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    if let special = writeSpecial(Double(value), out) { return special }
    if extraDigits <= 0 { return write(Double(value), significant: 6 + extraDigits, out) }
    if value.magnitude < 1e6 && value == value.rounded(.towardZero) { return write(Int64(value), out) }
    return write(description: value.description, fixedBelow: 6, out)
  }

  private static func writeSpecial(_ value: Double, _ out: UnsafeMutablePointer<UInt8>) -> Int? {
    if value.isNaN { return write(ascii: "NaN", out) }
    if value.isInfinite { return write(ascii: value < 0 ? "-Infinity" : "Infinity", out) }
    if value == 0 { return write(ascii: value.sign == .minus ? "-0" : "0", out) }
    return nil
  }

  /// A number of at most 15 significant digits between 1e-4 and 1e15; `nil` for one that has more.
  private static func writeShort(
    _ magnitude: Double, negative: Bool, _ out: UnsafeMutablePointer<UInt8>
  ) -> Int? {
    let powers = self.powers.span
    // The most decimals that leave the scaled number below 1e15, where every integer and half is exact.
    var decimals = 19
    while decimals > 0 && magnitude * powers[decimals] >= 1e15 { decimals -= 1 }
    let scaled = (magnitude * powers[decimals]).rounded()
    guard scaled / powers[decimals] == magnitude else { return nil }
    var digits = UInt64(scaled)
    while decimals > 0 {
      let (quotient, digit) = digits.quotientAndRemainder(dividingBy: 10)
      if digit != 0 { break }
      digits = quotient
      decimals -= 1
    }
    var at = 0
    if negative {
      out[0] = UInt8(ascii: "-")
      at = 1
    }
    if decimals == 0 { return at + write(unsigned: digits, out + at) }
    let divisor = UInt64(powers[decimals])
    let (whole, fraction) = digits.quotientAndRemainder(dividingBy: divisor)
    at += write(unsigned: whole, out + at)
    out[at] = UInt8(ascii: ".")
    write(digits: fraction, count: decimals, out + at + 1)
    return at + 1 + decimals
  }

  /// `%.*g`, as PostgreSQL does when extra_float_digits is 0 or less.
  private static func write(_ value: Double, significant: Int, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    let precision = CInt(max(1, significant))
    let count = withVaList([precision, value]) { arguments in
      out.withMemoryRebound(to: CChar.self, capacity: floatMax) { vsnprintf($0, floatMax, "%.*g", arguments) }
    }
    precondition(count > 0 && count < floatMax)
    return Int(count)
  }

  /// Takes the digits and the exponent out of Swift's text of a finite number and lays them out as PostgreSQL does.
  private static func write(description: String, fixedBelow: Int, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    var digits: InlineArray<32, UInt8> = .init(repeating: 0)
    var count = 0
    var point: Int?
    var exponent = 0
    var exponentSign = 1
    var inExponent = false
    var at = 0
    for byte in description.utf8 {
      switch byte {
      case UInt8(ascii: "-"):
        if inExponent {
          exponentSign = -1
        } else {
          out[at] = byte
          at += 1
        }
      case UInt8(ascii: "."): point = count
      case UInt8(ascii: "e"): inExponent = true
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        if inExponent {
          exponent = exponent * 10 + Int(byte - 0x30)
        } else if count < 32 {
          digits[count] = byte
          count += 1
        }
      default: break
      }
    }
    // Drop leading and trailing zeros; `scale` is the power of ten of the first digit left.
    var first = 0
    while first < count - 1 && digits[first] == 0x30 { first += 1 }
    var last = count
    while last > first + 1 && digits[last - 1] == 0x30 { last -= 1 }
    let scale = (point ?? count) - 1 - first + exponentSign * exponent
    let used = last - first
    if scale >= -4 && scale < fixedBelow {
      return writeFixed(digits, first..<last, scale: scale, out, at)
    }
    out[at] = digits[first]
    at += 1
    if used > 1 {
      out[at] = UInt8(ascii: ".")
      at += 1
      for index in (first + 1)..<last {
        out[at] = digits[index]
        at += 1
      }
    }
    out[at] = UInt8(ascii: "e")
    out[at + 1] = scale < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+")
    at += 2
    let power = UInt64(abs(scale))
    let width = max(2, digitCount(power))
    write(digits: power, count: width, out + at)
    return at + width
  }

  private static func writeFixed(
    _ digits: InlineArray<32, UInt8>, _ used: Range<Int>, scale: Int, _ out: UnsafeMutablePointer<UInt8>, _ start: Int
  ) -> Int {
    var at = start
    if scale < 0 {
      out[at] = 0x30
      out[at + 1] = UInt8(ascii: ".")
      at += 2
      for _ in 0..<(-scale - 1) {
        out[at] = 0x30
        at += 1
      }
    }
    for (position, index) in used.enumerated() {
      if scale >= 0 && position == scale + 1 {
        out[at] = UInt8(ascii: ".")
        at += 1
      }
      out[at] = digits[index]
      at += 1
    }
    if scale >= used.count {
      for _ in used.count...scale {
        out[at] = 0x30
        at += 1
      }
    }
    return at
  }

  // MARK: Numeric

  /// The decimal digits of `value`, most significant first; at least one.
  static func write(digitsOf value: UInt128, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    if value <= UInt128(UInt64.max) { return write(unsigned: UInt64(value), out) }
    let block: UInt128 = 10_000_000_000_000_000_000
    let (high, low) = value.quotientAndRemainder(dividingBy: block)
    let written = write(digitsOf: high, out)
    write(digits: UInt64(low), count: 19, out + written)
    return written + 19
  }

  /// A numeric with all the decimals of its scale.
  static func write(_ value: Numeric, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    if value.isNaN { return write(ascii: "NaN", out) }
    var at = 0
    if value.coefficient < 0 {
      out[0] = UInt8(ascii: "-")
      at = 1
    }
    let scale = min(value.scale, Numeric.scaleMax)
    let magnitude = value.coefficient.magnitude
    if scale == 0 { return at + write(digitsOf: magnitude, out + at) }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 48) { digits in
      // A temporary of 48 bytes always has a base address.
      let base = digits.baseAddress!
      let count = write(digitsOf: magnitude, base)
      if count > scale {
        (out + at).update(from: base, count: count - scale)
        at += count - scale
      } else {
        out[at] = 0x30
        at += 1
      }
      out[at] = UInt8(ascii: ".")
      at += 1
      let zeros = max(0, scale - count)
      for _ in 0..<zeros {
        out[at] = 0x30
        at += 1
      }
      let decimals = scale - zeros
      (out + at).update(from: base + (count - decimals), count: decimals)
      return at + decimals
    }
  }
}
