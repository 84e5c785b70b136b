// Casts among date, time, timestamp, timestamptz and interval.

import Bedrock
import Columnar

enum DateCasts {
  static let all: [CastFunction] = [
    .make(.date, .timestamp, .implicit) { (context, column, target, _) throws(Fault) in
      widened(column, to: target, context: context)
    },
    .make(.date, .timestamptz, .implicit, volatility: .stable) { (context, column, target, _) throws(Fault) in
      widened(column, to: target, context: context)
    },
    .make(.timestamp, .timestamptz, .implicit, volatility: .stable) { (context, column, target, _) throws(Fault) in
      widened(column, to: target, context: context)
    },
    .make(.timestamptz, .timestamp, .assignment, volatility: .stable) { (context, column, target, _) throws(Fault) in
      let zone = context.timeZone
      return zone.fixedOffset == 0 ? column.retyped(target) : map(column, target) { (micros: Int64) in zone.local(micros) }
    },
    .make(.timestamp, .date, .assignment) { (_, column, target, _) throws(Fault) in day(column, target, zone: .utc) },
    .make(.timestamptz, .date, .assignment, volatility: .stable) { (context, column, target, _) throws(Fault) in
      day(column, target, zone: context.timeZone)
    },
    .rowwise(.timestamp, .time, .assignment) { (a, row, out) throws(Fault) in try timeOfDay(a.int(0, row), &out) },
    .rowwise(.timestamptz, .time, .assignment, volatility: .stable) { (a, row, out) throws(Fault) in
      let micros = a.int(0, row)
      try timeOfDay(a.context.timeZone.local(micros), &out)
    },
    .rowwise(.time, .interval, .implicit) { (a, row, out) throws(Fault) in out.append(Interval(micros: a.int(0, row)))
    },
    .rowwise(.interval, .time, .assignment) { (a, row, out) throws(Fault) in
      let rest = a.interval(0, row).micros % CivilCalendar.microsPerDay
      out.append(rest < 0 ? rest + CivilCalendar.microsPerDay : rest)
    },
  ]

  static func isFinite(_ micros: Int64) -> Bool { micros != .max && micros != .min }

  private static func timeOfDay(_ micros: Int64, _ out: inout ColumnBuilder) throws(Fault) {
    if isFinite(micros) { out.append(CivilCalendar.split(micros).time) } else { out.appendNull() }
  }

  /// To a type further right in date, timestamp, timestamptz.
  static func widened(_ column: Column, to type: DataType, context: FunctionContext) -> Column {
    let zone = type == .timestamptz ? context.timeZone : .utc
    if case .constant(let one) = column.form {
      let inner = widened(one.flat(), to: type, context: context)
      return Column(type: type, count: column.count, validity: nil, form: .constant(inner))
    }
    if column.type == .date {
      return map(column, type) { (day: Int32) in
        if day == .max { return Int64.max }
        if day == .min { return Int64.min }
        // days fit 32 bits; those past the end of timestamps wrap and compare as infinity would
        let (micros, overflow) = Int64(day).multipliedReportingOverflow(by: CivilCalendar.microsPerDay)
        return overflow ? Int64.max : zone.instant(micros)
      }
    }
    return zone.fixedOffset == 0 ? column.retyped(type) : map(column, type) { (micros: Int64) in zone.instant(micros) }
  }

  private static func day(_ column: Column, _ type: DataType, zone: SessionTimeZone) -> Column {
    map(column, type) { (micros: Int64) in
      if micros == .max { return Int32.max }
      if micros == .min { return Int32.min }
      return Int32(truncatingIfNeeded: CivilCalendar.floorDivide(zone.local(micros), CivilCalendar.microsPerDay))
    }
  }
}
