// Records to envelopes.

import Bedrock
import Columnar
import EventDecoding
import EventSchema
import JSONTape
import Runtime

/// Why a record cannot be published; without its values, since they may be personal.
struct RecordProblem: Error {
  let message: String
  init(_ message: String) { self.message = message }
}

struct EnvelopeBuilder {
  let options: PublishOptions
  /// Without the dot behind it.
  let subjectPrefix: String
  let clock: Clock
  private let kinds: [String: CapnpSlot.Kind]
  private let decimals: Set<String>

  init(options: PublishOptions, subjectPrefix: String, clock: Clock) {
    self.options = options
    self.subjectPrefix = subjectPrefix
    self.clock = clock
    let type = options.eventTypes.first { $0.name == options.event }
    kinds = Dictionary(uniqueKeysWithValues: (type?.fields ?? []).map { ($0.name, $0.slot.kind) })
    decimals = Set(
      (type?.fields ?? []).compactMap { field in
        if case .numeric = field.type { return field.name }
        return nil
      })
  }

  // MARK: CSV

  /// Where the fields of a file's records come from.
  struct CSVPlan {
    var sequenceColumn: Int?
    var publishedColumn: Int?
    var fields: [(name: String, column: Int)]
    var literals: [(name: String, value: String)]
    var columnCount: Int
  }

  func plan(header: [String], path: String) throws(RecordProblem) -> CSVPlan {
    func column(_ name: String) throws(RecordProblem) -> Int {
      guard let index = header.firstIndex(of: name) else {
        throw RecordProblem("there is no column \"\(name)\"; the columns are \(header.joined(separator: ", "))")
      }
      return index
    }
    var plan = CSVPlan(fields: [], literals: [], columnCount: header.count)
    if case .column(let name) = options.sequence { plan.sequenceColumn = try column(name) }
    if let name = options.publishedColumn { plan.publishedColumn = try column(name) }
    for mapping in options.mappings { plan.fields.append((mapping.field, try column(mapping.column))) }
    plan.literals = Self.literals(options, path: path)
    if options.mappings.isEmpty {
      for (index, name) in header.enumerated() where index != plan.sequenceColumn && index != plan.publishedColumn {
        if !plan.literals.contains(where: { $0.name == name }) { plan.fields.append((name, index)) }
      }
    }
    return plan
  }

  static func literals(_ options: PublishOptions, path: String) -> [(name: String, value: String)] {
    let base = path.split(separator: "/").last.map(String.init) ?? path
    let stem = base.lastIndex(of: ".").map { String(base[..<$0]) } ?? base
    return options.literals.map { literal in
      (literal.field, replace("{path}", in: replace("{file}", in: literal.value, with: stem), with: path))
    }
  }

  private static func replace(_ pattern: String, in text: String, with value: String) -> String {
    text.split(separator: pattern, omittingEmptySubsequences: false).joined(separator: value)
  }

  func event(_ record: [String], _ plan: CSVPlan, automatic: Int64) throws(RecordProblem) -> OutgoingEvent {
    guard let name = options.event else { throw RecordProblem("CSV records need an event name") }
    guard record.count == plan.columnCount else {
      throw RecordProblem("the record has \(record.count) fields, the header \(plan.columnCount)")
    }
    var sequence = automatic
    if let column = plan.sequenceColumn {
      guard let number = Int64(record[column]), number >= 0 else { throw RecordProblem("the sequence is no integer from 0") }
      sequence = number
    }
    var published = clock.nowMicros()
    if let column = plan.publishedColumn { published = try time(record[column]) }
    var writer = JSONWriter(capacity: 256)
    begin(&writer, name, sequence, published)
    for field in plan.fields { try write(record[field.column], field.name, to: &writer) }
    for literal in plan.literals { try write(literal.value, literal.name, to: &writer) }
    return finish(&writer, name, sequence)
  }

  // MARK: NDJSON

  /// An envelope as it is, or content that gets one.
  func event(line: [UInt8], _ parser: inout JSONParser, path: String, automatic: Int64) throws(RecordProblem) -> OutgoingEvent {
    let result: Result<OutgoingEvent, RecordProblem>
    do throws(Fault) {
      result = try parser.parse(line) { (root) throws(Fault) -> Result<OutgoingEvent, RecordProblem> in
        do throws(RecordProblem) {
          guard let object = root.object else { throw RecordProblem("the line is no JSON object") }
          if object.value(of: "event") != nil { return .success(try envelope(object, line)) }
          return .success(try content(object, path: path, automatic: automatic))
        } catch { return .failure(error) }
      }
    } catch { throw RecordProblem(error.message) }
    return try result.get()
  }

  private func envelope(_ object: JSONObject, _ line: [UInt8]) throws(RecordProblem) -> OutgoingEvent {
    guard let text = object.value(of: "event")?.text, let name = try? EventName(text.string) else {  // `nil`: no name
      throw RecordProblem("\"event\" does not have the form domain.entity.name")
    }
    guard let sequence = object.value(of: "sequence")?.int64, sequence >= 0 else {
      throw RecordProblem("\"sequence\" is no integer from 0")
    }
    guard object.value(of: "content")?.object != nil else { throw RecordProblem("\"content\" is no object") }
    return outgoing(name, sequence, line)
  }

  private func content(_ object: JSONObject, path: String, automatic: Int64) throws(RecordProblem) -> OutgoingEvent {
    guard let name = options.event else { throw RecordProblem("the line is no envelope, and no event name is given") }
    var sequence = automatic
    var published: Int64?
    var sequenceKey = ""
    if case .column(let key) = options.sequence { sequenceKey = key }
    for field in object {
      let key = field.key.string
      if key == sequenceKey {
        guard let number = field.value.int64, number >= 0 else { throw RecordProblem("the sequence is no integer from 0") }
        sequence = number
      } else if key == options.publishedColumn {
        published = try field.value.text.map { (text) throws(RecordProblem) in try time(text.string) } ?? field.value.int64
        if published == nil { throw RecordProblem("the time is neither text nor an integer") }
      }
    }
    if !sequenceKey.isEmpty && object.first(where: { $0.key.string == sequenceKey }) == nil {
      throw RecordProblem("there is no key \"\(sequenceKey)\"")
    }
    if options.publishedColumn != nil && published == nil { throw RecordProblem("the record has no time") }
    var writer = JSONWriter(capacity: 256)
    begin(&writer, name, sequence, published ?? clock.nowMicros())
    for field in object {
      let key = field.key.string
      if key == sequenceKey || key == options.publishedColumn { continue }
      let target = options.mappings.isEmpty ? key : options.mappings.first { $0.column == key }?.field
      guard let target else { continue }
      writer.key(target)
      writer.value(field.value)
    }
    for literal in Self.literals(options, path: path) { try write(literal.value, literal.name, to: &writer) }
    return finish(&writer, name, sequence)
  }

  // MARK: Parts

  private func time(_ text: String) throws(RecordProblem) -> Int64 {
    var text = text
    if let micros = text.withUTF8({ TimeText.micros($0, offsetOptional: true) }) { return micros }
    if let micros = Int64(text), TimeText.microsRange.contains(micros) { return micros }
    throw RecordProblem("the time is neither RFC 3339 nor microseconds since 1970")
  }

  private func begin(_ writer: inout JSONWriter, _ name: EventName, _ sequence: Int64, _ published: Int64) {
    writer.beginObject()
    writer.key("event")
    writer.value(name.description)
    writer.key("sequence")
    writer.value(sequence)
    writer.key("metadata")
    writer.beginObject()
    writer.key("published")
    writer.value(published)
    writer.endObject()
    writer.key("content")
    writer.beginObject()
  }

  private func finish(_ writer: inout JSONWriter, _ name: EventName, _ sequence: Int64) -> OutgoingEvent {
    writer.endObject()
    writer.endObject()
    return outgoing(name, sequence, writer.bytes)
  }

  private func outgoing(_ name: EventName, _ sequence: Int64, _ payload: [UInt8]) -> OutgoingEvent {
    OutgoingEvent(
      subject: "\(subjectPrefix).\(name)",
      messageID: options.sendsMessageIDs ? "\(name.domain)/\(name.entity)/\(sequence)" : nil, payload: payload)
  }

  /// A text of CSV or the command line as the JSON value of its field; an empty one is left out, which is null.
  private func write(_ text: String, _ field: String, to writer: inout JSONWriter) throws(RecordProblem) {
    if text.isEmpty { return }
    writer.key(field)
    guard let kind = kinds[field] else {
      if text == "true" || text == "false" { return writer.value(text == "true") }
      return isNumber(text) ? writer.value(json: text) : writer.value(text)
    }
    switch kind {
    case .bool:
      guard text == "true" || text == "false" else { throw RecordProblem("field \"\(field)\" is neither true nor false") }
      writer.value(text == "true")
    case .text, .data, .enumerant: writer.value(text)
    default:
      // Decimals stay text, where no digit is lost; timestamps and dates may be text too.
      if decimals.contains(field) || !isNumber(text) { return writer.value(text) }
      writer.value(json: text)
    }
  }

  /// The grammar of a JSON number, and short enough to be one.
  private func isNumber(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    var at = 0
    func digits() -> Bool {
      let start = at
      while at < bytes.count, bytes[at] >= 0x30, bytes[at] <= 0x39 { at += 1 }
      return at > start
    }
    if bytes.first == UInt8(ascii: "-") { at = 1 }
    let whole = at
    guard bytes.count <= 40, digits(), bytes[whole] != 0x30 || at == whole + 1 else { return false }
    if at - whole > 18 { return false }
    if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
      at += 1
      guard digits() else { return false }
    }
    if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
      at += 1
      if at < bytes.count, bytes[at] == UInt8(ascii: "-") || bytes[at] == UInt8(ascii: "+") { at += 1 }
      guard digits() else { return false }
    }
    return at == bytes.count
  }
}
