// Dates, times and intervals as PostgreSQL writes them with DateStyle ISO and IntervalStyle postgres.
//
// Years count without a year 0: the year before 0001 is 0001 BC. Infinite values are the extremes of the integer.

import Bedrock
import Columnar

enum DatetimeText {
  static let dateMax = 20
  static let timeMax = 16
  static let timestampMax = 56
  static let intervalMax = 112

  static let microsPerDay: Int64 = 86_400_000_000
  private static let microsPerSecond: Int64 = 1_000_000

  struct Civil {
    var year: Int64
    var month: Int64
    var day: Int64
  }

  /// The proleptic Gregorian date of a day number since 1970-01-01.
  static func civil(days: Int64) -> Civil {
    let date = CivilDate(daysSinceEpoch: Int(days))
    return Civil(year: Int64(date.year), month: Int64(date.month), day: Int64(date.day))
  }

  @inline(__always)
  private static func two(_ value: Int64, _ out: UnsafeMutablePointer<UInt8>) {
    out[0] = UInt8(truncatingIfNeeded: value / 10) &+ 0x30
    out[1] = UInt8(truncatingIfNeeded: value % 10) &+ 0x30
  }

  /// `YYYY-MM-DD`; the caller appends ` BC` at the very end when the year is not positive.
  @inline(__always)
  private static func write(_ date: Civil, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    let year = UInt64((date.year > 0 ? date.year : 1 - date.year).magnitude)
    let width = max(4, NumberText.digitCount(year))
    NumberText.write(digits: year, count: width, out)
    out[width] = UInt8(ascii: "-")
    two(date.month, out + width + 1)
    out[width + 3] = UInt8(ascii: "-")
    two(date.day, out + width + 4)
    return width + 6
  }

  static func write(date days: Int32, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    if days == .max { return NumberText.write(ascii: "infinity", out) }
    if days == .min { return NumberText.write(ascii: "-infinity", out) }
    let date = civil(days: Int64(days))
    let count = write(date, out)
    return date.year > 0 ? count : count + NumberText.write(ascii: " BC", out + count)
  }

  /// `HH:MM:SS[.ffffff]` of microseconds since midnight, 24:00:00 included.
  @inline(__always)
  static func write(time micros: Int64, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    let inDay = micros < 0 || micros > microsPerDay ? 0 : micros
    let (seconds, fraction) = inDay.quotientAndRemainder(dividingBy: microsPerSecond)
    let (minutes, second) = seconds.quotientAndRemainder(dividingBy: 60)
    let (hour, minute) = minutes.quotientAndRemainder(dividingBy: 60)
    two(hour, out)
    out[2] = UInt8(ascii: ":")
    two(minute, out + 3)
    out[5] = UInt8(ascii: ":")
    two(second, out + 6)
    return 8 + write(fraction: fraction, out + 8)
  }

  /// `.ffffff` without trailing zeros; nothing for zero.
  @inline(__always)
  private static func write(fraction: Int64, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    if fraction == 0 { return 0 }
    out[0] = UInt8(ascii: ".")
    NumberText.write(digits: UInt64(fraction.magnitude), count: 6, out + 1)
    var count = 7
    while out[count - 1] == 0x30 { count -= 1 }
    return count
  }

  /// - Parameter offset: seconds east of UTC to add and show; `nil` for timestamp without time zone.
  static func write(timestamp micros: Int64, offset: Int32?, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    if micros == .max { return NumberText.write(ascii: "infinity", out) }
    if micros == .min { return NumberText.write(ascii: "-infinity", out) }
    // Wrapping only within hours of the ends of Int64, 292,000 years away: a wrong year there, never a trap.
    let local = micros &+ Int64(offset ?? 0) * microsPerSecond
    var (days, inDay) = local.quotientAndRemainder(dividingBy: microsPerDay)
    if inDay < 0 {
      days -= 1
      inDay += microsPerDay
    }
    let date = civil(days: days)
    var at = write(date, out)
    out[at] = UInt8(ascii: " ")
    at += 1
    at += write(time: inDay, out + at)
    if let offset { at += write(zone: offset, out + at) }
    if date.year <= 0 { at += NumberText.write(ascii: " BC", out + at) }
    return at
  }

  /// `+00`, `-03:30`, `+05:53:28`.
  private static func write(zone offset: Int32, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    let seconds = Int64(offset.magnitude)
    out[0] = offset < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+")
    two(seconds / 3_600, out + 1)
    if seconds % 3_600 == 0 { return 3 }
    out[3] = UInt8(ascii: ":")
    two(seconds / 60 % 60, out + 4)
    if seconds % 60 == 0 { return 6 }
    out[6] = UInt8(ascii: ":")
    two(seconds % 60, out + 7)
    return 9
  }

  // MARK: Intervals

  /// `1 year 2 mons -3 days +04:05:06.789`: a part after a negative one shows its sign.
  static func write(_ interval: Interval, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    var at = 0
    var afterNegative = false
    at += write(Int64(interval.months / 12), "year", &afterNegative, first: true, out)
    at += write(Int64(interval.months % 12), "mon", &afterNegative, first: at == 0, out + at)
    at += write(Int64(interval.days), "day", &afterNegative, first: at == 0, out + at)
    guard at == 0 || interval.micros != 0 else { return at }
    if at > 0 {
      out[at] = UInt8(ascii: " ")
      at += 1
    }
    if interval.micros < 0 {
      out[at] = UInt8(ascii: "-")
      at += 1
    } else if afterNegative {
      out[at] = UInt8(ascii: "+")
      at += 1
    }
    let micros = interval.micros.magnitude
    let seconds = micros / 1_000_000
    let hours = seconds / 3_600
    let width = max(2, NumberText.digitCount(hours))
    NumberText.write(digits: hours, count: width, out + at)
    at += width
    out[at] = UInt8(ascii: ":")
    two(Int64(seconds / 60 % 60), out + at + 1)
    out[at + 3] = UInt8(ascii: ":")
    two(Int64(seconds % 60), out + at + 4)
    return at + 6 + write(fraction: Int64(micros % 1_000_000), out + at + 6)
  }

  private static func write(
    _ value: Int64, _ unit: StaticString, _ afterNegative: inout Bool, first: Bool, _ out: UnsafeMutablePointer<UInt8>
  ) -> Int {
    if value == 0 { return 0 }
    var at = 0
    if !first {
      out[0] = UInt8(ascii: " ")
      at = 1
    }
    if afterNegative && value > 0 {
      out[at] = UInt8(ascii: "+")
      at += 1
    }
    at += NumberText.write(value, out + at)
    out[at] = UInt8(ascii: " ")
    at += 1
    at += NumberText.write(ascii: unit, out + at)
    if value != 1 {
      out[at] = UInt8(ascii: "s")
      at += 1
    }
    afterNegative = value < 0
    return at
  }
}
