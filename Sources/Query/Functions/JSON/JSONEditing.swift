// Changes of a jsonb value: at a path (jsonb_set, jsonb_insert, #-), by key, and of two values into one.

import Bedrock
import Columnar

/// A change at a path.
struct JSONEditing {
  enum Operation {
    case delete, replace, replaceOrCreate, insertBefore, insertAfter
    var isInsert: Bool { self == .insertBefore || self == .insertAfter }
    var creates: Bool { isInsert || self == .replaceOrCreate }
  }
  let path: [[UInt8]?]
  let operation: Operation
  let value: JSONNode

  /// Faults: 22P02 and 22004 for a step that is no place, 22023 when an insert would replace a member.
  func apply(to node: JSONNode) throws(Fault) -> JSONNode { path.isEmpty ? node : try apply(node, 0) }

  private func apply(_ node: JSONNode, _ level: Int) throws(Fault) -> JSONNode {
    guard node.isContainer else { return node }
    guard let step = path[level] else {
      throw Fault(.nullValueNotAllowed, "path element at position \(level + 1) is null")
    }
    switch node {
    case .object(let members): return .object(try inObject(members, step, level))
    case .array(let list): return .array(try inArray(list, step, level))
    default: return node
    }
  }

  private func inObject(_ members: [JSONMember], _ key: [UInt8], _ level: Int) throws(Fault) -> [JSONMember] {
    var members = members
    let isLast = level == path.count - 1
    guard let place = JSONNode.place(of: key, in: members) else {
      guard isLast, operation.creates else { return members }
      return JSONNode.sorted(members + [JSONMember(key: key, value: value)])
    }
    if !isLast {
      members[place].value = try apply(members[place].value, level + 1)
    } else if operation.isInsert {
      throw Fault(
        .invalidParameterValue, "cannot replace existing key",
        hint: "Try using the function jsonb_set to replace key value.")
    } else if operation == .delete {
      members.remove(at: place)
    } else {
      members[place].value = value
    }
    return members
  }

  private func inArray(_ list: [JSONNode], _ step: [UInt8], _ level: Int) throws(Fault) -> [JSONNode] {
    guard let index = JSONOperators.integer(step) else {
      throw Fault(
        .invalidTextRepresentation,
        "path element at position \(level + 1) is not an integer: \"\(String(decoding: step, as: UTF8.self))\"")
    }
    var list = list
    let isLast = level == path.count - 1
    let place = index < 0 ? list.count + index : min(index, list.count)
    if place < 0 || place == list.count {
      if isLast, operation.creates { list.insert(value, at: place < 0 ? 0 : list.count) }
      return list
    }
    if !isLast {
      list[place] = try apply(list[place], level + 1)
      return list
    }
    switch operation {
    case .delete: list.remove(at: place)
    case .replace, .replaceOrCreate: list[place] = value
    case .insertBefore: list.insert(value, at: place)
    case .insertAfter: list.insert(value, at: place + 1)
    }
    return list
  }

  // MARK: Without a path

  /// `a || b`: objects merge, everything else becomes one array.
  static func concatenated(_ a: JSONNode, _ b: JSONNode) -> JSONNode {
    switch (a, b) {
    case (.object(let x), .object(let y)): return .object(JSONNode.sorted(x + y))
    default:
      func list(_ node: JSONNode) -> [JSONNode] { if case .array(let items) = node { items } else { [node] } }
      return .array(list(a) + list(b))
    }
  }

  static func deleting(_ keys: [[UInt8]], from node: JSONNode) throws(Fault) -> JSONNode {
    let keys = Set(keys)
    switch node {
    case .object(let members): return .object(members.filter { !keys.contains($0.key) })
    case .array(let list):
      return .array(list.filter { if case .string(let text) = $0 { !keys.contains(text) } else { true } })
    default: throw Fault(.invalidParameterValue, "cannot delete from scalar")
    }
  }

  static func deleting(at index: Int, from node: JSONNode) throws(Fault) -> JSONNode {
    switch node {
    case .object: throw Fault(.invalidParameterValue, "cannot delete from object using integer index")
    case .array(var list):
      let place = index < 0 ? list.count + index : index
      if list.indices.contains(place) { list.remove(at: place) }
      return .array(list)
    default: throw Fault(.invalidParameterValue, "cannot delete from scalar")
    }
  }

  /// Without the null members of objects, at every depth.
  static func strippingNulls(_ node: JSONNode) -> JSONNode {
    switch node {
    case .array(let list): .array(list.map(strippingNulls))
    case .object(let members):
      .object(
        members.compactMap { member in
          if case .null = member.value { return nil }
          return JSONMember(key: member.key, value: strippingNulls(member.value))
        })
    default: node
    }
  }

  // MARK: Functions

  static let functions: [ScalarFunction] =
    [3, 4].flatMap { count -> [ScalarFunction] in
      let parameters = Array(([.jsonb, .array(.text), .jsonb, .boolean] as [DataType]).prefix(count))
      return [
        .rowwise("jsonb_set", parameters, .jsonb) { (a, row, out) throws(Fault) in
          let creates = count == 3 || a.bool(3, row)
          out.append(json: try edited(a, row, creates ? .replaceOrCreate : .replace, try a.node(2, row)))
        },
        .rowwise("jsonb_insert", parameters, .jsonb) { (a, row, out) throws(Fault) in
          let isAfter = count == 4 && a.bool(3, row)
          out.append(json: try edited(a, row, isAfter ? .insertAfter : .insertBefore, try a.node(2, row)))
        },
      ]
    } + [3, 4, 5].map(setLax) + [
      .rowwise("jsonb_pretty", [.jsonb], .text) { (a, row, out) throws(Fault) in
        var text: [UInt8] = []
        try a.node(0, row).writePretty(to: &text)
        out.append(text)
      },
      .rowwise("jsonb_strip_nulls", [.jsonb], .jsonb) { (a, row, out) throws(Fault) in
        out.append(json: strippingNulls(try a.node(0, row)))
      },
      .rowwise("json_strip_nulls", [.json], .json) { (a, row, out) throws(Fault) in
        var text: [UInt8] = []
        strippingNulls(try JSONReader.json(a.bytes(0, row))).write(to: &text, isCompact: true)
        out.append(text)
      },
    ]

  private static func edited(
    _ a: Arguments, _ row: Int, _ operation: Operation, _ value: JSONNode
  ) throws(Fault) -> JSONNode {
    let node = try a.node(0, row)
    guard node.isContainer else { throw Fault(.invalidParameterValue, "cannot set path in scalar") }
    return try JSONEditing(path: a.texts(1, row), operation: operation, value: value).apply(to: node)
  }

  /// jsonb_set_lax: the last argument says what a null value does.
  private static func setLax(_ count: Int) -> ScalarFunction {
    let parameters = Array(([.jsonb, .array(.text), .jsonb, .boolean, .text] as [DataType]).prefix(count))
    return .rowwise("jsonb_set_lax", parameters, .jsonb, isStrict: false) { (a, row, out) throws(Fault) in
      if a.isNull(0, row) || a.isNull(1, row) || (count > 3 && a.isNull(3, row)) { return out.appendNull() }
      if count > 4, a.isNull(4, row) {
        throw Fault(
          .invalidParameterValue,
          "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\"")
      }
      let operation: Operation = count == 3 || a.bool(3, row) ? .replaceOrCreate : .replace
      if !a.isNull(2, row) { return out.append(json: try edited(a, row, operation, try a.node(2, row))) }
      switch count > 4 ? a.string(4, row) : "use_json_null" {
      case "use_json_null": out.append(json: try edited(a, row, operation, .null))
      case "return_target": out.append(json: try a.node(0, row))
      case "delete_key":
        out.append(json: try JSONEditing(path: a.texts(1, row), operation: .delete, value: .null).apply(to: try a.node(0, row)))
      case "raise_exception":
        throw Fault(
          .nullValueNotAllowed, "JSON value must not be null",
          detail: "Exception was raised because null_value_treatment is \"raise_exception\".",
          hint: "To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.")
      default:
        throw Fault(
          .invalidParameterValue,
          "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\"")
      }
    }
  }
}
