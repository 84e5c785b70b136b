// Dates, times and timestamps from text: ISO forms, T and Z, month names, zone offsets, and PostgreSQL's words
// (infinity, epoch, now, today, tomorrow, yesterday). DateStyle is ISO, MDY.

import Bedrock
import Columnar

enum DateTimeInput {
  struct Fields {
    var year: Int64?
    var month: Int64?
    var day: Int64?
    var time: Int64?
    var offsetSeconds: Int64?
    /// Of a zone that was named.
    var zone: SessionTimeZone?
    var beforeChrist = false
    var word: String?
  }

  private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

  private static func syntax(_ text: String, _ type: DataType) -> Fault {
    // PostgreSQL's messages call only this type by its short name
    let name = type == .timestamp ? "timestamp" : TypeNames.sqlName(type)
    return Fault(.invalidDatetimeFormat, "invalid input syntax for type \(name): \"\(text)\"")
  }
  private static func outOfRange(_ text: String) -> Fault {
    Fault(.datetimeFieldOverflow, "date/time field value out of range: \"\(text)\"")
  }

  static func date(_ text: String, context: FunctionContext) throws(Fault) -> Int64 {
    let fields = try parse(text, .date)
    if let word = fields.word {
      switch word {
      case "infinity": return Int64(Int32.max)
      case "-infinity": return Int64(Int32.min)
      default: return CivilCalendar.split(context.timeZone.local(try moment(word, text, .date, context))).day
      }
    }
    return try day(fields, text, .date)
  }

  static func time(_ text: String) throws(Fault) -> Int64 {
    let fields = try parse(text, .time)
    guard fields.word == nil, let time = fields.time else { throw syntax(text, .time) }
    return time
  }

  /// Microseconds since 1970, in UTC when `withZone`.
  static func timestamp(_ text: String, withZone: Bool, context: FunctionContext) throws(Fault) -> Int64 {
    let type: DataType = withZone ? .timestamptz : .timestamp
    let fields = try parse(text, type)
    if let word = fields.word {
      switch word {
      case "infinity": return .max
      case "-infinity": return .min
      default:
        let value = try moment(word, text, type, context)
        return withZone || word == "epoch" ? value : context.timeZone.local(value)
      }
    }
    let day = try day(fields, text, type)
    guard day <= CivilCalendar.timestampDayMax else {
      throw Fault(.datetimeFieldOverflow, "timestamp out of range: \"\(text)\"")
    }
    let local = day * CivilCalendar.microsPerDay + (fields.time ?? 0)
    if !withZone { return local }
    if let offset = fields.offsetSeconds { return local - offset * 1_000_000 }
    return (fields.zone ?? context.timeZone).instant(local)
  }

  private static func moment(
    _ word: String, _ text: String, _ type: DataType, _ context: FunctionContext
  ) throws(Fault) -> Int64 {
    let zone = context.timeZone
    let today = CivilCalendar.split(zone.local(context.transactionMicros)).day
    switch word {
    case "epoch": return 0
    case "now": return context.transactionMicros
    case "today": return zone.instant(today * CivilCalendar.microsPerDay)
    case "tomorrow": return zone.instant((today + 1) * CivilCalendar.microsPerDay)
    case "yesterday": return zone.instant((today - 1) * CivilCalendar.microsPerDay)
    default: throw syntax(text, type)
    }
  }

  private static func day(_ fields: Fields, _ text: String, _ type: DataType) throws(Fault) -> Int64 {
    guard var year = fields.year, let month = fields.month, let day = fields.day else { throw syntax(text, type) }
    if fields.beforeChrist {
      if year < 1 { throw outOfRange(text) }
      year = 1 - year
    } else if year == 0 {
      throw outOfRange(text)
    }
    guard (1...12).contains(month), day >= 1, day <= CivilCalendar.daysInMonth(year, month) else {
      throw outOfRange(text)
    }
    let days = CivilCalendar.days(year: year, month: month, day: day)
    guard days >= CivilCalendar.dayMin, year <= 5_874_897 else {
      throw Fault(.datetimeFieldOverflow, "\(type == .date ? "date" : "timestamp") out of range: \"\(text)\"")
    }
    return days
  }

  // MARK: Splitting into fields

  /// The number that begins at `index`, which moves behind it; at most 15 digits.
  private static func digits(_ bytes: [UInt8], _ index: inout Int) -> (value: Int64, width: Int)? {
    let start = index
    var value: Int64 = 0
    while index < bytes.count, bytes[index] >= 48, bytes[index] <= 57, index - start < 15 {
      value = value * 10 + Int64(bytes[index] - 48)
      index += 1
    }
    return index == start ? nil : (value, index - start)
  }

  private static func parse(_ text: String, _ type: DataType) throws(Fault) -> Fields {
    let bytes = Array(text.lowercased().utf8)
    var fields = Fields()
    var index = 0
    func isDigit(_ position: Int) -> Bool { position < bytes.count && bytes[position] >= 48 && bytes[position] <= 57 }
    func number() -> (value: Int64, width: Int)? { digits(bytes, &index) }
    if bytes.isEmpty { throw syntax(text, type) }
    while index < bytes.count {
      let byte = bytes[index]
      if ValueText.isSpace(byte) || byte == 44 {
        index += 1
      } else if isDigit(index) {
        let start = index
        // number() was called on a digit
        guard let (first, width) = number() else { throw syntax(text, type) }
        if index < bytes.count && bytes[index] == 58 && fields.time == nil {
          index = start
          fields.time = try clock(bytes, &index, text, type)
        } else if index < bytes.count && (bytes[index] == 45 || bytes[index] == 47 || bytes[index] == 46)
          && fields.year == nil
        {
          let separator = bytes[index]
          index += 1
          try dateTail(bytes, &index, first, width, separator, &fields, text, type)
        } else if (width == 8 || width == 6) && fields.year == nil {
          let date = width == 8 ? first : 20_000_000 + first
          (fields.year, fields.month, fields.day) = (date / 10_000, date / 100 % 100, date % 100)
        } else if fields.month != nil && fields.day == nil && width <= 2 {
          fields.day = first
        } else if fields.month != nil && fields.year == nil {
          fields.year = first
        } else if fields.year == nil && fields.day == nil && width <= 2 {
          fields.day = first
        } else if fields.year != nil && fields.time == nil && (width == 6 || width == 4 || width == 2) {
          let clock = width == 6 ? first : (width == 4 ? first * 100 : first * 10_000)
          fields.time = try micros(clock / 10_000, clock / 100 % 100, clock % 100, 0, text)
        } else {
          throw syntax(text, type)
        }
      } else if (byte == 43 || byte == 45) && (fields.time != nil || fields.year != nil) {
        fields.offsetSeconds = try offset(bytes, &index, text, type)
      } else if byte >= 97 && byte <= 122 || byte == 45 || byte == 43 {
        let start = index
        index += 1
        while index < bytes.count
          && ((bytes[index] >= 97 && bytes[index] <= 122) || bytes[index] == 47 || bytes[index] == 95)
        {
          index += 1
        }
        try word(String(decoding: bytes[start..<index], as: UTF8.self), bytes, &index, &fields, text, type)
      } else {
        throw syntax(text, type)
      }
    }
    return fields
  }

  private static func dateTail(
    _ bytes: [UInt8], _ index: inout Int, _ first: Int64, _ width: Int, _ separator: UInt8, _ fields: inout Fields,
    _ text: String, _ type: DataType
  ) throws(Fault) {
    var middle: Int64
    if index < bytes.count && bytes[index] >= 97 {
      let name = String(decoding: bytes[index...].prefix { $0 >= 97 && $0 <= 122 }, as: UTF8.self)
      guard let month = months.firstIndex(where: { name.hasPrefix($0) }) else { throw syntax(text, type) }
      index += name.utf8.count
      middle = Int64(month + 1)
      guard index < bytes.count, bytes[index] == separator else { throw syntax(text, type) }
      index += 1
      guard let (last, _) = digits(bytes, &index) else { throw syntax(text, type) }
      (fields.year, fields.month, fields.day) = width > 2 ? (first, middle, last) : (last, middle, first)
      return
    }
    guard let (second, _) = digits(bytes, &index) else { throw syntax(text, type) }
    middle = second
    guard index < bytes.count, bytes[index] == separator else { throw syntax(text, type) }
    index += 1
    guard let (last, lastWidth) = digits(bytes, &index) else { throw syntax(text, type) }
    if width > 2 {
      (fields.year, fields.month, fields.day) = (first, middle, last)
    } else {
      // MDY
      let year = lastWidth <= 2 ? (last < 70 ? 2000 + last : 1900 + last) : last
      (fields.year, fields.month, fields.day) = (year, first, middle)
    }
  }

  private static func clock(
    _ bytes: [UInt8], _ index: inout Int, _ text: String, _ type: DataType
  ) throws(Fault) -> Int64 {
    var parts: [Int64] = []
    var fraction: Int64 = 0
    while true {
      var value: Int64 = 0
      let start = index
      while index < bytes.count, bytes[index] >= 48, bytes[index] <= 57, index - start < 10 {
        value = value * 10 + Int64(bytes[index] - 48)
        index += 1
      }
      if index == start { throw syntax(text, type) }
      parts.append(value)
      if index < bytes.count && bytes[index] == 58 && parts.count < 3 {
        index += 1
      } else {
        break
      }
    }
    if index < bytes.count && bytes[index] == 46 {
      index += 1
      var digits = 0
      var roundUp = false
      while index < bytes.count, bytes[index] >= 48, bytes[index] <= 57 {
        if digits < 6 { fraction = fraction * 10 + Int64(bytes[index] - 48) }
        if digits == 6 { roundUp = bytes[index] >= 53 }
        digits += 1
        index += 1
      }
      while digits < 6 {
        fraction *= 10
        digits += 1
      }
      if roundUp { fraction += 1 }
    }
    return try micros(parts[0], parts[1], parts.count > 2 ? parts[2] : 0, fraction, text)
  }

  private static func micros(
    _ hour: Int64, _ minute: Int64, _ second: Int64, _ fraction: Int64, _ text: String
  ) throws(Fault) -> Int64 {
    guard hour <= 24, minute < 60, second <= 60 else { throw outOfRange(text) }
    let total = ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction
    guard total <= CivilCalendar.microsPerDay else { throw outOfRange(text) }
    return total
  }

  private static func offset(
    _ bytes: [UInt8], _ index: inout Int, _ text: String, _ type: DataType
  ) throws(Fault) -> Int64 {
    let negative = bytes[index] == 45
    index += 1
    var parts: [Int64] = []
    while parts.count < 3 {
      let start = index
      var value: Int64 = 0
      while index < bytes.count, bytes[index] >= 48, bytes[index] <= 57, index - start < 6 {
        value = value * 10 + Int64(bytes[index] - 48)
        index += 1
      }
      if index == start { throw syntax(text, type) }
      if index - start > 2 && parts.isEmpty {
        parts = [value / 100, value % 100]
        break
      }
      parts.append(value)
      if index < bytes.count && bytes[index] == 58 { index += 1 } else { break }
    }
    let seconds = parts[0] * 3600 + (parts.count > 1 ? parts[1] : 0) * 60 + (parts.count > 2 ? parts[2] : 0)
    guard parts[0] <= 15, parts.count < 2 || parts[1] < 60 else {
      throw Fault(.datetimeFieldOverflow, "time zone displacement out of range: \"\(text)\"")
    }
    return negative ? -seconds : seconds
  }

  private static func word(
    _ name: String, _ bytes: [UInt8], _ index: inout Int, _ fields: inout Fields, _ text: String, _ type: DataType
  ) throws(Fault) {
    if name == "t" && fields.year != nil { return }
    if name == "bc" {
      fields.beforeChrist = true
    } else if name == "ad" {
      return
    } else if name == "am" || name == "pm" {
      guard let time = fields.time, time < 13 * CivilCalendar.microsPerHour else { throw outOfRange(text) }
      let isTwelve = time >= 12 * CivilCalendar.microsPerHour
      let half = 12 * CivilCalendar.microsPerHour
      fields.time = name == "am" ? (isTwelve ? time - half : time) : (isTwelve ? time : time + half)
    } else if let zone = ZoneAbbreviations.zone(name) {
      if let offset = zone.fixedOffset { fields.offsetSeconds = Int64(offset) } else { fields.zone = zone }
    } else if name.utf8.count >= 3, let month = months.firstIndex(where: { name.hasPrefix($0) }) {
      fields.month = Int64(month + 1)
    } else if ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].contains(where: { name.hasPrefix($0) }) {
      return
    } else {
      switch name {
      case "infinity", "-infinity", "+infinity", "epoch", "now", "today", "tomorrow", "yesterday":
        fields.word = name == "+infinity" ? "infinity" : name
      default:
        // Zones such as `etc/gmt+3` go on with a sign and digits.
        var full = name
        while full.contains("/") || full.utf8.count <= 4, index < bytes.count,
          (bytes[index] >= 48 && bytes[index] <= 57) || bytes[index] == 43 || bytes[index] == 45
            || (bytes[index] >= 97 && bytes[index] <= 122) || bytes[index] == 95 || bytes[index] == 47
        {
          full.unicodeScalars.append(Unicode.Scalar(bytes[index]))
          index += 1
        }
        guard let zone = SessionTimeZone(named: full) else {
          if full.contains("/") {
            throw Fault(.invalidParameterValue, "time zone \"\(full)\" not recognized")
          }
          throw syntax(text, type)
        }
        fields.zone = zone
      }
    }
  }
}
