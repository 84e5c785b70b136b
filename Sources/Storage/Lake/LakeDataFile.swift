// A live data file of a table, with what its log entry says of it.

package import Bedrock
package import Columnar
package import DeltaFormat
package import ObjectStore
import Synchronization

/// Where a table lies and what reads it.
struct LakePlace: Sendable {
  /// `domain.entity`, or the location of a foreign table.
  let name: String
  let folder: ObjectPath
  let store: any ObjectStore
  let footers: FooterCache
  /// The folder as an absolute location, for logs that name files absolutely; nil where there is none.
  let location: String?

  func path(_ relative: String) throws(Fault) -> ObjectPath { try folder.appending(relative) }
}

/// Immutable, but for the deletion vector, which is read when it is first asked for.
package final class LakeDataFile: Sendable {
  package let add: DeltaAdd
  package let path: ObjectPath
  /// By the names of the schema; partition columns have their value as both bounds.
  package let statistics: DeltaStatistics
  /// The values of the table's partition columns, in their order, in the form of their types.
  package let partitionScalars: [Scalar]
  private let place: LakePlace
  private let loaded = Mutex<DeletedRows?>(nil)

  init(
    add: DeltaAdd, path: ObjectPath, statistics: DeltaStatistics, partitionScalars: [Scalar], place: LakePlace
  ) {
    self.add = add
    self.path = path
    self.statistics = statistics
    self.partitionScalars = partitionScalars
    self.place = place
  }

  /// Bytes of the file.
  package var size: Int64 { add.size }
  /// Rows that are not deleted; nil when the log does not say how many there are.
  package var rowCount: Int64? {
    statistics.numRecords.map { max(0, $0 - (add.deletionVector?.cardinality ?? 0)) }
  }
  /// Statistics as the log has them: JSON text.
  package var stats: String? { add.stats }
  /// By the names in the log (physical ones under column mapping); nil is NULL.
  package var partitionValues: [String: String?] { add.partitionValues }
  package var tags: [String: String?] { add.tags }
  package var deletionVector: DeltaDeletionVector? { add.deletionVector }
  /// False for a file that only rearranged rows.
  package var dataChange: Bool { add.dataChange }
  /// When it was written, in microseconds since 1970.
  package var modifiedMicros: Int64 { add.modificationTime.multipliedReportingOverflow(by: 1_000).partialValue }

  /// The rows of the file that are deleted; nil when none are. Reads the deletion vector at the first call.
  package func deletedRows() throws(Fault) -> DeletedRows? {
    guard let vector = add.deletionVector else { return nil }
    if let rows = loaded.withLock({ $0 }) { return rows }
    let rows = try LakeDeletionVectors.read(vector, place)
    loaded.withLock { $0 = rows }
    return rows
  }
}
