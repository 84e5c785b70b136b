// The functions a planner may use. The server's is FunctionCatalog; tests may bring a smaller one.

import Bedrock
package import Columnar
package import Functions

package struct FunctionLibrary: Sendable {
  package var scalars: @Sendable (String) -> [ScalarFunction]
  package var operators: @Sendable (String) -> [ScalarFunction]
  package var aggregates: @Sendable (String) -> [AggregateFunction]
  package var tableFunctions: @Sendable (String) -> [TableFunction]
  package var casts: @Sendable (DataType, DataType) -> CastFunction?

  package init(
    scalars: @escaping @Sendable (String) -> [ScalarFunction],
    operators: @escaping @Sendable (String) -> [ScalarFunction],
    aggregates: @escaping @Sendable (String) -> [AggregateFunction],
    tableFunctions: @escaping @Sendable (String) -> [TableFunction],
    casts: @escaping @Sendable (DataType, DataType) -> CastFunction?
  ) {
    self.scalars = scalars
    self.operators = operators
    self.aggregates = aggregates
    self.tableFunctions = tableFunctions
    self.casts = casts
  }

  /// Everything that Cramped offers.
  package static let catalog = FunctionLibrary(
    scalars: { FunctionCatalog.scalars(named: $0) }, operators: { FunctionCatalog.operators(named: $0) },
    aggregates: { FunctionCatalog.aggregates(named: $0) }, tableFunctions: { FunctionCatalog.tableFunctions(named: $0) },
    casts: { FunctionCatalog.cast(from: $0, to: $1) })

  /// The cast between two types, modifiers ignored.
  func cast(_ from: DataType, _ to: DataType) -> CastFunction? {
    if let cast = casts(from, to) { return cast }
    // The catalogs' vectors are arrays under another name.
    guard from == .int2vector || from == .oidvector, let element = from.element, to == .array(element) else { return nil }
    return CastFunction(from: from, to: to, context: .implicit) { (_, column, _, _) throws(Fault) in column.retyped(to) }
  }

  /// Whether there is anything to call by that name.
  func hasFunction(_ name: String) -> Bool {
    !scalars(name).isEmpty || !aggregates(name).isEmpty || !tableFunctions(name).isEmpty
  }
}

extension Coercion {
  var castContext: CastContext {
    switch self {
    case .implicit: .implicit
    case .assignment: .assignment
    case .explicit: .explicit
    }
  }
}
