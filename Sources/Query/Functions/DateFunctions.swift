// now, date_trunc, date_bin, time_bucket, extract, date_part, age, make_*, to_timestamp, timezone.

import Bedrock
import Columnar
import Kernels

enum DateFunctions {
  static let all: [ScalarFunction] = clocks + truncation + bins + fields + makers + ZoneFunctions.all + TimeBuckets.all

  // MARK: The time of the statement

  private static func clock(
    _ name: String, _ type: DataType, _ f: @escaping @Sendable (FunctionContext) -> Int64
  ) -> ScalarFunction {
    .make(name, [], .fixed(type), volatility: .stable) { (context, _, rows) throws(Fault) in
      .constant(.integer(f(context)), type: type, count: rows)
    }
  }

  private static func local(_ context: FunctionContext) -> Int64 {
    context.timeZone.local(context.transactionMicros)
  }

  private static let clocks: [ScalarFunction] = [
    clock("now", .timestamptz) { $0.transactionMicros },
    clock("current_timestamp", .timestamptz) { $0.transactionMicros },
    clock("transaction_timestamp", .timestamptz) { $0.transactionMicros },
    clock("statement_timestamp", .timestamptz) { $0.statementMicros },
    // Kernels have no clock: within a statement this one stands at the statement's start.
    clock("clock_timestamp", .timestamptz) { $0.statementMicros },
    clock("localtimestamp", .timestamp, local), clock("current_date", .date) { CivilCalendar.split(local($0)).day },
    clock("localtime", .time) { CivilCalendar.split(local($0)).time },
    clock("current_time", .time) { CivilCalendar.split(local($0)).time },
  ]

  // MARK: Truncation

  enum Unit: String {
    case microseconds, milliseconds, second, minute, hour, day, week, month, quarter, year, decade, century, millennium

    init?(_ name: String) {
      switch name.lowercased() {
      case "microsecond", "microseconds", "us": self = .microseconds
      case "millisecond", "milliseconds", "ms", "msec": self = .milliseconds
      case "second", "seconds", "s", "sec": self = .second
      case "minute", "minutes", "m", "min": self = .minute
      case "hour", "hours", "h": self = .hour
      case "day", "days", "d": self = .day
      case "week", "weeks", "w": self = .week
      case "month", "months", "mon", "mons": self = .month
      case "quarter", "qtr": self = .quarter
      case "year", "years", "y", "yr": self = .year
      case "decade", "decades", "dec": self = .decade
      case "century", "centuries", "c", "cent": self = .century
      case "millennium", "millennia", "mil": self = .millennium
      default: return nil
      }
    }

    /// Length when it is fixed and the bucket starts at the epoch.
    var micros: Int64? {
      switch self {
      case .microseconds: 1
      case .milliseconds: 1000
      case .second: 1_000_000
      case .minute: 60_000_000
      case .hour: 3_600_000_000
      case .day: CivilCalendar.microsPerDay
      default: nil
      }
    }
  }

  private static func unit(_ name: String, _ type: DataType) throws(Fault) -> Unit {
    guard let unit = Unit(name) else {
      throw Fault(
        .invalidParameterValue, "unit \"\(name)\" not recognized for type \(TypeNames.sqlName(type))")
    }
    return unit
  }

  /// First day of the unit that holds `day`.
  @inline(__always)
  private static func truncated(day: Int64, _ unit: Unit) -> Int64 {
    if unit == .week { return CivilCalendar.weekStart(day) }
    var (year, month, _) = CivilCalendar.civil(day)
    switch unit {
    case .month: break
    case .quarter: month = (month - 1) / 3 * 3 + 1
    case .year: month = 1
    case .decade: (year, month) = (CivilCalendar.floorDivide(year, 10) * 10, 1)
    case .century: (year, month) = (CivilCalendar.floorDivide(year - 1, 100) * 100 + 1, 1)
    case .millennium: (year, month) = (CivilCalendar.floorDivide(year - 1, 1000) * 1000 + 1, 1)
    default: break
    }
    return CivilCalendar.days(year: year, month: month, day: 1)
  }

  static func truncate(_ column: Column, _ unit: Unit, _ type: DataType, zone: SessionTimeZone?) -> Column {
    if let zone, zone.fixedOffset == nil { return truncate(column, unit, in: zone) }
    return truncate(column, unit, type, shift: Int64(zone?.fixedOffset ?? 0) * 1_000_000)
  }

  /// In a zone whose offset changes: units below a day keep the offset of the instant, longer ones take that of their
  /// own beginning.
  private static func truncate(_ column: Column, _ unit: Unit, in zone: SessionTimeZone) -> Column {
    let keepsOffset = unit.micros.map { $0 < CivilCalendar.microsPerDay } ?? false
    var lastDay = Int64.min
    var lastStart: Int64 = 0
    return map(column, .timestamptz) { (micros: Int64) in
      if !DateCasts.isFinite(micros) { return micros }
      let local = zone.local(micros)
      if keepsOffset, let step = unit.micros {
        let rest = local % step
        return micros &- (rest < 0 ? rest + step : rest)
      }
      let day = CivilCalendar.floorDivide(local, CivilCalendar.microsPerDay)
      if day != lastDay {
        lastDay = day
        let first = unit == .day ? day : truncated(day: day, unit)
        lastStart = zone.instant(first * CivilCalendar.microsPerDay)
      }
      return lastStart
    }
  }

  private static func truncate(_ column: Column, _ unit: Unit, _ type: DataType, shift: Int64) -> Column {
    if let step = unit.micros {
      return map(column, type) { (micros: Int64) in
        if !DateCasts.isFinite(micros) { return micros }
        let local = micros &+ shift
        let rest = local % step
        return local &- (rest < 0 ? rest + step : rest) &- shift
      }
    }
    // Neighbouring rows mostly share their day: its start is computed once for a run.
    var lastDay = Int64.min
    var lastStart: Int64 = 0
    return map(column, type) { (micros: Int64) in
      if !DateCasts.isFinite(micros) { return micros }
      let day = CivilCalendar.floorDivide(micros &+ shift, CivilCalendar.microsPerDay)
      if day != lastDay {
        lastDay = day
        lastStart = truncated(day: day, unit) * CivilCalendar.microsPerDay
      }
      return lastStart &- shift
    }
  }

  private static let truncation: [ScalarFunction] =
    ([.timestamp, .timestamptz] as [DataType]).map { type in
      .make(
        "date_trunc", [.exact(.text), .exact(type)], .fixed(type), volatility: type == .timestamp ? .immutable : .stable
      ) {
        (context, columns, rows) throws(Fault) in
        try truncate(columns, rows, type, type == .timestamptz ? context.timeZone : nil)
      }
    } + [
      .make(
        "date_trunc", [.exact(.text), .exact(.timestamptz), .exact(.text)], .fixed(.timestamptz), volatility: .stable
      ) {
        (context, columns, rows) throws(Fault) in
        try truncate(columns, rows, inZones: columns[2])
      },
      .rowwise("date_trunc", [.text, .interval], .interval) { (a, row, out) throws(Fault) in
        let unit = try unit(a.string(0, row), .interval)
        var span = a.interval(1, row)
        if let step = unit.micros {
          span.micros = unit == .day ? 0 : span.micros / step * step
        } else {
          (span.days, span.micros) = (0, 0)
          let step: Int32 =
            switch unit {
            case .quarter: 3
            case .year: 12
            case .decade: 120
            case .century: 1200
            case .millennium: 12_000
            default: 1
            }
          span.months = span.months / step * step
        }
        out.append(span)
      },
    ]

  /// date_trunc with a zone: nearly always one for all rows.
  private static func truncate(_ columns: [Column], _ rows: Int, inZones zones: Column) throws(Fault) -> Column {
    if case .constant(let one) = zones.form {
      return try truncate(columns, rows, .timestamptz, try .meant(by: one.scalar(at: 0).text ?? ""))
    }
    var builder = ColumnBuilder(type: .timestamptz, capacity: rows)
    for row in 0..<rows {
      guard let name = zones.scalar(at: row).text, !columns[0].isNull(at: row), !columns[1].isNull(at: row) else {
        builder.appendNull()
        continue
      }
      let one = columns.prefix(2).map { Column.constant($0.scalar(at: row), type: $0.type, count: 1) }
      builder.append(try truncate(one, 1, .timestamptz, try .meant(by: name)).scalar(at: 0))
    }
    return builder.finish()
  }

  private static func truncate(
    _ columns: [Column], _ rows: Int, _ type: DataType, _ zone: SessionTimeZone?
  ) throws(Fault) -> Column {
    let names = Arguments(context: .none, columns: [columns[0]])
    if case .constant = columns[0].form {
      let unit = try unit(names.string(0, 0), type)
      if case .constant(let one) = columns[1].form {
        return Column(
          type: type, count: rows, validity: nil, form: .constant(truncate(one.flat(), unit, type, zone: zone)))
      }
      return truncate(columns[1], unit, type, zone: zone)
    }
    return try rowLoop(.none, columns, rows: rows, type: type, isStrict: true) { (a, row, out) throws(Fault) in
      let unit = try unit(a.string(0, row), type)
      let one = Column.constant(.integer(a.int(1, row)), type: type, count: 1).flat()
      out.append(truncate(one, unit, type, zone: zone).int64s[0])
    }
  }

  /// Microseconds east of Greenwich of a zone name: UTC and its aliases, and fixed offsets (POSIX: west is positive).
  static func posixShift(_ name: String) throws(Fault) -> Int64 {
    let upper = name.uppercased()
    switch upper {
    case "UTC", "GMT", "Z", "ZULU", "UCT", "ETC/UTC", "ETC/GMT", "GMT0", "UNIVERSAL", "ETC/UCT": return 0
    default: break
    }
    var text = Substring(upper)
    var sign: Int64 = -1
    if text.hasPrefix("UTC") || text.hasPrefix("GMT") { text = text.dropFirst(3) }
    if text.hasPrefix("<"), let end = text.firstIndex(of: ">") { text = text[text.index(after: end)...] }
    if text.hasPrefix("+") || text.hasPrefix("-") {
      if text.hasPrefix("-") { sign = 1 }
      let parts = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false).map { Int64($0) }
      if let first = parts.first, let hours = first, hours <= 15, parts.count <= 2 {
        let minutes = parts.count == 2 ? parts[1] ?? 60 : 0
        if minutes < 60 { return sign * (hours * 3600 + minutes * 60) * 1_000_000 }
      }
    }
    throw Fault(.invalidParameterValue, "time zone \"\(name)\" not recognized")
  }

  // MARK: Bins

  private static let bins: [ScalarFunction] = ([.timestamp, .timestamptz] as [DataType]).flatMap {
    type -> [ScalarFunction] in
    [
      .make("date_bin", [.exact(.interval), .exact(type), .exact(type)], .fixed(type)) { (_, c, rows) throws(Fault) in
        try bin(c[0], c[1], c[2], rows, type)
      },
    ]
  }

  private static func stride(_ span: Interval) throws(Fault) -> Int64 {
    if span.months != 0 {
      throw Fault(.featureNotSupported, "timestamps cannot be binned into intervals containing months or years")
    }
    let (days, bad) = Int64(span.days).multipliedReportingOverflow(by: CivilCalendar.microsPerDay)
    let (step, overflow) = days.addingReportingOverflow(span.micros)
    if bad || overflow { throw DateArithmetic.intervalOutOfRange }
    if step <= 0 { throw Fault(.datetimeFieldOverflow, "stride must be greater than zero") }
    return step
  }

  private static func bin(
    _ spans: Column, _ stamps: Column, _ origins: Column, _ rows: Int, _ type: DataType
  ) throws(Fault) -> Column {
    if case .constant(let span) = spans.form, case .constant(let origin) = origins.form, case .fixed = stamps.form {
      let step = try stride(span.intervals[0])
      let start = origin.int64s[0]
      return map(stamps, type) { (micros: Int64) in
        if !DateCasts.isFinite(micros) { return micros }
        let rest = (micros &- start) % step
        return micros &- (rest < 0 ? rest &+ step : rest)
      }
    }
    return try rowLoop(.none, [spans, stamps, origins], rows: rows, type: type, isStrict: true) {
      (a, row, out) throws(Fault) in
      let step = try stride(a.interval(0, row))
      let micros = a.int(1, row)
      let rest = (micros &- a.int(2, row)) % step
      out.append(DateCasts.isFinite(micros) ? micros &- (rest < 0 ? rest &+ step : rest) : micros)
    }
  }

  // MARK: Fields

  private static let fieldTypes: [DataType] = [.date, .time, .timestamp, .timestamptz, .interval]

  private static let fields: [ScalarFunction] = fieldTypes.flatMap { type -> [ScalarFunction] in
    let volatility: Volatility = type == .timestamptz ? .stable : .immutable
    return [
      .rowwise("extract", [.text, type], .numeric, volatility: volatility) { (a, row, out) throws(Fault) in
        guard let value = try DateFields.value(a, row, type) else { return out.appendNull() }
        out.append(value)
      },
      .rowwise("date_part", [.text, type], .float8, volatility: volatility) { (a, row, out) throws(Fault) in
        guard let value = try DateFields.value(a, row, type) else { return out.appendNull() }
        out.append(Casts.double(value))
      },
    ]
  }

  // MARK: Makers

  private static func day(_ year: Int64, _ month: Int64, _ day: Int64) throws(Fault) -> Int64 {
    guard year != 0, (1...12).contains(month), day >= 1, year.magnitude < 5_874_898,
      day <= CivilCalendar.daysInMonth(year < 0 ? year + 1 : year, month)
    else {
      throw Fault(
        .datetimeFieldOverflow,
        "date field value out of range: \(year)-\(padded(month))-\(padded(day))")
    }
    return CivilCalendar.days(year: year < 0 ? year + 1 : year, month: month, day: day)
  }

  private static func padded(_ value: Int64) -> String { value >= 0 && value < 10 ? "0\(value)" : "\(value)" }

  private static func time(_ hour: Int64, _ minute: Int64, _ second: Double) throws(Fault) -> Int64 {
    guard (0...24).contains(hour), (0...59).contains(minute), second >= 0, second <= 60 else {
      throw Fault(.datetimeFieldOverflow, "time field value out of range: \(hour):\(padded(minute)):\(second)")
    }
    return (hour * 60 + minute) * 60_000_000 + Int64((second * 1_000_000).rounded())
  }

  private static func makeStamp(_ name: String, _ type: DataType) -> ScalarFunction {
    .rowwise(
      name, [.int4, .int4, .int4, .int4, .int4, .float8], type, volatility: type == .timestamptz ? .stable : .immutable
    ) {
      (a, row, out) throws(Fault) in
      let local =
        try day(a.int(0, row), a.int(1, row), a.int(2, row)) * CivilCalendar.microsPerDay
        + (try time(a.int(3, row), a.int(4, row), a.double(5, row)))
      out.append(type == .timestamptz ? a.context.timeZone.instant(local) : local)
    }
  }

  private static let makers: [ScalarFunction] =
    [
      .rowwise("make_date", [.int4, .int4, .int4], .date) { (a, row, out) throws(Fault) in
        out.append(try day(a.int(0, row), a.int(1, row), a.int(2, row)))
      },
      .rowwise("make_time", [.int4, .int4, .float8], .time) { (a, row, out) throws(Fault) in
        out.append(try time(a.int(0, row), a.int(1, row), a.double(2, row)))
      },
      makeStamp("make_timestamp", .timestamp), makeStamp("make_timestamptz", .timestamptz),
      .rowwise("make_timestamptz", [.int4, .int4, .int4, .int4, .int4, .float8, .text], .timestamptz) {
        (a, row, out) throws(Fault) in
        let local =
          try day(a.int(0, row), a.int(1, row), a.int(2, row)) * CivilCalendar.microsPerDay
          + (try time(a.int(3, row), a.int(4, row), a.double(5, row)))
        out.append(try SessionTimeZone.meant(by: a.string(6, row)).instant(local))
      },
      .rowwise("to_timestamp", [.float8], .timestamptz) { (a, row, out) throws(Fault) in
        let seconds = a.double(0, row)
        if seconds == .infinity { return out.append(Int64.max) }
        if seconds == -.infinity { return out.append(Int64.min) }
        if seconds.isNaN { throw Fault(.datetimeFieldOverflow, "timestamp cannot be NaN") }
        guard seconds.magnitude < 9.2e12 else {
          throw Fault(.datetimeFieldOverflow, "timestamp out of range: \"\(seconds)\"")
        }
        out.append(Int64((seconds * 1_000_000).rounded(.toNearestOrEven)))
      },
      .rowwise("to_timestamp", [.text, .text], .timestamptz, volatility: .stable) { (a, row, out) throws(Fault) in
        let local = try TemplateFormat.parse(a.string(0, row), a.string(1, row))
        out.append(a.context.timeZone.instant(local))
      },
      .rowwise("to_date", [.text, .text], .date) { (a, row, out) throws(Fault) in
        out.append(CivilCalendar.split(try TemplateFormat.parse(a.string(0, row), a.string(1, row))).day)
      },
      .rowwise("age", [.timestamp, .timestamp], .interval) { (a, row, out) throws(Fault) in
        out.append(try age(a.int(0, row), a.int(1, row)))
      },
      .rowwise("age", [.timestamptz, .timestamptz], .interval, volatility: .stable) { (a, row, out) throws(Fault) in
        out.append(try age(a.context.timeZone.local(a.int(0, row)), a.context.timeZone.local(a.int(1, row))))
      },
      .rowwise("age", [.timestamp], .interval, volatility: .stable) { (a, row, out) throws(Fault) in
        let today = CivilCalendar.split(local(a.context)).day * CivilCalendar.microsPerDay
        out.append(try age(today, a.int(0, row)))
      },
      .rowwise("age", [.timestamptz], .interval, volatility: .stable) { (a, row, out) throws(Fault) in
        let today = CivilCalendar.split(local(a.context)).day * CivilCalendar.microsPerDay
        out.append(try age(today, a.context.timeZone.local(a.int(0, row))))
      },
      .rowwise("justify_hours", [.interval], .interval) { (a, row, out) throws(Fault) in
        var span = a.interval(0, row)
        span.days &+= Int32(truncatingIfNeeded: span.micros / CivilCalendar.microsPerDay)
        span.micros %= CivilCalendar.microsPerDay
        out.append(span)
      },
      .rowwise("justify_days", [.interval], .interval) { (a, row, out) throws(Fault) in
        var span = a.interval(0, row)
        span.months &+= span.days / 30
        span.days %= 30
        out.append(span)
      },
      .rowwise("isfinite", [.timestamptz], .boolean) { (a, row, out) throws(Fault) in
        out.append(DateCasts.isFinite(a.int(0, row)))
      },
      .rowwise("isfinite", [.timestamp], .boolean) { (a, row, out) throws(Fault) in
        out.append(DateCasts.isFinite(a.int(0, row)))
      },
    ]
    + (1...7).map { count in
      // make_interval(years, months, weeks, days, hours, mins, secs): the first ones given, the rest 0
      .rowwise(
        "make_interval", (0..<count).map { $0 == 6 ? .float8 : .int4 }, .interval
      ) { (a, row, out) throws(Fault) in
        func part(_ index: Int) -> Int64 { index < count ? a.int(index, row) : 0 }
        let seconds = count == 7 ? a.double(6, row) : 0
        let micros = part(4) * 3_600_000_000 + part(5) * 60_000_000 + Int64((seconds * 1_000_000).rounded())
        guard let months = Int32(exactly: part(0) * 12 + part(1)), let days = Int32(exactly: part(2) * 7 + part(3))
        else {
          throw DateArithmetic.intervalOutOfRange
        }
        out.append(Interval(months: months, days: days, micros: micros))
      }
    }

  /// Years, months, days between two moments by the calendar.
  static func age(_ x: Int64, _ y: Int64) throws(Fault) -> Interval {
    guard DateCasts.isFinite(x), DateCasts.isFinite(y) else {
      throw Fault(.datetimeFieldOverflow, "cannot subtract infinite timestamps")
    }
    let sign: Int64 = x < y ? -1 : 1
    let (late, early) = (CivilCalendar.split(max(x, y)), CivilCalendar.split(min(x, y)))
    let (from, to) = (CivilCalendar.civil(early.day), CivilCalendar.civil(late.day))
    var micros = late.time - early.time
    var days = to.day - from.day
    var months = (to.year - from.year) * 12 + to.month - from.month
    if micros < 0 {
      micros += CivilCalendar.microsPerDay
      days -= 1
    }
    while days < 0 {
      // PostgreSQL borrows the length of the earlier moment's month (of the later one's when the sign is negative)
      days += sign > 0 ? CivilCalendar.daysInMonth(from.year, from.month) : CivilCalendar.daysInMonth(to.year, to.month)
      months -= 1
    }
    return Interval(months: Int32(sign * months), days: Int32(sign * days), micros: sign * micros)
  }
}
