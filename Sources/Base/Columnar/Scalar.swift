// One boxed value. For literals, predicates, statistics, catalogs and tests; never in a loop over rows.

import Bedrock

package enum Scalar: Sendable {
  case null
  case boolean(Bool)
  /// bool excepted, every type whose physical type is int32 or int64 (dates, times and oids too).
  case integer(Int64)
  /// float4 and float8.
  case float(Double)
  case numeric(Numeric)
  case interval(Interval)
  case uuid(UUIDValue)
  /// text, bytea, json ... as bytes.
  case bytes([UInt8])
  case list([Scalar])

  package static func text(_ string: String) -> Scalar { .bytes(Array(string.utf8)) }

  package var isNull: Bool {
    if case .null = self { return true }
    return false
  }
  package var text: String? {
    if case .bytes(let bytes) = self { return String(decoding: bytes, as: UTF8.self) }
    return nil
  }
  package var integer: Int64? {
    if case .integer(let value) = self { return value }
    return nil
  }
  package var boolean: Bool? {
    if case .boolean(let value) = self { return value }
    return nil
  }
  package var float: Double? {
    if case .float(let value) = self { return value }
    return nil
  }
}

// Equal representation: 1.0 and 1.00 differ here, NaN equals NaN. SQL equality is a kernel's.
extension Scalar: Hashable {
  package static func == (a: Scalar, b: Scalar) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.boolean(let a), .boolean(let b)): a == b
    case (.integer(let a), .integer(let b)): a == b
    case (.float(let a), .float(let b)): a.bitPattern == b.bitPattern
    case (.numeric(let a), .numeric(let b)): a.bits == b.bits
    case (.interval(let a), .interval(let b)): a == b
    case (.uuid(let a), .uuid(let b)): a == b
    case (.bytes(let a), .bytes(let b)): a == b
    case (.list(let a), .list(let b)): a == b
    default: false
    }
  }
  package func hash(into hasher: inout Hasher) {
    switch self {
    case .null: hasher.combine(0)
    case .boolean(let value): hasher.combine(value)
    case .integer(let value): hasher.combine(value)
    case .float(let value): hasher.combine(value.bitPattern)
    case .numeric(let value): hasher.combine(value.bits)
    case .interval(let value): hasher.combine(value)
    case .uuid(let value): hasher.combine(value)
    case .bytes(let value): hasher.combine(value)
    case .list(let value): hasher.combine(value)
    }
  }
}
