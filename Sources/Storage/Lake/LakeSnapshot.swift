// The table at one version: its live files with what is known of their values.

package import Bedrock
import Columnar
package import DeltaFormat
package import EventSchema
import ObjectStore
import ParquetFormat
package import StorageContract

/// Immutable; kept alive by its reference.
package final class LakeSnapshot: Sendable {
  package let delta: DeltaSnapshot
  /// Every field has an id: one of its own, or a negative one where the table has none.
  package let schema: DeltaSchema?
  /// In the order of their paths.
  package let files: [LakeDataFile]
  let place: LakePlace
  /// What the table says of its nested columns, by field id: names and types inside of them.
  let shapes: [Int32: ParquetShape]
  private let byKey: [DeltaFileKey: LakeDataFile]
  /// Rows of all files that state their number, without the deleted ones.
  package let rowCount: Int64
  /// Bytes of all files.
  package let byteCount: Int64

  /// The state before the first commit.
  init(place: LakePlace) {
    self.place = place
    delta = DeltaSnapshot()
    schema = nil
    shapes = [:]
    files = []
    byKey = [:]
    rowCount = 0
    byteCount = 0
  }

  /// The state after `before`; what was parsed for it is kept.
  init(_ delta: DeltaSnapshot, after before: LakeSnapshot) throws(Fault) {
    self.delta = delta
    place = before.place
    let isSameSchema = delta.metadata == before.delta.metadata && delta.protocolVersion == before.delta.protocolVersion
    let schema = isSameSchema ? before.schema : try Self.schema(delta)
    let reader = LakeFileReader(delta: delta, schema: schema, place: before.place)
    var byKey: [DeltaFileKey: LakeDataFile] = [:]
    byKey.reserveCapacity(delta.files.count)
    var rows: Int64 = 0
    var bytes: Int64 = 0
    for (key, add) in delta.files {
      let file: LakeDataFile
      if isSameSchema, let known = before.byKey[key], known.add == add {
        file = known
      } else {
        file = try reader.file(add)
      }
      byKey[key] = file
      rows = rows &+ (file.rowCount ?? 0)
      bytes = bytes &+ add.size
    }
    self.schema = schema
    shapes = isSameSchema ? before.shapes : Self.shapes(schema, delta.columnMapping)
    self.byKey = byKey
    files = byKey.values.sorted { $0.path < $1.path }
    rowCount = rows
    byteCount = bytes
  }

  /// The schema with an id for each field: the mapping's, the one Cramped gave, or a negative one, which no file has.
  private static func schema(_ delta: DeltaSnapshot) throws(Fault) -> DeltaSchema? {
    guard var schema = try delta.metadata?.schema() else { return nil }
    let mapping = delta.columnMapping
    for index in schema.fields.indices {
      let field = schema.fields[index]
      var id = mapping == .id ? field.mappingID : field.fieldID
      if mapping == .id && id == nil {
        throw Fault.corrupt("column \"\(field.name)\" of a Delta table with column mapping has no id")
      }
      if id == nil { id = -1 - Int32(index) }
      schema.fields[index].metadata[DeltaField.idKey] = id.map { String($0) }
    }
    return schema
  }

  private static func shapes(_ schema: DeltaSchema?, _ mapping: DeltaColumnMapping) -> [Int32: ParquetShape] {
    var shapes: [Int32: ParquetShape] = [:]
    for field in schema?.fields ?? [] where field.type.isNested && !field.type.isScalarArray {
      if let id = field.fieldID { shapes[id] = field.type.shape(mapping) }
    }
    return shapes
  }

  /// The Delta version; -1 when there is no table yet.
  package var version: Int64 { delta.version }
  package var fileCount: Int { files.count }
  var footers: FooterCache { place.footers }

  /// The live file with this path and deletion vector.
  package func file(_ key: DeltaFileKey) -> LakeDataFile? { byKey[key] }

  /// How far an application has come: S of a shard as `Position.raw`. Nil when it has never committed.
  package func transactionVersion(appID: String) -> Int64? { delta.transactions[appID]?.version }

  /// The JSON text under a domain such as `cramped.tier`.
  package func domainMetadata(_ domain: String) -> String? { delta.domains[domain]?.configuration }

  // MARK: Columns

  /// The columns of the table as its own schema has them: what a foreign table is queried by.
  package var columns: [TableColumn] {
    (schema?.fields ?? []).map { field in
      TableColumn(
        fieldID: field.fieldID ?? 0, name: field.name, type: field.type.columnType, isNullable: field.isNullable)
    }
  }

  /// Names of the partition columns, in their order.
  package var partitionColumns: [String] { delta.metadata?.partitionColumns ?? [] }

  /// Plans a scan. `columns` are all columns of the table, as `request` counts them; those that a file lacks, because it
  /// is older than they are, are null.
  package func scan(_ request: ScanRequest, columns: [TableColumn]) throws(Fault) -> any TableScan {
    if partitionColumns.isEmpty && delta.columnMapping == .none {
      return try LakeScan(snapshot: self, request: request, columns: columns, files: files)
    }
    return try LakeMappedScan(snapshot: self, request: request, columns: columns)
  }
}

/// Makes data files of log entries under one schema.
struct LakeFileReader {
  private let schema: DeltaSchema?
  private let mapping: DeltaColumnMapping
  private let partitions: [DeltaField]
  private let place: LakePlace

  init(delta: DeltaSnapshot, schema: DeltaSchema?, place: LakePlace) {
    self.schema = schema
    self.place = place
    mapping = delta.columnMapping
    partitions = (delta.metadata?.partitionColumns ?? []).compactMap { schema?.field(named: $0) }
  }

  func file(_ add: DeltaAdd) throws(Fault) -> LakeDataFile {
    var statistics = DeltaStatistics()
    if let schema, let json = add.stats { statistics = try DeltaStatistics(json: json, schema, mapping) }
    var scalars: [Scalar] = []
    for field in partitions {
      let text = add.partitionValues[field.storedName(mapping)] ?? nil
      let value = try DeltaPartitionValue.scalar(text, field.type)
      scalars.append(value)
      let isNull = value.isNull
      statistics.columns[field.name] = DeltaColumnStatistics(
        min: isNull ? nil : value, max: isNull ? nil : value, nullCount: isNull ? statistics.numRecords : 0)
    }
    return LakeDataFile(
      add: add, path: try place.path(add.path), statistics: statistics, partitionScalars: scalars, place: place)
  }
}

extension DeltaType {
  /// How values of this type lie in data files.
  fileprivate func shape(_ mapping: DeltaColumnMapping) -> ParquetShape {
    switch self {
    case .structure(let fields):
      return .structure(
        fields.map { field in
          let key: ParquetShape.Member.Key
          // In mode `id` a member without an id is in no file; its name then finds nothing either.
          if mapping == .id, let id = field.mappingID { key = .fieldID(id) } else { key = .name(field.storedName(mapping)) }
          return ParquetShape.Member(key, name: field.name, field.type.shape(mapping))
        })
    case .array(let element, _): return .list(element.shape(mapping))
    case .map(let key, let value, _): return .map(key: key.shape(mapping), value: value.shape(mapping))
    default: return .leaf(dataType)
    }
  }
}
