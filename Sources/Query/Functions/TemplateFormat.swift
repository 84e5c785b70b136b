// to_char, to_date and to_timestamp(text, text): PostgreSQL's date templates, and the common number templates.

import Bedrock
import Columnar
import Kernels

enum TemplateFormat {
  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
  ]
  private static let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
  /// Longest first: a template is read greedily.
  private static let keywords = [
    "SSSSS", "MONTH", "Month", "month", "Y,YYY", "HH24", "HH12", "YYYY", "IYYY", "DAY", "Day", "day", "DDD", "MON",
    "Mon",
    "mon", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6", "YYY", "IDDD", "A.M.", "P.M.", "a.m.", "p.m.", "HH", "MI", "SS",
    "MS",
    "US", "YY", "MM", "DD", "DY", "Dy", "dy", "ID", "IW", "WW", "CC", "AM", "PM", "am", "pm", "TZH", "TZM", "TZ", "tz",
    "OF", "FM", "TH", "th", "RM", "D", "W", "Q", "J", "Y",
  ]

  private enum Piece {
    case keyword(String)
    case literal(String)
  }

  private static func pieces(_ template: String) -> [Piece] {
    var list: [Piece] = []
    var rest = Substring(template)
    while let first = rest.first {
      if first == "\"" {
        rest = rest.dropFirst()
        let text = rest.prefix { $0 != "\"" }
        list.append(.literal(String(text)))
        rest = rest.dropFirst(text.count + 1)
      } else if let keyword = keywords.first(where: {
        rest.hasPrefix($0)
          || rest.hasPrefix($0.lowercased()) && $0.uppercased() == $0
            && !["AM", "PM", "A.M.", "P.M.", "TZ", "TH", "MONTH", "MON", "DAY", "DY"].contains($0)
      }) {
        list.append(.keyword(keyword))
        rest = rest.dropFirst(keyword.count)
      } else {
        list.append(.literal(String(first)))
        rest = rest.dropFirst()
      }
    }
    return list
  }

  private static func padded(_ value: Int64, _ width: Int, _ fill: Bool) -> String {
    let text = String(value.magnitude)
    let zeros = fill ? String(repeating: "0", count: max(0, width - text.count)) : ""
    return (value < 0 ? "-" : "") + zeros + text
  }

  private static func spaced(_ text: String, _ width: Int, _ fill: Bool) -> String {
    fill ? text + String(repeating: " ", count: max(0, width - text.count)) : text
  }

  private static func cased(_ text: String, like keyword: String) -> String {
    if keyword == keyword.uppercased() { return text.uppercased() }
    return keyword == keyword.lowercased() ? text.lowercased() : text
  }

  /// `micros` is local time.
  static func format(_ micros: Int64, _ template: String, zone: (abbreviation: String, offsetSeconds: Int)?) -> String {
    let (day, time) = CivilCalendar.split(micros)
    let (year, month, dayOfMonth) = CivilCalendar.civil(day)
    let hour = time / 3_600_000_000, minute = time / 60_000_000 % 60, second = time / 1_000_000 % 60
    let fraction = time % 1_000_000
    let weekday = CivilCalendar.weekday(day)
    let dayOfYear = day - CivilCalendar.days(year: year, month: 1, day: 1) + 1
    let shown = year > 0 ? year : 1 - year
    var fill = true
    var last: Int64 = 0
    var out = ""
    func number(_ value: Int64, _ width: Int) {
      out += padded(value, width, fill)
      last = value
    }
    for piece in pieces(template) {
      guard case .keyword(let keyword) = piece else {
        if case .literal(let text) = piece { out += text }
        continue
      }
      var keepsFill = false
      switch keyword {
      case "FM":
        fill = false
        keepsFill = true
      case "YYYY": number(shown, 4)
      case "Y,YYY": out += "\(shown / 1000),\(padded(shown % 1000, 3, true))"
      case "YYY": number(shown % 1000, 3)
      case "YY": number(shown % 100, 2)
      case "Y": number(shown % 10, 1)
      case "IYYY": number(CivilCalendar.isoWeek(day).year, 4)
      case "CC": number((shown + 99) / 100, 2)
      case "MM": number(month, 2)
      case "DD": number(dayOfMonth, 2)
      case "DDD": number(dayOfYear, 3)
      case "HH24": number(hour, 2)
      case "HH12", "HH": number((hour + 11) % 12 + 1, 2)
      case "MI": number(minute, 2)
      case "SS": number(second, 2)
      case "SSSSS": number(time / 1_000_000, 5)
      case "MS", "FF3": number(fraction / 1000, 3)
      case "US", "FF6": number(fraction, 6)
      case "FF1": number(fraction / 100_000, 1)
      case "FF2": number(fraction / 10_000, 2)
      case "FF4": number(fraction / 100, 4)
      case "FF5": number(fraction / 10, 5)
      case "MONTH", "Month", "month": out += cased(spaced(months[Int(month - 1)], 9, fill), like: keyword)
      case "MON", "Mon", "mon": out += cased(String(months[Int(month - 1)].prefix(3)), like: keyword)
      case "DAY", "Day", "day": out += cased(spaced(days[Int(weekday)], 9, fill), like: keyword)
      case "DY", "Dy", "dy": out += cased(String(days[Int(weekday)].prefix(3)), like: keyword)
      case "D": number(weekday + 1, 1)
      case "ID": number((weekday + 6) % 7 + 1, 1)
      case "IW": number(CivilCalendar.isoWeek(day).week, 2)
      case "WW": number((dayOfYear - 1) / 7 + 1, 2)
      case "W": number((dayOfMonth - 1) / 7 + 1, 1)
      case "Q": number((month - 1) / 3 + 1, 1)
      case "J": number(day + 2_440_588, 1)
      case "AM", "PM": out += hour < 12 ? "AM" : "PM"
      case "am", "pm": out += hour < 12 ? "am" : "pm"
      case "A.M.", "P.M.": out += hour < 12 ? "A.M." : "P.M."
      case "a.m.", "p.m.": out += hour < 12 ? "a.m." : "p.m."
      case "TZ": out += zone?.abbreviation.uppercased() ?? ""
      case "tz": out += zone?.abbreviation.lowercased() ?? ""
      case "OF", "TZH":
        var bytes: [UInt8] = []
        ValueText.appendZone(zone?.offsetSeconds ?? 0, to: &bytes)
        out += String(decoding: keyword == "OF" ? bytes[...] : bytes.prefix(3), as: UTF8.self)
      case "TZM": out += padded(Int64((zone?.offsetSeconds ?? 0) / 60 % 60), 2, true)
      case "TH", "th":
        let ends = ["th", "st", "nd", "rd"]
        let pick = (11...13).contains(last % 100) || last % 10 > 3 ? 0 : Int(last % 10)
        out += keyword == "TH" ? ends[pick].uppercased() : ends[pick]
      default: out += keyword
      }
      if !keepsFill { fill = true }
    }
    return out
  }

  /// Local microseconds of a text read by a template.
  static func parse(_ text: String, _ template: String) throws(Fault) -> Int64 {
    let bytes = Array(text.utf8)
    var position = 0
    var year: Int64 = 1, month: Int64 = 1, day: Int64 = 1
    var hour: Int64 = 0, minute: Int64 = 0, second: Int64 = 0, fraction: Int64 = 0
    var isAfternoon: Bool?
    func number(_ keyword: String, _ width: Int) throws(Fault) -> Int64 {
      while position < bytes.count, ValueText.isSpace(bytes[position]) { position += 1 }
      let start = position
      var value: Int64 = 0
      while position < bytes.count, position - start < width, bytes[position] >= 48, bytes[position] <= 57 {
        value = value * 10 + Int64(bytes[position] - 48)
        position += 1
      }
      if position == start {
        throw Fault(
          .invalidDatetimeFormat,
          "invalid value \"\(String(decoding: bytes[start...].prefix(width), as: UTF8.self))\" for \"\(keyword)\"",
          detail: "Value must be an integer.")
      }
      return value
    }
    func scaledFraction(_ keyword: String, _ width: Int) throws(Fault) -> Int64 {
      let start = position
      var value = try number(keyword, width)
      for _ in (position - start)..<6 { value *= 10 }
      return value
    }
    for piece in pieces(template) {
      switch piece {
      case .literal(let literal):
        if position < bytes.count, !(bytes[position] >= 48 && bytes[position] <= 57) || literal.first?.isNumber == true
        {
          position = min(bytes.count, position + literal.utf8.count)
        }
      case .keyword(let keyword):
        if position >= bytes.count && keyword != "FM" { continue }
        switch keyword {
        case "YYYY": year = try number(keyword, 4)
        case "YY":
          let short = try number(keyword, 2)
          year = short < 70 ? 2000 + short : 1900 + short
        case "MM": month = try number(keyword, 2)
        case "DD": day = try number(keyword, 2)
        case "HH24", "HH12", "HH": hour = try number(keyword, 2)
        case "MI": minute = try number(keyword, 2)
        case "SS": second = try number(keyword, 2)
        case "MS", "FF3": fraction = try scaledFraction(keyword, 3)
        case "US", "FF6": fraction = try scaledFraction(keyword, 6)
        case "MONTH", "Month", "month", "MON", "Mon", "mon":
          let rest = String(decoding: bytes[position...], as: UTF8.self).lowercased()
          let isShort = keyword.count == 3
          guard
            let index = months.firstIndex(where: {
              rest.hasPrefix(isShort ? $0.prefix(3).lowercased() : $0.lowercased())
            })
          else {
            throw Fault(.invalidDatetimeFormat, "invalid value \"\(rest.prefix(keyword.count))\" for \"\(keyword)\"")
          }
          month = Int64(index + 1)
          position += isShort ? 3 : months[index].utf8.count
        case "AM", "PM", "am", "pm":
          isAfternoon = bytes[position] | 0x20 == UInt8(ascii: "p")
          position += 2
        case "FM": break
        default: throw Fault.unsupported("the template pattern \(keyword) for reading")
        }
      }
    }
    if let isAfternoon { hour = hour % 12 + (isAfternoon ? 12 : 0) }
    guard (1...12).contains(month), day >= 1, day <= CivilCalendar.daysInMonth(year, month), hour < 24, minute < 60,
      second < 60
    else { throw Fault(.datetimeFieldOverflow, "date/time field value out of range: \"\(text)\"") }
    return CivilCalendar.days(year: year, month: month, day: day) * CivilCalendar.microsPerDay
      + ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction
  }

  // MARK: Numbers

  /// Templates of 9 0 . , D G, with FM, MI, S, PL, $ and literal text around.
  static func format(_ value: Numeric, _ template: String) throws(Fault) -> String {
    var body = Substring(template)
    var fill = true
    if body.hasPrefix("FM") || body.hasPrefix("fm") {
      fill = false
      body = body.dropFirst(2)
    }
    let whole = body.prefix { $0 != "." && $0 != "D" && $0 != "d" }
    let fractionPart = body.dropFirst(whole.count).dropFirst()
    let places = fractionPart.filter { $0 == "9" || $0 == "0" }.count
    let digitsWanted = whole.filter { $0 == "9" || $0 == "0" }.count
    guard let rounded = value.isNaN ? nil : value.rounded(toScale: places) else {
      throw ArithmeticOperators.numericOverflow
    }
    var printed: [UInt8] = []
    ValueText.appendNumeric(rounded.coefficient < 0 ? rounded.negated : rounded, to: &printed)
    let text = String(decoding: printed, as: UTF8.self)
    let parts = text.split(separator: ".")
    var integer = String(parts.first ?? "0")
    let decimals = parts.count > 1 ? String(parts[1]) : ""
    if integer == "0" && !whole.contains("0") && places > 0 { integer = "" }
    let negative = rounded.coefficient < 0
    var digits = Array(integer)
    let overflow = digits.count > digitsWanted
    var reversedOut: [Character] = []
    let firstZero = whole.firstIndex(of: "0")
    for index in whole.indices.reversed() {
      switch whole[index] {
      case "9", "0":
        if overflow {
          reversedOut.append("#")
        } else if let digit = digits.popLast() {
          reversedOut.append(digit)
        } else {
          reversedOut.append(firstZero.map { index >= $0 } ?? false ? "0" : " ")
        }
      case ",", "G", "g":
        let hasMore = overflow || !digits.isEmpty || (firstZero.map { $0 < index } ?? false)
        reversedOut.append(hasMore ? "," : " ")
      case "S", "s", "M", "m", "I", "i", "L", "l": break
      case let other: reversedOut.append(other)
      }
    }
    var out = String(reversedOut.reversed())
    let leading = out.prefix { $0 == " " }
    out = leading + (negative ? "-" : " ") + out.dropFirst(leading.count)
    if places > 0 {
      var shown = decimals
      if !fill {
        let minimum =
          fractionPart.lastIndex(of: "0").map { fractionPart.distance(from: fractionPart.startIndex, to: $0) + 1 } ?? 0
        while shown.count > minimum, shown.last == "0" { shown.removeLast() }
      }
      out += "." + (overflow ? String(repeating: "#", count: places) : shown)
    }
    return fill ? out : String(out.drop { $0 == " " })
  }

  static let functions: [ScalarFunction] = [
    .rowwise("to_char", [.timestamp, .text], .text, volatility: .stable) { (a, row, out) throws(Fault) in
      guard DateCasts.isFinite(a.int(0, row)) else { return out.appendNull() }
      out.append(format(a.int(0, row), a.string(1, row), zone: nil))
    },
    .rowwise("to_char", [.timestamptz, .text], .text, volatility: .stable) { (a, row, out) throws(Fault) in
      guard DateCasts.isFinite(a.int(0, row)) else { return out.appendNull() }
      let zone = a.context.timeZone
      let micros = a.int(0, row)
      out.append(
        format(
          zone.local(micros), a.string(1, row),
          zone: (zone.abbreviation(at: micros), zone.offsetSeconds(at: micros))))
    },
    .rowwise("to_char", [.numeric, .text], .text) { (a, row, out) throws(Fault) in
      out.append(try format(a.numeric(0, row), a.string(1, row)))
    },
    .rowwise("to_char", [.float8, .text], .text) { (a, row, out) throws(Fault) in
      guard let number = Casts.numeric(a.double(0, row), digits: 15) else { throw ArithmeticOperators.numericOverflow }
      out.append(try format(number, a.string(1, row)))
    },
    .rowwise("to_char", [.int4, .text], .text) { (a, row, out) throws(Fault) in
      out.append(try format(Numeric(a.int(0, row)), a.string(1, row)))
    },
    .rowwise("to_char", [.int8, .text], .text) { (a, row, out) throws(Fault) in
      out.append(try format(Numeric(a.int(0, row)), a.string(1, row)))
    },
  ]
}
