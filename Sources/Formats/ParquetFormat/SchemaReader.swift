// The schema: a tree in depth-first order. Read into its nodes, and flattened into its leaves with their definition and
// repetition levels.

import Bedrock
import Columnar

enum SchemaReader {
  private struct Element {
    var type: Int32?
    var typeLength = 0
    var repetition: Int32 = 0
    var name = ""
    var childCount: Int?
    var converted: Int32?
    var scale = 0
    var precision = 0
    var fieldID: Int32?
    var logical: ParquetLogicalType?
    var group: ParquetField.Group?
  }

  private static func damaged(_ what: String) -> Fault { Fault.corrupt("a Parquet schema is damaged: \(what)") }

  static func read(
    _ reader: inout ThriftReader, _ field: ThriftField
  ) throws(Fault) -> (leaves: [ParquetLeaf], fields: [ParquetField]) {
    let count = try reader.structList(field)
    guard count >= 1, count <= ParquetLimits.schemaElementsMax else { throw damaged("it has \(count) elements") }
    var elements: [Element] = []
    elements.reserveCapacity(count)
    for _ in 0..<count { elements.append(try readElement(&reader)) }
    var leaves: [ParquetLeaf] = [], fields: [ParquetField] = []
    var next = 1
    for _ in 0..<(elements[0].childCount ?? 0) {
      fields.append(try walk(elements, &next, path: [], definition: 0, repetition: 0, into: &leaves))
    }
    guard next == count else { throw damaged("its tree does not use every element") }
    guard leaves.count <= Limits.parquetColumnsMax else {
      throw Fault(.programLimitExceeded, "a Parquet file of \(leaves.count) columns is over the limit")
    }
    return (leaves, fields)
  }

  private static func walk(
    _ elements: [Element], _ next: inout Int, path: [String], definition: Int, repetition: Int,
    into leaves: inout [ParquetLeaf]
  ) throws(Fault) -> ParquetField {
    guard next < elements.count else { throw damaged("a group lacks children") }
    guard path.count < Limits.parquetDepthMax else { throw damaged("it is nested too deeply") }
    let element = elements[next]
    next += 1
    let path = path + [element.name]
    guard let kind = ParquetField.Repetition(rawValue: element.repetition) else {
      throw damaged("an unknown repetition")
    }
    let definition = definition + (kind == .required ? 0 : 1)
    let repetition = repetition + (kind == .repeated ? 1 : 0)
    let first = leaves.count
    var children: [ParquetField] = []
    let isLeaf = element.type != nil || element.childCount == nil
    if isLeaf {
      leaves.append(try leaf(element, path: path, definition: definition, repetition: repetition))
    } else {
      for _ in 0..<(element.childCount ?? 0) {
        children.append(
          try walk(elements, &next, path: path, definition: definition, repetition: repetition, into: &leaves))
      }
    }
    var field = ParquetField(
      name: element.name, fieldID: element.fieldID, repetition: kind, group: isLeaf ? nil : group(element),
      children: children, leaves: first..<leaves.count, maxDefinition: definition, maxRepetition: repetition,
      type: .jsonb)
    field.type = NestedNode(field).type(leaves)
    return field
  }

  private static func group(_ element: Element) -> ParquetField.Group {
    if let group = element.group { return group }
    switch element.converted {
    case 1, 2: return .map
    case 3: return .list
    default: return .structure
    }
  }

  private static func leaf(
    _ element: Element, path: [String], definition: Int, repetition: Int
  ) throws(Fault) -> ParquetLeaf {
    guard let number = element.type, let physical = ParquetType(rawValue: number) else {
      throw damaged("column \(element.name) has no known type")
    }
    if physical == .fixedLenByteArray {
      guard element.typeLength > 0, element.typeLength <= Limits.parquetPageBytesMax else {
        throw damaged("column \(element.name) has a length of \(element.typeLength)")
      }
    }
    return ParquetLeaf(
      path: path, physical: physical, typeLength: physical == .fixedLenByteArray ? element.typeLength : 0,
      logical: logical(element), maxDefinition: definition, maxRepetition: repetition, fieldID: element.fieldID)
  }

  private static func readElement(_ reader: inout ThriftReader) throws(Fault) -> Element {
    var element = Element()
    var last: Int16 = 0
    try reader.enter()
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 1: element.type = try reader.int32(field)
      case 2: element.typeLength = try reader.count(field)
      case 3: element.repetition = try reader.int32(field)
      case 4: element.name = try reader.string(field)
      case 5: element.childCount = try reader.count(field)
      case 6: element.converted = try reader.int32(field)
      case 7: element.scale = try reader.count(field)
      case 8: element.precision = try reader.count(field)
      case 9: element.fieldID = try reader.int32(field)
      case 10:
        try reader.expectStruct(field)
        try readLogical(&reader, &element)
      default: try reader.skip(field)
      }
    }
    reader.leave()
    return element
  }

  /// The new annotation counts before the old one; one that says nothing this reader knows, or that does not fit, leaves
  /// the physical type.
  private static func logical(_ element: Element) -> ParquetLogicalType {
    let logical = element.logical ?? fromConverted(element)
    if case .decimal(let precision, let scale) = logical {
      if precision < 1 || scale > precision || scale > Numeric.scaleMax {
        return .other("DECIMAL(\(precision), \(scale))")
      }
    }
    return logical
  }

  private static func fromConverted(_ element: Element) -> ParquetLogicalType {
    switch element.converted {
    case 0: .string
    case 4: .enumeration
    case 5: .decimal(precision: element.precision, scale: element.scale)
    case 6: .date
    case 7: .time(.millis)
    case 8: .time(.micros)
    case 9: .timestamp(.millis, utc: true)
    case 10: .timestamp(.micros, utc: true)
    case 11: .integer(bitWidth: 8, signed: false)
    case 12: .integer(bitWidth: 16, signed: false)
    case 13: .integer(bitWidth: 32, signed: false)
    case 14: .integer(bitWidth: 64, signed: false)
    case 15: .integer(bitWidth: 8, signed: true)
    case 16: .integer(bitWidth: 16, signed: true)
    case 17: .integer(bitWidth: 32, signed: true)
    case 18: .integer(bitWidth: 64, signed: true)
    case 19: .json
    case 20: .bson
    case 21: .interval
    default: .none
    }
  }

  private static func readLogical(_ reader: inout ThriftReader, _ element: inout Element) throws(Fault) {
    var last: Int16 = 0
    try reader.enter()
    while let field = try reader.nextField(after: &last) {
      try reader.expectStruct(field)
      switch field.id {
      case 5, 7, 8, 10: element.logical = try readParameters(&reader, case: field.id)
      default:
        try reader.skip(field)
        switch field.id {
        case 2: element.group = .map
        case 3: element.group = .list
        case 16: element.group = .variant
        // Unknown ones say nothing; an old annotation beside them still counts.
        default: element.logical = simpleCase(field.id)
        }
      }
    }
    reader.leave()
  }

  private static func simpleCase(_ id: Int16) -> ParquetLogicalType? {
    switch id {
    case 1: .string
    case 4: .enumeration
    case 6: .date
    case 11: .unknown
    case 12: .json
    case 13: .bson
    case 14: .uuid
    case 15: .float16
    case 17: .geometry
    case 18: .geography
    default: nil
    }
  }

  /// The structs DecimalType, TimeType, TimestampType and IntType.
  private static func readParameters(
    _ reader: inout ThriftReader, case id: Int16
  ) throws(Fault) -> ParquetLogicalType {
    var number = [0, 0]
    var flag = false
    var unit = ParquetLogicalType.Unit.micros
    var last: Int16 = 0
    try reader.enter()
    while let field = try reader.nextField(after: &last) {
      switch (id, field.id) {
      case (5, 1), (5, 2): number[Int(field.id) - 1] = try reader.count(field)
      case (10, 1): number[0] = try reader.count(field)
      case (10, 2), (7, 1), (8, 1): flag = try reader.boolean(field)
      case (7, 2), (8, 2):
        try reader.expectStruct(field)
        unit = try readUnit(&reader)
      default: try reader.skip(field)
      }
    }
    reader.leave()
    switch id {
    case 5: return .decimal(precision: number[1], scale: number[0])
    case 7: return .time(unit)
    case 8: return .timestamp(unit, utc: flag)
    default: return .integer(bitWidth: number[0], signed: flag)
    }
  }

  private static func readUnit(_ reader: inout ThriftReader) throws(Fault) -> ParquetLogicalType.Unit {
    var unit = ParquetLogicalType.Unit.micros
    var last: Int16 = 0
    try reader.enter()
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 1: unit = .millis
      case 2: unit = .micros
      case 3: unit = .nanos
      default: throw damaged("an unknown unit of time")
      }
      try reader.skip(field)
    }
    reader.leave()
    return unit
  }
}
