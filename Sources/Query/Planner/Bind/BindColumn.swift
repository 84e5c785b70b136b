// Column names: bare, qualified, misspelt.

import Bedrock
import Columnar
import Plan
import SQLSyntax

extension Binder {
  /// A column of this query or of one around it.
  func bindColumn(_ path: [String], in scope: SelectScope, at location: SourceLocation) throws(Fault) -> Expression {
    var level = 0
    var current: SelectScope? = scope
    while let candidate = current {
      if let column = try find(path, in: candidate.from, at: location) {
        return mention(column, path, of: candidate, level: level, at: location)
      }
      current = candidate.parent
      level += 1
    }
    throw unknownColumn(path, in: scope, at: location)
  }

  private func mention(
    _ column: ScopeColumn, _ path: [String], of scope: SelectScope, level: Int, at location: SourceLocation
  ) -> Expression {
    let text = (column.alias.map { $0 + "." } ?? "") + column.name
    column.expression.forEach { node in
      if case .column(let index, _) = node, scope.mentions[index] == nil { scope.mentions[index] = (text, location) }
    }
    return level == 0 ? column.expression : column.expression.mappingColumns { PendingColumn.shifted($0, by: level) }
  }

  private func find(
    _ path: [String], in from: FromScope, at location: SourceLocation
  ) throws(Fault) -> ScopeColumn? {
    guard let name = path.last else { return nil }
    let found: [ScopeColumn]
    if path.count == 1 {
      found = from.visible.filter { $0.name == name }
    } else {
      guard let entry = entry(Array(path.dropLast()), in: from) else { return nil }
      found = entry.columns.filter { $0.name == name }
      if found.isEmpty {
        throw Fault(
          .undefinedColumn, "column \(entry.alias).\(name) does not exist",
          hint: hint(for: name, among: [entry]), position: location.position)
      }
    }
    guard found.count <= 1 else {
      throw Fault(.ambiguousColumn, "column reference \"\(name)\" is ambiguous", position: location.position)
    }
    return found.first
  }

  /// The FROM item that a qualifier names: `t`, `schema.t`, or `database.schema.t`.
  func entry(_ qualifier: [String], in from: FromScope) -> RangeEntry? {
    guard let alias = qualifier.last else { return nil }
    let schema = qualifier.count > 1 ? qualifier[qualifier.count - 2] : nil
    return from.entries.first { $0.alias == alias && (schema == nil || schema == $0.schema) }
  }

  private func unknownColumn(_ path: [String], in scope: SelectScope, at location: SourceLocation) -> Fault {
    let name = path.last ?? ""
    if path.count > 1 { return missingEntry(Array(path.dropLast()), in: scope, at: location) }
    if scope.from.entries.contains(where: { $0.alias == name }) {
      return Fault.unsupported("a whole-row reference", position: location.position)
    }
    return Fault(
      .undefinedColumn, "column \"\(name)\" does not exist", hint: hint(for: name, among: scope.from.entries),
      position: location.position)
  }

  func missingEntry(_ qualifier: [String], in scope: SelectScope, at location: SourceLocation) -> Fault {
    let name = qualifier.last ?? ""
    if let entry = scope.from.entries.first(where: { $0.hiddenName == name }) {
      return Fault(
        .undefinedTable, "invalid reference to FROM-clause entry for table \"\(name)\"",
        hint: "Perhaps you meant to reference the table alias \"\(entry.alias)\".", position: location.position)
    }
    return Fault(
      .undefinedTable, "missing FROM-clause entry for table \"\(name)\"", position: location.position)
  }

  /// PostgreSQL's "Perhaps you meant": the nearest names within three edits and half the length.
  private func hint(for name: String, among entries: [RangeEntry]) -> String? {
    var best: [String] = []
    var bestDistance = 4
    for entry in entries {
      for column in entry.columns where !column.isHidden {
        let distance = editDistance(name, column.name)
        guard distance <= column.name.count / 2, distance <= bestDistance, distance <= 3 else { continue }
        if distance < bestDistance { best = [] }
        bestDistance = distance
        best.append("\"\(entry.alias).\(column.name)\"")
      }
    }
    switch best.count {
    case 1: return "Perhaps you meant to reference the column \(best[0])."
    case 2: return "Perhaps you meant to reference the column \(best[0]) or the column \(best[1])."
    default: return nil
    }
  }

  private func editDistance(_ a: String, _ b: String) -> Int {
    let a = Array(a.utf8.prefix(64))
    let b = Array(b.utf8.prefix(64))
    var row = Array(0...b.count)
    for i in a.indices {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        let substituted = diagonal + (a[i] == b[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[b.count]
  }
}
