// One statement while it is bound: what all its queries share.

import Bedrock
import Columnar
import Functions
import Plan
import SQLSyntax

final class Binder {
  /// FROM items of one statement, WITH items counted once for each use; keeps a chain of WITH items that doubles at
  /// each step from growing a plan without end.
  static let relationsMax = 2_000

  let catalog: any CatalogReader
  let library: FunctionLibrary
  let context: FunctionContext
  /// Types of $1, $2 ...; nil until the client or the text says.
  var parameterTypes: [DataType?]
  /// Uncorrelated subqueries, in the order of execution.
  var subqueries: [PlanNode] = []
  /// Rows that the catalog expects of each relation, by the name that its scan carries.
  var estimates: [String: Int64] = [:]
  /// Where names without a schema are looked for.
  var searchPath: [String]
  /// Views around what is bound.
  var viewDepth = 0
  /// What is known of the values of each, by the same name.
  var statistics: [String: RelationStatistics] = [:]
  var ordering: JoinOrder { JoinOrder(estimates: estimates, statistics: statistics) }
  /// Whether parameters among the targets of the outermost query wait for the column that they are assigned to.
  var keepsParameters = false
  private var relationsBound = 0
  /// Recursive WITH items bound so far; each has its number in the plan.
  var recursionCount = 0

  init(
    catalog: any CatalogReader, library: FunctionLibrary, context: FunctionContext, parameterTypes: [DataType?]
  ) {
    self.catalog = catalog
    self.library = library
    self.context = context
    searchPath = context.session.searchPath
    self.parameterTypes = parameterTypes
  }

  func countRelation() throws(Fault) {
    relationsBound += 1
    guard relationsBound <= Self.relationsMax else {
      throw Fault(.statementTooComplex, "query has more than \(Self.relationsMax) items in FROM")
    }
  }

  /// The types of all parameters once the statement is bound.
  func finalParameterTypes() throws(Fault) -> [DataType] {
    var types: [DataType] = []
    for (index, type) in parameterTypes.enumerated() {
      guard let type, type != .unknown else {
        throw Fault(.indeterminateDatatype, "could not determine data type of parameter $\(index + 1)")
      }
      types.append(type)
    }
    return types
  }
}
