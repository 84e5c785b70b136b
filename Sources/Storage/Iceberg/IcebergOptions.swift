// What an operator decides about the Iceberg projection.

/// Plain values from the configuration.
package struct IcebergOptions: Sendable {
  /// Where the root of the store is for other programs: `file:///var/lib/cramped` or `s3://bucket/prefix`, without a
  /// slash at its end. Iceberg names files by full location.
  package var storeLocation: String
  /// How long a snapshot stays after it was replaced, in microseconds: no longer than Delta keeps removed files.
  package var historyMicros: Int64
  /// Snapshots in the metadata at most: every client reads them all.
  package var snapshotsMax: Int
  /// Metadata files of earlier versions that stay.
  package var metadataFilesMax: Int
  /// Versions of the Delta log that are replayed one by one when a table has no metadata yet; an older table begins with
  /// its newest version.
  package var replayVersionsMax: Int

  package init(
    storeLocation: String, historyMicros: Int64 = 7 * 86_400_000_000, snapshotsMax: Int = 500,
    metadataFilesMax: Int = 20, replayVersionsMax: Int = 500
  ) {
    precondition(!storeLocation.hasSuffix("/") && storeLocation.contains("://"), "a location without a slash at its end")
    precondition(historyMicros >= 0 && snapshotsMax >= 1 && metadataFilesMax >= 1 && replayVersionsMax >= 1)
    self.storeLocation = storeLocation
    self.historyMicros = historyMicros
    self.snapshotsMax = snapshotsMax
    self.metadataFilesMax = metadataFilesMax
    self.replayVersionsMax = replayVersionsMax
  }
}
