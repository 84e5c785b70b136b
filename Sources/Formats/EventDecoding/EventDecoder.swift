// Messages to columns.
//
//   message ── JSON or Cap'n Proto? ── envelope ── plan by event name ── content into the table's buffers ── commitRow
//                    └───────────────────┴───────────────┴────────────── Rejection: rollBackRow, one ErrorRow
//
// No objects per event: envelopes are read in place, values go straight into column buffers. A bad event costs itself
// only. The default encoding of a payload that begins with `{` is JSON; the header `Content-Type: application/capnp`
// (`application/capnp-packed`) makes it Cap'n Proto. Headers are looked up only when they decide something.
// One decoder belongs to one thread and one generation of the table directory.

import Bedrock
import EventSchema
import JSONTape
package import StorageContract

package final class EventDecoder {
  /// Finds the value of a header of a message, valid as long as the message; `nil` when it has none of that name.
  package typealias HeaderLookup = (_ message: OpaquePointer, _ name: StaticString) -> UnsafePointer<CChar>?
  /// Seals the payload of a rejected event under the key of its domain (`nil`: unknown) before it goes anywhere.
  package typealias Seal = (_ domain: String?, _ payload: UnsafeRawBufferPointer) -> [UInt8]

  /// What a subject has before the event name, dot included.
  private let subjectPrefix: [UInt8]
  let stream: String
  private let lookUp: HeaderLookup
  private let seal: Seal
  private let tables: [TableBuffers]
  private let plans: [EventPlan]
  private let planOfName: [UInt64: [Int]]
  private var lastPlan: EventPlan?
  private var parser = JSONParser(bytesMax: Limits.eventBytesMax, depthMax: Limits.jsonDepthMax)
  let capnp = CapnpReader()
  let innerCapnp = CapnpReader()
  let unpacked = UnsafeMutableRawBufferPointer.allocate(byteCount: Limits.eventBytesMax, alignment: 8)
  let store = ValueStore()
  var metadataWriter = JSONWriter(style: .jsonb)
  /// Metadata members that are stored, of the event at hand.
  var keptFields: [JSONField] = []
  private var batch = DecodedBatch()

  /// - Parameters:
  ///   - stream: the name of the log, for error rows.
  ///   - subjectPrefix: what a subject has before the event name, without the dot between them.
  ///   - tables: every event table under the schema version to write.
  package init(
    stream: String, subjectPrefix: String = "events", tables: [RegisteredTable],
    headers: @escaping HeaderLookup = { _, _ in nil }, seal: @escaping Seal
  ) {
    self.stream = stream
    self.subjectPrefix = Array(subjectPrefix.utf8) + [UInt8(ascii: ".")]
    lookUp = headers
    self.seal = seal
    let buffers = tables.map { TableBuffers(table: $0) }
    self.tables = buffers
    plans = zip(tables, buffers).flatMap { table, buffer in
      table.schema.events.map { EventPlan(event: $0, table: buffer) }
    }
    var byHash: [UInt64: [Int]] = [:]
    for (index, plan) in plans.enumerated() {
      let hash = plan.eventBytes.withUnsafeBytes { XXHash64.hash($0) }
      byHash[hash, default: []].append(index)
    }
    planOfName = byHash
  }

  deinit {
    store.deallocate()
    unpacked.deallocate()
  }

  /// Decodes one message into the batch. Never fails: what cannot be applied becomes an error row.
  package func decode(_ event: IncomingEvent) {
    var context = EnvelopeContext()
    do throws(Rejection) { try decode(event, &context) } catch {
      context.plan?.table.rollBackRow()
      reject(event, context, error)
    }
  }

  /// Everything decoded since the last call; tables without rows are left out.
  package func finish() -> DecodedBatch {
    for table in tables where table.rowCount > 0 { batch.tables.append(table.finish()) }
    defer { batch = DecodedBatch() }
    return batch
  }

  /// A message that cannot even be tried (RELIABILITY: crash loop): an error row with its payload.
  package func setAside(_ event: IncomingEvent, code: RejectionCode, message: String) {
    reject(event, EnvelopeContext(), Rejection(code, message))
  }

  // MARK: Dispatch

  private func decode(_ event: IncomingEvent, _ context: inout EnvelopeContext) throws(Rejection) {
    guard event.payload.count <= Limits.eventBytesMax else {
      throw Rejection(
        .sizeViolation, rule: "at most \(Limits.eventBytesMax) bytes",
        "the payload has \(event.payload.count) bytes, the maximum is \(Limits.eventBytesMax)")
    }
    guard let first = event.payload.first(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }) else {
      throw Rejection(.undecodable, "the payload is empty")
    }
    if first == UInt8(ascii: "{") {
      guard let failure = decodeJSON(event, &context) else { return }
      guard failure.code == .undecodable, contentType(event) == .capnp else { throw failure }
    }
    guard contentType(event) == .capnp else {
      throw Rejection(
        .undecodable, rule: "JSON, or the header Content-Type: application/capnp",
        "the payload is no JSON object and no header says that it is Cap'n Proto")
    }
    try decodeCapnp(event, &context)
  }

  private func decodeJSON(_ event: IncomingEvent, _ context: inout EnvelopeContext) -> Rejection? {
    do throws(Fault) {
      return try parser.parse(event.payload) { (root) throws(Fault) -> Rejection? in
        do throws(Rejection) {
          try readJSON(root, event, &context)
          return nil
        } catch { return error }
      }
    } catch {
      return Rejection(.undecodable, rule: "RFC 8259", error.message)
    }
  }

  private enum Encoding { case json, capnp, unknown }

  private func contentType(_ event: IncomingEvent) -> Encoding {
    guard let value = header(event, "Content-Type") else { return .unknown }
    let text = String(decoding: UnsafeRawBufferPointer(value), as: UTF8.self).lowercased()
    if text.hasPrefix("application/capnp") { return .capnp }
    return text.hasPrefix("application/json") ? .json : .unknown
  }

  func header(_ event: IncomingEvent, _ name: StaticString) -> UnsafeBufferPointer<UInt8>? {
    guard let message = event.message, let value = lookUp(message, name) else { return nil }
    var count = 0
    while value[count] != 0 { count += 1 }
    return UnsafeBufferPointer(start: UnsafeRawPointer(value).assumingMemoryBound(to: UInt8.self), count: count)
  }

  // MARK: Shared by both encodings

  /// The plan of an event name, whose subject must agree with it.
  func plan(_ name: UnsafeBufferPointer<UInt8>, _ event: IncomingEvent) throws(Rejection) -> EventPlan {
    try checkSubject(name, event)
    if let last = lastPlan, Self.equal(last.eventBytes, name) { return last }
    let hash = XXHash64.hash(UnsafeRawBufferPointer(name))
    if let found = planOfName[hash]?.first(where: { Self.equal(plans[$0].eventBytes, name) }) {
      lastPlan = plans[found]
      return plans[found]
    }
    guard (try? EventName(String(decoding: name, as: UTF8.self))) != nil else {  // `nil` means: not a name
      throw Rejection.envelope("event", "domain.entity.name, each [a-z][a-z0-9_]*")
    }
    throw Rejection(
      .schemaNotFound, path: "event", "no schema declares event \(String(decoding: name, as: UTF8.self))")
  }

  private func checkSubject(_ name: UnsafeBufferPointer<UInt8>, _ event: IncomingEvent) throws(Rejection) {
    let prefix = subjectPrefix.count
    let subject = event.subject
    var agrees = hasPrefix(subject) && subject.count >= prefix + name.count
    if agrees { for index in name.indices where subject[prefix + index] != name[index] { agrees = false } }
    agrees =
      agrees
      && (subject.count == prefix + name.count || subject[prefix + name.count] == UInt8(ascii: "."))
    guard agrees else {
      throw Rejection(
        .envelopeSubjectMismatch, path: "event", rule: "subject <prefix>.<event>[.<more>]",
        "the subject and the event name of the envelope disagree")
    }
  }

  private func hasPrefix(_ subject: UnsafeBufferPointer<UInt8>) -> Bool {
    guard subject.count >= subjectPrefix.count else { return false }
    for index in subjectPrefix.indices where subject[index] != subjectPrefix[index] { return false }
    return true
  }

  static func equal(_ bytes: [UInt8], _ other: UnsafeBufferPointer<UInt8>) -> Bool {
    guard bytes.count == other.count else { return false }
    for index in bytes.indices where bytes[index] != other[index] { return false }
    return true
  }

  /// The sequence from the header, for producers that cannot put it into the envelope.
  func sequenceFromHeader(_ event: IncomingEvent) throws(Rejection) -> Int64 {
    guard let text = header(event, "Cramped-Sequence") else {
      throw Rejection.envelope("sequence", "an integer from 0, or the header Cramped-Sequence")
    }
    guard let value = Int64(String(decoding: text, as: UTF8.self)), value >= 0 else {
      throw Rejection(.envelopeInvalid, path: "sequence", "the header Cramped-Sequence is no integer from 0")
    }
    return value
  }

  /// The time from the header, likewise.
  func publishedFromHeader(_ event: IncomingEvent) throws(Rejection) -> Int64 {
    guard let text = header(event, "Cramped-Published") else {
      throw Rejection.envelope("metadata.published", "an RFC 3339 timestamp or microseconds since 1970")
    }
    if let micros = TimeText.micros(text) { return micros }
    guard let micros = Int64(String(decoding: text, as: UTF8.self)), TimeText.microsRange.contains(micros) else {
      throw Rejection(.envelopeInvalid, path: "metadata.published", "the header Cramped-Published is no timestamp")
    }
    return micros
  }

  func violation(_ plan: EventPlan, _ field: FieldPlan) -> Rejection {
    Rejection(
      .schemaViolation, path: "content.\(field.name)", rule: field.rule.name,
      "field \"\(field.name)\" of \(plan.name) is not \(field.rule.name)")
  }

  func commit(_ event: IncomingEvent, _ plan: EventPlan, sequence: Int64, published: Int64) {
    plan.nameBytes.withUnsafeBufferPointer { name in
      plan.table.commitRow(
        sequence: sequence, name: name, published: published, received: event.receivedMicros,
        position: event.position, hash: XXHash64.hash(event.payload))
    }
  }

  func countUnknownField() { batch.unknownFields += 1 }
  func countNulledValue() { batch.nulledValues += 1 }

  // MARK: Error rows

  private func reject(_ event: IncomingEvent, _ context: EnvelopeContext, _ why: Rejection) {
    let subject = String(decoding: event.subject.prefix(1_024), as: UTF8.self)
    let name = context.plan?.name ?? eventName(ofSubject: event.subject)
    batch.errors.append(
      ErrorRow(
        position: event.position, domain: name?.domain, entity: name?.entity, name: name?.name,
        sequence: context.sequence, code: why.code.rawValue, stage: why.code.stage, path: why.path, rule: why.rule,
        message: why.message, schemaVersion: context.plan?.table.schema.version, subject: subject, stream: stream,
        receivedMicros: event.receivedMicros, sealedPayload: seal(name?.domain, event.payload)))
  }

  /// What the subject says, for events whose envelope cannot be read.
  private func eventName(ofSubject subject: UnsafeBufferPointer<UInt8>) -> EventName? {
    guard subject.count <= 1_024, hasPrefix(subject) else { return nil }
    let text = String(decoding: subject.dropFirst(subjectPrefix.count), as: UTF8.self)
    let tokens = text.split(separator: ".", omittingEmptySubsequences: false)
    guard tokens.count >= 3 else { return nil }
    // `nil` is the answer for a subject that is no event name.
    return try? EventName(domain: String(tokens[0]), entity: String(tokens[1]), name: String(tokens[2]))
  }
}

/// What is known of an event while it is read, for its error row.
struct EnvelopeContext {
  var plan: EventPlan?
  var sequence: Int64?
}
