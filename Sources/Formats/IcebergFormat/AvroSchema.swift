// Avro schemas: JSON text to a tree and back. Apache Avro 1.12 specification, "Schema Declaration"; Iceberg specification,
// appendix A, "Avro", for the ids that Iceberg adds to fields and to elements.
//
//   {"type":"record","name":"manifest_entry","fields":[{"name":"status","type":"int","field-id":0}, ...]}
//
// Names may be used again after their definition; a type that holds itself is refused. `nodesMax` counts the tree with
// every reference written out, so that a short text cannot stand for an endless schema.

package import Bedrock
import JSONTape

package indirect enum AvroSchema: Hashable, Sendable {
  case null, boolean, int, long, float, double, bytes, string
  case fixed(name: String, size: Int)
  case enumeration(name: String, symbols: [String])
  /// `isMap`: Iceberg's map with keys that are no strings, an array of records of key and value.
  case array(items: AvroSchema, elementID: Int32?, isMap: Bool)
  case map(values: AvroSchema)
  case union([AvroSchema])
  case record(name: String, fields: [AvroField])
}

package struct AvroField: Hashable, Sendable {
  package let name: String
  package let schema: AvroSchema
  package let fieldID: Int32?

  package init(_ name: String, _ schema: AvroSchema, id: Int32?) {
    self.name = name
    self.schema = schema
    fieldID = id
  }

  /// A field that may be null, its default.
  package static func optional(_ name: String, _ schema: AvroSchema, id: Int32) -> AvroField {
    AvroField(name, .union([.null, schema]), id: id)
  }
}

extension AvroSchema {
  /// How many schemas lie inside each other at most.
  fileprivate var height: Int {
    switch self {
    case .array(let items, _, _): 1 + items.height
    case .map(let values): 1 + values.height
    case .union(let branches): 1 + (branches.map(\.height).max() ?? 0)
    case .record(_, let fields): 1 + (fields.map(\.schema.height).max() ?? 0)
    default: 1
    }
  }

  static let nodesMax = 10_000
  static let fixedBytesMax = 1_048_576

  // MARK: Reading

  /// Parses a schema's JSON text; throws XX001.
  package init(json: [UInt8]) throws(Fault) {
    var parser = JSONParser(bytesMax: Limits.avroSchemaBytesMax, depthMax: Limits.avroDepthMax * 3)
    do throws(Fault) {
      self = try parser.parse(json) { (root) throws(Fault) in
        var reader = AvroSchemaReader()
        return try reader.schema(root, depth: 0)
      }
    } catch { throw Fault.corrupt("an Avro schema is broken: \(error.message)", detail: error.detail) }
  }

  // MARK: Writing

  /// The JSON text, named types written out where they come first.
  package var json: String {
    var writer = JSONWriter(capacity: 1_024)
    var defined: Set<String> = []
    write(&writer, &defined)
    return writer.text
  }

  private func write(_ writer: inout JSONWriter, _ defined: inout Set<String>) {
    switch self {
    case .null: writer.value("null")
    case .boolean: writer.value("boolean")
    case .int: writer.value("int")
    case .long: writer.value("long")
    case .float: writer.value("float")
    case .double: writer.value("double")
    case .bytes: writer.value("bytes")
    case .string: writer.value("string")
    case .fixed(let name, let size):
      guard Self.begin(name, "fixed", &writer, &defined) else { return }
      writer.key("size")
      writer.value(Int64(size))
      writer.endObject()
    case .enumeration(let name, let symbols):
      guard Self.begin(name, "enum", &writer, &defined) else { return }
      writer.key("symbols")
      writer.beginArray()
      for symbol in symbols { writer.value(symbol) }
      writer.endArray()
      writer.endObject()
    case .array(let items, let elementID, let isMap):
      writer.beginObject()
      writer.key("type")
      writer.value("array")
      if isMap {
        writer.key("logicalType")
        writer.value("map")
      }
      writer.key("items")
      items.write(&writer, &defined)
      if let elementID {
        writer.key("element-id")
        writer.value(Int64(elementID))
      }
      writer.endObject()
    case .map(let values):
      writer.beginObject()
      writer.key("type")
      writer.value("map")
      writer.key("values")
      values.write(&writer, &defined)
      writer.endObject()
    case .union(let branches):
      writer.beginArray()
      for branch in branches { branch.write(&writer, &defined) }
      writer.endArray()
    case .record(let name, let fields):
      guard Self.begin(name, "record", &writer, &defined) else { return }
      writer.key("fields")
      writer.beginArray()
      for field in fields { Self.write(field, &writer, &defined) }
      writer.endArray()
      writer.endObject()
    }
  }

  /// Opens the definition of a named type; false when it was defined before and its name now stands for it.
  private static func begin(
    _ name: String, _ type: String, _ writer: inout JSONWriter, _ defined: inout Set<String>
  ) -> Bool {
    guard defined.insert(name).inserted else {
      writer.value(name)
      return false
    }
    writer.beginObject()
    writer.key("type")
    writer.value(type)
    writer.key("name")
    writer.value(name)
    return true
  }

  private static func write(_ field: AvroField, _ writer: inout JSONWriter, _ defined: inout Set<String>) {
    writer.beginObject()
    writer.key("name")
    writer.value(field.name)
    writer.key("type")
    field.schema.write(&writer, &defined)
    if case .union(let branches) = field.schema, branches.first == .null {
      writer.key("default")
      writer.null()
    }
    if let id = field.fieldID {
      writer.key("field-id")
      writer.value(Int64(id))
    }
    writer.endObject()
  }
}

/// Reads one schema text.
private struct AvroSchemaReader {
  /// Named types met so far, with the number of nodes each stands for and how deeply it is nested.
  private var named: [String: (schema: AvroSchema, nodes: Int, height: Int)] = [:]
  /// Names whose definition has begun: another definition under them is refused.
  private var begun: Set<String> = []
  private var nodes = 0

  private mutating func count(_ more: Int) throws(Fault) {
    nodes += more
    guard nodes <= AvroSchema.nodesMax else { throw Fault.corrupt("it has more than \(AvroSchema.nodesMax) nodes") }
  }

  mutating func schema(_ value: JSONValue, depth: Int) throws(Fault) -> AvroSchema {
    guard depth <= Limits.avroDepthMax else { throw Fault.corrupt("it is nested too deeply") }
    try count(1)
    if let name = value.text { return try reference(name.string, depth: depth) }
    if let array = value.array {
      var branches: [AvroSchema] = []
      for element in array {
        let branch = try schema(element, depth: depth + 1)
        if case .union = branch { throw Fault.corrupt("a union holds a union") }
        branches.append(branch)
      }
      guard !branches.isEmpty else { throw Fault.corrupt("a union has no branch") }
      return .union(branches)
    }
    guard let object = value.object, let type = object.value(of: "type") else {
      throw Fault.corrupt("a schema has no type")
    }
    guard let name = type.text else { return try schema(type, depth: depth + 1) }
    return try complex(name.string, object, depth: depth)
  }

  private mutating func reference(_ name: String, depth: Int) throws(Fault) -> AvroSchema {
    if let primitive = Self.primitive(name) { return primitive }
    guard let known = named[name] else { throw Fault.corrupt("the type \"\(name.prefix(100))\" is not defined") }
    guard depth + known.height <= Limits.avroDepthMax else { throw Fault.corrupt("it is nested too deeply") }
    try count(known.nodes)
    return known.schema
  }

  private static func primitive(_ name: String) -> AvroSchema? {
    switch name {
    case "null": .null
    case "boolean": .boolean
    case "int": .int
    case "long": .long
    case "float": .float
    case "double": .double
    case "bytes": .bytes
    case "string": .string
    default: nil
    }
  }

  private mutating func complex(_ type: String, _ object: JSONObject, depth: Int) throws(Fault) -> AvroSchema {
    if let primitive = Self.primitive(type) { return primitive }
    switch type {
    case "array":
      guard let items = object.value(of: "items") else { throw Fault.corrupt("an array has no items") }
      let isMap = object.value(of: "logicalType")?.text.map { $0 == "map" } ?? false
      return .array(
        items: try schema(items, depth: depth + 1), elementID: Self.id(object.value(of: "element-id")), isMap: isMap)
    case "map":
      guard let values = object.value(of: "values") else { throw Fault.corrupt("a map has no values") }
      return .map(values: try schema(values, depth: depth + 1))
    case "record", "fixed", "enum":
      return try definition(type, object, depth: depth)
    default: return try reference(type, depth: depth)
    }
  }

  private mutating func definition(_ type: String, _ object: JSONObject, depth: Int) throws(Fault) -> AvroSchema {
    guard let name = object.value(of: "name")?.text?.string, !name.isEmpty, Self.primitive(name) == nil else {
      throw Fault.corrupt("a named type has no name of its own")
    }
    guard begun.insert(name).inserted else { throw Fault.corrupt("the type \"\(name.prefix(100))\" is defined twice") }
    let before = nodes
    let made: AvroSchema
    switch type {
    case "record":
      guard let list = object.value(of: "fields")?.array else { throw Fault.corrupt("a record has no fields") }
      var fields: [AvroField] = []
      for element in list { fields.append(try field(element, depth: depth)) }
      made = .record(name: name, fields: fields)
    case "fixed":
      guard let size = object.value(of: "size")?.int64, size >= 0, size <= AvroSchema.fixedBytesMax else {
        throw Fault.corrupt("a fixed type has no size in range")
      }
      made = .fixed(name: name, size: Int(size))
    default:
      guard let list = object.value(of: "symbols")?.array else { throw Fault.corrupt("an enum has no symbols") }
      var symbols: [String] = []
      for element in list {
        guard let text = element.text else { throw Fault.corrupt("a symbol of an enum is no text") }
        try count(1)
        symbols.append(text.string)
      }
      made = .enumeration(name: name, symbols: symbols)
    }
    named[name] = (made, nodes - before + 1, made.height)
    return made
  }

  private mutating func field(_ value: JSONValue, depth: Int) throws(Fault) -> AvroField {
    guard let object = value.object, let name = object.value(of: "name")?.text, let type = object.value(of: "type")
    else { throw Fault.corrupt("a field has no name or no type") }
    return AvroField(
      name.string, try schema(type, depth: depth + 1), id: Self.id(object.value(of: "field-id")))
  }

  private static func id(_ value: JSONValue?) -> Int32? { value?.int64.flatMap { Int32(exactly: $0) } }
}
