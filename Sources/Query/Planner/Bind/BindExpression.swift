// Expressions: names resolved, types known, casts explicit.

import Bedrock
import Columnar
import Functions
import Plan
import SQLSyntax

extension Binder {
  func bind(_ syntax: ExpressionSyntax, in scope: SelectScope) throws(Fault) -> Expression {
    let location = syntax.location
    switch syntax.kind {
    case .column(let path): return try bindColumn(path, in: scope, at: location)
    case .parameter(let number): return try bindParameter(number, at: location)
    case .constant(let constant): return try bindConstant(constant, at: location)
    case .operation(let name, let left, let right):
      return try bindOperation(name, left, right, in: scope, at: location)
    case .and(let list): return .and(try bindConditions(list, of: "AND", in: scope))
    case .or(let list): return .or(try bindConditions(list, of: "OR", in: scope))
    case .not(let operand): return .not(try bindConditions([operand], of: "NOT", in: scope)[0])
    case .isNull(let operand, let negated):
      if let test = try bindRowNullTest(operand, negated: negated, in: scope) { return test }
      let value = try settled(try bind(operand, in: scope), at: operand.location)
      return negated ? .isNotNull(value) : .isNull(value)
    case .isBoolean(let operand, let test, let negated):
      return try bindTruth(operand, test, negated: negated, in: scope)
    case .isDistinct(let a, let b, let negated): return try bindDistinct(a, b, negated: negated, in: scope, at: location)
    case .cast(let operand, let type): return try bindCast(operand, type, in: scope, at: location)
    case .function(let call): return try bindCall(call, in: scope)
    default: return try bindRarely(syntax, in: scope)
    }
  }

  /// The forms that do not nest deeply in practice, apart so that the frame of `bind` stays small.
  private func bindRarely(_ syntax: ExpressionSyntax, in scope: SelectScope) throws(Fault) -> Expression {
    let location = syntax.location
    switch syntax.kind {
    case .between(let value, let low, let high, let negated, let symmetric):
      return try bindBetween(value, low, high, negated: negated, symmetric: symmetric, in: scope, at: location)
    case .inList(let value, let list, let negated):
      return try bindInList(value, list, negated: negated, in: scope, at: location)
    case .nullIf(let a, let b): return try bindNullIf(a, b, in: scope, at: location)
    case .conditional(let argument, let branches, let otherwise):
      return try bindCase(argument, branches, otherwise, in: scope, at: location)
    case .coalesce(let list):
      let (values, type) = try unify(try bindAll(list, in: scope), for: "COALESCE")
      return .coalesce(values, type)
    case .greatest(let list): return try bindExtreme(list, ">", "GREATEST", in: scope, at: location)
    case .least(let list): return try bindExtreme(list, "<", "LEAST", in: scope, at: location)
    case .collate(let operand, let collation): return try bindCollate(operand, collation, in: scope, at: location)
    case .valueFunction(let function, let precision): return try bindValueFunction(function, precision, at: location)
    case .array(let list):
      let (values, element) = try unify(try bindAll(list, in: scope), for: "ARRAY")
      if list.isEmpty {
        throw Fault(
          .indeterminateDatatype, "cannot determine type of empty array",
          hint: "Explicitly cast to the desired type, for example ARRAY[]::integer[].", position: location.position)
      }
      return .array(values, .array(element))
    case .quantified(let name, let quantifier, let left, let array):
      return try bindQuantified(name, quantifier, left, array, in: scope, at: location)
    case .scalarSubquery, .exists, .arraySubquery, .quantifiedSubquery:
      return try bindSubqueryExpression(syntax, in: scope)
    case .element(let array, let index): return try bindElement(array, index, in: scope, at: location)
    case .row: throw Fault.unsupported("a row value here", position: location.position)
    case .star: throw Fault(.syntaxError, "\"*\" is not allowed here", position: location.position)
    case .field, .allFields: throw Fault.unsupported("selection of a composite field", position: location.position)
    case .slice: throw Fault.unsupported("an array slice", position: location.position)
    case .grouping(let list): return try bindGroupingCall(list, in: scope, at: location)
    case .defaultValue: throw Fault(.syntaxError, "DEFAULT is not allowed in this context", position: location.position)
    default: throw Fault.bug("an expression has no rule")
    }
  }

  func bindAll(
    _ list: [ExpressionSyntax], in scope: SelectScope
  ) throws(Fault) -> [(value: Expression, location: SourceLocation)] {
    var bound: [(value: Expression, location: SourceLocation)] = []
    bound.reserveCapacity(list.count)
    for item in list { bound.append((try bind(item, in: scope), item.location)) }
    return bound
  }

  private func bindConditions(
    _ list: [ExpressionSyntax], of clause: String, in scope: SelectScope
  ) throws(Fault) -> [Expression] {
    var bound: [Expression] = []
    for item in list { bound.append(try condition(try bind(item, in: scope), of: clause, at: item.location)) }
    return bound
  }

  private func bindParameter(_ number: Int, at location: SourceLocation) throws(Fault) -> Expression {
    guard (1...65_535).contains(number) else {
      throw Fault(.undefinedParameter, "there is no parameter $\(number)", position: location.position)
    }
    while parameterTypes.count < number { parameterTypes.append(nil) }
    return .parameter(number - 1, parameterTypes[number - 1] ?? .unknown)
  }

  private func bindConstant(_ constant: ConstantSyntax, at location: SourceLocation) throws(Fault) -> Expression {
    switch constant {
    case .null: return .constant(.null, .unknown)
    case .boolean(let value): return .constant(.boolean(value), .boolean)
    case .integer(let value): return .constant(.integer(Int64(value)), .int4)
    case .string(let text): return .constant(.text(text), .unknown)
    case .number(let text):
      if let value = Int64(text) { return .constant(.integer(value), Int32(exactly: value) == nil ? .int8 : .int4) }
      return try coerce(.constant(.text(text), .unknown), to: .numeric, .implicit, at: location)
    case .bitString: throw Fault.unsupported("a bit string", position: location.position)
    }
  }

  // MARK: Operators

  private func bindOperation(
    _ name: OperatorSyntax, _ left: ExpressionSyntax?, _ right: ExpressionSyntax, in scope: SelectScope,
    at location: SourceLocation
  ) throws(Fault) -> Expression {
    if let left, let comparison = try bindRowOperation(name, left, right, in: scope, at: location) { return comparison }
    var operands: [(value: Expression, location: SourceLocation)] = []
    if let left { operands.append((try bind(left, in: scope), left.location)) }
    operands.append((try bind(right, in: scope), right.location))
    return try callOperator(name, operands, at: location)
  }

  /// The operator over bound operands. Faults: 42883 and 42725 in PostgreSQL's words.
  func callOperator(
    _ name: OperatorSyntax, _ operands: [(value: Expression, location: SourceLocation)], at location: SourceLocation
  ) throws(Fault) -> Expression {
    let types = operands.map(\.value.type)
    let function = try chosenOperator(name, types, at: location)
    var arguments: [Expression] = []
    for (operand, type) in zip(operands, function.types) {
      let wanted: DataType
      if let type { wanted = type } else { wanted = try settled(operand.value, at: operand.location).type }
      arguments.append(try coerce(operand.value, to: wanted, .implicit, at: operand.location))
    }
    let result = function.function.result.resolve(arguments.map(\.type))
    return .call(function.function, arguments, result)
  }

  func chosenOperator(
    _ name: OperatorSyntax, _ types: [DataType], at location: SourceLocation
  ) throws(Fault) -> CallCandidate<ScalarFunction> {
    let isKnownSchema = name.schema == nil || name.schema == "pg_catalog"
    let symbol = name.name == "!=" ? "<>" : name.name
    let choice: CallChoice<ScalarFunction> = isKnownSchema ? library.chooseOperator(symbol, types) : .none
    let names = types.map(TypeNames.sqlName)
    let text = names.count == 1 ? "\(symbol) \(names[0])" : "\(names[0]) \(symbol) \(names[1])"
    switch choice {
    case .found(let candidate): return candidate
    case .none:
      throw Fault(
        .undefinedFunction, "operator does not exist: \(text)",
        hint: "No operator matches the given name and argument types. You might need to add explicit type casts.",
        position: location.position)
    case .ambiguous:
      throw Fault(
        .ambiguousFunction, "operator is not unique: \(text)",
        hint: "Could not choose a best candidate operator. You might need to add explicit type casts.",
        position: location.position)
    }
  }

  private func bindTruth(
    _ operand: ExpressionSyntax, _ test: BooleanTest, negated: Bool, in scope: SelectScope
  ) throws(Fault) -> Expression {
    let clause = "IS \(negated ? "NOT " : "")\("\(test)".uppercased())"
    let value = try condition(try bind(operand, in: scope), of: clause, at: operand.location)
    switch test {
    case .true: return .isTruth(value, true, negated: negated)
    case .false: return .isTruth(value, false, negated: negated)
    case .unknown: return negated ? .isNotNull(value) : .isNull(value)
    }
  }

  /// Two operands as their `=` operator takes them, and that operator.
  func equalityOperands(
    _ a: (value: Expression, location: SourceLocation), _ b: (value: Expression, location: SourceLocation),
    at location: SourceLocation
  ) throws(Fault) -> (Expression, Expression, ScalarFunction) {
    guard case .call(let equals, let operands, _) = try callOperator(OperatorSyntax(name: "="), [a, b], at: location)
    else { throw Fault.bug("an operator is not a call") }
    return (operands[0], operands[1], equals)
  }

  private func bindDistinct(
    _ a: ExpressionSyntax, _ b: ExpressionSyntax, negated: Bool, in scope: SelectScope, at location: SourceLocation
  ) throws(Fault) -> Expression {
    if let rows = try bindRowDistinct(a, b, negated: negated, in: scope, at: location) { return rows }
    let bound = try bindAll([a, b], in: scope)
    let (left, right, equals) = try equalityOperands(bound[0], bound[1], at: location)
    return .isDistinct(left, right, equals: equals, negated: negated)
  }

  private func bindBetween(
    _ value: ExpressionSyntax, _ low: ExpressionSyntax, _ high: ExpressionSyntax, negated: Bool, symmetric: Bool,
    in scope: SelectScope, at location: SourceLocation
  ) throws(Fault) -> Expression {
    if let row = try rowValues(value, in: scope), let from = try rowValues(low, in: scope),
      let to = try rowValues(high, in: scope)
    {
      func within(_ low: [BoundOperand], _ high: [BoundOperand]) throws(Fault) -> Expression {
        .and([
          try compareRows(OperatorSyntax(name: ">="), row, low, at: location),
          try compareRows(OperatorSyntax(name: "<="), row, high, at: location),
        ])
      }
      let result: Expression = symmetric ? .or([try within(from, to), try within(to, from)]) : try within(from, to)
      return negated ? .not(result) : result
    }
    let bound = try bindAll([value, low, high], in: scope)
    func inside(_ low: Int, _ high: Int) throws(Fault) -> Expression {
      .and([
        try callOperator(OperatorSyntax(name: ">="), [bound[0], bound[low]], at: location),
        try callOperator(OperatorSyntax(name: "<="), [bound[0], bound[high]], at: location),
      ])
    }
    let result: Expression = symmetric ? .or([try inside(1, 2), try inside(2, 1)]) : try inside(1, 2)
    return negated ? .not(result) : result
  }

  private func bindInList(
    _ value: ExpressionSyntax, _ list: [ExpressionSyntax], negated: Bool, in scope: SelectScope,
    at location: SourceLocation
  ) throws(Fault) -> Expression {
    if value.isRow || isWholeRow(value, in: scope) {
      var parts: [Expression] = []
      for item in list {
        parts.append(try bindOperation(OperatorSyntax(name: "="), value, item, in: scope, at: location))
      }
      return negated ? .not(.or(parts)) : .or(parts)
    }
    let operand = (value: try bind(value, in: scope), location: value.location)
    let items = try bindAll(list, in: scope)
    // One type for all, if there is one; else each item by its own operator.
    if let type = library.commonType([operand.value.type] + items.map(\.value.type)) {
      let (left, _, equals) = try equalityOperands(
        (try coerce(operand.value, to: type, .implicit, at: operand.location), operand.location),
        (.constant(.null, type), location), at: location)
      var scalars: [Scalar] = []
      var coerced: [Expression] = []
      for item in items {
        let typed = try coerce(item.value, to: type, .implicit, at: item.location)
        let converted = folded(try coerce(typed, to: left.type, .implicit, at: item.location))
        coerced.append(converted)
        if case .constant(let scalar, _) = converted { scalars.append(scalar) }
      }
      if scalars.count == items.count { return .inList(left, scalars, equals: equals, negated: negated) }
      let parts = coerced.map { Expression.call(equals, [left, $0], .boolean) }
      return negated ? .not(.or(parts)) : .or(parts)
    }
    var parts: [Expression] = []
    for item in items { parts.append(try callOperator(OperatorSyntax(name: "="), [operand, item], at: location)) }
    return negated ? .not(.or(parts)) : .or(parts)
  }

  /// A constant when all that it reads is constant.
  func folded(_ expression: Expression) -> Expression { Folding(context: context, foldsStable: false).fold(expression) }

  private func bindNullIf(
    _ a: ExpressionSyntax, _ b: ExpressionSyntax, in scope: SelectScope, at location: SourceLocation
  ) throws(Fault) -> Expression {
    let bound = try bindAll([a, b], in: scope)
    let equal = try callOperator(OperatorSyntax(name: "="), bound, at: location)
    let value = try settled(bound[0].value, at: a.location)
    return .caseWhen([(condition: equal, value: .constant(.null, value.type))], otherwise: value, value.type)
  }

  private func bindCase(
    _ argument: ExpressionSyntax?, _ branches: [WhenSyntax], _ otherwise: ExpressionSyntax?, in scope: SelectScope,
    at location: SourceLocation
  ) throws(Fault) -> Expression {
    let operand = try argument.map { (syntax) throws(Fault) in
      (value: try settled(try bind(syntax, in: scope), at: syntax.location), location: syntax.location)
    }
    var conditions: [Expression] = []
    for branch in branches {
      let value = try bind(branch.condition, in: scope)
      let at = branch.condition.location
      if let operand {
        conditions.append(try callOperator(OperatorSyntax(name: "="), [operand, (value, at)], at: at))
      } else {
        conditions.append(try condition(value, of: "CASE/WHEN", at: at))
      }
    }
    // PostgreSQL looks at ELSE first when it chooses the type.
    var results: [(value: Expression, location: SourceLocation)] = []
    if let otherwise { results.append((try bind(otherwise, in: scope), otherwise.location)) }
    for branch in branches { results.append((try bind(branch.result, in: scope), branch.result.location)) }
    let (values, type) = try unify(results, for: "CASE")
    let offset = otherwise == nil ? 0 : 1
    let pairs = branches.indices.map { (condition: conditions[$0], value: values[$0 + offset]) }
    return .caseWhen(pairs, otherwise: otherwise == nil ? nil : values[0], type)
  }

  /// GREATEST and LEAST ignore nulls; of equal values the first is taken. The type must have an order.
  private func bindExtreme(
    _ list: [ExpressionSyntax], _ comparison: String, _ name: String, in scope: SelectScope, at location: SourceLocation
  ) throws(Fault) -> Expression {
    let (values, type) = try unify(try bindAll(list, in: scope), for: name)
    _ = try callOperator(OperatorSyntax(name: comparison), [(values[0], location), (values[0], location)], at: location)
    guard let function = library.scalars(name.lowercased()).first else {
      throw Fault.unsupported(name, position: location.position)
    }
    return .call(function, values, type)
  }

  private func bindCollate(
    _ operand: ExpressionSyntax, _ collation: [String], in scope: SelectScope, at location: SourceLocation
  ) throws(Fault) -> Expression {
    let value = try settled(try bind(operand, in: scope), at: operand.location)
    guard value.type.isTextual else {
      throw Fault(
        .datatypeMismatch, "collations are not supported by type \(TypeNames.sqlName(value.type))",
        position: location.position)
    }
    // Text compares by its bytes everywhere, so these are one and the same.
    guard let name = collation.last, ["default", "C", "POSIX", "ucs_basic", "C.UTF-8"].contains(name) else {
      throw Fault(
        .undefinedObject, "collation \"\(collation.joined(separator: "."))\" for encoding \"UTF8\" does not exist",
        position: location.position)
    }
    return value
  }

  private func bindQuantified(
    _ name: OperatorSyntax, _ quantifier: Quantifier, _ left: ExpressionSyntax, _ array: ExpressionSyntax,
    in scope: SelectScope, at location: SourceLocation
  ) throws(Fault) -> Expression {
    let operand = try bind(left, in: scope)
    var list = try bind(array, in: scope)
    if list.type == .unknown {
      let element = operand.type == .unknown ? .text : operand.type.withoutModifier
      list = try coerce(list, to: .array(element), .implicit, at: array.location)
    }
    guard let element = list.type.element else {
      throw Fault(
        .wrongObjectType, "op ANY/ALL (array) requires array on right side", position: location.position)
    }
    return try compareWithArray(
      name, quantifier, (operand, left.location), list, element: element, at: location)
  }

  /// `operand op ANY|ALL (list)`.
  func compareWithArray(
    _ name: OperatorSyntax, _ quantifier: Quantifier, _ operand: (value: Expression, location: SourceLocation),
    _ list: Expression, element: DataType, at location: SourceLocation
  ) throws(Fault) -> Expression {
    let chosen = try chosenOperator(name, [operand.value.type, element], at: location)
    guard chosen.function.result.resolve([operand.value.type, element]) == .boolean else {
      throw Fault(.wrongObjectType, "op ANY/ALL (array) requires operator to yield boolean", position: location.position)
    }
    let left = try chosen.types[0].map { (type) throws(Fault) in
      try coerce(operand.value, to: type, .implicit, at: operand.location)
    }
    var array = list
    if let type = chosen.types[1], !type.isSameType(as: element) {
      array = try coerce(list, to: .array(type), .implicit, at: location)
    }
    return .arrayComparison(left ?? operand.value, chosen.function, array: array, all: quantifier == .all)
  }

  private func bindElement(
    _ array: ExpressionSyntax, _ index: ExpressionSyntax, in scope: SelectScope, at location: SourceLocation
  ) throws(Fault) -> Expression {
    let list = try bind(array, in: scope)
    guard list.type.element != nil else {
      throw Fault(
        .datatypeMismatch, "cannot subscript type \(TypeNames.sqlName(list.type)) because it does not support subscripting",
        position: array.location.position)
    }
    let place = try coerce(try bind(index, in: scope), to: .int4, .assignment, at: index.location)
    return try callScalar("array_get", [(list, array.location), (place, index.location)], at: location)
  }

  // MARK: Casts

  private func bindCast(
    _ operand: ExpressionSyntax, _ syntax: TypeNameSyntax, in scope: SelectScope, at location: SourceLocation
  ) throws(Fault) -> Expression {
    let type = try type(syntax)
    // ARRAY[...]::type[] types its elements, and an empty one has no other type.
    if case .array(let list) = operand.kind, case .array(let element) = type {
      var values: [Expression] = []
      for item in list {
        if case .array = item.kind { throw Fault.unsupported("an array of arrays", position: item.location.position) }
        values.append(try coerce(try bind(item, in: scope), to: element, .explicit, at: item.location))
      }
      return .array(values, type)
    }
    // A number too large for numeric may be a float: it is read as one.
    if type == .float8 || type == .float4, case .constant(.number(let text)) = operand.kind {
      return try coerce(.constant(.text(text), .unknown), to: type, .explicit, at: operand.location)
    }
    var value = try bind(operand, in: scope)
    if type == .interval, case .constant(.bytes(let bytes), .unknown) = value, let unit = intervalUnit(syntax) {
      value = .constant(.bytes(withUnit(bytes, unit)), .unknown)
    }
    let at = value.type == .unknown ? operand.location : location
    let result = try coerce(value, to: type, .explicit, at: at)
    // A cast to the value's own type still hides its length.
    return result
  }

  /// `INTERVAL '2' HOUR`: the single field that a bare number counts. Bits are PostgreSQL's INTERVAL_MASK.
  private func intervalUnit(_ syntax: TypeNameSyntax) -> String? {
    guard case .constant(.integer(let mask))? = syntax.modifiers.first?.kind else { return nil }
    switch mask {
    case 1 << 1: return "month"
    case 1 << 2: return "year"
    case 1 << 3: return "day"
    case 1 << 10: return "hour"
    case 1 << 11: return "minute"
    case 1 << 12: return "second"
    default: return nil
    }
  }

  private func withUnit(_ bytes: [UInt8], _ unit: String) -> [UInt8] {
    let isNumber = !bytes.isEmpty && bytes.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E || $0 == 0x2B }
    return isNumber ? bytes + Array(" \(unit)".utf8) : bytes
  }
}
