// extract and date_part: one field of a date, time, timestamp or interval, exact as numeric with PostgreSQL's scales.

import Bedrock
import Columnar

enum DateFields {
  private static func scaled(_ micros: Int64, _ scale: Int) -> Numeric {
    // 63 bits and a scale up to 6 always fit
    Numeric(bits: Int128(micros) << 8 | Int128(scale))
  }

  /// The field named by argument 0 of the value in argument 1; `nil`: null (a field of infinity).
  static func value(_ a: Arguments, _ row: Int, _ type: DataType) throws(Fault) -> Numeric? {
    let name = a.string(0, row).lowercased()
    switch type {
    case .interval: return try interval(name, a.interval(1, row))
    case .time:
      guard let value = time(name, a.int(1, row)) ?? (name == "epoch" ? scaled(a.int(1, row), 6) : nil) else {
        throw unknown(name, type)
      }
      return value
    case .date:
      let day = a.int(1, row)
      if day == Int64(Int32.max) || day == Int64(Int32.min) { return name == "epoch" ? .nan : nil }
      if name == "epoch" { return Numeric(day * 86_400) }
      guard let value = date(name, day) else { throw unknown(name, type) }
      return value
    default:
      let micros = a.int(1, row)
      if !DateCasts.isFinite(micros) { return nil }
      if name == "epoch" { return scaled(micros, 6) }
      let offset = type == .timestamptz ? a.context.timeZone.offsetSeconds(at: micros) : 0
      if type == .timestamptz {
        switch name {
        case "timezone": return Numeric(Int64(offset))
        case "timezone_hour": return Numeric(Int64(offset / 3600))
        case "timezone_minute": return Numeric(Int64(offset / 60 % 60))
        default: break
        }
      }
      let (day, clock) = CivilCalendar.split(micros + Int64(offset) * 1_000_000)
      guard let value = time(name, clock) ?? date(name, day) else { throw unknown(name, type) }
      return value
    }
  }

  private static func unknown(_ name: String, _ type: DataType) -> Fault {
    Fault(.invalidParameterValue, "unit \"\(name)\" not recognized for type \(TypeNames.sqlName(type))")
  }

  private static func time(_ name: String, _ micros: Int64) -> Numeric? {
    switch name {
    case "microsecond", "microseconds", "us": Numeric(micros % 60_000_000)
    case "millisecond", "milliseconds", "ms", "msec": scaled(micros % 60_000_000, 3)
    case "second", "seconds", "s", "sec": scaled(micros % 60_000_000, 6)
    case "minute", "minutes", "m", "min": Numeric(micros / 60_000_000 % 60)
    case "hour", "hours", "h": Numeric(micros / 3_600_000_000)
    default: nil
    }
  }

  private static func date(_ name: String, _ day: Int64) -> Numeric? {
    let (year, month, dayOfMonth) = CivilCalendar.civil(day)
    let shown = year > 0 ? year : year - 1
    switch name {
    case "day", "days", "d": return Numeric(dayOfMonth)
    case "month", "months", "mon", "mons": return Numeric(month)
    case "quarter", "qtr": return Numeric((month - 1) / 3 + 1)
    case "year", "years", "y", "yr": return Numeric(shown)
    case "decade", "decades", "dec": return Numeric(CivilCalendar.floorDivide(year, 10))
    case "century", "centuries", "c": return Numeric(year > 0 ? (year + 99) / 100 : -((99 - (year - 1)) / 100))
    case "millennium", "millennia", "mil": return Numeric(year > 0 ? (year + 999) / 1000 : -((999 - (year - 1)) / 1000))
    case "week", "weeks", "w": return Numeric(CivilCalendar.isoWeek(day).week)
    case "isoyear": return Numeric(CivilCalendar.isoWeek(day).year)
    case "dow": return Numeric(CivilCalendar.weekday(day))
    case "isodow": return Numeric((CivilCalendar.weekday(day) + 6) % 7 + 1)
    case "doy": return Numeric(day - CivilCalendar.days(year: year, month: 1, day: 1) + 1)
    case "julian": return Numeric(day + 2_440_588)
    default: return nil
    }
  }

  private static func interval(_ name: String, _ span: Interval) throws(Fault) -> Numeric {
    let years = Int64(span.months / 12)
    switch name {
    case "year", "years", "y", "yr": return Numeric(years)
    case "decade", "decades": return Numeric(years / 10)
    case "century", "centuries": return Numeric(years / 100)
    case "millennium", "millennia": return Numeric(years / 1000)
    case "quarter": return Numeric(Int64(span.months % 12 / 3 + 1))
    case "month", "months", "mon": return Numeric(Int64(span.months % 12))
    case "day", "days", "d": return Numeric(Int64(span.days))
    case "epoch":
      // a year counts 365.25 days here, a month 30
      let days = Int128(span.months / 12) * 36_525 / 100 * 86_400 + Int128(span.months / 12) * 36_525 % 100 * 864
      let total =
        (days + (Int128(span.months % 12) * 30 + Int128(span.days)) * 86_400) * 1_000_000 + Int128(span.micros)
      guard let value = Numeric(coefficient: total, scale: 6) else { throw ArithmeticOperators.numericOverflow }
      return value
    default:
      guard let value = time(name, span.micros) else { throw unknown(name, .interval) }
      return value
    }
  }
}
