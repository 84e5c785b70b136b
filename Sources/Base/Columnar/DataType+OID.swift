// PostgreSQL's numbers of the built-in types: oid, array oid, length and modifier (src/include/catalog/pg_type.dat of
// PostgreSQL 15). The catalog shows them, the wire protocol sends them, drivers decode by them.

import Bedrock

extension DataType {
  /// The oid of `pg_type`. An array of arrays has the oid of the innermost array, as PostgreSQL has it.
  package var oid: UInt32 {
    switch self {
    case .boolean: 16
    case .bytea: 17
    case .internalChar: 18
    case .name: 19
    case .int8: 20
    case .int2: 21
    case .int2vector: 22
    case .int4: 23
    case .regproc: 24
    case .text: 25
    case .oid: 26
    case .oidvector: 30
    case .json: 114
    case .float4: 700
    case .float8: 701
    case .unknown: 705
    case .bpchar: 1042
    case .varchar: 1043
    case .date: 1082
    case .time: 1083
    case .timestamp: 1114
    case .timestamptz: 1184
    case .interval: 1186
    case .numeric: 1700
    case .regclass: 2205
    case .regtype: 2206
    case .void: 2278
    case .uuid: 2950
    case .jsonb: 3802
    case .regnamespace: 4089
    case .array(let element): element.arrayOID
    }
  }

  /// The oid of the array over this type; `unknown` and `void` have none and answer `text[]`.
  package var arrayOID: UInt32 {
    switch self {
    case .json: 199
    case .boolean: 1000
    case .bytea: 1001
    case .internalChar: 1002
    case .name: 1003
    case .int2: 1005
    case .int2vector: 1006
    case .int4: 1007
    case .regproc: 1008
    case .text, .unknown, .void: 1009
    case .oidvector: 1013
    case .bpchar: 1014
    case .varchar: 1015
    case .int8: 1016
    case .float4: 1021
    case .float8: 1022
    case .oid: 1028
    case .timestamp: 1115
    case .date: 1182
    case .time: 1183
    case .timestamptz: 1185
    case .interval: 1187
    case .numeric: 1231
    case .regclass: 2210
    case .regtype: 2211
    case .uuid: 2951
    case .jsonb: 3807
    case .regnamespace: 4090
    case .array(let element): element.arrayOID
    }
  }

  /// `pg_type.typlen`: bytes of a fixed-length type, -1 for a variable length, -2 for a C string.
  package var typeLength: Int16 {
    switch self {
    case .boolean, .internalChar: 1
    case .int2: 2
    case .int4, .float4, .date, .oid, .regclass, .regtype, .regproc, .regnamespace, .void: 4
    case .int8, .float8, .time, .timestamp, .timestamptz: 8
    case .interval, .uuid: 16
    case .name: 64
    case .unknown: -2
    case .numeric, .text, .varchar, .bpchar, .bytea, .json, .jsonb, .int2vector, .oidvector, .array: -1
    }
  }

  /// `atttypmod`: the length or precision packed as PostgreSQL packs it; -1 for none.
  package var typeModifier: Int32 {
    switch self {
    case .varchar(let length?), .bpchar(let length?): Int32(clamping: length + 4)
    case .numeric(let modifier?): Int32(clamping: (modifier.precision << 16 | modifier.scale) + 4)
    case .array(let element): element.typeModifier
    default: -1
    }
  }

  /// The type with this oid and modifier; `nil` for one that Cramped does not have.
  package init?(oid: UInt32, typeModifier: Int32 = -1) {
    guard let plain = Self.byOID[oid] else { return nil }
    self = plain.with(typeModifier: typeModifier)
  }

  private func with(typeModifier: Int32) -> DataType {
    guard typeModifier >= 4 else { return self }
    let packed = Int(typeModifier) - 4
    switch self {
    case .varchar: return .varchar(packed)
    case .bpchar: return .bpchar(packed)
    case .numeric:
      guard packed >> 16 >= 1 else { return self }
      return .numeric(NumericModifier(precision: packed >> 16, scale: packed & 0x7FF))
    case .array(let element): return .array(element.with(typeModifier: typeModifier))
    default: return self
    }
  }

  /// Every type that is not an array, without modifier.
  package static let scalarTypes: [DataType] = [
    .boolean, .bytea, .internalChar, .name, .int8, .int2, .int2vector, .int4, .regproc, .text, .oid, .oidvector, .json,
    .float4, .float8, .unknown, .bpchar(nil), .varchar(nil), .date, .time, .timestamp, .timestamptz, .interval,
    .numeric(nil), .regclass, .regtype, .void, .uuid, .jsonb, .regnamespace,
  ]

  private static let byOID: [UInt32: DataType] = {
    var types: [UInt32: DataType] = [:]
    for type in scalarTypes {
      types[type.oid] = type
      if type != .unknown && type != .void { types[type.arrayOID] = .array(type) }
    }
    return types
  }()
}
