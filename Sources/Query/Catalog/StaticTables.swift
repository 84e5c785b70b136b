// Rows that PostgreSQL itself is born with, as text in Generated/*.swift, and how they become columns.
//
//   first line   column names, tab-separated; `name=value` is a column with that value in every row
//   other lines  one row each, tab-separated, values as COPY writes them (\N is null)
//
// Parsed once, on first use. The text is ours: a malformed line is a defect of the generator and traps.

import Columnar

/// The generated texts; see Generated.
enum StaticTables {}

struct StaticTable: Sendable {
  let names: [String]
  let constants: [(name: String, value: String?)]
  let rows: [[String?]]

  init(_ text: StaticString) {
    let bytes = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    let lines = bytes.split(separator: UInt8(ascii: "\n"))
    precondition(!lines.isEmpty, "a static table has a header")
    var names: [String] = []
    var constants: [(name: String, value: String?)] = []
    for item in lines[0].split(separator: UInt8(ascii: "\t")) {
      guard let sign = item.firstIndex(of: UInt8(ascii: "=")) else {
        names.append(String(decoding: item, as: UTF8.self))
        continue
      }
      let value = Self.unescape(item[item.index(after: sign)...])
      constants.append((String(decoding: item[..<sign], as: UTF8.self), value))
    }
    self.names = names
    self.constants = constants
    rows = lines.dropFirst().map { line in
      let values = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false).map(Self.unescape)
      precondition(values.count == names.count, "a row of a static table has every column")
      return values
    }
  }

  private static func unescape(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> String? {
    if bytes.elementsEqual([UInt8(ascii: "\\"), UInt8(ascii: "N")]) { return nil }
    guard bytes.contains(UInt8(ascii: "\\")) else { return String(decoding: bytes, as: UTF8.self) }
    var out: [UInt8] = []
    var escaped = false
    for byte in bytes {
      if escaped {
        out.append(byte == UInt8(ascii: "n") ? 10 : byte == UInt8(ascii: "t") ? 9 : byte)
        escaped = false
      } else if byte == UInt8(ascii: "\\") {
        escaped = true
      } else {
        out.append(byte)
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  func column(_ name: String) -> Int? { names.firstIndex(of: name) }

  /// The rows that `isKept` accepts as rows of `relation`.
  func rows(of relation: SystemRelation, where isKept: ([String?]) -> Bool = { _ in true }) -> RelationRows {
    let kept = rows.filter(isKept)
    var result = RelationRows(relation, count: kept.count)
    for constant in constants {
      guard let index = relation.columnIndex[constant.name] else { continue }
      result.set(constant.name, StaticTable.scalar(constant.value, relation.columns[index].type))
    }
    for (position, name) in names.enumerated() {
      guard let index = relation.columnIndex[name] else { continue }
      let type = relation.columns[index].type
      result.set(name, scalars: kept.map { StaticTable.scalar($0[position], type) })
    }
    return result
  }

  /// A value from its text form, for the types that catalogs have.
  static func scalar(_ text: String?, _ type: DataType) -> Scalar {
    guard let text else { return .null }
    if let element = type.element {
      switch type {
      case .int2vector, .oidvector: return .list(text.split(separator: " ").map { scalar(String($0), element) })
      default: return .list(arrayElements(text).map { scalar($0, element) })
      }
    }
    switch type.physical {
    case .bool8: return .boolean(text == "t")
    case .int32, .int64:
      guard let value = Int64(text) else { preconditionFailure("not a number in a static table: \(text)") }
      return .integer(value)
    case .float32, .float64: return .float(Double(text) ?? 0)
    case .bytes: return .text(text)
    case .numeric, .interval, .uuid, .list: return .null
    }
  }

  /// `{a,"b c",}`: the elements of a one-dimensional array literal without nulls.
  private static func arrayElements(_ text: String) -> [String] {
    let inner = text.dropFirst().dropLast()
    if inner.isEmpty { return [] }
    var elements: [String] = []
    var current = ""
    var quoted = false
    var escaped = false
    for character in inner {
      if escaped {
        current.append(character)
        escaped = false
      } else if character == "\\" {
        escaped = true
      } else if character == "\"" {
        quoted.toggle()
      } else if character == "," && !quoted {
        elements.append(current)
        current = ""
      } else {
        current.append(character)
      }
    }
    elements.append(current)
    return elements
  }
}
