// The reading side of the waist: a query takes a snapshot, asks for scans, and pulls chunks.
//
//   StorageReader.snapshot() ── StorageSnapshot.scan(ScanRequest) ── TableScan ── morsel ── ChunkReader.next() ── Chunk
//
// A snapshot is one consistent cut over all tables and both tiers: every committed event exactly once. All calls block
// and may be made from any worker thread, never from an event loop. A morsel is read by one thread; morsels of one scan
// may be read by several threads at once.

package import Bedrock
package import Columnar

package enum ComparisonOperator: String, Sendable, Hashable {
  case equal = "="
  case notEqual = "<>"
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
}

/// A condition on one column that storage may use to skip files, row groups, pages and chunks. Conditions of one request
/// are joined by AND. Storage need not remove every row that fails: the query filters again.
package struct ColumnPredicate: Sendable {
  package enum Test: Sendable {
    /// The scalar has the column's type and is not null.
    case compare(ComparisonOperator, Scalar)
    /// Any of these values, none null.
    case anyOf([Scalar])
    case isNull
    case isNotNull
  }
  /// Index into the table's columns.
  package let column: Int
  package let test: Test
  package init(column: Int, test: Test) {
    self.column = column
    self.test = test
  }
}

package struct ScanRequest: Sendable {
  package let table: TableID
  /// Indices into the table's columns; the chunks have exactly these columns, in this order. May be empty (count(*)).
  package let columns: [Int]
  package let predicates: [ColumnPredicate]
  /// Set when the rows are those of an opened external table; `columns` are indices into its columns then.
  package let external: (any ExternalTable)?
  package init(
    table: TableID, columns: [Int], predicates: [ColumnPredicate] = [], external: (any ExternalTable)? = nil
  ) {
    self.table = table
    self.columns = columns
    self.predicates = predicates
    self.external = external
  }

  /// The same table, other columns and conditions.
  package func replacing(columns: [Int], predicates: [ColumnPredicate]) -> ScanRequest {
    ScanRequest(table: table, columns: columns, predicates: predicates, external: external)
  }

  /// The scan, of the external table if there is one, else of the snapshot.
  package func open(in snapshot: any StorageSnapshot) throws(Fault) -> any TableScan {
    if let external { return try external.scan(self) }
    return try snapshot.scan(self)
  }
}

package protocol StorageReader: Sendable {
  /// The tables there are now.
  func tables() -> [TableDescription]
  /// A consistent cut over all tables. Kept alive by its reference; drop it as soon as the query ends.
  func snapshot() throws(Fault) -> any StorageSnapshot
}

package protocol StorageSnapshot: AnyObject, Sendable {
  func scan(_ request: ScanRequest) throws(Fault) -> any TableScan
}

/// A planned scan: what is left after pruning by metadata.
package protocol TableScan: Sendable {
  /// How many parts can be read independently; numbered from 0.
  var morselCount: Int { get }
  func open(morsel: Int) throws(Fault) -> any ChunkReader
  /// One entry a tier, for EXPLAIN.
  var tiers: [TierScanSummary] { get }
}

/// Reads one morsel. Used by one thread at a time.
package protocol ChunkReader: AnyObject {
  /// The next rows, at most `Limits.chunkRowsMax`, or `nil` at the end. Never an empty chunk.
  func next() throws(Fault) -> Chunk?
}

/// What a tier has for a scan and what its metadata let it skip.
package struct TierScanSummary: Sendable {
  /// `hot`, `lake`, `system`, `delta` or `parquet`.
  package var tier: String
  /// Such as `files`, `chunks`, `row groups`: label, how many there are, how many are read.
  package var units: [(label: String, total: Int, read: Int)]
  /// Rows and bytes at most to be read.
  package var rows: Int64
  package var bytes: Int64
  package init(tier: String, units: [(label: String, total: Int, read: Int)], rows: Int64, bytes: Int64) {
    self.tier = tier
    self.units = units
    self.rows = rows
    self.bytes = bytes
  }
}
