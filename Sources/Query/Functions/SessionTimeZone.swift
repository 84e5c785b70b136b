// Time zones: a fixed offset, or the rules of a zone of the IANA database.
//
//   instant (UTC) ── local ──► wall clock            wall clock ── instant ──► instant
//
// A wall clock time that a change of offset skips is read with the offset before the change, and one that comes twice
// with the offset after it, as PostgreSQL does. Both follow from one rule: change k takes effect at the local time
// `instant of k + offset after k`.

package import Bedrock
import CZones
import Synchronization

/// A zone as a session or an expression names it. Equal when the names are.
package struct SessionTimeZone: Sendable, Hashable {
  package let name: String
  private let fixedSeconds: Int
  private let fixedAbbreviation: String?
  private let rules: ZoneRules?

  /// A zone that never changes. East of Greenwich is positive.
  package init(name: String, offsetSeconds: Int) {
    self.name = name
    fixedSeconds = offsetSeconds
    fixedAbbreviation = nil
    rules = nil
  }

  /// The zone of the IANA database of that name, in any case of letters; nil when there is none.
  package init?(named name: String) {
    guard let rules = ZoneDatabase.rules(name) else { return nil }
    self.name = rules.name
    fixedSeconds = rules.offset(period: 0)
    fixedAbbreviation = rules.abbreviations[0]
    self.rules = rules.transitions.isEmpty ? nil : rules
  }

  /// What AT TIME ZONE and its like name: an abbreviation, a zone, or an offset (`UTC+3`, west of Greenwich).
  package static func meant(by name: String) throws(Fault) -> SessionTimeZone {
    if let zone = ZoneAbbreviations.zone(name) ?? SessionTimeZone(named: name) { return zone }
    return SessionTimeZone(name: name, offsetSeconds: Int(try DateFunctions.posixShift(name) / 1_000_000))
  }

  package static let utc = SessionTimeZone(name: "UTC", offsetSeconds: 0)

  package static func == (a: SessionTimeZone, b: SessionTimeZone) -> Bool {
    a.name == b.name && a.fixedSeconds == b.fixedSeconds
  }
  package func hash(into hasher: inout Hasher) { hasher.combine(name) }

  /// Seconds east of Greenwich when they never change.
  package var fixedOffset: Int? { rules == nil ? fixedSeconds : nil }

  /// Seconds east of Greenwich at an instant (µs since 1970).
  package func offsetSeconds(at micros: Int64) -> Int {
    guard let rules else { return fixedSeconds }
    return rules.offset(period: rules.period(at: micros))
  }

  package func isDaylightSaving(at micros: Int64) -> Bool {
    guard let rules else { return false }
    return rules.isDaylightSaving[rules.period(at: micros)]
  }

  package func abbreviation(at micros: Int64) -> String {
    if let rules { return rules.abbreviations[rules.period(at: micros)] }
    if let fixedAbbreviation { return fixedAbbreviation }
    if name.hasPrefix("<"), let end = name.firstIndex(of: ">") { return String(name[name.index(after: name.startIndex)..<end]) }
    return name.split(separator: "/").last.map(String.init) ?? name
  }

  /// The wall clock at an instant; infinities stay.
  package func local(_ micros: Int64) -> Int64 {
    if micros == .max || micros == .min { return micros }
    return micros &+ Int64(offsetSeconds(at: micros)) * 1_000_000
  }

  /// The instant of a wall clock time; infinities stay.
  package func instant(_ local: Int64) -> Int64 {
    if local == .max || local == .min { return local }
    guard let rules else { return local &- Int64(fixedSeconds) * 1_000_000 }
    return local &- Int64(rules.offset(period: rules.period(atLocal: local))) * 1_000_000
  }

  /// Moments of change (µs since 1970) and the offsets before the first one and from each on, for encoders of rows.
  package var table: (transitions: [Int64], offsets: [Int32]) {
    guard let rules else { return ([], [Int32(clamping: fixedSeconds)]) }
    return (rules.transitions, rules.offsets)
  }
}

/// The offsets of one zone. Period 0 lies before the first transition, period i + 1 begins with transition i.
final class ZoneRules: Sendable {
  let name: String
  let transitions: [Int64]
  let offsets: [Int32]
  let isDaylightSaving: [Bool]
  let abbreviations: [String]
  /// The local times at which the periods after the first one begin.
  private let localStarts: [Int64]
  /// Whether changes go on past the end of the table.
  private let repeats: Bool

  /// Rules that go on for ever repeat every 400 years; the table holds the years before 2400.
  static let endSeconds: Int64 = 13_569_465_600
  private static let endMicros = endSeconds * 1_000_000
  private static let cycleMicros: Int64 = 12_622_780_800_000_000

  init(name: String, periods: [cramped_zone_period]) {
    precondition(!periods.isEmpty, "a zone has an offset")
    self.name = name
    transitions = periods.dropFirst().map { $0.start * 1_000_000 }
    offsets = periods.map(\.offset)
    isDaylightSaving = periods.map { $0.is_dst != 0 }
    abbreviations = periods.map { period in
      withUnsafeBytes(of: period.abbreviation) { bytes in String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
    }
    // 2300-01-01
    repeats = (periods.last?.start ?? 0) > 10_413_792_000
    localStarts = zip(transitions, offsets.dropFirst()).map { $0 + Int64($1) * 1_000_000 }
  }

  func offset(period: Int) -> Int { Int(offsets[period]) }
  func period(at micros: Int64) -> Int { Self.count(transitions, upTo: inTable(micros)) }
  func period(atLocal micros: Int64) -> Int { Self.count(localStarts, upTo: inTable(micros)) }

  private func inTable(_ micros: Int64) -> Int64 {
    guard repeats, micros >= Self.endMicros else { return micros }
    return micros - ((micros - Self.endMicros) / Self.cycleMicros + 1) * Self.cycleMicros
  }

  /// How many of the ascending values are not after `value`.
  private static func count(_ values: [Int64], upTo value: Int64) -> Int {
    var low = 0
    var high = values.count
    while low < high {
      let middle = (low + high) / 2
      if values[middle] <= value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// The IANA database of this machine: names are listed once, zones are loaded when they are first named.
package enum ZoneDatabase {
  private static let loaded = Mutex<[String: ZoneRules]>([:])
  private static let periodsMax = 2_000

  /// Names by their lower-case form.
  private static let namesByLowercase: [String: String] = {
    final class Found { var names: [String: String] = [:] }
    let found = Found()
    cramped_zone_names(Unmanaged.passUnretained(found).toOpaque()) { context, name in
      guard let context, let name else { return }
      let text = String(cString: name)
      Unmanaged<Found>.fromOpaque(context).takeUnretainedValue().names[text.lowercased()] = text
    }
    return found.names
  }()

  /// All names, sorted.
  package static var names: [String] { namesByLowercase.values.sorted() }

  static func rules(_ name: String) -> ZoneRules? {
    guard name.utf8.count < 64, let known = namesByLowercase[name.lowercased()] else { return nil }
    if let rules = loaded.withLock({ $0[known] }) { return rules }
    var periods = [cramped_zone_period](repeating: cramped_zone_period(), count: periodsMax)
    let count = cramped_zone_periods(known, ZoneRules.endSeconds, &periods, periodsMax)
    guard (1...periodsMax).contains(count) else { return nil }
    let rules = ZoneRules(name: known, periods: Array(periods[..<count]))
    loaded.withLock { $0[known] = rules }
    return rules
  }
}
