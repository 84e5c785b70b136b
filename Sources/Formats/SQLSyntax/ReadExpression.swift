// Expressions: from the flat tree to `ExpressionSyntax`.

import Bedrock
import CPgQuery

extension TreeReader {
  mutating func expressions() throws(Fault) -> [ExpressionSyntax] {
    try list { (reader) throws(Fault) in try reader.expression() }
  }

  mutating func optionalExpression() throws(Fault) -> ExpressionSyntax? { skipNull() ? nil : try expression() }

  mutating func expression() throws(Fault) -> ExpressionSyntax {
    let head = try head()
    return ExpressionSyntax(try expressionKind(head), at: head.location)
  }

  private mutating func expressionKind(_ head: Head) throws(Fault) -> ExpressionSyntax.Kind {
    switch head.kind {
    case .column: return try column()
    case .parameter: return .parameter(Int(try integer()))
    case .constant: return .constant(try constantValue())
    case .operator: return try operation(head)
    case .boolean: return try booleanOperation()
    case .nullTest: return .isNull(try expression(), negated: try flag())
    case .booleanTest: return try booleanTest()
    case .case: return try conditional()
    case .coalesce: return .coalesce(try expressions())
    case .minMax: return try flag() ? .greatest(try expressions()) : .least(try expressions())
    case .cast: return .cast(try expression(), try typeName())
    case .collate: return .collate(try expression(), collation: try names())
    case .function: return .function(try functionCall(head))
    case .valueFunction: return try valueFunction()
    case .array: return .array(try expressions())
    case .row: return try row()
    case .subquery: return try subquery(head)
    case .indirection: return try indirection()
    case .grouping: return .grouping(try expressions())
    case .default: return .defaultValue
    default: throw Fault.unsupported("this expression (\(head.kind))", position: head.location.position)
    }
  }

  private mutating func column() throws(Fault) -> ExpressionSyntax.Kind {
    var names: [String] = []
    var isStar = false
    for _ in 0..<(try listCount()) {
      if let name = try optionalString() { names.append(name) } else { isStar = true }
    }
    return isStar ? .star(qualifier: names) : .column(names)
  }

  /// The two values after the head of a constant: its form and its text or number.
  mutating func constantValue() throws(Fault) -> ConstantSyntax {
    switch try string() {
    case "i": return .integer(Int32(truncatingIfNeeded: try integer()))
    case "f": return .number(try string())
    case "b": return .boolean(try flag())
    case "s": return .string(try string())
    case "x": return .bitString(try string())
    default:
      _ = skipNull()
      return .null
    }
  }

  private mutating func operatorName() throws(Fault) -> OperatorSyntax {
    let path = try names()
    guard let name = path.last else { throw Fault.bug("an operator has no name") }
    return OperatorSyntax(schema: path.count > 1 ? path[path.count - 2] : nil, name: name)
  }

  /// `A_Expr`; its kinds are numbered as in PostgreSQL's `A_Expr_Kind`.
  private mutating func operation(_ head: Head) throws(Fault) -> ExpressionSyntax.Kind {
    let kind = try integer()
    let name = try operatorName()
    guard let left = try optionalExpression() else {
      return .operation(name, left: nil, right: try expression())
    }
    switch kind {
    case 0, 7, 8, 9:
      return .operation(name, left: left, right: try expression())
    case 1: return .quantified(name, .any, left: left, array: try expression())
    case 2: return .quantified(name, .all, left: left, array: try expression())
    case 3: return .isDistinct(left, from: try expression(), negated: false)
    case 4: return .isDistinct(left, from: try expression(), negated: true)
    case 5: return .nullIf(left, try expression())
    case 6: return .inList(left, try expressions(), negated: name.name == "<>")
    case 10...13:
      let bounds = try expressions()
      guard bounds.count == 2 else { throw Fault.bug("BETWEEN has \(bounds.count) bounds") }
      return .between(left, low: bounds[0], high: bounds[1], negated: kind == 11 || kind == 13, symmetric: kind >= 12)
    default: throw Fault.unsupported("operator \(name.name)", position: head.location.position)
    }
  }

  private mutating func booleanOperation() throws(Fault) -> ExpressionSyntax.Kind {
    let operation = try integer()
    let arguments = try expressions()
    switch operation {
    case 0: return .and(arguments)
    case 1: return .or(arguments)
    default:
      guard let argument = arguments.first else { throw Fault.bug("NOT has no argument") }
      return .not(argument)
    }
  }

  private mutating func booleanTest() throws(Fault) -> ExpressionSyntax.Kind {
    let argument = try expression()
    switch try integer() {
    case 0: return .isBoolean(argument, .true, negated: false)
    case 1: return .isBoolean(argument, .true, negated: true)
    case 2: return .isBoolean(argument, .false, negated: false)
    case 3: return .isBoolean(argument, .false, negated: true)
    case 4: return .isBoolean(argument, .unknown, negated: false)
    default: return .isBoolean(argument, .unknown, negated: true)
    }
  }

  private mutating func conditional() throws(Fault) -> ExpressionSyntax.Kind {
    let argument = try optionalExpression()
    let branches = try list { (reader) throws(Fault) in
      _ = try reader.head(of: .caseWhen)
      return WhenSyntax(condition: try reader.expression(), result: try reader.expression())
    }
    return .conditional(argument: argument, branches: branches, otherwise: try optionalExpression())
  }

  private mutating func valueFunction() throws(Fault) -> ExpressionSyntax.Kind {
    let inOrder: [ValueFunction] = [
      .currentDate, .currentTime, .currentTime, .currentTimestamp, .currentTimestamp, .localTime, .localTime,
      .localTimestamp, .localTimestamp, .currentRole, .currentUser, .user, .sessionUser, .currentCatalog,
      .currentSchema,
    ]
    let index = Int(try integer())
    let modifier = Int(try integer())
    guard inOrder.indices.contains(index) else { throw Fault.bug("value function \(index) is not known") }
    return .valueFunction(inOrder[index], precision: modifier < 0 ? nil : modifier)
  }

  private mutating func row() throws(Fault) -> ExpressionSyntax.Kind {
    let fields = try expressions()
    _ = try flag()
    return .row(fields)
  }

  /// `SubLink`; its kinds are numbered as in PostgreSQL's `SubLinkType`.
  private mutating func subquery(_ head: Head) throws(Fault) -> ExpressionSyntax.Kind {
    let kind = try integer()
    let test = try optionalExpression()
    let path = try names()
    let query = try select()
    // `IN (SELECT ...)` has no operator name.
    let name = OperatorSyntax(schema: path.count > 1 ? path[path.count - 2] : nil, name: path.last ?? "=")
    switch (kind, test) {
    case (0, _): return .exists(query)
    case (1, let test?): return .quantifiedSubquery(name, .all, left: test, query)
    case (2, let test?): return .quantifiedSubquery(name, .any, left: test, query)
    case (4, _): return .scalarSubquery(query)
    case (6, _): return .arraySubquery(query)
    default: throw Fault.unsupported("this form of subquery", position: head.location.position)
    }
  }

  private mutating func indirection() throws(Fault) -> ExpressionSyntax.Kind {
    var value = try expression()
    for _ in 0..<(try listCount()) {
      let step = try head()
      let kind: ExpressionSyntax.Kind
      if step.kind == .subscript {
        let isSlice = try flag()
        let lower = try optionalExpression()
        let upper = try optionalExpression()
        if isSlice {
          kind = .slice(value, lower: lower, upper: upper)
        } else {
          guard let upper else { throw Fault.bug("a subscript has no index") }
          kind = .element(value, index: upper)
        }
      } else if let name = try optionalString() {
        kind = .field(value, name: name)
      } else {
        kind = .allFields(value)
      }
      value = ExpressionSyntax(kind, at: value.location)
    }
    return value.kind
  }

  mutating func functionCall(_ head: Head) throws(Fault) -> FunctionCallSyntax {
    FunctionCallSyntax(
      name: try names(),
      arguments: try list { (reader) throws(Fault) in try reader.argument() },
      orderBy: try sorts(),
      filter: try optionalExpression(),
      over: try optional { (reader) throws(Fault) in try reader.window() },
      isWithinGroup: try flag(),
      isStar: try flag(),
      isDistinct: try flag(),
      isVariadic: try flag(),
      isSQLSyntax: try flag(),
      location: head.location)
  }

  private mutating func argument() throws(Fault) -> ArgumentSyntax {
    let head = try head()
    if head.kind == .namedArgument {
      return ArgumentSyntax(name: try string(), value: try expression())
    }
    return ArgumentSyntax(name: nil, value: ExpressionSyntax(try expressionKind(head), at: head.location))
  }

  mutating func typeName() throws(Fault) -> TypeNameSyntax {
    let head = try head(of: .typeName)
    let name = try names()
    let modifiers = try expressions()
    let dimensions = Int(try integer())
    if try flag() { throw Fault.unsupported("SETOF or %TYPE", position: head.location.position) }
    return TypeNameSyntax(name: name, modifiers: modifiers, arrayDimensions: dimensions, location: head.location)
  }

  mutating func sorts() throws(Fault) -> [SortSyntax] {
    try list { (reader) throws(Fault) in
      let head = try reader.head(of: .sort)
      let expression = try reader.expression()
      let direction = try reader.integer()
      let nulls = try reader.integer()
      let using = try reader.names()
      var isDescending = direction == 2
      // ORDER BY x USING <: the operator of a default order, or one that is not offered.
      if direction == 3 {
        guard let name = using.last, name == "<" || name == ">" else {
          throw Fault.unsupported("ORDER BY USING \(using.last ?? "")", position: head.location.position)
        }
        isDescending = name == ">"
      }
      return SortSyntax(
        expression: expression, isDescending: isDescending, nullsFirst: nulls == 0 ? nil : nulls == 1,
        location: head.location)
    }
  }

  /// Frame options are PostgreSQL's FRAMEOPTION bits.
  mutating func window() throws(Fault) -> WindowSyntax {
    let head = try head(of: .window)
    let name = try optionalString()
    let base = try optionalString()
    let partitionBy = try expressions()
    let orderBy = try sorts()
    let options = try integer()
    let start = try optionalExpression()
    let end = try optionalExpression()
    func bound(_ shift: Int64, _ offset: ExpressionSyntax?) -> WindowFrameSyntax.Bound {
      if options & (0x20 << shift) != 0 { return .unboundedPreceding }
      if options & (0x80 << shift) != 0 { return .unboundedFollowing }
      if let offset, options & (0x800 << shift) != 0 { return .preceding(offset) }
      if let offset, options & (0x2000 << shift) != 0 { return .following(offset) }
      return .currentRow
    }
    let frame = WindowFrameSyntax(
      isExplicit: options & 1 != 0, unit: options & 4 != 0 ? .rows : options & 8 != 0 ? .groups : .range,
      start: bound(0, start), end: bound(1, end),
      exclusion: options & 0x8000 != 0
        ? .currentRow : options & 0x10000 != 0 ? .group : options & 0x20000 != 0 ? .ties : .none)
    return WindowSyntax(
      name: name, base: base, partitionBy: partitionBy, orderBy: orderBy, frame: frame, location: head.location)
  }
}
