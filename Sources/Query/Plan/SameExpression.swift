// Equality of bound expressions, for GROUP BY, DISTINCT and ORDER BY.

import Columnar
import Functions

extension Expression {
  /// Whether both always have the same value over the same row (structure alone decides).
  package func isSame(as other: Expression) -> Bool {
    switch (self, other) {
    case (.column(let a, _), .column(let b, _)): return a == b
    case (.constant(let a, let typeA), .constant(let b, let typeB)): return a == b && typeA == typeB
    case (.parameter(let a, _), .parameter(let b, _)): return a == b
    case (.call(let a, _, let typeA), .call(let b, _, let typeB)):
      guard a.name == b.name, a.parameters == b.parameters, typeA == typeB, a.volatility != .volatile else {
        return false
      }
    case (.cast(_, _, let a, let explicitA), .cast(_, _, let b, let explicitB)):
      guard a == b, explicitA == explicitB else { return false }
    case (.and, .and), (.or, .or), (.not, .not), (.isNull, .isNull), (.isNotNull, .isNotNull): break
    case (.isTruth(_, let a, let negatedA), .isTruth(_, let b, let negatedB)):
      guard a == b, negatedA == negatedB else { return false }
    case (.isDistinct(_, _, let a, let negatedA), .isDistinct(_, _, let b, let negatedB)):
      guard a.name == b.name, a.parameters == b.parameters, negatedA == negatedB else { return false }
    case (.caseWhen(let a, let elseA, _), .caseWhen(let b, let elseB, _)):
      guard a.count == b.count, (elseA == nil) == (elseB == nil) else { return false }
    case (.coalesce(_, let a), .coalesce(_, let b)), (.array(_, let a), .array(_, let b)):
      guard a == b else { return false }
    case (.inList(_, let a, let equalsA, let negatedA), .inList(_, let b, let equalsB, let negatedB)):
      guard a == b, equalsA.parameters == equalsB.parameters, negatedA == negatedB else { return false }
    case (.arrayComparison(_, let a, _, let allA), .arrayComparison(_, let b, _, let allB)):
      guard a.name == b.name, a.parameters == b.parameters, allA == allB else { return false }
    case (.subqueryValue(let a, _), .subqueryValue(let b, _)), (.subqueryExists(let a), .subqueryExists(let b)),
      (.subqueryArray(let a, _), .subqueryArray(let b, _)):
      return a == b
    default: return false
    }
    let mine = children
    let theirs = other.children
    return mine.count == theirs.count && zip(mine, theirs).allSatisfy { $0.isSame(as: $1) }
  }
}
