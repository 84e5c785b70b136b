// Nested values as jsonb text, in PostgreSQL's form: `{"a": 1, "b": [true, null]}`, members ordered by the length of their
// keys and then bytewise, of repeated keys the last.
//
//   struct                     object; a member without a value is null
//   list                       array
//   map with text keys         object
//   map with other keys        array of {"key": ..., "value": ...}
//
// Each node becomes a column of texts, one a slot of its context, made from the columns of the nodes below it.

import Bedrock
import Columnar

/// A text for each slot, one after the other.
struct JSONTexts {
  var offsets: [Int32] = [0]
  var data: [UInt8] = []

  var count: Int { offsets.count - 1 }

  mutating func end() throws(Fault) {
    guard data.count <= ParquetLimits.decodedBytesMax else { throw Self.tooLarge() }
    offsets.append(Int32(data.count))
  }

  static func tooLarge() -> Fault {
    Fault(.programLimitExceeded, "values of a nested Parquet column are too large to read at once")
  }

  mutating func append(_ texts: JSONTexts, _ slot: Int) {
    data.append(contentsOf: texts.data[Int(texts.offsets[slot])..<Int(texts.offsets[slot + 1])])
  }

  func column(_ type: DataType, validity: Bitmap?) -> Column {
    guard let validity else {
      return Column(type: type, count: count, validity: nil, form: .bytes(offsets: .copying(offsets), data: .copying(data)))
    }
    // A null row is empty.
    var dense: [Int32] = [0]
    dense.reserveCapacity(offsets.count)
    var kept: [UInt8] = []
    kept.reserveCapacity(data.count)
    for row in 0..<count {
      if validity.isSet(row) { kept.append(contentsOf: data[Int(offsets[row])..<Int(offsets[row + 1])]) }
      dense.append(Int32(kept.count))
    }
    return Column(
      type: type, count: count, validity: validity, form: .bytes(offsets: .copying(dense), data: .copying(kept)))
  }
}

struct JSONAssembly {
  private let shape: NestedAssembly
  private static let null = Array("null".utf8)

  init(_ shape: NestedAssembly) { self.shape = shape }

  /// The texts of a node at the slots of a context; `null` where it has no value.
  func text(_ node: NestedNode, _ context: NestedAssembly.Context) throws(Fault) -> JSONTexts {
    switch node.kind {
    case .leaf(let index): return try JSONScalars.texts(shape.leafColumn(index, context))
    case .structure(let members): return try structure(node, members, context)
    case .list(let element): return try list(node, element, context)
    case .map(let key, let value):
      if case .leaf(let index) = key.kind, shape.run(leaf: index).values.type.isTextual {
        return try object(node, key: index, value, context)
      }
      return try pairs(node, key, value, context)
    case .refused(let what): throw Fault.unsupported("\(what) of Parquet column \(node.name)")
    case .missing: return try Self.nulls(shape.presence(node, context).count)
    }
  }

  private static func nulls(_ count: Int) throws(Fault) -> JSONTexts {
    guard count.multipliedSaturated(by: null.count) <= ParquetLimits.decodedBytesMax else { throw JSONTexts.tooLarge() }
    var out = JSONTexts()
    for _ in 0..<count {
      out.data.append(contentsOf: null)
      try out.end()
    }
    return out
  }

  // MARK: Structs

  private func structure(
    _ node: NestedNode, _ members: [NestedNode], _ context: NestedAssembly.Context
  ) throws(Fault) -> JSONTexts {
    let present = shape.presence(node, context)
    var texts: [JSONTexts] = [], labels: [[UInt8]] = []
    var largest = 0
    for member in Self.ordered(members) {
      texts.append(try text(member, context))
      guard texts[texts.count - 1].count == present.count else { throw NestedAssembly.damaged() }
      var label: [UInt8] = Array((labels.isEmpty ? "{" : ", ").utf8)
      JSONScalars.quote(Array(member.name.utf8), into: &label)
      label.append(contentsOf: [0x3A, 0x20])
      largest += label.count
      labels.append(label)
    }
    var total = largest.multipliedSaturated(by: present.count)
    for text in texts { total = total.addingSaturated(text.data.count) }
    guard total <= ParquetLimits.decodedBytesMax else { throw JSONTexts.tooLarge() }
    var out = JSONTexts()
    out.offsets.reserveCapacity(present.count + 1)
    out.data.reserveCapacity(total)
    for slot in present.indices {
      if present[slot] {
        if labels.isEmpty { out.data.append(0x7B) }
        for member in labels.indices {
          out.data.append(contentsOf: labels[member])
          out.append(texts[member], slot)
        }
        out.data.append(0x7D)
      } else {
        out.data.append(contentsOf: Self.null)
      }
      try out.end()
    }
    return out
  }

  /// Members in the order of jsonb; the last of equal names.
  private static func ordered(_ members: [NestedNode]) -> [NestedNode] {
    var kept: [NestedNode] = []
    var seen: Set<String> = []
    for member in members.reversed() where seen.insert(member.name).inserted { kept.append(member) }
    return kept.sorted { left, right in
      let a = Array(left.name.utf8), b = Array(right.name.utf8)
      return a.count == b.count ? a.lexicographicallyPrecedes(b) : a.count < b.count
    }
  }

  // MARK: Lists

  private func list(
    _ node: NestedNode, _ element: NestedNode, _ context: NestedAssembly.Context
  ) throws(Fault) -> JSONTexts {
    let list = try shape.listShape(node, context)
    let elements = try text(element, node.elementContext)
    guard elements.count == Int(list.offsets[list.slots]) else { throw NestedAssembly.damaged() }
    var out = JSONTexts()
    out.offsets.reserveCapacity(list.slots + 1)
    for slot in 0..<list.slots {
      if list.validity?.isSet(slot) ?? true {
        out.data.append(0x5B)
        for element in list.offsets[slot]..<list.offsets[slot + 1] {
          if element > list.offsets[slot] { out.data.append(contentsOf: [0x2C, 0x20]) }
          out.append(elements, Int(element))
        }
        out.data.append(0x5D)
      } else {
        out.data.append(contentsOf: Self.null)
      }
      try out.end()
    }
    return out
  }

  // MARK: Maps

  private func pairs(
    _ node: NestedNode, _ key: NestedNode, _ value: NestedNode, _ context: NestedAssembly.Context
  ) throws(Fault) -> JSONTexts {
    let map = try shape.listShape(node, context)
    let keys = try text(key, node.elementContext), values = try text(value, node.elementContext)
    guard keys.count == Int(map.offsets[map.slots]), values.count == keys.count else { throw NestedAssembly.damaged() }
    let opening = Array("{\"key\": ".utf8), middle = Array(", \"value\": ".utf8)
    var out = JSONTexts()
    for slot in 0..<map.slots {
      if map.validity?.isSet(slot) ?? true {
        out.data.append(0x5B)
        for pair in map.offsets[slot]..<map.offsets[slot + 1] {
          if pair > map.offsets[slot] { out.data.append(contentsOf: [0x2C, 0x20]) }
          out.data.append(contentsOf: opening)
          out.append(keys, Int(pair))
          out.data.append(contentsOf: middle)
          out.append(values, Int(pair))
          out.data.append(0x7D)
        }
        out.data.append(0x5D)
      } else {
        out.data.append(contentsOf: Self.null)
      }
      try out.end()
    }
    return out
  }

  private func object(
    _ node: NestedNode, key: Int, _ value: NestedNode, _ context: NestedAssembly.Context
  ) throws(Fault) -> JSONTexts {
    let map = try shape.listShape(node, context)
    let keys = try shape.leafColumn(key, node.elementContext), values = try text(value, node.elementContext)
    guard keys.count == Int(map.offsets[map.slots]), values.count == keys.count else { throw NestedAssembly.damaged() }
    guard keys.nullCount == 0 else { throw Fault.corrupt("a map of a Parquet file has a key that is null") }
    let names = try JSONScalars.texts(keys)
    var out = JSONTexts()
    var order: [Int] = []
    for slot in 0..<map.slots {
      if map.validity?.isSet(slot) ?? true {
        Self.order(keys, Int(map.offsets[slot])..<Int(map.offsets[slot + 1]), &order)
        out.data.append(0x7B)
        for (place, pair) in order.enumerated() {
          if place > 0 { out.data.append(contentsOf: [0x2C, 0x20]) }
          out.append(names, pair)
          out.data.append(contentsOf: [0x3A, 0x20])
          out.append(values, pair)
        }
        out.data.append(0x7D)
      } else {
        out.data.append(contentsOf: Self.null)
      }
      try out.end()
    }
    return out
  }

  /// The pairs of one map in the order of jsonb; of equal keys the last.
  private static func order(_ keys: Column, _ range: Range<Int>, _ order: inout [Int]) {
    order.removeAll(keepingCapacity: true)
    order.append(contentsOf: range)
    if range.count < 2 { return }
    let offsets = keys.offsets, data = keys.data
    func compare(_ a: Int, _ b: Int) -> Int {
      let countA = Int(offsets[a + 1] - offsets[a]), countB = Int(offsets[b + 1] - offsets[b])
      if countA != countB { return countA < countB ? -1 : 1 }
      for index in 0..<countA {
        let left = data[Int(offsets[a]) + index], right = data[Int(offsets[b]) + index]
        if left != right { return left < right ? -1 : 1 }
      }
      return 0
    }
    // The place breaks ties, so that the last of equal keys stays the last.
    order.sort { a, b in
      let result = compare(a, b)
      return result == 0 ? a < b : result < 0
    }
    var kept = 0
    for place in order.indices {
      if kept > 0 && compare(order[kept - 1], order[place]) == 0 { kept -= 1 }
      order[kept] = order[place]
      kept += 1
    }
    order.removeSubrange(kept...)
  }
}

extension Int {
  func addingSaturated(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
