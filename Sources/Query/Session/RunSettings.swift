// SET, SHOW, RESET and DISCARD.

import Bedrock
import Functions
import Columnar
import Plan
import SQLSyntax

extension Session {
  func runSet(_ set: SetStatement) throws(Fault) -> Outcome {
    switch set.action {
    case .set(let values): try settings.set(set.name, try settingText(set.name, values), isLocal: isLocal(set))
    case .setDefault: try settings.reset(set.name, isLocal: isLocal(set))
    case .setCurrent: _ = try settings.value(set.name)
    case .setModes(let modes): try setModes(set, modes)
    case .reset:
      try settings.reset(set.name)
      return .command("RESET")
    case .resetAll:
      settings.resetAll()
      tables.dropTemporary()
      return .command("RESET")
    }
    return .command("SET")
  }

  /// SET LOCAL; outside a block it changes nothing and says so.
  private func isLocal(_ set: SetStatement) -> Bool {
    if set.isLocal && transaction.state == .implicit {
      notice(.warning, .noActiveTransaction, "SET LOCAL can only be used in transaction blocks")
    }
    return set.isLocal
  }

  /// The values of SET as one text: a list of names is quoted where needed.
  private func settingText(_ name: String, _ values: [ConstantSyntax]) throws(Fault) -> String {
    if name.lowercased() == "timezone", values.count == 1 {
      switch values[0] {
      case .integer(let hours): return try TimeZoneName.parse(hoursEast: Double(hours)).name
      case .number(let text):
        guard let hours = Double(text) else { break }
        return try TimeZoneName.parse(hoursEast: hours).name
      default: break
      }
    }
    if name.lowercased() == AsOf.settingName, values.count == 1 {
      return try AsOf.canonical(Self.text(of: values[0]), functionContext(catalog: catalog()))
    }
    let isNames = name.lowercased() == "search_path"
    return values.map { value in
      let text = Self.text(of: value)
      return isNames ? Self.quoted(text) : text
    }.joined(separator: ", ")
  }

  private static func text(of value: ConstantSyntax) -> String {
    switch value {
    case .null: ""
    case .boolean(let truth): truth ? "on" : "off"
    case .integer(let number): String(number)
    case .number(let text), .string(let text), .bitString(let text): text
    }
  }

  private static func quoted(_ name: String) -> String {
    let isPlain =
      !name.isEmpty && !(name.first?.isNumber ?? true)
      && name.utf8.allSatisfy {
        ($0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z")) || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9"))
          || $0 == UInt8(ascii: "_")
      }
    if isPlain { return name }
    return "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }

  /// SET TRANSACTION and SET SESSION CHARACTERISTICS.
  private func setModes(_ set: SetStatement, _ modes: [OptionSyntax]) throws(Fault) {
    if set.name.uppercased().contains("SNAPSHOT") { throw .unsupported("SET TRANSACTION SNAPSHOT") }
    let isSession = set.name.uppercased().contains("CHARACTERISTICS")
    if !isSession && transaction.state == .implicit {
      notice(.warning, .noActiveTransaction, "SET TRANSACTION can only be used in transaction blocks")
    }
    try apply(modes, prefix: isSession ? "default_" : "", isLocal: !isSession)
  }

  /// Transaction modes, as settings of the transaction or of the session.
  func apply(_ modes: [OptionSyntax], prefix: String, isLocal: Bool) throws(Fault) {
    for mode in modes {
      let value = mode.value.map { Self.text(of: $0) } ?? "on"
      try settings.set(prefix + mode.name, value, isLocal: isLocal)
    }
  }

  func showColumns(_ name: String) throws(Fault) -> [OutputColumn] {
    if name.lowercased() == "all" {
      return ["name", "setting", "description"].map { OutputColumn(name: $0, type: .text) }
    }
    _ = try settings.value(name)
    return [OutputColumn(name: Setting.named(name)?.name ?? name, type: .text)]
  }

  func runShow(_ name: String) throws(Fault) -> Outcome {
    let columns = try showColumns(name)
    var rows: [[Scalar]] = []
    if name.lowercased() == "all" {
      for setting in Setting.all {
        rows.append([.text(setting.name), .text(settings.find(setting.name) ?? setting.fallback), .text("")])
      }
    } else {
      rows = [[.text(try settings.value(name))]]
    }
    return .rows(columns, StoredRows(types: columns.map(\.type), rows: rows), tag: .fixed("SHOW"))
  }

  func runDiscard(_ target: DiscardTarget, isAlone: Bool) throws(Fault) -> Outcome {
    switch target {
    case .all:
      guard transaction.state == .implicit && isAlone else {
        throw Fault(.activeSQLTransaction, "DISCARD ALL cannot run inside a transaction block")
      }
      // The statement that runs now may be a portal itself; the tag is all that is left of it.
      portals = [:]
      prepared = [:]
      settings.resetAll()
      return .command("DISCARD ALL")
    case .plans: return .command("DISCARD PLANS")
    case .sequences: return .command("DISCARD SEQUENCES")
    case .temporary:
      tables.dropTemporary()
      return .command("DISCARD TEMP")
    }
  }
}
