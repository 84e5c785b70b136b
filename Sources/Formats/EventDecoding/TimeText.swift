// RFC 3339 timestamps, dates and UUIDs from bytes, without calendars or strings.
//
// Fractions past the microsecond are cut off. Second 60 (a leap second) is the first second of the next minute, as in PostgreSQL.

import Bedrock
import Columnar

package enum TimeText {
  /// The years 1 to 9999; other numbers are taken for a wrong unit.
  package static let microsRange: ClosedRange<Int64> = -62_135_596_800_000_000...253_402_300_799_999_999
  static let dayRange: ClosedRange<Int64> = -719_162...2_932_896

  /// `2026-11-23T08:00:00[.123456](Z|+hh:mm)` in microseconds since 1970-01-01 UTC; `T` may be a space. With
  /// `offsetOptional` a text without offset is UTC.
  package static func micros(_ text: UnsafeBufferPointer<UInt8>, offsetOptional: Bool = false) -> Int64? {
    guard text.count >= 19, let day = day(UnsafeBufferPointer(rebasing: text[..<10])) else { return nil }
    guard text[10] | 0x20 == UInt8(ascii: "t") || text[10] == UInt8(ascii: " ") else { return nil }
    guard let hour = two(text, 11), let minute = two(text, 14), let second = two(text, 17),
      text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"), hour < 24, minute < 60, second <= 60
    else { return nil }
    var at = 19
    var fraction: Int64 = 0
    if at < text.count && text[at] == UInt8(ascii: ".") {
      at += 1
      var scale: Int64 = 100_000
      let start = at
      while at < text.count, let digit = digit(text[at]) {
        fraction += digit * scale
        scale /= 10
        at += 1
      }
      guard at > start && at - start <= 12 else { return nil }
    }
    guard let offset = offset(text, at, optional: offsetOptional) else { return nil }
    let seconds = day * 86_400 + hour * 3_600 + minute * 60 + second - offset
    let micros = seconds * 1_000_000 + fraction
    return microsRange.contains(micros) ? micros : nil
  }

  /// Seconds east of UTC from `at` to the end of the text.
  private static func offset(_ text: UnsafeBufferPointer<UInt8>, _ at: Int, optional: Bool) -> Int64? {
    if at == text.count { return optional ? 0 : nil }
    if text[at] | 0x20 == UInt8(ascii: "z") { return at + 1 == text.count ? 0 : nil }
    guard text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-"), text.count == at + 6,
      let hours = two(text, at + 1), let minutes = two(text, at + 4), text[at + 3] == UInt8(ascii: ":"), hours < 24,
      minutes < 60
    else { return nil }
    let seconds = hours * 3_600 + minutes * 60
    return text[at] == UInt8(ascii: "-") ? -seconds : seconds
  }

  /// `2026-11-23` in days since 1970-01-01.
  static func day(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
    guard text.count == 10, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"), let century = two(text, 0),
      let yearOfCentury = two(text, 2), let month = two(text, 5), let day = two(text, 8)
    else { return nil }
    let year = century * 100 + yearOfCentury
    guard year >= 1 && month >= 1 && month <= 12 else { return nil }
    guard day >= 1 && day <= Int64(CivilDate.daysInMonth(year: Int(year), month: Int(month))) else { return nil }
    return Int64(CivilDate(year: Int(year), month: Int(month), day: Int(day)).daysSinceEpoch)
  }

  /// `8f14e45f-ceea-467f-a5e6-0123456789ab`, hyphens as shown, digits of either case.
  static func uuid(_ text: UnsafeBufferPointer<UInt8>) -> UUIDValue? {
    guard text.count == 36 else { return nil }
    var high: UInt64 = 0, low: UInt64 = 0
    for index in 0..<36 {
      if index == 8 || index == 13 || index == 18 || index == 23 {
        guard text[index] == UInt8(ascii: "-") else { return nil }
        continue
      }
      guard let nibble = nibble(text[index]) else { return nil }
      if index < 18 { high = high << 4 | nibble } else { low = low << 4 | nibble }
    }
    return UUIDValue(high: high, low: low)
  }

  static func nibble(_ byte: UInt8) -> UInt64? {
    switch byte {
    case 0x30...0x39: UInt64(byte - 0x30)
    case 0x61...0x66: UInt64(byte - 0x57)
    case 0x41...0x46: UInt64(byte - 0x37)
    default: nil
    }
  }

  private static func digit(_ byte: UInt8) -> Int64? { byte >= 0x30 && byte <= 0x39 ? Int64(byte - 0x30) : nil }

  private static func two(_ text: UnsafeBufferPointer<UInt8>, _ at: Int) -> Int64? {
    guard at + 1 < text.count, let tens = digit(text[at]), let ones = digit(text[at + 1]) else { return nil }
    return tens * 10 + ones
  }
}
