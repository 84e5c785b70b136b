// Arithmetic on Numeric against PostgreSQL's recorded answers, digit for digit.

import Bedrock
import Columnar
import Kernels
import Runtime
import Testing

/// A plain decimal number or NaN; `nil` for anything else.
func numeric(_ text: some StringProtocol) -> Numeric? {
  if text == "NaN" { return .nan }
  var coefficient: Int128 = 0
  var scale: Int?
  var isNegative = false
  for character in text {
    switch character {
    case "-": isNegative = true
    case ".": scale = 0
    default:
      guard let digit = character.wholeNumberValue else { return nil }
      coefficient = coefficient * 10 + Int128(digit)
      if let places = scale { scale = places + 1 }
    }
  }
  return Numeric(coefficient: isNegative ? -coefficient : coefficient, scale: scale ?? 0)
}

func printed(_ value: Numeric) -> String {
  if value.isNaN { return "NaN" }
  var digits = String(value.coefficient.magnitude)
  while digits.count <= value.scale { digits = "0" + digits }
  if value.scale > 0 { digits.insert(".", at: digits.index(digits.endIndex, offsetBy: -value.scale)) }
  return value.coefficient < 0 ? "-" + digits : digits
}

@Suite struct NumericTests {
  private func evaluate(_ operation: Substring, _ a: Numeric, _ b: Substring) -> Numeric? {
    switch operation {
    case "round": Int(b).flatMap { a.rounded(toScale: $0) }
    case "trunc": Int(b).flatMap { a.truncated(toScale: $0) }
    case "floor": a.floor
    case "ceil": a.ceiling
    default:
      numeric(b).flatMap { right in
        switch operation {
        case "+": Numeric.add(a, right)
        case "-": Numeric.subtract(a, right)
        case "*": Numeric.multiply(a, right)
        case "/": Numeric.divide(a, right)
        default: Numeric.remainder(a, right)
        }
      }
    }
  }

  @Test func answersOfPostgres() throws {
    for line in NumericAnswers.text.split(separator: "\n") {
      let fields = line.split(separator: "¦")
      try #require(fields.count == 4)
      let left = try #require(numeric(fields[1]))
      guard let result = evaluate(fields[0], left, fields[2]) else {
        // 120 bits hold every number of 35 digits
        #expect(fields[3].filter(\.isNumber).count > 35, "\(line)")
        continue
      }
      #expect(printed(result) == fields[3], "\(line)")
    }
  }

  @Test func tooManyDigitsAreRefused() throws {
    let large = try #require(Numeric(coefficient: (1 << 119) - 1, scale: 0))
    #expect(Numeric.add(large, large) == nil)
    #expect(Numeric.multiply(large, large) == nil)
    #expect(Numeric.add(large, try #require(numeric("0.5"))) == nil)
    #expect(large.rounded(toScale: 3) == nil)
    #expect(Numeric(coefficient: 1 << 119, scale: 0) == nil)
    #expect(Numeric(coefficient: 1, scale: Numeric.scaleMax + 1) == nil)
  }

  @Test func orderIsTotalAndAgreesWithSubtraction() throws {
    var generator = SeededGenerator(seed: 11)
    func random() -> Numeric {
      let coefficient = Int128(Int64.random(in: -100_000...100_000, using: &generator))
      // coefficients this small fit every scale
      return Numeric(coefficient: coefficient, scale: Int.random(in: 0...8, using: &generator)) ?? .zero
    }
    for _ in 0..<2_000 {
      let a = random(), b = random()
      let order = Numeric.compare(a, b)
      #expect(order == -Numeric.compare(b, a))
      let difference = try #require(Numeric.subtract(a, b))
      #expect(order == difference.coefficient.signum())
      #expect((a.canonical.bits == b.canonical.bits) == (order == 0))
    }
    #expect(Numeric.compare(.nan, .nan) == 0)
    #expect(Numeric.compare(.nan, Numeric(.max)) == 1)
  }
}
