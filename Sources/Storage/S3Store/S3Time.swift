// Moments in the three forms that S3 speaks, as microseconds since 1970 UTC.
//
//   20130524T000000Z                  x-amz-date, written
//   2009-10-12T17:50:30.000Z          LastModified of a listing, read
//   Wed, 21 Oct 2015 07:28:00 GMT     Date, read (RFC 9110 section 5.6.7; the two obsolete forms are not)

import Bedrock

enum S3Time {
  private static let microsOfDay: Int64 = 86_400_000_000

  /// `20130524T000000Z`
  static func basic(micros: Int64) -> String {
    // Floor division: also right before 1970.
    let days = Int((micros >= 0 ? micros : micros - (microsOfDay - 1)) / microsOfDay)
    let date = CivilDate(daysSinceEpoch: days)
    let second = Int((micros - Int64(days) * microsOfDay) / 1_000_000)
    return pad(date.year, 4) + pad(date.month, 2) + pad(date.day, 2) + "T" + pad(second / 3_600, 2)
      + pad(second / 60 % 60, 2) + pad(second % 60, 2) + "Z"
  }

  private static func pad(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }

  /// `2009-10-12T17:50:30.000Z`, with no fraction or one of up to nine digits.
  static func extended(_ text: String) -> Int64? {
    let bytes = Array(text.utf8)
    guard bytes.count >= 20, bytes.count <= 30, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
      bytes[10] == UInt8(ascii: "T"), bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
      bytes[bytes.count - 1] == UInt8(ascii: "Z"),
      let year = number(bytes[0..<4]), let month = number(bytes[5..<7]), let day = number(bytes[8..<10]),
      let hour = number(bytes[11..<13]), let minute = number(bytes[14..<16]), let second = number(bytes[17..<19]),
      let whole = micros(year, month, day, hour, minute, second)
    else { return nil }
    let fraction = bytes[19..<bytes.count - 1]
    if fraction.isEmpty { return whole }
    guard fraction.first == UInt8(ascii: "."), let digits = number(fraction.dropFirst()) else { return nil }
    var scaled = Int64(digits)
    for _ in fraction.count - 1..<max(6, fraction.count - 1) { scaled *= 10 }
    for _ in 6..<max(6, fraction.count - 1) { scaled /= 10 }
    return whole + scaled
  }

  /// `Wed, 21 Oct 2015 07:28:00 GMT`
  static func http(_ text: String) -> Int64? {
    let parts = text.split(separator: " ")
    guard parts.count == 6, parts[5] == "GMT", let day = number(Array(parts[1].utf8)[...]),
      let month = months.firstIndex(of: String(parts[2])), let year = number(Array(parts[3].utf8)[...])
    else { return nil }
    let time = parts[4].split(separator: ":", omittingEmptySubsequences: false).map { number(Array($0.utf8)[...]) }
    guard time.count == 3, let hour = time[0], let minute = time[1], let second = time[2] else { return nil }
    return micros(year, month + 1, day, hour, minute, second)
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// Decimal digits only, at most nine.
  private static func number(_ bytes: ArraySlice<UInt8>) -> Int? {
    guard !bytes.isEmpty, bytes.count <= 9, bytes.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return bytes.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }

  private static func micros(
    _ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ second: Int
  ) -> Int64? {
    guard (1970...9_999).contains(year), (1...12).contains(month), hour < 24, minute < 60, second <= 60,
      day >= 1, day <= CivilDate.daysInMonth(year: year, month: month)
    else { return nil }
    let days = CivilDate(year: year, month: month, day: day).daysSinceEpoch
    return Int64(days) * microsOfDay + Int64(hour * 3_600 + minute * 60 + second) * 1_000_000
  }
}
