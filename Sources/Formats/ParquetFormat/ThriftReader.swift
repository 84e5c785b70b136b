// Thrift compact protocol, reading. Specification: apache/thrift doc/specs/thrift-compact-protocol.md.
//
//   struct   field*, stop(0x00)
//   field    delta(4 bits) type(4 bits) | 0(4 bits) type(4 bits) zigzag(id), then the value; a boolean is in the type
//   list     size(4 bits) type(4 bits) | 15(4 bits) type(4 bits) varint(size)
//   binary   varint(length) bytes
//
// The input is hostile: every length is compared with the bytes that are left, nesting has a limit, and a count can not
// be larger than the bytes that could hold its elements.

import Bedrock

/// A field header.
struct ThriftField {
  let id: Int16
  let type: UInt8
}

/// A cursor over thrift bytes.
struct ThriftReader: ~Escapable {
  private let bytes: RawSpan
  private(set) var offset = 0
  private var depth = 0
  static let depthMax = Limits.parquetDepthMax

  static let booleanTrue: UInt8 = 1, booleanFalse: UInt8 = 2, byte: UInt8 = 3, int16: UInt8 = 4, int32: UInt8 = 5
  static let int64: UInt8 = 6, double: UInt8 = 7, binary: UInt8 = 8, list: UInt8 = 9, set: UInt8 = 10, map: UInt8 = 11
  static let structure: UInt8 = 12

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan) { self.bytes = bytes }

  private var remaining: Int { bytes.byteCount - offset }

  private static func damaged(_ what: String) -> Fault { Fault.corrupt("Parquet metadata is damaged: \(what)") }

  private mutating func readByte() throws(Fault) -> UInt8 {
    guard offset < bytes.byteCount else { throw Self.damaged("it ends too early") }
    let value = bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    offset += 1
    return value
  }

  private mutating func varint() throws(Fault) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while shift < 64 {
      let byte = try readByte()
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw Self.damaged("a number is too long")
  }

  private mutating func zigzag() throws(Fault) -> Int64 {
    let raw = try varint()
    return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
  }

  /// Begins a struct; every `enter` has its `leave`.
  mutating func enter() throws(Fault) {
    depth += 1
    guard depth <= Self.depthMax else { throw Self.damaged("it is nested too deeply") }
  }
  mutating func leave() { depth -= 1 }

  /// The next field of the struct, or `nil` at its end. `last` is the id of the field before.
  mutating func nextField(after last: inout Int16) throws(Fault) -> ThriftField? {
    let header = try readByte()
    if header == 0 { return nil }
    let delta = Int16(header >> 4)
    let id: Int16
    if delta == 0 {
      guard let long = Int16(exactly: try zigzag()) else { throw Self.damaged("a field number is out of range") }
      id = long
    } else {
      let (sum, overflow) = last.addingReportingOverflow(delta)
      guard !overflow else { throw Self.damaged("a field number is out of range") }
      id = sum
    }
    last = id
    return ThriftField(id: id, type: header & 0x0F)
  }

  func boolean(_ field: ThriftField) throws(Fault) -> Bool {
    guard field.type == Self.booleanTrue || field.type == Self.booleanFalse else {
      throw Self.damaged("field \(field.id) is not a boolean")
    }
    return field.type == Self.booleanTrue
  }

  /// Any integer field.
  mutating func integer(_ field: ThriftField) throws(Fault) -> Int64 {
    switch field.type {
    case Self.byte: return Int64(Int8(bitPattern: try readByte()))
    case Self.int16, Self.int32, Self.int64: return try zigzag()
    default: throw Self.damaged("field \(field.id) is not an integer")
    }
  }

  mutating func int32(_ field: ThriftField) throws(Fault) -> Int32 {
    guard let value = Int32(exactly: try integer(field)) else {
      throw Self.damaged("field \(field.id) does not fit 32 bits")
    }
    return value
  }

  /// An integer that counts or measures something: not negative.
  mutating func count(_ field: ThriftField) throws(Fault) -> Int {
    let value = try integer(field)
    guard value >= 0 else { throw Self.damaged("field \(field.id) is negative") }
    return Int(value)
  }

  private mutating func length() throws(Fault) -> Int {
    let length = try varint()
    guard length <= UInt64(remaining) else { throw Self.damaged("a length is larger than the data") }
    return Int(length)
  }

  /// The bytes of a binary field.
  mutating func bytes(_ field: ThriftField) throws(Fault) -> [UInt8] {
    guard field.type == Self.binary else { throw Self.damaged("field \(field.id) is not a string") }
    return try bytesValue()
  }

  /// The bytes of a binary list element.
  mutating func bytesValue() throws(Fault) -> [UInt8] {
    let length = try length()
    let part = bytes.extracting(offset..<(offset + length))
    offset += length
    return part.withUnsafeBytes { Array($0) }
  }

  mutating func string(_ field: ThriftField) throws(Fault) -> String {
    let value = try bytes(field)
    guard let text = String(validating: value, as: UTF8.self) else {
      throw Self.damaged("field \(field.id) is not UTF-8")
    }
    return text
  }

  /// The element type and count of a list. The count is at most the bytes left.
  mutating func listHeader(_ field: ThriftField) throws(Fault) -> (type: UInt8, count: Int) {
    guard field.type == Self.list || field.type == Self.set else { throw Self.damaged("field \(field.id) is not a list") }
    return try listHeaderValue()
  }

  private mutating func listHeaderValue() throws(Fault) -> (type: UInt8, count: Int) {
    let header = try readByte()
    let count = header >> 4 == 15 ? try length() : Int(header >> 4)
    guard count <= remaining else { throw Self.damaged("a list is longer than the data") }
    return (header & 0x0F, count)
  }

  /// A list of structs: its count.
  mutating func structList(_ field: ThriftField) throws(Fault) -> Int {
    let (type, count) = try listHeader(field)
    guard type == Self.structure || count == 0 else { throw Self.damaged("field \(field.id) is not a list of structs") }
    return count
  }

  mutating func integerList(_ field: ThriftField) throws(Fault) -> [Int64] {
    let (type, count) = try listHeader(field)
    guard (type >= Self.int16 && type <= Self.int64) || count == 0 else {
      throw Self.damaged("field \(field.id) is not a list of integers")
    }
    var values: [Int64] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(try zigzag()) }
    return values
  }

  mutating func booleanList(_ field: ThriftField) throws(Fault) -> [Bool] {
    let (type, count) = try listHeader(field)
    guard type == Self.booleanTrue || type == Self.booleanFalse || count == 0 else {
      throw Self.damaged("field \(field.id) is not a list of booleans")
    }
    var values: [Bool] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(try readByte() == 1) }
    return values
  }

  mutating func bytesList(_ field: ThriftField) throws(Fault) -> [[UInt8]] {
    let (type, count) = try listHeader(field)
    guard type == Self.binary || count == 0 else { throw Self.damaged("field \(field.id) is not a list of strings") }
    var values: [[UInt8]] = []
    for _ in 0..<count { values.append(try bytesValue()) }
    return values
  }

  /// Requires the field to be a struct, so that the caller may `enter` it.
  func expectStruct(_ field: ThriftField) throws(Fault) {
    guard field.type == Self.structure else { throw Self.damaged("field \(field.id) is not a struct") }
  }

  /// Passes over a field of no interest.
  mutating func skip(_ field: ThriftField) throws(Fault) {
    if field.type == Self.booleanTrue || field.type == Self.booleanFalse { return }
    try skipValue(field.type)
  }

  private mutating func skipValue(_ type: UInt8) throws(Fault) {
    switch type {
    case Self.booleanTrue, Self.booleanFalse, Self.byte: _ = try readByte()
    case Self.int16, Self.int32, Self.int64: _ = try varint()
    case Self.double:
      guard remaining >= 8 else { throw Self.damaged("it ends too early") }
      offset += 8
    case Self.binary:
      let length = try length()
      offset += length
    case Self.list, Self.set:
      try enter()
      let (element, count) = try listHeaderValue()
      for _ in 0..<count { try skipValue(element) }
      leave()
    case Self.map:
      try enter()
      let count = try length()
      if count > 0 {
        let types = try readByte()
        for _ in 0..<count {
          try skipValue(types >> 4)
          try skipValue(types & 0x0F)
        }
      }
      leave()
    case Self.structure:
      try enter()
      var last: Int16 = 0
      while let field = try nextField(after: &last) { try skip(field) }
      leave()
    default: throw Self.damaged("a field has the unknown type \(type)")
    }
  }
}
