// The schema of a Delta table: `metaData.schemaString` to fields and back, and Delta types to SQL types.
//
//   {"type":"struct","fields":[{"name":"sequence","type":"long","nullable":false,"metadata":{"cramped.field.id":1}}]}
//
// PROTOCOL.md, "Schema Serialization Format". A field's Parquet id stays with it for life: columns are matched by it.
// The id stands under a key of our own: DuckDB (delta extension 1.5.5) reads every column as null when a table without
// column mapping has `parquet.field.id` here, although the files have the same ids.

package import Bedrock
package import Columnar
import JSONTape

package indirect enum DeltaType: Hashable, Sendable {
  case string, long, integer, short, byte, float, double, boolean, binary, date, timestamp, timestampNTZ
  case decimal(precision: Int, scale: Int)
  case array(DeltaType, containsNull: Bool)
  case map(DeltaType, DeltaType, valueContainsNull: Bool)
  case structure([DeltaField])
  /// A type we do not know, by its name: such a column cannot be read, the others can.
  case unknown(String)
}

package struct DeltaField: Hashable, Sendable {
  package static let idKey = "cramped.field.id"
  /// The SQL type of a column that Delta has no type for: "time", "numeric" or "interval".
  package static let typeKey = "cramped.type"
  package var name: String
  package var type: DeltaType
  package var isNullable: Bool
  /// Values as JSON text.
  package var metadata: [String: String]

  package init(name: String, type: DeltaType, isNullable: Bool, metadata: [String: String] = [:]) {
    self.name = name
    self.type = type
    self.isNullable = isNullable
    self.metadata = metadata
  }

  package init(name: String, type: DeltaType, isNullable: Bool, fieldID: Int32) {
    self.init(name: name, type: type, isNullable: isNullable, metadata: [Self.idKey: String(fieldID)])
  }

  /// A column of a SQL type. Throws 0A000 for types that have no form in a lake table.
  package init(name: String, dataType: DataType, isNullable: Bool, fieldID: Int32) throws(Fault) {
    self.init(name: name, type: try DeltaType(dataType), isNullable: isNullable, fieldID: fieldID)
    metadata[Self.typeKey] = Self.typeTag(dataType)
  }

  /// JSON text for `typeKey`; nil for a type that Delta has.
  package static func typeTag(_ type: DataType) -> String? {
    switch type.element ?? type {
    case .time: "\"time\""
    case .numeric(nil): "\"numeric\""
    case .interval: "\"interval\""
    default: nil
    }
  }

  /// The SQL type the column was made with, as far as the schema tells.
  package var dataType: DataType? {
    let own: DataType
    switch metadata[Self.typeKey] {
    case "\"time\"": own = .time
    case "\"numeric\"": own = .numeric(nil)
    case "\"interval\"": own = .interval
    default: return type.dataType
    }
    if case .array = type { return .array(own) }
    return own
  }

  package var fieldID: Int32? { metadata[Self.idKey].flatMap { Int32($0) } }

  /// The Parquet field id that column mapping gave the field.
  package var mappingID: Int32? { metadata["delta.columnMapping.id"].flatMap { Int32($0) } }

  /// The name that column mapping gave the field in files, statistics and partition values.
  package var physicalName: String? {
    guard let json = metadata["delta.columnMapping.physicalName"], json.utf8.count > 2 else { return nil }
    guard json.hasPrefix("\""), json.hasSuffix("\""), !json.contains("\\") else { return nil }
    return String(json.dropFirst().dropLast())
  }

  /// The name of the field outside the schema, under a mapping.
  package func storedName(_ mapping: DeltaColumnMapping) -> String {
    mapping == .none ? name : physicalName ?? name
  }
}

package struct DeltaSchema: Hashable, Sendable {
  package var fields: [DeltaField]
  package init(fields: [DeltaField]) { self.fields = fields }

  package func field(id: Int32) -> DeltaField? { fields.first { $0.fieldID == id } }
  package func field(named name: String) -> DeltaField? { fields.first { $0.name == name } }

  // MARK: JSON

  /// Parses `schemaString`; throws XX001.
  package init(json: String) throws(Fault) {
    var parser = JSONParser(bytesMax: Limits.deltaLineBytesMax, depthMax: Limits.parquetDepthMax * 3)
    do throws(Fault) {
      fields = try parser.parse(Array(json.utf8)) { (root) throws(Fault) in
        guard let object = root.object else { throw Fault.corrupt("a schema is an object") }
        guard case .structure(let fields) = try Self.type(object) else { throw Fault.corrupt("a schema is a struct") }
        return fields
      }
    } catch {
      throw Fault.corrupt("the schema of a Delta table is broken: \(error.message)", detail: error.detail)
    }
    guard fields.count <= Limits.parquetColumnsMax else {
      throw Fault.corrupt("the schema of a Delta table has \(fields.count) columns, over \(Limits.parquetColumnsMax)")
    }
    var names: Set<String> = []
    for field in fields where !names.insert(field.name).inserted {
      throw Fault.corrupt("the schema of a Delta table has two columns \"\(field.name.prefix(100))\"")
    }
  }

  private static func type(_ value: JSONValue) throws(Fault) -> DeltaType {
    if let name = value.text { return try primitive(name.string) }
    guard let object = value.object else { throw Fault.corrupt("a type is a string or an object") }
    return try type(object)
  }

  private static func type(_ object: JSONObject) throws(Fault) -> DeltaType {
    guard let kind = object.value(of: "type")?.text else { throw Fault.corrupt("a nested type has no name") }
    if kind == "struct" {
      guard let array = object.value(of: "fields")?.array else { throw Fault.corrupt("a struct has no fields") }
      var fields: [DeltaField] = []
      for element in array { fields.append(try field(element)) }
      return .structure(fields)
    }
    if kind == "array" {
      guard let element = object.value(of: "elementType") else { throw Fault.corrupt("an array has no elementType") }
      return .array(try type(element), containsNull: object.value(of: "containsNull")?.bool ?? true)
    }
    if kind == "map" {
      guard let key = object.value(of: "keyType"), let value = object.value(of: "valueType") else {
        throw Fault.corrupt("a map has no keyType or no valueType")
      }
      return .map(try type(key), try type(value), valueContainsNull: object.value(of: "valueContainsNull")?.bool ?? true)
    }
    return .unknown(kind.string)
  }

  private static func field(_ value: JSONValue) throws(Fault) -> DeltaField {
    guard let object = value.object, let name = object.value(of: "name")?.text, let type = object.value(of: "type")
    else { throw Fault.corrupt("a field has no name or no type") }
    var field = DeltaField(
      name: name.string, type: try Self.type(type), isNullable: object.value(of: "nullable")?.bool ?? true)
    if let metadata = object.value(of: "metadata")?.object {
      for entry in metadata {
        var text = JSONWriter(capacity: 32)
        text.value(entry.value)
        field.metadata[entry.key.string] = text.text
      }
    }
    return field
  }

  private static func primitive(_ name: String) throws(Fault) -> DeltaType {
    switch name {
    case "string": return .string
    case "long": return .long
    case "integer": return .integer
    case "short": return .short
    case "byte": return .byte
    case "float": return .float
    case "double": return .double
    case "boolean": return .boolean
    case "binary": return .binary
    case "date": return .date
    case "timestamp": return .timestamp
    case "timestamp_ntz": return .timestampNTZ
    default: break
    }
    guard name.hasPrefix("decimal(") && name.hasSuffix(")") else { return .unknown(name) }
    let numbers = name.dropFirst(8).dropLast().split(separator: ",").map { Int($0.filter { $0 != " " }) }
    guard numbers.count == 2, let precision = numbers[0], let scale = numbers[1], precision >= 1, precision <= 38,
      scale >= 0, scale <= precision
    else { throw Fault.corrupt("\"\(name.prefix(40))\" is not a decimal type") }
    return .decimal(precision: precision, scale: scale)
  }

  /// The text for `metaData.schemaString`.
  package var json: String {
    var writer = JSONWriter(capacity: 128 * (fields.count + 1))
    Self.write(.structure(fields), &writer)
    return writer.text
  }

  private static func write(_ type: DeltaType, _ writer: inout JSONWriter) {
    if let name = type.primitiveName { return writer.value(name) }
    writer.beginObject()
    writer.key("type")
    switch type {
    case .structure(let fields):
      writer.value("struct")
      writer.key("fields")
      writer.beginArray()
      for field in fields { write(field, &writer) }
      writer.endArray()
    case .array(let element, let containsNull):
      writer.value("array")
      writer.key("elementType")
      write(element, &writer)
      writer.key("containsNull")
      writer.value(containsNull)
    case .map(let key, let value, let containsNull):
      writer.value("map")
      writer.key("keyType")
      write(key, &writer)
      writer.key("valueType")
      write(value, &writer)
      writer.key("valueContainsNull")
      writer.value(containsNull)
    default: preconditionFailure("a primitive type has a name")
    }
    writer.endObject()
  }

  private static func write(_ field: DeltaField, _ writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("name")
    writer.value(field.name)
    writer.key("type")
    write(field.type, &writer)
    writer.key("nullable")
    writer.value(field.isNullable)
    writer.key("metadata")
    writer.beginObject()
    for (key, value) in field.metadata.sorted(by: { $0.key < $1.key }) {
      writer.key(key)
      writer.value(json: value)
    }
    writer.endObject()
    writer.endObject()
  }
}

extension DeltaType {
  /// True for timestamps without time zone, at any depth: they need the table feature timestampNtz.
  package var hasTimestampNTZ: Bool {
    switch self {
    case .timestampNTZ: true
    case .array(let element, _): element.hasTimestampNTZ
    case .map(let key, let value, _): key.hasTimestampNTZ || value.hasTimestampNTZ
    case .structure(let fields): fields.contains { $0.type.hasTimestampNTZ }
    default: false
    }
  }

  /// Nil for nested types.
  var primitiveName: String? {
    switch self {
    case .string: "string"
    case .long: "long"
    case .integer: "integer"
    case .short: "short"
    case .byte: "byte"
    case .float: "float"
    case .double: "double"
    case .boolean: "boolean"
    case .binary: "binary"
    case .date: "date"
    case .timestamp: "timestamp"
    case .timestampNTZ: "timestamp_ntz"
    case .decimal(let precision, let scale): "decimal(\(precision),\(scale))"
    case .unknown(let name): name
    case .array, .map, .structure: nil
    }
  }

  /// The Delta type a column of a SQL type has. Throws 0A000 for types the open profile has no form for.
  package init(_ type: DataType) throws(Fault) {
    switch type {
    case .boolean: self = .boolean
    case .int2: self = .short
    case .int4: self = .integer
    case .int8: self = .long
    case .float4: self = .float
    case .float8: self = .double
    case .numeric(let modifier?) where modifier.precision <= 38 && modifier.scale <= modifier.precision:
      self = .decimal(precision: modifier.precision, scale: modifier.scale)
    // Delta has no uuid: 36 characters
    case .text, .varchar, .bpchar, .name, .json, .jsonb, .uuid: self = .string
    case .bytea: self = .binary
    case .date: self = .date
    case .timestamptz: self = .timestamp
    // Needs the table feature timestampNtz.
    case .timestamp: self = .timestampNTZ
    // Delta has none of these: microseconds since midnight; text that loses nothing. `DeltaField.typeKey` names the type.
    case .time: self = .long
    case .numeric(nil), .interval: self = .string
    case .array(let element) where element.element == nil:
      self = .array(try DeltaType(element), containsNull: true)
    default: throw Fault.unsupported("a column of type \(type) in a lake table")
    }
  }

  /// The SQL type in which such a column is read when nothing else says; nil where there is none.
  package var dataType: DataType? {
    switch self {
    case .string: .text
    case .long: .int8
    case .integer: .int4
    case .short, .byte: .int2
    case .float: .float4
    case .double: .float8
    case .boolean: .boolean
    case .binary: .bytea
    case .date: .date
    case .timestamp: .timestamptz
    case .timestampNTZ: .timestamp
    case .decimal(let precision, let scale): .numeric(DataType.NumericModifier(precision: precision, scale: scale))
    case .array(let element, _): element.dataType.map { .array($0) }
    case .map, .structure, .unknown: nil
    }
  }
}
