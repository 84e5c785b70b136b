// Values of partition columns, which the log has as text. PROTOCOL.md, "Partition Value Serialization".

package import Bedrock
package import Columnar

package enum DeltaPartitionValue {
  /// The value in the form of the SQL type of `type`; nil and the empty text are NULL. Throws XX001 for text that is no
  /// value of the type.
  package static func scalar(_ text: String?, _ type: DeltaType) throws(Fault) -> Scalar {
    guard let text, !text.isEmpty else { return .null }
    if let value = value(text, type) { return value }
    throw Fault.corrupt("a Delta log has the partition value \"\(text.prefix(100))\", which is not of type \(type)")
  }

  private static func value(_ text: String, _ type: DeltaType) -> Scalar? {
    switch type {
    case .string, .binary: return .text(text)
    case .long: return Int64(text).map { .integer($0) }
    case .integer: return Int32(text).map { .integer(Int64($0)) }
    case .short: return Int16(text).map { .integer(Int64($0)) }
    case .byte: return Int8(text).map { .integer(Int64($0)) }
    case .float: return Float(text).map { .float(Double($0)) }
    case .double: return Double(text).map { .float($0) }
    case .boolean: return text.lowercased() == "true" ? .boolean(true) : text.lowercased() == "false" ? .boolean(false) : nil
    case .date: return CivilTime.day(text).map { .integer($0) }
    case .timestamp, .timestampNTZ:
      return (CivilTime.micros(text)?.micros ?? CivilTime.day(text).map { $0 * CivilTime.microsPerDay }).map { .integer($0) }
    case .decimal(_, let scale): return decimal(text, scale)
    case .array, .map, .structure, .unknown: return nil
    }
  }

  private static func decimal(_ text: String, _ scale: Int) -> Scalar? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, let whole = parts.first, !text.contains("e"), !text.contains("E") else { return nil }
    let fraction = parts.count == 2 ? parts[1] : ""
    guard fraction.utf8.count <= scale else { return nil }
    let digits = whole + fraction + String(repeating: "0", count: scale - fraction.utf8.count)
    guard let coefficient = Int128(digits) else { return nil }
    return Numeric(coefficient: coefficient, scale: scale).map { .numeric($0) }
  }
}

extension DeltaType {
  /// True for a type whose values lie in several leaves of a file, or in a repeated one.
  package var isNested: Bool {
    switch self {
    case .array, .map, .structure: true
    default: false
    }
  }

  /// True for an array whose elements are scalars: it has no members with names of their own.
  package var isScalarArray: Bool {
    if case .array(let element, _) = self { return !element.isNested }
    return false
  }

  /// The SQL type of a column in the table's own schema: arrays of scalars are arrays, other nested values JSON.
  package var columnType: DataType {
    switch self {
    case .array(let element, _):
      if case .array = element { return .jsonb }
      return element.dataType.map { .array($0) } ?? .jsonb
    case .map, .structure: return .jsonb
    case .unknown: return .text
    default: return dataType ?? .text
    }
  }
}
