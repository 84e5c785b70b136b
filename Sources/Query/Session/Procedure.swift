// Procedures: what CALL can run. The server gives the table.

package import Bedrock
package import Columnar
package import Plan
package import Runtime

/// What a procedure answers.
package struct ProcedureResult: Sendable {
  /// One value for each of the procedure's columns.
  package var rows: [[Scalar]]
  package var notices: [String]
  package init(rows: [[Scalar]] = [], notices: [String] = []) {
    self.rows = rows
    self.notices = notices
  }
}

/// A procedure such as cramped.flush. Its body runs on a worker thread and may block.
package struct Procedure: Sendable {
  package struct Parameter: Sendable {
    package let name: String
    package let type: DataType
    /// Used when the call leaves the argument out; `nil`: the argument is needed.
    package let fallback: Scalar?
    package init(name: String, type: DataType, fallback: Scalar? = nil) {
      self.name = name
      self.type = type
      self.fallback = fallback
    }
  }

  package let schema: String
  package let name: String
  package let parameters: [Parameter]
  /// Empty: CALL gives no rows.
  package let columns: [OutputColumn]
  private let body: @Sendable (_ arguments: [Scalar], _ cancellation: Cancellation) throws(Fault) -> ProcedureResult

  package init(
    schema: String, name: String, parameters: [Parameter], columns: [OutputColumn] = [],
    run: @escaping @Sendable ([Scalar], Cancellation) throws(Fault) -> ProcedureResult
  ) {
    self.schema = schema
    self.name = name
    self.parameters = parameters
    self.columns = columns
    body = run
  }

  /// Runs it with one value for each parameter.
  package func run(_ arguments: [Scalar], _ cancellation: Cancellation) throws(Fault) -> ProcedureResult {
    precondition(arguments.count == parameters.count)
    return try body(arguments, cancellation)
  }
}

/// The procedures there are, by schema and name.
package struct ProcedureTable: Sendable {
  private let procedures: [Procedure]

  package init(_ procedures: [Procedure] = []) { self.procedures = procedures }

  /// The procedure of that name, with or without its schema.
  func find(_ name: [String]) -> Procedure? {
    switch name.count {
    case 1: procedures.first { $0.name == name[0] }
    case 2: procedures.first { $0.schema == name[0] && $0.name == name[1] }
    default: nil
    }
  }
}
