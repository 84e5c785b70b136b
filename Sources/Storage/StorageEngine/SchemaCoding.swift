// Table schemas as records, so that every version a stored chunk was written under is known after a restart.
//
//   format 1 | domain | entity | version 4 | columns 2, each: field id 4, name, type, nullable, hidden, personal
//            | events 2, each: domain, entity, name, type id 8, file, fields 2,
//              each: name, column, type, slot (kind 1, offset 4, default 8), policy, on error 1, enumerants 2 + texts

import Bedrock
import Columnar
import EventSchema

enum SchemaCoding {
  private static let format: UInt8 = 1

  static func encode(_ schema: TableSchema) -> [UInt8] {
    var writer = RecordWriter()
    writer.put(format)
    writer.put(schema.domain)
    writer.put(schema.entity)
    writer.put(UInt32(schema.version))
    writer.put(UInt16(schema.columns.count))
    for column in schema.columns {
      writer.put(column.fieldID)
      writer.put(column.name)
      put(column.type, &writer)
      writer.put(column.isNullable)
      writer.put(column.isHidden)
      writer.put(column.isPersonal)
    }
    writer.put(UInt16(schema.events.count))
    for event in schema.events {
      writer.put(event.name.domain)
      writer.put(event.name.entity)
      writer.put(event.name.name)
      writer.put(event.typeID)
      writer.put(event.file)
      writer.put(UInt16(event.fields.count))
      for field in event.fields { put(field, &writer) }
    }
    return writer.bytes
  }

  private static func put(_ field: EventField, _ writer: inout RecordWriter) {
    writer.put(field.name)
    writer.put(field.column)
    put(field.type, &writer)
    writer.put(field.slot.kind.rawValue)
    writer.put(field.slot.offset)
    writer.put(field.slot.defaultBits)
    switch field.policy {
    case .keep: writer.put("keep")
    case .id: writer.put("id")
    case .hash(let algorithm): writer.put("hash:" + algorithm.rawValue)
    case .tokenize: writer.put("tokenize")
    case .encrypt: writer.put("encrypt")
    case .drop: writer.put("drop")
    }
    writer.put(field.onError.rawValue)
    writer.put(UInt16(field.enumerants.count))
    for enumerant in field.enumerants { writer.put(enumerant) }
  }

  static func decode(_ bytes: [UInt8]) throws(Fault) -> TableSchema {
    var reader = RecordReader(bytes)
    let found = try reader.integer(UInt8.self)
    guard found == format else { throw .corrupt("a stored schema has the unknown format \(found)") }
    let domain = try reader.string()
    let entity = try reader.string()
    let version = Int(try reader.integer(UInt32.self))
    var columns: [TableColumn] = []
    for _ in 0..<(try reader.integer(UInt16.self)) {
      let fieldID = try reader.integer(Int32.self)
      let name = try reader.string()
      let type = try type(&reader, depth: 0)
      columns.append(
        TableColumn(
          fieldID: fieldID, name: name, type: type, isNullable: try reader.boolean(), isHidden: try reader.boolean(),
          isPersonal: try reader.boolean()))
    }
    var events: [EventType] = []
    for _ in 0..<(try reader.integer(UInt16.self)) {
      let name = try EventName(domain: reader.string(), entity: reader.string(), name: reader.string())
      let typeID = try reader.integer(UInt64.self)
      let file = try reader.string()
      var fields: [EventField] = []
      for _ in 0..<(try reader.integer(UInt16.self)) { fields.append(try field(&reader)) }
      events.append(EventType(name: name, fields: fields, typeID: typeID, file: file))
    }
    guard reader.isAtEnd, version >= 1, columns.count >= SystemColumn.count else {
      throw .corrupt("a stored schema of \(domain).\(entity) is not whole")
    }
    return TableSchema(domain: domain, entity: entity, version: version, events: events, columns: columns)
  }

  private static func field(_ reader: inout RecordReader) throws(Fault) -> EventField {
    let name = try reader.string()
    let column = try reader.string()
    let type = try type(&reader, depth: 0)
    guard let kind = CapnpSlot.Kind(rawValue: try reader.integer()) else { throw .corrupt("a stored field has no kind") }
    let slot = CapnpSlot(kind: kind, offset: try reader.integer(), defaultBits: try reader.integer())
    let policy = try policy(reader.string())
    guard let onError = FieldErrorAction(rawValue: try reader.string()) else {
      throw .corrupt("a stored field has an unknown action")
    }
    var enumerants: [String] = []
    for _ in 0..<(try reader.integer(UInt16.self)) { enumerants.append(try reader.string()) }
    return EventField(
      name: name, column: column, type: type, slot: slot, policy: policy, onError: onError, enumerants: enumerants)
  }

  private static func policy(_ text: String) throws(Fault) -> FieldPolicy {
    switch text {
    case "keep": return .keep
    case "id": return .id
    case "tokenize": return .tokenize
    case "encrypt": return .encrypt
    case "drop": return .drop
    default:
      guard text.hasPrefix("hash:"), let algorithm = HashAlgorithm(rawValue: String(text.dropFirst(5))) else {
        throw .corrupt("a stored field has the unknown policy \(text)")
      }
      return .hash(algorithm)
    }
  }

  /// Types without parameters, by their place here: append only.
  private static let plainTypes: [DataType] = [
    .boolean, .int2, .int4, .int8, .float4, .float8, .text, .name, .internalChar, .bytea, .date, .time, .timestamp,
    .timestamptz, .interval, .uuid, .json, .jsonb, .oid, .regclass, .regtype, .regproc, .regnamespace, .int2vector,
    .oidvector, .unknown, .void,
  ]
  private static let numericTag: UInt8 = 200
  private static let varcharTag: UInt8 = 201
  private static let bpcharTag: UInt8 = 202
  private static let arrayTag: UInt8 = 203

  private static func put(_ type: DataType, _ writer: inout RecordWriter) {
    switch type {
    case .numeric(let modifier):
      writer.put(numericTag)
      writer.put(Int32(modifier?.precision ?? -1))
      writer.put(Int32(modifier?.scale ?? -1))
    case .varchar(let length):
      writer.put(varcharTag)
      writer.put(Int32(length ?? -1))
    case .bpchar(let length):
      writer.put(bpcharTag)
      writer.put(Int32(length ?? -1))
    case .array(let element):
      writer.put(arrayTag)
      put(element, &writer)
    default:
      guard let place = plainTypes.firstIndex(of: type) else { preconditionFailure("a type the codec does not know") }
      writer.put(UInt8(place))
    }
  }

  private static func type(_ reader: inout RecordReader, depth: Int) throws(Fault) -> DataType {
    let tag = try reader.integer(UInt8.self)
    switch tag {
    case numericTag:
      let precision = Int(try reader.integer(Int32.self))
      let scale = Int(try reader.integer(Int32.self))
      return precision >= 1 && scale >= 0
        ? .numeric(DataType.NumericModifier(precision: precision, scale: scale)) : .numeric(nil)
    case varcharTag, bpcharTag:
      let length = Int(try reader.integer(Int32.self))
      return tag == varcharTag ? .varchar(length < 0 ? nil : length) : .bpchar(length < 0 ? nil : length)
    case arrayTag:
      guard depth == 0 else { throw .corrupt("a stored type is an array of arrays") }
      return .array(try type(&reader, depth: 1))
    default:
      guard plainTypes.indices.contains(Int(tag)) else { throw .corrupt("a stored type has the unknown tag \(tag)") }
      return plainTypes[Int(tag)]
    }
  }
}
