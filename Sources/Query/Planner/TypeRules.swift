// PostgreSQL's type categories and the rules for a common type (manual sections 10.1 and 10.5).

import Bedrock
package import Columnar
import Functions

/// `typcategory` of pg_type.
enum TypeCategory: Hashable {
  case boolean, number, string, dateTime, timespan, array, user, unknown

  init(_ type: DataType) {
    switch type {
    case .boolean: self = .boolean
    case .int2, .int4, .int8, .float4, .float8, .numeric, .oid, .regclass, .regtype, .regproc, .regnamespace:
      self = .number
    case .text, .varchar, .bpchar, .name: self = .string
    case .date, .time, .timestamp, .timestamptz: self = .dateTime
    case .interval: self = .timespan
    case .array, .int2vector, .oidvector: self = .array
    case .unknown: self = .unknown
    case .internalChar, .bytea, .uuid, .json, .jsonb, .void: self = .user
    }
  }
}

extension DataType {
  /// `typispreferred` of pg_type.
  var isPreferred: Bool {
    switch self {
    case .boolean, .float8, .oid, .text, .timestamptz, .interval: true
    default: false
    }
  }

  /// The same type, lengths and precisions apart.
  package func isSameType(as other: DataType) -> Bool { withoutModifier == other.withoutModifier }
}

extension FunctionLibrary {
  /// Whether a value of `from` becomes `to` by itself in that context.
  func canCoerce(_ from: DataType, to: DataType, _ context: Coercion = .implicit) -> Bool {
    if from == .unknown || from.isSameType(as: to) { return true }
    if let cast = cast(from, to) { return cast.context <= context.castContext }
    if case .array(let a) = from, case .array(let b) = to { return a.isSameType(as: b) }
    return false
  }

  /// The one type of the branches of UNION, CASE, VALUES, ARRAY ..., by PostgreSQL's rules; nil when there is none.
  func commonType(_ types: [DataType]) -> DataType? {
    let known = types.filter { $0 != .unknown }
    guard var chosen = known.first else { return .text }
    if known.allSatisfy({ $0 == chosen }) { return chosen }
    for type in known.dropFirst() where !type.isSameType(as: chosen) {
      guard TypeCategory(type) == TypeCategory(chosen) else { return nil }
      // Keep the earlier type unless it can turn into the later one and not the other way round.
      if !chosen.isPreferred, canCoerce(chosen, to: type), !canCoerce(type, to: chosen) { chosen = type }
    }
    return chosen.withoutModifier
  }
}

/// How far a cast may go by itself.
enum Coercion {
  case implicit, assignment, explicit
}
