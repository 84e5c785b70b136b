// abs, rounding, powers, roots, logarithms, trigonometry, random.

import Bedrock
import Columnar
import Glibc
import Kernels
import Runtime

enum MathFunctions {
  static let negativeRoot = Fault(SQLState("2201F"), "cannot take square root of a negative number")
  private static let badLogarithm = SQLState("2201E")

  static let all: [ScalarFunction] =
    absolute(named: "abs") + rounding + powers + signs + trigonometry + divisions + [
      .make("pi", [], .fixed(.float8)) { (_, _, rows) throws(Fault) in
        .constant(.float(Double.pi), type: .float8, count: rows)
      },
      .make("random", [], .fixed(.float8), volatility: .volatile) { (_, _, rows) throws(Fault) in
        // 53 bits, the precision of a double, as a fraction of 2^53
        let values = (0..<rows).map { _ in Double(Entropy.word() >> 11) * 0x1p-53 }
        return .fixed(.float8, count: rows, .copying(values))
      },
    ]

  static func absolute(named name: String) -> [ScalarFunction] {
    [
      .make(name, [.exact(.int2)], .fixed(.int2)) { (_, c, _) throws(Fault) in
        try mapChecked(c[0], .int2, ArithmeticOperators.outOfRange(.int2)) { (v: Int32) in
          (v < 0 ? 0 &- v : v, v == -32_768)
        }
      },
      .make(name, [.exact(.int4)], .fixed(.int4)) { (_, c, _) throws(Fault) in
        try mapChecked(c[0], .int4, ArithmeticOperators.outOfRange(.int4)) { (v: Int32) in
          (v < 0 ? 0 &- v : v, v == .min)
        }
      },
      .make(name, [.exact(.int8)], .fixed(.int8)) { (_, c, _) throws(Fault) in
        try mapChecked(c[0], .int8, ArithmeticOperators.outOfRange(.int8)) { (v: Int64) in
          (v < 0 ? 0 &- v : v, v == .min)
        }
      },
      .make(name, [.exact(.float4)], .fixed(.float4)) { (_, c, _) throws(Fault) in
        map(c[0], .float4) { (v: Float) in v.magnitude }
      },
      .make(name, [.exact(.float8)], .fixed(.float8)) { (_, c, _) throws(Fault) in
        map(c[0], .float8) { (v: Double) in v.magnitude }
      },
      .make(name, [.exact(.numeric)], .fixed(.numeric)) { (_, c, _) throws(Fault) in
        map(c[0], .numeric) { (v: Numeric) in !v.isNaN && v.coefficient < 0 ? v.negated : v }
      },
    ]
  }

  private static func double(_ name: String, _ f: @escaping @Sendable (Double) -> Double) -> ScalarFunction {
    .make(name, [.exact(.float8)], .fixed(.float8)) { (_, c, _) throws(Fault) in
      map(c[0], .float8) { (v: Double) in f(v) }
    }
  }

  private static func numeric(
    _ name: String, _ f: @escaping @Sendable (Numeric) throws(Fault) -> Numeric?
  ) -> ScalarFunction {
    .rowwise(name, [.numeric], .numeric) { (a, row, out) throws(Fault) in
      try out.append(numeric: try f(a.numeric(0, row)))
    }
  }

  private static let rounding: [ScalarFunction] = [
    double("ceil") { $0.rounded(.up) }, double("ceiling") { $0.rounded(.up) }, double("floor") { $0.rounded(.down) },
    double("round") { $0.rounded(.toNearestOrEven) }, double("trunc") { $0.rounded(.towardZero) },
    numeric("ceil") { (v) throws(Fault) in v.ceiling }, numeric("ceiling") { (v) throws(Fault) in v.ceiling },
    numeric("floor") { (v) throws(Fault) in v.floor },
    numeric("round") { (v) throws(Fault) in v.rounded(toScale: 0) },
    numeric("trunc") { (v) throws(Fault) in v.truncated(toScale: 0) },
    .rowwise("round", [.numeric, .int4], .numeric) { (a, row, out) throws(Fault) in
      try out.append(numeric: a.numeric(0, row).rounded(toScale: scale(a.int(1, row))))
    },
    .rowwise("trunc", [.numeric, .int4], .numeric) { (a, row, out) throws(Fault) in
      try out.append(numeric: a.numeric(0, row).truncated(toScale: scale(a.int(1, row))))
    },
  ]

  private static func scale(_ places: Int64) -> Int { Int(max(-100, min(places, Int64(Numeric.scaleMax)))) }

  private static let powers: [ScalarFunction] = [
    .rowwise("sqrt", [.float8], .float8) { (a, row, out) throws(Fault) in
      if a.double(0, row) < 0 { throw negativeRoot }
      out.append(a.double(0, row).squareRoot())
    },
    numeric("sqrt") { (v) throws(Fault) in
      if v.isNaN { return v }
      if v.coefficient < 0 { throw negativeRoot }
      return squareRoot(v)
    },
    double("cbrt") { cbrt($0) },
    power("power"), power("pow"), numericPower("power"), numericPower("pow"),
    .rowwise("exp", [.float8], .float8) { (a, row, out) throws(Fault) in
      let x = a.double(0, row), value = exp(x)
      if value.isInfinite && x.isFinite { throw ArithmeticOperators.floatOverflow }
      if value == 0 && x.isFinite { throw ArithmeticOperators.floatUnderflow }
      out.append(value)
    },
    numeric("exp") { (v) throws(Fault) in
      if v.isNaN { return v }
      return significant(Wide.exp(wide(v)), atLeast: v.scale)
    },
    logarithm("ln", log), logarithm("log", log10), logarithm("log10", log10),
    numericLogarithm("ln", Wide.log), numericLogarithm("log", Wide.log10), numericLogarithm("log10", Wide.log10),
    .rowwise("log", [.numeric, .numeric], .numeric) { (a, row, out) throws(Fault) in
      let base = a.numeric(0, row), x = a.numeric(1, row)
      try checkLogarithm(Casts.double(base))
      try checkLogarithm(Casts.double(x))
      if Numeric.compare(base, Numeric(1)) == 0 { throw ArithmeticOperators.divisionByZero }
      let value = base.isNaN || x.isNaN ? .nan : Wide.log(wide(x)) / Wide.log(wide(base))
      try out.append(numeric: significant(value, atLeast: max(base.scale, x.scale)))
    },
  ]

  private static func power(_ name: String) -> ScalarFunction {
    .rowwise(name, [.float8, .float8], .float8) { (a, row, out) throws(Fault) in
      out.append(try ArithmeticOperators.power(a.double(0, row), a.double(1, row)))
    }
  }

  private static func numericPower(_ name: String) -> ScalarFunction {
    .rowwise(name, [.numeric, .numeric], .numeric) { (a, row, out) throws(Fault) in
      try out.append(numeric: try numericPower(a.numeric(0, row), a.numeric(1, row)))
    }
  }

  /// Whole exponents exactly when the digits fit, all else through floats with 16 significant digits.
  static func numericPower(_ x: Numeric, _ y: Numeric) throws(Fault) -> Numeric? {
    if x.isNaN || y.isNaN { return .nan }
    if y.canonical.scale == 0, let exponent = y.roundedInt64, exponent.magnitude <= 200 {
      if exponent < 0 && x.coefficient == 0 {
        throw Fault(SQLState("2201F"), "zero raised to a negative power is undefined")
      }
      if let exact = wholePower(x.canonical, Int(exponent.magnitude)) {
        // power_var_int: always 16 places
        let scale = max(16, x.scale)
        return exponent < 0
          ? Numeric.divide(Numeric(1), exact, scale: scale) : mostDigits(exact, upTo: scale)
      }
    }
    let value = try ArithmeticOperators.power(Casts.double(x), Casts.double(y))
    if y.coefficient != 0, x.coefficient > 0 {
      return significant(Wide.exp(Wide.log(wide(x)) * wide(y)), atLeast: max(x.scale, y.scale))
    }
    return significant(Wide(value), atLeast: x.scale)
  }

  /// `x` to a power of at least 0; `nil` when it needs too many digits.
  private static func wholePower(_ x: Numeric, _ exponent: Int) -> Numeric? {
    var product = Numeric(1)
    for _ in 0..<exponent {
      guard let next = Numeric.multiply(product, x) else { return nil }
      product = next
    }
    return product
  }

  /// Rounded to `scale`, or to the most places that 120 bits hold.
  private static func mostDigits(_ value: Numeric, upTo scale: Int) -> Numeric? {
    var places = scale
    while places > 0 {
      if let rounded = value.rounded(toScale: places) { return rounded }
      places -= 1
    }
    return value.rounded(toScale: 0)
  }

  private static func wide(_ value: Numeric) -> Wide {
    Wide(value.coefficient) / Wide.power(10, Wide(value.scale))
  }

  /// Results of transcendental functions: 16 significant digits, never fewer places than the arguments have.
  private static func significant(_ value: Wide, atLeast least: Int) -> Numeric? {
    guard value.isFinite else { return value.isNaN ? .nan : nil }
    // towards zero, as PostgreSQL's estimates of the weight
    let weight = value == 0 ? 0 : Int(Wide.log10(value.magnitude))
    var places = max(0, least, min(16 - weight, Numeric.scaleMax))
    while places >= 0 {
      let scaled = (value * Wide.power(10, Wide(places))).rounded(.toNearestOrAwayFromZero)
      if scaled.magnitude < 0x1p118, let number = Numeric(coefficient: Int128(scaled), scale: places) { return number }
      places -= 1
    }
    return nil
  }

  /// At the scale that numeric_sqrt gives: 16 significant digits, the root's leading ones guessed from the base-10000
  /// weight of its square.
  static func squareRoot(_ v: Numeric) -> Numeric? {
    let digits = String(v.coefficient.magnitude).count
    let position = v.coefficient == 0 ? 0 : digits - 1 - v.scale
    let weight = position >= 0 ? position / 4 : -((3 - position) / 4)
    return squareRoot(v, scale: max(0, v.scale, min(17 - (weight + 1) * 2, Numeric.scaleMax)))
  }

  /// Every digit exact, the last one rounded; `scale` is at least half of the number's. By hand's method: the whole
  /// root of the coefficient, then a digit for every two zeros put behind it.
  static func squareRoot(_ v: Numeric, scale: Int) -> Numeric? {
    let zeros = 2 * scale - v.scale
    precondition(v.coefficient >= 0 && zeros >= 0)
    var radicand = v.coefficient.magnitude
    // 120 bits leave room for one digit more
    if zeros % 2 == 1 { radicand *= 10 }
    var root = wholeRoot(radicand)
    var rest = radicand - root * root
    for _ in 0..<(zeros / 2) {
      // rest <= 2 * root, so neither product passes 128 bits
      if root > PowerOfTen.table[34].magnitude { return nil }
      rest *= 100
      var digit: UInt128 = 0
      while digit < 9 && (20 * root + digit + 1) * (digit + 1) <= rest { digit += 1 }
      rest -= (20 * root + digit) * digit
      root = root * 10 + digit
    }
    if rest > root { root += 1 }
    return Numeric(coefficient: Int128(root), scale: scale)
  }

  /// Rounded down.
  private static func wholeRoot(_ value: UInt128) -> UInt128 {
    var root = UInt128(Double(value).squareRoot())
    if root == 0 { return 0 }
    for _ in 0..<64 {
      let next = (root + value / root) / 2
      if next == root || next == root + 1 { break }
      root = next
    }
    while root * root > value { root -= 1 }
    while (root + 1) * (root + 1) <= value { root += 1 }
    return root
  }

  private static func checkLogarithm(_ x: Double) throws(Fault) {
    if x == 0 { throw Fault(badLogarithm, "cannot take logarithm of zero") }
    if x < 0 { throw Fault(badLogarithm, "cannot take logarithm of a negative number") }
  }

  private static func logarithm(_ name: String, _ f: @escaping @Sendable (Double) -> Double) -> ScalarFunction {
    .rowwise(name, [.float8], .float8) { (a, row, out) throws(Fault) in
      try checkLogarithm(a.double(0, row))
      out.append(f(a.double(0, row)))
    }
  }

  private static func numericLogarithm(_ name: String, _ f: @escaping @Sendable (Wide) -> Wide) -> ScalarFunction {
    numeric(name) { (v) throws(Fault) in
      if v.isNaN { return v }
      try checkLogarithm(Casts.double(v))
      return significant(f(wide(v)), atLeast: v.scale)
    }
  }

  private static let signs: [ScalarFunction] = [
    double("sign") { $0 > 0 ? 1 : ($0 < 0 ? -1 : 0) },
    numeric("sign") { (v) throws(Fault) in v.isNaN ? v : Numeric(v.coefficient > 0 ? 1 : (v.coefficient < 0 ? -1 : 0))
    },
  ]

  private static let divisions: [ScalarFunction] =
    FunctionCatalog.renamed(ArithmeticOperators.all.filter { $0.name == "%" }, "mod") + [
      .rowwise("div", [.numeric, .numeric], .numeric) { (a, row, out) throws(Fault) in
        let x = a.numeric(0, row), y = a.numeric(1, row)
        if y.isNaN || x.isNaN { return out.append(Numeric.nan) }
        if y.coefficient == 0 { throw ArithmeticOperators.divisionByZero }
        guard let rest = Numeric.remainder(x, y), let whole = Numeric.subtract(x, rest) else {
          throw ArithmeticOperators.numericOverflow
        }
        try out.append(numeric: Numeric.divide(whole, y, scale: 0))
      },
      .rowwise("gcd", [.int8, .int8], .int8) { (a, row, out) throws(Fault) in
        var x = a.int(0, row).magnitude, y = a.int(1, row).magnitude
        while y != 0 { (x, y) = (y, x % y) }
        guard let value = Int64(exactly: x) else { throw ArithmeticOperators.outOfRange(.int8) }
        out.append(value)
      },
      .rowwise("width_bucket", [.float8, .float8, .float8, .int4], .int4) { (a, row, out) throws(Fault) in
        let x = a.double(0, row), low = a.double(1, row), high = a.double(2, row), count = a.int(3, row)
        if count <= 0 { throw Fault(SQLState("2201G"), "count must be greater than zero") }
        if low == high { throw Fault(SQLState("2201G"), "lower bound cannot equal upper bound") }
        let position = ((x - low) / (high - low) * Double(count)).rounded(.down)
        out.append(position < 0 ? Int64(0) : (position >= Double(count) ? count + 1 : Int64(position) + 1))
      },
    ]

  private static let trigonometry: [ScalarFunction] = [
    double("sin") { sin($0) }, double("cos") { cos($0) }, double("tan") { tan($0) }, double("asin") { asin($0) },
    double("acos") { acos($0) }, double("atan") { atan($0) }, double("sinh") { sinh($0) }, double("cosh") { cosh($0) },
    double("tanh") { tanh($0) }, double("degrees") { $0 * 180 / Double.pi },
    double("radians") { $0 * Double.pi / 180 }, double("cot") { 1 / tan($0) },
    .rowwise("atan2", [.float8, .float8], .float8) { (a, row, out) throws(Fault) in
      out.append(atan2(a.double(0, row), a.double(1, row)))
    },
  ]
}

extension FunctionCatalog {
  /// The same functions under another name.
  static func renamed(_ functions: [ScalarFunction], _ name: String) -> [ScalarFunction] {
    functions.map {
      ScalarFunction(
        name: name, parameters: $0.parameters, isVariadic: $0.isVariadic, result: $0.result, isStrict: $0.isStrict,
        volatility: $0.volatility, evaluate: $0.evaluate)
    }
  }
}
