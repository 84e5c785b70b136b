// Window functions: which calls there are, over which windows, and the plan nodes that compute them.
//
// While a SELECT is bound each call is a pending column; its arguments, keys and frame are bound over the columns of
// FROM, and with grouping rewritten over the aggregate's output like any target. Then everything that windows read is
// projected to columns, and one node is made for each different (partition, order), longest keys first, so that a window
// whose keys begin another's finds its input sorted.

import Bedrock
import Columnar
import Functions
import Plan
import SQLSyntax

/// A window as its clause defines it.
struct WindowDefinition {
  var partition: [Expression]
  var order: [SortKey]
  var frame: WindowFrame
  var isFrameWritten: Bool

  func isSame(as other: WindowDefinition) -> Bool {
    partition.count == other.partition.count && order.count == other.order.count
      && zip(partition, other.partition).allSatisfy { $0.isSame(as: $1) }
      && zip(order, other.order).allSatisfy { a, b in
        a.expression.isSame(as: b.expression) && a.descending == b.descending && a.nullsFirst == b.nullsFirst
      }
  }
}

/// A call found among the targets, in ORDER BY or in DISTINCT ON.
struct PendingWindowCall {
  var definition: WindowDefinition
  var call: WindowCall
}

/// What a SELECT knows of windows while it is bound.
struct WindowScope {
  /// Of the WINDOW clause, in order.
  var named: [(name: String, definition: WindowDefinition)] = []
  var calls: [PendingWindowCall] = []
  /// Names the clause at hand when window functions are not allowed in it.
  var forbiddenIn: String?
}

extension Binder {
  /// Binds the WINDOW clause.
  func bindWindows(_ windows: [WindowSyntax], in scope: SelectScope) throws(Fault) {
    for syntax in windows {
      let name = syntax.name ?? ""
      if scope.windows.named.contains(where: { $0.name == name }) {
        throw Fault(.windowingError, "window \"\(name)\" is already defined", position: syntax.location.position)
      }
      scope.windows.named.append((name, try bindWindow(syntax, in: scope)))
    }
  }

  private func namedWindow(
    _ name: String, in scope: SelectScope, at location: SourceLocation
  ) throws(Fault) -> WindowDefinition {
    guard let found = scope.windows.named.first(where: { $0.name == name }) else {
      throw Fault(.undefinedObject, "window \"\(name)\" does not exist", position: location.position)
    }
    return found.definition
  }

  private func bindWindow(_ syntax: WindowSyntax, in scope: SelectScope) throws(Fault) -> WindowDefinition {
    let position = syntax.location.position
    let base = try syntax.base.map { (name) throws(Fault) in try namedWindow(name, in: scope, at: syntax.location) }
    let outer = scope.windows.forbiddenIn
    scope.windows.forbiddenIn = "window definitions"
    defer { scope.windows.forbiddenIn = outer }
    var order: [SortKey] = []
    for item in syntax.orderBy {
      let value = try settled(try bind(item.expression, in: scope), at: item.expression.location)
      order.append(sortKey(value, item))
    }
    var partition: [Expression] = []
    for item in syntax.partitionBy {
      let value = try settled(try bind(item, in: scope), at: item.location)
      if !partition.contains(where: { $0.isSame(as: value) }) { partition.append(value) }
    }
    if let base, let name = syntax.base {
      guard partition.isEmpty else {
        throw Fault(.windowingError, "cannot override PARTITION BY clause of window \"\(name)\"", position: position)
      }
      guard order.isEmpty || base.order.isEmpty else {
        throw Fault(.windowingError, "cannot override ORDER BY clause of window \"\(name)\"", position: position)
      }
      if base.isFrameWritten {
        let isBare = syntax.name == nil && order.isEmpty && !syntax.frame.isExplicit
        throw Fault(
          .windowingError, "cannot copy window \"\(name)\" because it has a frame clause",
          hint: isBare ? "Omit the parentheses in this OVER clause." : nil, position: position)
      }
      partition = base.partition
      if order.isEmpty { order = base.order }
    }
    // A key that is a partition key too orders nothing, but it still tells peers and ranges.
    return WindowDefinition(
      partition: partition, order: order, frame: try bindFrame(syntax, order, in: scope),
      isFrameWritten: syntax.frame.isExplicit)
  }

  // MARK: Frames

  private func bindFrame(
    _ syntax: WindowSyntax, _ order: [SortKey], in scope: SelectScope
  ) throws(Fault) -> WindowFrame {
    let frame = syntax.frame
    let unit: WindowFrame.Unit =
      switch frame.unit {
      case .rows: .rows
      case .range: .range
      case .groups: .groups
      }
    func hasOffset(_ bound: WindowFrameSyntax.Bound) -> Bool {
      switch bound {
      case .preceding, .following: true
      case .unboundedPreceding, .currentRow, .unboundedFollowing: false
      }
    }
    if unit == .range, hasOffset(frame.start) || hasOffset(frame.end), order.count != 1 {
      throw Fault(
        .windowingError, "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column",
        position: syntax.location.position)
    }
    if unit == .groups, order.isEmpty {
      throw Fault(.windowingError, "GROUPS mode requires an ORDER BY clause", position: syntax.location.position)
    }
    func bound(_ bound: WindowFrameSyntax.Bound) throws(Fault) -> WindowFrame.Bound {
      switch bound {
      case .unboundedPreceding: .unboundedPreceding
      case .currentRow: .currentRow
      case .unboundedFollowing: .unboundedFollowing
      case .preceding(let offset): .preceding(try bindFrameOffset(offset, unit, order.first, in: scope))
      case .following(let offset): .following(try bindFrameOffset(offset, unit, order.first, in: scope))
      }
    }
    let exclusion: WindowFrame.Exclusion =
      switch frame.exclusion {
      case .none: .none
      case .currentRow: .currentRow
      case .group: .group
      case .ties: .ties
      }
    return WindowFrame(unit: unit, start: try bound(frame.start), end: try bound(frame.end), exclusion: exclusion)
  }

  private func bindFrameOffset(
    _ syntax: ExpressionSyntax, _ unit: WindowFrame.Unit, _ key: SortKey?, in scope: SelectScope
  ) throws(Fault) -> Expression {
    let pendingBefore = scope.pending.count
    let aggregatesBefore = scope.aggregates.count
    let offset = try bind(syntax, in: scope)
    guard scope.pending.count == pendingBefore else {
      throw Fault.unsupported("a correlated subquery in a window frame", position: syntax.location.position)
    }
    let wanted: DataType
    if unit == .range, let key {
      wanted = try rangeOffsetType(key.expression.type, offset.type, at: syntax.location)
    } else {
      wanted = .int8
    }
    guard library.canCoerce(offset.type, to: wanted, .assignment) else {
      throw Fault(
        .datatypeMismatch,
        "argument of \(unit.rawValue) must be type \(TypeNames.sqlName(wanted)), not type "
          + TypeNames.sqlName(offset.type), position: syntax.location.position)
    }
    let value = try coerce(offset, to: wanted, .assignment, at: syntax.location)
    guard value.columnsRead.isEmpty, scope.aggregates.count == aggregatesBefore else {
      if scope.aggregates.count > aggregatesBefore {
        throw Fault(
          .groupingError, "aggregate functions are not allowed in window \(unit.rawValue)",
          position: syntax.location.position)
      }
      throw Fault(
        .invalidColumnReference, "argument of \(unit.rawValue) must not contain variables",
        position: syntax.location.position)
    }
    return folded(value)
  }

  /// The type that the offset of a RANGE frame takes over a key of that type (PostgreSQL's in_range functions).
  private func rangeOffsetType(
    _ key: DataType, _ offset: DataType, at location: SourceLocation
  ) throws(Fault) -> DataType {
    let candidates: [DataType]
    switch key.withoutModifier {
    case .int2, .int4: candidates = [.int8, .int4, .int2]
    case .int8: candidates = [.int8]
    case .float4, .float8: candidates = [.float8]
    case .numeric: candidates = [.numeric]
    case .date, .time, .timestamp, .timestamptz, .interval: candidates = [.interval]
    default:
      throw Fault(
        .featureNotSupported,
        "RANGE with offset PRECEDING/FOLLOWING is not supported for column type \(TypeNames.sqlName(key))",
        position: location.position)
    }
    if offset == .unknown, candidates.contains(where: { $0.isSameType(as: key) }) { return key.withoutModifier }
    let matching = candidates.filter { library.canCoerce(offset, to: $0) }
    if let exact = matching.first(where: { $0.isSameType(as: offset) }) { return exact }
    guard let only = matching.first else {
      throw Fault(
        .featureNotSupported,
        "RANGE with offset PRECEDING/FOLLOWING is not supported for column type \(TypeNames.sqlName(key)) and offset type "
          + TypeNames.sqlName(offset), hint: "Cast the offset value to an appropriate type.", position: location.position)
    }
    guard matching.count == 1 else {
      throw Fault(
        .featureNotSupported,
        "RANGE with offset PRECEDING/FOLLOWING has multiple interpretations for column type \(TypeNames.sqlName(key)) and "
          + "offset type \(TypeNames.sqlName(offset))", hint: "Cast the offset value to the exact intended type.",
        position: location.position)
    }
    return only
  }

  // MARK: Calls

  /// A call with OVER.
  func bindWindowCall(
    _ call: FunctionCallSyntax, _ over: WindowSyntax, in scope: SelectScope
  ) throws(Fault) -> Expression {
    let position = call.location.position
    let name = try functionName(call)
    let own = WindowFunctions.named(name)
    let isAggregate = own.isEmpty && !library.aggregates(name).isEmpty
    guard !own.isEmpty || isAggregate else {
      guard library.hasFunction(name) else { throw missing(name, try bindArguments(call, in: scope).map(\.value.type), at: call.location) }
      throw Fault(
        .wrongObjectType, "OVER specified, but \(name) is not a window function nor an aggregate function",
        position: position)
    }
    if call.isWithinGroup {
      if own.isEmpty {
        throw Fault.notImplemented("OVER is not supported for ordered-set aggregate \(name)", position)
      }
      throw Fault(.wrongObjectType, "window function \(name) cannot have WITHIN GROUP", position: position)
    }
    try refuseWindowCall(in: scope, at: call.location)
    if call.isDistinct { throw Fault.notImplemented("DISTINCT is not implemented for window functions", position) }
    if !call.orderBy.isEmpty {
      throw Fault.notImplemented("aggregate ORDER BY is not implemented for window functions", position)
    }
    if call.filter != nil && !isAggregate {
      throw Fault.notImplemented("FILTER is not implemented for non-aggregate window functions", position)
    }
    let outer = scope.windows.forbiddenIn
    scope.windows.forbiddenIn = "nested"
    defer { scope.windows.forbiddenIn = outer }
    let arguments = call.isStar ? [] : try bindArguments(call, in: scope)
    let filter = try call.filter.map { (syntax) throws(Fault) in
      scope.windows.forbiddenIn = "FILTER"
      return try condition(try bind(syntax, in: scope), of: "FILTER", at: syntax.location)
    }
    let definition: WindowDefinition
    if let name = over.name {
      definition = try namedWindow(name, in: scope, at: over.location)
    } else {
      definition = try bindWindow(over, in: scope)
    }
    let bound = isAggregate
      ? try aggregateCall(call, name, arguments, filter, definition.frame)
      : try ownCall(own, name, arguments, definition.frame, at: call.location)
    scope.windows.calls.append(PendingWindowCall(definition: definition, call: bound))
    return .column(PendingColumn.window(scope.windows.calls.count - 1), bound.type)
  }

  private func refuseWindowCall(in scope: SelectScope, at location: SourceLocation) throws(Fault) {
    if scope.isInsideAggregate {
      throw Fault(
        .groupingError, "aggregate function calls cannot contain window function calls", position: location.position)
    }
    if scope.windows.forbiddenIn == "nested" {
      throw Fault(.windowingError, "window function calls cannot be nested", position: location.position)
    }
    if let clause = scope.windows.forbiddenIn ?? scope.clauseWithoutAggregates {
      throw Fault(.windowingError, "window functions are not allowed in \(clause)", position: location.position)
    }
  }

  private func aggregateCall(
    _ call: FunctionCallSyntax, _ name: String, _ arguments: [(value: Expression, location: SourceLocation)],
    _ filter: Expression?, _ frame: WindowFrame
  ) throws(Fault) -> WindowCall {
    let chosen = try chooseAggregate(name, arguments, isStar: call.isStar, at: call.location)
    let type = chosen.function.result.resolve(chosen.values.map(\.type))
    // An argument may fail on a row that the filter removes: it is not evaluated there.
    let values = chosen.values.map { value in
      guard let filter else { return value }
      return Expression.caseWhen([(condition: filter, value: value)], otherwise: nil, value.type)
    }
    return WindowCall(
      function: .aggregate(chosen.function), arguments: values, filter: filter, frame: frame, type: type)
  }

  private func ownCall(
    _ signatures: [WindowFunctionSignature], _ name: String,
    _ arguments: [(value: Expression, location: SourceLocation)], _ frame: WindowFrame, at location: SourceLocation
  ) throws(Fault) -> WindowCall {
    let types = arguments.map(\.value.type)
    let candidates = signatures.compactMap { signature in
      FunctionLibrary.expand(signature.parameters, isVariadic: false, count: types.count).flatMap {
        FunctionLibrary.candidate(signature, $0, for: types, library: library)
      }
    }
    guard case .found(let candidate) = library.choose(candidates, types) else {
      throw missing(name, types, at: location)
    }
    let values = try convert(arguments, to: candidate.types)
    return WindowCall(
      function: .own(candidate.function.kind), arguments: values, filter: nil, frame: frame,
      type: candidate.function.result.resolve(values.map(\.type)))
  }

  // MARK: The plan

  /// The input with a column for each call, and which column that is.
  func attachWindows(of scope: SelectScope, to input: PlanNode) -> (plan: PlanNode, columns: [Int]) {
    let calls = scope.windows.calls
    guard !calls.isEmpty else { return (input, []) }
    var outputs = input.outputTypes.enumerated().map { Expression.column($0, $1) }
    func place(_ value: Expression) -> Expression {
      if value.isConstant { return value }
      let index = outputs.firstIndex { $0.isSame(as: value) } ?? outputs.count
      if index == outputs.count { outputs.append(value) }
      return .column(index, value.type)
    }
    var specs: [(definition: WindowDefinition, calls: [Int])] = []
    for (index, call) in calls.enumerated() {
      if let same = specs.firstIndex(where: { $0.definition.isSame(as: call.definition) }) {
        specs[same].calls.append(index)
      } else {
        specs.append((call.definition, [index]))
      }
    }
    // Longest first; a stable sort keeps the order of the text otherwise.
    let order = specs.indices.sorted { a, b in
      let lengthA = specs[a].definition.partition.count + specs[a].definition.order.count
      let lengthB = specs[b].definition.partition.count + specs[b].definition.order.count
      return lengthA != lengthB ? lengthA > lengthB : a < b
    }
    var placed: [WindowSpec] = []
    for index in order {
      let spec = WindowSpec(
        partition: specs[index].definition.partition, order: specs[index].definition.order,
        calls: specs[index].calls.map { calls[$0].call }, isSorted: false)
      placed.append(spec.mappingRows(place))
    }
    var plan = outputs.count == input.outputTypes.count ? input : PlanNode.project(input, outputs)
    var columns = [Int](repeating: 0, count: calls.count)
    var next = outputs.count
    for (spec, index) in zip(placed, order) {
      for call in specs[index].calls {
        columns[call] = next
        next += 1
      }
      plan = .window(plan, spec)
    }
    return (plan, columns)
  }
}

extension WindowDefinition {
  /// The same over changed expressions.
  func mapping(_ change: (Expression) throws(Fault) -> Expression) throws(Fault) -> WindowDefinition {
    var definition = self
    definition.partition = []
    for key in partition { definition.partition.append(try change(key)) }
    definition.order = []
    for key in order { definition.order.append(key.replacing(expression: try change(key.expression))) }
    return definition
  }
}

extension SelectScope {
  /// Every expression of the pending calls changed.
  func mapWindows(_ change: (Expression) throws(Fault) -> Expression) throws(Fault) {
    for index in windows.calls.indices {
      let old = windows.calls[index]
      windows.calls[index] = PendingWindowCall(
        definition: try old.definition.mapping(change), call: try old.call.mapping(change))
    }
  }
}

extension Fault {
  fileprivate static func notImplemented(_ message: String, _ position: Int?) -> Fault {
    Fault(.featureNotSupported, message, position: position)
  }
}
