// A parsed statement with what is known of its parameters and columns; of PREPARE and of the protocol's Parse alike.

import Bedrock
package import Columnar
package import Plan
import SQLSyntax
import StorageContract

/// A parameter value as Bind or EXECUTE gave it.
package enum BoundParameter: Sendable {
  /// A value in its type's text form, to be read by the type.
  case text([UInt8])
  case value(Scalar)
}

/// What Describe tells of a statement.
package struct StatementDescription: Sendable {
  package let parameterTypes: [DataType]
  /// `nil`: the statement gives no rows.
  package let columns: [OutputColumn]?
}

final class PreparedStatement {
  let name: String
  let text: String
  /// `nil`: a text without a statement.
  let statement: Statement?
  let declaredTypes: [DataType?]
  /// Set by PREPARE of SQL, as pg_prepared_statements tells.
  let isFromSQL: Bool
  var parameterTypes: [DataType]
  var columns: [OutputColumn]?
  /// The version of the table that the plan of an INSERT, UPDATE or DELETE began from.
  var target: (any ReferenceTableVersion)?
  /// The plan of a query; made again when the catalog changed.
  var plan: PlannedQuery?

  init(
    name: String, text: String, statement: Statement?, declaredTypes: [DataType?], isFromSQL: Bool,
    parameterTypes: [DataType] = [], columns: [OutputColumn]? = nil, plan: PlannedQuery? = nil
  ) {
    self.name = name
    self.text = text
    self.statement = statement
    self.declaredTypes = declaredTypes
    self.isFromSQL = isFromSQL
    self.parameterTypes = parameterTypes
    self.columns = columns
    self.plan = plan
  }

  var description: StatementDescription {
    StatementDescription(parameterTypes: parameterTypes, columns: columns)
  }
}
