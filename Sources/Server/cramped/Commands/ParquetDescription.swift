import Bedrock
import Columnar
import Functions
import JSONTape
import ParquetFormat

/// What `cramped parquet` prints, as aligned text or as JSON.
struct ParquetDescription {
  let source: ParquetFileSource
  let file: ParquetFile

  /// A text as JSON.
  static func quoted(_ text: String) -> String {
    var writer = JSONWriter()
    writer.value(text)
    return writer.text
  }

  // MARK: Words

  private static func physical(_ leaf: ParquetLeaf) -> String {
    switch leaf.physical {
    case .boolean: "BOOLEAN"
    case .int32: "INT32"
    case .int64: "INT64"
    case .int96: "INT96"
    case .float: "FLOAT"
    case .double: "DOUBLE"
    case .byteArray: "BYTE_ARRAY"
    case .fixedLenByteArray: "FIXED_LEN_BYTE_ARRAY(\(leaf.typeLength))"
    }
  }

  private static func logical(_ logical: ParquetLogicalType) -> String {
    func unit(_ unit: ParquetLogicalType.Unit) -> String {
      switch unit {
      case .millis: "MILLIS"
      case .micros: "MICROS"
      case .nanos: "NANOS"
      }
    }
    switch logical {
    case .none: return ""
    case .string: return "STRING"
    case .json: return "JSON"
    case .bson: return "BSON"
    case .enumeration: return "ENUM"
    case .uuid: return "UUID"
    case .decimal(let precision, let scale): return "DECIMAL(\(precision), \(scale))"
    case .date: return "DATE"
    case .time(let of): return "TIME(\(unit(of)))"
    case .timestamp(let of, let utc): return "TIMESTAMP(\(unit(of)), \(utc ? "UTC" : "local"))"
    case .integer(let bits, let signed): return "INT(\(bits), \(signed ? "signed" : "unsigned"))"
    case .float16: return "FLOAT16"
    case .interval: return "INTERVAL"
    case .geometry: return "GEOMETRY"
    case .geography: return "GEOGRAPHY"
    case .unknown: return "UNKNOWN"
    case .other(let name): return name
    }
  }

  private static func annotation(_ group: ParquetField.Group) -> String {
    switch group {
    case .structure: ""
    case .list: "LIST"
    case .map: "MAP"
    case .variant: "VARIANT"
    }
  }

  private static func codec(_ chunk: ParquetColumnChunk) -> String {
    if chunk.isEncrypted { return "encrypted" }
    let names = ["UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW"]
    let number = Int(chunk.codecNumber)
    return names.indices.contains(number) ? names[number] : "codec \(number)"
  }

  private static func encoding(_ number: Int32) -> String {
    switch ParquetEncoding(rawValue: number) {
    case .plain: "PLAIN"
    case .plainDictionary: "PLAIN_DICTIONARY"
    case .rle: "RLE"
    case .bitPacked: "BIT_PACKED"
    case .deltaBinaryPacked: "DELTA_BINARY_PACKED"
    case .deltaLengthByteArray: "DELTA_LENGTH_BYTE_ARRAY"
    case .deltaByteArray: "DELTA_BYTE_ARRAY"
    case .rleDictionary: "RLE_DICTIONARY"
    case .byteStreamSplit: "BYTE_STREAM_SPLIT"
    case nil: "encoding \(number)"
    }
  }

  private static func indexes(_ chunk: ParquetColumnChunk) -> [String] {
    var names: [String] = []
    if chunk.dictionaryPageOffset != nil { names.append("dictionary") }
    if chunk.columnIndexRange != nil { names.append("column index") }
    if chunk.offsetIndexRange != nil { names.append("offset index") }
    if chunk.bloomFilter != nil { names.append("bloom filter") }
    if chunk.sizes != nil { names.append("sizes") }
    return names
  }

  /// Least and greatest value as JSON; `nil` where the file does not tell, or the type has no order here.
  private func bounds(_ leaf: ParquetLeaf, _ chunk: ParquetColumnChunk) -> (min: String?, max: String?) {
    guard let statistics = chunk.statistics else { return (nil, nil) }
    let type = ColumnChunkDecoder.naturalType(of: leaf)
    let (min, max) = leaf.bounds(statistics)
    // A bound that can not be shown is no reason to show nothing of the file.
    func shown(_ scalar: Scalar?) -> String? { scalar.flatMap { try? ParquetJSON.text($0, type: type) } }
    return (shown(min), shown(max))
  }

  // MARK: Text

  func text(rows: [[String]]) -> String {
    var lines = [
      "file        \(source.path)  \(source.byteCount) bytes",
      "rows        \(file.rowCount) in \(file.rowGroups.count) row group\(file.rowGroups.count == 1 ? "" : "s")",
    ]
    if let createdBy = file.createdBy { lines.append("created by  \(createdBy)") }
    for (key, value) in file.keyValues { lines.append("key value   \(key) (\(value.utf8.count) bytes)") }
    lines += ["", "schema"]
    for field in file.fields { append(field, depth: 1, to: &lines) }
    for (number, group) in file.rowGroups.enumerated() {
      lines += ["", "row group \(number): \(group.rowCount) rows"]
      lines += Self.aligned(chunkTable(group), indent: "  ")
    }
    if !rows.isEmpty {
      lines += ["", "rows"]
      var table = [file.fields.map(\.name)]
      for row in 0..<(rows.map(\.count).max() ?? 0) {
        table.append(rows.map { column in row < column.count ? Self.cell(column[row]) : "" })
      }
      lines += Self.aligned(table, indent: "  ")
    }
    return lines.joined(separator: "\n")
  }

  private func append(_ field: ParquetField, depth: Int, to lines: inout [String]) {
    var line = String(repeating: "  ", count: depth) + "\(field.name): \(field.repetition)"
    if let index = field.leaves.first, field.isLeaf {
      let leaf = file.leaves[index]
      line += " \(Self.physical(leaf))"
      let logical = Self.logical(leaf.logical)
      if !logical.isEmpty { line += " \(logical)" }
    } else {
      line += " group"
      let annotation = Self.annotation(field.group ?? .structure)
      if !annotation.isEmpty { line += " \(annotation)" }
    }
    if let id = field.fieldID { line += " = \(id)" }
    if depth == 1 { line += "  ->  \(TypeNames.sqlName(field.type))" }
    lines.append(line)
    for child in field.children { append(child, depth: depth + 1, to: &lines) }
  }

  private func chunkTable(_ group: ParquetRowGroup) -> [[String]] {
    var table = [["column", "codec", "encodings", "values", "nulls", "bytes", "unpacked", "min", "max", "has"]]
    for (leaf, chunk) in zip(file.leaves, group.columns) {
      let (min, max) = bounds(leaf, chunk)
      table.append([
        leaf.path.joined(separator: "."), Self.codec(chunk), chunk.encodings.map(Self.encoding).joined(separator: ","),
        "\(chunk.valueCount)", chunk.statistics?.nullCount.map { "\($0)" } ?? "-", "\(chunk.byteRange.count)",
        "\(chunk.uncompressedByteCount)", min.map(Self.cell) ?? "-", max.map(Self.cell) ?? "-",
        Self.indexes(chunk).joined(separator: ","),
      ])
    }
    return table
  }

  /// At most 40 characters; longer ones end in three points.
  private static func cell(_ text: String) -> String {
    text.count <= 40 ? text : String(text.prefix(37)) + "..."
  }

  private static func aligned(_ table: [[String]], indent: String) -> [String] {
    guard let first = table.first else { return [] }
    let widths = first.indices.map { column in table.map { $0[column].count }.max() ?? 0 }
    return table.map { row in
      var line = indent
      for (column, cell) in row.enumerated() {
        line += cell
        if column + 1 < row.count { line += String(repeating: " ", count: widths[column] - cell.count + 2) }
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  // MARK: JSON

  func json(rows: [[String]]) -> String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("file")
    writer.value(source.path)
    writer.key("bytes")
    writer.value(Int64(source.byteCount))
    writer.key("rows")
    writer.value(Int64(file.rowCount))
    writer.key("created_by")
    if let createdBy = file.createdBy { writer.value(createdBy) } else { writer.null() }
    writer.key("key_values")
    writer.beginObject()
    for (key, value) in file.keyValues {
      writer.key(key)
      writer.value(value)
    }
    writer.endObject()
    writer.key("schema")
    writer.beginArray()
    for field in file.fields { write(field, to: &writer) }
    writer.endArray()
    writer.key("row_groups")
    writer.beginArray()
    for group in file.rowGroups { write(group, to: &writer) }
    writer.endArray()
    if !rows.isEmpty { write(rows, to: &writer) }
    writer.endObject()
    return writer.text
  }

  private func write(_ field: ParquetField, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("name")
    writer.value(field.name)
    writer.key("repetition")
    writer.value("\(field.repetition)")
    if let id = field.fieldID {
      writer.key("field_id")
      writer.value(Int64(id))
    }
    writer.key("sql_type")
    writer.value(TypeNames.sqlName(field.type))
    if let index = field.leaves.first, field.isLeaf {
      writer.key("physical")
      writer.value(Self.physical(file.leaves[index]))
      writer.key("logical")
      writer.value(Self.logical(file.leaves[index].logical))
    } else {
      writer.key("logical")
      writer.value(Self.annotation(field.group ?? .structure))
      writer.key("children")
      writer.beginArray()
      for child in field.children { write(child, to: &writer) }
      writer.endArray()
    }
    writer.endObject()
  }

  private func write(_ group: ParquetRowGroup, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("rows")
    writer.value(Int64(group.rowCount))
    writer.key("columns")
    writer.beginArray()
    for (leaf, chunk) in zip(file.leaves, group.columns) { write(leaf, chunk, to: &writer) }
    writer.endArray()
    writer.endObject()
  }

  private func write(_ leaf: ParquetLeaf, _ chunk: ParquetColumnChunk, to writer: inout JSONWriter) {
    let (min, max) = bounds(leaf, chunk)
    writer.beginObject()
    writer.key("column")
    writer.value(leaf.path.joined(separator: "."))
    writer.key("codec")
    writer.value(Self.codec(chunk))
    writer.key("encodings")
    writer.beginArray()
    for number in chunk.encodings { writer.value(Self.encoding(number)) }
    writer.endArray()
    writer.key("values")
    writer.value(Int64(chunk.valueCount))
    for (name, count) in [
      ("nulls", chunk.statistics?.nullCount), ("distinct", chunk.statistics?.distinctCount),
      ("bytes", chunk.byteRange.count), ("uncompressed_bytes", chunk.uncompressedByteCount),
      ("unencoded_bytes", chunk.sizes?.unencodedByteCount), ("offset", chunk.byteRange.lowerBound),
    ] {
      guard let count else { continue }
      writer.key(name)
      writer.value(Int64(count))
    }
    for (name, bound) in [("min", min), ("max", max)] {
      guard let bound else { continue }
      writer.key(name)
      writer.value(json: bound)
    }
    writer.key("has")
    writer.beginArray()
    for name in Self.indexes(chunk) { writer.value(name) }
    writer.endArray()
    writer.endObject()
  }

  private func write(_ rows: [[String]], to writer: inout JSONWriter) {
    writer.key("values")
    writer.beginArray()
    for row in 0..<(rows.map(\.count).max() ?? 0) {
      writer.beginObject()
      for (field, column) in zip(file.fields, rows) where row < column.count {
        writer.key(field.name)
        writer.value(json: column[row])
      }
      writer.endObject()
    }
    writer.endArray()
  }
}
