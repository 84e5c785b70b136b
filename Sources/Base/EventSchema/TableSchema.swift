// The table of one domain and entity: system columns, then the content columns of all its events.
//
//   field id   column
//   1          sequence    bigint not null
//   2          name        text not null
//   3          published   timestamptz not null
//   4          received    timestamptz not null
//   5          metadata    jsonb
//   6          _pos        bigint not null, hidden: the position in the log
//   7          _hash       bigint not null, hidden, hot tier only: hash of the payload, to tell duplicates from conflicts
//   16 ...     content columns; an id once given to a column name of a table is never given to another
//
// A chunk of a table has exactly the columns of its schema version in the order of `columns`.

package import Bedrock
package import Columnar

package struct TableColumn: Hashable, Sendable {
  /// Stable over versions; the Parquet field id.
  package let fieldID: Int32
  package let name: String
  package let type: DataType
  package let isNullable: Bool
  /// Hidden columns are in no `SELECT *` and in no catalog.
  package let isHidden: Bool
  /// True when values are personal: no statistics anywhere.
  package let isPersonal: Bool

  package init(
    fieldID: Int32, name: String, type: DataType, isNullable: Bool, isHidden: Bool = false, isPersonal: Bool = false
  ) {
    self.fieldID = fieldID
    self.name = name
    self.type = type
    self.isNullable = isNullable
    self.isHidden = isHidden
    self.isPersonal = isPersonal
  }
}

package enum SystemColumn {
  package static let sequence = 0
  package static let name = 1
  package static let published = 2
  package static let received = 3
  package static let metadata = 4
  package static let position = 5
  package static let hash = 6
  /// How many system columns come first.
  package static let count = 7
  package static let firstContentFieldID: Int32 = 16

  package static let columns: [TableColumn] = [
    TableColumn(fieldID: 1, name: "sequence", type: .int8, isNullable: false),
    TableColumn(fieldID: 2, name: "name", type: .text, isNullable: false),
    TableColumn(fieldID: 3, name: "published", type: .timestamptz, isNullable: false),
    TableColumn(fieldID: 4, name: "received", type: .timestamptz, isNullable: false),
    TableColumn(fieldID: 5, name: "metadata", type: .jsonb, isNullable: true),
    TableColumn(fieldID: 6, name: "_pos", type: .int8, isNullable: false, isHidden: true),
    TableColumn(fieldID: 7, name: "_hash", type: .int8, isNullable: false, isHidden: true),
  ]
}

/// One version of the schema of a table.
package struct TableSchema: Hashable, Sendable {
  package let domain: String
  package let entity: String
  /// Grows by one with every published change, from 1.
  package let version: Int
  package let events: [EventType]
  package let columns: [TableColumn]

  package init(domain: String, entity: String, version: Int, events: [EventType], columns: [TableColumn]) {
    precondition(columns.count >= SystemColumn.count && version >= 1)
    self.domain = domain
    self.entity = entity
    self.version = version
    self.events = events
    self.columns = columns
  }

  package var name: String { "\(domain).\(entity)" }

  package func column(named name: String) -> Int? { columns.firstIndex { $0.name == name } }

  /// The first version of a table, or the next version after `previous`.
  ///
  /// Columns of `previous` stay, in their order, with their field ids; new ones follow. Returns `previous` itself when
  /// nothing changed. Throws 42P15 when two events give one column different types, or a type would change.
  package static func merging(
    domain: String, entity: String, events: [EventType], previous: TableSchema?
  ) throws(Fault) -> TableSchema {
    let events = events.sorted { $0.name.name < $1.name.name }
    var columns = previous?.columns ?? SystemColumn.columns
    var nextID = (columns.map(\.fieldID).max() ?? 0) + 1
    nextID = max(nextID, SystemColumn.firstContentFieldID)
    for event in events {
      for field in event.fields where field.policy != .drop {
        let stored = storedType(of: field)
        if SystemColumn.columns.contains(where: { $0.name == field.column }) {
          throw Fault(
            .invalidSchemaDefinition, "field \"\(field.name)\" of \(event.name) would hide a system column",
            detail: "\(event.file): every event table has a column \"\(field.column)\" of its own.",
            hint: "Rename the field.")
        }
        if let index = columns.firstIndex(where: { $0.name == field.column }) {
          guard columns[index].type == stored else {
            throw Fault(
              .invalidSchemaDefinition,
              "column \"\(field.column)\" of table \(domain).\(entity) would have two types",
              detail: "\(event.file): \(event.name) declares it as \(stored); it already is \(columns[index].type).",
              hint: "Give the field another name.")
          }
          if field.policy.isPersonal && !columns[index].isPersonal {
            let old = columns[index]
            columns[index] = TableColumn(
              fieldID: old.fieldID, name: old.name, type: old.type, isNullable: old.isNullable, isHidden: old.isHidden,
              isPersonal: true)
          }
          continue
        }
        columns.append(
          TableColumn(
            fieldID: nextID, name: field.column, type: stored, isNullable: true, isPersonal: field.policy.isPersonal))
        nextID += 1
      }
    }
    guard columns.count <= Limits.tableColumnsMax else {
      throw Fault(.invalidSchemaDefinition, "table \(domain).\(entity) would have more than \(Limits.tableColumnsMax) columns")
    }
    if let previous, previous.columns == columns, previous.events == events { return previous }
    return TableSchema(
      domain: domain, entity: entity, version: (previous?.version ?? 0) + 1, events: events, columns: columns)
  }

  /// The type a field has once its policy is applied: a hash is text, whatever the field was.
  package static func storedType(of field: EventField) -> DataType {
    switch field.policy {
    case .hash, .tokenize, .encrypt: .text
    case .keep, .id, .drop: field.type
    }
  }
}
