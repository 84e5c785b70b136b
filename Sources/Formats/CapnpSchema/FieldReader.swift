// One parsed field: its slot on the wire, its SQL type, its policy. The table of types is in EventReader.swift.

import Bedrock
import CCapnp
import Columnar
import EventSchema

struct FieldReader {
  let place: FieldPlace
  let declared: cramped_capnp_field

  func field(marks: [Mark]) throws(Fault) -> EventField {
    let kind = try slotKind()
    let type = try sqlType(kind, marks)
    let policy = try policy(kind, type, marks)
    var onError = FieldErrorAction.reject
    if let mark = marks.first(where: { $0.name == "onError" }), let action = mark.text {
      guard let known = FieldErrorAction(rawValue: action) else { throw place.refuse("unknown onError \"\(action)\"") }
      onError = known
    }
    let enumerants = (0..<declared.enumerant_count).compactMap { index in
      declared.enumerants[index].map { String(cString: $0) }
    }
    guard enumerants.count == declared.enumerant_count else { throw Fault.bug("an enumerant without a name") }
    var column = EventField.columnName(of: place.field)
    // Every event table has system columns; a field of the same name (`name` of a person) gets a name of its own.
    if SystemColumn.columns.contains(where: { $0.name == column }) { column = "content_\(column)" }
    guard column.utf8.count <= Limits.identifierBytesMax else {
      throw place.refuse("its column name has more than \(Limits.identifierBytesMax) bytes")
    }
    return EventField(
      name: place.field, column: column, type: type,
      slot: CapnpSlot(kind: kind, offset: declared.offset, defaultBits: declared.default_bits), policy: policy,
      onError: onError, enumerants: enumerants)
  }

  private func slotKind() throws(Fault) -> CapnpSlot.Kind {
    if declared.in_union {
      throw place.unsupported("a field in a union", hint: "Give each case an event name of its own.")
    }
    if declared.has_default_pointer {
      throw place.unsupported("a default text or data", hint: "Leave the default out: a missing text is null.")
    }
    switch declared.kind {
    case CRAMPED_CAPNP_BOOL: return .bool
    case CRAMPED_CAPNP_INT8: return .int8
    case CRAMPED_CAPNP_INT16: return .int16
    case CRAMPED_CAPNP_INT32: return .int32
    case CRAMPED_CAPNP_INT64: return .int64
    case CRAMPED_CAPNP_UINT8: return .uint8
    case CRAMPED_CAPNP_UINT16: return .uint16
    case CRAMPED_CAPNP_UINT32: return .uint32
    case CRAMPED_CAPNP_UINT64: return .uint64
    case CRAMPED_CAPNP_FLOAT32: return .float32
    case CRAMPED_CAPNP_FLOAT64: return .float64
    case CRAMPED_CAPNP_TEXT: return .text
    case CRAMPED_CAPNP_DATA: return .data
    case CRAMPED_CAPNP_ENUM: return .enumerant
    case CRAMPED_CAPNP_VOID: throw place.unsupported("a Void field", hint: "Use Bool.")
    case CRAMPED_CAPNP_LIST: throw place.unsupported("a List field", hint: "Lists are planned as SQL arrays.")
    case CRAMPED_CAPNP_STRUCT: throw place.unsupported("a struct field", hint: "Structs are planned as jsonb.")
    case CRAMPED_CAPNP_GROUP: throw place.unsupported("a group or union", hint: "Write the fields without the group.")
    case CRAMPED_CAPNP_INTERFACE: throw place.unsupported("an interface field", hint: "An event holds values only.")
    case CRAMPED_CAPNP_ANY_POINTER: throw place.unsupported("an AnyPointer field", hint: "Name the type, or use Data.")
    default: throw Fault.bug("an unknown Cap'n Proto kind")
    }
  }

  private func sqlType(_ kind: CapnpSlot.Kind, _ marks: [Mark]) throws(Fault) -> DataType {
    let meanings = marks.filter { ["timestamp", "date", "uuid", "decimal"].contains($0.name) }
    guard meanings.count <= 1 else {
      throw place.refuse("\(meanings.map(\.name).joined(separator: " and ")) exclude each other")
    }
    if let meaning = meanings.first { return try annotatedType(kind, meaning) }
    switch kind {
    case .bool: return .boolean
    case .int8, .int16, .uint8: return .int2
    case .int32, .uint16: return .int4
    case .int64, .uint32: return .int8
    case .uint64: return .numeric(.init(precision: 20, scale: 0))
    case .float32: return .float4
    case .float64: return .float8
    case .text, .enumerant: return .text
    case .data: return .bytea
    }
  }

  private func annotatedType(_ kind: CapnpSlot.Kind, _ meaning: Mark) throws(Fault) -> DataType {
    switch meaning.name {
    case "timestamp":
      guard kind == .int64 else { throw place.refuse("timestamp stands at an Int64 only") }
      return .timestamptz
    case "date":
      guard kind == .int32 else { throw place.refuse("date stands at an Int32 only") }
      return .date
    case "uuid":
      guard kind == .text else { throw place.refuse("uuid stands at a Text only") }
      return .uuid
    default:
      guard kind == .int64 || kind == .int32 || kind == .text else {
        throw place.refuse("decimal stands at an Int64, Int32 or Text only")
      }
      guard meaning.first >= 1 && meaning.first <= 35 && meaning.second <= meaning.first else {
        throw place.refuse(
          "decimal needs a precision of 1 to 35 and a scale of at most the precision",
          hint: "Write $Metadata.decimal(precision = 12, scale = 2).")
      }
      return .numeric(.init(precision: Int(meaning.first), scale: Int(meaning.second)))
    }
  }

  private func policy(_ kind: CapnpSlot.Kind, _ type: DataType, _ marks: [Mark]) throws(Fault) -> FieldPolicy {
    let policies = marks.filter { ["id", "hash", "tokenize", "encrypt", "drop", "none"].contains($0.name) }
    guard policies.count <= 1 else {
      throw place.refuse("\(policies.map(\.name).joined(separator: " and ")) exclude each other")
    }
    switch policies.first?.name {
    case nil, "none": return .keep
    case "id": return .id
    case "tokenize": return .tokenize
    case "encrypt": return .encrypt
    case "drop": return .drop
    default:
      let name = policies.first?.text ?? ""
      guard let algorithm = HashAlgorithm(rawValue: name) else {
        throw place.refuse("unknown hash \"\(name)\"", hint: "Write $Metadata.hash(sha256).")
      }
      switch type {
      case .text, .bytea, .uuid, .int2, .int4, .int8: return .hash(algorithm)
      default: throw place.unsupported("a hash of \(type)", hint: "Text, Data and integers can be hashed.")
      }
    }
  }
}
