// Arrays: concatenation, containment, lengths, search, and the way to and from delimited text.

import Bedrock
import Columnar
import Kernels

enum ArrayFunctions {
  private static func list(_ a: Arguments, _ argument: Int, _ row: Int) -> [Scalar] {
    if case .list(let values) = a.scalar(argument, row) { return values }
    return []
  }

  private static let arrayOfFirst: ResultType = .computed { $0[0] }

  static let operators: [ScalarFunction] = [
    .rowwise("||", [.anyArray, .anyArray], result: arrayOfFirst, isStrict: false) { (a, row, out) throws(Fault) in
      if a.isNull(0, row) && a.isNull(1, row) { return out.appendNull() }
      out.append(list: list(a, 0, row) + list(a, 1, row))
    },
    .rowwise("||", [.anyArray, .anyElement], result: arrayOfFirst, isStrict: false) { (a, row, out) throws(Fault) in
      out.append(list: list(a, 0, row) + [a.scalar(1, row)])
    },
    .rowwise("||", [.anyElement, .anyArray], result: .computed { $0[1] }, isStrict: false) {
      (a, row, out) throws(Fault) in
      out.append(list: [a.scalar(0, row)] + list(a, 1, row))
    },
    .rowwise("@>", [.anyArray, .anyArray], result: .fixed(.boolean)) { (a, row, out) throws(Fault) in
      out.append(contains(list(a, 0, row), list(a, 1, row)))
    },
    .rowwise("<@", [.anyArray, .anyArray], result: .fixed(.boolean)) { (a, row, out) throws(Fault) in
      out.append(contains(list(a, 1, row), list(a, 0, row)))
    },
    .rowwise("&&", [.anyArray, .anyArray], result: .fixed(.boolean)) { (a, row, out) throws(Fault) in
      let right = Set(list(a, 1, row).map(canonical))
      out.append(list(a, 0, row).contains { !$0.isNull && right.contains(canonical($0)) })
    },
  ]

  /// Equal SQL values get equal scalars.
  static func canonical(_ scalar: Scalar) -> Scalar {
    switch scalar {
    case .numeric(let value): .numeric(value.canonical)
    case .float(let value): .float(value == 0 ? 0 : value)
    default: scalar
    }
  }

  private static func contains(_ outer: [Scalar], _ inner: [Scalar]) -> Bool {
    let set = Set(outer.map(canonical))
    return inner.allSatisfy { !$0.isNull && set.contains(canonical($0)) }
  }

  private static func length(_ name: String, _ isUpper: Bool) -> ScalarFunction {
    .rowwise(name, [.anyArray, .exact(.int4)], result: .fixed(.int4)) { (a, row, out) throws(Fault) in
      let count = list(a, 0, row).count
      if count == 0 || a.int(1, row) != 1 { out.appendNull() } else { out.append(Int64(count)) }
    }
  }

  static let functions: [ScalarFunction] = [
    length("array_length", false), length("array_upper", true),
    .rowwise("array_lower", [.anyArray, .exact(.int4)], result: .fixed(.int4)) { (a, row, out) throws(Fault) in
      if list(a, 0, row).isEmpty || a.int(1, row) != 1 { out.appendNull() } else { out.append(Int64(1)) }
    },
    .rowwise("array_ndims", [.anyArray], result: .fixed(.int4)) { (a, row, out) throws(Fault) in
      if list(a, 0, row).isEmpty { out.appendNull() } else { out.append(Int64(1)) }
    },
    .rowwise("cardinality", [.anyArray], result: .fixed(.int4)) { (a, row, out) throws(Fault) in
      out.append(Int64(list(a, 0, row).count))
    },
    .rowwise("array_position", [.anyArray, .anyElement], result: .fixed(.int4), isStrict: false) {
      (a, row, out) throws(Fault) in
      if a.isNull(0, row) { return out.appendNull() }
      let wanted = canonical(a.scalar(1, row))
      guard let index = list(a, 0, row).firstIndex(where: { canonical($0) == wanted }) else { return out.appendNull() }
      out.append(Int64(index + 1))
    },
    .rowwise("array_append", [.anyArray, .anyElement], result: arrayOfFirst, isStrict: false) {
      (a, row, out) throws(Fault) in
      out.append(list: list(a, 0, row) + [a.scalar(1, row)])
    },
    .rowwise("array_cat", [.anyArray, .anyArray], result: arrayOfFirst, isStrict: false) {
      (a, row, out) throws(Fault) in
      if a.isNull(0, row) && a.isNull(1, row) { return out.appendNull() }
      out.append(list: list(a, 0, row) + list(a, 1, row))
    },
    .rowwise("array_remove", [.anyArray, .anyElement], result: arrayOfFirst, isStrict: false) {
      (a, row, out) throws(Fault) in
      if a.isNull(0, row) { return out.appendNull() }
      let unwanted = canonical(a.scalar(1, row))
      out.append(list: list(a, 0, row).filter { canonical($0) != unwanted })
    },
    toText(3), toText(2),
    .rowwise("string_to_array", [.text, .text], .array(.text), isStrict: false) { (a, row, out) throws(Fault) in
      if a.isNull(0, row) { return out.appendNull() }
      out.append(list: pieces(a, row))
    },
    .rowwise("string_to_array", [.text, .text, .text], .array(.text), isStrict: false) { (a, row, out) throws(Fault) in
      if a.isNull(0, row) { return out.appendNull() }
      let null: Scalar = a.isNull(2, row) ? .null : .text(a.string(2, row))
      out.append(list: pieces(a, row).map { $0 == null ? .null : $0 })
    },
    // array[i], as the planner calls a subscript
    .rowwise("array_get", [.anyArray, .exact(.int4)], result: .computed { $0[0].element ?? .text }) {
      (a, row, out) throws(Fault) in
      let values = list(a, 0, row)
      // PostgreSQL's vector types count from 0
      let isVector = if case .array = a.columns[0].type { false } else { true }
      let index = a.int(1, row) - (isVector ? 0 : 1)
      out.append(index >= 0 && index < Int64(values.count) ? values[Int(index)] : .null)
    },
  ]

  private static func pieces(_ a: Arguments, _ row: Int) -> [Scalar] {
    let raw = a.bytes(0, row)
    if raw.isEmpty { return [] }
    if a.isNull(1, row) { return a.string(0, row).unicodeScalars.map { .text(String($0)) } }
    return TextFunctions.split(raw, by: a.bytes(1, row)).map { .bytes($0) }
  }

  private static func toText(_ count: Int) -> ScalarFunction {
    let parameters: [ParameterType] = [.anyArray, .exact(.text), .exact(.text)]
    return .rowwise(
      "array_to_string", Array(parameters.prefix(count)), result: .fixed(.text), isStrict: false, volatility: .stable
    ) { (a, row, out) throws(Fault) in
      if a.isNull(0, row) || a.isNull(1, row) { return out.appendNull() }
      let element = a.columns[0].type.element ?? .text
      var bytes: [UInt8] = []
      var isFirst = true
      for value in list(a, 0, row) {
        if value.isNull && (count == 2 || a.isNull(2, row)) { continue }
        if !isFirst { bytes.append(contentsOf: a.bytes(1, row)) }
        isFirst = false
        if value.isNull {
          bytes.append(contentsOf: a.bytes(2, row))
        } else {
          ValueText.append(value, type: element, context: a.context, to: &bytes)
        }
      }
      out.append(bytes)
    }
  }
}
