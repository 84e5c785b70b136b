// Which tables there are and under which schema version events are written now.

package import Bedrock
package import EventSchema

package struct RegisteredTable: Sendable {
  package let id: TableID
  package let schema: TableSchema
  package init(id: TableID, schema: TableSchema) {
    self.id = id
    self.schema = schema
  }
}

package protocol TableDirectory: Sendable {
  /// Grows with every published schema, so that decoders know when to look again.
  var generation: UInt64 { get }
  /// Every event table under its newest schema version.
  func registeredTables() -> [RegisteredTable]
  /// Publishes the events of some tables: makes new tables, or new versions of known ones (TableSchema.merging). Durable
  /// when it returns. Returns the tables named by `events`, changed or not.
  func publish(_ events: [EventType]) throws(Fault) -> [RegisteredTable]
}
