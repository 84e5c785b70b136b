// Intervals from text: "1 day 2 hours", "1-2", "3 4:05:06.7", "P1Y2M3DT4H5M6S", "1 week ago", fractions.

import Bedrock
import Columnar

enum IntervalInput {
  /// Sums of the fields with room for what overflows.
  private struct Sums {
    var months: Int64 = 0
    var days: Int64 = 0
    var micros: Int64 = 0
    var overflow = false

    mutating func add(months: Double, days: Double = 0, micros: Double = 0) {
      let wholeMonths = months.rounded(.towardZero)
      let restDays = (months - wholeMonths) * 30 + days
      let wholeDays = (restDays + (restDays < 0 ? -1e-9 : 1e-9)).rounded(.towardZero)
      let restMicros = ((restDays - wholeDays) * 86_400_000_000).rounded() + micros.rounded(.toNearestOrEven)
      for value in [wholeMonths, wholeDays, restMicros] where value.magnitude > 9e18 { overflow = true }
      if overflow { return }
      self.months &+= Int64(wholeMonths)
      self.days &+= Int64(wholeDays)
      let (sum, tooBig) = self.micros.addingReportingOverflow(Int64(restMicros))
      self.micros = sum
      overflow = overflow || tooBig
    }
  }

  static func parse(_ text: String) throws(Fault) -> Interval {
    let invalid = Fault(.invalidDatetimeFormat, "invalid input syntax for type interval: \"\(text)\"")
    let outOfRange = Fault(.datetimeFieldOverflow, "interval field value out of range: \"\(text)\"")
    let lower = text.lowercased()
    let trimmed = lower.utf8.drop { ValueText.isSpace($0) }
    var sums = Sums()
    if trimmed.first == UInt8(ascii: "p") {
      guard iso(Array(trimmed.dropFirst()), &sums) else { throw invalid }
    } else {
      guard verbose(Array(lower.utf8), &sums) else { throw invalid }
    }
    guard !sums.overflow, let months = Int32(exactly: sums.months), let days = Int32(exactly: sums.days) else {
      throw outOfRange
    }
    return Interval(months: months, days: days, micros: sums.micros)
  }

  private static func scanNumber(_ bytes: [UInt8], _ index: inout Int) -> Double? {
    let start = index
    if index < bytes.count && (bytes[index] == 45 || bytes[index] == 43) { index += 1 }
    let digits = index
    while index < bytes.count, (bytes[index] >= 48 && bytes[index] <= 57) || bytes[index] == 46 { index += 1 }
    if index == digits { return nil }
    var text = String(decoding: bytes[start..<index], as: UTF8.self)
    if text.hasSuffix(".") { text.removeLast() }
    if bytes[digits] == 46 {
      text = (bytes[start] == 45 ? "-0" : "0") + String(decoding: bytes[digits..<index], as: UTF8.self)
    }
    return Double(text)
  }

  private static func iso(_ bytes: [UInt8], _ sums: inout Sums) -> Bool {
    var index = 0
    var isTime = false
    if bytes.isEmpty { return false }
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "t") {
        isTime = true
        index += 1
        continue
      }
      guard let number = scanNumber(bytes, &index), index < bytes.count else { return false }
      switch (bytes[index], isTime) {
      case (UInt8(ascii: "y"), false): sums.add(months: number * 12)
      case (UInt8(ascii: "m"), false): sums.add(months: number)
      case (UInt8(ascii: "w"), false): sums.add(months: 0, days: number * 7)
      case (UInt8(ascii: "d"), false): sums.add(months: 0, days: number)
      case (UInt8(ascii: "h"), true): sums.add(months: 0, micros: number * 3_600_000_000)
      case (UInt8(ascii: "m"), true): sums.add(months: 0, micros: number * 60_000_000)
      case (UInt8(ascii: "s"), true): sums.add(months: 0, micros: number * 1_000_000)
      default: return false
      }
      index += 1
    }
    return true
  }

  private static func verbose(_ bytes: [UInt8], _ sums: inout Sums) -> Bool {
    var index = 0
    var pending: Double?
    var found = false
    while index < bytes.count {
      let byte = bytes[index]
      if ValueText.isSpace(byte) || byte == UInt8(ascii: "@") {
        index += 1
        continue
      }
      if byte >= 97 && byte <= 122 {
        let start = index
        while index < bytes.count, bytes[index] >= 97, bytes[index] <= 122 { index += 1 }
        let unit = String(decoding: bytes[start..<index], as: UTF8.self)
        if unit == "ago" {
          if pending != nil || !found { return false }
          (sums.months, sums.days, sums.micros) = (-sums.months, -sums.days, 0 &- sums.micros)
          continue
        }
        guard let number = pending, add(number, unit, &sums) else { return false }
        pending = nil
        found = true
        continue
      }
      if let number = pending {
        // a number without unit before a time is days: "3 4:05:06"
        sums.add(months: 0, days: number)
        pending = nil
      }
      let start = index
      guard let number = scanNumber(bytes, &index) else { return false }
      let negative = bytes[start] == 45
      if index < bytes.count && bytes[index] == 58 {
        guard clock(bytes, &index, number, negative, &sums) else { return false }
        found = true
      } else if index + 1 < bytes.count && bytes[index] == 45 && bytes[index + 1] >= 48 && bytes[index + 1] <= 57 {
        index += 1
        guard let months = scanNumber(bytes, &index) else { return false }
        sums.add(months: number * 12 + (negative ? -months : months))
        found = true
      } else {
        pending = number
      }
    }
    if let number = pending {
      // a number alone is seconds
      sums.add(months: 0, micros: number * 1_000_000)
      found = true
    }
    return found
  }

  private static func clock(
    _ bytes: [UInt8], _ index: inout Int, _ hours: Double, _ negative: Bool, _ sums: inout Sums
  ) -> Bool {
    index += 1
    guard let minutes = scanNumber(bytes, &index), minutes >= 0, minutes < 60 else { return false }
    var seconds = 0.0
    if index < bytes.count && bytes[index] == 58 {
      index += 1
      guard let value = scanNumber(bytes, &index), value >= 0, value < 61 else { return false }
      seconds = value
    }
    let micros = hours.magnitude * 3_600_000_000 + minutes * 60_000_000 + seconds * 1_000_000
    sums.add(months: 0, micros: negative ? -micros : micros)
    return true
  }

  private static func add(_ number: Double, _ unit: String, _ sums: inout Sums) -> Bool {
    switch unit {
    case "microsecond", "microseconds", "us", "usec", "usecs", "usecond", "useconds":
      sums.add(months: 0, micros: number)
    case "millisecond", "milliseconds", "ms", "msec", "msecs", "msecond", "mseconds":
      sums.add(months: 0, micros: number * 1000)
    case "second", "seconds", "s", "sec", "secs": sums.add(months: 0, micros: number * 1_000_000)
    case "minute", "minutes", "m", "min", "mins": sums.add(months: 0, micros: number * 60_000_000)
    case "hour", "hours", "h", "hr", "hrs": sums.add(months: 0, micros: number * 3_600_000_000)
    case "day", "days", "d": sums.add(months: 0, days: number)
    case "week", "weeks", "w": sums.add(months: 0, days: number * 7)
    case "month", "months", "mon", "mons": sums.add(months: number)
    case "quarter", "quarters", "qtr": sums.add(months: number * 3)
    case "year", "years", "y", "yr", "yrs": sums.add(months: (number * 12).rounded())
    case "decade", "decades", "dec", "decs": sums.add(months: (number * 120).rounded())
    case "century", "centuries", "c", "cent": sums.add(months: (number * 1200).rounded())
    case "millennium", "millennia", "mil", "mils": sums.add(months: (number * 12_000).rounded())
    default: return false
    }
    return true
  }
}
