// abs, rounding, powers, roots, logarithms, trigonometry, random.

import Bedrock
import Columnar
import Glibc
import Kernels

enum MathFunctions {
  static let negativeRoot = Fault(SQLState("2201F"), "cannot take square root of a negative number")
  private static let badLogarithm = SQLState("2201E")

  static let all: [ScalarFunction] =
    absolute(named: "abs") + rounding + powers + signs + trigonometry + divisions + [
      .make("pi", [], .fixed(.float8)) { (_, _, rows) throws(Fault) in
        .constant(.float(Double.pi), type: .float8, count: rows)
      },
      .make("random", [], .fixed(.float8), volatility: .volatile) { (_, _, rows) throws(Fault) in
        // The one place where a query asks for chance; seeded by the system.
        var generator = SystemRandomNumberGenerator()
        let values = (0..<rows).map { _ in Double.random(in: 0..<1, using: &generator) }
        return .fixed(.float8, count: rows, .copying(values))
      },
    ]

  static func absolute(named name: String) -> [ScalarFunction] {
    [
      .make(name, [.exact(.int2)], .fixed(.int2)) { (_, c, _) throws(Fault) in
        try mapChecked(c[0], .int2, ArithmeticOperators.outOfRange(.int2)) { (v: Int32) in (v < 0 ? 0 &- v : v, v == -32_768) }
      },
      .make(name, [.exact(.int4)], .fixed(.int4)) { (_, c, _) throws(Fault) in
        try mapChecked(c[0], .int4, ArithmeticOperators.outOfRange(.int4)) { (v: Int32) in (v < 0 ? 0 &- v : v, v == .min) }
      },
      .make(name, [.exact(.int8)], .fixed(.int8)) { (_, c, _) throws(Fault) in
        try mapChecked(c[0], .int8, ArithmeticOperators.outOfRange(.int8)) { (v: Int64) in (v < 0 ? 0 &- v : v, v == .min) }
      },
      .make(name, [.exact(.float4)], .fixed(.float4)) { (_, c, _) throws(Fault) in map(c[0], .float4) { (v: Float) in v.magnitude } },
      .make(name, [.exact(.float8)], .fixed(.float8)) { (_, c, _) throws(Fault) in map(c[0], .float8) { (v: Double) in v.magnitude } },
      .make(name, [.exact(.numeric)], .fixed(.numeric)) { (_, c, _) throws(Fault) in
        map(c[0], .numeric) { (v: Numeric) in !v.isNaN && v.coefficient < 0 ? v.negated : v }
      },
    ]
  }

  private static func double(_ name: String, _ f: @escaping @Sendable (Double) -> Double) -> ScalarFunction {
    .make(name, [.exact(.float8)], .fixed(.float8)) { (_, c, _) throws(Fault) in map(c[0], .float8) { (v: Double) in f(v) } }
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
      let value = exp(Casts.double(v))
      if value.isInfinite { throw ArithmeticOperators.numericOverflow }
      return significant(value)
    },
    logarithm("ln", log), logarithm("log", log10), logarithm("log10", log10),
    numericLogarithm("ln", log), numericLogarithm("log", log10), numericLogarithm("log10", log10),
    .rowwise("log", [.numeric, .numeric], .numeric) { (a, row, out) throws(Fault) in
      let base = Casts.double(a.numeric(0, row)), x = Casts.double(a.numeric(1, row))
      try checkLogarithm(base)
      try checkLogarithm(x)
      if base == 1 { throw ArithmeticOperators.divisionByZero }
      try out.append(numeric: significant(log(x) / log(base)))
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

  /// Exact for whole exponents that fit, else through floats with 16 significant digits.
  static func numericPower(_ x: Numeric, _ y: Numeric) throws(Fault) -> Numeric? {
    if x.isNaN || y.isNaN { return .nan }
    if y.canonical.scale == 0, let exponent = y.roundedInt64, exponent >= 0, exponent <= 200 {
      var exact: Int128 = 1
      var fits = true
      for _ in 0..<exponent {
        let (product, overflow) = exact.multipliedReportingOverflow(by: x.canonical.coefficient)
        if overflow {
          fits = false
          break
        }
        exact = product
      }
      let scale = x.canonical.scale * Int(exponent)
      if fits, scale <= Numeric.scaleMax, let value = Numeric(coefficient: exact, scale: scale) {
        return value.rounded(toScale: displayScale(Casts.double(value), atLeast: x.scale))
      }
    }
    let value = try ArithmeticOperators.power(Casts.double(x), Casts.double(y))
    return significant(value)
  }

  /// The display scale PostgreSQL gives results of transcendental functions: 16 significant digits.
  private static func displayScale(_ value: Double, atLeast least: Int) -> Int {
    let weight = value == 0 ? 0 : Int(log10(value.magnitude).rounded(.down))
    return max(0, least, min(16 - weight, Numeric.scaleMax))
  }

  private static func significant(_ value: Double) -> Numeric? {
    guard value.isFinite else { return value.isNaN ? .nan : nil }
    let places = displayScale(value, atLeast: 0)
    return FloatDigits.fixed(value, places: places).withUnsafeBufferPointer {
      try? ValueText.numeric(UnsafeRawBufferPointer($0))
    }
  }

  /// Exact digits by Newton's method on integers.
  static func squareRoot(_ v: Numeric) -> Numeric? {
    let value = Casts.double(v)
    // numeric_sqrt: sweight counts base-10000 digits before the point of the root, 16 significant digits follow
    let position = value == 0 ? 0 : Int(log10(value).rounded(.down))
    let weight = position >= 0 ? position / 4 : -((3 - position) / 4)
    let scale = max(0, v.scale, min(17 - (weight + 1) * 4 / 2, Numeric.scaleMax))
    if value == 0 { return Numeric(coefficient: 0, scale: scale) }
    // root of coefficient * 10^(2 * scale + 1 digit)
    let shift = 2 * scale - v.scale
    guard shift >= 0, shift <= 38 else { return significant(value.squareRoot()) }
    let (scaled, overflow) = v.coefficient.magnitude.multipliedReportingOverflow(by: PowerOfTen.table[shift].magnitude)
    if overflow { return significant(value.squareRoot())?.rounded(toScale: scale) }
    var root = UInt128(Double(scaled).squareRoot())
    for _ in 0..<64 {
      let next = (root + scaled / root) / 2
      if next == root || next == root + 1 { break }
      root = next
    }
    while root * root > scaled { root -= 1 }
    while (root + 1) * (root + 1) <= scaled { root += 1 }
    if scaled - root * root > root { root += 1 }
    return Numeric(coefficient: Int128(root), scale: scale)
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

  private static func numericLogarithm(_ name: String, _ f: @escaping @Sendable (Double) -> Double) -> ScalarFunction {
    numeric(name) { (v) throws(Fault) in
      let x = Casts.double(v)
      try checkLogarithm(x)
      let value = f(x)
      return significant(value)?.rounded(toScale: 16)
    }
  }

  private static let signs: [ScalarFunction] = [
    double("sign") { $0 > 0 ? 1 : ($0 < 0 ? -1 : $0) },
    numeric("sign") { (v) throws(Fault) in v.isNaN ? v : Numeric(v.coefficient > 0 ? 1 : (v.coefficient < 0 ? -1 : 0)) },
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
