// A number of jsonb: its text as numeric prints it, of any length PostgreSQL's numeric has.
//
//   text = [-] digits [. digits]      no leading zeros, trailing zeros of the fraction kept, no minus before zero

import Bedrock
import Columnar
import Kernels

struct JSONNumber {
  let text: [UInt8]

  /// Digits that numeric has before and after its point.
  private static let wholeDigitsMax = 131_072
  private static let fractionDigitsMax = 16_383
  static let overflow = Fault(.numericValueOutOfRange, "value overflows numeric format")

  init(_ value: Int) { text = Array(String(value).utf8) }
  init(_ value: Numeric) {
    var out: [UInt8] = []
    ValueText.appendNumeric(value, to: &out)
    text = out
  }
  /// The token as it is written, for `json`.
  init(spelled token: UnsafeRawBufferPointer) { text = Array(token) }

  /// - Parameter token: a number by JSON's grammar. Faults: 22003 when numeric cannot hold it.
  init(token: UnsafeRawBufferPointer) throws(Fault) {
    if token.count < 19, token.allSatisfy({ $0 >= 48 && $0 <= 57 }) {
      text = Array(token)
      return
    }
    var index = 0
    let isNegative = token[0] == 45
    if isNegative { index = 1 }
    var digits: [UInt8] = []
    var fractionCount = 0
    var isFraction = false
    while index < token.count, token[index] != 101, token[index] != 69 {
      if token[index] == 46 {
        isFraction = true
      } else {
        digits.append(token[index])
        if isFraction { fractionCount += 1 }
      }
      index += 1
    }
    var exponent = 0
    if index < token.count {
      let written = String(decoding: UnsafeRawBufferPointer(rebasing: token[(index + 1)...]), as: UTF8.self)
      exponent = Int(written) ?? (written.hasPrefix("-") ? -1_000_000_000 : 1_000_000_000)
    }
    let isZero = digits.allSatisfy { $0 == 48 }
    let scale = max(0, fractionCount - min(max(exponent, -1_000_000), 1_000_000))
    let wholeCount = digits.count - fractionCount + min(max(exponent, -1_000_000), 1_000_000)
    guard scale <= Self.fractionDigitsMax, isZero || wholeCount <= Self.wholeDigitsMax else { throw Self.overflow }
    if isZero {
      text = Array("0".utf8) + (scale > 0 ? [46] + [UInt8](repeating: 48, count: scale) : [])
      return
    }
    var whole: ArraySlice<UInt8> = []
    var fraction: [UInt8] = []
    if wholeCount <= 0 {
      fraction = [UInt8](repeating: 48, count: -wholeCount) + digits
    } else if wholeCount >= digits.count {
      whole = (digits + [UInt8](repeating: 48, count: wholeCount - digits.count))[...]
    } else {
      whole = digits[..<wholeCount]
      fraction = Array(digits[wholeCount...])
    }
    whole = whole.drop { $0 == 48 }
    var out: [UInt8] = isNegative ? [45] : []
    out += whole.isEmpty ? [48] : whole
    if !fraction.isEmpty { out += [46] + fraction }
    text = out
  }

  /// The number for arithmetic. Faults: 22003 when it has more digits than arithmetic takes.
  func numeric() throws(Fault) -> Numeric {
    let text = text
    return try text.withUnsafeBufferPointer { (raw) throws(Fault) in
      try ValueText.numeric(UnsafeRawBufferPointer(raw))
    }
  }

  static func compare(_ a: JSONNumber, _ b: JSONNumber) -> Int {
    let isNegative = a.text.first == 45
    if isNegative != (b.text.first == 45) { return isNegative ? -1 : 1 }
    let result = compareMagnitudes(isNegative ? a.text[1...] : a.text[...], isNegative ? b.text[1...] : b.text[...])
    return isNegative ? -result : result
  }

  private static func compareMagnitudes(_ a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> Int {
    let x = a.split(separator: 46), y = b.split(separator: 46)
    if x[0].count != y[0].count { return x[0].count < y[0].count ? -1 : 1 }
    if x[0] != y[0] { return x[0].lexicographicallyPrecedes(y[0]) ? -1 : 1 }
    func significant(_ parts: [ArraySlice<UInt8>]) -> ArraySlice<UInt8> {
      var digits = parts.count > 1 ? parts[1] : []
      while digits.last == 48 { digits.removeLast() }
      return digits
    }
    let p = significant(x), q = significant(y)
    return p == q ? 0 : p.lexicographicallyPrecedes(q) ? -1 : 1
  }
}
