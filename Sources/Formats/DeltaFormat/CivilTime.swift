// Dates and times of the proleptic Gregorian calendar as Delta writes them in statistics, always UTC.

import Bedrock

enum CivilTime {
  static let microsPerDay: Int64 = 86_400_000_000
  /// 0001-01-01 and 9999-12-31 as days since 1970-01-01.
  static let dayMin: Int64 = -719_162
  static let dayMax: Int64 = 2_932_896

  /// Nil outside years 1 to 9999.
  static func text(day: Int64) -> String? {
    guard day >= dayMin && day <= dayMax else { return nil }
    let (year, month, dayOfMonth) = date(day)
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfMonth, 2))"
  }

  /// `2026-11-23T08:00:00.123Z`; nil outside years 1 to 9999.
  static func text(millis: Int64) -> String? {
    let day = floorDivide(millis, 86_400_000)
    guard let date = text(day: day) else { return nil }
    let rest = millis - day * 86_400_000
    let seconds = rest / 1_000
    let time = "\(padded(seconds / 3_600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
    return "\(date)T\(time).\(padded(rest % 1_000, 3))Z"
  }

  /// Days since 1970-01-01 of `YYYY-MM-DD`; nil for any other text.
  static func day(_ text: some StringProtocol) -> Int64? {
    let bytes = Array(text.utf8)
    guard bytes.count == 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
      let year = number(bytes[0..<4]), let month = number(bytes[5..<7]), let day = number(bytes[8..<10]),
      year >= 1, month >= 1, month <= 12, day >= 1, day <= 31
    else { return nil }
    let count = days(year, month, day)
    // A day that the month does not have would be one of the next month.
    return date(count) == (year, month, day) ? count : nil
  }

  /// Microseconds since 1970 and how many digits of the fraction were given. Accepts `T` or a space, no zone, `Z` or
  /// `+hh:mm`.
  static func micros(_ text: String) -> (micros: Int64, fractionDigits: Int)? {
    let bytes = Array(text.utf8)
    guard bytes.count >= 19, bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: " "),
      let day = day(String(decoding: bytes[0..<10], as: UTF8.self)),
      bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
      let hour = number(bytes[11..<13]), let minute = number(bytes[14..<16]), let second = number(bytes[17..<19]),
      hour <= 23, minute <= 59, second <= 59
    else { return nil }
    var at = 19
    var fraction: Int64 = 0
    var digits = 0
    if at < bytes.count && bytes[at] == UInt8(ascii: ".") {
      at += 1
      while at < bytes.count, bytes[at] >= 0x30, bytes[at] <= 0x39, digits < 9 {
        if digits < 6 { fraction = fraction * 10 + Int64(bytes[at] - 0x30) }
        digits += 1
        at += 1
      }
      guard digits > 0 else { return nil }
      for _ in digits..<max(digits, 6) { fraction *= 10 }
    }
    guard let offset = zone(bytes[at...]) else { return nil }
    let seconds = day * 86_400 + hour * 3_600 + minute * 60 + second - offset
    return (seconds * 1_000_000 + fraction, digits)
  }

  /// Offset east of UTC in seconds.
  private static func zone(_ bytes: ArraySlice<UInt8>) -> Int64? {
    if bytes.isEmpty || bytes.elementsEqual("Z".utf8) { return 0 }
    let bytes = Array(bytes)
    guard bytes.count == 6, bytes[3] == UInt8(ascii: ":"), bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "-"),
      let hour = number(bytes[1..<3]), let minute = number(bytes[4..<6]), hour <= 18, minute <= 59
    else { return nil }
    return (bytes[0] == UInt8(ascii: "-") ? -1 : 1) * (hour * 3_600 + minute * 60)
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
    var value: Int64 = 0
    for byte in digits {
      guard byte >= 0x30 && byte <= 0x39 else { return nil }
      value = value * 10 + Int64(byte - 0x30)
    }
    return value
  }

  private static func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }

  static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
    let quotient = a / b
    return a % b < 0 ? quotient - 1 : quotient
  }

  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    Int64(CivilDate(year: Int(year), month: Int(month), day: Int(day)).daysSinceEpoch)
  }

  private static func date(_ day: Int64) -> (Int64, Int64, Int64) {
    let date = CivilDate(daysSinceEpoch: Int(day))
    return (Int64(date.year), Int64(date.month), Int64(date.day))
  }
}
