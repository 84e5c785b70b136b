// Scalars as jsonb text, as PostgreSQL's `to_jsonb` writes them: numbers without an exponent, NaN and infinities as strings,
// dates and times in ISO 8601 (timestamptz in UTC), bytea in hex, text with JSON's escapes. A value of type json is
// written as a string: its text is not looked into.

import Bedrock
import Columnar

enum JSONScalars {
  private static let null = Array("null".utf8)
  private static let digits = Array("0123456789abcdef".utf8)

  /// One text a row of a column.
  static func texts(_ column: Column) throws(Fault) -> JSONTexts {
    let column = column.flat()
    var out = JSONTexts()
    out.offsets.reserveCapacity(column.count + 1)
    let validity = column.validity
    switch column.type.physical {
    case .bool8:
      let values = column.booleans
      try each(column.count, validity, &out) { row, data in
        data.append(contentsOf: (values[row] == 0 ? "false" : "true").utf8)
      }
    case .int32:
      let values = column.int32s
      if column.type == .date {
        try each(column.count, validity, &out) { row, data in
          quoted(&data) { TimeText.append(date: values[row], to: &$0) }
        }
      } else {
        try each(column.count, validity, &out) { row, data in append(Int128(values[row]), to: &data) }
      }
    case .int64:
      let values = column.int64s
      let type = column.type
      switch type {
      case .time:
        try each(column.count, validity, &out) { row, data in
          quoted(&data) { TimeText.append(time: values[row], to: &$0) }
        }
      case .timestamp, .timestamptz:
        try each(column.count, validity, &out) { row, data in
          quoted(&data) { TimeText.append(timestamp: values[row], zone: type == .timestamptz, to: &$0) }
        }
      default: try each(column.count, validity, &out) { row, data in append(Int128(values[row]), to: &data) }
      }
    case .float32:
      let values = column.float32s
      try each(column.count, validity, &out) { row, data in
        let value = values[row]
        append(float: value.description, isFinite: value.isFinite, isNaN: value.isNaN, isNegative: value < 0, to: &data)
      }
    case .float64:
      let values = column.float64s
      try each(column.count, validity, &out) { row, data in
        let value = values[row]
        append(float: value.description, isFinite: value.isFinite, isNaN: value.isNaN, isNegative: value < 0, to: &data)
      }
    case .numeric:
      let values = column.numerics
      try each(column.count, validity, &out) { row, data in append(values[row], to: &data) }
    case .interval:
      let values = column.intervals
      try each(column.count, validity, &out) { row, data in
        quoted(&data) { TimeText.append(interval: values[row], to: &$0) }
      }
    case .uuid:
      let values = column.values(UUIDValue.self)
      try each(column.count, validity, &out) { row, data in append(values[row], to: &data) }
    case .bytes: try appendBytes(column, &out)
    case .list: throw Fault.bug("an array is no scalar")
    }
    return out
  }

  @inline(__always)
  private static func each(
    _ count: Int, _ validity: Bitmap?, _ out: inout JSONTexts, _ value: (Int, inout [UInt8]) -> Void
  ) throws(Fault) {
    for row in 0..<count {
      if validity?.isSet(row) ?? true { value(row, &out.data) } else { out.data.append(contentsOf: null) }
      try out.end()
    }
  }

  private static func quoted(_ data: inout [UInt8], _ body: (inout [UInt8]) -> Void) {
    data.append(0x22)
    body(&data)
    data.append(0x22)
  }

  private static func appendBytes(_ column: Column, _ out: inout JSONTexts) throws(Fault) {
    let offsets = column.offsets, source = column.data
    let validity = column.validity
    let isBinary = column.type == .bytea
    try source.withUnsafeBufferPointer { (source) throws(Fault) in
      for row in 0..<column.count {
        let value = UnsafeBufferPointer(rebasing: source[Int(offsets[row])..<Int(offsets[row + 1])])
        if let validity, !validity.isSet(row) {
          out.data.append(contentsOf: null)
        } else if isBinary {
          out.data.append(contentsOf: "\"\\\\x".utf8)
          for byte in value {
            out.data.append(digits[Int(byte >> 4)])
            out.data.append(digits[Int(byte & 15)])
          }
          out.data.append(0x22)
        } else {
          quote(value, into: &out.data)
        }
        try out.end()
      }
    }
  }

  static func quote(_ text: [UInt8], into data: inout [UInt8]) {
    text.withUnsafeBufferPointer { quote($0, into: &data) }
  }

  /// A JSON string: only the quote, the backslash and control characters are escaped.
  static func quote(_ text: UnsafeBufferPointer<UInt8>, into data: inout [UInt8]) {
    data.append(0x22)
    var start = 0
    for index in text.indices {
      let byte = text[index]
      if byte >= 0x20 && byte != 0x22 && byte != 0x5C { continue }
      data.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<index]))
      start = index + 1
      data.append(0x5C)
      switch byte {
      case 0x08: data.append(0x62)
      case 0x09: data.append(0x74)
      case 0x0A: data.append(0x6E)
      case 0x0C: data.append(0x66)
      case 0x0D: data.append(0x72)
      case 0x22, 0x5C: data.append(byte)
      default:
        data.append(contentsOf: [0x75, 0x30, 0x30])
        data.append(digits[Int(byte >> 4)])
        data.append(digits[Int(byte & 15)])
      }
    }
    data.append(contentsOf: UnsafeBufferPointer(rebasing: text[start...]))
    data.append(0x22)
  }

  static func append(_ value: Int128, to data: inout [UInt8]) {
    if value < 0 { data.append(0x2D) }
    appendDigits(value.magnitude, atLeast: 1, to: &data)
  }

  private static func appendDigits(_ value: UInt128, atLeast: Int, to data: inout [UInt8]) {
    let start = data.count
    var rest = value
    while rest > 0 || data.count - start < atLeast {
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      data.append(0x30 + UInt8(truncatingIfNeeded: digit))
      rest = quotient
    }
    data[start...].reverse()
  }

  /// With all digits of its scale.
  private static func append(_ value: Numeric, to data: inout [UInt8]) {
    if value.isNaN { return data.append(contentsOf: "\"NaN\"".utf8) }
    if value.coefficient < 0 { data.append(0x2D) }
    let scale = value.scale
    let start = data.count
    appendDigits(value.coefficient.magnitude, atLeast: scale + 1, to: &data)
    if scale > 0 { data.insert(0x2E, at: max(start, data.count - scale)) }
  }

  private static func append(_ value: UUIDValue, to data: inout [UInt8]) {
    data.append(0x22)
    withUnsafeBytes(of: value) { bytes in
      for index in 0..<16 {
        if index == 4 || index == 6 || index == 8 || index == 10 { data.append(0x2D) }
        data.append(digits[Int(bytes[index] >> 4)])
        data.append(digits[Int(bytes[index] & 15)])
      }
    }
    data.append(0x22)
  }

  /// The shortest digits that name the number, which Swift prints as `1.5e-07`, without their exponent.
  private static func append(
    float description: String, isFinite: Bool, isNaN: Bool, isNegative: Bool, to data: inout [UInt8]
  ) {
    if !isFinite {
      return data.append(contentsOf: (isNaN ? "\"NaN\"" : isNegative ? "\"-Infinity\"" : "\"Infinity\"").utf8)
    }
    var figures: [UInt8] = []
    var point: Int?
    var exponent = 0, exponentSign = 1
    var isExponent = false
    for byte in description.utf8 {
      switch byte {
      case 0x30...0x39 where isExponent: exponent = exponent * 10 + Int(byte - 0x30)
      case 0x30...0x39: figures.append(byte)
      case 0x2E: point = figures.count
      case 0x65, 0x45: isExponent = true
      case 0x2D where isExponent: exponentSign = -1
      default: break
      }
    }
    var place = (point ?? figures.count) + exponent * exponentSign
    while figures.count > 0, figures[0] == 0x30 {
      figures.removeFirst()
      place -= 1
    }
    while let last = figures.last, last == 0x30 { figures.removeLast() }
    guard !figures.isEmpty else { return data.append(0x30) }
    if isNegative { data.append(0x2D) }
    if place <= 0 {
      data.append(contentsOf: [0x30, 0x2E])
      data.append(contentsOf: repeatElement(0x30, count: -place))
      data.append(contentsOf: figures)
    } else if place >= figures.count {
      data.append(contentsOf: figures)
      data.append(contentsOf: repeatElement(0x30, count: place - figures.count))
    } else {
      data.append(contentsOf: figures[..<place])
      data.append(0x2E)
      data.append(contentsOf: figures[place...])
    }
  }
}

/// Dates and times in ISO 8601, intervals as PostgreSQL's style `postgres` has them.
enum TimeText {
  private static func append(_ value: Int, width: Int, to data: inout [UInt8]) {
    let text = String(value)
    data.append(contentsOf: repeatElement(0x30, count: max(0, width - text.utf8.count)))
    data.append(contentsOf: text.utf8)
  }

  private static func append(_ date: CivilDate, to data: inout [UInt8]) {
    append(date.year > 0 ? date.year : 1 - date.year, width: 4, to: &data)
    data.append(0x2D)
    append(date.month, width: 2, to: &data)
    data.append(0x2D)
    append(date.day, width: 2, to: &data)
  }

  static func append(date days: Int32, to data: inout [UInt8]) {
    if days == .max { return data.append(contentsOf: "infinity".utf8) }
    if days == .min { return data.append(contentsOf: "-infinity".utf8) }
    let date = CivilDate(daysSinceEpoch: Int(days))
    append(date, to: &data)
    if date.year <= 0 { data.append(contentsOf: " BC".utf8) }
  }

  /// `hh:mm:ss[.ffffff]`; hours may have more digits.
  static func append(time micros: Int64, to data: inout [UInt8]) {
    if micros < 0 { data.append(0x2D) }
    let magnitude = Int(clamping: micros.magnitude)
    append(magnitude / 3_600_000_000, width: 2, to: &data)
    data.append(0x3A)
    append(magnitude / 60_000_000 % 60, width: 2, to: &data)
    data.append(0x3A)
    append(magnitude / 1_000_000 % 60, width: 2, to: &data)
    let fraction = magnitude % 1_000_000
    if fraction == 0 { return }
    data.append(0x2E)
    append(fraction, width: 6, to: &data)
    while data.last == 0x30 { data.removeLast() }
  }

  static func append(timestamp micros: Int64, zone: Bool, to data: inout [UInt8]) {
    if micros == .max { return data.append(contentsOf: "infinity".utf8) }
    if micros == .min { return data.append(contentsOf: "-infinity".utf8) }
    var (days, inDay) = micros.quotientAndRemainder(dividingBy: 86_400_000_000)
    if inDay < 0 {
      days -= 1
      inDay += 86_400_000_000
    }
    let date = CivilDate(daysSinceEpoch: Int(days))
    append(date, to: &data)
    data.append(0x54)
    append(time: inDay, to: &data)
    if zone { data.append(contentsOf: "+00:00".utf8) }
    if date.year <= 0 { data.append(contentsOf: " BC".utf8) }
  }

  static func append(interval: Interval, to data: inout [UInt8]) {
    let start = data.count
    for (value, unit) in [
      (Int(interval.months) / 12, "year"), (Int(interval.months) % 12, "mon"), (Int(interval.days), "day"),
    ] where value != 0 {
      if data.count > start { data.append(0x20) }
      append(value, width: 1, to: &data)
      data.append(0x20)
      data.append(contentsOf: unit.utf8)
      if value != 1 { data.append(0x73) }
    }
    guard interval.micros != 0 || data.count == start else { return }
    if data.count > start { data.append(0x20) }
    append(time: interval.micros, to: &data)
  }
}
