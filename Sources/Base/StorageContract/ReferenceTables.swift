// Plain tables for reference data: made by CREATE TABLE, written by INSERT, UPDATE, DELETE and COPY.
//
//   open(definition) ── ReferenceTableVersion ── change() ── ReferenceTableChange ── append, remove ── finish()
//        ▲                     │                                                                          │
//        └── commit ───────────┴───────────────────────── a further version, not committed ◄─────────────┘
//
// A version never changes, whoever writes meanwhile; a change makes the next one of it. Versions that a transaction has
// made are its own until `commit`, which puts each table's newest in the place of the one it grew from.
//
// Invariants: rows of a version have addresses, which mean nothing in another version. A version that was not committed
// leaves nothing behind once it was discarded.

package import Bedrock
package import Columnar
package import EventSchema

/// A schema that CREATE SCHEMA made.
package struct ReferenceSchema: Hashable, Sendable {
  /// Of the id space of tables: what its oid follows from.
  package let id: TableID
  package let name: String
  package init(id: TableID, name: String) {
    self.id = id
    self.name = name
  }
}

/// A plain table as CREATE TABLE defined it.
package struct ReferenceTableDefinition: Hashable, Sendable {
  package let id: TableID
  package var schema: String
  package var name: String
  /// Field ids are never given twice within a table.
  package var columns: [TableColumn]
  /// The DEFAULT expression of each column as SQL text; nil: null.
  package var defaults: [String?]
  /// Seen by one session only, and gone with it.
  package let isTemporary: Bool
  /// The folder of its Delta table, relative to the store's root; empty for a temporary one.
  package let folder: String

  package init(
    id: TableID, schema: String, name: String, columns: [TableColumn], defaults: [String?], isTemporary: Bool = false,
    folder: String = ""
  ) {
    precondition(columns.count == defaults.count, "a default or nil for each column")
    self.id = id
    self.schema = schema
    self.name = name
    self.columns = columns
    self.defaults = defaults
    self.isTemporary = isTemporary
    self.folder = folder
  }

  /// The hidden column behind those of the definition: where a row lies within a version.
  package static let address = TableColumn(
    fieldID: -1, name: "_address", type: .int8, isNullable: false, isHidden: true)

  /// As a scan numbers them: the definition's, then the address.
  package var scanColumns: [TableColumn] { columns + [Self.address] }

  /// As the catalog lists it; it must be opened before it is scanned.
  package func description(estimatedRows: Int64, version: (any ReferenceTableVersion)? = nil) -> TableDescription {
    TableDescription(
      id: id, schema: schema, name: name, columns: scanColumns, estimatedRows: estimatedRows, external: version,
      reference: self)
  }
}

/// A plain table at one version. Immutable.
package protocol ReferenceTableVersion: AnyObject, ExternalTable {
  var definition: ReferenceTableDefinition { get }
  /// Begins the next version.
  func change() throws(Fault) -> any ReferenceTableChange
}

extension ReferenceTableVersion {
  package var columns: [TableColumn] { definition.scanColumns }
}

/// The next version of a table while it is made. One thread at a time. Dropped before `finish` it leaves nothing.
package protocol ReferenceTableChange: AnyObject {
  /// Adds rows: a chunk with exactly the columns of the definition, NOT NULL checked.
  func append(_ chunk: Chunk) throws(Fault)
  /// Takes rows away by their addresses in the version that the change began from; gives the places in `addresses` of
  /// those that were still there.
  func remove(_ addresses: Column) throws(Fault) -> [Int32]
  /// Takes all rows of that version away.
  func removeAll() throws(Fault)
  /// The version that the change made: not committed yet, seen by nobody else.
  func finish() throws(Fault) -> any ReferenceTableVersion
  func abandon()
}

/// A change of the list of tables and schemas.
package enum ReferenceCatalogChange: Sendable {
  case createSchema(ReferenceSchema)
  case dropSchema(String)
  case create(ReferenceTableDefinition)
  /// Another name, schema or columns under the same id.
  case alter(ReferenceTableDefinition)
  case drop(TableID)
}

/// Which schemas and tables there are.
package struct ReferenceContents: Sendable {
  package var schemas: [ReferenceSchema]
  package var tables: [(definition: ReferenceTableDefinition, rows: Int64)]
  package init(
    schemas: [ReferenceSchema] = [], tables: [(definition: ReferenceTableDefinition, rows: Int64)] = []
  ) {
    self.schemas = schemas
    self.tables = tables
  }
}

/// The plain tables there are. Durable: what `commit` did is there after a restart.
package protocol ReferenceTables: Sendable {
  /// As of now. No I/O.
  func contents() -> ReferenceContents
  /// An id for a table or schema, never given twice.
  func newID() throws(Fault) -> TableID
  /// Where the Delta table of a new table lies.
  func folder(schema: String, name: String) -> String
  /// A table that is not committed yet, without rows.
  func empty(_ definition: ReferenceTableDefinition) throws(Fault) -> any ReferenceTableVersion
  /// The newest version of a committed table. Blocks.
  func open(_ definition: ReferenceTableDefinition) throws(Fault) -> any ReferenceTableVersion
  /// Makes changes durable and visible: each table by itself in the order given, then the list of tables as a whole.
  ///
  /// Throws 40001 when somebody else changed what a version was made from, 42P07 or 42P06 when a name was taken, 42P01
  /// when a table was dropped. Tables before the one that threw stay committed.
  func commit(_ changes: [ReferenceCatalogChange], _ tables: [any ReferenceTableVersion]) throws(Fault)
  /// Drops what belongs to versions of `made` only: they were not committed, or others took their places.
  func discard(_ made: [any ReferenceTableVersion], keeping committed: [any ReferenceTableVersion])
}
