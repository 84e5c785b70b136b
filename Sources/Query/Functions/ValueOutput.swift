// Values as PostgreSQL prints them: DateStyle ISO, IntervalStyle postgres, bytea_output hex, extra_float_digits 1.

package import Columnar

package enum ValueText {
  /// The text of one boxed value; `nil` for null.
  package static func output(_ scalar: Scalar, type: DataType, context: FunctionContext) -> String? {
    if scalar.isNull { return nil }
    var out: [UInt8] = []
    append(scalar, type: type, context: context, to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  /// Appends the text of a value that is not null.
  package static func append(_ scalar: Scalar, type: DataType, context: FunctionContext, to out: inout [UInt8]) {
    switch (scalar, type) {
    case (.null, _): break
    case (.boolean(let value), _): out.append(value ? UInt8(ascii: "t") : UInt8(ascii: "f"))
    case (.integer(let value), .date): appendDate(value, to: &out)
    case (.integer(let value), .time): appendTime(value, to: &out)
    case (.integer(let value), .timestamp): appendTimestamp(value, offsetSeconds: nil, to: &out)
    case (.integer(let value), .timestamptz):
      appendTimestamp(value, offsetSeconds: context.timeZone.offsetSeconds(at: value), to: &out)
    case (.integer(let value), .oid): appendInteger(Int64(UInt32(truncatingIfNeeded: value)), to: &out)
    case (.integer(let value), .regclass), (.integer(let value), .regtype), (.integer(let value), .regproc),
      (.integer(let value), .regnamespace):
      out.append(contentsOf: RegObjects.name(UInt32(truncatingIfNeeded: value), type, context).utf8)
    case (.integer(let value), _): appendInteger(value, to: &out)
    case (.float(let value), .float4): appendFloat(Float(value), to: &out)
    case (.float(let value), _): appendFloat(value, to: &out)
    case (.numeric(let value), _): appendNumeric(value, to: &out)
    case (.interval(let value), _): appendInterval(value, to: &out)
    case (.uuid(let value), _): appendUUID(value, to: &out)
    case (.bytes(let value), .bytea):
      out.append(contentsOf: "\\x".utf8)
      for byte in value { appendHex(byte, to: &out) }
    case (.bytes(let value), _): out.append(contentsOf: value)
    case (.list(let values), .int2vector), (.list(let values), .oidvector):
      for (index, value) in values.enumerated() {
        if index > 0 { out.append(UInt8(ascii: " ")) }
        append(value, type: type.element ?? .oid, context: context, to: &out)
      }
    case (.list(let values), _): appendArray(values, element: type.element ?? .text, context: context, to: &out)
    }
  }

  static func appendHex(_ byte: UInt8, to out: inout [UInt8]) {
    let digits: StaticString = "0123456789abcdef"
    out.append(digits.utf8Start[Int(byte >> 4)])
    out.append(digits.utf8Start[Int(byte & 15)])
  }

  package static func appendInteger(_ value: Int64, to out: inout [UInt8]) {
    if value < 0 { out.append(UInt8(ascii: "-")) }
    appendDigits(value.magnitude, width: 1, to: &out)
  }

  static func appendDigits(_ value: UInt64, width: Int, to out: inout [UInt8]) {
    var digits: [UInt8] = []
    var rest = value
    repeat {
      digits.append(UInt8(rest % 10) + 48)
      rest /= 10
    } while rest > 0
    while digits.count < width { digits.append(48) }
    out.append(contentsOf: digits.reversed())
  }

  /// Shortest digits that read back as the same value; exponent form outside 1e-4 ..< 1e15 (1e6 for float4), as `%g`.
  package static func appendFloat(_ value: Double, to out: inout [UInt8]) {
    appendFloat(
      description: value.description, isNaN: value.isNaN, isInfinite: value.isInfinite, value < 0, 15, to: &out)
  }

  package static func appendFloat(_ value: Float, to out: inout [UInt8]) {
    appendFloat(
      description: value.description, isNaN: value.isNaN, isInfinite: value.isInfinite, value < 0, 6, to: &out)
  }

  private static func appendFloat(
    description: String, isNaN: Bool, isInfinite: Bool, _ isNegative: Bool, _ fixedMax: Int, to out: inout [UInt8]
  ) {
    if isNaN { return out.append(contentsOf: "NaN".utf8) }
    if isInfinite { return out.append(contentsOf: (isNegative ? "-Infinity" : "Infinity").utf8) }
    // Swift prints shortest digits too, in its own layout: take digits and exponent out of it.
    var digits: [UInt8] = []
    var point: Int?
    var exponent = 0
    var text = description.utf8[...]
    if text.first == UInt8(ascii: "-") {
      out.append(UInt8(ascii: "-"))
      text = text.dropFirst()
    }
    var index = text.startIndex
    while index < text.endIndex {
      let byte = text[index]
      if byte == UInt8(ascii: ".") {
        point = digits.count
      } else if byte == UInt8(ascii: "e") {
        exponent = Int(String(decoding: text[text.index(after: index)...], as: UTF8.self)) ?? 0
        break
      } else {
        digits.append(byte)
      }
      index = text.index(after: index)
    }
    var weight = (point ?? digits.count) + exponent
    let leading = digits.prefix { $0 == 48 }.count
    digits.removeFirst(leading)
    weight -= leading
    while digits.last == 48 { digits.removeLast() }
    if digits.isEmpty { return out.append(48) }
    let scientific = weight - 1
    if scientific < -4 || scientific >= fixedMax {
      out.append(digits[0])
      if digits.count > 1 {
        out.append(UInt8(ascii: "."))
        out.append(contentsOf: digits[1...])
      }
      out.append(UInt8(ascii: "e"))
      out.append(UInt8(ascii: scientific < 0 ? "-" : "+"))
      appendDigits(UInt64(scientific.magnitude), width: 2, to: &out)
    } else if weight <= 0 {
      out.append(contentsOf: "0.".utf8)
      out.append(contentsOf: repeatElement(48, count: -weight))
      out.append(contentsOf: digits)
    } else {
      for place in 0..<max(weight, digits.count) {
        if place == weight { out.append(UInt8(ascii: ".")) }
        out.append(place < digits.count ? digits[place] : 48)
      }
    }
  }

  package static func appendNumeric(_ value: Numeric, to out: inout [UInt8]) {
    if value.isNaN { return out.append(contentsOf: "NaN".utf8) }
    let coefficient = value.coefficient
    if coefficient < 0 { out.append(UInt8(ascii: "-")) }
    var digits: [UInt8] = []
    var rest = coefficient.magnitude
    while rest > UInt128(UInt64.max) {
      let (quotient, low) = rest.quotientAndRemainder(dividingBy: 10_000_000_000_000_000_000)
      var part = UInt64(low)
      for _ in 0..<19 {
        digits.append(UInt8(part % 10) + 48)
        part /= 10
      }
      rest = quotient
    }
    var low = UInt64(rest)
    while low > 0 {
      digits.append(UInt8(low % 10) + 48)
      low /= 10
    }
    while digits.count <= value.scale { digits.append(48) }
    for index in stride(from: digits.count - 1, through: 0, by: -1) {
      out.append(digits[index])
      if index == value.scale && value.scale > 0 { out.append(UInt8(ascii: ".")) }
    }
  }

  package static func appendUUID(_ value: UUIDValue, to out: inout [UInt8]) {
    withUnsafeBytes(of: value) { raw in
      for index in 0..<16 {
        if index == 4 || index == 6 || index == 8 || index == 10 { out.append(UInt8(ascii: "-")) }
        appendHex(raw[index], to: &out)
      }
    }
  }

  package static func appendDate(_ days: Int64, to out: inout [UInt8]) {
    if days == Int64(Int32.max) { return out.append(contentsOf: "infinity".utf8) }
    if days == Int64(Int32.min) { return out.append(contentsOf: "-infinity".utf8) }
    if appendDay(days, to: &out) { out.append(contentsOf: " BC".utf8) }
  }

  /// True when the year is before Christ: the caller appends it last.
  private static func appendDay(_ days: Int64, to out: inout [UInt8]) -> Bool {
    let (year, month, day) = CivilCalendar.civil(days)
    appendDigits(UInt64((year > 0 ? year : 1 - year)), width: 4, to: &out)
    out.append(UInt8(ascii: "-"))
    appendDigits(UInt64(month), width: 2, to: &out)
    out.append(UInt8(ascii: "-"))
    appendDigits(UInt64(day), width: 2, to: &out)
    return year <= 0
  }

  package static func appendTime(_ micros: Int64, to out: inout [UInt8]) {
    let seconds = micros / 1_000_000
    appendDigits(UInt64(seconds / 3600), width: 2, to: &out)
    out.append(UInt8(ascii: ":"))
    appendDigits(UInt64(seconds / 60 % 60), width: 2, to: &out)
    out.append(UInt8(ascii: ":"))
    appendDigits(UInt64(seconds % 60), width: 2, to: &out)
    appendFraction(micros % 1_000_000, to: &out)
  }

  static func appendFraction(_ micros: Int64, to out: inout [UInt8]) {
    if micros == 0 { return }
    out.append(UInt8(ascii: "."))
    appendDigits(UInt64(micros.magnitude), width: 6, to: &out)
    while out.last == 48 { out.removeLast() }
  }

  /// - Parameter offsetSeconds: of the zone to show, or `nil` for a timestamp without one.
  package static func appendTimestamp(_ micros: Int64, offsetSeconds: Int?, to out: inout [UInt8]) {
    if micros == .max { return out.append(contentsOf: "infinity".utf8) }
    if micros == .min { return out.append(contentsOf: "-infinity".utf8) }
    let local = micros &+ Int64(offsetSeconds ?? 0) * 1_000_000
    let (day, time) = CivilCalendar.split(local)
    let isBeforeChrist = appendDay(day, to: &out)
    out.append(UInt8(ascii: " "))
    appendTime(time, to: &out)
    if let offsetSeconds { appendZone(offsetSeconds, to: &out) }
    if isBeforeChrist { out.append(contentsOf: " BC".utf8) }
  }

  static func appendZone(_ offsetSeconds: Int, to out: inout [UInt8]) {
    out.append(UInt8(ascii: offsetSeconds < 0 ? "-" : "+"))
    let magnitude = offsetSeconds.magnitude
    appendDigits(UInt64(magnitude / 3600), width: 2, to: &out)
    if magnitude % 3600 != 0 {
      out.append(UInt8(ascii: ":"))
      appendDigits(UInt64(magnitude / 60 % 60), width: 2, to: &out)
      if magnitude % 60 != 0 {
        out.append(UInt8(ascii: ":"))
        appendDigits(UInt64(magnitude % 60), width: 2, to: &out)
      }
    }
  }

  package static func appendInterval(_ value: Interval, to out: inout [UInt8]) {
    let start = out.count
    var signedBefore = false
    func part(_ number: Int64, _ unit: String) {
      if number == 0 { return }
      if out.count > start { out.append(UInt8(ascii: " ")) }
      if signedBefore && number > 0 { out.append(UInt8(ascii: "+")) }
      appendInteger(number, to: &out)
      out.append(UInt8(ascii: " "))
      out.append(contentsOf: unit.utf8)
      if number != 1 { out.append(UInt8(ascii: "s")) }
      signedBefore = number < 0
    }
    part(Int64(value.months / 12), "year")
    part(Int64(value.months % 12), "mon")
    part(Int64(value.days), "day")
    if value.micros == 0 && out.count > start { return }
    if out.count > start { out.append(UInt8(ascii: " ")) }
    if value.micros < 0 {
      out.append(UInt8(ascii: "-"))
    } else if signedBefore {
      out.append(UInt8(ascii: "+"))
    }
    let magnitude = value.micros.magnitude
    let seconds = magnitude / 1_000_000
    appendDigits(seconds / 3600, width: 2, to: &out)
    out.append(UInt8(ascii: ":"))
    appendDigits(seconds / 60 % 60, width: 2, to: &out)
    out.append(UInt8(ascii: ":"))
    appendDigits(seconds % 60, width: 2, to: &out)
    appendFraction(Int64(magnitude % 1_000_000), to: &out)
  }

  private static func appendArray(
    _ values: [Scalar], element: DataType, context: FunctionContext, to out: inout [UInt8]
  ) {
    out.append(UInt8(ascii: "{"))
    for (index, value) in values.enumerated() {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      if value.isNull {
        out.append(contentsOf: "NULL".utf8)
        continue
      }
      var text: [UInt8] = []
      append(value, type: element, context: context, to: &text)
      if case .array = element {
        out.append(contentsOf: text)
      } else {
        appendQuotedElement(text, to: &out)
      }
    }
    out.append(UInt8(ascii: "}"))
  }

  private static func appendQuotedElement(_ text: [UInt8], to out: inout [UInt8]) {
    let special = Set("{},\"\\ \t\n\r\u{0B}\u{0C}".utf8)
    let isNullWord = String(decoding: text, as: UTF8.self).lowercased() == "null"
    if !text.isEmpty && !isNullWord && !text.contains(where: special.contains) {
      return out.append(contentsOf: text)
    }
    out.append(UInt8(ascii: "\""))
    for byte in text {
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { out.append(UInt8(ascii: "\\")) }
      out.append(byte)
    }
    out.append(UInt8(ascii: "\""))
  }
}
