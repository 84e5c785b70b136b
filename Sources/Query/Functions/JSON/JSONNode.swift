// A JSON value as a tree: what jsonb's functions work on. Keys and strings are UTF-8 bytes, compared bytewise.
//
// Invariant of a jsonb tree: the members of an object are in the order of JSONNode.precedes and no key repeats. The
// tree of a `json` keeps the members as they are written, and numbers as they are spelled.

import Bedrock

/// A member of an object.
struct JSONMember {
  var key: [UInt8]
  var value: JSONNode
}

enum JSONNode {
  case null
  case boolean(Bool)
  case number(JSONNumber)
  case string([UInt8])
  case array([JSONNode])
  case object([JSONMember])

  static func text(_ string: String) -> JSONNode { .string(Array(string.utf8)) }
  static func integer(_ value: Int) -> JSONNode { .number(JSONNumber(value)) }

  var isContainer: Bool {
    switch self {
    case .array, .object: true
    default: false
    }
  }

  /// The name that json_typeof gives.
  var typeName: String {
    switch self {
    case .null: "null"
    case .boolean: "boolean"
    case .number: "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }

  // MARK: Objects

  /// The order of the keys of a jsonb object: by length, then bytewise.
  static func precedes(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    a.count == b.count ? a.lexicographicallyPrecedes(b) : a.count < b.count
  }

  /// Members in jsonb's order; the last of equal keys stays.
  static func sorted(_ members: [JSONMember]) -> [JSONMember] {
    if members.count < 2 { return members }
    let order = members.indices.sorted { left, right in
      members[left].key == members[right].key ? left < right : precedes(members[left].key, members[right].key)
    }
    var kept: [JSONMember] = []
    kept.reserveCapacity(order.count)
    for place in order {
      if let last = kept.last, last.key == members[place].key { kept.removeLast() }
      kept.append(members[place])
    }
    return kept
  }

  /// The place of a key in members that are sorted.
  static func place(of key: [UInt8], in members: [JSONMember]) -> Int? {
    var low = 0, high = members.count
    while low < high {
      let middle = (low + high) / 2
      if precedes(members[middle].key, key) { low = middle + 1 } else { high = middle }
    }
    return low < members.count && members[low].key == key ? low : nil
  }

  // MARK: Order and containment

  private var rank: Int {
    switch self {
    case .null: 0
    case .string: 1
    case .number: 2
    case .boolean: 3
    case .array: 4
    case .object: 5
    }
  }

  private static func order(_ a: [UInt8], _ b: [UInt8]) -> Int {
    a == b ? 0 : a.lexicographicallyPrecedes(b) ? -1 : 1
  }
  private static func order(_ a: Int, _ b: Int) -> Int { a == b ? 0 : a < b ? -1 : 1 }

  /// The order of two jsonb values. A scalar at the root counts as an array of one, which stands before other arrays of
  /// that length: that is why an empty array is less than any scalar.
  static func compareRoots(_ a: JSONNode, _ b: JSONNode) -> Int {
    if a.isContainer && b.isContainer || !a.isContainer && !b.isContainer { return compare(a, b) }
    switch (a, b) {
    case (.array(let list), _): return list.count == 1 ? 1 : order(list.count, 1)
    case (_, .array(let list)): return list.count == 1 ? -1 : order(1, list.count)
    case (.object, _): return 1
    default: return -1
    }
  }

  static func compare(_ a: JSONNode, _ b: JSONNode) -> Int {
    switch (a, b) {
    case (.boolean(let x), .boolean(let y)): return order(x ? 1 : 0, y ? 1 : 0)
    case (.number(let x), .number(let y)): return JSONNumber.compare(x, y)
    case (.string(let x), .string(let y)): return order(x, y)
    case (.array(let x), .array(let y)):
      if x.count != y.count { return order(x.count, y.count) }
      for (left, right) in zip(x, y) {
        let result = compare(left, right)
        if result != 0 { return result }
      }
      return 0
    case (.object(let x), .object(let y)):
      if x.count != y.count { return order(x.count, y.count) }
      for (left, right) in zip(x, y) {
        let key = order(left.key, right.key)
        if key != 0 { return key }
        let result = compare(left.value, right.value)
        if result != 0 { return result }
      }
      return 0
    default: return order(a.rank, b.rank)
    }
  }

  /// `self @> other` for whole values: an array holds a scalar at the root.
  func containsRoot(_ other: JSONNode) -> Bool {
    if case .array(let list) = self, !other.isContainer { return list.contains { Self.compare($0, other) == 0 } }
    return contains(other)
  }

  func contains(_ other: JSONNode) -> Bool {
    switch (self, other) {
    case (.object(let members), .object(let wanted)):
      return wanted.allSatisfy { member in
        Self.place(of: member.key, in: members).map { members[$0].value.contains(member.value) } ?? false
      }
    case (.array(let list), .array(let wanted)):
      return wanted.allSatisfy { item in list.contains { $0.contains(item) } }
    default: return !isContainer && !other.isContainer && Self.compare(self, other) == 0
    }
  }

  /// Whether the text is a key of the object, a string of the array or the string itself.
  func has(_ key: [UInt8]) -> Bool {
    switch self {
    case .object(let members): Self.place(of: key, in: members) != nil
    case .array(let list): list.contains { if case .string(let text) = $0 { text == key } else { false } }
    case .string(let text): text == key
    default: false
    }
  }

  // MARK: Text

  /// As jsonb prints itself: one space after commas and colons.
  func write(to out: inout [UInt8], isCompact: Bool = false) {
    switch self {
    case .null: out += "null".utf8
    case .boolean(let value): out += (value ? "true" : "false").utf8
    case .number(let number): out += number.text
    case .string(let text): Self.quote(text, to: &out)
    case .array(let list):
      out.append(91)
      for (index, item) in list.enumerated() {
        if index > 0 { out += isCompact ? [44] : [44, 32] }
        item.write(to: &out, isCompact: isCompact)
      }
      out.append(93)
    case .object(let members):
      out.append(123)
      for (index, member) in members.enumerated() {
        if index > 0 { out += isCompact ? [44] : [44, 32] }
        Self.quote(member.key, to: &out)
        out += isCompact ? [58] : [58, 32]
        member.value.write(to: &out, isCompact: isCompact)
      }
      out.append(125)
    }
  }

  var bytes: [UInt8] {
    var out: [UInt8] = []
    write(to: &out)
    return out
  }

  /// As ->> gives it: a string without quotes, nothing for null.
  var plain: [UInt8]? {
    switch self {
    case .null: nil
    case .string(let text): text
    default: bytes
    }
  }

  /// As jsonb_pretty prints it: four spaces a level.
  func writePretty(to out: inout [UInt8], level: Int = 0) {
    func newLine(_ level: Int) { out += [10] + [UInt8](repeating: 32, count: level * 4) }
    switch self {
    case .array(let list):
      out.append(91)
      for (index, item) in list.enumerated() {
        if index > 0 { out.append(44) }
        newLine(level + 1)
        item.writePretty(to: &out, level: level + 1)
      }
      newLine(level)
      out.append(93)
    case .object(let members):
      out.append(123)
      for (index, member) in members.enumerated() {
        if index > 0 { out.append(44) }
        newLine(level + 1)
        Self.quote(member.key, to: &out)
        out += [58, 32]
        member.value.writePretty(to: &out, level: level + 1)
      }
      newLine(level)
      out.append(125)
    default: write(to: &out)
    }
  }

  private static let hexDigits = Array("0123456789abcdef".utf8)

  /// A string with its quotes and escapes.
  static func quote(_ text: some Sequence<UInt8>, to out: inout [UInt8]) {
    out.append(34)
    for byte in text {
      switch byte {
      case 34, 92: out += [92, byte]
      case 8: out += [92, 98]
      case 9: out += [92, 116]
      case 10: out += [92, 110]
      case 12: out += [92, 102]
      case 13: out += [92, 114]
      case 0..<32: out += [92, 117, 48, 48, 48 + byte >> 4, hexDigits[Int(byte & 15)]]
      default: out.append(byte)
      }
    }
    out.append(34)
  }
}
