// The Cap'n Proto envelope (schemas/cramped/event.capnp), slots as that file lays them out:
//
//   data     0: sequence (Int64, default -1)   1: published (Int64)
//   pointers 0: event   1: metadata, a list of (key, value)   2: content, a struct or Data with a framed message
//
// The framing tells plain from packed: a plain message has exactly the length its framing says.

import Bedrock
import Columnar
import EventSchema
import JSONTape

extension EventDecoder {
  private static let metadataEntriesMax = 256

  func decodeCapnp(_ event: IncomingEvent, _ context: inout EnvelopeContext) throws(Rejection) {
    do throws(CapnpError) {
      try capnp.open(try plain(event.payload))
    } catch { throw Rejection(.undecodable, rule: "Cap'n Proto stream framing", "\(error.reason)") }
    let envelope = try reading { () throws(CapnpError) in try capnp.root() }
    guard let name = try reading({ () throws(CapnpError) in try capnp.text(envelope, 0) }) else {
      throw Rejection.envelope("event", "domain.entity.name")
    }
    let sequence = Int64(bitPattern: capnp.bits(envelope, width: 8, offset: 0)) ^ -1
    if sequence >= 0 { context.sequence = sequence }
    let plan = try plan(name, event)
    context.plan = plan
    if sequence < -1 { throw Rejection.envelope("sequence", "an integer from 0") }
    let number = sequence >= 0 ? sequence : try sequenceFromHeader(event)
    context.sequence = number
    var published = Int64(bitPattern: capnp.bits(envelope, width: 8, offset: 1))
    if published == 0 { published = try publishedFromHeader(event) }
    guard TimeText.microsRange.contains(published) else {
      throw Rejection.envelope("published", "microseconds since 1970")
    }
    try readMetadata(envelope, plan)
    try readContent(envelope, plan)
    commit(event, plan, sequence: number, published: published)
  }

  /// The message without packing.
  private func plain(_ payload: UnsafeRawBufferPointer) throws(CapnpError) -> UnsafeRawBufferPointer {
    if CapnpReader.framedByteCount(payload) == payload.count { return payload }
    guard let count = CapnpPacking.unpack(payload, into: unpacked) else {
      throw CapnpError(reason: "neither stream framing nor packing, or larger than an event may be")
    }
    return UnsafeRawBufferPointer(rebasing: unpacked[..<count])
  }

  private func reading<T>(_ body: () throws(CapnpError) -> T) throws(Rejection) -> T {
    do throws(CapnpError) { return try body() } catch {
      throw Rejection(.undecodable, rule: "Cap'n Proto encoding", "\(error.reason)")
    }
  }

  private func readMetadata(_ envelope: CapnpStruct, _ plan: EventPlan) throws(Rejection) {
    let target = try reading { () throws(CapnpError) in try capnp.pointer(envelope, 1) }
    guard case .list(let entries) = target else {
      if case .null = target { return }
      throw Rejection.envelope("metadata", "a list of entries")
    }
    if entries.count == 0 { return }
    guard entries.elementSize == 7, entries.count <= Self.metadataEntriesMax else {
      throw Rejection.envelope("metadata", "a list of at most \(Self.metadataEntriesMax) entries")
    }
    var keys: Set<String> = []
    var pairs: [(key: String, value: UnsafeBufferPointer<UInt8>?)] = []
    for index in 0..<entries.count {
      let entry = capnp.element(entries, index)
      let pair = try reading { () throws(CapnpError) in (try capnp.text(entry, 0), try capnp.text(entry, 1)) }
      guard let key = pair.0.flatMap({ String(validating: $0, as: UTF8.self) }), keys.insert(key).inserted else {
        throw Rejection.envelope("metadata", "entries with keys, each once")
      }
      if let value = pair.1 {
        guard Self.isText(value) else { throw Rejection.envelope("metadata", "texts without U+0000") }
      }
      pairs.append((key, pair.1))
    }
    pairs.sort { a, b in
      a.key.utf8.count == b.key.utf8.count
        ? a.key.utf8.lexicographicallyPrecedes(b.key.utf8) : a.key.utf8.count < b.key.utf8.count
    }
    metadataWriter.reset()
    metadataWriter.beginObject()
    for (key, value) in pairs {
      metadataWriter.key(key)
      if let value { metadataWriter.value(utf8: value) } else { metadataWriter.null() }
    }
    metadataWriter.endObject()
    metadataWriter.bytes.withUnsafeBufferPointer {
      plan.table.columns[SystemColumn.metadata].append(bytes: $0, row: plan.table.rowCount)
    }
  }

  private func readContent(_ envelope: CapnpStruct, _ plan: EventPlan) throws(Rejection) {
    let target = try reading { () throws(CapnpError) in try capnp.pointer(envelope, 2) }
    switch target {
    case .null: throw Rejection.envelope("content", "the struct of the event")
    case .structure(let content): try readFields(content, capnp, plan)
    case .list(let list):
      guard list.elementSize == 2 else { throw Rejection.envelope("content", "a struct, or Data with a message") }
      let content = try reading { () throws(CapnpError) in
        try innerCapnp.open(UnsafeRawBufferPointer(capnp.view(list)))
        return try innerCapnp.root()
      }
      try readFields(content, innerCapnp, plan)
    }
  }

  private func readFields(_ content: CapnpStruct, _ reader: CapnpReader, _ plan: EventPlan) throws(Rejection) {
    for field in plan.fields {
      let wire: WireValue?
      do throws(CapnpError) { wire = try value(content, reader, field) } catch {
        throw Rejection(.undecodable, path: "content.\(field.name)", rule: "Cap'n Proto encoding", "\(error.reason)")
      }
      guard let wire else { continue }
      if case .text(let text) = wire, !Self.isText(text) {
        try refuse(field, plan)
      } else if !store.put(wire, field, plan.table) {
        try refuse(field, plan)
      }
    }
  }

  private func refuse(_ field: FieldPlan, _ plan: EventPlan) throws(Rejection) {
    guard field.nullOnError else { throw violation(plan, field) }
    store.putNull(field.target, plan.table)
    countNulledValue()
  }

  /// `nil` for a null pointer. Integers come out by the column's meaning: the coefficient of a decimal is one.
  private func value(
    _ content: CapnpStruct, _ reader: CapnpReader, _ field: FieldPlan
  ) throws(CapnpError) -> WireValue? {
    let offset = Int(field.slot.offset), mask = field.slot.defaultBits
    func number(_ width: Int) -> UInt64 { reader.bits(content, width: width, offset: offset) ^ mask }
    func signed(_ value: Int64) -> WireValue {
      if case .decimal = field.rule { return .coefficient(value) }
      return .integer(value)
    }
    switch field.slot.kind {
    case .bool: return .bool(reader.bit(content, offset: offset) != (mask & 1 == 1))
    case .int8: return signed(Int64(Int8(truncatingIfNeeded: number(1))))
    case .int16: return signed(Int64(Int16(truncatingIfNeeded: number(2))))
    case .int32: return signed(Int64(Int32(truncatingIfNeeded: number(4))))
    case .int64: return signed(Int64(bitPattern: number(8)))
    case .uint8: return .integer(Int64(number(1)))
    case .uint16, .enumerant: return .integer(Int64(number(2)))
    case .uint32: return .integer(Int64(number(4)))
    case .uint64: return .unsigned(number(8))
    case .float32: return .double(Double(Float(bitPattern: UInt32(truncatingIfNeeded: number(4)))))
    case .float64: return .double(Double(bitPattern: number(8)))
    case .text: return try reader.text(content, offset).map { .text($0) }
    case .data: return try reader.data(content, offset).map { .data($0) }
    }
  }

  private static func isText(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    (try? UTF8Span(validating: Span(_unsafeElements: bytes))) != nil  // the error says where; here only whether counts
  }
}
