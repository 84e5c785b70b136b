// Avro values and their binary form. Apache Avro 1.12 specification, "Binary Encoding".
//
//   int, long       zig-zag, then 7 bits a byte, lowest first
//   float, double   little-endian
//   bytes, string   length as long, bytes
//   array, map      blocks: count as long (negative: |count| and a length in bytes follow), items; a count of 0 ends
//   union           index of the branch as int, value
//   record          its fields one after the other
//
// Reading never trusts a count: every value takes one from a budget, because an item may have no bytes at all.

package import Bedrock

package enum AvroValue: Hashable, Sendable {
  case null
  case boolean(Bool)
  /// int and long.
  case integer(Int64)
  /// Bits of a float or a double, so that equal means equal bytes.
  case float(UInt32)
  case double(UInt64)
  /// bytes and fixed.
  case bytes([UInt8])
  case string(String)
  /// Index of the symbol.
  case symbol(Int)
  case array([AvroValue])
  case map([AvroMapEntry])
  /// The branch and its value.
  indirect case union(Int, AvroValue)
  case record([AvroValue])

  /// The value of a union of null and something: the something, or nil.
  package var some: AvroValue? {
    switch self {
    case .null: nil
    case .union(_, let value): value.some
    default: self
    }
  }
  package var integer: Int64? {
    if case .integer(let value)? = some { return value }
    return nil
  }
  package var string: String? {
    if case .string(let value)? = some { return value }
    return nil
  }
  package var bytes: [UInt8]? {
    if case .bytes(let value)? = some { return value }
    return nil
  }
  package var array: [AvroValue]? {
    if case .array(let value)? = some { return value }
    return nil
  }
  package var record: [AvroValue]? {
    if case .record(let value)? = some { return value }
    return nil
  }

  /// A value of a union of null and something.
  package static func optional(_ value: AvroValue?) -> AvroValue { value.map { .union(1, $0) } ?? .union(0, .null) }
}

package struct AvroMapEntry: Hashable, Sendable {
  package let key: String
  package let value: AvroValue
  package init(key: String, value: AvroValue) {
    self.key = key
    self.value = value
  }
}

/// Appends values in binary form.
package struct AvroEncoder {
  package private(set) var bytes: [UInt8] = []
  package init() {}

  package mutating func long(_ value: Int64) {
    var rest = UInt64(bitPattern: value &<< 1 ^ value &>> 63)
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  package mutating func raw(_ more: [UInt8]) { bytes += more }

  package mutating func bytes(_ value: [UInt8]) {
    long(Int64(value.count))
    bytes += value
  }

  package mutating func string(_ value: String) { bytes(Array(value.utf8)) }

  /// Appends `value`, which has the form of `schema`; traps when it has not.
  package mutating func value(_ value: AvroValue, _ schema: AvroSchema) {
    switch (schema, value) {
    case (.null, .null): break
    case (.boolean, .boolean(let value)): bytes.append(value ? 1 : 0)
    case (.int, .integer(let value)):
      precondition(Int32(exactly: value) != nil, "an Avro int has 32 bits")
      long(value)
    case (.long, .integer(let value)): long(value)
    case (.float, .float(let bits)): for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: bits >> shift)) }
    case (.double, .double(let bits)):
      for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift))) }
    case (.bytes, .bytes(let value)): bytes(value)
    case (.string, .string(let value)): string(value)
    case (.fixed(_, let size), .bytes(let value)):
      precondition(value.count == size, "a fixed value has its size")
      bytes += value
    case (.enumeration(_, let symbols), .symbol(let index)):
      precondition(symbols.indices.contains(index), "a symbol of the enum")
      long(Int64(index))
    case (.array(let items, _, _), .array(let values)):
      if !values.isEmpty { long(Int64(values.count)) }
      for element in values { self.value(element, items) }
      long(0)
    case (.map(let schema), .map(let entries)):
      if !entries.isEmpty { long(Int64(entries.count)) }
      for entry in entries {
        string(entry.key)
        self.value(entry.value, schema)
      }
      long(0)
    case (.union(let branches), .union(let index, let value)):
      precondition(branches.indices.contains(index), "a branch of the union")
      long(Int64(index))
      self.value(value, branches[index])
    case (.record(_, let fields), .record(let values)):
      precondition(fields.count == values.count, "a record has a value for each field")
      for (field, value) in zip(fields, values) { self.value(value, field.schema) }
    default: preconditionFailure("a value of another form than its Avro schema")
    }
  }
}

/// Reads values in binary form from the front of some bytes.
package struct AvroDecoder {
  private let source: ArraySlice<UInt8>
  private var at: Int
  private var budget: Int

  /// - Parameter valuesMax: how many values, nested ones counted, may be read in all.
  package init(_ source: ArraySlice<UInt8>, valuesMax: Int) {
    self.source = source
    at = source.startIndex
    budget = valuesMax
  }

  package var isAtEnd: Bool { at == source.endIndex }
  /// Values that may still be read.
  var valuesLeft: Int { budget }

  private mutating func take(_ count: Int) throws(Fault) -> ArraySlice<UInt8> {
    guard count >= 0, count <= source.endIndex - at else { throw Fault.corrupt("an Avro value is cut off") }
    defer { at += count }
    return source[at..<at + count]
  }

  package mutating func raw(_ count: Int) throws(Fault) -> [UInt8] { Array(try take(count)) }

  package mutating func long() throws(Fault) -> Int64 {
    var result: UInt64 = 0
    for shift in stride(from: 0, to: 70, by: 7) {
      guard at < source.endIndex else { throw Fault.corrupt("an Avro value is cut off") }
      let byte = source[at]
      at += 1
      if shift == 63 && byte > 1 { break }
      result |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte < 0x80 { return Int64(bitPattern: result >> 1) ^ -Int64(bitPattern: result & 1) }
    }
    throw Fault.corrupt("an Avro number has more than 64 bits")
  }

  package mutating func byteString() throws(Fault) -> [UInt8] {
    guard let count = Int(exactly: try long()) else { throw Fault.corrupt("an Avro length is out of range") }
    return try raw(count)
  }

  package mutating func string() throws(Fault) -> String {
    guard let text = String(validating: try byteString(), as: UTF8.self) else {
      throw Fault.corrupt("an Avro string is not UTF-8")
    }
    return text
  }

  /// The number of items of the next block; nil at the end of the array or map.
  package mutating func blockCount() throws(Fault) -> Int64? {
    let count = try long()
    if count == 0 { return nil }
    if count > 0 { return count }
    guard count != .min else { throw Fault.corrupt("an Avro block count is out of range") }
    _ = try long()
    return -count
  }

  package mutating func value(_ schema: AvroSchema) throws(Fault) -> AvroValue {
    budget -= 1
    guard budget >= 0 else { throw Fault(.programLimitExceeded, "an Avro block has too many values") }
    switch schema {
    case .null: return .null
    case .boolean:
      let byte = try take(1).first ?? 0
      guard byte <= 1 else { throw Fault.corrupt("an Avro boolean is neither 0 nor 1") }
      return .boolean(byte == 1)
    case .int:
      let value = try long()
      guard Int32(exactly: value) != nil else { throw Fault.corrupt("an Avro int has more than 32 bits") }
      return .integer(value)
    case .long: return .integer(try long())
    case .float: return .float(UInt32(truncatingIfNeeded: Self.littleEndian(try take(4))))
    case .double: return .double(Self.littleEndian(try take(8)))
    case .bytes: return .bytes(try byteString())
    case .string: return .string(try string())
    case .fixed(_, let size): return .bytes(try raw(size))
    case .enumeration(_, let symbols):
      guard let index = Int(exactly: try long()), symbols.indices.contains(index) else {
        throw Fault.corrupt("an Avro enum has no such symbol")
      }
      return .symbol(index)
    case .array(let items, _, _):
      var values: [AvroValue] = []
      while var left = try blockCount() {
        while left > 0 {
          values.append(try value(items))
          left -= 1
        }
      }
      return .array(values)
    case .map(let schema):
      var entries: [AvroMapEntry] = []
      while var left = try blockCount() {
        while left > 0 {
          let key = try string()
          entries.append(AvroMapEntry(key: key, value: try value(schema)))
          left -= 1
        }
      }
      return .map(entries)
    case .union(let branches):
      guard let index = Int(exactly: try long()), branches.indices.contains(index) else {
        throw Fault.corrupt("an Avro union has no such branch")
      }
      return .union(index, try value(branches[index]))
    case .record(_, let fields):
      var values: [AvroValue] = []
      values.reserveCapacity(fields.count)
      for field in fields { values.append(try value(field.schema)) }
      return .record(values)
    }
  }

  private static func littleEndian(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
