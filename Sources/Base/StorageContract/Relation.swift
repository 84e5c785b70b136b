// What storage offers to queries: tables and their columns.

package import EventSchema

/// A table, for as long as its data folder lives. 0 is no table.
package struct TableID: Hashable, Sendable, BitwiseCopyable {
  package let raw: UInt32
  package init(raw: UInt32) { self.raw = raw }
}

/// A table that can be scanned: event tables and the system tables of schema `cramped`.
package struct TableDescription: Sendable {
  package let id: TableID
  /// SQL schema and name: the domain and the entity, or `cramped` and the name.
  package let schema: String
  package let name: String
  /// All columns, hidden ones too. A scan names columns by index here.
  package let columns: [TableColumn]
  /// The views with just one event's columns; empty for system tables.
  package let views: [EventViewDescription]
  /// About how many rows, for join order.
  package let estimatedRows: Int64
  /// What is known of the values, once the statistics job has looked.
  package let statistics: TableStatistics?
  /// Set for a foreign table.
  package let foreign: ForeignTableDefinition?
  /// Where its rows come from when not from the snapshot of storage.
  package let external: (any ExternalTable)?
  /// Set for a view that SQL made.
  package let storedView: StoredView?
  /// Set for a plain table.
  package let reference: ReferenceTableDefinition?

  package init(
    id: TableID, schema: String, name: String, columns: [TableColumn], views: [EventViewDescription] = [],
    estimatedRows: Int64, statistics: TableStatistics? = nil, foreign: ForeignTableDefinition? = nil,
    external: (any ExternalTable)? = nil, storedView: StoredView? = nil, reference: ReferenceTableDefinition? = nil
  ) {
    self.storedView = storedView
    self.reference = reference
    self.foreign = foreign
    self.external = external
    self.id = id
    self.schema = schema
    self.name = name
    self.columns = columns
    self.views = views
    self.estimatedRows = estimatedRows
    self.statistics = statistics
  }
}

extension TableDescription {
  /// False for the relations of schema `cramped`, for foreign tables, for plain ones and for views that SQL made.
  package var isEventTable: Bool { foreign == nil && reference == nil && storedView == nil && schema != "cramped" }
}

/// `"user".identity_created`: the rows of one event name, with just its columns.
package struct EventViewDescription: Sendable {
  /// In the schema of the table.
  package let name: String
  /// The value of column `name` that the view keeps.
  package let eventName: String
  /// Indices into the table's columns.
  package let columns: [Int]
  package init(name: String, eventName: String, columns: [Int]) {
    self.name = name
    self.eventName = eventName
    self.columns = columns
  }
}
