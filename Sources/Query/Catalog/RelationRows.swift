// Builds the rows of a catalog relation column by column. A column that is not set has the same value in every row:
// null, or the empty value of its type where PostgreSQL declares the column NOT NULL.

import Bedrock
import Columnar

struct RelationRows: Sendable {
  let relation: SystemRelation
  let count: Int
  private var columns: [Column?]

  init(_ relation: SystemRelation, count: Int) {
    precondition(count >= 0)
    self.relation = relation
    self.count = count
    columns = Array(repeating: nil, count: relation.columns.count)
  }

  private func index(_ name: String) -> Int {
    guard let index = relation.columnIndex[name] else { preconditionFailure("\(relation.name) has no column \(name)") }
    return index
  }

  /// One value in every row.
  mutating func set(_ name: String, _ value: Scalar) {
    let index = index(name)
    columns[index] = Column.constant(value, type: relation.columns[index].type, count: count)
  }
  mutating func set(_ name: String, text: String) { set(name, .text(text)) }
  mutating func set(_ name: String, integer: Int64) { set(name, .integer(integer)) }
  mutating func set(_ name: String, boolean: Bool) { set(name, .boolean(boolean)) }

  mutating func set(_ name: String, scalars: [Scalar]) {
    precondition(scalars.count == count)
    let index = index(name)
    columns[index] = ColumnBuilder.column(relation.columns[index].type, scalars)
  }
  mutating func set(_ name: String, integers: some Collection<Int64>) {
    let index = index(name)
    var builder = ColumnBuilder(type: relation.columns[index].type, capacity: count)
    for value in integers { builder.append(value) }
    finish(index, builder.finish())
  }
  mutating func set(_ name: String, oids: some Collection<UInt32>) {
    set(name, integers: oids.map { Int64($0) })
  }
  mutating func set(_ name: String, booleans: some Collection<Bool>) {
    let index = index(name)
    var builder = ColumnBuilder(type: relation.columns[index].type, capacity: count)
    for value in booleans { builder.append(value) }
    finish(index, builder.finish())
  }
  mutating func set(_ name: String, texts: some Collection<String>) {
    let index = index(name)
    var builder = ColumnBuilder(type: relation.columns[index].type, capacity: count)
    for value in texts { builder.append(value) }
    finish(index, builder.finish())
  }
  mutating func set(_ name: String, optionalTexts: some Collection<String?>) {
    set(name, scalars: optionalTexts.map { $0.map(Scalar.text) ?? .null })
  }
  mutating func set(_ name: String, optionalIntegers: some Collection<Int64?>) {
    set(name, scalars: optionalIntegers.map { $0.map(Scalar.integer) ?? .null })
  }

  private mutating func finish(_ index: Int, _ column: Column) {
    precondition(column.count == count, "every column of \(relation.name) has \(count) rows")
    columns[index] = column
  }

  /// The rows in chunks that the executor takes.
  func chunks() -> [Chunk] {
    if count == 0 { return [] }
    let all = columns.indices.map { index in
      columns[index] ?? Column.constant(relation.columns[index].emptyValue, type: relation.columns[index].type, count: count)
    }
    if count <= Limits.chunkRowsMax { return [Chunk(columns: all, rowCount: count)] }
    return stride(from: 0, to: count, by: Limits.chunkRowsMax).map { start in
      let rows = (start..<min(start + Limits.chunkRowsMax, count)).map { Int32($0) }
      return Chunk(columns: all.map { $0.gather(rows.span) }, rowCount: rows.count)
    }
  }
}
