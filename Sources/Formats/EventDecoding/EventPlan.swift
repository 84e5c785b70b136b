// What decoders need to know of each event and table, worked out once per schema generation.

import Bedrock
import Columnar
import EventSchema
import StorageContract

/// How a value is checked and stored.
enum ValueRule {
  case boolean
  /// The narrowest of the field's wire type and column.
  case integer(min: Int64, max: Int64)
  case unsigned64
  case float32, float64
  case text
  case enumerant([[UInt8]])
  case bytes
  case timestamp
  case date
  case uuid
  case decimal(DataType.NumericModifier)

  var name: String {
    switch self {
    case .boolean: "a boolean"
    case .integer(let min, let max): "an integer from \(min) to \(max)"
    case .unsigned64: "an integer from 0 to 18446744073709551615"
    case .float32: "a number in the range of Float32"
    case .float64: "a number"
    case .text: "a text without U+0000"
    case .enumerant: "one of the enumerants"
    case .bytes: "base64 text"
    case .timestamp: "an RFC 3339 timestamp or microseconds since 1970"
    case .date: "a date YYYY-MM-DD or days since 1970"
    case .uuid: "a UUID"
    case .decimal(let modifier): "a decimal of at most \(modifier.precision) digits, \(modifier.scale) after the point"
    }
  }

  init(_ field: EventField) {
    switch (field.type, field.slot.kind) {
    case (.timestamptz, _): self = .timestamp
    case (.date, _): self = .date
    case (.uuid, _): self = .uuid
    case (_, .uint64): self = .unsigned64
    case (.numeric(let modifier), _):
      guard let modifier else { preconditionFailure("a decimal field has a precision") }
      self = .decimal(modifier)
    case (_, .bool): self = .boolean
    case (_, .int8): self = .integer(min: Int64(Int8.min), max: Int64(Int8.max))
    case (_, .int16): self = .integer(min: Int64(Int16.min), max: Int64(Int16.max))
    case (_, .int32): self = .integer(min: Int64(Int32.min), max: Int64(Int32.max))
    case (_, .int64): self = .integer(min: .min, max: .max)
    case (_, .uint8): self = .integer(min: 0, max: Int64(UInt8.max))
    case (_, .uint16): self = .integer(min: 0, max: Int64(UInt16.max))
    case (_, .uint32): self = .integer(min: 0, max: Int64(UInt32.max))
    case (_, .float32): self = .float32
    case (_, .float64): self = .float64
    case (_, .text): self = .text
    case (_, .data): self = .bytes
    case (_, .enumerant): self = .enumerant(field.enumerants.map { Array($0.utf8) })
    }
  }
}

/// Where a checked value goes.
enum FieldTarget {
  case column(Int)
  /// Into side column `index` of the table, to be hashed after decoding.
  case hashed(Int)
  /// Checked and not stored: drop, and tokenize and encrypt until there are a vault and subject keys.
  case discarded
}

struct FieldPlan {
  let name: String
  /// Of the name in the plan's key bytes.
  let keyStart: Int
  let keyCount: Int
  let rule: ValueRule
  let slot: CapnpSlot
  let target: FieldTarget
  let nullOnError: Bool
}

final class EventPlan {
  let name: EventName
  let domainBytes: [UInt8]
  let entityBytes: [UInt8]
  let nameBytes: [UInt8]
  let eventBytes: [UInt8]
  let table: TableBuffers
  let fields: [FieldPlan]
  /// All field names one after the other.
  private let keys: UnsafeMutablePointer<UInt8>

  init(event: EventType, table: TableBuffers) {
    name = event.name
    domainBytes = Array(event.name.domain.utf8)
    entityBytes = Array(event.name.entity.utf8)
    nameBytes = Array(event.name.name.utf8)
    eventBytes = Array(event.name.description.utf8)
    self.table = table
    var all: [UInt8] = []
    fields = event.fields.map { field in
      let start = all.count
      all.append(contentsOf: field.name.utf8)
      return FieldPlan(
        name: field.name, keyStart: start, keyCount: all.count - start, rule: ValueRule(field), slot: field.slot,
        target: table.target(of: field), nullOnError: field.onError == .null)
    }
    keys = .allocate(capacity: max(all.count, 1))
    keys.initialize(from: all, count: all.count)
  }

  deinit { keys.deallocate() }

  func key(_ field: FieldPlan) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: keys + field.keyStart, count: field.keyCount)
  }
}
