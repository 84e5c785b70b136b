// Iceberg types and schemas as values, with their JSON form. Iceberg specification, "Schemas and Data Types" and
// appendix C, "Schemas".
//
//   {"type":"struct","schema-id":0,"fields":[{"id":1,"name":"sequence","required":true,"type":"long"}, ...]}
//
// Every field, list element, map key and map value has an id that is unique in the table and never used again.

import Bedrock
package import JSONTape

package indirect enum IcebergType: Hashable, Sendable {
  case boolean, int, long, float, double, date, time, timestamp, timestamptz, string, uuid, binary
  case decimal(precision: Int, scale: Int)
  case fixed(Int)
  case structure([IcebergField])
  case list(elementID: Int32, element: IcebergType, isRequired: Bool)
  case map(keyID: Int32, key: IcebergType, valueID: Int32, value: IcebergType, isValueRequired: Bool)

  /// True for types whose values have bounds.
  package var isPrimitive: Bool {
    switch self {
    case .structure, .list, .map: false
    default: true
    }
  }
}

package struct IcebergField: Hashable, Sendable {
  package let id: Int32
  package let name: String
  package let isRequired: Bool
  package let type: IcebergType
  package init(id: Int32, name: String, isRequired: Bool, type: IcebergType) {
    self.id = id
    self.name = name
    self.isRequired = isRequired
    self.type = type
  }
}

package struct IcebergSchema: Hashable, Sendable {
  package var id: Int
  package let fields: [IcebergField]
  package init(id: Int, fields: [IcebergField]) {
    self.id = id
    self.fields = fields
  }

  /// The greatest id of all fields, nested ones included.
  package var lastColumnID: Int32 { fields.map { max($0.id, Self.lastID($0.type)) }.max() ?? 0 }

  private static func lastID(_ type: IcebergType) -> Int32 {
    switch type {
    case .structure(let fields): fields.map { max($0.id, lastID($0.type)) }.max() ?? 0
    case .list(let id, let element, _): max(id, lastID(element))
    case .map(let keyID, let key, let valueID, let value, _): max(max(keyID, valueID), max(lastID(key), lastID(value)))
    default: 0
    }
  }

  // MARK: Writing

  package var json: String {
    var writer = JSONWriter(capacity: 64 * (fields.count + 1))
    write(&writer)
    return writer.text
  }

  package func write(_ writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("type")
    writer.value("struct")
    writer.key("schema-id")
    writer.value(Int64(id))
    writer.key("fields")
    Self.write(fields, &writer)
    writer.endObject()
  }

  private static func write(_ fields: [IcebergField], _ writer: inout JSONWriter) {
    writer.beginArray()
    for field in fields {
      writer.beginObject()
      writer.key("id")
      writer.value(Int64(field.id))
      writer.key("name")
      writer.value(field.name)
      writer.key("required")
      writer.value(field.isRequired)
      writer.key("type")
      write(field.type, &writer)
      writer.endObject()
    }
    writer.endArray()
  }

  private static func write(_ type: IcebergType, _ writer: inout JSONWriter) {
    switch type {
    case .structure(let fields):
      writer.beginObject()
      writer.key("type")
      writer.value("struct")
      writer.key("fields")
      write(fields, &writer)
      writer.endObject()
    case .list(let id, let element, let isRequired):
      writer.beginObject()
      writer.key("type")
      writer.value("list")
      writer.key("element-id")
      writer.value(Int64(id))
      writer.key("element-required")
      writer.value(isRequired)
      writer.key("element")
      write(element, &writer)
      writer.endObject()
    case .map(let keyID, let key, let valueID, let value, let isRequired):
      writer.beginObject()
      writer.key("type")
      writer.value("map")
      writer.key("key-id")
      writer.value(Int64(keyID))
      writer.key("key")
      write(key, &writer)
      writer.key("value-id")
      writer.value(Int64(valueID))
      writer.key("value-required")
      writer.value(isRequired)
      writer.key("value")
      write(value, &writer)
      writer.endObject()
    default: writer.value(type.primitiveName)
    }
  }

  // MARK: Reading

  /// Reads a schema object; throws XX001.
  init(_ value: JSONValue) throws(Fault) {
    guard let object = value.object, let id = object.value(of: "schema-id")?.int64.flatMap({ Int(exactly: $0) }),
      let fields = object.value(of: "fields")
    else { throw Fault.corrupt("an Iceberg schema has no id or no fields") }
    self.init(id: id, fields: try Self.fields(fields))
  }

  private static func fields(_ value: JSONValue) throws(Fault) -> [IcebergField] {
    guard let array = value.array else { throw Fault.corrupt("the fields of an Iceberg struct are no list") }
    var fields: [IcebergField] = []
    for element in array {
      guard let object = element.object, let id = identifier(object.value(of: "id")),
        let name = object.value(of: "name")?.text, let type = object.value(of: "type")
      else { throw Fault.corrupt("a field of an Iceberg struct has no id, name or type") }
      fields.append(
        IcebergField(
          id: id, name: name.string, isRequired: object.value(of: "required")?.bool ?? false, type: try Self.type(type)))
    }
    return fields
  }

  private static func identifier(_ value: JSONValue?) -> Int32? { value?.int64.flatMap { Int32(exactly: $0) } }

  private static func type(_ value: JSONValue) throws(Fault) -> IcebergType {
    if let name = value.text { return try IcebergType(primitive: name.string) }
    guard let object = value.object, let kind = object.value(of: "type")?.text else {
      throw Fault.corrupt("an Iceberg type has no name")
    }
    if kind == "struct", let fields = object.value(of: "fields") { return .structure(try Self.fields(fields)) }
    if kind == "list", let id = identifier(object.value(of: "element-id")), let element = object.value(of: "element") {
      return .list(
        elementID: id, element: try type(element), isRequired: object.value(of: "element-required")?.bool ?? false)
    }
    if kind == "map", let keyID = identifier(object.value(of: "key-id")), let key = object.value(of: "key"),
      let valueID = identifier(object.value(of: "value-id")), let value = object.value(of: "value")
    {
      return .map(
        keyID: keyID, key: try type(key), valueID: valueID, value: try type(value),
        isValueRequired: object.value(of: "value-required")?.bool ?? false)
    }
    throw Fault.corrupt("the Iceberg type \"\(kind.string.prefix(40))\" is broken or unknown")
  }
}

extension IcebergType {
  fileprivate var primitiveName: String {
    switch self {
    case .boolean: "boolean"
    case .int: "int"
    case .long: "long"
    case .float: "float"
    case .double: "double"
    case .date: "date"
    case .time: "time"
    case .timestamp: "timestamp"
    case .timestamptz: "timestamptz"
    case .string: "string"
    case .uuid: "uuid"
    case .binary: "binary"
    case .decimal(let precision, let scale): "decimal(\(precision), \(scale))"
    case .fixed(let size): "fixed[\(size)]"
    case .structure, .list, .map: preconditionFailure("a nested type has no name")
    }
  }

  /// Throws XX001 for a name that is no primitive type of format version 2.
  fileprivate init(primitive name: String) throws(Fault) {
    let known: [String: IcebergType] = [
      "boolean": .boolean, "int": .int, "long": .long, "float": .float, "double": .double, "date": .date,
      "time": .time, "timestamp": .timestamp, "timestamptz": .timestamptz, "string": .string, "uuid": .uuid,
      "binary": .binary,
    ]
    if let type = known[name] {
      self = type
      return
    }
    let text = name.filter { $0 != " " }
    if text.hasPrefix("decimal("), text.hasSuffix(")") {
      let numbers = text.dropFirst(8).dropLast().split(separator: ",").map { Int($0) }
      if numbers.count == 2, let precision = numbers[0], let scale = numbers[1], precision >= 1, precision <= 38,
        scale >= 0, scale <= precision
      {
        self = .decimal(precision: precision, scale: scale)
        return
      }
    }
    if text.hasPrefix("fixed["), text.hasSuffix("]"), let size = Int(text.dropFirst(6).dropLast()), size >= 0 {
      self = .fixed(size)
      return
    }
    throw Fault.corrupt("\"\(name.prefix(40))\" is no type of an Iceberg table of format version 2")
  }
}
