// Views that users make with SQL: their text, and where they are kept.

package import Bedrock
package import EventSchema

/// A view of CREATE VIEW. It is parsed and bound anew by every statement that names it.
package struct StoredView: Hashable, Sendable {
  /// Given by the directory; never given twice.
  package var id: TableID
  package var schema: String
  package var name: String
  /// The query, as it was written.
  package var query: String
  /// What names in the query mean: the search path of the statement that made it.
  package var searchPath: [String]
  package var columns: [TableColumn]

  package init(
    id: TableID = TableID(raw: 0), schema: String, name: String, query: String, searchPath: [String],
    columns: [TableColumn]
  ) {
    self.id = id
    self.schema = schema
    self.name = name
    self.query = query
    self.searchPath = searchPath
    self.columns = columns
  }

  /// As the catalog lists it.
  package var description: TableDescription {
    TableDescription(id: id, schema: schema, name: name, columns: columns, estimatedRows: 1_000, storedView: self)
  }
}

/// The views there are. Durable: what a call did is there after a restart.
package protocol StoredViewDirectory: Sendable {
  func storedViews() -> [StoredView]
  /// Adds a view under an id of its own, or puts it in the place of the one of its name, whose id it takes; false when
  /// the name is taken and `replaces` is not set.
  func create(_ view: StoredView, replaces: Bool) throws(Fault) -> Bool
  /// False when there is no such view.
  func dropView(schema: String, name: String) throws(Fault) -> Bool
}
