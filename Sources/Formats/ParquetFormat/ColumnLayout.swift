// How a column of a SQL type lies in a file that we write ("open" profile: what every reader of Parquet understands).
//
//   boolean                    BOOLEAN
//   int2, int4, date           INT32 (INT(16), none, DATE)
//   int8                       INT64
//   time                       INT64 TIME(MICROS, local); plain INT64 in a Delta table, which has no such type
//   timestamptz, timestamp     INT64 TIMESTAMP(MICROS, UTC or local)
//   float4, float8             FLOAT, DOUBLE
//   numeric(p, s)              INT32 to p = 9, INT64 to 18, then FIXED_LEN_BYTE_ARRAY; DECIMAL(p, s)
//   text, varchar, json, jsonb BYTE_ARRAY STRING
//   numeric, interval          BYTE_ARRAY STRING, ValueText.swift
//   uuid                       BYTE_ARRAY STRING, 36 characters (Delta has no uuid)
//   bytea                      BYTE_ARRAY

import Bedrock
import Columnar

struct ColumnLayout {
  let type: DataType
  let physical: ParquetType
  let typeLength: Int
  let logical: ParquetLogicalType
  let precision: Int
  let scale: Int

  var isFloating: Bool { physical == .float || physical == .double }
  var isText: Bool { logical == .string }
  /// Delta coding is for whole numbers.
  var isInteger: Bool { physical == .int32 || physical == .int64 }

  private init(
    _ type: DataType, _ physical: ParquetType, _ logical: ParquetLogicalType = .none, typeLength: Int = 0,
    precision: Int = 0, scale: Int = 0
  ) {
    self.type = type
    self.physical = physical
    self.logical = logical
    self.typeLength = typeLength
    self.precision = precision
    self.scale = scale
  }

  /// Bounds of the values in the file are bounds of the SQL values.
  var isOrdered: Bool {
    switch type {
    case .numeric(nil), .interval: false
    default: true
    }
  }

  init(_ column: ParquetColumn, timesAsIntegers: Bool = false) throws(Fault) {
    let type = column.type
    switch type {
    case .boolean: self.init(type, .boolean)
    case .int2: self.init(type, .int32, .integer(bitWidth: 16, signed: true))
    case .int4: self.init(type, .int32)
    case .date: self.init(type, .int32, .date)
    case .int8: self.init(type, .int64)
    case .time: self.init(type, .int64, timesAsIntegers ? .none : .time(.micros))
    case .timestamp: self.init(type, .int64, .timestamp(.micros, utc: false))
    case .timestamptz: self.init(type, .int64, .timestamp(.micros, utc: true))
    case .float4: self.init(type, .float)
    case .float8: self.init(type, .double)
    case .text, .varchar, .bpchar, .name, .json, .jsonb, .uuid: self.init(type, .byteArray, .string)
    case .bytea: self.init(type, .byteArray)
    case .numeric(let modifier?):
      let precision = modifier.precision, scale = modifier.scale
      guard precision <= 38, scale <= precision else {
        throw Fault.unsupported("numeric(\(precision), \(scale)) in a Parquet file", hint: "Use at most 38 digits.")
      }
      let physical: ParquetType = precision <= 9 ? .int32 : precision <= 18 ? .int64 : .fixedLenByteArray
      self.init(
        type, physical, .decimal(precision: precision, scale: scale),
        typeLength: physical == .fixedLenByteArray ? Self.decimalByteCount(precision) : 0, precision: precision,
        scale: scale)
    case .numeric(nil), .interval: self.init(type, .byteArray, .string)
    default: throw Fault.unsupported("the type \(type) of column \(column.name) in a Parquet file")
    }
  }

  /// The fewest bytes that hold every number of `precision` digits with its sign.
  private static func decimalByteCount(_ precision: Int) -> Int {
    var power: UInt128 = 1
    for _ in 0..<precision { power *= 10 }
    return (UInt128.bitWidth - (power - 1).leadingZeroBitCount) / 8 + 1
  }
}

extension ColumnLayout {
  /// The column in the physical form of the file: fixed values of 1, 4 or 8 bytes, or bytes (flat or dictionary).
  func physicalColumn(_ column: Column) throws(Fault) -> Column {
    switch type {
    case .numeric(nil), .interval: return ValueText.column(column)
    case .numeric: return try decimals(column.flat())
    case .uuid: return Self.uuidTexts(column.flat())
    default: break
    }
    guard type.physical == .bytes else { return column.flat() }
    switch column.form {
    case .constant(let one) where one.validity == nil:
      let codes = Buffer(byteCount: column.count * 4)
      return Column(
        type: column.type, count: column.count, validity: nil,
        form: .dictionary(codes: codes, dictionary: ColumnDictionary(one.flat())))
    case .dictionary(let codes, let dictionary):
      if case .bytes = dictionary.values.form { return column }
      return Column(
        type: column.type, count: column.count, validity: column.validity,
        form: .dictionary(codes: codes, dictionary: ColumnDictionary(dictionary.values.flat())))
    default: return column.flat()
    }
  }

  private func decimals(_ column: Column) throws(Fault) -> Column {
    let source = column.numerics
    var limit: Int128 = 1
    for _ in 0..<precision { limit *= 10 }
    var coefficients = [Int128](repeating: 0, count: column.count)
    for row in 0..<column.count {
      guard let value = rescale(source[row]), value < limit, value > -limit else {
        throw Fault(
          .numericValueOutOfRange, "numeric field overflow",
          detail: "A field with precision \(precision), scale \(scale) can not hold a value exactly.")
      }
      coefficients[row] = value
    }
    let values = coefficients.span
    switch physical {
    case .int32:
      let buffer = Buffer.of(Int32.self, count: column.count) { out in
        for row in 0..<values.count { out[row] = Int32(truncatingIfNeeded: values[row]) }
      }
      return .fixed(.int4, count: column.count, validity: column.validity, buffer)
    case .int64:
      let buffer = Buffer.of(Int64.self, count: column.count) { out in
        for row in 0..<values.count { out[row] = Int64(truncatingIfNeeded: values[row]) }
      }
      return .fixed(.int8, count: column.count, validity: column.validity, buffer)
    default:
      let width = typeLength
      return Self.fixedBytes(column, width: width) { row, out in
        for index in 0..<width {
          out[index] = UInt8(truncatingIfNeeded: values[row] >> Int128((width - 1 - index) * 8))
        }
      }
    }
  }

  /// The coefficient at our scale; `nil` when digits would be lost.
  private func rescale(_ value: Numeric) -> Int128? {
    if value.isNaN { return nil }
    var coefficient = value.coefficient
    var from = value.scale
    while from < scale {
      let (product, overflow) = coefficient.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      coefficient = product
      from += 1
    }
    while from > scale {
      let (quotient, remainder) = coefficient.quotientAndRemainder(dividingBy: 10)
      if remainder != 0 { return nil }
      coefficient = quotient
      from -= 1
    }
    return coefficient
  }

  /// A bytes column in which each row, nulls too, has `width` bytes; the writer takes only rows that have a value.
  @inline(__always)
  private static func fixedBytes(
    _ column: Column, width: Int, fill: (Int, UnsafeMutablePointer<UInt8>) -> Void
  ) -> Column {
    let offsets = Buffer.of(Int32.self, count: column.count + 1) { out in
      for row in 0...column.count { out[row] = Int32(row * width) }
    }
    let data = OpenBuffer(byteCount: column.count * width)
    let base = data.base.assumingMemoryBound(to: UInt8.self)
    for row in 0..<column.count { fill(row, base + row * width) }
    return Column(
      type: .bytea, count: column.count, validity: column.validity, form: .bytes(offsets: offsets, data: data.close()))
  }

  private static func uuidTexts(_ column: Column) -> Column {
    let source = column.values(UUIDValue.self)
    return fixedBytes(column, width: 36) { row, out in
      let value = source[row]
      let words = (UInt64(bigEndian: value.high), UInt64(bigEndian: value.low))
      var at = 0
      for digit in 0..<32 {
        if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
          out[at] = 0x2D
          at += 1
        }
        let word = digit < 16 ? words.0 : words.1
        let nibble = UInt8(truncatingIfNeeded: word >> UInt64((15 - (digit & 15)) * 4) & 0xF)
        out[at] = nibble < 10 ? 0x30 + nibble : 0x57 + nibble
        at += 1
      }
    }
  }
}
