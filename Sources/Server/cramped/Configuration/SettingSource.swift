// Settings as they were written: dotted path, text, and where it stands. Typed reads take them out; what is left at the
// end is unknown and refused with the nearest known key.

import Bedrock
import Yams

struct SettingSource: Sendable {
  struct Entry: Sendable {
    let text: String
    /// `config/cramped.yaml:12` or `CRAMPED_POSTGRES_PORT`.
    let place: String
  }
  private(set) var entries: [String: Entry] = [:]
  /// Every path that was asked for, to suggest from.
  private var known: [String] = []

  init() {}

  /// Adds the settings of a YAML text. Later additions win.
  mutating func add(yaml: String, file: String) throws(Fault) {
    let root: Node?
    do { root = try Yams.compose(yaml: yaml) } catch {
      throw Fault(.configFileError, "\(file) is not YAML: \(Self.oneLine("\(error)"))")
    }
    guard let root else { return }
    guard case .mapping(let mapping) = root else {
      throw Fault(.configFileError, "\(file): the configuration must be a mapping of sections")
    }
    try add(mapping, prefix: "", file: file)
  }

  private mutating func add(_ mapping: Node.Mapping, prefix: String, file: String) throws(Fault) {
    for (keyNode, value) in mapping {
      let place = "\(file):\(keyNode.mark?.line ?? 0)"
      guard let key = keyNode.string else { throw Fault(.configFileError, "\(place): a key must be plain text") }
      let path = prefix.isEmpty ? key : "\(prefix).\(key)"
      switch value {
      case .mapping(let inner): try add(inner, prefix: path, file: file)
      case .scalar(let scalar):
        // An empty section (`domains:` with nothing under it) is a null scalar.
        if scalar.string.isEmpty && scalar.style == .plain && prefix.isEmpty { continue }
        entries[path] = Entry(text: scalar.string, place: place)
      case .sequence: throw Fault(.configFileError, "\(place): \"\(path)\" takes one value, not a list")
      case .alias: throw Fault(.configFileError, "\(place): \"\(path)\" is a YAML alias; write the value")
      }
    }
  }

  /// `CRAMPED_POSTGRES_PORT=5434` sets `postgres.port`: the path in capitals, dots as underscores.
  ///
  /// Variables that name no setting are kept under their own name and refused by `refuseRest`.
  mutating func add(environment: [String: String]) {
    for (variable, value) in environment where variable.hasPrefix("CRAMPED_") && !Self.notSettings.contains(variable) {
      environmentEntries[variable] = Entry(text: value, place: variable)
    }
  }
  private var environmentEntries: [String: Entry] = [:]
  /// Read elsewhere: the configuration file's own path and the fault point of crash tests.
  private static let notSettings: Set<String> = ["CRAMPED_CONFIG", "CRAMPED_FAULT_POINT"]

  static func variable(_ path: String) -> String {
    "CRAMPED_" + path.uppercased().map { $0 == "." ? "_" : String($0) }.joined()
  }

  private mutating func take(_ path: String) -> Entry? {
    known.append(path)
    let written = entries.removeValue(forKey: path)
    return environmentEntries.removeValue(forKey: Self.variable(path)) ?? written
  }

  // MARK: Typed reads

  mutating func text(_ path: String, _ fallback: String, allowsEmpty: Bool = true) throws(Fault) -> String {
    guard let entry = take(path) else { return fallback }
    if entry.text.isEmpty && !allowsEmpty {
      throw Fault(.configFileError, "\(entry.place): \"\(path)\" must not be empty", hint: "The default is \(fallback).")
    }
    return entry.text
  }

  mutating func integer(_ path: String, _ fallback: Int, in range: ClosedRange<Int>) throws(Fault) -> Int {
    guard let entry = take(path) else { return fallback }
    guard let value = Int(entry.text.filter { $0 != "_" }), range.contains(value) else {
      throw Fault(
        .configFileError, "\(entry.place): \"\(path)\" is \"\(entry.text)\"",
        hint: "It takes a whole number from \(range.lowerBound) to \(range.upperBound); the default is \(fallback).")
    }
    return value
  }

  mutating func boolean(_ path: String, _ fallback: Bool) throws(Fault) -> Bool {
    guard let entry = take(path) else { return fallback }
    switch entry.text.lowercased() {
    case "true", "yes", "on": return true
    case "false", "no", "off": return false
    default:
      throw Fault(
        .configFileError, "\(entry.place): \"\(path)\" is \"\(entry.text)\"",
        hint: "It takes true or false; the default is \(fallback).")
    }
  }

  mutating func choice(_ path: String, _ fallback: String, of choices: [String]) throws(Fault) -> String {
    guard let entry = take(path) else { return fallback }
    guard choices.contains(entry.text) else {
      throw Fault(
        .configFileError, "\(entry.place): \"\(path)\" is \"\(entry.text)\"",
        hint: "It takes one of \(choices.joined(separator: ", ")); the default is \(fallback).")
    }
    return entry.text
  }

  /// The names one level below `path`, such as the domains under `domains`.
  func names(under path: String) -> [String] {
    var found: Set<String> = []
    for key in entries.keys where key.hasPrefix(path + ".") {
      found.insert(String(key.dropFirst(path.count + 1).prefix { $0 != "." }))
    }
    return found.sorted()
  }

  /// Throws for the first setting that nothing asked for.
  func refuseRest() throws(Fault) {
    let variables = Dictionary(uniqueKeysWithValues: known.map { (Self.variable($0), $0) })
    if let (variable, _) = environmentEntries.min(by: { $0.key < $1.key }) {
      let nearest = Self.nearest(variable, among: Array(variables.keys))
      throw Fault(.configFileError, "\(variable): no such setting", hint: nearest.map { "Did you mean \($0)?" })
    }
    if let (path, entry) = entries.min(by: { $0.value.place < $1.value.place }) {
      let nearest = Self.nearest(path, among: known)
      throw Fault(.configFileError, "\(entry.place): unknown key \"\(path)\"", hint: nearest.map { "Did you mean \"\($0)\"?" })
    }
  }

  /// The candidate with the smallest edit distance.
  static func nearest(_ word: String, among candidates: [String]) -> String? {
    candidates.sorted().min { distance($0, word) < distance($1, word) }
  }

  /// Levenshtein's edit distance.
  private static func distance(_ a: String, _ b: String) -> Int {
    let a = Array(a.utf8), b = Array(b.utf8)
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let above = row[j + 1]
        row[j + 1] = min(above + 1, row[j] + 1, diagonal + (x == y ? 0 : 1))
        diagonal = above
      }
    }
    return row[b.count]
  }

  private static func oneLine(_ text: String) -> String {
    text.split(separator: "\n").map { $0.trimmingPrefix { $0 == " " } }.joined(separator: " ")
  }
}
