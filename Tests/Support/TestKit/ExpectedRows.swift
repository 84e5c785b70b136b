// Rows as the scripts with readers of others take them (Tests/Support/lake_rows.py): JSON with the names of the columns and
// the values of the rows; times in microseconds, dates and numerics as text, bytes in hexadecimal.

package import Columnar
package import EventSchema
package import Foundation

package enum ExpectedRows {
  /// - Parameter names: the columns' names where the reader sees others.
  package static func json(_ rows: [[Scalar]], _ columns: [TableColumn], names: [String]? = nil) throws -> Data {
    let values = rows.map { row in zip(row, columns).map { value($0, $1.type) } }
    return try JSONSerialization.data(
      withJSONObject: ["columns": names ?? columns.map(\.name), "rows": values] as [String: Any])
  }

  private static func value(_ value: Scalar, _ type: DataType) -> Any {
    switch (value, type) {
    case (.null, _): return NSNull()
    case (.boolean(let value), _): return value
    case (.integer(let day), .date):
      return Date(timeIntervalSince1970: Double(day) * 86_400).formatted(.iso8601.year().month().day())
    // Delta has no type for times of the day: they are microseconds since midnight.
    case (.integer(let value), _): return value
    case (.float(let value), _):
      if value.isFinite { return value }
      return value.isNaN ? "nan" : value > 0 ? "inf" : "-inf"
    case (.numeric(let value), _): return text(value)
    case (.interval(let value), _): return text(value)
    case (.uuid(let value), _): return text(value)
    case (.bytes(let bytes), .bytea): return hexadecimal(bytes)
    case (.bytes(let bytes), _): return String(decoding: bytes, as: UTF8.self)
    case (.list(let values), _): return values.map { self.value($0, type.element ?? .text) }
    }
  }

  private static func text(_ value: Numeric) -> String {
    var digits = String(value.coefficient.magnitude)
    if value.scale > 0 {
      digits = String(repeating: "0", count: max(0, value.scale + 1 - digits.count)) + digits
      digits.insert(".", at: digits.index(digits.endIndex, offsetBy: -value.scale))
    }
    return (value.coefficient < 0 ? "-" : "") + digits
  }

  private static func text(_ value: UUIDValue) -> String {
    let bytes = withUnsafeBytes(of: value) { hexadecimal(Array($0)) }
    var text = ""
    for (index, digit) in bytes.enumerated() {
      if [8, 12, 16, 20].contains(index) { text += "-" }
      text.append(digit)
    }
    return text
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func text(_ value: Interval) -> String { "\(value.months) months \(value.days) days \(value.micros) microseconds" }
}
