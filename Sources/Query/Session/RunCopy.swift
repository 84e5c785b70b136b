// COPY TO STDOUT and COPY FROM STDIN.
//
//   TO     a query whose rows the server writes in the format of COPY
//   FROM   bytes ─ CopyDecoder ─ columns of text ─ casts ─ columns of the table ─ the next version of the table

package import Bedrock
import Columnar
import EventSchema
import Functions
import Plan
package import PostgresProtocol
import Runtime
import SQLSyntax
import StorageContract

extension Session {
  func prepare(_ copy: CopyStatement, _ prepared: PreparedStatement) throws(Fault) {
    guard copy.fileName == nil, !copy.isProgram else { return }
    if copy.isFrom { return }
    switch copy.source {
    case .query(let statement):
      guard case .select(let query) = statement.kind else { throw .unsupported("COPY of anything but a query") }
      prepared.plan = try services.engine.plan(query, parameterTypes: prepared.declaredTypes, context: planningContext())
    case .relation(let relation, let columns):
      let catalog = self.catalog()
      guard let found = catalog.relation(
        schema: relation.schema, name: relation.name, searchPath: searchPath(in: catalog))
      else {
        throw Fault(
          .undefinedTable, "relation \"\(relation.name)\" does not exist", position: relation.location.position)
      }
      let names = columns.isEmpty ? found.columns.filter { !$0.isHidden }.map(\.name) : columns
      prepared.plan = try services.engine.plan(
        .reading(names, of: relation), parameterTypes: [], context: planningContext())
    }
  }

  func runCopy(
    _ copy: CopyStatement, _ prepared: PreparedStatement, _ cancellation: Cancellation
  ) throws(Fault) -> Outcome {
    guard copy.fileName == nil, !copy.isProgram else {
      throw Fault(
        .insufficientPrivilege, "COPY to or from a \(copy.isProgram ? "program" : "file") of the server is not allowed",
        hint: "Use COPY with STDIN or STDOUT, as psql's \\copy does. Files are read by read_parquet and foreign tables.")
    }
    if copy.isFrom { return try beginCopyIn(copy, cancellation) }
    guard let plan = prepared.plan else { throw .bug("COPY without a plan") }
    let names = plan.columns.map(\.name)
    let format = try CopyOptions(copy.options, isFrom: false, columns: names).format
    let rows = try services.engine.open(plan, parameters: [], context: try executionContext(cancellation))
    var outcome = Outcome.rows(plan.columns, rows, tag: .counted("COPY"))
    outcome.copy = .out(format)
    return outcome
  }

  private func beginCopyIn(_ copy: CopyStatement, _ cancellation: Cancellation) throws(Fault) -> Outcome {
    try refuseReadOnly("COPY FROM")
    guard case .relation(let relation, let columns) = copy.source else { throw .bug("COPY FROM a query") }
    if copy.filter != nil { throw .unsupported("WHERE of COPY FROM", hint: "Copy to a temporary table, and INSERT from it.") }
    let definition = try neededTable(relation, for: "COPY FROM")
    let version = try currentVersion(of: definition)
    var places: [Int] = []
    for name in columns {
      guard let place = definition.columns.firstIndex(where: { $0.name == name }) else {
        throw Fault(.undefinedColumn, "column \"\(name)\" of relation \"\(definition.name)\" does not exist")
      }
      guard !places.contains(place) else {
        throw Fault(SQLState("42701"), "column \"\(name)\" specified more than once")
      }
      places.append(place)
    }
    if columns.isEmpty { places = Array(definition.columns.indices) }
    let names = places.map { definition.columns[$0].name }
    let format = try CopyOptions(copy.options, isFrom: true, columns: names).format
    var outcome = Outcome.command("COPY 0")
    outcome.copy = .in(
      CopyIn(session: self, version: version, change: try version.change(), places: places, format: format, cancellation))
    return outcome
  }

  /// Data of the running COPY FROM STDIN.
  package func receive(copyData bytes: [UInt8]) throws(Fault) {
    guard let copyIn else { throw .bug("copy data without COPY") }
    try copyIn.receive(bytes)
  }

  /// Values of the DEFAULTs of some columns, for so many rows.
  func fallbacks(
    _ places: [Int], of definition: ReferenceTableDefinition, count: Int, _ cancellation: Cancellation
  ) throws(Fault) -> [Int: Column] {
    var found: [Int: Column] = [:]
    var wanted: [Int] = []
    for place in places {
      if definition.defaults[place] == nil {
        found[place] = .nulls(definition.columns[place].type, count: count)
      } else {
        wanted.append(place)
      }
    }
    if wanted.isEmpty { return found }
    let list = wanted.map { place in
      "CAST((\(definition.defaults[place] ?? "NULL")\n) AS \(TypeNames.sqlName(definition.columns[place].type)))"
    }
    let text = "SELECT \(list.joined(separator: ", ")) FROM generate_series(1, \(count))"
    guard case .select(let query)? = try SQLParser.parse(text).first?.kind else { throw .bug("defaults that are no query") }
    let plan = try services.engine.plan(query, parameterTypes: [], context: planningContext())
    let rows = try services.engine.open(plan, parameters: [], context: try executionContext(cancellation))
    var chunks: [Chunk] = []
    while let chunk = try rows.next() { chunks.append(chunk) }
    let all = Chunk.concatenate(chunks)
    guard all.rowCount == count else { throw .bug("a default for another number of rows") }
    for (index, place) in wanted.enumerated() { found[place] = all.columns[index].retyped(definition.columns[place].type) }
    return found
  }
}

/// A COPY FROM STDIN under way. One thread at a time, that of its session.
package final class CopyIn {
  // The session outlives its statement.
  private unowned let session: Session
  private let definition: ReferenceTableDefinition
  private let change: any ReferenceTableChange
  /// The table's columns that the data has.
  private let places: [Int]
  private let cancellation: Cancellation
  package let format: CopyFormat
  private var decoder: CopyDecoder
  private var count = 0

  init(
    session: Session, version: any ReferenceTableVersion, change: any ReferenceTableChange, places: [Int],
    format: CopyFormat, _ cancellation: Cancellation
  ) {
    self.session = session
    definition = version.definition
    self.change = change
    self.places = places
    self.format = format
    self.cancellation = cancellation
    decoder = CopyDecoder(
      format: format, types: places.map { version.definition.columns[$0].type }, relation: version.definition.name,
      names: places.map { version.definition.columns[$0].name })
  }

  package var columnCount: Int { places.count }

  func receive(_ bytes: [UInt8]) throws(Fault) {
    try cancellation.check()
    try decoder.receive(bytes)
    if decoder.rowCount >= Limits.chunkRowsMax { try store() }
  }

  /// The data is complete; gives the command tag.
  func finish() throws(Fault) -> String {
    try cancellation.check()
    try decoder.finish()
    try store()
    session.put(try change.finish())
    return "COPY \(count)"
  }

  private func store() throws(Fault) {
    guard decoder.rowCount > 0 else { return }
    let (taken, lines) = decoder.take()
    var columns = try session.fallbacks(
      definition.columns.indices.filter { !places.contains($0) }, of: definition, count: taken.rowCount, cancellation)
    for (index, place) in places.enumerated() {
      let column = taken.columns[index]
      columns[place] = try format.isBinary ? column : read(column, definition.columns[place], lines)
    }
    let ordered = definition.columns.indices.compactMap { columns[$0] }
    let chunk = try Session.typed(Chunk(columns: ordered, rowCount: taken.rowCount), definition)
    do throws(Fault) { try session.checkRequired(chunk, definition) } catch {
      throw error.inside(decoder.place(lines[firstNull(chunk)]))
    }
    try change.append(chunk)
    count += chunk.rowCount
  }

  private func firstNull(_ chunk: Chunk) -> Int {
    (0..<chunk.rowCount).first { row in
      zip(definition.columns, chunk.columns).contains { !$0.isNullable && $1.isNull(at: row) }
    } ?? 0
  }

  /// Texts as values of a column.
  private func read(_ texts: Column, _ column: TableColumn, _ lines: [Int]) throws(Fault) -> Column {
    if [.text, .varchar(nil)].contains(column.type) { return texts.retyped(column.type) }
    let source: DataType = FunctionCatalog.cast(from: .unknown, to: column.type) == nil ? .text : .unknown
    guard let cast = FunctionCatalog.cast(from: source, to: column.type) else {
      throw Fault(.cannotCoerce, "a column of type \(TypeNames.sqlName(column.type)) cannot be read from text")
    }
    let context = session.functionContext(catalog: session.catalog())
    let typed = texts.retyped(source)
    do throws(Fault) {
      return try cast.evaluate(context, typed, column.type, false)
    } catch {
      // Once more, row by row, for the one that is wrong.
      for row in 0..<typed.count where !typed.isNull(at: row) {
        do throws(Fault) { _ = try cast.evaluate(context, typed.slice(row..<(row + 1)), column.type, false) } catch {
          let text = String((texts.scalar(at: row).text ?? "").prefix(100))
          throw error.inside("\(decoder.place(lines[row])), column \(column.name): \"\(text)\"")
        }
      }
      throw error
    }
  }
}

/// The options of a COPY, checked as PostgreSQL checks them.
struct CopyOptions {
  private(set) var format = CopyFormat()

  init(_ options: [OptionSyntax], isFrom: Bool, columns: [String]) throws(Fault) {
    var given: [String: OptionSyntax] = [:]
    for option in options {
      guard given.updateValue(option, forKey: option.name) == nil else {
        throw Fault(.syntaxError, "conflicting or redundant options", position: option.location.position)
      }
    }
    if let name = given["format"] {
      switch Self.text(name) {
      case "text": break
      case "csv": format.kind = .csv
      case "binary": format.kind = .binary
      case let other:
        throw Fault(
          .invalidParameterValue, "COPY format \"\(other)\" not recognized", position: name.location.position)
      }
    }
    if format.kind == .csv {
      format.delimiter = UInt8(ascii: ",")
      format.null = []
    }
    for option in options { try apply(option, given, isFrom: isFrom, columns) }
    try check(given)
  }

  private static func text(_ option: OptionSyntax) -> String {
    switch option.value {
    case .string(let text), .number(let text): text
    case .boolean(let value): value ? "true" : "false"
    case .integer(let value): String(value)
    case .null, .bitString, nil: ""
    }
  }

  private mutating func apply(
    _ option: OptionSyntax, _ given: [String: OptionSyntax], isFrom: Bool, _ columns: [String]
  ) throws(Fault) {
    let position = option.location.position
    func oneByte(_ what: String) throws(Fault) -> UInt8 {
      let bytes = Array(Self.text(option).utf8)
      guard bytes.count == 1 else {
        throw Fault(.featureNotSupported, "COPY \(what) must be a single one-byte character", position: position)
      }
      return bytes[0]
    }
    func onlyCSV(_ what: String) throws(Fault) {
      guard format.kind == .csv else {
        throw Fault(.featureNotSupported, "COPY \(what) available only in CSV mode", position: position)
      }
    }
    switch option.name {
    case "format": break
    case "delimiter": format.delimiter = try oneByte("delimiter")
    case "null": format.null = Array(Self.text(option).utf8)
    case "header":
      format.matchesHeader = Self.text(option).lowercased() == "match"
      format.hasHeader = format.matchesHeader || Session.isOn(option)
      guard isFrom || !format.matchesHeader else {
        throw Fault(.featureNotSupported, "cannot use \"match\" with HEADER in COPY TO", position: position)
      }
    case "quote":
      try onlyCSV("quote")
      format.quote = try oneByte("quote")
      if given["escape"] == nil { format.escape = format.quote }
    case "escape":
      try onlyCSV("escape")
      format.escape = try oneByte("escape")
    case "encoding":
      guard ["utf8", "utf-8", "unicode"].contains(Self.text(option).lowercased()) else {
        throw Fault.unsupported("encoding \"\(Self.text(option))\" of COPY", position: position, hint: "Use UTF8.")
      }
    case "freeze": break
    case "force_quote":
      try onlyCSV("force quote")
      format.forceQuote = try places(option, columns, "FORCE_QUOTE")
    case "force_not_null":
      try onlyCSV("force not null")
      format.forceNotNull = try places(option, columns, "FORCE_NOT_NULL")
    case "force_null":
      try onlyCSV("force null")
      format.forceNull = try places(option, columns, "FORCE_NULL")
    default: throw Fault(.syntaxError, "option \"\(option.name)\" not recognized", position: position)
    }
  }

  /// The columns that an option lists; all of them for `*`.
  private func places(_ option: OptionSyntax, _ columns: [String], _ what: String) throws(Fault) -> Set<Int> {
    guard let names = option.names else { return Set(columns.indices) }
    var found: Set<Int> = []
    for name in names {
      guard let place = columns.firstIndex(of: name) else {
        throw Fault(
          .invalidColumnReference, "\(what) column \"\(name)\" not referenced by COPY", position: option.location.position)
      }
      found.insert(place)
    }
    return found
  }

  private func check(_ given: [String: OptionSyntax]) throws(Fault) {
    if format.isBinary {
      for (name, label) in [("delimiter", "DELIMITER"), ("null", "NULL")] where given[name] != nil {
        throw Fault(.syntaxError, "cannot specify \(label) in BINARY mode")
      }
      if format.hasHeader { throw Fault(.featureNotSupported, "cannot specify HEADER in BINARY mode") }
      return
    }
    guard format.delimiter != 0x0A, format.delimiter != 0x0D else {
      throw Fault(.invalidParameterValue, "COPY delimiter cannot be newline or carriage return")
    }
    guard !format.null.contains(where: { $0 == 0x0A || $0 == 0x0D }) else {
      throw Fault(.invalidParameterValue, "COPY null representation cannot use newline or carriage return")
    }
    let forbidden = Array("\\.abcdefghijklmnopqrstuvwxyz0123456789".utf8)
    guard format.kind == .csv || !forbidden.contains(format.delimiter) else {
      throw Fault(
        .invalidParameterValue,
        "COPY delimiter cannot be \"\(Character(UnicodeScalar(format.delimiter)))\"")
    }
    guard !format.null.contains(format.delimiter) else {
      throw Fault(.invalidParameterValue, "COPY delimiter must not appear in the NULL specification")
    }
    guard format.kind == .csv else { return }
    guard format.delimiter != format.quote else {
      throw Fault(.invalidParameterValue, "COPY delimiter and quote must be different")
    }
    guard !format.null.contains(format.quote) else {
      throw Fault(.invalidParameterValue, "CSV quote character must not appear in the NULL specification")
    }
  }
}
