// The binary forms of values (PostgreSQL's *_send and *_recv functions), both ways.
//
//   date          Int32 days since 2000-01-01       timestamp[tz]  Int64 µs since 2000-01-01 UTC
//   time          Int64 µs                          interval       Int64 µs, Int32 days, Int32 months
//   numeric       Int16 ndigits, weight, sign (0x0000 + , 0x4000 -, 0xC000 NaN), dscale; ndigits base-10000 digits
//   array         Int32 dimensions, Int32 has-null, oid, { Int32 length, Int32 lower bound }*, { Int32 length, bytes }*
//
// Inside Cramped the epoch of dates and timestamps is 1970-01-01; infinities are the extremes in both.

package import Bedrock
package import Columnar

package enum BinaryForm {
  static let numericMax = 8 + 2 * 40
  private static let epochDays: Int32 = 10_957
  private static let epochMicros: Int64 = 946_684_800_000_000

  // MARK: Storing

  @inline(__always)
  static func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    UnsafeMutableRawPointer(out).storeBytes(of: value.bigEndian, as: T.self)
    return MemoryLayout<T>.size
  }

  @inline(__always)
  static func wire(date days: Int32) -> Int32 {
    if days == .max || days == .min { return days }
    let (shifted, overflow) = days.subtractingReportingOverflow(epochDays)
    return overflow ? .min : shifted
  }

  @inline(__always)
  static func wire(timestamp micros: Int64) -> Int64 {
    if micros == .max || micros == .min { return micros }
    let (shifted, overflow) = micros.subtractingReportingOverflow(epochMicros)
    return overflow ? .min : shifted
  }

  @inline(__always)
  static func store(_ value: Interval, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    _ = store(value.micros, out)
    _ = store(value.days, out + 8)
    _ = store(value.months, out + 12)
    return 16
  }

  static func store(_ value: Numeric, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    if value.isNaN {
      _ = store(0 as Int32, out)
      _ = store(0xC000 as UInt16, out + 4)
      return 6 + store(0 as Int16, out + 6)
    }
    let scale = min(value.scale, Numeric.scaleMax)
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 48) { decimal in
      // A temporary of 48 bytes always has a base address.
      let digits = decimal.baseAddress!
      let count = NumberText.write(digitsOf: value.coefficient.magnitude, digits)
      // Decimal position p counts from the point: the first digit stands for 10^(count - scale - 1). Groups of four
      // are aligned to the point.
      let integerDigits = count - scale
      let weight = integerDigits > 0 ? (integerDigits + 3) / 4 - 1 : -((-integerDigits) / 4) - 1
      var position = (weight + 1) * 4 - integerDigits
      var group = 0
      var stored = 0
      var used = 0
      var leading = true
      var finalWeight = weight
      func put(_ value: Int) {
        if leading && value == 0 {
          finalWeight -= 1
          return
        }
        leading = false
        _ = store(Int16(value), out + 8 + 2 * stored)
        stored += 1
        if value != 0 { used = stored }
      }
      for index in 0..<count {
        group = group * 10 + Int(digits[index] - 0x30)
        position += 1
        if position == 4 {
          put(group)
          group = 0
          position = 0
        }
      }
      if position > 0 {
        for _ in position..<4 { group *= 10 }
        put(group)
      }
      _ = store(Int16(used), out)
      _ = store(used == 0 ? 0 : Int16(finalWeight), out + 2)
      _ = store(value.coefficient < 0 ? 0x4000 as UInt16 : 0, out + 4)
      _ = store(Int16(scale), out + 6)
      return 8 + 2 * used
    }
  }

  // MARK: Reading

  /// A value that came in binary form, as a Bind parameter does.
  ///
  /// Throws 08P01 when bytes are missing, 22P03 when they are wrong or too many, 22003/22008 when the value is out of
  /// range, 22021 for text that is not UTF-8.
  package static func decode(_ bytes: [UInt8], as type: DataType) throws(Fault) -> Scalar {
    var reader = MessageReader(bytes[...])
    let value = try decode(&reader, bytes, type)
    guard reader.isAtEnd else { throw incorrect }
    return value
  }

  private static var incorrect: Fault { Fault(.invalidBinaryRepresentation, "incorrect binary data format") }

  private static func decode(
    _ reader: inout MessageReader, _ bytes: [UInt8], _ type: DataType
  ) throws(Fault) -> Scalar {
    switch type {
    case .boolean: return .boolean(try reader.byte() != 0)
    case .int2: return .integer(Int64(try reader.int16()))
    case .int4: return .integer(Int64(try reader.int32()))
    case .oid, .regclass, .regtype, .regproc, .regnamespace:
      return .integer(Int64(UInt32(bitPattern: try reader.int32())))
    case .int8: return .integer(try reader.int64())
    case .float4: return .float(Double(Float(bitPattern: UInt32(bitPattern: try reader.int32()))))
    case .float8: return .float(Double(bitPattern: UInt64(bitPattern: try reader.int64())))
    case .date: return .integer(Int64(try date(try reader.int32())))
    case .time:
      let micros = try reader.int64()
      guard micros >= 0 && micros <= DatetimeText.microsPerDay else {
        throw Fault(.datetimeFieldOverflow, "time out of range")
      }
      return .integer(micros)
    case .timestamp, .timestamptz: return .integer(try timestamp(try reader.int64()))
    case .interval:
      let micros = try reader.int64()
      let days = try reader.int32()
      return .interval(Interval(months: try reader.int32(), days: days, micros: micros))
    case .uuid:
      let high = UInt64(bitPattern: try reader.int64())
      return .uuid(UUIDValue(high: high, low: UInt64(bitPattern: try reader.int64())))
    case .numeric: return .numeric(try numeric(&reader))
    case .bytea: return .bytes(reader.rest())
    case .jsonb:
      guard try reader.byte() == 1 else { throw Fault(.invalidBinaryRepresentation, "unsupported jsonb version number") }
      return .bytes(try text(reader.rest()))
    case .text, .varchar, .bpchar, .name, .internalChar, .json, .unknown, .void:
      return .bytes(try text(reader.rest()))
    case .array(let element): return try array(&reader, element)
    case .int2vector: return try array(&reader, .int2)
    case .oidvector: return try array(&reader, .oid)
    }
  }

  /// Bytes that must be UTF-8 without NUL.
  package static func text(_ bytes: [UInt8]) throws(Fault) -> [UInt8] {
    guard !bytes.contains(0), String(validating: bytes, as: UTF8.self) != nil else {
      throw Fault(.characterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\"")
    }
    return bytes
  }

  private static func date(_ wire: Int32) throws(Fault) -> Int32 {
    if wire == .max || wire == .min { return wire }
    let (days, overflow) = wire.addingReportingOverflow(epochDays)
    guard !overflow && days != .max else { throw Fault(.datetimeFieldOverflow, "date out of range") }
    return days
  }

  private static func timestamp(_ wire: Int64) throws(Fault) -> Int64 {
    if wire == .max || wire == .min { return wire }
    let (micros, overflow) = wire.addingReportingOverflow(epochMicros)
    guard !overflow && micros != .max else { throw Fault(.datetimeFieldOverflow, "timestamp out of range") }
    return micros
  }

  private static func numeric(_ reader: inout MessageReader) throws(Fault) -> Numeric {
    let count = Int(UInt16(bitPattern: try reader.int16()))
    let weight = Int(try reader.int16())
    let sign = UInt16(bitPattern: try reader.int16())
    let scale = Int(UInt16(bitPattern: try reader.int16()))
    try reader.require(count * 2)
    let tooWide = Fault(
      .numericValueOutOfRange, "numeric value out of range", detail: "At most 35 digits are supported.")
    switch sign {
    case 0, 0x4000: break
    case 0xC000: return .nan
    case 0xD000, 0xF000: throw tooWide
    default: throw Fault(.invalidBinaryRepresentation, "invalid sign in external \"numeric\" value")
    }
    guard scale <= 16_383 else { throw Fault(.invalidBinaryRepresentation, "invalid scale in external \"numeric\" value") }
    guard scale <= Numeric.scaleMax else { throw tooWide }
    // The value is the sum of digit[i] * 10000^(weight - i); the coefficient wants units of 10^-scale.
    var coefficient: Int128 = 0
    for index in 0..<count {
      let digit = try reader.int16()
      guard digit >= 0 && digit < 10_000 else {
        throw Fault(.invalidBinaryRepresentation, "invalid digit in external \"numeric\" value")
      }
      let power = 4 * (weight - index) + scale
      guard let term = scaled(Int128(digit), by: power) else { throw tooWide }
      let (sum, overflow) = coefficient.addingReportingOverflow(term)
      guard !overflow else { throw tooWide }
      coefficient = sum
    }
    guard let value = Numeric(coefficient: sign == 0x4000 ? -coefficient : coefficient, scale: scale) else {
      throw tooWide
    }
    return value
  }

  /// `digit` times ten to the power, cut towards zero for a negative power; `nil` on overflow.
  private static func scaled(_ digit: Int128, by power: Int) -> Int128? {
    if digit == 0 { return 0 }
    if power <= -4 { return 0 }
    guard power <= 40 else { return nil }
    var value = digit
    for _ in 0..<abs(power) {
      if power < 0 {
        value /= 10
      } else {
        let (product, overflow) = value.multipliedReportingOverflow(by: 10)
        if overflow { return nil }
        value = product
      }
    }
    return value
  }

  private static func array(_ reader: inout MessageReader, _ element: DataType) throws(Fault) -> Scalar {
    if case .array = element { throw .unsupported("an array of arrays") }
    let dimensions = try reader.int32()
    guard dimensions >= 0 && dimensions <= 6 else {
      throw Fault(.invalidBinaryRepresentation, "invalid number of dimensions: \(dimensions)")
    }
    let flags = try reader.int32()
    guard flags == 0 || flags == 1 else { throw Fault(.invalidBinaryRepresentation, "invalid array flags") }
    let oid = UInt32(bitPattern: try reader.int32())
    guard oid == element.oid else {
      throw Fault(.datatypeMismatch, "binary data has array element type \(oid) instead of expected \(element.oid)")
    }
    if dimensions == 0 { return .list([]) }
    guard dimensions == 1 else { throw .unsupported("an array of \(dimensions) dimensions") }
    let count = Int(try reader.int32())
    _ = try reader.int32()
    guard count >= 0 else { throw incorrect }
    try reader.require(count * 4)
    var values: [Scalar] = []
    values.reserveCapacity(count)
    for _ in 0..<count {
      let length = try reader.int32()
      if length == -1 {
        values.append(.null)
      } else {
        guard length >= 0 else { throw incorrect }
        values.append(try decode(try reader.bytes(Int(length)), as: element))
      }
    }
    return .list(values)
  }
}

extension MessageReader {
  mutating func int64() throws(Fault) -> Int64 {
    let high = UInt32(bitPattern: try int32())
    return Int64(bitPattern: UInt64(high) << 32 | UInt64(UInt32(bitPattern: try int32())))
  }
}
