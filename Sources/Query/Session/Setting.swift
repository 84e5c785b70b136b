// The settings that a session knows: PostgreSQL's names, defaults and spellings of values.
//
// Three groups: settings that change what Cramped does or reports, settings of PostgreSQL that have nothing to change
// here and are kept as they are given, and settings with a dot in the name, which belong to extensions and clients.

import Bedrock
import Functions

/// How a value given to a setting is checked and spelled.
enum SettingRule {
  /// Any text.
  case text
  /// One of these, compared without case; the spelling of the table is kept.
  case oneOf([String])
  case boolean
  case integer(ClosedRange<Int>)
  /// A time in milliseconds, with PostgreSQL's units.
  case milliseconds
  case timeZone
  case dateStyle
  case encoding
  /// Cannot be changed by a session.
  case fixed
}

struct Setting {
  let name: String
  let fallback: String
  let rule: SettingRule
  /// Told to the client by ParameterStatus at the start and when it changes.
  let isReported: Bool

  init(_ name: String, _ fallback: String, _ rule: SettingRule, reported: Bool = false) {
    self.name = name
    self.fallback = fallback
    self.rule = rule
    isReported = reported
  }

  private static let table: [Setting] = [
    // In the order in which PostgreSQL reports them.
    Setting("application_name", "", .text, reported: true),
    Setting("client_encoding", "UTF8", .encoding, reported: true),
    Setting("DateStyle", "ISO, MDY", .dateStyle, reported: true),
    Setting("default_transaction_read_only", "off", .boolean, reported: true),
    Setting("in_hot_standby", "off", .fixed, reported: true),
    Setting("integer_datetimes", "on", .fixed, reported: true),
    Setting("IntervalStyle", "postgres", .oneOf(["postgres"]), reported: true),
    Setting("is_superuser", "on", .fixed, reported: true),
    Setting("server_encoding", "UTF8", .fixed, reported: true),
    Setting("server_version", "15.0", .fixed, reported: true),
    Setting("session_authorization", "", .fixed, reported: true),
    Setting("standard_conforming_strings", "on", .oneOf(["on"]), reported: true),
    Setting("TimeZone", "UTC", .timeZone, reported: true),

    Setting("bytea_output", "hex", .oneOf(["hex", "escape"])),
    Setting(
      "client_min_messages", "notice",
      .oneOf(["debug5", "debug4", "debug3", "debug2", "debug1", "debug", "log", "notice", "warning", "error"])),
    Setting("default_transaction_isolation", "read committed", .oneOf(Self.isolationLevels)),
    Setting("default_transaction_deferrable", "off", .boolean),
    Setting("extra_float_digits", "1", .integer(-15...3)),
    Setting("idle_in_transaction_session_timeout", "0", .milliseconds),
    Setting("idle_session_timeout", "0", .milliseconds),
    Setting("lock_timeout", "0", .milliseconds),
    Setting("max_identifier_length", "63", .fixed),
    Setting("search_path", "\"$user\", public, \"$domains\"", .text),
    Setting("server_version_num", "150000", .fixed),
    Setting("statement_timeout", "0", .milliseconds),
    Setting("transaction_isolation", "read committed", .oneOf(Self.isolationLevels)),
    Setting("transaction_read_only", "off", .boolean),
    Setting("transaction_deferrable", "off", .boolean),
    Setting("max_index_keys", "32", .fixed),
    Setting("block_size", "8192", .fixed),
    Setting("lc_collate", "C", .fixed),
    Setting("lc_ctype", "C.UTF-8", .fixed),
    Setting("wal_level", "replica", .fixed),
    Setting("max_connections", "200", .fixed),
    Setting("ssl", "off", .fixed),
    Setting("password_encryption", "scram-sha-256", .oneOf(["scram-sha-256"])),
    Setting(AsOf.settingName, "", .text),
  ]

  static let isolationLevels = ["read uncommitted", "read committed", "repeatable read", "serializable"]

  /// Settings of PostgreSQL that clients send and that change nothing here.
  private static let harmless: [(String, String)] = [
    ("array_nulls", "on"), ("backslash_quote", "safe_encoding"), ("check_function_bodies", "on"),
    ("client_connection_check_interval", "0"), ("commit_delay", "0"), ("constraint_exclusion", "partition"),
    ("cpu_tuple_cost", "0.01"), ("cursor_tuple_fraction", "0.1"), ("debug_print_plan", "off"),
    ("default_statistics_target", "100"), ("default_table_access_method", "heap"), ("default_tablespace", ""),
    ("default_text_search_config", "pg_catalog.english"), ("effective_cache_size", "4GB"), ("enable_bitmapscan", "on"),
    ("enable_hashagg", "on"), ("enable_hashjoin", "on"), ("enable_indexscan", "on"), ("enable_mergejoin", "on"),
    ("enable_nestloop", "on"), ("enable_seqscan", "on"), ("enable_sort", "on"), ("escape_string_warning", "on"),
    ("exit_on_error", "off"), ("force_parallel_mode", "off"), ("from_collapse_limit", "8"), ("geqo", "on"),
    ("gin_fuzzy_search_limit", "0"), ("hash_mem_multiplier", "2"), ("jit", "off"), ("join_collapse_limit", "8"),
    ("lc_messages", "C"), ("lc_monetary", "C"), ("lc_numeric", "C"), ("lc_time", "C"), ("lo_compat_privileges", "off"),
    ("log_min_duration_statement", "-1"), ("log_statement", "none"), ("logical_decoding_work_mem", "64MB"),
    ("maintenance_work_mem", "64MB"), ("max_parallel_workers_per_gather", "2"), ("operator_precedence_warning", "off"),
    ("parallel_setup_cost", "1000"), ("parallel_tuple_cost", "0.1"), ("plan_cache_mode", "auto"),
    ("quote_all_identifiers", "off"), ("random_page_cost", "4"), ("role", "none"), ("row_security", "on"),
    ("seed", "0"), ("seq_page_cost", "1"), ("session_replication_role", "origin"), ("synchronize_seqscans", "on"),
    ("synchronous_commit", "on"), ("tcp_keepalives_count", "0"), ("tcp_keepalives_idle", "0"),
    ("tcp_keepalives_interval", "0"), ("tcp_user_timeout", "0"), ("temp_buffers", "8MB"), ("temp_tablespaces", ""),
    ("track_activities", "on"), ("transform_null_equals", "off"), ("vacuum_cost_delay", "0"), ("work_mem", "4MB"),
    ("xmlbinary", "base64"), ("xmloption", "content"),
  ]

  private static let byName: [String: Setting] = {
    var found: [String: Setting] = [:]
    for setting in table { found[setting.name.lowercased()] = setting }
    for (name, fallback) in harmless { found[name] = Setting(name, fallback, .text) }
    return found
  }()

  /// The reported ones, in the order of the greeting.
  static let reported = table.filter(\.isReported)
  static let all = byName.values.sorted { $0.name.lowercased() < $1.name.lowercased() }

  /// The setting of that name, in any case; a name with a dot is always one.
  static func named(_ name: String) -> Setting? {
    if let known = byName[name.lowercased()] { return known }
    return name.contains(".") ? Setting(name, "", .text) : nil
  }

  /// What a setting is before anybody sets it; nil for the dotted names of clients.
  static func fallback(of name: String) -> String? { byName[name.lowercased()]?.fallback }

  static func unknown(_ name: String) -> Fault {
    Fault(.undefinedObject, "unrecognized configuration parameter \"\(name)\"")
  }

  /// The value as it is kept and shown. Throws 22023 or 0A000 for one that cannot be.
  func canonical(_ value: String) throws(Fault) -> String {
    switch rule {
    case .text: return value
    case .fixed:
      throw Fault(.cantChangeRuntimeParam, "parameter \"\(name)\" cannot be changed")
    case .boolean:
      guard let truth = Self.boolean(value) else {
        throw Fault(.invalidParameterValue, "parameter \"\(name)\" requires a Boolean value")
      }
      return truth ? "on" : "off"
    case .oneOf(let allowed):
      if allowed == ["on"] || allowed == ["off"], let truth = Self.boolean(value), [truth ? "on" : "off"] == allowed {
        return allowed[0]
      }
      if let known = allowed.first(where: { $0 == value.lowercased() }) { return known }
      throw Fault(
        .invalidParameterValue, "invalid value for parameter \"\(name)\": \"\(value)\"",
        hint: "Available values: \(allowed.joined(separator: ", ")).")
    case .integer(let range):
      guard let number = Int(value) else { throw invalid(value) }
      guard range.contains(number) else {
        throw Fault(
          .invalidParameterValue,
          "\(number) is outside the valid range for parameter \"\(name)\" (\(range.lowerBound) .. \(range.upperBound))")
      }
      return String(number)
    case .milliseconds:
      guard let time = Self.milliseconds(value) else { throw invalid(value) }
      return Self.spelled(milliseconds: time)
    case .timeZone:
      return try TimeZoneName.parse(value).name
    case .dateStyle: return try dateStyle(value)
    case .encoding:
      switch value.lowercased().filter({ $0.isLetter || $0.isNumber }) {
      case "utf8", "unicode": return "UTF8"
      case "sqlascii": return "SQL_ASCII"
      default:
        throw Fault(
          .featureNotSupported, "client encoding \"\(value)\" is not supported", hint: "Use UTF8.")
      }
    }
  }

  private func invalid(_ value: String) -> Fault {
    Fault(.invalidParameterValue, "invalid value for parameter \"\(name)\": \"\(value)\"")
  }

  static func boolean(_ value: String) -> Bool? {
    switch value.lowercased() {
    case "on", "true", "yes", "1", "t", "y": true
    case "off", "false", "no", "0", "f", "n": false
    default: nil
    }
  }

  private func dateStyle(_ value: String) throws(Fault) -> String {
    var order = "MDY"
    for word in value.split(whereSeparator: { $0 == "," || $0 == " " }) {
      switch word.uppercased() {
      case "ISO": break
      case "MDY", "US", "NONEURO", "NONEUROPEAN": order = "MDY"
      case "DMY", "EURO", "EUROPEAN": order = "DMY"
      case "YMD": order = "YMD"
      case "SQL", "POSTGRES", "GERMAN": throw .unsupported("DateStyle \(word)", hint: "Use ISO.")
      default: throw invalid(value)
      }
    }
    return "ISO, \(order)"
  }

  /// `5000`, `5s`, `1min`, `2 h`; `nil` for something else or a negative time.
  static func milliseconds(_ value: String) -> Int? {
    let text = value.filter { $0 != " " }
    let digits = text.prefix { $0.isNumber || $0 == "." }
    guard let number = Double(digits), number >= 0 else { return nil }
    let factor: Double
    switch text.dropFirst(digits.count) {
    case "", "ms": factor = 1
    case "us": factor = 0.001
    case "s": factor = 1_000
    case "min": factor = 60_000
    case "h": factor = 3_600_000
    case "d": factor = 86_400_000
    default: return nil
    }
    let time = (number * factor).rounded()
    return time <= Double(Int32.max) ? Int(time) : nil
  }

  private static func spelled(milliseconds time: Int) -> String {
    if time == 0 { return "0" }
    for (unit, factor) in [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000)]
    where time % factor == 0 {
      return "\(time / factor)\(unit)"
    }
    return "\(time)ms"
  }
}
