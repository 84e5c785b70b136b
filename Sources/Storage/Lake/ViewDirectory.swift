// The views of a data folder that SQL made: one small file, replaced whole with each change.
//
//   catalog/views.json
//   {"format": 1, "nextID": 600002, "views": [
//     {"id": 600001, "schema": "public", "name": "busy", "query": "SELECT ...", "searchPath": ["public"],
//      "columns": [{"id": -1, "name": "day", "type": 1082, "modifier": -1, "nullable": true}, ...]}]}
//
// Types are PostgreSQL's oids and modifiers.

package import Bedrock
import Columnar
import EventSchema
import JSONTape
package import ObjectStore
package import StorageContract
import Synchronization

package final class ViewDirectory: StoredViewDirectory {
  /// Ids of views begin here; those of foreign tables never come so far.
  package static let firstView: UInt32 = 600_000
  private static let viewsMax: UInt32 = 100_000
  private static let bytesMax = 16 * 1_048_576
  private static let path = ObjectPath(literal: "catalog/views.json")

  private struct State {
    var nextID = ViewDirectory.firstView
    var views: [StoredView] = []
  }
  private let store: any ObjectStore
  private let state: Mutex<State>

  /// Reads the views below the root of `store`, which is the data folder. Throws XX001 for a file that it cannot read.
  package init(store: any ObjectStore) throws(Fault) {
    self.store = store
    var state = State()
    if let bytes = try store.get(Self.path, bytesMax: Self.bytesMax) {
      do throws(Fault) { state = try Self.decode(bytes) } catch {
        throw Fault.corrupt("the views in \"\(Self.path)\" cannot be read", detail: "\(error.message).")
      }
    }
    self.state = Mutex(state)
  }

  package func storedViews() -> [StoredView] { state.withLock { $0.views } }

  package func create(_ view: StoredView, replaces: Bool) throws(Fault) -> Bool {
    try state.withLock { (state) throws(Fault) in
      var next = state
      var view = view
      if let place = next.views.firstIndex(where: { $0.schema == view.schema && $0.name == view.name }) {
        guard replaces else { return false }
        view.id = next.views[place].id
        next.views[place] = view
      } else {
        guard state.nextID < Self.firstView + Self.viewsMax else {
          throw Fault(.programLimitExceeded, "no more views can be made in this data folder")
        }
        view.id = TableID(raw: next.nextID)
        next.nextID += 1
        next.views.append(view)
      }
      try store.put(Self.path, Self.encode(next))
      state = next
      return true
    }
  }

  package func dropView(schema: String, name: String) throws(Fault) -> Bool {
    try state.withLock { (state) throws(Fault) in
      var next = state
      next.views.removeAll { $0.schema == schema && $0.name == name }
      if next.views.count == state.views.count { return false }
      try store.put(Self.path, Self.encode(next))
      state = next
      return true
    }
  }

  // MARK: The file

  private static func encode(_ state: State) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.key("format")
    json.value(Int64(1))
    json.key("nextID")
    json.value(Int64(state.nextID))
    json.key("views")
    json.beginArray()
    for view in state.views { encode(view, &json) }
    json.endArray()
    json.endObject()
    return json.bytes
  }

  private static func encode(_ view: StoredView, _ json: inout JSONWriter) {
    json.beginObject()
    json.key("id")
    json.value(Int64(view.id.raw))
    for (key, text) in [("schema", view.schema), ("name", view.name), ("query", view.query)] {
      json.key(key)
      json.value(text)
    }
    json.key("searchPath")
    json.beginArray()
    for schema in view.searchPath { json.value(schema) }
    json.endArray()
    json.key("columns")
    json.beginArray()
    for column in view.columns {
      json.beginObject()
      json.key("id")
      json.value(Int64(column.fieldID))
      json.key("name")
      json.value(column.name)
      json.key("type")
      json.value(Int64(column.type.oid))
      json.key("modifier")
      json.value(Int64(column.type.typeModifier))
      json.endObject()
    }
    json.endArray()
    json.endObject()
  }

  private static func decode(_ bytes: [UInt8]) throws(Fault) -> State {
    var parser = JSONParser(bytesMax: bytesMax, depthMax: 8)
    return try parser.parse(bytes) { (value) throws(Fault) in
      guard let root = value.object, root.value(of: "format")?.int64 == 1,
        let next = root.value(of: "nextID")?.int64, let id = UInt32(exactly: next), let views = root.value(of: "views")?.array
      else { throw Fault.corrupt("it has not the form of version 1") }
      var state = State(nextID: max(id, firstView), views: [])
      for view in views { state.views.append(try self.view(view)) }
      return state
    }
  }

  private static func view(_ value: JSONValue) throws(Fault) -> StoredView {
    guard let object = value.object, let id = object.value(of: "id")?.int64.flatMap({ UInt32(exactly: $0) }),
      let schema = object.value(of: "schema")?.text?.string, let name = object.value(of: "name")?.text?.string,
      let query = object.value(of: "query")?.text?.string, let path = object.value(of: "searchPath")?.array,
      let described = object.value(of: "columns")?.array
    else { throw Fault.corrupt("a view lacks a field") }
    var searchPath: [String] = []
    for item in path {
      guard let text = item.text?.string else { throw Fault.corrupt("view \"\(name)\" has a search path of no names") }
      searchPath.append(text)
    }
    var columns: [TableColumn] = []
    for item in described {
      guard let column = item.object, let field = column.value(of: "id")?.int64.flatMap({ Int32(exactly: $0) }),
        let title = column.value(of: "name")?.text?.string,
        let oid = column.value(of: "type")?.int64.flatMap({ UInt32(exactly: $0) }),
        let modifier = column.value(of: "modifier")?.int64.flatMap({ Int32(exactly: $0) }),
        let type = DataType(oid: oid, typeModifier: modifier)
      else { throw Fault.corrupt("view \"\(name)\" has a column that is not understood") }
      columns.append(TableColumn(fieldID: field, name: title, type: type, isNullable: true))
    }
    return StoredView(
      id: TableID(raw: id), schema: schema, name: name, query: query, searchPath: searchPath, columns: columns)
  }
}
