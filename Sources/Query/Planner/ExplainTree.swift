// A plan as EXPLAIN shows it, and its two forms: indented text and JSON with the keys that PostgreSQL's clients read.

/// An operator: what it is, what it does, and what it did.
package struct ExplainTree: Sendable {
  package let title: String
  /// `Name: text` each.
  package let details: [String]
  /// Which plan of the statement it belongs to, and its number there in preorder; negative: it has none.
  package let plan: Int
  package let index: Int
  package var children: [ExplainTree] = []
  /// What it did, when the statement ran.
  package var actual: Actual?

  package struct Actual: Sendable {
    package let rows: Int
    package let bytes: Int
    package let nanos: Int64
    package let loops: Int
    package init(rows: Int, bytes: Int, nanos: Int64, loops: Int) {
      self.rows = rows
      self.bytes = bytes
      self.nanos = nanos
      self.loops = loops
    }
    package var milliseconds: String { ExplainTree.milliseconds(nanos) }
    fileprivate var text: String {
      loops == 0 ? "(never executed)" : "(actual time=\(milliseconds) ms, rows=\(rows), bytes=\(bytes))"
    }
  }

  init(title: String, details: [String], plan: Int, index: Int) {
    self.title = title
    self.details = details
    self.plan = plan
    self.index = index
  }

  /// With three decimals.
  package static func milliseconds(_ nanos: Int64) -> String {
    let micros = nanos / 1_000
    let fraction = String(micros % 1_000)
    return "\(micros / 1_000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
  }

  /// The same tree with numbers.
  package func measured(_ find: (_ plan: Int, _ index: Int) -> Actual?) -> ExplainTree {
    var result = self
    result.actual = index >= 0 ? find(plan, index) : nil
    result.children = children.map { $0.measured(find) }
    return result
  }

  // MARK: Text

  package static func lines(_ trees: [ExplainTree]) -> [String] {
    var lines: [String] = []
    for (index, tree) in trees.enumerated() {
      if index > 0 { lines.append("SubPlan \(index)") }
      tree.write(depth: index == 0 ? 0 : 1, isRoot: index == 0, &lines)
    }
    return lines
  }

  private func write(depth: Int, isRoot: Bool, _ lines: inout [String]) {
    let indent = String(repeating: " ", count: isRoot ? 0 : depth * 6 - 4)
    lines.append(indent + (isRoot ? "" : "->  ") + title + (actual.map { "  " + $0.text } ?? ""))
    let inner = String(repeating: " ", count: depth * 6 + 2)
    for detail in details { lines.append(inner + detail) }
    for child in children { child.write(depth: depth + 1, isRoot: false, &lines) }
  }

  // MARK: JSON

  /// `[{"Plan": {...}, "Execution Time": ...}]`, over several lines as PostgreSQL writes it.
  /// - Parameter nanos: of the whole run, when there was one.
  package static func json(_ trees: [ExplainTree], executionNanos nanos: Int64?) -> String {
    guard var root = trees.first else { return "[]" }
    root.children += trees.dropFirst()
    let names = Dictionary(uniqueKeysWithValues: trees.dropFirst().enumerated().map { ($1.plan, "SubPlan \($0 + 1)") })
    var out = "[\n  {\n    \"Plan\": "
    root.write(json: &out, indent: 4, role: nil, names)
    if let nanos { out += ",\n    \"Execution Time\": \(milliseconds(nanos))" }
    return out + "\n  }\n]"
  }

  private func write(json out: inout String, indent: Int, role: String?, _ names: [Int: String]) {
    let space = String(repeating: " ", count: indent)
    var members = ["\"Node Type\": \(Self.quoted(title))"]
    if let role { members.append("\"Parent Relationship\": \(Self.quoted(role))") }
    if index == 0, let name = names[plan] { members.append("\"Subplan Name\": \(Self.quoted(name))") }
    for detail in details {
      guard let mark = detail.firstIndex(of: ":") else { continue }
      let text = detail[detail.index(after: mark)...].drop { $0 == " " }
      members.append("\(Self.quoted(String(detail[..<mark]))): \(Self.quoted(String(text)))")
    }
    if let actual {
      members.append("\"Actual Rows\": \(actual.rows)")
      members.append("\"Actual Loops\": \(actual.loops)")
      members.append("\"Actual Total Time\": \(actual.milliseconds)")
      members.append("\"Actual Bytes\": \(actual.bytes)")
    }
    out += "{\n" + members.map { space + "  " + $0 }.joined(separator: ",\n")
    if !children.isEmpty {
      out += ",\n\(space)  \"Plans\": [\n"
      for (place, child) in children.enumerated() {
        out += space + "    "
        let isSubplan = child.plan != plan
        child.write(
          json: &out, indent: indent + 4, role: isSubplan ? "InitPlan" : place == 0 ? "Outer" : "Inner", names)
        out += place == children.count - 1 ? "\n" : ",\n"
      }
      out += "\(space)  ]"
    }
    out += "\n\(space)}"
  }

  private static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\t": out += "\\t"
      case "\r": out += "\\r"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}
