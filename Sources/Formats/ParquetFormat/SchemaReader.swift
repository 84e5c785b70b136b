// The schema: a tree in depth-first order, flattened here into its leaves with their definition and repetition levels.

import Bedrock

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
  }

  private static func damaged(_ what: String) -> Fault { Fault.corrupt("a Parquet schema is damaged: \(what)") }

  static func read(_ reader: inout ThriftReader, _ field: ThriftField) throws(Fault) -> [ParquetLeaf] {
    let count = try reader.structList(field)
    guard count >= 2, count <= ParquetLimits.schemaElementsMax else { throw damaged("it has \(count) elements") }
    var elements: [Element] = []
    elements.reserveCapacity(count)
    for _ in 0..<count { elements.append(try readElement(&reader)) }
    var leaves: [ParquetLeaf] = []
    var next = 1
    for _ in 0..<(elements[0].childCount ?? 0) {
      try walk(elements, &next, path: [], definition: 0, repetition: 0, into: &leaves)
    }
    guard next == count else { throw damaged("its tree does not use every element") }
    guard !leaves.isEmpty else { throw damaged("it has no columns") }
    guard leaves.count <= Limits.parquetColumnsMax else {
      throw Fault(.programLimitExceeded, "a Parquet file of \(leaves.count) columns is over the limit")
    }
    return leaves
  }

  private static func walk(
    _ elements: [Element], _ next: inout Int, path: [String], definition: Int, repetition: Int,
    into leaves: inout [ParquetLeaf]
  ) throws(Fault) {
    guard next < elements.count else { throw damaged("a group lacks children") }
    guard path.count < Limits.parquetDepthMax else { throw damaged("it is nested too deeply") }
    let element = elements[next]
    next += 1
    let path = path + [element.name]
    guard (0...2).contains(element.repetition) else { throw damaged("an unknown repetition") }
    let definition = definition + (element.repetition == 0 ? 0 : 1)
    let repetition = repetition + (element.repetition == 2 ? 1 : 0)
    if let children = element.childCount, element.type == nil {
      for _ in 0..<children {
        try walk(elements, &next, path: path, definition: definition, repetition: repetition, into: &leaves)
      }
      return
    }
    guard let number = element.type, let physical = ParquetType(rawValue: number) else {
      throw damaged("column \(element.name) has no known type")
    }
    if physical == .fixedLenByteArray {
      guard element.typeLength > 0, element.typeLength <= Limits.parquetPageBytesMax else {
        throw damaged("column \(element.name) has a length of \(element.typeLength)")
      }
    }
    leaves.append(
      ParquetLeaf(
        path: path, physical: physical, typeLength: physical == .fixedLenByteArray ? element.typeLength : 0,
        logical: try logical(element), maxDefinition: definition, maxRepetition: repetition, fieldID: element.fieldID))
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
        element.logical = try readLogical(&reader)
      default: try reader.skip(field)
      }
    }
    reader.leave()
    return element
  }

  private static func logical(_ element: Element) throws(Fault) -> ParquetLogicalType {
    var logical = element.logical ?? fromConverted(element)
    if case .decimal(let precision, let scale) = logical {
      guard (1...38).contains(precision), scale <= precision else {
        throw Fault.unsupported("decimal(\(precision), \(scale)) of Parquet column \(element.name)")
      }
    }
    if case .other = logical, element.converted != nil { logical = fromConverted(element) }
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
    case 21: .other("INTERVAL")
    default: .none
    }
  }

  private static func readLogical(_ reader: inout ThriftReader) throws(Fault) -> ParquetLogicalType {
    var result = ParquetLogicalType.none
    var last: Int16 = 0
    try reader.enter()
    while let field = try reader.nextField(after: &last) {
      try reader.expectStruct(field)
      switch field.id {
      case 5, 7, 8, 10: result = try readParameters(&reader, case: field.id)
      default:
        try reader.skip(field)
        result = simpleCase(field.id)
      }
    }
    reader.leave()
    return result
  }

  private static func simpleCase(_ id: Int16) -> ParquetLogicalType {
    switch id {
    case 1: .string
    case 4: .enumeration
    case 6: .date
    case 11: .unknown
    case 12: .json
    case 13: .bson
    case 14: .uuid
    case 15: .float16
    case 16: .other("VARIANT")
    case 17: .other("GEOMETRY")
    case 18: .other("GEOGRAPHY")
    default: .other("logical type \(id)")
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
