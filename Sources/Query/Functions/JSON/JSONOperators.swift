// The operators of json and jsonb. Those that take one part out scan the text and build no tree.

import Bedrock
import Columnar

extension Arguments {
  /// A jsonb argument as a tree.
  func node(_ argument: Int, _ row: Int) throws(Fault) -> JSONNode { try JSONReader.jsonb(bytes(argument, row)) }

  /// The elements of a text[] argument.
  func texts(_ argument: Int, _ row: Int) -> [[UInt8]?] {
    guard case .list(let values) = scalar(argument, row) else { return [] }
    return values.map { if case .bytes(let bytes) = $0 { bytes } else { nil } }
  }
}

extension ColumnBuilder {
  mutating func append(json node: JSONNode) { append(node.bytes) }
}

enum JSONOperators {
  static let all: [ScalarFunction] = access + tests + edits

  // MARK: Parts

  private static let access: [ScalarFunction] = ([.json, .jsonb] as [DataType]).flatMap { type -> [ScalarFunction] in
    [
      member("->", type, type), member("->>", type, .text), element("->", type, type), element("->>", type, .text),
      path("#>", type, type), path("#>>", type, .text),
    ]
  }

  private static func member(_ name: String, _ type: DataType, _ result: DataType) -> ScalarFunction {
    .rowwise(name, [type, .text], result) { (a, row, out) throws(Fault) in
      let raw = a.bytes(0, row)
      try append(raw, try JSONReader.find(raw, a.bytes(1, row)), result, &out)
    }
  }

  private static func element(_ name: String, _ type: DataType, _ result: DataType) -> ScalarFunction {
    .rowwise(name, [type, .int4], result) { (a, row, out) throws(Fault) in
      let raw = a.bytes(0, row)
      try append(raw, try item(raw, Int(a.int(1, row)), type), result, &out)
    }
  }

  /// The range of an element, counted from the end when negative. A jsonb scalar at the root is an array of itself.
  private static func item(_ raw: UnsafeRawBufferPointer, _ index: Int, _ type: DataType) throws(Fault) -> Range<Int>? {
    guard let ranges = try JSONReader.elements(raw) else {
      return type == .jsonb && raw.first != 123 && (index == 0 || index == -1) ? 0..<raw.count : nil
    }
    let place = index < 0 ? ranges.count + index : index
    return ranges.indices.contains(place) ? ranges[place] : nil
  }

  private static func path(_ name: String, _ type: DataType, _ result: DataType) -> ScalarFunction {
    .rowwise(name, [type, .array(.text)], result) { (a, row, out) throws(Fault) in
      try walk(a.bytes(0, row), a.texts(1, row), result, &out)
    }
  }

  /// The value at the end of a path; null when there is none.
  static func walk(
    _ raw: UnsafeRawBufferPointer, _ steps: [[UInt8]?], _ result: DataType, _ out: inout ColumnBuilder
  ) throws(Fault) {
    var range = 0..<raw.count
    for step in steps {
      guard let step else { return out.appendNull() }
      let inner = UnsafeRawBufferPointer(rebasing: raw[range])
      let next: Range<Int>?
      if inner.first(where: { !ValueText.isSpace($0) }) == 123 {
        next = try step.withUnsafeBufferPointer { (key) throws(Fault) in
          try JSONReader.find(inner, UnsafeRawBufferPointer(key))
        }
      } else {
        guard let ranges = try JSONReader.elements(inner), let index = integer(step) else { return out.appendNull() }
        let place = index < 0 ? ranges.count + index : index
        next = ranges.indices.contains(place) ? ranges[place] : nil
      }
      guard let next else { return out.appendNull() }
      range = (range.lowerBound + next.lowerBound)..<(range.lowerBound + next.upperBound)
    }
    try append(raw, range, result, &out)
  }

  /// An array index as it is written in a path.
  static func integer(_ text: [UInt8]) -> Int? {
    Int32(String(decoding: text.drop(while: ValueText.isSpace), as: UTF8.self)).map(Int.init)
  }

  static func append(
    _ raw: UnsafeRawBufferPointer, _ range: Range<Int>?, _ result: DataType, _ out: inout ColumnBuilder
  ) throws(Fault) {
    guard let range else { return out.appendNull() }
    let part = UnsafeRawBufferPointer(rebasing: raw[range])
    if result != .text { return out.append(utf8: part) }
    if let first = part.first, first != 34, first != 110 { return out.append(utf8: part) }
    guard let text = try JSONReader.plain(part) else { return out.appendNull() }
    out.append(text)
  }

  // MARK: Tests

  private static let tests: [ScalarFunction] = [
    .rowwise("@>", [.jsonb, .jsonb], .boolean) { (a, row, out) throws(Fault) in
      out.append(try a.node(0, row).containsRoot(try a.node(1, row)))
    },
    .rowwise("<@", [.jsonb, .jsonb], .boolean) { (a, row, out) throws(Fault) in
      out.append(try a.node(1, row).containsRoot(try a.node(0, row)))
    },
    .rowwise("?", [.jsonb, .text], .boolean) { (a, row, out) throws(Fault) in
      out.append(try a.node(0, row).has(Array(a.bytes(1, row))))
    },
    .rowwise("?|", [.jsonb, .array(.text)], .boolean) { (a, row, out) throws(Fault) in
      let node = try a.node(0, row)
      out.append(a.texts(1, row).contains { $0.map(node.has) ?? false })
    },
    .rowwise("?&", [.jsonb, .array(.text)], .boolean) { (a, row, out) throws(Fault) in
      let node = try a.node(0, row)
      out.append(a.texts(1, row).allSatisfy { $0.map(node.has) ?? true })
    },
  ]

  // MARK: Edits

  private static let edits: [ScalarFunction] = [
    .rowwise("||", [.jsonb, .jsonb], .jsonb) { (a, row, out) throws(Fault) in
      out.append(json: JSONEditing.concatenated(try a.node(0, row), try a.node(1, row)))
    },
    .rowwise("-", [.jsonb, .text], .jsonb) { (a, row, out) throws(Fault) in
      out.append(json: try JSONEditing.deleting([Array(a.bytes(1, row))], from: try a.node(0, row)))
    },
    .rowwise("-", [.jsonb, .array(.text)], .jsonb) { (a, row, out) throws(Fault) in
      out.append(json: try JSONEditing.deleting(a.texts(1, row).compactMap { $0 }, from: try a.node(0, row)))
    },
    .rowwise("-", [.jsonb, .int4], .jsonb) { (a, row, out) throws(Fault) in
      out.append(json: try JSONEditing.deleting(at: Int(a.int(1, row)), from: try a.node(0, row)))
    },
    .rowwise("#-", [.jsonb, .array(.text)], .jsonb) { (a, row, out) throws(Fault) in
      let node = try a.node(0, row)
      guard node.isContainer else { throw Fault(.invalidParameterValue, "cannot delete path in scalar") }
      out.append(json: try JSONEditing(path: a.texts(1, row), operation: .delete, value: .null).apply(to: node))
    },
  ]
}
