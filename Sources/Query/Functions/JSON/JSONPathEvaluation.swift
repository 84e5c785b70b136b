// What a jsonpath selects. Each step sends the items it finds to the rest of the path, in order.
//
// lax: arrays are unwrapped where a step wants their elements, scalars are wrapped where it wants an array, and missing
// parts select nothing. strict: each of those is an error. An error inside a predicate makes it unknown; elsewhere it
// ends the query, or is no answer when the caller asked for silence.

import Bedrock
import Columnar
import Glibc
import Kernels

/// Why an evaluation ends before its end.
enum JSONPathStop: Error {
  /// An error that silence and predicates swallow.
  case failed(Fault)
  /// An error that nothing swallows.
  case broken(Fault)
  /// The first item is all that was wanted.
  case found

  var fault: Fault? {
    switch self {
    case .failed(let fault), .broken(let fault): fault
    case .found: nil
    }
  }
}

struct JSONPathEvaluation {
  let root: JSONNode
  let variables: JSONNode
  let isLax: Bool

  /// The value of @, and the length of the array that `last` means.
  private struct Place {
    var current: JSONNode
    var arrayCount: Int?
    /// Inside `.**` missing parts are no errors even in strict mode.
    var ignoresStructure: Bool
  }
  private typealias Sink = (JSONNode) throws(JSONPathStop) -> Void

  /// All items of the path; in silence those found before an error.
  func items(_ path: JSONPath, isSilent: Bool) throws(JSONPathStop) -> [JSONNode] {
    var found: [JSONNode] = []
    do throws(JSONPathStop) {
      try evaluate(path.expression, place) { (item) throws(JSONPathStop) in found.append(item) }
    } catch {
      guard isSilent, case .failed = error else { throw error }
    }
    return found
  }

  /// Whether the path selects anything; in lax mode the first item decides.
  func exists(_ path: JSONPath) throws(JSONPathStop) -> Bool { try exists(path.expression, place) }

  private func exists(_ expression: JSONPathExpression, _ place: Place) throws(JSONPathStop) -> Bool {
    var isFound = false
    do throws(JSONPathStop) {
      try evaluate(expression, place) { (_) throws(JSONPathStop) in
        isFound = true
        if isLax { throw .found }
      }
    } catch {
      if case .found = error { return true }
      throw error
    }
    return isFound
  }

  private var place: Place { Place(current: root, arrayCount: nil, ignoresStructure: isLax) }

  private func failed(_ state: SQLState, _ message: String) -> JSONPathStop { .failed(Fault(state, message)) }

  // MARK: Expressions

  private func evaluate(_ expression: JSONPathExpression, _ place: Place, _ sink: Sink) throws(JSONPathStop) {
    switch expression {
    case .root: try sink(root)
    case .current: try sink(place.current)
    case .literal(let node): try sink(node)
    case .last:
      guard let count = place.arrayCount else { throw .broken(Fault.bug("LAST outside of a subscript")) }
      try sink(.integer(count - 1))
    case .variable(let name): try sink(try variable(name))
    case .steps(let base, let steps):
      try evaluate(base, place) { (item) throws(JSONPathStop) in try walk(item, steps[...], place, isLax, sink) }
    case .negative(let operand, let isMinus):
      try unwrapped(operand, place) { (item) throws(JSONPathStop) in
        guard case .number(let number) = item else {
          throw failed(
            .sqlJSONNumberNotFound, "operand of unary jsonpath operator \(isMinus ? "-" : "+") is not a numeric value")
        }
        try sink(isMinus ? .number(JSONNumber(try self.numeric(number).negated)) : item)
      }
    case .arithmetic(let operation, let left, let right):
      let a = try operand(left, "left", operation, place), b = try operand(right, "right", operation, place)
      try sink(.number(JSONNumber(try arithmetic(operation, a, b))))
    case .predicate(let predicate):
      let truth = try test(predicate, place)
      try sink(truth.map { .boolean($0) } ?? .null)
    }
  }

  /// The items, and in lax mode the elements of those that are arrays.
  private func unwrapped(_ expression: JSONPathExpression, _ place: Place, _ sink: Sink) throws(JSONPathStop) {
    try evaluate(expression, place) { (item) throws(JSONPathStop) in
      if isLax, case .array(let list) = item {
        for element in list { try sink(element) }
      } else {
        try sink(item)
      }
    }
  }

  private func variable(_ name: String) throws(JSONPathStop) -> JSONNode {
    guard case .object(let members) = variables, let place = JSONNode.place(of: Array(name.utf8), in: members) else {
      throw .broken(Fault(.undefinedObject, "could not find jsonpath variable \"\(name)\""))
    }
    return members[place].value
  }

  private func numeric(_ number: JSONNumber) throws(JSONPathStop) -> Numeric {
    do throws(Fault) { return try number.numeric() } catch { throw .failed(error) }
  }

  private func operand(
    _ expression: JSONPathExpression, _ side: String, _ operation: Character, _ place: Place
  ) throws(JSONPathStop) -> Numeric {
    var found: [JSONNode] = []
    try unwrapped(expression, place) { (item) throws(JSONPathStop) in found.append(item) }
    guard found.count == 1, case .number(let number) = found[0] else {
      throw failed(
        .singletonSQLJSONItemRequired, "\(side) operand of jsonpath operator \(operation) is not a single numeric value")
    }
    return try numeric(number)
  }

  private func arithmetic(_ operation: Character, _ a: Numeric, _ b: Numeric) throws(JSONPathStop) -> Numeric {
    if operation == "/" || operation == "%", b.coefficient == 0 { throw failed(.divisionByZero, "division by zero") }
    let result: Numeric? =
      switch operation {
      case "+": Numeric.add(a, b)
      case "-": Numeric.subtract(a, b)
      case "*": Numeric.multiply(a, b)
      case "/": Numeric.divide(a, b)
      default: Numeric.remainder(a, b)
      }
    guard let result else { throw .failed(JSONNumber.overflow) }
    return result
  }

  // MARK: Steps

  private func walk(
    _ item: JSONNode, _ steps: ArraySlice<JSONPathStep>, _ place: Place, _ unwraps: Bool, _ sink: Sink
  ) throws(JSONPathStop) {
    guard let step = steps.first else { return try sink(item) }
    let rest = steps.dropFirst()
    func next(_ item: JSONNode) throws(JSONPathStop) { try walk(item, rest, place, isLax, sink) }
    switch step {
    case .key(let key):
      if case .object(let members) = item {
        if let found = JSONNode.place(of: key, in: members) { return try next(members[found].value) }
        if place.ignoresStructure { return }
        let name = String(decoding: key, as: UTF8.self)
        throw failed(.sqlJSONMemberNotFound, "JSON object does not contain key \"\(name)\"")
      }
      try eachElement(item, steps, place, unwraps, sink) {
        failed(.sqlJSONMemberNotFound, "jsonpath member accessor can only be applied to an object")
      }
    case .anyKey:
      if case .object(let members) = item {
        for member in members { try next(member.value) }
        return
      }
      try eachElement(item, steps, place, unwraps, sink) {
        failed(.sqlJSONObjectNotFound, "jsonpath wildcard member accessor can only be applied to an object")
      }
    case .anyElement:
      if case .array(let list) = item {
        for element in list { try next(element) }
      } else if isLax {
        try next(item)
      } else if !place.ignoresStructure {
        throw failed(.sqlJSONArrayNotFound, "jsonpath wildcard array accessor can only be applied to an array")
      }
    case .elements(let subscripts): try elements(item, subscripts, place, next)
    case .anyDepth(let from, let to):
      var inner = place
      inner.ignoresStructure = true
      if from == 0 { try walk(item, rest, inner, isLax, sink) }
      try descend(item, 1, from, to, rest, inner, sink)
    case .filter(let condition):
      if unwraps, case .array(let list) = item {
        for element in list { try walk(element, steps, place, false, sink) }
        return
      }
      var inner = place
      inner.current = item
      if try test(condition, inner) == true { try next(item) }
    case .method(let method): try call(method, item, steps, place, unwraps, sink)
    }
  }

  /// In lax mode the step is taken from every element of an array; another item is an error unless structure is ignored.
  private func eachElement(
    _ item: JSONNode, _ steps: ArraySlice<JSONPathStep>, _ place: Place, _ unwraps: Bool, _ sink: Sink,
    otherwise: () -> JSONPathStop
  ) throws(JSONPathStop) {
    if unwraps, case .array(let list) = item {
      for element in list { try walk(element, steps, place, false, sink) }
    } else if !place.ignoresStructure {
      throw otherwise()
    }
  }

  private func descend(
    _ item: JSONNode, _ level: Int, _ from: Int?, _ to: Int?, _ rest: ArraySlice<JSONPathStep>, _ place: Place,
    _ sink: Sink
  ) throws(JSONPathStop) {
    let children: [JSONNode]
    switch item {
    case .array(let list): children = list
    case .object(let members): children = members.map(\.value)
    default: return
    }
    for child in children {
      // `last` means values without parts.
      let isWanted = from.map { level >= $0 } ?? !child.isContainer
      if isWanted, from == nil || to.map({ level <= $0 }) ?? true { try walk(child, rest, place, isLax, sink) }
      if to.map({ level < $0 }) ?? true { try descend(child, level + 1, from, to, rest, place, sink) }
    }
  }

  private func elements(
    _ item: JSONNode, _ subscripts: [(from: JSONPathExpression, to: JSONPathExpression?)], _ place: Place,
    _ next: (JSONNode) throws(JSONPathStop) -> Void
  ) throws(JSONPathStop) {
    let list: [JSONNode]
    if case .array(let items) = item {
      list = items
    } else if isLax {
      list = [item]
    } else if place.ignoresStructure {
      return
    } else {
      throw failed(.sqlJSONArrayNotFound, "jsonpath array accessor can only be applied to an array")
    }
    var inner = place
    inner.arrayCount = list.count
    for (first, last) in subscripts {
      var from = try index(first, inner)
      var to = try last.map { (last) throws(JSONPathStop) in try index(last, inner) } ?? from
      if !place.ignoresStructure, from < 0 || from > to || to >= list.count {
        throw failed(.invalidSQLJSONSubscript, "jsonpath array subscript is out of bounds")
      }
      from = max(from, 0)
      to = min(to, list.count - 1)
      if from <= to { for place in from...to { try next(list[place]) } }
    }
  }

  private func index(_ expression: JSONPathExpression, _ place: Place) throws(JSONPathStop) -> Int {
    var found: [JSONNode] = []
    try evaluate(expression, place) { (item) throws(JSONPathStop) in found.append(item) }
    guard found.count == 1, case .number(let number) = found[0] else {
      throw failed(.invalidSQLJSONSubscript, "jsonpath array subscript is not a single numeric value")
    }
    let text = String(decoding: number.text, as: UTF8.self)
    guard let whole = Int32(text.split(separator: ".")[0]) else {
      throw failed(.invalidSQLJSONSubscript, "jsonpath array subscript is out of integer range")
    }
    return Int(whole)
  }

  // MARK: Methods

  private func call(
    _ method: JSONPathMethod, _ item: JSONNode, _ steps: ArraySlice<JSONPathStep>, _ place: Place, _ unwraps: Bool,
    _ sink: Sink
  ) throws(JSONPathStop) {
    func next(_ item: JSONNode) throws(JSONPathStop) { try walk(item, steps.dropFirst(), place, isLax, sink) }
    switch (method, item) {
    case (.type, _): return try next(.text(item.typeName))
    case (.size, .array(let list)): return try next(.integer(list.count))
    case (.size, _):
      if !isLax {
        if place.ignoresStructure { return }
        throw failed(.sqlJSONArrayNotFound, "jsonpath item method .size() can only be applied to an array")
      }
      return try next(.integer(1))
    default: break
    }
    if unwraps, case .array(let list) = item {
      for element in list { try walk(element, steps, place, false, sink) }
      return
    }
    switch (method, item) {
    case (.abs, .number(let number)):
      let value = try numeric(number)
      try next(.number(JSONNumber(value.coefficient < 0 ? value.negated : value)))
    case (.floor, .number(let number)), (.ceiling, .number(let number)):
      let value = try numeric(number)
      guard let whole = value.truncated(toScale: 0) else { throw .failed(JSONNumber.overflow) }
      let order = Numeric.compare(value, whole)
      let step: Int64 = method == .floor ? (order < 0 ? -1 : 0) : (order > 0 ? 1 : 0)
      guard let result = Numeric.add(whole, Numeric(step)) else { throw .failed(JSONNumber.overflow) }
      try next(.number(JSONNumber(result)))
    case (.double, .number(let number)):
      guard let value = Double(String(decoding: number.text, as: UTF8.self)), value.isFinite else {
        throw failed(
          .nonNumericSQLJSONItem,
          "numeric argument of jsonpath item method .double() is out of range for type double precision")
      }
      try next(item)
    case (.double, .string(let text)): try next(try double(text))
    case (.double, _):
      throw failed(
        .nonNumericSQLJSONItem, "jsonpath item method .double() can only be applied to a string or numeric value")
    case (.keyvalue, .object(let members)):
      for member in members {
        try next(
          .object([
            JSONMember(key: Array("id".utf8), value: .integer(0)),
            JSONMember(key: Array("key".utf8), value: .string(member.key)),
            JSONMember(key: Array("value".utf8), value: member.value),
          ]))
      }
    case (.keyvalue, _):
      throw failed(
        .sqlJSONObjectNotFound, "jsonpath item method .keyvalue() can only be applied to an object")
    default:
      throw failed(
        .nonNumericSQLJSONItem, "jsonpath item method .\(method.rawValue)() can only be applied to a numeric value")
    }
  }

  private func double(_ text: [UInt8]) throws(JSONPathStop) -> JSONNode {
    let invalid = failed(
      .nonNumericSQLJSONItem,
      "string argument of jsonpath item method .double() is not a valid representation of a double precision number")
    var out: [UInt8] = []
    do throws(Fault) {
      let string = String(decoding: text, as: UTF8.self)
      guard case .float(let value) = try ValueText.input(string, type: .float8, context: .none), value.isFinite else {
        throw Fault(.invalidTextRepresentation, "not finite")
      }
      ValueText.appendFloat(value, to: &out)
      return .number(try out.withUnsafeBufferPointer { (raw) throws(Fault) in try JSONNumber(token: UnsafeRawBufferPointer(raw)) })
    } catch { throw invalid }
  }

  // MARK: Predicates

  /// nil: unknown.
  private func test(_ predicate: JSONPathPredicate, _ place: Place) throws(JSONPathStop) -> Bool? {
    switch predicate {
    case .and(let a, let b):
      let left = try test(a, place)
      if left == false { return false }
      let right = try test(b, place)
      return right == true ? left : right
    case .or(let a, let b):
      let left = try test(a, place)
      if left == true { return true }
      let right = try test(b, place)
      return right == false ? left : right
    case .not(let inner): return try test(inner, place).map { !$0 }
    case .isUnknown(let inner): return try test(inner, place) == nil
    case .exists(let expression):
      return try swallowing { () throws(JSONPathStop) in try exists(expression, place) }
    case .compare(let name, let left, let right):
      return try pairs(left, right, place) { Self.compare(name, $0, $1) }
    case .startsWith(let whole, let start):
      return try pairs(whole, start, place) { item, start in
        guard case .string(let text) = item, case .string(let prefix) = start else { return nil }
        return text.starts(with: prefix)
      }
    case .matches(let expression, let pattern):
      return try pairs(expression, .literal(.null), place) { item, _ in
        guard case .string(let text) = item else { return nil }
        return text.withUnsafeBytes { pattern.matches($0) }
      }
    }
  }

  /// nil when the body fails in a way that predicates swallow.
  private func swallowing<T>(_ body: () throws(JSONPathStop) -> T) throws(JSONPathStop) -> T? {
    do throws(JSONPathStop) { return try body() } catch {
      if case .failed = error { return nil }
      throw error
    }
  }

  private func list(_ expression: JSONPathExpression, _ place: Place) throws(JSONPathStop) -> [JSONNode]? {
    try swallowing { () throws(JSONPathStop) in
      var found: [JSONNode] = []
      try unwrapped(expression, place) { (item) throws(JSONPathStop) in found.append(item) }
      return found
    }
  }

  /// True when the test holds for some pair of items; in strict mode one unknown pair makes all unknown.
  private func pairs(
    _ left: JSONPathExpression, _ right: JSONPathExpression, _ place: Place, _ holds: (JSONNode, JSONNode) -> Bool?
  ) throws(JSONPathStop) -> Bool? {
    guard let a = try list(left, place), let b = try list(right, place) else { return nil }
    var isFound = false
    var hasUnknown = false
    for x in a {
      for y in b {
        switch holds(x, y) {
        case true?:
          if isLax { return true }
          isFound = true
        case nil:
          if !isLax { return nil }
          hasUnknown = true
        case false?: break
        }
      }
    }
    return isFound ? true : hasUnknown ? nil : false
  }

  private static func compare(_ name: String, _ a: JSONNode, _ b: JSONNode) -> Bool? {
    let order: Int
    switch (a, b) {
    case (.null, .null): order = 0
    case (.null, _), (_, .null): return name == "!="
    case (.boolean, .boolean), (.number, .number), (.string, .string): order = JSONNode.compare(a, b)
    default: return nil
    }
    switch name {
    case "==": return order == 0
    case "!=": return order != 0
    case "<": return order < 0
    case "<=": return order <= 0
    case ">": return order > 0
    default: return order >= 0
    }
  }
}
