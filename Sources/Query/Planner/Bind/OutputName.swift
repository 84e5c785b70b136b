// The name of an output column without AS (PostgreSQL's FigureColname).

import SQLSyntax

enum OutputName {
  static func of(_ expression: ExpressionSyntax) -> String { find(expression).name ?? "?column?" }

  /// A weak name gives way to that of an enclosing cast or CASE.
  private static func find(_ expression: ExpressionSyntax) -> (name: String?, isStrong: Bool) {
    switch expression.kind {
    case .column(let path): return (path.last, true)
    case .field(_, let name): return (name, true)
    case .element(let inner, _), .slice(let inner, _, _), .collate(let inner, _): return find(inner)
    case .function(let call): return (call.name.last, true)
    case .nullIf: return ("nullif", true)
    case .coalesce: return ("coalesce", true)
    case .greatest: return ("greatest", true)
    case .least: return ("least", true)
    case .grouping: return ("grouping", true)
    case .array, .arraySubquery: return ("array", true)
    case .row: return ("row", true)
    case .exists: return ("exists", true)
    case .valueFunction(let function, _): return (function.rawValue, true)
    case .scalarSubquery(let query):
      if case .values = query.body { return ("column1", true) }
      guard case .select(let core) = query.body, let target = core.targets.first else { return (nil, false) }
      if let name = target.name { return (name, true) }
      return find(target.expression)
    case .cast(let inner, let type):
      let found = find(inner)
      return found.isStrong ? found : (type.name.last, false)
    case .conditional(_, _, let otherwise):
      let found = otherwise.map(find) ?? (name: nil, isStrong: false)
      return found.isStrong ? found : ("case", false)
    default: return (nil, false)
    }
  }
}
