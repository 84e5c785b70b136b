// The foreign tables of a data folder: one small file, replaced whole with each change.
//
//   catalog/foreign_tables.json
//   {"format": 1, "nextID": 500002, "tables": [
//     {"id": 500001, "schema": "public", "name": "prices", "server": "delta", "options": [["location", "/data/prices"]],
//      "asOfMicros": 1795420800000000, "declaresColumns": false, "estimatedRows": 120,
//      "columns": [{"id": -1, "name": "day", "type": 1082, "modifier": -1, "nullable": true}, ...]}]}
//
// Types are PostgreSQL's oids and modifiers. `asOfMicros` is what the option as_of meant when the table was made.

package import Bedrock
import Columnar
import EventSchema
import JSONTape
package import ObjectStore
package import StorageContract
import Synchronization

package final class ExternalDirectory: ForeignTableDirectory {
  /// Ids of foreign tables begin here; event tables never come so far.
  package static let firstTable: UInt32 = 500_000
  private static let tablesMax: UInt32 = 100_000
  private static let bytesMax = 16 * 1_048_576
  private static let path = ObjectPath(literal: "catalog/foreign_tables.json")

  private struct State {
    var nextID = ExternalDirectory.firstTable
    var tables: [ForeignTableDefinition] = []
  }
  private let store: any ObjectStore
  private let state: Mutex<State>

  /// Reads the definitions below the root of `store`, which is the data folder. Throws XX001 for a file that it cannot read.
  package init(store: any ObjectStore) throws(Fault) {
    self.store = store
    var state = State()
    if let bytes = try store.get(Self.path, bytesMax: Self.bytesMax) {
      do throws(Fault) { state = try Self.decode(bytes) } catch {
        throw Fault.corrupt(
          "the definitions of foreign tables in \"\(Self.path)\" cannot be read", detail: "\(error.message).")
      }
    }
    self.state = Mutex(state)
  }

  package func foreignTables() -> [ForeignTableDefinition] { state.withLock { $0.tables } }

  package func create(_ definition: ForeignTableDefinition) throws(Fault) -> Bool {
    try state.withLock { (state) throws(Fault) in
      if state.tables.contains(where: { $0.schema == definition.schema && $0.name == definition.name }) { return false }
      guard state.nextID < Self.firstTable + Self.tablesMax else {
        throw Fault(.programLimitExceeded, "no more foreign tables can be made in this data folder")
      }
      var next = state
      var definition = definition
      definition.id = TableID(raw: next.nextID)
      next.nextID += 1
      next.tables.append(definition)
      try store.put(Self.path, Self.encode(next))
      state = next
      return true
    }
  }

  package func drop(schema: String, name: String) throws(Fault) -> Bool {
    try state.withLock { (state) throws(Fault) in
      var next = state
      next.tables.removeAll { $0.schema == schema && $0.name == name }
      if next.tables.count == state.tables.count { return false }
      try store.put(Self.path, Self.encode(next))
      state = next
      return true
    }
  }

  // MARK: Writing

  private static func encode(_ state: State) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.key("format")
    json.value(Int64(1))
    json.key("nextID")
    json.value(Int64(state.nextID))
    json.key("tables")
    json.beginArray()
    for table in state.tables { encode(table, &json) }
    json.endArray()
    json.endObject()
    return json.bytes
  }

  private static func encode(_ table: ForeignTableDefinition, _ json: inout JSONWriter) {
    func text(_ key: String, _ value: String, _ json: inout JSONWriter) {
      json.key(key)
      json.value(value)
    }
    func number(_ key: String, _ value: Int64, _ json: inout JSONWriter) {
      json.key(key)
      json.value(value)
    }
    json.beginObject()
    number("id", Int64(table.id.raw), &json)
    text("schema", table.schema, &json)
    text("name", table.name, &json)
    text("server", table.server.rawValue, &json)
    json.key("options")
    json.beginArray()
    for option in table.options {
      json.beginArray()
      json.value(option.name)
      json.value(option.value)
      json.endArray()
    }
    json.endArray()
    if case .asOf(let micros) = table.source.version { number("asOfMicros", micros, &json) }
    json.key("declaresColumns")
    json.value(table.declaresColumns)
    number("estimatedRows", table.estimatedRows, &json)
    json.key("columns")
    json.beginArray()
    for column in table.columns {
      json.beginObject()
      number("id", Int64(column.fieldID), &json)
      text("name", column.name, &json)
      number("type", Int64(column.type.oid), &json)
      number("modifier", Int64(column.type.typeModifier), &json)
      json.key("nullable")
      json.value(column.isNullable)
      json.endObject()
    }
    json.endArray()
    json.endObject()
  }

  // MARK: Reading

  private static func decode(_ bytes: [UInt8]) throws(Fault) -> State {
    var parser = JSONParser(bytesMax: bytesMax, depthMax: 8)
    return try parser.parse(bytes) { (value) throws(Fault) in
      guard let root = value.object, root.value(of: "format")?.int64 == 1,
        let next = root.value(of: "nextID")?.int64, let id = UInt32(exactly: next), let tables = root.value(of: "tables")?.array
      else { throw Fault.corrupt("it has not the form of version 1") }
      var state = State(nextID: max(id, firstTable), tables: [])
      for table in tables { state.tables.append(try definition(table)) }
      return state
    }
  }

  private static func definition(_ value: JSONValue) throws(Fault) -> ForeignTableDefinition {
    guard let object = value.object, let id = object.value(of: "id")?.int64.flatMap({ UInt32(exactly: $0) }),
      let schema = object.value(of: "schema")?.text?.string, let name = object.value(of: "name")?.text?.string,
      let server = object.value(of: "server")?.text.flatMap({ ForeignTableDefinition.Server(rawValue: $0.string) }),
      let declares = object.value(of: "declaresColumns")?.bool, let rows = object.value(of: "estimatedRows")?.int64,
      let listed = object.value(of: "options")?.array, let described = object.value(of: "columns")?.array
    else { throw Fault.corrupt("a table lacks a field") }
    var options: [ForeignOption] = []
    for item in listed {
      var pair = item.array
      guard let key = pair?.next()?.text?.string, let text = pair?.next()?.text?.string else {
        throw Fault.corrupt("table \"\(name)\" has an option that is not a pair")
      }
      options.append(ForeignOption(name: key, value: text))
    }
    var columns: [TableColumn] = []
    for column in described { columns.append(try self.column(column, of: name)) }
    let source = try source(server, options, asOfMicros: object.value(of: "asOfMicros")?.int64, name)
    return ForeignTableDefinition(
      id: TableID(raw: id), schema: schema, name: name, server: server, options: options, source: source,
      columns: columns, declaresColumns: declares, estimatedRows: rows)
  }

  private static func column(_ value: JSONValue, of table: String) throws(Fault) -> TableColumn {
    guard let object = value.object, let id = object.value(of: "id")?.int64.flatMap({ Int32(exactly: $0) }),
      let name = object.value(of: "name")?.text?.string,
      let oid = object.value(of: "type")?.int64.flatMap({ UInt32(exactly: $0) }),
      let modifier = object.value(of: "modifier")?.int64.flatMap({ Int32(exactly: $0) }),
      let type = DataType(oid: oid, typeModifier: modifier), let isNullable = object.value(of: "nullable")?.bool
    else { throw Fault.corrupt("table \"\(table)\" has a column that is not understood") }
    return TableColumn(fieldID: id, name: name, type: type, isNullable: isNullable)
  }

  /// What the options mean; they were checked when the table was made.
  private static func source(
    _ server: ForeignTableDefinition.Server, _ options: [ForeignOption], asOfMicros: Int64?, _ name: String
  ) throws(Fault) -> ExternalSource {
    let values = Dictionary(options.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    guard let location = values["location"] else { throw Fault.corrupt("table \"\(name)\" has no location") }
    func truth(_ key: String) -> Bool? {
      values[key].map { ["on", "true", "yes", "1", "t", "y"].contains($0.lowercased()) }
    }
    switch server {
    case .parquet:
      return ExternalSource(
        .parquet(locations: [location]), hasFileName: truth("filename") ?? false,
        hasHivePartitions: truth("hive_partitioning"))
    case .delta:
      var version = TableVersion.newest
      if let number = values["version"].flatMap({ Int64($0) }) { version = .number(number) }
      if let asOfMicros { version = .asOf(micros: asOfMicros) }
      return ExternalSource(.delta(location: location), version: version)
    }
  }
}
