// INSERT, UPDATE and DELETE: the rows of their plan go to the next version of the table.

import Bedrock
import Columnar
import EventSchema
import Functions
import Plan
import Runtime
import SQLSyntax
import StorageContract

extension Session {
  func prepare(_ write: WriteStatement, _ prepared: PreparedStatement) throws(Fault) {
    let definition = try neededTable(write.target.relation, for: write.name)
    let version = try currentVersion(of: definition)
    prepared.target = version
    // The plan reads what the change begins from, also where statements see one version each.
    let context = planningContext(replacing: [definition.id: version])
    let plan = try services.engine.plan(
      write, into: definition, parameterTypes: prepared.declaredTypes, context: context)
    prepared.plan = plan
    prepared.parameterTypes = plan.parameterTypes
    if !write.returning.isEmpty {
      let none = MemoryVersion(definition, budget: services.temporaryBudget)
      prepared.columns = try returningPlan(write, none, plan.parameterTypes).columns
    }
  }

  /// The plan of RETURNING over the rows that were written.
  private func returningPlan(
    _ write: WriteStatement, _ rows: MemoryVersion, _ parameterTypes: [DataType]
  ) throws(Fault) -> PlannedQuery {
    try services.engine.plan(
      write.returningQuery(schema: rows.definition.schema), parameterTypes: parameterTypes,
      context: planningContext(replacing: [rows.definition.id: rows]))
  }

  func runWrite(
    _ write: WriteStatement, _ prepared: PreparedStatement, _ parameters: [BoundParameter],
    _ cancellation: Cancellation
  ) throws(Fault) -> Outcome {
    try refuseReadOnly(write.name)
    // Between Bind and Execute another statement of the session may have written to the table.
    if let target = prepared.target, let own = tables.version(of: target.definition.id), own !== target {
      try refresh(prepared)
    }
    guard let plan = prepared.plan, let version = prepared.target else { throw .bug("a write without a plan") }
    let values = try read(parameters, of: prepared)
    let rows = try services.engine.open(plan, parameters: values, context: try executionContext(cancellation))
    let change = try version.change()
    var written: [HeldChunk] = []
    var count = 0
    do throws(Fault) {
      while let chunk = try rows.next() {
        try cancellation.check()
        let part = try self.write(chunk, write.action, to: change, version.definition)
        count += part.rowCount
        if !write.returning.isEmpty, part.rowCount > 0 { written.append(try HeldChunk(part, services.temporaryBudget)) }
      }
      put(try change.finish())
    } catch {
      change.abandon()
      throw error
    }
    let tag = write.name == "INSERT" ? "INSERT 0 \(count)" : "\(write.name) \(count)"
    if write.returning.isEmpty { return .command(tag) }
    let shown = MemoryVersion(version.definition, written, budget: services.temporaryBudget)
    let returning = try returningPlan(write, shown, plan.parameterTypes)
    return .rows(
      returning.columns,
      try services.engine.open(
        returning, parameters: returning.parameterTypes.isEmpty ? [] : values,
        context: try executionContext(cancellation)), tag: .fixed(tag))
  }

  /// Applies rows of the plan; gives the rows that were written, or taken away.
  private func write(
    _ chunk: Chunk, _ action: WriteStatement.Action, to change: any ReferenceTableChange,
    _ definition: ReferenceTableDefinition
  ) throws(Fault) -> Chunk {
    if case .insert = action {
      let rows = try Self.typed(chunk, definition)
      try checkRequired(rows, definition)
      try change.append(rows)
      return rows
    }
    // A row that several rows of FROM match is written once.
    let fresh = try change.remove(chunk.columns[0])
    var rows = Chunk(columns: Array(chunk.columns.dropFirst()), rowCount: chunk.rowCount)
    if fresh.count < rows.rowCount { rows = rows.gather(fresh.span) }
    guard case .update = action else { return rows }
    rows = try Self.typed(rows, definition)
    try checkRequired(rows, definition)
    try change.append(rows)
    return rows
  }

  /// The columns under the types of the table: a plan may call them by a type of the same form.
  static func typed(_ chunk: Chunk, _ definition: ReferenceTableDefinition) throws(Fault) -> Chunk {
    guard chunk.columns.count == definition.columns.count else { throw .bug("rows of another width than their table") }
    var columns: [Column] = []
    for (column, wanted) in zip(chunk.columns, definition.columns) {
      guard column.type.physical == wanted.type.physical else {
        throw .bug("column \"\(wanted.name)\" came as \(column.type) instead of \(wanted.type)")
      }
      columns.append(column.type == wanted.type ? column : column.retyped(wanted.type))
    }
    return Chunk(columns: columns, rowCount: chunk.rowCount)
  }

  /// Throws 23502 for a null where NOT NULL was said.
  func checkRequired(_ chunk: Chunk, _ definition: ReferenceTableDefinition) throws(Fault) {
    for (index, column) in definition.columns.enumerated()
    where !column.isNullable && chunk.columns[index].mayHaveNulls && chunk.columns[index].nullCount > 0 {
      let values = chunk.columns[index]
      var row = 0
      while row + 1 < chunk.rowCount, !values.isNull(at: row) { row += 1 }
      throw Fault(
        .notNullViolation,
        "null value in column \"\(column.name)\" of relation \"\(definition.name)\" violates not-null constraint",
        detail: "Failing row contains (\(shown(chunk, row: row))).")
    }
  }

  /// A row as messages show it: values in brief.
  private func shown(_ chunk: Chunk, row: Int) -> String {
    let context = functionContext(catalog: catalog())
    return chunk.columns.map { column in
      if column.isNull(at: row) { return "null" }
      guard column.type.physical != .bytes, let cast = FunctionCatalog.cast(from: column.type, to: .text) else {
        return String((column.scalar(at: row).text ?? "...").prefix(64))
      }
      do throws(Fault) {
        let text = try cast.evaluate(context, column.slice(row..<(row + 1)).flat(), .text, true).scalar(at: 0).text
        return String((text ?? "...").prefix(64))
      } catch { return "..." }
    }.joined(separator: ", ")
  }
}
