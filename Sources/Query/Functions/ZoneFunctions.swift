// AT TIME ZONE: timezone(zone, time) in its forms.

import Bedrock
import Columnar

enum ZoneFunctions {
  static let all: [ScalarFunction] = [
    byName(.timestamptz, .timestamp) { $0.local($1) }, byName(.timestamp, .timestamptz) { $0.instant($1) },
    byInterval(.timestamptz, .timestamp, sign: 1), byInterval(.timestamp, .timestamptz, sign: -1),
    byInterval(.time, .time, sign: 1),
  ]

  /// The zone is nearly always a constant: it is looked up once.
  private static func byName(
    _ from: DataType, _ to: DataType, _ change: @escaping @Sendable (SessionTimeZone, Int64) -> Int64
  ) -> ScalarFunction {
    .make("timezone", [.exact(.text), .exact(from)], .fixed(to)) { (context, columns, rows) throws(Fault) in
      if case .constant(let one) = columns[0].form {
        let zone = try SessionTimeZone.meant(by: one.scalar(at: 0).text ?? "")
        if case .constant(let value) = columns[1].form {
          let changed = map(value.flat(), to) { (micros: Int64) in change(zone, micros) }
          return Column(type: to, count: rows, validity: nil, form: .constant(changed))
        }
        return map(columns[1], to) { (micros: Int64) in change(zone, micros) }
      }
      var last: (name: String, zone: SessionTimeZone)?
      return try rowLoop(context, columns, rows: rows, type: to, isStrict: true) { (a, row, out) throws(Fault) in
        let name = a.string(0, row)
        let zone: SessionTimeZone
        if let last, last.name == name { zone = last.zone } else { zone = try .meant(by: name) }
        last = (name, zone)
        out.append(change(zone, a.int(1, row)))
      }
    }
  }

  private static func byInterval(_ from: DataType, _ to: DataType, sign: Int64) -> ScalarFunction {
    .rowwise("timezone", [.interval, from], to) { (a, row, out) throws(Fault) in
      let span = a.interval(0, row)
      guard span.months == 0, span.days == 0 else {
        var text: [UInt8] = []
        ValueText.appendInterval(span, to: &text)
        throw Fault(
          .invalidParameterValue,
          "interval time zone \"\(String(decoding: text, as: UTF8.self))\" must not include months or days")
      }
      let micros = a.int(1, row)
      guard DateCasts.isFinite(micros) else { return out.append(micros) }
      let (moved, overflow) = micros.addingReportingOverflow(sign * (span.micros / 1_000_000 * 1_000_000))
      if from == .time { return out.append(CivilCalendar.split(moved).time) }
      let isInRange = DateCasts.isFinite(moved) && CivilCalendar.split(moved).day >= CivilCalendar.dayMin
      guard !overflow, isInRange else { throw DateArithmetic.timestampOutOfRange }
      out.append(moved)
    }
  }
}
