// The aggregates there are, with PostgreSQL's signatures and result types.

import Bedrock
import Columnar
import Kernels

enum Aggregates {
  static let all: [AggregateFunction] = counts + sums + extremes + logic + collections + variances + byTime

  private static func make(
    _ name: String, _ parameters: [ParameterType], _ result: ResultType, over nothing: Scalar = .null,
    _ state: @escaping @Sendable ([DataType]) -> any AggregateState
  ) -> AggregateFunction {
    AggregateFunction(name: name, parameters: parameters, result: result, valueOverNothing: nothing, makeState: state)
  }

  private static let counts: [AggregateFunction] = [
    make("count", [], .fixed(.int8), over: .integer(0)) { _ in CountState(ignoresNulls: false) },
    make("count", [.any], .fixed(.int8), over: .integer(0)) { _ in CountState(ignoresNulls: true) },
  ]

  private static func sum(_ name: String, _ result: SumResult, _ type: DataType, _ output: DataType) -> AggregateFunction {
    make(name, [.exact(type)], .fixed(output)) { _ in
      switch type {
      case .float4, .float8: FloatSumState(type, result)
      case .numeric: NumericSumState(result)
      case .interval: IntervalSumState(result)
      default: IntegerSumState(type, result)
      }
    }
  }

  private static let sums: [AggregateFunction] = [
    sum("sum", .sum, .int2, .int8), sum("sum", .sum, .int4, .int8), sum("sum", .sum, .int8, .numeric),
    sum("sum", .sum, .float4, .float4), sum("sum", .sum, .float8, .float8), sum("sum", .sum, .numeric, .numeric),
    sum("sum", .sum, .interval, .interval), sum("avg", .average, .int2, .numeric), sum("avg", .average, .int4, .numeric),
    sum("avg", .average, .int8, .numeric), sum("avg", .average, .float4, .float8),
    sum("avg", .average, .float8, .float8), sum("avg", .average, .numeric, .numeric),
    sum("avg", .average, .interval, .interval),
  ]

  private static let extremeTypes: [DataType] = [
    .int2, .int4, .int8, .float4, .float8, .numeric, .text, .bpchar(nil), .date, .time, .timestamp, .timestamptz,
    .interval, .oid,
  ]

  private static func extremeState(_ type: DataType, isMax: Bool) -> any AggregateState {
    switch type.physical {
    case .int32:
      if type == .oid { return FixedExtremeState<UInt32>(type, empty: 0) { isMax ? $0 > $1 : $0 < $1 } }
      return FixedExtremeState<Int32>(type, empty: 0) { isMax ? $0 > $1 : $0 < $1 }
    case .int64: return FixedExtremeState<Int64>(type, empty: 0) { isMax ? $0 > $1 : $0 < $1 }
    case .float32:
      return FixedExtremeState<Float>(type, empty: 0) {
        let a = RowKey.ordered(Double($0)), b = RowKey.ordered(Double($1))
        return isMax ? a > b : a < b
      }
    case .float64:
      return FixedExtremeState<Double>(type, empty: 0) {
        let a = RowKey.ordered($0), b = RowKey.ordered($1)
        return isMax ? a > b : a < b
      }
    case .numeric:
      return FixedExtremeState<Numeric>(type, empty: .zero) {
        let order = Numeric.compare($0, $1)
        return isMax ? order > 0 : order < 0
      }
    case .interval:
      return FixedExtremeState<Interval>(type, empty: Interval()) {
        isMax ? $0.comparable > $1.comparable : $0.comparable < $1.comparable
      }
    case .bool8, .uuid, .bytes, .list: return BytesExtremeState(type, isMax: isMax)
    }
  }

  private static let extremes: [AggregateFunction] = extremeTypes.flatMap { type in
    [
      make("min", [.exact(type)], .fixed(type)) { _ in extremeState(type, isMax: false) },
      make("max", [.exact(type)], .fixed(type)) { _ in extremeState(type, isMax: true) },
    ]
  }

  private static func logical(_ name: String, isAnd: Bool) -> AggregateFunction {
    make(name, [.exact(.boolean)], .fixed(.boolean)) { _ in
      FixedExtremeState<UInt8>(.boolean, empty: 0) { isAnd ? $0 < $1 : $0 > $1 }
    }
  }

  private static let logic: [AggregateFunction] = [
    logical("bool_and", isAnd: true), logical("every", isAnd: true), logical("bool_or", isAnd: false),
  ]

  private static let collections: [AggregateFunction] = [
    make("array_agg", [.anyElement], .computed { .array($0[0]) }) { types in CollectState(types[0], isText: false) },
    make("string_agg", [.exact(.text), .exact(.text)], .fixed(.text)) { _ in CollectState(.text, isText: true) },
    make("string_agg", [.exact(.bytea), .exact(.bytea)], .fixed(.bytea)) { _ in CollectState(.bytea, isText: true) },
  ]

  private static let variances: [AggregateFunction] = VarianceKind.allCases.flatMap { kind -> [AggregateFunction] in
    let alias = kind == .sampleVariance ? ["variance"] : (kind == .sampleDeviation ? ["stddev"] : [])
    return ([kind.rawValue] + alias).flatMap { name -> [AggregateFunction] in
      ([.float4, .float8] as [DataType]).map { type in
        make(name, [.exact(type)], .fixed(.float8)) { _ in FloatVarianceState(kind) }
      } + ([.int2, .int4, .int8, .numeric] as [DataType]).map { type in
        make(name, [.exact(type)], .fixed(.numeric)) { _ in NumericVarianceState(kind) }
      }
    }
  }

  private static let byTime: [AggregateFunction] = ([.timestamptz, .timestamp, .date, .int8] as [DataType]).flatMap { time in
    [
      make("first", [.anyElement, .exact(time)], .computed { $0[0] }) { types in ByTimeState(types[0], isLast: false) },
      make("last", [.anyElement, .exact(time)], .computed { $0[0] }) { types in ByTimeState(types[0], isLast: true) },
    ]
  }
}
