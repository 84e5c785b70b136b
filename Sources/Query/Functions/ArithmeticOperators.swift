// + - * / % ^ and unary signs on numbers; & | # << >> ~ on integers. Overflow is 22003, division by zero 22012.

import Bedrock
import Columnar
import Glibc
import Kernels

enum ArithmeticOperators {
  static let all: [ScalarFunction] = integers + floats + numerics + unary + bits

  static let divisionByZero = Fault(.divisionByZero, "division by zero")
  static let numericOverflow = Fault(.numericValueOutOfRange, "value overflows numeric format")

  static func outOfRange(_ type: DataType) -> Fault {
    Fault(.numericValueOutOfRange, "\(TypeNames.sqlName(type)) out of range")
  }

  // MARK: Integers

  private static let integerTypes: [DataType] = [.int2, .int4, .int8]

  private static func wider(_ a: DataType, _ b: DataType) -> DataType {
    if a == .int8 || b == .int8 { return .int8 }
    return a == .int4 || b == .int4 ? .int4 : .int2
  }

  private static let integers: [ScalarFunction] = ["+", "-", "*", "/", "%"].flatMap { name in
    integerTypes.flatMap { a in
      integerTypes.compactMap { b -> ScalarFunction? in
        if name == "%" && a != b { return nil }
        let type = wider(a, b)
        return ScalarFunction.make(name, [.exact(a), .exact(b)], .fixed(type)) { (_, columns, rows) throws(Fault) in
          let left = widened(columns[0], to: type), right = widened(columns[1], to: type)
          switch type {
          case .int8: return try integer(name, left, right, rows, type, Int64.self)
          case .int4: return try integer(name, left, right, rows, type, Int32.self)
          default:
            let result = try integer(name, left, right, rows, type, Int32.self)
            // int2 lives in 32 bits
            return try mapChecked(result, type, outOfRange(.int2)) { (v: Int32) in
              (v, Int32(Int16(truncatingIfNeeded: v)) != v)
            }
          }
        }
      }
    }
  }

  @inline(__always)
  private static func integer<T: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
    _ name: String, _ a: Column, _ b: Column, _ rows: Int, _ type: DataType, _ width: T.Type
  ) throws(Fault) -> Column {
    let overflow: (T, T) -> Fault = { _, _ in outOfRange(type) }
    switch name {
    case "+":
      return try zipChecked(a, b, rows: rows, type, overflow) { (x: T, y: T) in
        let (value, bad) = x.addingReportingOverflow(y)
        return (value, bad)
      }
    case "-":
      return try zipChecked(a, b, rows: rows, type, overflow) { (x: T, y: T) in
        let (value, bad) = x.subtractingReportingOverflow(y)
        return (value, bad)
      }
    case "*":
      return try zipChecked(a, b, rows: rows, type, overflow) { (x: T, y: T) in
        let (value, bad) = x.multipliedReportingOverflow(by: y)
        return (value, bad)
      }
    case "/":
      return try zipChecked(a, b, rows: rows, type, { _, y in y == 0 ? divisionByZero : outOfRange(type) }) {
        (x: T, y: T) in
        let (value, bad) = x.dividedReportingOverflow(by: y)
        return (value, bad)
      }
    default:
      return try zipChecked(a, b, rows: rows, type, { _, _ in divisionByZero }) { (x: T, y: T) -> (T, Bool) in
        // the smallest value % -1 overflows in the processor only; SQL says 0
        if y == -1 { return (0, false) }
        let (value, bad) = x.remainderReportingOverflow(dividingBy: y)
        return (value, bad)
      }
    }
  }

  // MARK: Floats

  private static let floatTypes: [DataType] = [.float4, .float8]

  private static let floats: [ScalarFunction] =
    ["+", "-", "*", "/"].flatMap { name in
      floatTypes.flatMap { a in
        floatTypes.map { b in
          let type: DataType = a == .float4 && b == .float4 ? .float4 : .float8
          return ScalarFunction.make(name, [.exact(a), .exact(b)], .fixed(type)) { (_, columns, rows) throws(Fault) in
            let left = widened(columns[0], to: type), right = widened(columns[1], to: type)
            if type == .float4 { return try float(name, left, right, rows, type, Float.self) }
            return try float(name, left, right, rows, type, Double.self)
          }
        }
      }
    } + [
      ScalarFunction.make("^", [.exact(.float8), .exact(.float8)], .fixed(.float8)) {
        (_, columns, rows) throws(Fault) in
        try rowLoop(.none, columns, rows: rows, type: .float8, isStrict: true) { (a, row, out) throws(Fault) in
          out.append(try power(a.double(0, row), a.double(1, row)))
        }
      }
    ]

  static let floatOverflow = Fault(.numericValueOutOfRange, "value out of range: overflow")
  static let floatUnderflow = Fault(.numericValueOutOfRange, "value out of range: underflow")

  @inline(__always)
  private static func float<T: BinaryFloatingPoint & BitwiseCopyable>(
    _ name: String, _ a: Column, _ b: Column, _ rows: Int, _ type: DataType, _ width: T.Type
  ) throws(Fault) -> Column {
    switch name {
    case "+":
      return try zipChecked(a, b, rows: rows, type, { _, _ in floatOverflow }) { (x: T, y: T) in
        let value = x + y
        return (value, value.isInfinite && x.isFinite && y.isFinite)
      }
    case "-":
      return try zipChecked(a, b, rows: rows, type, { _, _ in floatOverflow }) { (x: T, y: T) in
        let value = x - y
        return (value, value.isInfinite && x.isFinite && y.isFinite)
      }
    case "*":
      return try zipChecked(a, b, rows: rows, type, { x, y in (x * y).isInfinite ? floatOverflow : floatUnderflow }) {
        (x: T, y: T) in
        let value = x * y
        return (value, (value.isInfinite && x.isFinite && y.isFinite) || (value == 0 && x != 0 && y != 0))
      }
    default:
      return try zipChecked(
        a, b, rows: rows, type,
        { x, y in y == 0 ? divisionByZero : ((x / y).isInfinite ? floatOverflow : floatUnderflow) }
      ) { (x: T, y: T) in
        let value = x / y
        let bad = (y == 0 && !x.isNaN) || (value.isInfinite && x.isFinite) || (value == 0 && x != 0 && y.isFinite)
        return (value, bad)
      }
    }
  }

  static func power(_ x: Double, _ y: Double) throws(Fault) -> Double {
    let bad = SQLState("2201F")
    if x == 0 && y < 0 { throw Fault(bad, "zero raised to a negative power is undefined") }
    if x < 0 && x.isFinite && y.isFinite && y.rounded(.down) != y {
      throw Fault(bad, "a negative number raised to a non-integer power yields a complex result")
    }
    let value = pow(x, y)
    if value.isInfinite && x.isFinite && y.isFinite { throw floatOverflow }
    if value == 0 && x != 0 && x.isFinite && y.isFinite { throw floatUnderflow }
    return value
  }

  // MARK: Numeric

  private static let numerics: [ScalarFunction] = [
    numeric("+") { (x, y) throws(Fault) in Numeric.add(x, y) },
    numeric("-") { (x, y) throws(Fault) in Numeric.subtract(x, y) },
    numeric("*") { (x, y) throws(Fault) in Numeric.multiply(x, y) },
    numeric("/") { (x, y) throws(Fault) in
      if y.coefficient == 0 && !y.isNaN && !x.isNaN { throw divisionByZero }
      return Numeric.divide(x, y)
    },
    numeric("%") { (x, y) throws(Fault) in
      if y.coefficient == 0 && !y.isNaN && !x.isNaN { throw divisionByZero }
      return Numeric.remainder(x, y)
    },
    numeric("^") { (x, y) throws(Fault) in try MathFunctions.numericPower(x, y) },
  ]

  private static func numeric(
    _ name: String, _ f: @escaping @Sendable (Numeric, Numeric) throws(Fault) -> Numeric?
  ) -> ScalarFunction {
    .make(name, [.exact(.numeric), .exact(.numeric)], .fixed(.numeric)) { (_, columns, rows) throws(Fault) in
      let a = columns[0].flatValues(Numeric.self), b = columns[1].flatValues(Numeric.self)
      let validity = combinedValidity(columns)
      var values = [Numeric](repeating: .zero, count: rows)
      for row in 0..<rows where validity?.isSet(row) ?? true {
        guard let value = try f(a[row & a.mask], b[row & b.mask]) else { throw numericOverflow }
        values[row] = value
      }
      return .fixed(.numeric, count: rows, validity: validity, .copying(values))
    }
  }

  // MARK: Signs and bits

  private static let unary: [ScalarFunction] =
    [
      .make("-", [.exact(.int2)], .fixed(.int2)) { (_, c, _) throws(Fault) in
        try mapChecked(c[0], .int2, outOfRange(.int2)) { (v: Int32) in (0 &- v, v == -32_768) }
      },
      .make("-", [.exact(.int4)], .fixed(.int4)) { (_, c, _) throws(Fault) in
        try mapChecked(c[0], .int4, outOfRange(.int4)) { (v: Int32) in (0 &- v, v == .min) }
      },
      .make("-", [.exact(.int8)], .fixed(.int8)) { (_, c, _) throws(Fault) in
        try mapChecked(c[0], .int8, outOfRange(.int8)) { (v: Int64) in (0 &- v, v == .min) }
      },
      .make("-", [.exact(.float4)], .fixed(.float4)) { (_, c, _) throws(Fault) in
        map(c[0], .float4) { (v: Float) in -v }
      },
      .make("-", [.exact(.float8)], .fixed(.float8)) { (_, c, _) throws(Fault) in
        map(c[0], .float8) { (v: Double) in -v }
      },
      .make("-", [.exact(.numeric)], .fixed(.numeric)) { (_, c, _) throws(Fault) in
        map(c[0], .numeric) { (v: Numeric) in v.negated }
      },
    ]
    + ([.int2, .int4, .int8, .float4, .float8, .numeric] as [DataType]).map { type in
      .make("+", [.exact(type)], .fixed(type)) { (_, c, _) throws(Fault) in c[0] }
    } + [
      .rowwise("|/", [.float8], .float8) { (a, row, out) throws(Fault) in
        if a.double(0, row) < 0 { throw MathFunctions.negativeRoot }
        out.append(a.double(0, row).squareRoot())
      }
    ] + MathFunctions.absolute(named: "@")

  private static let bits: [ScalarFunction] = integerTypes.flatMap { type -> [ScalarFunction] in
    let pair: [ParameterType] = [.exact(type), .exact(type)]
    let shift: [ParameterType] = [.exact(type), .exact(.int4)]
    func binary(_ name: String, _ parameters: [ParameterType], _ f: @escaping @Sendable (Int64, Int64) -> Int64)
      -> ScalarFunction
    {
      .rowwise(name, parameters, result: .fixed(type)) { (a, row, out) throws(Fault) in
        out.append(f(a.int(0, row), a.int(1, row)))
      }
    }
    let width: Int64 = type == .int8 ? 64 : 32
    return [
      binary("&", pair) { $0 & $1 }, binary("|", pair) { $0 | $1 }, binary("#", pair) { $0 ^ $1 },
      binary("<<", shift) { value, by in
        let moved = value &<< (by & (width - 1))
        return type == .int8
          ? moved : (type == .int4 ? Int64(Int32(truncatingIfNeeded: moved)) : Int64(Int16(truncatingIfNeeded: moved)))
      },
      binary(">>", shift) { value, by in value &>> (by & (width - 1)) },
      .rowwise("~", [type], type) { (a, row, out) throws(Fault) in out.append(~a.int(0, row)) },
    ]
  }
}

/// Values of a flat or constant column as an array-like with an index mask.
struct MaskedValues<T: BitwiseCopyable> {
  private let column: Column
  private let base: UnsafePointer<T>
  let mask: Int

  // SAFETY: the pointer is into a buffer that `column` keeps alive; `column` is stored beside it.
  init(_ source: Column) {
    if case .constant(let one) = source.form {
      column = one
      mask = 0
    } else {
      column = source
      mask = -1
    }
    guard case .fixed(let buffer) = column.form else { preconditionFailure("values of a fixed column") }
    precondition(MemoryLayout<T>.stride == column.type.physical.width)
    // A buffer is never without memory.
    base = buffer.withUnsafeBytes { $0.baseAddress!.assumingMemoryBound(to: T.self) }
  }
  @inline(__always)
  subscript(_ index: Int) -> T {
    assert(index < column.count)
    return base[index]
  }
}

extension Column {
  func flatValues<T: BitwiseCopyable>(_ type: T.Type) -> MaskedValues<T> { MaskedValues(self) }
}
