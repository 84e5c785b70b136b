// time_bucket(width, time [, origin | offset | zone]): the start of the bucket that holds the time.
//
//   width in days and less    buckets count from Monday 2000-01-03 00:00, or from `origin`
//   width in months           buckets count from 2000-01-01, and start on the first of a month
//   offset (interval)         moves the bounds by that much
//   zone (text)               buckets are of the local time there: a day begins at its midnight, also when clocks change

import Bedrock
import Columnar

enum TimeBuckets {
  private static let monday: Int64 = 10_959 * CivilCalendar.microsPerDay

  static let all: [ScalarFunction] =
    ([.timestamp, .timestamptz] as [DataType]).flatMap { type in
      [
        bucket([.interval, type], type) { (a, row) throws(Fault) in
          try start(a.interval(0, row), a.int(1, row))
        },
        bucket([.interval, type, type], type) { (a, row) throws(Fault) in
          try start(a.interval(0, row), a.int(1, row), origin: a.int(2, row))
        },
        bucket([.interval, type, .interval], type) { (a, row) throws(Fault) in
          let offset = a.interval(2, row)
          let back = Interval(months: 0 &- offset.months, days: 0 &- offset.days, micros: 0 &- offset.micros)
          let moved = try DateArithmetic.add(a.int(1, row), back, zone: .utc)
          return try DateArithmetic.add(try start(a.interval(0, row), moved), offset, zone: .utc)
        },
      ]
    } + [
      bucket([.interval, .timestamptz, .text], .timestamptz) { (a, row) throws(Fault) in
        let zone = try SessionTimeZone.meant(by: a.string(2, row))
        let micros = a.int(1, row)
        if !DateCasts.isFinite(micros) { return micros }
        return zone.instant(try start(a.interval(0, row), zone.local(micros)))
      },
      .rowwise("time_bucket", [.interval, .date], .date) { (a, row, out) throws(Fault) in
        let day = a.int(1, row)
        // The infinities of a date are the ends of its range.
        if day == Int64(Int32.max) || day == Int64(Int32.min) { return out.append(day) }
        let micros = try start(a.interval(0, row), day * CivilCalendar.microsPerDay)
        out.append(CivilCalendar.split(micros).day)
      },
    ]

  private static func bucket(
    _ parameters: [DataType], _ type: DataType,
    _ body: @escaping @Sendable (Arguments, Int) throws(Fault) -> Int64
  ) -> ScalarFunction {
    .make("time_bucket", parameters.map { .exact($0) }, .fixed(type)) { (context, columns, rows) throws(Fault) in
      // The usual call, a constant width over a column, is one loop without a call a row.
      if columns.count == 2, case .constant(let width) = columns[0].form, case .fixed = columns[1].form,
        width.intervals[0].months == 0
      {
        let step = try length(width.intervals[0])
        return map(columns[1], type) { (micros: Int64) in
          if !DateCasts.isFinite(micros) { return micros }
          let rest = (micros &- monday) % step
          return micros &- (rest < 0 ? rest &+ step : rest)
        }
      }
      return try rowLoop(context, columns, rows: rows, type: type, isStrict: true) { (a, row, out) throws(Fault) in
        out.append(try body(a, row))
      }
    }
  }

  private static func length(_ width: Interval) throws(Fault) -> Int64 {
    let (days, bad) = Int64(width.days).multipliedReportingOverflow(by: CivilCalendar.microsPerDay)
    let (step, overflow) = days.addingReportingOverflow(width.micros)
    if bad || overflow { throw DateArithmetic.intervalOutOfRange }
    if step <= 0 { throw Fault(.invalidParameterValue, "the width of a bucket must be greater than zero") }
    return step
  }

  private static func start(_ width: Interval, _ micros: Int64, origin: Int64 = monday) throws(Fault) -> Int64 {
    if !DateCasts.isFinite(micros) { return micros }
    if width.months == 0 {
      let step = try length(width)
      let (distance, overflow) = micros.subtractingReportingOverflow(origin)
      if overflow || !DateCasts.isFinite(origin) { throw Fault(.datetimeFieldOverflow, "timestamp out of range") }
      let rest = distance % step
      return micros &- (rest < 0 ? rest &+ step : rest)
    }
    guard width.months > 0, width.days == 0, width.micros == 0 else {
      throw Fault(
        .featureNotSupported, "a bucket of months must have a width of whole, positive months",
        hint: "Months cannot be mixed with days or times.")
    }
    let date = CivilCalendar.civil(CivilCalendar.split(micros).day)
    let first = CivilCalendar.civil(CivilCalendar.split(origin).day)
    // Without an origin months count from January 2000.
    let base = origin == monday ? 24_000 : first.year * 12 + first.month - 1
    let count = date.year * 12 + date.month - 1 - base
    let month = base + CivilCalendar.floorDivide(count, Int64(width.months)) * Int64(width.months)
    let year = CivilCalendar.floorDivide(month, 12)
    return CivilCalendar.days(year: year, month: month - year * 12 + 1, day: 1) * CivilCalendar.microsPerDay
  }
}
