// SQL values to JSON: to_json, the builders of objects and arrays, and the aggregates over them.
//
// An aggregate's state knows no time zone, so json_agg(x) is bound as json_agg(to_json(x)): see `conversions`.

import Bedrock
import Columnar

enum JSONBuilding {
  /// A value as JSON: numbers, booleans and JSON as they are, instants in ISO 8601, everything else as a string.
  static func append(_ scalar: Scalar, _ type: DataType, _ context: FunctionContext, to out: inout [UInt8]) {
    if scalar.isNull {
      out += "null".utf8
      return
    }
    if case .list(let elements) = scalar, let element = type.element, type.isArray {
      out.append(91)
      for (index, item) in elements.enumerated() {
        if index > 0 { out.append(44) }
        append(item, element, context, to: &out)
      }
      out.append(93)
      return
    }
    var text: [UInt8] = []
    ValueText.append(scalar, type: type, context: context, to: &text)
    switch type {
    case .boolean: out += (text == [116] ? "true" : "false").utf8
    case .json, .jsonb: out += text
    case .int2, .int4, .int8, .float4, .float8, .numeric:
      // NaN and the infinities are no JSON
      if text.last.map({ $0 >= 48 && $0 <= 57 }) ?? false { out += text } else { JSONNode.quote(text, to: &out) }
    case .timestamp, .timestamptz: JSONNode.quote(instant(text, hasZone: type == .timestamptz), to: &out)
    default: JSONNode.quote(text, to: &out)
    }
  }

  /// ISO 8601: a T between the day and the time, and minutes in the zone.
  private static func instant(_ text: [UInt8], hasZone: Bool) -> [UInt8] {
    guard let space = text.firstIndex(of: 32), text[0] >= 48, text[0] <= 57 else { return text }
    var out = text
    out[space] = 84
    guard hasZone else { return out }
    let body = out.firstIndex(of: 32) ?? out.count
    guard let sign = out[space..<body].lastIndex(where: { $0 == 43 || $0 == 45 }) else { return out }
    if body - sign == 3 { out.insert(contentsOf: Array(":00".utf8), at: body) }
    return out
  }

  private static func value(_ columns: [Column], _ index: Int, _ row: Int, _ context: FunctionContext) -> [UInt8] {
    var out: [UInt8] = []
    append(columns[index].scalar(at: row), columns[index].type, context, to: &out)
    return out
  }

  private static func canonical(_ text: [UInt8], _ type: DataType) throws(Fault) -> [UInt8] {
    type == .jsonb ? try JSONReader.jsonb(text).bytes : text
  }

  // MARK: Functions

  static let functions: [ScalarFunction] =
    ([.json, .jsonb] as [DataType]).flatMap { type -> [ScalarFunction] in
      let prefix = type == .json ? "json" : "jsonb"
      return [
        conversion("to_\(prefix)", [.anyElement], type), object(prefix, type, [.any]), object(prefix, type, []),
        array(prefix, type, [.any]), array(prefix, type, []), pairs(prefix, type), keysAndValues(prefix, type),
      ]
    } + [
      conversion("array_to_json", [.anyArray], .json), conversion("array_to_json", [.anyArray, .exact(.boolean)], .json),
    ]

  private static func conversion(_ name: String, _ parameters: [ParameterType], _ type: DataType) -> ScalarFunction {
    .make(name, parameters, .fixed(type), volatility: .stable) { (context, columns, rows) throws(Fault) in
      var builder = ColumnBuilder(type: type, capacity: rows)
      let hasLines = columns.count == 2
      for row in 0..<rows {
        if columns.contains(where: { $0.isNull(at: row) }) {
          builder.appendNull()
        } else if hasLines, columns[1].scalar(at: row) == .boolean(true), case .list(let list) = columns[0].scalar(at: row) {
          let element = columns[0].type.element ?? .text
          var out: [UInt8] = [91]
          for (index, item) in list.enumerated() {
            if index > 0 { out += [44, 10, 32] }
            append(item, element, context, to: &out)
          }
          builder.append(out + [93])
        } else {
          builder.append(try canonical(value(columns, 0, row, context), type))
        }
      }
      return builder.finish()
    }
  }

  private static func object(_ prefix: String, _ type: DataType, _ parameters: [ParameterType]) -> ScalarFunction {
    let name = "\(prefix)_build_object"
    return .make(
      name, parameters, .fixed(type), isVariadic: !parameters.isEmpty, isStrict: false, volatility: .stable
    ) { (context, columns, rows) throws(Fault) in
      guard columns.count.isMultiple(of: 2) else {
        throw Fault(
          .invalidParameterValue, "argument list must have even number of elements",
          hint: "The arguments of \(name)() must consist of alternating keys and values.")
      }
      var builder = ColumnBuilder(type: type, capacity: rows)
      for row in 0..<rows {
        var out: [UInt8] = [123]
        for index in stride(from: 0, to: columns.count, by: 2) {
          if index > 0 { out += [44, 32] }
          JSONNode.quote(try key(columns[index], index, row, type, context), to: &out)
          out += [32, 58, 32] + value(columns, index + 1, row, context)
        }
        builder.append(try canonical(out + [125], type))
      }
      return builder.finish()
    }
  }

  private static func key(
    _ column: Column, _ index: Int, _ row: Int, _ type: DataType, _ context: FunctionContext
  ) throws(Fault) -> [UInt8] {
    if column.isNull(at: row) {
      if type == .json {
        throw Fault(.invalidParameterValue, "argument \(index + 1) cannot be null", hint: "Object keys should be text.")
      }
      throw Fault(.invalidParameterValue, "argument \(index + 1): key must not be null")
    }
    if column.type.isArray || column.type == .json || column.type == .jsonb {
      throw Fault(.invalidParameterValue, "key value must be scalar, not array, composite, or json")
    }
    var text: [UInt8] = []
    ValueText.append(column.scalar(at: row), type: column.type, context: context, to: &text)
    if column.type == .boolean { return Array((text == [116] ? "true" : "false").utf8) }
    return text
  }

  private static func array(_ prefix: String, _ type: DataType, _ parameters: [ParameterType]) -> ScalarFunction {
    .make(
      "\(prefix)_build_array", parameters, .fixed(type), isVariadic: !parameters.isEmpty, isStrict: false,
      volatility: .stable
    ) { (context, columns, rows) throws(Fault) in
      var builder = ColumnBuilder(type: type, capacity: rows)
      for row in 0..<rows {
        var out: [UInt8] = [91]
        for index in columns.indices {
          if index > 0 { out += [44, 32] }
          out += value(columns, index, row, context)
        }
        builder.append(try canonical(out + [93], type))
      }
      return builder.finish()
    }
  }

  private static func members(_ list: [([UInt8]?, [UInt8]?)], _ type: DataType) throws(Fault) -> [UInt8] {
    var out: [UInt8] = [123]
    for (index, (key, value)) in list.enumerated() {
      guard let key else { throw Fault(.nullValueNotAllowed, "null value not allowed for object key") }
      if index > 0 { out += [44, 32] }
      JSONNode.quote(key, to: &out)
      out += [32, 58, 32]
      if let value { JSONNode.quote(value, to: &out) } else { out += "null".utf8 }
    }
    return try canonical(out + [125], type)
  }

  /// json_object of one list of keys and values in turn.
  private static func pairs(_ prefix: String, _ type: DataType) -> ScalarFunction {
    .rowwise("\(prefix)_object", [.array(.text)], type) { (a, row, out) throws(Fault) in
      let items = a.texts(0, row)
      guard items.count.isMultiple(of: 2) else {
        throw Fault(.arraySubscriptError, "array must have even number of elements")
      }
      out.append(try members(stride(from: 0, to: items.count, by: 2).map { (items[$0], items[$0 + 1]) }, type))
    }
  }

  private static func keysAndValues(_ prefix: String, _ type: DataType) -> ScalarFunction {
    .rowwise("\(prefix)_object", [.array(.text), .array(.text)], type) { (a, row, out) throws(Fault) in
      let keys = a.texts(0, row), values = a.texts(1, row)
      guard keys.count == values.count else { throw Fault(.arraySubscriptError, "mismatched array dimensions") }
      out.append(try members(Array(zip(keys, values)), type))
    }
  }

  // MARK: Aggregates

  /// A value as the text of an object's key.
  private static let keyText = ScalarFunction.make(
    "json_object_key", [.any], .fixed(.text), isStrict: false, volatility: .stable
  ) { (context, columns, rows) throws(Fault) in
    var builder = ColumnBuilder(type: .text, capacity: rows)
    for row in 0..<rows {
      if columns[0].isNull(at: row) {
        builder.appendNull()
      } else {
        builder.append(try key(columns[0], 0, row, .json, context))
      }
    }
    return builder.finish()
  }

  static let aggregates: [AggregateFunction] = ([.json, .jsonb] as [DataType]).flatMap { type -> [AggregateFunction] in
    let prefix = type == .json ? "json" : "jsonb"
    let toJSON = conversion("to_\(prefix)", [.anyElement], type)
    return [
      AggregateFunction(
        name: "\(prefix)_agg", parameters: [.anyElement], result: .fixed(type), conversions: [toJSON]
      ) { _ in JSONCollectState(type, isObject: false) },
      AggregateFunction(
        name: "\(prefix)_object_agg", parameters: [.any, .any], result: .fixed(type), conversions: [keyText, toJSON]
      ) { _ in JSONCollectState(type, isObject: true) },
    ]
  }
}

/// The texts of a group's values joined as they come; their braces are put around at the end.
final class JSONCollectState: AggregateState {
  private var bodies: [[UInt8]?] = [nil]
  private var kept = 0
  private let type: DataType
  private let isObject: Bool
  init(_ type: DataType, isObject: Bool) {
    self.type = type
    self.isObject = isObject
  }
  var byteCount: Int { bodies.capacity * 8 + kept }
  func grow(to count: Int) { Functions.grow(&bodies, to: count, nil) }

  private func add(_ slot: Int, _ part: [UInt8]) {
    kept += part.count + 2
    if bodies[slot] == nil { bodies[slot] = part } else { bodies[slot]?.append(contentsOf: [44, 32] + part) }
  }

  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault) {
    for row in 0..<groups.count where groups[row] >= 0 {
      var part: [UInt8] = []
      if isObject {
        guard case .bytes(let key) = arguments[0].scalar(at: row) else {
          throw Fault(.invalidParameterValue, "field name must not be null")
        }
        JSONNode.quote(key, to: &part)
        part += [32, 58, 32]
      }
      if case .bytes(let value) = arguments[isObject ? 1 : 0].scalar(at: row) { part += value } else { part += "null".utf8 }
      add(Int(groups[row]) + 1, part)
    }
  }
  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault) {
    let other = sibling(other, of: JSONCollectState.self)
    for group in 0..<mapping.count {
      if let body = other.bodies[group + 1] { add(Int(mapping[group]) + 1, body) }
    }
  }
  func finish() throws(Fault) -> Column {
    var builder = ColumnBuilder(type: type, capacity: bodies.count)
    for body in bodies.dropFirst() {
      guard let body else {
        builder.appendNull()
        continue
      }
      // json_object_agg sets blanks inside its braces
      let text: [UInt8] = isObject ? [123, 32] + body + [32, 125] : [91] + body + [93]
      builder.append(type == .jsonb ? try JSONReader.jsonb(text).bytes : text)
    }
    return builder.finish()
  }
}

extension DataType {
  fileprivate var isArray: Bool { if case .array = self { true } else { false } }
}
