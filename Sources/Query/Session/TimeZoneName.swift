// Time zones as SET TimeZone names them: zones of the IANA database, and fixed offsets.
//
// An offset inside a name counts west, as POSIX has it: `+05:30` and `UTC+5:30` lie west of Greenwich. An offset that
// SET TIME ZONE gives as a number or an interval counts east and is shown as `<+05:30>-05:30`.

import Bedrock
import Functions

enum TimeZoneName {
  /// The zone of a name. Throws 22023 for one that is not known.
  static func parse(_ value: String) throws(Fault) -> SessionTimeZone {
    let name = value.trimmed
    if let zone = SessionTimeZone(named: name) { return zone }
    switch name.lowercased() {
    case "utc", "gmt", "z", "zulu", "uct", "etc/utc", "etc/gmt", "etc/uct", "etc/zulu", "universal", "etc/universal",
      "greenwich", "etc/greenwich", "gmt0", "default", "localtime":
      return SessionTimeZone(name: name.uppercased() == "UTC" ? "UTC" : name, offsetSeconds: 0)
    default: break
    }
    if name.hasPrefix("<"), let end = name.firstIndex(of: ">"), let west = seconds(name[name.index(after: end)...]) {
      return SessionTimeZone(name: name, offsetSeconds: -west)
    }
    var rest = name[...]
    for prefix in ["Etc/GMT", "UTC", "GMT"] where rest.lowercased().hasPrefix(prefix.lowercased()) {
      rest = rest.dropFirst(prefix.count)
      break
    }
    guard let west = seconds(rest) else {
      throw Fault(
        .invalidParameterValue, "invalid value for parameter \"TimeZone\": \"\(value)\"",
        hint: "The view pg_timezone_names lists the names.")
    }
    return SessionTimeZone(name: name, offsetSeconds: -west)
  }

  /// The zone of `SET TIME ZONE number`, hours east.
  static func parse(hoursEast hours: Double) throws(Fault) -> SessionTimeZone {
    guard hours.magnitude <= 168 else {
      throw Fault(.invalidParameterValue, "invalid value for parameter \"TimeZone\": \"\(hours)\"")
    }
    let seconds = Int((hours * 3_600).rounded())
    return SessionTimeZone(name: "<\(spelled(seconds))>\(spelled(-seconds))", offsetSeconds: seconds)
  }

  private static func spelled(_ seconds: Int) -> String {
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
    let magnitude = abs(seconds)
    var text = (seconds < 0 ? "-" : "+") + two(magnitude / 3_600)
    if magnitude % 3_600 != 0 { text += ":" + two(magnitude / 60 % 60) }
    if magnitude % 60 != 0 { text += ":" + two(magnitude % 60) }
    return text
  }

  /// `[+-]h[h][:mm[:ss]]` as seconds; `nil` for something else.
  private static func seconds(_ text: Substring) -> Int? {
    var rest = text
    var sign = 1
    if rest.first == "+" || rest.first == "-" { sign = rest.removeFirst() == "-" ? -1 : 1 }
    let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
    guard (1...3).contains(parts.count) else { return nil }
    var total = 0
    for (index, part) in parts.enumerated() {
      guard !part.isEmpty, part.count <= 2, part.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(part) else {
        return nil
      }
      guard index == 0 ? number <= 24 : number < 60 else { return nil }
      total += number * [3_600, 60, 1][index]
    }
    return sign * total
  }
}

extension String {
  /// Without spaces at both ends.
  var trimmed: String {
    var text = self[...]
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
