// The aggregates there are, with PostgreSQL's signatures and result types.

import Bedrock
import Columnar
import Kernels

enum Aggregates {
  static let all: [AggregateFunction] = counts + sums + extremes + logic + bits + collections + variances + byTime
    + OrderedSets.all + RegressionKind.all + lists + sketches
    + JSONBuilding.aggregates + EventAggregates.all

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

  private static func sum(_ name: String, _ result: SumResult, _ type: DataType, _ output: DataType)
    -> AggregateFunction
  {
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
    sum("sum", .sum, .interval, .interval), sum("avg", .average, .int2, .numeric),
    sum("avg", .average, .int4, .numeric),
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
      if type == .oid { return ordered(type, UInt32(0), isMax) }
      return ordered(type, Int32(0), isMax)
    case .int64: return ordered(type, Int64(0), isMax)
    case .float32: return float(type, Float(0), isMax)
    case .float64: return float(type, Double(0), isMax)
    case .numeric:
      if isMax { return FixedExtremeState(type, empty: .zero, GreatestNumeric.self) }
      return FixedExtremeState(type, empty: .zero, LeastNumeric.self)
    case .interval:
      if isMax { return FixedExtremeState(type, empty: Interval(), GreatestInterval.self) }
      return FixedExtremeState(type, empty: Interval(), LeastInterval.self)
    case .bool8, .uuid, .bytes, .list: return BytesExtremeState(type, isMax: isMax)
    }
  }

  private static func ordered<T: BitwiseCopyable & Comparable>(
    _ type: DataType, _ empty: T, _ isMax: Bool
  ) -> any AggregateState {
    if isMax { return FixedExtremeState(type, empty: empty, Greatest<T>.self) }
    return FixedExtremeState(type, empty: empty, Least<T>.self)
  }

  private static func float<T: BitwiseCopyable & BinaryFloatingPoint>(
    _ type: DataType, _ empty: T, _ isMax: Bool
  ) -> any AggregateState {
    if isMax { return FixedExtremeState(type, empty: empty, GreatestFloat<T>.self) }
    return FixedExtremeState(type, empty: empty, LeastFloat<T>.self)
  }

  private static let lists: [AggregateFunction] = [
    make("min", [.anyArray], .computed { $0[0] }) { types in ListExtremeState(types[0], isMax: false) },
    make("max", [.anyArray], .computed { $0[0] }) { types in ListExtremeState(types[0], isMax: true) },
  ]

  private static let sketches: [AggregateFunction] = [
    make("approx_count_distinct", [.any], .fixed(.int8), over: .integer(0)) { _ in DistinctSketchState() },
    make("approx_percentile", [.exact(.float8), .exact(.float8)], .fixed(.float8)) { _ in QuantileSketchState() },
  ]

  private static let extremes: [AggregateFunction] = extremeTypes.flatMap { type in
    [
      make("min", [.exact(type)], .fixed(type)) { _ in extremeState(type, isMax: false) },
      make("max", [.exact(type)], .fixed(type)) { _ in extremeState(type, isMax: true) },
    ]
  }

  private static func logical(_ name: String, isAnd: Bool) -> AggregateFunction {
    make(name, [.exact(.boolean)], .fixed(.boolean)) { _ in
      ordered(.boolean, UInt8(0), !isAnd)
    }
  }

  private static let logic: [AggregateFunction] = [
    logical("bool_and", isAnd: true), logical("every", isAnd: true), logical("bool_or", isAnd: false),
  ]

  private static let bits: [AggregateFunction] = BitOperation.allCases.flatMap { operation in
    ([.int2, .int4, .int8] as [DataType]).map { type in
      make(operation.rawValue, [.exact(type)], .fixed(type)) { _ in BitState(type, operation) }
    }
  }

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
      }
        + ([.int2, .int4, .int8, .numeric] as [DataType]).map { type in
          make(name, [.exact(type)], .fixed(.numeric)) { _ in NumericVarianceState(kind) }
        }
    }
  }

  private static let byTime: [AggregateFunction] = ([.timestamptz, .timestamp, .date, .int8] as [DataType]).flatMap {
    time in
    [
      make("first", [.anyElement, .exact(time)], .computed { $0[0] }) { types in ByTimeState(types[0], isLast: false) },
      make("last", [.anyElement, .exact(time)], .computed { $0[0] }) { types in ByTimeState(types[0], isLast: true) },
    ]
  }
}
