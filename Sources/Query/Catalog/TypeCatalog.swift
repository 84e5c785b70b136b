// PostgreSQL's type oids, names and storage properties, for the rows of pg_attribute and information_schema.columns.

import Columnar

/// What pg_attribute repeats from pg_type.
struct TypeProperties: Sendable {
  let oid: UInt32
  let name: String
  let length: Int64
  let isByValue: Bool
  let alignment: String
  let storage: String
  let collation: Int64
  let category: String
}

enum TypeCatalog {
  static let properties: [UInt32: TypeProperties] = {
    let table = StaticTable(StaticTables.types)
    func position(_ name: String) -> Int {
      guard let index = table.column(name) else { preconditionFailure("pg_type without \(name)") }
      return index
    }
    let (oid, name, length) = (position("oid"), position("typname"), position("typlen"))
    let (byValue, alignment, storage) = (position("typbyval"), position("typalign"), position("typstorage"))
    let (collation, category) = (position("typcollation"), position("typcategory"))
    var found: [UInt32: TypeProperties] = [:]
    for row in table.rows {
      guard let number = row[oid].flatMap({ UInt32($0) }) else { continue }
      found[number] = TypeProperties(
        oid: number, name: row[name] ?? "", length: row[length].flatMap { Int64($0) } ?? -1,
        isByValue: row[byValue] == "t", alignment: row[alignment] ?? "", storage: row[storage] ?? "",
        collation: row[collation].flatMap { Int64($0) } ?? 0, category: row[category] ?? "")
    }
    return found
  }()

  private static let oidsByName: [String: UInt32] = Dictionary(
    uniqueKeysWithValues: properties.values.map { ($0.name, $0.oid) })

  static func oid(named name: String) -> UInt32 { oidsByName[name] ?? 0 }

  /// The type of a catalog column by its pg_type name. Types that Cramped has no values of are text, which is also how
  /// their values look on the wire.
  static func dataType(named name: String) -> DataType {
    if name.hasPrefix("_") { return .array(dataType(named: String(name.dropFirst()))) }
    switch name {
    case "bool": return .boolean
    case "int2": return .int2
    case "int4", "cardinal_number": return .int4
    case "int8": return .int8
    case "float4": return .float4
    case "float8": return .float8
    case "numeric": return .numeric(nil)
    case "name", "sql_identifier": return .name
    case "char": return .internalChar
    case "varchar", "character_data", "yes_or_no": return .varchar(nil)
    case "oid", "xid": return .oid
    case "regclass": return .regclass
    case "regtype": return .regtype
    case "regproc": return .regproc
    case "int2vector": return .int2vector
    case "oidvector": return .oidvector
    case "timestamptz", "time_stamp": return .timestamptz
    case "timestamp": return .timestamp
    case "interval": return .interval
    case "bytea": return .bytea
    default: return .text
    }
  }

  /// pg_type.typname.
  static func typeName(of type: DataType) -> String { properties[type.oid]?.name ?? "text" }

  /// The type's name as SQL writes it, without modifier; `ARRAY` for arrays, as information_schema has it.
  static func standardName(of type: DataType) -> String {
    switch type {
    case .array: "ARRAY"
    case .int2: "smallint"
    case .int4: "integer"
    case .int8: "bigint"
    case .float4: "real"
    case .float8: "double precision"
    case .varchar: "character varying"
    case .bpchar: "character"
    case .internalChar: "\"char\""
    case .time: "time without time zone"
    case .timestamp: "timestamp without time zone"
    case .timestamptz: "timestamp with time zone"
    case .boolean: "boolean"
    default: typeName(of: type)
    }
  }
}
