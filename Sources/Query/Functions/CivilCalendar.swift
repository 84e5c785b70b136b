// The proleptic Gregorian calendar: weeks, months and fields of days since 1970-01-01 (see Bedrock's CivilDate).

import Bedrock

enum CivilCalendar {
  static let microsPerDay: Int64 = 86_400_000_000
  static let microsPerHour: Int64 = 3_600_000_000
  static let microsPerMinute: Int64 = 60_000_000
  static let microsPerSecond: Int64 = 1_000_000

  /// 4713-01-01 BC (Julian day 0 is 4714-11-24 BC), the first date PostgreSQL accepts.
  static let dayMin: Int64 = -2_440_588
  /// The last day of timestamps: 294276-12-31.
  static let timestampDayMax: Int64 = 106_751_991

  static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    Int64(CivilDate(year: Int(year), month: Int(month), day: Int(day)).daysSinceEpoch)
  }

  static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let date = CivilDate(daysSinceEpoch: Int(days))
    return (Int64(date.year), Int64(date.month), Int64(date.day))
  }

  static func isLeap(_ year: Int64) -> Bool { CivilDate.isLeap(Int(year)) }

  static func daysInMonth(_ year: Int64, _ month: Int64) -> Int64 {
    Int64(CivilDate.daysInMonth(year: Int(year), month: Int(month)))
  }

  @inline(__always)
  static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
    let quotient = a / b
    return a % b < 0 ? quotient - 1 : quotient
  }

  /// Day and microseconds of the day.
  @inline(__always)
  static func split(_ micros: Int64) -> (day: Int64, time: Int64) {
    // From the remainder: day * microsPerDay would overflow below the first whole day of an Int64.
    let time = micros % microsPerDay
    return (floorDivide(micros, microsPerDay), time < 0 ? time + microsPerDay : time)
  }

  /// 0 Sunday ... 6 Saturday.
  static func weekday(_ day: Int64) -> Int64 {
    let rest = (day + 4) % 7
    return rest < 0 ? rest + 7 : rest
  }

  /// Monday of the week.
  static func weekStart(_ day: Int64) -> Int64 { day - (weekday(day) + 6) % 7 }

  static func isoWeek(_ day: Int64) -> (year: Int64, week: Int64) {
    let thursday = weekStart(day) + 3
    let year = civil(thursday).year
    return (year, (thursday - days(year: year, month: 1, day: 1)) / 7 + 1)
  }

  /// Adds whole months; a day past the end of the month becomes its last. `nil` when out of range.
  static func addMonths(_ day: Int64, _ months: Int64) -> Int64? {
    let (year, month, dayOfMonth) = civil(day)
    let total = year * 12 + (month - 1) + months
    let newYear = floorDivide(total, 12), newMonth = total - newYear * 12 + 1
    if newYear < -4713 || newYear > 5_874_897 { return nil }
    return days(year: newYear, month: newMonth, day: min(dayOfMonth, daysInMonth(newYear, newMonth)))
  }
}
