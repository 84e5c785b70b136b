// Names of types: as the grammar and users write them, and as messages print them.

import Columnar
import Functions

enum TypeNames {
  /// The type of a bare name; without modifiers.
  static func type(named name: String) -> DataType? {
    switch name {
    case "bool", "boolean": .boolean
    case "int2", "smallint": .int2
    case "int4", "int", "integer": .int4
    case "int8", "bigint": .int8
    case "float4", "real": .float4
    case "float8": .float8
    case "numeric", "decimal": .numeric
    case "text": .text
    case "varchar": .varchar(nil)
    case "bpchar": .bpchar(nil)
    case "name": .name
    case "char": .internalChar
    case "bytea": .bytea
    case "date": .date
    case "time": .time
    case "timestamp": .timestamp
    case "timestamptz": .timestamptz
    case "interval": .interval
    case "uuid": .uuid
    case "json": .json
    case "jsonb": .jsonb
    case "oid": .oid
    case "regclass": .regclass
    case "regtype": .regtype
    case "regproc", "regprocedure", "regoper", "regoperator": .regproc
    case "regnamespace": .regnamespace
    case "int2vector": .int2vector
    case "oidvector": .oidvector
    case "unknown": .unknown
    case "void": .void
    default: nil
    }
  }

  /// The name that messages print.
  static func sqlName(_ type: DataType) -> String { Functions.TypeNames.sqlName(type) }
}
