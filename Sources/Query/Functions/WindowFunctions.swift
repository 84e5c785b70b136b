// The functions that exist only over windows, with PostgreSQL's signatures. Aggregates over windows are in Aggregates.

import Bedrock
import Columnar

/// The window functions, by their names.
package enum WindowFunctionKind: String, Sendable, CaseIterable {
  case rowNumber = "row_number", rank, denseRank = "dense_rank", percentRank = "percent_rank", cumeDist = "cume_dist"
  case ntile, lag, lead, firstValue = "first_value", lastValue = "last_value", nthValue = "nth_value"
}

/// One way to call a window function.
package struct WindowFunctionSignature: Sendable {
  package let kind: WindowFunctionKind
  package let parameters: [ParameterType]
  package let result: ResultType
}

/// The window functions with their signatures.
package enum WindowFunctions {
  /// Every way to call the function of that name; none when it is no window function.
  package static func named(_ name: String) -> [WindowFunctionSignature] {
    guard let kind = WindowFunctionKind(rawValue: name) else { return [] }
    func signature(_ parameters: [ParameterType], _ result: ResultType) -> WindowFunctionSignature {
      WindowFunctionSignature(kind: kind, parameters: parameters, result: result)
    }
    let same = ResultType.computed { $0[0].withoutModifier }
    switch kind {
    case .rowNumber, .rank, .denseRank: return [signature([], .fixed(.int8))]
    case .percentRank, .cumeDist: return [signature([], .fixed(.float8))]
    case .ntile: return [signature([.exact(.int4)], .fixed(.int4))]
    case .firstValue, .lastValue: return [signature([.anyElement], same)]
    case .nthValue: return [signature([.anyElement, .exact(.int4)], same)]
    case .lag, .lead:
      return [
        signature([.anyElement], same), signature([.anyElement, .exact(.int4)], same),
        signature([.anyElement, .exact(.int4), .anyElement], same),
      ]
    }
  }
}
