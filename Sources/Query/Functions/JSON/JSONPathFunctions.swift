// The functions and operators that take a jsonpath. A path is text here, read once for each distinct value in a row.

import Bedrock
import Columnar

/// Reads paths; the last one is kept, since paths hardly ever change from row to row.
private final class JSONPathMemory {
  private var text: [UInt8] = []
  private var path: JSONPath?

  func path(_ raw: UnsafeRawBufferPointer) throws(Fault) -> JSONPath {
    if let path, raw.elementsEqual(text) { return path }
    let made = try JSONPath(String(decoding: raw, as: UTF8.self))
    (text, path) = (Array(raw), made)
    return made
  }
}

enum JSONPathFunctions {
  /// What a function makes of a value and a path; nil: null.
  private typealias Answer = @Sendable (JSONPathEvaluation, JSONPath, _ isSilent: Bool) throws(JSONPathStop) -> Scalar

  private static func run(
    _ evaluation: JSONPathEvaluation, _ path: JSONPath, isSilent: Bool, _ answer: Answer
  ) throws(Fault) -> Scalar {
    do throws(JSONPathStop) { return try answer(evaluation, path, isSilent) } catch {
      if isSilent, case .failed = error { return .null }
      throw error.fault ?? Fault.bug("a jsonpath ended early")
    }
  }

  private static func evaluation(
    _ target: JSONNode, _ variables: JSONNode, _ path: JSONPath
  ) throws(Fault) -> JSONPathEvaluation {
    guard case .object = variables else {
      throw Fault(
        .invalidParameterValue, "\"vars\" argument is not an object",
        detail: "Jsonpath parameters should be encoded as key-value pairs of \"vars\" object.")
    }
    return JSONPathEvaluation(root: target, variables: variables, isLax: path.isLax)
  }

  // MARK: Answers

  private static let existence: Answer = { (evaluation, path, _) throws(JSONPathStop) in
    .boolean(try evaluation.exists(path))
  }
  private static let match: Answer = { (evaluation, path, isSilent) throws(JSONPathStop) in
    let found = try evaluation.items(path, isSilent: isSilent)
    if found.count == 1 {
      if case .boolean(let value) = found[0] { return .boolean(value) }
      if case .null = found[0] { return .null }
    }
    if isSilent { return .null }
    throw .failed(Fault(.singletonSQLJSONItemRequired, "single boolean result is expected"))
  }
  private static let array: Answer = { (evaluation, path, isSilent) throws(JSONPathStop) in
    .bytes(JSONNode.array(try evaluation.items(path, isSilent: isSilent)).bytes)
  }
  private static let first: Answer = { (evaluation, path, isSilent) throws(JSONPathStop) in
    try evaluation.items(path, isSilent: isSilent).first.map { .bytes($0.bytes) } ?? .null
  }

  // MARK: The functions

  private static let parameters: [DataType] = [.jsonb, .text, .jsonb, .boolean]

  private static func scalar(_ name: String, _ result: DataType, _ answer: @escaping Answer) -> [ScalarFunction] {
    [name, name + "_tz"].flatMap { name in
      (2...4).map { count in
        .make(name, parameters.prefix(count).map { .exact($0) }, .fixed(result)) {
          (context, columns, rows) throws(Fault) in
          let memory = JSONPathMemory()
          return try rowLoop(context, columns, rows: rows, type: result, isStrict: true) {
            (a, row, out) throws(Fault) in
            let path = try memory.path(a.bytes(1, row))
            let variables = count > 2 ? try a.node(2, row) : .object([])
            out.append(
              try run(
                try evaluation(try a.node(0, row), variables, path), path, isSilent: count > 3 && a.bool(3, row), answer))
          }
        }
      }
    }
  }

  static let functions: [ScalarFunction] =
    scalar("jsonb_path_exists", .boolean, existence) + scalar("jsonb_path_match", .boolean, match)
    + scalar("jsonb_path_query_array", .jsonb, array) + scalar("jsonb_path_query_first", .jsonb, first)

  private static func test(_ name: String, _ answer: @escaping Answer) -> ScalarFunction {
    .make(name, [.exact(.jsonb), .exact(.text)], .fixed(.boolean)) { (context, columns, rows) throws(Fault) in
      let memory = JSONPathMemory()
      return try rowLoop(context, columns, rows: rows, type: .boolean, isStrict: true) { (a, row, out) throws(Fault) in
        let path = try memory.path(a.bytes(1, row))
        out.append(try run(try evaluation(try a.node(0, row), .object([]), path), path, isSilent: true, answer))
      }
    }
  }

  static let operators: [ScalarFunction] = [test("@?", existence), test("@@", match)]

  static let tableFunctions: [TableFunction] = ["jsonb_path_query", "jsonb_path_query_tz"].flatMap { name in
    (2...4).map { count in
      TableFunction(
        name: name, parameters: parameters.prefix(count).map { .exact($0) }, columns: { _ in [(name, .jsonb)] }
      ) { (_, arguments, _) throws(Fault) in
        guard case .bytes(let target) = arguments[0], case .bytes(let text) = arguments[1],
          !arguments.contains(where: \.isNull)
        else { return { () throws(Fault) in nil } }
        let path = try JSONPath(String(decoding: text, as: UTF8.self))
        var variables = JSONNode.object([])
        if count > 2, case .bytes(let given) = arguments[2] { variables = try JSONReader.jsonb(given) }
        let isSilent = count > 3 && arguments[3] == .boolean(true)
        let evaluation = try evaluation(try JSONReader.jsonb(target), variables, path)
        let found: [JSONNode]
        do throws(JSONPathStop) { found = try evaluation.items(path, isSilent: isSilent) } catch {
          throw error.fault ?? Fault.bug("a jsonpath ended early")
        }
        return TableFunctions.chunks(of: found.map { [.bytes($0.bytes)] }, [.jsonb])
      }
    }
  }
}
