// The policy of a field applied to a whole column.

package import Columnar
package import EventSchema

package enum FieldPolicies {
  /// What may be stored of a column; `nil` when nothing may (drop). `tokenize` and `encrypt` give nulls until there are a
  /// vault and subject keys: the value is stored nowhere.
  package static func apply(_ policy: FieldPolicy, to column: Column, _ keys: DomainKeys) -> Column? {
    switch policy {
    case .keep, .id: column
    case .hash(let algorithm): FieldHashing.hash(column, algorithm, keys)
    case .tokenize, .encrypt: Column.nulls(.text, count: column.count)
    case .drop: nil
    }
  }

  /// Fields whose annotation asks for more than is offered yet, so that their values are dropped: lines for the start
  /// log, such as `user.identity.created: name (tokenize)`.
  package static func droppedForNow(_ events: [EventType]) -> [String] {
    events.flatMap { event in
      event.fields.compactMap { field in
        switch field.policy {
        case .tokenize: "\(event.name): \(field.name) (tokenize)"
        case .encrypt: "\(event.name): \(field.name) (encrypt)"
        case .keep, .id, .hash, .drop: nil
        }
      }
    }
  }
}
