// What a SQL function is to the planner (names, argument types, result type) and to the executor (a loop over columns).
//
// The planner asks `FunctionCatalog` for candidates and picks one by PostgreSQL's rules (manual chapter 10). The
// executor calls `evaluate` once per chunk with columns of equal length. Operators are functions under the operator's
// name.

package import Bedrock
package import Columnar

/// What a parameter of a function accepts.
package enum ParameterType: Sendable, Hashable {
  /// This type; lengths and precisions do not matter.
  case exact(DataType)
  /// Any type; all `anyElement` parameters of one call have the same, and `anyArray` is an array of it.
  case anyElement
  case anyArray
  /// Any type, without relation to the others.
  case any
}

/// The result type of a call.
package enum ResultType: Sendable {
  case fixed(DataType)
  /// From the argument types, after casts to the parameter types.
  case computed(@Sendable ([DataType]) -> DataType)

  package func resolve(_ arguments: [DataType]) -> DataType {
    switch self {
    case .fixed(let type): type
    case .computed(let rule): rule(arguments)
    }
  }
}

package enum Volatility: Sendable {
  /// The same arguments always give the same value: folded when the plan is made.
  case immutable
  /// The same during one statement (now(), current_setting): folded when execution begins.
  case stable
  case volatile
}

/// What a function may know of its statement besides its arguments.
package struct FunctionContext: Sendable {
  /// now(): the start of the transaction, µs since 1970.
  package var transactionMicros: Int64
  package var statementMicros: Int64
  package var timeZone: SessionTimeZone
  package var session: any SessionValues
  package init(
    transactionMicros: Int64, statementMicros: Int64, timeZone: SessionTimeZone = .utc, session: any SessionValues
  ) {
    self.transactionMicros = transactionMicros
    self.statementMicros = statementMicros
    self.timeZone = timeZone
    self.session = session
  }
}

/// What session functions (current_user, current_setting, pg_get_userbyid, regclass ...) ask for.
package protocol SessionValues: Sendable {
  var userName: String { get }
  var databaseName: String { get }
  var searchPath: [String] { get }
  var backendPID: Int32 { get }
  var serverVersion: String { get }
  /// A setting's value as text, or `nil` when there is none of that name.
  func setting(_ name: String) -> String?
  /// The oid of a relation named as in SQL (`t`, `s.t`, quotes allowed), or `nil`.
  func relationOID(_ name: String) -> UInt32?
  /// The name as regclass prints it (schema-qualified when not on the search path), or `nil`.
  func relationName(oid: UInt32) -> String?
  func namespaceOID(_ name: String) -> UInt32?
  func namespaceName(oid: UInt32) -> String?
  /// True when the relation is found without a schema on the search path.
  func isRelationVisible(oid: UInt32) -> Bool
  /// The SELECT of a view, as pg_get_viewdef prints it, or `nil`.
  func viewDefinition(oid: UInt32) -> String?
  /// The oid in pg_proc of the function of that name, or `nil`.
  func functionOID(_ name: String) -> UInt32?
  func functionName(oid: UInt32) -> String?
  /// What a function of pg_proc takes and gives, as pg_get_function_arguments and pg_get_function_result print it.
  func functionSignature(oid: UInt32) -> (arguments: String, result: String)?
}

extension SessionValues {
  package func functionOID(_ name: String) -> UInt32? { nil }
  package func functionName(oid: UInt32) -> String? { nil }
  package func functionSignature(oid: UInt32) -> (arguments: String, result: String)? { nil }
  package func viewDefinition(oid: UInt32) -> String? { nil }
}

package struct ScalarFunction: Sendable {
  package let name: String
  package let parameters: [ParameterType]
  /// The last parameter may repeat (at least once).
  package let isVariadic: Bool
  package let result: ResultType
  /// Strict functions give null when any argument is null; `evaluate` must honour it itself.
  package let isStrict: Bool
  package let volatility: Volatility
  /// `columns` have the parameter types and `rows` rows each, in any form. The result has `rows` rows.
  package let evaluate: @Sendable (_ context: FunctionContext, _ columns: [Column], _ rows: Int) throws(Fault) -> Column

  package init(
    name: String, parameters: [ParameterType], isVariadic: Bool = false, result: ResultType, isStrict: Bool = true,
    volatility: Volatility = .immutable,
    evaluate: @escaping @Sendable (FunctionContext, [Column], Int) throws(Fault) -> Column
  ) {
    self.name = name
    self.parameters = parameters
    self.isVariadic = isVariadic
    self.result = result
    self.isStrict = isStrict
    self.volatility = volatility
    self.evaluate = evaluate
  }
}

package enum CastContext: Int, Sendable, Comparable {
  case implicit, assignment, explicit
  package static func < (a: CastContext, b: CastContext) -> Bool { a.rawValue < b.rawValue }
}

package struct CastFunction: Sendable {
  package let from: DataType
  package let to: DataType
  /// The weakest context in which the cast happens by itself.
  package let context: CastContext
  package let volatility: Volatility
  /// `target` carries length or precision, which `to` does not.
  package let evaluate:
    @Sendable (_ context: FunctionContext, _ column: Column, _ target: DataType, _ explicit: Bool) throws(Fault) ->
      Column

  package init(
    from: DataType, to: DataType, context: CastContext, volatility: Volatility = .immutable,
    evaluate: @escaping @Sendable (FunctionContext, Column, DataType, Bool) throws(Fault) -> Column
  ) {
    self.from = from
    self.to = to
    self.context = context
    self.volatility = volatility
    self.evaluate = evaluate
  }
}

/// Accumulators of one aggregate for many groups. Used by one thread; merged across threads.
package protocol AggregateState: AnyObject {
  /// Makes room for groups 0 ..< count; new groups are empty.
  func grow(to count: Int)
  /// Adds row i of `arguments` to group `groups[i]`, for every row. Rows to be left out (FILTER, DISTINCT repeats) have
  /// group -1.
  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault)
  /// Adds group i of `other`, a state of the same aggregate, to group `mapping[i]`.
  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault)
  /// One value a group.
  func finish() throws(Fault) -> Column
  /// Bytes held, for the memory budget.
  var byteCount: Int { get }
}

package struct AggregateFunction: Sendable {
  package let name: String
  package let parameters: [ParameterType]
  package let result: ResultType
  /// The value over no rows: null, but 0 for count.
  package let valueOverNothing: Scalar
  /// For an ordered-set aggregate (WITHIN GROUP): how many of the parameters are direct; the last one is the ordered
  /// value, and rows come in its order. nil for others.
  package let directCount: Int?
  /// A hypothetical-set aggregate: all arguments are direct, one for each order key, and its state is given how rows
  /// compare with them.
  package let isHypothetical: Bool
  /// What arguments go through before a state sees them, one an argument; none: they come as they are. A conversion
  /// knows what a state does not, the statement's time zone.
  package let conversions: [ScalarFunction]
  /// Makes a state that takes rows in any order, for a call whose only order key is the ordered value; nil: rows must
  /// come in order.
  package let makeUnorderedState: (@Sendable (_ arguments: [DataType], _ descending: Bool) -> any AggregateState)?
  /// Makes a state for these argument types.
  package let makeState: @Sendable (_ arguments: [DataType]) -> any AggregateState

  package init(
    name: String, parameters: [ParameterType], result: ResultType, valueOverNothing: Scalar = .null,
    directCount: Int? = nil, isHypothetical: Bool = false, conversions: [ScalarFunction] = [],
    makeUnorderedState: (@Sendable ([DataType], Bool) -> any AggregateState)? = nil,
    makeState: @escaping @Sendable ([DataType]) -> any AggregateState
  ) {
    self.name = name
    self.parameters = parameters
    self.result = result
    self.valueOverNothing = valueOverNothing
    self.directCount = directCount
    self.isHypothetical = isHypothetical
    self.conversions = conversions
    self.makeUnorderedState = makeUnorderedState
    self.makeState = makeState
  }
}

/// A function in FROM: generate_series, unnest ...
package struct TableFunction: Sendable {
  package let name: String
  package let parameters: [ParameterType]
  /// Column names and types of the result, from the argument types.
  package let columns: @Sendable ([DataType]) -> [(name: String, type: DataType)]
  /// All rows for constant arguments, in chunks of at most `Limits.chunkRowsMax` rows; `nil` at the end.
  package let open:
    @Sendable (_ context: FunctionContext, _ arguments: [Scalar], _ types: [DataType]) throws(Fault) -> () throws(Fault)
      ->
      Chunk?

  package init(
    name: String, parameters: [ParameterType],
    columns: @escaping @Sendable ([DataType]) -> [(name: String, type: DataType)],
    open: @escaping @Sendable (FunctionContext, [Scalar], [DataType]) throws(Fault) -> () throws(Fault) -> Chunk?
  ) {
    self.name = name
    self.parameters = parameters
    self.columns = columns
    self.open = open
  }
}
