// The JSON envelope (DESIGN.md section 1):
//
//   {"event": "domain.entity.name", "sequence": 142,
//    "metadata": {"published": "...", "domain": "...", "entity": "...", "name": "...", <kept keys>},
//    "content": {...}}
//
// Keys come in any order, each at most once. Keys of the envelope that mean nothing here are ignored.

import Bedrock
import Columnar
import EventSchema
import JSONTape

extension EventDecoder {
  func readJSON(_ root: JSONValue, _ event: IncomingEvent, _ context: inout EnvelopeContext) throws(Rejection) {
    guard let envelope = root.object else { throw Rejection.envelope("$", "an object") }
    var name: JSONValue?, sequence: JSONValue?, metadata: JSONValue?, content: JSONValue?
    for field in envelope {
      switch field.key.count {
      case 5 where field.key == "event": try Self.take(field.value, &name, "event")
      case 8 where field.key == "sequence": try Self.take(field.value, &sequence, "sequence")
      case 8 where field.key == "metadata": try Self.take(field.value, &metadata, "metadata")
      case 7 where field.key == "content": try Self.take(field.value, &content, "content")
      default: continue
      }
    }
    guard let nameText = name?.text else { throw Rejection.envelope("event", "domain.entity.name") }
    if let number = sequence?.int64, number >= 0 { context.sequence = number }
    let plan = try plan(nameText.bytes, event)
    context.plan = plan
    let number: Int64
    if let given = context.sequence {
      number = given
    } else {
      guard sequence == nil || sequence?.isNull == true else { throw Rejection.envelope("sequence", "an integer from 0") }
      number = try sequenceFromHeader(event)
      context.sequence = number
    }
    let published = try readMetadata(metadata, plan, event)
    guard let object = content?.object else { throw Rejection.envelope("content", "an object") }
    try readContent(object, plan)
    commit(event, plan, sequence: number, published: published)
  }

  private static func take(_ value: JSONValue, _ place: inout JSONValue?, _ key: String) throws(Rejection) {
    guard place == nil else { throw Rejection(.envelopeInvalid, path: key, rule: "each key once", "key \"\(key)\" occurs twice") }
    place = value
  }

  /// Returns `published` and stores the other keys.
  private func readMetadata(
    _ value: JSONValue?, _ plan: EventPlan, _ event: IncomingEvent
  ) throws(Rejection) -> Int64 {
    guard let value, !value.isNull else { return try publishedFromHeader(event) }
    guard let object = value.object else { throw Rejection.envelope("metadata", "an object") }
    var published: Int64?
    keptFields.removeAll(keepingCapacity: true)
    for field in object {
      switch field.key.count {
      case 9 where field.key == "published":
        guard published == nil, let micros = Self.micros(field.value) else {
          throw Rejection.envelope("metadata.published", "an RFC 3339 timestamp or microseconds since 1970")
        }
        published = micros
      case 6 where field.key == "domain": try Self.check(field.value, plan.domainBytes, "metadata.domain")
      case 6 where field.key == "entity": try Self.check(field.value, plan.entityBytes, "metadata.entity")
      case 4 where field.key == "name": try Self.check(field.value, plan.nameBytes, "metadata.name")
      default: keptFields.append(field)
      }
    }
    if !keptFields.isEmpty {
      if keptFields.count > 1 && object.duplicateKey() != nil { throw Rejection.envelope("metadata", "each key once") }
      metadataWriter.reset()
      metadataWriter.beginObject()
      metadataWriter.fields(JSONBOrder.sorted(keptFields))
      metadataWriter.endObject()
      metadataWriter.bytes.withUnsafeBufferPointer {
        plan.table.columns[SystemColumn.metadata].append(bytes: $0, row: plan.table.rowCount)
      }
    }
    if let published { return published }
    return try publishedFromHeader(event)
  }

  private static func micros(_ value: JSONValue) -> Int64? {
    if let text = value.text { return TimeText.micros(text.bytes) }
    guard let number = value.int64, TimeText.microsRange.contains(number) else { return nil }
    return number
  }

  private static func check(_ value: JSONValue, _ part: [UInt8], _ path: String) throws(Rejection) {
    guard let text = value.text, equal(part, text.bytes) else {
      throw Rejection(
        .envelopeInvalid, path: path, rule: "equal to the part of `event`", "\(path) disagrees with the event name")
    }
  }

  /// Producers write fields in one order, mostly the schema's: the search begins behind the last field found.
  private func readContent(_ object: JSONObject, _ plan: EventPlan) throws(Rejection) {
    let fields = plan.fields
    var expected = 0
    for member in object {
      var found = -1
      for step in 0..<fields.count {
        let index = expected + step < fields.count ? expected + step : expected + step - fields.count
        if fields[index].keyCount == member.key.count && member.key.equals(plan.key(fields[index])) {
          found = index
          break
        }
      }
      guard found >= 0 else {
        countUnknownField()
        continue
      }
      expected = found + 1
      try put(member.value, fields[found], plan)
    }
  }

  private func put(_ value: JSONValue, _ field: FieldPlan, _ plan: EventPlan) throws(Rejection) {
    let table = plan.table
    guard !table.isWritten(field.target) else {
      throw Rejection(
        .schemaViolation, path: "content.\(field.name)", rule: "each field once", "field \"\(field.name)\" occurs twice")
    }
    let wire: WireValue?
    switch value.kind {
    case .null: return store.putNull(field.target, table)
    case .bool: wire = value.bool.map { .bool($0) }
    case .int64: wire = value.int64.map { .integer($0) }
    case .uint64: wire = value.uint64.map { .unsigned($0) }
    case .double: wire = value.double.map { .double($0) }
    case .string: wire = value.text.map { .text($0.bytes) }
    case .object, .array: wire = nil
    }
    if let wire, store.put(wire, field, table) { return }
    guard field.nullOnError else { throw violation(plan, field) }
    store.putNull(field.target, table)
    countNulledValue()
  }
}
