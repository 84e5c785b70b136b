// Every function, operator, aggregate and cast there is, by name.

package import Columnar

package enum FunctionCatalog {
  package static func scalars(named name: String) -> [ScalarFunction] { scalarsByName[name] ?? [] }
  /// Operators by symbol; one parameter: prefix, two: infix. LIKE is `~~`, ILIKE `~~*`, with `!` before for NOT.
  package static func operators(named name: String) -> [ScalarFunction] { operatorsByName[name] ?? [] }
  package static func aggregates(named name: String) -> [AggregateFunction] { aggregatesByName[name] ?? [] }
  package static func tableFunctions(named name: String) -> [TableFunction] { tableFunctionsByName[name] ?? [] }
  /// The cast between two types, modifiers ignored; `nil` when there is none. Same type: `nil` unless it has a modifier
  /// to apply (numeric, varchar, char).
  package static func cast(from: DataType, to: DataType) -> CastFunction? {
    castsByTypes[CastKey(from: from.withoutModifier, to: to.withoutModifier)]
  }

  package struct CastKey: Hashable, Sendable {
    let from: DataType
    let to: DataType
  }

  private static let scalarsByName = Dictionary(grouping: allScalars, by: \.name)
  private static let operatorsByName = Dictionary(grouping: allOperators, by: \.name)
  private static let aggregatesByName = Dictionary(grouping: allAggregates, by: \.name)
  private static let tableFunctionsByName = Dictionary(grouping: allTableFunctions, by: \.name)
  private static let castsByTypes = Dictionary(
    allCasts.map { (CastKey(from: $0.from, to: $0.to), $0) }, uniquingKeysWith: { first, _ in first })

  package static let allScalars: [ScalarFunction] =
    MathFunctions.all + TextFunctions.all + PatternFunctions.functions + DateFunctions.all + TemplateFormat.functions
    + ArrayFunctions.functions + SessionFunctions.all + ExtremeFunctions.all
    + JSONBuilding.functions + JSONParts.functions + JSONEditing.functions + JSONPathFunctions.functions
  package static let allOperators: [ScalarFunction] =
    ArithmeticOperators.all + ComparisonOperators.all + DateArithmetic.operators + TextFunctions.operators
    + PatternFunctions.operators + ArrayFunctions.operators + JSONOperators.all
    + JSONPathFunctions.operators
  package static let allAggregates: [AggregateFunction] = Aggregates.all
  package static let allTableFunctions: [TableFunction] = TableFunctions.all
  package static let allCasts: [CastFunction] = Casts.all
}
