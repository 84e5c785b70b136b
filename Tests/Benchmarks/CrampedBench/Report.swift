// The table that the benchmark prints.

import Glibc

struct Report {
  private struct Line {
    let name: String
    let perSecond: Double
    let unit: String
    let note: String
  }
  private var lines: [Line] = []

  /// A measurement: `count` things in `nanos`, and what to compare with.
  mutating func add(_ name: String, _ count: Int, _ nanos: UInt64, unit: String = "events/s", note: String = "") {
    lines.append(Line(name: name, perSecond: Double(count) * 1e9 / Double(max(nanos, 1)), unit: unit, note: note))
    Self.write(text(lines[lines.count - 1]))
  }

  func perSecond(_ name: String) -> Double? { lines.last { $0.name == name }?.perSecond }

  /// How a rate compares with another one, in percent.
  func ratio(_ name: String, to other: String) -> String {
    guard let a = perSecond(name), let b = perSecond(other), b > 0 else { return "" }
    return "\(Int((a / b * 100).rounded())) % of \(other)"
  }

  mutating func note(_ name: String, _ text: String) { Self.write("| \(Self.pad(name, 44)) | | \(text) |") }

  /// At once, so that a reader sees how far it is.
  static func write(_ line: String) {
    print(line)
    fflush(nil)
  }

  static func header() {
    print("| \(pad("measured", 44)) | \(pad("rate", 24, left: true)) | compared |")
    print("|---|---:|---|")
  }

  private func text(_ line: Line) -> String {
    "| \(Self.pad(line.name, 44)) | \(Self.pad("\(Self.grouped(Int(line.perSecond))) \(line.unit)", 24, left: true)) | \(line.note) |"
  }

  private static func grouped(_ number: Int) -> String {
    var digits = Array(String(number))
    var place = digits.count - 3
    while place > 0 {
      digits.insert(",", at: place)
      place -= 3
    }
    return String(digits)
  }

  private static func pad(_ text: String, _ width: Int, left: Bool = false) -> String {
    let blanks = String(repeating: " ", count: max(0, width - text.count))
    return left ? blanks + text : text + blanks
  }
}
