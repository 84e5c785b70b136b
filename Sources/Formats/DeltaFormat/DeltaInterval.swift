// Spans of time in table properties, such as `interval 1 week`. PROTOCOL.md, "Table Properties".

package enum DeltaInterval {
  private static let units: [String: Int64] = [
    "microsecond": 1, "millisecond": 1_000, "second": 1_000_000, "minute": 60_000_000, "hour": 3_600_000_000,
    "day": 86_400_000_000, "week": 604_800_000_000,
  ]

  /// Microseconds; nil for a missing property and for text that is no span.
  package static func micros(_ text: String?) -> Int64? {
    guard var words = text?.lowercased().split(separator: " ").map(String.init) else { return nil }
    if words.first == "interval" { words.removeFirst() }
    guard !words.isEmpty, words.count % 2 == 0 else { return nil }
    var total: Int64 = 0
    for place in stride(from: 0, to: words.count, by: 2) {
      var unit = words[place + 1]
      if unit.hasSuffix("s") { unit.removeLast() }
      guard let count = Int64(words[place]), count >= 0, let micros = units[unit] else { return nil }
      let (span, overflow) = count.multipliedReportingOverflow(by: micros)
      let (sum, overflow2) = total.addingReportingOverflow(span)
      if overflow || overflow2 { return nil }
      total = sum
    }
    return total
  }
}
