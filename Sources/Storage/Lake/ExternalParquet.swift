// Parquet files without a table around them, as one table: a lake snapshot made of a list of files.
//
//   columns       the union of the files' columns by name, in the order in which they first come up; a file that lacks
//                 one has nulls there; types that differ are widened (int4 and int8 give int8) or refused
//   key=value     folders of the path as columns, when all files have the same keys (Hive partitions)
//   filename      the file of each row, when it is asked for
//
// The last two are partition columns of the snapshot: one value a file, so conditions on them leave whole files out.

import Bedrock
import Columnar
import DeltaFormat
import EventSchema
import ObjectStore
import ParquetFormat
import StorageContract

/// Files, opened. What is known of them stays right as long as `fingerprint` is that of a new listing.
final class ExternalParquet: ExternalTable {
  static let fileNameColumn = "filename"
  /// Field ids of what the files have are below this one; partition columns have -1, -2 ...
  private static let firstFileColumnID: Int32 = -10_000

  let columns: [TableColumn]
  let estimatedRows: Int64
  let label: String
  let fingerprint: [ExternalFile]
  private let snapshot: LakeSnapshot

  /// - Parameters:
  ///   - files: not empty, all in `store`.
  ///   - prefix: what makes a path of the store a full name.
  init(
    _ files: [ExternalFile], source: ExternalSource, store: any ObjectStore, prefix: String, label: String,
    options: LakeOptions
  ) throws(Fault) {
    precondition(!files.isEmpty)
    let footers = FooterCache(store: store, options: options)
    var union = ColumnUnion()
    var rows: Int64 = 0
    for file in files {
      let footer = try Self.footer(file, footers, prefix)
      rows = rows &+ Int64(footer.rowCount)
      try union.add(footer, name: prefix + file.path.text)
    }
    var partitions = try HivePartitions(files, isWanted: source.hasHivePartitions)
    if source.hasFileName {
      if union.names.contains(Self.fileNameColumn) || partitions.fields.contains(where: { $0.name == Self.fileNameColumn }) {
        throw Fault(
          .invalidParameterValue, "the files have a column \"filename\" of their own",
          hint: "Leave the option filename out.")
      }
      partitions.add(Self.fileNameColumn, values: files.map { prefix + $0.path.text })
    }
    let partitionNames = partitions.fields.map(\.name)
    var columns: [TableColumn] = []
    for (index, column) in union.columns.enumerated() where !partitionNames.contains(column.name) {
      columns.append(
        TableColumn(
          fieldID: Self.firstFileColumnID - Int32(index), name: column.name, type: column.type,
          isNullable: column.isNullable || column.fileCount < files.count))
    }
    for (index, field) in partitions.fields.enumerated() {
      columns.append(
        TableColumn(fieldID: -1 - Int32(index), name: field.name, type: field.type.columnType, isNullable: true))
    }
    guard columns.count <= Limits.tableColumnsMax else {
      throw Fault(.programLimitExceeded, "the files have more than \(Limits.tableColumnsMax) columns together")
    }
    self.columns = columns
    self.label = label
    estimatedRows = rows
    fingerprint = files
    snapshot = try Self.snapshot(files, partitions, footers: footers, store: store, name: label)
  }

  func scan(_ request: ScanRequest) throws(Fault) -> any TableScan {
    ExternalScan(try snapshot.scan(request, columns: columns), tier: "parquet")
  }

  // MARK: Files

  private static func footer(
    _ file: ExternalFile, _ footers: FooterCache, _ prefix: String
  ) throws(Fault) -> ParquetFile {
    let name = prefix + file.path.text
    let magic: [UInt8]
    if file.size >= Int64(ParquetFooter.fileBytesMin) {
      let head = try Buffer(uninitializedByteCount: 4) { (raw) throws(Fault) in
        try footers.objectStore.read(file.path, at: 0, into: raw)
      }
      let bytes = head.bytes
      magic = (0..<4).map { bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
    } else {
      magic = []
    }
    guard magic == Array("PAR1".utf8) || magic == Array("PARE".utf8) else {
      throw Fault(
        .wrongObjectType, "\"\(name)\" is not a Parquet file",
        hint: "read_parquet and server parquet read files in the Apache Parquet format.")
    }
    do throws(Fault) { return try footers.footer(file.path, size: file.size) } catch {
      throw Fault(
        error.state, error.message, kind: error.kind, detail: error.detail ?? "File \"\(name)\".", hint: error.hint)
    }
  }

  /// The files as the one version of a table.
  private static func snapshot(
    _ files: [ExternalFile], _ partitions: HivePartitions, footers: FooterCache, store: any ObjectStore, name: String
  ) throws(Fault) -> LakeSnapshot {
    // All paths begin with the same folder, which the log's paths are relative to.
    let folder = files[0].path.parts[0]
    guard files.allSatisfy({ $0.path.parts.count > 1 && $0.path.parts[0] == folder }) else {
      throw Fault.unsupported("reading files of different top folders of a store as one table")
    }
    let place = LakePlace(
      name: name, folder: try ObjectPath(String(folder)), store: store, footers: footers)
    var actions: [DeltaAction] = [
      .protocolVersion(DeltaProtocol(minReaderVersion: 1, minWriterVersion: 2)),
      .metadata(
        DeltaMetadata(
          id: "external", schemaString: DeltaSchema(fields: partitions.fields).json,
          partitionColumns: partitions.fields.map(\.name))),
    ]
    for (index, file) in files.enumerated() {
      var values: [String: String?] = [:]
      for (field, texts) in zip(partitions.fields, partitions.values) { values[field.name] = .some(texts[index]) }
      actions.append(
        .add(
          DeltaAdd(
            path: String(file.path.text.dropFirst(folder.count + 1)), partitionValues: values, size: file.size,
            modificationTime: (file.modifiedMicros ?? 0) / 1_000)))
    }
    var delta = DeltaSnapshot()
    try delta.apply(version: 0, actions)
    return try LakeSnapshot(delta, after: LakeSnapshot(place: place))
  }
}

/// A scan under another name of its tier.
struct ExternalScan: TableScan {
  private let inner: any TableScan
  private let tier: String
  init(_ inner: any TableScan, tier: String) {
    self.inner = inner
    self.tier = tier
  }
  var morselCount: Int { inner.morselCount }
  func open(morsel: Int) throws(Fault) -> any ChunkReader { try inner.open(morsel: morsel) }
  var tiers: [TierScanSummary] {
    inner.tiers.map { summary in
      var summary = summary
      summary.tier = tier
      return summary
    }
  }
}

/// The columns of several files by name.
struct ColumnUnion {
  struct Column {
    let name: String
    var type: DataType
    var isNullable: Bool
    /// Of the first file that has it.
    let file: String
    var fileCount: Int
  }
  private(set) var columns: [Column] = []
  private var places: [String: Int] = [:]

  var names: Set<String> { Set(places.keys) }

  mutating func add(_ footer: ParquetFile, name file: String) throws(Fault) {
    var seen: Set<String> = []
    for field in footer.fields {
      guard seen.insert(field.name).inserted else {
        throw Fault.unsupported("file \"\(file)\" with two columns \"\(field.name)\"")
      }
      let isNullable = field.repetition != .required
      guard let place = places[field.name] else {
        places[field.name] = columns.count
        columns.append(Column(name: field.name, type: field.type, isNullable: isNullable, file: file, fileCount: 1))
        continue
      }
      guard let type = Self.widened(columns[place].type, field.type) else {
        throw Fault(
          .datatypeMismatch, "column \"\(field.name)\" has types that do not fit together in the files of the table",
          detail: "It is \(columns[place].type) in \"\(columns[place].file)\" and \(field.type) in \"\(file)\".",
          hint: "Read the files apart and cast.")
      }
      columns[place].type = type
      columns[place].isNullable = columns[place].isNullable || isNullable
      columns[place].fileCount += 1
    }
  }

  /// The type that files of both types can be read as.
  static func widened(_ a: DataType, _ b: DataType) -> DataType? {
    if a == b { return a }
    if case .numeric(let x?) = a, case .numeric(let y?) = b {
      let scale = max(x.scale, y.scale)
      let digits = max(x.precision - x.scale, y.precision - y.scale)
      return .numeric(DataType.NumericModifier(precision: digits + scale, scale: scale))
    }
    let order: [DataType] = [.int2, .int4, .int8]
    if let x = order.firstIndex(of: a), let y = order.firstIndex(of: b) { return order[max(x, y)] }
    switch (a, b) {
    case (.float4, .float8), (.float8, .float4), (.int2, .float8), (.int4, .float8), (.float8, .int2), (.float8, .int4):
      return .float8
    case (.text, .json), (.json, .text): return .text
    default: return nil
    }
  }
}
