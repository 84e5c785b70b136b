// CREATE VIEW and DROP VIEW. As with foreign tables, a definition is stored at once and durably.

import Bedrock
import Columnar
import EventSchema
import Functions
import Plan
import SQLSyntax
import StorageContract

extension Session {
  private func viewDirectory(for command: String) throws(Fault) -> any StoredViewDirectory {
    guard let directory = services.views else { throw .unsupported(command) }
    try refuseDefinition(by: command)
    return directory
  }

  /// - Parameter text: of this statement alone.
  func runCreate(_ create: CreateViewStatement, text: String) throws(Fault) -> Outcome {
    let position = create.view.location.position
    if create.isTemporary { throw Fault.unsupported("CREATE TEMP VIEW", position: position) }
    let directory = try viewDirectory(for: "CREATE VIEW")
    let catalog = self.catalog()
    let name = create.view.name
    guard !name.contains("@") else {
      throw Fault(
        .invalidParameterValue, "the name \"\(name)\" is not allowed for a view",
        detail: "What follows an \"@\" names a version.", position: position)
    }
    let schema = try creationSchema(create.view, catalog)
    var old: StoredView?
    if let known = catalog.relation(schema: schema, name: name, searchPath: []) {
      guard create.orReplace else { throw Fault(.duplicateTable, "relation \"\(name)\" already exists") }
      guard case .table(let table) = known.source, let view = table.storedView else {
        throw Fault(.wrongObjectType, "\"\(name)\" is not a view")
      }
      old = view
    }
    let context = planningContext()
    let plan = try services.engine.plan(create.query, parameterTypes: [], context: context)
    if !plan.parameterTypes.isEmpty {
      throw Fault(.undefinedParameter, "there is no parameter $1")
    }
    let columns = try viewColumns(plan, create)
    if let old { try refuseChanges(old.columns, columns) }
    let view = StoredView(
      schema: schema, name: name, query: try ViewText.query(Array(text.utf8)[...]),
      searchPath: context.searchPath, columns: columns)
    guard try directory.create(view, replaces: create.orReplace) else {
      throw Fault(.duplicateTable, "relation \"\(name)\" already exists")
    }
    return .command("CREATE VIEW")
  }

  private func viewColumns(_ plan: PlannedQuery, _ create: CreateViewStatement) throws(Fault) -> [TableColumn] {
    guard create.columns.count <= plan.columns.count else {
      throw Fault(.syntaxError, "CREATE VIEW specifies more column names than columns")
    }
    var columns: [TableColumn] = []
    for (index, column) in plan.columns.enumerated() {
      let name = index < create.columns.count ? create.columns[index] : column.name
      guard !columns.contains(where: { $0.name == name }) else {
        throw Fault(SQLState("42701"), "column \"\(name)\" specified more than once")
      }
      columns.append(TableColumn(fieldID: -Int32(index + 1), name: name, type: column.type, isNullable: true))
    }
    return columns
  }

  /// A view may only grow: what it had keeps its names and types.
  private func refuseChanges(_ old: [TableColumn], _ new: [TableColumn]) throws(Fault) {
    guard new.count >= old.count else {
      throw Fault(SQLState("42P16"), "cannot drop columns from view")
    }
    for (before, after) in zip(old, new) {
      guard before.name == after.name else {
        throw Fault(
          SQLState("42P16"), "cannot change name of view column \"\(before.name)\" to \"\(after.name)\"",
          hint: "DROP VIEW comes first.")
      }
      guard before.type == after.type else {
        throw Fault(
          SQLState("42P16"),
          "cannot change data type of view column \"\(before.name)\" from \(TypeNames.sqlName(before.type)) to "
            + TypeNames.sqlName(after.type))
      }
    }
  }

  func runDrop(_ drop: DropViewStatement) throws(Fault) -> Outcome {
    let directory = try viewDirectory(for: "DROP VIEW")
    let catalog = self.catalog()
    var found: [StoredView] = []
    for parts in drop.names {
      guard let name = parts.last else { throw .bug("DROP without a name") }
      let relation = catalog.relation(
        schema: parts.count > 1 ? parts[parts.count - 2] : nil, name: name, searchPath: searchPath(in: catalog))
      guard let relation else {
        guard drop.ifExists else { throw Fault(.undefinedTable, "view \"\(name)\" does not exist") }
        notice(.notice, .successfulCompletion, "view \"\(name)\" does not exist, skipping")
        continue
      }
      guard case .table(let table) = relation.source, let view = table.storedView else {
        throw Fault(.wrongObjectType, "\"\(name)\" is not a view")
      }
      found.append(view)
    }
    for view in found { _ = try directory.dropView(schema: view.schema, name: view.name) }
    return .command("DROP VIEW")
  }
}

/// The query inside the text of a CREATE VIEW.
enum ViewText {
  /// What follows the first AS outside of quotes, comments and parentheses.
  static func query(_ text: ArraySlice<UInt8>) throws(Fault) -> String {
    var index = text.startIndex
    var depth = 0
    func starts(_ word: String) -> Bool { text[index...].starts(with: word.utf8) }
    while index < text.endIndex {
      let byte = text[index]
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "'"):
        index = text[(index + 1)...].firstIndex(of: byte) ?? text.endIndex - 1
      case UInt8(ascii: "("): depth += 1
      case UInt8(ascii: ")"): depth -= 1
      case UInt8(ascii: "-") where starts("--"):
        index = text[index...].firstIndex(of: UInt8(ascii: "\n")) ?? text.endIndex - 1
      case UInt8(ascii: "/") where starts("/*"):
        var level = 0
        while index < text.endIndex {
          if starts("/*") { level += 1; index += 1 } else if starts("*/") { level -= 1; index += 1 }
          if level == 0 { break }
          index += 1
        }
      case _ where isWord(byte):
        let end = text[index...].firstIndex { !isWord($0) } ?? text.endIndex
        if depth == 0, String(decoding: text[index..<end], as: UTF8.self).lowercased() == "as" {
          func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
          var rest = text[end...].drop(while: isSpace)
          while let last = rest.last, isSpace(last) || last == UInt8(ascii: ";") { rest.removeLast() }
          return String(decoding: rest, as: UTF8.self)
        }
        index = end - 1
      default: break
      }
      index += 1
    }
    throw Fault.bug("CREATE VIEW without AS")
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
      || byte >= 0x80 || byte == 0x24
  }
}
