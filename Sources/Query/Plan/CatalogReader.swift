// How the planner looks names up.

package import Bedrock
package import Columnar
package import StorageContract

/// Where the rows of a relation come from.
package enum RelationSource: Sendable {
  case table(TableDescription)
  /// The rows of an event table with one event name.
  case eventView(TableDescription, EventViewDescription)
  case virtual(any VirtualRelation)
}

package struct RelationColumn: Sendable {
  package let name: String
  package let type: DataType
  package let isNullable: Bool
  /// Hidden columns can be named but are not in `*`.
  package let isHidden: Bool
  /// Index into the columns of the source's table or virtual relation.
  package let sourceIndex: Int
  /// PostgreSQL's attnum, from 1; 0 for hidden ones.
  package let attributeNumber: Int16
  package init(
    name: String, type: DataType, isNullable: Bool, isHidden: Bool, sourceIndex: Int, attributeNumber: Int16
  ) {
    self.name = name
    self.type = type
    self.isNullable = isNullable
    self.isHidden = isHidden
    self.sourceIndex = sourceIndex
    self.attributeNumber = attributeNumber
  }
}

package struct Relation: Sendable {
  package let oid: UInt32
  package let schema: String
  package let name: String
  package let columns: [RelationColumn]
  package let source: RelationSource
  package let estimatedRows: Int64
  package init(
    oid: UInt32, schema: String, name: String, columns: [RelationColumn], source: RelationSource, estimatedRows: Int64
  ) {
    self.oid = oid
    self.schema = schema
    self.name = name
    self.columns = columns
    self.source = source
    self.estimatedRows = estimatedRows
  }
}

/// The catalog as one statement sees it.
package protocol CatalogReader: Sendable {
  /// The relation of that name in that schema, or in the first schema of `searchPath` that has it (pg_catalog is searched
  /// first unless the path names it).
  func relation(schema: String?, name: String, searchPath: [String]) -> Relation?
  func schemaExists(_ name: String) -> Bool
  /// As `relation`, ready to be scanned: foreign tables are opened, and names such as `order@v12` mean a version.
  func resolve(schema: String?, name: String, searchPath: [String]) throws(Fault) -> Relation?
  /// Opens what a function in FROM names; the same object for the same source within a statement.
  func open(_ source: ExternalSource) throws(Fault) -> any ExternalTable
}

extension CatalogReader {
  package func resolve(schema: String?, name: String, searchPath: [String]) throws(Fault) -> Relation? {
    relation(schema: schema, name: name, searchPath: searchPath)
  }

  package func open(_ source: ExternalSource) throws(Fault) -> any ExternalTable {
    throw Fault.unsupported("reading external tables here")
  }
}
