// One condition on one column, made ready for loops: a range of numbers, a set of numbers, an order of bytes.
//
//   integers, dates, times, booleans, uuids   low...high of the physical value, or a sorted set
//   floats                                    low...high by IEEE comparison, and whether NaN passes (SQL sorts NaN last
//                                             and finds it equal to itself; -0.0 and 0.0 are equal)
//   decimals                                  low...high of the coefficient at the scale of the column
//   text, bytea                               the order of bytes to one value, or a sorted set of values
//
// A filter is exact: a row is kept if and only if SQL finds the condition true. Conditions that have no exact form here
// (char(n), json, intervals, ...) make no filter; then the query alone decides. Null rows pass `isNull` only.

import Bedrock
package import Columnar

package struct ColumnFilter: Sendable {
  package enum Comparison: Sendable { case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual }

  enum Test: Sendable {
    case isNull, isNotNull
    case nothing
    case integers(low: Int64, high: Int64, negated: Bool)
    case integerSet([Int64])
    case floats(low: Double, high: Double, nanPasses: Bool, negated: Bool)
    case floatSet([Double], nanPasses: Bool)
    case numerics(low: Int128, high: Int128, scale: Int, negated: Bool)
    case numericSet([Int128], scale: Int)
    case uuids(low: UInt128, high: UInt128, negated: Bool)
    case uuidSet([UInt128])
    /// What passes: values less than, equal to, greater than `value`.
    case bytes([UInt8], less: Bool, equal: Bool, greater: Bool)
    case bytesSet([[UInt8]])
  }
  let test: Test
  package let type: DataType

  /// Rows that are null.
  package static func isNull(_ type: DataType) -> ColumnFilter { ColumnFilter(test: .isNull, type: type) }
  /// Rows that have a value.
  package static func isNotNull(_ type: DataType) -> ColumnFilter { ColumnFilter(test: .isNotNull, type: type) }

  /// Rows whose value compares so with `value`, which is of the column's type and not null. `nil`: no exact form.
  package static func compare(_ comparison: Comparison, _ value: Scalar, _ type: DataType) -> ColumnFilter? {
    switch (kind(type), value) {
    case (.integer, .integer(let value)): return ColumnFilter(test: integers(comparison, value), type: type)
    case (.integer, .boolean(let value)): return ColumnFilter(test: integers(comparison, value ? 1 : 0), type: type)
    case (.float, .float(let value)): return ColumnFilter(test: floats(comparison, value), type: type)
    case (.numeric(let scale), .numeric(let value)):
      return numerics(comparison, value, scale).map { ColumnFilter(test: $0, type: type) }
    case (.uuid, .uuid(let value)): return ColumnFilter(test: uuids(comparison, key(value)), type: type)
    case (.bytes, .bytes(let value)):
      let test = Test.bytes(
        value, less: [.less, .lessOrEqual, .notEqual].contains(comparison),
        equal: [.equal, .lessOrEqual, .greaterOrEqual].contains(comparison),
        greater: [.greater, .greaterOrEqual, .notEqual].contains(comparison))
      return ColumnFilter(test: test, type: type)
    default: return nil
    }
  }

  /// Rows whose value is one of `values`. `nil`: no exact form.
  package static func anyOf(_ values: [Scalar], _ type: DataType) -> ColumnFilter? {
    if values.isEmpty { return ColumnFilter(test: .nothing, type: type) }
    if values.count == 1 { return compare(.equal, values[0], type) }
    var integers: [Int64] = [], floats: [Double] = [], numbers: [Int128] = [], uuids: [UInt128] = []
    var strings: [[UInt8]] = []
    var hasNaN = false
    for value in values {
      switch (kind(type), value) {
      case (.integer, .integer(let value)): integers.append(value)
      case (.integer, .boolean(let value)): integers.append(value ? 1 : 0)
      case (.float, .float(let value)): if value.isNaN { hasNaN = true } else { floats.append(value) }
      case (.numeric(let scale), .numeric(let value)):
        guard !value.isNaN, let place = place(value, scale) else { return nil }
        if place.isExact { numbers.append(place.floor << 8 | Int128(scale)) }
      case (.uuid, .uuid(let value)): uuids.append(key(value))
      case (.bytes, .bytes(let value)): strings.append(value)
      default: return nil
      }
    }
    let test: Test
    switch kind(type) {
    case .integer: test = .integerSet(integers.sorted())
    case .float: test = .floatSet(floats.sorted(), nanPasses: hasNaN)
    case .numeric(let scale): test = .numericSet(numbers.sorted(), scale: scale)
    case .uuid: test = .uuidSet(uuids.sorted())
    case .bytes: test = .bytesSet(strings.sorted { $0.lexicographicallyPrecedes($1) })
    case .none: return nil
    }
    return ColumnFilter(test: test, type: type)
  }

  var acceptsNull: Bool { if case .isNull = test { true } else { false } }

  // MARK: Forms of a comparison

  private enum Kind { case integer, float, numeric(scale: Int), uuid, bytes, none }

  private static func kind(_ type: DataType) -> Kind {
    switch type {
    case .boolean, .int2, .int4, .int8, .date, .time, .timestamp, .timestamptz: .integer
    case .float4, .float8: .float
    case .numeric(let modifier?): .numeric(scale: modifier.scale)
    case .uuid: .uuid
    case .text, .varchar, .name, .bytea: .bytes
    default: .none
    }
  }

  private static func integers(_ comparison: Comparison, _ value: Int64) -> Test {
    switch comparison {
    case .equal: return .integers(low: value, high: value, negated: false)
    case .notEqual: return .integers(low: value, high: value, negated: true)
    case .less: return value == .min ? .nothing : .integers(low: .min, high: value - 1, negated: false)
    case .lessOrEqual: return .integers(low: .min, high: value, negated: false)
    case .greater: return value == .max ? .nothing : .integers(low: value + 1, high: .max, negated: false)
    case .greaterOrEqual: return .integers(low: value, high: .max, negated: false)
    }
  }

  private static func floats(_ comparison: Comparison, _ value: Double) -> Test {
    // An empty range: only NaN may pass.
    func none(nan: Bool) -> Test { .floats(low: .infinity, high: -.infinity, nanPasses: nan, negated: false) }
    func range(_ low: Double, _ high: Double, nan: Bool = false, negated: Bool = false) -> Test {
      .floats(low: low, high: high, nanPasses: nan, negated: negated)
    }
    if value.isNaN {
      switch comparison {
      case .equal, .greaterOrEqual: return none(nan: true)
      case .notEqual, .less: return range(-.infinity, .infinity)
      case .lessOrEqual: return range(-.infinity, .infinity, nan: true)
      case .greater: return .nothing
      }
    }
    switch comparison {
    case .equal: return range(value, value)
    case .notEqual: return range(value, value, negated: true)
    case .less: return value == -.infinity ? .nothing : range(-.infinity, value.nextDown)
    case .lessOrEqual: return range(-.infinity, value)
    case .greater: return value == .infinity ? none(nan: true) : range(value.nextUp, .infinity, nan: true)
    case .greaterOrEqual: return range(value, .infinity, nan: true)
    }
  }

  /// The value at another scale: rounded down, and whether that is the value itself. `nil`: out of range.
  private static func place(_ value: Numeric, _ scale: Int) -> (floor: Int128, isExact: Bool)? {
    var coefficient = value.coefficient
    if value.scale <= scale {
      for _ in value.scale..<scale {
        let (product, overflow) = coefficient.multipliedReportingOverflow(by: 10)
        if overflow { return nil }
        coefficient = product
      }
    } else {
      var divisor: Int128 = 1
      for _ in scale..<value.scale {
        let (product, overflow) = divisor.multipliedReportingOverflow(by: 10)
        if overflow { return nil }
        divisor = product
      }
      let (quotient, remainder) = coefficient.quotientAndRemainder(dividingBy: divisor)
      return (remainder < 0 ? quotient - 1 : quotient, remainder == 0)
    }
    // Room for one more on either side, and for the scale in the low byte.
    guard coefficient.magnitude < 1 << 118 else { return nil }
    return (coefficient, true)
  }

  private static func numerics(_ comparison: Comparison, _ value: Numeric, _ scale: Int) -> Test? {
    // A column of this kind holds no NaN (decimals of files have none), but then a literal may be one.
    guard !value.isNaN, let place = place(value, scale) else { return nil }
    let least = -(Int128(1) << 119), most = Int128(1) << 119 - 1
    func range(_ low: Int128, _ high: Int128, negated: Bool = false) -> Test {
      // Bits of a numeric of this scale are ordered as its coefficients.
      .numerics(low: low << 8 | Int128(scale), high: high << 8 | Int128(scale), scale: scale, negated: negated)
    }
    let floor = place.floor, ceiling = place.isExact ? place.floor : place.floor + 1
    switch comparison {
    case .equal: return place.isExact ? range(floor, floor) : .nothing
    case .notEqual: return place.isExact ? range(floor, floor, negated: true) : .isNotNull
    case .less: return range(least, ceiling - 1)
    case .lessOrEqual: return range(least, floor)
    case .greater: return range(floor + 1, most)
    case .greaterOrEqual: return range(ceiling, most)
    }
  }

  /// The bytes of a uuid as one number, in their order.
  static func key(_ value: UUIDValue) -> UInt128 {
    UInt128(UInt64(bigEndian: value.high)) << 64 | UInt128(UInt64(bigEndian: value.low))
  }

  private static func uuids(_ comparison: Comparison, _ value: UInt128) -> Test {
    switch comparison {
    case .equal: return .uuids(low: value, high: value, negated: false)
    case .notEqual: return .uuids(low: value, high: value, negated: true)
    case .less: return value == 0 ? .nothing : .uuids(low: 0, high: value - 1, negated: false)
    case .lessOrEqual: return .uuids(low: 0, high: value, negated: false)
    case .greater: return value == .max ? .nothing : .uuids(low: value + 1, high: .max, negated: false)
    case .greaterOrEqual: return .uuids(low: value, high: .max, negated: false)
    }
  }
}
