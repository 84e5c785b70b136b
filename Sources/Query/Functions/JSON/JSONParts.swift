// Functions that look into JSON: lengths, types, paths by keys, and the rows of objects and arrays.

import Bedrock
import Columnar

enum JSONParts {
  static let functions: [ScalarFunction] = ([.json, .jsonb] as [DataType]).flatMap { type -> [ScalarFunction] in
    let prefix = type == .json ? "json" : "jsonb"
    return [
      .rowwise("\(prefix)_array_length", [type], .int4) { (a, row, out) throws(Fault) in
        let raw = a.bytes(0, row)
        guard let list = try JSONReader.elements(raw) else {
          let isObject = raw.first { !ValueText.isSpace($0) } == 123
          throw Fault(
            .invalidParameterValue, "cannot get array length of a \(isObject ? "non-array" : "scalar")")
        }
        out.append(Int64(list.count))
      },
      .rowwise("\(prefix)_typeof", [type], .text) { (a, row, out) throws(Fault) in
        switch a.bytes(0, row).first(where: { !ValueText.isSpace($0) }) {
        case 123: out.append("object")
        case 91: out.append("array")
        case 34: out.append("string")
        case 116, 102: out.append("boolean")
        case 110: out.append("null")
        default: out.append("number")
        }
      },
      extract("\(prefix)_extract_path", type, type), extract("\(prefix)_extract_path_text", type, .text),
    ]
  }

  private static func extract(_ name: String, _ type: DataType, _ result: DataType) -> ScalarFunction {
    .rowwise(name, [type, .text], result, isVariadic: true) { (a, row, out) throws(Fault) in
      let steps: [[UInt8]?] = (1..<a.count).map { Array(a.bytes($0, row)) }
      try JSONOperators.walk(a.bytes(0, row), steps, result, &out)
    }
  }

  // MARK: Rows

  static let tableFunctions: [TableFunction] = ([.json, .jsonb] as [DataType]).flatMap { type -> [TableFunction] in
    let prefix = type == .json ? "json" : "jsonb"
    return [
      elements("\(prefix)_array_elements", type, type), elements("\(prefix)_array_elements_text", type, .text),
      members("\(prefix)_each", type, type), members("\(prefix)_each_text", type, .text),
      rows("\(prefix)_object_keys", type, [("\(prefix)_object_keys", .text)]) { (raw) throws(Fault) in
        guard let members = try JSONReader.members(raw) else {
          throw Fault(.invalidParameterValue, "cannot call \(prefix)_object_keys on \(kind(raw, "an array"))")
        }
        return members.map { [.bytes($0.key)] }
      },
    ]
  }

  private static func kind(_ raw: UnsafeRawBufferPointer, _ container: String) -> String {
    let first = raw.first { !ValueText.isSpace($0) }
    return first == 123 || first == 91 ? container : "a scalar"
  }

  private static func part(
    _ raw: UnsafeRawBufferPointer, _ range: Range<Int>, _ result: DataType
  ) throws(Fault) -> Scalar {
    let value = UnsafeRawBufferPointer(rebasing: raw[range])
    if result != .text { return .bytes(Array(value)) }
    return try JSONReader.plain(value).map { .bytes($0) } ?? .null
  }

  private static func elements(_ name: String, _ type: DataType, _ result: DataType) -> TableFunction {
    rows(name, type, [("value", result)]) { (raw) throws(Fault) in
      guard let ranges = try JSONReader.elements(raw) else {
        let isObject = raw.first { !ValueText.isSpace($0) } == 123
        if type == .json {
          throw Fault(.invalidParameterValue, "cannot call \(name) on a \(isObject ? "non-array" : "scalar")")
        }
        throw Fault(
          .invalidParameterValue, "cannot extract elements from \(isObject ? "an object" : "a scalar")")
      }
      var found: [[Scalar]] = []
      for range in ranges { found.append([try part(raw, range, result)]) }
      return found
    }
  }

  private static func members(_ name: String, _ type: DataType, _ result: DataType) -> TableFunction {
    rows(name, type, [("key", .text), ("value", result)]) { (raw) throws(Fault) in
      guard let members = try JSONReader.members(raw) else {
        if type == .json, kind(raw, "") != "a scalar" {
          throw Fault(.invalidParameterValue, "cannot deconstruct an array as an object")
        }
        throw Fault(
          .invalidParameterValue,
          type == .json ? "cannot deconstruct a scalar" : "cannot call \(name) on a non-object")
      }
      var found: [[Scalar]] = []
      for member in members { found.append([.bytes(member.key), try part(raw, member.value, result)]) }
      return found
    }
  }

  private static func rows(
    _ name: String, _ type: DataType, _ columns: [(name: String, type: DataType)],
    _ make: @escaping @Sendable (UnsafeRawBufferPointer) throws(Fault) -> [[Scalar]]
  ) -> TableFunction {
    TableFunction(name: name, parameters: [.exact(type)], columns: { _ in columns }) {
      (_, arguments, _) throws(Fault) in
      guard case .bytes(let text) = arguments[0] else { return { () throws(Fault) in nil } }
      let found = try text.withUnsafeBufferPointer { (raw) throws(Fault) in try make(UnsafeRawBufferPointer(raw)) }
      return TableFunctions.chunks(of: found, columns.map(\.type))
    }
  }
}
