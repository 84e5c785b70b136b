// Which function or operator a call means (PostgreSQL's func_get_detail, func_select_candidate, oper).
//
// 1. Candidates have the right number of parameters, after a variadic one is repeated.
// 2. One whose parameters are exactly the argument types wins at once. For an operator with one unknown side the other
//    side's type is tried first.
// 3. Else candidates that need an impossible cast go away, then those with fewer exact matches, then those with fewer
//    exact or preferred types, then unknown arguments vote by category. One left: that. Else nothing or ambiguous.

import Bedrock
import Columnar
import Functions

/// A function as far as choosing goes.
struct CallCandidate<Function> {
  let function: Function
  /// One type an argument; nil accepts anything.
  let types: [DataType?]
  /// The parameters, repeated for a variadic one.
  let parameters: [ParameterType]
}

enum CallChoice<Function> {
  case found(CallCandidate<Function>)
  case none
  case ambiguous
}

extension FunctionLibrary {
  /// The parameters for that many arguments, or nil when the number does not fit.
  static func expand(_ parameters: [ParameterType], isVariadic: Bool, count: Int) -> [ParameterType]? {
    if parameters.count == count { return parameters }
    guard isVariadic, let last = parameters.last, count > parameters.count else { return nil }
    return parameters + [ParameterType](repeating: last, count: count - parameters.count)
  }

  /// The candidate with its polymorphic parameters made concrete, or nil when they contradict each other.
  static func candidate<Function>(
    _ function: Function, _ parameters: [ParameterType], for arguments: [DataType], library: FunctionLibrary
  ) -> CallCandidate<Function>? {
    var elements: [DataType] = []
    for (parameter, argument) in zip(parameters, arguments) {
      switch parameter {
      case .anyElement: elements.append(argument)
      case .anyArray:
        if argument == .unknown { continue }
        guard let element = argument.element else { return nil }
        elements.append(element)
      case .exact, .any: break
      }
    }
    guard let element = library.commonType(elements) else { return nil }
    let types: [DataType?] = parameters.enumerated().map { index, parameter in
      switch parameter {
      case .exact(let type): type
      case .anyElement: element
      // int2vector and oidvector pass as they are.
      case .anyArray: arguments[index].element != nil ? arguments[index] : .array(element)
      case .any: nil
      }
    }
    return CallCandidate(function: function, types: types, parameters: parameters)
  }

  func choose<Function>(_ candidates: [CallCandidate<Function>], _ arguments: [DataType]) -> CallChoice<Function> {
    func isExact(_ type: DataType?, _ argument: DataType) -> Bool {
      guard let type else { return true }
      return type.isSameType(as: argument)
    }
    if let exact = candidates.first(where: { zip($0.types, arguments).allSatisfy { isExact($0, $1) } }) {
      return .found(exact)
    }
    var rest = candidates.filter { candidate in
      zip(candidate.types, arguments).allSatisfy { type, argument in
        type.map { canCoerce(argument, to: $0) } ?? true
      }
    }
    func keepBest(_ score: (CallCandidate<Function>) -> Int) {
      let best = rest.map(score).max() ?? 0
      rest = rest.filter { score($0) == best }
    }
    // A polymorphic parameter is never an exact match.
    func isExactly(_ parameter: ParameterType, _ argument: DataType) -> Bool {
      switch parameter {
      case .exact(let type): argument != .unknown && type.isSameType(as: argument)
      case .any: argument != .unknown
      case .anyElement, .anyArray: false
      }
    }
    keepBest { zip($0.parameters, arguments).count { isExactly($0, $1) } }
    if rest.count > 1 {
      keepBest { candidate in
        arguments.indices.count { index in
          let (parameter, type, argument) = (candidate.parameters[index], candidate.types[index], arguments[index])
          return argument != .unknown
            && (isExactly(parameter, argument)
              || (type.map { $0.isPreferred && TypeCategory($0) == TypeCategory(argument) } ?? false))
        }
      }
    }
    if rest.count > 1 { rest = chooseByUnknowns(rest, arguments) }
    switch rest.count {
    case 0: return .none
    case 1: return .found(rest[0])
    default: return .ambiguous
    }
  }

  /// Rules 4.e and 4.f of the manual's section 10.3.
  private func chooseByUnknowns<Function>(
    _ candidates: [CallCandidate<Function>], _ arguments: [DataType]
  ) -> [CallCandidate<Function>] {
    let unknowns = arguments.indices.filter { arguments[$0] == .unknown }
    guard !unknowns.isEmpty else { return candidates }
    var rest = candidates
    var isDecided = true
    for index in unknowns {
      let categories = Set(rest.compactMap { $0.types[index].map { TypeCategory($0) } })
      let category: TypeCategory
      if categories.contains(.string) {
        category = .string
      } else if categories.count == 1, let only = categories.first {
        category = only
      } else {
        isDecided = false
        continue
      }
      let inCategory = rest.filter { $0.types[index].map { TypeCategory($0) == category } ?? true }
      let preferred = inCategory.filter { $0.types[index]?.isPreferred ?? false }
      if !inCategory.isEmpty { rest = preferred.isEmpty ? inCategory : preferred }
    }
    if rest.count == 1 && isDecided { return rest }
    // All known arguments have one type: take the unknown ones for that too.
    let known = Set(arguments.filter { $0 != .unknown }.map(\.withoutModifier))
    if known.count == 1, let type = known.first {
      let same = candidates.filter { candidate in
        zip(candidate.types, arguments).allSatisfy { wanted, argument in
          guard let wanted else { return true }
          return argument == .unknown ? canCoerce(type, to: wanted) : canCoerce(argument, to: wanted)
        }
      }
      if same.count == 1 { return same }
    }
    return rest
  }

  /// The operator of that name for these operand types; one operand: a prefix operator.
  func chooseOperator(_ name: String, _ operands: [DataType]) -> CallChoice<ScalarFunction> {
    let candidates = operators(name).compactMap { function in
      Self.expand(function.parameters, isVariadic: false, count: operands.count).flatMap {
        Self.candidate(function, $0, for: operands, library: self)
      }
    }
    if operands.count == 2, (operands[0] == .unknown) != (operands[1] == .unknown) {
      let known = operands[0] == .unknown ? operands[1] : operands[0]
      let exact = candidates.first { candidate in
        candidate.types.allSatisfy { $0.map { $0.isSameType(as: known) } ?? false }
      }
      if let exact { return .found(exact) }
    }
    return choose(candidates, operands)
  }
}
