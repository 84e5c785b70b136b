import Bedrock
import Columnar
import IcebergFormat
import Testing

@Suite("Iceberg metadata")
struct ManifestTests {
  static let sync = [UInt8](repeating: 0xAB, count: 16)
  static let schema = IcebergSchema(
    id: 3,
    fields: [
      IcebergField(id: 1, name: "id", isRequired: true, type: .long),
      IcebergField(id: 2, name: "na\"me", isRequired: false, type: .string),
      IcebergField(id: 16, name: "amount", isRequired: false, type: .decimal(precision: 20, scale: 2)),
      IcebergField(id: 17, name: "list", isRequired: false, type: .list(elementID: 1_017_001, element: .int, isRequired: false)),
      IcebergField(
        id: 18, name: "map", isRequired: false,
        type: .map(
          keyID: 1_018_001, key: .string, valueID: 1_018_002,
          value: .structure([IcebergField(id: 1_018_003, name: "x", isRequired: true, type: .fixed(4))]),
          isValueRequired: true)),
    ])

  static func file(_ index: Int) -> IcebergDataFile {
    var file = IcebergDataFile(path: "file:///d/part-\(index).parquet", rowCount: Int64(index) * 10, byteCount: 1_000)
    file.valueCounts = [2: 10, 1: 10]
    file.nullCounts = [1: 0, 2: 3]
    file.lowerBounds = [1: [1, 0, 0, 0, 0, 0, 0, 0]]
    file.upperBounds = [1: [9, 0, 0, 0, 0, 0, 0, 0], 2: Array("z".utf8)]
    file.splitOffsets = [4, 400]
    return file
  }

  @Test func manifestsRoundTrip() throws {
    let entries = (1...50).map { index in
      index % 2 == 0
        ? IcebergManifestEntry(status: .added, snapshotID: 5, sequence: nil, fileSequence: nil, file: Self.file(index))
        : IcebergManifestEntry(
          status: index % 3 == 0 ? .deleted : .existing, snapshotID: 4, sequence: 2, fileSequence: 1, file: Self.file(index))
    }
    let manifest = IcebergManifest(entries: entries)
    let bytes = try manifest.file(schema: Self.schema, codec: .deflate, sync: Self.sync)
    let file = try AvroFile(bytes)
    #expect(try IcebergManifest(file) == manifest)
    #expect(file.metadata["content"] == Array("data".utf8) && file.metadata["schema-id"] == Array("3".utf8))
    #expect(try bytes == manifest.file(schema: Self.schema, codec: .deflate, sync: Self.sync))

    let listed = IcebergManifestFile(
      path: "file:///d/m0.avro", byteCount: Int64(bytes.count), sequence: 7, addedSnapshotID: 5, entries: entries)
    #expect(listed.addedFiles == 25 && listed.deletedFiles == 8 && listed.existingFiles == 17 && listed.minSequence == 2)
    let list = IcebergManifestList(manifests: [listed, listed])
    let again = try IcebergManifestList(
      AvroFile(list.file(snapshotID: 5, parentID: nil, sequence: 7, codec: .null, sync: Self.sync)))
    #expect(again == list)
    // One is not taken for the other.
    #expect(fault { () throws(Fault) in _ = try IcebergManifestList(file) }?.kind == .corrupt)
  }

  @Test func metadataRoundTrips() throws {
    var metadata = IcebergTableMetadata(
      tableUUID: "0c0cb4a9-4f49-4d3c-9a52-111111111111", location: "file:///lake/shop/order", lastSequence: 2,
      lastUpdated: 1_764_000_000_000, lastColumnID: Self.schema.lastColumnID, schemas: [Self.schema], currentSchemaID: 3,
      sortOrders: [.unsorted, IcebergSortOrder(id: 1, fieldIDs: [1])], defaultSortOrderID: 1,
      properties: ["b": "2", "a": "quote \" and \\"], snapshots: [], snapshotLog: [], metadataLog: [])
    #expect(Self.schema.lastColumnID == 1_018_003)
    #expect(try IcebergTableMetadata(json: metadata.json) == metadata)
    for index in Int64(1)...2 {
      metadata.snapshots.append(
        IcebergSnapshot(
          id: 100 + index, parentID: index == 1 ? nil : 101, sequence: index, timestamp: 1_764_000_000_000 + index,
          manifestList: "file:///lake/l\(index).avro", summary: ["operation": "append", "total-records": "1"], schemaID: 3))
      metadata.snapshotLog.append(IcebergLogEntry(timestamp: 1_764_000_000_000 + index, item: 100 + index))
    }
    metadata.metadataLog = [IcebergLogEntry(timestamp: 1, item: "file:///lake/v0.metadata.json")]
    #expect(try IcebergTableMetadata(json: metadata.json) == metadata)
    let short = try IcebergTableMetadata(json: metadata.jsonOfReferencedSnapshots)
    #expect(short.snapshots.map(\.id) == [102] && short.currentSnapshot?.id == 102)
    // Every cut of the text is refused.
    let text = metadata.json
    for count in stride(from: 0, to: text.count, by: 37) {
      #expect(fault { () throws(Fault) in _ = try IcebergTableMetadata(json: Array(text[..<count])) }?.kind == .corrupt)
    }
  }

  @Test func boundsHaveTheirBytes() {
    func bytes(_ value: Scalar, _ type: IcebergType, _ side: IcebergBound.Side = .lower) -> [UInt8]? {
      IcebergBound.bytes(value, type, side)
    }
    #expect(bytes(.integer(-2), .int) == [0xFE, 0xFF, 0xFF, 0xFF])
    #expect(bytes(.integer(1 << 40), .int) == nil)
    #expect(bytes(.integer(258), .long) == [2, 1, 0, 0, 0, 0, 0, 0])
    #expect(bytes(.integer(-1), .timestamptz) == [UInt8](repeating: 0xFF, count: 8))
    #expect(bytes(.text("é"), .string) == [0xC3, 0xA9])
    #expect(bytes(.float(1), .double) == [0, 0, 0, 0, 0, 0, 0xF0, 0x3F])
    #expect(bytes(.float(1.5), .float) == [0, 0, 0xC0, 0x3F])
    #expect(bytes(.float(.nan), .double) == nil)
    // A bound of zero covers both zeros.
    #expect(bytes(.float(0), .double, .lower) == [0, 0, 0, 0, 0, 0, 0, 0x80])
    #expect(bytes(.float(-0.0), .double, .upper) == [0, 0, 0, 0, 0, 0, 0, 0])
    func decimal(_ coefficient: Int128, _ scale: Int, _ to: Int) -> [UInt8]? {
      Numeric(coefficient: coefficient, scale: scale).flatMap { bytes(.numeric($0), .decimal(precision: 20, scale: to)) }
    }
    #expect(decimal(127, 2, 2) == [0x7F])
    #expect(decimal(128, 2, 2) == [0x00, 0x80])
    #expect(decimal(-128, 2, 2) == [0x80])
    #expect(decimal(-129, 2, 2) == [0xFF, 0x7F])
    #expect(decimal(1, 0, 2) == [100])
    #expect(decimal(0, 0, 2) == [0])
    #expect(decimal(123, 3, 2) == nil)
  }
}
