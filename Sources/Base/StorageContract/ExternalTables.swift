// Tables that are named by where they lie or by when they were, and not only by a table's name: Delta tables and Parquet
// files that others wrote, and earlier versions of our own lake tables.
//
//   ExternalTables.open(ExternalSource) ── ExternalTable: columns, estimated rows ── scan(ScanRequest) ── TableScan
//
// Opening reads metadata only (a log, footers) and fixes the version: an ExternalTable never changes, whoever writes to
// its place meanwhile. A plan carries it in `ScanRequest.external`; such a scan does not touch the storage snapshot.

package import Bedrock
package import EventSchema

/// Which state of a versioned table is meant.
package enum TableVersion: Hashable, Sendable {
  case newest
  /// A Delta version.
  case number(Int64)
  /// The newest version whose commit is not younger than this; µs since 1970.
  case asOf(micros: Int64)
  /// A version that `cramped.name_version` has named.
  case named(String)
}

/// What is to be opened.
package struct ExternalSource: Hashable, Sendable {
  package enum Place: Hashable, Sendable {
    /// A Delta table: the folder that has `_delta_log`.
    case delta(location: String)
    /// Parquet files; each location may be a glob.
    case parquet(locations: [String])
    /// The lake of an event table, without its hot rows.
    case lake(TableID)
  }
  package var place: Place
  package var version: TableVersion
  /// Adds a column `filename` with the file that each row comes from.
  package var hasFileName: Bool
  /// Whether `key=value` folders of Parquet files are columns; nil: when every file has the same keys.
  package var hasHivePartitions: Bool?

  package init(
    _ place: Place, version: TableVersion = .newest, hasFileName: Bool = false, hasHivePartitions: Bool? = nil
  ) {
    self.place = place
    self.version = version
    self.hasFileName = hasFileName
    self.hasHivePartitions = hasHivePartitions
  }
}

/// An opened source at one version. Immutable; kept alive by its reference.
package protocol ExternalTable: Sendable {
  /// In the order of `SELECT *`. A scan names columns by index here.
  var columns: [TableColumn] { get }
  /// About how many rows, for join order.
  var estimatedRows: Int64 { get }
  /// What EXPLAIN says of the place: `Delta table /data/x, version 3`.
  var label: String { get }
  /// As `StorageSnapshot.scan`; `request.table` is not looked at.
  func scan(_ request: ScanRequest) throws(Fault) -> any TableScan
}

package protocol ExternalTables: Sendable {
  /// Opens a source for one statement. Blocks.
  ///
  /// Faults: 58P01 when there is no such place or file, 42501 when it may not be read, 42809 when it is no table of that
  /// format, XX001 when it is damaged, 0A000 with the name of a feature that is not read, 72000 for a version that is
  /// not there.
  func open(_ source: ExternalSource) throws(Fault) -> any ExternalTable
}

/// A foreign table as CREATE FOREIGN TABLE defined it.
package struct ForeignTableDefinition: Hashable, Sendable {
  /// `delta` and `parquet`: the foreign servers there are.
  package enum Server: String, Sendable, Hashable, CaseIterable { case delta, parquet }

  /// Given by the directory; never given twice.
  package var id: TableID
  package var schema: String
  package var name: String
  package var server: Server
  /// In the order and spelling of the statement.
  package var options: [ForeignOption]
  package var source: ExternalSource
  /// The columns as they were declared, or, when none were, as they were found at the creation.
  package var columns: [TableColumn]
  /// False: the columns are those of the source at each use.
  package var declaresColumns: Bool
  package var estimatedRows: Int64

  package init(
    id: TableID = TableID(raw: 0), schema: String, name: String, server: Server, options: [ForeignOption],
    source: ExternalSource, columns: [TableColumn], declaresColumns: Bool, estimatedRows: Int64
  ) {
    self.id = id
    self.schema = schema
    self.name = name
    self.server = server
    self.options = options
    self.source = source
    self.columns = columns
    self.declaresColumns = declaresColumns
    self.estimatedRows = estimatedRows
  }
}

/// An option of a foreign table.
package struct ForeignOption: Hashable, Sendable {
  package let name: String
  package let value: String
  package init(name: String, value: String) {
    self.name = name
    self.value = value
  }
}

/// The foreign tables there are. Durable: what a call did is there after a restart.
package protocol ForeignTableDirectory: Sendable {
  func foreignTables() -> [ForeignTableDefinition]
  /// Adds a table under an id of its own; false when the name is taken by another foreign table.
  func create(_ definition: ForeignTableDefinition) throws(Fault) -> Bool
  /// False when there is no such table.
  func drop(schema: String, name: String) throws(Fault) -> Bool
}

extension ForeignTableDefinition {
  /// As the catalog lists it; it must be opened before it is scanned.
  package var description: TableDescription {
    TableDescription(
      id: id, schema: schema, name: name, columns: columns, estimatedRows: estimatedRows, foreign: self)
  }
}
