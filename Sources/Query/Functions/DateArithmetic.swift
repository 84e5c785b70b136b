// + - * / on dates, times, timestamps and intervals.

import Bedrock
import Columnar

enum DateArithmetic {
  static let timestampOutOfRange = Fault(.datetimeFieldOverflow, "timestamp out of range")
  static let intervalOutOfRange = Fault(.datetimeFieldOverflow, "interval out of range")
  private static let dateOutOfRange = Fault(.datetimeFieldOverflow, "date out of range")

  static let operators: [ScalarFunction] = dates + timestamps + times + intervals

  /// Adds months by the calendar, then days, then microseconds; in local time.
  static func add(
    _ micros: Int64, _ interval: Interval, zone: SessionTimeZone = .utc, sign: Int64 = 1
  ) throws(Fault) -> Int64 {
    if !DateCasts.isFinite(micros) { return micros }
    var value = zone.local(micros)
    if interval.months != 0 || interval.days != 0 {
      var (day, time) = CivilCalendar.split(value)
      if interval.months != 0 {
        guard let moved = CivilCalendar.addMonths(day, sign * Int64(interval.months)) else { throw timestampOutOfRange }
        day = moved
      }
      day += sign * Int64(interval.days)
      guard day >= CivilCalendar.dayMin, day <= CivilCalendar.timestampDayMax else { throw timestampOutOfRange }
      time += 0
      // Months and days keep the time of the wall clock; what comes after them is elapsed time.
      value = zone.instant(day * CivilCalendar.microsPerDay + time)
    } else {
      value = micros
    }
    let (scaled, bad) = interval.micros.multipliedReportingOverflow(by: sign)
    let (sum, overflow) = value.addingReportingOverflow(scaled)
    guard !bad, !overflow, CivilCalendar.split(sum).day >= CivilCalendar.dayMin else { throw timestampOutOfRange }
    return sum
  }

  private static func zone(_ type: DataType, _ context: FunctionContext) -> SessionTimeZone {
    type == .timestamptz ? context.timeZone : .utc
  }

  // MARK: Dates

  private static func moved(_ day: Int64, _ by: Int64) throws(Fault) -> Int64 {
    if day == Int64(Int32.max) || day == Int64(Int32.min) { return day }
    let sum = day + by
    guard sum >= CivilCalendar.dayMin, sum <= 2_145_031_948 else { throw dateOutOfRange }
    return sum
  }

  private static let dates: [ScalarFunction] = [
    .rowwise("+", [.date, .int4], .date) { (a, row, out) throws(Fault) in
      out.append(try moved(a.int(0, row), a.int(1, row)))
    },
    .rowwise("+", [.int4, .date], .date) { (a, row, out) throws(Fault) in
      out.append(try moved(a.int(1, row), a.int(0, row)))
    },
    .rowwise("-", [.date, .int4], .date) { (a, row, out) throws(Fault) in
      out.append(try moved(a.int(0, row), -a.int(1, row)))
    },
    .make("-", [.exact(.date), .exact(.date)], .fixed(.int4)) { (_, c, rows) throws(Fault) in
      zip(c[0], c[1], rows: rows, .int4) { (x: Int32, y: Int32) in x &- y }
    },
    dateInterval("+", [.date, .interval], 0, 1), dateInterval("+", [.interval, .date], 1, 1),
    dateInterval("-", [.date, .interval], 0, -1),
    .rowwise("+", [.date, .time], .timestamp) { (a, row, out) throws(Fault) in
      out.append(a.int(0, row) * CivilCalendar.microsPerDay + a.int(1, row))
    },
    .rowwise("+", [.time, .date], .timestamp) { (a, row, out) throws(Fault) in
      out.append(a.int(1, row) * CivilCalendar.microsPerDay + a.int(0, row))
    },
  ]

  private static func dateInterval(_ name: String, _ types: [DataType], _ date: Int, _ sign: Int64) -> ScalarFunction {
    .rowwise(name, types, .timestamp) { (a, row, out) throws(Fault) in
      let day = a.int(date, row)
      if day == Int64(Int32.max) { return out.append(Int64.max) }
      if day == Int64(Int32.min) { return out.append(Int64.min) }
      guard day <= CivilCalendar.timestampDayMax else { throw timestampOutOfRange }
      out.append(try add(day * CivilCalendar.microsPerDay, a.interval(1 - date, row), sign: sign))
    }
  }

  // MARK: Timestamps

  private static let timestamps: [ScalarFunction] =
    ([.timestamp, .timestamptz] as [DataType]).flatMap {
      type -> [ScalarFunction] in
      let volatility: Volatility = type == .timestamptz ? .stable : .immutable
      return [
        .make("+", [.exact(type), .exact(.interval)], .fixed(type), volatility: volatility) {
          (context, c, rows) throws(Fault) in
          try moved(c[0], c[1], rows, type, context, 1)
        },
        .make("+", [.exact(.interval), .exact(type)], .fixed(type), volatility: volatility) {
          (context, c, rows) throws(Fault) in
          try moved(c[1], c[0], rows, type, context, 1)
        },
        .make("-", [.exact(type), .exact(.interval)], .fixed(type), volatility: volatility) {
          (context, c, rows) throws(Fault) in
          try moved(c[0], c[1], rows, type, context, -1)
        },
        .rowwise("-", [type, type], .interval) { (a, row, out) throws(Fault) in
          out.append(try difference(a.int(0, row), a.int(1, row)))
        },
      ]
    } + [
      .rowwise("-", [.date, .timestamp], .interval) { (a, row, out) throws(Fault) in
        out.append(try difference(try midnight(a.int(0, row)), a.int(1, row)))
      },
      .rowwise("-", [.timestamp, .date], .interval) { (a, row, out) throws(Fault) in
        out.append(try difference(a.int(0, row), try midnight(a.int(1, row))))
      },
    ]

  /// The start of a day. Dates go further than timestamps do.
  private static func midnight(_ days: Int64) throws(Fault) -> Int64 {
    let (micros, overflow) = days.multipliedReportingOverflow(by: CivilCalendar.microsPerDay)
    guard !overflow else { throw Fault(.datetimeFieldOverflow, "date out of range for timestamp") }
    return micros
  }

  static func difference(_ x: Int64, _ y: Int64) throws(Fault) -> Interval {
    guard DateCasts.isFinite(x), DateCasts.isFinite(y) else {
      throw Fault(.datetimeFieldOverflow, "cannot subtract infinite timestamps")
    }
    let micros = x &- y
    let days = micros / CivilCalendar.microsPerDay
    return Interval(days: Int32(truncatingIfNeeded: days), micros: micros - days * CivilCalendar.microsPerDay)
  }

  /// Constant intervals without months are one addition a row.
  private static func moved(
    _ stamps: Column, _ spans: Column, _ rows: Int, _ type: DataType, _ context: FunctionContext, _ sign: Int64
  ) throws(Fault) -> Column {
    if case .constant(let one) = spans.form, case .fixed = stamps.form {
      let span = one.intervals[0]
      if span.months == 0, span.days == 0 || zone(type, context).fixedOffset != nil {
        let step = (Int64(span.days) &* CivilCalendar.microsPerDay &+ span.micros) &* sign
        return try mapChecked(stamps, type, timestampOutOfRange) { (micros: Int64) in
          if !DateCasts.isFinite(micros) { return (micros, false) }
          let (sum, overflow) = micros.addingReportingOverflow(step)
          return (sum, overflow || sum < CivilCalendar.dayMin * CivilCalendar.microsPerDay)
        }
      }
    }
    let zone = zone(type, context)
    return try rowLoop(context, [stamps, spans], rows: rows, type: type, isStrict: true) {
      (a, row, out) throws(Fault) in
      out.append(try add(a.int(0, row), a.interval(1, row), zone: zone, sign: sign))
    }
  }

  // MARK: Times and intervals

  private static func wrapped(_ micros: Int64) -> Int64 {
    let rest = micros % CivilCalendar.microsPerDay
    return rest < 0 ? rest + CivilCalendar.microsPerDay : rest
  }

  private static let times: [ScalarFunction] = [
    .rowwise("+", [.time, .interval], .time) { (a, row, out) throws(Fault) in
      out.append(wrapped(a.int(0, row) &+ a.interval(1, row).micros % CivilCalendar.microsPerDay))
    },
    .rowwise("+", [.interval, .time], .time) { (a, row, out) throws(Fault) in
      out.append(wrapped(a.int(1, row) &+ a.interval(0, row).micros % CivilCalendar.microsPerDay))
    },
    .rowwise("-", [.time, .interval], .time) { (a, row, out) throws(Fault) in
      out.append(wrapped(a.int(0, row) &- a.interval(1, row).micros % CivilCalendar.microsPerDay))
    },
    .rowwise("-", [.time, .time], .interval) { (a, row, out) throws(Fault) in
      out.append(Interval(micros: a.int(0, row) - a.int(1, row)))
    },
  ]

  static func sum(_ x: Interval, _ y: Interval, sign: Int32 = 1) throws(Fault) -> Interval {
    let (months, badMonths) = x.months.addingReportingOverflow(sign &* y.months)
    let (days, badDays) = x.days.addingReportingOverflow(sign &* y.days)
    let (micros, badMicros) = x.micros.addingReportingOverflow(Int64(sign) &* y.micros)
    if badMonths || badDays || badMicros { throw intervalOutOfRange }
    return Interval(months: months, days: days, micros: micros)
  }

  /// interval_mul: fractions of months spill into days, fractions of days into microseconds.
  static func scaled(_ x: Interval, by factor: Double) throws(Fault) -> Interval {
    let months = Double(x.months) * factor, days = Double(x.days) * factor
    guard months.isFinite, days.isFinite, months.magnitude < 2e9, days.magnitude < 2e9 else { throw intervalOutOfRange }
    let wholeMonths = months.rounded(.towardZero), wholeDays = days.rounded(.towardZero)
    func settled(_ value: Double) -> Double { (value * 1e6).rounded() / 1e6 }
    var monthDays = settled((months - wholeMonths) * 30)
    var seconds = settled((days - wholeDays + monthDays - monthDays.rounded(.towardZero)) * 86_400)
    monthDays = monthDays.rounded(.towardZero)
    if seconds.magnitude >= 86_400 {
      monthDays += (seconds / 86_400).rounded(.towardZero)
      seconds -= (seconds / 86_400).rounded(.towardZero) * 86_400
    }
    let micros = (Double(x.micros) * factor + seconds * 1_000_000).rounded(.toNearestOrEven)
    guard micros.magnitude < 9.2e18 else { throw intervalOutOfRange }
    return Interval(months: Int32(wholeMonths), days: Int32(wholeDays + monthDays), micros: Int64(micros))
  }

  private static let intervals: [ScalarFunction] = [
    .rowwise("+", [.interval, .interval], .interval) { (a, row, out) throws(Fault) in
      out.append(try sum(a.interval(0, row), a.interval(1, row)))
    },
    .rowwise("-", [.interval, .interval], .interval) { (a, row, out) throws(Fault) in
      out.append(try sum(a.interval(0, row), a.interval(1, row), sign: -1))
    },
    .rowwise("*", [.interval, .float8], .interval) { (a, row, out) throws(Fault) in
      out.append(try scaled(a.interval(0, row), by: a.double(1, row)))
    },
    .rowwise("*", [.float8, .interval], .interval) { (a, row, out) throws(Fault) in
      out.append(try scaled(a.interval(1, row), by: a.double(0, row)))
    },
    .rowwise("/", [.interval, .float8], .interval) { (a, row, out) throws(Fault) in
      if a.double(1, row) == 0 { throw ArithmeticOperators.divisionByZero }
      out.append(try scaled(a.interval(0, row), by: 1 / a.double(1, row)))
    },
    .rowwise("-", [.interval], .interval) { (a, row, out) throws(Fault) in
      out.append(try sum(Interval(), a.interval(0, row), sign: -1))
    },
  ]
}
