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
  /// The folder as an absolute location (`file:///data/t`, `s3://bucket/t`), for logs that name files absolutely; nil
  /// where none is known.
  let location: String?
  /// Finds files outside of the table that its log may name; nil: none may be.
  let elsewhere: ExternalStore?

  init(
    name: String, folder: ObjectPath, store: any ObjectStore, footers: FooterCache, location: String? = nil,
    elsewhere: ExternalStore? = nil
  ) {
    self.name = name
    self.folder = folder
    self.store = store
    self.footers = footers
    self.location = location.map { Self.absolute($0) }
    self.elsewhere = elsewhere
  }

  /// The place of a path that `DeltaPath` checked. Throws 0A000 or 42501 for one that may not be opened.
  func path(_ path: String) throws(Fault) -> ObjectPath {
    guard DeltaPath.isAbsolute(path) else { return try folder.appending(path) }
    let path = Self.absolute(path)
    if let location, path.hasPrefix(location + "/") {
      return try folder.appending(try DeltaPath.checked(String(path.dropFirst(location.count + 1))))
    }
    guard let elsewhere else {
      throw Fault.unsupported("\"\(path.prefix(200))\", a file outside of the Delta table \(name) that its log names,")
    }
    return try elsewhere.path(path)
  }

  /// One form of a location: `file:///` before a path, `s3://` for the names that Hadoop has for it, no slash at the end.
  private static func absolute(_ location: String) -> String {
    var text = location
    for scheme in ["file://", "file:"] where text.hasPrefix(scheme + "/") {
      text = String(text.dropFirst(scheme.count))
      break
    }
    if text.hasPrefix("/") { text = "file://" + text }
    for scheme in ["s3a://", "s3n://"] where text.hasPrefix(scheme) { text = "s3://" + text.dropFirst(scheme.count) }
    while text.hasSuffix("/") { text.removeLast() }
    return text
  }
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
