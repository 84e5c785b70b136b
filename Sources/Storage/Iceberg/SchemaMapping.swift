// Delta schemas to Iceberg schemas. A column keeps its field id, which the Parquet files have too; ids of list elements,
// map keys and map values are made from the id of their column.
//
//   byte, short, integer   int            string         string
//   long                   long           binary         binary
//   float, double          same           date           date
//   decimal(p,s)           same           timestamp      timestamptz
//   boolean                same           timestamp_ntz  timestamp
//   array, map, struct     list, map, struct
//
// Names that Iceberg keeps for its own metadata columns (`_pos` above all) get the prefix `_cramped`: engines refuse
// tables that use them.

import Bedrock
import DeltaFormat
import IcebergFormat
import JSONTape

enum SchemaMapping {
  static let reservedNames: Set<String> = ["_file", "_pos", "_deleted", "_spec_id", "_partition", "_row_id"]
  static let nameMappingKey = "schema.name-mapping.default"
  /// Nested ids start here; below are the ids of columns: 1,000,000 + 999,999 * 1,000 + 999 is an Int32.
  static let nestedIDMin: Int32 = 1_000_000
  /// Ids that a column's nested fields may use.
  static let nestedIDsMax: Int32 = 1_000

  static func name(_ name: String) -> String { reservedNames.contains(name) ? "_cramped\(name)" : name }

  /// Throws 0A000 for a column that Iceberg has no type for.
  static func schema(_ delta: DeltaSchema, id: Int) throws(Fault) -> IcebergSchema {
    var fields: [IcebergField] = []
    for field in delta.fields {
      guard let id = field.fieldID, id > 0, id < nestedIDMin else {
        throw Fault.unsupported("an Iceberg view of a Delta table whose column \"\(field.name)\" has no field id")
      }
      var ids = NestedIDs(column: id)
      fields.append(
        IcebergField(
          id: id, name: name(field.name), isRequired: !field.isNullable,
          type: try type(field.type, &ids, field.name)))
    }
    return IcebergSchema(id: id, fields: fields)
  }

  /// Gives ids inside one column, in the order of its types.
  private struct NestedIDs {
    let column: Int32
    var used: Int32 = 0
    init(column: Int32) { self.column = column }

    mutating func next() throws(Fault) -> Int32 {
      used += 1
      guard used < nestedIDsMax else {
        throw Fault.unsupported("an Iceberg view of a column with more than \(nestedIDsMax) nested fields")
      }
      return nestedIDMin + column * nestedIDsMax + used
    }
  }

  private static func type(_ type: DeltaType, _ ids: inout NestedIDs, _ column: String) throws(Fault) -> IcebergType {
    switch type {
    case .byte, .short, .integer: return .int
    case .long: return .long
    case .float: return .float
    case .double: return .double
    case .boolean: return .boolean
    case .string: return .string
    case .binary: return .binary
    case .date: return .date
    case .timestamp: return .timestamptz
    case .timestampNTZ: return .timestamp
    case .decimal(let precision, let scale): return .decimal(precision: precision, scale: scale)
    case .array(let element, let containsNull):
      let id = try ids.next()
      return .list(elementID: id, element: try Self.type(element, &ids, column), isRequired: !containsNull)
    case .map(let key, let value, let containsNull):
      let keyID = try ids.next(), valueID = try ids.next()
      return .map(
        keyID: keyID, key: try Self.type(key, &ids, column), valueID: valueID,
        value: try Self.type(value, &ids, column), isValueRequired: !containsNull)
    case .structure(let fields):
      var mapped: [IcebergField] = []
      for field in fields {
        let id = try ids.next()
        mapped.append(
          IcebergField(
            id: id, name: field.name, isRequired: !field.isNullable, type: try Self.type(field.type, &ids, column)))
      }
      return .structure(mapped)
    case .unknown(let name):
      throw Fault.unsupported("an Iceberg view of column \"\(column)\" of the Delta type \"\(name.prefix(40))\"")
    }
  }

  /// The Delta schema that reads the statistics of files under an Iceberg schema made by `schema`: nested columns, which
  /// have no statistics, are left out.
  static func delta(_ schema: IcebergSchema) -> DeltaSchema {
    DeltaSchema(
      fields: schema.fields.compactMap { field in
        guard let type = delta(field.type) else { return nil }
        let hidden = reservedNames.first { name($0) == field.name }
        return DeltaField(name: hidden ?? field.name, type: type, isNullable: !field.isRequired, fieldID: field.id)
      })
  }

  private static func delta(_ type: IcebergType) -> DeltaType? {
    switch type {
    case .boolean: .boolean
    case .int: .integer
    case .long: .long
    case .float: .float
    case .double: .double
    case .date: .date
    case .timestamptz: .timestamp
    case .timestamp: .timestampNTZ
    case .string: .string
    case .binary: .binary
    case .decimal(let precision, let scale): .decimal(precision: precision, scale: scale)
    case .time, .uuid, .fixed, .structure, .list, .map: nil
    }
  }

  /// For readers of files without field ids: `schema.name-mapping.default`.
  static func nameMapping(_ delta: DeltaSchema) -> String {
    var writer = JSONWriter(capacity: 48 * delta.fields.count)
    writer.beginArray()
    for field in delta.fields {
      guard let id = field.fieldID else { continue }
      writer.beginObject()
      writer.key("field-id")
      writer.value(Int64(id))
      writer.key("names")
      writer.beginArray()
      writer.value(field.name)
      writer.endArray()
      writer.endObject()
    }
    writer.endArray()
    return writer.text
  }
}
