import Bedrock
import Columnar
import EventSchema
import Foundation
import Iceberg
import IcebergFormat
import Lake
import Runtime
import TestKit
import Testing

@Suite("Iceberg metadata from the Delta log")
struct ProjectionTests {
  @Test("a table that does not exist has no metadata")
  func nothing() throws {
    let lake = try LakeUnderTest(TemporaryFolder("iceberg"))
    #expect(try lake.iceberg.follow() == nil)
    #expect(!lake.iceberg.isBehind && lake.iceberg.version == nil)
  }

  @Test("appends: a manifest for each, the old ones kept; schema, sort order, counts and bounds")
  func appends() throws {
    let lake = try LakeUnderTest(TemporaryFolder("iceberg"))
    try lake.flush(300)
    #expect(lake.iceberg.isBehind)
    let first = try #require(try lake.iceberg.follow())
    #expect(first.version == 0 && !lake.iceberg.isBehind)
    #expect(first.metadataLocation == "file://\(lake.metadataFolder)/v0.metadata.json")
    let schema = try #require(first.metadata.currentSchema)
    #expect(schema.fields.map(\.name).prefix(6) == ["sequence", "name", "published", "received", "metadata", "_cramped_pos"])
    #expect(schema.fields.map(\.id) == Fixture.lakeColumns(Fixture.schema).map(\.fieldID))
    #expect(first.metadata.sortOrders.last?.fieldIDs == [3] && first.metadata.defaultSortOrderID == 1)
    let one = try #require(first.metadata.currentSnapshot)
    #expect(one.parentID == nil && one.sequence == 1 && one.summary["operation"] == "append")
    #expect(one.summary["delta.version"] == "0" && one.summary["total-records"] == "300")

    try lake.flush(200)
    let second = try #require(try lake.iceberg.follow())
    let two = try #require(second.metadata.currentSnapshot)
    #expect(two.parentID == one.id && two.sequence == 2 && second.metadata.snapshots.count == 2)
    #expect(second.metadata.snapshotLog.map(\.item) == [one.id, two.id])
    #expect(two.summary["added-records"] == "200" && two.summary["total-records"] == "500")
    #expect(two.summary["total-data-files"] == "2" && two.summary["deleted-data-files"] == "0")
    #expect(second.metadata.metadataLog.map(\.item) == [first.metadataLocation])
    let before = try lake.manifests(first), after = try lake.manifests(second)
    #expect(after.count == 2 && after[0] == before[0] && after[1].addedSnapshotID == two.id)

    let entry = try #require(try lake.entries(after[0]).first)
    #expect(entry.status == .added && entry.sequence == nil && entry.file.rowCount == 300)
    let email = try #require(Fixture.schema.columns.first { $0.isPersonal }).fieldID
    #expect(entry.file.lowerBounds[email] == nil && entry.file.upperBounds[email] == nil)
    #expect(entry.file.lowerBounds[1] == IcebergBound.bytes(.integer(10), .long, .lower))
    #expect(entry.file.upperBounds[1] == IcebergBound.bytes(.integer(3_000), .long, .upper))
    #expect(entry.file.nullCounts[5] == 100 && entry.file.valueCounts[5] == 300)
    // No personal value in any file of the folder.
    for (name, data) in try lake.metadataFiles() { #expect(data.range(of: Data("person".utf8)) == nil, "\(name)") }
  }

  @Test("commits without files: a version, no snapshot; a new column: a new schema, and the old snapshots keep theirs")
  func metadataOnly() throws {
    let lake = try LakeUnderTest(TemporaryFolder("iceberg"))
    try lake.flush(10)
    try lake.flush(0)
    let empty = try #require(try lake.iceberg.follow())
    #expect(empty.version == 1 && empty.metadata.snapshots.count == 1 && empty.metadata.properties["delta.version"] == "1")
    try lake.flush(10, Fixture.nextSchema)
    let wider = try #require(try lake.iceberg.follow())
    #expect(wider.metadata.schemas.map(\.id) == [0, 1] && wider.metadata.currentSchemaID == 1)
    #expect(wider.metadata.lastColumnID == 40 && wider.metadata.snapshots.map(\.schemaID) == [0, 1])
  }

  @Test("compaction is a replace, a delete of rows an overwrite; removed files are marked and gone from what is live")
  func replacements() throws {
    let lake = try LakeUnderTest(TemporaryFolder("iceberg"))
    for _ in 0..<3 { try lake.flush(50) }
    let before = try #require(try lake.iceberg.follow())
    try lake.rewrite(dataChange: false)
    let compacted = try #require(try lake.iceberg.follow())
    let snapshot = try #require(compacted.metadata.currentSnapshot)
    #expect(snapshot.summary["operation"] == "replace" && snapshot.summary["deleted-data-files"] == "3")
    #expect(snapshot.summary["total-data-files"] == "1" && snapshot.summary["total-records"] == "150")
    let manifests = try lake.manifests(compacted)
    #expect(manifests.map(\.deletedFiles).reduce(0, +) == 3 && manifests.map(\.liveFiles).reduce(0, +) == 1)
    for manifest in manifests {
      for entry in try lake.entries(manifest) where entry.status == .deleted {
        #expect(entry.snapshotID == snapshot.id && entry.sequence != nil && entry.fileSequence == entry.sequence)
      }
    }
    // The manifests of the snapshot before are still there: it is read as it was.
    #expect(try lake.manifests(before).count == 3)
    for manifest in try lake.manifests(before) { #expect(try lake.entries(manifest).count == 1) }

    try lake.rewrite(dataChange: true) { $0[0].integer.map { $0 % 20 == 0 } ?? false }
    let deleted = try #require(try lake.iceberg.follow())
    #expect(deleted.metadata.currentSnapshot?.summary["operation"] == "overwrite")
    #expect(deleted.metadata.currentSnapshot?.summary["total-records"] == "75")
    // Manifests with nothing live are left out by the next snapshot.
    #expect(try lake.manifests(deleted).allSatisfy { $0.addedSnapshotID == deleted.metadata.currentSnapshot?.id })
    try lake.rewrite(dataChange: true) { _ in false }
    let emptied = try #require(try lake.iceberg.follow())
    #expect(emptied.metadata.currentSnapshot?.summary["operation"] == "delete")
    #expect(emptied.metadata.currentSnapshot?.summary["total-records"] == "0")
    #expect(emptied.metadata.currentSnapshot?.summary["total-files-size"] == "0")
  }

  @Test("the same versions give the same bytes: step by step, at once, and after a crash at any file", arguments: 1...2)
  func determinism(_ seed: UInt64) throws {
    let lake = try LakeUnderTest(TemporaryFolder("iceberg"))
    var random = SeededGenerator(seed: seed)
    try lake.flush(3)
    for _ in 0..<36 {
      switch Int.random(in: 0..<12, using: &random) {
      case 0: try lake.rewrite(Fixture.nextSchema, dataChange: false)
      case 1: try lake.rewrite(Fixture.nextSchema, dataChange: true) { $0[0].integer.map { $0 % 70 != 0 } ?? true }
      case 2: try lake.flush(0, Fixture.nextSchema)
      default: try lake.flush(Int64.random(in: 1...9, using: &random), Fixture.nextSchema)
      }
      _ = try lake.iceberg.follow()
    }
    let stepped = try lake.metadataFiles()
    let newest = try #require(try lake.iceberg.follow())

    try FileManager.default.removeItem(atPath: lake.path + "/_iceberg")
    try lake.reopenIceberg()
    let atOnce = try #require(try lake.iceberg.follow())
    #expect(atOnce.metadata == newest.metadata)
    let rebuilt = try lake.metadataFiles()
    #expect(Set(rebuilt.keys).isSubset(of: stepped.keys))
    for (name, data) in rebuilt { #expect(stepped[name] == data, "\(name)") }

    // What a crash leaves: any part of what the last versions wrote, and an older hint.
    for _ in 0..<6 {
      let back = Int64.random(in: 1...10, using: &random)
      let hint = newest.version - back
      for name in rebuilt.keys where Bool.random(using: &random) {
        let number = name.hasPrefix("v") ? name.dropFirst().prefix { $0.isNumber }
          : name.hasPrefix("snap-") ? name.dropFirst(5).prefix { $0.isNumber } : name.prefix { $0.isNumber }
        if let version = Int64(number), version > hint {
          try FileManager.default.removeItem(atPath: "\(lake.metadataFolder)/\(name)")
        }
      }
      try Data("\(hint)".utf8).write(to: URL(fileURLWithPath: "\(lake.metadataFolder)/version-hint.text"))
      try lake.reopenIceberg()
      #expect(try lake.iceberg.follow()?.metadata == newest.metadata)
      let after = try lake.metadataFiles()
      for (name, data) in rebuilt { #expect(after[name] == data, "\(name) after going back to \(hint)") }
    }
  }

  @Test("what does not read is made anew: broken metadata, broken hint, another location")
  func remade() throws {
    let lake = try LakeUnderTest(TemporaryFolder("iceberg"))
    for _ in 0..<3 { try lake.flush(5) }
    let good = try #require(try lake.iceberg.follow())
    for (name, text) in [("v2.metadata.json", "{"), ("version-hint.text", "seven"), ("version-hint.text", "99")] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(lake.metadataFolder)/\(name)"))
      try lake.reopenIceberg()
      #expect(try lake.iceberg.follow()?.metadata == good.metadata)
    }
    var moved = lake.options
    moved.storeLocation = "s3://bucket/prefix"
    let elsewhere = try LakeUnderTest.open(lake.lake, moved)
    let version = try #require(try elsewhere.follow())
    #expect(version.metadata.location == "s3://bucket/prefix/lake/iot/measurement")
    #expect(version.metadata.snapshots.allSatisfy { $0.manifestList.hasPrefix("s3://bucket/prefix/lake/iot/") })
    #expect(version.metadata.snapshots.count == 3)
  }

  @Test("many small commits: few manifests, and all rows in them")
  func tiers() throws {
    let lake = try LakeUnderTest(TemporaryFolder("iceberg")) { $0.snapshotsMax = 40 }
    for _ in 0..<130 {
      try lake.flush(2)
      _ = try lake.iceberg.follow()
    }
    let version = try #require(try lake.iceberg.follow())
    let manifests = try lake.manifests(version)
    #expect(manifests.count <= 64)
    var paths: Set<String> = []
    for manifest in manifests {
      for entry in try lake.entries(manifest) {
        #expect(paths.insert(entry.file.path).inserted, "a live file stands in one manifest")
      }
    }
    #expect(paths.count == 130)
    #expect(version.metadata.currentSnapshot?.summary["total-records"] == "260")
    // History and folder are bounded, and every kept snapshot can be read.
    #expect(version.metadata.snapshots.count == 40)
    for snapshot in version.metadata.snapshots {
      for manifest in try lake.manifests(snapshot) { #expect(try !lake.entries(manifest).isEmpty) }
    }
    let names = try lake.metadataFiles().keys
    #expect(names.filter { $0.hasSuffix(".metadata.json") }.count <= 20 + 16)
    #expect(names.filter { $0.hasPrefix("snap-") }.count <= 40 + 16)
  }

  @Test("snapshots past the horizon go, in time of the log and by the clock; their manifests go with them")
  func expiry() throws {
    let lake = try LakeUnderTest(TemporaryFolder("iceberg")) { $0.historyMicros = 60_000_000 }
    try lake.flush(5)
    try lake.flush(5)
    try lake.rewrite(dataChange: false)
    let before = try #require(try lake.iceberg.follow())
    #expect(before.metadata.snapshots.count == 3)
    #expect(try !lake.iceberg.expire(beforeMicros: lake.nowMicros - 60_000_000))
    lake.advance(micros: 120_000_000)
    try lake.flush(5)
    let after = try #require(try lake.iceberg.follow())
    // The compacted state was current until a moment ago.
    #expect(after.metadata.snapshots.map(\.sequence) == [3, 4])
    #expect(after.metadata.snapshotLog.count == 2)
    let names = try lake.metadataFiles().keys
    #expect(!names.contains { $0.hasPrefix("snap-0-") || $0.hasPrefix("0-m") || $0.hasPrefix("1-m") })
    #expect(names.contains { $0.hasPrefix("2-m") })

    #expect(try lake.iceberg.expire(beforeMicros: .max / 2))
    let last = try #require(try lake.iceberg.follow())
    #expect(last.metadata.snapshots.map(\.sequence) == [4])
    try lake.reopenIceberg()
    #expect(try lake.iceberg.follow()?.metadata == last.metadata)
    try lake.flush(5)
    #expect(try lake.iceberg.follow()?.metadata.snapshots.count == 2)
  }

  @Test("a log that was cleaned: one step over the gap, and a table that begins late")
  func gaps() throws {
    let lake = try LakeUnderTest(TemporaryFolder("iceberg"))
    for _ in 0..<4 { try lake.flush(10) }
    let start = try #require(try lake.iceberg.follow())
    try lake.rewrite(dataChange: false)
    try lake.flush(10)
    for version in 0...5 {
      try FileManager.default.removeItem(atPath: "\(lake.path)/_delta_log/0000000000000000000\(version).json")
    }
    let after = try #require(try lake.iceberg.follow())
    #expect(after.version == 5 && after.metadata.snapshots.count == start.metadata.snapshots.count + 1)
    let summary = try #require(after.metadata.currentSnapshot).summary
    #expect(summary["total-records"] == "50" && summary["total-data-files"] == "2")
    #expect(summary["deleted-data-files"] == "4" && summary["operation"] == "overwrite")

    try FileManager.default.removeItem(atPath: lake.path + "/_iceberg")
    try lake.reopenIceberg()
    let late = try #require(try lake.iceberg.follow())
    #expect(late.metadata.snapshots.count == 1 && late.metadata.currentSnapshot?.summary["total-records"] == "50")
  }
}
