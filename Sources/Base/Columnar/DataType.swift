// SQL types and the memory form each of them has.

import Bedrock

/// A SQL type as a user names it. Values of one type always have the physical form `physical`.
package indirect enum DataType: Hashable, Sendable {
  case boolean
  case int2, int4, int8
  case float4, float8
  /// `nil`: unconstrained. Values carry their own display scale (see `Numeric`).
  case numeric(NumericModifier?)
  case text
  /// `varchar(n)` and `char(n)`; `nil`: no length.
  case varchar(Int?), bpchar(Int?)
  /// PostgreSQL's catalog types `name` and `"char"`.
  case name, internalChar
  case bytea
  case date, time
  case timestamp, timestamptz
  case interval
  case uuid
  case json, jsonb
  case oid, regclass, regtype, regproc, regnamespace
  case int2vector, oidvector
  case array(DataType)
  /// A literal whose type the context decides ("unknown" in PostgreSQL). Never the type of a stored column.
  case unknown
  /// The result of a function that returns nothing.
  case void

  /// Precision and scale of a constrained numeric.
  package struct NumericModifier: Hashable, Sendable {
    package let precision: Int
    package let scale: Int
    package init(precision: Int, scale: Int) {
      precondition(precision >= 1 && scale >= 0)
      self.precision = precision
      self.scale = scale
    }
  }

  package static let numeric = DataType.numeric(nil)

  /// How values of this type lie in memory.
  package var physical: PhysicalType {
    switch self {
    case .boolean: .bool8
    case .int2, .int4, .date, .oid, .regclass, .regtype, .regproc, .regnamespace: .int32
    case .int8, .time, .timestamp, .timestamptz: .int64
    case .float4: .float32
    case .float8: .float64
    case .numeric: .numeric
    case .interval: .interval
    case .uuid: .uuid
    case .text, .varchar, .bpchar, .name, .internalChar, .bytea, .json, .jsonb, .unknown, .void: .bytes
    case .array, .int2vector, .oidvector: .list
    }
  }

  /// True for text, varchar, char(n), name, "char" and unknown.
  package var isTextual: Bool {
    switch self {
    case .text, .varchar, .bpchar, .name, .internalChar, .unknown: true
    default: false
    }
  }

  /// The type without length or precision.
  package var withoutModifier: DataType {
    switch self {
    case .numeric: .numeric(nil)
    case .varchar: .varchar(nil)
    case .bpchar: .bpchar(nil)
    default: self
    }
  }

  /// The element type of an array, or of PostgreSQL's vector types.
  package var element: DataType? {
    switch self {
    case .array(let element): element
    case .int2vector: .int2
    case .oidvector: .oid
    default: nil
    }
  }
}

/// How values lie in memory. Widths in bytes are `width`; `nil`: variable.
package enum PhysicalType: UInt8, Sendable, Hashable {
  /// One byte a value, 0 or 1 (Arrow packs bits; bytes keep selection loops free of shifts).
  case bool8
  /// int2, int4, date (days since 1970-01-01), oid (bit pattern of the unsigned value).
  case int32
  /// int8, time (µs since midnight), timestamp and timestamptz (µs since 1970-01-01 UTC; Int64.min/max = -/+infinity).
  case int64
  case float32, float64
  /// `Numeric`: coefficient and scale in 16 bytes.
  case numeric
  /// `Interval`: months, days, microseconds in 16 bytes.
  case interval
  /// 16 bytes in network order.
  case uuid
  /// Offsets (Int32, count + 1) into bytes. Text is valid UTF-8 without NUL. jsonb is its text here.
  case bytes
  /// Offsets (Int32, count + 1) into an element column.
  case list

  package var width: Int? {
    switch self {
    case .bool8: 1
    case .int32, .float32: 4
    case .int64, .float64: 8
    case .numeric, .interval, .uuid: 16
    case .bytes, .list: nil
    }
  }
}
