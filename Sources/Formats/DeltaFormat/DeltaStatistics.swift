// Statistics of one data file: `add.stats`, JSON text inside JSON. PROTOCOL.md, "Per-file Statistics".
//
//   {"numRecords":3,"minValues":{"id":1},"maxValues":{"id":9},"nullCount":{"id":0}}
//
// A wrong bound loses rows, a missing one only time; so whatever is in doubt is left out:
//   - timestamps have milliseconds in many readers: min is rounded down, max up
//   - long text is cut to a prefix; a cut max is incremented, and left out when that cannot be done
//   - NaN and infinity are no JSON numbers: no bound; infinite dates and years outside 1...9999: no bound
//   - booleans and binary have no bounds; personal columns have no statistics at all (the caller leaves them out)

package import Bedrock
package import Columnar
import JSONTape

/// What is known about one column of a file. A bound has the form of its SQL type's `Scalar`.
package struct DeltaColumnStatistics: Hashable, Sendable {
  /// No value is less.
  package var min: Scalar?
  /// No value is greater.
  package var max: Scalar?
  package var nullCount: Int64?
  package init(min: Scalar? = nil, max: Scalar? = nil, nullCount: Int64? = nil) {
    self.min = min
    self.max = max
    self.nullCount = nullCount
  }
}

package struct DeltaStatistics: Hashable, Sendable {
  package static let textBytesMax = 64
  package var numRecords: Int64?
  /// By column name.
  package var columns: [String: DeltaColumnStatistics]
  package init(numRecords: Int64? = nil, columns: [String: DeltaColumnStatistics] = [:]) {
    self.numRecords = numRecords
    self.columns = columns
  }

  // MARK: Writing

  private enum Bound { case lower, upper }

  /// The JSON text, columns in the order of the schema.
  package func json(_ schema: DeltaSchema) -> String {
    var writer = JSONWriter(capacity: 64 + columns.count * 64)
    writer.beginObject()
    if let numRecords {
      writer.key("numRecords")
      writer.value(numRecords)
    }
    writer.key("minValues")
    bounds(schema, .lower, &writer)
    writer.key("maxValues")
    bounds(schema, .upper, &writer)
    writer.key("nullCount")
    writer.beginObject()
    for field in schema.fields {
      guard let count = columns[field.name]?.nullCount else { continue }
      writer.key(field.name)
      writer.value(count)
    }
    writer.endObject()
    writer.endObject()
    return writer.text
  }

  private func bounds(_ schema: DeltaSchema, _ bound: Bound, _ writer: inout JSONWriter) {
    writer.beginObject()
    for field in schema.fields {
      guard let column = columns[field.name], let value = bound == .lower ? column.min : column.max else { continue }
      guard let json = Self.json(value, field.type, bound) else { continue }
      writer.key(field.name)
      writer.value(json: json)
    }
    writer.endObject()
  }

  /// The bound as JSON text; nil when it has no safe form.
  private static func json(_ value: Scalar, _ type: DeltaType, _ bound: Bound) -> String? {
    switch (type, value) {
    case (.long, .integer(let value)), (.integer, .integer(let value)), (.short, .integer(let value)),
      (.byte, .integer(let value)):
      return String(value)
    case (.date, .integer(let day)): return CivilTime.text(day: day).map { "\"\($0)\"" }
    case (.timestamp, .integer(let micros)), (.timestampNTZ, .integer(let micros)):
      let (up, overflow) = micros.addingReportingOverflow(bound == .upper ? 999 : 0)
      if overflow { return nil }
      return CivilTime.text(millis: CivilTime.floorDivide(up, 1_000)).map { "\"\($0)\"" }
    case (.float, .float(let value)), (.double, .float(let value)):
      return value.isFinite ? value.description : nil
    case (.decimal(_, let scale), .numeric(let value)): return decimal(value, scale)
    case (.string, .bytes(let bytes)):
      guard let text = bound == .lower ? lowerPrefix(bytes) : upperPrefix(bytes) else { return nil }
      var writer = JSONWriter(capacity: text.utf8.count + 2)
      writer.value(text)
      return writer.text
    default: return nil
    }
  }

  private static func decimal(_ value: Numeric, _ scale: Int) -> String? {
    guard !value.isNaN, value.scale <= scale else { return nil }
    let digits = String(value.coefficient.magnitude)
    let sign = value.coefficient < 0 ? "-" : ""
    if value.scale == 0 { return sign + digits }
    let padded = String(repeating: "0", count: max(0, value.scale + 1 - digits.utf8.count)) + digits
    let point = padded.index(padded.endIndex, offsetBy: -value.scale)
    return sign + padded[..<point] + "." + padded[point...]
  }

  /// A prefix of at most `textBytesMax` bytes: not greater than the text.
  static func lowerPrefix(_ bytes: [UInt8]) -> String? {
    String(validating: prefix(bytes), as: UTF8.self)
  }

  /// Text of at most `textBytesMax` bytes that is not less; nil when there is none.
  static func upperPrefix(_ bytes: [UInt8]) -> String? {
    let cut = prefix(bytes)
    guard let text = String(validating: cut, as: UTF8.self) else { return nil }
    if cut.count == bytes.count { return text }
    var scalars = Array(text.unicodeScalars)
    while let last = scalars.popLast() {
      // U+D7FF is followed by U+E000 in the order of UTF-8 bytes; U+10FFFF has no successor.
      let next = last.value == 0xD7FF ? 0xE000 : last.value + 1
      guard let successor = Unicode.Scalar(next) else { continue }
      scalars.append(successor)
      var view = String.UnicodeScalarView()
      view.append(contentsOf: scalars)
      return String(view)
    }
    return nil
  }

  private static func prefix(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
    var end = min(bytes.count, textBytesMax)
    if end < bytes.count { while end > 0 && bytes[end] & 0xC0 == 0x80 { end -= 1 } }
    return bytes[0..<end]
  }

  // MARK: Reading

  /// `numRecords` alone; nil when it is missing or the text is broken.
  package static func rowCount(json: String) -> Int64? {
    let nothing = DeltaSchema(fields: [])
    do throws(Fault) { return try DeltaStatistics(json: json, nothing).numRecords } catch { return nil }
  }

  /// Parses `add.stats`. Members of an unexpected form, nested ones and columns that the schema lacks are left out; text
  /// that is no JSON object throws XX001.
  package init(json: String, _ schema: DeltaSchema, _ mapping: DeltaColumnMapping = .none) throws(Fault) {
    var parser = JSONParser(bytesMax: Limits.deltaLineBytesMax, depthMax: Limits.jsonDepthMax)
    self.init()
    do throws(Fault) {
      self = try parser.parse(Array(json.utf8)) { (root) throws(Fault) in
        guard let object = root.object else { throw Fault.corrupt("statistics are an object") }
        return Self(object, schema, mapping)
      }
    } catch { throw Fault.corrupt("the statistics of a Delta file are broken: \(error.message)", detail: error.detail) }
  }

  private init(_ object: JSONObject, _ schema: DeltaSchema, _ mapping: DeltaColumnMapping) {
    self.init()
    if let count = object.value(of: "numRecords")?.int64, count >= 0 { numRecords = count }
    let fields = Dictionary(
      schema.fields.map { ($0.storedName(mapping), $0) }, uniquingKeysWith: { first, _ in first })
    if let values = object.value(of: "minValues")?.object {
      for value in values {
        guard let field = fields[value.key.string], let bound = Self.scalar(value.value, field, .lower) else {
          continue
        }
        columns[field.name, default: DeltaColumnStatistics()].min = bound
      }
    }
    if let values = object.value(of: "maxValues")?.object {
      for value in values {
        guard let field = fields[value.key.string], let bound = Self.scalar(value.value, field, .upper) else {
          continue
        }
        columns[field.name, default: DeltaColumnStatistics()].max = bound
      }
    }
    if let values = object.value(of: "nullCount")?.object {
      for value in values {
        guard let field = fields[value.key.string], let count = value.value.int64, count >= 0 else { continue }
        columns[field.name, default: DeltaColumnStatistics()].nullCount = count
      }
    }
  }

  private static func scalar(_ value: JSONValue, _ field: DeltaField, _ bound: Bound) -> Scalar? {
    switch field.type {
    case .long, .integer, .short, .byte: return value.int64.map { .integer($0) }
    case .float:
      // Writers print the shortest text of the single; the column's values are that single, widened.
      return value.double.map { .float(Double(Float($0))) }
    case .double:
      guard let double = value.double else { return nil }
      guard field.metadata["delta.typeChanges"] != nil else { return .float(double) }
      // The column may have been single when the file was written.
      let single = Double(Float(double))
      return .float(bound == .lower ? Swift.min(double, single) : Swift.max(double, single))
    case .string: return value.text.map { .bytes(Array($0.bytes)) }
    case .date: return value.text.flatMap { CivilTime.day($0.string) }.map { .integer($0) }
    case .timestamp, .timestampNTZ:
      // The column may have been a date when the file was written.
      if field.type == .timestampNTZ, let text = value.text, let day = CivilTime.day(text.string) {
        return .integer(day * CivilTime.microsPerDay)
      }
      guard let text = value.text, let (micros, digits) = CivilTime.micros(text.string) else { return nil }
      // Writers cut to milliseconds: the true maximum may lie up to 999 µs later.
      return .integer(bound == .upper && digits < 6 ? micros + 999 : micros)
    case .decimal: return decimal(value).map { .numeric($0) }
    case .boolean, .binary, .array, .map, .structure, .unknown: return nil
    }
  }

  /// Exact decimals only: a double carries at most 15 digits for sure.
  private static func decimal(_ value: JSONValue) -> Numeric? {
    if let integer = value.int64 { return Numeric(integer) }
    guard let double = value.double else { return nil }
    let text = double.description
    guard !text.contains("e"), text.utf8.count <= 16, let point = text.firstIndex(of: ".") else { return nil }
    let fraction = text[text.index(after: point)...]
    guard let coefficient = Int128(text[..<point] + fraction) else { return nil }
    return Numeric(coefficient: coefficient, scale: fraction.utf8.count)
  }
}
