// Making a value have a type: literals are read, parameters take the type, anything else is cast.

import Bedrock
import Columnar
import Functions
import Plan
import SQLSyntax

extension Binder {
  /// The value as `type`. Faults: 42846 when there is no such cast; 22P02 and its like for a literal that does not read.
  func coerce(
    _ value: Expression, to type: DataType, _ coercion: Coercion, at location: SourceLocation
  ) throws(Fault) -> Expression {
    if value.type == type { return value }
    if value.type == .unknown { return try coerceUnknown(value, to: type, coercion, at: location) }
    if value.type.isSameType(as: type) {
      // Only a length or a precision differs; dropping one changes no value.
      guard type != type.withoutModifier, coercion != .implicit, let cast = library.cast(value.type, type) else {
        return value
      }
      return .cast(cast, value, type, explicit: coercion == .explicit)
    }
    if case .array(let elements, _) = value, case .array(let element) = type {
      var converted: [Expression] = []
      for item in elements { converted.append(try coerce(item, to: element, coercion, at: location)) }
      return .array(converted, type)
    }
    guard let cast = library.cast(value.type, type), cast.context <= coercion.castContext else {
      throw Fault(
        .cannotCoerce, "cannot cast type \(TypeNames.sqlName(value.type)) to \(TypeNames.sqlName(type))",
        position: location.position)
    }
    return .cast(cast, value, type, explicit: coercion == .explicit)
  }

  private func coerceUnknown(
    _ value: Expression, to type: DataType, _ coercion: Coercion, at location: SourceLocation
  ) throws(Fault) -> Expression {
    switch value {
    case .parameter(let index, _):
      parameterTypes[index] = type.withoutModifier
      return try coerce(.parameter(index, type.withoutModifier), to: type, coercion, at: location)
    case .constant(.null, _): return .constant(.null, type)
    case .constant(let scalar, _):
      if type == .text || type == .varchar(nil) || type == .unknown { return .constant(scalar, type) }
      return try readLiteral(scalar, as: type, coercion, at: location)
    default:
      guard let cast = library.cast(.text, type) else {
        if type.isTextual { return value }
        throw Fault(.cannotCoerce, "cannot cast type unknown to \(TypeNames.sqlName(type))", position: location.position)
      }
      return .cast(cast, value, type, explicit: true)
    }
  }

  private func readLiteral(
    _ literal: Scalar, as type: DataType, _ coercion: Coercion, at location: SourceLocation
  ) throws(Fault) -> Expression {
    guard let cast = library.cast(.unknown, type) ?? library.cast(.text, type) else {
      throw Fault(.cannotCoerce, "cannot cast type unknown to \(TypeNames.sqlName(type))", position: location.position)
    }
    do {
      let column = try cast.evaluate(
        context, Column.constant(literal, type: cast.from, count: 1), type, coercion == .explicit)
      return .constant(column.scalar(at: 0), type)
    } catch {
      throw error.at(position: location.position)
    }
  }

  /// A value whose type nothing decides is text.
  func settled(_ value: Expression, at location: SourceLocation) throws(Fault) -> Expression {
    value.type == .unknown ? try coerce(value, to: .text, .implicit, at: location) : value
  }

  /// A condition, for a clause that messages name (`WHERE`, `CASE/WHEN`).
  func condition(_ value: Expression, of clause: String, at location: SourceLocation) throws(Fault) -> Expression {
    if value.type != .boolean, value.type != .unknown {
      throw Fault(
        .datatypeMismatch, "argument of \(clause) must be type boolean, not type \(TypeNames.sqlName(value.type))",
        position: location.position)
    }
    return try coerce(value, to: .boolean, .implicit, at: location)
  }

  /// Values brought to one type. `construct` begins the message: `CASE types integer and text cannot be matched`.
  func unify(
    _ values: [(value: Expression, location: SourceLocation)], for construct: String
  ) throws(Fault) -> (values: [Expression], type: DataType) {
    let types = values.map(\.value.type)
    guard let type = library.commonType(types) else {
      let first = types.first { $0 != .unknown } ?? .text
      let index = types.firstIndex { $0 != .unknown && TypeCategory($0) != TypeCategory(first) } ?? 0
      throw Fault(
        .datatypeMismatch,
        "\(construct) types \(TypeNames.sqlName(first)) and \(TypeNames.sqlName(types[index])) cannot be matched",
        position: values[index].location.position)
    }
    var unified: [Expression] = []
    for (value, location) in values {
      do {
        unified.append(try coerce(value, to: type, .implicit, at: location))
      } catch {
        guard error.state == .cannotCoerce else { throw error }
        throw Fault(
          .cannotCoerce,
          "\(construct) could not convert type \(TypeNames.sqlName(value.type)) to \(TypeNames.sqlName(type))",
          position: location.position)
      }
    }
    return (unified, type)
  }

  /// The type that a text names.
  func type(_ syntax: TypeNameSyntax) throws(Fault) -> DataType {
    guard let name = syntax.name.last, syntax.name.count <= 2 else {
      throw Fault(
        .syntaxError, "improper type name: \(syntax.name.joined(separator: "."))", position: syntax.location.position)
    }
    let isBuiltIn = syntax.name.count == 1 || syntax.name[0] == "pg_catalog"
    guard isBuiltIn, let plain = namedType(name) else {
      throw Fault(
        .undefinedObject, "type \"\(syntax.name.joined(separator: "."))\" does not exist",
        position: syntax.location.position)
    }
    let modified = try apply(syntax.modifiers, to: plain, at: syntax.location)
    return (0..<syntax.arrayDimensions).isEmpty ? modified : .array(modified)
  }

  /// `_text` is how the catalogs write `text[]`.
  private func namedType(_ name: String) -> DataType? {
    if let type = TypeNames.type(named: name) { return type }
    guard name.hasPrefix("_"), let element = TypeNames.type(named: String(name.dropFirst())) else { return nil }
    return .array(element)
  }

  private func apply(
    _ modifiers: [ExpressionSyntax], to type: DataType, at location: SourceLocation
  ) throws(Fault) -> DataType {
    var numbers: [Int] = []
    for modifier in modifiers {
      guard case .constant(.integer(let number)) = modifier.kind else {
        throw Fault(.syntaxError, "type modifiers must be simple constants or identifiers", position: location.position)
      }
      numbers.append(Int(number))
    }
    guard let first = numbers.first else { return type }
    switch type {
    case .numeric:
      let scale = numbers.count > 1 ? numbers[1] : 0
      guard (1...1_000).contains(first) else {
        throw Fault(
          .invalidParameterValue, "NUMERIC precision \(first) must be between 1 and 1000", position: location.position)
      }
      guard scale >= 0 else { throw Fault.unsupported("a negative numeric scale", position: location.position) }
      return .numeric(.init(precision: first, scale: scale))
    case .varchar, .bpchar:
      let name = type.isSameType(as: .varchar(nil)) ? "varchar" : "char"
      guard first >= 1 else {
        throw Fault(
          .invalidParameterValue, "length for type \(name) must be at least 1", position: location.position)
      }
      guard first <= 10_485_760 else {
        throw Fault(
          .invalidParameterValue, "length for type \(name) cannot exceed 10485760", position: location.position)
      }
      return type.isSameType(as: .varchar(nil)) ? .varchar(first) : .bpchar(first)
    // Fields of an interval restrict nothing that we store; six fractional digits are all there are.
    case .interval: return type
    case .time, .timestamp, .timestamptz:
      guard first >= 6 else {
        throw Fault.unsupported("precision \(first) of \(TypeNames.sqlName(type))", position: location.position)
      }
      return type
    default:
      throw Fault(
        .syntaxError, "type modifier is not allowed for type \"\(TypeNames.sqlName(type))\"",
        position: location.position)
    }
  }
}
