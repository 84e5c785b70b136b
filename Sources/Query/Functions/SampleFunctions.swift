// The conditions of TABLESAMPLE. They have no name that SQL could call.

import Bedrock
import Columnar

package enum SampleFunctions {
  /// (row number, percentage, seed, by blocks) of TABLESAMPLE with REPEATABLE.
  package static let repeatableSample = make("tablesample repeatable", .immutable) { _ in 0 }

  /// The same without a seed: every statement samples anew.
  package static let sample = make("tablesample", .volatile) { UInt64(bitPattern: $0.statementMicros) }

  /// Rows of one block are sampled together by SYSTEM.
  private static let blockRowsShift: Int64 = 11

  private static func make(
    _ name: String, _ volatility: Volatility, salt: @escaping @Sendable (FunctionContext) -> UInt64
  ) -> ScalarFunction {
    .make(
      name, [.any, .exact(.float4), .exact(.float8), .exact(.boolean)], .fixed(.boolean), isStrict: false,
      volatility: volatility
    ) { (context, columns, rows) throws(Fault) in
      guard rows > 0 else { return ColumnBuilder(type: .boolean).finish() }
      guard case .float(let percentage) = columns[1].scalar(at: 0) else {
        throw Fault(SQLState("2202H"), "TABLESAMPLE parameter cannot be null")
      }
      guard percentage >= 0, percentage <= 100 else {
        throw Fault(SQLState("2202H"), "sample percentage must be between 0 and 100")
      }
      guard case .float(let seed) = columns[2].scalar(at: 0) else {
        throw Fault(SQLState("2202G"), "TABLESAMPLE REPEATABLE parameter cannot be null")
      }
      let shift = columns[3].scalar(at: 0).boolean == true ? blockRowsShift : 0
      let start = mixed(seed.bitPattern ^ salt(context))
      // A hash of 64 bits is below the cutoff for that share of all rows.
      let cutoff = percentage >= 100 ? UInt64.max : UInt64(percentage / 100 * 0x1p64)
      let keys = columns[0].flat()
      let numbers = keys.values(Int64.self)
      let bytes = Buffer.of(UInt8.self, count: rows) { out in
        for row in 0..<rows {
          let hash = mixed(UInt64(bitPattern: numbers[min(row, numbers.count - 1)] >> shift) ^ start)
          out[row] = unsafeBitCast(hash <= cutoff && cutoff > 0, to: UInt8.self)
        }
      }
      return .fixed(.boolean, count: rows, bytes)
    }
  }

  /// One number for all values of a row, the same in every process.
  package static let rowHash = ScalarFunction.rowwise(
    "row hash", [.any], result: .fixed(.int8), isVariadic: true, isStrict: false
  ) { (arguments, row, out) throws(Fault) in
    var hash: UInt64 = 0
    for index in 0..<arguments.count { hash = mixed(hash ^ code(arguments.scalar(index, row))) }
    out.append(Int64(bitPattern: hash))
  }

  private static func code(_ value: Scalar) -> UInt64 {
    switch value {
    case .null: 1
    case .boolean(let value): value ? 3 : 2
    case .integer(let value): UInt64(bitPattern: value)
    case .float(let value): value.bitPattern
    case .numeric(let value): UInt64(truncatingIfNeeded: value.bits) ^ UInt64(truncatingIfNeeded: value.bits >> 64)
    case .interval(let value):
      UInt64(bitPattern: value.micros) ^ mixed(UInt64(UInt32(bitPattern: value.days)) << 32 | UInt64(UInt32(bitPattern: value.months)))
    case .uuid(let value): value.high ^ mixed(value.low)
    case .bytes(let bytes): bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    case .list(let values): values.reduce(7) { mixed($0 ^ code($1)) }
    }
  }

  /// The finaliser of SplitMix64.
  private static func mixed(_ value: UInt64) -> UInt64 {
    var hash = value &+ 0x9e37_79b9_7f4a_7c15
    hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
    hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
    return hash ^ (hash >> 31)
  }
}
