// The values of a session's settings, with PostgreSQL's transaction rules: SET lasts when its transaction commits, SET
// LOCAL ends with it, ROLLBACK brings back what was before.

import Bedrock
import Functions

struct Settings: Sendable {
  /// Values that came with the connection: what RESET goes back to.
  private var start: [String: String] = [:]
  /// Values of SET; they stay after COMMIT.
  private var session: [String: String] = [:]
  /// Values of SET LOCAL.
  private var local: [String: String] = [:]

  private static func key(_ name: String) -> String { name.lowercased() }

  /// The value as text. Throws 42704 for an unknown name.
  func value(_ name: String) throws(Fault) -> String {
    guard let value = find(name) else { throw Setting.unknown(name) }
    return value
  }

  /// The value as text, or `nil` for an unknown name.
  func find(_ name: String) -> String? {
    let key = Self.key(name)
    if let value = local[key] ?? session[key] ?? start[key] { return value }
    // A dotted name exists once it has been set.
    return Setting.fallback(of: name)
  }

  /// Fixes a value for the life of the session, without the checks of SET.
  mutating func fix(_ name: String, _ value: String) { start[Self.key(name)] = value }

  /// A value of the startup packet.
  mutating func setAtStart(_ name: String, _ value: String) throws(Fault) {
    guard let setting = Setting.named(name) else { throw Setting.unknown(name) }
    start[Self.key(name)] = try setting.canonical(value)
  }

  mutating func set(_ name: String, _ value: String, isLocal: Bool) throws(Fault) {
    guard let setting = Setting.named(name) else { throw Setting.unknown(name) }
    let canonical = try setting.canonical(value)
    if isLocal {
      local[Self.key(name)] = canonical
    } else {
      session[Self.key(name)] = canonical
      local[Self.key(name)] = nil
    }
  }

  mutating func reset(_ name: String, isLocal: Bool = false) throws(Fault) {
    guard let setting = Setting.named(name) else { throw Setting.unknown(name) }
    if case .fixed = setting.rule { _ = try setting.canonical("") }
    let key = Self.key(name)
    if isLocal {
      local[key] = start[key] ?? setting.fallback
    } else {
      session[key] = nil
      local[key] = nil
    }
  }

  mutating func resetAll() {
    // The characteristics of a running transaction are no settings of the session.
    let kept = local.filter { $0.key.hasPrefix("transaction_") }
    session = [:]
    local = kept
  }

  /// What SET LOCAL did is over.
  mutating func endTransaction() { local = [:] }

  /// Reported settings and their values, in the order of the greeting.
  var reported: [(name: String, value: String)] {
    Setting.reported.map { ($0.name, find($0.name) ?? $0.fallback) }
  }

  // MARK: Typed readings; `set` has checked the texts.

  var timeZone: SessionTimeZone {
    guard let name = find("TimeZone") else { return .utc }
    do throws(Fault) { return try TimeZoneName.parse(name) } catch { return .utc }
  }
  var extraFloatDigits: Int { Int(find("extra_float_digits") ?? "") ?? 1 }
  var isByteaEscaped: Bool { find("bytea_output") == "escape" }
  var statementTimeoutMs: Int { Setting.milliseconds(find("statement_timeout") ?? "0") ?? 0 }

  /// The schemas of search_path; `$user` is not resolved.
  var searchPath: [String] { Self.identifiers(find("search_path") ?? "") }

  /// `"$user", public` as names: quoted parts as they are, others in lower case.
  static func identifiers(_ text: String) -> [String] {
    var names: [String] = []
    var name = ""
    var isQuoted = false
    var wasQuoted = false
    func finish() {
      let final = wasQuoted ? name : name.trimmed.lowercased()
      if wasQuoted || !final.isEmpty { names.append(final) }
      name = ""
      wasQuoted = false
    }
    for character in text {
      if character == "\"" {
        if isQuoted == false && name.trimmed.isEmpty { name = "" }
        isQuoted.toggle()
        wasQuoted = true
      } else if character == "," && !isQuoted {
        finish()
      } else if isQuoted || !wasQuoted {
        name.append(character)
      }
    }
    finish()
    return names
  }
}
