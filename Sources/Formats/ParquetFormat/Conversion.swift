// From the physical form of a page to the SQL type that the reader asked for.
//
// A page gives a raw column: boolean, int4, int8, float4, float8 or bytea. `Conversion.plan` decides once per column chunk
// how such a column becomes the target type; `apply` runs one loop over a decoded run. Null rows are zero or empty before
// and after. Widening (int4 to int8, float4 to float8, integer or decimal to numeric) is part of the plan, so that files
// written under an older schema version read as the newer one.

import Bedrock
import Columnar

enum Conversion {
  /// The values are right as they lie; only the SQL type is put on.
  case retype
  case widen(times: Int64)
  case widenUnsigned
  case multiply(Int64)
  case divide(Int64)
  case numericFromInt32(scale: Int, factor: Int128)
  case numericFromInt64(scale: Int, factor: Int128)
  case numericFromUInt64(scale: Int, factor: Int128)
  case numericFromBytes(scale: Int, factor: Int128)
  case uuidFromBytes
  case uuidFromText
  case valueFromText
  case timestampFromInt96
  case timestampFromDate
  case doubleFromFloat
  case doubleFromInt32
  case floatFromHalf
  case intervalFromBytes
  /// INT(8) and INT(16): the low bits count, as other readers have it.
  case narrow(bits: Int, signed: Bool)
  /// A column that may hold nulls only.
  case onlyNulls
}

extension ParquetLeaf {
  /// The type of the raw column that pages of this leaf decode to.
  var rawType: DataType {
    switch physical {
    case .boolean: .boolean
    case .int32: .int4
    case .int64: .int8
    case .float: .float4
    case .double: .float8
    case .int96, .byteArray, .fixedLenByteArray: .bytea
    }
  }

  /// Bytes of every value of the raw bytea column; `nil`: variable.
  var fixedByteCount: Int? {
    switch physical {
    case .fixedLenByteArray: typeLength
    case .int96: 12
    default: nil
    }
  }
}

extension Conversion {
  /// The SQL type a leaf has of itself.
  static func naturalType(_ leaf: ParquetLeaf) -> DataType {
    if case .decimal(let precision, let scale) = leaf.logical {
      return .numeric(DataType.NumericModifier(precision: precision, scale: scale))
    }
    switch (leaf.physical, leaf.logical) {
    case (.int32, .date): return .date
    case (.int32, .time), (.int64, .time): return .time
    case (.int64, .timestamp(_, let utc)): return utc ? .timestamptz : .timestamp
    case (_, .unknown): return .text
    // INT96 says nothing of a zone; Spark wrote instants, Hive and Impala local times.
    case (.int96, _): return .timestamp
    case (.fixedLenByteArray, .interval) where leaf.typeLength == 12: return .interval
    case (.int32, .integer(let width, let signed)):
      if width == 8 || (width == 16 && signed) { return .int2 }
      return signed || width == 16 ? .int4 : .int8
    case (.int64, .integer(_, signed: false)): return .numeric(DataType.NumericModifier(precision: 20, scale: 0))
    case (.byteArray, .string), (.byteArray, .enumeration): return .text
    case (.byteArray, .json): return .json
    case (.fixedLenByteArray, .uuid) where leaf.typeLength == 16: return .uuid
    case (.fixedLenByteArray, .float16) where leaf.typeLength == 2: return .float4
    default: return leaf.rawType
    }
  }

  /// How values of `leaf` become `target`, or `Fault.unsupported`.
  static func plan(_ leaf: ParquetLeaf, target: DataType) throws(Fault) -> Conversion {
    let natural = naturalType(leaf)
    if case .other(let name) = leaf.logical {
      throw Fault.unsupported("the \(name) type of Parquet column \(leaf.path.joined(separator: "."))")
    }
    if leaf.logical == .unknown { return .onlyNulls }
    if let conversion = planNatural(leaf, natural: natural, target: target) { return conversion }
    throw Fault.unsupported(
      "reading Parquet column \(leaf.name), which has the type \(natural), as \(target)")
  }

  /// True when values of `leaf` can become `target`.
  static func canPlan(_ leaf: ParquetLeaf, target: DataType) -> Bool {
    if case .other = leaf.logical { return false }
    return leaf.logical == .unknown || planNatural(leaf, natural: naturalType(leaf), target: target) != nil
  }

  private static func planNatural(_ leaf: ParquetLeaf, natural: DataType, target: DataType) -> Conversion? {
    switch (natural, target) {
    case (.numeric(let from?), .numeric(let to)):
      let scale = to?.scale ?? from.scale
      guard scale >= from.scale, scale <= Numeric.scaleMax, let factor = powerOfTen(scale - from.scale) else {
        return nil
      }
      switch leaf.physical {
      case .int32: return .numericFromInt32(scale: scale, factor: factor)
      case .int64 where leaf.logical == .integer(bitWidth: 64, signed: false):
        return .numericFromUInt64(scale: scale, factor: factor)
      case .int64: return .numericFromInt64(scale: scale, factor: factor)
      case .byteArray, .fixedLenByteArray: return .numericFromBytes(scale: scale, factor: factor)
      default: return nil
      }
    case (.int2, .int2), (.int2, .int4), (.int4, .int4), (.int8, .int8), (.float4, .float4), (.float8, .float8),
      (.boolean, .boolean), (.date, .date), (.time, .time), (.timestamp, .timestamp), (.timestamptz, .timestamptz),
      (.uuid, .uuid), (.interval, .interval):
      return planSame(leaf)
    case (.timestamp, .timestamptz) where leaf.physical == .int96: return .timestampFromInt96
    // Older writers of Delta tables do not say that their times are UTC; the table does.
    case (.timestamp, .timestamptz): return planSame(leaf)
    case (.date, .timestamp) where leaf.physical == .int32: return .timestampFromDate
    case (.int2, .int8), (.int4, .int8): return .widen(times: 1)
    case (.int2, .float8), (.int4, .float8): return .doubleFromInt32
    case (.float4, .float8) where leaf.physical == .float: return .doubleFromFloat
    case (.int2, .numeric(let to)), (.int4, .numeric(let to)):
      guard let factor = powerOfTen(to?.scale ?? 0) else { return nil }
      return .numericFromInt32(scale: to?.scale ?? 0, factor: factor)
    case (.int8, .numeric(let to)) where leaf.physical == .int64:
      guard let factor = powerOfTen(to?.scale ?? 0) else { return nil }
      return .numericFromInt64(scale: to?.scale ?? 0, factor: factor)
    case (.text, .uuid): return .uuidFromText
    // Types without a form of their own (ValueText.swift), and times of day in a Delta table.
    case (.text, .numeric(nil)), (.text, .interval): return .valueFromText
    case (.int8, .time) where leaf.physical == .int64 && leaf.logical == .none: return .retype
    case (.text, _), (.json, _), (.bytea, _):
      return target.physical == .bytes && leaf.physical != .int96 ? .retype : nil
    default: return nil
    }
  }

  private static func planSame(_ leaf: ParquetLeaf) -> Conversion {
    switch (leaf.physical, leaf.logical) {
    case (.int32, .time): return .widen(times: 1_000)
    case (.int32, .integer(bitWidth: 32, signed: false)): return .widenUnsigned
    case (.int32, .integer(let bits, let signed)) where bits == 8 || bits == 16:
      return .narrow(bits: bits, signed: signed)
    case (.fixedLenByteArray, .interval): return .intervalFromBytes
    case (.int64, .time(.nanos)), (.int64, .timestamp(.nanos, _)): return .divide(1_000)
    case (.int64, .timestamp(.millis, _)): return .multiply(1_000)
    case (.int96, _): return .timestampFromInt96
    case (.fixedLenByteArray, .uuid): return .uuidFromBytes
    case (.fixedLenByteArray, .float16): return .floatFromHalf
    default: return .retype
    }
  }

  private static func powerOfTen(_ exponent: Int) -> Int128? {
    guard exponent >= 0, exponent <= 35 else { return nil }
    var power: Int128 = 1
    for _ in 0..<exponent { power *= 10 }
    return power
  }
}

extension Conversion {
  private static func outOfRange() -> Fault {
    Fault(.numericValueOutOfRange, "a value of a Parquet file is out of range for its SQL type")
  }

  /// Converts a raw column in fixed or bytes form.
  func apply(_ raw: Column, target: DataType) throws(Fault) -> Column {
    switch self {
    case .retype:
      if target.isTextual || target == .json || target == .jsonb { try Self.checkText(raw) }
      return raw.retyped(target)
    case .widen(let times):
      let source = raw.int32s
      return Self.build(raw, target, Int64.self) { out in
        for row in 0..<source.count { out[row] = Int64(source[row]) &* times }
      }
    case .widenUnsigned:
      let source = raw.values(UInt32.self)
      return Self.build(raw, target, Int64.self) { out in
        for row in 0..<source.count { out[row] = Int64(source[row]) }
      }
    case .multiply(let factor): return try Self.multiply(raw, by: factor, target)
    case .divide(let divisor):
      let source = raw.int64s
      return Self.build(raw, target, Int64.self) { out in
        for row in 0..<source.count {
          let value = source[row]
          let quotient = value / divisor
          out[row] = quotient * divisor > value ? quotient - 1 : quotient
        }
      }
    case .numericFromInt32(let scale, let factor) where factor < Self.safeFactor:
      let source = raw.int32s
      return Self.safeNumerics(raw, target) { Int128(source[$0]) &* factor &<< 8 | Int128(scale) }
    case .numericFromInt64(let scale, let factor) where factor == 1:
      let source = raw.int64s
      return Self.safeNumerics(raw, target) { Int128(source[$0]) &<< 8 | Int128(scale) }
    case .numericFromInt64(let scale, let factor) where factor < Self.safeFactor:
      let source = raw.int64s
      return Self.safeNumerics(raw, target) { Int128(source[$0]) &* factor &<< 8 | Int128(scale) }
    case .numericFromInt32(let scale, let factor):
      let source = raw.int32s
      return try Self.numerics(raw, target, scale, factor) { Int128(source[$0]) }
    case .numericFromInt64(let scale, let factor):
      let source = raw.int64s
      return try Self.numerics(raw, target, scale, factor) { Int128(source[$0]) }
    case .numericFromUInt64(let scale, let factor):
      let source = raw.values(UInt64.self)
      return try Self.numerics(raw, target, scale, factor) { Int128(source[$0]) }
    case .numericFromBytes(let scale, let factor):
      let offsets = raw.offsets, data = raw.data
      for row in 0..<raw.count where offsets[row + 1] - offsets[row] > 16 {
        guard isSignExtended(data, Int(offsets[row]), Int(offsets[row + 1])) else { throw Self.outOfRange() }
      }
      return try Self.numerics(raw, target, scale, factor) { row in
        bigEndian(data, max(Int(offsets[row]), Int(offsets[row + 1]) - 16), Int(offsets[row + 1]))
      }
    case .uuidFromBytes:
      guard case .bytes(_, let data) = raw.form, raw.validity == nil else { return Self.uuidsWithNulls(raw, target) }
      return Column.fixed(target, count: raw.count, data)
    case .uuidFromText: return try Self.parseUUIDs(raw, target)
    case .valueFromText: return try ValueText.parse(raw, target)
    case .intervalFromBytes: return Self.intervals(raw, target)
    case .narrow(let bits, let signed):
      let source = raw.int32s
      let shift = Int32(32 - bits)
      return Self.build(raw, target, Int32.self) { out in
        if signed {
          for row in 0..<source.count { out[row] = (source[row] << shift) >> shift }
        } else {
          for row in 0..<source.count {
            out[row] = Int32(bitPattern: (UInt32(bitPattern: source[row]) << UInt32(shift)) >> UInt32(shift))
          }
        }
      }
    case .onlyNulls:
      guard raw.nullCount == raw.count else { throw Fault.corrupt("a Parquet column of type null has values") }
      return Column.nulls(target, count: raw.count).flat()
    case .timestampFromInt96: return Self.timestamps(raw, target)
    case .timestampFromDate: return try Self.timestamps(days: raw, target)
    case .doubleFromFloat:
      let source = raw.float32s
      return Self.build(raw, target, Double.self) { out in
        for row in 0..<source.count { out[row] = Double(source[row]) }
      }
    case .doubleFromInt32:
      let source = raw.int32s
      return Self.build(raw, target, Double.self) { out in
        for row in 0..<source.count { out[row] = Double(source[row]) }
      }
    case .floatFromHalf:
      let offsets = raw.offsets, data = raw.data
      return Self.build(raw, target, Float.self) { out in
        for row in 0..<raw.count {
          let start = Int(offsets[row])
          let empty = offsets[row + 1] == offsets[row]
          out[row] = empty ? 0 : halfToFloat(UInt16(data[start]) | UInt16(data[start + 1]) << 8)
        }
      }
    }
  }

  @inline(__always)
  private static func build<T: BitwiseCopyable>(
    _ raw: Column, _ target: DataType, _ type: T.Type, fill: (inout MutableSpan<T>) -> Void
  ) -> Column {
    let memory = OpenBuffer(byteCount: raw.count * MemoryLayout<T>.stride)
    let values = UnsafeMutableBufferPointer(start: memory.base.bindMemory(to: T.self, capacity: raw.count), count: raw.count)
    var span = MutableSpan<T>(_unsafeElements: values)
    fill(&span)
    return Column.fixed(target, count: raw.count, validity: raw.validity, memory.close())
  }

  /// Midnight of each day; infinite days are infinite times.
  private static func timestamps(days raw: Column, _ target: DataType) throws(Fault) -> Column {
    let source = raw.int32s
    var overflowed = false
    let column = build(raw, target, Int64.self) { out in
      for row in 0..<source.count {
        let day = source[row]
        let (micros, overflow) = Int64(day).multipliedReportingOverflow(by: 86_400_000_000)
        let isInfinite = day == .max || day == .min
        overflowed = overflowed || (overflow && !isInfinite)
        out[row] = isInfinite ? (day < 0 ? .min : .max) : micros
      }
    }
    if overflowed { throw outOfRange() }
    return column
  }

  private static func multiply(_ raw: Column, by factor: Int64, _ target: DataType) throws(Fault) -> Column {
    let source = raw.int64s
    var overflowed = false
    let column = build(raw, target, Int64.self) { out in
      for row in 0..<source.count {
        let (product, overflow) = source[row].multipliedReportingOverflow(by: factor)
        overflowed = overflowed || overflow
        out[row] = product
      }
    }
    if overflowed { throw outOfRange() }
    return column
  }

  @inline(__always)
  private static func numerics(
    _ raw: Column, _ target: DataType, _ scale: Int, _ factor: Int128, value: (Int) -> Int128
  ) throws(Fault) -> Column {
    var fits = true
    let validity = raw.validity
    let column = build(raw, target, Int128.self) { out in
      for row in 0..<raw.count {
        let (product, overflow) = value(row).multipliedReportingOverflow(by: factor)
        if !overflow, let numeric = Numeric(coefficient: product, scale: scale) {
          out[row] = numeric.bits
        } else {
          fits = false
          out[row] = 0
        }
      }
      // A null row is zero bytes, scale included.
      if let validity { for row in 0..<raw.count where !validity.isSet(row) { out[row] = 0 } }
    }
    if !fits { throw outOfRange() }
    return column
  }

  /// Below this no 64-bit number leaves the coefficient's 120 bits.
  private static let safeFactor: Int128 = 1 << 55

  /// The loop of decimals that always fit.
  @inline(__always)
  private static func safeNumerics(_ raw: Column, _ target: DataType, bits: (Int) -> Int128) -> Column {
    let rows = raw.count
    return build(raw, target, Int128.self) { out in
      for row in 0..<rows { out[row] = bits(row) }
      // A null row is zero bytes, scale included.
      guard let validity = raw.validity else { return }
      let words = validity.words
      for index in 0..<Bitmap.wordCount(rows) {
        var nulls = ~words[index]
        while nulls != 0 {
          let row = index << 6 + nulls.trailingZeroBitCount
          if row >= rows { break }
          out[row] = 0
          nulls &= nulls &- 1
        }
      }
    }
  }

  private static func checkText(_ raw: Column) throws(Fault) {
    guard case .bytes(let offsets, let data) = raw.form else { return }
    // The offsets were made by the decoder: they rise and end inside of the data.
    let count = raw.count
    try offsets.withUnsafeBytes { (offsetBytes) throws(Fault) in
      try data.withUnsafeBytes { (dataBytes) throws(Fault) in
        guard let start = offsetBytes.baseAddress, let bytes = dataBytes.baseAddress else { return }
        try TextValidation.check(
          bytes.assumingMemoryBound(to: UInt8.self), offsets: start.assumingMemoryBound(to: Int32.self), count: count)
      }
    }
  }

  private static func uuidsWithNulls(_ raw: Column, _ target: DataType) -> Column {
    let offsets = raw.offsets, data = raw.data
    return build(raw, target, UUIDValue.self) { out in
      for row in 0..<raw.count {
        let start = Int(offsets[row])
        if offsets[row + 1] == offsets[row] {
          out[row] = UUIDValue(high: 0, low: 0)
          continue
        }
        var high: UInt64 = 0, low: UInt64 = 0
        for index in 0..<8 {
          high = high << 8 | UInt64(data[start + index])
          low = low << 8 | UInt64(data[start + 8 + index])
        }
        out[row] = UUIDValue(high: high, low: low)
      }
    }
  }

  private static func parseUUIDs(_ raw: Column, _ target: DataType) throws(Fault) -> Column {
    let offsets = raw.offsets, data = raw.data
    var isGood = true
    let column = build(raw, target, UUIDValue.self) { out in
      for row in 0..<raw.count {
        let start = Int(offsets[row]), length = Int(offsets[row + 1]) - start
        out[row] = UUIDValue(high: 0, low: 0)
        if length == 0 && raw.validity.map({ !$0.isSet(row) }) ?? false { continue }
        if length == 36, let value = parseUUID(data, at: start) { out[row] = value } else { isGood = false }
      }
    }
    if !isGood { throw Fault.corrupt("a value of a Parquet file is not a uuid in its canonical form") }
    return column
  }

  /// Months, days and milliseconds, each unsigned and little-endian.
  private static func intervals(_ raw: Column, _ target: DataType) -> Column {
    let offsets = raw.offsets, data = raw.data
    return build(raw, target, Interval.self) { out in
      for row in 0..<raw.count {
        let start = Int(offsets[row])
        if offsets[row + 1] == offsets[row] {
          out[row] = Interval()
          continue
        }
        var parts: (UInt32, UInt32, UInt32) = (0, 0, 0)
        for index in 0..<4 {
          let shift = UInt32(index * 8)
          parts.0 |= UInt32(data[start + index]) << shift
          parts.1 |= UInt32(data[start + 4 + index]) << shift
          parts.2 |= UInt32(data[start + 8 + index]) << shift
        }
        out[row] = Interval(
          months: Int32(truncatingIfNeeded: parts.0), days: Int32(truncatingIfNeeded: parts.1),
          micros: Int64(parts.2) * 1_000)
      }
    }
  }

  /// Nanoseconds of the day and the Julian day, little-endian. Both are signed and the sum wraps: Spark's Julian days
  /// overflow in the year 289,000, and this undoes it.
  private static func timestamps(_ raw: Column, _ target: DataType) -> Column {
    let offsets = raw.offsets, data = raw.data
    return build(raw, target, Int64.self) { out in
      for row in 0..<raw.count {
        let start = Int(offsets[row])
        out[row] = 0
        if offsets[row + 1] == offsets[row] { continue }
        var nanos: UInt64 = 0
        for index in 0..<8 { nanos |= UInt64(data[start + index]) << UInt64(index * 8) }
        var julianDay: UInt32 = 0
        for index in 0..<4 { julianDay |= UInt32(data[start + 8 + index]) << UInt32(index * 8) }
        // Julian day 2,440,588 begins on 1970-01-01; the day counts 86,400,000,000 µs.
        let days = Int64(Int32(bitPattern: julianDay)) - 2_440_588
        let (micros, rest) = Int64(bitPattern: nanos).quotientAndRemainder(dividingBy: 1_000)
        out[row] = days &* 86_400_000_000 &+ (rest < 0 ? micros - 1 : micros)
      }
    }
  }
}

/// True when the bytes in front of the last 16 only repeat the sign.
private func isSignExtended(_ data: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
  let fill: UInt8 = data[end - 16] >= 0x80 ? 0xFF : 0
  for index in start..<(end - 16) where data[index] != fill { return false }
  return true
}

/// A two's complement number of 0...16 bytes, most significant first.
private func bigEndian(_ data: Span<UInt8>, _ start: Int, _ end: Int) -> Int128 {
  if start == end { return 0 }
  var value: Int128 = data[start] >= 0x80 ? -1 : 0
  for index in start..<end { value = value << 8 | Int128(data[index]) }
  return value
}

private func hexDigit(_ byte: UInt8) -> UInt64? {
  switch byte {
  case 0x30...0x39: UInt64(byte - 0x30)
  case 0x41...0x46: UInt64(byte - 0x41 + 10)
  case 0x61...0x66: UInt64(byte - 0x61 + 10)
  default: nil
  }
}

/// 8-4-4-4-12 hexadecimal digits.
private func parseUUID(_ data: Span<UInt8>, at start: Int) -> UUIDValue? {
  var high: UInt64 = 0, low: UInt64 = 0
  var digits = 0
  for index in 0..<36 {
    let byte = data[start + index]
    if index == 8 || index == 13 || index == 18 || index == 23 {
      if byte != 0x2D { return nil }
      continue
    }
    guard let digit = hexDigit(byte) else { return nil }
    if digits < 16 { high = high << 4 | digit } else { low = low << 4 | digit }
    digits += 1
  }
  return UUIDValue(high: high, low: low)
}

/// IEEE 754 binary16 to binary32.
private func halfToFloat(_ half: UInt16) -> Float {
  let sign: Float = half & 0x8000 == 0 ? 1 : -1
  let exponent = Int(half >> 10 & 0x1F)
  let fraction = Float(half & 0x3FF)
  switch exponent {
  case 0: return sign * fraction * 0x1p-24
  case 31: return half & 0x3FF == 0 ? sign * .infinity : .nan
  default: return sign * (1 + fraction / 1024) * Float(sign: .plus, exponent: exponent - 15, significand: 1)
  }
}
