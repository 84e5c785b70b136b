// What a session needs from the rest of the query room: plans, and rows by demand. A session never sees how.

package import Bedrock
package import Columnar
package import Functions
package import Plan
package import Runtime
package import SQLSyntax
package import StorageContract

/// Rows of one running query, pulled a chunk at a time. Used by one thread at a time.
package protocol RowSource: AnyObject {
  /// The next rows, or `nil` at the end. Blocks; throws 57014 once the statement is cancelled.
  func next() throws(Fault) -> Chunk?
}

/// What a plan is made against.
package struct PlanningContext: Sendable {
  /// The catalog as this statement sees it.
  package var catalog: any CatalogReader
  package var searchPath: [String]
  package var functions: FunctionContext
  package init(catalog: any CatalogReader, searchPath: [String], functions: FunctionContext) {
    self.catalog = catalog
    self.searchPath = searchPath
    self.functions = functions
  }
}

/// What a plan runs against.
package struct ExecutionContext: Sendable {
  /// For the names that EXPLAIN prints.
  package var catalog: any CatalogReader
  package var functions: FunctionContext
  package var snapshot: any StorageSnapshot
  package var cancellation: Cancellation
  package init(
    catalog: any CatalogReader, functions: FunctionContext, snapshot: any StorageSnapshot, cancellation: Cancellation
  ) {
    self.catalog = catalog
    self.functions = functions
    self.snapshot = snapshot
    self.cancellation = cancellation
  }
}

/// Plans and runs queries. All calls block and may come from any worker thread.
package protocol QueryEngine: Sendable {
  /// Binds and optimises a query. `parameterTypes` are the types that the client declared, `nil` where it left the
  /// choice; the plan says what was chosen.
  func plan(
    _ query: SelectStatement, parameterTypes: [DataType?], context: PlanningContext
  ) throws(Fault) -> PlannedQuery
  /// Binds and optimises the query for the rows that a statement writes to a table.
  func plan(
    _ write: WriteStatement, into table: ReferenceTableDefinition, parameterTypes: [DataType?], context: PlanningContext
  ) throws(Fault) -> PlannedQuery
  /// Starts a query. `parameters` have the types that the plan says.
  func open(
    _ query: PlannedQuery, parameters: [Scalar], context: ExecutionContext
  ) throws(Fault) -> any RowSource
  /// The rows of EXPLAIN; runs the query first when its options say so.
  func explain(
    _ query: PlannedQuery, options: ExplainOptions, parameters: [Scalar], context: ExecutionContext
  ) throws(Fault) -> [String]
  /// The type that a name in the statement means.
  func type(_ name: TypeNameSyntax, context: PlanningContext) throws(Fault) -> DataType
  /// The value of an expression without columns, cast to `type`.
  func value(
    of expression: ExpressionSyntax, as type: DataType, context: PlanningContext
  ) throws(Fault) -> Scalar
}

/// What EXPLAIN was asked for.
package struct ExplainOptions: Sendable, Hashable {
  /// Runs the statement and shows what each operator did.
  package var isAnalyze = false
  /// One JSON document in place of a line each.
  package var isJSON = false
  /// The time of the whole run at the end.
  package var hasSummary = true
  package init() {}
}

extension QueryEngine {
  package func plan(
    _ write: WriteStatement, into table: ReferenceTableDefinition, parameterTypes: [DataType?], context: PlanningContext
  ) throws(Fault) -> PlannedQuery {
    throw .unsupported(write.name)
  }
}

/// Rows that are in memory already.
package final class StoredRows: RowSource {
  private var chunks: ArraySlice<Chunk>

  package init(_ chunks: [Chunk]) { self.chunks = chunks[...] }

  /// One chunk of boxed values, for the answers of SHOW, EXPLAIN and CALL.
  package convenience init(types: [DataType], rows: [[Scalar]]) {
    let columns = types.indices.map { index in ColumnBuilder.column(types[index], rows.map { $0[index] }) }
    self.init(rows.isEmpty ? [] : [Chunk(columns: columns, rowCount: rows.count)])
  }

  package func next() throws(Fault) -> Chunk? { chunks.popFirst() }
}
