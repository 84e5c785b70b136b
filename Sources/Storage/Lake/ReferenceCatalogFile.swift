// `catalog/tables.json` as a value; ReferenceDirectory.swift draws it.

import Bedrock
import Columnar
import EventSchema
import JSONTape
import StorageContract

struct ReferenceCatalogFile: Sendable {
  static let bytesMax = 64 * 1_048_576
  struct Dropped: Sendable {
    let folder: String
    let micros: Int64
  }
  var nextID: UInt32
  var schemas: [ReferenceSchema] = []
  var tables: [ReferenceTableDefinition] = []
  var dropped: [Dropped] = []

  init(nextID: UInt32) { self.nextID = nextID }

  // MARK: Changes

  /// Throws 42P07, 42P06, 3F000, 42P01 when what is there now does not allow a change.
  func applying(_ changes: [ReferenceCatalogChange], nowMicros: Int64) throws(Fault) -> ReferenceCatalogFile {
    var next = self
    for change in changes {
      switch change {
      case .createSchema(let schema):
        guard !next.schemas.contains(where: { $0.name == schema.name }) else {
          throw Fault(.duplicateSchema, "schema \"\(schema.name)\" already exists")
        }
        next.schemas.append(schema)
      case .dropSchema(let name):
        guard !next.tables.contains(where: { $0.schema == name }) else {
          throw Fault(
            .dependentObjectsStillExist, "cannot drop schema \(name) because other objects depend on it",
            hint: "Use DROP ... CASCADE to drop the dependent objects too.")
        }
        next.schemas.removeAll { $0.name == name }
      case .create(let definition):
        try next.checkFree(definition)
        next.tables.append(definition)
      case .alter(let definition):
        guard let index = next.tables.firstIndex(where: { $0.id == definition.id }) else { throw Self.gone(definition.name) }
        let before = next.tables.remove(at: index)
        if before.name != definition.name || before.schema != definition.schema { try next.checkFree(definition) }
        next.tables.insert(definition, at: index)
      case .drop(let id):
        guard let index = next.tables.firstIndex(where: { $0.id == id }) else { throw Self.gone("with the id \(id.raw)") }
        next.dropped.append(Dropped(folder: next.tables.remove(at: index).folder, micros: nowMicros))
      }
    }
    return next
  }

  private func checkFree(_ definition: ReferenceTableDefinition) throws(Fault) {
    guard !tables.contains(where: { $0.schema == definition.schema && $0.name == definition.name }) else {
      throw Fault(.duplicateTable, "relation \"\(definition.name)\" already exists")
    }
  }

  private static func gone(_ name: String) -> Fault {
    Fault(.undefinedTable, "table \"\(name)\" was dropped by another transaction")
  }

  // MARK: Writing

  func encoded() -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    Self.number("format", 1, &json)
    Self.number("nextID", Int64(nextID), &json)
    json.key("schemas")
    json.beginArray()
    for schema in schemas {
      json.beginObject()
      Self.number("id", Int64(schema.id.raw), &json)
      Self.text("name", schema.name, &json)
      json.endObject()
    }
    json.endArray()
    json.key("tables")
    json.beginArray()
    for table in tables { Self.encode(table, &json) }
    json.endArray()
    json.key("dropped")
    json.beginArray()
    for table in dropped {
      json.beginObject()
      Self.text("folder", table.folder, &json)
      Self.number("micros", table.micros, &json)
      json.endObject()
    }
    json.endArray()
    json.endObject()
    return json.bytes
  }

  private static func text(_ key: String, _ value: String, _ json: inout JSONWriter) {
    json.key(key)
    json.value(value)
  }

  private static func number(_ key: String, _ value: Int64, _ json: inout JSONWriter) {
    json.key(key)
    json.value(value)
  }

  private static func encode(_ table: ReferenceTableDefinition, _ json: inout JSONWriter) {
    json.beginObject()
    number("id", Int64(table.id.raw), &json)
    text("schema", table.schema, &json)
    text("name", table.name, &json)
    text("folder", table.folder, &json)
    json.key("columns")
    json.beginArray()
    for (column, fallback) in zip(table.columns, table.defaults) {
      json.beginObject()
      number("id", Int64(column.fieldID), &json)
      text("name", column.name, &json)
      number("type", Int64(column.type.oid), &json)
      number("modifier", Int64(column.type.typeModifier), &json)
      json.key("nullable")
      json.value(column.isNullable)
      if let fallback { text("default", fallback, &json) }
      json.endObject()
    }
    json.endArray()
    json.endObject()
  }

  // MARK: Reading

  init(_ bytes: [UInt8], firstID: UInt32) throws(Fault) {
    var parser = JSONParser(bytesMax: Self.bytesMax, depthMax: 8)
    self = try parser.parse(bytes) { (value) throws(Fault) in
      guard let root = value.object, root.value(of: "format")?.int64 == 1,
        let next = root.value(of: "nextID")?.int64.flatMap({ UInt32(exactly: $0) }),
        let schemas = root.value(of: "schemas")?.array, let tables = root.value(of: "tables")?.array,
        let dropped = root.value(of: "dropped")?.array
      else { throw Fault.corrupt("it has not the form of version 1") }
      var file = ReferenceCatalogFile(nextID: max(next, firstID))
      for item in schemas {
        guard let object = item.object, let id = object.value(of: "id")?.int64.flatMap({ UInt32(exactly: $0) }),
          let name = object.value(of: "name")?.text?.string
        else { throw Fault.corrupt("a schema lacks a field") }
        file.schemas.append(ReferenceSchema(id: TableID(raw: id), name: name))
      }
      for item in tables { file.tables.append(try Self.definition(item)) }
      for item in dropped {
        guard let object = item.object, let folder = object.value(of: "folder")?.text?.string,
          let micros = object.value(of: "micros")?.int64
        else { throw Fault.corrupt("a dropped table lacks a field") }
        file.dropped.append(Dropped(folder: folder, micros: micros))
      }
      return file
    }
  }

  private static func definition(_ value: JSONValue) throws(Fault) -> ReferenceTableDefinition {
    guard let object = value.object, let id = object.value(of: "id")?.int64.flatMap({ UInt32(exactly: $0) }),
      let schema = object.value(of: "schema")?.text?.string, let name = object.value(of: "name")?.text?.string,
      let folder = object.value(of: "folder")?.text?.string, let described = object.value(of: "columns")?.array
    else { throw Fault.corrupt("a table lacks a field") }
    var columns: [TableColumn] = []
    var defaults: [String?] = []
    for item in described {
      guard let column = item.object, let id = column.value(of: "id")?.int64.flatMap({ Int32(exactly: $0) }),
        let label = column.value(of: "name")?.text?.string,
        let oid = column.value(of: "type")?.int64.flatMap({ UInt32(exactly: $0) }),
        let modifier = column.value(of: "modifier")?.int64.flatMap({ Int32(exactly: $0) }),
        let type = DataType(oid: oid, typeModifier: modifier), let isNullable = column.value(of: "nullable")?.bool
      else { throw Fault.corrupt("table \"\(name)\" has a column that is not understood") }
      columns.append(TableColumn(fieldID: id, name: label, type: type, isNullable: isNullable))
      defaults.append(column.value(of: "default")?.text?.string)
    }
    return ReferenceTableDefinition(
      id: TableID(raw: id), schema: schema, name: name, columns: columns, defaults: defaults, folder: folder)
  }
}

extension SQLState {
  static let duplicateSchema = SQLState("42P06")
  static let dependentObjectsStillExist = SQLState("2BP01")
}
