// Names and oids of types as PostgreSQL's catalogs have them (pg_type.dat), for format_type, regtype and messages.

package import Columnar

package enum TypeNames {
  private static let table: [(type: DataType, oid: UInt32, arrayOID: UInt32, name: String, short: String)] = [
    (.boolean, 16, 1000, "boolean", "bool"), (.bytea, 17, 1001, "bytea", "bytea"),
    (.internalChar, 18, 1002, "\"char\"", "char"), (.name, 19, 1003, "name", "name"),
    (.int8, 20, 1016, "bigint", "int8"), (.int2, 21, 1005, "smallint", "int2"),
    (.int2vector, 22, 1006, "int2vector", "int2vector"), (.int4, 23, 1007, "integer", "int4"),
    (.regproc, 24, 1008, "regproc", "regproc"), (.text, 25, 1009, "text", "text"), (.oid, 26, 1028, "oid", "oid"),
    (.oidvector, 30, 1013, "oidvector", "oidvector"), (.json, 114, 199, "json", "json"),
    (.float4, 700, 1021, "real", "float4"), (.float8, 701, 1022, "double precision", "float8"),
    (.unknown, 705, 0, "unknown", "unknown"), (.bpchar(nil), 1042, 1014, "character", "bpchar"),
    (.varchar(nil), 1043, 1015, "character varying", "varchar"), (.date, 1082, 1182, "date", "date"),
    (.time, 1083, 1183, "time without time zone", "time"),
    (.timestamp, 1114, 1115, "timestamp without time zone", "timestamp"),
    (.timestamptz, 1184, 1185, "timestamp with time zone", "timestamptz"),
    (.interval, 1186, 1187, "interval", "interval"), (.numeric, 1700, 1231, "numeric", "numeric"),
    (.regclass, 2205, 2210, "regclass", "regclass"), (.regtype, 2206, 2211, "regtype", "regtype"),
    (.void, 2278, 0, "void", "void"), (.uuid, 2950, 2951, "uuid", "uuid"), (.jsonb, 3802, 3807, "jsonb", "jsonb"),
    (.regnamespace, 4089, 4090, "regnamespace", "regnamespace"),
  ]

  /// The name as messages and format_type print it, with length or precision.
  package static func sqlName(_ type: DataType) -> String {
    switch type {
    case .array(let element): return sqlName(element) + "[]"
    case .numeric(.some(let modifier)): return "numeric(\(modifier.precision),\(modifier.scale))"
    case .varchar(.some(let length)): return "character varying(\(length))"
    case .bpchar(.some(let length)): return "character(\(length))"
    default: return table.first { $0.type == type.withoutModifier }?.name ?? "unknown"
    }
  }

  /// The oid in pg_type.
  package static func oid(_ type: DataType) -> UInt32 {
    if case .array(let element) = type { return table.first { $0.type == element.withoutModifier }?.arrayOID ?? 0 }
    return table.first { $0.type == type.withoutModifier }?.oid ?? 0
  }

  /// The type of that oid, if Cramped has it.
  package static func type(oid: UInt32) -> DataType? {
    if oid == 0 { return nil }
    if let row = table.first(where: { $0.oid == oid }) { return row.type }
    return table.first { $0.arrayOID == oid }.map { .array($0.type) }
  }

  /// The type of that SQL or catalog name, without modifiers.
  package static func type(named name: String) -> DataType? {
    var text = name.lowercased()
    if text.hasPrefix("pg_catalog.") { text.removeFirst("pg_catalog.".count) }
    if text.hasSuffix("[]") { return type(named: String(text.dropLast(2))).map { .array($0) } }
    switch text {
    case "int": return .int4
    case "decimal": return .numeric
    case "char": return .bpchar(nil)
    case "float", "double": return .float8
    case "timestamp": return .timestamp
    case "\"char\"": return .internalChar
    default: break
    }
    if let row = table.first(where: { $0.name == text || $0.short == text }) { return row.type }
    if text.hasPrefix("_") { return type(named: String(text.dropFirst())).map { .array($0) } }
    return nil
  }

  /// Types of PostgreSQL that no value has here, but that catalogs and their clients name.
  private static let catalogOnly: [UInt32: String] = [
    27: "tid", 28: "xid", 29: "cid", 32: "pg_ddl_command", 194: "pg_node_tree", 269: "table_am_handler",
    325: "index_am_handler", 650: "cidr", 869: "inet", 1033: "aclitem", 1034: "aclitem[]", 2202: "regprocedure",
    2203: "regoper", 2204: "regoperator", 2249: "record", 2275: "cstring", 2276: "\"any\"", 2277: "anyarray",
    2279: "trigger", 2280: "language_handler", 2281: "internal", 2283: "anyelement", 2287: "record[]",
    2776: "anynonarray", 3220: "pg_lsn", 3500: "anyenum", 3614: "tsvector", 3615: "tsquery", 3734: "regconfig",
    3769: "regdictionary", 3831: "anyrange", 3838: "event_trigger", 4191: "regcollation", 5069: "xid8",
    5077: "anycompatible", 5078: "anycompatiblearray",
  ]

  /// The oid of the type of that name, among all that a regtype can show.
  static func oid(named name: String) -> UInt32? {
    if let type = type(named: name) { return oid(type) }
    var text = name.lowercased()
    if text.hasPrefix("pg_catalog.") { text.removeFirst("pg_catalog.".count) }
    return catalogOnly.first { $0.value == text }?.key
  }

  /// format_type(oid, typmod).
  package static func format(oid: UInt32, modifier: Int64?) -> String {
    if oid == 0 { return "-" }
    if let name = catalogOnly[oid] { return name }
    guard let type = type(oid: oid) else { return "???" }
    let (base, suffix): (DataType, String) =
      if case .array(let element) = type { (element, "[]") } else { (type, "") }
    guard let modifier, modifier >= 0 else { return sqlName(base) + suffix }
    switch base {
    case .varchar where modifier >= 4, .bpchar where modifier >= 4: return sqlName(base) + "(\(modifier - 4))" + suffix
    case .numeric where modifier >= 4:
      return "numeric(\((modifier - 4) >> 16 & 0xFFFF),\((modifier - 4) & 0x7FF))" + suffix
    case .timestamp: return "timestamp(\(modifier)) without time zone" + suffix
    case .timestamptz: return "timestamp(\(modifier)) with time zone" + suffix
    case .time: return "time(\(modifier)) without time zone" + suffix
    default: return sqlName(base) + suffix
    }
  }
}

/// regclass, regtype, regproc and regnamespace: oids that print as names.
enum RegObjects {
  static func name(_ oid: UInt32, _ type: DataType, _ context: FunctionContext) -> String {
    if oid == 0 { return "-" }
    switch type {
    case .regclass: return context.session.relationName(oid: oid) ?? String(oid)
    case .regtype:
      let name = TypeNames.format(oid: oid, modifier: nil)
      return name == "???" ? String(oid) : name
    case .regnamespace: return context.session.namespaceName(oid: oid).map(QuotedText.identifier) ?? String(oid)
    default: return context.session.functionName(oid: oid) ?? String(oid)
    }
  }
}
