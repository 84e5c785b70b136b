// Calls: scalar functions, aggregates, casts written as calls, and the functions without parentheses.

import Bedrock
import Columnar
import Functions
import Plan
import SQLSyntax

extension Binder {
  func bindCall(_ call: FunctionCallSyntax, in scope: SelectScope) throws(Fault) -> Expression {
    if let over = call.over { return try bindWindowCall(call, over, in: scope) }
    let name = try functionName(call)
    if call.isWithinGroup { return try bindOrderedSet(call, name, in: scope) }
    if !WindowFunctions.named(name).isEmpty {
      throw Fault(
        .wrongObjectType, "window function \(name) requires an OVER clause", position: call.location.position)
    }
    guard library.aggregates(name).isEmpty else { return try bindAggregate(call, name, in: scope) }
    try refuseAggregateSyntax(call)
    if scope.isInsideTargets, library.scalars(name).isEmpty, !library.tableFunctions(name).isEmpty {
      return try bindExpansion(call, name, in: scope)
    }
    if call.isVariadic { return try bindVariadic(call, name, in: scope) }
    return try callScalar(name, try bindArguments(call, in: scope), at: call.location)
  }

  /// A set-returning function among the targets: its rows as a list, by which the row is repeated.
  private func bindExpansion(
    _ call: FunctionCallSyntax, _ name: String, in scope: SelectScope
  ) throws(Fault) -> Expression {
    let pendingBefore = scope.pending.count
    scope.isInsideTargets = false
    defer { scope.isInsideTargets = true }
    var arguments: [(value: Expression, location: SourceLocation)] = []
    for (value, location) in try bindArguments(call, in: scope) {
      arguments.append((try inlined(value, since: pendingBefore, in: scope), location))
    }
    let (function, values) = try chooseTableFunction(name, arguments, at: call.location)
    let columns = function.columns(values.map(\.type))
    guard columns.count == 1, let type = columns.first?.type else {
      throw Fault.unsupported("a function with several columns here", position: call.location.position)
    }
    scope.expansions.append(.call(function.asList(of: type), values, .array(type)))
    return .column(PendingColumn.expansion(scope.expansions.count - 1), type)
  }

  func chooseTableFunction(
    _ name: String, _ arguments: [(value: Expression, location: SourceLocation)], at location: SourceLocation
  ) throws(Fault) -> (TableFunction, [Expression]) {
    let types = arguments.map(\.value.type)
    let candidates = library.tableFunctions(name).compactMap { function in
      FunctionLibrary.expand(function.parameters, isVariadic: false, count: types.count).flatMap {
        FunctionLibrary.candidate(function, $0, for: types, library: library)
      }
    }
    guard case .found(let candidate) = library.choose(candidates, types) else {
      throw missing(name, types, at: location)
    }
    return (candidate.function, try convert(arguments, to: candidate.types))
  }

  /// The name to look up: bare for pg_catalog's, with its schema otherwise.
  func functionName(_ call: FunctionCallSyntax) throws(Fault) -> String {
    guard let name = call.name.last else { throw Fault.bug("a function has no name") }
    guard call.name.count > 1 else { return name }
    let schema = call.name[call.name.count - 2]
    return schema == "pg_catalog" ? name : "\(schema).\(name)"
  }

  func bindArguments(
    _ call: FunctionCallSyntax, in scope: SelectScope
  ) throws(Fault) -> [(value: Expression, location: SourceLocation)] {
    if call.isVariadic { throw Fault.unsupported("VARIADIC", position: call.location.position) }
    for argument in call.arguments where argument.name != nil {
      throw Fault.unsupported("a named argument", position: argument.value.location.position)
    }
    return try bindAll(call.arguments.map(\.value), in: scope)
  }

  private func refuseAggregateSyntax(_ call: FunctionCallSyntax) throws(Fault) {
    let name = call.name.last ?? ""
    let clause: String
    if call.isStar {
      throw Fault(
        .wrongObjectType, "\(name)(*) specified, but \(name) is not an aggregate function",
        position: call.location.position)
    } else if call.isDistinct {
      clause = "DISTINCT"
    } else if !call.orderBy.isEmpty {
      clause = call.isWithinGroup ? "WITHIN GROUP" : "ORDER BY"
    } else if call.filter != nil {
      clause = "FILTER"
    } else {
      return
    }
    guard library.hasFunction(name) else { return }
    throw Fault(
      .wrongObjectType, "\(clause) specified, but \(name) is not an aggregate function", position: call.location.position)
  }

  /// The scalar function of that name over bound arguments. Faults: 42883 and 42725 in PostgreSQL's words.
  func callScalar(
    _ name: String, _ arguments: [(value: Expression, location: SourceLocation)], at location: SourceLocation
  ) throws(Fault) -> Expression {
    let types = arguments.map(\.value.type)
    let candidates = library.scalars(name).compactMap { function in
      FunctionLibrary.expand(function.parameters, isVariadic: function.isVariadic, count: types.count).flatMap {
        FunctionLibrary.candidate(function, $0, for: types, library: library)
      }
    }
    switch library.choose(candidates, types) {
    case .found(let candidate):
      let values = try convert(arguments, to: candidate.types)
      return .call(candidate.function, values, candidate.function.result.resolve(values.map(\.type)))
    case .ambiguous: throw undecided(name, types, at: location)
    case .none:
      // `date(x)`, `text(x)`: a cast written as a call.
      if arguments.count == 1, let type = TypeNames.type(named: name), library.canCoerce(types[0], to: type, .explicit) {
        return try coerce(arguments[0].value, to: type, .explicit, at: location)
      }
      if !library.tableFunctions(name).isEmpty {
        throw Fault.unsupported("set-returning function \(name) here", position: location.position)
      }
      throw missing(name, types, at: location)
    }
  }

  func convert(
    _ arguments: [(value: Expression, location: SourceLocation)], to types: [DataType?]
  ) throws(Fault) -> [Expression] {
    var values: [Expression] = []
    for (argument, type) in zip(arguments, types) {
      if let type {
        values.append(try coerce(argument.value, to: type, .implicit, at: argument.location))
      } else {
        values.append(try settled(argument.value, at: argument.location))
      }
    }
    return values
  }

  func missing(_ name: String, _ types: [DataType], at location: SourceLocation) -> Fault {
    Fault(
      .undefinedFunction, "function \(name)(\(types.map(TypeNames.sqlName).joined(separator: ", "))) does not exist",
      hint: "No function matches the given name and argument types. You might need to add explicit type casts.",
      position: location.position)
  }

  private func undecided(_ name: String, _ types: [DataType], at location: SourceLocation) -> Fault {
    Fault(
      .ambiguousFunction, "function \(name)(\(types.map(TypeNames.sqlName).joined(separator: ", "))) is not unique",
      hint: "Could not choose a best candidate function. You might need to add explicit type casts.",
      position: location.position)
  }

  // MARK: Aggregates

  private func bindAggregate(
    _ call: FunctionCallSyntax, _ name: String, in scope: SelectScope
  ) throws(Fault) -> Expression {
    let position = call.location.position
    try refuseAggregate(in: scope, at: call.location)
    scope.isInsideAggregate = true
    defer { scope.isInsideAggregate = false }
    let pendingBefore = scope.pending.count
    var arguments: [(value: Expression, location: SourceLocation)] = []
    for (value, location) in call.isStar ? [] : try bindArguments(call, in: scope) {
      arguments.append((try inlined(value, since: pendingBefore, in: scope), location))
    }
    let filter = try call.filter.map { (syntax) throws(Fault) in
      try inlined(
        try condition(try bind(syntax, in: scope), of: "FILTER", at: syntax.location), since: pendingBefore, in: scope)
    }
    var orderBy: [SortKey] = []
    for item in call.orderBy {
      let value = try settled(try bind(item.expression, in: scope), at: item.expression.location)
      orderBy.append(sortKey(value, item))
    }
    guard scope.pending.count == pendingBefore else {
      throw Fault.unsupported("a correlated subquery inside an aggregate", position: position)
    }
    let aggregate = try chooseAggregate(name, arguments, isStar: call.isStar, at: call.location)
    guard aggregate.function.directCount == nil else {
      throw Fault(
        .wrongObjectType, "WITHIN GROUP is required for ordered-set aggregate \(name)", position: position)
    }
    if call.isDistinct {
      let known = arguments.map(\.value) + aggregate.values
      for (key, item) in zip(orderBy, call.orderBy) where !known.contains(where: { $0.isSame(as: key.expression) }) {
        throw Fault(
          .invalidColumnReference, "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list",
          position: item.expression.location.position)
      }
    }
    let found = AggregateCall(
      function: aggregate.function, arguments: aggregate.values, isDistinct: call.isDistinct, filter: filter,
      orderBy: orderBy, type: aggregate.function.result.resolve(aggregate.values.map(\.type)))
    let index = scope.aggregates.firstIndex { $0.isSame(as: found) } ?? scope.aggregates.count
    if index == scope.aggregates.count { scope.aggregates.append(found) }
    return .column(PendingColumn.aggregate(index), found.type)
  }

  func chooseAggregate(
    _ name: String, _ arguments: [(value: Expression, location: SourceLocation)], isStar: Bool,
    at location: SourceLocation
  ) throws(Fault) -> (function: AggregateFunction, values: [Expression]) {
    let types = arguments.map(\.value.type)
    let candidates = library.aggregates(name).compactMap { function in
      FunctionLibrary.expand(function.parameters, isVariadic: false, count: types.count).flatMap {
        FunctionLibrary.candidate(function, $0, for: types, library: library)
      }
    }
    if !isStar, types.isEmpty, !candidates.isEmpty {
      throw Fault(
        .wrongObjectType, "\(name)(*) must be used to call a parameterless aggregate function",
        position: location.position)
    }
    switch library.choose(candidates, types) {
    case .found(let candidate):
      return (candidate.function, candidate.function.converted(try convert(arguments, to: candidate.types)))
    case .ambiguous: throw undecided(name, types, at: location)
    case .none:
      if isStar {
        throw Fault(
          .undefinedFunction, "function \(name)() does not exist",
          hint: "No function matches the given name and argument types. You might need to add explicit type casts.",
          position: location.position)
      }
      throw missing(name, types, at: location)
    }
  }

  func sortKey(_ value: Expression, _ item: SortSyntax) -> SortKey {
    SortKey(expression: value, descending: item.isDescending, nullsFirst: item.nullsFirst ?? item.isDescending)
  }

  // MARK: Functions without parentheses

  func bindValueFunction(
    _ function: ValueFunction, _ precision: Int?, at location: SourceLocation
  ) throws(Fault) -> Expression {
    if let precision, precision < 6 {
      throw Fault.unsupported("\(function.rawValue)(\(precision))", position: location.position)
    }
    let name = function.rawValue
    if library.scalars(name).contains(where: { $0.parameters.isEmpty }) {
      return try callScalar(name, [], at: location)
    }
    switch function {
    case .currentTimestamp: return try callScalar("now", [], at: location)
    case .currentDate: return try now(as: .date, at: location)
    case .currentTime, .localTime: return try now(as: .time, at: location)
    case .localTimestamp: return try now(as: .timestamp, at: location)
    case .currentRole, .user, .sessionUser: return try callScalar("current_user", [], at: location)
    case .currentCatalog: return try callScalar("current_database", [], at: location)
    case .currentSchema, .currentUser: return try callScalar(name, [], at: location)
    }
  }

  private func now(as type: DataType, at location: SourceLocation) throws(Fault) -> Expression {
    try coerce(try callScalar("now", [], at: location), to: type, .explicit, at: location)
  }
}

extension TableFunction {
  private static var listElementsMax: Int { 1 << 20 }

  /// The rows of a call as one list.
  fileprivate func asList(of type: DataType) -> ScalarFunction {
    let function = self
    return ScalarFunction(
      name: name, parameters: [], result: .fixed(.array(type)), isStrict: false, volatility: .stable
    ) { (context, columns, rows) throws(Fault) in
      var builder = ColumnBuilder(type: .array(type), capacity: rows)
      for row in 0..<rows {
        let next = try function.open(context, columns.map { $0.scalar(at: row) }, columns.map(\.type))
        var list: [Scalar] = []
        while let chunk = try next() {
          guard list.count + chunk.rowCount <= Self.listElementsMax else {
            throw Fault(
              .programLimitExceeded, "\(function.name) gives more than \(Self.listElementsMax) rows here",
              hint: "Call it in FROM.")
          }
          for index in 0..<chunk.rowCount { list.append(chunk.columns[0].scalar(at: index)) }
        }
        builder.append(list: list)
      }
      return builder.finish()
    }
  }
}

extension AggregateFunction {
  /// The arguments after the function's conversions.
  fileprivate func converted(_ arguments: [Expression]) -> [Expression] {
    if conversions.isEmpty { return arguments }
    precondition(conversions.count == arguments.count, "one conversion an argument")
    return zip(conversions, arguments).map { .call($0, [$1], $0.result.resolve([$1.type])) }
  }
}

extension AggregateCall {
  func isSame(as other: AggregateCall) -> Bool {
    func same(_ a: Expression?, _ b: Expression?) -> Bool {
      guard let a, let b else { return a == nil && b == nil }
      return a.isSame(as: b)
    }
    return function.name == other.function.name && function.parameters == other.function.parameters
      && isDistinct == other.isDistinct && arguments.count == other.arguments.count
      && orderBy.isEmpty && other.orderBy.isEmpty
      && zip(arguments, other.arguments).allSatisfy { $0.isSame(as: $1) } && same(filter, other.filter)
  }
}
